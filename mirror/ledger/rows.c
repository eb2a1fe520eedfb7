// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "ledger/handle.h"

#include <stdlib.h>
#include <string.h>

enum {
	/** An array larger than this is given back before the next folder. */
	KEEP_ROWS = 8192
};

// One row; texts go to @texts.  @previous has the same reason more often than not.
static int
read_row(struct ledger *ledger, struct db_stmt *stmt, struct arena *texts,
	struct ledger_row *row, struct err *err)
{
	size_t name_len;
	const void *name = db_bytes(stmt, COLUMN_NAME, &name_len);
	int64_t state = db_int(stmt, COLUMN_STATE);
	int64_t reason = db_int(stmt, COLUMN_REASON);

	if (state < 0 || state >= LEDGER_NSTATES) {
		return err_raise(
			err, ERR_CORRUPT, "no state %lld exists", (long long)state);
	}
	row->name = arena_add(texts, name, name_len);
	row->name_len = name_len;
	row->type = (enum ledger_type)db_int(stmt, COLUMN_TYPE);
	row->state = (enum ledger_state)state;
	row->reason = "";
	row->inode = (struct inode){
		.size = db_int(stmt, COLUMN_SIZE),
		.mtime_ns = db_int(stmt, COLUMN_MTIME),
		.ctime_ns = db_int(stmt, COLUMN_CTIME),
		.number = (uint64_t)db_int(stmt, COLUMN_NUMBER),
		.dev = (uint64_t)db_int(stmt, COLUMN_DEV),
		.mode = (uint32_t)db_int(stmt, COLUMN_MODE),
		.nlink = (uint32_t)db_int(stmt, COLUMN_NLINK),
		.uid = (uint32_t)db_int(stmt, COLUMN_UID),
		.gid = (uint32_t)db_int(stmt, COLUMN_GID),
	};
	handle_oid_read(stmt, COLUMN_OID, &row->oid);
	handle_oid_read(stmt, COLUMN_SEALED, &row->sealed);
	row->spans = (uint32_t)db_int(stmt, COLUMN_SPANS);
	row->rules = (uint32_t)db_int(stmt, COLUMN_RULES);
	row->flags = (uint32_t)db_int(stmt, COLUMN_FLAGS);
	row->since_ms = db_int(stmt, COLUMN_SINCE);
	handle_attributes_read(
		stmt, COLUMN_ATTRIBUTES, texts, &row->attributes, &row->attributes_len);
	if (reason != 0) {
		const char *text;

		if (handle_reason_text(ledger, reason, &text, err) < 0) {
			return err->code;
		}
		row->reason = arena_add(texts, text, strlen(text));
	}
	return 0;
}

static void
start_over(struct ledger_rows *rows)
{
	arena_clear(&rows->names);
	rows->count = 0;
	if (rows->capacity > KEEP_ROWS) {
		ledger_rows_done(rows);
	}
}

static struct ledger_row *
next_row(struct ledger_rows *rows)
{
	rows->rows = xgrow(rows->rows, rows->count, &rows->capacity, sizeof(*rows->rows));
	return &rows->rows[rows->count];
}

int
handle_rows_load(struct ledger *ledger, int64_t folder, enum ledger_state state,
	struct ledger_rows *ret_rows, struct err *err)
{
	bool all = state >= LEDGER_UNACCOUNTED;
	struct db_stmt *list =
		handle_stmt(ledger, all ? SQL_ROWS : SQL_ROWS_BY_STATE, err);
	int got;

	start_over(ret_rows);
	if (list == NULL) {
		return err->code;
	}
	db_bind_int(list, 1, folder);
	if (!all) {
		db_bind_int(list, 2, state);
	}
	while ((got = db_step(list, err)) > 0) {
		if (read_row(ledger, list, &ret_rows->names, next_row(ret_rows), err) <
			0) {
			db_reset(list);
			return err->code;
		}
		ret_rows->count++;
	}
	return got;
}

int
ledger_rows_load_shown(struct ledger *ledger, int64_t folder,
	struct ledger_rows *ret_rows, struct err *err)
{
	struct db_stmt *list = handle_stmt(ledger, SQL_ROWS_SHOWN, err);
	int got;

