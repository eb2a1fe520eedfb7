// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * No link on the way is followed: the folders that are written into are entered step by
 * step and stay open for the files that come next, any other path is opened beneath the
 * copy with openat2().  Whoever plants a link in the copy gets it replaced.
 *
 * A new file is written in place (O_EXCL: nothing is overwritten), an existing one is
 * replaced by a rename: by an exchange where there is one, because ext4 and others write
 * a file to the disk before they let it take the place of another, which is several
 * milliseconds for what is synced nowhere else either.  After a power cut the copy is
 * read and healed.  Removing a file removes the folders that become empty, and a writer
 * whose folder vanished that way makes it again.
 *
 * Healing goes down the commit's tree and the disk side by side.  What the tree does not
 * have is ours when the old index knows it unchanged, and goes; anything else is someone
 * else's, and is moved to `<git dir>/mirror/aside/`.
 */

#include "brain/worktree.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/newest.h"
#include "base/path.h"
#include "brain/alike.h"
#include "brain/copy_folders.h"
#include "brain/home.h"
#include "brain/index.h"
#include "brain/pack.h"
#include "brain/plain.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	// A folder may be pruned by another thread while we write into it.
	PUT_TRIES = 8,
};

struct worktree {
	int fd;
	struct copy_folders *folders;
	char *git_dir;
	/** Folders at the top that are ours, whatever stands in them, and what they are
	 * copies of. */
	struct own {
		char *name;
		char *source;
	} * own;
	size_t nown;
	size_t own_capacity;
};

int
worktree_open(struct repo *repo, struct worktree **ret_worktree, struct err *err)
{
	AUTO(worktree_closep) struct worktree *worktree = xcalloc(1, sizeof(*worktree));
	const char *path = repo_work_dir(repo);

	worktree->fd = -1;
	if (path == NULL) {
		return err_raise(err, ERR_INVALID, "a bare repository has no copy");
	}
	worktree->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (worktree->fd < 0) {
		return err_errno(err, "open %s", path);
	}
	worktree->folders = copy_folders_new(worktree->fd);
	worktree->git_dir = xstrdup(repo_git_dir(repo));
	*ret_worktree = STEAL(worktree);
	return 0;
}

void
worktree_close(struct worktree *worktree)
{
	if (worktree != NULL) {
		for (size_t i = 0; i < worktree->nown; i++) {
			free(worktree->own[i].name);
			free(worktree->own[i].source);
		}
		free(worktree->own);
		copy_folders_free(worktree->folders);
		base_close_p(&worktree->fd);
		free(worktree->git_dir);
		free(worktree);
	}
}

void
worktree_closep(struct worktree **worktree)
{
	worktree_close(*worktree);
	*worktree = NULL;
}

void
worktree_claim(struct worktree *worktree, const char *name, const char *source)
{
	worktree->own = xgrow(worktree->own, worktree->nown, &worktree->own_capacity,
		sizeof(worktree->own[0]));
	worktree->own[worktree->nown++] =
		(struct own){ xstrdup(name), source != NULL ? xstrdup(source) : NULL };
}

// ---- one place

// No way out, no way into .git.
static int
check_path(const char *path, struct err *err)
{
	char name[NAME_MAX + 1];

	for (const char *at = path;;) {
		size_t len = (size_t)(strchrnul(at, '/') - at);

		if (len == 0 || len > NAME_MAX) {
			return err_raise(err, ERR_INVALID, "a path that is no path");
		}
		memcpy(name, at, len);
		name[len] = '\0';
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
			plain_is_like_git(name)) {
			return err_raise(err, ERR_INVALID, "a path that leads elsewhere");
		}
		if (at[len] == '\0') {
			return 0;
		}
		at += len + 1;
	}
}

static int
set_aside(struct worktree *worktree, int dirfd, const char *name, struct err *err)
{
	AUTO_FREE char *aside = path_join(worktree->git_dir, HOME_ASIDE);
	uint8_t salt[4];
	char hex[2 * sizeof(salt) + 1];

	if (file_make_dirs(aside, 0700, err) < 0 ||
		hash_random(salt, sizeof(salt), err) < 0) {
		return err->code;
	}
	hash_hex(salt, sizeof(salt), hex);
	AUTO_FREE char *to = xasprintf(
		"%s/%lld-%s-%.200s", aside, (long long)clock_now_ms() / 1000, hex, name);
	if (renameat(dirfd, name, AT_FDCWD, to) < 0 && errno != ENOENT) {
		return err_errno(err, "move %s aside", name);
	}
	// It may have been a folder that we have open.
	copy_folders_forget(worktree->folders);
	return 0;
}

