// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/next - what a person can do about a path in this state.
 *
 * Knows: ledger's words.
 * Owns:  nothing; pure.
 * Never: says nothing: there is always a next step, or that none is needed.
 */

#ifndef SERVE_NEXT_H
#define SERVE_NEXT_H

#include "base/base.h"
#include "ledger/state.h"

struct ledger_row;

/** A literal. */
const char *next_step(enum ledger_state state, enum ledger_kind kind);

/** Was a secret found in it? */
bool next_is_secret(const struct ledger_row *row) NONNULL;

#endif
