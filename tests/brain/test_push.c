// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/push.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "room.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	DEADLINE_MS = 20000,
};

// A brain with one commit, an empty bare remote, and a plan to bring one to the other.
struct scene {
	struct repo *repo;
	struct oid head;
	char remote[400];
	char git_dir[400];
	struct push_options options;
};

static struct scene
set_scene(const struct scratch *scratch)
{
	struct scene scene = { .repo = room_open(scratch, false) };

	scene.head =
		room_commit(scene.repo, NULL, (struct room_file[]){ { "a", "1" } }, 1);
	assert_int_equal(scratch_sh(scratch,
				 "export HOME=/nonexistent; git init -q --bare "
				 "remote.git; rm -f remote.git/hooks/*"),
		0);
	(void)snprintf(
		scene.git_dir, sizeof(scene.git_dir), "%s", repo_git_dir(scene.repo));
	return scene;
}

static struct push_options
plan(struct scene *scene, const char *remote)
{
	(void)snprintf(scene->remote, sizeof(scene->remote), "%s", remote);
	return (struct push_options){
		.git_dir = scene->git_dir,
		.remote = scene->remote,
		.branch = "host/x",
		.commit = scene->head,
		.deadline_ms = DEADLINE_MS,
	};
}

static void
write_hook(const struct scratch *scratch, const char *name, const char *text)
{
	char path[100];

	(void)snprintf(path, sizeof(path), "remote.git/hooks/%s", name);
	scratch_write_text(scratch, path, text);
	assert_int_equal(scratch_sh(scratch, "chmod 755 %s", path), 0);
}

static void
a_push_arrives_and_is_seen_to(void **state)
{
	struct scene scene = set_scene(*state);
	char url[300];
	struct push_result result;
	struct err err;

	(void)snprintf(url, sizeof(url), "file://%s", scratch_path(*state, "remote.git"));
	struct push_options options = plan(&scene, url);
	ok(push_run(&options, &result, &err));
	assert_int_equal(result.reason, PUSH_OK);
	assert_true(result.sent);
	assert_true(oid_equal(&result.remote, &scene.head));
	char hex[OID_HEX_MAX];
	assert_int_equal(scratch_sh(*state,
				 "cd remote.git && test $(git rev-parse host/x) = %s "
				 "&& git fsck --strict",
				 oid_hex(&scene.head, hex)),
		0);
	// A second time there is nothing to send.
	options.last_seen = scene.head;
	ok(push_run(&options, &result, &err));
	assert_false(result.sent);
	assert_int_equal(push_look(&options, &result, &err), 1);
	options.branch = "host/none";
	assert_int_equal(push_look(&options, &result, &err), 0);
	repo_close(scene.repo);
}

static void
a_hook_that_declines_is_a_failure_with_its_words(void **state)
{
	struct scene scene = set_scene(*state);
	struct push_options options = plan(&scene, scratch_path(*state, "remote.git"));
	struct push_result result;
	struct err err;

	write_hook(*state, "pre-receive",
		"#!/bin/sh\necho 'permission denied: \033[31mread the wiki'; exit 1\n");
	fails(push_run(&options, &result, &err), ERR_REMOTE);
	assert_int_equal(result.reason, PUSH_HOOK);
	assert_non_null(strstr(result.said, "read the wiki"));
	assert_null(strchr(result.said, '\033'));
	assert_string_not_equal(err.next, "");
	write_hook(*state, "pre-receive",
		"#!/bin/sh\necho 'GH013: Repository rule violations found'\n"
		"echo 'Push cannot contain secrets'; exit 1\n");
	fails(push_run(&options, &result, &err), ERR_REMOTE);
	assert_int_equal(result.reason, PUSH_SECRET);
	write_hook(*state, "pre-receive",
		"#!/bin/sh\necho 'GH001: Large files detected.'; exit 1\n");
	fails(push_run(&options, &result, &err), ERR_REMOTE);
	assert_int_equal(result.reason, PUSH_TOO_BIG);
	repo_close(scene.repo);
}

