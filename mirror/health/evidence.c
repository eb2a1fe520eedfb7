// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * Five small tables: `fact` is overwritten in place, `event` counts, `accepted` and
 * `mark` hold what a person said, `seen` holds the last verdict.  Nothing here grows with
 * time; `mark` grows with the number of excluded paths.
 */

#include "health/evidence.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/newest.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define EVIDENCE_NAME "evidence.sqlite"

struct evidence {
	struct db *db;
	bool replaced;
};

static const char *const migrations[] = {
	"CREATE TABLE fact("
	" name TEXT PRIMARY KEY, state INTEGER NOT NULL, text TEXT NOT NULL,"
	" action TEXT NOT NULL, value INTEGER NOT NULL, detail TEXT NOT NULL,"
	" at_ms INTEGER NOT NULL, since_ms INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE event("
	" name TEXT PRIMARY KEY, count INTEGER NOT NULL,"
	" first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE accepted("
	" what TEXT NOT NULL, condition TEXT NOT NULL, reason TEXT NOT NULL,"
	" value INTEGER NOT NULL, at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
	" PRIMARY KEY(what, condition)) WITHOUT ROWID;"
	"CREATE TABLE seen("
	" name TEXT PRIMARY KEY, state INTEGER NOT NULL,"
	" since_ms INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE mark(id BLOB PRIMARY KEY) WITHOUT ROWID;",
};

/* ---- life ---- */

// Only a sound file may say something about health.
static int
check(struct db *db, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(db, "PRAGMA quick_check(1)", &stmt, err) < 0) {
		return err->code;
	}

	int got = db_step(stmt, err);

	if (got < 0) {
		return got;
	}
	if (got == 0 || db_text(stmt, 0) == NULL || strcmp(db_text(stmt, 0), "ok") != 0) {
		return err_raise(err, ERR_CORRUPT, "quick_check: %s",
			got > 0 && db_text(stmt, 0) != NULL ? db_text(stmt, 0)
							    : "no answer");
	}
	return 0;
}

static int
open_once(const char *path, enum evidence_mode mode, struct db **ret_db, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;

	if (db_open(path, mode == EVIDENCE_RW ? DB_CREATE : DB_READ, &db, err) < 0 ||
		check(db, err) < 0) {
		return err_wrap(err, "evidence %s", path);
	}
	if (mode == EVIDENCE_RW &&
		db_migrate(db, migrations, countof(migrations), err) < 0) {
		return err_wrap(err, "evidence %s", path);
	}
	*ret_db = STEAL(db);
	return 0;
}

static int
set_aside(const char *path, struct err *err)
{
	static const char *const companions[] = { "", "-wal", "-shm" };
	int64_t now_ms = clock_now_ms();

	for (size_t i = 0; i < countof(companions); i++) {
		AUTO_FREE char *from = xasprintf("%s%s", path, companions[i]);
		AUTO_FREE char *to = xasprintf(
			"%s.damaged-%lld%s", path, (long long)now_ms, companions[i]);

		if (rename(from, to) < 0 && errno != ENOENT) {
			return err_errno(err, "set %s aside", from);
		}
	}
	newest_prune_damaged(path);
	return 0;
}

// Two programs may find the damage at once: the second one looks again behind the lock,
// and finds the new file of the first.
static int
replace(const char *state_dir, const char *path, struct evidence *evidence,
	struct err *err)
{
	AUTO_CLOSE int dirfd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dirfd < 0 || flock(dirfd, LOCK_EX) < 0) {
		return err_errno(err, "lock %s", state_dir);
	}
	if (open_once(path, EVIDENCE_RW, &evidence->db, err) == 0) {
		return 0;
	}
	if (err->code != ERR_CORRUPT || set_aside(path, err) < 0) {
		return err->code;
	}
	evidence->replaced = true;
	return open_once(path, EVIDENCE_RW, &evidence->db, err);
}

int
evidence_open(const char *state_dir, enum evidence_mode mode,
	struct evidence **ret_evidence, struct err *err)
{
	AUTO(evidence_closep) struct evidence *evidence = xcalloc(1, sizeof(*evidence));
	AUTO_FREE char *path = path_join(state_dir, EVIDENCE_NAME);
	int result = open_once(path, mode, &evidence->db, err);

