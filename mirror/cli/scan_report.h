// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_report - findings as text, JSON, SARIF or gitleaks' JSON.
 *
 *     scan_report_begin(&report, out, scanner);
 *     scan_report_finding(&report, &place, finding, &buf, err);   // any thread, own buf
 *     scan_report_flush(&report, out, &buf);                      // one thread at a time
 *     scan_report_end(&report, out, &totals);
 *
 * Knows: base, scanner (findings), output.
 * Owns:  nothing but whether something was printed yet.
 * Never: holds the findings, or prints a secret: a finding has no field for it (I3).
 */

#ifndef CLI_SCAN_REPORT_H
#define CLI_SCAN_REPORT_H

#include "base/base.h"
#include "cli/output.h"

struct buf;
struct err;
struct finding;
struct scan_commits;
struct scanner;

enum scan_format {
	SCAN_TEXT,
	SCAN_JSON,
	SCAN_SARIF,
	SCAN_GITLEAKS,
};

/** Where a finding is. */
struct scan_place {
	/** As it may be shown: names that hold a secret are redacted already. */
	const char *path;
	/** "name", "commit", "tag"; NULL in a file's own bytes. */
	const char *in;
	/** The commit or blob of a history, or NULL. */
	const char *object;
};

struct scan_totals {
	uint64_t files;
	uint64_t bytes;
	uint64_t found;
	/** Not shown: in the baseline, or ignored by place. */
	uint64_t known;
	/** Files and folders that could not be read or scanned. */
	uint64_t unread;
	int64_t took_ms;
	int exit;
};

struct scan_report {
	enum scan_format format;
	/** Something stands before the next finding. */
	bool begun;
	/** Borrowed, for names of rules; may be NULL. */
	const struct scanner *scanner;
	/** Borrowed: who brought which object; NULL but in a history for gitleaks. */
	const struct scan_commits *commits;
};

/** "text|json|sarif|gitleaks", as --format takes them. */
#define SCAN_FORMAT_WORDS "text|json|sarif|gitleaks"
enum scan_format scan_format_parse(const char *word) NONNULL;

void scan_report_begin(struct scan_report *report, struct output *out) NONNULL;
/** Append one finding to @buf. */
int scan_report_finding(const struct scan_report *report, const struct scan_place *place,
	const struct finding *finding, struct buf *buf, struct err *err)
	NONNULL MUST_CHECK;
/** Print what was appended, and empty @buf. */
void scan_report_flush(struct scan_report *report, struct output *out, struct buf *buf)
	NONNULL;
void scan_report_end(struct scan_report *report, struct output *out,
	const struct scan_totals *totals) NONNULL;

#endif
