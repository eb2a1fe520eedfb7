// SPDX-License-Identifier: GPL-2.0-or-later

// The tally against the rows, whatever happens: random work, kills, a full disk.

#include "support/test.h"

#include "base/mem.h"
#include "ledger/ledger.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ROUNDS = 40,
	MOVES = 150,
	NAMES = 12,
};

static struct ledger *
opened(const struct scratch *room)
{
	struct ledger *ledger = NULL;
	struct err err;

	ok(ledger_open(scratch_path(room, "ledger.sqlite"), LEDGER_RW, &ledger, &err));
	return ledger;
}

static const char *const reasons[] = { "", "rule:a:1", "rule:a:2",
	"regenerable:node_modules", "too-large", "changed", "held:secret", "EACCES",
	"ESTALE", "part-of:x" };

static void
put_random(struct ledger *ledger, int64_t folder)
{
	char name[8];
	struct ledger_row row = {
		.name = name,
		.type = (enum ledger_type)(rand() % 4),
		.state = (enum ledger_state)(rand() % LEDGER_NSTATES),
		.reason = reasons[(size_t)rand() % countof(reasons)],
		.inode = { .size = rand() },
	};
	struct err err;

	row.name_len = (size_t)snprintf(name, sizeof(name), "f%d", rand() % NAMES);
	ok(ledger_row_put(ledger, folder, &row, &err));
}

// A folder somewhere below @root, made on the way down when needed.
static int64_t
some_folder(struct ledger *ledger, int64_t root)
{
	struct err err;
	int64_t at = root;

	for (int depth = rand() % 4; depth > 0; depth--) {
		char name[8];
		struct ledger_folder folder = { .parent = at, .name = name };

		folder.name_len = (size_t)snprintf(name, sizeof(name), "d%d", rand() % 3);
		ok(ledger_folder_put(ledger, &folder, &err));
		at = folder.id;
	}
	return at;
}

static void
move_randomly(struct ledger *ledger)
{
	static const char *const roots[] = { "notes", "memory", "work" };
	struct err err;
	int64_t root = ledger_root(ledger, roots[rand() % 3], &err);
	int64_t folder = some_folder(ledger, root);
	char name[8];

	switch (rand() % 8) {
	case 0:
		(void)snprintf(name, sizeof(name), "f%d", rand() % NAMES);
		ok(ledger_row_drop(ledger, folder, name, strlen(name), &err));
		break;
	case 1:
		if (rand() % 4 == 0) {
			ok(ledger_drop_tree(ledger, folder, NULL, NULL, &err));
		}
		break;
	default:
		put_random(ledger, folder);
	}
}

static int
count_one(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct ledger_totals *totals = payload;

	(void)path;
	(void)len;
	totals->on_disk.files++;
	totals->state[row->state].files++;
	totals->kind[row->state][ledger_kind_of(row->state, row->reason)].files++;
	return 0;
}

// (I8): three ways to count give one answer.
static int64_t
assert_adds_up(struct ledger *ledger)
{
	struct ledger_filter all = { .path = NULL };
	struct ledger_totals tally;
	struct ledger_totals counted;
	struct ledger_totals seen = { .on_disk = { .files = 0 } };
	int64_t sum = 0;
	struct err err;

	ok(ledger_totals(ledger, &tally, &err));
	ok(ledger_check(ledger, &counted, &err));
	ok(ledger_each(ledger, &all, count_one, &seen, &err));
	assert_memory_equal(&tally, &counted, sizeof(tally));
	assert_int_equal(seen.on_disk.files, tally.on_disk.files);
	for (int state = 0; state < LEDGER_NSTATES; state++) {
		sum += tally.state[state].files;
		assert_int_equal(seen.state[state].files, tally.state[state].files);
		for (int kind = 0; kind < LEDGER_NKINDS; kind++) {
			assert_int_equal(seen.kind[state][kind].files,
				tally.kind[state][kind].files);
		}
	}
	assert_int_equal(sum, tally.on_disk.files);
	return sum;
}

