// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/listing - what one commit says stood on the disk, folder by folder.
 *
 *     AUTO(listing_closep) struct listing *listing = NULL;
 *
 *     if (listing_open(repo, &commit, &listing, err) < 0) ...
 *     listing_walk(listing, "notes", see_folder, payload, err);
 *
 * The sidecar's texts and git's trees told as one: an entry is what either of them knows.
 * What a text says and the tree lacks is there with `present` false; what stands in the
 * tree and in no text is there with git's facts alone.
 *
 * Knows: base, brain (repo, tree, sidecar).
 * Owns:  an index of .mirror/, 40 bytes for each of its files.
 * Never: reads a file's bytes, trusts a name: one that would lead out of its folder, or
 *        be git's own, is left out and counted as damage.
 *
 * Threads: one at a time.
 */

#ifndef RESTORE_LISTING_H
#define RESTORE_LISTING_H

#include "base/base.h"
#include "brain/oid.h"
#include "brain/sidecar.h"

struct err;
struct listing;
struct repo;

enum {
	/** listing_walk(): do not go down from here. */
	LISTING_SKIP = 1000,
	LISTING_WHY_MAX = 400,
	/** Folders below folders. */
	LISTING_DEPTH_MAX = 4000,
};

struct listing_entry {
	/** Its facts; those of a folder are in its own listing_folder. */
	struct sidecar_entry facts;
	/** Does the sidecar know it?  Else mode is git's, and there is no time. */
	bool described;
	/** Is it in the commit? */
	bool present;
	/** Blob, or tree of a folder (zero: it has none). */
	struct oid oid;
};

struct listing_folder {
	/** "notes/sub". */
	const char *path;
	/** Its own facts: only when @described. */
	struct sidecar_folder facts;
	bool described;
	/** In order of names. */
	struct listing_entry *entries;
	size_t nentries;
	/** What is wrong with it; "" nothing. */
	char damage[LISTING_WHY_MAX];
	/** Room of listing.c. */
	void *memory_;
};

/** NOT_FOUND, CORRUPT. */
int listing_open(struct repo *repo, const struct oid *commit,
	struct listing **ret_listing, struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void listing_close(struct listing *listing);
void listing_closep(struct listing **listing);

/** Is there a sidecar at all? */
bool listing_has_sidecar(const struct listing *listing) NONNULL;
/** Places in .mirror/folders and in .mirror/files. */
size_t listing_ntexts(const struct listing *listing) NONNULL;
size_t listing_nstored(const struct listing *listing) NONNULL;

/** What ".mirror/sealed/..." holds: 1, or 0 when there is no such place. */
int listing_sealed(struct listing *listing, const char *place, struct oid *ret_oid,
	struct err *err) NONNULL MUST_CHECK;

enum listing_found {
	LISTING_NOTHING,
	LISTING_FOLDER,
	/** A file or a link. */
	LISTING_FILE,
};
/** What is @path ("notes", "notes/a/b")?  An enum listing_found, or negative. */
int listing_find(struct listing *listing, const char *path, struct err *err)
	NONNULL MUST_CHECK;

/** One folder; listing_folder_done() it.  NOT_FOUND. */
int listing_folder(struct listing *listing, const char *path,
	struct listing_folder *ret_folder, struct err *err) NONNULL MUST_CHECK;
void listing_folder_done(struct listing_folder *folder) NONNULL;
/** Binary search, or NULL. */
const struct listing_entry *
listing_entry(const struct listing_folder *folder, const char *name) NONNULL;

/** Called for each folder before those in it; everything is borrowed. */
typedef int listing_fn(const struct listing_folder *folder, void *payload);
/**
 * The folder @path and everything below it; "" is every watched folder.  (What stands
 * beside them at the top is in the folder "" itself, which is told only when there is no
 * sidecar.)
 *
 * @return
 *         0, what @fn returned (but LISTING_SKIP), or negative.
 */
int listing_walk(struct listing *listing, const char *path, listing_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 3, 5) MUST_CHECK;

/** Every text's place and blob, in order of places; for verify. */
typedef int listing_text_fn(const char *place, const struct oid *oid, void *payload);
int listing_each_text(const struct listing *listing, listing_text_fn *fn, void *payload)
	NONNULL_ARGS(1, 2);

#endif
