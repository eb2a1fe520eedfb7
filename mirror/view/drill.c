// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/drill.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "brain/oid.h"
#include "health/evidence.h"
#include "health/record.h"
#include "restore/drill.h"
#include "view/row.h"

#include <stdlib.h>
#include <string.h>

// What is kept of it beside its sentence: short, and without a path.
static struct json *
numbers(const struct drill_result *result, const struct oid *head)
{
	struct json *object = json_new_object();
	char id[OID_HEX_MAX];

	json_set_text(object, "outcome", drill_outcome_word(result->outcome));
	json_set_text(object, "from", result->from_remote ? "remote" : "here");
	json_set_text(object, "commit",
		oid_hex(result->from_remote ? &result->remote : head, id));
	json_set_int(object, "files", (int64_t)result->files);
	json_set_int(object, "with_disk", (int64_t)result->with_disk);
	json_set_int(object, "bytes", (int64_t)result->bytes);
	json_set_int(object, "databases", (int64_t)result->databases);
	json_set_int(object, "sealed", (int64_t)result->sealed);
	json_set_int(object, "differ", (int64_t)result->differ);
	json_set_real(object, "seconds", (double)result->duration_ms / 1000);
	return object;
}

static int
take_over(const char *key, const struct json *value, void *payload)
{
	json_set(payload, key, json_clone(value));
	return 0;
}

struct json *
view_drill(const struct drill_result *result, const struct oid *head)
{
	AUTO(json_freep) struct json *kept = numbers(result, head);
	struct json *object = json_new_object();

	json_set_text(object, "schema", "mirror.drill/1");
	(void)json_each(kept, take_over, object);
	json_set_text(object, "why", result->why[0] != '\0' ? result->why : NULL);
	return object;
}

int
view_drill_record(struct evidence *evidence, const struct drill_result *result,
	const struct oid *head, struct err *err)
{
	static const enum record_outcome outcomes[] = {
		[DRILL_PASSED] = RECORD_PASSED,
		[DRILL_FAILED] = RECORD_FAILED,
		[DRILL_INCONCLUSIVE] = RECORD_INCONCLUSIVE,
	};
	AUTO(json_freep) struct json *kept = numbers(result, head);
	AUTO_FREE char *text = json_write(kept, 0);

	return record_drill(evidence,
		&(struct record_drill){
			.outcome = outcomes[result->outcome],
			.files = (int64_t)result->files,
			.differ = (int64_t)result->differ,
			.sealed = (int64_t)result->sealed,
			.duration_ms = result->duration_ms,
			.what = result->why[0] != '\0' ? result->why : NULL,
			.numbers = text,
		},
		err);
}

struct json *
view_drill_last(const struct evidence_row *row)
{
	AUTO(json_freep) struct json *kept = NULL;
	struct json *object = json_new_object();
	struct err ignored;

	json_set_text(object, "schema", "mirror.drill/1");
	// An earlier version kept none.
	if (json_parse(row->detail, strlen(row->detail), &kept, &ignored) == 0) {
		(void)json_each(kept, take_over, object);
	}
	json_set_text(object, "state", health_state_word(row->state));
	json_set_text(object, "evidence", row->text);
	view_date(object, "at", row->at_ms);
	return object;
}
