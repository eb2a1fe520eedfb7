// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/database.h"
#include "cli/handlers.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "cli/there.h"
#include "config/config.h"
#include "view/verify.h"

#include <stdlib.h>

/**
 * `mirror db verify`: every kept snapshot read again.
 */

enum {
	DB_BAD = 2,
	DB_UNKNOWN = 3,
};

struct verifying {
	struct call *call;
	struct view_verify verify;
	// With --json.
	struct json *rows;
};

static int
on_verified(const struct view_verified *verified, void *payload)
{
	struct verifying *verifying = payload;
	const struct view_verify *verify = &verifying->verify;
	struct output *out = &verifying->call->out;
	int proof = verified->proof;

	output_progress(out, "snapshots", view_verify_done(verify), verify->total);
	if (verifying->rows != NULL) {
		json_append(verifying->rows, view_verified_json(verified));
		return 0;
	}

	AUTO_FREE char *name = path_printable(verified->database->name);
	AUTO_FREE char *reason = path_printable_text(verified->why);

	output_line(out, "%s %s: %s%s", name, verified->entry->file,
		verified->unknown ? "could not be checked: " : "",
		proof < 0                          ? reason
			: proof == SNAPSHOT_OPENED ? "good: opened and checked"
						   : "good: the stored bytes are right");
	return 0;
}

static int
count_one(const struct view_database *database, void *payload)
{
	struct view_verify *verify = payload;

	verify->total += view_verify_count(verify, database);
	return 0;
}

static int
verify_one(const struct view_database *database, void *payload)
{
	return view_verify(payload, database);
}

static int
verify_named(const struct config *config, const char *name, struct view_verify *verify,
	struct err *err)
{
	AUTO(view_database_done) struct view_database database = { 0 };

	if (database_find(config, name, &database, err) < 0) {
		return err->code;
	}
	(void)count_one(&database, verify);
	return view_verify(verify, &database);
}

static int
verify_all(const struct config *config, struct view_verify *verify, struct err *err)
{
	int result = database_each(config, count_one, verify, err);

	return result < 0 ? result : database_each(config, verify_one, verify, err);
}

static void
print(struct verifying *verifying)
{
	const struct view_verify *verify = &verifying->verify;
	struct output *out = &verifying->call->out;

	output_progress_done(out);
	if (verifying->rows != NULL) {
		AUTO(json_freep)
		struct json *object = view_verify_json(verify, STEAL(verifying->rows));

		output_json(out, object);
		return;
	}

	AUTO_FREE char *rest = verify->unknown > 0
		? xasprintf(", %zu could not be checked", verify->unknown)
		: xstrdup("");

	output_line(out, "%zu good, %zu bad%s", verify->good, verify->bad, rest);
}

static int
run(struct verifying *verifying, const struct config *config, struct err *err)
{
	const struct args *args = &verifying->call->args;
	struct view_verify *verify = &verifying->verify;

	verify->timeout_ms = config->sqlite.timeout_ms;
	if ((args->nwords > 0 ? verify_named(config, args->words[0], verify, err)
			      : verify_all(config, verify, err)) < 0) {
		return err->code;
	}
	print(verifying);
	return verify->bad > 0 ? DB_BAD : verify->unknown > 0 ? DB_UNKNOWN : 0;
}

int
verb_db_verify(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	struct verifying verifying = { .call = call };
	AUTO(client_done) struct client client = { 0 };
	struct err wrong;
	int result = remote_given(call, &client, err);

	if (result != 0) {
		return result < 0 ? result : there_verify(call, &client, err);
	}
	if (settings_load_or_last(call, &config, &wrong, err) < 0) {
		return err->code;
	}
	verifying.verify = (struct view_verify){
		.self = "/proc/self/exe", .told = on_verified, .payload = &verifying
	};
	verifying.rows = call->out.json ? json_new_array() : NULL;
	result = run(&verifying, config, err);
	json_free(verifying.rows);
	return result;
}
