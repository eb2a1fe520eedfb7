// SPDX-License-Identifier: GPL-2.0-or-later

// Branch and tags whose files an unclean stop has taken: found again by their objects.

#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"
#include "brain/mend.h"
#include "brain/repo.h"
#include "brain/repo_room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lost_commit {
	struct oid id;
	// Zero for the first of all.
	struct oid parent;
	int64_t time;
	bool has_child;
};

struct search {
	struct repo *repo;
	const char *email;
	struct lost_commit *commits;
	size_t count;
	size_t capacity;
};

static void
search_done(struct search *search)
{
	free(search->commits);
}

static int
take_lost_commit(const struct oid *oid, void *payload)
{
	struct search *search = payload;
	git_oid id = repo_to_git(oid);
	enum object_kind kind = OBJECT_ANY;
	git_commit *commit = NULL;
	size_t len = 0;
	struct err ignored;

	// What cannot be read is nowhere to go on from.
	if (repo_stat(search->repo, oid, &kind, &len, &ignored) < 0 ||
		kind != OBJECT_COMMIT ||
		git_commit_lookup(&commit, search->repo->git, &id) < 0) {
		git_error_clear();
		return 0;
	}
	const git_signature *author = git_commit_author(commit);
	struct lost_commit found = { .id = *oid, .time = author->when.time };

	if (git_commit_parentcount(commit) > 0) {
		found.parent = repo_from_git(git_commit_parent_id(commit, 0));
	}
	if (strcmp(author->name, REPO_TAGGER) == 0 &&
		strcmp(author->email, search->email) == 0) {
		search->commits = xgrow(search->commits, search->count, &search->capacity,
			sizeof(search->commits[0]));
		search->commits[search->count++] = found;
	}
	git_commit_free(commit);
	return 0;
}

static int
by_id(const void *left, const void *right)
{
	return oid_compare(&((const struct lost_commit *)left)->id,
		&((const struct lost_commit *)right)->id);
}

static struct lost_commit *
find_lost(struct search *search, const struct oid *id)
{
	struct lost_commit key = { .id = *id };

	return search->count == 0 ? NULL
				  : bsearch(&key, search->commits, search->count,
					    sizeof(search->commits[0]), by_id);
}

// Is @ancestor on the way from @at to the first of all?
static bool
leads_to(struct search *search, const struct lost_commit *at, const struct oid *ancestor)
{
	for (size_t steps = 0; at != NULL && steps <= search->count; steps++) {
		if (oid_equal(&at->id, ancestor)) {
			return true;
		}
		at = find_lost(search, &at->parent);
	}
	return false;
}

// Of those nothing is made upon, the newest that leads to @after.
static bool
choose_tip(struct search *search, const struct oid *after, struct oid *ret_commit)
{
	const struct lost_commit *best = NULL;

	for (size_t i = 0; i < search->count; i++) {
		struct lost_commit *parent =
			find_lost(search, &search->commits[i].parent);

		if (parent != NULL) {
			parent->has_child = true;
		}
	}
	for (size_t i = 0; i < search->count; i++) {
		const struct lost_commit *at = &search->commits[i];

		if (!at->has_child && (best == NULL || at->time > best->time) &&
			(after == NULL || leads_to(search, at, after))) {
			best = at;
		}
	}
	if (best != NULL) {
		*ret_commit = best->id;
	}
	return best != NULL;
}

int
repo_find_tip(struct repo *repo, const char *email, const struct oid *after,
	struct oid *ret_commit, struct err *err)
{
	AUTO(search_done) struct search search = { .repo = repo, .email = email };
	size_t distinct = 0;

	if (repo_each_object(repo, take_lost_commit, &search, err) < 0) {
		return err_wrap(err, "look for the last commit");
	}
	if (search.count > 0) {
		qsort(search.commits, search.count, sizeof(search.commits[0]), by_id);
	}
	// One that stands in two packs is met twice.
	for (size_t i = 0; i < search.count; i++) {
		if (i == 0 ||
			!oid_equal(&search.commits[i].id, &search.commits[i - 1].id)) {
			search.commits[distinct++] = search.commits[i];
		}
	}
	search.count = distinct;
	return choose_tip(&search, after, ret_commit);
}

