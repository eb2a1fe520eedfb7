// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/folders.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "restore/listing.h"
#include "restore/run.h"
#include "restore/stage.h"
#include "restore/undo.h"
#include "restore/unseal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
folders_opened_done(struct opened *opened)
{
	base_close_p(&opened->fd);
	free(opened->rel);
}

// In a preview nothing is made, and what is not there is no failure.
static int
open_for_preview(struct run *run, struct opened *opened, struct err *err)
{
	const struct base *base = &run->bases[opened->base];

	if (base->fd < 0) {
		return 0;
	}
	if (chain_open(&run->chain, base->fd, opened->rel, PLACE_AS_IS, &opened->fd,
		    err) < 0 &&
		err->code != ERR_NOT_FOUND) {
		return err->code;
	}
	return 0;
}

static int
make_folder(struct run *run, const char *path, int parent, const char *name,
	bool described, struct err *err)
{
	AUTO_FREE char *logged = run_journal_path(path);
	int keeps = run_need_undo(run, err);

	if (keeps < 0 || (keeps > 0 && undo_make_folder(run->undo, logged, err) < 0)) {
		return err->code;
	}
	// Nobody looks into it until it has its own mode.
	if (mkdirat(parent, name, described ? 0700 : 0777) < 0) {
		return err_errno(err, "make the folder");
	}
	return 0;
}

// Open the folder on disk for @path, making it when it is missing.
int
folders_open(struct run *run, const char *path, bool described, struct opened *opened,
	struct err *err)
{
	AUTO_FREE char *parent_rel = NULL;
	AUTO_CLOSE int parent = -1;
	const char *name;
	int base_fd;

	opened->fd = -1;
	if (run_find_base(run, path, &opened->base, err) < 0) {
		return err->code;
	}
	opened->rel = run_rel(run, &run->bases[opened->base], path);
	if (run->options->preview) {
		return open_for_preview(run, opened, err);
	}
	base_fd = run->bases[opened->base].fd;
	parent_rel = place_above(opened->rel);
	name = opened->rel[0] != '\0' ? path_base(opened->rel) : ".";
	if (chain_open(&run->chain, base_fd, parent_rel, PLACE_FORCE, &parent, err) < 0) {
		return err->code;
	}
	opened->existed =
		fstatat(parent, name, &opened->before, AT_SYMLINK_NOFOLLOW) == 0;
	if (!opened->existed &&
		make_folder(run, path, parent, name, described, err) < 0) {
		return err->code;
	}
	return place_open(parent, name, PLACE_FORCE, &opened->fd, err);
}

// A folder that is there has attributes of its own: they are kept before they change.
static int
restyle(struct run *run, const char *path, int fd, const struct place_facts *facts,
	struct err *err)
{
	AUTO_FREE char *logged = run_journal_path(path);
	bool lost = false;
	int kept = place_has_attributes(fd, facts, err);

	if (kept > 0) {
		return 0;
	}
	kept = run_need_undo(run, err);
	if (kept > 0) {
		kept = undo_restyle(run->undo, fd, logged, err);
	}
	if (kept > 0) {
		return run_tell_trouble(run, path, SIDECAR_FOLDER, RESTORE_CONFLICT,
			"its attributes could not be kept, and stay as they are");
	}
	return kept < 0 ? kept : place_give(fd, facts, &lost, err);
}

// Mode and time come in the end; what may be given now is.
static int
take_on(struct run *run, const struct listing_folder *folder, struct opened *opened,
	struct err *err)
{
	struct place_facts now = { 0 };
	struct place_facts facts;
	bool lost = false;

	if (!folder->described) {
		return 0;
	}
	facts = place_facts_of_folder(&folder->facts, &run->options->rights);
	now.xattrs = facts.xattrs;
	now.nxattrs = facts.nxattrs;
	now.privileged = facts.privileged;
	facts.xattrs = NULL;
	facts.nxattrs = 0;
	run->finishes = xgrow(run->finishes, run->nfinishes, &run->finishes_capacity,
		sizeof(run->finishes[0]));
	run->finishes[run->nfinishes++] = (struct finish){
		.base = opened->base,
		.rel = xstrdup(opened->rel),
		.path = run_journal_path(folder->path),
		.facts = facts,
		.existed = opened->existed,
		.before = opened->before,
	};
	return opened->existed ? restyle(run, folder->path, opened->fd, &now, err)
			       : place_give(opened->fd, &now, &lost, err);
}

