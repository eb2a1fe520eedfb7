// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/stage - entries on their way: written, synced, read back, then named.
 *
 *     struct stage_options options = { .named = count_it, .payload = run };
 *     AUTO(stage_freep) struct stage *stage = stage_new(&options);
 *
 *     if (stage_file(stage, &item, data, len, err) < 0) ...
 *     if (stage_flush(stage, err) < 0) ...
 *
 * Knows: base, place, told.
 * Owns:  the temporaries of one batch, with their descriptors.
 * Never: gives a name to what is not on the disk and read back from it; takes a name that
 *        something else has, unless it was told what that is and it is still that.
 *
 *     stage_file   stage_file   stage_link   ...   stage_flush
 *     temp 1       temp 2       temp 3             sync all, read all back,
 *                                                  options.ready(), name all
 *
 * One fsync after the other costs a commit of the journal each: a large batch is synced
 * by one syncfs(), where the file system is known to keep what that promises.
 */

#ifndef RESTORE_STAGE_H
#define RESTORE_STAGE_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/place.h"
#include "restore/told.h"

struct err;
struct stage;

enum {
	/** Entries of a batch, descriptors it keeps open, and bytes. */
	STAGE_ENTRIES_MAX = 2048,
	STAGE_OPEN_MAX = 256,
	STAGE_BYTES_MAX = 64 << 20,
	/** A batch with fewer files is synced one by one: others may write a lot. */
	STAGE_TOGETHER = 16,
};

/** One entry; texts and facts are copied, @dirfd is duplicated. */
struct stage_item {
	int dirfd;
	const char *name;
	/** For telling: path, kind, bytes, redacted, sealed, and the verdict of success.
	 */
	struct restore_path path;
	struct oid oid;
	struct place_facts facts;
	/** Take the place of what is there: it must still be @old. */
	bool replaces;
	struct stat old;
};

struct stage_options {
	/** Called before anything of a batch gets its name; may be NULL. */
	int (*ready)(void *payload, struct err *err);
	/** Each entry, in order, with what became of it. */
	restore_told_fn *named;
	void *payload;
};

struct stage *stage_new(const struct stage_options *options) NONNULL MUST_CHECK;
/** Accepts NULL.  What is not named is removed. */
void stage_free(struct stage *stage);
void stage_freep(struct stage **stage);

/**
 * Each may flush.
 *
 * @return
 *         0 (it will be told, also when it fails by itself), or negative when going on
 *         makes no sense: NO_SPACE, NO_MEMORY, CANCELLED.
 */
int stage_file(struct stage *stage, const struct stage_item *item, const void *data,
	size_t len, struct err *err) NONNULL_ARGS(1, 2, 5) MUST_CHECK;
/** A symbolic link. */
int stage_link(struct stage *stage, const struct stage_item *item, const char *target,
	struct err *err) NONNULL MUST_CHECK;
/** One more name for a file that has its own already.  @return 1, and nothing is told,
 * when this file system cannot do that. */
int stage_same(struct stage *stage, const struct stage_item *item, int first_dirfd,
	const char *first, struct err *err) NONNULL MUST_CHECK;
/** Only new facts for what stands there. */
int stage_facts(struct stage *stage, const struct stage_item *item, struct err *err)
	NONNULL MUST_CHECK;

int stage_flush(struct stage *stage, struct err *err) NONNULL MUST_CHECK;

/** Does a failure like this end everything, rather than one path? */
bool stage_is_fatal(const struct err *err) NONNULL;

#endif
