// SPDX-License-Identifier: GPL-2.0-or-later

// What a person may have made of it: the branch is a name for another one, it has a log,
// objects lie with others.

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/reflog.h"
#include "brain/repo.h"
#include "brain/repo_room.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	// As many as git follows.
	SYMBOLIC_MAX = 5,
};

// What the symbolic ref @name leads to; NULL when it is none.
static char *
target_of(struct repo *repo, const char *name)
{
	git_reference *ref = NULL;
	char *target = NULL;

	if (git_reference_lookup(&ref, repo->git, name) == 0 &&
		git_reference_type(ref) == GIT_REFERENCE_SYMBOLIC) {
		target = xstrdup(git_reference_symbolic_target(ref));
	}
	git_reference_free(ref);
	git_error_clear();
	return target;
}

int
repo_real_ref(struct repo *repo, char **ret_ref, struct err *err)
{
	AUTO_FREE char *ref = xstrdup(repo->ref);
	char *target;

	for (int i = 0; (target = target_of(repo, ref)) != NULL; i++) {
		free(ref);
		ref = target;
		if (i == SYMBOLIC_MAX || strncmp(ref, "refs/heads/", 11) != 0) {
			(void)err_raise(err, ERR_INVALID,
				"the branch %s is a symbolic ref that leads to no branch",
				repo->branch);
			return err_advise(err, "git -C %s symbolic-ref -d %s",
				repo->git_dir, repo->ref);
		}
	}
	*ret_ref = STEAL(ref);
	return 0;
}

static bool
is_head(struct repo *repo, const char *ref)
{
	AUTO_FREE char *target = target_of(repo, "HEAD");

	return target != NULL &&
		(strcmp(target, ref) == 0 || strcmp(target, repo->ref) == 0);
}

void
repo_log_move(struct repo *repo, const char *ref, const git_oid *old,
	const struct oid *commit, const char *message)
{
	const char *const names[] = { ref, strcmp(ref, repo->ref) != 0 ? repo->ref : NULL,
		"HEAD" };
	git_oid id = repo_to_git(commit);
	struct oid before = old != NULL ? repo_from_git(old) : (struct oid){ { 0 } };
	git_commit *object = NULL;

	for (size_t i = 0; i < countof(names); i++) {
		if (names[i] == NULL || !reflog_is_kept(repo->git_dir, names[i]) ||
			(i == 2 && !is_head(repo, ref)) ||
			(object == NULL &&
				git_commit_lookup(&object, repo->git, &id) < 0)) {
			continue;
		}
		const git_signature *who = git_commit_committer(object);

		reflog_append(repo->git_dir, names[i],
			&(struct reflog_line){
				.old = &before,
				.new = commit,
				.name = who->name,
				.email = who->email,
				.time = who->when.time,
				.offset_min = who->when.offset,
				.message = message,
			});
	}
	git_commit_free(object);
	git_error_clear();
}

// ---- whose are the objects?

// Of all entries those called "remote.NAME.promisor".  (libgit2's own search for names
// leaks what PCRE2 makes for each that does not fit.)
static int
take_remote(const git_config_entry *entry, void *payload)
{
	static const char before[] = "remote.", behind[] = ".promisor";
	char **remote = payload;
	size_t len = strlen(entry->name);
	size_t around = sizeof(before) + sizeof(behind) - 2;
	int promises = 0;

	if (*remote == NULL && len > around &&
		strncmp(entry->name, before, sizeof(before) - 1) == 0 &&
		strcmp(entry->name + len - (sizeof(behind) - 1), behind) == 0 &&
		git_config_parse_bool(&promises, entry->value) == 0 && promises != 0) {
		*remote = xmemdup0(entry->name + sizeof(before) - 1, len - around);
	}
	return 0;
}

int
repo_check_whole(struct repo *repo, struct err *err)
{
	AUTO_FREE char *others = path_join(repo->objects, "info/alternates");
	AUTO_FREE char *remote = NULL;
	git_config *config = NULL;
	struct stat info;

	if (stat(others, &info) == 0 && info.st_size > 0) {
		(void)err_raise(err, ERR_INVALID,
			"the repository uses the objects of another one (%s)", others);
		return err_advise(err,
			"cd %s && git repack -a -d -q && rm objects/info/alternates",
			repo->git_dir);
	}
	if (git_repository_config_snapshot(&config, repo->git) == 0) {
		(void)git_config_foreach(config, take_remote, &remote);
	}
	git_config_free(config);
	git_error_clear();
	if (remote != NULL) {
		(void)err_raise(err, ERR_INVALID,
			"a partial clone: some of the objects are at the remote %s only",
			remote);
		return err_advise(err,
			"cd %s && git fetch --refetch --no-filter %s && git config "
			"--unset remote.%s.promisor",
			repo->git_dir, remote, remote);
	}
	return 0;
}
