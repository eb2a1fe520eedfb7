// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/history.h"

#include "base/err.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "serve/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
history_commit(
	struct desk *desk, const char *text, struct oid *ret_commit, struct err *err)
{
	if (desk_repo(desk, err) < 0) {
		return err->code;
	}
	if (text == NULL) {
		if (!desk->has_head) {
			desk->unready = true;
			return err_raise(err, ERR_NOT_FOUND, "there is no commit yet");
		}
		*ret_commit = desk->head;
		return 0;
	}
	// Ids alone: other words for revisions could mean anything.
	if (strlen(text) < 4 || strlen(text) > 40 ||
		strspn(text, "0123456789abcdef") != strlen(text)) {
		return err_raise(err, ERR_INVALID, "not the id of a commit");
	}
	return repo_resolve(desk->repo, text, ret_commit, err);
}

// What git refuses at its own place is kept in the sidecar, under its path's hash.
static int
find_blob(struct repo *repo, const struct oid *tree, const char *path,
	struct oid *ret_blob, struct err *err)
{
	char place[SIDECAR_PATH_MAX];
	uint32_t mode = 0;
	int found = repo_tree_at(repo, tree, path, &mode, ret_blob, err);

	if (found == 0) {
		sidecar_file_path(path, place);
		found = repo_tree_at(repo, tree, place, &mode, ret_blob, err);
	}
	if (found > 0 && mode != TREE_FOLDER && mode != TREE_COMMIT) {
		return 1;
	}
	*ret_blob = (struct oid){ { 0 } };
	return MIN_OF(found, 0);
}

int
history_blob(struct desk *desk, const struct oid *commit, const char *path,
	struct oid *ret_blob, struct err *err)
{
	struct oid tree;

	if (repo_commit_tree(desk->repo, commit, &tree, err) < 0) {
		return err->code;
	}
	return find_blob(desk->repo, &tree, path, ret_blob, err);
}

// ---- versions

struct versions {
	struct repo *repo;
	const char *path;
	history_version_fn *fn;
	void *payload;
	/** The version under way: the oldest commit that still has its blob. */
	bool has;
	struct history_version version;
	size_t seen;
	struct err *err;
};

static int
look_at_version(const struct repo_commit *commit, void *payload)
{
	struct versions *versions = payload;
	struct history_version here = { .commit = commit->id,
		.at_ms = commit->time * 1000 };
	int result = 0;

	if (versions->seen++ == HISTORY_COMMITS_MAX) {
		return 1;
	}
	if (find_blob(versions->repo, &commit->tree, versions->path, &here.blob,
		    versions->err) < 0) {
		return versions->err->code;
	}
	if (versions->has && !oid_equal(&here.blob, &versions->version.blob)) {
		result = versions->fn(&versions->version, versions->payload);
		versions->has = false;
	}
	// Before its first version it was not there: that is none.
	versions->version = here;
	versions->has = true;
	return result;
}

int
history_versions(struct desk *desk, const char *path, history_version_fn *fn,
	void *payload, struct err *err)
{
	struct versions versions = {
		.path = path, .fn = fn, .payload = payload, .err = err
	};
	int result;

	if (desk_repo(desk, err) < 0 || !desk->has_head) {
		return desk->repo == NULL ? err->code : 0;
	}
	versions.repo = desk->repo;
	result = repo_log(desk->repo, &desk->head, look_at_version, &versions, err);
	if (result == 0 && versions.has && !oid_is_zero(&versions.version.blob)) {
		result = fn(&versions.version, payload);
	}
	return MIN_OF(result, 0);
}

// ---- changes

struct log {
	struct repo *repo;
	const struct history_filter *filter;
	history_commit_fn *fn;
	void *payload;
	/** The first one is the one before it all. */
	bool skip;
	size_t seen;
	struct err *err;
	struct history_commit *now;
	struct history_change *changes;
	size_t count;
	size_t capacity;
};

static int
add_change(const char *path, const struct tree_entry *old, const struct tree_entry *new,
	void *payload)
{
	struct log *log = payload;
	struct oid before = old != NULL ? old->oid : (struct oid){ { 0 } };
	struct oid after = new != NULL ? new->oid : (struct oid){ { 0 } };

	if (strncmp(path, SIDECAR_TOP "/", sizeof(SIDECAR_TOP)) == 0) {
		return 0;
	}
	view_change_add(&log->now->count, &before, &after);
	if (log->count == HISTORY_PATHS_MAX) {
		log->now->nmore++;
		return 0;
	}
	log->changes =
		xgrow(log->changes, log->count, &log->capacity, sizeof(log->changes[0]));
	log->changes[log->count++] = (struct history_change){
		.path = xstrdup(path),
		.old = before,
		.new = after,
	};
	return 0;
}

static void
forget_changes(struct log *log)
{
	for (size_t i = 0; i < log->count; i++) {
		free((char *)(uintptr_t)log->changes[i].path);
	}
	log->count = 0;
}

static void
log_done(struct log *log)
{
	forget_changes(log);
	free(log->changes);
}

static int
find_changes(struct log *log, const struct repo_commit *commit)
{
	struct oid parent;

	if (log->filter->bare) {
		return 0;
	}
	if (commit->nparents > 0 &&
		repo_commit_tree(log->repo, &commit->parent, &parent, log->err) < 0) {
		return log->err->code;
	}
	return tree_diff(log->repo, commit->nparents > 0 ? &parent : NULL, &commit->tree,
		add_change, log, log->err);
}

// "Mirror-Pending: 3" in the message; -1 when it is not there.
static int64_t
trailer(const char *message, const char *name)
{
	const char *at = strstr(message, name);

	return at != NULL ? strtoll(at + strlen(name), NULL, 10) : -1;
}

static int
look_at_commit(const struct repo_commit *commit, void *payload)
{
	struct log *log = payload;
	struct history_commit here = { .id = commit->id, .at_ms = commit->time * 1000 };
	int result;

	if (log->skip) {
		log->skip = false;
		return 0;
	}
	if (here.at_ms < log->filter->since_ms || log->seen == log->filter->limit ||
		(log->seen == HISTORY_COMMITS_MAX && !log->filter->bare)) {
		return 1;
	}
	log->seen++;
	(void)snprintf(here.subject, sizeof(here.subject), "%.*s",
		(int)MIN_OF(strcspn(commit->message, "\n"), sizeof(here.subject) - 1),
		commit->message);
	here.on_disk = trailer(commit->message, "\nMirror-On-Disk: ");
	here.pending = trailer(commit->message, "\nMirror-Pending: ");
	here.bytes = trailer(commit->message, "\nMirror-Bytes: ");
	here.waited_s = trailer(commit->message, "\nMirror-Waited: ");
	log->now = &here;
	result = find_changes(log, commit);
	if (result >= 0) {
		here.changes = log->changes;
		here.nchanges = log->count;
		result = log->fn(&here, log->payload);
	}
	forget_changes(log);
	return result;
}

int
history_changes(struct desk *desk, const struct history_filter *filter,
	history_commit_fn *fn, void *payload, struct err *err)
{
	AUTO(log_done)
	struct log log = { .filter = filter, .fn = fn, .payload = payload, .err = err };
	int result;

	if (desk_repo(desk, err) < 0) {
		return err->code;
	}
	log.repo = desk->repo;
	log.skip = filter->before != NULL;
	if (filter->before == NULL && !desk->has_head) {
		return 0;
	}
	result = repo_log(desk->repo, log.skip ? filter->before : &desk->head,
		look_at_commit, &log, err);
	return MIN_OF(result, 0);
}
