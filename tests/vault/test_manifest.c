// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/manifest.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/nth.h"
#include "support/test.h"
#include "vault/databases.h"
#include "vault/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static struct manifest_entry *
add(struct scratch *scratch, struct manifest *manifest, const char *name,
	int64_t taken_ms)
{
	struct manifest_entry *entry = manifest_add(manifest);
	AUTO_FREE char *path = xasprintf("kept/%s", name);
	int64_t bytes = 0;
	struct err err = { 0 };

	scratch_write_text(scratch, path, name);
	(void)snprintf(entry->file, sizeof(entry->file), "%s", name);
	ok(archive_hash(manifest->dirfd, name, clock_mono_ms() + 1000,
		entry->stored_sha256, &bytes, &err));
	entry->stored_bytes = bytes;
	entry->taken_ms = taken_ms;
	entry->complete = true;
	entry->verified = true;
	return entry;
}

static void
what_is_saved_is_read_again(void **state)
{
	struct scratch *scratch = *state;
	AUTO(manifest_close) struct manifest manifest = { 0 };
	AUTO(manifest_close) struct manifest again = { 0 };
	const char *dir = scratch_path(scratch, "kept");
	char table[] = "a\xff\"b";
	struct err err = { 0 };

	ok(manifest_open(dir, MANIFEST_WRITE, 0, &manifest, &err));
	manifest.name = xstrdup("odd \xfe name");
	manifest.identity = (struct identity){
		.path = xstrdup("/a/\xff/b"), .dev = 7, .inode = 1ULL << 60
	};
	struct manifest_entry *entry =
		add(scratch, &manifest, "2026-01-01T000000Z.sqlite.zst.age", 5);
	entry->recipient = xstrdup("age1xyz");
	entry->provenance = PROVENANCE_MANUAL;
	entry->lineage = 3;
	entry->found.tables = xcalloc(1, sizeof(*entry->found.tables));
	entry->found.ntables = 1;
	entry->found.tables[0] =
		(struct inspect_table){ .name = xstrdup(table), .rows = 12 };
	entry->offsite = (struct manifest_offsite){
		.remote = xstrdup("box:x"), .part_bytes = 9, .verified_ms = 8
	};
	ok(manifest_save(&manifest, &err));
	ok(manifest_open(dir, MANIFEST_READ, 0, &again, &err));

	assert_string_equal(again.name, manifest.name);
	assert_string_equal(again.identity.path, manifest.identity.path);
	assert_int_equal(again.identity.inode, 1ULL << 60);
	assert_int_equal(again.nentries, 1);
	assert_int_equal(again.entries[0].provenance, PROVENANCE_MANUAL);
	assert_int_equal(again.entries[0].lineage, 3);
	assert_string_equal(again.entries[0].recipient, "age1xyz");
	assert_string_equal(again.entries[0].found.tables[0].name, table);
	assert_int_equal(again.entries[0].found.tables[0].rows, 12);
	assert_string_equal(again.entries[0].offsite.remote, "box:x");
	assert_int_equal(again.entries[0].offsite.verified_ms, 8);
	assert_int_equal(scratch_sh(scratch,
				 "python3 -m json.tool kept/manifest.json "
				 ">/dev/null || test $? = 127"),
		0);
}

static void
a_damaged_list_is_set_aside_and_costs_no_archive(void **state)
{
	struct scratch *scratch = *state;
	static const char *const damages[] = { ": >", "echo '{' >",
		"echo '{\"schema\":\"other\"}' >",
		"sed -i 's/2026-01-01T000000Z.sqlite/..\\/x/'",
		"head -c 100000 /dev/urandom >" };

	for (size_t i = 0; i < countof(damages); i++) {
		AUTO(manifest_close) struct manifest manifest = { 0 };
		AUTO(manifest_close) struct manifest again = { 0 };
		AUTO_FREE char *dir = xstrdup(scratch_path(scratch, "kept"));
		struct retain_policy none = { 0 };
		struct err err = { 0 };

		ok(manifest_open(dir, MANIFEST_WRITE, 0, &manifest, &err));
		(void)add(scratch, &manifest, "2026-01-01T000000Z.sqlite", 5);
		ok(manifest_save(&manifest, &err));
		manifest_close(&manifest);
		assert_int_equal(
			scratch_sh(scratch, "%s kept/manifest.json", damages[i]), 0);

		ok(manifest_open(dir, MANIFEST_WRITE, 0, &again, &err));
		assert_int_equal(again.nentries, 0);
		assert_int_equal(manifest_prune(&again, &none, clock_now_ms(), false,
					 NULL, NULL, &err),
			0);
		assert_int_equal(
			scratch_sh(scratch,
				"test -e kept/2026-01-01T000000Z.sqlite && test -e "
				"kept/manifest.json.damaged-* && rm -r kept"),
			0);
	}
}

