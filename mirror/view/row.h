// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/row - a path of the ledger as everybody is shown it: the command line, the API and
 * the page say the same.
 *
 * Knows: ledger's words, json.
 * Owns:  nothing; pure.
 * Never: says nothing: there is always a next step, or that none is needed.
 */

#ifndef VIEW_ROW_H
#define VIEW_ROW_H

#include "base/base.h"
#include "ledger/state.h"

struct json;
struct ledger_row;

/** What a person can do about a path in this state, for this reason; a literal. */
const char *view_next(enum ledger_state state, enum ledger_kind kind);

/** Was a secret found in it? */
bool view_is_secret(const struct ledger_row *row) NONNULL;

/** One row as every list shows it; owned by the caller. */
struct json *
view_row(const char *path, size_t len, const struct ledger_row *row) NONNULL MUST_CHECK;

/** The same path in a list of secrets: which rules, how many; never a secret. */
struct json *view_secret(const char *path, size_t len, const struct ledger_row *row)
	NONNULL MUST_CHECK;

/** An RFC 3339 date, or null for 0. */
void view_date(struct json *object, const char *key, int64_t at_ms) NONNULL;

#endif