static void
the_tally_is_the_count_after_any_work(void **state)
{
	struct scratch *room = *state;
	struct ledger *ledger = opened(room);
	int64_t most = 0;

	srand(4711);
	for (int round = 0; round < ROUNDS; round++) {
		struct err err;
		int64_t now;

		ok(ledger_begin(ledger, &err));
		for (int i = 0; i < MOVES; i++) {
			move_randomly(ledger);
		}
		if (rand() % 4 == 0) {
			ledger_rollback(ledger);
		} else {
			// Also with changes that are not written yet.
			(void)assert_adds_up(ledger);
			ok(ledger_commit(ledger, &err));
		}
		if (rand() % 8 == 0) {
			ledger_close(ledger);
			ledger = opened(room);
		}
		now = assert_adds_up(ledger);
		most = MAX_OF(most, now);
	}
	assert_true(most > 50);
	ledger_close(ledger);
}

static void
a_kill_in_the_middle_of_a_transaction_changes_nothing(void **state)
{
	struct scratch *room = *state;
	struct ledger *ledger = opened(room);
	struct err err;
	int64_t before;

	srand(1);
	ok(ledger_begin(ledger, &err));
	for (int i = 0; i < MOVES; i++) {
		move_randomly(ledger);
	}
	ok(ledger_commit(ledger, &err));
	before = assert_adds_up(ledger);
	ledger_close(ledger);
	for (int moves = 1; moves < 3000; moves *= 4) {
		pid_t pid = fork();

		if (pid == 0) {
			ledger = opened(room);
			ok(ledger_begin(ledger, &err));
			for (int i = 0; i < moves; i++) {
				move_randomly(ledger);
			}
			(void)raise(SIGKILL);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		ledger = opened(room);
		assert_int_equal(assert_adds_up(ledger), before);
		ledger_close(ledger);
	}
}

// In a child, because a limit on file sizes stays.
static int
work_with_little_room(struct scratch *room)
{
	struct ledger *ledger = opened(room);
	struct rlimit limit = { .rlim_cur = 600 * 1024, .rlim_max = 600 * 1024 };
	struct err err;
	int64_t root;
	int result = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || ledger_begin(ledger, &err) < 0) {
		return 9;
	}
	root = ledger_root(ledger, "notes", &err);
	for (int i = 0; i < 100000 && result == 0; i++) {
		AUTO_FREE char *name = xasprintf("a-rather-long-name-%d", i);
		struct ledger_row row = { .name = name, .name_len = strlen(name) };

		result = ledger_row_put(ledger, root, &row, &err);
	}
	if (result == 0) {
		result = ledger_commit(ledger, &err);
	} else {
		ledger_rollback(ledger);
	}
	ledger_close(ledger);
	return result < 0 ? 0 : 1;
}

static void
a_full_disk_changes_nothing(void **state)
{
	struct scratch *room = *state;
	struct ledger *ledger = opened(room);
	struct err err;
	int64_t before;
	int status = -1;
	pid_t pid;

	srand(2);
	ok(ledger_begin(ledger, &err));
	for (int i = 0; i < MOVES; i++) {
		move_randomly(ledger);
	}
	ok(ledger_commit(ledger, &err));
	before = assert_adds_up(ledger);
	ledger_close(ledger);
	pid = fork();
	if (pid == 0) {
		_exit(work_with_little_room(room));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	ledger = opened(room);
	assert_int_equal(assert_adds_up(ledger), before);
	ledger_close(ledger);
}

int
main(void)
{
#define TEST_(name)                                                                      \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown_all)
	const struct CMUnitTest tests[] = {
		TEST_(the_tally_is_the_count_after_any_work),
		TEST_(a_kill_in_the_middle_of_a_transaction_changes_nothing),
		TEST_(a_full_disk_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
