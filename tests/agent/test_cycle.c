// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include "agent/intake.h"
#include "base/file.h"
#include "base/mem.h"
#include "brain/maintain.h"
#include "vault/child.h"

#include <stdio.h>
#include <string.h>

// Cut in two, so that no scanner trips over this file.
#define TOKEN                                                                            \
	"ghp_"                                                                           \
	"Xk93jfQmz71LwPb28RtVn5HsYc4Da61pFVK0"
#define DATABASE                                                                         \
	"postgres://app:"                                                                \
	"Xk93jfQmz71Lw@db.internal/main"

static void
a_file_becomes_a_commit_and_nothing_new_becomes_none(void **state)
{
	struct world *world = *state;
	struct cycle_result first;
	struct cycle_result second;

	put(world, "notes/a.md", "hello\n");
	first = run_once(world);
	second = run_once(world);

	assert_true(first.committed);
	assert_false(second.committed);
	assert_int_equal(second.changed, 0);
	assert_true(oid_equal(&first.commit, &second.commit));
	assert_row(world, "notes/a.md", "mirrored");
	assert_honest(world);
}

static void
changes_and_deletions_follow_and_history_keeps_both(void **state)
{
	struct world *world = *state;

	put(world, "notes/a.md", "one\n");
	put(world, "notes/sub/b.md", "two\n");
	(void)run_once(world);
	put(world, "notes/a.md", "three\n");
	sh(world, "rm -r notes/sub");
	(void)run_once(world);

	assert_row(world, "notes/sub/b.md", "absent");
	assert_true(
		holds(world, "test \"$(git -C brain show HEAD:notes/a.md)\" = three"));
	assert_false(holds(world, "git -C brain cat-file -e HEAD:notes/sub 2>/dev/null"));
	assert_true(holds(
		world, "test \"$(git -C brain show HEAD~1:notes/sub/b.md)\" = two"));
	assert_false(holds(world, "test -e brain/notes/sub"));
	assert_honest(world);
}

static void
a_secret_is_cut_out_and_the_rest_of_the_file_stays(void **state)
{
	struct world *world = *state;

	put(world, "notes/env",
		"FIRST=1\nTOKEN=" TOKEN "\nDATABASE_URL=" DATABASE "\nLAST=2\n");
	(void)run_once(world);

	assert_int_equal(count(world, LEDGER_REDACTED), 1);
	assert_true(holds(world, "git -C brain show HEAD:notes/env | grep -qx FIRST=1"));
	assert_true(holds(world, "git -C brain show HEAD:notes/env | grep -qx LAST=2"));
	assert_true(holds(
		world, "git -C brain show HEAD:notes/env | grep -q 'TOKEN=REDACTED\\.'"));
	// In no object, no worktree, no state.
	assert_false(holds(world,
		"git -C brain cat-file --batch-all-objects --batch | "
		"grep -aq -e '" TOKEN "' -e Xk93jfQmz71Lw"));
	assert_false(holds(
		world, "grep -raq -e '" TOKEN "' -e Xk93jfQmz71Lw brain state run data"));
}

static void
a_name_and_a_link_that_hold_a_secret_are_shown_without_it(void **state)
{
	struct world *world = *state;

	put(world, "notes/key-" TOKEN ".txt", "x\n");
	put(world, "notes/dir-" TOKEN "/inner.txt", "y\n");
	sh(world, "ln -s https://x/" TOKEN " notes/link");
	(void)run_once(world);
	(void)run_once(world);

	assert_int_equal(
		count(world, LEDGER_MIRRORED) + count(world, LEDGER_REDACTED), 3);
	assert_false(holds(world, "git -C brain ls-tree -r HEAD | grep -q ghp_"));
	assert_false(holds(world,
		"git -C brain cat-file --batch-all-objects --batch | grep -aq ghp_X"));
	assert_false(holds(world, "grep -raq '" TOKEN "' brain state"));
	assert_false(holds(world, "find brain state | grep -q ghp_X"));
}

