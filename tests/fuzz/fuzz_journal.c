// SPDX-License-Identifier: GPL-2.0-or-later

// A journal of any bytes is refused, or names nothing but paths below its roots.

#include "restore/journal.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(journal_done) struct journal journal = { 0 };
	struct err err = { 0 };

	if (journal_parse((const char *)data, size, &journal, &err) < 0) {
		return 0;
	}
	for (size_t i = 0; i < journal.nlines; i++) {
		const char *path = journal.lines[i].path;

		if (path[0] == '/' || strncmp(path, "../", 3) == 0 ||
			strstr(path, "/../") != NULL) {
			abort();
		}
	}
	return 0;
}
