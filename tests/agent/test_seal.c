// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include "base/mem.h"
#include "brain/repo.h"
#include "restore/restore.h"
#include "vault/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Cut in two, so that no scanner trips over this file.
#define TOKEN                                                                            \
	"ghp_"                                                                           \
	"Xk93jfQmz71LwPb28RtVn5HsYc4Da61pFVK0"
#define DATABASE                                                                         \
	"postgres://app:"                                                                \
	"Xk93jfQmz71Lw@db.internal/main"
// Of either, in any object or file of ours.
#define TRACES "-e ghp_X -e Xk93jfQmz71Lw -e g.h.p._.X.k.9.3"

static bool
has_age(void)
{
	return system("command -v age >/dev/null && command -v age-keygen >/dev/null") ==
		0;
}

// A world that seals; NULL key: without one yet.
static void
begin(struct world *world, const char *key)
{
	char recipient[SEAL_RECIPIENT_MAX];
	struct err err;

	if (!has_age()) {
		skip();
	}
	(void)snprintf(
		world->brain, sizeof(world->brain), "[secrets]\naction = \"seal\"");
	if (key == NULL) {
		return;
	}
	if (!scratch_exists(world->scratch, "brain")) {
		(void)run_once(world);
	}
	ok(seal_new_key(scratch_path(world->scratch, key), recipient, &err));
	ok(seal_recipient_store(
		scratch_path(world->scratch, "brain/.git"), recipient, &err));
}

static void
plant(const struct world *world)
{
	put(world, "notes/plain.md", "nothing here\n");
	put(world, "notes/env",
		"FIRST=1\nTOKEN=" TOKEN "\nDATABASE_URL=" DATABASE "\nLAST=2\n");
	put(world, "notes/crlf", "a\r\nTOKEN=" TOKEN "\r\nb");
	put(world, "notes/key-" TOKEN ".txt", "x\n");
	put(world, "notes/dir-" TOKEN "/inner.txt", "y\n");
	put(world, "notes/dir-" TOKEN "/both-" TOKEN, "TOKEN=" TOKEN "\n");
	put(world, "notes/.gitignore", "TOKEN=" TOKEN "\n");
	sh(world,
		"ln -s https://x/" TOKEN " notes/link && ln notes/env notes/second && "
		"printf 'TOKEN=" TOKEN "\\n' | iconv -t UTF-16 >notes/wide && "
		"printf '\\000\\001\\002" TOKEN "\\000\\000\\377' >notes/binary && "
		"chmod 600 notes/env && touch -d @1600000000.000000005 notes/wide && "
		"chmod 711 notes/dir-* && touch -d @1600000007 notes/dir-*");
	// What is looked for later is there to be found.
	sh(world,
		"mkdir -p data; for f in env crlf wide binary .gitignore; do "
		"grep -aq " TRACES " notes/$f || exit 1; done");
}

// Bytes, names, links, modes, times and hard links.
static void
assert_same(const struct world *world, const char *left, const char *right)
{
	sh(world,
		"diff -r --no-dereference %s %s && for d in %s %s; do (cd $d && "
		"find . -mindepth 1 -printf '%%%%p %%%%y %%%%m %%%%n %%%%T@ %%%%l\\n' | "
		"sort) >$(echo $d | tr / -).list; done && "
		"diff $(echo %s | tr / -).list $(echo %s | tr / -).list",
		left, right, left, right, left, right);
}

static struct restore_result
restore(const struct world *world, const char *from, const char *to, const char *key)
{
	AUTO(repo_closep) struct repo *repo = NULL;
	AUTO_FREE char *path = xasprintf("%s/%s", world->scratch->path, from);
	AUTO_FREE char *target = xasprintf("%s/%s", world->scratch->path, to);
	AUTO_FREE char *identity =
		key != NULL ? xasprintf("%s/%s", world->scratch->path, key) : NULL;
	struct repo_options options = { .path = path, .read_only = true };
	struct restore_options wanted = { .to = target, .identity = identity };
	struct restore_result result;
	struct err err;

	ok(repo_open(&options, false, &repo, &err));
	assert_int_equal(repo_head(repo, &wanted.commit, &err), 1);
	wanted.repo = repo;
	ok(restore_run(&wanted, &result, &err));
	return result;
}

