// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/mem.h"
#include "brain/fleet.h"
#include "brain/push.h"
#include "brain/push_room.h"

#include <stdlib.h>
#include <string.h>

enum {
	CONFIG_ASK_MS = 5000,
};

// What the user's own repository says about ssh, the other one is not told.
static void
pass_on_ssh(struct push *push)
{
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", push->options->git_dir);
	const char *const argv[] = { "git", git_dir, "config", "--get", "core.sshCommand",
		NULL };
	struct spawn plan = { .argv = argv, .deadline_ms = CONFIG_ASK_MS };
	struct spawn_result result = SPAWN_RESULT(PUSH_GIT_OUT_MAX);
	struct err ignored;

	if (getenv("GIT_SSH_COMMAND") == NULL &&
		spawn_run(&plan, &result, &ignored) == 0 && result.status == 0 &&
		result.out.len > 1) {
		push_git_env(push,
			xasprintf("GIT_SSH_COMMAND=%.*s", (int)(result.out.len - 1),
				buf_text(&result.out)));
	}
	spawn_result_done(&result);
}

// @whole: with its history, and with the tags that lead into it when @tags.
static int
fetch(const struct push_options *options, const char *git_dir, const char *refspec,
	bool whole, bool tags, struct push_result *ret_result, struct err *err)
{
	AUTO(push_git_done) struct push push = { 0 };
	AUTO_FREE char *dir = xasprintf("--git-dir=%s", git_dir);

	if (push_git_prepare(&push, options, ret_result, err) < 0) {
		return err->code;
	}
	pass_on_ssh(&push);

	// A branch that is checked out may move: the browsable copy is put right later.
	const char *argv[] = { "git", dir, "fetch", "--progress", "--no-write-fetch-head",
		"--update-head-ok", "--recurse-submodules=no",
		whole ? "--prune" : "--depth=1", "--no-tags", "--", push.url, refspec,
		NULL };

	if (tags) {
		// Git's own way: what leads to a commit that is fetched comes along.
		argv[8] = "--no-prune-tags";
	}

	if (push_git_run(&push, argv, NULL, err) < 0) {
		return err->code;
	}
	ret_result->reason = PUSH_OK;
	return 0;
}

int
push_fetch(const struct push_options *options, const char *git_dir,
	struct push_result *ret_result, struct err *err)
{
	AUTO_FREE char *refspec = xasprintf(
		"+refs/heads/%s:refs/heads/%s", options->branch, options->branch);

	return fetch(options, git_dir, refspec, false, false, ret_result, err);
}

int
push_fetch_history(const struct push_options *options, const char *refspec,
	struct push_result *ret_result, struct err *err)
{
	return fetch(options, options->git_dir, refspec, true,
		strchr(refspec, '*') == NULL, ret_result, err);
}

int
push_fetch_beats(const struct push_options *options, const char *host,
	struct push_result *ret_result, struct err *err)
{
	AUTO_FREE char *refspec = xasprintf("+" FLEET_REFS "%s:" FLEET_REFS "%s",
		host != NULL ? host : "*", host != NULL ? host : "*");
	AUTO_FREE char *store = NULL;

	*ret_result = (struct push_result){ .reason = PUSH_OTHER };
	if (fleet_store(options->git_dir, &store, err) < 0) {
		return err->code;
	}
	return fetch(options, store, refspec, true, false, ret_result, err);
}

int
push_each_host(const struct push_options *options, push_host_fn *fn, void *payload,
	struct push_result *ret_result, struct err *err)
{
	AUTO(push_git_done) struct push push = { 0 };
	AUTO(buf_done) struct buf out = { .max = PUSH_GIT_OUT_MAX };
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", options->git_dir);
	char *rest;
	int result = 0;

	if (push_git_prepare(&push, options, ret_result, err) < 0) {
		return err->code;
	}

	const char *const argv[] = { "git", git_dir, "ls-remote", "--", push.url,
		"refs/heads/host/*", NULL };

	if (push_git_run(&push, argv, &out, err) < 0) {
		return err->code;
	}
	ret_result->reason = PUSH_OK;
	rest = out.data;
	for (char *line; result == 0 && (line = strsep(&rest, "\n")) != NULL;) {
		static const char prefix[] = "\trefs/heads/host/";
		struct oid commit;

		if (strlen(line) > OID_HEX_MAX &&
			strncmp(line + OID_HEX_MAX - 1, prefix, strlen(prefix)) == 0) {
			line[OID_HEX_MAX - 1] = '\0';
			if (oid_parse(line, &commit)) {
				result = fn(line + OID_HEX_MAX - 1 + strlen(prefix),
					&commit, payload);
			}
		}
	}
	return result;
}

int
push_may(const struct push_options *options, struct push_result *ret_result,
	struct err *err)
{
	// Every git knows the empty tree, also in a repository without one object.
	static const char refspec[] =
		"4b825dc642cb6eb9a060e54bf8d69288fbee4904:refs/mirror/probe";
	AUTO(push_git_done) struct push push = { 0 };
	AUTO_FREE char *dir = xasprintf("--git-dir=%s", options->git_dir);

	if (push_git_prepare(&push, options, ret_result, err) < 0) {
		return err->code;
	}

	const char *const argv[] = { "git", dir, "push", "--dry-run", "--porcelain",
		"--no-verify", "--", push.url, refspec, NULL };

	if (push_git_run(&push, argv, NULL, err) < 0) {
		return err->code;
	}
	ret_result->reason = PUSH_OK;
	return 0;
}
