// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/remote_look - does the remote answer, may we write there, and what is there
 * already?
 *
 *     struct remote_look look;
 *
 *     if (remote_look(config, &look, err) < 0) ...       // it does not, and what to do
 *     remote_look_print(out, config, &look);
 *
 * Knows: config, brain (push, repo), output.
 * Owns:  an empty repository below /tmp while it asks, when there is no brain repository.
 * Never: sends anything, makes the brain repository, asks for a password.
 */

#ifndef CLI_REMOTE_LOOK_H
#define CLI_REMOTE_LOOK_H

#include "base/base.h"
#include "brain/oid.h"

struct config;
struct err;
struct output;

enum {
	REMOTE_LOOK_NAMES = 3,
};

/** Whose is the branch that we are to write? */
enum remote_branch {
	REMOTE_BRANCH_NEW,
	/** The brain repository here has the commit it is at. */
	REMOTE_BRANCH_OURS,
	/** Written by somebody else, or by this machine before it was lost. */
	REMOTE_BRANCH_OTHER,
};

struct remote_look {
	enum remote_branch branch;
	/** Where the branch is; zero when it is new. */
	struct oid commit;
	/** Other machines' branches, and the first few by name; owned. */
	uint64_t others;
	char *names[REMOTE_LOOK_NAMES];
};

/** Only with a remote.  REMOTE, TIMEOUT, DENIED, INVALID, NOT_FOUND (no git). */
int remote_look(const struct config *config, struct remote_look *ret_look,
	struct err *err) NONNULL MUST_CHECK;
void remote_look_done(struct remote_look *look) NONNULL;

/** Two lines, as part of a plan or of an answer. */
void remote_look_print(struct output *out, const struct config *config,
	const struct remote_look *look) NONNULL;

#endif