	if (result == ERR_CORRUPT && mode == EVIDENCE_RW) {
		result = replace(state_dir, path, evidence, err);
	}
	if (result < 0) {
		return result;
	}
	*ret_evidence = STEAL(evidence);
	return 0;
}

void
evidence_close(struct evidence *evidence)
{
	if (evidence != NULL) {
		db_close(evidence->db);
		free(evidence);
	}
}

void
evidence_closep(struct evidence **evidence)
{
	evidence_close(*evidence);
	*evidence = NULL;
}

bool
evidence_was_replaced(const struct evidence *evidence)
{
	return evidence->replaced;
}

/* ---- dated evidence ---- */

// @text cut to what a reader's field holds, never inside a UTF-8 character.
static void
cut(char *ret, size_t size, const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);

	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
			len--;
		}
	}
	if (len > 0) {
		memcpy(ret, text, len);
	}
	ret[len] = '\0';
}

static void
bind_cut(struct db_stmt *stmt, int index, const char *text, size_t size)
{
	char copy[HEALTH_TEXT_MAX];

	cut(copy, MIN_OF(size, sizeof(copy)), text);
	db_bind_text(stmt, index, copy);
}

int
evidence_put(struct evidence *evidence, const struct evidence_fact *fact, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db,
		    "INSERT INTO fact VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)"
		    " ON CONFLICT(name) DO UPDATE SET"
		    " since_ms = CASE WHEN state = ?2 AND since_ms <= ?7"
		    "  THEN since_ms ELSE ?7 END,"
		    " state = ?2, text = ?3, action = ?4, value = ?5, detail = ?6,"
		    " at_ms = ?7",
		    &stmt, err) < 0) {
		return err_wrap(err, "evidence");
	}
	bind_cut(stmt, 1, fact->name, HEALTH_NAME_MAX);
	db_bind_int(stmt, 2, fact->state);
	bind_cut(stmt, 3, fact->text, HEALTH_TEXT_MAX);
	bind_cut(stmt, 4, fact->action, HEALTH_ACTION_MAX);
	db_bind_int(stmt, 5, fact->value);
	bind_cut(stmt, 6, fact->detail, HEALTH_DETAIL_MAX);
	db_bind_int(stmt, 7, fact->at_ms != 0 ? fact->at_ms : clock_now_ms());
	return db_run(stmt, err) < 0 ? err_wrap(err, "evidence %s", fact->name) : 0;
}

#define FACT_COLUMNS "name, state, text, action, value, detail, at_ms, since_ms"

// A state that this program does not know (from a newer one) is unknown, never green.
static enum health_state
state_of(int64_t number)
{
	return number >= 0 && number < HEALTH_NSTATES_ ? (enum health_state)number
						       : HEALTH_UNKNOWN;
}

static void
read_row(struct db_stmt *stmt, struct evidence_row *row)
{
	memset(row, 0, sizeof(*row));
	cut(row->name, sizeof(row->name), db_text(stmt, 0));
	row->state = state_of(db_int(stmt, 1));
	cut(row->text, sizeof(row->text), db_text(stmt, 2));
	cut(row->action, sizeof(row->action), db_text(stmt, 3));
	row->value = db_int(stmt, 4);
	cut(row->detail, sizeof(row->detail), db_text(stmt, 5));
	row->at_ms = db_int(stmt, 6);
	row->since_ms = db_int(stmt, 7);
}

int
evidence_get(struct evidence *evidence, const char *name, struct evidence_row *ret_row,
	struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db, "SELECT " FACT_COLUMNS " FROM fact WHERE name = ?",
		    &stmt, err) < 0) {
		return err_wrap(err, "evidence");
	}
	bind_cut(stmt, 1, name, HEALTH_NAME_MAX);

	int got = db_step(stmt, err);

	if (got > 0) {
		read_row(stmt, ret_row);
	}
	return got < 0 ? err_wrap(err, "evidence %s", name) : got;
}

int
evidence_forget(struct evidence *evidence, const char *name, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db, "DELETE FROM fact WHERE name = ?", &stmt, err) < 0) {
		return err_wrap(err, "evidence");
	}
	bind_cut(stmt, 1, name, HEALTH_NAME_MAX);
	return db_run(stmt, err) < 0 ? err_wrap(err, "evidence %s", name) : 0;
}

