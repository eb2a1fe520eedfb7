// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * For each path, in this order:
 *
 *     safety copy      journal line      temporary      fsync of all three      its name
 *     -----------      ------------      ---------      ------------------      --------
 *     killed here: a copy too many     killed here: the line names a change that was not
 *                                      made, which undo sees by the bytes
 *
 * So a journal is always at least what happened.  Taking back goes from the last line to
 * the first and looks at each path before it touches it:
 *
 *     what stands there     is put back by
 *     what we restored      removing it, or giving the safety copy its name
 *     the safety copy       nothing: it is done
 *     anything else         nothing: somebody changed it since; it is told
 *
 * Modes and times come last, since all this changes them.
 */

#include "restore/undo.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "restore/journal.h"
#include "restore/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static const char journal_name[] = "journal";
static const char files_name[] = "files";

enum {
	XATTR_MAX = 64 * 1024,
	// A line with the longest path there can be, many times over.
	LINES_MAX = 64 << 20,
};

struct undo {
	char id[RESTORE_UNDO_ID_MAX];
	int dirfd;
	int files;
	int journal;
	/** Room for the line being written. */
	struct buf lines;
	/** The folder the last safety copies went to, to be synced; -1 for none. */
	int last;
	char *last_path;
};

// ---- remembering

// "20261121T093000.123-1a2b": sorts by time.
static int
make_id(char id[RESTORE_UNDO_ID_MAX], struct err *err)
{
	int64_t now_ms = clock_now_ms();
	time_t now_s = (time_t)(now_ms / 1000);
	uint16_t salt = 0;
	struct tm tm;
	char text[20];

	if (hash_random(&salt, sizeof(salt), err) < 0) {
		return err->code;
	}
	(void)gmtime_r(&now_s, &tm);
	(void)strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &tm);
	(void)snprintf(id, RESTORE_UNDO_ID_MAX, "%s.%03d-%04x", text,
		(int)(now_ms % 1000), salt);
	return 0;
}

static int
open_dir(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open %s", name) : fd;
}

static int
begin(struct undo *undo, int top, struct err *err)
{
	if (mkdirat(top, undo->id, 0700) < 0) {
		return err_errno(err, "make the folder for safety copies");
	}
	undo->dirfd = open_dir(top, undo->id, err);
	if (undo->dirfd < 0) {
		return err->code;
	}
	if (mkdirat(undo->dirfd, files_name, 0700) < 0) {
		return err_errno(err, "make the folder for safety copies");
	}
	undo->files = open_dir(undo->dirfd, files_name, err);
	if (undo->files < 0) {
		return err->code;
	}
	undo->journal = openat(undo->dirfd, journal_name,
		O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (undo->journal < 0) {
		return err_errno(err, "make the journal");
	}
	return 0;
}

int
undo_begin(const char *dir, const struct oid *commit, const struct restore_root *roots,
	size_t nroots, struct undo **ret_undo, struct err *err)
{
	AUTO(undo_freep) struct undo *undo = xcalloc(1, sizeof(*undo));
	AUTO_CLOSE int top = -1;

	undo->dirfd = undo->files = undo->journal = undo->last = -1;
	undo->lines.max = LINES_MAX;
	if (file_make_dirs(dir, 0700, err) < 0) {
		return err_wrap(err, "keep safety copies");
	}
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0) {
		return err_errno(err, "open %s", dir);
	}
	if (make_id(undo->id, err) < 0 || begin(undo, top, err) < 0 ||
		journal_write_head(&undo->lines, commit, roots, nroots, err) < 0 ||
		undo_sync(undo, err) < 0 || fd_sync(undo->dirfd, undo->id, err) < 0 ||
		fd_sync(top, dir, err) < 0) {
		return err_wrap(err, "keep safety copies in %s", dir);
	}
	*ret_undo = STEAL(undo);
	return 0;
}

void
undo_free(struct undo *undo)
{
	if (undo == NULL) {
		return;
	}
	base_close_p(&undo->dirfd);
	base_close_p(&undo->files);
	base_close_p(&undo->journal);
	base_close_p(&undo->last);
	buf_done(&undo->lines);
	free(undo->last_path);
	free(undo);
}

void
undo_freep(struct undo **undo)
{
	undo_free(*undo);
}

const char *
undo_id(const struct undo *undo)
{
	return undo->id;
}

