// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/accept.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/record.h"
#include "health/report.h"
#include "jobqueue/jobqueue.h"
#include "view/databases.h"

#include <stdlib.h>
#include <string.h>

#define DB_PREFIX "db:"

enum {
	// A snapshot of that database is waited for so long.
	MANIFEST_WAIT_MS = 2000,
};

bool
view_accept_means(const struct health_fact *fact, const char *what)
{
	return fact->acceptable && fact->state != HEALTH_HEALTHY &&
		(what == NULL || strcmp(what, fact->name) == 0);
}

struct json *
view_accept_json(const struct health_report *report, const char *what, int count)
{
	struct json *object = json_new_object();
	struct json *list = json_new_array();

	for (size_t i = 0; i < report->nfacts; i++) {
		const struct health_fact *fact = &report->facts[i];
		struct json *row;

		if (!view_accept_means(fact, what)) {
			continue;
		}
		row = json_new_object();
		json_set_text(row, "name", fact->name);
		json_set_text(row, "evidence", fact->evidence);
		json_append(list, row);
	}
	json_set_text(object, "schema", "mirror.accept/1");
	json_set(object, "accepted", list);
	json_set_int(object, "count", count);
	return object;
}

static int
take_over(const struct view_database *database, const char *fact,
	struct evidence *evidence, struct err *err)
{
	AUTO(identity_done) struct identity now = { 0 };
	AUTO(manifest_close) struct manifest manifest = { 0 };
	AUTO_FREE char *identity = NULL;
	struct record_db healthy = { .name = database->name,
		.state = HEALTH_HEALTHY,
		.text = "accepted as it stands there" };
	struct err none;

	// Gone, or under a name that nobody may hear: accepted by its fact alone.
	if (database->disk == NULL || database->dir == NULL ||
		identity_of(database->disk, &now, &none) < 0) {
		return 0;
	}
	identity = xasprintf(
		"%llu:%llu", (unsigned long long)now.dev, (unsigned long long)now.inode);
	healthy.identity = identity;
	if (manifest_open(database->dir, MANIFEST_WRITE, MANIFEST_WAIT_MS, &manifest,
		    err) < 0 ||
		manifest_accept(&manifest, &now, err) < 0 ||
		record_db(evidence, &healthy, err) < 0) {
		return err_wrap(err, "accept %s", fact);
	}
	return evidence_unaccept(evidence, fact, err);
}

int
view_accept_databases(const struct view_vault *vault, struct evidence *evidence,
	const struct health_report *report, const char *what, struct err *err)
{
	for (size_t i = 0; i < report->nfacts; i++) {
		const struct health_fact *fact = &report->facts[i];
		AUTO(view_database_done) struct view_database database = { 0 };
		struct err none;

		if (!view_accept_means(fact, what) ||
			strncmp(fact->name, DB_PREFIX, strlen(DB_PREFIX)) != 0 ||
			view_database_find(vault, fact->name + strlen(DB_PREFIX),
				&database, &none) < 0) {
			continue;
		}
		if (take_over(&database, fact->name, evidence, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

int
view_accept_ask(struct jobqueue *queue, const struct config *config, struct err *err)
{
	if (jobqueue_enqueue(queue, JOB_SYNC, NULL, err) < 0) {
		return err->code;
	}
	if (config != NULL && config_has_remote(config) &&
		(jobqueue_enqueue(queue, JOB_PUSH, NULL, err) < 0 ||
			jobqueue_hurry(queue, JOB_PUSH, err) < 0)) {
		return err->code;
	}
	return 0;
}
