// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * config/options - the one table of options.
 *
 * Knows: fields.
 * Owns:  nothing.
 * Never: parses; config.c does, by this table.
 */

#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "base/base.h"

enum option_kind {
	OPTION_TEXT,
	/** "~" is expanded, and it must become absolute. */
	OPTION_PATH,
	OPTION_BOOL,
	OPTION_INT,
	/** Bytes: an integer, or text such as "50MiB". */
	OPTION_SIZE,
	/** Milliseconds: text such as "2s". */
	OPTION_DURATION,
	/** A pair of durations: degraded, failed. */
	OPTION_LIMITS,
	OPTION_LIST,
	/** One of `words`, kept as its number. */
	OPTION_WORD,
	/** "HH:MM". */
	OPTION_TIME,
};

struct option {
	/** "brain"; "sqlite.keep" for keys of a table inside a table. */
	const char *section;
	const char *key;
	enum option_kind kind;
	/** Of the field in its struct. */
	size_t offset;
	/** TOML; NULL when there is none (a required key, or NULL in the field). */
	const char *fallback;
	/** For numbers and durations. */
	int64_t least;
	int64_t most;
	/** For OPTION_WORD, ended by NULL. */
	const char *const *words;
	/** One line for people. */
	const char *text;
};

/** struct config. */
extern const struct option options[];
extern const size_t noptions;
/** struct config_watch, struct config_database: keys of the arrays of tables. */
extern const struct option watch_options[];
extern const size_t nwatch_options;
extern const struct option database_options[];
extern const size_t ndatabase_options;

#endif
