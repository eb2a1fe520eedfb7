// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/restore_db - a snapshot back to where a program reads it: beside, or staged.
 *
 *     restore_db_beside(&plan, file, target, &found, err);       // the default
 *
 *     restore_db_stage(&plan, file, &staged, err);               // in place, two steps
 *     restore_db_apply(&plan, staged.id, &applied, err);
 *     restore_db_undo(&plan, applied.id, &undone, err);
 *
 * Knows: base, child, incoming, manifest, restore_record.
 * Owns:  <dir>/restore/: one JSON record and at most two files for each restore.
 * Never: stages what was not checked, applies what was not checked again, touches a
 *        database that a process has open, loses what is only in its WAL, or lets a bad
 *        file stop a start.
 *
 *     stage            apply                       undo
 *       -----> STAGED ------> APPLYING ---> APPLIED -----> (a new one, with the
 *                |                | killed: resume          safety copy, applied)
 *                | cancel         v
 *                +----> gone   STAGED or APPLIED
 */

#ifndef VAULT_RESTORE_DB_H
#define VAULT_RESTORE_DB_H

#include "base/base.h"
#include "vault/incoming.h"
#include "vault/inspect.h"
#include "vault/restore_record.h"

struct err;

enum {
	/** Safety copies of applied restores kept for restore_db_undo(). */
	RESTORE_KEPT = 10,
};

/**
 * Check @file (plain, .zst or .age) and write it to @target, a path where nothing is.
 *
 * @return
 *         0; INVALID (not a whole database; "wrong_database: ..." when it is another
 *         one; a newer schema), DENIED (key), EXISTS, NO_SPACE, TIMEOUT.
 */
int
restore_db_beside(const struct restore_plan *plan, const char *file, const char *target,
	struct inspect *ret_found, struct err *err) NONNULL MUST_CHECK;

/** Check @file and keep it for restore_db_apply().  What was staged before is replaced
 * only after this one passed.  Fails as restore_db_beside(). */
int restore_db_stage(const struct restore_plan *plan, const char *file,
	struct restore_record *ret_staged, struct err *err) NONNULL MUST_CHECK;

/**
 * Check again, make a safety copy through SQLite, put it in place: whole or not at all.
 * Mode and owner stay; so does the journal mode.
 *
 * @return
 *         0; BUSY (a process has the database open: the message names it), INVALID (no
 *         longer what was checked: set aside), NOT_FOUND, DENIED, NO_SPACE, TIMEOUT.
 */
int restore_db_apply(const struct restore_plan *plan, const char *id,
	struct restore_record *ret_applied, struct err *err) NONNULL MUST_CHECK;

/** Apply the safety copy of an applied restore; makes a safety copy itself. */
int restore_db_undo(const struct restore_plan *plan, const char *id,
	struct restore_record *ret_applied, struct err *err) NONNULL MUST_CHECK;

/** Forget a staged or bad one.  INVALID when it was applied. */
int
restore_db_cancel(const char *dir, const char *id, struct err *err) NONNULL MUST_CHECK;

/**
 * At each start: finish or take back what a killed process was doing.  Bad files are set
 * aside; returns how many were, negative only when the folder itself cannot be read.
 */
int restore_db_resume(const char *dir, struct err *err) NONNULL MUST_CHECK;

#endif
