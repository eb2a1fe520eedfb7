// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/mend.h"

#include "base/err.h"
#include "base/mem.h"
#include "brain/oid.h"
#include "brain/repo.h"
#include "room.h"
#include "support/nth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct damaged {
	struct scratch *scratch;
	struct repo *repo;
	struct oid head;
};

static int
setup(void **state)
{
	struct damaged *damaged = xcalloc(1, sizeof(*damaged));
	const struct room_file files[] = { { "n/a", "one" }, { "n/b", "two" } };

	void *scratch = NULL;

	(void)scratch_setup(&scratch);
	damaged->scratch = scratch;
	damaged->repo = room_open(damaged->scratch, true);
	damaged->head = room_commit(damaged->repo, NULL, files, countof(files));
	assert_int_equal(room_git(damaged->scratch, "tag plain"), 0);
	*state = damaged;
	return 0;
}

static int
teardown(void **state)
{
	struct damaged *damaged = *state;

	void *scratch = damaged->scratch;

	repo_close(damaged->repo);
	free(damaged);
	return scratch_teardown_all(&scratch);
}

// In the repository's folder.
static int
shell(const struct damaged *damaged, const char *command)
{
	return scratch_sh(damaged->scratch, "cd brain/.git && { %s; }", command);
}

static void
reopen(struct damaged *damaged)
{
	repo_close(damaged->repo);
	damaged->repo = NULL;
	damaged->repo = room_open(damaged->scratch, true);
}

static size_t
count_found(struct damaged *damaged)
{
	AUTO(mend_done) struct mend found = { 0 };
	struct err err;

	ok(repo_look(damaged->repo, &found, &err));
	return found.count;
}

static void
a_sound_repository_is_left_alone(void **state)
{
	struct damaged *damaged = *state;

	assert_int_equal(room_git(damaged->scratch, "pack-refs --all"), 0);
	assert_int_equal(shell(damaged,
				 "find . -type f ! -name index | sort | xargs cksum "
				 ">../../before"),
		0);
	assert_int_equal(count_found(damaged), 0);
	reopen(damaged);
	assert_int_equal(repo_mended(damaged->repo)->count, 0);
	assert_int_equal(shell(damaged,
				 "find . -type f ! -name index | sort | xargs cksum | "
				 "cmp - ../../before"),
		0);
}

static void
looking_says_what_is_wrong_and_changes_nothing(void **state)
{
	static const char *const breaks[] = {
		": >HEAD",
		": >refs/tags/plain",
		": >packed-refs",
		"head -c 100 /dev/zero >packed-refs",
		"head -c 100 /dev/zero >config",
		"for f in objects/pack/*.idx; do chmod u+w $f; : >$f; done",
		"rm -f objects/pack/*.idx",
		"for f in objects/pack/*.pack; do chmod u+w $f; truncate -s -3 $f; done",
		"mkdir -p objects/aa; : >objects/aa/$(printf %038d 0)",
	};
	struct damaged *damaged = *state;

	assert_int_equal(shell(damaged, "cp -a . ../../good"), 0);
	for (size_t i = 0; i < countof(breaks); i++) {
		assert_int_equal(shell(damaged, breaks[i]), 0);
		assert_int_equal(
			shell(damaged, "rm -rf ../../bad; cp -a . ../../bad"), 0);
		assert_int_equal(count_found(damaged), 1);
		assert_int_equal(shell(damaged, "diff -r . ../../bad"), 0);
		assert_int_equal(
			shell(damaged, "rm -rf ../.git/* && cp -a ../../good/. ../.git"),
			0);
	}
}

