// SPDX-License-Identifier: GPL-2.0-or-later

// A folder sorts as if its name ended with a slash, as in git's trees: "a-b" < "a/x" <
// "ab", because '-' < '/' < 'b'.  So the subfolders of a folder are sorted by that rule
// and merged with its rows.  One level holds one folder's rows and subfolders: memory
// follows depth, not the number of files.

#include "ledger/cursor.h"

#include "base/err.h"
#include "base/mem.h"
#include "ledger/handle.h"

#include <stdlib.h>
#include <string.h>

enum {
	/** A path longer than this is deeper than any file system goes. */
	PATH_CEILING = 64 * 1024 * 1024,
	/** Folders below folders: 4,096 bytes of path are at most half as many. */
	LEVELS_MAX = 65536,
};

// Byte order of @left and @right, each with a slash behind it when it is a folder.
static int
compare_paths(const char *left, size_t left_len, bool left_is_folder, const char *right,
	size_t right_len, bool right_is_folder)
{
	size_t common = MIN_OF(left_len, right_len);
	int order = memcmp(left, right, common);
	int left_next;
	int right_next;

	if (order != 0) {
		return order;
	}
	left_next = common < left_len ? (unsigned char)left[common]
		: left_is_folder      ? '/'
				      : -1;
	right_next = common < right_len ? (unsigned char)right[common]
		: right_is_folder       ? '/'
					: -1;
	if (left_next != right_next) {
		return left_next - right_next;
	}
	return (left_len > right_len) - (left_len < right_len);
}

static int
by_path(const void *left, const void *right)
{
	const struct ledger_folder *a = left;
	const struct ledger_folder *b = right;

	return compare_paths(a->name, a->name_len, true, b->name, b->name_len, true);
}

int
cursor_enter(struct cursor *cursor, struct err *err)
{
	enum ledger_state state = cursor->by_state ? cursor->state : LEDGER_UNACCOUNTED;
	struct cursor_level *level;

	if (cursor->depth == LEVELS_MAX) {
		return err_raise(err, ERR_TOO_BIG, "too many folders below folders");
	}
	if (cursor->depth == cursor->nlevels) {
		cursor->levels = xgrow(cursor->levels, cursor->nlevels, &cursor->capacity,
			sizeof(*cursor->levels));
		memset(&cursor->levels[cursor->nlevels++], 0, sizeof(*cursor->levels));
	}
	level = &cursor->levels[cursor->depth];
	if (handle_rows_load(cursor->ledger, cursor->at, state, &level->rows, err) < 0 ||
		ledger_subfolders(cursor->ledger, cursor->at, &level->folders, err) < 0) {
		return err->code;
	}
	if (level->folders.count > 1) {
		qsort(level->folders.folders, level->folders.count,
			sizeof(*level->folders.folders), by_path);
	}
	level->next_row = 0;
	level->next_folder = 0;
	level->path_len = cursor->path.len;
	cursor->depth++;
	return 0;
}

int
cursor_start(struct cursor *cursor, int64_t folder, const char *path, struct err *err)
{
	cursor->path.max = PATH_CEILING;
	cursor->at = folder;
	if (buf_add_text(&cursor->path, path, err) < 0) {
		return err->code;
	}
	return cursor_enter(cursor, err);
}

static bool
row_comes_first(const struct cursor_level *level)
{
	const struct ledger_row *row;
	const struct ledger_folder *folder;

	if (level->next_row == level->rows.count) {
		return false;
	}
	if (level->next_folder == level->folders.count) {
		return true;
	}
	row = &level->rows.rows[level->next_row];
	folder = &level->folders.folders[level->next_folder];
	return compare_paths(row->name, row->name_len, false, folder->name,
		       folder->name_len, true) < 0;
}

static int
come_to(struct cursor *cursor, const char *name, size_t len, const char *end,
	struct err *err)
{
	if (buf_add(&cursor->path, name, len, err) < 0) {
		return err->code;
	}
	return buf_add_text(&cursor->path, end, err);
}

int
cursor_next(struct cursor *cursor, const struct ledger_row **ret_row, struct err *err)
{
	while (cursor->depth > 0) {
		struct cursor_level *level = &cursor->levels[cursor->depth - 1];

		cursor->path.len = level->path_len;
		if (row_comes_first(level)) {
			const struct ledger_row *row =
				&level->rows.rows[level->next_row++];

			*ret_row = row;
			return come_to(cursor, row->name, row->name_len, "", err) < 0
				? err->code
				: CURSOR_ROW;
		}
		if (level->next_folder < level->folders.count) {
			const struct ledger_folder *folder =
				&level->folders.folders[level->next_folder++];

			cursor->at = folder->id;
			return come_to(cursor, folder->name, folder->name_len, "/", err) <
					0
				? err->code
				: CURSOR_FOLDER;
		}
		cursor->depth--;
	}
	return 0;
}

void
cursor_done(struct cursor *cursor)
{
	for (size_t i = 0; i < cursor->nlevels; i++) {
		ledger_rows_done(&cursor->levels[i].rows);
		ledger_folders_done(&cursor->levels[i].folders);
	}
	free(cursor->levels);
	buf_done(&cursor->path);
}