// To the kernel: a killed process leaves it behind.
static int
write_lines(struct undo *undo, struct err *err)
{
	if (fd_write_all(undo->journal, buf_text(&undo->lines), undo->lines.len, err) <
		0) {
		return err_wrap(err, "write the journal");
	}
	buf_clear(&undo->lines);
	return 0;
}

static int
leave_last(struct undo *undo, struct err *err)
{
	if (undo->last >= 0 && fd_sync(undo->last, "the safety copies", err) < 0) {
		return err->code;
	}
	base_close_p(&undo->last);
	undo->last = -1;
	return 0;
}

int
undo_sync(struct undo *undo, struct err *err)
{
	if (leave_last(undo, err) < 0 || write_lines(undo, err) < 0) {
		return err->code;
	}
	return fd_sync(undo->journal, "the journal", err);
}

// At once: what was begun after it, a temporary even, is known to whoever takes it back.
static int
add_line(struct undo *undo, const struct journal_line *line, struct err *err)
{
	return journal_write_line(&undo->lines, line, err) < 0 ? err->code
							       : write_lines(undo, err);
}

int
undo_make(struct undo *undo, const char *path, bool is_link, const struct oid *oid,
	struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	struct journal_line line = {
		.kind = JOURNAL_MADE,
		.entry = is_link ? SIDECAR_LINK : SIDECAR_FILE,
		.oid = *oid,
		.path = copy,
	};

	return add_line(undo, &line, err);
}

int
undo_make_folder(struct undo *undo, const char *path, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	struct journal_line line = {
		.kind = JOURNAL_MADE,
		.entry = SIDECAR_FOLDER,
		.path = copy,
	};

	return add_line(undo, &line, err);
}

int
undo_change(
	struct undo *undo, const char *path, const struct stat *before, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	struct journal_line line = {
		.kind = JOURNAL_CHANGED,
		.mode = before->st_mode & 07777,
		.mtime = before->st_mtim,
		.path = copy,
	};

	return add_line(undo, &line, err);
}

// What a second name would keep by itself, as far as we may.
static int
copy_facts(int from, int to, const struct stat *info, struct err *err)
{
	AUTO_FREE char *names = xmalloc(XATTR_MAX);
	AUTO_FREE char *value = xmalloc(XATTR_MAX);
	struct place_facts facts = {
		.has_mode = true,
		.mode = info->st_mode & 07777,
		.has_time = true,
		.mtime = info->st_mtim,
		.has_owner = geteuid() == 0,
		.uid = info->st_uid,
		.gid = info->st_gid,
	};
	ssize_t len = flistxattr(from, names, XATTR_MAX);
	bool lost = false;

	for (const char *name = names; len > 0 && name < names + len;
		name += strlen(name) + 1) {
		ssize_t got = fgetxattr(from, name, value, XATTR_MAX);

		if (got >= 0) {
			(void)fsetxattr(to, name, value, (size_t)got, 0);
		}
	}
	return place_give(to, &facts, &lost, err);
}

static int
copy_file(int dirfd, const char *name, int todir, const char *to_name, struct err *err)
{
	AUTO_FREE char *temp = place_temp(to_name);
	AUTO_CLOSE int from = openat(
		dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	AUTO_CLOSE int to = -1;
	struct stat info;

	if (from < 0 || fstat(from, &info) < 0) {
		return err_errno(err, "open what is to be replaced");
	}
	to = openat(todir, temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0) {
		return err_errno(err, "make the safety copy");
	}
	if (place_copy(from, to, err) < 0 || copy_facts(from, to, &info, err) < 0 ||
		fd_sync(to, "the safety copy", err) < 0) {
		goto undo;
	}
	if (place_rename_new(todir, temp, to_name, err) < 0) {
		goto undo;
	}
	return 0;

undo:
	(void)unlinkat(todir, temp, 0);
	return err_wrap(err, "make the safety copy");
}

static int
copy_link(int dirfd, const char *name, int todir, const char *to_name, struct err *err)
{
	AUTO_FREE char *target = xmalloc(PLACE_LINK_MAX + 1);
	ssize_t len = readlinkat(dirfd, name, target, PLACE_LINK_MAX);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
	struct stat info;

	if (len < 0 || fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "read the link that is to be replaced");
	}
	target[len] = '\0';
	times[1] = info.st_mtim;
	if (symlinkat(target, todir, to_name) < 0 ||
		utimensat(todir, to_name, times, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "make the safety copy of a link");
	}
	return 0;
}

