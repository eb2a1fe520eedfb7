// SPDX-License-Identifier: GPL-2.0-or-later

// Against the real kernel: what happens here happens on a disk.

#include "world.h"

#include "watch/watch.h"

// --- Plain changes ------------------------------------------------------------------

static void
silence_is_silent(void **state)
{
	(void)state;
	assert_false(rings());
	hear();
	assert_int_equal(world.heard.flags, 0);
	assert_string_equal(world.heard.text, "");
	sh("cat root/notes/* 2>/dev/null; ls -lR root >/dev/null");
	assert_false(rings());
}

static void
each_kind_of_change_rings_with_its_folder(void **state)
{
	static const char *const changes[] = {
		"echo a > root/notes/file",
		"echo b >> root/notes/file",
		"chmod 600 root/notes/file",
		"touch root/notes/file",
		"truncate -s 100000 root/notes/file",
		"mv root/notes/file root/notes/other",
		"ln root/notes/other root/notes/hard",
		"ln -s nowhere root/notes/soft",
		"mkfifo root/notes/fifo",
		"rm root/notes/other",
		// An atomic save, as editors do it.
		"echo new > root/notes/.tmp && mv root/notes/.tmp root/notes/hard",
	};

	(void)state;
	for (size_t i = 0; i < countof(changes); i++) {
		sh(changes[i]);
		assert_true(rings());
		hear();
		assert_int_equal(world.heard.flags, WATCH_DIRTY);
		assert_true(heard("notes"));
		assert_int_equal(world.heard.nfolders, 1);
		assert_false(rings());
	}
}

static void
a_change_in_the_root_itself_has_an_empty_folder(void **state)
{
	(void)state;
	sh("echo a > root/file");
	hear();
	assert_string_equal(world.heard.text, ";");
}

static void
a_file_that_only_went_away_is_said_to_be_removed(void **state)
{
	(void)state;
	sh("echo a > root/notes/file");
	hear();
	assert_int_equal(world.heard.removed, 0);
	sh("rm root/notes/file");
	hear();
	assert_int_equal(world.heard.removed, 1);
	assert_int_equal(world.heard.changed, 0);
}

static void
writing_that_goes_on_rings_before_the_file_is_closed(void **state)
{
	AUTO_CLOSE int fd = -1;

	(void)state;
	scratch_write_text(world.room, "root/notes/log", "");
	hear();
	fd = openat(world.room->dirfd, "root/notes/log", O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	hear();
	assert_true(heard("notes"));
}

static void
names_are_bytes(void **state)
{
	static const char *const names[] = { "a\nb", "caf\xe9", "%s%n", "-rf", "\x01\x7f",
		"\xff\xfe" };

	(void)state;
	for (size_t i = 0; i < countof(names); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "root/%s", names[i]);
		scratch_mkdir(world.room, path);
		hear();
		assert_true(heard(names[i]));
		(void)snprintf(path, sizeof(path), "root/%s/file", names[i]);
		scratch_write_text(world.room, path, "x");
		hear();
		assert_true(heard(names[i]));
	}
}

// --- Folders that come, go and move -------------------------------------------------

static void
skipped_folders_cost_no_watches(void **state)
{
	(void)state;
	// root, notes, notes/deep.
	assert_int_equal(watch_count(world.watch), 3);
	assert_int_equal(watch_needed(world.watch), 3);
	sh("mkdir -p root/notes/node_modules/x/y/z root/.git/objects");
	hear();
	assert_int_equal(watch_count(world.watch), 3);
	sh("echo a > root/notes/node_modules/x/file");
	assert_false(rings());
}

static void
a_new_folder_is_watched_with_all_below_it(void **state)
{
	(void)state;
	sh("mkdir -p root/n/x/y; echo early > root/n/x/y/file");
	hear();
	assert_non_null(strstr(world.heard.text, "n/**;"));
	assert_int_equal(watch_count(world.watch), 6);
	sh("echo late > root/n/x/y/file");
	hear();
	assert_true(heard("n/x/y"));
}

// Something else makes folders and files in them as fast as it can, while we listen.
static void
no_file_made_in_a_new_folder_goes_unheard(void **state)
{
	enum {
		FOLDERS = 300
	};
	pid_t pid = fork();
	char name[64];
	int how = 0;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c",
			"cd \"$0/root\" && i=0; while [ $i -lt 300 ]; do"
			" mkdir -p n$i/x/y; echo a > n$i/x/y/f; i=$((i+1)); done",
			world.room->path, (char *)NULL);
		_exit(1);
	}
	while (waitpid(pid, &how, WNOHANG) == 0) {
		(void)watch_drain(world.watch, remember, &world.heard);
	}
	assert_int_equal(how, 0);
	(void)watch_drain(world.watch, remember, &world.heard);
	assert_int_equal(watch_count(world.watch), 3 + 3 * FOLDERS);
	for (int i = 0; i < FOLDERS; i++) {
		// Either all of it was hinted at once, or each part.
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_true(heard(name));
	}
	// And none is deaf.
	for (int i = 0; i < FOLDERS; i++) {
		(void)snprintf(name, sizeof(name), "root/n%d/x/y/f", i);
		scratch_write_text(world.room, name, "b");
	}
	hear();
	for (int i = 0; i < FOLDERS; i++) {
		(void)snprintf(name, sizeof(name), "n%d/x/y", i);
		assert_true(heard(name));
	}
}

