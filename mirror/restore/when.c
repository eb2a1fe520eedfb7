// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Words are read one after the other into a moment made of parts:
 *
 *     [before|at|on|last] DAY [at] [TIME [ZONE]]      "yesterday at 18:00"
 *     [before] N UNIT ago                             "2 hours ago"
 *
 * What was not understood to its end was not understood at all.
 */

#include "restore/when.h"

#include "base/base.h"
#include "base/err.h"
#include "base/mem.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	DAY_S = 86400,
	// The largest count in "N days ago": some ten thousand years.
	COUNT_MAX = 4000000,
};

/** A day and a time of day on somebody's wall. */
struct wall {
	int64_t year;
	int month;
	int day;
	/** Seconds of the day, or -1 when only the day was said. */
	int64_t second;
	/** Ahead of UTC by so much; only when it was said. */
	bool has_zone;
	int64_t zone_s;
};

struct reading {
	const char *at;
	int64_t now_s;
	when_offset_fn *offset;
	struct wall wall;
	/** The moment was said without a wall ("2 hours ago"). */
	bool is_exact;
	int64_t exact_s;
	/** Only a time: of yesterday, when today's is yet to come. */
	bool day_is_open;
	/** The day is that of now, and its end too. */
	bool has_day;
};

// ---- calendars

// Days since 1970-01-01 of a proleptic Gregorian date.
static int64_t
days_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t
floor_div(int64_t value, int64_t by)
{
	return value >= 0 ? value / by : -((-value + by - 1) / by);
}

static void
date_of(int64_t days, struct wall *wall)
{
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	wall->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	wall->month = (int)(month < 10 ? month + 3 : month - 9);
	wall->year = year + era * 400 + (wall->month <= 2);
}

static int
days_in(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

// A wall's time to the moment; an hour that a change of clocks skips is the one after.
static int64_t
moment_of(const struct reading *reading, int64_t second)
{
	const struct wall *wall = &reading->wall;
	int64_t local = days_of(wall->year, wall->month, wall->day) * DAY_S + second;
	int64_t guess;

	if (wall->has_zone) {
		return local - wall->zone_s;
	}
	guess = local - reading->offset(local);
	return local - reading->offset(guess);
}

int64_t
when_local_offset(int64_t utc_s)
{
	time_t when = (time_t)utc_s;
	struct tm tm;

	return localtime_r(&when, &tm) != NULL ? (int64_t)tm.tm_gmtoff : 0;
}

static void
day_from_now(struct reading *reading, int64_t days)
{
	int64_t local = reading->now_s + reading->offset(reading->now_s);

	date_of(floor_div(local, DAY_S) + days, &reading->wall);
	reading->has_day = true;
}

// ---- words

static void
skip_spaces(struct reading *reading)
{
	while (*reading->at == ' ') {
		reading->at++;
	}
}

// The next word, if it is this one.
static bool
take_word(struct reading *reading, const char *word)
{
	size_t len = strlen(word);

	if (strncasecmp(reading->at, word, len) != 0 ||
		isalnum((unsigned char)reading->at[len])) {
		return false;
	}
	reading->at += len;
	skip_spaces(reading);
	return true;
}

// Exactly @len digits.
static bool
take_digits(struct reading *reading, size_t len, int64_t *ret_value)
{
	int64_t value = 0;

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)reading->at[i])) {
			return false;
		}
		value = value * 10 + (reading->at[i] - '0');
	}
	reading->at += len;
	*ret_value = value;
	return true;
}

static bool
take_char(struct reading *reading, char c)
{
	if (*reading->at != c) {
		return false;
	}
	reading->at++;
	return true;
}

// 1 taken, 0 not this, or INVALID.
static int
take_date(struct reading *reading, struct err *err)
{
	struct reading ahead = *reading;
	int64_t year;
	int64_t month;
	int64_t day;

	if (!take_digits(&ahead, 4, &year) || !take_char(&ahead, '-') ||
		!take_digits(&ahead, 2, &month) || !take_char(&ahead, '-') ||
		!take_digits(&ahead, 2, &day) || isdigit((unsigned char)*ahead.at)) {
		return 0;
	}
	if (month < 1 || month > 12 || day < 1 || day > days_in(year, (int)month)) {
		return err_raise(err, ERR_INVALID, "there is no day %.10s", reading->at);
	}
	ahead.wall.year = year;
	ahead.wall.month = (int)month;
	ahead.wall.day = (int)day;
	ahead.has_day = true;
	// What follows is a time, parted by a space or a T.
	if ((*ahead.at == 'T' || *ahead.at == 't') &&
		isdigit((unsigned char)ahead.at[1])) {
		ahead.at++;
	}
	*reading = ahead;
	skip_spaces(reading);
	return 1;
}

