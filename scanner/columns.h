// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/columns - the values below a heading.
 *
 *     user,password          | user | password |      INSERT INTO t (user, password)
 *     bob,...                |------|----------|      VALUES ('bob', '...')
 *
 * Knows: chars.
 * Owns:  nothing.
 * Never: reads further than COLUMNS_REACH from the heading.
 */

#ifndef SCANNER_COLUMNS_H
#define SCANNER_COLUMNS_H

#include "base/base.h"

enum {
	COLUMNS_REACH = 128 * 1024,
};

struct columns {
	/** Of the next row, and where rows are no longer looked for. */
	size_t at;
	size_t limit;
	/** ',', ';', tab or '|'; '(' for rows of SQL. */
	char separator;
	size_t index;
	size_t count;
};

/**
 * Is the name from @start to @end a heading?
 *
 * @columns
 *         Ready for columns_next().
 */
bool columns_open(struct columns *columns, const char *text, size_t len, size_t start,
	size_t end) NONNULL;

/** The next cell of the column that is not empty, without its quotes. */
bool columns_next(struct columns *columns, const char *text, size_t *ret_start,
	size_t *ret_end) NONNULL;

#endif
