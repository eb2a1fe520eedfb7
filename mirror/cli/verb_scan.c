// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/handlers.h"
#include "cli/scan_commits.h"
#include "cli/scan_explain.h"
#include "cli/scan_files.h"
#include "cli/scan_git.h"
#include "cli/scan_key.h"
#include "cli/scan_known.h"
#include "cli/scan_pool.h"
#include "cli/scan_report.h"
#include "scanner/scanner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * `mirror scan` is the scanner alone: no configuration decides, nothing is changed.  It
 * is also the only place where what stands in a scanned folder counts: allow marks in the
 * text, .gitleaksignore, .gitleaks.toml (I7).
 */

enum {
	SCAN_FOUND = 1,
	SCAN_UNREAD = 2,
};

struct scan {
	struct call *call;
	uint8_t key[HASH_KEY_LEN];
	/** Of --config, or of the first folder's .gitleaks.toml, or ours. */
	struct scanner *scanner;
	struct scan_known known;
	struct scan_known collect;
	struct scan_report report;
	/** Who brought what, for gitleaks' report of a history. */
	struct scan_commits *commits;
	struct scan_totals totals;
	struct scan_pool *pool;
};

static void
scan_done(struct scan *scan)
{
	scanner_free(scan->scanner);
	scan_commits_free(scan->commits);
	scan_known_done(&scan->known);
	scan_known_done(&scan->collect);
}

// The file of this verb's own --config, or NULL.  -c is the configuration of the backup,
// here as everywhere: taken for rules it would be a file that has none.
static const char *
given_rules(const struct args *args)
{
	const char *file = NULL;

	for (size_t i = 0; i < args->ngiven; i++) {
		if (strcmp(args->given[i].flag->name, "config") == 0 &&
			args->given[i].flag->letter == 0) {
			file = args->given[i].value;
		}
	}
	return file;
}

// gitleaks' order: --config, $GITLEAKS_CONFIG, the target's own file.  Owned.
static char *
rules_file(const struct scan *scan)
{
	const struct args *args = &scan->call->args;
	const char *given = given_rules(args);
	const char *variable = getenv("GITLEAKS_CONFIG");
	const char *target = args_has(args, "git") ? args_value(args, "git")
		: args->nwords > 0                 ? args->words[0]
						   : ".";
	AUTO_FREE char *own = NULL;

	if (given != NULL) {
		return xstrdup(given);
	}
	if (variable != NULL && variable[0] != '\0') {
		return xstrdup(variable);
	}
	own = path_join(target, ".gitleaks.toml");
	return access(own, F_OK) == 0 ? STEAL(own) : NULL;
}

static int
open_scanner(struct scan *scan, struct err *err)
{
	AUTO_FREE char *file = rules_file(scan);
	const char *files[] = { file };
	struct scanner_options options = {
		.key = scan->key,
		.inline_marks = true,
	};

	if (file != NULL) {
		options.rule_files = files;
		options.nrule_files = 1;
		options.replace_builtin = true;
		if (given_rules(&scan->call->args) == NULL) {
			output_note(&scan->call->out, "rules of %s", file);
		}
	}
	if (scanner_new(&options, &scan->scanner, err) < 0) {
		return err_wrap(err, "load the rules");
	}
	if (scanner_count(scan->scanner) == 0) {
		// "Nothing found" would be true, and say nothing.
		err_raise(err, ERR_INVALID, "%s has no rule: nothing can be found", file);
		return err_advise(
			err, "[extend] useDefault = true adds the built-in ones");
	}
	return 0;
}

