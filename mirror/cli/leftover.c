// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/leftover.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/places.h"
#include "health/record.h"
#include "view/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int
leftover_open_ledger(struct ledger **ret_ledger, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *path = path_join(state, RECORD_LEDGER);

	if (ledger_open(path, LEDGER_RO, ret_ledger, err) < 0) {
		if (err->code == ERR_NOT_FOUND) {
			err_raise(err, ERR_NOT_FOUND,
				"there is no ledger yet: nothing was mirrored");
			return err_advise(err, "mirror --once");
		}
		return err_wrap(err, "read the ledger");
	}
	return 0;
}

static void
print_row(struct output *out, const struct json *row)
{
	AUTO_FREE char *path = json_get_bytes(row, "path");
	AUTO_FREE char *shown = path_short(path != NULL ? path : "?");
	AUTO_FREE char *reason = path_printable(json_get_text(row, "reason"));

	output_line(out, "  %s: %s: %s", json_get_text(row, "state"), reason, shown);
	output_line(out, "    next: %s", json_get_text(row, "next"));
}

static void
print_rest(struct output *out, const char *state, int64_t count)
{
	if (count > VIEW_LEFTOVERS_MAX) {
		output_line(out, "  and %" PRId64 " more: mirror ledger --state %s",
			count - VIEW_LEFTOVERS_MAX, state);
	}
}

void
leftover_print_list(
	struct output *out, const struct json *list, int64_t failed, int64_t pending)
{
	bool told = failed == 0;

	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *row = json_at(list, i);
		const char *state = json_get_text(row, "state");

		if (state == NULL || json_get_text(row, "reason") == NULL ||
			json_get_text(row, "next") == NULL) {
			continue;
		}
		if (!told && strcmp(state, "failed") != 0) {
			print_rest(out, "failed", failed);
			told = true;
		}
		print_row(out, row);
	}
	if (!told) {
		print_rest(out, "failed", failed);
	}
	print_rest(out, "pending", pending);
}

void
leftover_print(struct output *out, const struct ledger_totals *totals)
{
	int64_t failed = totals->state[LEDGER_FAILED].files;
	int64_t pending = totals->state[LEDGER_PENDING].files;
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	AUTO(json_freep) struct json *list = NULL;
	struct err err = { 0 };

	if (failed + pending == 0) {
		return;
	}
	if (leftover_open_ledger(&ledger, &err) < 0 ||
		view_leftovers(ledger, totals, &list, &err) < 0) {
		output_error(out, &err);
		return;
	}
	leftover_print_list(out, list, failed, pending);
}
