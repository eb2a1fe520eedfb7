// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/clean - words that a person typed, with their secrets cut out before they are kept
 * anywhere (I3).
 *
 * Knows: scanner.
 * Owns:  nothing.
 * Never: hands out what could not be scanned.
 */

#ifndef VIEW_CLEAN_H
#define VIEW_CLEAN_H

#include "base/base.h"

struct err;
struct scanner;

enum {
	VIEW_CLEAN_MAX = 64 * 1024,
};

/** Owned by the caller.  BLOCKED: it could not be cut. */
int view_clean(const struct scanner *scanner, const char *text, char **ret_text,
	struct err *err) NONNULL MUST_CHECK;

/** The same with a scanner for this one text; @key keys its marks; NULL text gives "". */
int view_clean_once(const uint8_t *key, const char *text, char **ret_text,
	struct err *err) NONNULL_ARGS(1, 3, 4) MUST_CHECK;

#endif
