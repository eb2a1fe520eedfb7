// SPDX-License-Identifier: GPL-2.0-or-later

// Against the real kernel: what happens here happens on a disk.

#include "watch/watch.h"

#include "base/clock.h"
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MANY = 4096
};

// What was heard: the hints as one text, and as a set.
struct heard {
	char text[16384];
	char *folders[MANY];
	size_t nfolders;
	unsigned int flags;
	int removed;
	int changed;
};

struct world {
	struct scratch *room;
	struct watch *watch;
	struct heard heard;
};

static struct world world;

static bool
known(const struct heard *heard, const char *folder)
{
	for (size_t i = 0; i < heard->nfolders; i++) {
		if (strcmp(heard->folders[i], folder) == 0) {
			return true;
		}
	}
	return false;
}

static bool
heard(const char *folder)
{
	return known(&world.heard, folder);
}

static void
forget(void)
{
	for (size_t i = 0; i < world.heard.nfolders; i++) {
		free(world.heard.folders[i]);
	}
	world.heard = (struct heard){ 0 };
}

static bool
skip_some(size_t index, const char *folder, void *payload)
{
	const char *name = strrchr(folder, '/');

	(void)index;
	(void)payload;
	name = name != NULL ? name + 1 : folder;
	return strcmp(name, "node_modules") == 0 || strcmp(name, ".git") == 0;
}

static int
setup(void **state)
{
	struct err err;

	if (scratch_setup(state) < 0) {
		return -1;
	}
	world = (struct world){ .room = *state };
	scratch_mkdir(world.room, "root/notes/deep");
	scratch_mkdir(world.room, "root/node_modules/a/b");
	scratch_mkdir(world.room, "outside");

	struct watch_root root = { .path = scratch_path(world.room, "root"), .index = 7 };
	return watch_open(&root, 1, skip_some, NULL, &world.watch, &err);
}

static int
teardown(void **state)
{
	watch_closep(&world.watch);
	forget();
	return scratch_teardown_all(state);
}

static void
remember(const struct watch_hint *hint, void *payload)
{
	struct heard *heard = payload;
	size_t len = strlen(heard->text);
	const char *folder = hint->folder != NULL ? hint->folder : "*";

	assert_int_equal(hint->index, 7);
	if (!known(heard, folder) && heard->nfolders < MANY) {
		heard->folders[heard->nfolders++] = strdup(folder);
	}
	*(hint->removed ? &heard->removed : &heard->changed) += 1;
	if (len + strlen(folder) + 8 < sizeof(heard->text)) {
		(void)snprintf(heard->text + len, sizeof(heard->text) - len, "%s%s;",
			folder, hint->deep ? "/**" : "");
	}
}

static void
hear(void)
{
	struct heard *heard = &world.heard;
	int64_t end_ms = clock_mono_ms() + 1000;
	unsigned int flags;

	forget();
	do {
		flags = watch_drain(world.watch, remember, heard);
		heard->flags |= flags & ~(unsigned int)WATCH_MORE;
	} while ((flags & WATCH_MORE) != 0 && clock_mono_ms() < end_ms);
}

static void
sh(const char *command)
{
	assert_int_equal(scratch_sh(world.room, "%s", command), 0);
}

static bool
rings(void)
{
	struct pollfd look = { .fd = watch_fd(world.watch), .events = POLLIN };

	return poll(&look, 1, 0) == 1;
}

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

// --- Storms -------------------------------------------------------------------------

static void
a_burst_while_nobody_listened_is_heard_in_full(void **state)
{
	char name[32];

	(void)state;
	sh("cd root && seq -f b%g 50 | xargs mkdir");
	hear();
	sh("cd root && for i in $(seq 50); do for j in $(seq 60); do : > b$i/f$j; done; "
	   "done");
	hear();
	assert_int_equal(world.heard.flags & WATCH_OVERFLOW, 0);
	for (int i = 1; i <= 50; i++) {
		(void)snprintf(name, sizeof(name), "b%d", i);
		assert_true(heard(name));
	}
}

static pid_t
writer(const char *script)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir(world.room->path) == 0) {
			(void)execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		}
		_exit(1);
	}
	return pid;
}

static void
end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
a_writer_that_never_stops_keeps_nobody(void **state)
{
	pid_t pid = writer("while :; do echo a > root/notes/f; rm root/notes/f; done");
	int64_t begin_ms = clock_mono_ms();

	(void)state;
	for (int i = 0; i < 20; i++) {
		hear();
		assert_int_equal(watch_rearm(world.watch), 0);
	}
	assert_true(clock_mono_ms() - begin_ms < 10000);
	end(pid);
	hear();
	sh("echo a > root/notes/deep/file");
	hear();
	assert_true(heard("notes/deep"));
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

// --- Living together ----------------------------------------------------------------

static void
a_process_watches_once(void **state)
{
	struct watch_root root = { .path = "/tmp", .index = 0 };
	struct watch *second = NULL;
	struct err err;

	(void)state;
	fails(watch_open(&root, 1, NULL, NULL, &second, &err), ERR_EXISTS);
	watch_closep(&world.watch);
	root.path = scratch_path(world.room, "root");
	root.index = 7;
	ok(watch_open(&root, 1, skip_some, NULL, &world.watch, &err));
}

static int
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL) {
		count++;
	}
	(void)closedir(dir);
	return count;
}