static void
of_a_damaged_table_of_refs_every_sound_line_is_kept(void **state)
{
	struct damaged *damaged = *state;

	assert_int_equal(
		room_git(damaged->scratch,
			"-c user.name=t -c user.email=t@t.invalid tag -a -m m alpha"),
		0);
	assert_int_equal(
		room_git(damaged->scratch,
			"-c user.name=t -c user.email=t@t.invalid tag -a -m m omega"),
		0);
	assert_int_equal(room_git(damaged->scratch, "pack-refs --all"), 0);
	// One line in the middle is garbage, with the one that belongs to it.
	assert_int_equal(
		shell(damaged,
			"sed -i '/refs.tags.alpha/s/^..../zzzz/' packed-refs && printf "
			"'%s refs/tags/cut' $(git rev-parse omega) >>packed-refs"),
		0);
	reopen(damaged);

	assert_int_equal(repo_mended(damaged->repo)->count, 1);
	assert_int_equal(
		shell(damaged,
			"test \"$(git tag | tr '\\n' ' ')\" = 'omega plain ' && git "
			"rev-parse omega^{commit} plain | uniq | wc -l | grep -qx 1 && "
			"ls mirror/damaged | grep -q packed-refs"),
		0);
	room_fsck(damaged->scratch);
}

// In a file by itself, beside nothing of ours.
static bool
git_reads(const struct damaged *damaged, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/text", damaged->scratch->path);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) >= 0 && fclose(file) == 0, 1);
	// Of a key without a section it complains, and goes on.
	return shell(damaged,
		       "said=$(GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=../../text git "
		       "rev-parse HEAD 2>&1 >/dev/null) && test -z \"$said\"") == 0;
}

static void
a_configuration_is_sound_exactly_when_git_reads_it_in_silence(void **state)
{
	static const char *const texts[] = { "", "[a]", "[a]\n", "[]\n", "[a]\nb\n",
		"b\n", "b = 1\n[a]\n", "hello\n",
		"0123456789012345678901234567890123456789\n", "[a]\n0123456789\n",
		"[a]\nb = \"c\n", "[a]\nb = \"c\\\nd\"\n", "[a]\nb = \\q\n",
		"[a]\nb = \\t\\n\\b\\\\\\\"", "[a]\nb c\n", "[a]\nb = \\",
		"[a \"b\"] c = 1\n", "[a \"b\" ]\n", "[a\"b\"]\n", "[a \"b",
		"[a \"b\\\"]\"]", "[ \"x\"]\ny\n", "[a.]\nb\n", "[.a]\nb\n", "[a_b]\n",
		"[a]\nb-c=1\n", "[a]\nb_c=1\n", "[a]\n-b=1\n", "\xef\xbb\xbf[a]\nb\n",
		"[a]\r\nb\r\n", "[a]\nb\r", "# [\n; \"\n[a]\n\tb = c # \"\n",
		"[a]\nb = \"#\" ; \\q\n", "]", "[a\n]", "[a \n\"b\"]\n", "[a]b=1",
		"[a]b=1[c]\nd\n", "[a]\nb=\xff\n", "\xff", "[a]\n b\t \t= 1\n",
		"[a]\nb\v= 1\n" };
	struct damaged *damaged = *state;

	for (size_t i = 0; i < countof(texts); i++) {
		if (mend_config_is_sound(texts[i], strlen(texts[i])) !=
			git_reads(damaged, texts[i])) {
			fail_msg("git and we differ about text %zu: %s", i, texts[i]);
		}
	}
}

static void
an_index_is_made_again_from_its_pack(void **state)
{
	struct damaged *damaged = *state;
	struct oid head;
	struct err err;

	assert_int_equal(shell(damaged,
				 "for f in objects/pack/*.idx; do cp $f ../../idx; chmod "
				 "u+w $f; truncate -s 1100 $f; done"),
		0);
	reopen(damaged);
	assert_int_equal(repo_head(damaged->repo, &head, &err), 1);
	assert_true(oid_equal(&head, &damaged->head));
	// Byte for byte what we had written ourselves.
	assert_int_equal(shell(damaged, "cmp objects/pack/*.idx ../../idx"), 0);
	room_fsck(damaged->scratch);
}