static void
nothing_in_a_watched_folder_decides_what_is_kept(void **state)
{
	struct world *world = *state;

	put(world, "notes/.gitignore", "*\n");
	put(world, "notes/.gitattributes", "* text eol=crlf\n");
	put(world, "notes/sub/.gitignore", "*\n");
	put(world, "notes/sub/hidden", "a\nb\n");
	put(world, "notes/sub/.gitmodules", "[submodule \"x\"]\n");
	put(world, "notes/.gitleaks.toml", "title = \"x\"\n");
	put(world, "notes/allow", "TOKEN=" TOKEN " # gitleaks:allow\n");
	(void)run_once(world);

	assert_row(world, "notes/sub/hidden", "mirrored");
	assert_row(world, "notes/.gitignore", "mirrored");
	assert_int_equal(count(world, LEDGER_REDACTED), 1);
	assert_true(holds(world,
		"git -C brain show HEAD:notes/sub/hidden | cmp - notes/sub/hidden"));
	// At its own path it would act; its bytes are kept beside.
	assert_false(holds(
		world, "git -C brain ls-tree -r --name-only HEAD | grep -q gitignore"));
	assert_true(holds(world,
		"git -C brain ls-tree -r HEAD .mirror/files | "
		"grep -q $(git hash-object --no-filters notes/.gitignore)"));
	assert_honest(world);
}

static void
every_odd_name_is_accounted_for(void **state)
{
	struct world *world = *state;

	sh(world,
		"cd notes && mkdir .GIT n1 n3 && echo a >.GIT/config && echo b >'git~1' "
		"&& "
		"echo c >\"$(printf 'new\\nline')\" && echo d >\"$(printf "
		"'\\377\\376')\" && "
		"mkfifo fifo && ln -s . loop && ln -s /etc/shadow shadow && mkdir -p "
		"empty/inner && "
		": >zero && mkdir n3/.git && echo e >n3/f && echo gitdir: x >n1/.git");
	struct cycle_result result = run_once(world);

	assert_int_equal(count(world, LEDGER_EXCLUDED), 3);
	assert_int_equal(result.totals.on_disk.files, 11);
	assert_int_equal(count(world, LEDGER_MIRRORED), 8);
	assert_row(world, "notes/.GIT/config", "mirrored");
	assert_row(world, "notes/fifo", "excluded special");
	assert_row(world, "notes/n3/.git", "excluded git-internals");
	assert_true(holds(world, "git -C brain fsck --strict"));
	assert_false(holds(world,
		"git -C brain cat-file --batch-all-objects --batch | grep -aq '^root:'"));
}

static void
a_file_that_turns_into_a_folder_and_back_is_followed(void **state)
{
	struct world *world = *state;

	put(world, "notes/x", "file\n");
	put(world, "notes/y/inner", "in\n");
	(void)run_once(world);
	sh(world,
		"rm notes/x && mkdir notes/x && echo deep >notes/x/f && rm -r notes/y && "
		"ln -s x notes/y");
	(void)run_once(world);
	assert_row(world, "notes/x/f", "mirrored");
	assert_row(world, "notes/x", "absent");
	assert_row(world, "notes/y", "mirrored");
	assert_honest(world);
	sh(world,
		"rm -r notes/x && echo file >notes/x && rm notes/y && mkdir notes/y && "
		"echo in >notes/y/inner");
	(void)run_once(world);
	assert_row(world, "notes/x", "mirrored");
	assert_row(world, "notes/x/f", "absent");
	assert_honest(world);
}

static void
a_change_of_mode_or_time_alone_is_recorded_by_a_full_cycle(void **state)
{
	struct world *world = *state;
	struct cycle_result result;

	put(world, "notes/a", "x\n");
	(void)run_once(world);
	sh(world, "chmod 640 notes/a && touch -d '2001-02-03 04:05:06.789' notes/a");
	result = run_once(world);

	assert_true(result.committed);
	assert_true(holds(world, "git -C brain diff --quiet HEAD~1 HEAD -- notes"));
	assert_true(holds(world,
		"git -C brain diff HEAD~1 HEAD -- .mirror | grep -q '^+file.*0640'"));
	assert_false(run_once(world).committed);
}