static void
only_one_works_in_a_folder(void **state)
{
	struct scratch *scratch = *state;
	AUTO(manifest_close) struct manifest first = { 0 };
	AUTO(manifest_close) struct manifest second = { 0 };
	const char *dir = scratch_path(scratch, "kept");
	struct err err = { 0 };

	fails(manifest_open(dir, MANIFEST_READ, 0, &second, &err), ERR_NOT_FOUND);
	ok(manifest_open(dir, MANIFEST_WRITE, 0, &first, &err));
	fails(manifest_open(dir, MANIFEST_WRITE, 100, &second, &err), ERR_BUSY);
	manifest_close(&first);
	ok(manifest_open(dir, MANIFEST_WRITE, 0, &second, &err));
}

static void
an_entry_that_was_never_finished_is_finished_or_removed(void **state)
{
	struct scratch *scratch = *state;
	AUTO(manifest_close) struct manifest manifest = { 0 };
	AUTO_FREE char *dir = xstrdup(scratch_path(scratch, "kept"));
	struct err err = { 0 };

	ok(manifest_open(dir, MANIFEST_WRITE, 0, &manifest, &err));
	add(scratch, &manifest, "2026-01-01T000000Z.sqlite", 1)->complete = false;
	add(scratch, &manifest, "2026-01-02T000000Z.sqlite", 2)->complete = false;
	add(scratch, &manifest, "2026-01-03T000000Z.sqlite", 3)->complete = false;
	ok(manifest_save(&manifest, &err));
	manifest_close(&manifest);
	assert_int_equal(scratch_sh(scratch,
				 "echo cut > kept/2026-01-02T000000Z.sqlite; rm "
				 "kept/2026-01-03T000000Z.sqlite; touch "
				 "kept/.mirror-new.0123"),
		0);

	ok(manifest_open(dir, MANIFEST_WRITE, 0, &manifest, &err));
	assert_int_equal(manifest.nentries, 1);
	assert_true(manifest.entries[0].complete);
	assert_int_equal(scratch_sh(scratch,
				 "test \"$(echo $(ls -A kept))\" = "
				 "'2026-01-01T000000Z.sqlite manifest.json'"),
		0);
}

static void
manual_and_scheduled_copies_are_pruned_apart_and_strangers_never(void **state)
{
	struct scratch *scratch = *state;
	AUTO(manifest_close) struct manifest manifest = { 0 };
	AUTO_FREE char *dir = xstrdup(scratch_path(scratch, "kept"));
	struct retain_policy one = { .daily = 1 };
	int64_t day = 24LL * 3600 * 1000;
	struct err err = { 0 };

	ok(manifest_open(dir, MANIFEST_WRITE, 0, &manifest, &err));
	for (int i = 1; i <= 6; i++) {
		AUTO_FREE char *name = xasprintf("2026-01-0%dT000000Z.sqlite", i);

		add(scratch, &manifest, name, i * day)->provenance =
			i % 2 == 0 ? PROVENANCE_MANUAL : PROVENANCE_SCHEDULED;
	}
	scratch_write_text(scratch, "kept/2025-01-01T000000Z.sqlite", "a stranger");
	assert_int_equal(
		manifest_prune(&manifest, &one, 7 * day, true, NULL, NULL, &err), 4);
	assert_int_equal(manifest.nentries, 6);
	assert_int_equal(
		manifest_prune(&manifest, &one, 7 * day, false, NULL, NULL, &err), 4);
	assert_int_equal(manifest.nentries, 2);
	assert_int_equal(manifest.entries[0].provenance, PROVENANCE_SCHEDULED);
	assert_int_equal(manifest.entries[1].provenance, PROVENANCE_MANUAL);
	assert_int_equal(scratch_sh(scratch,
				 "test $(ls kept | wc -l) = 4 && test -e "
				 "kept/2025-01-01T000000Z.sqlite"),
		0);
}