	start_over(ret_rows);
	if (list == NULL) {
		return err->code;
	}
	db_bind_int(list, 1, folder);
	while ((got = db_step(list, err)) > 0) {
		struct ledger_row *row = next_row(ret_rows);
		size_t name_len;
		const void *name = db_bytes(list, 0, &name_len);

		*row = (struct ledger_row){
			.name = arena_add(&ret_rows->names, name, name_len),
			.name_len = name_len,
			.type = (enum ledger_type)db_int(list, 1),
			.reason = "",
			.inode.mode = (uint32_t)db_int(list, 2),
			.flags = (uint32_t)db_int(list, 3),
		};
		handle_oid_read(list, 4, &row->oid);
		ret_rows->count++;
	}
	return got;
}

int
ledger_rows_load(struct ledger *ledger, int64_t folder, struct ledger_rows *ret_rows,
	struct err *err)
{
	return handle_rows_load(ledger, folder, LEDGER_UNACCOUNTED, ret_rows, err);
}

void
ledger_rows_done(struct ledger_rows *rows)
{
	arena_done(&rows->names);
	free(rows->rows);
	memset(rows, 0, sizeof(*rows));
}

static int
compare_name(const void *key, const void *at)
{
	const struct handle_name *name = key;
	const struct ledger_row *item = at;

	return handle_compare(name->text, name->len, item->name, item->name_len);
}

const struct ledger_row *
ledger_rows_find(const struct ledger_rows *rows, const char *name, size_t len)
{
	const struct handle_name key = { .text = name, .len = len };

	// An empty list may have no memory at all.
	return rows->count == 0 ? NULL
				: bsearch(&key, rows->rows, rows->count,
					  sizeof(*rows->rows), compare_name);
}

int
handle_row_find(struct ledger *ledger, int64_t folder, const char *name, size_t len,
	struct ledger_row *ret_row, struct err *err)
{
	struct db_stmt *find = handle_stmt(ledger, SQL_ROW_FIND, err);
	int got;

	if (find == NULL) {
		return err->code;
	}
	db_bind_int(find, 1, folder);
	db_bind_bytes(find, 2, name, len);
	got = db_step(find, err);
	if (got <= 0) {
		return got;
	}
	arena_clear(&ledger->found);
	got = read_row(ledger, find, &ledger->found, ret_row, err);
	db_reset(find);
	return got < 0 ? got : 1;
}

// What the tally must know of the row that a change replaces.
struct old_row {
	enum ledger_type type;
	enum ledger_state state;
	enum ledger_kind kind;
	int64_t size;
	int64_t since_ms;
};

// 1 there is one, 0 none, or negative.
static int
peek(struct ledger *ledger, int64_t folder, const char *name, size_t len,
	struct old_row *ret_old, struct err *err)
{
	struct db_stmt *stmt = handle_stmt(ledger, SQL_ROW_PEEK, err);
	int got;

	if (stmt == NULL) {
		return err->code;
	}
	db_bind_int(stmt, 1, folder);
	db_bind_bytes(stmt, 2, name, len);
	got = db_step(stmt, err);
	if (got > 0) {
		*ret_old = (struct old_row){
			.type = (enum ledger_type)db_int(stmt, 0),
			.state = (enum ledger_state)db_int(stmt, 1),
			.kind = (enum ledger_kind)db_int(stmt, 2),
			.size = db_int(stmt, 3),
			.since_ms = db_int(stmt, 4),
		};
		db_reset(stmt);
	}
	return got;
}

static int64_t
decide_since(const struct ledger *ledger, const struct ledger_row *row,
	enum ledger_kind kind, const struct old_row *old)
{
	if (row->since_ms != 0) {
		return row->since_ms;
	}
	if (old != NULL && old->state == row->state &&
		(row->state != LEDGER_EXCLUDED || old->kind == kind)) {
		return old->since_ms;
	}
	return ledger->begun_ms;
}

static void
bind_row(struct db_stmt *stmt, const struct ledger_row *row)
{
	const struct inode *inode = &row->inode;

	db_bind_bytes(stmt, 2, row->name, row->name_len);
	db_bind_int(stmt, 3, row->type);
	db_bind_int(stmt, 4, row->state);
	db_bind_int(stmt, 7, inode->size);
	db_bind_int(stmt, 8, inode->mtime_ns);
	db_bind_int(stmt, 9, inode->ctime_ns);
	db_bind_int(stmt, 10, (int64_t)inode->number);
	db_bind_int(stmt, 11, (int64_t)inode->dev);
	db_bind_int(stmt, 12, inode->mode);
	db_bind_int(stmt, 13, inode->nlink);
	db_bind_int(stmt, 14, inode->uid);
	db_bind_int(stmt, 15, inode->gid);
	handle_oid_bind(stmt, 16, &row->oid);
	db_bind_int(stmt, 17, row->spans);
	db_bind_int(stmt, 18, row->rules);
	db_bind_int(stmt, 19, row->flags);
	handle_oid_bind(stmt, 21, &row->sealed);
	handle_attributes_bind(stmt, 22, row->attributes, row->attributes_len);
}

