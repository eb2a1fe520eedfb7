// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/rule - what a secret of one kind looks like.
 *
 * Knows: nothing; the tables are data.
 * Owns:  nothing: everything in a row is a literal.
 * Never: starts a pattern with a variable prefix: a pattern begins at a literal.
 *
 * A rule is found in one of two ways:
 *
 *     RULE_TOKEN  the format speaks for itself.  One of `literals` stands at the start of
 *                 the pattern (or up to `back` word characters behind it).
 *     RULE_KEYED  the value is only random characters; the name beside it says whose
 *                 they are.  One of `literals` stands in the name of an assignment
 *                 (scanner/assign), and `pattern` fits the whole value.
 */

#ifndef SCANNER_RULE_H
#define SCANNER_RULE_H

#include "base/base.h"
#include "scanner/check.h"
#include "scanner/finding.h"

enum rule_kind {
	RULE_TOKEN,
	RULE_KEYED,
};

enum {
	/** A token may follow a letter or digit directly. */
	RULE_GLUED = 1,
	/** The pattern sees to its own end. */
	RULE_OPEN_END = 2,
	/** Words and low variety are fine: the structure alone decides. */
	RULE_UNFILTERED = 4,
	/** Human-made values: only placeholders are dropped, not dull ones. */
	RULE_HUMAN = 8,
	/** The engine's own rule, found by code rather than by a row's pattern. */
	RULE_CODE = 16,
	/** Runs only on lower-case letters or digits before it, up to `back` of them. */
	RULE_BACK_HEX = 32,
	/** A UUID here is the secret itself. */
	RULE_UUID = 64,
	/** Its words are not looked for inside base64, hex and percent escapes. */
	RULE_UNWRAPPED = 128,
	/** The pattern begins up to `back` characters before the word: at the space or
	 * quote before it, or where its line starts. */
	RULE_BACK_SOLID = 256,
	RULE_BACK_LINE = 512,
	/** A letter or digit may follow when the checksum fits. */
	RULE_CHECKED_END = 1024,
};

struct rule {
	/** [a-z0-9][a-z0-9_-]* */
	const char *id;
	/** For people. */
	const char *name;
	/** Separated by '|'; a leading '~' means letters in either case. */
	const char *literals;
	const char *pattern;
	/** Where the format is documented. */
	const char *source;
	enum rule_kind kind;
	enum finding_confidence confidence;
	/** The group that is the secret; 0 is the whole match. */
	uint8_t group;
	uint8_t back;
	uint16_t flags;
	/** A checksum or structure test of the secret, or NULL. */
	check_fn *check;
};

struct rule_table {
	const struct rule *rules;
	size_t count;
};

/** The tables, in order of precedence; ends with NULL. */
extern const struct rule_table *const rule_tables[];

#endif
