// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/buf - bytes from outside, with a ceiling.
 *
 *     AUTO(buf_done) struct buf text = { .max = CONFIG_MAX };
 *
 *     if (buf_add(&text, data, len, err) < 0) {
 *             return err_wrap(err, "read the answer");
 *     }
 *
 * Knows: err.
 * Owns:  its bytes, until buf_done() or buf_steal().
 * Never: grows past `max` (TOO_BIG), never leaves the process when memory is out
 *        (NO_MEMORY): the size came from outside, so the failure is the world's.
 *
 * There is always a NUL behind the last byte once something was added.
 */

#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

struct err;

struct buf {
	/** The bytes; NULL while nothing was ever added. */
	char *data;
	size_t len;
	/** Bytes allocated. */
	size_t size;
	/** The ceiling for len; 0 means no ceiling was set: a bug, asserted. */
	size_t max;
};

/** Free the bytes; the buffer is empty and reusable. */
void buf_done(struct buf *buf) NONNULL;
/** The same for what held a secret: its bytes are overwritten first. */
void buf_wipe(struct buf *buf) NONNULL;
/** Forget the bytes, keep the memory. */
void buf_clear(struct buf *buf) NONNULL;

/** Make room for @more bytes behind len.  TOO_BIG, NO_MEMORY. */
int buf_reserve(struct buf *buf, size_t more, struct err *err) NONNULL MUST_CHECK;
int buf_add(struct buf *buf, const void *data, size_t len, struct err *err)
	NONNULL_ARGS(1, 4) MUST_CHECK;
int buf_add_text(struct buf *buf, const char *text, struct err *err) NONNULL MUST_CHECK;
int buf_add_fmt(struct buf *buf, struct err *err, const char *fmt, ...)
	NONNULL MUST_CHECK PRINTF_LIKE(3, 4);

/** The text, never NULL ("" when empty); borrowed until the next change. */
const char *buf_text(const struct buf *buf) NONNULL;

/** Hand the bytes to the caller (free() them); the buffer is empty. */
char *buf_steal(struct buf *buf) NONNULL;

#endif
