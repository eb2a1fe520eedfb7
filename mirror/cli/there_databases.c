// SPDX-License-Identifier: GPL-2.0-or-later

// Databases of another agent.

#include "cli/there.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** A snapshot or the check of an upload takes as long as it takes there. */
	THERE_LONG_MS = 8 * 3600 * 1000,
	THERE_BAD = 2,
	THERE_UNKNOWN = 3,
};

// ---- how far it is

struct patience {
	struct call *call;
	const struct client *client;
	// A database there, as it is called.
	const char *name;
};

// What the agent does meanwhile; a bar is worth a question, no bar is not.
static void
on_wait(int64_t sent, int64_t total, void *payload)
{
	const struct patience *patience = payload;
	AUTO(json_freep) struct json *answer = NULL;
	struct output *out = &patience->call->out;
	const struct json *work;
	struct err ignored;

	if (!out->bar) {
		return;
	}
	if (sent < total) {
		output_progress(out, "sent", (uint64_t)sent, (uint64_t)total);
		return;
	}
	if (client_get(patience->client, "/v1/work", &answer, &ignored) < 0) {
		return;
	}
	work = json_get(answer, "work");
	for (size_t i = 0; i < json_count(work); i++) {
		const struct json *row = json_at(work, i);
		const char *name = json_get_text(row, "database");
		const char *stage = json_get_text(row, "stage");

		if (name != NULL && stage != NULL && strcmp(name, patience->name) == 0) {
			output_progress(out, stage,
				(uint64_t)json_get_int(row, "done", 0),
				(uint64_t)json_get_int(row, "total", 0));
		}
	}
}

// Ask for what takes long; @request says what.
static int
ask_and_wait(struct call *call, const struct client *client, const char *name,
	struct client_request *request, struct json **ret_answer, struct err *err)
{
	struct patience patience = { .call = call, .client = client, .name = name };
	struct client patient = *client;
	int status;

	patient.deadline_ms = THERE_LONG_MS;
	request->progress = on_wait;
	request->payload = &patience;
	status = client_ask(&patient, request, ret_answer, err);
	output_progress_done(&call->out);
	return MIN_OF(status, 0);
}

// ---- list

static void
print_database(struct output *out, const struct json *database)
{
	const struct json *snapshots = json_get(database, "snapshots");

	there_print(out, "", database, "name", "  ");
	there_print(out, "", database, "path", "\n");
	if (json_count(snapshots) == 0) {
		output_line(out, "  no snapshot yet");
	}
	for (size_t i = 0; i < json_count(snapshots); i++) {
		const struct json *row = json_at(snapshots, i);
		char size[OUTPUT_SIZE_MAX];

		output_size((uint64_t)json_get_int(row, "bytes", 0), size);
		there_print(out, "  ", row, "taken_at", "");
		output_text(out, "  %s, %" PRId64 " rows, ", size,
			json_get_int(row, "rows", 0));
		there_print(out, "", row, "provenance", "");
		output_line(out, "%s",
			json_get_bool(row, "verified", false) ? ", checked"
							      : ", not checked");
	}
}

int
there_databases(struct call *call, const struct client *client, struct err *err)
{
	AUTO(json_freep) struct json *answer = NULL;
	const struct json *list;

	if (client_get(client, "/v1/databases", &answer, err) < 0) {
		return err->code;
	}
	if (call->out.json) {
		output_json(&call->out, answer);
		return 0;
	}
	list = json_get(answer, "databases");
	for (size_t i = 0; i < json_count(list); i++) {
		print_database(&call->out, json_at(list, i));
	}
	if (json_count(list) == 0) {
		output_line(&call->out, "there is no database in the watched folders");
	}
	return 0;
}

// "/v1/databases/notes%2Fapp.db/snapshots"; owned.
static char *
target_of(const char *name, const char *what)
{
	AUTO_FREE char *escaped = xcalloc(3 * strlen(name) + 1, 1);
	char *at = escaped;

	for (; *name != '\0'; name++) {
		unsigned char byte = (unsigned char)*name;

		*at++ = '%';
		*at++ = "0123456789ABCDEF"[byte >> 4];
		*at++ = "0123456789ABCDEF"[byte & 15];
	}
	return xasprintf("/v1/databases/%s/%s", escaped, what);
}