// A second name for the thing itself, or a copy of it.
static int
give_second(int dirfd, const char *name, int todir, const char *to_name, bool is_link,
	struct err *err)
{
	if (linkat(dirfd, name, todir, to_name, 0) == 0) {
		return 0;
	}
	if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP) {
		return err_errno(err, "make the safety copy");
	}
	return is_link ? copy_link(dirfd, name, todir, to_name, err)
		       : copy_file(dirfd, name, todir, to_name, err);
}

// "a/b/c" to "a/b"; "" above a single name.  Owned by the caller.
static char *
above(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? xmemdup0(path, (size_t)(slash - path)) : xstrdup("");
}

int
undo_replace(struct undo *undo, int dirfd, const char *name, const char *path,
	bool is_link, const struct oid *oid, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_FREE char *folder = above(path);
	struct journal_line line = {
		.kind = JOURNAL_REPLACED,
		.entry = is_link ? SIDECAR_LINK : SIDECAR_FILE,
		.oid = *oid,
		.path = copy,
	};
	struct stat info;

	if (undo->last < 0 || strcmp(undo->last_path, folder) != 0) {
		if (leave_last(undo, err) < 0 ||
			place_open(undo->files, folder, PLACE_MAKE, &undo->last, err) <
				0) {
			return err_wrap(err, "keep a safety copy");
		}
		free(undo->last_path);
		undo->last_path = STEAL(folder);
	}
	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "look at what is to be replaced");
	}
	if (give_second(dirfd, name, undo->last, path_base(path), S_ISLNK(info.st_mode),
		    err) < 0) {
		return err->code;
	}
	return add_line(undo, &line, err);
}

int
undo_end(struct undo *undo, struct err *err)
{
	return buf_add_text(&undo->lines, JOURNAL_DONE, err) < 0 ? err->code
								 : undo_sync(undo, err);
}

// ---- what there is

const char *
undo_state_word(enum undo_state state)
{
	static const char *const words[] = {
		[UNDO_CUT_SHORT] = "cut short",
		[UNDO_DONE] = "done",
		[UNDO_UNDONE] = "taken back",
		[UNDO_DAMAGED] = "damaged",
	};

	return words[state];
}

static int
read_journal(int top, const char *id, struct journal *ret_journal, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = JOURNAL_MAX };
	AUTO_CLOSE int dirfd = open_dir(top, id, err);

	if (dirfd < 0) {
		return err->code;
	}
	if (file_read(dirfd, journal_name, &text, err) < 0 ||
		journal_parse(buf_text(&text), text.len, ret_journal, err) < 0) {
		return err_wrap(err, "read the journal of %s", id);
	}
	return 0;
}

static int
newest_first(const void *left, const void *right)
{
	return strcmp(*(char *const *)right, *(char *const *)left);
}

struct ids {
	char **rows;
	size_t count;
	size_t capacity;
};

static void
ids_done(struct ids *ids)
{
	for (size_t i = 0; i < ids->count; i++) {
		free(ids->rows[i]);
	}
	free(ids->rows);
}

static int64_t
time_of(const char *id)
{
	struct tm tm = { 0 };
	const char *rest = strptime(id, "%Y%m%dT%H%M%S", &tm);

	if (rest == NULL || *rest != '.' || strlen(id) >= RESTORE_UNDO_ID_MAX) {
		return -1;
	}
	return (int64_t)timegm(&tm) * 1000 + strtol(rest + 1, NULL, 10);
}

