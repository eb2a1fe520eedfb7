// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/databases.h"

#include "agent/kit.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/fact.h"
#include "vault/place.h"
#include "vault/restore_db.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * What the ledger remembers of a database, as meta "db:<path>":
 *
 *     snapshot <started ms> <blob hex | - | secret>
 *     plain <ctime ns>        the magic is there, and SQLite says it is no database
 *     damaged <ctime ns>
 *     late <ended ms>         the time limit was over: not tried again for a while
 *
 * "plain" and "damaged" hold until the file changes.
 */

static char *
meta_key(const char *path)
{
	return xasprintf("db:%s", path);
}

int
databases_cover(struct ledger *ledger, const char *path,
	struct databases_cover *ret_cover, struct err *err)
{
	AUTO_FREE char *key = meta_key(path);
	const char *value = NULL;
	char kind[16] = "";
	char blob[OID_HEX_MAX] = "";

	memset(ret_cover, 0, sizeof(*ret_cover));
	if (ledger_meta_get(ledger, key, &value, err) < 0) {
		return err->code;
	}
	if (value == NULL ||
		sscanf(value, "%15s %" SCNd64 " %40s", kind, &ret_cover->started_ms,
			blob) < 2) {
		return 0;
	}
	ret_cover->late = strcmp(kind, "late") == 0;
	ret_cover->known = !ret_cover->late;
	ret_cover->plain = strcmp(kind, "plain") == 0;
	ret_cover->damaged = strcmp(kind, "damaged") == 0;
	ret_cover->secret = strcmp(blob, "secret") == 0;
	if (!oid_parse(blob, &ret_cover->blob)) {
		memset(&ret_cover->blob, 0, sizeof(ret_cover->blob));
	}
	return 0;
}

enum databases_verdict
databases_judge(const struct databases_cover *cover, int64_t newest_ms, int64_t every_ms,
	int64_t now_ms)
{
	int64_t age_ms = now_ms - cover->started_ms;

	if (cover->late) {
		return age_ms >= 0 && age_ms < every_ms ? DATABASES_LATE : DATABASES_DUE;
	}
	if (!cover->known || cover->plain || cover->damaged) {
		return DATABASES_DUE;
	}
	// A write in the same tick as the beginning may or may not be in it.
	if (newest_ms < cover->started_ms && cover->started_ms <= now_ms) {
		return DATABASES_CURRENT;
	}
	return age_ms >= 0 && age_ms < every_ms ? DATABASES_RECENT : DATABASES_DUE;
}

char *
databases_dir(const struct config *config, const char *path)
{
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *top = path_join(data, "snapshots");

	(void)config;
	return vault_place(top, path);
}

const struct config_database *
databases_configured(const struct config *config, const char *where)
{
	for (size_t i = 0; i < config->ndatabases; i++) {
		if (strcmp(config->databases[i].path, where) == 0) {
			return &config->databases[i];
		}
	}
	return NULL;
}

bool
databases_is_outside(const struct config *config, const struct config_database *database)
{
	for (size_t i = 0; i < config->nwatches; i++) {
		if (path_is_beneath(database->path, config->watches[i].path)) {
			return false;
		}
	}
	return true;
}

// ---- still true

struct seen {
	struct kit *kit;
	int result;
	struct err *err;
};

// What its last snapshot said holds: the cycle has just found nothing newer, or nothing
// that is due.
static int
see_one(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct seen *seen = payload;
	AUTO_FREE char *whole = xmemdup0(path, len);
	AUTO_FREE char *name = NULL;
	struct evidence_row known;

	if ((row->flags & LEDGER_ROW_DATABASE) == 0) {
		return 0;
	}
	name = xasprintf(
		"%s:%s", fact_word(FACT_DB), databases_name(seen->kit->config, whole));
	if (evidence_get(seen->kit->evidence, name, &known, seen->err) <= 0 ||
		known.state == HEALTH_FAILED || known.state == HEALTH_UNKNOWN) {
		return 0;
	}

	const struct evidence_fact fact = {
		.name = name,
		.state = known.state,
		.text = known.text,
		.action = known.action,
		.value = known.value,
		.detail = known.detail,
	};
	return evidence_put(seen->kit->evidence, &fact, seen->err);
}

struct stale {
	const struct config *config;
	char name[HEALTH_NAME_MAX];
};

// A fact whose database goes by another name by now, or whose name was taken out of the
// configuration.
static int
find_stale(const struct evidence_row *row, void *payload)
{
	struct stale *stale = payload;
	const struct config *config = stale->config;
	const char *name = row->name + strlen("db:");

	if (strncmp(row->name, "db:", strlen("db:")) != 0) {
		return 0;
	}
	for (size_t i = 0; i < config->ndatabases; i++) {
		if (strcmp(config->databases[i].name, name) == 0) {
			return 0;
		}
	}
	if (strchr(name, '/') != NULL && databases_name(config, name) == name) {
		return 0;
	}
	(void)snprintf(stale->name, sizeof(stale->name), "%s", row->name);
	return 1;
}

static int
forget_stale(struct kit *kit, struct err *err)
{
	struct stale stale = { .config = kit->config };
	int got;

	while ((got = evidence_each(kit->evidence, find_stale, &stale, err)) > 0) {
		if (evidence_forget(kit->evidence, stale.name, err) < 0) {
			return err->code;
		}
	}
	return got;
}

int
databases_seen(struct kit *kit, struct err *err)
{
	struct ledger_filter filter = { .by_state = true, .state = LEDGER_SNAPSHOTTED };
	struct seen seen = { .kit = kit, .err = err };
	struct ledger_totals totals;

	if (forget_stale(kit, err) < 0 || ledger_totals(kit->ledger, &totals, err) < 0) {
		return err->code;
	}
	if (totals.state[LEDGER_SNAPSHOTTED].files == 0) {
		return 0;
	}
	return MIN_OF(ledger_each(kit->ledger, &filter, see_one, &seen, err), 0);
}

const char *
databases_name(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->ndatabases; i++) {
		const struct config_database *database = &config->databases[i];
		AUTO_FREE char *own = config_ledger_path(config, database->path);

		if (strcmp(own != NULL ? own : database->name, path) == 0) {
			return database->name;
		}
	}
	return path;
}

// ---- what a killed restore left

void
databases_resume(void)
{
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *top = path_join(data, "snapshots");
	DIR *dir = opendir(top);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		AUTO_FREE char *path = path_join(top, entry->d_name);
		struct err err;
		// BUSY: somebody is at work in it, nobody died.
		int bad = entry->d_name[0] != '.' ? restore_db_resume(path, &err) : 0;

		if (bad > 0) {
			log_warn(
				"%d staged restores in %s are not what was checked; "
				"leaving them aside; next: mirror db restore NAME --list",
				bad, path);
		}
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
}
