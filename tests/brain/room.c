// SPDX-License-Identifier: GPL-2.0-or-later

#include "room.h"

#include "base/err.h"
#include "base/mem.h"
#include "brain/commit.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "brain/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct repo *
room_open(const struct scratch *scratch, bool worktree)
{
	struct repo_options options = {
		.path = scratch_path(scratch, "brain"),
		.branch = "host/x",
		.worktree = worktree,
	};
	struct repo *repo = NULL;
	struct err err;

	ok(repo_open(&options, true, &repo, &err));
	return repo;
}

struct oid
room_commit(struct repo *repo, const struct oid *parent, const struct room_file *files,
	size_t count)
{
	struct tree_change *changes = xcalloc(count + 1, sizeof(*changes));
	struct commit commit = {
		.name = "x", .email = "x@x", .time = 1700000000, .message = "a commit"
	};
	struct pack_stats stats;
	struct pack *pack = NULL;
	struct oid base;
	struct oid made;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	for (size_t i = 0; i < count; i++) {
		changes[i].path = files[i].path;
		changes[i].mode = files[i].text != NULL ? TREE_FILE : TREE_GONE;
		if (files[i].text != NULL) {
			ok(pack_add(pack, OBJECT_BLOB, files[i].text,
				strlen(files[i].text), &changes[i].oid, &err));
		}
	}
	if (parent != NULL) {
		commit.parent = *parent;
		ok(repo_commit_tree(repo, parent, &base, &err));
	}
	ok(tree_update(repo, pack, parent != NULL ? &base : NULL, changes, count,
		&commit.tree, &err));
	ok(commit_write(pack, &commit, &made, &err));
	ok(pack_finish_for_ref(pack, &stats, &err));
	ok(repo_move_ref(repo, parent, &made, "a commit", &err));
	free(changes);
	return made;
}

int
room_git(const struct scratch *scratch, const char *fmt, ...)
{
	char command[3000];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return scratch_sh(scratch,
		"export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 LC_ALL=C; cd brain; git "
		"%s",
		command);
}

void
room_fsck(const struct scratch *scratch)
{
	assert_int_equal(room_git(scratch,
				 "fsck --strict --full --no-dangling --no-progress "
				 "> ../fsck.out 2>&1; s=$?; grep -v 'notice: ' "
				 "../fsck.out >&2 && s=9; rm ../fsck.out; exit $s"),
		0);
}
