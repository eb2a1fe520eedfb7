// SPDX-License-Identifier: GPL-2.0-or-later

// Paths: the ledger, one file with its versions and its bytes, what changed, secrets.

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "health/evidence.h"
#include "health/exclusions.h"
#include "health/record.h"
#include "ledger/ledger.h"
#include "serve/call.h"
#include "serve/compare.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/history.h"
#include "serve/room.h"
#include "serve/rows.h"
#include "view/change.h"
#include "view/row.h"
#include "view/why.h"

#include <stdlib.h>
#include <string.h>

enum {
	LINE_MAX_ = 256 * 1024,
	/** Bytes of one file that is held in memory to be sent. */
	CONTENT_MAX = 512 * 1024 * 1024,
	VERSIONS_MAX = 200,
};

// ---- the ledger, streamed

struct ledger_stream {
	struct rows *rows;
	/** Only exclusions that nobody accepted. */
	struct evidence *evidence;
	int64_t left;
	struct buf line;
	size_t sent;
};

static void
ledger_stream_free(void *payload)
{
	struct ledger_stream *stream = payload;

	rows_close(stream->rows);
	evidence_close(stream->evidence);
	buf_done(&stream->line);
	free(stream);
}

// 1 to be shown, 0 not, or negative.
static int
is_shown(struct ledger_stream *stream, const struct rows_row *row, struct err *err)
{
	if (stream->evidence == NULL) {
		return 1;
	}
	if (row->row->state != LEDGER_EXCLUDED) {
		return 0;
	}
	return exclusions_is_new(stream->evidence,
		ledger_kind_of(row->row->state, row->row->reason), row->path, row->len,
		err);
}

// The next line into `line`: 1, ROWS_AGAIN, 0 the end, or negative.
static int
next_line(struct ledger_stream *stream, struct err *err)
{
	struct rows_row row;
	int got = stream->left > 0 ? rows_next(stream->rows, &row, err) : 0;

	if (got != 1) {
		return got;
	}
	got = is_shown(stream, &row, err);
	if (got <= 0) {
		return got < 0 ? got : ROWS_AGAIN;
	}
	AUTO(json_freep) struct json *object = view_row(row.path, row.len, row.row);
	AUTO_FREE char *text = json_write(object, 0);

	stream->left--;
	stream->sent = 0;
	buf_clear(&stream->line);
	return buf_add_fmt(&stream->line, err, "%s\n", text) < 0 ? err->code : 1;
}

static ssize_t
read_ledger(char *data, size_t size, void *payload)
{
	struct ledger_stream *stream = payload;
	struct err err;
	size_t filled = 0;

	while (filled < size) {
		size_t rest = MIN_OF(stream->line.len - stream->sent, size - filled);

		if (rest > 0) {
			memcpy(data + filled, stream->line.data + stream->sent, rest);
			stream->sent += rest;
			filled += rest;
			continue;
		}
		switch (next_line(stream, &err)) {
		case 1:
			break;
		case 0:
			return filled > 0 ? (ssize_t)filled : HTTP_STREAM_END;
		case ROWS_AGAIN:
			return filled > 0 ? (ssize_t)filled : HTTP_STREAM_AGAIN;
		default:
			return HTTP_STREAM_BROKEN;
		}
	}
	return (ssize_t)filled;
}

static int
read_filter(struct call *call, struct rows_filter *filter, struct err *err)
{
	const char *state = call_query(call, "state");
	const char *since = call_query(call, "since");
	int64_t since_ms = since != NULL ? clock_parse_duration(since) : 0;

	filter->by_state = state != NULL;
	if (since_ms < 0 ||
		(state != NULL &&
			(!ledger_state_parse(state, &filter->state) ||
				filter->state == LEDGER_UNACCOUNTED))) {
		return call_refuse(call, PROBLEM_BAD_REQUEST, err,
			since_ms < 0 ? "since is a duration such as 24h"
				     : "there is no such state of a row");
	}
	filter->since_ms = since != NULL ? clock_now_ms() - since_ms : 0;
	filter->reason = call_query(call, "reason");
	filter->path = call_query(call, "path");
	filter->text = call_query(call, "text");
	filter->after = call_query(call, "after");
	return 0;
}

