// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/engine - text in eight bits, raw findings out.
 *
 * Knows: ruleset, pattern, literal, assign, filter, decode.
 * Owns:  the scratch of one thread (struct engine), and its list of findings.
 * Never: knows encodings, lines, or the scanner's front door.
 *
 * Everything it decides, it decides from at most SCANNER_STREAM_REACH bytes around a
 * secret, so that a text in pieces gives the same findings as the whole; but for the rows
 * of a table, which are read as far behind their headings as a piece goes.
 */

#ifndef SCANNER_ENGINE_H
#define SCANNER_ENGINE_H

#include "base/base.h"
#include "scanner/finding.h"

struct engine;
struct err;
struct ruleset;

struct engine_finding {
	const char *rule;
	enum finding_confidence confidence;
	/** Lower wins where two findings overlap. */
	uint32_t order;
	size_t start;
	size_t end;
	uint8_t fingerprint[FINDING_PRINT_LEN];
	uint16_t entropy;
};

/** A rule looked and found nothing. */
typedef void engine_look_fn(
	const char *rule, const char *why, size_t start, size_t end, void *payload);

/** What the engine needs beside the text. */
struct engine_context {
	const struct ruleset *rules;
	/** HASH_KEY_LEN bytes. */
	const uint8_t *key;
	/** Sorted. */
	const uint8_t (*allowed)[FINDING_PRINT_LEN];
	size_t nallowed;
	/** A set of enum filter_path. */
	unsigned int path;
	/** The path itself for users' rules; may be NULL. */
	const char *path_name;
	/** Marks in the text count: its own line, or lines, before it is merged with
	 * others. */
	bool marks;
	/** Only what is certain counts. */
	bool certain_only;
	/** Told of looks that begin between these two; may be NULL. */
	engine_look_fn *tell;
	void *tell_payload;
	size_t tell_from;
	size_t tell_upto;
};

struct engine *engine_new(void) MUST_CHECK;
/** Accepts NULL. */
void engine_free(struct engine *engine);

/**
 * @ret_findings
 *         Sorted, not overlapping; borrowed until the engine is used again.
 * @return
 *         0, or negative: BLOCKED, the story names the rule.
 */
int engine_scan(struct engine *engine, const struct engine_context *context,
	const char *text, size_t len, const struct engine_finding **ret_findings,
	size_t *ret_count, struct err *err) NONNULL MUST_CHECK;

#endif
