// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/attributes - the extended attributes of one file or folder, as one value.
 *
 *     AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };
 *     struct attributes_iter iter = ATTRIBUTES_ITER(packed.data, packed.len);
 *     struct attribute attribute;
 *
 *     if (attributes_read(fd, geteuid() == 0, &packed, err) < 0) ...
 *     while (attributes_next(&iter, &attribute)) ...
 *
 *     packed   name NUL length value  name NUL length value ...     sorted by name
 *                       \_ 4 bytes, big-endian
 *
 * Kept are `user.*`, and by root also `security.capability` and the POSIX access lists.
 * Everything else belongs to the machine (labels, encryption, what an overlay or a
 * trusted daemon noted) and would be wrong anywhere else.
 *
 * Knows: err, buf, mem.
 * Owns:  nothing; the limits are these.
 * Never: puts a name or a value into an error (I3).
 */

#ifndef LEDGER_ATTRIBUTES_H
#define LEDGER_ATTRIBUTES_H

#include "base/base.h"

#include <stddef.h>

struct buf;
struct err;

enum {
	/** Bytes of one file's attributes, packed. */
	ATTRIBUTES_MAX = 64 * 1024,
	/** Of one file. */
	ATTRIBUTES_COUNT_MAX = 256,
};

struct attribute {
	/** With a NUL behind it. */
	const char *name;
	const void *value;
	size_t len;
};

struct attributes_iter {
	const char *at;
	size_t left;
};

#define ATTRIBUTES_ITER(data, len)                                                       \
	{                                                                                \
		(data), (len)                                                            \
	}

/** Is it one that is kept; and one of those that only root may keep or give back? */
bool attributes_is_kept(const char *name, bool privileged) NONNULL;
bool attributes_is_privileged(const char *name) NONNULL;

/**
 * Those of an open file or folder.  A file system without them has none.
 *
 * @ret_packed
 *         Emptied first.
 * @return
 *         0, or negative: TOO_BIG (over a limit above), UNSTABLE (they change while they
 *         are read), DENIED, IO, NO_MEMORY.
 */
int attributes_read(int fd, bool privileged, struct buf *ret_packed, struct err *err)
	NONNULL MUST_CHECK;

/** Append one; the caller does so in the order of names.  TOO_BIG. */
int attributes_add(struct buf *packed, const struct attribute *attribute, struct err *err)
	NONNULL MUST_CHECK;

/** The next one, borrowed from the packed value; false at the end or at nonsense. */
bool attributes_next(struct attributes_iter *iter, struct attribute *ret) NONNULL;

#endif