int
api_ledger(struct call *call, struct err *err)
{
	struct ledger_stream *stream = xcalloc(1, sizeof(*stream));
	struct http_answer *answer = &call->request->answer;
	const struct serve_options *options = call->desk.options;
	AUTO_FREE char *file = path_join(options->state_dir, RECORD_LEDGER);
	struct rows_filter filter = { 0 };
	struct buf none = { .max = 1 };

	stream->line.max = LINE_MAX_;
	// The stream has a handle of its own; this only tells what is not there yet.
	if (read_filter(call, &filter, err) < 0 ||
		call_query_int(
			call, "limit", 1, INT64_MAX, INT64_MAX, &stream->left, err) < 0 ||
		desk_ledger(&call->desk, err) < 0 ||
		rows_open(file, &filter, &stream->rows, err) < 0 ||
		(call_query(call, "new") != NULL &&
			evidence_open(options->state_dir, EVIDENCE_RO, &stream->evidence,
				err) < 0)) {
		ledger_stream_free(stream);
		return err->code;
	}
	answer->stream = read_ledger;
	answer->stream_free = ledger_stream_free;
	answer->stream_payload = stream;
	return call_answer(call, 200, call->route->type, &none);
}

// ---- one file

struct version_list {
	struct desk *desk;
	struct json *list;
	int64_t left;
	/** Set to the newest one that is there. */
	struct view_safe *safe;
};

static int
add_version(const struct history_version *version, void *payload)
{
	struct version_list *versions = payload;
	struct json *object = json_new_object();
	char id[OID_HEX_MAX];
	bool gone = oid_is_zero(&version->blob);
	enum object_kind kind;
	size_t len;
	struct err ignored;

	if (!gone && !versions->safe->known) {
		*versions->safe = (struct view_safe){
			.known = true,
			.commit = version->commit,
			.time = version->at_ms / 1000,
			.blob = version->blob,
			.current = json_count(versions->list) == 0,
		};
	}
	json_set_text(object, "commit", oid_hex(&version->commit, id));
	view_date(object, "at", version->at_ms);
	json_set_text(object, "oid", gone ? NULL : oid_hex(&version->blob, id));
	if (!gone &&
		repo_stat(versions->desk->repo, &version->blob, &kind, &len, &ignored) ==
			0) {
		json_set_int(object, "bytes", (int64_t)len);
	}
	json_append(versions->list, object);
	return --versions->left == 0;
}

// Is the whole path, with a last word that also names a view, a file of its own?
static bool
is_really_a_file(struct call *call, const char *view)
{
	AUTO_FREE char *whole = xasprintf("%s/%s", call->path, view);
	struct ledger_row row;
	struct err ignored;

	if (desk_ledger(&call->desk, &ignored) < 0 ||
		ledger_find(call->desk.ledger, whole, &row, &ignored) != 1) {
		return false;
	}
	free(call->path);
	call->path = STEAL(whole);
	return true;
}

int
api_file(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO(view_why_done) struct view_why why = { 0 };
	struct version_list versions = {
		.desk = &call->desk, .list = json_new_array(), .safe = &why.safe
	};

	json_set_text(object, "schema", "mirror.file/1");
	json_set_bytes(object, "path", call->path, strlen(call->path));
	json_set(object, "versions", versions.list);
	if (call_query_int(call, "versions", 1, VERSIONS_MAX, 50, &versions.left, err) <
			0 ||
		desk_ledger(&call->desk, err) < 0 ||
		view_why_row(call->desk.ledger, call->path, &why, err) < 0 ||
		history_versions(&call->desk, call->path, add_version, &versions, err) <
			0) {
		return err->code;
	}
	if (why.found == 0 && json_count(versions.list) == 0) {
		return err_raise(err, ERR_NOT_FOUND,
			"it is neither in the ledger nor in the history");
	}
	view_why_disk(call->desk.options->config, call->path, &why);
	if (why.found == 0) {
		json_set_null(object, "row");
	} else {
		json_set(object, "row",
			view_row(call->path, strlen(call->path), &why.row));
	}
	view_why_set(object, &why);
	return call_json(call, STEAL(object));
}

