// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/chain - folders on the disk, the way to the last ones kept open.
 *
 *     AUTO(chain_done) struct chain chain = { 0 };
 *
 *     if (chain_open(&chain, basefd, "notes/a/b/c", PLACE_AS_IS, &fd, err) < 0) ...
 *     if (chain_open(&chain, basefd, "notes/a/b/d", PLACE_AS_IS, &fd, err) < 0) ...
 *                                     \_______/ not walked again
 *
 * A walk that goes down opens one step for each folder instead of all of its path, and
 * one that goes up walks a path again only every CHAIN_MAX steps: two thousand levels
 * cost thousands of steps, not millions.
 *
 * Knows: place.
 * Owns:  at most CHAIN_MAX descriptors.
 * Never: follows a link; goes by a name when it has the folder itself.
 */

#ifndef RESTORE_CHAIN_H
#define RESTORE_CHAIN_H

#include "base/base.h"
#include "restore/place.h"

struct err;

enum {
	CHAIN_MAX = 64,
};

struct chain {
	/** The way that was walked last, and from where. */
	int basefd;
	char *rel;
	/** Folders on it, the deepest last: how much of `rel` leads there. */
	struct {
		size_t len;
		int fd;
	} links[CHAIN_MAX];
	size_t count;
};

/** Closes everything; the chain can be used again. */
void chain_done(struct chain *chain) NONNULL;

/** As place_open(). */
int chain_open(struct chain *chain, int basefd, const char *rel, enum place_way way,
	int *ret_fd, struct err *err) NONNULL MUST_CHECK;

#endif
