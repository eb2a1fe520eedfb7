// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/rewrite - change the configuration: right and whole, or not at all.
 *
 *     AUTO(rewrite_done) struct rewrite rewrite = { 0 };
 *
 *     if (rewrite_open(file, &rewrite, err) < 0) ...
 *     if (rewrite_save(&rewrite, text, len, err) < 0) ...      // CONFIG: nothing changed
 *
 * Knows: config.
 * Owns:  the bytes that were read, until rewrite_done().
 * Never: saves what does not parse, replaces a symbolic link by a file, or overwrites
 *        what somebody else saved in the meantime.
 */

#ifndef CLI_REWRITE_H
#define CLI_REWRITE_H

#include "base/base.h"
#include "base/buf.h"

#include <sys/types.h>

struct err;

struct rewrite {
	/** As given, for messages. */
	char *file;
	/** Where it really stands. */
	char *real;
	mode_t mode;
	struct buf text;
};

/** CONFIG: there is none. */
int rewrite_open(const char *file, struct rewrite *ret_rewrite, struct err *err)
	NONNULL MUST_CHECK;
void rewrite_done(struct rewrite *rewrite) NONNULL;

/** Does the file still hold what was read?  UNSTABLE when not. */
int rewrite_check(const struct rewrite *rewrite, struct err *err) NONNULL MUST_CHECK;
/** CONFIG (wrong), UNSTABLE (changed meanwhile), DENIED, NO_SPACE. */
int rewrite_save(struct rewrite *rewrite, const char *text, size_t len, struct err *err)
	NONNULL MUST_CHECK;

/**
 * The text with one more [[watch]]; owned by the caller.  @name may be NULL.
 */
char *rewrite_add_watch(const char *text, const char *path, const char *name)
	NONNULL_ARGS(1, 2) MUST_CHECK;
/**
 * The text without the [[watch]] that begins on @line: from there up to the next table
 * or the end, comments right above the next table stay.  Owned by the caller.
 */
char *rewrite_remove_table(const char *text, unsigned int line) NONNULL MUST_CHECK;
/**
 * The text with @key of [@section] set to the text @value: on @line when it is set
 * there, else below the section's head, else in a new section.  Owned by the caller.
 */
char *rewrite_set(const char *text, const char *section, const char *key,
	const char *value, unsigned int line) NONNULL MUST_CHECK;

#endif
