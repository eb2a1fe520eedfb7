// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/tree.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/commit.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Does the commit hold these paths and no others?  git is the witness.
static void
assert_paths(const struct scratch *scratch, const struct oid *commit, const char *want)
{
	char hex[OID_HEX_MAX];

	assert_int_equal(
		room_git(scratch, "ls-tree -r --name-only %s | tr '\\n' ' ' > ../got",
			oid_hex(commit, hex)),
		0);
	char *got = scratch_read(scratch, "got", NULL);
	assert_string_equal(got, want);
	free(got);
}

static void
folders_come_and_go_with_their_files(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL,
		(struct room_file[]){ { "a/b/c", "1" }, { "a/d", "2" }, { "e", "3" } },
		3);
	struct oid two = room_commit(repo, &one,
		(struct room_file[]){ { "a/b/c", NULL }, { "f/g/h", "4" } }, 2);

	assert_paths(*state, &one, "a/b/c a/d e ");
	assert_paths(*state, &two, "a/d e f/g/h ");
	room_fsck(*state);
	repo_close(repo);
}

static void
a_file_and_a_folder_may_take_each_others_place(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL,
		(struct room_file[]){
			{ "a/x", "1" }, { "a/y", "1" }, { "b", "2" }, { "keep", "k" } },
		4);
	struct oid two = room_commit(repo, &one,
		(struct room_file[]){ { "a/x", NULL }, { "a/y", NULL }, { "a", "file" },
			{ "b", NULL }, { "b/z", "3" } },
		5);

	assert_paths(*state, &two, "a b/z keep ");
	struct oid three = room_commit(repo, &two,
		(struct room_file[]){ { "a/x", "again" }, { "b", "file" } }, 2);
	assert_paths(*state, &three, "a/x b keep ");
	struct oid four =
		room_commit(repo, &three, (struct room_file[]){ { "a", NULL } }, 1);
	assert_paths(*state, &four, "b keep ");
	room_fsck(*state);
	repo_close(repo);
}

// '-' and '.' sort before '/', '0' after it: where git's order is not the alphabet's.
static void
the_order_is_gits_order(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL,
		(struct room_file[]){ { "a0", "1" }, { "a/x", "1" }, { "a-", "1" },
			{ "a.b", "1" }, { "a b/x", "1" }, { "a", NULL }, { "ab", "1" } },
		7);

	room_commit(repo, &one,
		(struct room_file[]){ { "a-/x", "2" }, { "a-", NULL }, { "a!", "2" },
			{ "a\xff", "2" } },
		4);
	room_fsck(*state);
	repo_close(repo);
}

static void
an_empty_tree_has_no_name(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one =
		room_commit(repo, NULL, (struct room_file[]){ { "a/b", "1" } }, 1);
	struct tree_change gone = { .path = "a/b", .mode = TREE_GONE };
	struct pack *pack = NULL;
	struct oid base;
	struct oid tree;
	struct err err;

	ok(repo_commit_tree(repo, &one, &base, &err));
	ok(pack_begin(repo, &pack, &err));
	ok(tree_update(repo, pack, &base, &gone, 1, &tree, &err));
	assert_true(oid_is_zero(&tree));
	// And a change that changes nothing gives the tree there was.
	ok(tree_update(repo, pack, &base, NULL, 0, &tree, &err));
	assert_true(oid_equal(&tree, &base));
	pack_abort(pack);
	repo_close(repo);
}

static void
a_name_that_steers_git_cannot_get_into_a_tree(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct tree_change bad = { .path = "notes/.GIT/config", .mode = TREE_FILE };
	struct pack *pack = NULL;
	struct oid tree;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	ok(pack_add(pack, OBJECT_BLOB, "x", 1, &bad.oid, &err));
	fails(tree_update(repo, pack, NULL, &bad, 1, &tree, &err), ERR_INVALID);
	bad.path = "notes/.gitignore";
	fails(tree_update(repo, pack, NULL, &bad, 1, &tree, &err), ERR_INVALID);
	bad.path = "notes/x";
	bad.mode = TREE_COMMIT;
	fails(tree_update(repo, pack, NULL, &bad, 1, &tree, &err), ERR_INVALID);
	pack_abort(pack);
	repo_close(repo);
}

// Random files come and go, and git builds the same trees from an index of its own.
static void
a_thousand_random_changes_give_gits_own_trees(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid head = { { 0 } };
	struct oid tree;
	struct err err;
	unsigned int seed = 7;
	char paths[25][32];
	char texts[25][32];
	char hex[OID_HEX_MAX];

	for (int round = 0; round < 40; round++) {
		struct room_file files[26];
		size_t count = 0;
		char script[3000] = "";

		for (int i = 0; i < 25; i++) {
			bool twice = false;

			(void)snprintf(paths[count], sizeof(paths[0]), "d%d/e%d/f%d",
				rand_r(&seed) % 4, rand_r(&seed) % 3, rand_r(&seed) % 6);
			for (size_t j = 0; j < count; j++) {
				twice |= strcmp(paths[j], paths[count]) == 0;
			}
			if (twice) {
				continue;
			}
			(void)snprintf(
				texts[count], sizeof(texts[0]), "%d", rand_r(&seed));
			files[count].path = paths[count];
			files[count].text = rand_r(&seed) % 3 == 0 ? NULL : texts[count];
			(void)snprintf(script + strlen(script),
				sizeof(script) - strlen(script),
				files[count].text != NULL
					? "mkdir -p $(dirname %s);printf %s >%s;"
					: "rm -f %s;",
				paths[count], texts[count], paths[count]);
			count++;
		}
		files[count++] = (struct room_file){ "keep", "k" };
		head = room_commit(repo, round > 0 ? &head : NULL, files, count);
		assert_int_equal(scratch_sh(*state,
					 "mkdir -p w; cd w; %s printf k > keep", script),
			0);
	}
	ok(repo_commit_tree(repo, &head, &tree, &err));
	assert_int_equal(scratch_sh(*state,
				 "export HOME=/nonexistent; cd w && git init -q . && git "
				 "add -A && "
				 "test $(git write-tree) = %s",
				 oid_hex(&tree, hex)),
		0);
	room_fsck(*state);
	repo_close(repo);
}