// The folder that holds the last component of @path; *ret_name is that component.
// NOT_FOUND when it is missing.
static int
open_parent(struct worktree *worktree, const char *path, const char **ret_name,
	struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent =
		slash != NULL ? xmemdup0(path, (size_t)(slash - path)) : xstrdup(".");

	*ret_name = slash != NULL ? slash + 1 : path;
	return fd_open_beneath(worktree->fd, parent, O_RDONLY | O_DIRECTORY, err);
}

static int
temporary_name(char name[64], struct err *err)
{
	uint8_t salt[8];
	char hex[2 * sizeof(salt) + 1];

	if (hash_random(salt, sizeof(salt), err) < 0) {
		return err->code;
	}
	hash_hex(salt, sizeof(salt), hex);
	(void)snprintf(name, 64, "%s%s", FILE_TEMP_PREFIX, hex);
	return 0;
}

// Make @name, which must not exist: 1 it does, 0 made.
static int
make_new(int dirfd, const char *name, uint32_t mode, const void *data, size_t len,
	struct err *err)
{
	if (mode == TREE_LINK) {
		AUTO_FREE char *target = xmemdup0(data, len);

		if (symlinkat(target, dirfd, name) < 0) {
			return errno == EEXIST ? 1 : err_errno(err, "link %s", name);
		}
		return 0;
	}
	AUTO_CLOSE int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		mode == TREE_PROGRAM ? 0755 : 0644);
	if (fd < 0) {
		return errno == EEXIST ? 1 : err_errno(err, "create %s", name);
	}
	if (fd_write_all(fd, data, len, err) < 0) {
		err_wrap(err, "write %s", name);
		goto undo;
	}
	return 0;

undo:
	(void)unlinkat(dirfd, name, 0);
	return err->code;
}

// 0, or -1 and errno, EISDIR when @name is a folder.  Killed half-way it leaves the old
// file under the temporary name, which healing takes away.
static int
take_place(int dirfd, const char *temp, const char *name)
{
	if (renameat2(dirfd, temp, dirfd, name, RENAME_EXCHANGE) < 0) {
		// Not on this file system, or gone meanwhile.
		return renameat(dirfd, temp, dirfd, name);
	}
	if (unlinkat(dirfd, temp, 0) == 0) {
		return 0;
	}
	int why = errno;

	// A folder, or it cannot be taken away: everything back.
	(void)renameat2(dirfd, temp, dirfd, name, RENAME_EXCHANGE);
	errno = why;
	return -1;
}

static int
replace(struct worktree *worktree, int dirfd, const char *name, uint32_t mode,
	const void *data, size_t len, struct err *err)
{
	char temp[64];
	int result;

	if (temporary_name(temp, err) < 0) {
		return err->code;
	}
	result = make_new(dirfd, temp, mode, data, len, err);
	if (result != 0) {
		return result < 0 ? result
				  : err_raise(err, ERR_BUSY, "two of one random name");
	}
	if (take_place(dirfd, temp, name) == 0) {
		return 0;
	}
	if (errno != EISDIR) {
		(void)err_errno(err, "rename to %s", name);
		goto undo;
	}
	// A folder stands there.  Its files of ours are removed one by one before or
	// after this; whatever is in it now may be someone's.
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 &&
		set_aside(worktree, dirfd, name, err) < 0) {
		goto undo;
	}
	if (renameat(dirfd, temp, dirfd, name) < 0) {
		(void)err_errno(err, "rename to %s", name);
		goto undo;
	}
	return 0;

undo:
	(void)unlinkat(dirfd, temp, 0);
	return err->code;
}

static int
put_into(struct worktree *worktree, int dirfd, const char *name, uint32_t mode,
	const void *data, size_t len, struct err *err)
{
	int result = make_new(dirfd, name, mode, data, len, err);

	return result > 0 ? replace(worktree, dirfd, name, mode, data, len, err) : result;
}

static int
put_once(struct worktree *worktree, const char *path, uint32_t mode, const void *data,
	size_t len, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent =
		slash != NULL ? xmemdup0(path, (size_t)(slash - path)) : NULL;
	struct copy_folder *folder;
	int result;

	if (slash == NULL) {
		return put_into(worktree, worktree->fd, path, mode, data, len, err);
	}
	folder = copy_folders_enter(worktree->folders, parent, err);
	if (folder == NULL) {
		return err->code;
	}
	result = put_into(worktree, folder->fd, slash + 1, mode, data, len, err);
	copy_folders_leave(worktree->folders, folder);
	return result;
}

