// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/repo.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"
#include "brain/reap.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	// What libgit2 keeps mapped of the packs, so that memory stays flat.
	WINDOW_LEN = 1 << 20,
	MAPPED_MAX = 16 << 20,
	LOCK_PAUSE_MS = 20,
};

struct repo {
	git_repository *git;
	git_odb *odb;
	char *git_dir;
	char *work_dir;
	char *staging;
	char *branch;
	// "refs/heads/host/laptop"
	char *ref;
	bool read_only;
	// The .keep files of packs that no ref leads to yet.
	char **held;
	size_t nheld;
	size_t held_size;
};

static_assert((int)OBJECT_COMMIT == (int)GIT_OBJECT_COMMIT &&
		(int)OBJECT_TREE == (int)GIT_OBJECT_TREE &&
		(int)OBJECT_BLOB == (int)GIT_OBJECT_BLOB &&
		(int)OBJECT_TAG == (int)GIT_OBJECT_TAG,
	"our kinds are git's kinds");

// ---- the door: libgit2's failures become ours at once

static enum err_code
code_of(int code, int klass, int sys)
{
	switch (code) {
	case GIT_ENOTFOUND:
	case GIT_EUNBORNBRANCH:
		return ERR_NOT_FOUND;
	case GIT_EEXISTS:
		return ERR_EXISTS;
	case GIT_EAMBIGUOUS:
	case GIT_EINVALIDSPEC:
	case GIT_EPEEL:
		return ERR_INVALID;
	case GIT_ELOCKED:
		return ERR_BUSY;
	case GIT_EMODIFIED:
		return ERR_UNSTABLE;
	case GIT_EMISMATCH:
		return ERR_CORRUPT;
	case GIT_EOWNER:
		return ERR_DENIED;
	default:
		break;
	}
	switch (klass) {
	case GIT_ERROR_OS:
		return sys != 0 ? err_code_of(sys) : ERR_IO;
	case GIT_ERROR_NOMEMORY:
		return ERR_NO_MEMORY;
	case GIT_ERROR_ZLIB:
	case GIT_ERROR_ODB:
	case GIT_ERROR_OBJECT:
	case GIT_ERROR_INDEXER:
	case GIT_ERROR_TREE:
	case GIT_ERROR_SHA:
		return ERR_CORRUPT;
	case GIT_ERROR_INVALID:
	case GIT_ERROR_CONFIG:
	case GIT_ERROR_REPOSITORY:
	case GIT_ERROR_REFERENCE:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

static int PRINTF_LIKE(4, 5)
	fail_at(struct err *err, const char *where, int code, const char *fmt, ...)
{
	int sys = errno;
	const git_error *last = git_error_last();
	char what[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	(void)err_raise_at(err, code_of(code, last != NULL ? last->klass : 0, sys), where,
		"%s: %s", what,
		last != NULL && last->message != NULL ? last->message : "libgit2 failed");
	git_error_clear();
	return err->code;
}
#define fail(err, code, ...) fail_at((err), ERR_WHERE_, (code), __VA_ARGS__)

static git_oid
to_git(const struct oid *oid)
{
	git_oid out;

	memcpy(out.id, oid->id, OID_LEN);
	return out;
}

static struct oid
from_git(const git_oid *oid)
{
	struct oid out;

	memcpy(out.id, oid->id, OID_LEN);
	return out;
}

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void
start(void)
{
	static const int levels[] = { GIT_CONFIG_LEVEL_PROGRAMDATA,
		GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL };
	bool good = git_libgit2_init() > 0;

	// What git promised to have written is on the disk.
	good = good && git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) == 0;
	// Nobody's configuration changes bytes, and a broken one breaks nothing.
	for (size_t i = 0; i < countof(levels); i++) {
		good = good &&
			git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "") == 0;
	}
	// Who owns it is asked in repo_open(); libgit2 runs nothing for us anyway.
	good = good && git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0) == 0;
	// What is read is read from the disk: a cached object proves nothing.
	good = good && git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0) == 0;
	good = good && git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1) == 0;
	good = good &&
		git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)WINDOW_LEN) == 0;
	good = good &&
		git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)MAPPED_MAX) ==
			0;
	if (!good) {
		(void)!write(STDERR_FILENO, "<3>mirror: libgit2 does not start\n", 34);
		_exit(2);
	}
}

