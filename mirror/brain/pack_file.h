// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/pack_file - one pack file and its index, from the first byte to objects/pack.
 *
 * Knows: base, deflate, home, pack_index, repo.
 * Owns:  `<git dir>/mirror/new/pack-X.pack` and .idx until they are moved in.
 * Never: moves in what was not read back whole, and synced: or written out, where one
 *        journal orders it (repo_in_one_journal()).
 *
 * Threads: the caller locks.  While pack_file_complete() runs on a flushed file, others
 * may ask for what is in it, not add.
 */

#ifndef BRAIN_PACK_FILE_H
#define BRAIN_PACK_FILE_H

#include "base/base.h"
#include "brain/oid.h"
#include "brain/pack_index.h"

struct buf;
struct err;
struct repo;
struct repo_probe;

struct pack_file {
	struct repo *repo;
	int fd;
	/** "pack-<40 hex>": no pack ever had this name. */
	char name[5 + OID_HEX_MAX];
	/** Both are in staging; NULL as long as there is no file. */
	char *path;
	char *index_path;
	/** Where the next entry goes: flushed bytes and those in the buffer. */
	uint64_t flushed;
	uint64_t synced;
	uint8_t *buffer;
	size_t buffered;
	/** The sum of what was added, before deflating. */
	uint64_t raw_bytes;
	struct pack_index index;
	int index_fd;
	bool complete;
	/** What is to be read back through libgit2, which has it open from the probe on.
	 */
	struct oid *samples;
	size_t nsamples;
	struct repo_probe *probe;
};

/** Creates nothing yet; @repo is borrowed. */
void pack_file_init(struct pack_file *file, struct repo *repo) NONNULL;
/** What was not moved in is removed. */
void pack_file_done(struct pack_file *file) NONNULL;

/** Bytes as they will stand on the disk, without the trailer. */
uint64_t pack_file_size(const struct pack_file *file) NONNULL;

/** 1 and the entry as it stands in the file, 0 it has none of this name, or negative. */
int pack_file_find(const struct pack_file *file, const struct oid *oid, struct buf *entry,
	struct err *err) NONNULL MUST_CHECK;

/** Append @entry, which is not in it yet and whose CRC-32 is @crc; @raw_len before
 * deflating.  After a failure nobody knows what the file holds. */
int pack_file_add(struct pack_file *file, const struct oid *oid, const struct buf *entry,
	uint32_t crc, size_t raw_len, struct err *err) NONNULL MUST_CHECK;

/** Everything added so far is in the file. */
int pack_file_flush(struct pack_file *file, struct err *err) NONNULL MUST_CHECK;

/** Write header, trailer and index, read all of it back.  With @is_last it can be asked
 * for nothing but its name and size afterwards. */
int pack_file_complete(struct pack_file *file, bool is_last, struct err *err)
	NONNULL MUST_CHECK;
/** After complete, in two steps: the first one beside others who ask for what is in it,
 * the second one (with the caller's lock) gives back most of its memory. */
uint8_t *pack_file_filter(const struct pack_file *file) NONNULL MUST_CHECK;
void pack_file_seal(struct pack_file *file, uint8_t *filter) NONNULL;

/** After complete: have it on the disk, index and all; in one journal with the disk, and
 * what is synced after the move carries it.  Any thread. */
int pack_file_sync(const struct pack_file *file, struct err *err) NONNULL MUST_CHECK;

/** After complete: does libgit2 read what is in it?  Its index is given back. */
int pack_file_probe(struct pack_file *file, struct err *err) NONNULL MUST_CHECK;
/** Libgit2 lets go of it, and what it mapped is given back. */
void pack_file_let_go(struct pack_file *file) NONNULL;
/** It has it open again, if it let go and there is a file. */
int pack_file_reopen(struct pack_file *file, struct err *err) NONNULL MUST_CHECK;

/** After sync and probe: put it where git finds it, held by a .keep.  The folder is not
 * synced yet. */
int pack_file_move_in(struct pack_file *file, struct err *err) NONNULL MUST_CHECK;

#endif
