// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/rows.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

// The order is that of ledger_each(): bytes of the whole path, so that a folder sorts as
// if a slash stood behind its name.  One frame per level.

enum {
	ROWS_PATH_MAX = 1024 * 1024,
	/** Folders below folders. */
	ROWS_DEPTH_MAX = 4096,
};

struct frame {
	struct ledger_rows rows;
	struct ledger_folders folders;
	size_t next_row;
	size_t next_folder;
	/** Bytes of the path that are this folder's, with its slash. */
	size_t path_len;
};

struct rows {
	struct ledger *ledger;
	struct rows_filter filter;
	// What the filter points to; owned.
	char *reason;
	char *prefix;
	char *text;
	char *after;
	struct frame *frames;
	size_t depth;
	/** Frames whose memory can be used again: at least depth. */
	size_t nframes;
	size_t capacity;
	struct buf path;
};

static char *
copy_of(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

// Byte order of names, each with a slash behind it when it is a folder.
static int
compare_names(const char *left, size_t left_len, bool left_is_folder, const char *right,
	size_t right_len, bool right_is_folder)
{
	size_t common = MIN_OF(left_len, right_len);
	int order = memcmp(left, right, common);
	int left_next = common < left_len ? (unsigned char)left[common]
		: left_is_folder          ? '/'
					  : -1;
	int right_next = common < right_len ? (unsigned char)right[common]
		: right_is_folder           ? '/'
					    : -1;

	if (order == 0) {
		order = left_next - right_next;
	}
	return order != 0 ? order : (left_len > right_len) - (left_len < right_len);
}

static int
by_path(const void *left, const void *right)
{
	const struct ledger_folder *a = left;
	const struct ledger_folder *b = right;

	return compare_names(a->name, a->name_len, true, b->name, b->name_len, true);
}

static int
enter(struct rows *rows, int64_t folder, struct err *err)
{
	struct frame *frame;

	if (rows->depth == ROWS_DEPTH_MAX) {
		return err_raise(err, ERR_TOO_BIG, "too many folders below folders");
	}
	if (rows->depth == rows->nframes) {
		rows->frames = xgrow(rows->frames, rows->nframes, &rows->capacity,
			sizeof(*rows->frames));
		memset(&rows->frames[rows->nframes++], 0, sizeof(*rows->frames));
	}
	frame = &rows->frames[rows->depth];
	if (ledger_rows_load(rows->ledger, folder, &frame->rows, err) < 0 ||
		ledger_subfolders(rows->ledger, folder, &frame->folders, err) < 0) {
		return err->code;
	}
	if (frame->folders.count > 1) {
		qsort(frame->folders.folders, frame->folders.count,
			sizeof(*frame->folders.folders), by_path);
	}
	frame->next_row = 0;
	frame->next_folder = 0;
	frame->path_len = rows->path.len;
	rows->depth++;
	return 0;
}

// Is anything behind `after`, and in the part asked for, below the path with its slash?
static bool
is_wanted_folder(const struct rows *rows)
{
	const char *path = buf_text(&rows->path);
	size_t len = rows->path.len;

	if (rows->after != NULL && strncmp(rows->after, path, len) > 0) {
		return false;
	}
	if (rows->prefix != NULL) {
		size_t prefix_len = strlen(rows->prefix);

		// Above the prefix, or the prefix itself, or below it.
		return strncmp(path, rows->prefix, MIN_OF(len, prefix_len)) == 0 &&
			(len <= prefix_len ? path[len - 1] == '/' &&
						rows->prefix[len - 1] == '/'
					   : path[prefix_len] == '/');
	}
	return true;
}

static bool
is_wanted_row(const struct rows *rows, const struct ledger_row *row)
{
	const struct rows_filter *filter = &rows->filter;
	const char *path = buf_text(&rows->path);

	if (rows->after != NULL && strcmp(path, rows->after) <= 0) {
		return false;
	}
	if (rows->prefix != NULL && !path_is_beneath(path, rows->prefix)) {
		return false;
	}
	if (filter->by_state && row->state != filter->state) {
		return false;
	}
	if (rows->reason != NULL &&
		strncmp(row->reason, rows->reason, strlen(rows->reason)) != 0) {
		return false;
	}
	return row->since_ms >= filter->since_ms &&
		(rows->text == NULL || strstr(path, rows->text) != NULL);
}

static int
add_name(struct rows *rows, size_t base, const char *name, size_t len, const char *end,
	struct err *err)
{
	rows->path.len = base;
	if (buf_add(&rows->path, name, len, err) < 0) {
		return err->code;
	}
	return buf_add_text(&rows->path, end, err);
}

static bool
row_comes_first(const struct frame *frame)
{
	const struct ledger_row *row;
	const struct ledger_folder *folder;

	if (frame->next_row == frame->rows.count) {
		return false;
	}
	if (frame->next_folder == frame->folders.count) {
		return true;
	}
	row = &frame->rows.rows[frame->next_row];
	folder = &frame->folders.folders[frame->next_folder];
	return compare_names(row->name, row->name_len, false, folder->name,
		       folder->name_len, true) < 0;
}

// One row or one folder: 1 a row that passes, 0 go on, or negative.
static int
step(struct rows *rows, struct frame *frame, struct rows_row *ret_row, struct err *err)
{
	if (row_comes_first(frame)) {
		const struct ledger_row *row = &frame->rows.rows[frame->next_row++];

		if (add_name(rows, frame->path_len, row->name, row->name_len, "", err) <
			0) {
			return err->code;
		}
		*ret_row = (struct rows_row){
			.path = buf_text(&rows->path), .len = rows->path.len, .row = row
		};
		return is_wanted_row(rows, row);
	}
	if (frame->next_folder < frame->folders.count) {
		const struct ledger_folder *folder =
			&frame->folders.folders[frame->next_folder++];

		if (add_name(rows, frame->path_len, folder->name, folder->name_len, "/",
			    err) < 0) {
			return err->code;
		}
		return is_wanted_folder(rows) ? enter(rows, folder->id, err) : 0;
	}
	rows->depth--;
	return 0;
}

int
rows_next(struct rows *rows, struct rows_row *ret_row, struct err *err)
{
	for (int steps = 0; rows->depth > 0; steps++) {
		int got;

		if (steps == ROWS_STEP_MAX) {
			return ROWS_AGAIN;
		}
		got = step(rows, &rows->frames[rows->depth - 1], ret_row, err);
		if (got != 0) {
			return got;
		}
	}
	return 0;
}

const char *
rows_path(const struct rows *rows)
{
	return buf_text(&rows->path);
}

int
rows_open(const char *ledger_file, const struct rows_filter *filter,
	struct rows **ret_rows, struct err *err)
{
	AUTO(rows_closep) struct rows *rows = xcalloc(1, sizeof(*rows));

	rows->filter = *filter;
	rows->reason = copy_of(filter->reason);
	rows->prefix = copy_of(filter->path);
	rows->text = copy_of(filter->text);
	rows->after = copy_of(filter->after);
	rows->path.max = ROWS_PATH_MAX;
	if (ledger_open(ledger_file, LEDGER_RO, &rows->ledger, err) < 0 ||
		enter(rows, 0, err) < 0) {
		return err->code;
	}
	*ret_rows = STEAL(rows);
	return 0;
}

void
rows_close(struct rows *rows)
{
	if (rows == NULL) {
		return;
	}
	for (size_t i = 0; i < rows->nframes; i++) {
		ledger_rows_done(&rows->frames[i].rows);
		ledger_folders_done(&rows->frames[i].folders);
	}
	free(rows->frames);
	buf_done(&rows->path);
	ledger_close(rows->ledger);
	free(rows->reason);
	free(rows->prefix);
	free(rows->text);
	free(rows->after);
	free(rows);
}

void
rows_closep(struct rows **rows)
{
	rows_close(*rows);
	*rows = NULL;
}
