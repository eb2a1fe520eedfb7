// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/rows - the ledger, row by row, for a reader who takes his time.
 *
 *     AUTO(rows_closep) struct rows *rows = NULL;
 *
 *     if (rows_open(ledger_file, &filter, &rows, err) < 0) ...
 *     while ((got = rows_next(rows, &row, err)) > 0) ...
 *
 * One folder is read at a time and kept; between two folders nothing is held, so a slow
 * client never keeps the engine's checkpoint from the database.  Each folder is as of its
 * reading.
 *
 * Knows: ledger.
 * Owns:  its handle on the ledger.
 * Never: holds a transaction between two calls; does more than ROWS_STEP_MAX steps in
 * one.
 */

#ifndef SERVE_ROWS_H
#define SERVE_ROWS_H

#include "base/base.h"
#include "ledger/ledger.h"

struct err;
struct rows;

enum {
	/** Rows and folders looked at in one call. */
	ROWS_STEP_MAX = 20000,
	/** rows_next(): nothing in so many; call again. */
	ROWS_AGAIN = 2,
};

/** Every field may be left zero: no filter.  Texts are copied. */
struct rows_filter {
	bool by_state;
	enum ledger_state state;
	/** The reason starts with this. */
	const char *reason;
	/** Only this path and what is below it. */
	const char *path;
	/** The path holds these bytes. */
	const char *text;
	/** Only paths behind this one, in byte order. */
	const char *after;
	int64_t since_ms;
};

struct rows_row {
	/** Borrowed until the next call. */
	const char *path;
	size_t len;
	const struct ledger_row *row;
};

int rows_open(const char *ledger_file, const struct rows_filter *filter,
	struct rows **ret_rows, struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void rows_close(struct rows *rows);
void rows_closep(struct rows **rows);

/** 1 a row, ROWS_AGAIN, 0 the end, or negative. */
int rows_next(struct rows *rows, struct rows_row *ret_row, struct err *err)
	NONNULL MUST_CHECK;

/** How far it came: what to give as `after` to go on.  Borrowed until the next call. */
const char *rows_path(const struct rows *rows) NONNULL;

#endif
