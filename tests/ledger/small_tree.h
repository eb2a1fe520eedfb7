// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/ledger/small_tree - a ledger with one row of each state, for the tests of this
 * room.
 *
 *     AUTO(ledger_closep) struct ledger *ledger = opened(room, LEDGER_RW);
 *     int64_t root = fill(ledger);
 *
 * Knows: ledger.
 * Owns:  nothing.
 * Never: is included by another room's tests.
 */

#ifndef TESTS_LEDGER_SMALL_TREE_H
#define TESTS_LEDGER_SMALL_TREE_H

#include "support/test.h"

#include "ledger/ledger.h"

#include <string.h>
#include <sys/stat.h>

static inline struct ledger *
opened(const struct scratch *room, enum ledger_mode mode)
{
	struct ledger *ledger = NULL;
	struct err err;

	ok(ledger_open(scratch_path(room, "ledger.sqlite"), mode, &ledger, &err));
	return ledger;
}

static inline struct ledger_row
row_of(const char *name, enum ledger_state state, const char *reason, int64_t size)
{
	return (struct ledger_row){
		.name = name,
		.name_len = strlen(name),
		.state = state,
		.reason = reason,
		.inode = { .size = size, .mode = S_IFREG | 0644 },
	};
}

static inline void
put(struct ledger *ledger, int64_t folder, const char *name, enum ledger_state state,
	const char *reason)
{
	struct ledger_row row = row_of(name, state, reason, 10);
	struct err err;

	ok(ledger_row_put(ledger, folder, &row, &err));
}

static inline int64_t
make(struct ledger *ledger, int64_t parent, const char *name)
{
	struct ledger_folder folder = {
		.parent = parent, .name = name, .name_len = strlen(name)
	};
	struct err err;

	ok(ledger_folder_put(ledger, &folder, &err));
	assert_true(folder.id > 0);
	return folder.id;
}

static inline int64_t
files(struct ledger *ledger)
{
	struct ledger_totals totals;
	struct err err;

	ok(ledger_totals(ledger, &totals, &err));
	return totals.on_disk.files;
}

// A small tree with one row of each state.
static inline int64_t
fill(struct ledger *ledger)
{
	struct err err;
	int64_t root;
	int64_t sub;

	ok(ledger_begin(ledger, &err));
	root = ledger_root(ledger, "notes", &err);
	assert_true(root > 0);
	sub = make(ledger, root, "a");
	put(ledger, root, "a.txt", LEDGER_MIRRORED, "");
	put(ledger, root, "a-b", LEDGER_REDACTED, "github-pat");
	put(ledger, root, "ab", LEDGER_FAILED, "EACCES");
	put(ledger, sub, "deep", LEDGER_EXCLUDED, "too-large");
	put(ledger, sub, "x.db", LEDGER_SNAPSHOTTED, "");
	put(ledger, sub, "x.db-wal", LEDGER_SNAPSHOTTED, "part-of:x.db");
	put(ledger, sub, "y", LEDGER_PENDING, "held:secret");
	put(ledger, root, "z", LEDGER_SEALED, "private-key");
	ok(ledger_commit(ledger, &err));
	return root;
}

#endif
