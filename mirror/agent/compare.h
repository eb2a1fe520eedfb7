// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/compare - git trees read back from the repository, against the rows of the
 * ledger.
 *
 *     if (compare_marked(round, &count, err) < 0) ...    // what this cycle made
 *     if (compare_all(round, &count, err) < 0) ...       // all of it
 *
 * Knows: round, content, crew, ledger, brain (pack, repo, tree).
 * Owns:  nothing.
 * Never: believes what it was told while the trees were made: they are read from the
 * disk, from the sealed pack or from the repository.
 */

#ifndef AGENT_COMPARE_H
#define AGENT_COMPARE_H

#include "base/base.h"

#include <stdint.h>

struct err;
struct round;

/**
 * The trees of the folders that this cycle folded.
 *
 * @ret_count
 *         How many entries were compared.
 * @ret_folders
 *         In how many folders.
 * @return
 *         0, or negative: CORRUPT names a path that differs.
 */
int compare_marked(struct round *round, uint64_t *ret_count, uint64_t *ret_folders,
	struct err *err) NONNULL MUST_CHECK;

/** The same for every folder the ledger knows, those of this cycle among them; not those
 * of a root that is not there. */
int
compare_all(struct round *round, uint64_t *ret_count, struct err *err) NONNULL MUST_CHECK;

#endif
