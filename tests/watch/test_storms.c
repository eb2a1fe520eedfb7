// SPDX-License-Identifier: GPL-2.0-or-later

// Against the real kernel: much at once, for long, and beside others.

#include "world.h"

#include "watch/watch.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(a_burst_while_nobody_listened_is_heard_in_full),
		in_world(a_writer_that_never_stops_keeps_nobody),
		in_world(a_process_watches_once),
		in_world(beginning_anew_leaks_no_descriptor_and_hides_it_from_children),
		in_world(no_folder_is_deaf_after_churn),
	};

	return cmocka_run_group_tests_name("watch/storms", tests, NULL, NULL);
}
