// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A file that is called as a secret is, and holds one word and nothing else: secrets of
 * containers, "master.key", ".vault_pass", "db_password".
 */

#include "scanner/engine_pass.h"

#include "scanner/chars.h"
#include "scanner/filter.h"

enum {
	ALONE_MIN = 8,
	ALONE_MAX = 1024,
};

void
pass_alone(struct pass *pass)
{
	const char *text = pass->text, *why;
	size_t len = pass->len;

	while (len > 0 && char_is_space(text[len - 1])) {
		len--;
	}
	if ((pass->context->path & FILTER_PATH_NAMED) == 0 || len < ALONE_MIN ||
		len > ALONE_MAX) {
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~') {
			return;
		}
	}
	struct filter_value value = {
		.text = text,
		.len = len,
		.name = "password",
		.name_len = sizeof("password") - 1,
		.whole_line = true,
		.ends_line = true,
	};
	if (filter_secret(&value, &why) == FILTER_KEY_NONE) {
		pass_tell(pass, "generic-secret", why, 0, len);
		return;
	}
	pass_emit_rule(pass, ruleset_code(pass->context->rules, RULESET_GENERIC_SECRET),
		FINDING_LIKELY, 0, len);
}
