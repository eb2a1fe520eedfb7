// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/fleet.h"

#include "base/err.h"
#include "base/mem.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct oid
blob(int number)
{
	char text[24];
	struct oid oid;

	(void)snprintf(text, sizeof(text), "%d", number);
	oid_of(OBJECT_BLOB, text, strlen(text), &oid);
	return oid;
}

static char *
git_dir_of(const struct scratch *scratch)
{
	assert_int_equal(
		scratch_sh(scratch, "git init -q --bare brain && mkdir brain/mirror"), 0);
	return xasprintf("%s/brain", scratch->path);
}

static void
a_machine_keeps_its_id_and_another_has_another(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_FREE char *dir = git_dir_of(scratch);
	struct fleet_self first;
	struct fleet_self again;
	struct fleet_self other;
	struct err err;

	ok(fleet_self_load(dir, "laptop", &first, &err));
	ok(fleet_self_load(dir, "laptop", &again, &err));
	assert_int_equal(scratch_sh(scratch, "rm brain/mirror/machine"), 0);
	ok(fleet_self_load(dir, "laptop", &other, &err));

	assert_string_equal(first.machine, again.machine);
	assert_string_not_equal(first.machine, other.machine);
	assert_int_equal(strlen(first.machine), 32);
	assert_int_equal(
		scratch_sh(scratch, "test $(stat -c %%a brain/mirror/machine) = 600"), 0);
}

static void
under_a_new_name_nothing_is_known_to_stand_at_the_remote(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_FREE char *dir = git_dir_of(scratch);
	struct oid one = blob(1);
	struct fleet_self self;
	struct fleet_self renamed;
	struct err err;

	ok(fleet_self_load(dir, "laptop", &self, &err));
	fleet_self_sent(&self, &one);
	ok(fleet_self_save(dir, &self, &err));
	ok(fleet_self_load(dir, "desk", &renamed, &err));

	assert_true(fleet_is_ours(&self, &one));
	assert_false(fleet_is_ours(&renamed, &one));
	assert_string_equal(renamed.machine, self.machine);
	assert_int_equal(renamed.count, 1);
}

static void
what_was_on_its_way_is_ours_also_after_a_kill(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_FREE char *dir = git_dir_of(scratch);
	struct fleet_self self;
	struct fleet_self after;
	struct err err;

	ok(fleet_self_load(dir, "laptop", &self, &err));
	for (int i = 0; i < 2 * FLEET_PENDING_MAX; i++) {
		struct oid next = blob(i);

		fleet_self_sending(&self, &next);
	}
	ok(fleet_self_save(dir, &self, &err));
	ok(fleet_self_load(dir, "laptop", &after, &err));

	for (int i = FLEET_PENDING_MAX; i < 2 * FLEET_PENDING_MAX; i++) {
		struct oid sent = blob(i);

		assert_true(fleet_is_ours(&after, &sent));
	}
	assert_int_equal(after.npending, FLEET_PENDING_MAX);
}

static void
a_damaged_identity_is_told_and_not_made_anew(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_FREE char *dir = git_dir_of(scratch);
	struct fleet_self self;
	struct err err;

	assert_int_equal(
		scratch_sh(scratch, "echo '{\"machine\": \"x\"}' >brain/mirror/machine"),
		0);
	fails(fleet_self_load(dir, "laptop", &self, &err), ERR_CORRUPT);
	assert_string_not_equal(err.next, "");
}

static void
whose_a_heartbeat_is_is_told_by_id_and_count(void **state)
{
	static const struct {
		const char *machine;
		int64_t count;
		enum fleet_verdict verdict;
	} cases[] = {
		{ "0123456789abcdef0123456789abcdef", 4, FLEET_OURS },
		{ "0123456789abcdef0123456789abcdef", 5, FLEET_COPY },
		{ "0123456789abcdef0123456789abcdef", 6, FLEET_COPY },
		{ "ffffffffffffffffffffffffffffffff", 4, FLEET_TAKEN },
		{ "ffffffffffffffffffffffffffffffff", 6, FLEET_TAKEN },
	};
	struct fleet_self self = { .machine = "0123456789abcdef0123456789abcdef",
		.count = 5 };
	struct oid unknown = blob(9);

	(void)state;
	self.last = blob(5);
	for (size_t i = 0; i < countof(cases); i++) {
		struct fleet_beat beat = { .count = cases[i].count };

		(void)snprintf(
			beat.machine, sizeof(beat.machine), "%s", cases[i].machine);
		assert_int_equal(fleet_judge(&self, &unknown, &beat), cases[i].verdict);
		// What we wrote ourselves is known by its name alone.
		assert_int_equal(fleet_judge(&self, &self.last, &beat), FLEET_OURS);
	}
}

