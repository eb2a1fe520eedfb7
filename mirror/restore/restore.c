// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One pass down the commit, folder by folder:
 *
 *     listing      what should stand in this folder
 *       -> open it on the disk, step by step from the base, no link followed; make it
 *       -> each entry: look what stands there, then keep | stage | replace | conflict
 *     stage        batches: written, synced, read back, named
 *     then         second names of hard-linked files
 *     then         modes and times of folders, deepest first, for all of the above
 *                  changes them
 *
 * Folders on disk are opened from the last few that were, kept open (chain): no depth
 * runs out of descriptors, or walks its path again for each level; a folder that is being
 * filled is 0700 until the end.
 */

#include "restore/restore.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "restore/entries.h"
#include "restore/folders.h"
#include "restore/listing.h"
#include "restore/run.h"
#include "restore/stage.h"
#include "restore/undo.h"

#include <stdlib.h>
#include <string.h>

static int
restore_folder(const struct listing_folder *folder, void *payload)
{
	struct run *run = payload;
	AUTO(folders_opened_done) struct opened opened = { .fd = -1 };
	int result;

	if (folder->damage[0] != '\0' &&
		run_tell_trouble(run, folder->path, SIDECAR_FOLDER, RESTORE_MISSING,
			folder->damage) < 0) {
		return run->err->code;
	}
	result = folders_enter(run, folder, false, &opened);
	if (result <= 0) {
		return result < 0 ? result : LISTING_SKIP;
	}
	for (size_t i = 0; i < folder->nentries; i++) {
		if (folder->entries[i].facts.kind != SIDECAR_FOLDER &&
			entries_restore(run, folder, &opened, &folder->entries[i]) < 0) {
			return run->err->code;
		}
	}
	return 0;
}

// The folders above what was asked for.  1, or 0 when one could not be entered (told).
static int
enter_above(struct run *run, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		AUTO_FREE char *prefix = xmemdup0(path, (size_t)(slash - path));
		AUTO(listing_folder_done) struct listing_folder folder = { 0 };
		AUTO(folders_opened_done) struct opened opened = { .fd = -1 };
		int result;

		if (listing_folder(run->listing, prefix, &folder, run->err) < 0) {
			return run->err->code;
		}
		result = folders_enter(run, &folder, true, &opened);
		if (result <= 0) {
			return result;
		}
	}
	return 1;
}

static int
restore_file(struct run *run, const char *path)
{
	AUTO_FREE char *folder_path = place_above(path);
	AUTO(listing_folder_done) struct listing_folder folder = { 0 };
	AUTO(folders_opened_done) struct opened opened = { .fd = -1 };
	const struct listing_entry *entry;
	struct err why;

	if (listing_folder(run->listing, folder_path, &folder, run->err) < 0) {
		return run->err->code;
	}
	entry = listing_entry(&folder, path_base(path));
	if (entry == NULL) {
		return err_raise(
			run->err, ERR_NOT_FOUND, "the commit has no %.200s", path);
	}
	if (folders_open(run, folder.path, folder.described, &opened, &why) < 0) {
		return run_tell_failure(run, path, entry->facts.kind, &why);
	}
	return entries_restore(run, &folder, &opened, entry);
}

static int
restore_path(struct run *run, const char *path)
{
	int found = listing_find(run->listing, path, run->err);
	int result;

	if (found < 0) {
		return found;
	}
	if (found == LISTING_NOTHING || path_is_beneath(path, SIDECAR_TOP)) {
		AUTO_FREE char *shown = path_printable(path);

		return err_raise(
			run->err, ERR_NOT_FOUND, "the commit has no %.200s", shown);
	}
	result = enter_above(run, path);
	if (result <= 0) {
		return result;
	}
	return found == LISTING_FILE
		? restore_file(run, path)
		: listing_walk(run->listing, path, restore_folder, run, run->err);
}

// ---- a run

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool
is_clean(const char *path)
{
	while (true) {
		size_t len = (size_t)(strchrnul(path, '/') - path);

		if (len == 0 || (len <= 2 && strncmp(path, "..", len) == 0)) {
			return false;
		}
		if (path[len] == '\0') {
			return true;
		}
		path += len + 1;
	}
}

struct paths {
	char **rows;
	size_t count;
};

