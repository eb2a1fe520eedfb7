// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/mend.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/newest.h"
#include "base/path.h"
#include "brain/home.h"
#include "brain/oid.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	// A ref is a line of 41 bytes, or the name of another one.
	REF_FILE_MAX = 4096,
	PACKED_MAX = 64 << 20,
	DEPTH_MAX = 64,
};

void
mend_done(struct mend *mend)
{
	for (size_t i = 0; i < mend->count; i++) {
		free(mend->said[i]);
	}
	free(mend->said);
	mend->said = NULL;
	mend->count = mend->capacity = 0;
}

bool
mend_tell(struct mend *mend, const char *what, const char *wrong, const char *done)
{
	AUTO_FREE char *text = mend->look_only
		? xasprintf("%s %s", what, wrong)
		: xasprintf("%s %s: %s", what, wrong, done);

	mend->said =
		xgrow(mend->said, mend->count, &mend->capacity, sizeof(mend->said[0]));
	mend->said[mend->count++] = path_printable_text(text);
	return !mend->look_only;
}

int
mend_set_aside(struct mend *mend, const char *name, struct err *err)
{
	static const struct newest rule = { "", 20, NEWEST_MONTH_MS, 1000 };
	AUTO_FREE char *folder = path_join(mend->git_dir, HOME_DAMAGED);
	AUTO_FREE char *from = path_join(mend->git_dir, name);
	AUTO_FREE char *flat = xstrdup(name);
	AUTO_FREE char *to = NULL;
	struct err ignored;

	for (char *at = flat; (at = strchr(at, '/')) != NULL;) {
		*at = '-';
	}
	to = xasprintf("%s/%lld-%.200s", folder, (long long)clock_now_ms(), flat);
	if (file_make_dirs(folder, 0700, err) < 0) {
		return err->code;
	}
	if (rename(from, to) < 0 && errno != ENOENT) {
		return err_errno(err, "set %s aside", from);
	}
	(void)!newest_prune(folder, &rule, clock_now_ms(), &ignored);
	return 0;
}

// ---- HEAD

// "ref: refs/heads/x", or the 40 digits of an id: as git writes them.
static bool
is_ref_text(const char *text, size_t len)
{
	static const char symbolic[] = "ref: refs/";
	AUTO_FREE char *line = xmemdup0(text, len);
	struct oid oid;

	if (strlen(line) != len) {
		return false;
	}
	while (len > 0 && isspace((unsigned char)line[len - 1])) {
		line[--len] = '\0';
	}
	for (size_t i = 0; i < len; i++) {
		if (iscntrl((unsigned char)line[i])) {
			return false;
		}
	}
	return oid_parse(line, &oid) ||
		(strncmp(line, symbolic, strlen(symbolic)) == 0 &&
			len > strlen(symbolic));
}

// 1 it is one, 0 it is none, or negative.
static int
is_ref_file(int dirfd, const char *name, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = REF_FILE_MAX };

	if (file_read(dirfd, name, &text, err) < 0) {
		return err->code == ERR_TOO_BIG ? 0 : err->code;
	}
	return is_ref_text(buf_text(&text), text.len);
}

