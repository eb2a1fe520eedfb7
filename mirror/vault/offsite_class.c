// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/offsite_class.h"

#include <string.h>
#include <strings.h>

// The first row whose words stand in the text decides, so the sharper words come first: a
// 403 that speaks of a rate limit is no refusal.
static const struct {
	const char *words;
	enum offsite_class class;
} table[] = {
	{ "ratelimitexceeded", OFFSITE_SLOW_DOWN },
	{ "rate limit", OFFSITE_SLOW_DOWN },
	{ "rate_limit", OFFSITE_SLOW_DOWN },
	{ "too many requests", OFFSITE_SLOW_DOWN },
	{ "slowdown", OFFSITE_SLOW_DOWN },
	{ "429", OFFSITE_SLOW_DOWN },
	{ "didn't find section in config file", OFFSITE_SETUP },
	{ "didn't find backend", OFFSITE_SETUP },
	{ "failed to create file system", OFFSITE_SETUP },
	{ "couldn't decrypt", OFFSITE_SETUP },
	{ "unknown flag", OFFSITE_SETUP },
	{ "storagequotaexceeded", OFFSITE_FULL },
	{ "quota", OFFSITE_FULL },
	{ "insufficient storage", OFFSITE_FULL },
	{ "no space left", OFFSITE_FULL },
	{ "507", OFFSITE_FULL },
	{ "request entity too large", OFFSITE_FULL },
	{ "413", OFFSITE_FULL },
	{ "unauthorized", OFFSITE_REFUSED },
	{ "accessdenied", OFFSITE_REFUSED },
	{ "access denied", OFFSITE_REFUSED },
	{ "forbidden", OFFSITE_REFUSED },
	{ "permission denied", OFFSITE_REFUSED },
	{ "invalid_grant", OFFSITE_REFUSED },
	{ "unable to authenticate", OFFSITE_REFUSED },
	{ "host key", OFFSITE_REFUSED },
	{ "certificate", OFFSITE_REFUSED },
	{ "401", OFFSITE_REFUSED },
	{ "403", OFFSITE_REFUSED },
	{ "nosuchbucket", OFFSITE_MISSING },
	{ "not found", OFFSITE_MISSING },
	{ "404", OFFSITE_MISSING },
	{ "405", OFFSITE_SETUP },
	{ "400 bad request", OFFSITE_SETUP },
};

// Numbers count only when they stand alone: 1429 bytes are no 429.
static bool
stands_at(const char *text, size_t len, size_t at, const char *words)
{
	size_t nwords = strlen(words);
	bool number = words[0] >= '0' && words[0] <= '9';
	bool before = at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9';

	if (at + nwords > len || strncasecmp(text + at, words, nwords) != 0) {
		return false;
	}
	if (!number) {
		return true;
	}
	return !before &&
		(at + nwords == len || text[at + nwords] < '0' ||
			text[at + nwords] > '9');
}

static bool
has_words(const char *text, size_t len, const char *words)
{
	for (size_t at = 0; at < len; at++) {
		if (stands_at(text, len, at, words)) {
			return true;
		}
	}
	return false;
}

enum offsite_class
offsite_classify(const char *text, size_t len)
{
	for (size_t i = 0; i < countof(table); i++) {
		if (has_words(text, len, table[i].words)) {
			return table[i].class;
		}
	}
	return OFFSITE_PASSING;
}

bool offsite_is_passing(enum offsite_class class)
{
	return class == OFFSITE_PASSING || class == OFFSITE_SLOW_DOWN;
}

const char *offsite_advice(enum offsite_class class)
{
	static const char *const advice[OFFSITE_NCLASSES_] = {
		[OFFSITE_PASSING] = "it is tried again by itself",
		[OFFSITE_SLOW_DOWN] = "it is tried again by itself, later",
		[OFFSITE_REFUSED] =
			"renew the credentials: rclone config reconnect REMOTE:",
		[OFFSITE_MISSING] = "check [sqlite] offsite: rclone lsf REMOTE:",
		[OFFSITE_FULL] = "make room at the remote: rclone about REMOTE:",
		[OFFSITE_SETUP] = "check the remote: rclone config show",
	};

	return advice[class];
}

int64_t
offsite_pause_ms(enum offsite_class class, int tries, int64_t first_ms, int64_t max_ms)
{
	int64_t pause = class == OFFSITE_SLOW_DOWN ? first_ms * 8 : first_ms;

	for (int i = 1; i < tries && pause < max_ms; i++) {
		pause *= 2;
	}
	return MIN_OF(pause, max_ms);
}
