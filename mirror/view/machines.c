// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/machines.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "health/record.h"
#include "view/row.h"

#include <stdlib.h>
#include <string.h>

void
view_machines_done(struct view_machines *machines)
{
	for (size_t i = 0; i < machines->count; i++) {
		free(machines->rows[i].name);
	}
	free(machines->rows);
	machines->rows = NULL;
	machines->count = machines->capacity = 0;
}

// ---- collecting

struct looking {
	struct view_machines *machines;
	struct repo *repo;
	struct err *err;
};

// The row of @name, made when missing; NULL and a story when there are too many.
static struct view_machine *
row_of(struct view_machines *machines, const char *name, struct err *err)
{
	for (size_t i = 0; i < machines->count; i++) {
		if (strcmp(machines->rows[i].name, name) == 0) {
			return &machines->rows[i];
		}
	}
	if (machines->count >= FLEET_MACHINES_MAX) {
		err_raise(err, ERR_TOO_BIG, "more than %d machines", FLEET_MACHINES_MAX);
		return NULL;
	}
	machines->rows = xgrow(machines->rows, machines->count, &machines->capacity,
		sizeof(machines->rows[0]));
	machines->rows[machines->count] = (struct view_machine){
		.name = xstrdup(name),
		.own = strcmp(name, machines->own) == 0,
	};
	return &machines->rows[machines->count++];
}

static int
take_time(const struct repo_commit *commit, void *payload)
{
	*(int64_t *)payload = commit->time * 1000;
	return 1;
}

static int
on_branch(const char *name, const struct oid *commit, void *payload)
{
	const struct looking *looking = payload;
	struct view_machine *row = row_of(looking->machines, name, looking->err);
	int64_t at_ms = 0;

	if (row == NULL ||
		repo_log(looking->repo, commit, take_time, &at_ms, looking->err) < 0) {
		return looking->err->code;
	}
	// The remote was asked just now, and has something else.
	if (!oid_is_zero(&row->commit) && row->commit_ms == 0 &&
		!oid_equal(&row->commit, commit)) {
		return 0;
	}
	// Known here and from a remote: the later one is what is true.
	if (at_ms > row->commit_ms) {
		row->commit = *commit;
		row->commit_ms = at_ms;
	}
	return 0;
}

static int
on_beat(const struct fleet_beat *beat, void *payload)
{
	const struct looking *looking = payload;
	struct view_machine *row = row_of(looking->machines, beat->host, looking->err);

	if (row == NULL) {
		return looking->err->code;
	}
	row->beat = *beat;
	if (oid_is_zero(&row->commit)) {
		(void)oid_parse(beat->commit, &row->commit);
	}
	return 0;
}

int
view_machines_add(struct view_machines *machines, const char *name,
	const struct oid *commit, struct err *err)
{
	struct view_machine *row = row_of(machines, name, err);

	if (row == NULL) {
		return err->code;
	}
	if (!row->own && !oid_equal(&row->commit, commit)) {
		row->commit = *commit;
		row->commit_ms = 0;
	}
	return 0;
}

static int
by_name(const void *left, const void *right)
{
	const struct view_machine *a = left;
	const struct view_machine *b = right;

	return a->own != b->own ? b->own - a->own : strcmp(a->name, b->name);
}

int
view_machines_look(struct repo *repo, struct view_machines *machines, struct err *err)
{
	struct looking looking = { .machines = machines, .repo = repo, .err = err };

	if (repo_each_host(repo, on_branch, &looking, err) < 0 ||
		fleet_each(repo_git_dir(repo), on_beat, &looking, err) < 0) {
		return err_wrap(err, "list the machines");
	}
	if (machines->count > 1) {
		qsort(machines->rows, machines->count, sizeof(machines->rows[0]),
			by_name);
	}
	return 0;
}

// ---- telling

int64_t
view_machine_seen_ms(const struct view_machine *row)
{
	return MAX_OF(row->beat.at_ms, row->commit_ms);
}

bool
view_machine_is_silent(const struct view_machine *row, int64_t now_ms)
{
	return !row->own && now_ms - view_machine_seen_ms(row) > RECORD_SILENT_MS;
}

static struct json *
machine_json(const struct view_machine *row, int64_t now_ms)
{
	const struct fleet_beat *beat = &row->beat;
	struct json *item = json_new_object();
	char id[OID_HEX_MAX];

	json_set_text(item, "name", row->name);
	json_set_text(item, "commit",
		oid_is_zero(&row->commit) ? NULL : oid_hex(&row->commit, id));
	view_date(item, "committed_at", row->commit_ms);
	view_date(item, "at", view_machine_seen_ms(row));
	json_set_bool(item, "this", row->own);
	json_set_bool(item, "silent", view_machine_is_silent(row, now_ms));
	view_date(item, "beat_at", beat->at_ms);
	json_set_text(item, "state", beat->at_ms > 0 ? beat->state : NULL);
	json_set_text(item, "sentence", beat->at_ms > 0 ? beat->sentence : NULL);
	json_set_text(item, "machine", beat->at_ms > 0 ? beat->machine : NULL);
	return item;
}

struct json *
view_machines_json(const struct view_machines *machines, int64_t now_ms)
{
	struct json *object = json_new_object();
	struct json *list = json_new_array();

	for (size_t i = 0; i < machines->count; i++) {
		json_append(list, machine_json(&machines->rows[i], now_ms));
	}
	json_set_text(object, "schema", "mirror.machines/1");
	json_set(object, "machines", list);
	return object;
}
