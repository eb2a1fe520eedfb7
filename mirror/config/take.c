// SPDX-License-Identifier: GPL-2.0-or-later

#include "config/take.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/toml.h"
#include "config/check.h"
#include "config/fields.h"
#include "config/options.h"
#include "config/places.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
take_field(void *into, const struct option *option)
{
	return (char *)into + option->offset;
}

int
take_wrong(const struct reading *reading, unsigned int line, unsigned int column,
	const char *fmt, ...)
{
	char reason[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	err_raise(reading->err, ERR_CONFIG, "%s:%u:%u: %s", reading->file, line, column,
		reason);
	return err_advise(reading->err, "correct the line, then: mirror config check");
}

static int wrong_value(const struct reading *reading, const struct option *option,
	const struct toml_value *value, const char *fmt, ...) PRINTF_LIKE(4, 5);

static int
wrong_value(const struct reading *reading, const struct option *option,
	const struct toml_value *value, const char *fmt, ...)
{
	char reason[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	return take_wrong(reading, toml_line(value), toml_column(value), "%s: %s",
		option->key, reason);
}

static const char *
article(const char *noun)
{
	return strchr("aeiou", noun[0]) != NULL ? "an" : "a";
}

static int
expect(const struct reading *reading, const struct option *option,
	const struct toml_value *value, enum toml_kind kind)
{
	const char *wanted = toml_kind_name(kind);
	const char *found = toml_kind_name(toml_kind(value));

	if (toml_kind(value) == kind) {
		return 0;
	}
	return wrong_value(reading, option, value, "expected %s %s, found %s %s",
		article(wanted), wanted, article(found), found);
}

// A NUL inside a TOML string would silently cut it in C.
static int
take_text(const struct reading *reading, const struct option *option,
	const struct toml_value *value, char **ret_text)
{
	size_t len = 0;
	const char *text;

	if (expect(reading, option, value, TOML_TEXT) < 0) {
		return reading->err->code;
	}
	text = toml_text(value, &len);
	if (strlen(text) != len) {
		return wrong_value(
			reading, option, value, "%s", "a NUL character in the text");
	}
	free(*ret_text);
	*ret_text = xmemdup0(text, len);
	return 0;
}

static int
take_checked(const struct reading *reading, const struct option *option,
	const struct toml_value *value, char **ret_text)
{
	const char *why;

	if (take_text(reading, option, value, ret_text) < 0) {
		return reading->err->code;
	}
	if (check_is_unset(option->section, option->key, *ret_text)) {
		free(STEAL(*ret_text));
		return 0;
	}
	why = check_text(option->section, option->key, *ret_text);
	if (why == NULL) {
		return 0;
	}
	return check_may_be_shown(*ret_text)
		? wrong_value(reading, option, value, "\"%.80s\" %s", *ret_text, why)
		: wrong_value(reading, option, value, "what stands there %s", why);
}

static int
take_path(const struct reading *reading, const struct option *option,
	const struct toml_value *value, char **ret_path)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *full = NULL;

	if (take_text(reading, option, value, &text) < 0) {
		return reading->err->code;
	}
	full = places_expand(text);
	if (full[0] != '/') {
		return wrong_value(reading, option, value,
			"\"%s\" is not an absolute path (begin it with / or ~/)", text);
	}
	free(*ret_path);
	*ret_path = path_normal(full);
	return 0;
}

// A bound as a person would write it.
static char *
limit_text(const struct option *option, int64_t number)
{
	char duration[CLOCK_TEXT_MAX];

	if (option->kind == OPTION_DURATION || option->kind == OPTION_LIMITS) {
		clock_format_duration(number, duration);
		return xstrdup(duration);
	}
	return xasprintf("%" PRId64 "%s", number,
		option->kind == OPTION_SIZE && number == option->most ? " bytes" : "");
}

static int
in_bounds(const struct reading *reading, const struct option *option,
	const struct toml_value *value, int64_t number)
{
	AUTO_FREE char *least = NULL;
	AUTO_FREE char *most = NULL;

	if (number >= option->least && number <= option->most) {
		return 0;
	}
	least = limit_text(option, option->least);
	most = limit_text(option, option->most);
	return wrong_value(reading, option, value, "must be from %s to %s", least, most);
}

static int
take_duration(const struct reading *reading, const struct option *option,
	const struct toml_value *value, int64_t *ret_ms)
{
	AUTO_FREE char *text = NULL;
	int64_t ms;

	if (take_text(reading, option, value, &text) < 0) {
		return reading->err->code;
	}
	ms = clock_parse_duration(text);
	if (ms < 0) {
		return wrong_value(reading, option, value,
			"\"%s\" is not a duration (an integer and ms, s, m, h or d)",
			text);
	}
	if (in_bounds(reading, option, value, ms) < 0) {
		return reading->err->code;
	}
	*ret_ms = ms;
	return 0;
}

static int
take_limits(const struct reading *reading, const struct option *option,
	const struct toml_value *value, struct config_limits *ret_limits)
{
	if (expect(reading, option, value, TOML_ARRAY) < 0) {
		return reading->err->code;
	}
	if (toml_count(value) != 2) {
		return wrong_value(reading, option, value, "%s",
			"expected two durations: [degraded, failed]");
	}
	if (take_duration(reading, option, toml_at(value, 0), &ret_limits->degraded_ms) <
			0 ||
		take_duration(
			reading, option, toml_at(value, 1), &ret_limits->failed_ms) < 0) {
		return reading->err->code;
	}
	if (ret_limits->degraded_ms > ret_limits->failed_ms) {
		return wrong_value(reading, option, value, "%s",
			"the first (degraded) must not be longer than the second "
			"(failed)");
	}
	return 0;
}

// "50MiB", "50MB", "50k"; -1 when it is none.
static int64_t
parse_size(const char *text)
{
	// clang-format off
	static const struct {
		const char *name;
		int64_t bytes;
	} units[] = {
		{ "", 1 }, { "B", 1 },
		{ "KiB", 1024 }, { "MiB", 1024 * 1024 }, { "GiB", INT64_C(1024) * 1024 * 1024 },
		{ "KB", 1000 }, { "MB", 1000 * 1000 }, { "GB", 1000 * 1000 * 1000 },
	};
	// clang-format on
	int64_t value = 0;

	if (!isdigit((unsigned char)*text)) {
		return -1;
	}
	for (; isdigit((unsigned char)*text); text++) {
		value = value * 10 + (*text - '0');
		if (value > INT64_C(1) << 50) {
			return -1;
		}
	}
	while (*text == ' ') {
		text++;
	}
	for (size_t i = 0; i < countof(units); i++) {
		if (strcasecmp(text, units[i].name) == 0) {
			return value > INT64_MAX / units[i].bytes
				? -1
				: value * units[i].bytes;
		}
	}
	return -1;
}

static int
take_size(const struct reading *reading, const struct option *option,
	const struct toml_value *value, int64_t *ret_size)
{
	AUTO_FREE char *text = NULL;
	int64_t size;

	if (toml_kind(value) == TOML_INT) {
		size = toml_int(value);
	} else {
		if (take_text(reading, option, value, &text) < 0) {
			return reading->err->code;
		}
		size = parse_size(text);
		if (size < 0) {
			return wrong_value(reading, option, value,
				"\"%s\" is not a size (bytes, or a number and KiB, MiB, "
				"GiB)",
				text);
		}
	}
	if (in_bounds(reading, option, value, size) < 0) {
		return reading->err->code;
	}
	*ret_size = size;
	return 0;
}

void
take_list_done(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].text);
	}
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