static void
files_that_become_one_file_are_told_as_one(void **state)
{
	struct world *world = *state;
	put(world, "notes/a", "one\n");
	put(world, "notes/sub/c", "two\n");
	(void)run_once(world);
	assert_false(holds(world, "git -C brain grep -q same= HEAD -- .mirror/folders"));
	sh(world, "ln notes/a notes/sub/b");
	(void)run_once(world);
	sh(world,
		"test $(git -C brain grep -h same= HEAD -- .mirror/folders | wc -l) = 2");
	sh(world, "rm notes/sub/b");
	(void)run_once(world);
	assert_false(holds(world, "git -C brain grep -q same= HEAD -- .mirror/folders"));
	assert_honest(world);
}

static void
what_the_configuration_excludes_is_one_row_with_its_line(void **state)
{
	struct world *world = *state;

	put(world, "notes/keep", "1\n");
	put(world, "notes/build/out.o", "2\n");
	put(world, "notes/node_modules/x/y.js", "3\n");
	put(world, "notes/deep/skip.log", "4\n");
	(void)run_once(world);
	assert_row(world, "notes/build/out.o", "mirrored");
	(void)snprintf(
		world->extra, sizeof(world->extra), "exclude = [\"build\", \"*.log\"]");
	(void)run_once(world);

	assert_row(world, "notes/build", "excluded rule:mirror.toml:3");
	assert_row(world, "notes/deep/skip.log", "excluded rule:mirror.toml:3");
	assert_row(world, "notes/node_modules", "excluded regenerable:node_modules");
	assert_false(
		holds(world, "git -C brain cat-file -e HEAD:notes/build 2>/dev/null"));
	assert_honest(world);
}

static void
a_file_that_grows_too_large_keeps_its_last_version(void **state)
{
	struct world *world = *state;

	(void)snprintf(world->brain, sizeof(world->brain), "[files]\nmax_size = 100");
	put(world, "notes/log", "small\n");
	(void)run_once(world);
	sh(world, "head -c 200 /dev/zero | tr '\\0' x >notes/log");
	(void)run_once(world);

	assert_row(world, "notes/log", "excluded too-large");
	assert_true(holds(world, "test \"$(git -C brain show HEAD:notes/log)\" = small"));
	assert_false(run_once(world).committed);
}

// Nobody but cron may ever call.
static void
runs_by_hand_alone_keep_the_packs_few(void **state)
{
	const struct world *world = *state;

	for (int i = 0; i < MAINTAIN_PACKS + 5; i++) {
		AUTO_FREE char *text = xasprintf("version %d\n", i);

		put(world, "notes/a.md", text);
		assert_true(run_once(world).committed);
	}
	sh(world, "test $(ls brain/.git/objects/pack/*.pack | wc -l) -le 10");
	sh(world, "git -C brain show HEAD~%d:notes/a.md | grep -qx 'version 0'",
		MAINTAIN_PACKS + 4);
	assert_honest(world);
}

static void
a_folder_that_is_watched_no_more_leaves_the_commit(void **state)
{
	struct world *world = *state;

	sh(world, "mkdir work && echo w >work/w && echo n >notes/n");
	(void)snprintf(world->extra, sizeof(world->extra),
		"[[watch]]\npath = \"%s/work\"", world->scratch->path);
	(void)run_once(world);
	assert_true(holds(world, "git -C brain cat-file -e HEAD:work/w"));
	world->extra[0] = '\0';
	(void)run_once(world);

	assert_false(holds(world, "git -C brain cat-file -e HEAD:work 2>/dev/null"));
	assert_true(holds(world, "git -C brain cat-file -e HEAD~1:work/w"));
	assert_row(world, "work/w", "absent");
	assert_honest(world);
}

