// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     ledger rows, [[database]] --> items --due?--> take --> blob --> told
 *                                     |                               |
 *                                     +-----------> keep: prune, send, look <--+
 *
 * One database's failure is told and costs the others nothing.  Each has its own time
 * limit, over all of its steps together.
 */

#include "agent/databases.h"

#include "agent/kit.h"
#include "agent/shown.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/pack.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/fact.h"
#include "health/record.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"
#include "vault/offsite.h"
#include "vault/snapshot.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DATABASES_MAX = 10000
};

#define WEEK_MS (INT64_C(7) * 86400000)

// One database of this run.
struct item {
	// "<root>/<rel>" as shown, or a configured name; owned.
	char *path;
	// Where it is on disk; owned, NULL when nothing there has this name.
	char *where;
	// Its real name may be told to nobody.
	bool hidden;
	bool due;
	bool taken;
	// When all of its steps must be over (monotonic).
	int64_t end_ms;
	struct err why;
};

struct run {
	struct kit *kit;
	bool daily;
	databases_progress_fn *progress;
	void *payload;
	struct item *items;
	size_t count;
	size_t capacity;
	// One rclone for all of them.
	struct rclone *session;
};

static void
run_done(struct run *run)
{
	offsite_end(run->session);
	for (size_t i = 0; i < run->count; i++) {
		free(run->items[i].path);
		free(run->items[i].where);
	}
	free(run->items);
}

// ---- which ones

static void
add_item(struct run *run, char *path, char *where, bool due)
{
	if (run->count >= DATABASES_MAX) {
		free(path);
		free(where);
		return;
	}
	run->items = xgrow(run->items, run->count, &run->capacity, sizeof(run->items[0]));
	run->items[run->count++] =
		(struct item){ .path = path, .where = where, .due = due };
}

static int64_t
write_ms(const char *where)
{
	static const char *const suffixes[] = { "", "-wal", "-journal" };
	int64_t newest_ms = 0;

	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name = xasprintf("%s%s", where, suffixes[i]);
		struct stat info;

		if (stat(name, &info) == 0) {
			int64_t ms = (int64_t)info.st_mtim.tv_sec * 1000 +
				info.st_mtim.tv_nsec / 1000000;

			newest_ms = MAX_OF(newest_ms, ms);
		}
	}
	return newest_ms;
}

// A row that waits is due, unless its last try ran into the limit a short while ago; one
// outside the watched folders has no row, and is judged by its own times.
static bool
is_due(struct kit *kit, const char *path, const char *outside)
{
	struct databases_cover cover;
	struct err ignored;
	int64_t newest_ms = outside != NULL ? write_ms(outside) : INT64_MAX;
	enum databases_verdict verdict;

	if (databases_cover(kit->ledger, path, &cover, &ignored) < 0) {
		return true;
	}
	// "No database" and "damaged" hold until it is written again.
	if (outside != NULL && (cover.plain || cover.damaged) &&
		newest_ms < cover.started_ms) {
		return false;
	}
	verdict = databases_judge(
		&cover, newest_ms, kit->config->sqlite.every_ms, clock_now_ms());
	return outside != NULL ? verdict == DATABASES_DUE : verdict != DATABASES_LATE;
}

static int
note_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct run *run = payload;
	AUTO_FREE char *whole = xmemdup0(path, len);
	bool due = row->state == LEDGER_PENDING;

	if ((row->flags & LEDGER_ROW_DATABASE) == 0) {
		return 0;
	}
	add_item(run, STEAL(whole), NULL, due);
	return 0;
}

// "<root>/<rel>" to where it is on disk.
static int
find_item(struct kit *kit, struct item *item, struct err *err)
{
	const struct config *config = kit->config;

	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		size_t len = strlen(watch->name);

		if (strncmp(watch->name, item->path, len) == 0 &&
			item->path[len] == '/') {
			item->where = shown_find(kit->scanner, watch->path,
				item->path + len + 1, &item->hidden, err);
			return item->where != NULL ? 0 : err->code;
		}
	}
	return err_raise(err, ERR_NOT_FOUND, "%s is watched no more", item->path);
}

