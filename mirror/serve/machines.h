// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/machines - whose branches the brain repo knows, and how old each is.
 *
 * Knows: desk, brain (to read), config.
 * Owns:  nothing.
 * Never: asks a remote: what was fetched is what is told.
 */

#ifndef SERVE_MACHINES_H
#define SERVE_MACHINES_H

#include "base/base.h"
#include "brain/oid.h"

struct desk;
struct err;

enum {
	MACHINES_MAX = 1000,
};

struct machine {
	const char *name;
	bool is_this;
	struct oid commit;
	int64_t at_ms;
};
/** Anything but 0 ends it. */
typedef int machines_fn(const struct machine *machine, void *payload);

/** By name, each once (its newest commit).  The repository is open. */
int machines_each(struct desk *desk, machines_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;

#endif
