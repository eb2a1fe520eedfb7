// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/reap.h"
#include "brain/repo.h"
#include "brain/repo_room.h"

#include <errno.h>
#include <string.h>
#include <time.h>

// "refs/heads/host/x" and "refs/remotes/origin/host/x" give "x", anything else NULL.
static const char *
host_of(const char *ref)
{
	static const char local[] = "refs/heads/host/";
	static const char remote[] = "refs/remotes/";
	const char *at;

	if (strncmp(ref, local, strlen(local)) == 0) {
		return ref + strlen(local);
	}
	if (strncmp(ref, remote, strlen(remote)) != 0) {
		return NULL;
	}
	at = strchr(ref + strlen(remote), '/');
	return at != NULL && strncmp(at, "/host/", 6) == 0 ? at + 6 : NULL;
}

// The commit a ref leads to, through annotated tags.
static int
ref_commit(struct repo *repo, git_reference *ref, struct oid *ret_commit)
{
	git_object *object = NULL;
	int code = git_reference_peel(&object, ref, GIT_OBJECT_COMMIT);

	(void)repo;
	if (code == 0) {
		*ret_commit = repo_from_git(git_object_id(object));
	}
	git_object_free(object);
	return code;
}

typedef int ref_fn(const char *name, git_reference *ref, void *payload);

static int
each_ref(struct repo *repo, ref_fn *fn, void *payload, struct err *err)
{
	git_reference_iterator *iterator = NULL;
	git_reference *ref = NULL;
	int result = 0;
	int code = git_reference_iterator_new(&iterator, repo->git);

	while (code == 0 && result == 0) {
		code = git_reference_next(&ref, iterator);
		if (code == 0) {
			result = fn(git_reference_name(ref), ref, payload);
			git_reference_free(ref);
		}
	}
	git_reference_iterator_free(iterator);
	if (result != 0) {
		return result;
	}
	if (code < 0 && code != GIT_ITEROVER) {
		return repo_fail(err, code, "list the refs");
	}
	git_error_clear();
	return 0;
}

struct each_ref_state {
	struct repo *repo;
	repo_host_fn *fn;
	void *payload;
	struct err *err;
};

static int
give_host(const char *name, git_reference *ref, void *payload)
{
	struct each_ref_state *state = payload;
	const char *host = host_of(name);
	struct oid commit;
	int code;

	if (host == NULL) {
		return 0;
	}
	code = ref_commit(state->repo, ref, &commit);
	if (code < 0) {
		return repo_fail(state->err, code, "read %s", name);
	}
	return state->fn(host, &commit, state->payload);
}

int
repo_each_host(struct repo *repo, repo_host_fn *fn, void *payload, struct err *err)
{
	struct each_ref_state state = { repo, fn, payload, err };

	return each_ref(repo, give_host, &state, err);
}

struct wanted_host {
	const char *name;
	struct oid *ret_commit;
};

static int
match_host(const char *name, const struct oid *commit, void *payload)
{
	struct wanted_host *wanted = payload;

	if (strcmp(name, wanted->name) != 0) {
		return 0;
	}
	*wanted->ret_commit = *commit;
	return 1;
}

int
repo_find_host(
	struct repo *repo, const char *host, struct oid *ret_commit, struct err *err)
{
	// Iteration is in order of name, and "refs/heads/" comes before "refs/remotes/".
	struct wanted_host wanted = { host, ret_commit };
	AUTO_FREE char *local = xasprintf("refs/heads/host/%s", host);
	git_oid id;

	if (git_reference_name_to_id(&id, repo->git, local) == 0) {
		*ret_commit = repo_from_git(&id);
		return 1;
	}
	git_error_clear();
	return repo_each_host(repo, match_host, &wanted, err);
}