int
worktree_put(struct worktree *worktree, const char *path, uint32_t mode, const void *data,
	size_t len, struct err *err)
{
	int result = ERR_BUSY;

	if (check_path(path, err) < 0) {
		return err->code;
	}
	if (mode != TREE_FILE && mode != TREE_PROGRAM && mode != TREE_LINK) {
		return err_raise(err, ERR_INVALID, "mode %o is no file's", mode);
	}
	if (mode == TREE_LINK &&
		(len == 0 || len >= PATH_MAX || memchr(data, '\0', len) != NULL)) {
		return err_raise(err, ERR_INVALID, "a link target that cannot be");
	}
	for (int i = 0; i < PUT_TRIES; i++) {
		result = put_once(worktree, path, mode, data, len, err);
		// Pruned by another thread between opening the folder and writing.
		if (result != ERR_NOT_FOUND) {
			break;
		}
		copy_folders_forget(worktree->folders);
	}
	return result < 0 ? err_wrap(err, "write the browsable copy") : 0;
}

// Remove the folders above @path as long as they are empty.
static void
prune(struct worktree *worktree, const char *path)
{
	AUTO_FREE char *folder = xstrdup(path);
	struct err ignored;

	for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
		const char *name;

		*slash = '\0';
		AUTO_CLOSE int dirfd = open_parent(worktree, folder, &name, &ignored);
		if (dirfd < 0 || unlinkat(dirfd, name, AT_REMOVEDIR) < 0) {
			return;
		}
	}
}

int
worktree_remove(struct worktree *worktree, const char *path, struct err *err)
{
	const char *name;

	if (check_path(path, err) < 0) {
		return err->code;
	}
	AUTO_CLOSE int dirfd = open_parent(worktree, path, &name, err);
	if (dirfd < 0) {
		// Not there, or a link in the way: then our file is not there either.
		return dirfd == ERR_NOT_FOUND || err->sys == ELOOP || err->sys == ENOTDIR
			? 0
			: err_wrap(err, "remove from the browsable copy");
	}
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT && errno != EISDIR) {
		return err_errno(err, "remove %s", name);
	}
	prune(worktree, path);
	return 0;
}

// ---- healing

struct heal {
	struct worktree *worktree;
	struct repo *repo;
	struct index *index;
	bool hash_all;
	struct buf path;
	struct worktree_healed counts;
};

// What a folder of the disk holds; seen when the tree has it too.
struct name {
	char *text;
	bool seen;
};

struct names {
	struct name *list;
	size_t count;
	size_t capacity;
};

static void
names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		free(names->list[i].text);
	}
	free(names->list);
}

static int
by_name(const void *left, const void *right)
{
	return strcmp(
		((const struct name *)left)->text, ((const struct name *)right)->text);
}

static int
list_folder(int dirfd, struct names *names, struct err *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL) {
		base_close_p(&fd);
		return err_errno(err, "list a folder of the browsable copy");
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			names->list = xgrow(names->list, names->count, &names->capacity,
				sizeof(*names->list));
			names->list[names->count++] =
				(struct name){ xstrdup(entry->d_name), false };
		}
	}
	(void)closedir(dir);
	if (names->count > 1) {
		qsort(names->list, names->count, sizeof(*names->list), by_name);
	}
	return 0;
}

static int
enter(struct heal *heal, const char *name, struct err *err)
{
	if (heal->path.len > 0 && buf_add(&heal->path, "/", 1, err) < 0) {
		return err->code;
	}
	return buf_add_text(&heal->path, name, err);
}

static void
leave(struct heal *heal, size_t len)
{
	heal->path.len = len;
	heal->path.data[len] = '\0';
}

// The name git would give to what is on the disk; zero when it is something else.
static int
hash_disk(int dirfd, const char *name, uint32_t mode, const struct stat *info,
	struct oid *ret_oid, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = PACK_OBJECT_MAX };

	*ret_oid = (struct oid){ { 0 } };
	if (mode == TREE_LINK) {
		char target[PATH_MAX];
		ssize_t len = S_ISLNK(info->st_mode)
			? readlinkat(dirfd, name, target, sizeof(target))
			: -1;

		if (len > 0) {
			oid_of(OBJECT_BLOB, target, (size_t)len, ret_oid);
		}
		return 0;
	}
	if (!S_ISREG(info->st_mode) ||
		((info->st_mode & S_IXUSR) != 0) != (mode == TREE_PROGRAM)) {
		return 0;
	}
	AUTO_CLOSE int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fd_read_all(fd, &text, err) < 0) {
		// What cannot be read is written again.
		err_clear(err);
		return 0;
	}
	oid_of(OBJECT_BLOB, buf_text(&text), text.len, ret_oid);
	return 0;
}

