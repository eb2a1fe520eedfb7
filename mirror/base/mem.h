// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/mem - small allocations that cannot fail.
 *
 * Knows: nothing.
 * Owns:  nothing: everything returned is owned by the caller, free() it.
 * Never: for sizes that come from outside; those go through base/buf, which has a
 * ceiling.
 *
 * When memory is out, one line goes to standard error and the process leaves with
 * _exit(2): restart is the one recovery path, and it is tested.
 */

#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/base.h"

void *xmalloc(size_t len) MUST_CHECK;
/** Zeroed. */
void *xcalloc(size_t count, size_t len) MUST_CHECK;
void *xrealloc(void *pointer, size_t len) MUST_CHECK;
char *xstrdup(const char *text) NONNULL MUST_CHECK;
/** Copies @len bytes and adds a NUL. */
char *xmemdup0(const void *data, size_t len) MUST_CHECK;
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_CHECK;

/**
 * Make room for one more element in a growing array: doubles @*capacity when
 * @count has reached it.  Returns the array, possibly moved.
 */
void *xgrow(void *array, size_t count, size_t *capacity, size_t element_len) MUST_CHECK;

#endif
