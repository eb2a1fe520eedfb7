// SPDX-License-Identifier: GPL-2.0-or-later

// The totals, kept while rows move: each put and drop notes a change in memory, and
// ledger_commit() writes the notes in the rows' own transaction.  So the tally is right
// whenever the rows are, also after a kill, and reading it is a scan of a few dozen
// cells.  ledger_check() does not believe any of this and counts.

#include "base/db.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ledger/handle.h"

#include <string.h>

int64_t
handle_bytes(enum ledger_type type, int64_t size)
{
	return type == LEDGER_TYPE_FILE ? size : 0;
}

void
handle_tally_add(struct ledger *ledger, int64_t root, enum ledger_state state,
	enum ledger_kind kind, int64_t files, int64_t bytes)
{
	struct handle_delta *delta = NULL;

	// Newest first: neighbours in a folder are mostly alike.
	for (size_t i = ledger->ndeltas; i > 0 && delta == NULL; i--) {
		struct handle_delta *at = &ledger->deltas[i - 1];

		if (at->root == root && at->state == state && at->kind == kind) {
			delta = at;
		}
	}
	if (delta == NULL) {
		ledger->deltas = xgrow(ledger->deltas, ledger->ndeltas,
			&ledger->deltas_capacity, sizeof(*ledger->deltas));
		delta = &ledger->deltas[ledger->ndeltas++];
		*delta = (struct handle_delta){
			.root = root, .state = state, .kind = kind
		};
	}
	delta->count.files += files;
	delta->count.bytes += bytes;
}

int
handle_tally_flush(struct ledger *ledger, struct err *err)
{
	struct db_stmt *add = handle_stmt(ledger, SQL_TALLY_ADD, err);
	struct db_stmt *tidy = handle_stmt(ledger, SQL_TALLY_TIDY, err);

	if (add == NULL || tidy == NULL) {
		return err->code;
	}
	for (size_t i = 0; i < ledger->ndeltas; i++) {
		const struct handle_delta *delta = &ledger->deltas[i];

		db_bind_int(add, 1, delta->root);
		db_bind_int(add, 2, delta->state);
		db_bind_int(add, 3, delta->kind);
		db_bind_int(add, 4, delta->count.files);
		db_bind_int(add, 5, delta->count.bytes);
		if (db_run(add, err) < 0) {
			return err->code;
		}
	}
	ledger->ndeltas = 0;
	return db_run(tidy, err);
}

static void
add_count(struct ledger_totals *totals, enum ledger_state state, enum ledger_kind kind,
	struct ledger_count count)
{
	totals->on_disk.files += count.files;
	totals->on_disk.bytes += count.bytes;
	totals->state[state].files += count.files;
	totals->state[state].bytes += count.bytes;
	totals->kind[state][kind].files += count.files;
	totals->kind[state][kind].bytes += count.bytes;
}

// Add up a statement's rows of (state, kind, files, bytes).
static int
add_up(struct db_stmt *stmt, struct ledger_totals *totals, struct err *err)
{
	int got;

	while ((got = db_step(stmt, err)) > 0) {
		int64_t state = db_int(stmt, 0);
		int64_t kind = db_int(stmt, 1);

		if (state < 0 || state >= LEDGER_NSTATES || kind < 0 ||
			kind >= LEDGER_NKINDS) {
			db_reset(stmt);
			return err_raise(err, ERR_CORRUPT,
				"no state %lld with a reason of kind %lld exists",
				(long long)state, (long long)kind);
		}
		add_count(totals, (enum ledger_state)state, (enum ledger_kind)kind,
			(struct ledger_count){
				.files = db_int(stmt, 2), .bytes = db_int(stmt, 3) });
	}
	return got;
}

// @root: -1 for all.
static int
read_totals(struct ledger *ledger, int64_t root, struct ledger_totals *ret_totals,
	struct err *err)
{
	struct db_stmt *stmt =
		handle_stmt(ledger, root < 0 ? SQL_TALLY_ALL : SQL_TALLY_ROOT, err);
	struct ledger_totals totals = { .on_disk = { .files = 0 } };

	if (stmt == NULL) {
		return err->code;
	}
	if (root >= 0) {
		db_bind_int(stmt, 1, root);
	}
	if (add_up(stmt, &totals, err) < 0) {
		return err_wrap(err, "read the tally");
	}
	for (size_t i = 0; i < ledger->ndeltas; i++) {
		const struct handle_delta *delta = &ledger->deltas[i];

		if (root < 0 || delta->root == root) {
			add_count(&totals, delta->state, delta->kind, delta->count);
		}
	}
	*ret_totals = totals;
	return 0;
}

int
ledger_totals(struct ledger *ledger, struct ledger_totals *ret_totals, struct err *err)
{
	return read_totals(ledger, -1, ret_totals, err);
}

int
ledger_root_totals(struct ledger *ledger, int64_t root, struct ledger_totals *ret_totals,
	struct err *err)
{
	return read_totals(ledger, root, ret_totals, err);
}

int
ledger_oldest(struct ledger *ledger, enum ledger_state state, int64_t *ret_since_ms,
	struct err *err)
{
	struct db_stmt *stmt = handle_stmt(ledger, SQL_OLDEST, err);
	int got;