// ---- opening

static int
create(const struct repo_options *options, const char *ref, git_repository **ret_git,
	struct err *err)
{
	git_repository_init_options init;
	int code;

	if (!home_is_free(options->path, options->worktree)) {
		(void)err_raise(err, ERR_EXISTS,
			"%s is not a git repository and not empty", options->path);
		return err_advise(
			err, "name another folder as [brain] repo, or empty it");
	}
	if (file_make_dirs(options->path, 0700, err) < 0) {
		return err->code;
	}
	// No repository yet, so nobody's git is at work here.
	home_clear(options->path, options->worktree);
	(void)git_repository_init_options_init(
		&init, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	init.flags = options->worktree ? 0 : GIT_REPOSITORY_INIT_BARE;
	init.initial_head = ref;
	errno = 0;
	code = git_repository_init_ext(ret_git, options->path, &init);
	if (code < 0) {
		return fail(err, code, "create the repository %s", options->path);
	}
	return 0;
}

// A living git lets go by itself; a dead one's lock is reaped.
static bool
is_locked_for_now(git_repository *git, int code, int64_t end_ms)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };
	struct err ignored;

	if (code != GIT_ELOCKED || clock_mono_ms() >= end_ms) {
		return false;
	}
	(void)nanosleep(&pause, NULL);
	(void)!reap_locks(git_repository_path(git), &ignored);
	return true;
}

static int
set_config(git_repository *git, git_config *config, const char *name, const char *value,
	struct err *err)
{
	int64_t end_ms = clock_mono_ms() + REPO_LOCK_WAIT_MS;
	git_buf old = { 0 };
	bool same = git_config_get_string_buf(&old, config, name) == 0 &&
		strcmp(old.ptr, value) == 0;
	int code = 0;

	git_buf_dispose(&old);
	while (!same) {
		errno = 0;
		code = git_config_set_string(config, name, value);
		same = !is_locked_for_now(git, code, end_ms);
	}
	return code < 0 ? fail(err, code, "set %s", name) : 0;
}

static int
configure(git_repository *git, struct err *err)
{
	static const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{ "core.autocrlf", "false" },
		{ "core.safecrlf", "false" },
		{ "core.filemode", "true" },
		{ "core.symlinks", "true" },
		{ "core.ignorecase", "false" },
		{ "core.precomposeunicode", "false" },
		{ "core.quotepath", "false" },
		{ "core.fsync", "all" },
		// History is in the commits; a reflog would keep what a purge removed.
		{ "core.logallrefupdates", "false" },
		// We maintain it ourselves; nobody repacks under our feet, and what was
		// found present is not pruned while a commit is being made of it.
		{ "gc.auto", "0" },
		{ "gc.pruneexpire", "never" },
		{ "maintenance.auto", "false" },
	};
	git_config *all = NULL;
	git_config *local = NULL;
	int code = git_repository_config(&all, git);
	int result = 0;

	if (code == 0) {
		code = git_config_open_level(&local, all, GIT_CONFIG_LEVEL_LOCAL);
	}
	if (code < 0) {
		result = fail(err, code, "read the repository's configuration");
	}
	for (size_t i = 0; i < countof(rows) && result == 0; i++) {
		result = set_config(git, local, rows[i].name, rows[i].value, err);
	}
	git_config_free(local);
	git_config_free(all);
	return result;
}

static int
point_head(struct repo *repo, struct err *err)
{
	git_reference *head = NULL;
	int code = git_reference_lookup(&head, repo->git, "HEAD");
	const char *target = code == 0 ? git_reference_symbolic_target(head) : NULL;
	bool good = target != NULL && strcmp(target, repo->ref) == 0;
	int64_t end_ms = clock_mono_ms() + REPO_LOCK_WAIT_MS;

	git_reference_free(head);
	if (good) {
		return 0;
	}
	head = NULL;
	errno = 0;
	// Only the symbolic ref: the work tree is healed by its own room.
	do {
		code = git_reference_symbolic_create(
			&head, repo->git, "HEAD", repo->ref, 1, NULL);
	} while (is_locked_for_now(repo->git, code, end_ms));
	git_reference_free(head);
	return code < 0 ? fail(err, code, "point HEAD at %s", repo->ref) : 0;
}

