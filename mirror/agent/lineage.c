// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/lineage.h"

#include "base/mem.h"
#include "brain/repo.h"
#include "restore/oids.h"

#include <stdlib.h>

/**
 * A stack of what is still to be told: a commit lies on it until those before it were
 * told, so it is looked at twice.
 */
struct spot {
	struct oid commit;
	bool opened;
};

struct walk {
	struct spot *spots;
	size_t nspots;
	size_t capacity;
	const struct oids *known;
};

static void
walk_done(struct walk *walk)
{
	free(walk->spots);
}

static void
push(struct walk *walk, const struct oid *commit)
{
	if (oids_find(walk->known, commit) != NULL) {
		return;
	}
	walk->spots =
		xgrow(walk->spots, walk->nspots, &walk->capacity, sizeof(walk->spots[0]));
	walk->spots[walk->nspots++] = (struct spot){ .commit = *commit };
}

// The first parent is told first.
static int
push_parents(const struct repo_commit *commit, void *payload)
{
	struct walk *walk = payload;

	for (size_t i = commit->nparents; i > 0; i--) {
		push(walk, &commit->parents[i - 1]);
	}
	return 0;
}

int
lineage_walk(struct repo *repo, const struct oid *from, struct oids *known,
	lineage_fn *fn, void *payload, struct err *err)
{
	AUTO(walk_done) struct walk walk = { .known = known };

	push(&walk, from);
	while (walk.nspots > 0) {
		struct spot *top = &walk.spots[walk.nspots - 1];
		struct oid commit = top->commit;
		int result;

		if (oids_find(known, &commit) != NULL) {
			walk.nspots--;
			continue;
		}
		if (!top->opened) {
			top->opened = true;
			result = repo_commit_at(repo, &commit, push_parents, &walk, err);
		} else {
			walk.nspots--;
			(void)oids_add(known, &commit, known->count);
			result = fn != NULL ? fn(repo, &commit, payload, err) : 0;
		}
		if (result != 0) {
			return result;
		}
	}
	return 0;
}
