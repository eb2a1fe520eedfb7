// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/parse.h"

#include "base/err.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9') {
		return digit - '0';
	}
	if (digit >= 'a' && digit <= 'f') {
		return digit - 'a' + 10;
	}
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

// Owned; NULL for a wrong escape or a NUL.
static char *
decode(const char *text, size_t len, bool plus_is_space)
{
	AUTO_FREE char *out = xmalloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char byte = text[i];

		if (byte == '+' && plus_is_space) {
			byte = ' ';
		} else if (byte == '%') {
			int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0) {
				return NULL;
			}
			byte = (char)(high * 16 + low);
			i += 2;
		}
		if (byte == '\0') {
			return NULL;
		}
		out[n++] = byte;
	}
	out[n] = '\0';
	return STEAL(out);
}

void
parse_pairs_done(struct parse_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->pairs[i].name);
		free(pairs->pairs[i].value);
	}
	free(pairs->pairs);
	*pairs = (struct parse_pairs){ 0 };
}

const char *
parse_value(const struct parse_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++) {
		if (strcmp(pairs->pairs[i].name, name) == 0) {
			return pairs->pairs[i].value;
		}
	}
	return NULL;
}

static int
add_pair(struct parse_pairs *pairs, const char *text, size_t len, struct err *err)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
	AUTO_FREE char *name = decode(text, name_len, true);
	AUTO_FREE char *value = equals == NULL
		? xstrdup("")
		: decode(equals + 1, len - name_len - 1, true);

	if (name == NULL || value == NULL || name[0] == '\0') {
		return err_raise(err, ERR_INVALID, "a wrong escape or no name");
	}
	if (pairs->count == PARSE_PAIRS_MAX || parse_value(pairs, name) != NULL) {
		return err_raise(err, ERR_INVALID, "too many values, or one name twice");
	}
	pairs->pairs = xgrow(
		pairs->pairs, pairs->count, &pairs->capacity, sizeof(pairs->pairs[0]));
	pairs->pairs[pairs->count++] =
		(struct parse_pair){ .name = STEAL(name), .value = STEAL(value) };
	return 0;
}

int
parse_form(const char *text, size_t len, struct parse_pairs *ret_pairs, struct err *err)
{
	AUTO(parse_pairs_done) struct parse_pairs pairs = { 0 };
	const char *end = text + len;

	while (text < end) {
		const char *stop = memchr(text, '&', (size_t)(end - text));

		if (stop == NULL) {
			stop = end;
		}
		if (stop > text &&
			add_pair(&pairs, text, (size_t)(stop - text), err) < 0) {
			return err->code;
		}
		text = stop < end ? stop + 1 : end;
	}
	*ret_pairs = pairs;
	pairs = (struct parse_pairs){ 0 };
	return 0;
}

void
parse_target_done(struct parse_target *target)
{
	for (size_t i = 0; i < target->nsegments; i++) {
		free(target->segments[i]);
	}
	free(target->segments);
	parse_pairs_done(&target->query);
	*target = (struct parse_target){ 0 };
}

static int
add_segment(struct parse_target *target, const char *text, size_t len, struct err *err)
{
	AUTO_FREE char *segment = decode(text, len, false);

	if (segment == NULL || segment[0] == '\0' || strcmp(segment, ".") == 0 ||
		strcmp(segment, "..") == 0) {
		return err_raise(err, ERR_INVALID, "not a path");
	}
	if (target->nsegments == PARSE_SEGMENTS_MAX) {
		return err_raise(err, ERR_INVALID, "too many folders in the path");
	}
	target->segments = xgrow(target->segments, target->nsegments, &target->capacity,
		sizeof(target->segments[0]));
	target->segments[target->nsegments++] = STEAL(segment);
	return 0;
}

int
parse_target(const char *raw, struct parse_target *ret_target, struct err *err)
{
	AUTO(parse_target_done) struct parse_target target = { 0 };
	const char *query = strchrnul(raw, '?');
	const char *at = raw;

	if (strlen(raw) > PARSE_TARGET_MAX) {
		return err_raise(err, ERR_TOO_BIG, "the path is too long");
	}
	if (raw[0] != '/' || memchr(raw, '#', (size_t)(query - raw)) != NULL) {
		return err_raise(err, ERR_INVALID, "not a path");
	}
	for (at++; at < query;) {
		const char *stop = memchr(at, '/', (size_t)(query - at));

		if (stop == NULL) {
			stop = query;
		}
		if (add_segment(&target, at, (size_t)(stop - at), err) < 0) {
			return err->code;
		}
		at = stop < query ? stop + 1 : query;
	}
	if (*query == '?' &&
		parse_form(query + 1, strlen(query + 1), &target.query, err) < 0) {
		return err->code;
	}
	*ret_target = target;
	target = (struct parse_target){ 0 };
	return 0;
}

