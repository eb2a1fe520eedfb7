// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/shown - a name as others may see it, and the way back to the disk.
 *
 *     if (shown_name(scanner, "token-AKIA....db", &shown, err) > 0) ...    // it was cut
 *     where = shown_find(scanner, "/home/kim/notes", "REDACTED.aws-....db", err);
 *
 * Knows: scanner, ledger (walk).
 * Owns:  nothing; texts are owned by the caller.
 * Never: puts a real name into an error (I3).
 */

#ifndef AGENT_SHOWN_H
#define AGENT_SHOWN_H

#include "base/base.h"

struct err;
struct scanner;

/** @return 1 a secret was cut out of it, 0 it is shown as it is, or negative. */
int shown_name(struct scanner *scanner, const char *name, char **ret_shown,
	struct err *err) NONNULL MUST_CHECK;

/** Does it hold a mark, so that the name on the disk may be another? */
bool shown_has_mark(const char *shown) NONNULL;

/**
 * Which file below @root is shown as @rel?
 *
 * @ret_hidden
 *         Its real name holds a secret: it may be told to nobody.
 * @return
 *         Owned by the caller; NULL: NOT_FOUND and what the scanner says.
 */
char *shown_find(struct scanner *scanner, const char *root, const char *rel,
	bool *ret_hidden, struct err *err) NONNULL MUST_CHECK;

#endif