static int
give_tag(const char *name, git_reference *ref, void *payload)
{
	struct each_ref_state *state = payload;
	struct oid commit;

	if (strncmp(name, "refs/tags/", 10) != 0) {
		return 0;
	}
	if (ref_commit(state->repo, ref, &commit) < 0) {
		// A tag of a blob or a tree is someone's, and no point in time.
		git_error_clear();
		return 0;
	}
	return state->fn(name + 10, &commit, state->payload);
}

int
repo_each_tag(struct repo *repo, repo_tag_fn *fn, void *payload, struct err *err)
{
	struct each_ref_state state = { repo, fn, payload, err };

	return each_ref(repo, give_tag, &state, err);
}

struct each_start {
	struct repo *repo;
	repo_ref_fn *fn;
	void *payload;
	struct err *err;
};

static int
give_start(const char *name, git_reference *ref, void *payload)
{
	struct each_start *state = payload;
	const git_oid *id = git_reference_target(ref);
	git_tag *tag = NULL;
	struct oid commit;
	int result;
	int code;

	if (strncmp(name, "refs/remotes/", 13) == 0) {
		return 0;
	}
	code = ref_commit(state->repo, ref, &commit);
	if (code == GIT_EPEEL || code == GIT_EINVALIDSPEC) {
		// A blob or a tree.
		git_error_clear();
		return 0;
	}
	if (code < 0) {
		return repo_fail(state->err, code, "read %s", name);
	}
	if (id != NULL && git_tag_lookup(&tag, state->repo->git, id) < 0) {
		git_error_clear();
	}
	result = state->fn(
		name, &commit, tag != NULL ? git_tag_message(tag) : NULL, state->payload);
	git_tag_free(tag);
	return result;
}

int
repo_each_ref(struct repo *repo, repo_ref_fn *fn, void *payload, struct err *err)
{
	struct each_start state = { repo, fn, payload, err };

	return each_ref(repo, give_start, &state, err);
}

// A tag object that repo_tag() made.
static bool
is_milestone(struct repo *repo, const git_oid *id)
{
	git_tag *tag = NULL;
	const git_signature *tagger;
	bool ours;

	if (git_tag_lookup(&tag, repo->git, id) < 0) {
		git_error_clear();
		return false;
	}
	tagger = git_tag_tagger(tag);
	ours = tagger != NULL && strcmp(tagger->name, REPO_TAGGER) == 0 &&
		git_tag_target_type(tag) == GIT_OBJECT_COMMIT;
	git_tag_free(tag);
	return ours;
}

static int
give_milestone(const char *name, git_reference *ref, void *payload)
{
	struct each_ref_state *state = payload;
	const git_oid *id = git_reference_target(ref);

	if (strncmp(name, "refs/tags/", 10) != 0 || id == NULL ||
		!is_milestone(state->repo, id)) {
		return 0;
	}
	struct oid tag = repo_from_git(id);

	return state->fn(name + 10, &tag, state->payload);
}

int
repo_each_milestone(struct repo *repo, repo_tag_fn *fn, void *payload, struct err *err)
{
	struct each_ref_state state = { repo, fn, payload, err };

	return each_ref(repo, give_milestone, &state, err);
}

static int
try_move(
	struct repo *repo, const git_oid *old, const git_oid *commit, const char *message)
{
	git_reference *ref = NULL;
	int code;

	errno = 0;
	code = old != NULL
		? git_reference_create_matching(
			  &ref, repo->git, repo->ref, commit, 1, old, message)
		: git_reference_create(&ref, repo->git, repo->ref, commit, 0, message);
	git_reference_free(ref);
	// Someone else's first commit.
	return code == GIT_EEXISTS ? GIT_EMODIFIED : code;
}

// `git pack-refs` moves refs from files into a table and prunes folders: a branch may
// look gone, or its folder be gone, for a moment.  It did move only when it reads
// otherwise.
static bool
is_passing(struct repo *repo, int code, const git_oid *old)
{
	git_oid now;
	int seen;

	if (code == GIT_ELOCKED) {
		return true;
	}
	if (code != GIT_ENOTFOUND && code != GIT_EMODIFIED) {
		return false;
	}
	seen = git_reference_name_to_id(&now, repo->git, repo->ref);
	return old != NULL ? seen == 0 && git_oid_equal(&now, old)
			   : seen == GIT_ENOTFOUND;
}

