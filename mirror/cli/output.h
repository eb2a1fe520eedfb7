// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/output - what a person, or their script, gets to see.
 *
 *     output_line(out, "%s: %s", path, word);            // the result: standard output
 *     output_note(out, "reading %s", path);              // all else: standard error
 *     output_progress(out, "scanning", done, total);     // a bar, only where it is one
 *     json_set_text(output_answer(out), "until", text);  // a key for --json
 *
 * With --json standard output is one object and nothing else: one that a verb prints
 * whole (output_json), or its answer: the keys it set, and its lines as "sentence".
 *
 * Knows: base.
 * Owns:  the two streams, colour, the bar on the last line of a terminal, and the answer
 *        until output_end().
 * Never: colours or draws where nobody looks (a pipe, NO_COLOR, TERM=dumb), lets a byte
 *        from outside reach a terminal raw, says a state by colour alone, or takes a
 *        result for written when standard output is full.
 *
 * Threads: one at a time.
 */

#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/base.h"

struct err;
struct oid;
struct json;

struct output {
	bool json;
	bool quiet;
	bool verbose;
	/** No questions: --no-input, or nobody there to answer. */
	bool no_input;
	bool color;
	/** Standard output is a terminal that can be drawn on. */
	bool live;
	/** Standard error is a terminal: a bar may be drawn. */
	bool bar;
	/** Something was said on standard output. */
	bool spoke;
	/** The bar on the screen. */
	bool bar_drawn;
	char bar_what[64];
	int64_t bar_began_ms;
	int64_t bar_drawn_ms;
	/** Keys of the answer; NULL until there is one. */
	struct json *answer;
	/** With --json: the lines, for its sentence. */
	char *said;
	size_t said_len;
	/** With --json: an object goes there, as a part of another one; NULL: printed. */
	struct json **part;
};

/** How a word is to look. */
enum output_tone {
	OUTPUT_PLAIN,
	OUTPUT_GOOD,
	OUTPUT_WARN,
	OUTPUT_BAD,
	OUTPUT_FAINT,
	OUTPUT_STRONG,
};

/** Look at the streams and the environment. */
void output_init(struct output *out) NONNULL;

/** One line of the result.  Text from outside is escaped by the caller, or with %s of
 * path_printable(). */
void output_line(struct output *out, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);
/** What a cycle came to: its commit (NULL or zero: it made none), and what that changed.
 */
void output_commit(struct output *out, const struct oid *commit, uint64_t changed)
	NONNULL_ARGS(1);
/** The same without its newline. */
void output_text(struct output *out, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);
/** Bytes as they are: scripts, manual pages, JSON pieces. */
void output_raw(struct output *out, const char *data, size_t len) NONNULL;
/** A JSON value and a newline, indented: all there is to say. */
void output_json(struct output *out, const struct json *json) NONNULL;
/** One of many JSON values, each on a line of its own. */
void output_json_line(struct output *out, const struct json *json) NONNULL;
/** A line of a document for programs: printed as it is, with --json too. */
void output_code(struct output *out, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);

/** What --json answers, to set keys of; borrowed until output_end().  Without --json
 * nobody sees it. */
struct json *output_answer(struct output *out) NONNULL;
/** The lines said so far, which then are no part of "sentence"; owned by the caller. */
char *output_take_said(struct output *out) NONNULL MUST_CHECK;
/**
 * The end of a verb.  With --json, when nothing was printed: its answer, or
 * `mirror.error/1` for a failure.
 *
 * @verb
 *         "config check": its schema is mirror.config-check/1.
 * @status
 *         The exit status.
 * @failure
 *         Told already, by output_error(); code 0 for none.
 */
void output_end(struct output *out, const char *verb, int status,
	const struct err *failure) NONNULL;

/** A word in its tone, when colour is on; ends with the tone off. */
void output_word(struct output *out, enum output_tone tone, const char *word) NONNULL;

/** A message, unless --quiet. */
void output_note(struct output *out, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);
/** A message that --quiet does not silence: something is not as it should be. */
void output_warn(struct output *out, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);
/** "mirror: <sentence>", and "  next: <what to do>" below it. */
void output_error(struct output *out, const struct err *err) NONNULL;

/** A bar on a terminal with rate and time left; @total 0 is unknown.  Cheap to call
 * often. */
void output_progress(struct output *out, const char *what, uint64_t done, uint64_t total)
	NONNULL;
/** Take the bar away. */
void output_progress_done(struct output *out) NONNULL;

/** "12.3 MiB" into @text. */
enum {
	OUTPUT_SIZE_MAX = 32,
	OUTPUT_BAR_MAX = 320,
};
void output_size(uint64_t bytes, char text[OUTPUT_SIZE_MAX]) NONNULL;
/** The bar's line, without colour; for output_progress() and its test. */
void output_bar(const char *what, uint64_t done, uint64_t total, int64_t elapsed_ms,
	char text[OUTPUT_BAR_MAX]) NONNULL;

/** Ask yes or no; false at once with --no-input. */
bool output_ask(struct output *out, const char *question) NONNULL;
/** Ask for a line of text, without its newline and the blanks around it; "" at once with
 * --no-input. */
void output_ask_text(struct output *out, const char *question, char *text, size_t size)
	NONNULL;

/** Write what is left; NO_SPACE or IO when standard output did not take it all. */
int output_finish(struct output *out, struct err *err) NONNULL MUST_CHECK;

#endif