// What it says of where comes first, as our own repository knows it.
static void
push_protection_is_told_with_the_path_and_the_blob(void **state)
{
	static const char *const rows[] = {
		// A server that names commit and path, one that names the blob, one in
		// prose.
		"echo '     —— A Cloud Access Key ——'; echo '      locations:'\n"
		"echo \"        - commit: $new\"; echo '          path: "
		"notes/key.txt:3'\n",
		"echo '      locations:'\n"
		"echo \"        - blob id: $(git rev-parse $new:notes/key.txt)\"\n",
		"echo 'PUSH BLOCKED: Secrets detected in code changes'\n"
		"echo \"found the following secrets in commit: $new\"\n"
		"echo '-- notes/key.txt:3 | A Cloud Access Key'\n",
	};
	struct scene scene = set_scene(*state);
	struct push_options options = plan(&scene, scratch_path(*state, "remote.git"));
	struct push_result result;
	char wanted[100];
	struct err err;

	scene.head = room_commit(scene.repo, &scene.head,
		(struct room_file[]){ { "notes/key.txt", "1\n2\nthe key" } }, 1);
	options.commit = scene.head;
	assert_int_equal(room_git(*state, "rev-parse HEAD:notes/key.txt > ../blob"), 0);
	AUTO_FREE char *blob = scratch_read(*state, "blob", NULL);
	(void)snprintf(wanted, sizeof(wanted), "notes/key.txt (blob %.12s) / ", blob);
	for (size_t i = 0; i < countof(rows); i++) {
		AUTO_FREE char *hook = xasprintf("#!/bin/sh\nread old new ref\n"
						 "echo 'error: GH013: rule violations'\n"
						 "echo '- Push cannot contain secrets'\n"
						 "%sexit 1\n",
			rows[i]);

		write_hook(*state, "pre-receive", hook);
		fails(push_run(&options, &result, &err), ERR_REMOTE);
		assert_int_equal(result.reason, PUSH_SECRET);
		if (strncmp(result.said, wanted, strlen(wanted)) != 0) {
			fail_msg("row %zu said: %s", i, result.said);
		}
		assert_non_null(strstr(err.msg, "notes/key.txt"));
	}
	repo_close(scene.repo);
}

// The exit code of git is 0 here: only looking again tells.
static void
a_remote_that_takes_a_push_and_drops_it_is_caught(void **state)
{
	struct scene scene = set_scene(*state);
	struct push_options options = plan(&scene, scratch_path(*state, "remote.git"));
	struct push_result result;
	struct err err;

	write_hook(*state, "post-receive",
		"#!/bin/sh\ngit update-ref -d refs/heads/host/x\n");
	fails(push_run(&options, &result, &err), ERR_REMOTE);
	assert_int_equal(result.reason, PUSH_UNVERIFIED);
	repo_close(scene.repo);
}

static void
a_branch_with_foreign_commits_is_never_overwritten(void **state)
{
	struct scene scene = set_scene(*state);
	struct push_options options = plan(&scene, scratch_path(*state, "remote.git"));
	struct push_result result;
	struct err err;

	assert_int_equal(
		scratch_sh(*state,
			"export HOME=/nonexistent; cd remote.git; t=$(git mktree "
			"</dev/null); "
			"c=$(git -c user.name=y -c user.email=y commit-tree -m y $t); "
			"git update-ref refs/heads/host/x $c; git rev-parse host/x > "
			"../before"),
		0);
	fails(push_run(&options, &result, &err), ERR_REMOTE);
	assert_int_equal(result.reason, PUSH_DIVERGED);
	assert_int_equal(scratch_sh(*state,
				 "cd remote.git; git rev-parse host/x | cmp - ../before"),
		0);
	repo_close(scene.repo);
}

static void
a_deleted_branch_is_told_and_made_again_only_when_asked(void **state)
{
	struct scene scene = set_scene(*state);
	struct push_options options = plan(&scene, scratch_path(*state, "remote.git"));
	struct push_result result;
	struct err err;

	ok(push_run(&options, &result, &err));
	assert_int_equal(
		scratch_sh(*state, "cd remote.git; git update-ref -d refs/heads/host/x"),
		0);
	options.last_seen = scene.head;
	fails(push_run(&options, &result, &err), ERR_REMOTE);
	assert_int_equal(result.reason, PUSH_GONE);
	options.recreate = true;
	ok(push_run(&options, &result, &err));
	repo_close(scene.repo);
}

