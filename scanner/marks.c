// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/marks.h"

#include <string.h>

static bool
holds(const char *text, size_t from, size_t upto, const char *word)
{
	return memmem(text + from, upto - from, word, strlen(word)) != NULL;
}

bool
marks_allow(const char *text, size_t len, size_t start, size_t end)
{
	static const char *const words[] = { "gitleaks:allow", "betterleaks:allow",
		"trufflehog:ignore", "pragma: allowlist secret",
		"pragma: whitelist secret" };
	size_t from = start;
	size_t upto = MAX_OF(end, start);

	while (from > 0 && text[from - 1] != '\n') {
		from--;
	}
	const char *newline = memchr(text + upto, '\n', len - upto);
	upto = newline != NULL ? (size_t)(newline - text) : len;
	for (size_t i = 0; i < countof(words); i++) {
		if (holds(text, from, upto, words[i])) {
			return true;
		}
	}
	if (from == 0) {
		return false;
	}

	size_t before = from - 1;
	while (before > 0 && text[before - 1] != '\n') {
		before--;
	}
	return holds(text, before, from, "pragma: allowlist nextline secret");
}
