// SPDX-License-Identifier: GPL-2.0-or-later

#include "config/options.h"

#include "config/fields.h"

enum {
	MS = 1,
	SECOND = 1000
};
#define LONGEST (INT64_C(36525) * 86400000)
#define KIB INT64_C(1024)
#define GIB (INT64_C(1024) * 1024 * 1024)

static const char *const actions[] = { "redact", "seal", "hold", NULL };

#define IN(field) offsetof(struct config, field)
#define IN_WATCH(field) offsetof(struct config_watch, field)
#define IN_DATABASE(field) offsetof(struct config_database, field)

// clang-format off
const struct option options[] = {
	{ "brain", "remote", OPTION_TEXT, IN(brain.remote), "\"none\"", 0, 0, NULL,
		"where the branch is pushed; \"none\" keeps it deliberately local" },
	{ "brain", "repo", OPTION_PATH, IN(brain.repo), "\"~/.local/share/mirror/brain\"", 0, 0, NULL,
		"the brain repository" },
	{ "brain", "worktree", OPTION_BOOL, IN(brain.worktree), "true", 0, 0, NULL,
		"keep a browsable copy beside .git; false is bare, with the least I/O" },
	{ "brain", "branch", OPTION_TEXT, IN(brain.branch), "\"host/{host}\"", 0, 0, NULL,
		"one branch per machine, one writer; must begin with host/" },
	{ "brain", "settle", OPTION_DURATION, IN(brain.settle_ms), "\"2s\"", 10 * MS, LONGEST, NULL,
		"quiet time before a change is committed" },
	{ "brain", "max_wait", OPTION_DURATION, IN(brain.max_wait_ms), "\"30s\"", SECOND, LONGEST, NULL,
		"the longest a change waits while writing goes on" },
	{ "brain", "sweep", OPTION_DURATION, IN(brain.sweep_ms), "\"15m\"", SECOND, LONGEST, NULL,
		"a full walk at least this often sees what no watcher sees" },
	{ "brain", "push_timeout", OPTION_DURATION, IN(brain.push_timeout_ms), "\"1h\"", SECOND, LONGEST, NULL,
		"deadline of one push" },

	{ "secrets", "action", OPTION_WORD, IN(secrets.action), "\"redact\"", 0, 0, actions,
		"redact | seal (needs `mirror key new`) | hold; there is no \"drop\"" },
	{ "secrets", "rules", OPTION_LIST, IN(secrets.rules), "[]", 0, 0, NULL,
		"extra rule files, gitleaks TOML" },

	{ "files", "max_size", OPTION_SIZE, IN(files.max_size), "\"50MiB\"", 1, 2 * GIB - 1, NULL,
		"larger files are listed as too-large" },
	{ "files", "regenerable", OPTION_LIST, IN(files.regenerable),
		"[\"node_modules\", \"__pycache__\", \".venv\", \".cache\"]", 0, 0, NULL,
		"folder names that can be made again; listed, not mirrored" },
	{ "files", "owner", OPTION_BOOL, IN(files.owner), "false", 0, 0, NULL,
		"keep owner and group in the sidecar" },
	{ "files", "xattrs", OPTION_BOOL, IN(files.xattrs), "false", 0, 0, NULL,
		"keep extended attributes (user.*; as root also capabilities and access lists)" },

	{ "sqlite", "every", OPTION_DURATION, IN(sqlite.every_ms), "\"1h\"", SECOND, LONGEST, NULL,
		"a changed database is snapshotted at most this often" },
	{ "sqlite.keep", "hourly", OPTION_INT, IN(sqlite.hourly), "24", 1, 100000, NULL,
		"snapshots kept, one an hour" },
	{ "sqlite.keep", "daily", OPTION_INT, IN(sqlite.daily), "30", 0, 100000, NULL,
		"snapshots kept, one a day" },
	{ "sqlite.keep", "monthly", OPTION_INT, IN(sqlite.monthly), "12", 0, 100000, NULL,
		"snapshots kept, one a month" },
	{ "sqlite", "offsite", OPTION_TEXT, IN(sqlite.offsite), "\"none\"", 0, 0, NULL,
		"\"rclone:remote:path\"; needs a recipient, never plaintext off the machine" },
	{ "sqlite", "recipient", OPTION_TEXT, IN(sqlite.recipient), NULL, 0, 0, NULL,
		"age recipient (age1...) snapshots are encrypted to" },
	{ "sqlite", "at", OPTION_TIME, IN(sqlite.at), "\"03:17\"", 0, 0, NULL,
		"daily run, with a random offset and catch-up after sleep" },
	{ "sqlite", "timeout", OPTION_DURATION, IN(sqlite.timeout_ms), "\"8h\"", SECOND, LONGEST, NULL,
		"snapshot, compression, upload and pruning together" },
	{ "sqlite", "bandwidth", OPTION_SIZE, IN(sqlite.bandwidth), "0", 0, 64 * GIB, NULL,
		"bytes a second for uploads; 0 is no limit" },
	{ "sqlite", "git_max", OPTION_SIZE, IN(sqlite.git_max), "\"10MiB\"", 0, 2 * GIB - 1, NULL,
		"larger snapshots stay out of git" },

	{ "health", "unprotected_change", OPTION_LIMITS, IN(health.unprotected_change),
		"[\"10m\", \"1h\"]", SECOND, LONGEST, NULL,
		"age of the oldest change not yet safe: degraded, failed" },
	{ "health", "push_lag", OPTION_LIMITS, IN(health.push_lag), "[\"15m\", \"24h\"]", SECOND, LONGEST, NULL,
		"age of the oldest commit not yet on the remote: degraded, failed" },
	{ "health", "drill_age", OPTION_LIMITS, IN(health.drill_age), "[\"35d\", \"95d\"]", SECOND, LONGEST, NULL,
		"age of the last restore drill that passed: degraded, unknown" },

	{ "api", "http", OPTION_TEXT, IN(api.http), "\"none\"", 0, 0, NULL,
		"loopback address for the API and status page, \"127.0.0.1:7117\"" },

	{ "notify", "ping", OPTION_TEXT, IN(notify.ping), NULL, 0, 0, NULL,
		"URL asked when healthy; URL/fail otherwise" },
	{ "notify", "exec", OPTION_LIST, IN(notify.exec), "[]", 0, 0, NULL,
		"program and arguments run on a change of verdict, JSON on standard input" },
};
const size_t noptions = countof(options);

