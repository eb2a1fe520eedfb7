// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/beat - our heartbeat for the other machines, and a look at theirs.
 *
 *     if (beat_prepare(kit, hurried, &beat, err) < 0) ...
 *     options.self = &beat.self;
 *     options.beat = beat.blob;
 *     pushed = push_run(&options, &result, err);
 *     beat_sent(kit, &beat, &result);
 *     beat_look(kit, &options);
 *
 * Knows: kit, brain (fleet, push), health.
 * Owns:  when a heartbeat is due, and from when on a machine is silent.
 * Never: fails a push because of somebody else's silence.
 */

#ifndef AGENT_BEAT_H
#define AGENT_BEAT_H

#include "base/base.h"
#include "brain/fleet.h"
#include "brain/push.h"

struct err;
struct evidence;
struct kit;

enum {
	/** Unless the verdict changes or a person asks, one is enough for so long. */
	BEAT_EVERY_MS = 10 * 60 * 1000,
	/** The others are looked at so often while they are few; see
	 * beat_look_every_ms(). */
	BEAT_LOOK_MS = 60 * 60 * 1000,
	BEAT_LOOK_FEW = 50,
	BEAT_LOOK_HOURS_MAX = 24,
	/** And the remote for our own sake: its evidence is stale after 25 hours. */
	BEAT_IDLE_HOURS_MAX = 12,
	BEAT_LOOK_DEADLINE_MS = 60 * 1000,
};

struct beat {
	struct fleet_self self;
	/** What is to be sent; its object is zero when none is due. */
	struct fleet_beat what;
	struct oid blob;
};

/** Who we are and, when one is due, a new heartbeat for @commit with the verdict as it is
 * now.  That it arrives answers for `push`, which is left out of the verdict. */
int beat_prepare(struct kit *kit, const struct oid *commit, bool hurried,
	struct beat *ret_beat, struct err *err) NONNULL MUST_CHECK;

/** After a push. */
void
beat_sent(struct kit *kit, struct beat *beat, const struct push_result *result) NONNULL;

/** How often @others are looked at: each machine reads what all wrote, so the more there
 * are the rarer, and once a day at least.  Pure. */
int64_t beat_look_every_ms(int64_t others);

/** How often a machine that has nothing to push asks the remote and leaves a heartbeat: a
 * connection costs the names of all refs, so the more others the rarer; what that comes
 * to in a day has a limit.  Pure. */
int64_t beat_idle_every_ms(int64_t others);
/** That, for as many as were last heard of. */
int64_t beat_idle_ms(struct evidence *evidence) NONNULL;

/** When it is time: fetch the heartbeats of the others, put down who is silent. */
void beat_look(struct kit *kit, const struct push_options *options) NONNULL;

#endif