int
evidence_each(struct evidence *evidence, evidence_fn *fn, void *payload, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;
	int got;

	if (db_prepare(evidence->db, "SELECT " FACT_COLUMNS " FROM fact ORDER BY name",
		    &stmt, err) < 0) {
		return err_wrap(err, "evidence");
	}
	while ((got = db_step(stmt, err)) > 0) {
		struct evidence_row row;

		read_row(stmt, &row);
		int result = fn(&row, payload);
		if (result != 0) {
			return result;
		}
	}
	return got < 0 ? err_wrap(err, "evidence") : 0;
}

int
evidence_newest(struct evidence *evidence, int64_t *ret_at_ms, struct err *err)
{
	return db_query_int(evidence->db, "SELECT ifnull(max(at_ms), 0) FROM fact", 0,
		ret_at_ms, err);
}

/* ---- counters ---- */

int
evidence_event(
	struct evidence *evidence, const char *name, int64_t at_ms, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db,
		    "INSERT INTO event VALUES(?1, 1, ?2, ?2)"
		    " ON CONFLICT(name) DO UPDATE SET count = count + 1, last_ms = ?2",
		    &stmt, err) < 0) {
		return err_wrap(err, "evidence");
	}
	bind_cut(stmt, 1, name, HEALTH_NAME_MAX);
	db_bind_int(stmt, 2, at_ms);
	return db_run(stmt, err) < 0 ? err_wrap(err, "evidence %s", name) : 0;
}

int
evidence_events(struct evidence *evidence, const char *name,
	struct evidence_count *ret_count, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db,
		    "SELECT count, first_ms, last_ms FROM event WHERE name = ?", &stmt,
		    err) < 0) {
		return err_wrap(err, "evidence");
	}
	bind_cut(stmt, 1, name, HEALTH_NAME_MAX);

	int got = db_step(stmt, err);

	if (got > 0) {
		*ret_count = (struct evidence_count){
			.count = db_int(stmt, 0),
			.first_ms = db_int(stmt, 1),
			.last_ms = db_int(stmt, 2),
		};
	}
	return got < 0 ? err_wrap(err, "evidence %s", name) : got;
}

/* ---- what a person accepted ---- */

int
evidence_accept(struct evidence *evidence, const struct evidence_acceptance *acceptance,
	struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db,
		    "INSERT OR REPLACE INTO accepted"
		    " (what, condition, reason, value, at_ms, until_ms)"
		    " VALUES(?, ?, ?, ?, ?, ?)",
		    &stmt, err) < 0) {
		return err_wrap(err, "accept");
	}
	bind_cut(stmt, 1, acceptance->what, HEALTH_NAME_MAX);
	bind_cut(stmt, 2, acceptance->condition, HEALTH_DETAIL_MAX);
	bind_cut(stmt, 3, acceptance->reason, HEALTH_TEXT_MAX);
	db_bind_int(stmt, 4, acceptance->value);
	db_bind_int(stmt, 5, acceptance->at_ms);
	db_bind_int(stmt, 6, acceptance->until_ms);
	return db_run(stmt, err) < 0 ? err_wrap(err, "accept %s", acceptance->what) : 0;
}

#define ACCEPTED_COLUMNS "what, condition, reason, value, at_ms, until_ms"

static void
read_acceptance(struct db_stmt *stmt, struct evidence_acceptance *acceptance)
{
	memset(acceptance, 0, sizeof(*acceptance));
	cut(acceptance->what, sizeof(acceptance->what), db_text(stmt, 0));
	cut(acceptance->condition, sizeof(acceptance->condition), db_text(stmt, 1));
	cut(acceptance->reason, sizeof(acceptance->reason), db_text(stmt, 2));
	acceptance->value = db_int(stmt, 3);
	acceptance->at_ms = db_int(stmt, 4);
	acceptance->until_ms = db_int(stmt, 5);
}

int
evidence_accepted(struct evidence *evidence, const char *what, const char *condition,
	int64_t value, int64_t now_ms, struct evidence_acceptance *ret_acceptance,
	struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db,
		    "SELECT " ACCEPTED_COLUMNS " FROM accepted"
		    " WHERE what = ? AND condition IN ('', ?) AND value >= ?"
		    " AND (until_ms = 0 OR until_ms > ?) ORDER BY condition DESC LIMIT 1",
		    &stmt, err) < 0) {
		return err_wrap(err, "accepted");
	}
	bind_cut(stmt, 1, what, HEALTH_NAME_MAX);
	bind_cut(stmt, 2, condition, HEALTH_DETAIL_MAX);
	db_bind_int(stmt, 3, value);
	db_bind_int(stmt, 4, now_ms);

	int got = db_step(stmt, err);

	if (got > 0 && ret_acceptance != NULL) {
		read_acceptance(stmt, ret_acceptance);
	}
	return got < 0 ? err_wrap(err, "accepted %s", what) : got;
}

