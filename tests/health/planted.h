// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/health/planted - a machine whose every fact is true, to be broken one at a time.
 *
 *     struct planted *machine = planted_new(scratch);
 *     ...                                          // break something
 *     planted_measure(machine);
 *     assert_state(machine, "push", HEALTH_DEGRADED);
 *     planted_free(machine);
 *
 * A state folder with queue, ledger, evidence and pulse; a brain repo with one commit; a
 * watched folder with three files; this process holds the lock and plays the agent.
 */

#ifndef TESTS_HEALTH_PLANTED_H
#define TESTS_HEALTH_PLANTED_H

#include "brain/oid.h"
#include "health/evidence.h"
#include "health/facts.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "support/test.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct config;
struct tick;

struct planted {
	const struct scratch *scratch;
	char *state_dir;
	char *root;
	struct config *config;
	struct jobqueue *queue;
	struct evidence *evidence;
	struct tick *tick;
	struct oid head;
	int64_t now_ms;
	struct health_input input;
	struct health_report report;
};

struct planted *planted_new(const struct scratch *scratch);
void planted_free(struct planted *machine);

/** A scratch folder with such a machine in it, as cmocka's state. */
int planted_setup(void **state);
int planted_teardown(void **state);
#define PLANTED_TEST(name)                                                               \
	cmocka_unit_test_setup_teardown(name, planted_setup, planted_teardown)

/** So much time goes by. */
void planted_pass(struct planted *machine, int64_t ms);
/** Replace the configuration by this text (%ROOT%, %REPO% are put in). */
void planted_config(struct planted *machine, const char *text);
/** A commit with one more file, at @at_ms; the ledger follows when @recorded. */
void
planted_commit(struct planted *machine, const char *name, int64_t at_ms, bool recorded);
/** What the ledger remembers under a key. */
void planted_meta(struct planted *machine, const char *key, const char *value);
/** A row in the watched folder. */
void planted_row(struct planted *machine, const char *name, enum ledger_state state,
	const char *reason, int64_t since_ms);
/** Overwrite a piece of evidence. */
void planted_evidence(struct planted *machine, const char *name, enum health_state state,
	const char *detail, int64_t at_ms);
/** The agent lets go: no lock.  @stopped: in good order. */
void planted_agent_ends(struct planted *machine, bool stopped);
/** Nobody ever started an agent. */
void planted_no_agent(struct planted *machine);

/** Measure again into machine->report. */
void planted_measure(struct planted *machine);
const struct health_fact *planted_fact(struct planted *machine, const char *name);

void planted_assert_state(struct planted *machine, const char *name,
	enum health_state state, const char *file, int line);
/** Measure, and one fact must be in that state. */
#define assert_state(machine, name, state)                                               \
	planted_assert_state(machine, name, state, __FILE__, __LINE__)
/** Its evidence must hold these words. */
#define assert_says(machine, name, words)                                                \
	assert_non_null(strstr(planted_fact(machine, name)->evidence, words))

#endif
