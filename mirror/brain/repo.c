// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/repo.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"
#include "brain/mend.h"
#include "brain/reap.h"
#include "brain/repo_room.h"

#include <errno.h>
#include <fcntl.h>
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
};

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

// What libgit2 closed and looked for since has changed errno; its sentence ends with the
// reason it met.
static int
spoken_errno(const git_error *last, int sys)
{
	static const int reasons[] = { EMFILE, ENFILE, ENOSPC, EDQUOT, EFBIG, EROFS, EIO,
		EACCES, EPERM, ENOENT };

	for (size_t i = 0; last->message != NULL && i < countof(reasons); i++) {
		const char *words = strerror(reasons[i]);
		size_t len = strlen(last->message);

		if (len >= strlen(words) &&
			strcmp(last->message + len - strlen(words), words) == 0) {
			return reasons[i];
		}
	}
	return sys;
}

int
repo_fail_at(struct err *err, const char *where, int code, const char *fmt, ...)
{
	int sys = errno;
	const git_error *last = git_error_last();
	char what[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (last != NULL && last->klass == GIT_ERROR_OS) {
		sys = spoken_errno(last, sys);
	}
	(void)err_raise_at(err, code_of(code, last != NULL ? last->klass : 0, sys), where,
		"%s: %s", what,
		last != NULL && last->message != NULL ? last->message : "libgit2 failed");
	if (last != NULL && last->klass == GIT_ERROR_OS) {
		err->sys = sys;
	}
	git_error_clear();
	return err->code;
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
		return repo_fail(err, code, "create the repository %s", options->path);
	}
	return 0;
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
	} while (repo_locked_for_now(repo->git, code, end_ms));
	git_reference_free(head);
	return code < 0 ? repo_fail(err, code, "point HEAD at %s", repo->ref) : 0;
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
		(void)err_raise(err, ERR_INVALID,
			"%s is a linked work tree of another repository", options->path);
		return err_advise(err, "name another folder as [brain] repo");
	}
	// core.worktree could send the browsable copy anywhere.
	if (repo->work_dir != NULL &&
		(stat(repo->work_dir, &info) < 0 || stat(options->path, &wanted) < 0 ||
			info.st_ino != wanted.st_ino || info.st_dev != wanted.st_dev)) {
		(void)err_raise(err, ERR_INVALID, "the work tree of %s is elsewhere (%s)",
			options->path, repo->work_dir);
		return err_advise(
			err, "git -C %s config --unset core.worktree", options->path);
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

static dev_t
journal_of(const char *folder)
{
	AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat info;

	return fd >= 0 && fd_in_one_journal(fd) && fstat(fd, &info) == 0 ? info.st_dev
									 : 0;
}

static int
fill_in(struct repo *repo, const struct repo_options *options, struct err *err)
{
	const char *work_dir = git_repository_workdir(repo->git);
	git_buf objects = { 0 };
	int code = git_repository_odb(&repo->odb, repo->git);

	if (code == 0) {
		code = git_repository_item_path(
			&objects, repo->git, GIT_REPOSITORY_ITEM_OBJECTS);
	}
	if (code < 0) {
		return repo_fail(err, code, "open the objects of %s", options->path);
	}
	repo->objects = without_slash(objects.ptr);
	repo->journal = journal_of(repo->objects);
	git_buf_dispose(&objects);
	free(repo->git_dir);
	repo->git_dir = without_slash(git_repository_path(repo->git));
	repo->work_dir = work_dir != NULL ? without_slash(work_dir) : NULL;
	repo->staging = path_join(repo->git_dir, "mirror/new");
	repo->read_only = options->read_only;
	repo->mend.git_dir = repo->git_dir;
	repo->mend.ref = repo->ref;
	return repo_load_shallow(repo, err);
}

static void
hold_again(const char *keep, void *payload)
{
	repo_hold(payload, keep);
	// Nobody knows how far the one before came.
	repo_owe_sync(payload);
}

static int
adopt(struct repo *repo, const struct repo_options *options, struct err *err)
{
	uint8_t key[HOME_KEY_LEN];
	bool first;

	if (check_writable(repo, options, err) < 0) {
		return err->code;
	}
	first = home_key(repo->git_dir, key, err) == ERR_NOT_FOUND;
	explicit_bzero(key, sizeof(key));
	if (home_make_key(repo->git_dir, err) < 0) {
		return err->code;
	}
	if (reap_all(repo->git_dir, err) < 0 ||
		reap_each_keep(repo->git_dir, hold_again, repo, err) < 0 ||
		repo_configure(repo->git, first, err) < 0 ||
		home_write_attributes(repo->git_dir, err) < 0) {
		return err->code;
	}
	home_clear_probes(options->path);
	return point_head(repo, err) < 0 || repo_mend_tags(repo, &repo->mend, err) < 0
		? err->code
		: 0;
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

// Is there a git directory of ours to write to, and where?
static char *
find_git_dir(const char *path, bool *ret_bare)
{
	AUTO_FREE char *inner = path_join(path, ".git");
	AUTO_FREE char *objects = path_join(path, "objects");
	struct stat info;
	bool nested = lstat(inner, &info) == 0;

	*ret_bare = !nested;
	if (nested ? !S_ISDIR(info.st_mode)
		   : (stat(objects, &info) < 0 || !S_ISDIR(info.st_mode))) {
		return NULL;
	}
	return info.st_uid == geteuid() ? xstrdup(nested ? inner : path) : NULL;
}

// Before anybody opens it: what an unclean stop may have left.
static int
mend_files(struct repo *repo, const char *path, struct err *err)
{
	bool bare = false;

	repo->git_dir = find_git_dir(path, &bare);
	if (repo->git_dir == NULL) {
		return 0;
	}
	repo->mend.git_dir = repo->git_dir;
	repo->mend.ref = repo->ref;
	return mend_refs(&repo->mend, err) < 0 ||
			repo_mend_config(&repo->mend, bare, err) < 0
		? err->code
		: mend_objects(&repo->mend, err);
}

int
repo_look(struct repo *repo, struct mend *ret_mend, struct err *err)
{
	ret_mend->look_only = true;
	ret_mend->git_dir = repo->git_dir;
	ret_mend->ref = repo->ref != NULL ? repo->ref : "";
	return mend_refs(ret_mend, err) < 0 ||
			repo_mend_config(ret_mend, repo->work_dir == NULL, err) < 0 ||
			mend_objects(ret_mend, err) < 0
		? err->code
		: repo_mend_tags(repo, ret_mend, err);
}

const struct mend *
repo_mended(const struct repo *repo)
{
	return &repo->mend;
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
	if (!options->read_only && mend_files(repo, options->path, err) < 0) {
		return err_wrap(err, "open the repository %s", options->path);
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
		(void)repo_fail(err, code, "open the repository %s", options->path);
		return repo_advise_format(options->path, err);
	}
	if (fill_in(repo, options, err) < 0) {
		return err->code;
	}
	repo->packs_come = true;
	if (!options->read_only &&
		(adopt(repo, options, err) < 0 || (made && make_safe(repo, err) < 0))) {
		return err_wrap(err, "open the repository %s", options->path);
	}
	*ret_repo = STEAL(repo);
	return 0;
}

static void
forget_held_odb(struct repo *repo)
{
	git_odb_free(repo->held_odb);
	repo->held_odb = NULL;
}

void
repo_hold(struct repo *repo, const char *keep)
{
	forget_held_odb(repo);
	repo->held =
		xgrow(repo->held, repo->nheld, &repo->held_size, sizeof(*repo->held));
	repo->held[repo->nheld++] = xstrdup(keep);
}

// A pack that cannot be opened holds nothing.
static void
add_held(git_odb *odb, const char *keep)
{
	AUTO_FREE char *index =
		xasprintf("%.*s.idx", (int)(strlen(keep) - strlen(".keep")), keep);
	git_odb_backend *backend = NULL;

	if (git_odb_backend_one_pack(&backend, index) == 0) {
		(void)git_odb_add_backend(odb, backend, 1);
	}
	git_error_clear();
}

bool
repo_holds(struct repo *repo, const struct oid *oid)
{
	git_oid id = repo_to_git(oid);

	if (repo->nheld == 0) {
		return false;
	}
	if (repo->held_odb == NULL) {
		if (git_odb_new(&repo->held_odb) < 0) {
			git_error_clear();
			return false;
		}
		for (size_t i = 0; i < repo->nheld; i++) {
			add_held(repo->held_odb, repo->held[i]);
		}
	}
	return git_odb_exists_ext(repo->held_odb, &id, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

void
repo_let_go(struct repo *repo)
{
	forget_held_odb(repo);
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
	forget_held_odb(repo);
	packs_done(&repo->packs);
	recent_done(&repo->recent);
	mend_done(&repo->mend);
	git_odb_free(repo->odb);
	git_repository_free(repo->git);
	free(repo->shallow);
	free(repo->git_dir);
	free(repo->work_dir);
	free(repo->objects);
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

// libgit2 goes on reading a pack that is gone, from what it has open: to it nothing was
// lost.  So it begins anew.
static int
reopen_objects(struct repo *repo, struct err *err)
{
	git_odb *odb = NULL;
	int code = git_odb_open(&odb, repo->objects);

	if (code == 0) {
		code = git_repository_set_odb(repo->git, odb);
	}
	if (code < 0) {
		git_odb_free(odb);
		return repo_fail(err, code, "open the objects again");
	}
	git_odb_free(repo->odb);
	repo->odb = odb;
	// What is lost is not built upon.
	recent_done(&repo->recent);
	repo->losses++;
	return 0;
}

void
repo_expect_pack(struct repo *repo, const char *name)
{
	AUTO_FREE char *file = xasprintf("%s.pack", name);

	packs_add(&repo->packs, file);
	repo->packs_come = true;
}

// Others took some away, or brought some: which?
static int
list_packs(struct repo *repo, struct err *err)
{
	AUTO(packs_done) struct packs now = { 0 };
	struct packs before = repo->packs;

	if (packs_list(repo->objects, &now, err) < 0) {
		return err->code;
	}
	if (packs_lost(&before, &now)) {
		forget_held_odb(repo);
		if (reopen_objects(repo, err) < 0) {
			return err->code;
		}
	}
	repo->packs = now;
	now = before;
	repo->packs_come = true;
	return 0;
}

// One look costs a listing; libgit2's, one more.
int
repo_refresh(struct repo *repo, struct err *err)
{
	struct packs_mark mark;
	int code;

	if (packs_look(repo->objects, &mark, err) < 0) {
		return err_wrap(err, "look for new objects");
	}
	if (!packs_mark_same(&repo->packs.mark, &mark) && list_packs(repo, err) < 0) {
		return err_wrap(err, "look for new objects");
	}
	if (!repo->packs_come) {
		return 0;
	}
	code = git_odb_refresh(repo->odb);
	if (code < 0) {
		return repo_fail(err, code, "look for new objects");
	}
	// What came between the two looks may be known to libgit2, so to us as well.
	repo->packs_come = false;
	if (packs_look(repo->objects, &mark, err) < 0 ||
		(!packs_mark_same(&repo->packs.mark, &mark) &&
			list_packs(repo, err) < 0)) {
		repo->packs_come = true;
		return err_wrap(err, "look for new objects");
	}
	return 0;
}

const struct packs *
repo_packs(const struct repo *repo)
{
	return &repo->packs;
}

struct recent *
repo_recent(struct repo *repo)
{
	return &repo->recent;
}

uint64_t
repo_losses(const struct repo *repo)
{
	return repo->losses;
}
