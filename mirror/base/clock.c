// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// clang-format off
static const struct {
	const char *name;
	int64_t ms;
} units[] = {
	{ "d",  86400000 },
	{ "h",   3600000 },
	{ "m",     60000 },
	{ "s",      1000 },
	{ "ms",        1 },
};
// clang-format on

#define CLOCK_LONGEST_MS (INT64_C(36525) * 86400000)

void
clock_format(int64_t now_ms, char text[CLOCK_TEXT_MAX])
{
	int64_t rest = now_ms % 1000;
	time_t seconds = (time_t)((now_ms - (rest < 0 ? rest + 1000 : rest)) / 1000);
	struct tm parts;

	if (gmtime_r(&seconds, &parts) == NULL ||
		strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
		text[0] = '\0';
	}
}

bool
clock_parse(const char *text, int64_t *ret_ms)
{
	struct tm parts = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);

	if (rest == NULL || *rest != '\0') {
		return false;
	}
	*ret_ms = (int64_t)timegm(&parts) * 1000;
	return true;
}

void
clock_format_age(int64_t age_ms, char text[CLOCK_TEXT_MAX])
{
	long long seconds = (long long)(age_ms < 0 ? 0 : age_ms) / 1000;

	if (seconds < 120) {
		(void)snprintf(text, CLOCK_TEXT_MAX, "%lld s", seconds);
	} else if (seconds < 7200) {
		(void)snprintf(text, CLOCK_TEXT_MAX, "%lld min", seconds / 60);
	} else if (seconds < 172800) {
		(void)snprintf(text, CLOCK_TEXT_MAX, "%lld h", seconds / 3600);
	} else {
		(void)snprintf(text, CLOCK_TEXT_MAX, "%lld days", seconds / 86400);
	}
}

int64_t
clock_parse_duration(const char *text)
{
	int64_t value = 0;
	const char *at = text;

	if (!isdigit((unsigned char)*at)) {
		return -1;
	}
	for (; isdigit((unsigned char)*at); at++) {
		value = value * 10 + (*at - '0');
		if (value > CLOCK_LONGEST_MS) {
			return -1;
		}
	}
	for (size_t i = 0; i < countof(units); i++) {
		if (strcmp(at, units[i].name) == 0) {
			return value <= CLOCK_LONGEST_MS / units[i].ms
				? value * units[i].ms
				: -1;
		}
	}
	return -1;
}

void
clock_format_duration(int64_t ms, char text[CLOCK_TEXT_MAX])
{
	for (size_t i = 0; i < countof(units); i++) {
		if (ms % units[i].ms == 0 &&
			(ms != 0 || strcmp(units[i].name, "s") == 0)) {
			(void)snprintf(text, CLOCK_TEXT_MAX, "%lld%s",
				(long long)(ms / units[i].ms), units[i].name);
			return;
		}
	}
}
