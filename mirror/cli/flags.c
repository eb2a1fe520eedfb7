// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/flags.h"

#include <stddef.h>

// clang-format off
const struct flag status_flags[] = {
	{ "watch", 'w', NULL, NULL, "go on showing it; a line for each change when it is no terminal" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag web_flags[] = {
	{ "no-open", 0, NULL, NULL, "only print the link" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag config_show_flags[] = {
	{ "origin", 0, NULL, NULL, "say where each value is set" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag version_flags[] = {
	{ "version", 'V', NULL, NULL, NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag man_flags[] = {
	{ "toml", 0, NULL, NULL, "the page of mirror.toml" },
	{ "markdown", 0, NULL, NULL, "the reference" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag scan_flags[] = {
	{ "format", 0, "FORMAT", "text|json|sarif|gitleaks", "text, json, sarif or gitleaks" },
	{ "config", 0, "FILE", NULL, "rules in gitleaks' TOML instead of the built-in ones" },
	{ "git", 0, "REPO", NULL, "a repository's whole history, each object once" },
	{ "staged", 0, NULL, NULL, "what the next commit of this repository would take" },
	{ "explain", 0, "FILE:LINE", NULL, "which rules looked at a line, what they found, and why not (further lines may follow)" },
	{ "baseline", 0, "FILE", NULL, "do not show what is known there, wherever it stands" },
	{ "write-baseline", 0, "FILE", NULL, "keep the fingerprints of everything found" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag run_flags[] = {
	{ "once", 0, NULL, NULL, "one full cycle and its push, then end" },
	{ "full", 0, NULL, NULL, "with --once: read every file again, trust no size or time" },
	{ "no-push", 0, NULL, NULL, "with --once: commit only" },
	{ "no-wait", 0, NULL, NULL, "with --once: status 75 when another run is under way" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag health_flags[] = {
	{ "healthcheck", 0, NULL, NULL, NULL },
	{ "deep", 0, NULL, NULL, "walk the disk and git as well, believing neither agent nor ledger" },
	{ "format", 0, "FORMAT", "text|json|nagios|prometheus", "text, json, nagios or prometheus" },
	{ "output", 0, "FILE", NULL, "into a file, whole or not at all" },
	{ "binary", 0, NULL, NULL, "exit status 0 when healthy or degraded, else 1" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag ledger_flags[] = {
	{ "state", 0, "STATE", "mirrored|redacted|sealed|snapshotted|excluded|pending|failed",
		"only paths in this state" },
	{ "reason", 0, "TEXT", NULL, "only paths whose reason begins with this" },
	{ "new", 0, NULL, NULL, "only what is excluded and nobody has accepted" },
	{ "csv", 0, NULL, NULL, "comma-separated values" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag init_flags[] = {
	{ "remote", 0, "URL", NULL, "where the branch is pushed; nowhere unless given" },
	{ "detect", 0, NULL, NULL, "find what is worth keeping: agent memories, vaults, notes, dotfiles" },
	{ "host", 0, "NAME", NULL, "this machine's name at the remote; with --from: the lost one's" },
	{ "seal", 0, NULL, NULL, "keep what is cut out as well, encrypted: makes a recovery key" },
	{ "service", 0, NULL, NULL, "install the service as well, without a question" },
	{ "drill", 0, NULL, NULL, "and restore from the remote to compare, without a question" },
	{ "from", 0, "URL", NULL, "go on as a lost machine: restore its files from there" },
	{ "to", 0, "DIR", NULL, "with --from: each folder comes back as DIR/<name>; ~ unless given" },
	{ "key", 0, "FILE", NULL, "with --from: the recovery key, for what was sealed" },
	{ "yes", 'y', NULL, NULL, "do not ask" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag service_flags[] = {
	{ "no-linger", 0, NULL, NULL, "only while you are logged in" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag doctor_flags[] = {
	{ "bundle", 0, "FILE", NULL, "and write what a helper needs into a new file, without secrets" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag add_flags[] = {
	{ "name", 0, "NAME", NULL, "its folder in the brain repository" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag reason_flags[] = {
	{ "reason", 0, "TEXT", NULL, "why, for those who read it later" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag accept_flags[] = {
	{ "reason", 0, "TEXT", NULL, "why, for those who read it later" },
	{ "for", 0, "DURATION", NULL, "only so long (7d); else for good" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag milestone_flags[] = {
	{ "message", 'm', "TEXT", NULL, "what it stands for" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag log_flags[] = {
	{ "limit", 0, "N", NULL, "at most so many commits (20)" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag machines_flags[] = {
	{ "fetch", 0, NULL, NULL, "ask the remote first: names and heartbeats" },
	{ "histories", 0, NULL, NULL, "and fetch everybody's files, for `restore --host`" },
	{ "take-over", 0, NULL, NULL, "the machine that had our name before is no more: write in its place" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag today_flags[] = {
	{ "host", 0, "NAME", NULL, "of another machine, as it is known here, or of \"all\"" },
	{ "fetch", 0, NULL, NULL, "with --host: fetch everybody's files first" },
	{ "all", 0, NULL, NULL, "each path, however many; else more than 200 are counted by folder" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag history_flags[] = {
	{ "value", 0, "FILE", NULL, "look for exactly what stands in FILE (- is standard input)" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag purge_flags[] = {
	{ "value", 0, "FILE", NULL, "exactly what stands in FILE (- is standard input)" },
	{ "confirm", 0, "TOKEN", NULL, "do it: the word that the look before gave" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag restore_flags[] = {
	{ "to", 0, "DIR", NULL, "into DIR/<name>/, without a question; nothing is replaced" },
	{ "at", 0, "WHEN", NULL, "as it was then: a time (\"yesterday 18:00\"), a commit or a milestone" },
	{ "host", 0, "NAME", NULL, "another machine's backup" },
	{ "from", 0, "REPO", NULL, "another repository: any clone, with a checkout or without" },
	{ "in-place", 0, NULL, NULL, "where it was; what is replaced is kept for --undo" },
	{ "undo", 0, NULL, NULL, "take a restore in place back: the last one, or ID" },
	{ "key", 0, "FILE", NULL, "the recovery key: what was sealed comes back as it was" },
	{ "owner", 0, NULL, NULL, "give files the owner they had (needs root)" },
	{ "privileges", 0, "WHICH", NULL,
		"none: no setuid or setgid bit; all: as root capabilities and access lists too" },
	{ "yes", 'y', NULL, NULL, "do not ask" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag key_new_flags[] = {
	{ "out", 0, "FILE", NULL, "where the private half goes; ~/mirror-recovery-<host>.key when not said" },
	{ "replace", 0, NULL, NULL, "although there is a key already" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag key_test_flags[] = {
	{ "key", 0, "FILE", NULL, "the private half" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag verify_flags[] = {
	{ "full", 0, NULL, NULL, "hash every file on the disk, not a sample" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag drill_flags[] = {
	{ "files", 0, "COUNT", NULL, "how many files to restore; 200 when not said" },
	{ "key", 0, "FILE", NULL, "the recovery key, for encrypted snapshots" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag db_snapshot_flags[] = {
	{ "output", 'o', "FILE", NULL, "a plain copy there instead of one that is kept; in a folder, by its time" },
	{ NULL, 0, NULL, NULL, NULL },
};

const struct flag db_restore_flags[] = {
	{ "to", 0, "PATH", NULL, "write it there; nothing may stand there" },
	{ "in-place", 0, NULL, NULL, "put it where the database is; what stands there is kept" },
	{ "yes", 'y', NULL, NULL, "replace without asking" },
	{ "stage", 0, NULL, NULL, "check it and keep it ready, for --apply" },
	{ "list", 0, NULL, NULL, "what is staged, and what was put in place" },
	{ "apply", 0, "ID", NULL, "put in place what is staged" },
	{ "cancel", 0, "ID", NULL, "drop what is staged" },
	{ "undo", 0, "ID", NULL, "take a restore in place back" },
	{ "key", 0, "FILE", NULL, "the age identity an encrypted snapshot is opened with" },
	{ NULL, 0, NULL, NULL, NULL },
};
// clang-format on