static bool
take_weekday(struct reading *reading)
{
	static const char *const names[] = { "sunday", "monday", "tuesday", "wednesday",
		"thursday", "friday", "saturday" };
	int64_t local = reading->now_s + reading->offset(reading->now_s);
	// 1970-01-01 was a Thursday.
	int64_t today = floor_div(local, DAY_S) + 4;

	today -= floor_div(today, 7) * 7;
	for (size_t i = 0; i < countof(names); i++) {
		int64_t back = (today - (int64_t)i + 7) % 7;

		if (take_word(reading, names[i])) {
			// Today's own name means the one a week ago.
			day_from_now(reading, -(back == 0 ? 7 : back));
			return true;
		}
	}
	return false;
}

static int
take_day(struct reading *reading, struct err *err)
{
	const char *start = reading->at;
	bool last = take_word(reading, "last");

	if (take_weekday(reading)) {
		return 1;
	}
	if (last) {
		reading->at = start;
		return 0;
	}
	if (take_word(reading, "today")) {
		day_from_now(reading, 0);
		return 1;
	}
	if (take_word(reading, "yesterday")) {
		day_from_now(reading, -1);
		return 1;
	}
	return take_date(reading, err);
}

// "Z", "+01:00", "-0530".
static bool
take_zone(struct reading *reading)
{
	struct reading ahead = *reading;
	int64_t hours;
	int64_t minutes = 0;
	int sign;

	if (take_char(&ahead, 'Z') || take_char(&ahead, 'z') ||
		take_word(&ahead, "UTC")) {
		ahead.wall.has_zone = true;
		*reading = ahead;
		return true;
	}
	sign = take_char(&ahead, '+') ? 1 : take_char(&ahead, '-') ? -1 : 0;
	if (sign == 0 || !take_digits(&ahead, 2, &hours)) {
		return false;
	}
	if (isdigit((unsigned char)*ahead.at) || *ahead.at == ':') {
		(void)take_char(&ahead, ':');
		if (!take_digits(&ahead, 2, &minutes)) {
			return false;
		}
	}
	ahead.wall.has_zone = true;
	ahead.wall.zone_s = sign * (hours * 3600 + minutes * 60);
	*reading = ahead;
	return hours <= 18 && minutes < 60;
}

// "18:00", "9:05:30", "noon".  1 taken, 0 not this, or INVALID.
static int
take_time(struct reading *reading, struct err *err)
{
	struct reading ahead = *reading;
	int64_t hour;
	int64_t minute;
	int64_t second = 0;

	if (take_word(reading, "noon")) {
		reading->wall.second = 12 * 3600;
		return 1;
	}
	if (take_word(reading, "midnight")) {
		reading->wall.second = 0;
		return 1;
	}
	if ((!take_digits(&ahead, 2, &hour) && !take_digits(&ahead, 1, &hour)) ||
		!take_char(&ahead, ':') || !take_digits(&ahead, 2, &minute)) {
		return 0;
	}
	if (take_char(&ahead, ':') && !take_digits(&ahead, 2, &second)) {
		return 0;
	}
	// Fractions are below what a commit knows.
	if (take_char(&ahead, '.')) {
		while (isdigit((unsigned char)*ahead.at)) {
			ahead.at++;
		}
	}
	if (hour > 23 || minute > 59 || second > 59) {
		return err_raise(err, ERR_INVALID, "there is no time %.8s", reading->at);
	}
	ahead.wall.second = hour * 3600 + minute * 60 + second;
	skip_spaces(&ahead);
	(void)take_zone(&ahead);
	skip_spaces(&ahead);
	*reading = ahead;
	return 1;
}

static void
months_ago(struct reading *reading, int64_t months)
{
	struct wall *wall = &reading->wall;
	int64_t local = reading->now_s + reading->offset(reading->now_s);
	int64_t count;

	day_from_now(reading, 0);
	count = wall->year * 12 + wall->month - 1 - months;
	wall->year = floor_div(count, 12);
	wall->month = (int)(count - wall->year * 12) + 1;
	// A month before the 31st is its own last day.
	wall->day = MIN_OF(wall->day, days_in(wall->year, wall->month));
	reading->is_exact = true;
	reading->exact_s = moment_of(reading, local - floor_div(local, DAY_S) * DAY_S);
}

