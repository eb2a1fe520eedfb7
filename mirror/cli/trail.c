// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/trail.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "brain/tree.h"

#include <stdlib.h>
#include <string.h>

// One folder on the way, as it was the last time, and what its name led to.
struct level {
	struct oid tree;
	struct trail_spot spot;
};

struct trail {
	struct repo *repo;
	// One text; each name ends with NUL.
	char *path;
	const char **names;
	struct level *levels;
	size_t count;
	struct buf raw;
};

struct trail *
trail_new(struct repo *repo, const char *path)
{
	struct trail *trail = xcalloc(1, sizeof(*trail));
	size_t most = strlen(path) / 2 + 1;

	trail->repo = repo;
	trail->path = xstrdup(path);
	trail->raw.max = TREE_RAW_MAX;
	trail->names = xcalloc(most, sizeof(*trail->names));
	trail->levels = xcalloc(most, sizeof(*trail->levels));
	for (char *rest = trail->path, *name; (name = strsep(&rest, "/")) != NULL;) {
		trail->names[trail->count++] = name;
	}
	return trail;
}

void
trail_free(struct trail *trail)
{
	if (trail == NULL) {
		return;
	}
	buf_done(&trail->raw);
	free(trail->names);
	free(trail->levels);
	free(trail->path);
	free(trail);
}

void
trail_freep(struct trail **trail)
{
	trail_free(*trail);
	*trail = NULL;
}

// Look for the name in the folder.
static int
read_level(struct trail *trail, size_t at, const struct oid *tree, struct err *err)
{
	struct level *level = &trail->levels[at];
	struct trail_spot spot = { .mode = 0 };
	struct tree_entry entry;
	struct tree_iter iter;
	int more;

	buf_clear(&trail->raw);
	if (repo_read(trail->repo, tree, OBJECT_TREE, &trail->raw, err) < 0) {
		return err->code;
	}
	iter = (struct tree_iter){ buf_text(&trail->raw),
		buf_text(&trail->raw) + trail->raw.len };
	while ((more = tree_next(&iter, &entry, err)) > 0) {
		if (strcmp(entry.name, trail->names[at]) == 0) {
			spot = (struct trail_spot){ entry.mode, entry.oid };
			break;
		}
	}
	if (more < 0) {
		return more;
	}
	*level = (struct level){ *tree, spot };
	return 0;
}

int
trail_at(struct trail *trail, const struct oid *tree, struct trail_spot *ret_spot,
	struct err *err)
{
	struct trail_spot spot = { TREE_FOLDER, *tree };

	for (size_t i = 0; i < trail->count && spot.mode != 0; i++) {
		if (spot.mode != TREE_FOLDER) {
			spot = (struct trail_spot){ .mode = 0 };
			break;
		}
		if (!oid_equal(&trail->levels[i].tree, &spot.oid) &&
			read_level(trail, i, &spot.oid, err) < 0) {
			return err->code;
		}
		spot = trail->levels[i].spot;
	}
	*ret_spot = spot;
	return 0;
}

bool
trail_same(const struct trail_spot *left, const struct trail_spot *right)
{
	return left->mode == right->mode && oid_equal(&left->oid, &right->oid);
}