static int
heal_file(struct heal *heal, int dirfd, const struct tree_entry *entry, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = PACK_OBJECT_MAX };
	struct oid have = { { 0 } };
	struct stat info;
	bool there = fstatat(dirfd, entry->name, &info, AT_SYMLINK_NOFOLLOW) == 0;

	if (entry->mode == TREE_COMMIT) {
		return 0;
	}
	if (there && !heal->hash_all &&
		index_proves(
			heal->index, heal->path.data, entry->mode, &entry->oid, &info)) {
		return 0;
	}
	if (there && hash_disk(dirfd, entry->name, entry->mode, &info, &have, err) < 0) {
		return err->code;
	}
	if (oid_equal(&have, &entry->oid)) {
		return 0;
	}
	if (repo_read(heal->repo, &entry->oid, OBJECT_BLOB, &text, err) < 0) {
		return err->code;
	}
	heal->counts.written++;
	return worktree_put(heal->worktree, heal->path.data,
		// Old repositories have modes git no longer writes.
		entry->mode == TREE_LINK          ? (uint32_t)TREE_LINK
			: (entry->mode & S_IXUSR) ? (uint32_t)TREE_PROGRAM
						  : (uint32_t)TREE_FILE,
		buf_text(&text), text.len, err);
}

static int heal_folder(
	struct heal *heal, int dirfd, const struct oid *tree, int depth, struct err *err);

static bool
is_temporary(const char *name)
{
	return strncmp(name, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0;
}

// Written by a cycle that was cut short: what is copied stands where it came from, and
// what is made says what it is.
static bool
is_half_done(const struct heal *heal, int dirfd, const char *name)
{
	const char *path = heal->path.data;

	for (size_t i = 0; i < heal->worktree->nown; i++) {
		const struct own *own = &heal->worktree->own[i];
		size_t len = strlen(own->name);

		if (strncmp(path, own->name, len) == 0 && path[len] == '/') {
			return own->source != NULL
				? alike_is_copy(dirfd, name, own->source, path + len + 1)
				: alike_begins(dirfd, name, SIDECAR_FIRST_LINE);
		}
	}
	return false;
}

// Take a file or link away: for good when it is ours, else aside.
static int
drop(struct heal *heal, int dirfd, const char *name, const struct stat *info,
	struct err *err)
{
	if (!is_temporary(name) && !index_unchanged(heal->index, heal->path.data, info) &&
		!is_half_done(heal, dirfd, name)) {
		heal->counts.set_aside++;
		return set_aside(heal->worktree, dirfd, name, err);
	}
	heal->counts.removed++;
	return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT
		? err_errno(err, "remove %s", name)
		: 0;
}

// At the top may stand what a person put there.
static bool
is_ours(const struct heal *heal, const char *name)
{
	const char *path = heal->path.data;

	for (size_t i = 0; i < heal->worktree->nown; i++) {
		if (strcmp(heal->worktree->own[i].name, name) == 0) {
			return true;
		}
	}
	return index_has(heal->index, path) || index_has_below(heal->index, path) ||
		is_temporary(name);
}

// Something the commit does not have.
static int
heal_extra(struct heal *heal, int dirfd, const char *name, int depth, struct err *err)
{
	const char *path = heal->path.data;
	struct stat info;

	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return 0;
	}
	if (depth == 0 && !is_ours(heal, name)) {
		return 0;
	}
	if (S_ISDIR(info.st_mode)) {
		AUTO_CLOSE int fd = openat(
			dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || heal_folder(heal, fd, NULL, depth + 1, err) < 0) {
			return fd < 0 ? err_errno(err, "open %s", path) : err->code;
		}
		(void)unlinkat(dirfd, name, AT_REMOVEDIR);
		return 0;
	}
	return drop(heal, dirfd, name, &info, err);
}