static void
the_brain_inside_a_watched_folder_does_not_keep_itself(void **state)
{
	struct world *world = *state;

	(void)snprintf(world->extra, sizeof(world->extra),
		"[[watch]]\npath = \"%s\"\nname = \"all\"", world->scratch->path);
	put(world, "notes/n", "n\n");
	(void)run_once(world);

	assert_row(world, "all/brain", "excluded own-state");
	assert_row(world, "all/state/mirror", "excluded own-state");
	assert_row(world, "all/notes/n", "mirrored");
	assert_row(world, "notes/n", "mirrored");
}

static void
a_live_database_is_snapshotted_and_never_copied_raw(void **state)
{
	struct world *world = *state;

	sh(world,
		"sqlite3 notes/app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(x); "
		"INSERT INTO t VALUES(1);' >/dev/null");
	// An open connection keeps the log beside it.
	sh(world,
		"(echo '.timeout 1'; echo 'INSERT INTO t VALUES(2);'; sleep 3) | "
		"sqlite3 notes/app.db >/dev/null 2>&1 & sleep 0.5; ls notes/app.db-wal "
		">/dev/null");
	put(world, "notes/todo-journal", "just a text\n");
	(void)run_once(world);

	assert_row(world, "notes/app.db", "snapshotted");
	assert_row(world, "notes/app.db-wal", "snapshotted part-of:app.db");
	assert_row(world, "notes/todo-journal", "mirrored");
	assert_int_equal(count(world, LEDGER_PENDING) + count(world, LEDGER_FAILED), 0);
	sh(world,
		"git -C brain show HEAD:notes/app.db >out.db && "
		"test \"$(sqlite3 out.db 'PRAGMA quick_check; SELECT sum(x) FROM t')\" = "
		"\"$(printf "
		"'ok\\n3')\"");
	assert_false(holds(
		world, "git -C brain cat-file -e HEAD:notes/app.db-wal 2>/dev/null"));
}

static void
a_database_with_a_secret_in_a_row_stays_out_of_git(void **state)
{
	struct world *world = *state;

	sh(world,
		"sqlite3 notes/app.db \"CREATE TABLE t(x); INSERT INTO t VALUES('" TOKEN
		"')\"");
	(void)run_once(world);
	assert_row(world, "notes/app.db", "snapshotted");
	assert_false(
		holds(world, "git -C brain cat-file -e HEAD:notes/app.db 2>/dev/null"));
	assert_false(holds(world,
		"git -C brain cat-file --batch-all-objects --batch | "
		"grep -aq '" TOKEN "'"));
	sh(world, "ls data/mirror/snapshots/*/*.sqlite.zst >/dev/null");
}

static void
a_database_that_changed_is_snapshotted_again_when_due(void **state)
{
	struct world *world = *state;

	(void)snprintf(world->brain, sizeof(world->brain), "[sqlite]\nevery = \"1s\"");
	sh(world, "sqlite3 notes/app.db 'CREATE TABLE t(x); INSERT INTO t VALUES(1)'");
	(void)run_once(world);
	assert_false(run_once(world).committed);
	sh(world, "sleep 1.1; sqlite3 notes/app.db 'INSERT INTO t VALUES(41)'");
	assert_true(run_once(world).committed);
	sh(world,
		"git -C brain show HEAD:notes/app.db >out.db && "
		"test \"$(sqlite3 out.db 'SELECT sum(x) FROM t')\" = 42");
}

static void
a_file_that_only_looks_like_a_database_is_mirrored(void **state)
{
	struct world *world = *state;

	sh(world,
		"printf 'SQLite format 3\\0 and then nothing of the kind' "
		">notes/fake.db");
	(void)run_once(world);
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_int_equal(count(world, LEDGER_MIRRORED) + count(world, LEDGER_FAILED), 1);
}