static void
each_way_to_be_unreachable_has_its_reason(void **state)
{
	static const struct {
		const char *url;
		enum push_reason reason;
		const char *next;
	} rows[] = {
		{ "file:///no/such/repository", PUSH_NO_REPOSITORY, "remote set URL" },
		{ "http://127.0.0.1:1/x.git", PUSH_REFUSED, "mirror remote test" },
		{ "ssh://127.0.0.1:1/x.git", PUSH_REFUSED, "mirror remote test" },
		{ "http://me:pw@no-such-host.invalid/x.git", PUSH_NO_HOST,
			"getent hosts no-such-host.invalid" },
		{ "ssh://git@no-such-host.invalid:22/x.git", PUSH_NO_HOST,
			"getent hosts no-such-host.invalid" },
		{ "git@no-such-host.invalid:x.git", PUSH_NO_HOST,
			"getent hosts no-such-host.invalid" },
	};
	struct scene scene = set_scene(*state);
	struct push_result result;
	struct err err;

	for (size_t i = 0; i < countof(rows); i++) {
		struct push_options options = plan(&scene, rows[i].url);

		fails(push_run(&options, &result, &err), ERR_REMOTE);
		if (result.reason != rows[i].reason) {
			fail_msg("%s gave %s: %s", rows[i].url,
				push_reason_word(result.reason), result.said);
		}
		if (strstr(err.next, rows[i].next) == NULL) {
			fail_msg("%s advises: %s", rows[i].url, err.next);
		}
	}
	struct push_options bad = plan(&scene, "--upload-pack=touch /tmp/x");
	fails(push_run(&bad, &result, &err), ERR_INVALID);
	repo_close(scene.repo);
}

// It takes the connection and says nothing.
static int
silent_server(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)address, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

static void
a_silent_server_ends_at_the_deadline(void **state)
{
	struct scene scene = set_scene(*state);
	struct sockaddr_in address;
	AUTO_CLOSE int fd UNUSED = silent_server(&address);
	struct push_result result;
	struct err err;
	static const char *const schemes[] = { "git", "ssh" };

	for (size_t i = 0; i < countof(schemes); i++) {
		char url[100];
		int64_t start = clock_mono_ms();

		(void)snprintf(url, sizeof(url), "%s://127.0.0.1:%d/x.git", schemes[i],
			ntohs(address.sin_port));
		struct push_options options = plan(&scene, url);
		options.deadline_ms = 700;
		fails(push_run(&options, &result, &err), ERR_TIMEOUT);
		assert_int_equal(result.reason, PUSH_TIMEOUT);
		assert_true(clock_mono_ms() - start < 4000);
	}
	repo_close(scene.repo);
}

static void
how_far_it_is_is_read_from_gits_own_words(void **state)
{
	static const struct {
		const char *line;
		const char *what;
		uint64_t done;
		uint64_t total;
	} rows[] = {
		{ "Writing objects:  45% (45/100), 1.20 MiB | 3.00 MiB/s",
			"writing objects", 45, 100 },
		{ "remote: Resolving deltas: 100% (7/7), done.", "resolving deltas", 7,
			7 },
		{ "Counting objects: 12, done.", "", 0, 0 },
		{ "remote: a hook: 10% (more", "", 0, 0 },
		{ "To https://host/x.git", "", 0, 0 },
		{ NULL, "", 0, 0 },
	};
	struct push_progress progress;

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		push_progress(rows[i].line,
			rows[i].line != NULL ? strlen(rows[i].line) : 0, &progress);
		assert_string_equal(progress.what, rows[i].what);
		assert_int_equal(progress.done, rows[i].done);
		assert_int_equal(progress.total, rows[i].total);
	}
	// A number that is cut is no number.
	push_progress("Writing objects:  45% (45/100), x", 27, &progress);
	assert_string_equal(progress.what, "");
}

static int
cancel_at_once(const char *line, size_t len, bool is_stderr, void *payload)
{
	(void)line;
	(void)len;
	(void)is_stderr;
	(void)payload;
	return 1;
}

static void
a_push_can_be_cancelled(void **state)
{
	struct scene scene = set_scene(*state);
	struct sockaddr_in address;
	AUTO_CLOSE int fd UNUSED = silent_server(&address);
	struct push_result result;
	struct err err;
	char url[100];

	(void)snprintf(
		url, sizeof(url), "git://127.0.0.1:%d/x.git", ntohs(address.sin_port));
	struct push_options options = plan(&scene, url);
	options.on_line = cancel_at_once;
	fails(push_run(&options, &result, &err), ERR_CANCELLED);
	assert_int_equal(result.reason, PUSH_CANCELLED);
	repo_close(scene.repo);
}

// ---- secrets in the URL

