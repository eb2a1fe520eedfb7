// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/args - what was typed, against a table of flags.
 *
 *     const struct flag *const tables[] = { verb->flags, common_flags };
 *     AUTO(args_done) struct args args = { 0 };
 *
 *     if (args_parse(tables, 2, argc, argv, &args, err) < 0) ...     // USAGE
 *     if (args_has(&args, "staged")) ...
 *     format = args_value(&args, "format");
 *
 * Knows: base.
 * Owns:  its two arrays; every text in them is borrowed from argv.
 * Never: guesses: an unknown flag is an error with the one that was probably meant.
 *
 *     --name  --name VALUE  --name=VALUE  -n  -n VALUE  -nVALUE  -abc  --  -
 */

#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/base.h"

struct err;

/** One flag.  A table of them ends with a row whose name is NULL. */
struct flag {
	/** Without its dashes. */
	const char *name;
	/** The short form, or 0. */
	char letter;
	/** What its value is called in help ("FILE"); NULL for a flag without one. */
	const char *value;
	/** The values there are, "text|json"; NULL when anything goes. */
	const char *words;
	/** One line for people; NULL hides it from help and completion. */
	const char *text;
};

struct args_given {
	const struct flag *flag;
	/** NULL for a flag without one. */
	const char *value;
};

struct args {
	struct args_given *given;
	size_t ngiven;
	/** What is no flag, in order. */
	const char **words;
	size_t nwords;
};

/**
 * Read @argv; of two flags with one name the one in the earlier table counts.
 *
 * @return
 *         0, or negative: USAGE.
 */
int args_parse(const struct flag *const tables[], size_t ntables, int argc,
	char *const argv[], struct args *ret_args, struct err *err) NONNULL MUST_CHECK;
void args_done(struct args *args) NONNULL;

/** Was it given? */
bool args_has(const struct args *args, const char *name) NONNULL;
/** Its last value, or NULL. */
const char *args_value(const struct args *args, const char *name) NONNULL;
/** Its value number @index among those given, or NULL: for flags that may repeat. */
const char *args_nth(const struct args *args, const char *name, size_t index) NONNULL;

/** The flag of that name ("json", no dashes), in order of the tables, or NULL. */
const struct flag *args_flag(const struct flag *const tables[], size_t ntables,
	const char *name, size_t len) NONNULL;

/** The nearest word to @word in "a|b|c", or "" when nothing is near: for messages.
 * Written to @text. */
const char *
args_near_word(const char *words, const char *word, char *text, size_t size) NONNULL;
/** Is @word one of "a|b|c"? */
bool args_is_word(const char *words, const char *word) NONNULL;

#endif
