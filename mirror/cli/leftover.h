// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/leftover - the first few files that are not protected, and what to do about them.
 *
 * Knows: ledger, config's places, output, view/status.
 * Owns:  nothing.
 * Never: says nothing when there is something: a ledger that cannot be read is told.
 */

#ifndef CLI_LEFTOVER_H
#define CLI_LEFTOVER_H

#include "cli/output.h"
#include "ledger/ledger.h"

struct json;

/** Failed ones first, then pending ones; nothing when @totals has none. */
void leftover_print(struct output *out, const struct ledger_totals *totals) NONNULL;

/** The same of a list that view_leftovers() made, here or elsewhere. */
void leftover_print_list(struct output *out, const struct json *list, int64_t failed,
	int64_t pending) NONNULL_ARGS(1);

/** The ledger of this machine, to read; NOT_FOUND with the next step. */
int leftover_open_ledger(struct ledger **ret_ledger, struct err *err) NONNULL MUST_CHECK;

#endif
