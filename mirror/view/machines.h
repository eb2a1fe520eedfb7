// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/machines - who else keeps their files in this repository: branches and heartbeats,
 * one row a machine.
 *
 *     AUTO(view_machines_done) struct view_machines machines = { .own = "laptop" };
 *
 *     if (view_machines_look(repo, &machines, err) < 0) ...
 *     object = view_machines_json(&machines, clock_now_ms());
 *
 * Knows: brain (repo to read, fleet), health (from when on one is silent).
 * Owns:  its rows, until view_machines_done().
 * Never: asks a remote: what was fetched is what is told.
 */

#ifndef VIEW_MACHINES_H
#define VIEW_MACHINES_H

#include "base/base.h"
#include "brain/fleet.h"
#include "brain/oid.h"

struct err;
struct json;
struct repo;

struct view_machine {
	char *name;
	struct oid commit;
	/** Of the newest commit known here; 0: only the remote has it. */
	int64_t commit_ms;
	bool own;
	/** Its heartbeat; .at_ms is 0 without one. */
	struct fleet_beat beat;
};

struct view_machines {
	/** Our name; borrowed. */
	const char *own;
	struct view_machine *rows;
	size_t count;
	size_t capacity;
};
void view_machines_done(struct view_machines *machines) NONNULL;

/** Branches, then heartbeats, then sorted: this one first, the others by name. */
int view_machines_look(struct repo *repo, struct view_machines *machines, struct err *err)
	NONNULL MUST_CHECK;
/** One that only the remote told of. */
int view_machines_add(struct view_machines *machines, const char *name,
	const struct oid *commit, struct err *err) NONNULL MUST_CHECK;

/** When it was last heard of; 0: never. */
int64_t view_machine_seen_ms(const struct view_machine *row) NONNULL;
bool view_machine_is_silent(const struct view_machine *row, int64_t now_ms) NONNULL;

/** `mirror.machines/1`; owned by the caller. */
struct json *view_machines_json(const struct view_machines *machines, int64_t now_ms)
	NONNULL MUST_CHECK;

#endif