// "2 hours ago", "an hour ago".
static bool
take_ago(struct reading *reading)
{
	static const struct {
		const char *word;
		int64_t seconds;
		int64_t months;
	} units[] = {
		{ "second", 1, 0 },
		{ "sec", 1, 0 },
		{ "s", 1, 0 },
		{ "minute", 60, 0 },
		{ "min", 60, 0 },
		{ "m", 60, 0 },
		{ "hour", 3600, 0 },
		{ "h", 3600, 0 },
		{ "day", DAY_S, 0 },
		{ "d", DAY_S, 0 },
		{ "week", 7 * DAY_S, 0 },
		{ "w", 7 * DAY_S, 0 },
		{ "month", 0, 1 },
		{ "year", 0, 12 },
	};
	struct reading ahead = *reading;
	int64_t count = 0;

	if (take_word(&ahead, "a") || take_word(&ahead, "an")) {
		count = 1;
	} else {
		size_t digits = strspn(ahead.at, "0123456789");

		if (digits == 0 || digits > 7 || !take_digits(&ahead, digits, &count) ||
			count > COUNT_MAX) {
			return false;
		}
		skip_spaces(&ahead);
	}
	for (size_t i = 0; i < countof(units); i++) {
		AUTO_FREE char *many = xasprintf("%ss", units[i].word);

		if (!take_word(&ahead, many) && !take_word(&ahead, units[i].word)) {
			continue;
		}
		if (!take_word(&ahead, "ago")) {
			return false;
		}
		if (units[i].months > 0) {
			months_ago(&ahead, count * units[i].months);
		} else {
			ahead.is_exact = true;
			ahead.exact_s = ahead.now_s - count * units[i].seconds;
		}
		*reading = ahead;
		return true;
	}
	return false;
}

// "@1763716438", "now".
static bool
take_exact(struct reading *reading)
{
	struct reading ahead = *reading;
	size_t digits;

	if (take_word(reading, "now")) {
		reading->is_exact = true;
		reading->exact_s = reading->now_s;
		return true;
	}
	if (!take_char(&ahead, '@')) {
		return take_ago(reading);
	}
	digits = strspn(ahead.at, "0123456789");
	if (digits == 0 || digits > 12 || !take_digits(&ahead, digits, &ahead.exact_s)) {
		return false;
	}
	ahead.is_exact = true;
	*reading = ahead;
	return true;
}

// ---- the whole

static int
take_all(struct reading *reading, struct err *err)
{
	int day;
	int time;

	if (take_exact(reading)) {
		return 1;
	}
	day = take_day(reading, err);
	if (day < 0) {
		return day;
	}
	if (day > 0) {
		(void)take_word(reading, "at");
	}
	time = take_time(reading, err);
	if (time < 0) {
		return time;
	}
	if (day == 0 && time > 0) {
		day_from_now(reading, 0);
		reading->day_is_open = true;
	}
	return day > 0 || time > 0;
}

static int64_t
settle(const struct reading *reading, bool before)
{
	int64_t at;

	if (reading->is_exact) {
		return reading->exact_s - before;
	}
	if (reading->wall.second >= 0) {
		at = moment_of(reading, reading->wall.second);
		if (reading->day_is_open && at > reading->now_s) {
			struct reading earlier = *reading;

			day_from_now(&earlier, -1);
			at = moment_of(&earlier, earlier.wall.second);
		}
		return at - before;
	}
	if (before) {
		return moment_of(reading, 0) - 1;
	}
	// Its last second, or now when it is not over.
	at = moment_of(reading, DAY_S) - 1;
	return moment_of(reading, 0) <= reading->now_s ? MIN_OF(at, reading->now_s) : at;
}

int
when_parse(const char *text, int64_t now_ms, when_offset_fn *offset, int64_t *ret_at_ms,
	struct err *err)
{
	struct reading reading = {
		.at = text,
		.now_s = floor_div(now_ms, 1000),
		.offset = offset,
		.wall = { .second = -1 },
	};
	bool before;
	int64_t at_s;
	int got;

	skip_spaces(&reading);
	before = take_word(&reading, "before");
	if (!before && !take_word(&reading, "at")) {
		(void)take_word(&reading, "on");
	}
	got = take_all(&reading, err);
	if (got <= 0) {
		return got;
	}
	skip_spaces(&reading);
	if (*reading.at != '\0') {
		return 0;
	}
	at_s = settle(&reading, before);
	if (at_s > reading.now_s) {
		return err_raise(err, ERR_INVALID, "\"%.60s\" is yet to come", text);
	}
	*ret_at_ms = at_s * 1000 + (at_s == reading.now_s && !before ? now_ms % 1000 : 0);
	return 1;
}
