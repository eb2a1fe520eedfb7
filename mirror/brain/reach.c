// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/reach.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Git's own programs go no deeper; what is below that we did not write.
enum {
	DEPTH_MAX = 4096
};

struct reach {
	// Sorted once the walk is over.
	struct oid *oids;
	size_t count;
	size_t capacity;
	struct reach_missing missing;
};

// Where the walk is: the folders from the top down to this one.
struct spot {
	const struct spot *above;
	const char *name;
	struct repo *repo;
	struct reach *reach;
	int depth;
};

static char *
path_of(const struct spot *spot, const char *name)
{
	char *path = xstrdup(name);

	for (; spot != NULL && spot->name != NULL; spot = spot->above) {
		AUTO_FREE char *below = path;

		path = path_join(spot->name, below);
	}
	return path;
}

static void
note_missing(const struct spot *spot, const char *name)
{
	struct reach_missing *missing = &spot->reach->missing;

	if (missing->count++ == 0) {
		AUTO_FREE char *path = path_of(spot, name);
		AUTO_FREE char *printable = path_short(path);

		(void)snprintf(missing->first, sizeof(missing->first), "%s", printable);
	}
}

static void
note_there(struct reach *reach, const struct oid *oid)
{
	reach->oids = xgrow(
		reach->oids, reach->count, &reach->capacity, sizeof(reach->oids[0]));
	reach->oids[reach->count++] = *oid;
}

static int look_below(const struct spot *spot, const struct oid *tree);

static int
look_at(const struct repo_tree_entry *entry, void *payload)
{
	const struct spot *spot = payload;
	struct spot below = {
		.above = spot,
		.name = entry->name,
		.repo = spot->repo,
		.reach = spot->reach,
		.depth = spot->depth + 1,
	};

	switch (entry->kind) {
	case OBJECT_TREE:
		if (below.depth > DEPTH_MAX || look_below(&below, &entry->oid) < 0) {
			note_missing(spot, entry->name);
		}
		break;
	case OBJECT_BLOB:
		if (repo_has(spot->repo, &entry->oid)) {
			note_there(spot->reach, &entry->oid);
		} else {
			note_missing(spot, entry->name);
		}
		break;
	default:
		// A commit of another repository: not ours, and not here.
		break;
	}
	return 0;
}

static int
look_below(const struct spot *spot, const struct oid *tree)
{
	struct err ignored;

	if (repo_list_tree(spot->repo, tree, look_at, (void *)(uintptr_t)spot, &ignored) <
		0) {
		return -1;
	}
	note_there(spot->reach, tree);
	return 0;
}

static int
by_oid(const void *left, const void *right)
{
	return oid_compare(left, right);
}

struct reach *
reach_new(struct repo *repo, const struct oid *tree)
{
	struct reach *reach = xcalloc(1, sizeof(*reach));
	const struct spot top = { .repo = repo, .reach = reach };

	if (!oid_is_zero(tree) && look_below(&top, tree) < 0) {
		note_missing(&top, "");
	}
	if (reach->count > 1) {
		qsort(reach->oids, reach->count, sizeof(reach->oids[0]), by_oid);
	}
	return reach;
}

void
reach_free(struct reach *reach)
{
	if (reach != NULL) {
		free(reach->oids);
		free(reach);
	}
}

void
reach_freep(struct reach **reach)
{
	reach_free(*reach);
	*reach = NULL;
}

bool
reach_has(const struct reach *reach, const struct oid *oid)
{
	return reach->count > 0 &&
		bsearch(oid, reach->oids, reach->count, sizeof(reach->oids[0]), by_oid) !=
		NULL;
}

size_t
reach_count(const struct reach *reach)
{
	return reach->count;
}

const struct reach_missing *
reach_missing(const struct reach *reach)
{
	return &reach->missing;
}
