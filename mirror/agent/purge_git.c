// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/purge_git.h"

#include "agent/kit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"
#include "brain/repo.h"
#include "config/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
	ARGV_MAX = 8,
	ARGV_FIXED = 4,
};

int
purge_git(struct kit *kit, const struct purge_git *git, struct buf *ret_out,
	struct err *err)
{
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", repo_git_dir(kit->repo));
	const char *argv[ARGV_MAX + ARGV_FIXED + 1] = { "git", git_dir, "-c",
		"core.hooksPath=/dev/null" };
	// What others say stands in an object's place, or is not to be seen, is no part
	// of it: a commit that `git fetch --depth` hides would be thrown away.
	static const char *const env[] = { "LC_ALL=C", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_SHALLOW_FILE=", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",
		"GIT_OBJECT_DIRECTORY", NULL };
	struct spawn_result result = SPAWN_RESULT(PURGE_GIT_OUT_MAX);
	struct spawn plan = {
		.argv = argv,
		.env = env,
		.input = git->input,
		.input_len = git->input != NULL ? strlen(git->input) : 0,
		.deadline_ms = PURGE_GIT_MS,
		.on_line = git->on_line,
		.payload = git->payload,
	};
	int code;

	for (size_t i = 0; i < ARGV_MAX && git->words[i] != NULL; i++) {
		argv[i + ARGV_FIXED] = git->words[i];
	}
	code = spawn_run(&plan, &result, err);
	if (code == 0 && result.status != 0) {
		// Behind a setting.
		size_t verb = strcmp(git->words[0], "-c") == 0 ? 2 : 0;

		code = err_raise(err, ERR_IO, "git %s: %.200s", git->words[verb],
			buf_text(&result.errors));
	}
	if (code == 0 && ret_out != NULL) {
		*ret_out = result.out;
		result.out = (struct buf){ .max = PURGE_GIT_OUT_MAX };
	}
	spawn_result_done(&result);
	return code;
}

// What we know of the remotes' own copies of our branch keeps the old objects.
static int
forget_remotes(struct kit *kit, const struct purge_git *common, struct err *err)
{
	AUTO(buf_done) struct buf found = { .max = PURGE_GIT_OUT_MAX };
	AUTO_FREE char *copies =
		xasprintf("refs/remotes/*/host/%s", config_host(kit->config));
	const char *const list[] = { "for-each-ref", "--format=delete %(refname)", copies,
		NULL };
	const char *const drop[] = { "update-ref", "--no-deref", "--stdin", NULL };
	struct purge_git git = *common;

	git.words = list;
	if (purge_git(kit, &git, &found, err) < 0) {
		return err->code;
	}
	git.words = drop;
	git.input = buf_text(&found);
	return purge_git(kit, &git, NULL, err);
}

// No configuration of the user's may keep a pack.
int
purge_prune(struct kit *kit, spawn_line_fn *on_line, void *payload, struct err *err)
{
	AUTO_FREE char *damaged = path_join(repo_git_dir(kit->repo), HOME_DAMAGED);
	const char *const expire[] = { "reflog", "expire", "--expire=now",
		"--expire-unreachable=now", "--all", NULL };
	const char *const collect[] = { "-c", "gc.bigPackThreshold=0", "gc", "--quiet",
		"--force", "--prune=now", NULL };
	const char *const *const steps[] = { expire, collect };
	struct purge_git git = { .on_line = on_line, .payload = payload };

	if (forget_remotes(kit, &git, err) < 0) {
		return err_wrap(err, "throw away what was purged");
	}
	for (size_t i = 0; i < countof(steps); i++) {
		git.words = steps[i];
		if (purge_git(kit, &git, NULL, err) < 0) {
			return err_wrap(err, "throw away what was purged");
		}
	}
	// What an unclean stop broke may hold it as well.
	if (file_remove_tree(AT_FDCWD, damaged, err) < 0 ||
		repo_refresh(kit->repo, err) < 0) {
		return err->code;
	}
	return home_set_unpruned(repo_git_dir(kit->repo), false, err);
}
