// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Days go by, on a clock that is held: each has its rows, its snapshots and its pruning;
 * then every snapshot that is still kept is drilled.  MIRROR_TEST_DAYS says how many days
 * (32; a few years with tests/check-long.sh, then off-site as well).
 */

#include "base/clock.h"
#include "base/mem.h"
#include "support/clock_held.h"
#include "support/test.h"
#include "vault/databases.h"
#include "vault/offsite.h"
#include "vault/restore_db.h"
#include "vault/stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DAYS = 32,
	LIMIT_MS = 600000,
	// A day with more than one snapshot, and one with one by hand.
	BUSY_DAY = 7,
	MANUAL_DAY = 15,
};
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

static const struct retain_policy usual = RETAIN_DEFAULT;

struct room {
	struct stand at;
	// NULL: nothing goes off-site.
	struct rclone *session;
};

static int
ndays(void)
{
	const char *text = getenv("MIRROR_TEST_DAYS");

	return text != NULL ? atoi(text) : DAYS;
}

static int
setup(void **state)
{
	struct room *room = xcalloc(1, sizeof(*room));

	stand_init(&room->at);
	if (getenv("MIRROR_TEST_DAYS") != NULL &&
		system("rclone version >/dev/null 2>&1 && age --version >/dev/null "
		       "2>&1") == 0) {
		stand_key(&room->at);
		room->session = offsite_begin();
	}
	room->at.snap.level = ARCHIVE_LEVEL;
	room->at.snap.recipient = room->at.public;
	room->at.snap.timeout_ms = LIMIT_MS;
	database_exec(room->at.db, "CREATE TABLE t(taken INTEGER PRIMARY KEY)");
	*state = room;
	return 0;
}

static int
teardown(void **state)
{
	struct room *room = *state;
	int result;

	offsite_end(room->session);
	result = stand_done(&room->at);
	free(room);
	return result;
}

static void
open_manifest(const struct room *room, enum manifest_mode mode, struct manifest *manifest)
{
	struct err err = { 0 };

	ok(manifest_open(room->at.dir, mode, 1000, manifest, &err));
}

static struct offsite_plan
away(const struct room *room)
{
	return (struct offsite_plan){ .remote = room->at.remote,
		.lock_dir = room->at.locks,
		.timeout_ms = LIMIT_MS,
		.session = room->session };
}

// The row says when: what comes back can be held against it.
static void
take(struct room *room, enum provenance provenance)
{
	AUTO_FREE char *sql = xasprintf(
		"INSERT INTO t VALUES(%lld)", (long long)(clock_now_ms() / 1000));
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct offsite_plan plan = away(room);
	struct err err = { 0 };

	room->at.snap.provenance = provenance;
	database_exec(room->at.db, sql);
	ok(stand_take(&room->at, &taken, &err));
	open_manifest(room, MANIFEST_WRITE, &manifest);
	assert_true(manifest_prune(&manifest, &usual, clock_now_ms(), false, NULL, NULL,
			    &err) >= 0);
	if (room->session == NULL) {
		return;
	}
	assert_int_equal(offsite_send_all(&plan, &manifest, &err), 1);
	assert_true(offsite_prune(
			    &plan, &manifest, &usual, clock_now_ms(), false, &err) >= 0);
}

static void
drill(const struct room *room, const struct manifest_entry *entry)
{
	AUTO_FREE char *file = xasprintf("%s/%s", room->at.dir, entry->file);
	AUTO_FREE char *back = xstrdup(scratch_path(room->at.scratch, "back.db"));
	AUTO(inspect_done) struct inspect found = { 0 };
	const struct restore_plan plan = { .self = VAULT_CHILD,
		.dir = room->at.dir,
		.name = "app",
		.target = room->at.db,
		.identity = room->at.public != NULL ? room->at.key : NULL,
		.timeout_ms = LIMIT_MS };
	struct err err = { 0 };

	assert_int_equal(snapshot_verify(VAULT_CHILD, room->at.dir, entry->file,
				 plan.identity, LIMIT_MS, &err),
		SNAPSHOT_OPENED);
	ok(restore_db_beside(&plan, file, back, &found, &err));
	assert_int_equal(found.rows, entry->found.rows);
	assert_int_equal(
		database_int(back, "SELECT max(taken) FROM t"), entry->taken_ms / 1000);
	assert_int_equal(scratch_sh(room->at.scratch,
				 "sqlite3 back.db 'pragma integrity_check' | grep -qx ok "
				 "&& rm back.db"),
		0);
}

