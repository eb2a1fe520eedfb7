// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/offsite.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/test.h"
#include "vault/databases.h"
#include "vault/offsite_class.h"
#include "vault/stand.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct room {
	struct stand at;
	struct manifest manifest;
	struct offsite_plan plan;
	pid_t server;
	pid_t proxy;
	int port;
};

static void
take(struct room *room, bool encrypted)
{
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	struct err err = { 0 };

	manifest_close(&room->manifest);
	database_exec(room->at.db,
		"CREATE TABLE IF NOT EXISTS t(x); INSERT INTO t "
		"VALUES(randomblob(300000))");
	room->at.snap.recipient = encrypted ? room->at.public : NULL;
	ok(stand_take(&room->at, &taken, &err));
	ok(manifest_open(room->at.dir, MANIFEST_WRITE, 1000, &room->manifest, &err));
}

static struct manifest_entry *
last(struct room *room)
{
	return &room->manifest.entries[room->manifest.nentries - 1];
}

static int
setup(void **state)
{
	struct room *room = xcalloc(1, sizeof(*room));

	stand_init(&room->at);
	stand_key(&room->at);
	room->plan = (struct offsite_plan){ .remote = room->at.remote,
		.lock_dir = room->at.locks,
		.part_bytes = 110000,
		.tries = 4,
		.pause_ms = 50,
		.timeout_ms = 60000 };
	take(room, true);
	*state = room;
	return 0;
}

