// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/verb - what a verb is.
 *
 * Knows: args, output.
 * Owns:  nothing; verbs are rows of the table in cli/verbs.
 * Never: prints; a handler does, through its call's output.
 */

#ifndef CLI_VERB_H
#define CLI_VERB_H

#include "base/base.h"
#include "cli/args.h"
#include "cli/output.h"

struct err;
struct verb;

/** One use of one verb. */
struct call {
	const struct verb *verb;
	struct args args;
	struct output out;
	/** As typed after -c, or NULL. */
	const char *config_file;
	/** Show what would be done, and change nothing. */
	bool dry_run;
};

/** @return the exit status (0 or more), or a negative code with its story. */
typedef int verb_fn(struct call *call, struct err *err);

enum verb_trait {
	/** It changes something, so it has -n. */
	VERB_CHANGES = 1,
	/** For other programs: in no list. */
	VERB_HIDDEN = 2,
	/** It can be asked of another agent: --socket, --url. */
	VERB_REMOTE = 4,
};

enum verb_group {
	VERB_SETUP,
	VERB_RUN,
	VERB_SEE,
	VERB_BACK,
	VERB_SECRETS,
	VERB_OTHER,
	VERB_GROUPS_,
};

struct verb {
	/** "scan", or "config check". */
	const char *name;
	/** What follows it: "[PATH...|-]". */
	const char *usage;
	/** One line. */
	const char *text;
	/** Paragraphs for --help and the manual; NULL for none. */
	const char *more;
	/** Its own flags, ended by a row without a name. */
	const struct flag *flags;
	verb_fn *run;
	enum verb_group group;
	/** Bits of enum verb_trait. */
	unsigned int traits;
	/** How many words may follow. */
	size_t least;
	size_t most;
	/** A flag of this name without any verb means this one ("once"); NULL for none.
	 */
	const char *alias;
};

#endif
