// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/databases.h"

#include "agent/kit.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/pack.h"
#include "config/config.h"
#include "config/places.h"
#include "health/record.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"
#include "vault/offsite.h"
#include "vault/owner.h"
#include "vault/place.h"
#include "vault/snapshot.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * What the ledger remembers of a database, as meta "db:<path>":
 *
 *     snapshot <started ms> <blob hex | - | secret>
 *     plain <ctime ns>        the magic is there, and SQLite says it is no database
 *     damaged <ctime ns>
 *
 * The last two hold until the file changes.
 */

enum {
	DATABASES_MAX = 10000
};

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
	ret_cover->known = true;
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

// ---- the job

struct waiting {
	char **paths;
	size_t count;
	size_t capacity;
};

static int
note_waiting(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct waiting *waiting = payload;

	if ((row->flags & LEDGER_ROW_DATABASE) == 0 || waiting->count >= DATABASES_MAX) {
		return 0;
	}
	waiting->paths = xgrow(waiting->paths, waiting->count, &waiting->capacity,
		sizeof(waiting->paths[0]));
	waiting->paths[waiting->count++] = xmemdup0(path, len);
	return 0;
}

// "<root>/<rel>" to where it is on disk; NULL when the root is not watched.
static char *
disk_path(const struct config *config, const char *path)
{
	const char *slash = strchr(path, '/');

	for (size_t i = 0; slash != NULL && i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];

		if (strlen(watch->name) == (size_t)(slash - path) &&
			strncmp(watch->name, path, (size_t)(slash - path)) == 0) {
			return path_join(watch->path, slash + 1);
		}
	}
	return NULL;
}

static const struct config_database *
configured(const struct config *config, const char *where)
{
	for (size_t i = 0; i < config->ndatabases; i++) {
		if (strcmp(config->databases[i].path, where) == 0) {
			return &config->databases[i];
		}
	}
	return NULL;
}

// A checked snapshot becomes a blob when it is small enough and holds no secret.  The
// blob waits in the repository for the next cycle.
static int
store_blob(struct kit *kit, const char *path, const struct snapshot *taken,
	char blob[OID_HEX_MAX], struct err *err)
{
	AUTO(redaction_done) struct redaction clean = { .out = { .max = 1 } };
	AUTO(buf_done)
	struct buf bytes = { .max = (size_t)kit->config->sqlite.git_max + 1 };
	AUTO(pack_abortp) struct pack *pack = NULL;
	AUTO_FREE char *plain = xasprintf("%s.plain", taken->path);
	struct scan_input input = { .path = path };
	struct pack_stats stats;
	struct oid oid;
	int64_t end_ms = clock_mono_ms() + kit->config->sqlite.timeout_ms;

	(void)snprintf(blob, OID_HEX_MAX, "-");
	if (taken->entry.bytes > kit->config->sqlite.git_max ||
		taken->entry.recipient != NULL) {
		return 0;
	}
	(void)unlink(plain);
	if (archive_open(taken->path, plain, NULL, taken->entry.bytes, end_ms, err) < 0 ||
		file_read(AT_FDCWD, plain, &bytes, err) < 0) {
		(void)unlink(plain);
		return err_wrap(err, "open the snapshot of %s", path);
	}
	(void)unlink(plain);
	input.data = buf_text(&bytes);
	input.len = bytes.len;
	if (redact_bytes(kit->scanner, &input, &clean, err) < 0 ||
		clean.outcome != REDACT_CLEAN) {
		// Could not scan is not clean (I2).
		err_clear(err);
		(void)snprintf(blob, OID_HEX_MAX, "secret");
		return 0;
	}
	if (pack_begin(kit->repo, &pack, err) < 0 ||
		pack_add(pack, OBJECT_BLOB, input.data, input.len, &oid, err) < 0 ||
		pack_finish(STEAL(pack), &stats, err) < 0) {
		return err_wrap(err, "store the snapshot of %s", path);
	}
	(void)oid_hex(&oid, blob);
	return 0;
}