int
evidence_unaccept(struct evidence *evidence, const char *what, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db, "DELETE FROM accepted WHERE what = ?", &stmt, err) <
		0) {
		return err_wrap(err, "accepted");
	}
	bind_cut(stmt, 1, what, HEALTH_NAME_MAX);
	if (db_run(stmt, err) < 0) {
		return err_wrap(err, "accepted %s", what);
	}
	return db_changes(evidence->db) > 0 ? 1 : 0;
}

int
evidence_each_acceptance(struct evidence *evidence, evidence_acceptance_fn *fn,
	void *payload, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;
	int got;

	if (db_prepare(evidence->db,
		    "SELECT " ACCEPTED_COLUMNS " FROM accepted ORDER BY what, condition",
		    &stmt, err) < 0) {
		return err_wrap(err, "accepted");
	}
	while ((got = db_step(stmt, err)) > 0) {
		struct evidence_acceptance acceptance;

		read_acceptance(stmt, &acceptance);
		int result = fn(&acceptance, payload);
		if (result != 0) {
			return result;
		}
	}
	return got < 0 ? err_wrap(err, "accepted") : 0;
}

/* ---- the last verdict ---- */

int
evidence_seen(struct evidence *evidence, const char *name, enum health_state *ret_state,
	int64_t *ret_since_ms, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db, "SELECT state, since_ms FROM seen WHERE name = ?",
		    &stmt, err) < 0) {
		return err_wrap(err, "evidence");
	}
	bind_cut(stmt, 1, name, HEALTH_NAME_MAX);

	int got = db_step(stmt, err);

	if (got > 0) {
		*ret_state = state_of(db_int(stmt, 0));
		*ret_since_ms = db_int(stmt, 1);
	}
	return got < 0 ? err_wrap(err, "evidence %s", name) : got;
}

int
evidence_see(struct evidence *evidence, const char *name, enum health_state state,
	int64_t since_ms, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	// Nothing is written while nothing changes: the probe may run every minute.
	if (db_prepare(evidence->db,
		    "INSERT INTO seen VALUES(?1, ?2, ?3) ON CONFLICT(name)"
		    " DO UPDATE SET state = ?2, since_ms = ?3 WHERE state <> ?2",
		    &stmt, err) < 0) {
		return err_wrap(err, "evidence");
	}
	bind_cut(stmt, 1, name, HEALTH_NAME_MAX);
	db_bind_int(stmt, 2, state);
	db_bind_int(stmt, 3, since_ms);
	if (db_run(stmt, err) < 0) {
		return err_wrap(err, "evidence %s", name);
	}
	return db_changes(evidence->db) > 0 ? 1 : 0;
}

/* ---- marks ---- */

int
evidence_begin(struct evidence *evidence, struct err *err)
{
	return db_begin(evidence->db, err);
}

int
evidence_commit(struct evidence *evidence, struct err *err)
{
	return db_commit(evidence->db, err);
}

void
evidence_rollback(struct evidence *evidence)
{
	db_rollback(evidence->db);
}

int
evidence_marks_clear(struct evidence *evidence, struct err *err)
{
	return db_exec(evidence->db, "DELETE FROM mark", err);
}

int
evidence_mark(
	struct evidence *evidence, const uint8_t mark[EVIDENCE_MARK_LEN], struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db, "INSERT OR IGNORE INTO mark VALUES(?)", &stmt, err) <
		0) {
		return err->code;
	}
	db_bind_bytes(stmt, 1, mark, EVIDENCE_MARK_LEN);
	return db_run(stmt, err);
}

int
evidence_marked(
	struct evidence *evidence, const uint8_t mark[EVIDENCE_MARK_LEN], struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (db_prepare(evidence->db, "SELECT 1 FROM mark WHERE id = ?", &stmt, err) < 0) {
		return err->code;
	}
	db_bind_bytes(stmt, 1, mark, EVIDENCE_MARK_LEN);
	return db_step(stmt, err);
}
