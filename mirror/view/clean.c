// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/clean.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <string.h>

int
view_clean(
	const struct scanner *scanner, const char *text, char **ret_text, struct err *err)
{
	AUTO(redaction_done)
	struct redaction clean = { .out = { .max = VIEW_CLEAN_MAX } };
	struct scan_input input = {
		.data = text,
		.len = strlen(text),
		.is_name = true,
	};

	if (redact_bytes(scanner, &input, &clean, err) < 0) {
		return err->code;
	}
	if (clean.outcome == REDACT_CANNOT) {
		return err_raise(err, ERR_BLOCKED, "what was typed holds a secret (%s)",
			clean.spans[0].rule);
	}
	*ret_text = clean.outcome == REDACT_CLEAN
		? xstrdup(text)
		: xmemdup0(clean.out.data, clean.out.len);
	return 0;
}

int
view_clean_once(const uint8_t *key, const char *text, char **ret_text, struct err *err)
{
	AUTO(scanner_freep) struct scanner *scanner = NULL;
	struct scanner_options options = { .key = key };

	if (text == NULL || text[0] == '\0') {
		*ret_text = xstrdup("");
		return 0;
	}
	if (scanner_new(&options, &scanner, err) < 0 ||
		view_clean(scanner, text, ret_text, err) < 0) {
		return err_wrap(err, "scan what was typed");
	}
	return 0;
}
