// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/literal_fast - the same search by Hyperscan (or Vectorscan), where it is built
 * in.
 *
 * Knows: base.  literal_hyperscan.c is the only file that speaks Hyperscan;
 *        literal_portable.c stands in its place elsewhere.
 * Owns:  the database, which never changes, and a pool of scratch for threads.
 * Never: is needed: whoever gets NULL searches by himself.
 */

#ifndef SCANNER_LITERAL_FAST_H
#define SCANNER_LITERAL_FAST_H

#include "base/base.h"
#include "scanner/literal.h"

struct literal_fast;

/** NULL when it is not built in, or not on this machine.  Takes some milliseconds. */
struct literal_fast *
literal_fast_new(const struct literal *list, size_t count) MUST_CHECK;
/** Accepts NULL. */
void literal_fast_free(struct literal_fast *fast);

/** As literals_find(); any number of threads, and the callback may search again. */
int literal_fast_find(struct literal_fast *fast, const char *text, size_t len,
	literal_fn *fn, void *payload) NONNULL_ARGS(1, 2, 4);

#endif