static void
other_peoples_bytes_are_set_aside_and_never_thrown_away(void **state)
{
	struct damaged *damaged = *state;

	assert_int_equal(
		shell(damaged,
			"for f in objects/pack/*.pack; do chmod u+w $f; truncate "
			"-s -3 $f; cp $f ../../cut; done; printf "
			"'garbage\\n' >refs/tags/plain"),
		0);
	reopen(damaged);
	assert_int_equal(repo_mended(damaged->repo)->count, 2);
	assert_int_equal(shell(damaged,
				 "cmp mirror/damaged/*.pack ../../cut && grep -q garbage "
				 "mirror/damaged/*refs-tags-plain"),
		0);
}

static void
a_branch_that_nobody_can_read_is_no_branch_and_is_left_to_who_knows(void **state)
{
	struct damaged *damaged = *state;
	struct oid found;
	struct err err;

	assert_int_equal(shell(damaged, "printf 'zz' >refs/heads/host/x"), 0);
	reopen(damaged);
	assert_int_equal(repo_head(damaged->repo, &found, &err), ERR_CORRUPT);
	assert_int_equal(shell(damaged, "grep -q zz refs/heads/host/x"), 0);

	ok(repo_put_ref(damaged->repo, &damaged->head, &err));
	assert_int_equal(repo_head(damaged->repo, &found, &err), 1);
	assert_true(oid_equal(&found, &damaged->head));
	room_fsck(damaged->scratch);
}

// ---- milestones

static void
make_milestones(struct damaged *damaged)
{
	static const char *const names[] = { "m1", "m2", "m3" };

	for (size_t i = 0; i < countof(names); i++) {
		const struct repo_tag tag = { names[i], names[i], REPO_TAGGER, "mirror@x",
			1700000000 };
		struct oid id;
		struct err err;

		ok(repo_tag(damaged->repo, &tag, &damaged->head, &id, &err));
	}
}

struct heard {
	size_t count;
	char name[16];
};

static int
hear_gone(const char *name, const struct oid *tag, void *payload)
{
	struct heard *heard = payload;

	(void)tag;
	heard->count++;
	(void)snprintf(heard->name, sizeof(heard->name), "%s", name);
	return 0;
}

static size_t
keep(struct damaged *damaged, struct heard *heard)
{
	struct err err;

	*heard = (struct heard){ 0 };
	ok(repo_keep_tags(damaged->repo, hear_gone, heard, &err));
	return heard->count;
}

static int
has_tags(struct damaged *damaged, const char *wanted)
{
	AUTO_FREE char *command = xasprintf("test \"$(git tag | xargs)\" = '%s'", wanted);

	return shell(damaged, command) == 0;
}

static void
a_table_of_refs_that_was_cut_or_lost_gives_its_milestones_back(void **state)
{
	struct damaged *damaged = *state;
	static const char *const breaks[] = {
		// In place, and exactly at the end of a line.
		"head -n -3 packed-refs >x && cat x >packed-refs && rm x",
		"head -n 1 packed-refs >x && cat x >packed-refs && rm x",
		// The branch has a file of its own.
		"rm packed-refs",
	};
	struct heard heard;

	make_milestones(damaged);
	for (size_t i = 0; i < countof(breaks); i++) {
		assert_int_equal(room_git(damaged->scratch, "pack-refs --all"), 0);
		assert_int_equal(shell(damaged,
					 "git rev-parse host/x >x && mkdir -p "
					 "refs/heads/host && mv x refs/heads/host/x"),
			0);
		assert_int_equal(keep(damaged, &heard), 0);
		assert_int_equal(count_found(damaged), 0);
		assert_int_equal(shell(damaged, breaks[i]), 0);
		assert_true(count_found(damaged) > 0);
		reopen(damaged);
		assert_true(repo_mended(damaged->repo)->count > 0);
		// Another person's tag is nobody's to bring back.
		assert_true(has_tags(damaged, "m1 m2 m3"));
		assert_int_equal(count_found(damaged), 0);
	}
	room_fsck(damaged->scratch);
}

