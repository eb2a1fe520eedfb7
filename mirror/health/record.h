// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/record - what the engine measured, put down as dated evidence.
 *
 *     if (record_sweep(evidence, &(struct record_sweep){
 *                 .seen = result.seen, .unaccounted = result.unaccounted,
 *         }, err) < 0) ...
 *
 * One function a measurement: names and sentences stand here, so that agent and commands
 * need not know them, and facts.c reads what this file wrote.
 *
 * Knows: evidence, brain (object names, why a push failed).
 * Owns:  the names of evidence that is not itself a fact.
 * Never: measures.  Texts given to it have passed the scanner (I3); paths are those of
 *        the ledger, which holds no secret names.
 *
 * Every function returns 0 or a negative code of evidence_put().  A failure to write is
 * told and survived: old evidence expires (I9).
 */

#ifndef HEALTH_RECORD_H
#define HEALTH_RECORD_H

#include "base/base.h"
#include "brain/oid.h"
#include "brain/push.h"
#include "health/fact.h"

struct err;
struct evidence;
struct ledger;

/** Evidence that is not itself a fact. */
#define RECORD_START "agent.start"
#define RECORD_STOP "agent.stop"
#define RECORD_CYCLE "cycle"
#define RECORD_DIRTY "dirty"
#define RECORD_CLOCK "clock.jump"
#define RECORD_REMOTE "push.verified"
/** Which remote that was: record_push.place. */
#define RECORD_PLACE "push.place"
/** The condition of the fact `push` that a person may accept: the branch is made anew. */
#define RECORD_PUSH_GONE "gone"
/** What people were told last (evidence_see()), and the last ping. */
#define RECORD_NOTIFIED "notify.verdict"
#define RECORD_PINGED "notify.ping"
/** When the heartbeats of the other machines were last looked at. */
#define RECORD_MACHINES_LOOK "machines.look"
/** A machine not heard of for longer is silent. */
#define RECORD_SILENT_MS (INT64_C(2) * 24 * 60 * 60 * 1000)
/** When the whole repository was last read, or first written. */
/** The last drill that could not be carried out, when an older one could: its reason. */
#define RECORD_DRILL_TRIED "drill.tried"
#define RECORD_VERIFIED "integrity.all"
/** Which commit the ledger describes, 40 hex digits: a key for ledger_meta_set(). */
#define RECORD_META_HEAD "head"
/** That one and the ones before it, newest first, a space between two. */
#define RECORD_META_HEADS "heads"
/** So many of them. */
#define RECORD_HEADS_MAX 32
/** Not 0: the rules changed, and some files were not read with them yet. */
#define RECORD_META_OWED "rules.owed"
/** The ledger's file in the state folder. */
#define RECORD_LEDGER "ledger.sqlite"
/** A counter: evidence_events(). */
#define RECORD_OVERFLOW "overflow"

/** `mirror run` begins, and ends in good order.  `--once` records neither. */
int record_start(struct evidence *evidence, struct err *err) NONNULL MUST_CHECK;
int record_stop(struct evidence *evidence, struct err *err) NONNULL MUST_CHECK;

/** A cycle ended well. */
struct record_cycle {
	/** Zero when there is no commit yet. */
	struct oid commit;
	/** Bytes the repo and the state grew by: what the next one may need. */
	int64_t bytes;
	int64_t duration_ms;
};
int record_cycle(struct evidence *evidence, const struct record_cycle *cycle,
	struct err *err) NONNULL MUST_CHECK;

/** The oldest change that is not yet in a commit was noticed at @since_ms; 0: none. */
int record_dirty(struct evidence *evidence, int64_t since_ms, struct err *err)
	NONNULL MUST_CHECK;

/** A full sweep ended: disk walk, ledger and git tree compared. */
struct record_sweep {
	/** Paths the walk met, and those that ledger or tree do not agree about. */
	int64_t seen;
	int64_t unaccounted;
	/** Was every protected row's object looked up in the tree? */
	bool tree_compared;
	/** The first few that disagree; may be NULL. */
	const char *paths;
	int64_t duration_ms;
};
/** Writes `completeness` and, when @ledger is not NULL, `exclusions`. */
int record_sweep(struct evidence *evidence, struct ledger *ledger,
	const struct record_sweep *sweep, struct err *err) NONNULL_ARGS(1, 3, 4)
	MUST_CHECK;

/** Objects were re-read and hashed: what a cycle wrote, or everything.  Damage stays told
 * until everything was read and found whole. */
