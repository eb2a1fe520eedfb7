// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/past.h"

#include "base/err.h"
#include "base/path.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "cli/settings.h"
#include "config/config.h"

#include <string.h>

enum {
	FETCH_DEADLINE_MS = 60 * 60 * 1000,
};

int
past_open(const struct call *call, struct past *ret_past, struct err *err)
{
	AUTO(past_done) struct past past = { 0 };
	struct repo_options options = { .read_only = true };
	struct err wrong;

	if (settings_load_or_last(call, &past.config, &wrong, err) < 0) {
		return err->code;
	}
	options.path = past.config->brain.repo;
	options.branch = past.config->brain.branch;
	if (repo_open(&options, false, &past.repo, err) < 0) {
		return err_advise(err, "mirror --once");
	}
	if (repo_head(past.repo, &past.head, err) < 0) {
		return err->code;
	}
	*ret_past = past;
	past = (struct past){ 0 };
	return 0;
}

void
past_done(struct past *past)
{
	repo_closep(&past->repo);
	config_freep(&past->config);
}

int
past_remote(const struct past *past, int64_t deadline_ms,
	struct push_options *ret_options, struct err *err)
{
	if (!config_has_remote(past->config)) {
		return err_raise(err, ERR_INVALID, "there is no remote to ask");
	}
	*ret_options = (struct push_options){
		.git_dir = repo_git_dir(past->repo),
		.remote = past->config->brain.remote,
		.branch = past->config->brain.branch,
		.deadline_ms = deadline_ms,
	};
	return 0;
}

int
past_fetch(const struct past *past, struct err *err)
{
	struct push_options options;
	struct push_result result;

	if (past_remote(past, FETCH_DEADLINE_MS, &options, err) < 0 ||
		push_fetch_history(&options,
			"+refs/heads/host/*:refs/remotes/shared/host/*", &result,
			err) < 0) {
		return err->code;
	}
	return repo_refresh(past->repo, err);
}

int
past_tree(const struct past *past, const struct oid *commit, struct oid *ret_tree,
	struct err *err)
{
	if (oid_is_zero(commit)) {
		*ret_tree = (struct oid){ { 0 } };
		return 0;
	}
	return repo_commit_tree(past->repo, commit, ret_tree, err);
}

struct comparing {
	past_change_fn *fn;
	void *payload;
	struct view_change_count *count;
};

static int
on_difference(const char *path, const struct tree_entry *old,
	const struct tree_entry *new, void *payload)
{
	const struct comparing *comparing = payload;
	struct oid before = old != NULL ? old->oid : (struct oid){ { 0 } };
	struct oid after = new != NULL ? new->oid : (struct oid){ { 0 } };

	if (path_is_beneath(path, SIDECAR_TOP)) {
		return 0;
	}
	view_change_add(comparing->count, &before, &after);
	return comparing->fn != NULL
		? comparing->fn(path, &before, &after, comparing->payload)
		: 0;
}

int
past_changes(const struct past *past, const struct oid *from, const struct oid *to,
	past_change_fn *fn, void *payload, struct view_change_count *ret_count,
	struct err *err)
{
	struct comparing comparing = {
		.fn = fn,
		.payload = payload,
		.count = ret_count,
	};
	struct oid old;
	struct oid new;

	*ret_count = (struct view_change_count){ 0 };
	if (past_tree(past, from, &old, err) < 0 || past_tree(past, to, &new, err) < 0) {
		return err->code;
	}
	return tree_diff(past->repo, oid_is_zero(&old) ? NULL : &old,
		oid_is_zero(&new) ? NULL : &new, on_difference, &comparing, err);
}