static void
what_a_restore_is_writing_beside_its_target_is_told_and_not_committed(void **state)
{
	struct world *world = *state;

	put(world, "notes/a.md", "old\n");
	(void)run_once(world);
	put(world, "notes/.mirror-new.0123456789abcdef", "new\n");
	sh(world,
		"sqlite3 notes/.mirror-new.app 'CREATE TABLE t(x)' && "
		"ln -s a.md notes/.mirror-new.link");
	(void)run_once(world);
	assert_row(world, "notes/.mirror-new.0123456789abcdef", "pending unstable");
	assert_row(world, "notes/.mirror-new.app", "pending unstable");
	assert_row(world, "notes/.mirror-new.link", "pending unstable");
	assert_int_equal(count(world, LEDGER_PENDING), 3);
	assert_false(holds(world, "git -C brain ls-tree -r HEAD | grep mirror-new"));

	sh(world,
		"cd notes && mv .mirror-new.0123456789abcdef a.md && "
		"mv .mirror-new.app app.db && mv .mirror-new.link link");
	(void)run_once(world);
	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_row(world, "notes/a.md", "mirrored");
	assert_row(world, "notes/app.db", "snapshotted");
	assert_row(world, "notes/link", "mirrored");
	sh(world, "test \"$(git -C brain show HEAD:notes/a.md)\" = new");
}

static void
no_name_keeps_a_file_out_for_longer_than_ten_minutes(void **state)
{
	const char *name = FILE_TEMP_PREFIX "0123456789abcdef";
	const int64_t now_ms = INT64_C(1800000000000);
	const int64_t ten_min_ms = INT64_C(600000);

	(void)state;
	assert_true(intake_is_underway(name, now_ms * 1000000, now_ms));
	assert_true(
		intake_is_underway(name, (now_ms - ten_min_ms + 1) * 1000000, now_ms));
	assert_false(intake_is_underway(name, (now_ms - ten_min_ms) * 1000000, now_ms));
	// A clock that was set back does not keep it waiting.
	assert_false(intake_is_underway(name, (now_ms + ten_min_ms) * 1000000, now_ms));
	assert_false(intake_is_underway(".mirror-new", now_ms * 1000000, now_ms));
	assert_false(intake_is_underway("a.mirror-new.x", now_ms * 1000000, now_ms));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define IN_A_WORLD(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
		IN_A_WORLD(a_file_becomes_a_commit_and_nothing_new_becomes_none),
		IN_A_WORLD(changes_and_deletions_follow_and_history_keeps_both),
		IN_A_WORLD(a_secret_is_cut_out_and_the_rest_of_the_file_stays),
		IN_A_WORLD(a_name_and_a_link_that_hold_a_secret_are_shown_without_it),
		IN_A_WORLD(nothing_in_a_watched_folder_decides_what_is_kept),
		IN_A_WORLD(every_odd_name_is_accounted_for),
		IN_A_WORLD(a_file_that_turns_into_a_folder_and_back_is_followed),
		IN_A_WORLD(a_change_of_mode_or_time_alone_is_recorded_by_a_full_cycle),
		IN_A_WORLD(files_that_become_one_file_are_told_as_one),
		IN_A_WORLD(what_the_configuration_excludes_is_one_row_with_its_line),
		IN_A_WORLD(a_file_that_grows_too_large_keeps_its_last_version),
		IN_A_WORLD(runs_by_hand_alone_keep_the_packs_few),
		IN_A_WORLD(a_folder_that_is_watched_no_more_leaves_the_commit),
		IN_A_WORLD(the_brain_inside_a_watched_folder_does_not_keep_itself),
		IN_A_WORLD(a_live_database_is_snapshotted_and_never_copied_raw),
		IN_A_WORLD(a_database_with_a_secret_in_a_row_stays_out_of_git),
		IN_A_WORLD(a_database_that_changed_is_snapshotted_again_when_due),
		IN_A_WORLD(a_file_that_only_looks_like_a_database_is_mirrored),
		IN_A_WORLD(
			what_a_restore_is_writing_beside_its_target_is_told_and_not_committed),
		cmocka_unit_test(no_name_keeps_a_file_out_for_longer_than_ten_minutes),
	};

	// The child that opens databases is this program.
	if (argc > 1 && strcmp(argv[1], CHILD_VERB) == 0) {
		return child_main();
	}

	return cmocka_run_group_tests_name("agent/cycle", tests, NULL, NULL);
}
