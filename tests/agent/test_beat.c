// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include "agent/beat.h"
#include "agent/kit.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"

#include <string.h>

// Samples are cut in two, so that no scanner trips over this file.
#define KEY                                                                              \
	"AKIA"                                                                           \
	"Z7QK3VJX5NPMWR2T"
#define PASSWORD                                                                         \
	"hQ7vTz"                                                                         \
	"2mKp9LxW4c"

// With 10,000 machines a look an hour would be 10,000 x 10,000 heartbeats an hour.
static void
many_machines_look_at_each_other_rarely_and_still_in_time(void **state)
{
	const int64_t hour = INT64_C(3600) * 1000;

	(void)state;
	assert_int_equal(beat_look_every_ms(0), hour);
	assert_int_equal(beat_look_every_ms(99), hour);
	assert_int_equal(beat_look_every_ms(500), 10 * hour);
	assert_int_equal(beat_look_every_ms(10000), 24 * hour);
	assert_int_equal(beat_look_every_ms(INT64_MAX), 24 * hour);
	// A silent one is told before a second silence could hide behind the first.
	assert_true(beat_look_every_ms(INT64_MAX) < RECORD_SILENT_MS);
}

// A connection costs about 280 bytes for each of the others: what an idle machine causes
// in a day must not grow with them for ever.
static void
what_an_idle_machine_costs_has_a_limit_in_practice(void **state)
{
	const int64_t hour = INT64_C(3600) * 1000;

	(void)state;
	assert_int_equal(beat_idle_every_ms(0), hour);
	assert_int_equal(beat_idle_every_ms(99), hour);
	for (int64_t others = 50; others <= 600; others++) {
		assert_true(24 * hour / beat_idle_every_ms(others) * others * 280 <
			700 * 1024);
	}
	// Neither its own evidence grows stale, nor do the others think that it is gone.
	assert_int_equal(beat_idle_every_ms(INT64_MAX), 12 * hour);
	assert_true(2 * beat_idle_every_ms(INT64_MAX) < 25 * hour);
	assert_true(2 * beat_idle_every_ms(INT64_MAX) < RECORD_SILENT_MS);
}

// The worst thing that is known, as somebody else's program or a path may have said it.
static void
plant(const struct world *world, const char *text)
{
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	const struct evidence_fact fact = {
		.name = "integrity",
		.state = HEALTH_FAILED,
		.text = text,
		.action = "mirror verify",
	};
	struct err err;

	ok(evidence_open(scratch_path(world->scratch, "state/mirror"), EVIDENCE_RW,
		&evidence, &err));
	ok(evidence_put(evidence, &fact, &err));
}

// The heartbeat as it would leave the machine, its sentence and its blob.
static void
assert_beats_without(struct world *world, const char *secret)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(kit_freep) struct kit *kit = NULL;
	AUTO_FREE char *text =
		xasprintf("[[watch]]\npath = \"%s/notes\"\n[brain]\nrepo = \"%s/brain\"\n"
			  "branch = \"host/test\"\n",
			world->scratch->path, world->scratch->path);
	struct beat beat;
	struct oid head;
	char hex[OID_HEX_MAX];
	struct err err;

	ok(config_parse(text, strlen(text), "mirror.toml", &config, &err));
	ok(kit_open(config, &kit, &err));
	assert_int_equal(jobqueue_lock(kit->queue, 0, &err), 1);
	ok(kit_start(kit, &err));
	assert_int_equal(repo_head(kit->repo, &head, &err), 1);
	ok(beat_prepare(kit, &head, true, &beat, &err));
	kit_stop(kit);
	jobqueue_unlock(kit->queue);

	assert_string_equal(beat.what.state, "failed");
	assert_null(strstr(beat.what.sentence, secret));
	assert_non_null(strstr(beat.what.sentence, "REDACTED."));
	sh(world, "git --git-dir=brain/.git/mirror/fleet.git cat-file blob %s >beat",
		oid_hex(&beat.blob, hex));
	assert_true(holds(world, "grep -q REDACTED beat"));
	assert_false(holds(world, "grep -qF '%s' beat", secret));
	// Nor in any object beside it.
	assert_false(holds(world,
		"git --git-dir=brain/.git/mirror/fleet.git cat-file --batch "
		"--batch-all-objects | grep -qaF '%s'",
		secret));
}

static void
no_secret_in_a_sentence_leaves_with_a_heartbeat(void **state)
{
	struct world *world = *state;

	put(world, "notes/a.md", "hello");
	(void)run_once(world);
	plant(world, "notes/" KEY ".md cannot be read");
	assert_beats_without(world, KEY);
	plant(world, "https://kim:" PASSWORD "@git.example.org/brain.git says no");
	assert_beats_without(world, PASSWORD);
	plant(world, "the program said: password = \"" PASSWORD "\"");
	assert_beats_without(world, PASSWORD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			many_machines_look_at_each_other_rarely_and_still_in_time),
		cmocka_unit_test(what_an_idle_machine_costs_has_a_limit_in_practice),
		cmocka_unit_test_setup_teardown(
			no_secret_in_a_sentence_leaves_with_a_heartbeat, world_setup,
			world_teardown),
	};

	return cmocka_run_group_tests_name("agent/beat", tests, NULL, NULL);
}
