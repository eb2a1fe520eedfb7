// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/rejoin - our own commits that only the remote still has, put back below ours.
 *
 *     here     1 - 2 - (3 is gone) - 4 - 5        remote     1 - 2 - 3
 *     after    1 - 2 - 3 - 4' - 5'
 *
 * The last commit was gone and the remote could not be asked: files were kept on upon the
 * one before (kit_head()).  When the remote answers again it has what we lost, and git
 * calls the two diverged.  They are not: what came after it is put upon it, and the push
 * is a plain one.  The same when somebody moved our branch back in our repository.
 *
 * Knows: kit, brain (pack, commit, push, home), ledger (the head).
 * Owns:  nothing.
 * Never: takes up what we did not lose ourselves (home_lost()): another machine's commits
 *        are diverged, and after a purge nothing comes back.
 */

#ifndef AGENT_REJOIN_H
#define AGENT_REJOIN_H

#include "base/base.h"

struct err;
struct kit;
struct oid;
struct push_options;

/** The branch is at @head, and the ledger knows another commit: was it moved to before
 * that one?  Then that is lost, and may come back.  @return 0, or negative. */
int
rejoin_note(struct kit *kit, const struct oid *head, struct err *err) NONNULL MUST_CHECK;

/**
 * @options
 *         As for the push that was refused; the remote stands at @remote.
 * @return
 *         1 the branch leads to @remote now, 0 it is nothing that we lost, or negative:
 *         the branch is where it was.
 */
int rejoin(struct kit *kit, const struct push_options *options, const struct oid *remote,
	struct err *err) NONNULL MUST_CHECK;

#endif
