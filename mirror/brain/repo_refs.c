// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/reap.h"
#include "brain/repo.h"
#include "brain/repo_room.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

// ---- the branch

enum move {
	MOVE_DONE,
	MOVE_LOCKED,
	// It is not where it was left.
	MOVE_ELSEWHERE,
	MOVE_FAILED,
};

static enum move
create_branch(struct repo *repo, const char *name, const git_oid *commit,
	const char *message, struct err *err)
{
	git_reference *ref = NULL;
	int code;

	if (repo_sync_packs(repo, err) < 0) {
		return MOVE_FAILED;
	}
	errno = 0;
	code = git_reference_create(&ref, repo->git, name, commit, 0, message);
	git_reference_free(ref);
	switch (code) {
	case 0:
		return MOVE_DONE;
	case GIT_ELOCKED:
		git_error_clear();
		return MOVE_LOCKED;
	case GIT_EEXISTS:
	case GIT_EMODIFIED:
	case GIT_ENOTFOUND:
		git_error_clear();
		return MOVE_ELSEWHERE;
	default:
		(void)repo_fail(err, code, "move the branch %s", repo->branch);
		return MOVE_FAILED;
	}
}

// Made anew with those above it: a name in a folder that is lost with the power is lost.
static int
make_folder(const struct repo *repo, const char *folder, struct err *err)
{
	AUTO_FREE char *above = xstrdup(folder);
	size_t top = strlen(repo->git_dir);

	if (file_make_dirs(folder, 0755, err) < 0) {
		return err->code;
	}
	for (char *end; (end = strrchr(above, '/')) != NULL && end > above + top;) {
		*end = '\0';
		if (fd_sync_folder(above, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// `git pack-refs` moves refs from files into a table and prunes folders, so the folder
// may be gone, and one with the branch's own name be left over.
static int
create_lock(
	const struct repo *repo, const char *folder, const char *lock, struct err *err)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = open(lock, flags, 0644);

	if (fd < 0 && errno == ENOENT) {
		if (make_folder(repo, folder, err) < 0) {
			return err->code;
		}
		fd = open(lock, flags, 0644);
	}
	return fd < 0 ? err_errno(err, "create %s", lock) : fd;
}

static int
remove_folder(const char *path, const struct stat *info, int type, struct FTW *place)
{
	(void)info;
	(void)place;
	return type == FTW_DP && rmdir(path) == 0 ? 0 : -1;
}

// Folders within folders and nothing in them, as git removes them, too.
static bool
remove_folders(const char *path)
{
	if (nftw(path, remove_folder, 8, FTW_DEPTH | FTW_PHYS) == 0) {
		return true;
	}
	errno = ENOTEMPTY;
	return false;
}

static int
rename_lock(const char *lock, const char *path, struct err *err)
{
	if (rename(lock, path) == 0 ||
		(errno == EISDIR && remove_folders(path) && rename(lock, path) == 0)) {
		return 0;
	}
	return err_errno(err, "move %s in", path);
}

// In one journal what is synced last takes everything before it along.
static int
sync_names(struct repo *repo, int fd, struct err *err)
{
	struct stat info;

	if (repo_in_one_journal(repo) && fstat(fd, &info) == 0 &&
		info.st_dev == repo->journal) {
		repo->owes_sync = false;
		return 0;
	}
	return repo_sync_packs(repo, err);
}

// Objects and their names first: @fd is written after both.
static int
write_branch(struct repo *repo, int fd, const char *lock, const char *path,
	const struct oid *commit, struct err *err)
{
	char text[OID_HEX_MAX + 1];
	char hex[OID_HEX_MAX];

	(void)snprintf(text, sizeof(text), "%s\n", oid_hex(commit, hex));
	if (fd_write_all(fd, text, strlen(text), err) < 0 || fd_sync(fd, lock, err) < 0 ||
		sync_names(repo, fd, err) < 0) {
		return err->code;
	}
	return rename_lock(lock, path, err);
}

// As git does it: nobody else writes while there is a lock, and the name is given to what
// is whole.  @old, when given, must be what stands there.
static enum move
replace_branch(struct repo *repo, const char *ref, const git_oid *old,
	const struct oid *commit, const char *message, struct err *err)
{
	AUTO_FREE char *path = path_join(repo->git_dir, ref);
	AUTO_FREE char *lock = xasprintf("%s.lock", path);
	AUTO_FREE char *folder = xmemdup0(path, (size_t)(strrchr(path, '/') - path));
	AUTO_CLOSE int fd = create_lock(repo, folder, lock, err);
	git_oid now;

	if (fd < 0) {
		return err->sys == EEXIST ? MOVE_LOCKED : MOVE_FAILED;
	}
	if (old != NULL &&
		(git_reference_name_to_id(&now, repo->git, ref) < 0 ||
			!git_oid_equal(&now, old))) {
		git_error_clear();
		(void)unlink(lock);
		return MOVE_ELSEWHERE;
	}
	if (write_branch(repo, fd, lock, path, commit, err) < 0) {
		(void)unlink(lock);
		return MOVE_FAILED;
	}
	repo_log_move(repo, ref, old, commit, message);
	return fd_sync_folder(folder, err) < 0 ? MOVE_FAILED : MOVE_DONE;
}

// A branch may look gone for a moment while `git pack-refs` runs.  It did move only when
// it reads otherwise.
static bool
is_passing(struct repo *repo, enum move move, const git_oid *old)
{
	git_oid now;
	int seen;

	if (move != MOVE_ELSEWHERE) {
		return move == MOVE_LOCKED;
	}
	seen = git_reference_name_to_id(&now, repo->git, repo->ref);
	git_error_clear();
	return old != NULL ? seen == 0 && git_oid_equal(&now, old)
			   : seen == GIT_ENOTFOUND;
}

// A living git lets go by itself; a dead one's lock is reaped.  Without @message the
// branch is written whatever stands there.
static enum move
move_patiently(struct repo *repo, const git_oid *old, const struct oid *commit,
	const char *message, struct err *err)
{
	git_oid to = repo_to_git(commit);
	int64_t end = clock_mono_ms() + REPO_LOCK_WAIT_MS;
	struct timespec pause = { .tv_nsec = REPO_LOCK_PAUSE_MS * 1000000L };
	AUTO_FREE char *ref = NULL;

	if (repo_real_ref(repo, &ref, err) < 0) {
		return MOVE_FAILED;
	}
	for (;;) {
		enum move move = old != NULL || message == NULL
			? replace_branch(repo, ref, old, commit,
				  message != NULL ? message : "mirror: taken up again",
				  err)
			: create_branch(repo, ref, &to, message, err);

		if (!is_passing(repo, move, old) || clock_mono_ms() >= end) {
			return move;
		}
		(void)nanosleep(&pause, NULL);
		pause.tv_nsec = MIN_OF(pause.tv_nsec * 2, 500000000L);
		if (reap_locks(repo->git_dir, err) < 0) {
			return MOVE_FAILED;
		}
	}
}

int
repo_move_ref(struct repo *repo, const struct oid *old, const struct oid *commit,
	const char *message, struct err *err)
{
	git_oid from = { { 0 } };
	const git_oid *matching = NULL;
	enum object_kind kind = OBJECT_ANY;
	size_t len = 0;

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
	switch (move_patiently(repo, matching, commit, message, err)) {
	case MOVE_DONE:
		repo_let_go(repo);
		return 0;
	case MOVE_LOCKED:
		(void)err_raise(err, ERR_BUSY,
			"move the branch %s: another git has locked it", repo->branch);
		return err_advise(err, "wait for the other git, or remove %s/%s.lock",
			repo->git_dir, repo->ref);
	case MOVE_ELSEWHERE:
		return err_raise(err, ERR_UNSTABLE,
			"the branch %s is not where it was left", repo->branch);
	case MOVE_FAILED:
		break;
	}
	return err_wrap(err, "move the branch %s", repo->branch);
}

// Our library reads what stands there before it writes, and git does as well.
int
repo_put_ref(struct repo *repo, const struct oid *commit, struct err *err)
{
	return move_patiently(repo, NULL, commit, NULL, err) == MOVE_DONE
		? 0
		: err_wrap(err, "write the branch %s", repo->branch);
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
