// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/polled - looking again and again where nothing is heard: a network's folder,
 * FUSE, more folders than the kernel watches.
 *
 *     polled_choose(&polled, watch, nroots, now_ms);          // whenever the watch
 * changed if (polled_is_due(&polled, now_ms)) { polled_put(&polled, config, watch,
 * nroots, inbox, now_ms);  // then enqueue
 *     }
 *     polled_seen(&polled, now_ms);                           // the cycle is over
 *
 * Knows: config, watch, agent/inbox.
 * Owns:  nothing.
 * Never: takes more than a twentieth of the time: the longer a look takes, the rarer it
 *        is.  Never looks while everything is heard.
 */

#ifndef AGENT_POLLED_H
#define AGENT_POLLED_H

#include "base/base.h"

struct config;
struct inbox;
struct watch;

enum {
	/** Between two looks, at least. */
	POLLED_EVERY_MS = 30 * 1000,
	/** And so many times as long as one takes. */
	POLLED_REST = 20,
};

struct polled {
	/** By the steady clock; INT64_MAX when everything is heard, or a look is under
	 * way.
	 */
	int64_t due_ms;
	/** When the look under way began; 0: none is. */
	int64_t begun_ms;
};

/** Nothing to poll yet. */
void polled_init(struct polled *polled) NONNULL;

/** Is there something that is not heard?  @nroots as given to watch_open(). */
void polled_choose(struct polled *polled, const struct watch *watch, size_t nroots,
	int64_t now_ms) NONNULL;

bool polled_is_due(const struct polled *polled, int64_t now_ms) NONNULL;

/** Put every watched folder that is not heard into the inbox, whole. */
void
polled_put(struct polled *polled, const struct config *config, const struct watch *watch,
	size_t nroots, struct inbox *inbox, int64_t now_ms) NONNULL;

/** Everything put so far was looked at. */
void polled_seen(struct polled *polled, int64_t now_ms) NONNULL;

#endif