static void
a_folder_deleted_and_made_again_is_not_deaf(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		sh("rm -rf root/notes; mkdir -p root/notes/deep");
		if (i % 3 != 0) {
			hear();
		}
	}
	hear();
	assert_int_equal(world.heard.flags & WATCH_REARM, 0);
	assert_int_equal(watch_count(world.watch), 3);
	sh("echo a > root/notes/deep/file");
	hear();
	assert_true(heard("notes/deep"));
}

static void
a_folder_that_moves_means_beginning_anew(void **state)
{
	static const char *const moves[] = { "mv root/notes outside/",
		"mv outside/notes root/", "mv root/notes root/papers",
		"mv root/papers/deep root/", "mkdir outside/new; mv outside/new root/" };

	(void)state;
	for (size_t i = 0; i < countof(moves); i++) {
		sh(moves[i]);
		hear();
		assert_true((world.heard.flags & WATCH_REARM) != 0);
		assert_true(heard("*"));
		// It keeps saying so until it is done.
		hear();
		assert_true((world.heard.flags & WATCH_REARM) != 0);
		assert_int_equal(watch_rearm(world.watch), 0);
		hear();
		assert_int_equal(world.heard.flags, 0);
	}
	sh("echo a > root/papers/file; echo b > root/deep/file; echo c > root/new/file");
	hear();
	assert_true(heard("papers") && heard("deep") && heard("new"));
	assert_int_equal(world.heard.nfolders, 3);
}

static void
a_folder_that_moved_away_is_no_longer_heard(void **state)
{
	(void)state;
	sh("mv root/notes outside/");
	hear();
	assert_int_equal(watch_rearm(world.watch), 0);
	assert_int_equal(watch_count(world.watch), 1);
	sh("echo a > outside/notes/file; echo a > outside/notes/deep/file");
	assert_false(rings());
}

static void
a_skipped_folder_may_move_as_it_likes(void **state)
{
	(void)state;
	sh("mv root/node_modules outside; mv outside/node_modules root/");
	hear();
	assert_int_equal(world.heard.flags, WATCH_DIRTY);
}

static void
a_link_in_a_folders_place_is_not_followed(void **state)
{
	(void)state;
	sh("rm -r root/notes; ln -s ../outside root/notes");
	hear();
	assert_int_equal(watch_count(world.watch), 1);
	sh("echo a > outside/file; mkdir outside/folder; echo a > outside/folder/file");
	assert_false(rings());
	sh("rm root/notes; mkdir -p root/notes/deep");
	hear();
	assert_int_equal(watch_count(world.watch), 3);
	sh("echo a > root/notes/deep/file");
	hear();
	assert_true(heard("notes/deep"));
}

static void
vanishing_folders_are_counted_and_swept_out(void **state)
{
	(void)state;
	for (int i = 0; i < 11; i++) {
		sh("cd root && seq -f v%g 1000 | xargs mkdir");
		hear();
		if ((world.heard.flags & WATCH_REARM) != 0) {
			assert_true(i > 9);
			break;
		}
		sh("cd root && seq -f v%g 1000 | xargs rmdir");
		hear();
	}
	assert_true((world.heard.flags & WATCH_REARM) != 0);
	assert_int_equal(watch_rearm(world.watch), 0);
}

// --- SQLite -------------------------------------------------------------------------

static void
reading_a_database_does_not_ring_but_writing_does(void **state)
{
	(void)state;
	sh("sqlite3 root/notes/a.db 'pragma journal_mode=wal; create table t(x)' "
	   ">/dev/null");
	hear();
	sh("sqlite3 'file:root/notes/a.db?mode=ro' 'select count(*) from t' >/dev/null");
	hear();
	assert_string_equal(world.heard.text, "");
	sh("sqlite3 root/notes/a.db 'insert into t values(1)'");
	hear();
	assert_true(heard("notes"));
}

static void
a_file_that_only_ends_like_a_companion_rings(void **state)
{
	(void)state;
	sh("echo a > root/notes/list-shm");
	hear();
	assert_true(heard("notes"));
	sh("touch root/notes/list-wal");
	hear();
	assert_true(heard("notes"));
}

// --- Roots --------------------------------------------------------------------------

static struct watch_status
status(void)
{
	struct watch_status now;

	watch_status(world.watch, 0, &now);
	assert_int_equal(now.index, 7);
	return now;
}

