// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/plan - what would be mirrored of a folder, and what not, before anything is done.
 *
 * Knows: config, ledger (walk, classify), output.
 * Owns:  nothing that outlives the call.
 * Never: reads a file, follows a link, changes anything.
 */

#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "base/base.h"
#include "ledger/state.h"

struct config;
struct config_watch;
struct output;

enum {
	/** Folders below folders; deeper ones are not looked at here. */
	PLAN_DEPTH_MAX = 500,
	/** Excluded paths named for each kind. */
	PLAN_NAMED_MAX = 3,
};

struct plan {
	uint64_t files;
	uint64_t bytes;
	uint64_t excluded[LEDGER_NKINDS];
	/** The first few of each kind, relative; owned. */
	char *named[LEDGER_NKINDS][PLAN_NAMED_MAX];
	/** Folders that could not be read. */
	uint64_t unread;
};

void plan_make(const struct config *config, const struct config_watch *watch,
	struct plan *ret_plan) NONNULL;
void plan_done(struct plan *plan) NONNULL;
void plan_print(struct output *out, const struct config_watch *watch,
	const struct plan *plan) NONNULL;

#endif