// Its content has its place under the mark.  1, or negative.
static int
tell_shut(struct run *run, const char *path, const struct err *why)
{
	struct restore_path told = {
		.path = path,
		.kind = SIDECAR_FOLDER,
		.verdict = RESTORE_FAILED,
		.renamed = true,
	};

	if (unseal_failed(run, path, why, &told.shut) < 0) {
		return run->err->code;
	}
	told.why = told.shut;
	return run_tell(&told, run) < 0 ? run->err->code : 1;
}

// With the key a folder gets its true name.  1, or 0 when it cannot (told).
static int
find_name(struct run *run, const struct listing_folder *folder)
{
	AUTO_FREE char *name = NULL;
	struct err why;

	if (!folder->described || !unseal_is_wanted(run, folder->facts.sealed) ||
		run_name(run, folder->path) != NULL) {
		return 1;
	}
	if (run->options->undo_dir != NULL) {
		return unseal_tell_in_place(run, folder->path, SIDECAR_FOLDER);
	}
	if (unseal_name(run, folder->facts.sealed, &name, &why) < 0) {
		return tell_shut(run, folder->path, &why);
	}
	run_add_name(run, folder->path, name);
	return 1;
}

// Open it, make it, and see that it gets its facts.  @is_above: it was not asked for, so
// one that is there already stays as it is.  1 when the files in it have their place.
int
folders_enter(struct run *run, const struct listing_folder *folder, bool is_above,
	struct opened *opened)
{
	struct err why;
	int named = find_name(run, folder);

	if (named <= 0) {
		return named;
	}
	if (folders_open(run, folder->path, folder->described, opened, &why) < 0) {
		// Not to know where is no matter of this folder.
		if (run->nbases == 0 || stage_is_fatal(&why)) {
			*run->err = why;
			return err_wrap(run->err, "restore %.200s", folder->path);
		}
		return run_tell_failure(run, folder->path, SIDECAR_FOLDER, &why);
	}
	run->result->folders++;
	if (run->options->preview || (is_above && opened->existed)) {
		return 1;
	}
	if (take_on(run, folder, opened, &why) < 0) {
		return run_tell_failure(run, folder->path, SIDECAR_FOLDER, &why);
	}
	return 1;
}

static int
finish_one(struct run *run, const struct finish *finish, struct err *err)
{
	AUTO_FREE char *parent_rel = place_above(finish->rel);
	AUTO_CLOSE int parent = -1;
	struct stat now;
	const char *name = path_base(finish->rel);
	bool lost = false;

	if (chain_open(&run->chain, run->bases[finish->base].fd, parent_rel, PLACE_AS_IS,
		    &parent, err) < 0) {
		return err->code;
	}
	if (fstatat(parent, name, &now, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "look at the folder");
	}
	if (!S_ISDIR(now.st_mode) || place_has_facts(&now, &finish->facts)) {
		return 0;
	}
	return place_give_at(parent, name, false, &finish->facts, &lost, err);
}

static int
remember_folders(struct run *run, struct err *err)
{
	for (size_t i = run->nfinishes; i-- > 0;) {
		const struct finish *finish = &run->finishes[i];
		int keeps;

		// Untouched, and right as it is: nothing to take back.
		if (!finish->existed ||
			(run->undo == NULL &&
				place_has_facts(&finish->before, &finish->facts))) {
			continue;
		}
		keeps = run_need_undo(run, err);
		if (keeps < 0 ||
			(keeps > 0 &&
				undo_change(run->undo, finish->path, &finish->before,
					err) < 0)) {
			return err->code;
		}
	}
	return run_remember(run, err);
}

int
folders_finish(struct run *run, struct err *err)
{
	if (remember_folders(run, err) < 0) {
		return err->code;
	}
	for (size_t i = run->nfinishes; i-- > 0;) {
		const struct finish *finish = &run->finishes[i];
		struct err why;

		if (finish_one(run, finish, &why) < 0 &&
			run_tell_failure(run, finish->path, SIDECAR_FOLDER, &why) < 0) {
			return err->code;
		}
	}
	return 0;
}
