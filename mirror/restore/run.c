// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/run.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "restore/listing.h"
#include "restore/stage.h"
#include "restore/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
	PROGRESS_EVERY = 64,
};

// ---- telling

int
run_tell(const struct restore_path *path, void *payload)
{
	struct run *run = payload;
	const struct restore_options *options = run->options;
	int stop = 0;

	run->result->count[path->verdict]++;
	run->result->redacted +=
		path->redacted > 0 || path->sealed != NULL || path->renamed;
	run->result->shut += path->shut != NULL;
	if (path->verdict == RESTORE_WRITTEN || path->verdict == RESTORE_REPLACED) {
		run->result->bytes += path->bytes;
	}
	if (options->told != NULL) {
		stop = options->told(path, options->payload);
	}
	if (stop == 0 && options->progress != NULL && run->told++ % PROGRESS_EVERY == 0) {
		stop = options->progress(
			"restoring", run->told, run->total, options->payload);
	}
	return stop == 0 ? 0 : err_raise(run->err, ERR_CANCELLED, "cancelled");
}

// The path as a whole did not come back.
int
run_tell_trouble(struct run *run, const char *path, enum sidecar_kind kind,
	enum restore_verdict verdict, const char *why)
{
	struct restore_path told = {
		.path = path, .kind = kind, .verdict = verdict, .why = why
	};

	return run_tell(&told, run);
}

// A failure that concerns this path alone is told and the rest goes on.
int
run_tell_failure(
	struct run *run, const char *path, enum sidecar_kind kind, const struct err *why)
{
	enum restore_verdict verdict =
		why->code == ERR_EXISTS ? RESTORE_CONFLICT : RESTORE_FAILED;

	if (stage_is_fatal(why)) {
		*run->err = *why;
		return err_wrap(run->err, "restore %.200s", path);
	}
	return run_tell_trouble(run, path, kind, verdict, why->msg);
}

// ---- where things go

static struct base *
add_base(struct run *run, const char *name, int fd, const char *disk, const char *path)
{
	struct base *base;

	run->bases = xrealloc(run->bases, (run->nbases + 1) * sizeof(run->bases[0]));
	base = &run->bases[run->nbases++];
	*base = (struct base){
		.name = xstrdup(name),
		.fd = fd,
		.disk = xstrdup(disk),
		.path = xstrdup(path),
	};
	return base;
}

// Below one folder for all names.
static int
add_base_to(struct run *run, const char *name, struct err *err)
{
	AUTO_FREE char *disk = place_name(name);
	AUTO_FREE char *path = path_join(run->options->to, disk);
	int fd = -1;

	if (!run->options->preview && file_make_dirs(run->options->to, 0777, err) < 0) {
		return err_wrap(err, "make the target");
	}
	// The target itself may be reached through links: the person named it.
	fd = open(run->options->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && !(run->options->preview && errno == ENOENT)) {
		return err_errno(err, "open %s", run->options->to);
	}
	(void)add_base(run, name, fd, disk, path);
	return 0;
}

// A folder of its own for this name.
static int
add_base_root(struct run *run, const struct restore_root *root, struct err *err)
{
	AUTO_FREE char *real = realpath(root->path, NULL);
	const char *path = real != NULL ? real : root->path;
	const char *disk = path_base(path);
	AUTO_FREE char *above = xmemdup0(path, (size_t)(disk - path));
	int fd;

	if (path[0] != '/') {
		return err_raise(err, ERR_INVALID, "%.200s is no absolute path", path);
	}
	if (!run->options->preview && file_make_dirs(above, 0755, err) < 0) {
		return err_wrap(err, "make the target");
	}
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && !(run->options->preview && errno == ENOENT)) {
		return err_errno(err, "open %s", above);
	}
	(void)add_base(run, root->name, fd, disk[0] != '\0' ? disk : ".", path);
	return 0;
}

// The base of "<name>/<rel>", by its number.
int
run_find_base(struct run *run, const char *path, size_t *ret_base, struct err *err)
{
	const struct restore_options *options = run->options;
	AUTO_FREE char *name = xmemdup0(path, (size_t)(strchrnul(path, '/') - path));
	int result = 1;

	for (size_t i = 0; i < run->nbases; i++) {
		if (strcmp(run->bases[i].name, name) == 0) {
			*ret_base = i;
			return 0;
		}
	}
	if (options->to != NULL) {
		result = add_base_to(run, name, err);
	}
	for (size_t i = 0; result > 0 && i < options->nroots; i++) {
		if (strcmp(options->roots[i].name, name) == 0) {
			result = add_base_root(run, &options->roots[i], err);
		}
	}
	if (result > 0) {
		err_raise(err, ERR_NOT_FOUND,
			"where %.200s is on this machine is not known", name);
		return err_advise(err, "mirror restore --to DIR ...");
	}
	*ret_base = run->nbases - 1;
	return result;
}