static int
remember(struct kit *kit, const char *path, const char *kind, int64_t number,
	const char *blob, struct err *err)
{
	AUTO_FREE char *key = meta_key(path);
	AUTO_FREE char *value = xasprintf("%s %" PRId64 " %s", kind, number, blob);

	if (ledger_begin(kit->ledger, err) < 0 ||
		ledger_meta_set(kit->ledger, key, value, err) < 0 ||
		ledger_commit(kit->ledger, err) < 0) {
		ledger_rollback(kit->ledger);
		return err_wrap(err, "remember the snapshot of %s", path);
	}
	return 0;
}

static void
tell(struct kit *kit, const char *path, enum health_state state, const char *text,
	const struct snapshot *taken)
{
	AUTO_FREE char *identity = NULL;
	struct err ignored;
	struct record_db db = { .name = path, .state = state, .text = text };

	if (state != HEALTH_HEALTHY) {
		db.action = "mirror db list";
	}
	if (taken != NULL) {
		identity = xasprintf("%llu:%llu", (unsigned long long)taken->identity.dev,
			(unsigned long long)taken->identity.inode);
		db.identity = identity;
		db.bytes = taken->entry.bytes;
	}
	// Evidence that cannot be written grows old and says so.
	(void)!record_db(kit->evidence, &db, &ignored);
}

static void
tell_taken(
	struct kit *kit, const char *path, const struct snapshot *taken, const char *blob)
{
	AUTO_FREE char *text = NULL;

	if (taken->replaced) {
		text = xasprintf(
			"another database stands at its place (device or inode changed)");
		tell(kit, path, HEALTH_DEGRADED, text, taken);
		return;
	}
	if (taken->entry.shrunk[0] != '\0') {
		text = xasprintf("it lost most of its rows: %s", taken->entry.shrunk);
		tell(kit, path, HEALTH_DEGRADED, text, taken);
		return;
	}
	text = xasprintf("snapshot of %" PRId64 " bytes, %" PRId64 " rows, checked%s",
		taken->entry.bytes, taken->entry.found.rows,
		strcmp(blob, "secret") == 0 ? "; secrets in its rows keep it out of git"
					    : "");
	tell(kit, path, HEALTH_HEALTHY, text, taken);
}

static int
prune_and_send(struct kit *kit, const char *dir, struct err *err)
{
	const struct config *config = kit->config;
	struct retain_policy policy = {
		.hourly = (unsigned int)config->sqlite.hourly,
		.daily = (unsigned int)config->sqlite.daily,
		.monthly = (unsigned int)config->sqlite.monthly,
	};
	// One folder for each machine: a manifest knows only its own.
	AUTO_FREE char *remote = config_offsite(config);
	struct offsite_plan plan = {
		.remote = remote,
		.lock_dir = kit->state_dir,
		.timeout_ms = config->sqlite.timeout_ms,
	};
	AUTO_FREE char *limit = NULL;
	struct manifest manifest;
	int result;

	if (manifest_open(dir, MANIFEST_WRITE, SNAPSHOT_LOCK_MS, &manifest, err) < 0) {
		return err->code;
	}
	result = manifest_prune(
		&manifest, &policy, clock_now_ms(), false, NULL, NULL, err);
	if (result >= 0 && config_has_offsite(config)) {
		if (config->sqlite.bandwidth > 0) {
			limit = xasprintf("%" PRId64 "B", config->sqlite.bandwidth);
			plan.bandwidth = limit;
		}
		result = offsite_send_all(&plan, &manifest, err);
		if (result >= 0) {
			result = offsite_prune(
				&plan, &manifest, &policy, clock_now_ms(), false, err);
		}
	}
	manifest_close(&manifest);
	return MIN_OF(result, 0);
}