static int
check_writable(
	const struct repo *repo, const struct repo_options *options, struct err *err)
{
	struct stat info;
	struct stat wanted;

	if (stat(repo->git_dir, &info) < 0) {
		return err_errno(err, "look at %s", repo->git_dir);
	}
	if (info.st_uid != geteuid()) {
		(void)err_raise(err, ERR_DENIED, "%s belongs to user %u", repo->git_dir,
			(unsigned int)info.st_uid);
		return err_advise(
			err, "chown -R %u %s", (unsigned int)geteuid(), options->path);
	}
	if (git_repository_is_worktree(repo->git)) {
		return err_raise(err, ERR_INVALID,
			"%s is a linked work tree of another repository", options->path);
	}
	// core.worktree could send the browsable copy anywhere.
	if (repo->work_dir != NULL &&
		(stat(repo->work_dir, &info) < 0 || stat(options->path, &wanted) < 0 ||
			info.st_ino != wanted.st_ino || info.st_dev != wanted.st_dev)) {
		return err_raise(err, ERR_INVALID,
			"the work tree of %s is elsewhere (%s)", options->path,
			repo->work_dir);
	}
	return 0;
}

static char *
without_slash(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	return xmemdup0(path, len);
}

static int
fill_in(struct repo *repo, const struct repo_options *options, struct err *err)
{
	const char *work_dir = git_repository_workdir(repo->git);
	int code = git_repository_odb(&repo->odb, repo->git);

	if (code < 0) {
		return fail(err, code, "open the objects of %s", options->path);
	}
	repo->git_dir = without_slash(git_repository_path(repo->git));
	repo->work_dir = work_dir != NULL ? without_slash(work_dir) : NULL;
	repo->staging = path_join(repo->git_dir, "mirror/new");
	repo->read_only = options->read_only;
	return 0;
}

static void
hold_again(const char *keep, void *payload)
{
	repo_hold(payload, keep);
}

static int
adopt(struct repo *repo, const struct repo_options *options, struct err *err)
{
	if (check_writable(repo, options, err) < 0 ||
		home_make_key(repo->git_dir, err) < 0) {
		return err->code;
	}
	if (reap_all(repo->git_dir, err) < 0 ||
		reap_each_keep(repo->git_dir, hold_again, repo, err) < 0 ||
		configure(repo->git, err) < 0 ||
		home_write_attributes(repo->git_dir, err) < 0) {
		return err->code;
	}
	home_clear_probes(options->path);
	return point_head(repo, err);
}

static int
name_branch(struct repo *repo, const struct repo_options *options, struct err *err)
{
	int valid = 0;

	if (options->branch == NULL) {
		return options->read_only
			? 0
			: err_raise(err, ERR_BUG, "a repo to write to has no branch");
	}
	repo->branch = xstrdup(options->branch);
	repo->ref = xasprintf("refs/heads/%s", options->branch);
	if (strlen(repo->ref) >= REPO_REF_MAX || options->branch[0] == '-' ||
		git_reference_name_is_valid(&valid, repo->ref) < 0 || !valid) {
		git_error_clear();
		return err_raise(err, ERR_INVALID, "git refuses the branch name \"%s\"",
			options->branch);
	}
	return 0;
}