static int
heal_below(struct heal *heal, int dirfd, const struct tree_entry *entry, int depth,
	struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat info;

	// A foreign file in a folder's place is kept, a file of ours is not worth it.
	if (fstatat(dirfd, entry->name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		!S_ISDIR(info.st_mode) &&
		drop(heal, dirfd, entry->name, &info, err) < 0) {
		return err->code;
	}
	fd = copy_folders_step(dirfd, entry->name, err);
	return fd < 0 ? fd : heal_folder(heal, fd, &entry->oid, depth + 1, err);
}

static int
heal_entry(struct heal *heal, int dirfd, const struct tree_entry *entry, int depth,
	struct err *err)
{
	size_t len = heal->path.len;
	int result;

	if (plain_is_like_git(entry->name)) {
		return 0;
	}
	if (enter(heal, entry->name, err) < 0) {
		return err->code;
	}
	result = (entry->mode & S_IFMT) == TREE_FOLDER
		? heal_below(heal, dirfd, entry, depth, err)
		: heal_file(heal, dirfd, entry, err);
	leave(heal, len);
	return result;
}

static int
heal_extras(struct heal *heal, int dirfd, const struct names *names, int depth,
	struct err *err)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->list[i].text;
		size_t len = heal->path.len;
		int result;

		if (names->list[i].seen || (depth == 0 && plain_is_git(name))) {
			continue;
		}
		if (enter(heal, name, err) < 0) {
			return err->code;
		}
		result = heal_extra(heal, dirfd, name, depth, err);
		leave(heal, len);
		if (result < 0) {
			return result;
		}
	}
	return 0;
}

static void
mark_seen(struct names *names, const char *text)
{
	const struct name key = { (char *)(uintptr_t)text, false };
	struct name *found = names->count == 0
		? NULL
		: bsearch(&key, names->list, names->count, sizeof(*names->list), by_name);

	if (found != NULL) {
		found->seen = true;
	}
}

static int
heal_folder(
	struct heal *heal, int dirfd, const struct oid *tree, int depth, struct err *err)
{
	AUTO(buf_done) struct buf raw = { .max = TREE_RAW_MAX };
	AUTO(names_done) struct names names = { 0 };
	struct tree_entry entry;
	struct tree_iter iter;
	int result;

	if (depth > TREE_DEPTH_MAX) {
		return err_raise(
			err, ERR_TOO_BIG, "more than %d folders deep", TREE_DEPTH_MAX);
	}
	if (list_folder(dirfd, &names, err) < 0 ||
		(tree != NULL &&
			repo_read(heal->repo, tree, OBJECT_TREE, &raw, err) < 0)) {
		return err->code;
	}
	iter = (struct tree_iter){ buf_text(&raw), buf_text(&raw) + raw.len };
	// What is too much goes first: it may stand in the way.
	while ((result = tree_next(&iter, &entry, err)) > 0) {
		mark_seen(&names, entry.name);
	}
	if (result < 0 || heal_extras(heal, dirfd, &names, depth, err) < 0) {
		return err->code;
	}
	iter.at = buf_text(&raw);
	while ((result = tree_next(&iter, &entry, err)) > 0) {
		if (heal_entry(heal, dirfd, &entry, depth, err) < 0) {
			return err->code;
		}
	}
	return result;
}

// Foreign files are kept a month at least, the newest hundred always.
static void
prune_aside(const struct worktree *worktree)
{
	static const struct newest rule = { "", 100, NEWEST_MONTH_MS, 10000 };
	AUTO_FREE char *aside = path_join(worktree->git_dir, HOME_ASIDE);
	struct err ignored;

	(void)!newest_prune(aside, &rule, clock_now_ms(), &ignored);
}

int
worktree_heal(struct worktree *worktree, struct repo *repo, const struct oid *commit,
	bool hash_all, struct worktree_healed *ret_healed, struct err *err)
{
	AUTO(index_freep) struct index *index = NULL;
	struct heal heal = { .worktree = worktree,
		.repo = repo,
		.hash_all = hash_all,
		.path = { .max = TREE_RAW_MAX } };
	struct oid tree;
	int result;

	if ((commit != NULL && repo_commit_tree(repo, commit, &tree, err) < 0) ||
		index_load(repo_git_dir(repo), &index, err) < 0 ||
		buf_add(&heal.path, "", 0, err) < 0) {
		return err_wrap(err, "heal the browsable copy");
	}
	heal.index = index;
	prune_aside(worktree);
	result = heal_folder(&heal, worktree->fd, commit != NULL ? &tree : NULL, 0, err);
	buf_done(&heal.path);
	if (result < 0 || (commit != NULL && index_restat(repo, commit, err) < 0)) {
		return err_wrap(err, "heal the browsable copy");
	}
	*ret_healed = heal.counts;
	return 0;
}