// ---- a snapshot

int
there_snapshot(struct call *call, const struct client *client, struct err *err)
{
	const char *name = call->args.words[0];
	AUTO_FREE char *target = target_of(name, "snapshots");
	AUTO(json_freep) struct json *empty = json_new_object();
	AUTO(json_freep) struct json *answer = NULL;
	struct client_request request = {
		.method = "POST", .target = target, .body = empty
	};
	char size[OUTPUT_SIZE_MAX];

	if (call->dry_run) {
		output_line(&call->out, "would ask for a snapshot of %s", name);
		return 0;
	}
	if (ask_and_wait(call, client, name, &request, &answer, err) < 0) {
		return err->code;
	}
	if (call->out.json) {
		output_json(&call->out, answer);
		return 0;
	}
	output_size((uint64_t)json_get_int(answer, "bytes", 0), size);
	there_print(&call->out, "", answer, "path", "");
	output_line(&call->out, ": %s, %" PRId64 " rows, checked%s", size,
		json_get_int(answer, "rows", 0),
		json_get_bool(answer, "unchanged", false)
			? "; nothing changed since it was taken"
			: "");
	return 0;
}

// ---- verify

struct verifying {
	struct call *call;
	const struct client *client;
	struct json *rows;
	int64_t good;
	int64_t bad;
	int64_t unknown;
};

static void
print_proofs(struct verifying *verifying, const struct json *rows)
{
	struct output *out = &verifying->call->out;

	for (size_t i = 0; i < json_count(rows); i++) {
		const struct json *row = json_at(rows, i);
		const char *proof = json_get_text(row, "proof");

		json_append(verifying->rows, json_clone(row));
		if (out->json) {
			continue;
		}
		there_print(out, "", row, "name", " ");
		there_print(out, "", row, "id", ": ");
		if (proof != NULL) {
			output_line(out, "good: %s", proof);
		} else {
			there_print(out, "", row, "error", "\n");
		}
	}
}

static int
verify_one(struct verifying *verifying, const char *name, struct err *err)
{
	AUTO_FREE char *target = target_of(name, "verify");
	AUTO(json_freep) struct json *empty = json_new_object();
	AUTO(json_freep) struct json *answer = NULL;
	struct client_request request = {
		.method = "POST", .target = target, .body = empty
	};

	if (ask_and_wait(verifying->call, verifying->client, name, &request, &answer,
		    err) < 0) {
		return err->code;
	}
	print_proofs(verifying, json_get(answer, "snapshots"));
	verifying->good += json_get_int(answer, "good", 0);
	verifying->bad += json_get_int(answer, "bad", 0);
	verifying->unknown += json_get_int(answer, "unchecked", 0);
	return 0;
}

