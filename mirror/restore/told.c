// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/told.h"

#include "scanner/filter.h"

#include <assert.h>
#include <string.h>

static const struct {
	const char *word;
	const char *would;
	bool good;
} verdicts[] = {
#define VERDICT_(name, word, would, good) [RESTORE_##name] = { word, would, good },
	RESTORE_VERDICT_TABLE(VERDICT_)
#undef VERDICT_
};

const char *
restore_verdict_word(enum restore_verdict verdict)
{
	assert((unsigned int)verdict < RESTORE_NVERDICTS_);
	return verdicts[verdict].word;
}

const char *
restore_verdict_would(enum restore_verdict verdict)
{
	assert((unsigned int)verdict < RESTORE_NVERDICTS_);
	return verdicts[verdict].would;
}

bool
restore_verdict_is_good(enum restore_verdict verdict)
{
	assert((unsigned int)verdict < RESTORE_NVERDICTS_);
	return verdicts[verdict].good;
}

bool
restore_name_is_cut(const char *path)
{
	static const char start[] = "REDACTED.";
	// What a mark ends with: a dot and eight digits.
	const size_t end = 9;

	while ((path = strstr(path, start)) != NULL) {
		const char *dot = strchr(path + strlen(start), '.');

		if (dot != NULL && strnlen(dot, end) == end &&
			filter_is_mark(path, (size_t)(dot - path) + end)) {
			return true;
		}
		path += strlen(start);
	}
	return false;
}
