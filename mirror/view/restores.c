// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/restores.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "vault/restore_record.h"
#include "view/row.h"

#include <string.h>

struct json *
view_restore_json(const struct view_database *database, const char *path,
	const char *result, const char *id, const char *next)
{
	struct json *object = json_new_object();

	json_set_text(object, "schema", "mirror.db-restore/1");
	json_set_bytes(object, "name", database->name, strlen(database->name));
	json_set_bytes(object, "path", path, strlen(path));
	json_set_text(object, "result", result);
	json_set_text(object, "id", id);
	if (next != NULL) {
		json_set_bytes(object, "next", next, strlen(next));
	}
	return object;
}

void
view_restore_add(struct json *object, const struct restore_record *record)
{
	json_set_text(object, "id", record->id);
	json_set_text(object, "state", restore_state_name(record->state));
	view_date(object, "at", record->at_ms);
	if (record->target != NULL) {
		json_set_bytes(object, "target", record->target, strlen(record->target));
	}
	json_set_text(object, "sha256", record->sha256);
	json_set_int(object, "bytes", record->bytes);
	json_set_text(object, "reason", record->reason);
}

static int
add_record(const struct restore_record *record, void *payload)
{
	struct json *list = payload;
	struct json *row = json_new_object();

	view_restore_add(row, record);
	json_append(list, row);
	return json_count(list) == VIEW_RESTORES_MAX;
}

int
view_restores_json(
	const struct view_database *database, struct json **ret_object, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct json *rows = json_new_array();

	json_set_text(object, "schema", "mirror.db-restores/1");
	json_set_bytes(object, "name", database->name, strlen(database->name));
	json_set(object, "restores", rows);
	if (restore_db_list(database->dir, add_record, rows, err) < 0) {
		if (err->code != ERR_NOT_FOUND) {
			return err->code;
		}
		err_clear(err);
	}
	*ret_object = STEAL(object);
	return 0;
}