// A new repository is many small files that nobody syncs; without them what is committed
// later, however safe, is in no repository after a power cut.  Once, so all at once.
static int
make_safe(const struct repo *repo, struct err *err)
{
	AUTO_CLOSE int fd = open(repo->git_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || syncfs(fd) < 0 ? err_errno(err, "sync %s", repo->git_dir) : 0;
}

int
repo_open(const struct repo_options *options, bool do_create, struct repo **ret_repo,
	struct err *err)
{
	AUTO(repo_closep) struct repo *repo = xcalloc(1, sizeof(*repo));
	bool made = false;
	int code;

	(void)pthread_once(&started, start);
	if (name_branch(repo, options, err) < 0) {
		return err->code;
	}
	errno = 0;
	code = git_repository_open_ext(
		&repo->git, options->path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (code == GIT_ENOTFOUND && do_create && !options->read_only) {
		git_error_clear();
		code = create(options, repo->ref, &repo->git, err);
		if (code < 0) {
			return code;
		}
		made = true;
	}
	if (code < 0) {
		return fail(err, code, "open the repository %s", options->path);
	}
	if (fill_in(repo, options, err) < 0) {
		return err->code;
	}
	if (!options->read_only &&
		(adopt(repo, options, err) < 0 || (made && make_safe(repo, err) < 0))) {
		return err_wrap(err, "open the repository %s", options->path);
	}
	*ret_repo = STEAL(repo);
	return 0;
}

void
repo_hold(struct repo *repo, const char *keep)
{
	repo->held =
		xgrow(repo->held, repo->nheld, &repo->held_size, sizeof(*repo->held));
	repo->held[repo->nheld++] = xstrdup(keep);
}

static void
let_go(struct repo *repo)
{
	while (repo->nheld > 0) {
		repo->nheld--;
		(void)unlink(repo->held[repo->nheld]);
		free(repo->held[repo->nheld]);
	}
}

void
repo_close(struct repo *repo)
{
	if (repo == NULL) {
		return;
	}
	// The files stay: whoever is next may use again what stands in those packs, while
	// a git gc beside him sees no ref that leads there.
	for (size_t i = 0; i < repo->nheld; i++) {
		free(repo->held[i]);
	}
	free(repo->held);
	git_odb_free(repo->odb);
	git_repository_free(repo->git);
	free(repo->git_dir);
	free(repo->work_dir);
	free(repo->staging);
	free(repo->branch);
	free(repo->ref);
	free(repo);
}

void
repo_closep(struct repo **repo)
{
	repo_close(*repo);
	*repo = NULL;
}

const char *
repo_git_dir(const struct repo *repo)
{
	return repo->git_dir;
}

const char *
repo_work_dir(const struct repo *repo)
{
	return repo->work_dir;
}

const char *
repo_branch(const struct repo *repo)
{
	return repo->branch;
}

const char *
repo_staging(const struct repo *repo)
{
	return repo->staging;
}

int
repo_key(struct repo *repo, uint8_t ret_key[REPO_KEY_LEN], struct err *err)
{
	return home_key(repo->git_dir, ret_key, err);
}

int
repo_refresh(struct repo *repo, struct err *err)
{
	int code = git_odb_refresh(repo->odb);

	return code < 0 ? fail(err, code, "look for new objects") : 0;
}

// ---- objects

bool
repo_has(struct repo *repo, const struct oid *oid)
{
	git_oid id = to_git(oid);

	// No refresh on a miss: that would list objects/pack for each new blob.
	return git_odb_exists_ext(repo->odb, &id, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

int
repo_stat(struct repo *repo, const struct oid *oid, enum object_kind *ret_kind,
	size_t *ret_len, struct err *err)
{
	git_oid id = to_git(oid);
	git_object_t kind;
	char hex[OID_HEX_MAX];
	int code;

	errno = 0;
	code = git_odb_read_header(ret_len, &kind, repo->odb, &id);
	if (code < 0) {
		return fail(err, code, "object %s", oid_hex(oid, hex));
	}
	*ret_kind = (enum object_kind)kind;
	return 0;
}

int
repo_read(struct repo *repo, const struct oid *oid, enum object_kind kind,
	struct buf *buf, struct err *err)
{
	git_oid id = to_git(oid);
	git_odb_object *object = NULL;
	enum object_kind have = OBJECT_ANY;
	size_t len = 0;
	char hex[OID_HEX_MAX];
	int code;
	int result;

	// The size first: a ceiling that is checked after the reading is none.
	if (repo_stat(repo, oid, &have, &len, err) < 0) {
		return err->code;
	}
	if (kind != OBJECT_ANY && have != kind) {
		return err_raise(err, ERR_INVALID, "object %s is a %s, not a %s",
			oid_hex(oid, hex), object_kind_name(have),
			object_kind_name(kind));
	}
	if (len > buf->max - MIN_OF(buf->len, buf->max)) {
		return err_raise(err, ERR_TOO_BIG, "object %s has %zu bytes",
			oid_hex(oid, hex), len);
	}
	errno = 0;
	code = git_odb_read(&object, repo->odb, &id);
	if (code < 0) {
		return fail(err, code, "read object %s", oid_hex(oid, hex));
	}
	result = buf_add(
		buf, git_odb_object_data(object), git_odb_object_size(object), err);
	git_odb_object_free(object);
	return result;
}

struct each_object {
	repo_oid_fn *fn;
	void *payload;
	int result;
};

static int
give_object(const git_oid *id, void *payload)
{
	struct each_object *each = payload;
	struct oid oid = from_git(id);

	each->result = each->fn(&oid, each->payload);
	return each->result != 0 ? GIT_EUSER : 0;
}

int
repo_each_object(struct repo *repo, repo_oid_fn *fn, void *payload, struct err *err)
{
	struct each_object each = { fn, payload, 0 };
	int code = git_odb_foreach(repo->odb, give_object, &each);

	if (each.result != 0) {
		git_error_clear();
		return each.result;
	}
	return code < 0 ? fail(err, code, "list the objects") : 0;
}

// ---- commits and trees

int
repo_head(struct repo *repo, struct oid *ret_commit, struct err *err)
{
	git_oid id;
	int code = git_reference_name_to_id(
		&id, repo->git, repo->ref != NULL ? repo->ref : "HEAD");

	if (code == GIT_ENOTFOUND) {
		git_error_clear();
		return 0;
	}
	if (code < 0) {
		return fail(err, code, "read the branch");
	}
	*ret_commit = from_git(&id);
	return 1;
}

int
repo_commit_tree(struct repo *repo, const struct oid *commit, struct oid *ret_tree,
	struct err *err)
{
	git_oid id = to_git(commit);
	git_commit *object = NULL;
	char hex[OID_HEX_MAX];
	int code = git_commit_lookup(&object, repo->git, &id);

	if (code < 0) {
		return fail(err, code, "read commit %s", oid_hex(commit, hex));
	}
	*ret_tree = from_git(git_commit_tree_id(object));
	git_commit_free(object);
	return 0;
}

static int
give_commit(git_commit *object, repo_commit_fn *fn, void *payload, struct oid *ret_parent)
{
	const git_signature *author = git_commit_author(object);
	const char *message = git_commit_message(object);
	struct repo_commit commit = {
		.id = from_git(git_commit_id(object)),
		.tree = from_git(git_commit_tree_id(object)),
		.nparents = git_commit_parentcount(object),
		.time = author->when.time,
		.offset_min = author->when.offset,
		.author = author->name,
		.email = author->email,
		.message = message != NULL ? message : "",
	};

	if (commit.nparents > 0) {
		commit.parent = from_git(git_commit_parent_id(object, 0));
	}
	*ret_parent = commit.parent;
	return fn(&commit, payload);
}

int
repo_log(struct repo *repo, const struct oid *from, repo_commit_fn *fn, void *payload,
	struct err *err)
{
	struct oid at = *from;

	while (!oid_is_zero(&at)) {
		git_oid id = to_git(&at);
		git_commit *object = NULL;
		char hex[OID_HEX_MAX];
		int code = git_commit_lookup(&object, repo->git, &id);
		int result;

		if (code < 0) {
			return fail(err, code, "read commit %s", oid_hex(&at, hex));
		}
		result = give_commit(object, fn, payload, &at);
		git_commit_free(object);
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

int
repo_tree_at(struct repo *repo, const struct oid *tree, const char *path,
	uint32_t *ret_mode, struct oid *ret_oid, struct err *err)
{
	git_oid id = to_git(tree);
	git_tree *object = NULL;
	git_tree_entry *entry = NULL;
	char hex[OID_HEX_MAX];
	int code;

	if (path[0] == '\0') {
		*ret_mode = GIT_FILEMODE_TREE;
		*ret_oid = *tree;
		return 1;
	}
	code = git_tree_lookup(&object, repo->git, &id);
	if (code < 0) {
		return fail(err, code, "read tree %s", oid_hex(tree, hex));
	}
	code = git_tree_entry_bypath(&entry, object, path);
	git_tree_free(object);
	if (code == GIT_ENOTFOUND) {
		git_error_clear();
		return 0;
	}
	if (code < 0) {
		return fail(err, code, "look up %s", path);
	}
	*ret_mode = (uint32_t)git_tree_entry_filemode_raw(entry);
	*ret_oid = from_git(git_tree_entry_id(entry));
	git_tree_entry_free(entry);
	return 1;
}

int
repo_resolve(
	struct repo *repo, const char *revision, struct oid *ret_commit, struct err *err)
{
	git_object *object = NULL;
	git_object *commit = NULL;
	int code = git_revparse_single(&object, repo->git, revision);

	if (code == 0) {
		code = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	}
	git_object_free(object);
	if (code < 0) {
		return fail(err, code, "revision %s", revision);
	}
	*ret_commit = from_git(git_object_id(commit));
	git_object_free(commit);
	return 0;
}

// ---- refs

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
		*ret_commit = from_git(git_object_id(object));
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
		return fail(err, code, "list the refs");
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
		return fail(state->err, code, "read %s", name);
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
		*ret_commit = from_git(&id);
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
	git_oid to = to_git(commit);
	git_oid from = { { 0 } };
	const git_oid *matching = NULL;
	int64_t end = clock_mono_ms() + REPO_LOCK_WAIT_MS;
	struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };
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
		from = to_git(old);
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
		(void)fail(err, code, "move the branch %s", repo->branch);
		return err_advise(err, "wait for the other git, or remove %s/%s.lock",
			repo->git_dir, repo->ref);
	}
	if (code < 0) {
		return fail(err, code, "move the branch %s", repo->branch);
	}
	let_go(repo);
	return 0;
}

int
repo_tag(struct repo *repo, const struct repo_tag *tag, const struct oid *commit,
	struct oid *ret_tag, struct err *err)
{
	git_oid id = to_git(commit);
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
		return fail(err, code, "make the tag");
	}
	*ret_tag = from_git(&made);
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
		return fail(err, code, "look up the remote");
	}
	result = buf_add_text(
		url, git_remote_url(object) != NULL ? git_remote_url(object) : "", err);
	git_remote_free(object);
	return result < 0 ? result : 1;
}

// ---- for pack.c

static int
count_object(const git_oid *id, void *payload)
{
	size_t *count = payload;

	(void)id;
	(*count)++;
	return 0;
}

static int
probe_samples(git_odb *odb, const struct oid *samples, size_t nsamples, struct err *err)
{
	for (size_t i = 0; i < nsamples; i++) {
		git_oid id = to_git(&samples[i]);
		git_odb_object *object = NULL;
		char hex[OID_HEX_MAX];
		// Strict hash verification: what is read hashes to its name.
		int code = git_odb_read(&object, odb, &id);

		git_odb_object_free(object);
		if (code < 0) {
			(void)fail(err, code, "read back object %s",
				oid_hex(&samples[i], hex));
			err->code = ERR_CORRUPT;
			return err->code;
		}
	}
	return 0;
}

int
repo_probe_pack(const char *index, size_t count, const struct oid *samples,
	size_t nsamples, struct err *err)
{
	git_odb *odb = NULL;
	git_odb_backend *backend = NULL;
	size_t found = 0;
	int result = 0;
	int code = git_odb_new(&odb);

	if (code == 0) {
		code = git_odb_backend_one_pack(&backend, index);
	}
	if (code == 0) {
		code = git_odb_add_backend(odb, backend, 1);
	}
	if (code == 0) {
		code = git_odb_foreach(odb, count_object, &found);
	}
	if (code < 0) {
		result = fail(err, code, "open the new pack");
	} else if (found != count) {
		result = err_raise(err, ERR_CORRUPT,
			"the new pack has %zu objects instead of %zu", found, count);
	} else {
		result = probe_samples(odb, samples, nsamples, err);
	}
	git_odb_free(odb);
	return result;
}
