// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/clean.h"

#include "agent/shown.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/scan_key.h"
#include "scanner/scanner.h"
#include "view/clean.h"

#include <stdlib.h>
#include <string.h>

static int
open_scanner(const struct call *call, struct scanner **ret_scanner, struct err *err)
{
	uint8_t key[HASH_KEY_LEN];
	struct scanner_options options = { .key = key };

	if (scan_key_get(call, key, err) < 0) {
		return err->code;
	}
	return scanner_new(&options, ret_scanner, err);
}

int
clean_text(const struct call *call, const char *text, char **ret_text, struct err *err)
{
	uint8_t key[HASH_KEY_LEN] = { 0 };

	if (text != NULL && text[0] != '\0' && scan_key_get(call, key, err) < 0) {
		return err->code;
	}
	return view_clean_once(key, text, ret_text, err);
}

int
clean_path(const struct call *call, const char *path, char **ret_path, struct err *err)
{
	AUTO(scanner_freep) struct scanner *scanner = NULL;
	AUTO_FREE char *shown = xstrdup("");

	if (open_scanner(call, &scanner, err) < 0) {
		return err->code;
	}
	while (*path != '\0') {
		size_t len = strcspn(path, "/");
		AUTO_FREE char *name = xmemdup0(path, len);
		AUTO_FREE char *before = STEAL(shown);
		AUTO_FREE char *part = NULL;

		if (view_clean(scanner, name, &part, err) < 0) {
			return err_wrap(err, "scan the path");
		}
		shown = path_join(before, part);
		path += len;
		path += *path == '/';
	}
	*ret_path = STEAL(shown);
	return 0;
}

char *
clean_find(const struct call *call, const char *root, const char *rel, bool *ret_hidden,
	struct err *err)
{
	AUTO(scanner_freep) struct scanner *scanner = NULL;

	return open_scanner(call, &scanner, err) < 0
		? NULL
		: shown_find(scanner, root, rel, ret_hidden, err);
}