int
repo_move_ref(struct repo *repo, const struct oid *old, const struct oid *commit,
	const char *message, struct err *err)
{
	git_oid to = repo_to_git(commit);
	git_oid from = { { 0 } };
	const git_oid *matching = NULL;
	int64_t end = clock_mono_ms() + REPO_LOCK_WAIT_MS;
	struct timespec pause = { .tv_nsec = REPO_LOCK_PAUSE_MS * 1000000L };
	enum object_kind kind = OBJECT_ANY;
	size_t len = 0;
	int code;

	if (repo_stat(repo, commit, &kind, &len, err) < 0) {
		return err_wrap(err, "move the branch");
	}
	if (kind != OBJECT_COMMIT) {
		return err_raise(err, ERR_INVALID, "a branch cannot point at a %s",
			object_kind_name(kind));
	}
	if (old != NULL && !oid_is_zero(old)) {
		from = repo_to_git(old);
		matching = &from;
	}
	while ((code = try_move(repo, matching, &to, message)) < 0 &&
		is_passing(repo, code, matching) && clock_mono_ms() < end) {
		(void)nanosleep(&pause, NULL);
		pause.tv_nsec = MIN_OF(pause.tv_nsec * 2, 500000000L);
		// A living git lets go by itself; a dead one's lock is reaped.
		if (reap_locks(repo->git_dir, err) < 0) {
			return err->code;
		}
	}
	if (code == GIT_ENOTFOUND || code == GIT_EMODIFIED) {
		git_error_clear();
		return err_raise(err, ERR_UNSTABLE,
			"the branch %s is not where it was left", repo->branch);
	}
	if (code == GIT_ELOCKED) {
		(void)repo_fail(err, code, "move the branch %s", repo->branch);
		return err_advise(err, "wait for the other git, or remove %s/%s.lock",
			repo->git_dir, repo->ref);
	}
	if (code < 0) {
		return repo_fail(err, code, "move the branch %s", repo->branch);
	}
	repo_let_go(repo);
	return 0;
}

int
repo_tag(struct repo *repo, const struct repo_tag *tag, const struct oid *commit,
	struct oid *ret_tag, struct err *err)
{
	git_oid id = repo_to_git(commit);
	git_oid made;
	git_object *target = NULL;
	git_signature *author = NULL;
	int valid = 0;
	int code = git_tag_name_is_valid(&valid, tag->name);

	if (code < 0 || !valid) {
		git_error_clear();
		return err_raise(err, ERR_INVALID, "git refuses the tag name");
	}
	code = git_object_lookup(&target, repo->git, &id, GIT_OBJECT_COMMIT);
	if (code == 0) {
		code = git_signature_new(&author, tag->author, tag->email, tag->time, 0);
	}
	if (code == 0) {
		errno = 0;
		code = git_tag_create(
			&made, repo->git, tag->name, target, author, tag->message, 0);
	}
	git_signature_free(author);
	git_object_free(target);
	if (code < 0) {
		return repo_fail(err, code, "make the tag");
	}
	*ret_tag = repo_from_git(&made);
	return 0;
}

int
repo_remote_url(struct repo *repo, const char *remote, struct buf *url, struct err *err)
{
	git_remote *object = NULL;
	int code = git_remote_lookup(&object, repo->git, remote);
	int result;

	if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC) {
		git_error_clear();
		return 0;
	}
	if (code < 0) {
		return repo_fail(err, code, "look up the remote");
	}
	result = buf_add_text(
		url, git_remote_url(object) != NULL ? git_remote_url(object) : "", err);
	git_remote_free(object);
	return result < 0 ? result : 1;
}