static int
places(const struct world *world)
{
	sh(world, "git -C brain ls-tree -r --name-only HEAD .mirror/sealed >places");
	return scratch_sh(world->scratch, "exit $(wc -l <places)");
}

static void
assert_no_trace(const struct world *world)
{
	assert_false(holds(world,
		"git -C brain cat-file --batch-all-objects --batch | grep -aq " TRACES));
	assert_false(holds(world, "grep -rasq " TRACES " brain state run data"));
	assert_false(
		holds(world, "find brain state run data 2>/dev/null | grep -q " TRACES));
	sh(world,
		"git -C brain fsck --strict --full 2>&1 | grep -v ^dangling | grep . "
		"&& exit 1; test -z \"$(git -C brain status --porcelain)\"");
}

static void
what_is_cut_out_comes_back_with_the_key_and_only_with_it(void **state)
{
	struct world *world = *state;
	struct restore_result result;

	begin(world, "key");
	plant(world);
	(void)run_once(world);

	assert_int_equal(count(world, LEDGER_PENDING), 0);
	assert_row(world, "notes/env", "sealed github-pat,url-password");
	assert_row(world, "notes/binary", "sealed github-pat");
	assert_row(world, "notes/link", "sealed github-pat");
	assert_row(world, "notes/plain.md", "mirrored");
	assert_no_trace(world);
	sh(world, "git clone -q --no-checkout brain clone");
	result = restore(world, "clone", "back", "key");
	assert_int_equal(result.redacted, 0);
	assert_same(world, "notes", "back/notes");
	result = restore(world, "clone", "without", NULL);
	assert_true(result.redacted > 0);
	assert_false(holds(world, "grep -raq " TRACES " without"));
	assert_true(holds(world, "grep -q '^TOKEN=REDACTED' without/notes/env"));
}

static void
git_and_age_alone_bring_it_back(void **state)
{
	struct world *world = *state;

	if (system("command -v python3 >/dev/null") != 0) {
		skip();
	}
	begin(world, "key");
	plant(world);
	(void)run_once(world);
	sh(world,
		"git clone -q -b host/test brain clone && cd clone && "
		"sed -n '/^```python$/,/^```$/p' .mirror/RECOVERY.md | grep -v '^```' "
		">../recover.py && python3 ../recover.py ../back ../key");
	assert_same(world, "notes", "back/notes");
}

static void
nothing_new_is_sealed_when_nothing_changed(void **state)
{
	struct world *world = *state;
	struct cycle_result first;
	struct cycle_result again;

	begin(world, "key");
	plant(world);
	first = run_once(world);
	again = run_once(world);
	assert_false(again.committed);
	// Not even when the ledger is lost, or all is read again.
	sh(world, "rm state/mirror/ledger.sqlite*");
	again = run_once(world);
	assert_false(again.committed);
	assert_true(oid_equal(&first.commit, &again.commit));
	assert_row(world, "notes/env", "sealed github-pat,url-password");
	sh(world,
		"touch -d @1500000000 notes/plain.md notes/env && "
		"touch -r notes/plain.md notes");
	(void)run_once(world);
	sh(world, "git -C brain diff --quiet HEAD~1 HEAD -- .mirror/sealed");
	(void)restore(world, "brain", "back", "key");
	assert_same(world, "notes", "back/notes");
}

static void
a_change_beside_the_secret_seals_anew_and_drops_what_was(void **state)
{
	struct world *world = *state;
	int before;

	begin(world, "key");
	plant(world);
	(void)run_once(world);
	before = places(world);
	sh(world,
		"cp places old && sed -i 's/FIRST=1/FIRST=11/' notes/second && "
		"printf '\\000\\001\\003" TOKEN "\\000' >notes/binary");
	(void)run_once(world);

	// The editor's copy is a file of its own now, and env and binary have new places.
	assert_int_equal(places(world), before);
	sh(world, "test $(sort old places | uniq -d | wc -l) = $(($(wc -l <old) - 2))");
	assert_false(holds(world,
		"for p in $(cat old); do grep -qx $p places || test ! -e brain/$p || "
		"exit "
		"0; done; exit 1"));
	assert_no_trace(world);
	(void)restore(world, "brain", "back", "key");
	assert_same(world, "notes", "back/notes");
}

