// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/rows.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "ledger/cursor.h"

#include <stdlib.h>
#include <string.h>

struct rows {
	struct ledger *ledger;
	struct cursor cursor;
	struct rows_filter filter;
	// What the filter points to; owned.
	char *reason;
	char *prefix;
	char *text;
	char *after;
};

static char *
copy_of(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

// Is anything behind `after`, and in the part asked for, below the path with its slash?
static bool
is_wanted_folder(const struct rows *rows)
{
	const char *path = buf_text(&rows->cursor.path);
	size_t len = rows->cursor.path.len;

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
	const char *path = buf_text(&rows->cursor.path);

	if (rows->after != NULL && strcmp(path, rows->after) <= 0) {
		return false;
	}
	if (rows->prefix != NULL && !path_is_beneath(path, rows->prefix)) {
		return false;
	}
	if (rows->reason != NULL &&
		strncmp(row->reason, rows->reason, strlen(rows->reason)) != 0) {
		return false;
	}
	return row->since_ms >= filter->since_ms &&
		(rows->text == NULL || strstr(path, rows->text) != NULL);
}

int
rows_next(struct rows *rows, struct rows_row *ret_row, struct err *err)
{
	struct cursor *cursor = &rows->cursor;
	const struct ledger_row *row;
	int got = 0;

	for (int steps = 0; steps < ROWS_STEP_MAX; steps++) {
		got = cursor_next(cursor, &row, err);
		if (got <= 0) {
			return got;
		}
		if (got == CURSOR_ROW && is_wanted_row(rows, row)) {
			*ret_row = (struct rows_row){ .path = buf_text(&cursor->path),
				.len = cursor->path.len,
				.row = row };
			return 1;
		}
		if (got == CURSOR_FOLDER && is_wanted_folder(rows) &&
			cursor_enter(cursor, err) < 0) {
			return err->code;
		}
	}
	return ROWS_AGAIN;
}

const char *
rows_path(const struct rows *rows)
{
	return buf_text(&rows->cursor.path);
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
	if (ledger_open(ledger_file, LEDGER_RO, &rows->ledger, err) < 0) {
		return err->code;
	}
	rows->cursor.ledger = rows->ledger;
	rows->cursor.by_state = filter->by_state;
	rows->cursor.state = filter->state;
	if (cursor_start(&rows->cursor, 0, "", err) < 0) {
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
	cursor_done(&rows->cursor);
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