static int
read_known(struct scan *scan, struct err *err)
{
	const struct args *args = &scan->call->args;
	const char *baseline = args_value(args, "baseline");

	if (baseline != NULL && scan_known_read(&scan->known, baseline, err) < 0) {
		return err->code;
	}
	if (scan_known_read_ignore(&scan->known, AT_FDCWD, ".gitleaksignore", err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < args->nwords; i++) {
		AUTO_FREE char *file = path_join(args->words[i], ".gitleaksignore");

		if (strcmp(args->words[i], "-") != 0 &&
			scan_known_read_ignore(&scan->known, AT_FDCWD, file, err) < 0) {
			return err->code;
		}
	}
	scan_known_sort(&scan->known);
	return 0;
}

static int
feed(struct scan *scan, struct err *err)
{
	const struct args *args = &scan->call->args;

	if (args_has(args, "git")) {
		return scan_git_history(
			scan->pool, scan->scanner, args_value(args, "git"), err);
	}
	if (args_has(args, "staged")) {
		return scan_git_staged(scan->pool, scan->scanner,
			args->nwords > 0 ? args->words[0] : ".", err);
	}
	if (args->nwords == 0) {
		scan_files_walk(scan->pool, scan->scanner, ".");
	}
	for (size_t i = 0; i < args->nwords; i++) {
		if (strcmp(args->words[i], "-") == 0) {
			scan_files_stdin(scan->pool, scan->scanner);
		} else {
			scan_files_walk(scan->pool, scan->scanner, args->words[i]);
		}
	}
	return 0;
}

static int
prepare(struct scan *scan, struct err *err)
{
	if (scan_key_get_or_make(scan->call, scan->key, err) < 0 ||
		open_scanner(scan, err) < 0 || read_known(scan, err) < 0) {
		return err->code;
	}
	scan->report.scanner = scan->scanner;
	if (args_has(&scan->call->args, "git") && scan->report.format == SCAN_GITLEAKS) {
		const char *repo = args_value(&scan->call->args, "git");

		if (scan_commits_read(repo, scan->scanner, &scan->commits, err) < 0) {
			return err_wrap(err, "scan the history of %s", repo);
		}
		scan->report.commits = scan->commits;
	}
	return 0;
}

static int
run(struct scan *scan, struct err *err)
{
	struct call *call = scan->call;
	const char *write_to = args_value(&call->args, "write-baseline");
	struct scan_pool_options options = {
		.out = &call->out,
		.report = &scan->report,
		.known = &scan->known,
		.collect = write_to != NULL ? &scan->collect : NULL,
	};
	int64_t began_ms = clock_mono_ms();
	struct err trouble = { 0 };

	if (scan_pool_new(&options, &scan->pool, err) < 0) {
		return err->code;
	}
	scan_report_begin(&scan->report, &call->out);
	if (feed(scan, &trouble) < 0) {
		scan_pool_unread(scan->pool, "scan", &trouble);
	}
	scan_pool_finish(scan->pool, &scan->totals);
	output_progress_done(&call->out);
	scan->totals.took_ms = clock_mono_ms() - began_ms;
	scan->totals.exit = scan->totals.unread > 0 ? SCAN_UNREAD
		: scan->totals.found > 0            ? SCAN_FOUND
						    : 0;
	scan_report_end(&scan->report, &call->out, &scan->totals);
	if (write_to != NULL && scan_known_write(&scan->collect, write_to, err) < 0) {
		return err->code;
	}
	return scan->totals.exit;
}

// --explain names one line, and each further word another.
static int
explain_all(const struct scan *scan, const char *first, struct err *err)
{
	const struct args *args = &scan->call->args;
	int all = scan_explain(scan->call, scan->key, scan->scanner, first, err);

	for (size_t i = 0; i < args->nwords && all >= 0; i++) {
		int one = scan_explain(
			scan->call, scan->key, scan->scanner, args->words[i], err);

		all = one < 0 ? one : MAX_OF(all, one);
	}
	return all;
}

int
verb_scan(struct call *call, struct err *err)
{
	AUTO(scan_done) struct scan scan = { .call = call };
	const char *format = args_value(&call->args, "format");
	const char *explain = args_value(&call->args, "explain");

	if (args_has(&call->args, "git") + args_has(&call->args, "staged") +
			(explain != NULL) >
		1) {
		return err_raise(
			err, ERR_USAGE, "only one of --git, --staged and --explain");
	}
	if (args_has(&call->args, "git") && call->args.nwords > 0) {
		err_raise(
			err, ERR_USAGE, "--git takes one repository and no further path");
		return err_advise(err, "scan its files with another `mirror scan PATH`");
	}
	scan.report.format = format != NULL ? scan_format_parse(format)
		: call->out.json            ? SCAN_JSON
					    : SCAN_TEXT;
	if (prepare(&scan, err) < 0) {
		return err->code;
	}
	if (explain != NULL) {
		return explain_all(&scan, explain, err);
	}
	return run(&scan, err);
}
