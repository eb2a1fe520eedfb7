// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "brain/push_room.h"

#include <stdio.h>
#include <string.h>

// What servers say, as they say it: the reason decides what a person is told to do next.

static const struct {
	const char *said;
	enum push_reason reason;
} told[] = {
	// GitHub: rules of every kind have one number.
	{ "remote: error: GH013: Repository rule violations found for "
	  "refs/heads/host/x.\n"
	  "remote: - GITHUB PUSH PROTECTION\n"
	  "remote:     - Push cannot contain secrets\n"
	  "! [remote rejected] host/x -> host/x (push declined due to repository rule "
	  "violations)\n",
		PUSH_SECRET },
	{ "remote: error: GH013: Repository rule violations found for "
	  "refs/heads/host/x.\n"
	  "remote: Review all repository rules at https://host.invalid/rules\n"
	  "remote: - Changes must be made through a pull request.\n"
	  "! [remote rejected] host/x -> host/x (push declined due to repository rule "
	  "violations)\n",
		PUSH_PROTECTED },
	{ "! [remote rejected] host/x -> host/x (push declined due to repository rule "
	  "violations)\n",
		PUSH_PROTECTED },
	{ "remote: error: GH006: Protected branch update failed for refs/heads/host/x.\n"
	  "! [remote rejected] host/x -> host/x (protected branch hook declined)\n",
		PUSH_PROTECTED },
	{ "remote: error: GH001: Large files detected.\n"
	  "remote: error: File notes/a.bin is 120.00 MB; this exceeds GitHub's file size "
	  "limit of 100.00 MB\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_TOO_BIG },
	{ "remote: Permission to me/brain.git denied to somebody.\n"
	  "fatal: unable to access 'https://host.invalid/me/brain.git/': The requested "
	  "URL "
	  "returned error: 403\n",
		PUSH_AUTH },
	{ "ERROR: Permission to me/brain.git denied to deploy key\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_AUTH },
	{ "ERROR: The key you are authenticating with has been marked as read only.\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_PROTECTED },
	{ "ERROR: This repository was archived so it is read-only.\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_ARCHIVED },
	{ "remote: The 'mine' organization has enabled or enforced SAML SSO.\n"
	  "remote: To access this repository, visit https://host.invalid/sso and try "
	  "your "
	  "request again.\n"
	  "fatal: unable to access 'https://host.invalid/mine/brain/': The requested URL "
	  "returned error: 403\n",
		PUSH_SSO },
	{ "remote: The organization has an IP allow list enabled, and your IP address is "
	  "not permitted to access this resource.\n"
	  "fatal: unable to access 'https://host.invalid/mine/brain/': The requested URL "
	  "returned error: 403\n",
		PUSH_ADDRESS },
	{ "remote: Support for password authentication was removed on August 13, 2021.\n"
	  "fatal: Authentication failed for 'https://host.invalid/me/brain/'\n",
		PUSH_AUTH },
	{ "fatal: unable to access 'https://host.invalid/': The requested URL returned "
	  "error: 429\n",
		PUSH_BUSY },
	{ "fatal: unable to access 'https://host.invalid/': The requested URL returned "
	  "error: 503\n",
		PUSH_BUSY },
	{ "ERROR: Repository not found.\nfatal: Could not read from remote repository.\n",
		PUSH_NO_REPOSITORY },
	// GitLab.
	{ "remote: PUSH BLOCKED: Secrets detected in code changes\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_SECRET },
	{ "remote: GitLab: You are not allowed to force push code to a protected branch "
	  "on "
	  "this project.\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_PROTECTED },
	{ "remote: GitLab: You are not allowed to push code to this project.\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_PROTECTED },
	{ "remote: GitLab: The commit message does not follow the pattern\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_HOOK },
	{ "ERROR: You can't push code to an archived project.\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_ARCHIVED },
	{ "ERROR: The repository is temporarily read-only. Please try again later.\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_BUSY },
	{ "ERROR: You can't push code to a read-only GitLab instance.\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_BUSY },
	{ "ERROR: This deploy key does not have write access to this project.\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_PROTECTED },
	{ "ERROR: Your SSH key has expired.\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_EXPIRED },
	{ "remote: You are not allowed to upload code.\n"
	  "fatal: unable to access 'https://host.invalid/me/brain.git/': The requested "
	  "URL returned error: 403\n",
		PUSH_AUTH },
	// Git itself, when two pushes of one branch meet.
	{ "remote: error: cannot lock ref 'refs/heads/host/x': is at 1a2b but expected "
	  "3c4d\n"
	  "! [remote rejected] host/x -> host/x (failed to update ref)\n",
		PUSH_BUSY },
	// Gitea and Forgejo.
	{ "remote: This repo is archived. You can view files and clone it, but cannot "
	  "push.\n"
	  "fatal: unable to access 'https://host.invalid/me/brain.git/': The requested "
	  "URL returned error: 403\n",
		PUSH_ARCHIVED },
	{ "remote: Gitea: Not allowed to push to protected branch host/x\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_PROTECTED },
	{ "fatal: detected dubious ownership in repository at '/srv/brain.git'\n"
	  "To add an exception for this directory, call:\n\n"
	  "\tgit config --global --add safe.directory /srv/brain.git\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_OWNER },
	{ "Gitea: User permission denied for writing.\n"
	  "fatal: Could not read from remote repository.\n",
		PUSH_PROTECTED },
	// Bitbucket.
	{ "remote: Permission denied to update branch host/x.\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_PROTECTED },
	{ "remote: Branch refs/heads/host/x can only be modified through pull requests.\n"
	  "remote: Check your branch permissions configuration with the project "
	  "administrator.\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_PROTECTED },
	{ "remote: Repository is over the size limit (4 GB) and will not accept further "
	  "additions.\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_TOO_BIG },
	{ "remote: fatal: pack exceeds maximum allowed size\n"
	  "fatal: the remote end hung up unexpectedly\n",
		PUSH_TOO_BIG },
	// AWS CodeCommit.
	{ "fatal: unable to access 'https://host.invalid/v1/repos/brain/': Rate "
	  "Exceeded\n",
		PUSH_BUSY },
	// Azure DevOps.
	{ "! [remote rejected] host/x -> host/x (TF401027: You need the Git 'ForcePush' "
	  "permission to perform this action. Details: identity 'x', scope 'branch'.)\n",
		PUSH_PROTECTED },
	{ "! [remote rejected] host/x -> host/x (The Git pack file limit has been "
	  "reached, "
	  "write operations are temporarily unavailable while the repository is "
	  "updated.)\n",
		PUSH_BUSY },
	{ "! [remote rejected] host/x -> host/x (TF402455: Pushes to this branch are not "
	  "permitted; you must use a pull request to update this branch.)\n",
		PUSH_PROTECTED },
	{ "remote: TF401027: You need the Git 'GenericContribute' permission to perform "
	  "this "
	  "action.\n"
	  "fatal: unable to access 'https://host.invalid/_git/brain/': The requested URL "
	  "returned error: 403\n",
		PUSH_PROTECTED },
	{ "! [remote rejected] host/x -> host/x (VS403654: The push was rejected because "
	  "it "
	  "contains one or more secrets.)\n",
		PUSH_SECRET },
	{ "! [remote rejected] host/x -> host/x (TF402462: The push was rejected because "
	  "its "
	  "size is greater than the 5120 MB limit for pushes in this repository.)\n",
		PUSH_TOO_BIG },
	// Gerrit.
	{ "! [remote rejected] host/x -> host/x (prohibited by Gerrit: not permitted: "
	  "update)\n",
		PUSH_PROTECTED },
	{ "! [remote rejected] host/x -> host/x (prohibited by Gerrit: project state "
	  "does "
	  "not permit write)\n",
		PUSH_ARCHIVED },
	// gitolite.
	{ "remote: FATAL: W refs/heads/host/x brain me DENIED by fallthru\n"
	  "remote: error: hook declined to update refs/heads/host/x\n"
	  "! [remote rejected] host/x -> host/x (hook declined)\n",
		PUSH_PROTECTED },
	// Certificates, as OpenSSL, GnuTLS and curl say it.
	{ "fatal: unable to access 'https://host.invalid/': SSL certificate problem: "
	  "self-signed certificate\n",
		PUSH_CERTIFICATE },
	{ "fatal: unable to access 'https://host.invalid/': server certificate "
	  "verification "
	  "failed. CAfile: none CRLfile: none\n",
		PUSH_CERTIFICATE },
	{ "fatal: unable to access 'https://host.invalid/': SSL: no alternative "
	  "certificate "
	  "subject name matches target host name 'host.invalid'\n",
		PUSH_CERTIFICATE },
	// Git itself, and ssh.
	{ "! [rejected] host/x -> host/x (non-fast-forward)\n", PUSH_DIVERGED },
	{ "! [rejected] host/x -> host/x (fetch first)\n", PUSH_DIVERGED },
	{ "! [rejected] host/x -> host/x (stale info)\n", PUSH_DIVERGED },
	{ "git@host.invalid: Permission denied (publickey).\n", PUSH_AUTH },
	{ "Host key verification failed.\n", PUSH_HOST_KEY },
	{ "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n",
		PUSH_HOST_KEY },
	{ "ssh: Could not resolve hostname host.invalid: Name or service not known\n",
		PUSH_NO_HOST },
	{ "remote: my own words: certificate, timeout, rate limit, the day has expired\n"
	  "! [remote rejected] host/x -> host/x (pre-receive hook declined)\n",
		PUSH_HOOK },
	{ "error: something else\n", PUSH_OTHER },
};

static void
each_servers_words_have_their_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(told); i++) {
		enum push_reason reason = push_git_diagnose(told[i].said);

		if (reason != told[i].reason) {
			fail_msg("%s where it is %s:\n%s", push_reason_word(reason),
				push_reason_word(told[i].reason), told[i].said);
		}
	}
}

static void
assert_blamed(const char *words, const char *wanted)
{
	struct push_options options = { .git_dir = "/nonexistent" };
	struct push_result result = { .said = "what it said" };
	struct push push = { .options = &options, .result = &result };

	push_blame(&push, words);
	assert_string_equal(result.said, wanted);
}

static void
the_place_of_a_secret_is_found_in_each_servers_words(void **state)
{
	(void)state;
	assert_blamed(
		"remote:       —— A Token ——\n"
		"remote:        locations:\n"
		"remote:          - commit: 5477a7dd26384ed3c8b3814ee677f755ad27a597\n"
		"remote:            path: notes/a b.md:34\n",
		"notes/a b.md / what it said");
	assert_blamed(
		"remote: Secret push protection found the following secrets in commit: "
		"37e54de5e78c31d9e3c3821fd15f7069e3d375b6\n"
		"remote:\n"
		"remote: -- notes/a.md:2 A Personal Access Token\n"
		"remote: -- notes/b c.md:7 | Another\n",
		"notes/a.md, notes/b c.md / what it said");
	assert_blamed("remote: -- notes/12:30 o'clock.md:5 A Token\n",
		"notes/12:30 o'clock.md / what it said");
	assert_blamed("remote: -- notes/plain\n", "notes/plain / what it said");
	assert_blamed("remote: nothing of places\n", "what it said");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_servers_words_have_their_reason),
		cmocka_unit_test(the_place_of_a_secret_is_found_in_each_servers_words),
	};

	return cmocka_run_group_tests_name("brain/push_words", tests, NULL, NULL);
}
