// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/fold - from rows to trees: every marked folder becomes a git tree and a sidecar
 * text, deepest first, up to the top.
 *
 * Knows: round, content, crew, ledger, brain (tree, sidecar, plain).
 * Owns:  the rule that a folder's tree is a function of its rows and its subfolders'
 *        trees, so that tree and ledger cannot drift apart.
 * Never: touches a folder that nobody marked: cost follows the change.
 */

#ifndef AGENT_FOLD_H
#define AGENT_FOLD_H

#include "base/base.h"

struct err;
struct oid;
struct round;

/** Fold everything marked; *ret_tree is the new top-level tree (the old one when nothing
 * changed, zero when there is nothing at all). */
int fold(struct round *round, struct oid *ret_tree, struct err *err) NONNULL MUST_CHECK;

#endif