static void
what_is_deleted_takes_its_place_with_it(void **state)
{
	struct world *world = *state;

	begin(world, "key");
	put(world, "notes/env", "TOKEN=" TOKEN "\n");
	put(world, "notes/dir-" TOKEN "/deep/key-" TOKEN, "x\n");
	(void)run_once(world);
	assert_int_equal(places(world), 3);
	sh(world, "rm notes/env");
	(void)run_once(world);
	assert_int_equal(places(world), 2);
	sh(world, "mv notes/dir-* notes/dir");
	(void)run_once(world);
	assert_int_equal(places(world), 1);
	sh(world, "rm -r notes/dir");
	(void)run_once(world);

	assert_int_equal(places(world), 0);
	assert_false(holds(world, "test -e brain/.mirror/sealed"));
	assert_no_trace(world);
}

static void
without_a_key_it_redacts_and_with_one_it_seals_what_was_redacted(void **state)
{
	struct world *world = *state;

	begin(world, NULL);
	plant(world);
	(void)run_once(world);
	assert_int_equal(places(world), 0);
	assert_row(world, "notes/env", "redacted github-pat,url-password");
	assert_row(world, "notes/binary", "pending held:secret");
	begin(world, "key");
	(void)run_once(world);
	assert_row(world, "notes/env", "sealed github-pat,url-password");
	assert_row(world, "notes/binary", "sealed github-pat");
	(void)restore(world, "brain", "back", "key");
	assert_same(world, "notes", "back/notes");

	// And the way back: nothing stays that nobody asked for any more.
	world->brain[0] = '\0';
	(void)run_once(world);
	assert_row(world, "notes/env", "redacted github-pat,url-password");
	// But the last version of a file that is held now.
	assert_row(world, "notes/binary", "pending held:secret");
	assert_int_equal(places(world), 1);
	assert_false(run_once(world).committed);
}

static void
a_new_key_seals_everything_again(void **state)
{
	struct world *world = *state;
	struct restore_result result;

	begin(world, "key");
	plant(world);
	(void)run_once(world);
	begin(world, "other");
	(void)run_once(world);
	result = restore(world, "brain", "wrong", "key");
	// The old key brings the text alone, and says of each that it does not open.
	assert_true(result.shut > 0 && result.shut <= result.redacted + 1);
	assert_false(holds(world, "grep -raq " TRACES " wrong"));
	sh(world, "grep -q '^TOKEN=REDACTED' wrong/notes/env");
	(void)restore(world, "brain", "back", "other");
	assert_same(world, "notes", "back/notes");
	assert_false(run_once(world).committed);
}

static void
a_lost_key_file_leaves_what_is_sealed_alone(void **state)
{
	struct world *world = *state;
	int before;

	begin(world, "key");
	plant(world);
	(void)run_once(world);
	before = places(world);
	sh(world, "rm brain/.git/mirror/recipient");
	assert_false(run_once(world).committed);
	put(world, "notes/plain.md", "changed\n");
	(void)run_once(world);

	assert_int_equal(places(world), before);
	(void)restore(world, "brain", "back", "key");
	assert_same(world, "notes", "back/notes");
}