static int
list_ids(int top, struct ids *ids, struct err *err)
{
	int copy = fcntl(top, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;

	if (dir == NULL) {
		base_close_p(&copy);
		return err_errno(err, "list the safety copies");
	}
	for (struct dirent *entry;
		(entry = readdir(dir)) != NULL && ids->count < UNDO_LIST_MAX;) {
		if (time_of(entry->d_name) < 0) {
			continue;
		}
		ids->rows = xgrow(
			ids->rows, ids->count, &ids->capacity, sizeof(ids->rows[0]));
		ids->rows[ids->count++] = xstrdup(entry->d_name);
	}
	(void)closedir(dir);
	if (ids->count > 1) {
		qsort(ids->rows, ids->count, sizeof(ids->rows[0]), newest_first);
	}
	return 0;
}

static struct undo_item
item_of(int top, const char *id)
{
	AUTO(journal_done) struct journal journal = { 0 };
	struct undo_item item = { .id = id, .at_ms = time_of(id) };
	struct err ignored;

	if (read_journal(top, id, &journal, &ignored) < 0) {
		item.state = UNDO_DAMAGED;
		return item;
	}
	item.commit = journal.commit;
	item.paths = journal.nlines;
	item.state = journal.undone ? UNDO_UNDONE
		: journal.done      ? UNDO_DONE
				    : UNDO_CUT_SHORT;
	return item;
}

int
undo_each(const char *dir, undo_fn *fn, void *payload, struct err *err)
{
	AUTO(ids_done) struct ids ids = { 0 };
	AUTO_CLOSE int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = 0;

	if (top < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "open %s", dir);
	}
	if (list_ids(top, &ids, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < ids.count && result == 0; i++) {
		struct undo_item item = item_of(top, ids.rows[i]);

		result = fn(&item, payload);
	}
	return result;
}

// ---- taking back

struct taking {
	struct journal journal;
	int files;
	restore_told_fn *told;
	void *payload;
	struct undo_result *result;
};

static int
leave(struct taking *taking, const struct journal_line *line, const char *why)
{
	struct restore_path path = {
		.path = line->path,
		.kind = line->entry,
		.verdict = RESTORE_CONFLICT,
		.why = why,
	};

	taking->result->left++;
	return taking->told != NULL ? taking->told(&path, taking->payload) : 0;
}

// The folder on disk that @path is in, and its name there.  1, or 0 when it is gone.
static int
open_above(struct taking *taking, const char *path, int *ret_fd, const char **ret_name,
	struct err *err)
{
	size_t len = (size_t)(strchrnul(path, '/') - path);

	for (size_t i = 0; i < taking->journal.nroots; i++) {
		const struct restore_root *root = &taking->journal.roots[i];
		bool is_root = path[len] == '\0';
		AUTO_CLOSE int base = -1;
		AUTO_FREE char *folder =
			is_root ? above(root->path) : above(path + len + 1);

		if (strlen(root->name) != len || strncmp(root->name, path, len) != 0) {
			continue;
		}
		base = open(is_root ? (folder[0] != '\0' ? folder : "/") : root->path,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (base < 0) {
			return errno == ENOENT ? 0
					       : err_errno(err, "open %s", root->path);
		}
		*ret_name = path_base(is_root ? root->path : path);
		if (is_root) {
			*ret_fd = STEAL_FD(base);
			return 1;
		}
		if (place_open(base, folder, PLACE_FORCE, ret_fd, err) < 0) {
			return err->code == ERR_NOT_FOUND || err->code == ERR_EXISTS
				? 0
				: err->code;
		}
		return 1;
	}
	return err_raise(
		err, ERR_CORRUPT, "the journal does not say where %.100s is", path);
}

static int
take_folder(struct taking *taking, const struct journal_line *line, int dirfd,
	const char *name, struct err *err)
{
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0) {
		taking->result->removed++;
		return 0;
	}
	if (errno == ENOENT) {
		return 0;
	}
	if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) {
		return leave(taking, line, "there is something in it");
	}
	return err_errno(err, "remove %.100s", line->path);
}

// What a killed restore had only begun to write.
static int
clear_temp(int dirfd, const char *name, struct err *err)
{
	AUTO_FREE char *temp = place_temp(name);

	return place_clear_temp(dirfd, temp, err);
}

static int
take_made(struct taking *taking, const struct journal_line *line, int dirfd,
	const char *name, struct err *err)
{
	struct stat info;
	int found;

	if (line->entry == SIDECAR_FOLDER) {
		return take_folder(taking, line, dirfd, name, err);
	}
	if (clear_temp(dirfd, name, err) < 0) {
		return err->code;
	}
	found = place_compare_ours(dirfd, name, line->entry, &line->oid, &info, err);
	if (found < 0 || found == PLACE_FREE) {
		return found < 0 ? found : 0;
	}
	if (found == PLACE_DIFFERENT) {
		return leave(taking, line, "it was changed since");
	}
	if (unlinkat(dirfd, name, 0) < 0) {
		return err_errno(err, "remove %.100s", line->path);
	}
	taking->result->removed++;
	return 0;
}

