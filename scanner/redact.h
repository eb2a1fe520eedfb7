// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/redact - bytes in, clean bytes out.
 *
 *     AUTO(redaction_done) struct redaction clean = { .out = { .max = FILE_MAX * 2 } };
 *
 *     if (redact_bytes(scanner, &input, &clean, err) < 0) {
 *             return err_wrap(err, "scan %s", path);
 *     }
 *     switch (clean.outcome) ...
 *
 * Knows: base, scanner.
 * Owns:  the clean bytes and the spans, until redaction_done().
 * Never: hands out bytes that still hold a finding: the output is scanned again (I1, I2).
 *
 * Each secret is replaced by REDACTED.<rule-id>.<8 hex>: plain characters that are safe
 * inside JSON, YAML, TOML, shell, URLs and CSV, in the encoding of the text around them.
 * The hex is the start of the keyed fingerprint.  Newlines in the span stay, a PEM block
 * keeps its BEGIN and END lines, and a mark is never itself a finding.  A text whose cut
 * shows ever more is cut by whole lines in the end, then altogether: it is never held.
 */

#ifndef SCANNER_REDACT_H
#define SCANNER_REDACT_H

#include "base/base.h"
#include "base/buf.h"
#include "scanner/finding.h"

struct err;
struct scan_input;
struct scanner;

enum redact_outcome {
	/** Nothing found: use the input as it is. */
	REDACT_CLEAN,
	/** `out` holds the clean bytes. */
	REDACT_CUT,
	/** A secret in something that cannot be cut: a binary, or the path itself as a
	 * user's rule says.  Hold the file; the spans say where it is.  Never a text. */
	REDACT_CANNOT,
};

/** One secret: where it was, and where its mark stands in `out` (CUT only). */
struct redact_span {
	/** Borrowed from the scanner. */
	const char *rule;
	enum finding_confidence confidence;
	size_t start;
	size_t end;
	size_t out_start;
	size_t out_end;
	uint8_t fingerprint[FINDING_PRINT_LEN];
};

struct redaction {
	enum redact_outcome outcome;
	/** The clean bytes, only for CUT.  The caller sets its max. */
	struct buf out;
	/** In order of offset. */
	struct redact_span *spans;
	size_t nspans;
};

/** Free what it owns; it is empty and reusable, with its ceiling. */
void redaction_done(struct redaction *redaction) NONNULL;

/**
 * Scan, cut, scan again.
 *
 * @ret_redaction
 *         Whatever it held is freed first.  Untouched otherwise on failure.
 * @return
 *         0, or negative: BLOCKED (could not scan: never "clean"), TOO_BIG (past
 *         out.max), NO_MEMORY.
 */
int redact_bytes(const struct scanner *scanner, const struct scan_input *input,
	struct redaction *ret_redaction, struct err *err) NONNULL MUST_CHECK;

enum {
	/** "REDACTED." + id + "." + 8 hex + NUL; ids are at most this minus 19. */
	REDACT_MARK_MAX = 96,
};

/** Write the mark of a secret; for names in reports. */
void redact_mark(const char *rule, const uint8_t fingerprint[FINDING_PRINT_LEN],
	char ret_mark[REDACT_MARK_MAX]) NONNULL;

#endif