static void
a_milestone_that_a_person_took_away_stays_away(void **state)
{
	struct damaged *damaged = *state;
	struct heard heard;

	make_milestones(damaged);
	assert_int_equal(room_git(damaged->scratch, "pack-refs --all"), 0);
	assert_int_equal(keep(damaged, &heard), 0);
	assert_int_equal(room_git(damaged->scratch, "tag -d m2"), 0);
	assert_int_equal(count_found(damaged), 0);
	reopen(damaged);
	assert_true(has_tags(damaged, "m1 m3 plain"));
	// It is told once.
	assert_int_equal(keep(damaged, &heard), 1);
	assert_string_equal(heard.name, "m2");
	assert_int_equal(keep(damaged, &heard), 0);
	assert_int_equal(shell(damaged,
				 "printf 'garbage' >>packed-refs && "
				 "sed -i '/refs.tags.m1/d' packed-refs"),
		0);
	reopen(damaged);
	assert_true(has_tags(damaged, "m1 m3 plain"));
	room_fsck(damaged->scratch);
}

// Whatever could not be written is put right the next time, and nothing is worse than
// it was.
static void
a_full_disk_while_mending_leaves_the_rest_to_the_next_time(void **state)
{
	struct damaged *damaged = *state;
	static const char *const breaks[] = {
		": >HEAD",
		"printf garbage >>packed-refs",
		"for i in objects/pack/*.idx; do : >$i; done",
		"rm -rf refs",
	};
	AUTO_FREE char *path = xasprintf("%s/brain", damaged->scratch->path);
	const struct repo_options options = {
		.path = path, .branch = "host/x", .worktree = true
	};
	struct heard heard;
	struct err err;

	make_milestones(damaged);
	for (size_t i = 0; i < countof(breaks); i++) {
		nth_begin(ENOSPC);
		do {
			struct repo *repo = NULL;

			assert_int_equal(
				room_git(damaged->scratch, "pack-refs --all"), 0);
			assert_int_equal(keep(damaged, &heard), 0);
			repo_close(damaged->repo);
			damaged->repo = NULL;
			assert_int_equal(shell(damaged, breaks[i]), 0);
			assert_true(nth_next());
			if (repo_open(&options, false, &repo, &err) < 0) {
				assert_true(nth_hit());
			}
			nth_pause();
			repo_close(repo);
			reopen(damaged);
			assert_int_equal(count_found(damaged), 0);
			// A branch that nobody knows is put back by who knows it.
			ok(repo_put_ref(damaged->repo, &damaged->head, &err));
			assert_true(has_tags(damaged, "m1 m2 m3 plain") ||
				has_tags(damaged, "m1 m2 m3"));
			room_fsck(damaged->scratch);
		} while (nth_hit());
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define BROKEN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		BROKEN(a_sound_repository_is_left_alone),
		BROKEN(looking_says_what_is_wrong_and_changes_nothing),
		BROKEN(of_a_damaged_table_of_refs_every_sound_line_is_kept),
		BROKEN(a_configuration_is_sound_exactly_when_git_reads_it_in_silence),
		BROKEN(an_index_is_made_again_from_its_pack),
		BROKEN(other_peoples_bytes_are_set_aside_and_never_thrown_away),
		BROKEN(a_table_of_refs_that_was_cut_or_lost_gives_its_milestones_back),
		BROKEN(a_full_disk_while_mending_leaves_the_rest_to_the_next_time),
		BROKEN(a_milestone_that_a_person_took_away_stays_away),
		BROKEN(a_branch_that_nobody_can_read_is_no_branch_and_is_left_to_who_knows),
	};

	return cmocka_run_group_tests_name("brain/mend", tests, NULL, NULL);
}
