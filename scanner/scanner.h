// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/scanner - do these bytes hold a secret?
 *
 *     struct scanner_options options = { .key = key };
 *     AUTO(scanner_freep) struct scanner *scanner = NULL;
 *
 *     if (scanner_new(&options, &scanner, err) < 0) {
 *             return err_wrap(err, "load the rules");
 *     }
 *     struct scan_input input = { .data = text, .len = len, .path = "notes/a.md" };
 *     found = scanner_scan(scanner, &input, remember, &list, err);
 *
 * Knows: base, and the other modules of scanner/.  Nothing of files, git, jobs.
 * Owns:  the rules, which never change: any number of threads may scan with one scanner
 *        at the same time.
 * Never: keeps, copies out or logs what it matched; says "clean" when it could not look.
 */

#ifndef SCANNER_SCANNER_H
#define SCANNER_SCANNER_H

#include "base/base.h"
#include "scanner/finding.h"

struct err;
struct scanner;
struct scanner_stream;

/** A rule that looked at a line and found nothing: which, and why. */
struct scanner_look {
	const char *rule;
	const char *why;
	/** Offsets as in struct finding. */
	size_t start;
	size_t end;
};

typedef void scanner_look_fn(const struct scanner_look *look, void *payload);

struct scanner_options {
	/** HASH_KEY_LEN bytes that key fingerprints and marks; borrowed for the call. */
	const uint8_t *key;
	/** Rule files in gitleaks' TOML. */
	const char *const *rule_files;
	size_t nrule_files;
	/** The rule files alone count, unless one of them says useDefault. */
	bool replace_builtin;
	/** Fingerprints that a person marked as fine; copied. */
	const uint8_t (*allowed)[FINDING_PRINT_LEN];
	size_t nallowed;
	/** Honour marks in the text, such as gitleaks:allow.  Whoever can write a file
	 * could switch the scanner off with them, so a backup never sets this (I7). */
	bool inline_marks;
	/** Tell of every rule that looked at line @told_line of a text that is scanned by
	 * scanner_scan(), and why it found nothing.  Slow; may be NULL. */
	scanner_look_fn *tell;
	void *tell_payload;
	size_t told_line;
};

struct scan_input {
	const void *data;
	size_t len;
	/** For context only (test folders, lock files); may be NULL.  Never opened. */
	const char *path;
	/** The data is a file name, a link target or a commit message. */
	bool is_name;
};

/**
 * Called for each finding, in order of offset; findings do not overlap.
 *
 * @finding
 *         Borrowed: valid until the callback returns.
 * @return
 *         0 to go on.  Anything else ends the scan and becomes its result; a negative
 *         one should come with a story in the caller's err.
 */
typedef int scanner_fn(const struct finding *finding, void *payload);

/**
 * Read the rules.  Patterns are compiled when they are first needed.
 *
 * @return
 *         0, or negative: INVALID (a rule file; the story names file and line),
 *         NOT_FOUND, IO.
 */
int scanner_new(const struct scanner_options *options, struct scanner **ret_scanner,
	struct err *err) NONNULL MUST_CHECK;

/** Accepts NULL.  No scan may be running. */
void scanner_free(struct scanner *scanner);
void scanner_freep(struct scanner **scanner);

/**
 * A hex word that changes whenever the rules, the filters or the list of allowed
 * fingerprints change, and survives a restart: the key of a cache of results.
 */
const char *scanner_version(const struct scanner *scanner) NONNULL;

/** Rules in force. */
size_t scanner_count(const struct scanner *scanner) NONNULL;

/** The id of rule @index, in the order of the tables; borrowed from the scanner. */
const char *scanner_rule(const struct scanner *scanner, size_t index) NONNULL;

/** What a rule of this id finds, in words; the id when it says nothing.  Borrowed. */
const char *scanner_rule_name(const struct scanner *scanner, const char *rule) NONNULL;

enum {
	/** Kinds of paths: a small number each, below this. */
	SCANNER_PATH_KINDS = 32,
};

/** Bytes at paths of one kind have the same findings; users' rules, which may name a
 * path, apart. */
unsigned int scanner_path_kind(const char *path) NONNULL;

/**
 * Scan bytes: text in any encoding, or a binary.
 *
 * @return
 *         The number of findings, or negative.  BLOCKED: a rule ran into its limit; the
 *         story names it.  That means "could not scan", never "clean" (I2).
 */
int scanner_scan(const struct scanner *scanner, const struct scan_input *input,
	scanner_fn *fn, void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 5)
	MUST_CHECK;

/**
 * Find the canaries and leave the decoys alone.
 *
 * @return
 *         0, or negative: BUG.
 */
int scanner_self_test(const struct scanner *scanner, struct err *err) NONNULL MUST_CHECK;

/**
 * Scan bytes as they come, of any amount, in bounded memory.  Findings have offsets and
 * lines of the whole, and are those of scanner_scan(), across every boundary, as long as
 * a secret with its surroundings fits in SCANNER_STREAM_REACH bytes.
 *
 * @path
 *         As in scan_input; copied.
 */
int scanner_stream_new(const struct scanner *scanner, const char *path, scanner_fn *fn,
	void *payload, struct scanner_stream **ret_stream, struct err *err)
	NONNULL_ARGS(1, 3, 5, 6) MUST_CHECK;

enum {
	SCANNER_STREAM_REACH = 256 * 1024,
};

/** Negative as in scanner_scan(); a positive answer of the callback ends the stream. */
int scanner_stream_feed(struct scanner_stream *stream, const void *data, size_t len,
	struct err *err) NONNULL_ARGS(1, 4) MUST_CHECK;

/** Where the next bytes can be read to, never none; then say how many came, as if they
 * were fed. */
char *
scanner_stream_room(struct scanner_stream *stream, size_t *ret_len) NONNULL MUST_CHECK;
int scanner_stream_filled(struct scanner_stream *stream, size_t len, struct err *err)
	NONNULL MUST_CHECK;

/** What is left; returns the number of findings in all, or negative. */
int scanner_stream_end(struct scanner_stream *stream, struct err *err) NONNULL MUST_CHECK;

/** Accepts NULL. */
void scanner_stream_free(struct scanner_stream *stream);
void scanner_stream_freep(struct scanner_stream **stream);

#endif