	if (state != LEDGER_PENDING && state != LEDGER_FAILED) {
		return err_raise(err, ERR_BUG, "only what waits or failed has an age");
	}
	if (stmt == NULL) {
		return err->code;
	}
	db_bind_int(stmt, 1, state);
	got = db_step(stmt, err);
	if (got < 0) {
		return err->code;
	}
	*ret_since_ms = got > 0 ? db_int(stmt, 0) : 0;
	db_reset(stmt);
	return 0;
}

static int
check_file(struct ledger *ledger, struct err *err)
{
	struct db_stmt *check = handle_stmt(ledger, SQL_QUICK_CHECK, err);
	int result = 0;
	int got;

	if (check == NULL) {
		return err->code;
	}
	got = db_step(check, err);
	if (got < 0) {
		return err->code;
	}
	if (got == 0 || strcmp(db_text(check, 0), "ok") != 0) {
		result = err_raise(err, ERR_CORRUPT, "%s",
			got == 0 ? "no answer" : db_text(check, 0));
	}
	db_reset(check);
	return result;
}

static int
check_strays(struct ledger *ledger, struct err *err)
{
	struct db_stmt *stmt = handle_stmt(ledger, SQL_STRAYS, err);
	int64_t strays;

	if (stmt == NULL || db_step(stmt, err) < 0) {
		return err->code;
	}
	strays = db_int(stmt, 0);
	db_reset(stmt);
	if (strays > 0) {
		return err_raise(err, ERR_CORRUPT,
			"%lld paths are in no folder, or stand twice", (long long)strays);
	}
	return 0;
}

static int
compare(const struct ledger_totals *tally, const struct ledger_totals *counted,
	struct err *err)
{
	for (size_t state = 0; state < LEDGER_NSTATES; state++) {
		for (size_t kind = 0; kind < LEDGER_NKINDS; kind++) {
			const struct ledger_count *said = &tally->kind[state][kind];
			const struct ledger_count *is = &counted->kind[state][kind];

			if (said->files == is->files && said->bytes == is->bytes) {
				continue;
			}
			return err_raise(err, ERR_CORRUPT,
				"the tally says %lld %s%s%s (%lld bytes), the rows say "
				"%lld (%lld bytes)",
				(long long)said->files,
				ledger_state_word((enum ledger_state)state),
				kind != LEDGER_KIND_NONE ? ": " : "",
				ledger_kind_word((enum ledger_kind)kind),
				(long long)said->bytes, (long long)is->files,
				(long long)is->bytes);
		}
	}
	return 0;
}

static int
check_frozen(struct ledger *ledger, struct ledger_totals *ret_counted, struct err *err)
{
	struct ledger_totals counted = { .on_disk = { .files = 0 } };
	struct ledger_totals tally;
	struct db_stmt *count;

	if (check_file(ledger, err) < 0) {
		return err->code;
	}
	count = handle_stmt(ledger, SQL_COUNT_ALL, err);
	if (count == NULL || add_up(count, &counted, err) < 0) {
		return err->code;
	}
	*ret_counted = counted;
	if (check_strays(ledger, err) < 0 || ledger_totals(ledger, &tally, err) < 0) {
		return err->code;
	}
	return compare(&tally, &counted, err);
}

int
ledger_check(struct ledger *ledger, struct ledger_totals *ret_counted, struct err *err)
{
	int result;

	if (ledger_freeze(ledger, err) < 0) {
		return err->code;
	}
	result = check_frozen(ledger, ret_counted, err);
	ledger_thaw(ledger);
	return result < 0 ? err_wrap(err, "check the ledger") : 0;
}

static int
first_int(struct ledger *ledger, enum handle_sql sql, int64_t *ret_value, struct err *err)
{
	struct db_stmt *stmt = handle_stmt(ledger, sql, err);

	if (stmt == NULL || db_step(stmt, err) < 0) {
		return err->code;
	}
	*ret_value = db_int(stmt, 0);
	db_reset(stmt);
	return 0;
}

// A few rows from some folder on: the way down to them, and the pages they are on.
static int
look_at_some(struct ledger *ledger, int64_t folder, struct err *err)
{
	struct db_stmt *some = handle_stmt(ledger, SQL_SOME_ROWS, err);
	int got;

	if (some == NULL) {
		return err->code;
	}
	db_bind_int(some, 1, folder);
	while ((got = db_step(some, err)) > 0) {
		size_t len;

		(void)db_bytes(some, 0, &len);
	}
	return got;
}

int
ledger_glance(struct ledger *ledger, struct err *err)
{
	int64_t bytes = 0;
	int64_t last = 0;

	if (first_int(ledger, SQL_BYTES, &bytes, err) < 0) {
		return err->code;
	}
	if (bytes <= LEDGER_GLANCE_BYTES) {
		return check_file(ledger, err);
	}
	if (first_int(ledger, SQL_LAST_FOLDER, &last, err) < 0) {
		return err->code;
	}
	for (int i = 0; i < LEDGER_GLANCE_LOOKS; i++) {
		uint64_t chance = 0;

		if (hash_random(&chance, sizeof(chance), err) < 0 ||
			look_at_some(ledger,
				(int64_t)(chance % (uint64_t)MAX_OF(last, 1)), err) < 0) {
			return err->code;
		}
	}
	return 0;
}