const struct option watch_options[] = {
	{ "watch", "path", OPTION_PATH, IN_WATCH(path), NULL, 0, 0, NULL, "the folder to keep" },
	{ "watch", "name", OPTION_TEXT, IN_WATCH(name), NULL, 0, 0, NULL,
		"its folder in the brain repository; the last part of the path unless given" },
	{ "watch", "exclude", OPTION_LIST, IN_WATCH(exclude), "[]", 0, 0, NULL,
		"globs; every match is listed by `mirror ledger`" },
	{ "watch", "rolling", OPTION_LIST, IN_WATCH(rolling), "[]", 0, 0, NULL,
		"globs of files kept only while they are new, such as transcripts; the history keeps them" },
	{ "watch", "window", OPTION_DURATION, IN_WATCH(window_ms), "\"30d\"", SECOND, LONGEST, NULL,
		"how long after its last change a file of `rolling` is kept" },
	{ "watch", "optional", OPTION_BOOL, IN_WATCH(optional), "false", 0, 0, NULL,
		"a missing folder is an error unless true" },
};
const size_t nwatch_options = countof(watch_options);

const struct option database_options[] = {
	{ "database", "path", OPTION_PATH, IN_DATABASE(path), NULL, 0, 0, NULL, "the database file" },
	{ "database", "name", OPTION_TEXT, IN_DATABASE(name), NULL, 0, 0, NULL,
		"its name in `mirror db`; <root>/<path> unless given" },
	{ "database", "owner", OPTION_TEXT, IN_DATABASE(owner), NULL, 0, 0, NULL,
		"\"unix:/path.sock\": ask the process that owns it for a snapshot" },
	{ "database", "tool", OPTION_TEXT, IN_DATABASE(tool), "\"backup_vacuum_into\"", 0, 0, NULL,
		"the tool's name in the owner's tools/call" },
};
const size_t ndatabase_options = countof(database_options);
// clang-format on
