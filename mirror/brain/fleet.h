// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/fleet - several machines, one remote: who we are, and who else was heard of.
 *
 *     fleet_self_load(git_dir, "laptop", &self, err);      // made when missing
 *     fleet_beat_store(git_dir, &beat, &blob, err);        // a blob, not yet pushed
 *     switch (fleet_judge(&self, &blob, &theirs)) ...      // may we write there?
 *
 * Each machine alone writes refs/heads/host/<name>, and beside it its heartbeat:
 * refs/mirror/state/<name>, a blob of JSON with who wrote it, when, and how it is.
 *
 *     <git dir>/mirror/machine     our identity: a random id, what we last left at the
 *                                  remote, and what may have arrived without our knowing
 *     <git dir>/mirror/fleet.git   a small bare repository for heartbeats, so that their
 *                                  coming and going leaves nothing in the brain
 *
 * Two machines with one name have two ids.  A copied disk has our id, so ids alone do not
 * tell it: heartbeats are counted, and one with our id that we did not write, and that is
 * not older than our last, is a copy's.
 *
 * Knows: base (spawn: git), oid.
 * Owns:  the two things above.
 * Never: talks to a remote (brain/push does); puts into a heartbeat anything but the
 *        verdict; is part of a commit.
 */

#ifndef BRAIN_FLEET_H
#define BRAIN_FLEET_H

#include "base/base.h"
#include "brain/oid.h"

struct err;

enum {
	FLEET_ID_MAX = 33,
	FLEET_HOST_MAX = 256,
	FLEET_SENTENCE_MAX = 800,
	FLEET_STATE_MAX = 16,
	/** One heartbeat; a longer one is not read. */
	FLEET_BEAT_MAX = 16 * 1024,
	/** Heartbeats that were on their way when something failed. */
	FLEET_PENDING_MAX = 8,
	/** Heartbeats read in one go. */
	FLEET_MACHINES_MAX = 10000,
};

#define FLEET_REFS "refs/mirror/state/"

struct fleet_self {
	/** 32 hex digits, random; never leaves the git directory but in heartbeats. */
	char machine[FLEET_ID_MAX];
	/** The name they were written under. */
	char host[FLEET_HOST_MAX];
	/** How many heartbeats have arrived. */
	int64_t count;
	/** The last that did; zero: none yet. */
	struct oid last;
	struct oid pending[FLEET_PENDING_MAX];
	size_t npending;
	/** When and in which state the last one was. */
	int64_t at_ms;
	char state[FLEET_STATE_MAX];
	/** Whose place we took over, an id; or "". */
	char took[FLEET_ID_MAX];
};

/** Read, or make with a new id, who we are under the name @host.  With another name than
 * before nothing is known to stand at the remote. */
int fleet_self_load(const char *git_dir, const char *host, struct fleet_self *ret_self,
	struct err *err) NONNULL MUST_CHECK;
int fleet_self_save(const char *git_dir, const struct fleet_self *self, struct err *err)
	NONNULL MUST_CHECK;
/** A new id in the place of @theirs, whose heartbeat @blob stands at the remote (zero:
 * none does).  From now on we may replace it, and they may not replace ours. */
struct fleet_beat;
int fleet_self_take_over(const char *git_dir, const char *host, const struct oid *blob,
	const struct fleet_beat *theirs, struct err *err) NONNULL MUST_CHECK;
/** @blob is about to be sent: remember it, for it may arrive and we not hear of it. */
void fleet_self_sending(struct fleet_self *self, const struct oid *blob) NONNULL;
/** @blob has arrived. */
void fleet_self_sent(struct fleet_self *self, const struct oid *blob) NONNULL;

struct fleet_beat {
	char host[FLEET_HOST_MAX];
	char machine[FLEET_ID_MAX];
	int64_t count;
	int64_t at_ms;
	/** "healthy", and the sentence of the verdict. */
	char state[FLEET_STATE_MAX];
	char sentence[FLEET_SENTENCE_MAX];
	/** The commit it goes with, hex; or "". */
	char commit[OID_HEX_MAX];
	char took[FLEET_ID_MAX];
	/** Not part of the text: its name as an object, when fleet_each() read it. */
	struct oid blob;
};

/** As JSON with a newline; owned by the caller.  And back: INVALID. */
char *fleet_beat_write(const struct fleet_beat *beat) NONNULL MUST_CHECK;
int fleet_beat_parse(const char *text, size_t len, struct fleet_beat *ret_beat,
	struct err *err) NONNULL MUST_CHECK;

enum fleet_verdict {
	/** It is ours, or nobody's. */
	FLEET_OURS,
	/** Another machine writes under this name. */
	FLEET_TAKEN,
	/** A copy of this disk does. */
	FLEET_COPY,
};
/** May we replace @theirs, which stands there as @blob?  Pure. */
enum fleet_verdict fleet_judge(const struct fleet_self *self, const struct oid *blob,
	const struct fleet_beat *theirs) NONNULL;
/** Do we know that blob for ours, without reading it?  Pure. */
bool fleet_is_ours(const struct fleet_self *self, const struct oid *blob) NONNULL;

// ---- the repository of heartbeats

/** Made when missing; its path, owned by the caller. */
int
fleet_store(const char *git_dir, char **ret_store, struct err *err) NONNULL MUST_CHECK;
int fleet_beat_store(const char *git_dir, const struct fleet_beat *beat,
	struct oid *ret_blob, struct err *err) NONNULL MUST_CHECK;
/** NOT_FOUND, INVALID. */
int fleet_beat_read(const char *git_dir, const struct oid *blob,
	struct fleet_beat *ret_beat, struct err *err) NONNULL MUST_CHECK;

/** Every heartbeat that was fetched, in order of names; one that cannot be read is left
 * out.  Anything but 0 ends the walk and is returned. */
typedef int fleet_fn(const struct fleet_beat *beat, void *payload);
int fleet_each(const char *git_dir, fleet_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;

#endif
