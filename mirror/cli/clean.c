// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/clean.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/scan_key.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <stdlib.h>
#include <string.h>

int
clean_text(const struct call *call, const char *text, char **ret_text, struct err *err)
{
	AUTO(scanner_freep) struct scanner *scanner = NULL;
	AUTO(redaction_done)
	struct redaction clean = { .out = { .max = CLEAN_TEXT_MAX } };
	uint8_t key[HASH_KEY_LEN];
	struct scanner_options options = { .key = key };
	struct scan_input input = { .is_name = true };

	if (text == NULL || text[0] == '\0') {
		*ret_text = xstrdup("");
		return 0;
	}
	input.data = text;
	input.len = strlen(text);
	if (scan_key_get(call, key, err) < 0 ||
		scanner_new(&options, &scanner, err) < 0 ||
		redact_bytes(scanner, &input, &clean, err) < 0) {
		return err_wrap(err, "scan what was typed");
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
