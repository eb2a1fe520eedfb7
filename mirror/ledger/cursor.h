// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/cursor - the recorded tree in byte order of full paths, one step at a time.
 *
 *     AUTO(cursor_done) struct cursor cursor = { .ledger = ledger };
 *
 *     if (cursor_start(&cursor, 0, "", err) < 0) ...
 *     while ((got = cursor_next(&cursor, &row, err)) > 0) {
 *             if (got == CURSOR_FOLDER && cursor_enter(&cursor, err) < 0) ...
 *     }
 *
 * A folder is entered only when its reader says so; what is passed by costs nothing.
 * Each folder is as of its reading, and no transaction is open between two calls unless
 * the caller opened one.
 *
 * Knows: ledger.
 * Owns:  one folder's rows and subfolders for each level.
 * Never: decides what passes.
 */

#ifndef LEDGER_CURSOR_H
#define LEDGER_CURSOR_H

#include "base/base.h"
#include "base/buf.h"
#include "ledger/ledger.h"

struct err;

enum {
	/** cursor_next(): a row. */
	CURSOR_ROW = 1,
	/** cursor_next(): a folder, whose path with its slash is cursor->path. */
	CURSOR_FOLDER = 2,
};

/** One folder on the way down. */
struct cursor_level {
	struct ledger_rows rows;
	struct ledger_folders folders;
	size_t next_row;
	size_t next_folder;
	/** Bytes of the path that are this folder's, with its slash. */
	size_t path_len;
};

/** The first three are the caller's to set; the rest starts as zero. */
struct cursor {
	/** Borrowed until cursor_done(). */
	struct ledger *ledger;
	/** Rows of one state only. */
	bool by_state;
	enum ledger_state state;
	/** Where it is: a path, with its slash when it is a folder. */
	struct buf path;

	/** The folder that cursor_enter() would enter. */
	int64_t at;
	struct cursor_level *levels;
	size_t depth;
	/** Levels whose memory can be used again: at least depth. */
	size_t nlevels;
	size_t capacity;
};

/** Before the first row below @folder; @path is its own, with a slash unless it is "". */
int cursor_start(struct cursor *cursor, int64_t folder, const char *path, struct err *err)
	NONNULL MUST_CHECK;

/**
 * The next row or folder.
 *
 * @ret_row
 *         Of CURSOR_ROW: borrowed until the folder it is in was left.
 * @return
 *         CURSOR_ROW, CURSOR_FOLDER, 0 at the end, or negative.
 */
int cursor_next(struct cursor *cursor, const struct ledger_row **ret_row, struct err *err)
	NONNULL MUST_CHECK;

/** Into the folder that cursor_next() just told: TOO_BIG when it is too deep. */
int cursor_enter(struct cursor *cursor, struct err *err) NONNULL MUST_CHECK;

/** The ledger stays open. */
void cursor_done(struct cursor *cursor) NONNULL;

#endif
