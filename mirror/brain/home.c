// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/home.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// libgit2 tries out with such a file what the file system can do.
#define PROBE "_git2_"

bool
home_is_free(const char *path, bool worktree)
{
	static const char *const bare[] = { ".", "..", "HEAD", "config", "description",
		"hooks", "info", "objects", "refs", "branches", "mirror" };
	static const char *const beside[] = { ".", "..", ".git" };
	const char *const *names = worktree ? beside : bare;
	size_t count = worktree ? countof(beside) : countof(bare);
	bool good = true;
	DIR *dir = opendir(path);

	if (dir == NULL) {
		return errno == ENOENT;
	}
	for (struct dirent *entry; good && (entry = readdir(dir)) != NULL;) {
		bool known = false;

		for (size_t i = 0; i < count && !known; i++) {
			known = strcmp(entry->d_name, names[i]) == 0;
		}
		good = known || strncmp(entry->d_name, "config.lock", 11) == 0 ||
			strncmp(entry->d_name, "HEAD.lock", 9) == 0 ||
			strncmp(entry->d_name, PROBE, strlen(PROBE)) == 0;
	}
	(void)closedir(dir);
	return good;
}

void
home_clear_probes(const char *path)
{
	DIR *dir = opendir(path);

	if (dir == NULL) {
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strncmp(entry->d_name, PROBE, strlen(PROBE)) == 0) {
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
		}
	}
	(void)closedir(dir);
}

void
home_clear(const char *path, bool worktree)
{
	static const char *const locks[] = { "config.lock", "HEAD.lock" };

	for (size_t i = 0; i < countof(locks); i++) {
		AUTO_FREE char *below = path_join(worktree ? ".git" : "", locks[i]);
		AUTO_FREE char *lock = path_join(path, below);

		(void)unlink(lock);
	}
	home_clear_probes(path);
}

int
home_write_attributes(const char *git_dir, struct err *err)
{
	static const char text[] = "* -text -eol -ident -filter -working-tree-encoding\n";
	AUTO_FREE char *info = path_join(git_dir, "info");
	AUTO_FREE char *path = path_join(info, "attributes");
	AUTO(buf_done) struct buf have = { .max = 64 * 1024 };

	if (file_make_dirs(info, 0700, err) < 0) {
		return err->code;
	}
	if (file_read(AT_FDCWD, path, &have, err) < 0 && err->code != ERR_NOT_FOUND) {
		return err_wrap(err, "read info/attributes");
	}
	if (strcmp(buf_text(&have), text) == 0) {
		return 0;
	}
	err_clear(err);
	return file_replace_at(path, text, strlen(text), 0600, err);
}

int
home_make_key(const char *git_dir, struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, HOME_KEY);
	AUTO_FREE char *staging = path_join(git_dir, HOME_STAGING);
	uint8_t key[HOME_KEY_LEN];
	struct stat info;
	int result;

	if (file_make_dirs(staging, 0700, err) < 0) {
		return err->code;
	}
	if (lstat(path, &info) == 0) {
		return 0;
	}
	if (errno != ENOENT) {
		return err_errno(err, "look at %s", path);
	}
	if (hash_random(key, sizeof(key), err) < 0) {
		return err->code;
	}
	result = file_replace_at(path, key, sizeof(key), 0600, err);
	explicit_bzero(key, sizeof(key));
	return result;
}

int
home_key(const char *git_dir, uint8_t ret_key[HOME_KEY_LEN], struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, HOME_KEY);
	AUTO(buf_done) struct buf key = { .max = HOME_KEY_LEN + 1 };

	if (file_read(AT_FDCWD, path, &key, err) < 0) {
		return err_wrap(err, "read the repo's key");
	}
	if (key.len != HOME_KEY_LEN) {
		return err_raise(err, ERR_CORRUPT, "%s has %zu bytes, not %d", path,
			key.len, HOME_KEY_LEN);
	}
	memcpy(ret_key, key.data, HOME_KEY_LEN);
	explicit_bzero(key.data, key.len);
	return 0;
}

// One commit's name in a file of its own: 1, 0 there is none, or negative.
static int
read_commit(
	const char *git_dir, const char *name, struct oid *ret_commit, struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, name);
	AUTO(buf_done) struct buf text = { .max = OID_HEX_MAX };

	if (file_read(AT_FDCWD, path, &text, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err->code;
	}
	return oid_parse(buf_text(&text), ret_commit)
		? 1
		: err_raise(err, ERR_CORRUPT, "%s names no commit", path);
}

static int
write_commit(
	const char *git_dir, const char *name, const struct oid *commit, struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, name);
	char hex[OID_HEX_MAX];

	if (commit != NULL) {
		return file_replace_at(
			path, oid_hex(commit, hex), OID_HEX_MAX - 1, 0600, err);
	}
	return unlink(path) < 0 && errno != ENOENT ? err_errno(err, "remove %s", path)
						   : 0;
}

int
home_replaces(const char *git_dir, struct oid *ret_commit, struct err *err)
{
	return read_commit(git_dir, "mirror/replaces", ret_commit, err);
}

int
home_set_replaces(const char *git_dir, const struct oid *commit, struct err *err)
{
	return write_commit(git_dir, "mirror/replaces", commit, err);
}

int
home_lost(const char *git_dir, struct oid *ret_commit, struct err *err)
{
	return read_commit(git_dir, "mirror/lost", ret_commit, err);
}

int
home_set_lost(const char *git_dir, const struct oid *commit, struct err *err)
{
	return write_commit(git_dir, "mirror/lost", commit, err);
}

bool
home_is_unpruned(const char *git_dir)
{
	AUTO_FREE char *path = path_join(git_dir, "mirror/unpruned");

	// What cannot be asked for is taken for owed: to prune once more does no harm.
	return access(path, F_OK) == 0 || errno != ENOENT;
}

int
home_set_unpruned(const char *git_dir, bool unpruned, struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, "mirror/unpruned");

	if (unpruned) {
		return file_replace_at(path, "", 0, 0600, err);
	}
	return unlink(path) < 0 && errno != ENOENT ? err_errno(err, "remove %s", path)
						   : 0;
}
