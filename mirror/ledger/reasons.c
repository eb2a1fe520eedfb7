// SPDX-License-Identifier: GPL-2.0-or-later

// A reason stands once in the database and a row keeps its number: a million rows of one
// exclude rule cost a byte each.  The few in use are remembered here, in slots chosen by
// number, so that memory stays flat when there are many.

#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "ledger/handle.h"

#include <stdlib.h>
#include <string.h>

static void
remember(struct ledger *ledger, int64_t id, const char *text, size_t len)
{
	size_t slot = (size_t)id % HANDLE_REASONS;

	free(ledger->reasons[slot].text);
	ledger->reasons[slot].text = xmemdup0(text, len);
	ledger->reasons[slot].id = id;
}

static int
add_reason(struct ledger *ledger, const char *text, int64_t *ret_id, struct err *err)
{
	struct db_stmt *add = handle_stmt(ledger, SQL_REASON_ADD, err);

	if (add == NULL) {
		return err->code;
	}
	db_bind_bytes(add, 1, text, strlen(text));
	if (db_run(add, err) < 0) {
		return err->code;
	}
	*ret_id = db_last_rowid(ledger->db);
	return 0;
}

int
handle_reason_id(
	struct ledger *ledger, const char *text, int64_t *ret_id, struct err *err)
{
	struct db_stmt *find;
	int64_t id = 0;
	int got;

	if (text[0] == '\0') {
		*ret_id = 0;
		return 0;
	}
	for (size_t i = 0; i < HANDLE_REASONS; i++) {
		if (ledger->reasons[i].id != 0 &&
			strcmp(ledger->reasons[i].text, text) == 0) {
			*ret_id = ledger->reasons[i].id;
			return 0;
		}
	}
	find = handle_stmt(ledger, SQL_REASON_FIND, err);
	if (find == NULL) {
		return err->code;
	}
	db_bind_bytes(find, 1, text, strlen(text));
	got = db_step(find, err);
	if (got < 0) {
		return err->code;
	}
	if (got > 0) {
		id = db_int(find, 0);
		db_reset(find);
	} else if (add_reason(ledger, text, &id, err) < 0) {
		return err->code;
	}
	remember(ledger, id, text, strlen(text));
	*ret_id = id;
	return 0;
}

int
handle_reason_text(
	struct ledger *ledger, int64_t id, const char **ret_text, struct err *err)
{
	size_t slot = (size_t)id % HANDLE_REASONS;

	if (id == 0) {
		*ret_text = "";
		return 0;
	}
	if (ledger->reasons[slot].id != id) {
		struct db_stmt *find = handle_stmt(ledger, SQL_REASON_TEXT, err);
		const void *text;
		size_t len;
		int got;

		if (find == NULL) {
			return err->code;
		}
		db_bind_int(find, 1, id);
		got = db_step(find, err);
		if (got < 0) {
			return err->code;
		}
		if (got == 0) {
			return err_raise(err, ERR_CORRUPT, "reason %lld is missing",
				(long long)id);
		}
		text = db_bytes(find, 0, &len);
		remember(ledger, id, text, len);
		db_reset(find);
	}
	*ret_text = ledger->reasons[slot].text;
	return 0;
}

void
handle_forget_reasons(struct ledger *ledger)
{
	for (size_t i = 0; i < HANDLE_REASONS; i++) {
		free(ledger->reasons[i].text);
		ledger->reasons[i].text = NULL;
		ledger->reasons[i].id = 0;
	}
}