static void
stop(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static int
teardown(void **state)
{
	struct room *room = *state;
	int result;

	stop(&room->proxy);
	stop(&room->server);
	manifest_close(&room->manifest);
	result = stand_done(&room->at);
	free(room);
	return result;
}

static int
free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void
wait_for(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	for (int i = 0; i < 200; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		int got = connect(fd, (struct sockaddr *)&address, sizeof(address));

		close(fd);
		if (got == 0) {
			return;
		}
		usleep(25000);
	}
	fail_msg("no server at port %d", port);
}

// A server over the folder `away`, as the remote "far:".
static void
serve(struct room *room, const char *kind)
{
	char address[64];
	char port[16];

	scratch_mkdir(room->at.scratch, "away");
	room->port = free_port();
	(void)snprintf(port, sizeof(port), "%d", room->port);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%d", room->port);
	room->server = fork();
	if (room->server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("rclone", "rclone", "serve", kind, "--addr", address,
			"--log-level", "EMERGENCY", room->at.remote,
			strcmp(kind, "sftp") == 0 ? "--no-auth" : (char *)NULL,
			(char *)NULL);
		_exit(127);
	}
	wait_for(room->port);
	AUTO_FREE char *url = xasprintf("http://%s", address);
	setenv("RCLONE_CONFIG_FAR_TYPE", kind, 1);
	setenv("RCLONE_CONFIG_FAR_VENDOR", "other", 1);
	setenv("RCLONE_CONFIG_FAR_URL", url, 1);
	setenv("RCLONE_CONFIG_FAR_HOST", "127.0.0.1", 1);
	setenv("RCLONE_CONFIG_FAR_PORT", port, 1);
	setenv("RCLONE_CONFIG_FAR_USER", "somebody", 1);
	setenv("RCLONE_CONFIG_FAR_SHELL_TYPE", "none", 1);
	// Any will do, but in rclone's own writing.
	assert_int_equal(scratch_sh(room->at.scratch, "rclone obscure any > pass"), 0);
	AUTO_FREE char *pass = scratch_read(room->at.scratch, "pass", NULL);
	pass[strcspn(pass, "\n")] = '\0';
	setenv("RCLONE_CONFIG_FAR_PASS", pass, 1);
	room->plan.remote = "rclone:far:";
}

static bool
has_python(void)
{
	return system("python3 -c '' 2>/dev/null") == 0;
}

// Before the server that serve() started stands one with faults.
static void
serve_badly(struct room *room, const char *fault, int count)
{
	char backend[16];
	char times[16];
	char answer[16] = { 0 };
	int ends[2];
	AUTO_FREE char *log = xstrdup(scratch_path(room->at.scratch, "log"));

	stop(&room->proxy);
	(void)snprintf(backend, sizeof(backend), "%d", room->port);
	(void)snprintf(times, sizeof(times), "%d", count);
	assert_int_equal(pipe(ends), 0);
	room->proxy = fork();
	if (room->proxy == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		execlp("python3", "python3", FAULTY_PROXY, backend, fault, times, log,
			(char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	assert_true(read(ends[0], answer, sizeof(answer) - 1) > 0);
	close(ends[0]);
	AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d", atoi(answer));
	answer[strcspn(answer, "\n")] = '\0';
	setenv("RCLONE_CONFIG_FAR_URL", url, 1);
	setenv("RCLONE_CONFIG_FAR_PORT", answer, 1);
}

// As if nothing had been sent: another folder, for the server remembers what it saw.
static void
begin_anew(struct room *room)
{
	static char remote[32];
	static int count;
	struct manifest_entry *entry = last(room);

	free(entry->offsite.remote);
	entry->offsite = (struct manifest_offsite){ 0 };
	(void)snprintf(remote, sizeof(remote), "rclone:far:%d", ++count);
	room->plan.remote = remote;
	assert_int_equal(scratch_sh(room->at.scratch,
				 ": > log; rm -f here; ln -s away/%d/app here", count),
		0);
}

// Each part is there once, whole, or not under its final name; and nothing that the list
// does not name.
static void
assert_no_partial(struct room *room, bool sent)
{
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"for f in $(ls here/*.part-[0-9]* 2>/dev/null | grep -v "
			"partial); do n=$(echo $f | sed 's/.*part-0*//'); dd "
			"if=kept/%s bs=110000 skip=$((n - 1)) count=1 status=none | cmp "
			"- $f || exit 1; done",
			last(room)->file),
		0);
	assert_int_equal(
		scratch_sh(room->at.scratch,
			sent ? "test $(ls here/ | wc -l) = $(ls here/ | grep -c -e "
			       "'part-....$' -e index.json$) && test $(ls here/ | grep "
			       "-c index) = 1"
			     : "! ls here/ 2>/dev/null | grep index"),
		0);
}

static void
nothing_readable_ever_leaves_the_machine(void **state)
{
	struct room *room = *state;
	struct err err = { 0 };

	take(room, false);
	fails(offsite_send(&room->plan, &room->manifest, last(room), &err), ERR_DENIED);
	assert_non_null(strstr(err.next, "mirror key new"));
	assert_false(scratch_exists(room->at.scratch, "away"));
}

static void
what_is_sent_opens_without_us(void **state)
{
	struct room *room = *state;
	struct err err = { 0 };

	ok(offsite_send(&room->plan, &room->manifest, last(room), &err));

	assert_true(last(room)->offsite.verified_ms > 0);
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"cd away/app && test $(ls | wc -l) = 4 && cat "
			"*.part-* | age -d -i ../../key > ../../back && cd ../.. "
			"&& sqlite3 back 'select sum(length(x)) from t' | grep -qx "
			"300000"),
		0);
	// Nothing is sent twice.
	assert_int_equal(
		scratch_sh(room->at.scratch, "stat -c '%%n %%i' away/app/*part* > a"), 0);
	ok(offsite_send(&room->plan, &room->manifest, last(room), &err));
	assert_int_equal(scratch_sh(room->at.scratch,
				 "stat -c '%%n %%i' away/app/*part* | cmp - a"),
		0);
	assert_int_equal(offsite_send_all(&room->plan, &room->manifest, &err), 0);
}

static void
a_lost_cut_or_changed_object_is_found_and_repaired(void **state)
{
	struct room *room = *state;
	static const char *const damages[] = {
		"rm away/app/*.part-0002",
		(STAND_FLIP "flip $(echo away/app/*.part-0003) 5"),
		"rm -r away",
	};
	struct err err = { 0 };

	ok(offsite_send(&room->plan, &room->manifest, last(room), &err));
	for (size_t i = 0; i < countof(damages); i++) {
		assert_int_equal(offsite_verify(&room->plan, &room->manifest, last(room),
					 i % 2 == 0, &err),
			1);
		assert_int_equal(scratch_sh(room->at.scratch, "%s", damages[i]), 0);
		fails(offsite_verify(
			      &room->plan, &room->manifest, last(room), false, &err),
			ERR_INVALID);
		assert_int_equal(last(room)->offsite.verified_ms, 0);
		// What is wrong stands in the list until it is mended.
		manifest_close(&room->manifest);
		ok(manifest_open(
			room->at.dir, MANIFEST_WRITE, 1000, &room->manifest, &err));
		assert_non_null(strstr(last(room)->offsite.wrong, "off-site is "));
		assert_int_equal(offsite_send_all(&room->plan, &room->manifest, &err), 1);
		assert_string_equal(last(room)->offsite.wrong, "");
	}
	assert_int_equal(
		offsite_verify(&room->plan, &room->manifest, last(room), true, &err), 1);
}