static int
check_row(const struct ledger *ledger, const struct ledger_row *row, struct err *err)
{
	if (handle_must_write(ledger, err) < 0 ||
		handle_check_name(row->name, row->name_len, err) < 0) {
		return err->code;
	}
	if ((unsigned int)row->state >= LEDGER_NSTATES) {
		return err_raise(err, ERR_BUG, "a row cannot be %s",
			ledger_state_word(row->state));
	}
	return 0;
}

// The row is written with that statement; what it replaces, if anything, is @old.
static int
write_row(struct ledger *ledger, enum handle_sql sql, int64_t folder,
	const struct ledger_row *row, enum ledger_kind kind, int64_t reason,
	const struct old_row *old, struct err *err)
{
	struct db_stmt *stmt = handle_stmt(ledger, sql, err);

	if (stmt == NULL) {
		return err->code;
	}
	bind_row(stmt, row);
	db_bind_int(stmt, 1, folder);
	db_bind_int(stmt, 5, kind);
	db_bind_int(stmt, 6, reason);
	db_bind_int(stmt, 20, decide_since(ledger, row, kind, old));
	return db_run(stmt, err);
}

// In a folder that is new to the ledger a row is new as a rule, and not looked for first:
// 1 it was and is written, 0 not.
static int
add_row(struct ledger *ledger, int64_t folder, const struct ledger_row *row,
	enum ledger_kind kind, int64_t reason, struct err *err)
{
	if (ledger->new_from == 0 || folder < ledger->new_from) {
		return 0;
	}
	return write_row(ledger, SQL_ROW_ADD, folder, row, kind, reason, NULL, err) < 0
		? err->code
		: db_changes(ledger->db) > 0;
}

int
ledger_row_put(struct ledger *ledger, int64_t folder, const struct ledger_row *row,
	struct err *err)
{
	const char *reason = row->reason != NULL ? row->reason : "";
	enum ledger_kind kind = ledger_kind_of(row->state, reason);
	struct old_row old;
	int64_t root;
	int64_t reason_id;
	int added;
	int had = 0;

	if (check_row(ledger, row, err) < 0 ||
		handle_root_of(ledger, folder, &root, err) < 0 ||
		handle_reason_id(ledger, reason, &reason_id, err) < 0) {
		return err->code;
	}
	added = add_row(ledger, folder, row, kind, reason_id, err);
	if (added == 0) {
		had = peek(ledger, folder, row->name, row->name_len, &old, err);
	}
	if (added < 0 || had < 0 ||
		(added == 0 &&
			write_row(ledger, SQL_ROW_PUT, folder, row, kind, reason_id,
				had > 0 ? &old : NULL, err) < 0)) {
		return err->code;
	}
	if (had > 0) {
		handle_tally_add(ledger, root, old.state, old.kind, -1,
			-handle_bytes(old.type, old.size));
	}
	handle_tally_add(ledger, root, row->state, kind, 1,
		handle_bytes(row->type, row->inode.size));
	return 0;
}

int
ledger_row_drop(struct ledger *ledger, int64_t folder, const char *name, size_t len,
	struct err *err)
{
	struct db_stmt *drop;
	struct old_row old;
	int64_t root;
	int had;

	if (handle_must_write(ledger, err) < 0 ||
		handle_root_of(ledger, folder, &root, err) < 0) {
		return err->code;
	}
	had = peek(ledger, folder, name, len, &old, err);
	if (had <= 0) {
		return had;
	}
	drop = handle_stmt(ledger, SQL_ROW_DROP, err);
	if (drop == NULL) {
		return err->code;
	}
	db_bind_int(drop, 1, folder);
	db_bind_bytes(drop, 2, name, len);
	if (db_run(drop, err) < 0) {
		return err->code;
	}
	handle_tally_add(
		ledger, root, old.state, old.kind, -1, -handle_bytes(old.type, old.size));
	return 1;
}
