// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/accept.h"

#include "base/err.h"
#include "base/json.h"
#include "config/config.h"
#include "health/report.h"
#include "jobqueue/jobqueue.h"

#include <string.h>

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
