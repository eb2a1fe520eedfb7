// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/own - mirror's own state, as databases like any other.
 *
 *     for (size_t i = 0; i < OWN_NFILES_; i++) {
 *             path = own_path(state_dir, i);            // ".../ledger.sqlite"
 *             dir = own_dir(i);                         // where its snapshots are
 *     }
 *     own_apply(state_dir, self, timeout_ms);           // at a start, before it is
 * opened
 *
 * Knows: config (places), vault (place, restore), jobqueue (lock).
 * Owns:  the one table of its files.
 * Never: replaces a file that a process has open, applies anything without the runner's
 *        lock, or stops a start: a bad staged file is set aside and told.
 */

#ifndef AGENT_OWN_H
#define AGENT_OWN_H

#include "base/base.h"

enum own_file {
	OWN_LEDGER,
	OWN_QUEUE,
	OWN_EVIDENCE,
	OWN_NFILES_,
};

enum {
	/** Others may read the state while a start waits for it; never longer. */
	OWN_WAIT_MS = 5000,
};

/** "ledger"; a literal. */
const char *own_word(enum own_file file);
/** The way back, from "ledger" or "state:ledger"; false: neither. */
bool own_parse(const char *word, enum own_file *ret_file) NONNULL;
/** "state:ledger", its name among the databases; a literal. */
const char *own_name(enum own_file file);

/** Its place on disk; owned by the caller. */
char *own_path(const char *state_dir, enum own_file file) NONNULL MUST_CHECK;
/** Its folder of snapshots and staged restores; owned by the caller. */
char *own_dir(enum own_file file) MUST_CHECK;

/**
 * Put in place what was staged for the state, before anything opens it.  With nothing
 * staged this is three lookups.
 *
 * Afterwards the state is opened as always: migrated forward, locks reclaimed, and the
 * first cycle looks everywhere.
 *
 * @return
 *         How many files were put in place.
 */
size_t own_apply(const char *state_dir, const char *self, int64_t timeout_ms) NONNULL;

#endif
