// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/secrets.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "brain/allowed.h"

int
view_fingerprint(const char *text, uint8_t ret_print[FINDING_PRINT_LEN], struct err *err)
{
	if (hash_unhex(text, ret_print, FINDING_PRINT_LEN)) {
		return 0;
	}
	err_raise(
		err, ERR_USAGE, "a fingerprint has %d hex digits", 2 * FINDING_PRINT_LEN);
	return err_advise(err, "mirror scan FILE shows them");
}

struct json *
view_allowed_json(const struct allowed *allowed)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < allowed->count; i++) {
		struct json *row = json_new_object();
		char print[HASH_HEX_MAX];

		hash_hex(allowed->prints[i], FINDING_PRINT_LEN, print);
		json_set_text(row, "fingerprint", print);
		json_set_text(row, "note", allowed->notes[i]);
		json_append(list, row);
	}
	return list;
}