// Of this provenance: how many, and how many days they are of.
static void
count(const struct manifest *manifest, enum provenance provenance, bool offsite,
	size_t *ret_copies, size_t *ret_days)
{
	int64_t last = -1;

	*ret_copies = *ret_days = 0;
	for (size_t i = 0; i < manifest->nentries; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];
		bool there = offsite ? entry->offsite.verified_ms > 0 : entry->local;

		if (entry->provenance == provenance && there) {
			(*ret_copies)++;
			*ret_days += entry->taken_ms / DAY_MS != last;
			last = entry->taken_ms / DAY_MS;
		}
	}
}

static void
assert_kept(const struct manifest *manifest, bool offsite)
{
	size_t copies;
	size_t days;

	count(manifest, PROVENANCE_SCHEDULED, offsite, &copies, &days);
	assert_in_range(copies, 24, 24 + 30 + 12);
	// The newest of thirty days, and of up to twelve months.
	assert_in_range(days, 30, 30 + 12);
	if (ndays() >= 400) {
		assert_true(days >= 30 + 10);
	}
	count(manifest, PROVENANCE_MANUAL, offsite, &copies, &days);
	assert_int_equal(copies, MIN_OF((ndays() - 1) / MANUAL_DAY + 1, (int)copies));
	assert_true(copies > 0);
}

static void
after_years_every_kept_snapshot_opens_to_its_own_moment(void **state)
{
	struct room *room = *state;
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct offsite_plan plan = away(room);
	struct err err = { 0 };
	size_t drilled = 0;

	// 2026-01-01
	clock_held_set(INT64_C(1767225600000));
	for (int day = 0; day < ndays(); day++) {
		int64_t next_ms = clock_now_ms() + DAY_MS;

		// One rclone a day: it has a limit, too, on the clock that is held here.
		if (room->session != NULL) {
			offsite_end(room->session);
			room->session = offsite_begin();
		}

		for (int n = 0; n < (day % BUSY_DAY == 0 ? 3 : 1); n++) {
			clock_held_pass(HOUR_MS);
			take(room, PROVENANCE_SCHEDULED);
		}
		if (day % MANUAL_DAY == 0) {
			clock_held_pass(HOUR_MS);
			take(room, PROVENANCE_MANUAL);
		}
		clock_held_pass(next_ms - clock_now_ms());
	}
	if (room->session != NULL) {
		offsite_end(room->session);
		room->session = offsite_begin();
		plan = away(room);
	}
	open_manifest(room, MANIFEST_WRITE, &manifest);
	assert_kept(&manifest, false);
	for (size_t i = 0; i < manifest.nentries; i++) {
		struct manifest_entry *entry = &manifest.entries[i];

		if (entry->local) {
			drill(room, entry);
			drilled++;
		}
		if (entry->offsite.remote != NULL) {
			assert_int_equal(
				offsite_verify(&plan, &manifest, entry, true, &err), 1);
		}
	}
	if (room->session != NULL) {
		assert_kept(&manifest, true);
	}
	// Nothing else lies in the folders.
	assert_int_equal(scratch_sh(room->at.scratch, "test $(ls kept/*Z* | wc -l) = %zu",
				 drilled),
		0);
	print_message("%d days: %zu snapshots kept and drilled%s\n", ndays(), drilled,
		room->session != NULL ? ", here and off-site" : "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			after_years_every_kept_snapshot_opens_to_its_own_moment, setup,
			teardown),
	};

	return cmocka_run_group_tests_name("vault/years", tests, NULL, NULL);
}
