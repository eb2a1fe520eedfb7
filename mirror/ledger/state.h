// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/state - the words for what became of a path, and why.
 *
 *     char reason[LEDGER_REASON_MAX];
 *
 *     ledger_reason(reason, LEDGER_KIND_REGENERABLE, "node_modules");
 *     printf("%s: %s\n", ledger_state_word(LEDGER_EXCLUDED), reason);
 *
 * Knows: path (to escape).
 * Owns:  nothing; everything here is a table or a pure function.
 * Never: holds a word twice: commands, API, health and commit trailers all read these.
 */

#ifndef LEDGER_STATE_H
#define LEDGER_STATE_H

#include "base/base.h"

/**
 * Every state, once: name, word, is the content safe?  (I8): on disk = the sum of all but
 * the last.  The order is stored in the database: new ones are added before UNACCOUNTED
 * only together with a migration.
 */
// clang-format off
#define LEDGER_STATE_TABLE(X) \
	X(MIRRORED,    "mirrored",    true) \
	X(REDACTED,    "redacted",    true) \
	X(SEALED,      "sealed",      true) \
	X(SNAPSHOTTED, "snapshotted", true) \
	X(EXCLUDED,    "excluded",    false) \
	X(PENDING,     "pending",     false) \
	X(FAILED,      "failed",      false) \
	X(UNACCOUNTED, "unaccounted", false)

/**
 * What sort of reason it is: name, word.  A reason is the word alone or, for the first
 * group, "word:detail".  Stored as numbers in the tally: append only.
 */
#define LEDGER_KIND_TABLE(X) \
	X(NONE,             "") \
	X(RULE,             "rule") \
	X(REGENERABLE,      "regenerable") \
	X(PART_OF,          "part-of") \
	X(TOO_LARGE,        "too-large") \
	X(SPECIAL,          "special") \
	X(GIT_INTERNALS,    "git-internals") \
	X(OTHER_FILESYSTEM, "other-filesystem") \
	X(OWN_STATE,        "own-state") \
	X(CHANGED,          "changed") \
	X(UNSTABLE,         "unstable") \
	X(HELD_SHRINK,      "held:shrink") \
	X(HELD_SECRET,      "held:secret") \
	X(HELD_SCAN_ERROR,  "held:scan-error") \
	X(EACCES,           "EACCES") \
	X(EPERM,            "EPERM") \
	X(EIO,              "EIO") \
	X(OTHER,            "other") \
	X(WINDOW,           "window")
// clang-format on

enum ledger_state {
#define LEDGER_STATE_(name, word, safe) LEDGER_##name,
	LEDGER_STATE_TABLE(LEDGER_STATE_)
#undef LEDGER_STATE_
	LEDGER_NSTATES_,
};

enum ledger_kind {
#define LEDGER_KIND_(name, word) LEDGER_KIND_##name,
	LEDGER_KIND_TABLE(LEDGER_KIND_)
#undef LEDGER_KIND_
	LEDGER_NKINDS_,
};

enum {
	/** States a row can have; `unaccounted` exists in reports only. */
	LEDGER_NSTATES = LEDGER_UNACCOUNTED,
	LEDGER_NKINDS = LEDGER_NKINDS_,
	/** Bytes of a reason with its NUL; a longer detail keeps its end. */
	LEDGER_REASON_MAX = 1024,
};

/** "mirrored"; a literal. */
const char *ledger_state_word(enum ledger_state state);
/** The way back; false when @word is no state (`unaccounted` is one). */
bool ledger_state_parse(const char *word, enum ledger_state *ret_state) NONNULL;

/** Is the content of such a path in the backup?  Accounted for is not protected. */
bool ledger_is_protected(enum ledger_state state);

/** "too-large"; a literal. */
const char *ledger_kind_word(enum ledger_kind kind);

/**
 * The kind of a reason: "rule:mirror.toml:7" is RULE.  What no word matches is OTHER (an
 * errno not in the table); no reason, and the rule ids of redacted and sealed, are NONE.
 */
enum ledger_kind ledger_kind_of(enum ledger_state state, const char *reason) NONNULL;

/**
 * Compose a reason.
 *
 * @detail
 *         Behind the colon, made printable; NULL or "" for none.
 */
void ledger_reason(char text[LEDGER_REASON_MAX], enum ledger_kind kind,
	const char *detail) NONNULL_ARGS(1);

/** The reason of a failure: "EACCES"; "E<number>" when the C library has no name. */
void ledger_reason_errno(char text[LEDGER_REASON_MAX], int sys) NONNULL;

#endif
