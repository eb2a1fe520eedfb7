// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/status - what is running, what is next, how many files are safe:
 * `mirror.status/1`.
 *
 *     AUTO(view_status_done) struct view_status status = { 0 };
 *
 *     view_status_look(&input, &status);
 *     object = view_status_json(&status);
 *
 * It asks nobody, so a stopped or hung agent cannot make it wait; every part that cannot
 * be read is told as unknown.
 *
 * Knows: config, jobqueue, ledger, brain (to read), health (evidence, tick, sentence).
 * Owns:  the handles it opened, until view_status_done().
 * Never: changes anything; fails: what is not known is null.
 */

#ifndef VIEW_STATUS_H
#define VIEW_STATUS_H

#include "base/base.h"
#include "brain/oid.h"
#include "health/sentence.h"
#include "health/tick.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"

struct config;
struct err;
struct evidence;
struct json;

enum {
	/** Of each state, in `leftover`. */
	VIEW_LEFTOVERS_MAX = 5,
};

struct view_status_input {
	/** NULL: there is no good one. */
	const struct config *config;
	/** What is wrong with the file, or NULL. */
	const char *config_error;
	const char *config_file;
	const char *state_dir;
	/** "agent" or "state": who was asked. */
	const char *source;
};

struct view_status {
	struct view_status_input input;
	struct jobqueue *queue;
	struct ledger *ledger;
	struct evidence *evidence;
	/** Who holds the runner's lock; 0 is nobody. */
	int pid;
	char holder[LOCK_HOLDER_MAX];
	bool has_tick;
	struct tick_mark tick;
	int64_t tick_age_ms;
	bool has_head;
	struct oid head;
	/** The commit is there, and can be read. */
	bool head_is_whole;
	bool has_totals;
	struct ledger_totals totals;
	bool is_paused;
	struct jobqueue_pause pause;
	int64_t next_ms;
	int64_t now_ms;
};

/** @input is borrowed until view_status_done(). */
void view_status_look(
	const struct view_status_input *input, struct view_status *ret_status) NONNULL;
void view_status_done(struct view_status *status) NONNULL;

/** The first few rows that failed, then those that are pending, each with its next step;
 * owned by the caller. */
int view_leftovers(struct ledger *ledger, const struct ledger_totals *totals,
	struct json **ret_list, struct err *err) NONNULL MUST_CHECK;

/** Owned by the caller. */
struct json *view_status_json(struct view_status *status) NONNULL MUST_CHECK;

#endif