struct seen {
	char text[1000];
};

static int
note(const char *path, const struct tree_entry *entry, void *payload)
{
	struct seen *seen = payload;
	size_t len = strlen(seen->text);

	(void)snprintf(seen->text + len, sizeof(seen->text) - len, "%s%s ", path,
		entry->mode == TREE_FOLDER ? "/" : "");
	return strcmp(path, "skip") == 0 ? TREE_SKIP : 0;
}

static int
note_change(const char *path, const struct tree_entry *old, const struct tree_entry *new,
	void *payload)
{
	struct seen *seen = payload;
	size_t len = strlen(seen->text);

	(void)snprintf(seen->text + len, sizeof(seen->text) - len, "%c%s ",
		old == NULL           ? '+'
			: new == NULL ? '-'
				      : '~',
		path);
	return 0;
}

static void
a_walk_and_a_diff_see_each_path_once(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL,
		(struct room_file[]){ { "a/b", "1" }, { "a/c", "1" }, { "d", "1" },
			{ "skip/x", "1" }, { "t", "file" } },
		5);
	struct oid two = room_commit(repo, &one,
		(struct room_file[]){ { "a/b", "2" }, { "a/c", NULL }, { "n/m", "3" },
			{ "t", NULL }, { "t/u", "4" } },
		5);
	struct oid trees[2];
	struct seen seen = { "" };
	struct err err;

	ok(repo_commit_tree(repo, &one, &trees[0], &err));
	ok(repo_commit_tree(repo, &two, &trees[1], &err));
	ok(tree_walk(repo, &trees[0], note, &seen, &err));
	assert_string_equal(seen.text, "a/ a/b a/c d skip/ t ");
	seen.text[0] = '\0';
	ok(tree_diff(repo, &trees[0], &trees[1], note_change, &seen, &err));
	assert_string_equal(seen.text, "~a/b -a/c +n/m -t +t/u ");
	seen.text[0] = '\0';
	ok(tree_diff(repo, NULL, &trees[0], note_change, &seen, &err));
	assert_string_equal(seen.text, "+a/b +a/c +d +skip/x +t ");
	repo_close(repo);
}

static void
a_cut_tree_is_corrupt_not_short(void **state)
{
	static const char raw[] = "100644 a\0aaaaaaaaaaaaaaaaaaaa100644 b\0bbbb";
	struct tree_iter iter = { raw, raw + sizeof(raw) - 1 };
	struct tree_entry entry;
	struct err err;

	(void)state;
	assert_int_equal(tree_next(&iter, &entry, &err), 1);
	assert_string_equal(entry.name, "a");
	fails(tree_next(&iter, &entry, &err), ERR_CORRUPT);
	iter = (struct tree_iter){ "9 a", raw + 0 };
	iter.end = iter.at + 3;
	fails(tree_next(&iter, &entry, &err), ERR_CORRUPT);
}

static void
a_commit_holds_no_line_that_its_author_smuggled_in(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid one = room_commit(repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	struct commit commit = {
		.parent = one,
		.name = " x\nparent y <z>.",
		.email = "",
		.time = -5,
		.offset_min = -90,
		.message = "m\n\nMirror-Files: 1",
	};
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid made;
	struct err err;

	ok(repo_commit_tree(repo, &one, &commit.tree, &err));
	ok(pack_begin(repo, &pack, &err));
	ok(commit_write(pack, &commit, &made, &err));
	ok(pack_finish(pack, &stats, &err));
	ok(repo_move_ref(repo, &one, &made, "m", &err));
	assert_int_equal(
		room_git(*state, "log -1 --format='%%an|%%ae|%%ai|%%B' > ../got"), 0);
	char *got = scratch_read(*state, "got", NULL);
	assert_string_equal(got,
		"xparent y z|mirror@localhost|1970-01-01 00:00:00 +0000|m\n\n"
		"Mirror-Files: 1\n\n");
	free(got);
	room_fsck(*state);
	repo_close(repo);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(folders_come_and_go_with_their_files),
		room(a_file_and_a_folder_may_take_each_others_place),
		room(the_order_is_gits_order),
		room(an_empty_tree_has_no_name),
		room(a_name_that_steers_git_cannot_get_into_a_tree),
		room(a_thousand_random_changes_give_gits_own_trees),
		room(a_walk_and_a_diff_see_each_path_once),
		cmocka_unit_test(a_cut_tree_is_corrupt_not_short),
		room(a_commit_holds_no_line_that_its_author_smuggled_in),
	};

	return cmocka_run_group_tests_name("brain/tree", tests, NULL, NULL);
}