void
run_add_name(struct run *run, const char *path, const char *name)
{
	struct oid key;

	oid_of(OBJECT_BLOB, path, strlen(path), &key);
	if (oids_add(&run->name_of, &key, run->nnames)) {
		run->names = xgrow(run->names, run->nnames, &run->names_capacity,
			sizeof(run->names[0]));
		run->names[run->nnames++] = xstrdup(name);
	}
}

const char *
run_name(const struct run *run, const char *path)
{
	const size_t *known;
	struct oid key;

	if (run->nnames == 0) {
		return NULL;
	}
	oid_of(OBJECT_BLOB, path, strlen(path), &key);
	known = oids_find(&run->name_of, &key);
	return known != NULL ? run->names[*known] : NULL;
}

// @path without its first component, each of the others by its true name.
static char *
true_path(const struct run *run, const char *path)
{
	const char *slash = strchr(path, '/');
	char *result;

	if (run->nnames == 0) {
		return xstrdup(slash != NULL ? slash + 1 : "");
	}
	result = xstrdup("");
	while (slash != NULL) {
		const char *next = strchr(slash + 1, '/');
		size_t len = next != NULL ? (size_t)(next - path) : strlen(path);
		AUTO_FREE char *prefix = xmemdup0(path, len);
		AUTO_FREE char *before = result;
		const char *name = run_name(run, prefix);

		result = path_join(before, name != NULL ? name : path_base(prefix));
		slash = next;
	}
	return result;
}

// "notes/sub" to its way below the base: "notes/sub", or "notes.restored/sub".
char *
run_rel(const struct run *run, const struct base *base, const char *path)
{
	AUTO_FREE char *below = true_path(run, path);
	AUTO_FREE char *placed = place_path(below);

	// The folder "" is the target itself.
	return path[0] == '\0' ? xstrdup("") : path_join(base->disk, placed);
}

char *
run_journal_path(const char *path)
{
	const char *slash = strchr(path, '/');
	AUTO_FREE char *below = slash != NULL ? place_path(slash + 1) : NULL;

	return below == NULL ? xstrdup(path)
			     : xasprintf("%.*s/%s", (int)(slash - path), path, below);
}

// ---- what will be done, remembered before it is

// Where the names are, without links on the way: what undo will find again.
static int
begin_undo(struct run *run, struct err *err)
{
	const struct restore_options *options = run->options;
	AUTO_FREE struct restore_root *roots =
		xcalloc(options->nroots + 1, sizeof(*roots));
	AUTO_FREE char **real = xcalloc(options->nroots + 1, sizeof(*real));
	int result;

	for (size_t i = 0; i < options->nroots; i++) {
		real[i] = realpath(options->roots[i].path, NULL);
		roots[i] = options->roots[i];
		roots[i].path = real[i] != NULL ? real[i] : roots[i].path;
	}
	result = undo_begin(options->undo_dir, &options->commit, roots, options->nroots,
		&run->undo, err);
	for (size_t i = 0; i < options->nroots; i++) {
		free(real[i]);
	}
	return result;
}

// A safety journal begins with the first thing that is changed.
int
run_need_undo(struct run *run, struct err *err)
{
	if (run->options->undo_dir == NULL) {
		return 0;
	}
	if (run->undo == NULL) {
		if (begin_undo(run, err) < 0) {
			return err->code;
		}
		memcpy(run->result->undo_id, undo_id(run->undo),
			sizeof(run->result->undo_id));
	}
	return 1;
}

// stage.h: before a batch gets its names.
int
run_remember(void *payload, struct err *err)
{
	struct run *run = payload;

	return run->undo == NULL ? 0 : undo_sync(run->undo, err);
}

void
run_done(struct run *run)
{
	chain_done(&run->chain);
	listing_close(run->listing);
	stage_free(run->stage);
	undo_free(run->undo);
	oids_done(&run->group_of);
	oids_done(&run->name_of);
	for (size_t i = 0; i < run->nnames; i++) {
		free(run->names[i]);
	}
	for (size_t i = 0; i < run->nbases; i++) {
		free(run->bases[i].name);
		free(run->bases[i].disk);
		free(run->bases[i].path);
		base_close_p(&run->bases[i].fd);
	}
	for (size_t i = 0; i < run->nfinishes; i++) {
		free(run->finishes[i].rel);
		free(run->finishes[i].path);
	}
	for (size_t i = 0; i < run->ngroups; i++) {
		free(run->groups[i].rel);
	}
	for (size_t i = 0; i < run->nseconds; i++) {
		free(run->seconds[i].rel);
		free(run->seconds[i].name);
		free(run->seconds[i].path);
		free(run->seconds[i].sealed);
		free(run->seconds[i].place);
	}
	free(run->last_folder);
	free(run->bases);
	free(run->finishes);
	free(run->groups);
	free(run->seconds);
	free(run->names);
}