static void
beginning_anew_leaks_no_descriptor_and_hides_it_from_children(void **state)
{
	int before = count_fds();

	(void)state;
	for (int i = 0; i < 50; i++) {
		sh("echo a > root/notes/file");
		assert_int_equal(watch_rearm(world.watch), 0);
		assert_true((fcntl(watch_fd(world.watch), F_GETFD) & FD_CLOEXEC) != 0);
	}
	assert_int_equal(count_fds(), before);
	assert_false(rings());
}

// --- Churn --------------------------------------------------------------------------

static int
probe(const char *folder, int *ret_folders)
{
	char path[4096];
	DIR *dir;
	const struct dirent *entry;
	int deaf = 0;

	(void)snprintf(path, sizeof(path), "root/%s%s.probe", folder,
		folder[0] != '\0' ? "/" : "");
	scratch_write_text(world.room, path, "x");
	hear();
	deaf += !heard(folder);
	*ret_folders += 1;
	(void)snprintf(path, sizeof(path), "%s/root/%s", world.room->path, folder);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			!skip_some(7, entry->d_name, NULL)) {
			char below[4096];

			(void)snprintf(below, sizeof(below), "%s%s%s", folder,
				folder[0] != '\0' ? "/" : "", entry->d_name);
			deaf += probe(below, ret_folders);
		}
	}
	(void)closedir(dir);
	return deaf;
}

static void
churn(int64_t end_ms)
{
	unsigned int seed = 99;
	char from[128];
	char to[128];

	if (chdir(world.room->path) < 0 || chdir("root") < 0) {
		_exit(1);
	}
	while (clock_mono_ms() < end_ms) {
		(void)snprintf(from, sizeof(from), "c%d/c%d/c%d", rand_r(&seed) % 6,
			rand_r(&seed) % 6, rand_r(&seed) % 6);
		(void)snprintf(
			to, sizeof(to), "c%d/r%d", rand_r(&seed) % 6, rand_r(&seed) % 6);
		if (rand_r(&seed) % 3 == 0) {
			from[5] = '\0';
		}
		switch (rand_r(&seed) % 8) {
		case 0:
			(void)rename(from, to);
			break;
		case 1:
		case 2:
			(void)rmdir(from);
			(void)rmdir(to);
			break;
		default:
			from[2] = '\0';
			(void)mkdir(from, 0755);
			from[2] = '/';
			(void)mkdir(from, 0755);
			break;
		}
	}
	_exit(0);
}

static void
no_folder_is_deaf_after_churn(void **state)
{
	const char *seconds = getenv("MIRROR_STRESS_S");
	int64_t end_ms = clock_mono_ms() + (seconds != NULL ? atoll(seconds) : 2) * 1000;
	pid_t pid = fork();
	int folders = 0;
	int rearms = 0;
	int how = 0;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		churn(end_ms);
	}
	while (waitpid(pid, &how, WNOHANG) == 0) {
		hear();
		if ((world.heard.flags & WATCH_REARM) != 0) {
			(void)watch_rearm(world.watch);
			rearms++;
		}
	}
	assert_int_equal(how, 0);
	hear();
	if ((world.heard.flags & WATCH_REARM) != 0) {
		(void)watch_rearm(world.watch);
	}
	assert_int_equal(probe("", &folders), 0);
	assert_int_equal(watch_count(world.watch), (size_t)folders);
	assert_true(folders > 20);
	print_message("%d re-arms, 0 of %d folders deaf\n", rearms, folders);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

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
		in_world(a_burst_while_nobody_listened_is_heard_in_full),
		in_world(a_writer_that_never_stops_keeps_nobody),
		in_world(a_root_that_goes_away_is_reported_and_found_again),
		in_world(a_root_that_is_moved_and_replaced_is_heard_at_its_name),
		in_world(a_root_may_be_a_link),
		in_world(a_made_up_folder_is_polled),
		in_world(a_path_too_long_to_watch_is_polled),
		in_world(a_folder_made_readable_is_heard),
		in_world(a_process_watches_once),
		in_world(beginning_anew_leaks_no_descriptor_and_hides_it_from_children),
		in_world(no_folder_is_deaf_after_churn),
	};

	return cmocka_run_group_tests_name("watch/watch", tests, NULL, NULL);
}