// A whole job: sent, proved, listed; and what a start shows to everybody.
static void
one_rclone_is_started_for_a_whole_job(void **state)
{
	struct room *room = *state;
	AUTO_FREE char *before = xstrdup(getenv("PATH"));
	AUTO_FREE char *bin = xstrdup(scratch_path(room->at.scratch, "bin"));
	AUTO_FREE char *path = xasprintf("%s:%s", bin, before);
	struct retain_policy one = { .hourly = 1 };
	struct err err = { 0 };

	take(room, true);
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"mkdir bin; printf '#!/bin/sh\\necho \"$@\" >>%%s\\n"
			"test ${#RCLONE_RC_PASS} = 32 && echo key >>%%s\\nexec %%s "
			"\"$@\"\\n' $PWD/starts $PWD/starts $(command -v rclone) "
			">bin/rclone; chmod +x bin/rclone"),
		0);
	setenv("PATH", path, 1);
	setenv("RCLONE_RC_NO_AUTH", "true", 1);
	room->plan.session = offsite_begin();
	assert_int_equal(offsite_send_all(&room->plan, &room->manifest, &err), 2);
	assert_int_equal(
		offsite_verify(&room->plan, &room->manifest, last(room), true, &err), 1);
	assert_int_equal(offsite_prune(&room->plan, &room->manifest, &one,
				 clock_now_ms() + 60000, false, &err),
		1);
	// It is gone when its work is done.
	offsite_end(STEAL(room->plan.session));
	setenv("PATH", before, 1);
	unsetenv("RCLONE_RC_NO_AUTH");
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"test $(grep -c '^rcd --rc-addr 127.0.0.1:0 ' starts) = 1 && "
			"test $(grep -c '^key$' starts) = 1 && test $(wc -l <starts) = "
			"2 && ! grep -Eq '[0-9a-f]{32}' starts"),
		0);
}

static void
comes_back_from(struct room *room, const char *kind)
{
	AUTO_FREE char *back = xstrdup(scratch_path(room->at.scratch, "back"));
	struct err err = { 0 };

	serve(room, kind);
	ok(offsite_send(&room->plan, &room->manifest, last(room), &err));
	ok(offsite_fetch(&room->plan, &room->manifest, last(room), back, &err));
	assert_int_equal(
		scratch_sh(room->at.scratch, "cmp back kept/%s", last(room)->file), 0);
	fails(offsite_fetch(&room->plan, &room->manifest, last(room), back, &err),
		ERR_EXISTS);
	// A server without hashes: a changed byte shows only when all is read back.
	assert_int_equal(
		scratch_sh(room->at.scratch,
			STAND_FLIP "rm back; flip $(echo away/app/*.part-0003) 5"),
		0);
	assert_int_equal(
		offsite_verify(&room->plan, &room->manifest, last(room), false, &err), 0);
	fails(offsite_verify(&room->plan, &room->manifest, last(room), true, &err),
		ERR_INVALID);
	fails(offsite_fetch(&room->plan, &room->manifest, last(room), back, &err),
		ERR_INVALID);
	assert_false(scratch_exists(room->at.scratch, "back"));
}

static void
it_comes_back_from_webdav_as_it_went(void **state)
{
	comes_back_from(*state, "webdav");
}

static void
it_comes_back_from_sftp_as_it_went(void **state)
{
	comes_back_from(*state, "sftp");
}

