// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/chain.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEPTH = 3 * CHAIN_MAX,
};

// "d0/d1/.../d<depth - 1>"
static char *
way_to(size_t depth)
{
	char *path = xstrdup("");

	for (size_t i = 0; i < depth; i++) {
		AUTO_FREE char *before = path;
		AUTO_FREE char *name = xasprintf("d%zu", i);

		path = path_join(before, name);
	}
	return path;
}

static void
assert_opens(struct chain *chain, const struct scratch *scratch, const char *rel)
{
	AUTO_CLOSE int fresh = -1;
	AUTO_CLOSE int fd = -1;
	struct stat left;
	struct stat right;
	struct err err;

	ok(chain_open(chain, scratch->dirfd, rel, PLACE_AS_IS, &fd, &err));
	ok(place_open(scratch->dirfd, rel, PLACE_AS_IS, &fresh, &err));
	assert_int_equal(fstat(fd, &left), 0);
	assert_int_equal(fstat(fresh, &right), 0);
	assert_int_equal(left.st_ino, right.st_ino);
	assert_true(chain->count <= CHAIN_MAX);
}

static void
down_and_up_it_opens_what_the_whole_path_does(void **state)
{
	struct scratch *scratch = *state;
	AUTO(chain_done) struct chain chain = { 0 };
	AUTO_FREE char *deepest = way_to(DEPTH);
	AUTO_CLOSE int made = -1;
	struct err err;

	ok(place_open(scratch->dirfd, deepest, PLACE_MAKE, &made, &err));
	for (size_t depth = 0; depth <= DEPTH; depth++) {
		AUTO_FREE char *rel = way_to(depth);

		assert_opens(&chain, scratch, rel);
	}
	assert_int_equal(chain.count, CHAIN_MAX);
	for (size_t depth = DEPTH + 1; depth-- > 0;) {
		AUTO_FREE char *rel = way_to(depth);

		assert_opens(&chain, scratch, rel);
	}
	// Half way, beside, and from the start again.
	AUTO_FREE char *half = way_to(DEPTH / 2);
	AUTO_FREE char *aside = xasprintf("%s/d", half);

	assert_opens(&chain, scratch, half);
	fails(chain_open(&chain, scratch->dirfd, aside, PLACE_AS_IS, &made, &err),
		ERR_NOT_FOUND);
	assert_opens(&chain, scratch, deepest);
	assert_opens(&chain, scratch, "d0");
}

static void
a_name_that_begins_like_another_is_another(void **state)
{
	struct scratch *scratch = *state;
	AUTO(chain_done) struct chain chain = { 0 };

	assert_int_equal(scratch_sh(scratch, "mkdir -p a/b/x ab/b/x a/bc/x"), 0);
	assert_opens(&chain, scratch, "a/b/x");
	assert_opens(&chain, scratch, "ab/b/x");
	assert_opens(&chain, scratch, "a/bc/x");
	assert_opens(&chain, scratch, "a/b/x");
}

static void
no_link_is_followed_and_what_was_opened_stays_itself(void **state)
{
	struct scratch *scratch = *state;
	AUTO(chain_done) struct chain chain = { 0 };
	AUTO_CLOSE int fd = -1;
	struct stat opened;
	struct stat was;
	struct err err;

	assert_int_equal(
		scratch_sh(scratch, "mkdir -p a/b/c a/b/d else/b/d; ln -s else l"), 0);
	fails(chain_open(&chain, scratch->dirfd, "l/b", PLACE_AS_IS, &fd, &err),
		ERR_EXISTS);
	assert_opens(&chain, scratch, "a/b/c");
	// Somebody puts a link in the place of a folder that is open.
	assert_int_equal(scratch_sh(scratch, "mv a was && ln -s else a"), 0);
	ok(chain_open(&chain, scratch->dirfd, "a/b/d", PLACE_AS_IS, &fd, &err));
	assert_int_equal(fstat(fd, &opened), 0);
	assert_int_equal(stat(scratch_path(scratch, "was/b/d"), &was), 0);
	assert_int_equal(opened.st_ino, was.st_ino);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			down_and_up_it_opens_what_the_whole_path_does, scratch_setup,
			scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			a_name_that_begins_like_another_is_another, scratch_setup,
			scratch_teardown_all),
		cmocka_unit_test_setup_teardown(
			no_link_is_followed_and_what_was_opened_stays_itself,
			scratch_setup, scratch_teardown_all),
	};

	return cmocka_run_group_tests_name("restore/chain", tests, NULL, NULL);
}