static int
remember(const struct fleet_beat *beat, void *payload)
{
	*(struct fleet_beat *)payload = *beat;
	return 0;
}

static void
a_heartbeat_comes_back_as_it_was_under_the_name_of_its_ref(void **state)
{
	const struct scratch *scratch = *state;
	AUTO_FREE char *dir = git_dir_of(scratch);
	struct fleet_beat beat = {
		.host = "somebody-else",
		.machine = "0123456789abcdef0123456789abcdef",
		.count = 7,
		.at_ms = 1763700000000,
		.state = "degraded",
		.sentence = "a \"quoted\" sentence\nand a line",
		.took = "ffffffffffffffffffffffffffffffff",
	};
	struct fleet_beat read = { .count = 0 };
	struct fleet_beat listed = { .count = 0 };
	struct oid stored;
	struct err err;
	char hex[OID_HEX_MAX];

	ok(fleet_each(dir, remember, &listed, &err));
	assert_int_equal(listed.count, 0);
	ok(fleet_beat_store(dir, &beat, &stored, &err));
	AUTO_FREE char *command =
		xasprintf("cd brain/mirror/fleet.git && git --git-dir=. "
			  "update-ref refs/mirror/state/laptop %s && git "
			  "--git-dir=. fsck --strict",
			oid_hex(&stored, hex));
	assert_int_equal(scratch_sh(scratch, "%s", command), 0);
	ok(fleet_beat_read(dir, &stored, &read, &err));
	ok(fleet_each(dir, remember, &listed, &err));

	assert_string_equal(read.sentence, beat.sentence);
	assert_string_equal(read.took, beat.took);
	assert_string_equal(listed.host, "laptop");
	assert_int_equal(listed.count, 7);
	assert_int_equal(listed.at_ms, beat.at_ms);
	assert_string_equal(listed.state, "degraded");
	assert_true(oid_equal(&listed.blob, &stored));
	// Nothing of it is in the brain.
	assert_int_equal(scratch_sh(scratch,
				 "test -z \"$(git --git-dir=brain for-each-ref)\" && "
				 "! git --git-dir=brain cat-file -e $(git --git-dir="
				 "brain/mirror/fleet.git rev-parse "
				 "refs/mirror/state/laptop) 2>/dev/null"),
		0);
}

static void
what_is_no_heartbeat_is_refused_and_left_out(void **state)
{
	static const char *const texts[] = { "", "{}", "[]", "{\"machine\": \"short\"}",
		"{\"machine\": \"0123456789abcdef0123456789abcdeX\"}" };
	const struct scratch *scratch = *state;
	AUTO_FREE char *dir = git_dir_of(scratch);
	struct fleet_beat beat = { .count = -1 };
	char *store = NULL;
	struct err err;

	for (size_t i = 0; i < countof(texts); i++) {
		fails(fleet_beat_parse(texts[i], strlen(texts[i]), &beat, &err),
			ERR_INVALID);
	}
	ok(fleet_store(dir, &store, &err));
	free(store);
	assert_int_equal(
		scratch_sh(scratch,
			"cd brain/mirror/fleet.git && git --git-dir=. update-ref "
			"refs/mirror/state/x $(echo junk | git --git-dir=. hash-object "
			"-w --stdin)"),
		0);
	ok(fleet_each(dir, remember, &beat, &err));
	assert_int_equal(beat.count, -1);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(a_machine_keeps_its_id_and_another_has_another),
		room(under_a_new_name_nothing_is_known_to_stand_at_the_remote),
		room(what_was_on_its_way_is_ours_also_after_a_kill),
		room(a_damaged_identity_is_told_and_not_made_anew),
		room(whose_a_heartbeat_is_is_told_by_id_and_count),
		room(a_heartbeat_comes_back_as_it_was_under_the_name_of_its_ref),
		room(what_is_no_heartbeat_is_refused_and_left_out),
	};

	return cmocka_run_group_tests_name("brain/fleet", tests, NULL, NULL);
}