static void
what_passes_is_tried_again_and_what_does_not_ends_at_once(void **state)
{
	static const struct {
		const char *fault;
		int count;
		// Requests that failed.
		int bad;
		bool sent;
		const char *next;
	} cases[] = {
		{ "503", 2, 2, true, NULL },
		{ "ratelimit", 1, 1, true, NULL },
		{ "lie", 1, 1, true, NULL },
		{ "GET:short", 1, 1, true, NULL },
		{ "503", 100, 4, false, "again" },
		{ "401", 100, 1, false, "reconnect" },
		{ "404", 100, 1, false, "lsf" },
		{ "MOVE:403", 100, 1, false, "reconnect" },
		// From here only when there is time (MIRROR_TEST_ROUNDS).
		{ "403", 100, 1, false, "reconnect" },
		{ "507", 100, 1, false, "about" },
		{ "429", 1, 1, true, NULL },
		{ "drop", 2, 2, true, NULL },
		{ "GET:503", 1, 1, true, NULL },
		{ "MOVE:503", 1, 1, true, NULL },
		{ "500", 2, 2, true, NULL },
		{ "500", 100, 4, false, "again" },
		{ "429", 100, 4, false, "later" },
		{ "lie", 100, 4, false, "again" },
		{ "413", 100, 1, false, "about" },
		{ "PROPFIND:401", 100, 1, false, "reconnect" },
		{ "GET:404", 100, 1, false, NULL },
		{ "GET:drop", 1, 1, true, NULL },
	};
	size_t ncases = getenv("MIRROR_TEST_ROUNDS") != NULL ? countof(cases) : 8;
	struct room *room = *state;

	if (!has_python()) {
		skip();
	}
	serve(room, "webdav");
	for (size_t i = 0; i < ncases; i++) {
		struct err err = { 0 };

		begin_anew(room);
		serve_badly(room, cases[i].fault, cases[i].count);
		int got = offsite_send(&room->plan, &room->manifest, last(room), &err);
		if ((got == 0) != cases[i].sent) {
			fail_msg("%s: %d %s", cases[i].fault, got, err.msg);
		}
		if (!cases[i].sent && cases[i].next != NULL &&
			strstr(err.next, cases[i].next) == NULL) {
			fail_msg("%s: %s (next: %s)", cases[i].fault, err.msg, err.next);
		}
		assert_int_equal(last(room)->offsite.verified_ms > 0, cases[i].sent);
		// A lie is not to be seen in the log.
		int bad = scratch_sh(room->at.scratch,
			"f=%s; m=PUT; case $f in *:*) m=${f%%%%:*} ;; esac; f=${f##*:}; "
			"test $f = ratelimit && f=403; exit $(grep -c \"^$m $f \" log)",
			cases[i].fault);
		if (strcmp(cases[i].fault, "lie") != 0 && bad != cases[i].bad) {
			(void)scratch_sh(room->at.scratch, "cat log >&2");
			fail_msg("%s: %d requests failed, not %d", cases[i].fault, bad,
				cases[i].bad);
		}
		assert_no_partial(room, cases[i].sent);
	}
}

static void
connections_that_break_cost_a_try_each(void **state)
{
	static const char *const kinds[] = { "webdav", "sftp" };
	struct room *room = *state;

	if (!has_python()) {
		skip();
	}
	for (size_t i = 0; i < countof(kinds); i++) {
		struct err err = { 0 };

		stop(&room->server);
		serve(room, kinds[i]);
		begin_anew(room);
		serve_badly(room, "cut", 2);
		ok(offsite_send(&room->plan, &room->manifest, last(room), &err));
		assert_no_partial(room, true);
		assert_int_equal(
			scratch_sh(room->at.scratch, "test $(grep -c cut log) = 2"), 0);
	}
}

// The server may write no file as long as a part, as if its disk were full.
static void
a_full_disk_at_the_remote_leaves_no_part(void **state)
{
	static const char *const kinds[] = { "webdav", "sftp" };
	struct room *room = *state;

	for (size_t i = 0; i < countof(kinds); i++) {
		struct rlimit limit = { 50000, RLIM_INFINITY };
		struct rlimit before;
		struct err err = { 0 };

		stop(&room->server);
		assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		serve(room, kinds[i]);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		begin_anew(room);
		fails(offsite_send(&room->plan, &room->manifest, last(room), &err),
			ERR_REMOTE);
		assert_no_partial(room, false);
		assert_int_equal(last(room)->offsite.verified_ms, 0);
	}
}

