// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/sealing - originals of what a cycle takes out, kept encrypted beside the commit.
 *
 *     original -> text -> keyed hash = the name of its place      same as before?  done
 *                  |                                                     | no
 *                  +---- age -r RECIPIENT ----> blob ----> .mirror/sealed/<name>
 *
 * What `age` makes is never the same twice, so the name is a keyed hash of the recipient,
 * the path and the text: a place that is there already is kept, and nothing changes.
 * Nobody without the repository's key can tell from a name what is in it.
 *
 * Knows: kit, config, brain (pack, sidecar, tree, worktree), ledger, vault (original,
 *        seal).
 * Owns:  what struct sealing holds, until sealing_end().
 * Never: has a private key; keeps a text once it is sealed.
 *
 * Threads: sealing_seal() on any; everything else on the walk's.
 */

#ifndef AGENT_SEALING_H
#define AGENT_SEALING_H

#include "base/base.h"
#include "base/err.h"
#include "brain/oid.h"
#include "ledger/ledger.h"
#include "vault/original.h"
#include "vault/seal.h"

struct round;

/** A place of the commit before, and its blob. */
struct sealing_place {
	uint8_t name[LEDGER_OID_LEN];
	struct oid blob;
};

/** The round's. */
struct sealing {
	/** Asked for, and there is a key. */
	bool on;
	/** Asked for, and there is none: what is sealed stays as it is. */
	bool keyless;
	/** The key is another one than in the cycle before: look at all of it again. */
	bool changed;
	char recipient[SEAL_RECIPIENT_MAX];
	/** Sorted by name; only when everything is made again. */
	struct sealing_place *places;
	size_t nplaces;
	size_t places_capacity;
	/** What could not be sealed and is held for that, and the first reason. */
	uint64_t failed;
	struct err failure;
};

/** What became of one original. */
struct sealing_result {
	struct ledger_oid place;
	/** The place is to be written: this blob. */
	bool fresh;
	struct oid blob;
};

/** Is there a key, is it the one of the cycle before, and, when everything is made again,
 * what has the commit before sealed?  Fills in @round's, until sealing_end(). */
int sealing_begin(struct round *round, struct err *err) NONNULL MUST_CHECK;
/** Accepts a round without one. */
void sealing_end(struct round *round) NONNULL;

/**
 * Seal, unless @old is the place of just this original.
 *
 * @path
 *         As shown.
 * @return
 *         0, or negative: NOT_FOUND (no `age`), INVALID (it refused), TIMEOUT, TOO_BIG;
 * and NO_SPACE, IO: the cycle cannot go on.
 */
int sealing_seal(struct round *round, const char *path, const struct original *original,
	const struct ledger_oid *old, struct sealing_result *ret_result, struct err *err)
	NONNULL MUST_CHECK;
/** Put it into the commit; in pack and browsable copy it is. */
void sealing_put(struct round *round, const struct sealing_result *result) NONNULL;
/** @now is in the place of @old, which is dropped unless it is the same. */
int sealing_replace(struct round *round, const struct ledger_oid *old,
	const struct ledger_oid *now, struct err *err) NONNULL MUST_CHECK;
/** Take a place out of both; one that is not set is fine. */
int sealing_drop(struct round *round, const struct ledger_oid *place, struct err *err)
	NONNULL MUST_CHECK;
/** Is it a reason to hold one file, and go on with the others? */
bool sealing_can_wait(const struct err *why) NONNULL;
/** Something was held because it could not be sealed. */
void sealing_note(struct round *round, const struct err *why) NONNULL;

/** Must a row or folder with that place be looked at again because of it? */
bool sealing_is_stale(const struct round *round, const struct ledger_oid *place) NONNULL;
/** Everything is made again: the place stays as the commit before has it. */
void sealing_keep(struct round *round, const struct ledger_oid *place) NONNULL;

/** Seal the true name of a folder that is shown under another one, or stop to.
 * @ret_changed: its text must be written again, and it be stored. */
int sealing_folder(struct round *round, struct ledger_folder *folder, const char *path,
	const char *name, bool *ret_changed, struct err *err) NONNULL MUST_CHECK;

#endif