static void
no_password_is_shown(void **state)
{
	static const char *const rows[][2] = {
		{ "https://me:s3cret@host/x.git", "https://***@host/x.git" },
		{ "https://t0ken@host/x.git", "https://***@host/x.git" },
		{ "https://me:a@b@host/x", "https://***@host/x" },
		{ "ssh://git@host/x", "ssh://git@host/x" },
		{ "ssh://git:pw@host/x", "ssh://git:***@host/x" },
		{ "git@host:x.git", "git@host:x.git" },
		{ "/a/path@x", "/a/path@x" },
		{ "file:///a/b@c", "file:///a/b@c" },
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		AUTO_FREE char *shown = push_mask(rows[i][0]);

		assert_string_equal(shown, rows[i][1]);
	}
}

// A git that writes down how it was called and what the helper answers stands in PATH
// before the real one.
static void
a_password_reaches_gits_helper_and_no_argument(void **state)
{
	struct scene scene = set_scene(*state);
	char *old_path = xstrdup(getenv("PATH"));
	struct push_result result;
	struct err err;

	scratch_write_text(*state, "bin/git",
		"#!/bin/sh\n"
		"echo \"$@\" >> \"$NOTES/argv\"\n"
		"case \"$*\" in *ls-remote*|*push*) ;; *) exec \"$REAL\" \"$@\";; esac\n"
		"printf 'protocol=https\\nhost=h\\n\\n' | \"$REAL\" credential fill > "
		"\"$NOTES/answer\" 2>&1\n"
		"echo \"fatal: unable to access https://me:p%40ss@h/: it was p@ss\" >&2\n"
		"exit 128\n");
	assert_int_equal(
		scratch_sh(*state, "chmod 755 bin/git; command -v git > real"), 0);
	char *real = scratch_read(*state, "real", NULL);
	real[strcspn(real, "\n")] = '\0';
	AUTO_FREE char *path = xasprintf("%s:%s", scratch_path(*state, "bin"), old_path);
	(void)setenv("REAL", real, 1);
	(void)setenv("NOTES", scratch_path(*state, "."), 1);
	(void)setenv("PATH", path, 1);
	struct push_options options = plan(&scene, "https://me:p%40ss@h/x.git");
	fails(push_run(&options, &result, &err), ERR_REMOTE);
	(void)setenv("PATH", old_path, 1);
	assert_null(strstr(result.said, "p@ss"));
	assert_null(strstr(result.said, "p%40ss"));
	assert_null(strstr(err.msg, "p@ss"));
	assert_null(strstr(err.msg, "p%40ss"));
	assert_int_equal(scratch_sh(*state, "! grep -q 'ss@\\|p@ss\\|p%%40' argv"), 0);
	assert_int_equal(scratch_sh(*state,
				 "grep -qx username=me answer && "
				 "grep -qx password=p@ss answer"),
		0);
	free(old_path);
	free(real);
	repo_close(scene.repo);
}

static void
without_git_the_reason_says_so(void **state)
{
	struct scene scene = set_scene(*state);
	char *old_path = xstrdup(getenv("PATH"));
	struct push_options options = plan(&scene, scratch_path(*state, "remote.git"));
	struct push_result result;
	struct err err;

	(void)setenv("PATH", "/nonexistent", 1);
	fails(push_run(&options, &result, &err), ERR_NOT_FOUND);
	assert_int_equal(result.reason, PUSH_NO_GIT);
	(void)setenv("PATH", old_path, 1);
	free(old_path);
	repo_close(scene.repo);
}

// ---- a real sshd, on loopback, with keys of its own

static bool
start_sshd(const struct scratch *scratch, char url[300])
{
	struct sockaddr_in address;
	int fd = silent_server(&address);
	int port = ntohs(address.sin_port);

	(void)close(fd);
	// It lets in whoever it runs as.
	if (scratch_sh(scratch, "test -x /usr/sbin/sshd && id -un > user") != 0) {
		return false;
	}
	AUTO_FREE char *user = scratch_read(scratch, "user", NULL);
	(void)snprintf(url, 300, "ssh://%.*s@127.0.0.1:%d%s", (int)strcspn(user, "\n"),
		user, port, scratch_path(scratch, "remote.git"));
	return scratch_sh(scratch,
		       "test $(id -u) != 0 || mkdir -p -m 755 /run/sshd\n"
		       "ssh-keygen -q -t ed25519 -N '' -f host_key\n"
		       "ssh-keygen -q -t ed25519 -N '' -f good_key\n"
		       "ssh-keygen -q -t ed25519 -N '' -f bad_key\n"
		       "cat > sshd_config <<end\n"
		       "Port %d\nListenAddress 127.0.0.1\nHostKey $PWD/host_key\n"
		       "AuthorizedKeysFile $PWD/good_key.pub\nPidFile $PWD/sshd.pid\n"
		       "PasswordAuthentication no\nStrictModes no\nUsePAM no\n"
		       "PermitRootLogin yes\nend\n"
		       "printf '[127.0.0.1]:%d ' > known; cat host_key.pub >> known\n"
		       "printf '[127.0.0.1]:%d ' > wrong; cat bad_key.pub >> wrong\n"
		       "/usr/sbin/sshd -f $PWD/sshd_config -E sshd.log || exit 1\n"
		       "for i in 1 2 3 4 5 6 7 8 9; do test -s sshd.pid && exit 0; "
		       "sleep 0.1; done; exit 1",
		       port, port, port) == 0;
}

