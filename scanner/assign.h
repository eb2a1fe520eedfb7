// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/assign - a name, an operator, a value: in any of the ways people write that.
 *
 * Knows: chars, columns, words.
 * Owns:  nothing.
 * Never: reads further than ASSIGN_REACH around the word it starts from.
 *
 *     api_key = "..."       "apiKey": "..."      API_KEY=... cmd      "api_key" => "..."
 *     apiKey: String = "..."     <apiKey>...</apiKey>      key="apiKey" value="..."
 *     setApiKey("...")      ('apiKey', '...')    --api-key ...        X-Api-Key: ...
 *     \"apiKey\":\"...\"    password '...'       $cfg['api_key'] = '...'
 *     { "name": "API_KEY", "value": "..." }      { "value": "...", "name": "API_KEY" }
 *     apiKeys = ["...", "..."]                   INSERT INTO t (a, api_key) VALUES (1,
 * '...') user,api_key  above  bob,...               apiKey = "..." + "..."
 */

#ifndef SCANNER_ASSIGN_H
#define SCANNER_ASSIGN_H

#include "base/base.h"
#include "scanner/columns.h"

enum {
	ASSIGN_KEY_MAX = 96,
	ASSIGN_GAP_MAX = 64,
	/** A quoted value, and one without quotes. */
	ASSIGN_QUOTED_MAX = 4096,
	ASSIGN_BARE_MAX = 1024,
	ASSIGN_REACH = ASSIGN_KEY_MAX + 2 * ASSIGN_GAP_MAX + ASSIGN_QUOTED_MAX,
};

enum assign_form {
	/** = and its relatives. */
	ASSIGN_EQUALS,
	/** : as in JSON, YAML, headers. */
	ASSIGN_COLON,
	/** == or !=: a comparison. */
	ASSIGN_COMPARE,
	/** name("value") and ("name", "value"). */
	ASSIGN_CALL,
	/** <name>value</name> */
	ASSIGN_ELEMENT,
	/** Only space between them: flags, SQL, netrc. */
	ASSIGN_SPACE,
};

struct assignment {
	size_t key_start;
	size_t key_end;
	/** Without quotes. */
	size_t value_start;
	size_t value_end;
	enum assign_form form;
	/** The value's quote, or 0. */
	char quote;
	/** The name begins with '-', as a flag of a command. */
	bool flag;
	/** The value is all there is up to the end of its line. */
	bool whole_line;
	/** It is longer than the limit; the end is not its end. */
	bool endless;
	/** One of several: the name says so in the plural. */
	bool listed;
	/** Words between name and value say that it follows: "the password is x". */
	bool said;
	/** In round brackets: strings side by side are parts of one. */
	bool bracketed;
};

/**
 * Read the assignment whose name holds the word at @hit.
 *
 * @return
 *         false when no value stands behind the name.
 */
bool assign_read(const char *text, size_t len, size_t hit, size_t hit_len,
	struct assignment *ret_assignment) NONNULL;

/** What was read in vain before, so that names that follow each other closely do not make
 * anybody read the same bytes again and again.  All zero at a text's start. */
struct assign_memo {
	/** No field called "value" begins here, and no object ends: seen going on, and
	 * going back. */
	struct assign_range {
		size_t from;
		size_t upto;
	} behind, before;
	/** Nothing ends a value without quotes here, for this form. */
	size_t bare_from;
	size_t bare_upto;
	enum assign_form bare_form;
	struct columns_memo columns;
};

/** What is left to read for one word. */
struct assign_reader {
	const char *text;
	size_t len;
	size_t hit;
	size_t hit_len;
	/** Of this text; borrowed. */
	struct assign_memo *memo;
	/** Where to look next; only assign knows the places. */
	int place;
	/** The name alone. */
	struct assignment key;
	struct assignment last;
	size_t listed;
	struct columns columns;
};

/**
 * The next value that the name around the word at @hit belongs to: the one behind its
 * operator, the others of the same list, the "value" beside a "name", a column's cells.
 *
 * @reader
 *         All zero but text, len, hit, hit_len and memo at the first call.
 * @return
 *         false when there is none any more.
 */
bool assign_next(struct assign_reader *reader, struct assignment *ret_assignment) NONNULL;

/**
 * The parts of "one" + "two", joined.
 *
 * @assignment
 *         Its value becomes all of them, from behind the first quote up to the last.
 * @return
 *         The length, at most @size, or 0 when the value has one part.
 */
size_t assign_join(const char *text, size_t len, struct assignment *assignment, char *out,
	size_t size) NONNULL;

/** Does a field of a user's name, with its value, end before the name at @start? */
bool assign_has_user(const char *text, size_t start) NONNULL;

/** The name of what the name at @start stands in: an object, a block, a section. */
bool
assign_parent(const char *text, size_t start, size_t *ret_start, size_t *ret_end) NONNULL;

/**
 * The true end of an endless value that began at @start: of its last character that is no
 * space, quote or separator.
 */
size_t assign_end(const char *text, size_t len, size_t start) NONNULL;

#endif
