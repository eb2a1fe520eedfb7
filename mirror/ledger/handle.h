// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/handle - what an open ledger is made of; for the files of this room only.
 *
 *     struct db_stmt *find = handle_stmt(ledger, SQL_ROW_FIND, err);
 *
 * Knows: db, arena, ledger.
 * Owns:  the SQL: every statement is written once, in schema.c, and prepared once.
 * Never: is included by another room.
 */

#ifndef LEDGER_HANDLE_H
#define LEDGER_HANDLE_H

#include "base/base.h"
#include "ledger/arena.h"
#include "ledger/ledger.h"

struct db;
struct db_stmt;

enum handle_sql {
	SQL_META_GET,
	SQL_META_SET,
	SQL_META_DROP,
	SQL_REASON_FIND,
	SQL_REASON_ADD,
	SQL_REASON_TEXT,
	SQL_ROOT_GET,
	SQL_ROOT_SET,
	SQL_FOLDER_CHILD,
	SQL_FOLDER_LOAD,
	SQL_FOLDER_UP,
	SQL_FOLDER_ADD,
	SQL_FOLDER_CHANGE,
	SQL_SUBFOLDERS,
	SQL_COUNT_FOLDERS,
	SQL_ROWS,
	SQL_ROWS_SHOWN,
	SQL_ROWS_BY_STATE,
	SQL_ROW_FIND,
	SQL_ROW_PEEK,
	SQL_ROW_PUT,
	SQL_ROW_ADD,
	SQL_ROW_DROP,
	SQL_TREE_TALLY,
	SQL_TREE_DROP_ROWS,
	SQL_TREE_DROP_ROOT,
	SQL_TREE_DROP_FOLDERS,
	SQL_TALLY_ALL,
	SQL_TALLY_ROOT,
	SQL_TALLY_ADD,
	SQL_TALLY_TIDY,
	SQL_OLDEST,
	SQL_COUNT_ALL,
	SQL_QUICK_CHECK,
	SQL_STRAYS,
	SQL_BYTES,
	SQL_LAST_FOLDER,
	SQL_SOME_ROWS,
	HANDLE_NSQL,
};

/** Columns of every statement that hands out rows, in this order. */
enum handle_column {
	COLUMN_NAME,
	COLUMN_TYPE,
	COLUMN_STATE,
	COLUMN_REASON,
	COLUMN_SIZE,
	COLUMN_MTIME,
	COLUMN_CTIME,
	COLUMN_NUMBER,
	COLUMN_DEV,
	COLUMN_MODE,
	COLUMN_NLINK,
	COLUMN_UID,
	COLUMN_GID,
	COLUMN_OID,
	COLUMN_SPANS,
	COLUMN_RULES,
	COLUMN_FLAGS,
	COLUMN_SINCE,
	COLUMN_KIND,
	COLUMN_SEALED,
	COLUMN_ATTRIBUTES,
};

enum {
	/** "MLGR": tells a ledger from any other SQLite file. */
	HANDLE_APPLICATION_ID = 0x4d4c4752,
	/** Reasons remembered; the others are looked up. */
	HANDLE_REASONS = 64,
};

/** A change of one cell of the tally, not yet written. */
struct handle_delta {
	int64_t root;
	enum ledger_state state;
	enum ledger_kind kind;
	struct ledger_count count;
};

struct ledger {
	struct db *db;
	enum ledger_mode mode;
	bool writing;
	/** Readers inside readers: the outermost fixed the moment. */
	int nfrozen;
	/** Time of ledger_begin(). */
	int64_t begun_ms;
	struct db_stmt *stmts[HANDLE_NSQL];

	struct handle_delta *deltas;
	size_t ndeltas;
	size_t deltas_capacity;

	/** Recently used reasons, by id and by text; a slot is free while id is 0. */
	struct {
		int64_t id;
		char *text;
	} reasons[HANDLE_REASONS];

	/** Folders from this number on were made in this transaction; 0: none was. */
	int64_t new_from;

	/** The root of the folder asked for last. */
	int64_t near_folder;
	int64_t near_root;

	/** What is lent to callers. */
	struct arena found;
	struct arena folder_name;
	char *root_path;
	char *meta_value;
};

extern const char *const handle_sql[HANDLE_NSQL];
extern const char *const handle_migrations[];
extern const size_t handle_nmigrations;
/** What makes schema 1, 2, ... look like the newest to a reader. */
extern const char *const handle_older[];

/** Prepared on first use, ready for parameters; NULL after a failure. */
struct db_stmt *
handle_stmt(struct ledger *ledger, enum handle_sql sql, struct err *err) NONNULL;

/** 0, or BUG outside a transaction. */
int handle_must_write(const struct ledger *ledger, struct err *err) NONNULL MUST_CHECK;

/** The root a folder belongs to; folder 0 belongs to root 0. */
int handle_root_of(struct ledger *ledger, int64_t folder, int64_t *ret_root,
	struct err *err) NONNULL MUST_CHECK;

/** reasons.c: numbers for texts; "" is 0. */
int handle_reason_id(struct ledger *ledger, const char *text, int64_t *ret_id,
	struct err *err) NONNULL MUST_CHECK;
/** Borrowed until the next call. */
int handle_reason_text(struct ledger *ledger, int64_t id, const char **ret_text,
	struct err *err) NONNULL MUST_CHECK;
void handle_forget_reasons(struct ledger *ledger) NONNULL;

/** rows.c: only rows in @state; LEDGER_UNACCOUNTED for all. */
int handle_rows_load(struct ledger *ledger, int64_t folder, enum ledger_state state,
	struct ledger_rows *ret_rows, struct err *err) NONNULL MUST_CHECK;
/** 1 found, 0 not; the row is in ledger->found. */
int handle_row_find(struct ledger *ledger, int64_t folder, const char *name, size_t len,
	struct ledger_row *ret_row, struct err *err) NONNULL MUST_CHECK;

/** tally.c: note a change; written by handle_tally_flush(). */
void handle_tally_add(struct ledger *ledger, int64_t root, enum ledger_state state,
	enum ledger_kind kind, int64_t files, int64_t bytes) NONNULL;
int handle_tally_flush(struct ledger *ledger, struct err *err) NONNULL MUST_CHECK;
/** Only regular files have bytes that count. */
int64_t handle_bytes(enum ledger_type type, int64_t size);

/** A name that is looked for. */
struct handle_name {
	const char *text;
	size_t len;
};

/** folders.c: an oid column. */
void
handle_oid_read(struct db_stmt *stmt, int column, struct ledger_oid *ret_oid) NONNULL;
void
handle_oid_bind(struct db_stmt *stmt, int index, const struct ledger_oid *oid) NONNULL;
/** The attributes column, copied to @texts; and back. */
void handle_attributes_read(struct db_stmt *stmt, int column, struct arena *texts,
	const void **ret_data, size_t *ret_len) NONNULL;
void handle_attributes_bind(struct db_stmt *stmt, int index, const void *data, size_t len)
	NONNULL_ARGS(1);
int handle_check_name(const char *name, size_t len, struct err *err) NONNULL_ARGS(3)
	MUST_CHECK;
/** Byte order of names. */
int handle_compare(const char *left, size_t left_len, const char *right, size_t right_len)
	NONNULL;

#endif
