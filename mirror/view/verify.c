// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/verify.h"

#include "base/err.h"
#include "base/json.h"

#include <string.h>

static bool
is_wanted(const struct view_verify *verify, const struct manifest_entry *entry)
{
	return entry->complete && entry->local &&
		(verify->only == NULL || strcmp(verify->only, entry->file) == 0);
}

size_t
view_verify_count(const struct view_verify *verify, const struct view_database *database)
{
	const struct manifest *manifest = &database->manifest;
	size_t count = 0;

	for (size_t i = 0; database->known && i < manifest->nentries; i++) {
		count += is_wanted(verify, &manifest->entries[i]);
	}
	return count;
}

size_t
view_verify_done(const struct view_verify *verify)
{
	return verify->good + verify->bad + verify->unknown;
}

static bool
is_bad(const struct err *why)
{
	return why->code == ERR_INVALID || why->code == ERR_CORRUPT ||
		why->code == ERR_NOT_FOUND;
}

static int
look(struct view_verify *verify, const struct view_database *database,
	const struct manifest_entry *entry)
{
	struct err why = { 0 };
	struct view_verified verified = { .database = database, .entry = entry };

	verified.proof = snapshot_verify(
		verify->self, database->dir, entry->file, NULL, verify->timeout_ms, &why);
	verified.why = why.msg;
	verified.unknown = verified.proof < 0 && !is_bad(&why);
	verify->good += verified.proof >= 0;
	verify->bad += verified.proof < 0 && is_bad(&why);
	verify->unknown += verified.unknown;
	return verify->told != NULL ? verify->told(&verified, verify->payload) : 0;
}

int
view_verify(struct view_verify *verify, const struct view_database *database)
{
	const struct manifest *manifest = &database->manifest;
	int stop = 0;

	for (size_t i = 0; database->known && i < manifest->nentries && stop == 0; i++) {
		if (is_wanted(verify, &manifest->entries[i])) {
			stop = look(verify, database, &manifest->entries[i]);
		}
	}
	return stop;
}

struct json *
view_verified_json(const struct view_verified *verified)
{
	const char *name = verified->database->name;
	struct json *row = view_snapshot_json(verified->database, verified->entry);

	json_set_bytes(row, "name", name, strlen(name));
	json_set_text(row, "proof",
		verified->proof < 0                          ? NULL
			: verified->proof == SNAPSHOT_OPENED ? "opened"
							     : "stored");
	json_set_text(row, "error", verified->proof < 0 ? verified->why : NULL);
	return row;
}

struct json *
view_verify_json(const struct view_verify *verify, struct json *rows)
{
	struct json *object = json_new_object();

	json_set_text(object, "schema", "mirror.db-verify/1");
	json_set(object, "snapshots", rows);
	json_set_int(object, "good", (int64_t)verify->good);
	json_set_int(object, "bad", (int64_t)verify->bad);
	json_set_int(object, "unchecked", (int64_t)verify->unknown);
	return object;
}