static int
take_list(const struct reading *reading, const struct option *option,
	const struct toml_value *value, struct config_list *ret_list)
{
	size_t count;

	if (expect(reading, option, value, TOML_ARRAY) < 0) {
		return reading->err->code;
	}
	count = toml_count(value);
	if (count > CONFIG_LIST_MAX) {
		return wrong_value(reading, option, value, "%s", "the list is too long");
	}
	take_list_done(ret_list);
	ret_list->items = xcalloc(count, sizeof(ret_list->items[0]));
	ret_list->count = count;
	for (size_t i = 0; i < count; i++) {
		ret_list->items[i].line = toml_line(toml_at(value, i));
		if (take_text(reading, option, toml_at(value, i),
			    &ret_list->items[i].text) < 0) {
			return reading->err->code;
		}
	}
	return 0;
}

// "redact", "seal" or "hold".  Owned by the caller.
static char *
all_words(const struct option *option)
{
	char *text = xstrdup("");

	for (size_t i = 0; option->words[i] != NULL; i++) {
		AUTO_FREE char *before = text;

		text = xasprintf("%s%s\"%s\"", before,
			i == 0                                 ? ""
				: option->words[i + 1] == NULL ? " or "
							       : ", ",
			option->words[i]);
	}
	return text;
}

static int
take_word(const struct reading *reading, const struct option *option,
	const struct toml_value *value, int64_t *ret_word)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *words = NULL;
	const char *best = NULL;

	if (take_text(reading, option, value, &text) < 0) {
		return reading->err->code;
	}
	for (int64_t i = 0; option->words[i] != NULL; i++) {
		if (strcmp(option->words[i], text) == 0) {
			*ret_word = i;
			return 0;
		}
		if (suggest_is_nearer(text, option->words[i], best)) {
			best = option->words[i];
		}
	}
	words = all_words(option);
	return wrong_value(reading, option, value, "\"%.60s\" is not %s%s%s%s", text,
		words, best != NULL ? "; did you mean \"" : "", best != NULL ? best : "",
		best != NULL ? "\"?" : "");
}

