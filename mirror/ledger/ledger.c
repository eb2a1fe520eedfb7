// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/ledger.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/newest.h"
#include "ledger/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct db_stmt *
handle_stmt(struct ledger *ledger, enum handle_sql sql, struct err *err)
{
	if (ledger->stmts[sql] != NULL) {
		// One that a failure left half-way would hold its old snapshot.
		db_reset(ledger->stmts[sql]);
	} else if (db_prepare(ledger->db, handle_sql[sql], &ledger->stmts[sql], err) <
		0) {
		return NULL;
	}
	return ledger->stmts[sql];
}

int
handle_must_write(const struct ledger *ledger, struct err *err)
{
	return ledger->writing
		? 0
		: err_raise(err, ERR_BUG, "the ledger is written outside a transaction");
}

int
ledger_freeze(struct ledger *ledger, struct err *err)
{
	// Deferred, because nothing will be written: it only fixes the moment we see.
	if (!ledger->writing && ledger->nfrozen == 0 &&
		db_begin_reading(ledger->db, err) < 0) {
		return err->code;
	}
	ledger->nfrozen++;
	return 0;
}

void
ledger_thaw(struct ledger *ledger)
{
	ledger->nfrozen--;
	if (!ledger->writing && ledger->nfrozen == 0) {
		db_rollback(ledger->db);
	}
}

// Created by us, because SQLite would make it readable for everybody.  An existing file
// is not even opened: closing it would drop this process's locks on it.
static int
create_file(const char *path, struct err *err)
{
	AUTO_CLOSE int fd =
		open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno != EEXIST) {
		return err_errno(err, "create %s", path);
	}
	return 0;
}

static int
check_version(struct ledger *ledger, struct err *err)
{
	int64_t version = 0;
	int64_t application = 0;

	if (db_query_int(ledger->db, "PRAGMA user_version", 0, &version, err) < 0 ||
		db_query_int(ledger->db, "PRAGMA application_id", 0, &application, err) <
			0) {
		return err->code;
	}
	if (application != HANDLE_APPLICATION_ID && (version != 0 || application != 0)) {
		return err_raise(err, ERR_CORRUPT, "this is some other database");
	}
	if (version > (int64_t)handle_nmigrations) {
		return err_raise(
			err, ERR_INVALID, "written by a newer version of this program");
	}
	if (ledger->mode != LEDGER_RO || version == (int64_t)handle_nmigrations) {
		return 0;
	}
	return version <= 0 ? err_raise(err, ERR_NOT_FOUND, "nothing was recorded yet")
			    : db_exec(ledger->db, handle_older[version - 1], err);
}

static int
open_db(struct ledger *ledger, const char *path, struct err *err)
{
	bool reading = ledger->mode == LEDGER_RO;

	if (!reading && create_file(path, err) < 0) {
		return err->code;
	}
	if (db_open(path, reading ? DB_READ : DB_WRITE, &ledger->db, err) < 0) {
		// SQLite has one code for "missing" and "not allowed".
		if (err->code == ERR_NOT_FOUND && access(path, F_OK) == 0) {
			err->code = ERR_DENIED;
		}
		return err->code;
	}
	if (check_version(ledger, err) < 0) {
		return err->code;
	}
	if (reading) {
		return 0;
	}
	// After a first sweep of a million files the WAL would keep its size for ever.
	if (db_exec(ledger->db,
		    "PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192",
		    err) < 0) {
		return err->code;
	}
	return db_migrate(ledger->db, handle_migrations, handle_nmigrations, err);
}

int
ledger_open(const char *path, enum ledger_mode mode, struct ledger **ret_ledger,
	struct err *err)
{
	AUTO(ledger_closep) struct ledger *ledger = xcalloc(1, sizeof(*ledger));

	ledger->mode = mode;
	if (open_db(ledger, path, err) < 0) {
		return err_wrap(err, "open the ledger %s", path);
	}
	*ret_ledger = STEAL(ledger);
	return 0;
}

void
ledger_close(struct ledger *ledger)
{
	if (ledger == NULL) {
		return;
	}
	for (size_t i = 0; i < HANDLE_NSQL; i++) {
		db_finish(ledger->stmts[i]);
	}
	if (ledger->db != NULL) {
		db_rollback(ledger->db);
	}
	db_close(ledger->db);
	handle_forget_reasons(ledger);
	arena_done(&ledger->found);
	arena_done(&ledger->folder_name);
	free(ledger->deltas);
	free(ledger->root_path);
	free(ledger->meta_value);
	free(ledger);
}

