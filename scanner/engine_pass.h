// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/engine_pass - one text under way: the inside of scanner/engine.
 *
 * Knows: assign, engine, filter, ruleset, runs, pattern.
 * Owns:  nothing; the engine lends its scratch to the pass.
 * Never: is included by another room, or by anybody but engine*.c.
 *
 *     engine.c          words lead to steps; findings are merged
 *     engine_token.c    formats that speak for themselves, URLs, PEM blocks
 *     engine_named.c    values beside their names
 *     engine_members.c  values inside what a name opens
 *     engine_alone.c    a file that is a secret and nothing else
 *     engine_manifest.c secrets of Kubernetes
 *     engine_wrapped.c  text inside base64, hex and escapes; keys without a word
 */

#ifndef SCANNER_ENGINE_PASS_H
#define SCANNER_ENGINE_PASS_H

#include "base/base.h"
#include "scanner/assign.h"
#include "scanner/engine.h"
#include "scanner/filter.h"
#include "scanner/pattern.h"
#include "scanner/ruleset.h"
#include "scanner/runs.h"

struct rule;

struct findings {
	struct engine_finding *list;
	size_t count;
	size_t size;
};

struct engine {
	struct pattern_scratch *scratch;
	struct findings found;
	/** Of the text inside an encoding. */
	struct findings inner;
	char *decoded;
	struct filter_names names;
	/** One byte for each user's rule: was a keyword seen?  Then the same for the text
	 * inside an encoding. */
	uint8_t *user_seen;
	size_t nuser_seen;
};

/** One text being scanned. */
struct pass {
	struct engine *engine;
	const struct engine_context *context;
	const char *text;
	size_t len;
	struct findings *found;
	/** Inside an encoding: no deeper. */
	bool inner;
	/** Of each user's rule: was a keyword seen? */
	uint8_t *seen;
	/** Names before this were looked at, and what was read there in vain. */
	size_t named_done;
	struct assign_memo named;
	/** So with manifests. */
	size_t manifests_done;
	size_t members_done;
	/** Values that are longer than what is read of them: seen from here on they end
	 * there; and the last of them that is a finding. */
	size_t long_from;
	size_t long_upto;
	size_t found_from;
	size_t found_upto;
	/** Encoded text before this was looked at: runs, and escapes. */
	size_t runs_done;
	size_t escapes_done;
	/** They go on a little behind the words, so that the text is still near. */
	struct runs runs;
	struct err *err;
};

/** Where somebody asks why nothing was found: this is why. */
void pass_tell(const struct pass *pass, const char *rule, const char *why, size_t start,
	size_t end) NONNULL;
/** What tells this secret from others: its fingerprint, its entropy. */
void pass_identify(const struct engine_context *context, const char *secret, size_t len,
	struct engine_finding *finding) NONNULL;
/** Unless a person allowed it, or it is not sure enough here. */
void pass_add(struct pass *pass, const struct engine_finding *finding) NONNULL;
/** The same for a span of the text. */
void pass_emit_rule(struct pass *pass, uint32_t index, enum finding_confidence confidence,
	size_t start, size_t end) NONNULL;

/** Everything in the text of @pass: 0, or negative as engine_scan(). */
int pass_scan(struct pass *pass) NONNULL MUST_CHECK;

/** What a word at @at leads to; 0, or negative as engine_scan(). */
int pass_token(struct pass *pass, uint32_t index, size_t at) NONNULL MUST_CHECK;
int pass_named(struct pass *pass, size_t at, size_t len) NONNULL MUST_CHECK;
/** The whole text, where the file's name is a secret's. */
void pass_alone(struct pass *pass) NONNULL;
/** The members of what the name from @start to @end opens. */
int pass_members(struct pass *pass, size_t start, size_t end) NONNULL MUST_CHECK;
/** One value beside a name: a finding, unless something speaks against it. */
int pass_judge(struct pass *pass, struct assignment *found) NONNULL MUST_CHECK;
void pass_url(struct pass *pass, size_t at) NONNULL;
void pass_pem(struct pass *pass, size_t at) NONNULL;
void pass_manifest(struct pass *pass, size_t at, size_t len) NONNULL;
int pass_escaped(struct pass *pass, size_t at, size_t len) NONNULL MUST_CHECK;
/** What a run of letters and digits is, and a stretch of words: keys, encoded text. */
int pass_run(struct pass *pass, size_t start, size_t end) NONNULL MUST_CHECK;
void pass_words(struct pass *pass, size_t start, size_t end) NONNULL;

/** A rule on the text from @start to @end, the whole of a value. */
int pass_keyed(struct pass *pass, uint32_t index, size_t start, size_t end)
	NONNULL MUST_CHECK;

#endif
