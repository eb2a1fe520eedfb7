// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/leftover - the first few files that are not protected, and what to do about them.
 *
 * Knows: ledger, config's places, output.
 * Owns:  nothing.
 * Never: says nothing when there is something: a ledger that cannot be read is told.
 */

#ifndef CLI_LEFTOVER_H
#define CLI_LEFTOVER_H

#include "cli/output.h"
#include "ledger/ledger.h"

/** Failed ones first, then pending ones; nothing when @totals has none. */
void leftover_print(struct output *out, const struct ledger_totals *totals) NONNULL;

/** The next step for a path in this state, for this reason; a literal. */
const char *leftover_next(enum ledger_state state, enum ledger_kind kind);

/** The ledger of this machine, to read; NOT_FOUND with the next step. */
int leftover_open_ledger(struct ledger **ret_ledger, struct err *err) NONNULL MUST_CHECK;

#endif