static void
what_cannot_be_sealed_waits_and_keeps_its_last_version(void **state)
{
	struct world *world = *state;
	AUTO_FREE char *path = xstrdup(getenv("PATH"));
	AUTO_FREE char *poor = xasprintf("%s/bin:%s", world->scratch->path, path);

	begin(world, "key");
	put(world, "notes/env", "TOKEN=" TOKEN "\n");
	(void)run_once(world);
	// The recipient is a plugin's now, and that has nothing to say.
	sh(world,
		"mkdir bin && printf '#!/bin/sh\\nexit 1\\n' >bin/age && chmod 755 "
		"bin/age && cp brain/.git/mirror/recipient . && "
		"echo age1plugin1qqqqqqqqqqqqqqqq >brain/.git/mirror/recipient");
	(void)setenv("PATH", poor, 1);
	put(world, "notes/env", "TOKEN=" TOKEN "\nmore\n");
	put(world, "notes/new", "TOKEN=" TOKEN "\n");
	put(world, "notes/plain.md", "goes on\n");
	(void)run_once(world);
	(void)setenv("PATH", path, 1);

	assert_row(world, "notes/env", "pending held:secret");
	assert_row(world, "notes/new", "pending held:secret");
	assert_row(world, "notes/plain.md", "mirrored");
	(void)restore(world, "brain", "before", "key");
	sh(world, "cp recipient brain/.git/mirror/recipient");
	sh(world, "test \"$(cat before/notes/env)\" = TOKEN=" TOKEN);
	(void)run_once(world);
	assert_row(world, "notes/env", "sealed github-pat");
	assert_row(world, "notes/new", "sealed github-pat");
	(void)restore(world, "brain", "back", "key");
	assert_same(world, "notes", "back/notes");
}

static void
no_argument_and_no_temporary_ever_holds_it(void **state)
{
	struct world *world = *state;
	AUTO_FREE char *path = xstrdup(getenv("PATH"));
	AUTO_FREE char *watched = xasprintf("%s/bin:%s", world->scratch->path, path);
	char recipient[SEAL_RECIPIENT_MAX];
	struct err err;

	begin(world, "key");
	plant(world);
	assert_int_equal(seal_recipient_load(scratch_path(world->scratch, "brain/.git"),
				 recipient, &err),
		1);
	// Somebody who looks on from outside while it is sealed.
	sh(world,
		"mkdir bin tmp && printf '#!/bin/sh\\n{ echo \"$@\"; env; } >>%s/seen\\n"
		"ls -R %s/tmp >>%s/seen\\nexec $(PATH=%s command -v age) -r "
		"%s\\n' >bin/age && chmod 755 bin/age && "
		"echo age1plugin1qqqqqqqqqqqqqqqq >brain/.git/mirror/recipient",
		world->scratch->path, world->scratch->path, world->scratch->path, path,
		recipient);
	(void)setenv("PATH", watched, 1);
	(void)setenv("TMPDIR", scratch_path(world->scratch, "tmp"), 1);
	(void)run_once(world);
	(void)setenv("PATH", path, 1);
	(void)unsetenv("TMPDIR");

	assert_row(world, "notes/env", "sealed github-pat,url-password");
	sh(world, "test -s seen");
	assert_false(holds(world, "grep -aq " TRACES " seen"));
	assert_false(holds(world, "grep -raq " TRACES " tmp"));
}

static void
a_branch_set_back_gets_its_seals_again(void **state)
{
	struct world *world = *state;

	begin(world, "key");
	put(world, "notes/plain.md", "one\n");
	(void)run_once(world);
	plant(world);
	(void)run_once(world);
	sh(world, "git -C brain reset -q --hard HEAD~1");
	(void)run_once(world);

	assert_no_trace(world);
	(void)restore(world, "brain", "back", "key");
	assert_same(world, "notes", "back/notes");
	assert_false(run_once(world).committed);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define IN_A_WORLD(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
		IN_A_WORLD(what_is_cut_out_comes_back_with_the_key_and_only_with_it),
		IN_A_WORLD(git_and_age_alone_bring_it_back),
		IN_A_WORLD(nothing_new_is_sealed_when_nothing_changed),
		IN_A_WORLD(a_change_beside_the_secret_seals_anew_and_drops_what_was),
		IN_A_WORLD(what_is_deleted_takes_its_place_with_it),
		IN_A_WORLD(
			without_a_key_it_redacts_and_with_one_it_seals_what_was_redacted),
		IN_A_WORLD(a_new_key_seals_everything_again),
		IN_A_WORLD(a_lost_key_file_leaves_what_is_sealed_alone),
		IN_A_WORLD(what_cannot_be_sealed_waits_and_keeps_its_last_version),
		IN_A_WORLD(no_argument_and_no_temporary_ever_holds_it),
		IN_A_WORLD(a_branch_set_back_gets_its_seals_again),
	};

	if (argc > 1) {
		cmocka_set_test_filter(argv[1]);
	}
	return cmocka_run_group_tests_name("agent/seal", tests, NULL, NULL);
}
