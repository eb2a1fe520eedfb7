// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/verbs.h"

#include "base/suggest.h"
#include "cli/flags.h"
#include "cli/handlers.h"

#include <stdio.h>
#include <string.h>

enum {
	MANY = 10000
};

// clang-format off
const struct flag common_flags[] = {
	{ "config", 'c', "FILE", NULL, "the configuration; else $MIRROR_CONFIG, else the user's own" },
	{ "json", 0, NULL, NULL, "the result as JSON" },
	{ "quiet", 'q', NULL, NULL, "no messages but errors" },
	{ "verbose", 'v', NULL, NULL, "more messages, and where in the program a failure was" },
	{ "no-input", 0, NULL, NULL, "ask nothing" },
	{ "no-color", 0, NULL, NULL, "no colour; so does NO_COLOR" },
	{ "help", 'h', NULL, NULL, "this text" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag change_flags[] = {
	{ "dry-run", 'n', NULL, NULL, "show what would be done, change nothing" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag remote_flags[] = {
	{ "socket", 0, "PATH", NULL, "ask the agent that listens on this Unix socket" },
	{ "url", 0, "URL", NULL, "ask the agent at http://HOST:PORT, with the token of $MIRROR_TOKEN" },
	{ "token-file", 0, "FILE", NULL, "with --url: the token is the last word of this file" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct verb verbs[] = {
	{
		.name = "init",
		.usage = "PATH... | --detect [PATH...] | --from URL --host NAME [NAME=PATH...]",
		.text = "begin: show the plan, write the configuration, make a first cycle",
		.more = "Each PATH is a folder to keep.  First the plan: what would be mirrored, which\n"
			"secrets are cut out, what is left out and why, and whether the remote answers\n"
			"and may be written to.  On a terminal it then asks, step by step, and ends\n"
			"with a restore that proves it; with --yes it does only what was said.  An\n"
			"existing configuration is never overwritten.\n"
			"\n"
			"--detect looks in your home: memories of agents (transcripts of the last 30\n"
			"days), Obsidian vaults, folders of notes, dotfiles, small folders of ~/.config.\n"
			"What it saw and did not take is told with the reason.\n"
			"\n"
			"With --from a machine that was lost goes on here: its files are restored, its\n"
			"branch and name are taken over.  Each folder comes back below --to, or where\n"
			"NAME=PATH says.  Nothing that stands there is replaced; after a failure the\n"
			"same command goes on.  Should the old machine come back, it is refused.",
		.flags = init_flags,
		.run = verb_init,
		.group = VERB_SETUP,
		.traits = VERB_CHANGES,
		.most = MANY,
	},
	{
		.name = "add",
		.usage = "PATH",
		.text = "watch one folder more",
		.flags = add_flags,
		.run = verb_add,
		.group = VERB_SETUP,
		.traits = VERB_CHANGES,
		.least = 1,
		.most = 1,
	},
	{
		.name = "remove",
		.usage = "PATH|NAME",
		.text = "watch a folder no longer; what was kept of it stays in the history",
		.run = verb_remove,
		.group = VERB_SETUP,
		.traits = VERB_CHANGES,
		.least = 1,
		.most = 1,
	},
	{
		.name = "remote set",
		.usage = "URL|none",
		.text = "where the branch is pushed",
		.run = verb_remote_set,
		.group = VERB_SETUP,
		.traits = VERB_CHANGES,
		.least = 1,
		.most = 1,
	},
	{
		.name = "remote test",
		.usage = "",
		.text = "does the remote answer, and what does it have?",
		.run = verb_remote_test,
		.group = VERB_SETUP,
	},
	{
		.name = "service install",
		.usage = "",
		.text = "start the agent now and with the machine (systemd)",
		.more = "Writes the packaged unit for your own systemd, with this program and this\n"
			"configuration, and lets it run while you are not logged in; with -n it is only\n"
			"shown.  For a whole machine there is a system service: see the how-to.",
		.flags = service_flags,
		.run = verb_service_install,
		.group = VERB_SETUP,
		.traits = VERB_CHANGES,
	},
	{
		.name = "service remove",
		.usage = "",
		.text = "stop the agent and take the unit away",
		.run = verb_service_remove,
		.group = VERB_SETUP,
		.traits = VERB_CHANGES,
	},
	{
		.name = "uninstall",
		.usage = "",
		.text = "stop and take the service away; every file is kept, and it says where",
		.run = verb_uninstall,
		.group = VERB_SETUP,
		.traits = VERB_CHANGES,
	},
	{
		.name = "run",
		.usage = "",
		.text = "watch and keep, until it is told to stop; --once is one cycle by hand",
		.more = "Runs in the foreground; a service manager is told when it is ready.\n"
			"\n"
			"With --once one full cycle is made, here or by the agent that runs: one that\n"
			"began after this was asked.  Exit status: 0 nothing is pending or failed, 1\n"
			"some files are, 2 the cycle failed.",
		.flags = run_flags,
		.run = verb_run,
		.group = VERB_RUN,
		.traits = VERB_CHANGES | VERB_REMOTE,
		.alias = "once",
	},
	{
		.name = "pause",
		.usage = "DURATION",
		.text = "do nothing for a while (30m, 2h); a pause always ends",
		.flags = reason_flags,
		.run = verb_pause,
		.group = VERB_RUN,
		.traits = VERB_CHANGES | VERB_REMOTE,
		.least = 1,
		.most = 1,
	},
	{
		.name = "resume",
		.usage = "",
		.text = "end a pause now",
		.run = verb_resume,
		.group = VERB_RUN,
		.traits = VERB_CHANGES | VERB_REMOTE,
	},
	{
		.name = "cancel",
		.usage = "",
		.text = "ask what is under way to stop at its next safe point",
		.run = verb_cancel,
		.group = VERB_RUN,
		.traits = VERB_CHANGES | VERB_REMOTE,
	},
	{
		.name = "accept",
		.usage = "[FACT]",
		.text = "a condition that `health` tells is known and fine",
		.more = "Without FACT every condition that can be accepted is.  Only what is so now is\n"
			"accepted: when it gets worse it is told again.",
		.flags = accept_flags,
		.run = verb_accept,
		.group = VERB_RUN,
		.traits = VERB_CHANGES,
		.most = 1,
	},
	{
		.name = "milestone",
		.usage = "NAME",
		.text = "an annotated tag on everything as it is now, here and at the remote",
		.flags = milestone_flags,
		.run = verb_milestone,
		.group = VERB_RUN,
		.traits = VERB_CHANGES,
		.least = 1,
		.most = 1,
	},
	{
		.name = "status",
		.usage = "",
		.text = "what is running, what is next, how many files are safe",
		.more = "Asks the agent of this machine, and reads the state itself when that does not answer\n"
			"at once: `source` in the JSON says which.",
		.flags = status_flags,
		.run = verb_status,
		.group = VERB_SEE,
		.traits = VERB_REMOTE,
	},
	{
		.name = "web",
		.usage = "",
		.text = "open the status page in a browser, by a one-time link",
		.more = "The page is that of the agent when it runs with [api] http.  Without, this command\n"
			"serves the page itself, on a port of its own, for as long as it runs.\n"
			"\n"
			"From another machine: ssh -L 7117:127.0.0.1:7117 HOST, then open the link here.",
		.flags = web_flags,
		.run = verb_web,
		.group = VERB_SEE,
		.traits = VERB_REMOTE,
	},
	{
		.name = "health",
		.usage = "",
		.text = "the probe: is everything as it should be?",
		.more = "Exit status: 0 healthy, 1 degraded (act this week), 2 failed (act now), 3\n"
			"unknown.  It changes nothing and does not ask the agent.",
		.flags = health_flags,
		.run = verb_health,
		.group = VERB_SEE,
		.traits = VERB_REMOTE,
		.alias = "healthcheck",
	},
	{
		.name = "why",
		.usage = "PATH",
		.text = "what became of a file, why, and what to do",
		.more = "PATH is one on the disk, or NAME/REST as in the ledger.",
		.run = verb_why,
		.group = VERB_SEE,
		.least = 1,
		.most = 1,
	},
	{
		.name = "ledger",
		.usage = "[PATH]",
		.text = "every path, its state and the reason",
		.more = "With --json one object a line.",
		.flags = ledger_flags,
		.run = verb_ledger,
		.group = VERB_SEE,
		.most = 1,
	},
	{
		.name = "machines",
		.usage = "",
		.text = "who writes to the same brain, how they are, and when they were last heard of",
		.more = "Each machine writes one branch, host/NAME, and beside it a heartbeat.  A machine\n"
			"not heard of for two days is SILENT, and `health` of the others says so.",
		.flags = machines_flags,
		.run = verb_machines,
		.group = VERB_SEE,
		.traits = VERB_CHANGES,
	},
	{
		.name = "today",
		.usage = "",
		.text = "what was kept since midnight",
		.flags = today_flags,
		.run = verb_today,
		.group = VERB_SEE,
	},
	{
		.name = "log",
		.usage = "[PATH]",
		.text = "the commits, newest first",
		.flags = log_flags,
		.run = verb_log,
		.group = VERB_SEE,
		.most = 1,
	},
	{
		.name = "diff",
		.usage = "[FROM [TO]]",
		.text = "which paths differ between two commits; the last one alone unless named",
		.run = verb_diff,
		.group = VERB_SEE,
		.most = 2,
	},
	{
		.name = "secrets list",
		.usage = "",
		.text = "files that secrets were cut out of, and what is allowed",
		.run = verb_secrets_list,
		.group = VERB_SECRETS,
	},
	{
		.name = "secrets allow",
		.usage = "FINGERPRINT",
		.text = "this value is no secret, wherever it stands",
		.flags = reason_flags,
		.run = verb_secrets_allow,
		.group = VERB_SECRETS,
		.traits = VERB_CHANGES,
		.least = 1,
		.most = 1,
	},
	{
		.name = "secrets deny",
		.usage = "FINGERPRINT",
		.text = "take that back",
		.run = verb_secrets_deny,
		.group = VERB_SECRETS,
		.traits = VERB_CHANGES,
		.least = 1,
		.most = 1,
	},
	{
		.name = "secrets history",
		.usage = "[FINGERPRINT...]",
		.text = "was it ever committed, since when, and does the remote have it?",
		.more = "Every version of every file is read with the rules of today: of each commit that\n"
			"this machine's branch, another branch here or a tag leads to, by any parent; and\n"
			"the messages.  Without a FINGERPRINT or --value everything that is found is told.\n"
			"\n"
			"What a file's name makes a secret (db_password) is also found in what the file was\n"
			"called before, and in every other one, once it was cut out of one.\n"
			"\n"
			"Exit status: 0 nothing found, 1 something found.",
		.flags = history_flags,
		.run = verb_secrets_history,
		.group = VERB_SECRETS,
		.most = MANY,
	},
	{
		.name = "secrets purge",
		.usage = "[FINGERPRINT...]",
		.text = "write this machine's branch anew without it, here and at the remote",
		.more = "The first use only looks, and gives a word; the same command with --confirm and\n"
			"that word does it, as long as nothing changed meanwhile.  The newest commit must\n"
			"be free of it already.  Times and messages stay; commit ids change from the\n"
			"first commit on that held it, and milestones follow.\n"
			"\n"
			"An agent at work goes on beside a look; with --confirm it stands still until\n"
			"the history is written, and goes on by itself.\n"
			"\n"
			"Exit status: 0 it is gone, here and at the remote; 1 it is told what still has it.",
		.flags = purge_flags,
		.run = verb_secrets_purge,
		.group = VERB_SECRETS,
		.traits = VERB_CHANGES,
		.most = MANY,
	},
	{
		.name = "key new",
		.usage = "",
		.text = "make a recovery key: with it, and nothing else, what is sealed is opened",
		.more = "The public half stays with the repository.  The private half is written to a new\n"
			"file, mode 0600, for you to take off this machine; it is never shown, kept or\n"
			"overwritten.  With action = \"seal\" under [secrets] each secret is still cut out\n"
			"of what is committed, and its original is kept encrypted beside it.",
		.flags = key_new_flags,
		.run = verb_key_new,
		.group = VERB_SECRETS,
		.traits = VERB_CHANGES,
	},
	{
		.name = "key show",
		.usage = "",
		.text = "the public half of the recovery key",
		.run = verb_key_show,
		.group = VERB_SECRETS,
	},
	{
		.name = "key test",
		.usage = "--key FILE",
		.text = "does this file open what is sealed here?",
		.flags = key_test_flags,
		.run = verb_key_test,
		.group = VERB_SECRETS,
	},
	{
		.name = "restore",
		.usage = "PATH...",
		.text = "bring files back",
		.more = "PATH is a path on the disk, or <name>/... as in the ledger.  What would come\n"
			"back is shown first; it is written beside the watched folder, as\n"
			"FOLDER.restored-<time>, after a question or with --yes.  With --to everything\n"
			"lands below DIR at once; a file that is there already and differs is left as\n"
			"it is and told.  Every file is read back and compared before it gets its name.\n"
			"The same command again goes on where an earlier one was cut short.\n"
			"\n"
			"--undo --dry-run lists what can be taken back.\n"
			"\n"
			"WHEN: \"2 hours ago\", \"yesterday 18:00\", \"before today\", 2026-11-20,\n"
			"2026-11-20T18:00Z, a commit's id, a milestone's name.\n"
			"\n"
			"Exit status: 0 everything is there, 1 something is not (told).",
		.flags = restore_flags,
		.run = verb_restore,
		.group = VERB_BACK,
		.traits = VERB_CHANGES,
		.most = MANY,
	},
	{
		.name = "drill",
		.usage = "",
		.text = "restore for real, from the remote, and compare",
		.more = "The branch is fetched into an empty repository; files chosen by chance, the\n"
			"newest, the biggest and the oddest names among them, are restored into a\n"
			"scratch folder and compared with the repository here and, where they did not\n"
			"change since, with the disk.  The newest snapshot of each database is opened.\n"
			"\n"
			"Exit status: 0 passed, 2 failed, 3 inconclusive (no answer from the remote).",
		.flags = drill_flags,
		.run = verb_drill,
		.group = VERB_BACK,
		.traits = VERB_REMOTE,
	},
	{
		.name = "verify",
		.usage = "",
		.text = "read everything again: objects, sidecar, ledger, disk, off-site",
		.more = "Exit status: 0 all good, 1 something could not be checked, 2 something is bad.",
		.flags = verify_flags,
		.run = verb_verify,
		.group = VERB_BACK,
	},
	{
		.name = "db list",
		.usage = "",
		.text = "live databases and their snapshots",
		.run = verb_db_list,
		.group = VERB_BACK,
		.traits = VERB_REMOTE,
	},
	{
		.name = "db snapshot",
		.usage = "NAME",
		.text = "a checked snapshot of a live database, now",
		.more = "NAME is a name as in `mirror db list`, the end of one that no other has, or\n"
			"where the database is; state:ledger, state:queue and state:evidence are\n"
			"mirror's own.  With -o nothing is written over, and nothing stands at FILE\n"
			"before it is whole and checked.",
		.flags = db_snapshot_flags,
		.run = verb_db_snapshot,
		.group = VERB_BACK,
		.traits = VERB_CHANGES | VERB_REMOTE,
		.least = 1,
		.most = 1,
	},
	{
		.name = "db restore",
		.usage = "NAME [FILE]",
		.text = "a snapshot back to a file: beside the database unless told otherwise",
		.more = "FILE is a snapshot as in `mirror db list` (also one that is only off-site), or\n"
			"any file; the newest snapshot when it is not said.  One that is no whole\n"
			"database, or another one, is refused with status 65 before anything is made.\n"
			"\n"
			"In place asks first; without a terminal it wants --yes.  A database that a\n"
			"process has open is left alone, and the process named.  Mirror's own state\n"
			"(state:ledger, state:queue, state:evidence) is put in place when mirror starts.",
		.flags = db_restore_flags,
		.run = verb_db_restore,
		.group = VERB_BACK,
		.traits = VERB_CHANGES | VERB_REMOTE,
		.least = 1,
		.most = 2,
	},
	{
		.name = "db verify",
		.usage = "[NAME]",
		.text = "read every kept snapshot again",
		.run = verb_db_verify,
		.group = VERB_BACK,
		.traits = VERB_REMOTE,
		.most = 1,
	},
	{
		.name = "scan",
		.usage = "[PATH...|-]",
		.text = "look for secrets, and do nothing else",
		.more = "Every regular file below each PATH (this folder when none is named) is scanned,\n"
			"whatever its name; links are not followed.  - is standard input.  A secret is\n"
			"never shown, only its rule, place, length and fingerprint.\n"
			"\n"
			"Here, and nowhere else, marks in the text (gitleaks:allow), .gitleaksignore and\n"
			"a .gitleaks.toml in the folder count.\n"
			"\n"
			"Exit status: 0 nothing found, 1 something found, 2 not everything could be\n"
			"scanned.",
		.flags = scan_flags,
		.run = verb_scan,
		.group = VERB_SECRETS,
		.most = MANY,
	},
	{
		.name = "config check",
		.usage = "",
		.text = "is the configuration right?",
		.more = "Prints one line when it is; else the place of the first mistake and exit "
			"status 78.",
		.run = verb_config_check,
		.group = VERB_SETUP,
	},
	{
		.name = "config show",
		.usage = "",
		.text = "every option and its value",
		.flags = config_show_flags,
		.run = verb_config_show,
		.group = VERB_SETUP,
	},
	{
		.name = "config edit",
		.usage = "",
		.text = "edit it in $VISUAL or $EDITOR; only what is right is saved",
		.more = "The editor works on a copy.  A copy that is wrong is kept beside the\n"
			"configuration as FILE.rejected, and the configuration stays as it was.",
		.run = verb_config_edit,
		.group = VERB_SETUP,
		.traits = VERB_CHANGES,
	},
	{
		.name = "doctor",
		.usage = "",
		.text = "what this machine lacks, and how to mend it",
		.more = "What the program needs around itself, where everything is, and one next step for\n"
			"each thing that is missing.  Exit status: 0 nothing is, 1 something is.\n"
			"\n"
			"The bundle has versions, what was found here, the options that you set and the\n"
			"verdict; the home folder is ~ in it, and it passes the scanner.  It is sent\n"
			"nowhere.",
		.flags = doctor_flags,
		.run = verb_doctor,
		.group = VERB_OTHER,
	},
	{
		.name = "completion",
		.usage = "bash|zsh|fish",
		.text = "a script that completes commands and options",
		.more = "  bash: mirror completion bash > ~/.local/share/bash-completion/completions/mirror\n"
			"  zsh:  mirror completion zsh > \"${fpath[1]}/_mirror\"\n"
			"  fish: mirror completion fish > ~/.config/fish/completions/mirror.fish",
		.run = verb_completion,
		.group = VERB_OTHER,
		.least = 1,
		.most = 1,
	},
	{
		.name = "help",
		.usage = "[COMMAND]",
		.text = "about all commands, or one",
		.run = verb_help,
		.group = VERB_OTHER,
		.most = 2,
		.alias = "help",
	},
	{
		.name = "version",
		.usage = "",
		.text = "which version this is",
		.flags = version_flags,
		.run = verb_version,
		.group = VERB_OTHER,
		.alias = "version",
	},
	{
		.name = "__man",
		.usage = "",
		.text = "the manual pages, for packages",
		.flags = man_flags,
		.run = verb_man,
		.group = VERB_OTHER,
		.traits = VERB_HIDDEN,
	},
};
const size_t nverbs = countof(verbs);
// clang-format on

size_t
verbs_tables(const struct verb *verb, const struct flag *ret[VERBS_TABLES_MAX])
{
	size_t count = 0;

	if (verb->flags != NULL) {
		ret[count++] = verb->flags;
	}
	if (verb->traits & VERB_CHANGES) {
		ret[count++] = change_flags;
	}
	if (verb->traits & VERB_REMOTE) {
		ret[count++] = remote_flags;
	}
	ret[count++] = common_flags;
	return count;
}

const struct verb *
verbs_find(const char *name)
{
	for (size_t i = 0; i < nverbs; i++) {
		if (strcmp(verbs[i].name, name) == 0) {
			return &verbs[i];
		}
	}
	return NULL;
}

bool
verbs_is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < nverbs; i++) {
		if (strncmp(verbs[i].name, word, len) == 0 && verbs[i].name[len] == ' ') {
			return true;
		}
	}
	return false;
}

const struct verb *
verbs_alias(const char *flag)
{
	for (size_t i = 0; i < nverbs; i++) {
		if (verbs[i].alias != NULL && strcmp(verbs[i].alias, flag) == 0) {
			return &verbs[i];
		}
	}
	return NULL;
}

const char *
verbs_near(const char *typed, char *near, size_t size)
{
	const char *best = NULL;
	char first[SUGGEST_WORD_MAX];

	for (size_t i = 0; i < nverbs; i++) {
		if (verbs[i].traits & VERB_HIDDEN) {
			continue;
		}
		if (suggest_is_nearer(typed, verbs[i].name, best)) {
			best = verbs[i].name;
		}
		// The first of two words is a thing to be meant as well.
		(void)snprintf(first, sizeof(first), "%.*s",
			(int)strcspn(verbs[i].name, " "), verbs[i].name);
		if (suggest_is_nearer(typed, first, best)) {
			(void)snprintf(near, size, "%s", first);
			best = near;
		}
	}
	if (best != NULL && best != near) {
		(void)snprintf(near, size, "%s", best);
	}
	return best != NULL ? near : NULL;
}

const char *
verbs_group_name(enum verb_group group)
{
	static const char *const names[] = {
		[VERB_SETUP] = "Set up",
		[VERB_RUN] = "Every day",
		[VERB_SEE] = "See",
		[VERB_BACK] = "Get back, and prove it",
		[VERB_SECRETS] = "Secrets",
		[VERB_OTHER] = "Other",
	};

	return names[group];
}