int
api_content(struct call *call, struct err *err)
{
	AUTO(buf_done) struct buf bytes = { .max = CONTENT_MAX };
	struct oid commit;
	struct oid blob;
	char id[OID_HEX_MAX];
	int found;

	if (is_really_a_file(call, "content")) {
		return api_file(call, err);
	}
	if (history_commit(&call->desk, call_query(call, "commit"), &commit, err) < 0) {
		return err->code;
	}
	found = history_blob(&call->desk, &commit, call->path, &blob, err);
	if (found <= 0) {
		return found < 0
			? found
			: err_raise(err, ERR_NOT_FOUND, "that commit has no such file");
	}
	if (repo_read(call->desk.repo, &blob, OBJECT_BLOB, &bytes, err) < 0) {
		return err->code;
	}
	return call_send(call,
		&(struct call_download){
			.name = path_base(call->path),
			.etag = oid_hex(&blob, id),
			.fd = -1,
			.len = (int64_t)bytes.len,
			.bytes = &bytes,
		},
		err);
}

int
api_diff(struct call *call, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = COMPARE_MAX };

	if (is_really_a_file(call, "diff")) {
		return api_file(call, err);
	}
	if (compare_file(&call->desk, call->path, call_query(call, "from"),
		    call_query(call, "to"), &text, err) < 0) {
		return err->code;
	}
	return call_answer(call, 200, call->route->type, &text);
}

// ---- what changed

struct change_list {
	struct json *list;
	struct oid last;
};

static int
add_commit(const struct history_commit *commit, void *payload)
{
	struct change_list *changes = payload;
	struct json *object =
		view_commit(&commit->id, commit->at_ms, commit->subject, &commit->count);
	struct json *paths = json_new_array();

	for (size_t i = 0; i < commit->nchanges; i++) {
		const struct history_change *change = &commit->changes[i];

		json_append(paths, view_change(change->path, &change->old, &change->new));
	}
	json_set(object, "paths", paths);
	json_set_int(object, "more", (int64_t)commit->nmore);
	json_append(changes->list, object);
	changes->last = commit->id;
	return 0;
}

int
api_changes(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct change_list changes = { .list = json_new_array() };
	struct history_filter filter = { 0 };
	const char *since = call_query(call, "since");
	const char *before = call_query(call, "before");
	int64_t since_ms = since != NULL ? clock_parse_duration(since) : 0;
	int64_t limit;
	struct oid oid;
	char id[OID_HEX_MAX];

	json_set_text(object, "schema", "mirror.changes/1");
	json_set(object, "commits", changes.list);
	if (since_ms < 0) {
		return call_refuse(call, PROBLEM_BAD_REQUEST, err,
			"since is a duration such as 24h");
	}
	if (call_query_int(call, "limit", 1, 500, 50, &limit, err) < 0 ||
		(before != NULL && history_commit(&call->desk, before, &oid, err) < 0)) {
		return err->code;
	}
	filter.since_ms = since != NULL ? clock_now_ms() - since_ms : 0;
	filter.before = before != NULL ? &oid : NULL;
	filter.limit = (size_t)limit;
	if (history_changes(&call->desk, &filter, add_commit, &changes, err) < 0) {
		return err->code;
	}
	// What to give as `before` for the next page.
	if (json_count(changes.list) == filter.limit) {
		json_set_text(object, "next", oid_hex(&changes.last, id));
	} else {
		json_set_null(object, "next");
	}
	return call_json(call, STEAL(object));
}
