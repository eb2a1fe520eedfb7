// SPDX-License-Identifier: GPL-2.0-or-later

// The recorded tree, row by row, by ledger/cursor.

#include "base/buf.h"
#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "ledger/cursor.h"
#include "ledger/handle.h"

#include <stdlib.h>
#include <string.h>

static bool
passes(const struct ledger_filter *filter, const struct ledger_row *row)
{
	if (filter->by_state && row->state != filter->state) {
		return false;
	}
	if (filter->reason != NULL &&
		strncmp(row->reason, filter->reason, strlen(filter->reason)) != 0) {
		return false;
	}
	return row->since_ms >= filter->since_ms;
}

// From @folder down; @path is its own, with a slash unless it is "".
static int
walk_folder(struct ledger *ledger, const struct ledger_filter *filter, int64_t folder,
	const char *path, ledger_each_fn *fn, void *payload, struct err *err)
{
	AUTO(cursor_done)
	struct cursor cursor = {
		.ledger = ledger,
		.by_state = filter->by_state,
		.state = filter->state,
	};
	const struct ledger_row *row;
	int got;

	if (cursor_start(&cursor, folder, path, err) < 0) {
		return err->code;
	}
	while ((got = cursor_next(&cursor, &row, err)) > 0) {
		int result = got == CURSOR_FOLDER ? cursor_enter(&cursor, err)
			: passes(filter, row)
			? fn(cursor.path.data, cursor.path.len, row, payload)
			: 0;

		if (result != 0) {
			return result;
		}
	}
	return got;
}

// Where a path leads: through folders as far as they are known.
struct place {
	/** The deepest known folder, and what of the path is left behind it. */
	int64_t folder;
	const char *rest;
};

static int
follow(struct ledger *ledger, const char *path, struct place *ret_place, struct err *err)
{
	struct place place = { .folder = 0, .rest = path };

	while (*place.rest != '\0') {
		const char *end = strchrnul(place.rest, '/');
		int64_t id = ledger_child(ledger, place.folder, place.rest,
			(size_t)(end - place.rest), err);

		if (id < 0) {
			return err->code;
		}
		if (id == 0) {
			break;
		}
		place.folder = id;
		place.rest = *end == '/' ? end + 1 : end;
	}
	*ret_place = place;
	return 0;
}

static int
find_frozen(struct ledger *ledger, const char *path, struct ledger_row *ret_row,
	struct err *err)
{
	struct ledger_row row;
	struct place place = { .rest = "" };
	const char *end;
	int got;

	if (follow(ledger, path, &place, err) < 0) {
		return err->code;
	}
	if (*place.rest == '\0') {
		// A folder; the row of a whole root stands above it.
		bool is_root = path[0] != '\0' && strchr(path, '/') == NULL;

		return is_root
			? handle_row_find(ledger, 0, path, strlen(path), ret_row, err)
			: 0;
	}
	end = strchrnul(place.rest, '/');
	got = handle_row_find(
		ledger, place.folder, place.rest, (size_t)(end - place.rest), &row, err);
	if (got <= 0) {
		return got;
	}
	if (end[0] == '/' && end[1] != '\0') {
		if (row.type != LEDGER_TYPE_FOLDER) {
			return 0;
		}
		got = 2;
	}
	*ret_row = row;
	return got;
}

int
ledger_find(struct ledger *ledger, const char *path, struct ledger_row *ret_row,
	struct err *err)
{
	int result;

	if (ledger_freeze(ledger, err) < 0) {
		return err->code;
	}
	result = find_frozen(ledger, path, ret_row, err);
	ledger_thaw(ledger);
	return result;
}

static int
each_below(struct ledger *ledger, const struct ledger_filter *filter, ledger_each_fn *fn,
	void *payload, struct err *err)
{
	size_t len = strlen(filter->path);
	AUTO_FREE char *path = xasprintf("%s/", filter->path);
	struct ledger_row row;
	struct place place = { .rest = "" };
	int got;

	// "a/b/" means the same as "a/b".
	while (len > 0 && path[len - 1] == '/') {
		len--;
	}
	path[len] = '\0';
	got = find_frozen(ledger, path, &row, err);
	if (got < 0) {
		return got;
	}
	if (got > 0 && passes(filter, &row)) {
		got = fn(path, len, &row, payload);
		if (got != 0) {
			return got;
		}
	}
	if (follow(ledger, path, &place, err) < 0) {
		return err->code;
	}
	if (*place.rest != '\0') {
		return 0;
	}
	path[len] = len > 0 ? '/' : '\0';
	path[len + (len > 0)] = '\0';
	return walk_folder(ledger, filter, place.folder, path, fn, payload, err);
}