static void
use_ssh(const struct scratch *scratch, const char *key, const char *known)
{
	AUTO_FREE char *command = xasprintf(
		"ssh -F /dev/null -oBatchMode=yes -oIdentitiesOnly=yes "
		"-oIdentityAgent=none "
		"-i %s -oUserKnownHostsFile=%s -oGlobalKnownHostsFile=/dev/null",
		scratch_path(scratch, key), scratch_path(scratch, known));

	(void)setenv("GIT_SSH_COMMAND", command, 1);
}

static void
ssh_works_and_its_refusals_are_told_apart(void **state)
{
	struct scene scene = set_scene(*state);
	char url[300];
	struct push_result result;
	struct err err;

	if (!start_sshd(*state, url)) {
		repo_close(scene.repo);
		skip();
	}
	struct push_options options = plan(&scene, url);
	use_ssh(*state, "bad_key", "known");
	(void)!push_run(&options, &result, &err);
	enum push_reason auth = result.reason;
	AUTO_FREE char *auth_next = xstrdup(err.next);
	use_ssh(*state, "good_key", "wrong");
	(void)!push_run(&options, &result, &err);
	enum push_reason host_key = result.reason;
	use_ssh(*state, "good_key", "unknown");
	(void)!push_run(&options, &result, &err);
	enum push_reason unknown = result.reason;
	AUTO_FREE char *unknown_next = xstrdup(err.next);
	use_ssh(*state, "good_key", "known");
	int pushed = push_run(&options, &result, &err);
	(void)strcat(url, "-none");
	struct push_options none = plan(&scene, url);
	struct push_result missing;
	struct err ignored;
	(void)!push_run(&none, &missing, &ignored);
	(void)unsetenv("GIT_SSH_COMMAND");
	assert_int_equal(scratch_sh(*state,
				 "kill $(cat sshd.pid); while test -e sshd.pid; do sleep "
				 "0.05; done"),
		0);
	assert_int_equal(auth, PUSH_AUTH);
	assert_int_equal(host_key, PUSH_HOST_KEY);
	assert_int_equal(unknown, PUSH_HOST_KEY);
	// What to type is told with user and port.
	assert_non_null(strstr(auth_next, "public key at the remote, then: ssh -p "));
	assert_non_null(strstr(unknown_next, "by hand: ssh -p "));
	AUTO_FREE char *user = scratch_read(*state, "user", NULL);
	user[strcspn(user, "\n")] = '\0';
	AUTO_FREE char *login = xasprintf(" -T %s@127.0.0.1", user);
	assert_non_null(strstr(unknown_next, login));
	ok(pushed);
	assert_int_equal(missing.reason, PUSH_NO_REPOSITORY);
	repo_close(scene.repo);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(a_push_arrives_and_is_seen_to),
		room(a_hook_that_declines_is_a_failure_with_its_words),
		room(push_protection_is_told_with_the_path_and_the_blob),
		room(a_remote_that_takes_a_push_and_drops_it_is_caught),
		room(a_branch_with_foreign_commits_is_never_overwritten),
		room(a_deleted_branch_is_told_and_made_again_only_when_asked),
		room(each_way_to_be_unreachable_has_its_reason),
		room(a_silent_server_ends_at_the_deadline),
		room(a_push_can_be_cancelled),
		cmocka_unit_test(how_far_it_is_is_read_from_gits_own_words),
		cmocka_unit_test(no_password_is_shown),
		room(a_password_reaches_gits_helper_and_no_argument),
		room(without_git_the_reason_says_so),
		room(ssh_works_and_its_refusals_are_told_apart),
	};

	return cmocka_run_group_tests_name("brain/push", tests, NULL, NULL);
}