// Is what stands at @name the safety copy, by identity or by its bytes?
static int
is_back(int dirfd, const char *name, int safedir, const char *safe, struct err *err)
{
	struct stat here;
	struct stat kept;
	struct oid oid;
	uint64_t len;

	if (fstatat(safedir, safe, &kept, AT_SYMLINK_NOFOLLOW) < 0) {
		return err_errno(err, "look at the safety copy");
	}
	if (fstatat(dirfd, name, &here, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "look at what is there");
	}
	if (here.st_dev == kept.st_dev && here.st_ino == kept.st_ino) {
		return 1;
	}
	if ((here.st_mode & S_IFMT) != (kept.st_mode & S_IFMT)) {
		return 0;
	}
	if (S_ISLNK(kept.st_mode)) {
		AUTO_FREE char *target = xmalloc(PLACE_LINK_MAX);
		ssize_t got = readlinkat(safedir, safe, target, PLACE_LINK_MAX);

		if (got < 0) {
			return err_errno(err, "read the safety copy");
		}
		oid_of(OBJECT_BLOB, target, (size_t)got, &oid);
		return place_compare_ours(dirfd, name, SIDECAR_LINK, &oid, &here, err) ==
			PLACE_SAME;
	}

	AUTO_CLOSE int fd = openat(
		safedir, safe, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, "read the safety copy");
	}
	if (place_hash(fd, &oid, &len, err) < 0) {
		return err->code;
	}
	return place_compare_ours(dirfd, name, SIDECAR_FILE, &oid, &here, err) ==
		PLACE_SAME;
}

static int
put_back(int dirfd, const char *name, int safedir, const char *safe, bool is_link,
	struct err *err)
{
	AUTO_FREE char *temp = place_temp(name);

	if (place_clear_temp(dirfd, temp, err) < 0 ||
		give_second(safedir, safe, dirfd, temp, is_link, err) < 0) {
		return err->code;
	}
	if (renameat(dirfd, temp, dirfd, name) < 0) {
		err_errno(err, "put the safety copy back");
		(void)unlinkat(dirfd, temp, 0);
		return err->code;
	}
	return 0;
}

static int
take_replaced(struct taking *taking, const struct journal_line *line, int dirfd,
	const char *name, struct err *err)
{
	AUTO_FREE char *folder = above(line->path);
	const char *safe = path_base(line->path);
	AUTO_CLOSE int safedir = -1;
	struct stat info;
	int back;
	int found;

	if (clear_temp(dirfd, name, err) < 0) {
		return err->code;
	}
	if (place_open(taking->files, folder, PLACE_AS_IS, &safedir, err) < 0) {
		return err_wrap(err, "find the safety copy of %.100s", line->path);
	}
	back = is_back(dirfd, name, safedir, safe, err);
	if (back != 0) {
		return back < 0 ? err_wrap(err, "take back %.100s", line->path) : 0;
	}
	found = place_compare_ours(dirfd, name, line->entry, &line->oid, &info, err);
	if (found == PLACE_DIFFERENT) {
		return leave(taking, line, "it was changed since");
	}
	if (found < 0 || fstatat(safedir, safe, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
		put_back(dirfd, name, safedir, safe, S_ISLNK(info.st_mode), err) < 0) {
		return err_wrap(err, "take back %.100s", line->path);
	}
	taking->result->replaced++;
	return 0;
}

static int
take_changed(
	const struct journal_line *line, int dirfd, const char *name, struct err *err)
{
	struct place_facts facts = {
		.has_mode = true,
		.mode = line->mode,
		.has_time = true,
		.mtime = line->mtime,
	};
	struct stat info;
	bool lost = false;

	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "look at %.100s", line->path);
	}
	return place_give_at(dirfd, name, S_ISLNK(info.st_mode), &facts, &lost, err);
}

// A folder of ours that nobody may write to lets us in for a moment.
static int
take_line_in(struct taking *taking, const struct journal_line *line, int dirfd,
	const char *name, struct err *err)
{
	struct stat info;
	bool shut = fstat(dirfd, &info) == 0 && info.st_uid == geteuid() &&
		(info.st_mode & 0300) != 0300;
	int result = 0;

	if (shut && fchmod(dirfd, (info.st_mode & 07777) | 0700) < 0) {
		return err_errno(err, "get into a folder");
	}
	switch (line->kind) {
	case JOURNAL_MADE:
		result = take_made(taking, line, dirfd, name, err);
		break;
	case JOURNAL_REPLACED:
		result = take_replaced(taking, line, dirfd, name, err);
		break;
	case JOURNAL_CHANGED:
		result = take_changed(line, dirfd, name, err);
		break;
	}
	if (shut && fchmod(dirfd, info.st_mode & 07777) < 0 && result == 0) {
		return err_errno(err, "shut a folder again");
	}
	return result;
}

