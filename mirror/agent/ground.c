// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/ground.h"

#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"

#include <string.h>
#include <sys/stat.h>

static const char *const names[GROUND_FILES] = { "ledger.sqlite", "evidence.sqlite",
	"queue.sqlite" };

void
ground_look(const char *state_dir, struct ground *ret_ground)
{
	for (size_t i = 0; i < GROUND_FILES; i++) {
		AUTO_FREE char *path = path_join(state_dir, names[i]);
		struct stat info;

		ret_ground->inodes[i] = stat(path, &info) == 0 ? info.st_ino : 0;
	}
}

// A file that is busy or forbidden for now is no damage.
static bool
is_damaged(const char *path)
{
	AUTO(db_closep) struct db *db = NULL;
	int64_t tables = 0;
	struct err err = { 0 };
	int got = db_open(path, DB_READ, &db, &err);

	if (got == 0) {
		got = db_query_int(
			db, "SELECT count(*) FROM sqlite_master", 0, &tables, &err);
	}
	return got == ERR_CORRUPT || (got == 0 && tables == 0);
}

bool
ground_holds(const char *state_dir, const struct ground *before)
{
	struct ground now;

	ground_look(state_dir, &now);
	if (memcmp(&now, before, sizeof(now)) != 0) {
		return false;
	}
	for (size_t i = 0; i < GROUND_FILES; i++) {
		AUTO_FREE char *path = path_join(state_dir, names[i]);

		if (now.inodes[i] != 0 && is_damaged(path)) {
			return false;
		}
	}
	return true;
}

bool
ground_roots_moved(const struct config *config, struct ground_root *roots)
{
	bool moved = false;

	for (size_t i = 0; i < config->nwatches; i++) {
		struct ground_root now = { 0 };
		struct stat info;

		if (stat(config->watches[i].path, &info) == 0) {
			now = (struct ground_root){ info.st_dev, info.st_ino };
		}
		moved = moved || now.dev != roots[i].dev || now.inode != roots[i].inode;
		roots[i] = now;
	}
	return moved;
}
