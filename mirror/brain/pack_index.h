// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/pack_index - name, place and checksum of each object in one pack.
 *
 * Knows: base, oid.
 * Owns:  its records (32 bytes each, in blocks that never move) and a table of 32-bit
 *        numbers to find one by its name; once sealed, one to two bytes for each instead:
 *        they say which names need not be looked for in the .idx.
 * Never: holds a name twice.
 *
 * Threads: the caller locks.
 */

#ifndef BRAIN_PACK_INDEX_H
#define BRAIN_PACK_INDEX_H

#include "base/base.h"
#include "brain/oid.h"

struct err;
struct pack_record;

struct pack_index {
	/** Blocks of records, in the order they were added. */
	struct pack_record **blocks;
	size_t count;
	size_t nblocks;
	size_t blocks_size;
	/** Record number + 1, or 0; a power of two in size. */
	uint32_t *table;
	size_t table_size;
	/** Once sealed: four bits for each name, among @filter_mask + 1, and the .idx,
	 * borrowed. */
	uint8_t *filter;
	uint32_t filter_mask;
	int fd;
};

void pack_index_init(struct pack_index *index) NONNULL;
void pack_index_done(struct pack_index *index) NONNULL;

/** Where its entry begins: 1, 0 it is not in it, or negative: a sealed one cannot be
 * read.
 */
int pack_index_find(const struct pack_index *index, const struct oid *oid,
	uint64_t *ret_offset, struct err *err) NONNULL MUST_CHECK;
/** @oid must not be in it, @offset must be past the last one's. */
void pack_index_add(struct pack_index *index, const struct oid *oid, uint64_t offset,
	uint32_t crc) NONNULL;

/** By number, from 0 to count - 1, in the order they were added. */
const struct oid *pack_index_oid(const struct pack_index *index, size_t at) NONNULL;
uint64_t pack_index_offset(const struct pack_index *index, size_t at) NONNULL;
uint32_t pack_index_crc(const struct pack_index *index, size_t at) NONNULL;

/** Write the .idx (version 2) of the pack that ends with @trailer; it is not synced yet.
 * With @is_last nothing can be found by name afterwards, only asked by number, and less
 * memory is needed.  @return its open file, the caller's, or negative. */
int pack_index_write(struct pack_index *index, const char *path,
	const uint8_t trailer[OID_LEN], bool is_last, struct err *err) NONNULL MUST_CHECK;

/** Does the .idx, as it can be read back, tell of as many objects?  CORRUPT if not.
 * (Whoever opens it makes sure that it has a place for each; libgit2 would make a list of
 * all to count them.) */
int pack_index_check(const struct pack_index *index, int fd, struct err *err)
	NONNULL MUST_CHECK;

/** After it was written (not the last one): what sealing needs.  Owned by the caller:
 * free() it, or pass it on. */
uint8_t *pack_index_filter(const struct pack_index *index) NONNULL MUST_CHECK;
/** Its records are given back; from now on names are looked for in @fd, the .idx, and
 * nothing is asked by number.  Takes ownership of @filter; @fd is borrowed. */
void pack_index_seal(struct pack_index *index, uint8_t *filter, int fd) NONNULL;

#endif
