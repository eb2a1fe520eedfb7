// SPDX-License-Identifier: GPL-2.0-or-later

#include "jobqueue/backoff.h"

// clang-format off
static const struct {
	int64_t first_ms;
	int64_t most_ms;
} steps[] = {
	[ERR_RETRY] = {  1000,  5 * 60000 },
	[ERR_PARK]  = { 30000, 15 * 60000 },
	[ERR_STOP]  = { BACKOFF_NEVER, BACKOFF_NEVER },
};
// clang-format on

int64_t
backoff_delay_ms(enum err_verdict verdict, int attempt, uint32_t chance)
{
	int64_t delay_ms = steps[verdict].first_ms;
	int64_t most_ms = steps[verdict].most_ms;

	if (delay_ms < 0) {
		return BACKOFF_NEVER;
	}
	for (int i = 0; i < attempt && delay_ms < most_ms; i++) {
		delay_ms *= 2;
	}
	delay_ms = MIN_OF(delay_ms, most_ms);
	return delay_ms - (int64_t)chance % (delay_ms / 4 + 1);
}
