// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/marks.h"

#include <string.h>

static bool
holds(const char *text, size_t from, size_t upto, const char *word)
{
	return memmem(text + from, upto - from, word, strlen(word)) != NULL;
}

/** Of the line that holds the byte before @at, or what is near of it. */
static size_t
line_start(const char *text, size_t at)
{
	size_t near = MIN_OF(at, (size_t)MARKS_REACH);
	const char *newline = memrchr(text + at - near, '\n', near);

	return newline != NULL ? (size_t)(newline - text) + 1 : at - near;
}

bool
marks_allow(const char *text, size_t len, size_t start, size_t end)
{
	static const char *const words[] = { "gitleaks:allow", "betterleaks:allow",
		"trufflehog:ignore", "pragma: allowlist secret",
		"pragma: whitelist secret" };
	size_t upto = MAX_OF(end, start);
	size_t from = line_start(text, start);
	size_t near = MIN_OF(len - upto, (size_t)MARKS_REACH);
	const char *newline = memchr(text + upto, '\n', near);

	upto = newline != NULL ? (size_t)(newline - text) : upto + near;
	for (size_t i = 0; i < countof(words); i++) {
		if (holds(text, from, upto, words[i])) {
			return true;
		}
	}
	if (from == 0 || text[from - 1] != '\n') {
		return false;
	}
	return holds(text, line_start(text, from - 1), from,
		"pragma: allowlist nextline secret");
}
