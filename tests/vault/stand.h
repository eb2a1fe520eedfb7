// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/vault/stand - a folder with a place for a database, its snapshots, what goes
 * off-site and the key for it.
 *
 * Knows: support/scratch, vault/snapshot.
 * Owns:  the folder, until stand_teardown().
 * Never: used by anything but tests of this room.
 */

#ifndef TESTS_VAULT_STAND_H
#define TESTS_VAULT_STAND_H

#include "support/scratch.h"
#include "vault/snapshot.h"

struct err;

/** For scratch_sh(): `flip FILE OFFSET`, the byte there becomes another one. */
#define STAND_FLIP                                                                       \
	"flip() { dd if=\"$1\" bs=1 skip=$2 count=1 status=none | LC_ALL=C tr "          \
	"'\\000-\\377' '\\001-\\377\\000' | dd of=\"$1\" bs=1 seek=$2 conv=notrunc "     \
	"status=none; }; "

struct stand {
	struct scratch *scratch;
	/** "home/app.db"; nobody made it yet. */
	char *db;
	/** "kept" */
	char *dir;
	/** "away", "locks" */
	char *remote;
	char *locks;
	/** "key", and its public half; NULL before stand_key(). */
	char *key;
	char *public;
	/** Of the database, into the folder, by the tests' own child; to be changed. */
	struct snapshot_plan snap;
};

/** For cmocka, and for those whose room holds one. */
int stand_setup(void **state);
int stand_teardown(void **state);
void stand_init(struct stand *stand);
/** What scratch_teardown_all() says. */
int stand_done(struct stand *stand);

/** A new key of age's; fails the test when there is none to be had. */
void stand_key(struct stand *stand);

/** One more snapshot, into @ret, which held the one before. */
int stand_take(struct stand *stand, struct snapshot *ret, struct err *err);

/** Nothing but these files stands beside the database. */
void stand_beside(struct stand *stand, const char *names);

/** How many rounds the tests against a writer run; more when somebody has the time. */
int stand_rounds(int usual);

#endif
