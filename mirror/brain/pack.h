// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/pack - the objects of one cycle, as one pack or two, all or nothing.
 *
 *     AUTO(pack_abortp) struct pack *pack = NULL;
 *
 *     if (pack_begin(repo, &pack, err) < 0) ...
 *     if (pack_add(pack, OBJECT_BLOB, text, len, &oid, err) < 0) ...   // any thread
 *     if (pack_finish(STEAL(pack), &stats, err) < 0) ...
 *     // now, and only now, a ref may point at what was added: repo_move_ref(), which
 *     // also lets a `git gc` have the pack
 *
 * Knows: base, deflate, oid, pack_file, reach, repo.
 * Owns:  its pack files until they are whole, synced, checked by libgit2 and renamed into
 *        objects/pack; the threads that complete the first of two and sync the last.
 * Never: takes two different contents of one name for the same (a SHA-1 collision is
 *        CORRUPT), leaves anything in objects/pack that git cannot read, counts on an
 *        object that a `git gc --prune=now` beside us may take away.
 *
 * Threads: pack_add() may be called by any number of threads; begin, settle, seal, finish
 * and abort by one, when no add is running.
 */

#ifndef BRAIN_PACK_H
#define BRAIN_PACK_H

#include "base/base.h"
#include "brain/deflate.h"
#include "brain/oid.h"

struct err;
struct pack;
struct reach;
struct repo;

/** The largest single object; larger ones are TOO_BIG. */
#define PACK_OBJECT_MAX DEFLATE_OBJECT_MAX
/** The most objects in one pack. */
#define PACK_COUNT_MAX ((size_t)1 << 31)

struct pack_stats {
	/** Objects and bytes written, as they stand in the pack. */
	size_t nobjects;
	uint64_t bytes;
	/** "pack-<40 hex>" with what was added last, or "" when nothing was new. */
	char name[5 + OID_HEX_MAX];
};

/** @repo is borrowed until finish or abort.  Creates no file yet. */
int
pack_begin(struct repo *repo, struct pack **ret_pack, struct err *err) NONNULL MUST_CHECK;

/** The same for whoever knows the tree of the branch's commit; zero: there is none. */
int pack_begin_on(struct repo *repo, const struct oid *head_tree, struct pack **ret_pack,
	struct err *err) NONNULL MUST_CHECK;

/** What comes is a change of what the branch has: its trees and commits are new, as a
 * rule, and are not looked for, which takes as long as making them.  One that is there
 * all the same stands there twice, until a repack. */
void pack_expect_change(struct pack *pack) NONNULL;

/**
 * Add one object, unless it is secure already: then the bytes are compared.
 *
 * @return
 *         1 new, 0 it was secure already, or negative: CORRUPT (same name, other bytes),
 *         TOO_BIG, NO_SPACE, IO.  After a failure of the disk only pack_abort() is left.
 */
int pack_add(struct pack *pack, enum object_kind kind, const void *data, size_t len,
	struct oid *ret_oid, struct err *err) NONNULL_ARGS(1, 5, 6) MUST_CHECK;

/** Bytes that it holds so far, as they will stand on the disk. */
uint64_t pack_size(struct pack *pack) NONNULL;

/**
 * May a commit made with this pack count on the object?  Yes when this pack has it, when
 * the branch leads to it, or when it stands in a pack that is held.  That it is merely
 * there is not enough: nothing keeps a git gc from taking it before the ref moves.
 */
bool pack_secures(struct pack *pack, const struct oid *oid) NONNULL;
/** Everything the branch led to when this pack was begun; borrowed until its end. */
const struct reach *pack_reach(struct pack *pack) NONNULL;

/**
 * No add is running: when much was added so far, begin to make it safe beside what comes.
 *
 * @return
 *         0, or negative: then only pack_abort() is left.
 */
int pack_settle(struct pack *pack, struct err *err) NONNULL MUST_CHECK;

/**
 * Nothing more is added: complete it where it is, begin to make it safe, and read it back
 * through libgit2.
 *
 * @return
 *         0, or negative: then only pack_abort() is left.
 */
int pack_seal(struct pack *pack, struct err *err) NONNULL MUST_CHECK;

/**
 * After pack_seal(): append to @buf an object of this very pack, as libgit2 reads it from
 * the disk.  Any thread.
 *
 * @return
 *         1, 0 it is not in this pack, or negative.
 */
struct buf;
int pack_read(struct pack *pack, const struct oid *oid, enum object_kind kind,
	struct buf *buf, struct err *err) NONNULL MUST_CHECK;

/** Make it part of the repo, durably.  Takes ownership of @pack, also on failure, and
 * then nothing of it remains.  Nothing added: no pack, and that is fine. */
int pack_finish(struct pack *pack, struct pack_stats *ret_stats, struct err *err)
	NONNULL MUST_CHECK;

/** The same but for one wait: its name is safe when the repo_move_ref() that follows has
 * returned (or repo_sync_packs()). */
int pack_finish_for_ref(struct pack *pack, struct pack_stats *ret_stats, struct err *err)
	NONNULL MUST_CHECK;

/** Forget it; nothing of it remains.  Accepts NULL. */
void pack_abort(struct pack *pack);
void pack_abortp(struct pack **pack);

#endif