static int
take_one(struct kit *kit, const char *path, const char *where,
	databases_progress_fn *progress, void *payload, struct snapshot *taken,
	struct err *err)
{
	const struct config *config = kit->config;
	const struct config_database *database = configured(config, where);
	AUTO_FREE char *dir = databases_dir(config, path);
	AUTO_FREE char *parent = xmemdup0(dir, (size_t)(strrchr(dir, '/') - dir));
	struct snapshot_plan plan = {
		.self = kit->self,
		.path = where,
		.dir = dir,
		.name = path,
		.timeout_ms = config->sqlite.timeout_ms,
		.provenance = PROVENANCE_SCHEDULED,
		.recipient = config->sqlite.recipient,
		.level = ARCHIVE_LEVEL,
		.progress = progress,
		.payload = payload,
	};

	if (database != NULL) {
		plan.owner = database->owner;
		plan.owner_tool = database->tool;
	}
	if (file_make_dirs(parent, 0700, err) < 0) {
		return err->code;
	}
	return snapshot_take(&plan, taken, err);
}

// One database from start to end; 1 taken, 0 unchanged or no database after all.
static int
snapshot_one(struct kit *kit, const char *path, databases_progress_fn *progress,
	void *payload, struct err *err)
{
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	AUTO_FREE char *where = disk_path(kit->config, path);
	AUTO_FREE char *dir = databases_dir(kit->config, path);
	char blob[OID_HEX_MAX] = "-";
	int64_t started_ms = clock_now_ms();

	if (where == NULL) {
		return err_raise(err, ERR_NOT_FOUND, "%s is watched no more", path);
	}
	if (take_one(kit, path, where, progress, payload, &taken, err) < 0) {
		if (taken.why == SNAPSHOT_NOT_A_DATABASE ||
			taken.why == SNAPSHOT_DAMAGED) {
			bool plain = taken.why == SNAPSHOT_NOT_A_DATABASE;

			if (!plain) {
				tell(kit, path, HEALTH_FAILED, err->msg, NULL);
			}
			return remember(kit, path, plain ? "plain" : "damaged",
				started_ms, "-", err);
		}
		tell(kit, path, HEALTH_FAILED, err->msg, NULL);
		return err->code;
	}
	if (store_blob(kit, path, &taken, blob, err) < 0 ||
		remember(kit, path, "snapshot", started_ms, blob, err) < 0) {
		return err->code;
	}
	tell_taken(kit, path, &taken, blob);
	if (prune_and_send(kit, dir, err) < 0) {
		return err_wrap(err, "%s: keep", path);
	}
	return taken.unchanged ? 0 : 1;
}

int
databases_snapshot(struct kit *kit, databases_fn *fn, databases_progress_fn *progress,
	void *payload, struct databases_report *ret_report, struct err *err)
{
	struct ledger_filter filter = { .by_state = true, .state = LEDGER_PENDING };
	struct waiting waiting = { 0 };
	int result = ledger_each(kit->ledger, &filter, note_waiting, &waiting, err);

	memset(ret_report, 0, sizeof(*ret_report));
	for (size_t i = 0; i < waiting.count; i++) {
		struct err why = { 0 };
		int got = result < 0
			? result
			: snapshot_one(kit, waiting.paths[i], progress, payload, &why);

		if (got == ERR_CANCELLED && result >= 0) {
			*err = why;
			result = got;
		}
		if (got < 0) {
			if (ret_report->failed++ == 0) {
				(void)snprintf(ret_report->first,
					sizeof(ret_report->first), "%.100s: %.190s",
					waiting.paths[i], why.msg);
			}
		} else {
			ret_report->taken += (size_t)got;
			ret_report->unchanged += got == 0;
			if (fn != NULL) {
				fn(waiting.paths[i], payload);
			}
		}
		free(waiting.paths[i]);
	}
	free(waiting.paths);
	return MIN_OF(result, 0);
}
