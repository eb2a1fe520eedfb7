// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/told.h"

#include <assert.h>

static const struct {
	const char *word;
	bool good;
} verdicts[] = {
#define VERDICT_(name, word, good) [RESTORE_##name] = { word, good },
	RESTORE_VERDICT_TABLE(VERDICT_)
#undef VERDICT_
};

const char *
restore_verdict_word(enum restore_verdict verdict)
{
	assert((unsigned int)verdict < RESTORE_NVERDICTS_);
	return verdicts[verdict].word;
}

bool
restore_verdict_is_good(enum restore_verdict verdict)
{
	assert((unsigned int)verdict < RESTORE_NVERDICTS_);
	return verdicts[verdict].good;
}
