// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "brain/repo_room.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHALLOW_MAX = 16 << 20,
};

// ---- where a clone was cut

static int
compare_oids(const void *left, const void *right)
{
	return oid_compare(left, right);
}

int
repo_load_shallow(struct repo *repo, struct err *err)
{
	AUTO_FREE char *path = path_join(git_repository_commondir(repo->git), "shallow");
	AUTO(buf_done) struct buf text = { .max = SHALLOW_MAX };
	size_t capacity = 0;

	if (file_read(AT_FDCWD, path, &text, err) < 0) {
		if (err->code != ERR_NOT_FOUND) {
			return err_wrap(err, "read where the clone was cut");
		}
		err_clear(err);
		return 0;
	}
	AUTO_FREE char *lines = xmemdup0(buf_text(&text), text.len);
	for (char *rest = lines, *line; (line = strsep(&rest, "\n")) != NULL;) {
		struct oid oid;

		if (oid_parse(line, &oid)) {
			repo->shallow = xgrow(repo->shallow, repo->nshallow, &capacity,
				sizeof(repo->shallow[0]));
			repo->shallow[repo->nshallow++] = oid;
		}
	}
	if (repo->nshallow > 1) {
		qsort(repo->shallow, repo->nshallow, sizeof(repo->shallow[0]),
			compare_oids);
	}
	return 0;
}

// The parents of this one were left behind, and are still not here.
static bool
is_cut(struct repo *repo, const struct repo_commit *commit)
{
	return repo->nshallow > 0 && commit->nparents > 0 &&
		bsearch(&commit->id, repo->shallow, repo->nshallow,
			sizeof(repo->shallow[0]), compare_oids) != NULL &&
		!repo_has(repo, &commit->parents[0]);
}

// ---- one commit, and those before it

static int
give_commit(struct repo *repo, git_commit *object, repo_commit_fn *fn, void *payload,
	struct oid *ret_parent)
{
	const git_signature *author = git_commit_author(object);
	const char *message = git_commit_message(object);
	size_t count = git_commit_parentcount(object);
	AUTO_FREE struct oid *parents = xcalloc(count + 1, sizeof(*parents));
	struct repo_commit commit = {
		.id = repo_from_git(git_commit_id(object)),
		.tree = repo_from_git(git_commit_tree_id(object)),
		.parents = parents,
		.nparents = count,
		.time = author->when.time,
		.offset_min = author->when.offset,
		.author = author->name,
		.email = author->email,
		.message = message != NULL ? message : "",
	};

	for (size_t i = 0; i < count; i++) {
		parents[i] = repo_from_git(git_commit_parent_id(object, (unsigned int)i));
	}
	commit.cut = is_cut(repo, &commit);
	if (commit.cut) {
		commit.nparents = 0;
		parents[0] = (struct oid){ { 0 } };
	}
	commit.parent = parents[0];
	*ret_parent = parents[0];
	return fn(&commit, payload);
}

static int
read_commit(struct repo *repo, const struct oid *id, repo_commit_fn *fn, void *payload,
	struct oid *ret_parent, struct err *err)
{
	git_oid name = repo_to_git(id);
	git_commit *object = NULL;
	char hex[OID_HEX_MAX];
	int code = git_commit_lookup(&object, repo->git, &name);
	int result;

	if (code < 0) {
		return repo_fail(err, code, "read commit %s", oid_hex(id, hex));
	}
	result = give_commit(repo, object, fn, payload, ret_parent);
	git_commit_free(object);
	return result;
}

int
repo_commit_at(struct repo *repo, const struct oid *commit, repo_commit_fn *fn,
	void *payload, struct err *err)
{
	struct oid ignored;

	return read_commit(repo, commit, fn, payload, &ignored, err);
}

int
repo_log(struct repo *repo, const struct oid *from, repo_commit_fn *fn, void *payload,
	struct err *err)
{
	struct oid at = *from;

	while (!oid_is_zero(&at)) {
		struct oid id = at;
		int result = read_commit(repo, &id, fn, payload, &at, err);

		if (result != 0) {
			return result;
		}
	}
	return 0;
}
