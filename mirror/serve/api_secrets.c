// SPDX-License-Identifier: GPL-2.0-or-later

// Secrets that were taken out, and what a person allows to stay.

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/allowed.h"
#include "brain/repo.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "serve/call.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/room.h"
#include "serve/rows.h"
#include "view/row.h"
#include "view/secrets.h"

#include <stdlib.h>
#include <string.h>

enum {
	SECRETS_MAX = 1000,
	/** Of ROWS_STEP_MAX each: a page may be short, and says where it goes on. */
	SECRETS_TURNS_MAX = 10,
};

static int
set_allowed(struct call *call, struct json *object, struct err *err)
{
	AUTO(allowed_done) struct allowed allowed = { 0 };

	if (desk_repo(&call->desk, err) < 0 ||
		allowed_load(repo_git_dir(call->desk.repo), &allowed, err) < 0) {
		return err->code;
	}
	json_set(object, "allowed", view_allowed_json(&allowed));
	return 0;
}

int
api_secrets(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO_FREE char *file = path_join(call->desk.options->state_dir, RECORD_LEDGER);
	AUTO(rows_closep) struct rows *rows = NULL;
	struct rows_filter filter = { .after = call_query(call, "after") };
	struct json *list = json_new_array();
	struct rows_row row = { 0 };
	int64_t limit;
	int turns = 0;
	int got = 1;

	json_set_text(object, "schema", "mirror.secrets/1");
	json_set(object, "files", list);
	if (call_query_int(call, "limit", 1, SECRETS_MAX, 200, &limit, err) < 0 ||
		desk_ledger(&call->desk, err) < 0 ||
		rows_open(file, &filter, &rows, err) < 0) {
		return err->code;
	}
	while ((int64_t)json_count(list) < limit && turns < SECRETS_TURNS_MAX &&
		(got = rows_next(rows, &row, err)) > 0) {
		turns += got == ROWS_AGAIN;
		if (got == 1 && view_is_secret(row.row)) {
			json_append(list, view_secret(row.path, row.len, row.row));
		}
	}
	if (got < 0 || set_allowed(call, object, err) < 0) {
		return err->code;
	}
	if (got > 0) {
		json_set_bytes(object, "next", rows_path(rows), strlen(rows_path(rows)));
	} else {
		json_set_null(object, "next");
	}
	return call_json(call, STEAL(object));
}

// ---- allow, deny

// The list is part of what files were scanned with: a cycle looks at them again.
static int
answer_allowed(
	struct call *call, const char *print, bool allowed, bool changed, struct err *err)
{
	struct json *object;

	if (changed &&
		(desk_queue(&call->desk, err) < 0 ||
			jobqueue_enqueue(call->desk.queue, JOB_SYNC, NULL, err) < 0)) {
		return err->code;
	}
	desk_ring(&call->desk);
	object = json_new_object();
	json_set_text(object, "schema", "mirror.allow/1");
	json_set_text(object, "fingerprint", print);
	json_set_bool(object, "allowed", allowed);
	json_set_bool(object, "changed", changed);
	return call_json(call, object);
}

static int
read_fingerprint(struct call *call, uint8_t ret_print[FINDING_PRINT_LEN], struct err *err)
{
	const char *text = call_text(call, "fingerprint");

	if (text == NULL || view_fingerprint(text, ret_print, err) < 0) {
		call_refuse(call, PROBLEM_INVALID, err, "fingerprint is 32 hex digits");
		return err_advise(err, "mirror scan FILE shows them");
	}
	return desk_repo(&call->desk, err);
}

int
api_secrets_allow(struct call *call, struct err *err)
{
	AUTO_FREE char *reason = NULL;
	uint8_t print[FINDING_PRINT_LEN];
	int added;

	if (read_fingerprint(call, print, err) < 0 ||
		call_clean(call, "reason", &reason, err) < 0) {
		return err->code;
	}
	added = allowed_add(repo_git_dir(call->desk.repo), print, reason, err);
	if (added < 0) {
		return added;
	}
	return answer_allowed(call, call_text(call, "fingerprint"), true, added > 0, err);
}

int
api_secrets_deny(struct call *call, struct err *err)
{
	uint8_t print[FINDING_PRINT_LEN];
	int removed;

	if (read_fingerprint(call, print, err) < 0) {
		return err->code;
	}
	removed = allowed_remove(repo_git_dir(call->desk.repo), print, err);
	if (removed < 0) {
		return removed;
	}
	if (removed == 0) {
		return err_raise(err, ERR_NOT_FOUND, "that fingerprint is not allowed");
	}
	return answer_allowed(call, call_text(call, "fingerprint"), false, true, err);
}