void
ledger_closep(struct ledger **ledger)
{
	ledger_close(*ledger);
	*ledger = NULL;
}

int
ledger_set_aside(const char *path, struct err *err)
{
	// The database last: a WAL that stays alone would be applied to the next one.
	static const char *const suffixes[] = { "-wal", "-shm", "" };
	char when[CLOCK_TEXT_MAX];

	clock_format(clock_now_ms(), when);
	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *from = xasprintf("%s%s", path, suffixes[i]);
		AUTO_FREE char *to =
			xasprintf("%s.damaged-%s%s", path, when, suffixes[i]);

		if (rename(from, to) < 0 && errno != ENOENT) {
			return err_errno(err, "set aside %s", from);
		}
	}
	newest_prune_damaged(path);
	return 0;
}

int
ledger_begin(struct ledger *ledger, struct err *err)
{
	if (ledger->mode == LEDGER_RO || ledger->writing || ledger->nfrozen > 0) {
		return err_raise(err, ERR_BUG, "this ledger cannot be written now");
	}
	if (db_begin(ledger->db, err) < 0) {
		return err_wrap(err, "begin to write the ledger");
	}
	ledger->writing = true;
	ledger->begun_ms = clock_now_ms();
	ledger->new_from = 0;
	return 0;
}

int
ledger_commit(struct ledger *ledger, struct err *err)
{
	if (handle_must_write(ledger, err) < 0) {
		return err->code;
	}
	if (handle_tally_flush(ledger, err) < 0 || db_commit(ledger->db, err) < 0) {
		ledger_rollback(ledger);
		return err_wrap(err, "write the ledger");
	}
	ledger->writing = false;
	return 0;
}

void
ledger_rollback(struct ledger *ledger)
{
	if (!ledger->writing) {
		return;
	}
	for (size_t i = 0; i < HANDLE_NSQL; i++) {
		if (ledger->stmts[i] != NULL) {
			db_reset(ledger->stmts[i]);
		}
	}
	db_rollback(ledger->db);
	ledger->writing = false;
	ledger->ndeltas = 0;
	// Numbers given in this transaction will be given again.
	ledger->near_folder = 0;
	handle_forget_reasons(ledger);
}

int
ledger_meta_get(
	struct ledger *ledger, const char *key, const char **ret_value, struct err *err)
{
	struct db_stmt *get = handle_stmt(ledger, SQL_META_GET, err);
	int got;

	if (get == NULL) {
		return err->code;
	}
	db_bind_text(get, 1, key);
	got = db_step(get, err);
	if (got < 0) {
		return err_wrap(err, "read %s", key);
	}
	free(ledger->meta_value);
	ledger->meta_value = NULL;
	if (got > 0) {
		ledger->meta_value = xstrdup(db_text(get, 0));
		db_reset(get);
	}
	*ret_value = ledger->meta_value;
	return 0;
}

int
ledger_meta_set(
	struct ledger *ledger, const char *key, const char *value, struct err *err)
{
	struct db_stmt *set =
		handle_stmt(ledger, value != NULL ? SQL_META_SET : SQL_META_DROP, err);

	if (set == NULL || handle_must_write(ledger, err) < 0) {
		return err->code;
	}
	db_bind_text(set, 1, key);
	if (value != NULL) {
		if (strlen(value) > LEDGER_META_MAX) {
			return err_raise(err, ERR_TOO_BIG, "the value of %s", key);
		}
		db_bind_text(set, 2, value);
	}
	return db_run(set, err);
}

int
ledger_meta_get_int(struct ledger *ledger, const char *key, int64_t otherwise,
	int64_t *ret_value, struct err *err)
{
	const char *text = NULL;
	char *end;
	int64_t value;

	if (ledger_meta_get(ledger, key, &text, err) < 0) {
		return err->code;
	}
	if (text == NULL) {
		*ret_value = otherwise;
		return 0;
	}
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0') {
		return err_raise(err, ERR_CORRUPT, "%s is no number", key);
	}
	*ret_value = value;
	return 0;
}

int
ledger_meta_set_int(
	struct ledger *ledger, const char *key, int64_t value, struct err *err)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return ledger_meta_set(ledger, key, text, err);
}