// @all: those that wait for nothing as well, for what is kept of them.
static int
list_items(struct run *run, bool all, struct err *err)
{
	const struct config *config = run->kit->config;
	struct ledger_filter filter = { .by_state = !all, .state = LEDGER_PENDING };

	if (ledger_each(run->kit->ledger, &filter, note_row, run, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < run->count; i++) {
		struct item *item = &run->items[i];

		item->due =
			run->daily || (item->due && is_due(run->kit, item->path, NULL));
	}
	for (size_t i = 0; i < config->ndatabases; i++) {
		const struct config_database *database = &config->databases[i];

		if (databases_is_outside(config, database)) {
			add_item(run, xstrdup(database->name), xstrdup(database->path),
				run->daily ||
					is_due(run->kit, database->name, database->path));
		}
	}
	return 0;
}

bool
databases_are_due(struct kit *kit)
{
	AUTO(run_done) struct run run = { .kit = kit };
	struct ledger_totals totals;
	struct err ignored;

	if (kit->config->ndatabases == 0 &&
		ledger_totals(kit->ledger, &totals, &ignored) == 0 &&
		totals.kind[LEDGER_PENDING][LEDGER_KIND_CHANGED].files == 0) {
		return false;
	}
	if (list_items(&run, false, &ignored) < 0) {
		return true;
	}
	for (size_t i = 0; i < run.count; i++) {
		if (run.items[i].due) {
			return true;
		}
	}
	return false;
}

bool
databases_any(struct kit *kit)
{
	struct ledger_totals totals;
	struct err ignored;

	return kit->config->ndatabases > 0 ||
		(ledger_totals(kit->ledger, &totals, &ignored) == 0 &&
			totals.state[LEDGER_SNAPSHOTTED].files > 0);
}

// ---- one of them

// A checked snapshot becomes a blob when it is small enough and holds no secret.  The
// blob waits in the repository for the next cycle.
static int
store_blob(struct kit *kit, const struct item *item, const struct snapshot *taken,
	char blob[OID_HEX_MAX], struct err *err)
{
	AUTO(redaction_done) struct redaction clean = { .out = { .max = 1 } };
	AUTO(buf_done)
	struct buf bytes = { .max = (size_t)kit->config->sqlite.git_max + 1 };
	AUTO(pack_abortp) struct pack *pack = NULL;
	AUTO_FREE char *plain = xasprintf("%s.plain", taken->path);
	struct scan_input input = { .path = item->path };
	struct pack_stats stats;
	struct oid oid;

	(void)snprintf(blob, OID_HEX_MAX, "-");
	if (taken->entry.bytes > kit->config->sqlite.git_max ||
		taken->entry.recipient != NULL) {
		return 0;
	}
	(void)unlink(plain);
	if (archive_open(taken->path, plain, NULL, taken->entry.bytes, item->end_ms,
		    err) < 0 ||
		file_read(AT_FDCWD, plain, &bytes, err) < 0) {
		(void)unlink(plain);
		return err_wrap(err, "open the snapshot of %s", item->path);
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
		return err_wrap(err, "store the snapshot of %s", item->path);
	}
	(void)oid_hex(&oid, blob);
	return 0;
}

static int
remember(struct kit *kit, const char *path, const char *kind, int64_t number,
	const char *blob, struct err *err)
{
	AUTO_FREE char *key = xasprintf("db:%s", path);
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
tell(const struct config *config, struct evidence *evidence, const char *path,
	enum health_state state, const char *text, const struct snapshot *taken)
{
	AUTO_FREE char *identity = NULL;
	struct err ignored;
	struct record_db db = {
		.name = databases_name(config, path), .state = state, .text = text
	};

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
	(void)!record_db(evidence, &db, &ignored);
}

static bool
was_told(struct evidence *evidence, const char *name, const char *words)
{
	AUTO_FREE char *fact = xasprintf("%s:%s", fact_word(FACT_DB), name);
	struct evidence_row row;
	struct err ignored;

	return evidence_get(evidence, fact, &row, &ignored) > 0 &&
		strstr(row.text, words) != NULL;
}

void
databases_tell(const struct config *config, struct evidence *evidence, const char *path,
	const struct snapshot *taken, const char *kept_out, bool by_hand)
{
	static const char secrets[] = "secrets in its rows keep it out of git";
	enum health_state state = HEALTH_DEGRADED;
	AUTO_FREE char *text = NULL;

	// Only a run looks into the rows; what the last one saw stands.
	if (by_hand && was_told(evidence, databases_name(config, path), secrets)) {
		kept_out = secrets;
	}
	if (taken->replaced) {
		text = xasprintf(
			"another database stands at its place (device or inode changed)");
	} else if (taken->entry.shrunk[0] != '\0') {
		text = xasprintf("it lost most of its rows: %s", taken->entry.shrunk);
	} else {
		state = HEALTH_HEALTHY;
		text = xasprintf("snapshot of %" PRId64 " bytes, %" PRId64
				 " rows, checked%s%s%s",
			taken->entry.bytes, taken->entry.found.rows,
			by_hand ? ", by hand" : "", kept_out != NULL ? "; " : "",
			kept_out != NULL ? kept_out : "");
	}
	tell(config, evidence, path, state, text, taken);
}

static int
take_one(
	const struct run *run, struct item *item, struct snapshot *taken, struct err *err)
{
	const struct config *config = run->kit->config;
	const struct config_database *database =
		databases_configured(config, item->where);
	AUTO_FREE char *dir = databases_dir(config, item->path);
	AUTO_FREE char *parent = xmemdup0(dir, (size_t)(strrchr(dir, '/') - dir));
	struct snapshot_plan plan = {
		.self = run->kit->self,
		.path = item->where,
		.shown_path = item->hidden ? item->path : NULL,
		.dir = dir,
		.name = item->path,
		.timeout_ms = MAX_OF(item->end_ms - clock_mono_ms(), INT64_C(1)),
		.provenance = PROVENANCE_SCHEDULED,
		.recipient = config->sqlite.recipient,
		.level = ARCHIVE_LEVEL,
		.full_every_ms = run->daily ? WEEK_MS : 0,
		.progress = run->progress,
		.payload = run->payload,
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

// No snapshot.  What the message says may be the real name.
static int
take_failed(struct run *run, const struct item *item, const struct snapshot *taken,
	int64_t started_ms, struct err *err)
{
	struct kit *kit = run->kit;
	bool plain = taken->why == SNAPSHOT_NOT_A_DATABASE;
	enum err_code code = err->code;

	if (item->hidden) {
		(void)err_raise(
			err, code, "no snapshot (%s)", err_phrase((enum err_code)code));
	}
	// What vanished meanwhile is the next walk's news.
	if (code == ERR_CANCELLED || code == ERR_NOT_FOUND) {
		return code;
	}
	if (!plain) {
		tell(kit->config, kit->evidence, item->path, HEALTH_FAILED, err->msg,
			NULL);
	}
	if (plain || taken->why == SNAPSHOT_DAMAGED) {
		return remember(kit, item->path, plain ? "plain" : "damaged", started_ms,
			"-", err);
	}
	if (code == ERR_TIMEOUT) {
		struct err ignored;

		(void)!remember(kit, item->path, "late", clock_now_ms(), "-", &ignored);
	}
	return code;
}

// 1 taken, 0 unchanged or no database after all.
static int
snapshot_one(struct run *run, struct item *item, struct err *err)
{
	struct kit *kit = run->kit;
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	char blob[OID_HEX_MAX] = "-";
	int64_t started_ms = clock_now_ms();

	if (item->where == NULL && find_item(kit, item, err) < 0) {
		return err->code;
	}
	if (take_one(run, item, &taken, err) < 0) {
		return take_failed(run, item, &taken, started_ms, err);
	}
	item->taken = true;
	if (store_blob(kit, item, &taken, blob, err) < 0 ||
		remember(kit, item->path, "snapshot", started_ms, blob, err) < 0) {
		return err->code;
	}
	databases_tell(kit->config, kit->evidence, item->path, &taken,
		strcmp(blob, "secret") == 0 ? "secrets in its rows keep it out of git"
					    : NULL,
		false);
	return taken.unchanged ? 0 : 1;
}

// ---- what is kept, and where

struct keeping {
	const struct config *config;
	struct manifest *manifest;
	struct offsite_plan plan;
	struct retain_policy policy;
	int64_t end_ms;
};

// The newest copy is looked at every day; once a week every byte of it comes back.
static int
look_away(struct keeping *keeping, struct err *err)
{
	struct manifest *manifest = keeping->manifest;
	int64_t now_ms = clock_now_ms();

	for (size_t i = manifest->nentries; i-- > 0;) {
		struct manifest_entry *entry = &manifest->entries[i];
		int64_t age_ms = now_ms - entry->offsite.verified_ms;
		bool deep = age_ms < 0 || age_ms >= WEEK_MS;

		if (!entry->complete || entry->offsite.remote == NULL ||
			strcmp(entry->offsite.remote, keeping->plan.remote) != 0) {
			continue;
		}
		if (offsite_verify(&keeping->plan, manifest, entry, deep, err) >= 0) {
			return 0;
		}
		// Gone or changed there: while it is here, it is sent again.
		if (err->code != ERR_INVALID || !entry->local) {
			return err->code;
		}
		err_clear(err);
		return offsite_send(&keeping->plan, manifest, entry, err);
	}
	return 0;
}

static int
send_away(struct keeping *keeping, bool look, struct err *err)
{
	const struct config *config = keeping->config;
	AUTO_FREE char *limit = NULL;
	int result;

	if (config->sqlite.bandwidth > 0) {
		limit = xasprintf("%" PRId64 "B", config->sqlite.bandwidth);
		keeping->plan.bandwidth = limit;
	}
	keeping->plan.timeout_ms = MAX_OF(keeping->end_ms - clock_mono_ms(), INT64_C(1));
	result = offsite_send_all(&keeping->plan, keeping->manifest, err);
	if (result >= 0 && look) {
		result = look_away(keeping, err);
	}
	if (result >= 0) {
		result = offsite_prune(&keeping->plan, keeping->manifest,
			&keeping->policy, clock_now_ms(), false, err);
	}
	if (keeping->plan.session != NULL) {
		offsite_rest(keeping->plan.session);
	}
	return result;
}

int
databases_keep(const struct config *config, const char *state_dir, const char *dir,
	bool look, int64_t timeout_ms, struct rclone *session, struct err *err)
{
	// One folder for each machine: a manifest knows only its own.
	AUTO_FREE char *remote = config_offsite(config);
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct keeping keeping = {
		.config = config,
		.manifest = &manifest,
		.plan = { .remote = remote, .lock_dir = state_dir, .session = session },
		.policy = { .hourly = (unsigned int)config->sqlite.hourly,
			.daily = (unsigned int)config->sqlite.daily,
			.monthly = (unsigned int)config->sqlite.monthly },
		.end_ms = clock_mono_ms() + timeout_ms,
	};
	int result;

	if (manifest_open(dir, MANIFEST_WRITE,
		    MIN_OF(timeout_ms, (int64_t)SNAPSHOT_LOCK_MS), &manifest, err) < 0) {
		return err->code;
	}
	result = manifest_prune(
		&manifest, &keeping.policy, clock_now_ms(), false, NULL, NULL, err);
	if (result >= 0 && config_has_offsite(config)) {
		result = send_away(&keeping, look, err);
	}
	return MIN_OF(result, 0);
}

// Without a new snapshot only what was not sent is worth a look.
static bool
is_owed(const struct run *run, const struct item *item)
{
	const struct config *config = run->kit->config;
	AUTO_FREE char *dir = databases_dir(config, item->path);
	AUTO_FREE char *remote = config_offsite(config);
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct err ignored;

	if (item->taken || run->daily) {
		return true;
	}
	return config_has_offsite(config) &&
		manifest_open(dir, MANIFEST_READ, 0, &manifest, &ignored) == 0 &&
		offsite_owes(remote, &manifest);
}

static int
keep_one(struct run *run, struct item *item, struct err *err)
{
	const struct config *config = run->kit->config;
	AUTO_FREE char *dir = databases_dir(config, item->path);

	// A database that was never snapshotted has nothing to keep.
	if (!is_owed(run, item) || access(dir, F_OK) < 0) {
		return 0;
	}
	if (item->end_ms == 0) {
		item->end_ms = clock_mono_ms() + config->sqlite.timeout_ms;
	}
	if (databases_keep(config, run->kit->state_dir, dir, run->daily,
		    MAX_OF(item->end_ms - clock_mono_ms(), INT64_C(1)), run->session,
		    err) < 0) {
		return err->code;
	}
	return 0;
}

// ---- all of them

static void
note_failure(struct databases_report *report, const struct item *item, size_t *count,
	const struct err *why)
{
	(*count)++;
	if (report->first[0] == '\0') {
		(void)snprintf(report->first, sizeof(report->first), "%.100s: %.190s",
			item->path, why->msg);
	}
}

static int
take_all(struct run *run, databases_fn *fn, struct databases_report *report,
	struct err *err)
{
	for (size_t i = 0; i < run->count; i++) {
		struct item *item = &run->items[i];
		struct err why = { 0 };
		int got;

		if (!item->due) {
			continue;
		}
		item->end_ms = clock_mono_ms() + run->kit->config->sqlite.timeout_ms;
		got = snapshot_one(run, item, &why);
		if (got == ERR_CANCELLED) {
			*err = why;
			return got;
		}
		if (got == ERR_NOT_FOUND && run->daily) {
			continue;
		}
		if (got < 0) {
			note_failure(report, item, &report->failed, &why);
			continue;
		}
		report->taken += (size_t)got;
		report->unchanged += got == 0;
		if (fn != NULL) {
			fn(item->path, run->payload);
		}
	}
	return 0;
}

// How it went is told until it goes well; what a look found bad, until a look finds it
// good.
static void
tell_away(struct run *run, const struct err *first)
{
	struct kit *kit = run->kit;
	const char *word = fact_word(FACT_OFFSITE);
	AUTO_FREE char *text =
		xasprintf("the newest snapshots could not go off-site: %s", first->msg);
	bool bad = first->code != 0;
	struct evidence_row known;
	struct err ignored;
	const struct evidence_fact fact = {
		.name = word,
		.state = bad ? HEALTH_DEGRADED : HEALTH_HEALTHY,
		.text = bad ? text : "what is kept here is off-site as well",
		.action = bad && first->next[0] != '\0' ? first->next : NULL,
	};

	if (!run->daily && evidence_get(kit->evidence, word, &known, &ignored) > 0 &&
		known.state == HEALTH_FAILED) {
		return;
	}
	(void)!evidence_put(kit->evidence, &fact, &ignored);
}

static int
keep_all(struct run *run, struct databases_report *report, struct err *err)
{
	struct err first = { 0 };

	run->session = offsite_begin();
	for (size_t i = 0; i < run->count; i++) {
		struct err why = { 0 };
		int got = keep_one(run, &run->items[i], &why);

		if (got == ERR_CANCELLED) {
			*err = why;
			return got;
		}
		if (got < 0) {
			note_failure(report, &run->items[i], &report->unsent, &why);
			first = first.code == 0 ? why : first;
		}
	}
	if (config_has_offsite(run->kit->config) && run->count > 0) {
		tell_away(run, &first);
	}
	return 0;
}

int
databases_snapshot(struct kit *kit, bool daily, databases_fn *fn,
	databases_progress_fn *progress, void *payload,
	struct databases_report *ret_report, struct err *err)
{
	AUTO(run_done)
	struct run run = {
		.kit = kit, .daily = daily, .progress = progress, .payload = payload
	};

	memset(ret_report, 0, sizeof(*ret_report));
	if (list_items(&run, daily || config_has_offsite(kit->config), err) < 0 ||
		take_all(&run, fn, ret_report, err) < 0) {
		return err->code;
	}
	return keep_all(&run, ret_report, err);
}