int
ledger_each(struct ledger *ledger, const struct ledger_filter *filter, ledger_each_fn *fn,
	void *payload, struct err *err)
{
	int result;

	if (ledger_freeze(ledger, err) < 0) {
		return err->code;
	}
	result = filter->path != NULL
		? each_below(ledger, filter, fn, payload, err)
		: walk_folder(ledger, filter, 0, "", fn, payload, err);
	ledger_thaw(ledger);
	return result;
}

// "<root>/<rel>/" of a folder, from the bottom up.
static char *
folder_path(struct ledger *ledger, int64_t id, struct err *err)
{
	AUTO_FREE char *path = xstrdup("");

	while (id != 0) {
		struct ledger_folder folder;
		int got = ledger_folder_load(ledger, id, &folder, err);
		char *longer;

		if (got < 0) {
			return NULL;
		}
		if (got == 0) {
			(void)err_raise(err, ERR_BUG, "the ledger has no folder %lld",
				(long long)id);
			return NULL;
		}
		longer = xasprintf("%s/%s", folder.name, path);
		free(path);
		path = longer;
		id = folder.parent;
	}
	return STEAL(path);
}

static int
tell_dropped(struct ledger *ledger, int64_t folder, ledger_each_fn *fn, void *payload,
	struct err *err)
{
	static const struct ledger_filter everything = { .path = NULL };
	AUTO_FREE char *path = folder_path(ledger, folder, err);

	if (path == NULL) {
		return err->code;
	}
	return walk_folder(ledger, &everything, folder, path, fn, payload, err);
}

// Take what is below @folder out of the tally.
static int
tally_dropped(struct ledger *ledger, int64_t folder, struct err *err)
{
	struct db_stmt *sums = handle_stmt(ledger, SQL_TREE_TALLY, err);
	int64_t root;
	int got;

	if (sums == NULL || handle_root_of(ledger, folder, &root, err) < 0) {
		return err->code;
	}
	db_bind_int(sums, 1, folder);
	while ((got = db_step(sums, err)) > 0) {
		handle_tally_add(ledger, root, (enum ledger_state)db_int(sums, 0),
			(enum ledger_kind)db_int(sums, 1), -db_int(sums, 2),
			-db_int(sums, 3));
	}
	return got;
}

int
ledger_drop_tree(struct ledger *ledger, int64_t folder, ledger_each_fn *fn, void *payload,
	struct err *err)
{
	static const enum handle_sql drops[] = { SQL_TREE_DROP_ROWS, SQL_TREE_DROP_ROOT,
		SQL_TREE_DROP_FOLDERS };

	if (handle_must_write(ledger, err) < 0) {
		return err->code;
	}
	if (folder == 0) {
		return err_raise(err, ERR_BUG, "all roots cannot be dropped at once");
	}
	if (fn != NULL) {
		int result = tell_dropped(ledger, folder, fn, payload, err);

		if (result != 0) {
			return result;
		}
	}
	if (tally_dropped(ledger, folder, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < countof(drops); i++) {
		struct db_stmt *drop = handle_stmt(ledger, drops[i], err);

		if (drop == NULL) {
			return err->code;
		}
		db_bind_int(drop, 1, folder);
		if (db_run(drop, err) < 0) {
			return err->code;
		}
	}
	ledger->near_folder = 0;
	return 0;
}

int
ledger_count_tree(
	struct ledger *ledger, int64_t folder, int64_t *ret_files, struct err *err)
{
	struct db_stmt *sums = handle_stmt(ledger, SQL_TREE_TALLY, err);
	int64_t files = 0;
	int got;

	if (sums == NULL) {
		return err->code;
	}
	db_bind_int(sums, 1, folder);
	while ((got = db_step(sums, err)) > 0) {
		files += db_int(sums, 2);
	}
	*ret_files = files;
	return got;
}