// ---- tags

struct lost_tags {
	struct repo *repo;
	struct mend *mend;
};

static int
take_lost_tag(const struct oid *oid, void *payload)
{
	const struct lost_tags *lost = payload;
	struct repo *repo = lost->repo;
	git_oid id = repo_to_git(oid);
	enum object_kind kind = OBJECT_ANY;
	git_reference *ref = NULL;
	git_tag *tag = NULL;
	size_t len = 0;
	struct err ignored;

	if (repo_stat(repo, oid, &kind, &len, &ignored) < 0 || kind != OBJECT_TAG ||
		git_tag_lookup(&tag, repo->git, &id) < 0) {
		git_error_clear();
		return 0;
	}
	const git_signature *tagger = git_tag_tagger(tag);
	AUTO_FREE char *name = xasprintf("refs/tags/%s", git_tag_name(tag));
	struct oid commit = repo_from_git(git_tag_target_id(tag));

	// Not forced: one that is there stays what it is.
	if (tagger != NULL && strcmp(tagger->name, REPO_TAGGER) == 0 &&
		repo_has(repo, &commit) &&
		git_reference_create(
			&ref, repo->git, name, &id, 0, "mirror: found again") == 0) {
		(void)!mend_tell(
			lost->mend, name, "was lost", "it is found again by its object");
	}
	git_error_clear();
	git_reference_free(ref);
	git_tag_free(tag);
	return 0;
}

int
repo_find_tags(struct repo *repo, struct mend *mend, struct err *err)
{
	struct lost_tags lost = { repo, mend };

	return repo_each_object(repo, take_lost_tag, &lost, err) < 0
		? err_wrap(err, "look for lost milestones")
		: 0;
}

// ---- refs whose commits are gone

struct lost_refs {
	struct repo *repo;
	struct mend *mend;
	char **names;
	size_t count;
	size_t capacity;
};

static void
lost_refs_done(struct lost_refs *lost)
{
	for (size_t i = 0; i < lost->count; i++) {
		free(lost->names[i]);
	}
	free(lost->names);
}

// Milestones, and what is known of a remote: other people's refs are theirs.
static int
take_lost_ref(const char *name, void *payload)
{
	struct lost_refs *lost = payload;
	git_reference *ref = NULL;
	git_object *object = NULL;
	bool gone;

	if (strncmp(name, "refs/tags/", 10) != 0 &&
		strncmp(name, "refs/remotes/", 13) != 0) {
		return 0;
	}
	gone = git_reference_lookup(&ref, lost->repo->git, name) == 0 &&
		git_reference_peel(&object, ref, GIT_OBJECT_COMMIT) == GIT_ENOTFOUND;
	git_error_clear();
	git_object_free(object);
	git_reference_free(ref);
	if (gone) {
		lost->names = xgrow(lost->names, lost->count, &lost->capacity,
			sizeof(lost->names[0]));
		lost->names[lost->count++] = xstrdup(name);
	}
	return 0;
}

int
repo_drop_ref(struct repo *repo, const char *name, struct err *err)
{
	int code = git_reference_remove(repo->git, name);

	return code < 0 && code != GIT_ENOTFOUND ? repo_fail(err, code, "remove %s", name)
						 : 0;
}

int
repo_drop_lost(struct repo *repo, struct mend *mend, struct err *err)
{
	AUTO(lost_refs_done) struct lost_refs lost = { .repo = repo, .mend = mend };
	int code = git_reference_foreach_name(repo->git, take_lost_ref, &lost);

	if (code < 0) {
		return repo_fail(err, code, "list the refs");
	}
	for (size_t i = 0; i < lost.count; i++) {
		if (mend_tell(mend, lost.names[i], "leads to a commit that is gone",
			    "it is removed") &&
			repo_drop_ref(repo, lost.names[i], err) < 0) {
			return err->code;
		}
	}
	return 0;
}
