// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/plan - what would be mirrored of a folder, and what not, before anything is done.
 *
 *     struct plan_look look = { .scanner = scanner, .until_ms = clock_mono_ms() + 10000
 * }; AUTO(plan_done) struct plan plan;
 *
 *     plan_make(config, &config->watches[i], &look, &plan);
 *     plan_print(out, &config->watches[i], &plan);
 *
 * Knows: config (places too), ledger (walk, classify, sqlite_probe), scanner, scan_pool,
 * output. Owns:  nothing that outlives the call. Never: follows a link, changes anything,
 * shows a secret, or says "no secret" of what it had no time to read.
 */

#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "base/base.h"
#include "ledger/state.h"

struct config;
struct config_watch;
struct json;
struct output;
struct scanner;

enum {
	/** Folders below folders; deeper ones are not looked at here. */
	PLAN_DEPTH_MAX = 500,
	/** Paths named for each kind. */
	PLAN_NAMED_MAX = 3,
	/** Rules told one by one. */
	PLAN_RULES_MAX = 64,
};

/** How closely to look. */
struct plan_look {
	/** Looks into the files; NULL: at names and sizes alone. */
	const struct scanner *scanner;
	/** On the clock of clock_mono_ms(): from then on no file is opened. */
	int64_t until_ms;
	/** Draws its progress there; may be NULL. */
	struct output *out;
};

struct plan_rule {
	/** Borrowed from the scanner. */
	const char *rule;
	uint64_t secrets;
};

struct plan {
	uint64_t files;
	uint64_t bytes;
	uint64_t excluded[LEDGER_NKINDS];
	/** The first few of each kind, relative; owned. */
	char *named[LEDGER_NKINDS][PLAN_NAMED_MAX];
	/** Folders that could not be read. */
	uint64_t unread;

	/** Files that were looked into; 0 without a scanner. */
	uint64_t looked;
	/** Regular files among @files, and those of them that could not be read. */
	uint64_t regular;
	uint64_t closed;
	uint64_t databases;
	uint64_t database_bytes;
	char *database[PLAN_NAMED_MAX];
	/** Files that hold secrets; secrets by rule, the most first. */
	uint64_t with_secrets;
	uint64_t secrets;
	struct plan_rule rules[PLAN_RULES_MAX];
	size_t nrules;
};

void plan_make(const struct config *config, const struct config_watch *watch,
	const struct plan_look *look, struct plan *ret_plan) NONNULL;
void plan_done(struct plan *plan) NONNULL;
/** The same for programs, owned by the caller. */
struct json *
plan_json(const struct config_watch *watch, const struct plan *plan) NONNULL MUST_CHECK;
void plan_print(struct output *out, const struct config_watch *watch,
	const struct plan *plan) NONNULL;

#endif
