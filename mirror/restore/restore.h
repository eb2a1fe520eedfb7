// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/restore - bring a tree back to the disk.
 *
 *     struct restore_options options = {
 *             .repo = repo, .commit = commit,
 *             .paths = (const char *const[]){ "notes/todo.md" }, .npaths = 1,
 *             .to = "/tmp/back",                       // /tmp/back/notes/todo.md
 *             .told = print_path, .payload = out,
 *     };
 *     struct restore_result result;
 *
 *     if (restore_run(&options, &result, err) < 0) ...
 *     if (result.count[RESTORE_CONFLICT] > 0) ...
 *
 * Knows: base, brain (to read), ledger/walk, listing, place, stage, told, undo.
 * Owns:  nothing after the call but what it was asked to write.
 * Never: follows a symbolic link below the target, replaces what differs unless a safety
 *        copy was kept (undo), removes what the backup does not hold, shows a file that
 * is not whole, on disk and read back; asks a question.
 *
 * Every path is told once.  A run that ended early, however it ended, is carried on by
 * the same call again: what stands there already and is right is kept.
 *
 * Without a sidecar the git tree alone is restored, with the modes git knows.
 */

#ifndef RESTORE_RESTORE_H
#define RESTORE_RESTORE_H

#include "base/base.h"
#include "restore/options.h"

struct err;

/**
 * Restore.
 *
 * @ret_result
 *         Filled in also after a failure: what was done until then.
 * @return
 *         0 (look at the counts), or negative: NOT_FOUND (no such path in the commit),
 *         NO_SPACE, DENIED (the target), CANCELLED, EXISTS (the target is no folder).
 */
int restore_run(const struct restore_options *options, struct restore_result *ret_result,
	struct err *err) NONNULL MUST_CHECK;

#endif