static void
paths_done(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		free(paths->rows[i]);
	}
	free(paths->rows);
}

// Sorted, without slashes at the end.
static int
read_paths(
	const struct restore_options *options, struct paths *ret_paths, struct err *err)
{
	if (options->npaths > RESTORE_PATHS_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %d paths in one go",
			RESTORE_PATHS_MAX);
	}
	ret_paths->rows = xcalloc(options->npaths, sizeof(ret_paths->rows[0]));
	for (size_t i = 0; i < options->npaths; i++) {
		char *path = xstrdup(options->paths[i]);
		size_t len = strlen(path);

		while (len > 0 && path[len - 1] == '/') {
			path[--len] = '\0';
		}
		ret_paths->rows[ret_paths->count++] = path;
		if (!is_clean(path)) {
			AUTO_FREE char *shown = path_printable(options->paths[i]);

			return err_raise(err, ERR_NOT_FOUND,
				"\"%.200s\" is no path in a backup", shown);
		}
	}
	if (ret_paths->count > 1) {
		qsort(ret_paths->rows, ret_paths->count, sizeof(ret_paths->rows[0]),
			by_text);
	}
	return 0;
}

static bool
is_listed(const struct paths *paths, const char *path)
{
	return bsearch(&path, paths->rows, paths->count, sizeof(paths->rows[0]),
		       by_text) != NULL;
}

// Is it, or is something above it, asked for already?
static bool
is_covered(const struct paths *paths, size_t index)
{
	const char *path = paths->rows[index];

	if (index > 0 && strcmp(paths->rows[index - 1], path) == 0) {
		return true;
	}
	for (const char *slash = strchr(path, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		AUTO_FREE char *prefix = xmemdup0(path, (size_t)(slash - path));

		if (is_listed(paths, prefix)) {
			return true;
		}
	}
	return false;
}

// ---- how much there is to do

static int
count_folder(const struct listing_folder *folder, void *payload)
{
	uint64_t *total = payload;

	for (size_t i = 0; i < folder->nentries; i++) {
		*total += folder->entries[i].facts.kind != SIDECAR_FOLDER;
	}
	return 0;
}

// What cannot be counted is told by the restore itself.
static void
count_path(struct run *run, const char *path)
{
	struct err ignored = { 0 };

	if (path[0] != '\0' &&
		listing_find(run->listing, path, &ignored) == LISTING_FILE) {
		run->total++;
	} else if (listing_walk(run->listing, path, count_folder, &run->total, &ignored) <
		0) {
		err_clear(&ignored);
	}
}

static void
count_all(struct run *run, const struct paths *paths)
{
	if (!run->options->counts) {
		return;
	}
	for (size_t i = 0; i < paths->count; i++) {
		if (!is_covered(paths, i)) {
			count_path(run, paths->rows[i]);
		}
	}
	if (run->options->npaths == 0) {
		count_path(run, "");
	}
}

static int
restore_all(struct run *run)
{
	AUTO(paths_done) struct paths paths = { 0 };

	if (read_paths(run->options, &paths, run->err) < 0) {
		return run->err->code;
	}
	count_all(run, &paths);
	if (run->options->npaths == 0) {
		return listing_walk(run->listing, "", restore_folder, run, run->err);
	}
	for (size_t i = 0; i < paths.count; i++) {
		if (!is_covered(&paths, i) && restore_path(run, paths.rows[i]) < 0) {
			return run->err->code;
		}
	}
	return 0;
}

int
restore_run(const struct restore_options *options, struct restore_result *ret_result,
	struct err *err)
{
	AUTO(run_done)
	struct run run = { .options = options, .result = ret_result, .err = err };
	struct stage_options staging = {
		.ready = run_remember, .named = run_tell, .payload = &run
	};

	*ret_result = (struct restore_result){ 0 };
	err_clear(err);
	run.stage = stage_new(&staging);
	if (listing_open(options->repo, &options->commit, &run.listing, err) < 0) {
		return err->code;
	}
	if (restore_all(&run) < 0 || stage_flush(run.stage, err) < 0 ||
		entries_link(&run) < 0 || stage_flush(run.stage, err) < 0 ||
		folders_finish(&run, err) < 0) {
		return err->code;
	}
	return run.undo != NULL ? undo_end(run.undo, err) : 0;
}