static void
a_root_that_goes_away_is_reported_and_found_again(void **state)
{
	(void)state;
	assert_int_equal(status().state, WATCH_HEARD);
	assert_string_equal(status().reason, "");
	sh("rm -rf root");
	hear();
	assert_true((world.heard.flags & WATCH_REARM) != 0);
	(void)watch_rearm(world.watch);
	assert_int_equal(status().state, WATCH_MISSING);
	assert_int_equal(watch_retry(world.watch, remember, &world.heard), 0);

	sh("mkdir -p root/notes");
	assert_int_equal(watch_retry(world.watch, remember, &world.heard), WATCH_DIRTY);
	assert_int_equal(status().state, WATCH_HEARD);
	hear();
	sh("echo a > root/notes/file");
	hear();
	assert_true(heard("notes"));
}

static void
a_root_that_is_moved_and_replaced_is_heard_at_its_name(void **state)
{
	(void)state;
	sh("mv root old; mkdir -p root/notes");
	hear();
	assert_true((world.heard.flags & WATCH_REARM) != 0);
	(void)watch_rearm(world.watch);
	sh("echo a > old/notes/file");
	assert_false(rings());
	sh("echo a > root/notes/file");
	hear();
	assert_true(heard("notes"));
}

static void
a_root_may_be_a_link(void **state)
{
	struct watch_root root = { .path = scratch_path(world.room, "link"), .index = 7 };
	struct err err;

	(void)state;
	watch_closep(&world.watch);
	sh("ln -s root link");
	ok(watch_open(&root, 1, skip_some, NULL, &world.watch, &err));
	assert_int_equal(watch_count(world.watch), 3);
	sh("echo a > root/notes/file");
	hear();
	assert_true(heard("notes"));
}

static void
a_made_up_folder_is_polled(void **state)
{
	struct watch_root root = { .path = "/proc/self/task", .index = 7 };
	struct err err;

	(void)state;
	watch_closep(&world.watch);
	ok(watch_open(&root, 1, NULL, NULL, &world.watch, &err));
	assert_int_equal(status().state, WATCH_POLLED);
	assert_non_null(strstr(status().reason, "makes it up"));
}

// Deeper than any path the kernel takes in one go.
static void
a_path_too_long_to_watch_is_polled(void **state)
{
	char name[201];
	int at = openat(world.room->dirfd, "root", O_RDONLY | O_DIRECTORY);

	(void)state;
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 25; i++) {
		int below;

		assert_int_equal(mkdirat(at, name, 0755), 0);
		below = openat(at, name, O_RDONLY | O_DIRECTORY);
		(void)close(at);
		at = below;
	}
	(void)close(at);
	hear();
	assert_int_equal(status().state, WATCH_POLLED);
	assert_int_equal(status().unwatched, 1);
	assert_int_equal(watch_rearm(world.watch), 0);
	assert_int_equal(status().state, WATCH_POLLED);
	assert_true(watch_count(world.watch) > 20);
}

// As somebody who may not read everything.
static bool
hears_a_folder_made_readable(void)
{
	struct watch_root root = { .path = scratch_path(world.room, "root"), .index = 7 };
	struct err err;

	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0) {
		return false;
	}
	sh("mkdir -p root/locked/in && chmod 000 root/locked");
	if (watch_open(&root, 1, skip_some, NULL, &world.watch, &err) < 0 ||
		status().unwatched != 1 || status().state != WATCH_POLLED) {
		return false;
	}
	sh("chmod 755 root/locked");
	hear();
	sh("echo a > root/locked/in/file");
	hear();
	return heard("locked/in");
}

static void
a_folder_made_readable_is_heard(void **state)
{
	pid_t pid;
	int how = 0;

	(void)state;
	watch_closep(&world.watch);
	if (geteuid() == 0) {
		sh("chown -R 65534 .");
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(hears_a_folder_made_readable() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(silence_is_silent),
		in_world(each_kind_of_change_rings_with_its_folder),
		in_world(a_change_in_the_root_itself_has_an_empty_folder),
		in_world(a_file_that_only_went_away_is_said_to_be_removed),
		in_world(writing_that_goes_on_rings_before_the_file_is_closed),
		in_world(names_are_bytes),
		in_world(skipped_folders_cost_no_watches),
		in_world(a_new_folder_is_watched_with_all_below_it),
		in_world(no_file_made_in_a_new_folder_goes_unheard),
		in_world(a_folder_deleted_and_made_again_is_not_deaf),
		in_world(a_folder_that_moves_means_beginning_anew),
		in_world(a_folder_that_moved_away_is_no_longer_heard),
		in_world(a_skipped_folder_may_move_as_it_likes),
		in_world(a_link_in_a_folders_place_is_not_followed),
		in_world(vanishing_folders_are_counted_and_swept_out),
		in_world(reading_a_database_does_not_ring_but_writing_does),
		in_world(a_file_that_only_ends_like_a_companion_rings),
		in_world(a_root_that_goes_away_is_reported_and_found_again),
		in_world(a_root_that_is_moved_and_replaced_is_heard_at_its_name),
		in_world(a_root_may_be_a_link),
		in_world(a_made_up_folder_is_polled),
		in_world(a_path_too_long_to_watch_is_polled),
		in_world(a_folder_made_readable_is_heard),
	};

	return cmocka_run_group_tests_name("watch/watch", tests, NULL, NULL);
}
