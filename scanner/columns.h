// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/columns - the values below a heading.
 *
 *     user,password          | user | password |      INSERT INTO t (user, password)
 *     bob,...                |------|----------|      VALUES ('bob', '...')
 *
 *     CREATE TABLE t (user text, password text); INSERT INTO t VALUES ('bob', '...');
 *
 * Knows: chars.
 * Owns:  nothing.
 * Never: reads further than COLUMNS_REACH from the heading, or rows of one table more
 *        often than COLUMNS_OPENED.
 */

#ifndef SCANNER_COLUMNS_H
#define SCANNER_COLUMNS_H

#include "base/base.h"

enum {
	/** A stream's window. */
	COLUMNS_REACH = 8 * 1024 * 1024,
	COLUMNS_OPENED = 16,
};

struct columns {
	/** Of the next row, and where rows are no longer looked for. */
	size_t at;
	size_t limit;
	/** ',', ';', tab or '|'; '(' for rows of SQL. */
	char separator;
	size_t index;
	size_t count;
	/** How much was read for a row that was none. */
	size_t vain;
	/** Of the table, when its columns are named where it is made; else nothing. */
	size_t name;
	size_t name_len;
};

/** The tables of one text that were read: names in their rows are no headings, however
 * much they look so, or each would read the rest again.  All zero at the text's start. */
struct columns_memo {
	size_t from;
	size_t upto;
	size_t opened;
	/** Read for rows that were none, together. */
	size_t vain;
};

/**
 * Is the name from @start to @end a heading?
 *
 * @columns
 *         Ready for columns_next().
 */
bool columns_open(struct columns *columns, struct columns_memo *memo, const char *text,
	size_t len, size_t start, size_t end) NONNULL;

/** The next cell of the column that is not empty, without its quotes. */
bool columns_next(struct columns *columns, struct columns_memo *memo, const char *text,
	size_t *ret_start, size_t *ret_end) NONNULL;

#endif
