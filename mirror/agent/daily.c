// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/daily.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	// Yesterday's, by its chance, may still be to come; days of 23 and 25 hours.
	DAYS_LOOKED_AT = 4,
};

static int64_t
chance_ms(uint64_t seed, const struct tm *date)
{
	uint8_t digest[HASH_SHA256_LEN];
	uint64_t number;
	char text[64];
	int len = snprintf(text, sizeof(text), "%llu %d-%d", (unsigned long long)seed,
		date->tm_year, date->tm_yday);

	hash_sha256(text, (size_t)len, digest);
	memcpy(&number, digest, sizeof(number));
	return (int64_t)(number % DAILY_SPREAD_MS);
}

int64_t
daily_after(const char *at, uint64_t seed, int64_t after_ms)
{
	time_t seconds = (time_t)(after_ms / 1000);
	const char *colon = strchr(at, ':');
	int hour = (int)strtol(at, NULL, 10);
	int minute = colon != NULL ? (int)strtol(colon + 1, NULL, 10) : 0;
	struct tm now = { 0 };
	int64_t found_ms = 0;

	(void)localtime_r(&seconds, &now);
	for (int day = -1; day < DAYS_LOOKED_AT && found_ms <= after_ms; day++) {
		struct tm date = { .tm_year = now.tm_year,
			.tm_mon = now.tm_mon,
			.tm_mday = now.tm_mday + day,
			.tm_hour = hour,
			.tm_min = minute,
			.tm_isdst = -1 };
		time_t start = mktime(&date);

		found_ms = (int64_t)start * 1000 + chance_ms(seed, &date);
	}
	return found_ms;
}
