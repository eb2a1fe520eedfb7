// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/gitleaks - rules that a person wrote, in gitleaks' TOML.
 *
 * Knows: base, pattern, rarity.
 * Owns:  the rules; patterns are compiled at their first use.
 * Never: takes a rule it cannot honour for one it can: what it does not understand is an
 *        error that names file and line.
 */

#ifndef SCANNER_GITLEAKS_H
#define SCANNER_GITLEAKS_H

#include "base/base.h"

struct err;
struct gitleaks;
struct hash;
struct pattern_scratch;

struct gitleaks_match {
	/** Mark-safe id; borrowed from the rules. */
	const char *rule;
	/** The secret; both 0 for a rule about the path alone. */
	size_t start;
	size_t end;
	/** Its name says that it guesses. */
	bool generic;
};

typedef void gitleaks_fn(const struct gitleaks_match *match, void *payload);

/**
 * @ret_extends
 *         Does a file ask for the built-in rules ([extend] useDefault)?
 * @return
 *         0, or negative: INVALID ("file:line: ..."), NOT_FOUND, IO.
 */
int gitleaks_load(const char *const *files, size_t nfiles, struct gitleaks **ret_rules,
	bool *ret_extends, struct err *err) NONNULL_ARGS(3, 4, 5) MUST_CHECK;
/** Accepts NULL. */
void gitleaks_free(struct gitleaks *rules);
void gitleaks_freep(struct gitleaks **rules);

/** What rule @index finds, in its author's words, or its id; borrowed. */
const char *gitleaks_description(const struct gitleaks *rules, size_t index) NONNULL;

size_t gitleaks_count(const struct gitleaks *rules) NONNULL;
const char *gitleaks_id(const struct gitleaks *rules, size_t rule) NONNULL;
/** Built-in rules that [extend] disabledRules names. */
bool gitleaks_disables(const struct gitleaks *rules, const char *id) NONNULL;
/** Lower case; NULL behind the last. */
const char *
gitleaks_keyword(const struct gitleaks *rules, size_t rule, size_t index) NONNULL;
/** Too short to be searched for beforehand: the rule always runs. */
enum {
	GITLEAKS_KEYWORD_MIN = 3,
};

/**
 * Run the rules over one text.
 *
 * @path
 *         For path rules and allow lists; may be NULL.
 * @seen
 *         For each rule, not 0 when one of its keywords stands in the text.
 * @return
 *         0, or BLOCKED.
 */
int gitleaks_scan(const struct gitleaks *rules, struct pattern_scratch *scratch,
	const char *text, size_t len, const char *path, const uint8_t *seen,
	gitleaks_fn *fn, void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 6, 7, 9)
	MUST_CHECK;

/** Add all that decides to a hash. */
void gitleaks_hash(const struct gitleaks *rules, struct hash *hash) NONNULL;

#endif
