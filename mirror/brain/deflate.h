// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/deflate - an object as an entry of a pack, and back.
 *
 *     deflater = deflater_new();
 *     if (deflate_entry(deflater, OBJECT_BLOB, text, len, err) < 0) ...
 *     // deflater->out is "kind+size, zlib stream"
 *
 * Knows: base, oid.  The only file that speaks ISA-L (deflate, CRC-32).
 * Owns:  a deflater's buffers.
 * Never: keeps state from one entry to the next.
 *
 * Threads: one deflater, one thread at a time.
 */

#ifndef BRAIN_DEFLATE_H
#define BRAIN_DEFLATE_H

#include "base/base.h"
#include "base/buf.h"
#include "brain/oid.h"

#include <stdint.h>

struct err;
struct hash;

/** The largest object, and the longest entry: what deflate may add to it. */
#define DEFLATE_OBJECT_MAX ((size_t)1 << 30)
#define DEFLATE_ENTRY_MAX (DEFLATE_OBJECT_MAX + DEFLATE_OBJECT_MAX / 8)

enum {
	/** Kind and size take at most so many bytes. */
	DEFLATE_HEAD_MAX = 10,
};

/** One thread's tools. */
struct deflater {
	/** For whoever keeps a list of them. */
	struct deflater *next;
	/** To hash objects with: hash_sha1_new(). */
	struct hash *hash;
	struct deflater_inside *inside;
	/** The last entry. */
	struct buf out;
};

struct deflater *deflater_new(void) MUST_CHECK;
void deflater_free(struct deflater *deflater) NONNULL;

/** @data as an entry, into @deflater->out. */
int deflate_entry(struct deflater *deflater, enum object_kind kind, const void *data,
	size_t len, struct err *err) NONNULL MUST_CHECK;

/** The longest that an entry of ours can be that begins with these bytes:
 * DEFLATE_HEAD_MAX, or all there are. */
size_t deflate_bound(const uint8_t *head, size_t len) NONNULL;

/**
 * Append the object of @entry to @buf; whatever stands behind it there is left alone.
 *
 * @kind
 *         What it must be, or OBJECT_ANY.
 * @return
 *         1, or negative: INVALID (another kind), CORRUPT, TOO_BIG.
 */
int deflate_read(const struct buf *entry, enum object_kind kind, struct buf *buf,
	struct err *err) NONNULL MUST_CHECK;

/** The CRC-32 of zlib, gzip and packs; 0 begins. */
uint32_t deflate_crc(uint32_t crc, const void *data, size_t len) NONNULL;

#endif