// Does anything stand in this folder?
static bool
has_entries(const char *path)
{
	DIR *dir = opendir(path);
	bool found = false;

	for (struct dirent *entry;
		dir != NULL && !found && (entry = readdir(dir)) != NULL;) {
		found = entry->d_name[0] != '.';
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	return found;
}

// A repository that was used, and no making of one that was cut short.
static bool
has_objects(const char *git_dir)
{
	AUTO_FREE char *objects = path_join(git_dir, "objects");
	AUTO_FREE char *pack = path_join(objects, "pack");
	DIR *dir = opendir(objects);
	bool found = has_entries(pack);

	for (struct dirent *entry;
		dir != NULL && !found && (entry = readdir(dir)) != NULL;) {
		found = strlen(entry->d_name) == 2 && entry->d_name[0] != '.';
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	return found;
}

static bool
is_link(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

static int
mend_head(struct mend *mend, struct err *err)
{
	AUTO_FREE char *path = path_join(mend->git_dir, "HEAD");
	AUTO_FREE char *text = xasprintf("ref: %s\n", mend->ref);
	// As old versions of git make it: our library would write through it, into the
	// branch.
	bool link = is_link(path);
	int good = is_ref_file(AT_FDCWD, path, err);
	bool missing = good == ERR_NOT_FOUND;

	if ((good > 0 && !link) || (missing && !has_objects(mend->git_dir))) {
		return 0;
	}
	if (good < 0 && !missing && !link) {
		return err_wrap(err, "read %s", path);
	}
	if (!mend_tell(mend, path,
		    link              ? "is a link"
			    : missing ? "is gone"
				      : "is damaged",
		    "it points at our branch again")) {
		return 0;
	}
	return file_replace_at(path, text, strlen(text), 0644, err);
}

// Git knows no repository without this folder, whatever is in the table of refs.  What
// the table says of our branch may be old: an empty file says that nobody knows.
static int
mend_folders(struct mend *mend, struct err *err)
{
	AUTO_FREE char *refs = path_join(mend->git_dir, "refs");
	AUTO_FREE char *branch = path_join(mend->git_dir, mend->ref);
	AUTO_FREE char *folder =
		xmemdup0(branch, (size_t)(strrchr(branch, '/') - branch));

	if (access(refs, F_OK) == 0 || errno != ENOENT || !has_objects(mend->git_dir)) {
		return 0;
	}
	mend->lost_tags = true;
	if (!mend_tell(mend, refs, "is gone", "it is made again")) {
		return 0;
	}
	return file_make_dirs(folder, 0755, err) < 0
		? err->code
		: file_replace_at(branch, "", 0, 0644, err);
}

// ---- the table of packed refs

// "<id> refs/tags/x", or "^<id>" for what the tag above it leads to.
static bool
is_packed_line(const char *line, size_t len)
{
	AUTO_FREE char *copy = xmemdup0(line, len);
	char *name = strchr(copy, ' ');
	struct oid oid;

	for (size_t i = 0; i < len; i++) {
		if (iscntrl((unsigned char)copy[i])) {
			return false;
		}
	}
	if (copy[0] == '^') {
		return oid_parse(copy + 1, &oid);
	}
	if (name == NULL) {
		return false;
	}
	*name++ = '\0';
	return oid_parse(copy, &oid) && strncmp(name, "refs/", 5) == 0 &&
		strlen(name) > 5 && strchr(name, ' ') == NULL;
}

// What is sound of @text goes to @kept, without the head line: what it promises of the
// order may no longer be true.  @return whether all of it was.
static int
keep_packed(const struct buf *text, struct buf *kept, bool *ret_good, struct err *err)
{
	const char *at = buf_text(text);
	const char *end = at + text->len;
	bool has_ref = false;

	// Whoever writes a table writes a head line.
	*ret_good = text->len > 0;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		bool is_note = at == buf_text(text) && len > 1 && at[0] == '#';
		bool good = stop != NULL && (is_note || is_packed_line(at, len));

		if (good && !is_note && (at[0] != '^' || has_ref)) {
			has_ref = true;
			if (buf_add(kept, at, len + 1, err) < 0) {
				return err->code;
			}
		} else if (!good) {
			has_ref = false;
			*ret_good = false;
		}
		at += len + 1;
	}
	return 0;
}

static int
mend_packed(struct mend *mend, struct err *err)
{
	AUTO_FREE char *path = path_join(mend->git_dir, "packed-refs");
	AUTO_FREE char *lock = xasprintf("%s.lock", path);
	AUTO(buf_done) struct buf text = { .max = PACKED_MAX };
	AUTO(buf_done) struct buf kept = { .max = PACKED_MAX };
	bool good = true;

	if (file_read(AT_FDCWD, path, &text, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err_wrap(err, "read %s", path);
	}
	if (keep_packed(&text, &kept, &good, err) < 0) {
		return err->code;
	}
	// Somebody's git is at it: the next time.
	if (good || access(lock, F_OK) == 0) {
		return 0;
	}
	mend->lost_tags = true;
	if (!mend_tell(mend, path, "is damaged",
		    "what is sound of it is kept, the rest is in " HOME_DAMAGED)) {
		return 0;
	}
	return mend_set_aside(mend, "packed-refs", err) < 0 ||
			(kept.len > 0 &&
				file_replace_at(path, kept.data, kept.len, 0644, err) < 0)
		? err->code
		: 0;
}

// ---- loose refs

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static int
mend_ref(
	struct mend *mend, int dirfd, const char *name, const char *path, struct err *err)
{
	AUTO_FREE char *whole = path_join(mend->git_dir, path);
	int good;

	// Where our branch stood, others know better.
	if (strcmp(path, mend->ref) == 0 || ends_with(name, ".lock") ||
		strncmp(name, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0) {
		return 0;
	}
	good = is_ref_file(dirfd, name, err);
	if (good != 0) {
		return good == ERR_NOT_FOUND || good > 0 ? 0 : good;
	}
	mend->lost_tags = mend->lost_tags || strncmp(path, "refs/tags/", 10) == 0;
	return mend_tell(mend, whole, "is damaged", "it is set aside to " HOME_DAMAGED)
		? mend_set_aside(mend, path, err)
		: 0;
}

static int
mend_loose(struct mend *mend, int parent, const char *name, const char *path, int depth,
	struct err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	int result = 0;

	if (dir == NULL) {
		base_close_p(&fd);
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			? 0
			: err_errno(err, "list %s/%s", mend->git_dir, path);
	}
	for (struct dirent *entry; result == 0 && (entry = readdir(dir)) != NULL;) {
		AUTO_FREE char *below = path_join(path, entry->d_name);
		struct stat info;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
			continue;
		}
		if (S_ISREG(info.st_mode)) {
			result = mend_ref(mend, fd, entry->d_name, below, err);
		} else if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX) {
			result = mend_loose(
				mend, fd, entry->d_name, below, depth + 1, err);
		}
	}
	(void)closedir(dir);
	return result;
}

// Ours, and none can be found again: what it made are names, and they get others.
static int
mend_key(struct mend *mend, struct err *err)
{
	AUTO_FREE char *path = path_join(mend->git_dir, HOME_KEY);
	struct stat info;

	if (stat(path, &info) < 0 || info.st_size == HOME_KEY_LEN) {
		return 0;
	}
	return mend_tell(mend, path, "is damaged",
		       "there is a new one, so that marks of what was taken out get "
		       "other "
		       "numbers and what a person allowed must be allowed again")
		? mend_set_aside(mend, HOME_KEY, err)
		: 0;
}

int
mend_refs(struct mend *mend, struct err *err)
{
	AUTO_CLOSE int fd = open(mend->git_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "open %s", mend->git_dir);
	}
	if (mend_key(mend, err) < 0 || mend_head(mend, err) < 0 ||
		mend_folders(mend, err) < 0 || mend_packed(mend, err) < 0 ||
		mend_loose(mend, fd, "refs", "refs", 0, err) < 0) {
		return err_wrap(err, "put the refs right");
	}
	return 0;
}