static int
take_line(struct taking *taking, const struct journal_line *line, struct err *err)
{
	AUTO_CLOSE int dirfd = -1;
	const char *name = NULL;
	int result = open_above(taking, line->path, &dirfd, &name, err);

	if (result < 0) {
		return result;
	}
	if (result > 0) {
		result = take_line_in(taking, line, dirfd, name, err);
	} else if (line->kind == JOURNAL_REPLACED) {
		result = leave(taking, line, "its folder is gone");
	}
	// What was put back must be on disk before the journal says so.
	if (result == 0 && dirfd >= 0 && line->kind != JOURNAL_CHANGED &&
		fd_sync(dirfd, "a folder", err) < 0) {
		return err->code;
	}
	return result > 0 ? err_raise(err, ERR_CANCELLED, "cancelled") : result;
}

static int
take_all(struct taking *taking, struct err *err)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = taking->journal.nlines; i-- > 0;) {
			const struct journal_line *line = &taking->journal.lines[i];

			if ((line->kind == JOURNAL_CHANGED) == (pass == 1) &&
				take_line(taking, line, err) < 0) {
				return err->code;
			}
		}
	}
	return 0;
}

static int
append_undone(int dirfd, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = JOURNAL_MAX };
	AUTO_CLOSE int fd =
		openat(dirfd, journal_name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	const char *end;

	if (fd < 0) {
		return err_errno(err, "open the journal");
	}
	if (file_read(dirfd, journal_name, &text, err) < 0) {
		return err->code;
	}
	// A last line that a kill cut off goes, lest it and ours become one.
	end = memrchr(buf_text(&text), '\n', text.len);
	if (end != NULL && ftruncate(fd, end + 1 - buf_text(&text)) < 0) {
		return err_errno(err, "mend the journal");
	}
	if (fd_write_all(fd, JOURNAL_UNDONE, strlen(JOURNAL_UNDONE), err) < 0) {
		return err->code;
	}
	return fd_sync(fd, "the journal", err);
}

struct newest {
	char id[RESTORE_UNDO_ID_MAX];
};

static int
find_newest(const struct undo_item *item, void *payload)
{
	struct newest *newest = payload;

	if (item->state != UNDO_DONE && item->state != UNDO_CUT_SHORT) {
		return 0;
	}
	(void)snprintf(newest->id, sizeof(newest->id), "%s", item->id);
	return 1;
}

static int
choose(const char *dir, const char *id, char ret_id[RESTORE_UNDO_ID_MAX], struct err *err)
{
	struct newest newest = { "" };

	if (id == NULL) {
		if (undo_each(dir, find_newest, &newest, err) < 0) {
			return err->code;
		}
		id = newest.id;
	}
	if (id[0] == '\0' || strchr(id, '/') != NULL || time_of(id) < 0) {
		return err_raise(err, ERR_NOT_FOUND, "there is no restore to take back");
	}
	(void)snprintf(ret_id, RESTORE_UNDO_ID_MAX, "%s", id);
	return 0;
}

static void
taking_done(struct taking *taking)
{
	journal_done(&taking->journal);
	base_close_p(&taking->files);
}

int
undo_run(const char *dir, const char *id, restore_told_fn *told, void *payload,
	struct undo_result *ret_result, struct err *err)
{
	AUTO(taking_done)
	struct taking taking = {
		.files = -1, .told = told, .payload = payload, .result = ret_result
	};
	AUTO_CLOSE int top = -1;
	AUTO_CLOSE int dirfd = -1;

	*ret_result = (struct undo_result){ 0 };
	if (choose(dir, id, ret_result->id, err) < 0) {
		return err->code;
	}
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0) {
		return err_errno(err, "open %s", dir);
	}
	if (read_journal(top, ret_result->id, &taking.journal, err) < 0) {
		return err->code;
	}
	if (taking.journal.undone) {
		return err_raise(
			err, ERR_NOT_FOUND, "%s was taken back already", ret_result->id);
	}
	dirfd = open_dir(top, ret_result->id, err);
	if (dirfd < 0) {
		return err->code;
	}
	taking.files = open_dir(dirfd, files_name, err);
	if (taking.files < 0) {
		return err->code;
	}
	if (take_all(&taking, err) < 0 || append_undone(dirfd, err) < 0) {
		return err->code;
	}
	// What could not be put back stays here.
	return ret_result->left > 0 ? 0 : file_remove_tree(dirfd, files_name, err);
}