// A full disk at every single step of a snapshot: the last good one stays, nothing
// partial gets a final name, and the next one needs no help.
static void
whatever_step_fails_the_last_good_copy_stays(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FREE char *db = xstrdup(scratch_path(scratch, "app.db"));
	AUTO_FREE char *dir = xstrdup(scratch_path(scratch, "kept"));
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };
	struct snapshot_plan plan = { .self = VAULT_CHILD,
		.path = db,
		.dir = dir,
		.name = "app",
		.level = 1,
		.timeout_ms = 20000 };
	unsigned int rounds = 0;

	database_exec(db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	ok(snapshot_take(&plan, &taken, &err));
	AUTO_FREE char *good = xstrdup(taken.path);
	for (nth_begin(ENOSPC); nth_next(); rounds++) {
		int got;

		database_exec(db, "INSERT INTO t VALUES(2)");
		snapshot_done(&taken);
		err_clear(&err);
		got = snapshot_take(&plan, &taken, &err);
		nth_pause();
		assert_int_equal(access(good, R_OK), 0);
		assert_int_equal(
			scratch_sh(scratch,
				"for f in kept/*.zst; do zstd -dqc $f > out && "
				"sqlite3 out 'pragma integrity_check' | grep -qx ok "
				"|| exit 1; done; rm out"),
			0);
		if (!nth_hit()) {
			ok(got);
			break;
		}
		// A pipe is never full for good: the child then got no question at all.
		if (got < 0 && err.code != ERR_NO_SPACE &&
			strstr(err.msg, "JSON") == NULL) {
			fail_msg("%s: %s", nth_call(), err.msg);
		}
	}
	assert_true(rounds > 8);
	assert_int_equal(scratch_sh(scratch,
				 "test -z \"$(ls -A kept | grep '^[.]')\" && test "
				 "\"$(ls kept/*.zst | wc -l)\" = \"$(grep -c "
				 "'\"complete\": true' kept/manifest.json)\""),
		0);
}

static void
what_was_there_before_a_loss_is_kept_until_a_person_accepts_it(void **state)
{
	static const struct retain_policy policy = { .hourly = 1 };
	struct scratch *scratch = *state;
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct identity same = { .dev = 1, .inode = 1 };
	struct err err = { 0 };

	ok(manifest_open(
		scratch_path(scratch, "kept"), MANIFEST_WRITE, 0, &manifest, &err));
	(void)add(scratch, &manifest, "2026-01-01T000000Z.sqlite.zst", 1000);
	(void)snprintf(
		add(scratch, &manifest, "2026-01-01T000001Z.sqlite.zst", 2000)->shrunk,
		GUARD_TEXT_MAX, "table t: 50 rows, now 0");
	(void)snprintf(
		add(scratch, &manifest, "2026-01-01T000002Z.sqlite.zst", 3000)->shrunk,
		GUARD_TEXT_MAX, "table t: 50 rows, now 1");

	assert_int_equal(
		manifest_prune(&manifest, &policy, 4000, false, NULL, NULL, &err), 1);
	assert_non_null(manifest_find(&manifest, "2026-01-01T000000Z.sqlite.zst"));
	assert_true(scratch_exists(scratch, "kept/2026-01-01T000000Z.sqlite.zst"));
	ok(manifest_accept(&manifest, &same, &err));
	assert_int_equal(
		manifest_prune(&manifest, &policy, 4000, false, NULL, NULL, &err), 1);
	assert_null(manifest_find(&manifest, "2026-01-01T000000Z.sqlite.zst"));
}

int
main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_is_read_again),
		TEST(a_damaged_list_is_set_aside_and_costs_no_archive),
		TEST(only_one_works_in_a_folder),
		TEST(an_entry_that_was_never_finished_is_finished_or_removed),
		TEST(manual_and_scheduled_copies_are_pruned_apart_and_strangers_never),
		TEST(what_was_there_before_a_loss_is_kept_until_a_person_accepts_it),
		TEST(whatever_step_fails_the_last_good_copy_stays),
	};

	return cmocka_run_group_tests_name("vault/manifest", tests, NULL, NULL);
}