static int
take_time(const struct reading *reading, const struct option *option,
	const struct toml_value *value, char **ret_text)
{
	const char *t;

	if (take_text(reading, option, value, ret_text) < 0) {
		return reading->err->code;
	}
	t = *ret_text;
	if (strspn(t, "0123456789:") != 5 || strlen(t) != 5 || t[2] != ':' ||
		t[0] > '2' || t[0] == ':' || t[1] == ':' || t[3] > '5' || t[3] == ':' ||
		t[4] == ':' || (t[0] == '2' && t[1] > '3')) {
		return wrong_value(reading, option, value,
			"\"%s\" is not a time of day (\"HH:MM\")", t);
	}
	return 0;
}

int
take(const struct reading *reading, const struct option *option,
	const struct toml_value *value)
{
	void *field = take_field(reading->into, option);

	switch (option->kind) {
	case OPTION_TEXT:
		return take_checked(reading, option, value, field);
	case OPTION_PATH:
		return take_path(reading, option, value, field);
	case OPTION_BOOL:
		if (expect(reading, option, value, TOML_BOOL) < 0) {
			return reading->err->code;
		}
		*(bool *)field = toml_bool(value);
		return 0;
	case OPTION_INT:
		if (expect(reading, option, value, TOML_INT) < 0 ||
			in_bounds(reading, option, value, toml_int(value)) < 0) {
			return reading->err->code;
		}
		*(int64_t *)field = toml_int(value);
		return 0;
	case OPTION_SIZE:
		return take_size(reading, option, value, field);
	case OPTION_DURATION:
		return take_duration(reading, option, value, field);
	case OPTION_LIMITS:
		return take_limits(reading, option, value, field);
	case OPTION_LIST:
		return take_list(reading, option, value, field);
	case OPTION_WORD:
		return take_word(reading, option, value, field);
	case OPTION_TIME:
		return take_time(reading, option, value, field);
	}
	return 0;
}