static int
verify_all(struct verifying *verifying, struct err *err)
{
	AUTO(json_freep) struct json *answer = NULL;
	const struct json *list;

	if (client_get(verifying->client, "/v1/databases", &answer, err) < 0) {
		return err->code;
	}
	list = json_get(answer, "databases");
	for (size_t i = 0; i < json_count(list); i++) {
		AUTO_FREE char *name = json_get_bytes(json_at(list, i), "name");

		if (name != NULL && verify_one(verifying, name, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

int
there_verify(struct call *call, const struct client *client, struct err *err)
{
	struct verifying verifying = { .call = call, .client = client };
	AUTO(json_freep) struct json *object = json_new_object();

	json_set_text(object, "schema", "mirror.db-verify/1");
	verifying.rows = json_new_array();
	json_set(object, "snapshots", verifying.rows);
	if ((call->args.nwords > 0 ? verify_one(&verifying, call->args.words[0], err)
				   : verify_all(&verifying, err)) < 0) {
		return err->code;
	}
	json_set_int(object, "good", verifying.good);
	json_set_int(object, "bad", verifying.bad);
	json_set_int(object, "unchecked", verifying.unknown);
	if (call->out.json) {
		output_json(&call->out, object);
	} else {
		output_line(&call->out, "%" PRId64 " good, %" PRId64 " bad",
			verifying.good, verifying.bad);
	}
	return verifying.bad > 0 ? THERE_BAD : verifying.unknown > 0 ? THERE_UNKNOWN : 0;
}

// ---- a restore

static int
upload(struct call *call, const struct client *client, const char *target,
	struct json **ret_answer, struct err *err)
{
	struct client_request request = { .method = "PUT", .target = target };
	const char *file = call->args.words[1];
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0) {
		return err_errno(err, "open %s", file);
	}
	if (info.st_size == 0) {
		return err_raise(err, ERR_INVALID, "%s is empty", file);
	}
	if (call->dry_run) {
		output_line(&call->out, "would be sent, checked and staged there");
		return 0;
	}
	request.fd = fd;
	request.fd_len = info.st_size;
	return ask_and_wait(call, client, call->args.words[0], &request, ret_answer, err);
}

static int
stage_file(struct call *call, const struct client *client, const char *target,
	struct err *err)
{
	AUTO(json_freep) struct json *answer = NULL;

	if (upload(call, client, target, &answer, err) < 0 || answer == NULL) {
		return err->code;
	}
	if (call->out.json) {
		output_json(&call->out, answer);
		return 0;
	}
	there_print(&call->out, "staged there as ", answer, "id", "");
	output_line(&call->out, "; nothing is replaced yet");
	return 0;
}

static int
list_restores(struct call *call, const struct json *answer)
{
	const struct json *rows = json_get(answer, "restores");

	if (call->out.json) {
		output_json(&call->out, answer);
		return 0;
	}
	for (size_t i = 0; i < json_count(rows); i++) {
		there_print(&call->out, "", json_at(rows, i), "id", "  ");
		there_print(&call->out, "", json_at(rows, i), "at", "  ");
		there_print(&call->out, "", json_at(rows, i), "state", "\n");
	}
	if (json_count(rows) == 0) {
		output_line(&call->out, "nothing is staged there, nothing was applied");
	}
	return 0;
}

// There is one at most; it is the one that was meant, or none is touched.
static int
cancel_restore(struct call *call, const struct client *client, const char *target,
	const struct json *answer, const char *id, struct err *err)
{
	const struct client_request request = { .method = "DELETE", .target = target };
	const struct json *rows = json_get(answer, "restores");
	AUTO(json_freep) struct json *cancelled = NULL;
	bool found = false;

	for (size_t i = 0; i < json_count(rows); i++) {
		const char *at = json_get_text(json_at(rows, i), "id");
		const char *state = json_get_text(json_at(rows, i), "state");

		found = found ||
			(at != NULL && state != NULL && strcmp(at, id) == 0 &&
				strcmp(state, "applied") != 0);
	}
	if (!found) {
		return err_raise(err, ERR_NOT_FOUND, "%s is not staged there", id);
	}
	if (call->dry_run) {
		output_line(&call->out, "restore %s would be dropped", id);
		return 0;
	}
	if (client_ask(client, &request, &cancelled, err) < 0) {
		return err->code;
	}
	if (call->out.json) {
		output_json(&call->out, cancelled);
	} else {
		output_line(&call->out, "%s was dropped there", id);
	}
	return 0;
}

static int
check_usage(const struct args *args, struct err *err)
{
	static const char *const only_here[] = { "to", "in-place", "undo", "apply" };
	size_t asked = args_has(args, "list") + (size_t)args_has(args, "cancel");
	bool wrong = asked > 1 || args->nwords != 2 - MIN_OF(asked, (size_t)1);

	for (size_t i = 0; i < countof(only_here); i++) {
		wrong = wrong || args_has(args, only_here[i]);
	}
	return !wrong
		? 0
		: err_raise(err, ERR_USAGE,
			  "at another agent a restore is NAME FILE, checked and staged "
			  "there, or NAME with --list or --cancel");
}

int
there_restore(struct call *call, const struct client *client, struct err *err)
{
	AUTO(json_freep) struct json *answer = NULL;
	const char *id = args_value(&call->args, "cancel");
	AUTO_FREE char *target = NULL;

	if (check_usage(&call->args, err) < 0) {
		return err->code;
	}
	target = target_of(call->args.words[0], "restore");
	if (call->args.nwords == 2) {
		return stage_file(call, client, target, err);
	}
	if (client_get(client, target, &answer, err) < 0) {
		return err->code;
	}
	return id != NULL ? cancel_restore(call, client, target, answer, id, err)
			  : list_restores(call, answer);
}