int
parse_number(const char *text, int64_t least, int64_t most, int64_t *ret_value,
	struct err *err)
{
	char *end = NULL;
	long long value;

	if (text == NULL) {
		return 0;
	}
	errno = 0;
	value = strtoll(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 ||
		value < least || value > most) {
		return err_raise(err, ERR_INVALID, "not a number from %lld to %lld",
			(long long)least, (long long)most);
	}
	*ret_value = value;
	return 1;
}

bool
parse_host_is_local(const char *host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; host != NULL && i < countof(names); i++) {
		size_t len = strlen(names[i]);
		const char *port = host + len;

		if (strncasecmp(host, names[i], len) != 0) {
			continue;
		}
		if (*port == '\0') {
			return true;
		}
		if (*port == ':' && port[1] != '\0' &&
			strspn(port + 1, "0123456789") == strlen(port + 1)) {
			return true;
		}
	}
	return false;
}

bool
parse_host_is_bare(const char *host)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_";
	size_t len = host == NULL ? 0 : strspn(host, letters);

	return len > 0 && host[len] == '\0';
}

bool
parse_origin_is(const char *origin, const char *host)
{
	static const char scheme[] = "http://";

	return strncasecmp(origin, scheme, sizeof(scheme) - 1) == 0 &&
		strcasecmp(origin + sizeof(scheme) - 1, host) == 0;
}

bool
parse_etag_matches(const char *list, const char *etag)
{
	size_t len = strlen(etag);

	while (*list != '\0') {
		list += strspn(list, " \t,");
		if (*list == '*') {
			return true;
		}
		if (strncmp(list, "W/", 2) == 0) {
			list += 2;
		}
		if (strncmp(list, etag, len) == 0 && strchr(" \t,", list[len]) != NULL) {
			return true;
		}
		list += strcspn(list, ",");
	}
	return false;
}

// Digits up to @stop; -1 when there are none or too many.
static int64_t
read_digits(const char *text, const char **ret_end)
{
	int64_t value = 0;
	const char *at = text;

	while (isdigit((unsigned char)*at)) {
		if (value > (INT64_MAX - 9) / 10) {
			return -1;
		}
		value = value * 10 + (*at++ - '0');
	}
	*ret_end = at;
	return at > text ? value : -1;
}

static enum parse_range
last_bytes(const char *value, int64_t total, int64_t *ret_start, int64_t *ret_len)
{
	const char *end = NULL;
	int64_t last = read_digits(value, &end);

	if (last < 0 || *end != '\0') {
		return PARSE_RANGE_WHOLE;
	}
	if (last == 0 || total == 0) {
		return PARSE_RANGE_NONE;
	}
	*ret_len = MIN_OF(last, total);
	*ret_start = total - *ret_len;
	return PARSE_RANGE_PART;
}

enum parse_range
parse_range(const char *value, int64_t total, int64_t *ret_start, int64_t *ret_len)
{
	static const char unit[] = "bytes=";
	const char *at;
	int64_t start;
	int64_t last = total - 1;

	if (value == NULL || strncmp(value, unit, sizeof(unit) - 1) != 0) {
		return PARSE_RANGE_WHOLE;
	}
	at = value + sizeof(unit) - 1;
	if (*at == '-') {
		return last_bytes(at + 1, total, ret_start, ret_len);
	}
	start = read_digits(at, &at);
	if (start < 0 || *at != '-') {
		return PARSE_RANGE_WHOLE;
	}
	if (at[1] != '\0') {
		last = read_digits(at + 1, &at);
		if (last < start || *at != '\0') {
			return PARSE_RANGE_WHOLE;
		}
	}
	if (start >= total) {
		return PARSE_RANGE_NONE;
	}
	*ret_start = start;
	*ret_len = MIN_OF(last, total - 1) - start + 1;
	return PARSE_RANGE_PART;
}

const char *
parse_bearer(const char *value)
{
	static const char scheme[] = "Bearer ";

	if (value == NULL || strncasecmp(value, scheme, sizeof(scheme) - 1) != 0) {
		return NULL;
	}
	value += sizeof(scheme) - 1;
	return value + strspn(value, " ");
}

bool
parse_cookie(const char *value, const char *name, char *text, size_t size)
{
	size_t name_len = strlen(name);

	while (value != NULL && *value != '\0') {
		size_t len;

		value += strspn(value, " ;");
		len = strcspn(value, ";");
		if (len > name_len && strncmp(value, name, name_len) == 0 &&
			value[name_len] == '=') {
			size_t value_len = len - name_len - 1;

			if (value_len >= size) {
				return false;
			}
			memcpy(text, value + name_len + 1, value_len);
			text[value_len] = '\0';
			return true;
		}
		value += len;
	}
	return false;
}
