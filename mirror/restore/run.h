// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/run - what one restore carries from step to step.
 *
 * Knows: base, brain (oid), chain, listing, oids, place, stage, told, undo.
 * Owns:  everything in struct run, until run_done().
 * Never: decides what becomes of a path; entries.c and folders.c do.
 *
 * The inside of the room: only restore.c, folders.c and entries.c include it.
 */

#ifndef RESTORE_RUN_H
#define RESTORE_RUN_H

#include "base/base.h"
#include "brain/oid.h"
#include "restore/chain.h"
#include "restore/oids.h"
#include "restore/options.h"
#include "restore/place.h"
#include "restore/told.h"

struct err;
struct listing;
struct stage;
struct undo;

/** Where the folder of one name is made. */
struct base {
	char *name;
	/** The folder above it, and what it is called there. */
	int fd;
	char *disk;
	/** Its whole path, for the journal. */
	char *path;
};

/** A folder whose mode and time are set in the end. */
struct finish {
	size_t base;
	/** Below the base, with its own name first. */
	char *rel;
	/** For the journal. */
	char *path;
	struct place_facts facts;
	bool existed;
	struct stat before;
};

/** The first name of a hard-linked file. */
struct group {
	size_t base;
	char *rel;
	struct oid oid;
};

/** One more name, given when all first names are there. */
struct second {
	size_t group;
	size_t base;
	/** The folder, and the entry in it. */
	char *rel;
	char *name;
	char *path;
	struct place_facts facts;
	uint64_t size;
	uint32_t redacted;
	char *sealed;
	/** As told. */
	const char *unopened;
	/** It was sealed: the entry's bytes in the commit, and the place that opens them.
	 */
	struct oid shut;
	char *place;
};

struct run {
	const struct restore_options *options;
	struct restore_result *result;
	struct err *err;
	struct listing *listing;
	struct stage *stage;
	struct undo *undo;
	uint64_t told;
	/** How many there are to tell of; 0: nobody counted. */
	uint64_t total;
	/** The folder whose own facts were put down last; owned. */
	char *last_folder;
	/** True names of folders, by the hash of the path they are shown under. */
	struct oids name_of;
	char **names;
	size_t nnames;
	size_t names_capacity;

	/** Where folders are opened from. */
	struct chain chain;
	struct base *bases;
	size_t nbases;
	struct finish *finishes;
	size_t nfinishes;
	size_t finishes_capacity;
	struct group *groups;
	size_t ngroups;
	size_t groups_capacity;
	struct oids group_of;
	struct second *seconds;
	size_t nseconds;
	size_t seconds_capacity;
};

/** The person's callback, and the counts: a restore_told_fn whose payload is the run. */
int run_tell(const struct restore_path *path, void *payload) NONNULL MUST_CHECK;
/** The path as a whole did not come back. */
int run_tell_trouble(struct run *run, const char *path, enum sidecar_kind kind,
	enum restore_verdict verdict, const char *why) NONNULL MUST_CHECK;
/** A failure that concerns this path alone is told and the rest goes on; another one
 * ends the run. */
int run_tell_failure(struct run *run, const char *path, enum sidecar_kind kind,
	const struct err *why) NONNULL MUST_CHECK;

/** The base of "<name>/<rel>", by its number; NOT_FOUND when nobody knows where. */
int run_find_base(struct run *run, const char *path, size_t *ret_base, struct err *err)
	NONNULL MUST_CHECK;
/** "notes/sub" to its way below the base: "notes/sub", or "notes.restored/sub", with true
 * names where they are known.  Owned by the caller. */
char *run_rel(const struct run *run, const struct base *base, const char *path)
	NONNULL MUST_CHECK;
/** The folder shown as @path has that name; copied. */
void run_add_name(struct run *run, const char *path, const char *name) NONNULL;
/** Its true name, or NULL when none was added; borrowed. */
const char *run_name(const struct run *run, const char *path) NONNULL;
/** "<name>/<rel>" as the journal has it: names as they are on disk.  Owned by the caller.
 */
char *run_journal_path(const char *path) NONNULL MUST_CHECK;

/** 1 there is a journal to write to, begun now if need be; 0 none is kept. */
int run_need_undo(struct run *run, struct err *err) NONNULL MUST_CHECK;
/** Everything remembered is on disk; for struct stage_options, so @payload is the run. */
int run_remember(void *payload, struct err *err) NONNULL MUST_CHECK;

void run_done(struct run *run) NONNULL;

#endif
