// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What a commit may count on while somebody's `git gc --prune=now` runs beside us.  The
 * gc is git's own, and so is the witness.
 */

#include "brain/reach.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "brain/pack.h"
#include "brain/packs.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "room.h"

#include <stdlib.h>
#include <string.h>

enum {
	LARGE = 2 << 20
};

static struct oid
add(struct pack *pack, const void *data, size_t len, int expected)
{
	struct oid oid;
	struct err err;

	assert_int_equal(pack_add(pack, OBJECT_BLOB, data, len, &oid, &err), expected);
	return oid;
}

static void
finish(struct pack *pack)
{
	struct pack_stats stats;
	struct err err;

	ok(pack_finish(pack, &stats, &err));
}

static struct pack *
begin(struct repo *repo)
{
	struct pack *pack = NULL;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	return pack;
}

static struct oid
tree_of(struct repo *repo, const struct oid *commit)
{
	struct oid tree;
	struct err err;

	ok(repo_commit_tree(repo, commit, &tree, &err));
	return tree;
}

// A killed run had written it, another commit was made since: nothing holds it any more.
static void
what_a_killed_run_left_is_not_counted_on_once_it_is_let_go(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = begin(repo);
	struct oid head;

	(void)add(pack, "left", 4, 1);
	finish(pack);
	repo_close(repo);
	repo = room_open(*state, false);
	head = room_commit(repo, NULL, (struct room_file[]){ { "a", "other" } }, 1);
	assert_int_equal(scratch_sh(*state, "! ls brain/objects/pack | grep keep"), 0);
	// The gc has looked at the refs before ours moves; that it ends before is the
	// same.
	pack = begin(repo);
	(void)add(pack, "left", 4, 1);
	assert_int_equal(room_git(*state, "gc --quiet --prune=now"), 0);
	pack_abort(pack);
	(void)room_commit(repo, &head, (struct room_file[]){ { "a", "left" } }, 1);
	room_fsck(*state);
	repo_close(repo);
	assert_int_equal(room_git(*state, "gc --quiet --prune=now"), 0);
	room_fsck(*state);
	assert_int_equal(
		room_git(*state, "show HEAD:a | grep -q left && git fsck --strict"), 0);
}

static void
a_stranger_in_the_repo_is_not_counted_on(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack;
	struct oid oid;

	assert_int_equal(
		room_git(*state, "hash-object -w --stdin <<-end >/dev/null\nx\nend"), 0);
	pack = begin(repo);
	oid_of(OBJECT_BLOB, "x\n", 2, &oid);
	assert_true(repo_has(repo, &oid));
	assert_false(pack_secures(pack, &oid));
	(void)add(pack, "x\n", 2, 1);
	assert_true(pack_secures(pack, &oid));
	pack_abort(pack);
	repo_close(repo);
}

static void
what_the_branch_leads_to_is_not_written_twice(void **state)
{
	struct repo *repo = room_open(*state, false);
	char *large = xmalloc(LARGE);
	struct pack *pack;
	struct oid oid;

	memset(large, 'l', LARGE);
	large[LARGE - 1] = '\0';
	(void)room_commit(repo, NULL, (struct room_file[]){ { "d/large", large } }, 1);
	pack = begin(repo);
	oid = add(pack, large, LARGE - 1, 0);
	assert_true(pack_secures(pack, &oid));
	// Those who have asked once know, of the small ones too.
	(void)room_git(*state, "hash-object -w --stdin <<-end >/dev/null\nx\nend");
	(void)add(pack, "x\n", 2, 1);
	pack_abort(pack);
	free(large);
	repo_close(repo);
}

