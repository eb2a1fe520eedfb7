// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/json.h"
#include "cli/handlers.h"
#include "cli/status.h"

enum {
	STATUS_UNKNOWN = 3,
};

int
verb_status(struct call *call, struct err *err)
{
	AUTO(json_freep) struct json *object = NULL;
	struct err wrong = { 0 };
	const char *trouble;
	bool known = true;

	if (args_has(&call->args, "watch")) {
		return status_watch(call, err);
	}
	if (status_get(call, &object, &known, err) < 0) {
		return err->code;
	}
	trouble = json_get_text(object, "config_error");
	if (trouble != NULL) {
		err_raise(&wrong, ERR_CONFIG, "%s", trouble);
		output_error(&call->out, &wrong);
		if (known) {
			output_warn(
				&call->out, "so this is by the last good configuration");
		}
	}
	if (call->out.json) {
		output_json(&call->out, object);
	} else {
		status_print(&call->out, object);
	}
	return known ? 0 : STATUS_UNKNOWN;
}
