// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/agent/world - a watched folder, a brain repository and a state, all in one
 * scratch folder.
 *
 *     struct world *world = *state;
 *     put(world, "notes/a.md", "hello");
 *     struct cycle_result result = run_once(world);
 */

#ifndef TESTS_AGENT_WORLD_H
#define TESTS_AGENT_WORLD_H

#include "support/test.h"

#include "agent/agent.h"

struct config;
struct kit;

struct world {
	struct scratch *scratch;
	/** Added to the configuration, before [brain]. */
	char extra[1024];
	/** Added to [brain]. */
	char brain[1024];
	/** As with --full. */
	bool rehash;
};

/** cmocka setup and teardown; the environment points into the scratch folder. */
int world_setup(void **state);
int world_teardown(void **state);

void put(const struct world *world, const char *name, const char *text);
/** One full cycle; fails the test when the cycle fails. */
struct cycle_result run_once(const struct world *world);
/** The same, for cycles that may fail: the code. */
int try_once(const struct world *world, struct cycle_result *ret_result, struct err *err);

/** Kit and lock in hand, as a worker has them; nothing ran yet. */
struct seat {
	struct config *config;
	struct kit *kit;
};
void sit_down(const struct world *world, struct seat *seat);
void leave(struct seat *seat);

/** A shell command in the scratch folder: its exit status must be 0. */
void
sh(const struct world *world, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Is it 0? */
int holds(const struct world *world, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** `git fsck --strict` and `git status` are clean, and every file of the commit's watched
 * folders is byte for byte what stands on disk. */
void assert_honest(const struct world *world);

/** Rows in that state. */
int64_t count(const struct world *world, enum ledger_state state);
/** The state and reason of one path, "mirrored" or "pending held:shrink". */
void assert_row(const struct world *world, const char *path, const char *wanted);

#endif