// libgit2 goes on reading what it has open.
static void
a_pack_that_was_taken_away_is_seen_to_be_gone(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = begin(repo);
	struct oid head;
	struct oid oid = add(pack, "left", 4, 1);
	struct err err;

	finish(pack);
	head = room_commit(repo, NULL, (struct room_file[]){ { "a", "other" } }, 1);
	ok(repo_refresh(repo, &err));
	assert_true(repo_has(repo, &oid));
	assert_int_equal(repo_losses(repo), 0);
	assert_int_equal(room_git(*state, "gc --quiet --prune=now"), 0);
	ok(repo_refresh(repo, &err));
	assert_false(repo_has(repo, &oid));
	assert_true(repo_has(repo, &head));
	assert_int_equal(repo_losses(repo), 1);
	repo_close(repo);
}

static void
two_packs_of_one_content_have_two_names(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = begin(repo);
	struct pack_stats stats[2];
	struct err err;

	(void)add(pack, "same", 4, 1);
	ok(pack_finish(pack, &stats[0], &err));
	(void)room_commit(repo, NULL, (struct room_file[]){ { "a", "other" } }, 1);
	pack = begin(repo);
	(void)add(pack, "same", 4, 1);
	ok(pack_finish(pack, &stats[1], &err));
	assert_string_not_equal(stats[0].name, stats[1].name);
	repo_close(repo);
	room_fsck(*state);
}

static void
what_is_missing_is_named_and_the_rest_is_known(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid commit = room_commit(repo, NULL,
		(struct room_file[]){ { "a", "1" }, { "d/e/f", "2" }, { "d/g", "3" } },
		3);
	struct oid tree = tree_of(repo, &commit);
	struct oid there;
	struct oid gone;
	struct reach *reach = reach_new(repo, &tree);
	struct err err;

	// Three blobs, three trees.
	assert_int_equal(reach_count(reach), 6);
	assert_int_equal(reach_missing(reach)->count, 0);
	reach_free(reach);
	// One blob out of the pack: everything loose, then one file less.
	assert_int_equal(room_git(*state,
				 "repack -qad && mv objects/pack/*.pack ../p && rm -f "
				 "objects/pack/* && git unpack-objects -q <../p"),
		0);
	oid_of(OBJECT_BLOB, "2", 1, &gone);
	oid_of(OBJECT_BLOB, "3", 1, &there);
	assert_int_equal(room_git(*state,
				 "rev-parse HEAD:d/e/f | sed 's,..,objects/&/,' | xargs "
				 "rm -f"),
		0);
	ok(repo_refresh(repo, &err));
	reach = reach_new(repo, &tree);
	assert_int_equal(reach_count(reach), 5);
	assert_int_equal(reach_missing(reach)->count, 1);
	assert_string_equal(reach_missing(reach)->first, "d/e/f");
	assert_true(reach_has(reach, &there));
	assert_false(reach_has(reach, &gone));
	reach_free(reach);
	// A whole tree.
	assert_int_equal(room_git(*state,
				 "rev-parse HEAD:d | sed 's,..,objects/&/,' | xargs "
				 "rm -f"),
		0);
	reach = reach_new(repo, &tree);
	assert_int_equal(reach_missing(reach)->count, 1);
	assert_string_equal(reach_missing(reach)->first, "d");
	assert_false(reach_has(reach, &there));
	reach_free(reach);
	repo_close(repo);
}

static void
no_commit_leads_to_nothing(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid none = { { 0 } };
	struct reach *reach = reach_new(repo, &none);

	assert_int_equal(reach_count(reach), 0);
	assert_int_equal(reach_missing(reach)->count, 0);
	assert_false(reach_has(reach, &none));
	reach_free(reach);
	repo_close(repo);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(what_a_killed_run_left_is_not_counted_on_once_it_is_let_go),
		room(a_stranger_in_the_repo_is_not_counted_on),
		room(what_the_branch_leads_to_is_not_written_twice),
		room(a_pack_that_was_taken_away_is_seen_to_be_gone),
		room(two_packs_of_one_content_have_two_names),
		room(what_is_missing_is_named_and_the_rest_is_known),
		room(no_commit_leads_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