static void
killed_on_the_way_only_the_part_under_way_is_sent_again(void **state)
{
	struct room *room = *state;
	struct err err = { 0 };
	pid_t pid;

	room->plan.bandwidth = "200k";
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		_exit(offsite_send(&room->plan, &room->manifest, last(room), &err) < 0);
	}
	// One part is there, the second is on its way.
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"for i in $(seq 300); do test -e away/app/*.part-0001 && "
			"exit 0; sleep 0.05; done; exit 1"),
		0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(scratch_sh(room->at.scratch,
				 "sleep 0.2; stat -c '%%n %%i' away/app/*.part-0001 > "
				 "a; ls away/app | grep -q 'part-0003$' && exit 1; exit "
				 "0"),
		0);
	room->plan.bandwidth = NULL;
	manifest_close(&room->manifest);
	ok(manifest_open(room->at.dir, MANIFEST_WRITE, 1000, &room->manifest, &err));
	ok(offsite_send(&room->plan, &room->manifest, last(room), &err));
	assert_int_equal(scratch_sh(room->at.scratch,
				 "stat -c '%%n %%i' away/app/*.part-0001 | cmp - a && "
				 "test -z \"$(ls away/app | grep partial)\""),
		0);
}

static void
one_at_a_time_with_an_end_and_a_way_to_stop(void **state)
{
	struct room *room = *state;
	struct err err = { 0 };
	int64_t start = clock_mono_ms();

	room->plan.bandwidth = "10k";
	room->plan.timeout_ms = 1500;
	fails(offsite_send(&room->plan, &room->manifest, last(room), &err), ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 1500, 5000);
	assert_int_equal(scratch_sh(room->at.scratch,
				 "test -z \"$(ls away/app | grep 'part-....$')\""),
		0);
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"flock -n locks/offsite-*.lock sleep 3 & sleep 0.3; true"),
		0);
	fails(offsite_send(&room->plan, &room->manifest, last(room), &err), ERR_BUSY);
}

static int
stop_after_two_looks(const char *stage, int64_t done, int64_t total, void *payload)
{
	assert_non_null(stage);
	assert_true(done >= 0 && done <= total);
	return ++*(int *)payload > 2;
}

static void
a_cancel_is_heard_while_it_sends(void **state)
{
	struct room *room = *state;
	struct err err = { 0 };
	int looks = 0;

	room->plan.bandwidth = "10k";
	room->plan.progress = stop_after_two_looks;
	room->plan.payload = &looks;
	fails(offsite_send(&room->plan, &room->manifest, last(room), &err),
		ERR_CANCELLED);
}

static void
a_wrong_remote_is_refused_at_once(void **state)
{
	struct room *room = *state;
	static const char *const remotes[] = { "nowhere", "--config=x", "" };
	struct err err = { 0 };

	for (size_t i = 0; i < countof(remotes); i++) {
		room->plan.remote = remotes[i];
		fails(offsite_send(&room->plan, &room->manifest, last(room), &err),
			ERR_INVALID);
	}
	room->plan.remote = "nosuchremote:x";
	// Were it tried again, that would be later than this.
	room->plan.pause_ms = 3600000;
	room->plan.timeout_ms = 7200000;
	fails(offsite_send(&room->plan, &room->manifest, last(room), &err), ERR_REMOTE);
	assert_non_null(strstr(err.next, "rclone config show"));
}