struct record_integrity {
	bool everything;
	/** A cycle looked for every object of the last commit: what cycles found missing
	 * is answered. */
	bool whole;
	int64_t objects;
	int64_t bad;
	/** The first bad one, or what fsck said; may be NULL. */
	const char *what;
};
int record_integrity(struct evidence *evidence, const struct record_integrity *integrity,
	struct err *err) NONNULL MUST_CHECK;

/** A push, or a look at the remote (push_look()), ended. */
struct record_push {
	/** What should be there. */
	struct oid head;
	enum push_reason reason;
	/** What ls-remote said; zero: unknown or nothing. */
	struct oid remote;
	/** A word that is another for another remote. */
	const char *place;
	/** push_result.said and err.next; may be NULL. */
	const char *said;
	const char *next;
};
int record_push(struct evidence *evidence, const struct record_push *push,
	struct err *err) NONNULL MUST_CHECK;

/**
 * A person wants every file read again: @asked_ms by the wall clock; the run that did it
 * puts 0 down, unless it was asked for anew meanwhile.
 */
#define RECORD_REHASH "rehash.asked"
int record_rehash(struct evidence *evidence, int64_t asked_ms, struct err *err)
	NONNULL MUST_CHECK;

/**
 * What stands in the history before our own commits: nobody's scanner of ours saw it,
 * until `mirror secrets history` has read all of it.
 */
#define RECORD_HISTORY "secrets.history"
/** @commits of somebody else's lead to the branch; 0: none. */
int record_adopted(struct evidence *evidence, int64_t commits, struct err *err)
	NONNULL MUST_CHECK;
/** All of the history was scanned, and @found are in it; nothing to put down when there
 * was nothing to scan. */
int record_history(struct evidence *evidence, int64_t found, struct err *err)
	NONNULL MUST_CHECK;

/** The heartbeats of the other machines at the remote were looked at. */
struct record_machines {
	int64_t others;
	/** Not heard of for RECORD_SILENT_MS. */
	int64_t silent;
	/** The one silent for longest, and its last sign; NULL: none is. */
	const char *longest;
	int64_t longest_ms;
};
/** Writes `machines`, or forgets it when there are no others. */
int record_machines(struct evidence *evidence, const struct record_machines *machines,
	struct err *err) NONNULL MUST_CHECK;

/** The scanner tried its canaries. */
struct record_secrets {
	int64_t canaries;
	int64_t missed;
	/** The first rule that missed; may be NULL. */
	const char *rule;
};
int record_secrets(struct evidence *evidence, const struct record_secrets *secrets,
	struct err *err) NONNULL MUST_CHECK;

struct record_watches {
	/** Folders to watch, watches placed, the kernel's limit (0: unknown). */
	int64_t needed;
	int64_t placed;
	int64_t limit;
	/** Why watching fails altogether; NULL when it does not. */
	const char *trouble;
};
int record_watches(struct evidence *evidence, const struct record_watches *watches,
	struct err *err) NONNULL MUST_CHECK;

/** The wall clock jumped by @jump_ms against the other one (backwards: negative). */
int record_clock(struct evidence *evidence, int64_t jump_ms, struct err *err)
	NONNULL MUST_CHECK;

/** A snapshot of a database ended, or was found to be still current. */
struct record_db {
	/** "notes", without "db:". */
	const char *name;
	enum health_state state;
	const char *text;
	/** NULL when healthy. */
	const char *action;
	int64_t bytes;
	/** Its identity ("dev:inode:..."); may be NULL. */
	const char *identity;
};
int record_db(struct evidence *evidence, const struct record_db *db, struct err *err)
	NONNULL MUST_CHECK;

/** Off-site objects were read back. */
struct record_offsite {
	int64_t objects;
	int64_t bad;
	/** Why it could not be done; NULL when it was. */
	const char *trouble;
	const char *next;
};
int record_offsite(struct evidence *evidence, const struct record_offsite *offsite,
	struct err *err) NONNULL MUST_CHECK;

enum record_outcome {
	RECORD_PASSED,
	RECORD_FAILED,
	/** Could not be carried out: neither good nor bad. */
	RECORD_INCONCLUSIVE,
};
struct record_drill {
	enum record_outcome outcome;
	int64_t files;
	int64_t differ;
	/** Databases that are encrypted and were hashed, not opened. */
	int64_t sealed;
	int64_t duration_ms;
	/** The first difference, or why it could not be carried out; may be NULL. */
	const char *what;
	/** The same for programs, kept as the evidence's detail; may be NULL. */
	const char *numbers;
};
int record_drill(struct evidence *evidence, const struct record_drill *drill,
	struct err *err) NONNULL MUST_CHECK;

#endif
