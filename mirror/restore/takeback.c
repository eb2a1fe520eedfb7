// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A journal is always at least what happened.  Taking back goes from the last line to
 * the first and looks at each path before it touches it:
 *
 *     what stands there     is put back by
 *     what we restored      removing it, or giving the safety copy its name
 *     the safety copy       nothing: it is done
 *     anything else         nothing: somebody changed it since; it is told
 *
 * Modes and times come last, since all this changes them.
 */

#include "restore/takeback.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "ledger/attributes.h"
#include "restore/journal.h"
#include "restore/place.h"
#include "restore/safety.h"
#include "restore/undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int
open_dir(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open %s", name) : fd;
}

// ---- what there is

const char *
takeback_word(enum takeback_state state)
{
	static const char *const words[] = {
		[TAKEBACK_CUT_SHORT] = "cut short",
		[TAKEBACK_DONE] = "done",
		[TAKEBACK_UNDONE] = "taken back",
		[TAKEBACK_DAMAGED] = "damaged",
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
	if (file_read(dirfd, UNDO_JOURNAL, &text, err) < 0 ||
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
		(entry = readdir(dir)) != NULL && ids->count < TAKEBACK_LIST_MAX;) {
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

static struct takeback_item
item_of(int top, const char *id)
{
	AUTO(journal_done) struct journal journal = { 0 };
	struct takeback_item item = { .id = id, .at_ms = time_of(id) };
	struct err ignored;

	if (read_journal(top, id, &journal, &ignored) < 0) {
		item.state = TAKEBACK_DAMAGED;
		return item;
	}
	item.commit = journal.commit;
	item.paths = journal.nlines;
	item.state = journal.undone ? TAKEBACK_UNDONE
		: journal.done      ? TAKEBACK_DONE
				    : TAKEBACK_CUT_SHORT;
	return item;
}

int
takeback_each(const char *dir, takeback_fn *fn, void *payload, struct err *err)
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
		struct takeback_item item = item_of(top, ids.rows[i]);

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
	struct takeback_result *result;
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
			is_root ? place_above(root->path) : place_above(path + len + 1);

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

// Bytes alone cannot tell when a restore changed nothing but attributes.  What cannot be
// read does not differ.
static bool
has_attributes_of(int safe, int dirfd, const char *name)
{
	AUTO(buf_done) struct buf kept = { .max = ATTRIBUTES_MAX };
	AUTO(buf_done) struct buf here = { .max = ATTRIBUTES_MAX };
	AUTO_CLOSE int fd = openat(
		dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool is_root = geteuid() == 0;
	struct err ignored;

	if (fd < 0 || attributes_read(safe, is_root, &kept, &ignored) < 0 ||
		attributes_read(fd, is_root, &here, &ignored) < 0) {
		return true;
	}
	return kept.len == here.len &&
		(kept.len == 0 || memcmp(kept.data, here.data, kept.len) == 0);
}

// Is what stands at @name the safety copy, by identity or by what is in it?
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
		PLACE_SAME &&
		has_attributes_of(fd, dirfd, name);
}

static int
put_back(int dirfd, const char *name, int safedir, const char *safe, bool is_link,
	struct err *err)
{
	AUTO_FREE char *temp = place_temp(name);

	if (place_clear_temp(dirfd, temp, err) < 0 ||
		safety_copy(safedir, safe, dirfd, temp, is_link, err) < 0) {
		return err->code;
	}
	if (renameat(dirfd, temp, dirfd, name) < 0) {
		err_errno(err, "put the safety copy back");
		(void)unlinkat(dirfd, temp, 0);
		return err->code;
	}
	return 0;
}

static bool
has_name(const struct buf *packed, const char *name)
{
	struct attributes_iter iter = ATTRIBUTES_ITER(packed->data, packed->len);
	struct attribute attribute;

	while (packed->len > 0 && attributes_next(&iter, &attribute)) {
		if (strcmp(attribute.name, name) == 0) {
			return true;
		}
	}
	return false;
}

// Those of @to become those of @from.  -1 when one could not.
static int
give_back(int to, const struct buf *here, const struct buf *kept)
{
	struct attributes_iter iter = ATTRIBUTES_ITER(here->data, here->len);
	struct attribute attribute;
	int result = 0;

	while (here->len > 0 && attributes_next(&iter, &attribute)) {
		if (!has_name(kept, attribute.name) &&
			fremovexattr(to, attribute.name) < 0 && errno != ENODATA) {
			result = -1;
		}
	}
	iter = (struct attributes_iter)ATTRIBUTES_ITER(kept->data, kept->len);
	while (kept->len > 0 && attributes_next(&iter, &attribute)) {
		if (fsetxattr(to, attribute.name, attribute.value, attribute.len, 0) <
			0) {
			result = -1;
		}
	}
	return result;
}

// The extended attributes of a folder are those that its safety copy has.
static int
take_attributes(struct taking *taking, const struct journal_line *line, int dirfd,
	const char *name, struct err *err)
{
	AUTO(buf_wipe) struct buf kept = { .max = ATTRIBUTES_MAX };
	AUTO(buf_wipe) struct buf here = { .max = ATTRIBUTES_MAX };
	AUTO_CLOSE int fd =
		openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int safe = -1;
	bool is_root = geteuid() == 0;

	if (fd < 0) {
		return leave(taking, line, "the folder is gone");
	}
	if (place_open(taking->files, line->path, PLACE_AS_IS, &safe, err) < 0 ||
		attributes_read(safe, is_root, &kept, err) < 0) {
		return err_wrap(err, "find the attributes of %.100s", line->path);
	}
	if (attributes_read(fd, is_root, &here, err) < 0 ||
		give_back(fd, &here, &kept) < 0) {
		return leave(taking, line, "its attributes cannot be set");
	}
	taking->result->replaced++;
	return 0;
}

static int
take_replaced(struct taking *taking, const struct journal_line *line, int dirfd,
	const char *name, struct err *err)
{
	AUTO_FREE char *folder = place_above(line->path);
	const char *safe = path_base(line->path);
	AUTO_CLOSE int safedir = -1;
	struct stat info;
	int back;
	int found;

	if (line->entry == SIDECAR_FOLDER) {
		return take_attributes(taking, line, dirfd, name, err);
	}
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
		openat(dirfd, UNDO_JOURNAL, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	const char *end;

	if (fd < 0) {
		return err_errno(err, "open the journal");
	}
	if (file_read(dirfd, UNDO_JOURNAL, &text, err) < 0) {
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
find_newest(const struct takeback_item *item, void *payload)
{
	struct newest *newest = payload;

	if (item->state != TAKEBACK_DONE && item->state != TAKEBACK_CUT_SHORT) {
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
		if (takeback_each(dir, find_newest, &newest, err) < 0) {
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
takeback_run(const char *dir, const char *id, restore_told_fn *told, void *payload,
	struct takeback_result *ret_result, struct err *err)
{
	AUTO(taking_done)
	struct taking taking = {
		.files = -1, .told = told, .payload = payload, .result = ret_result
	};
	AUTO_CLOSE int top = -1;
	AUTO_CLOSE int dirfd = -1;

	*ret_result = (struct takeback_result){ 0 };
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
	taking.files = open_dir(dirfd, UNDO_FILES, err);
	if (taking.files < 0) {
		return err->code;
	}
	if (take_all(&taking, err) < 0 || append_undone(dirfd, err) < 0) {
		return err->code;
	}
	// What could not be put back stays here.
	return ret_result->left > 0 ? 0 : file_remove_tree(dirfd, UNDO_FILES, err);
}