static void
pruning_touches_only_what_the_list_names(void **state)
{
	struct room *room = *state;
	struct retain_policy one = { .hourly = 1 };
	struct err err = { 0 };
	int64_t later = clock_now_ms() + 60000;

	take(room, true);
	take(room, true);
	assert_int_equal(offsite_send_all(&room->plan, &room->manifest, &err), 3);
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"echo mine > away/app/2020-01-01T000000Z.sqlite.age; echo mine > "
			"away/app/notes.txt"),
		0);
	// Gone here, it is still known to be there.
	assert_int_equal(
		manifest_prune(&room->manifest, &one, later, false, NULL, NULL, &err), 2);
	assert_int_equal(room->manifest.nentries, 3);
	assert_int_equal(
		offsite_prune(&room->plan, &room->manifest, &one, later, true, &err), 2);
	assert_int_equal(
		offsite_prune(&room->plan, &room->manifest, &one, later, false, &err), 2);
	assert_int_equal(room->manifest.nentries, 1);
	assert_int_equal(
		scratch_sh(room->at.scratch,
			"cd away/app && test $(ls | grep -c index) = 1 && test -e "
			"notes.txt && test -e 2020-01-01T000000Z.sqlite.age"),
		0);
	assert_int_equal(
		offsite_verify(&room->plan, &room->manifest, last(room), true, &err), 1);
}

static void
what_the_remote_says_is_understood(void **state)
{
	static const struct {
		const char *text;
		enum offsite_class class;
	} cases[] = {
		{ "PUT failed: 503 Service Unavailable", OFFSITE_PASSING },
		{ "dial tcp: lookup x: no such host", OFFSITE_PASSING },
		{ "", OFFSITE_PASSING },
		{ "sent 1429 of 4034 bytes", OFFSITE_PASSING },
		{ "429 Too Many Requests", OFFSITE_SLOW_DOWN },
		{ "googleapi: Error 403: User Rate Limit Exceeded, userRateLimitExceeded",
			OFFSITE_SLOW_DOWN },
		{ "googleapi: Error 403: The user's Drive storage quota has been "
		  "exceeded, "
		  "storageQuotaExceeded",
			OFFSITE_FULL },
		{ "403 Forbidden", OFFSITE_REFUSED },
		{ "AccessDenied: Access Denied status code: 403", OFFSITE_REFUSED },
		{ "401 Unauthorized", OFFSITE_REFUSED },
		{ "404 Not Found", OFFSITE_MISSING },
		{ "NoSuchBucket", OFFSITE_MISSING },
		{ "507 Insufficient Storage", OFFSITE_FULL },
		{ "413 Request Entity Too Large", OFFSITE_FULL },
		{ "Failed to create file system for \"x:\": didn't find section in "
		  "config "
		  "file",
			OFFSITE_SETUP },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		if (offsite_classify(cases[i].text, strlen(cases[i].text)) !=
			cases[i].class) {
			fail_msg("%s", cases[i].text);
		}
	}
	for (int tries = 1; tries < 100; tries++) {
		assert_in_range(offsite_pause_ms(OFFSITE_PASSING, tries, 1000, 60000),
			1000, 60000);
		assert_true(offsite_pause_ms(OFFSITE_SLOW_DOWN, tries, 1000, 60000) >=
			offsite_pause_ms(OFFSITE_PASSING, tries, 1000, 60000));
	}
	assert_int_equal(offsite_pause_ms(OFFSITE_PASSING, 3, 1000, 60000), 4000);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_remote_says_is_understood),
		TEST(nothing_readable_ever_leaves_the_machine),
		TEST(what_is_sent_opens_without_us),
		TEST(a_lost_cut_or_changed_object_is_found_and_repaired),
		TEST(one_rclone_is_started_for_a_whole_job),
		TEST(it_comes_back_from_webdav_as_it_went),
		TEST(it_comes_back_from_sftp_as_it_went),
		TEST(what_passes_is_tried_again_and_what_does_not_ends_at_once),
		TEST(connections_that_break_cost_a_try_each),
		TEST(a_full_disk_at_the_remote_leaves_no_part),
		TEST(killed_on_the_way_only_the_part_under_way_is_sent_again),
		TEST(one_at_a_time_with_an_end_and_a_way_to_stop),
		TEST(a_cancel_is_heard_while_it_sends),
		TEST(a_wrong_remote_is_refused_at_once),
		TEST(pruning_touches_only_what_the_list_names),
	};

	// Both are optional on a build machine.
	if (system("rclone version >/dev/null 2>&1 && age --version >/dev/null 2>&1") !=
		0) {
		print_message("no rclone or age here: nothing to test with\n");
		return 0;
	}
	return cmocka_run_group_tests_name("vault/offsite", tests, NULL, NULL);
}
