// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/json.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// `struct json` is jansson's json_t under a name of ours.
static json_t *
inside(const struct json *json)
{
	return (json_t *)(uintptr_t)json;
}

static struct json *
outside(json_t *json)
{
	return (struct json *)json;
}

static json_t *
need(json_t *json)
{
	if (json == NULL) {
		// jansson failed to allocate; xmalloc of all memory says so and leaves.
		free(xmalloc(SIZE_MAX / 2));
	}
	return json;
}

struct json *
json_new_object(void)
{
	return outside(need((json_object)()));
}

struct json *
json_new_array(void)
{
	return outside(need((json_array)()));
}

void
json_free(struct json *json)
{
	json_decref(inside(json));
}

void
json_freep(struct json **json)
{
	json_free(*json);
	*json = NULL;
}

struct json *
json_clone(const struct json *json)
{
	return outside(need(json_deep_copy(inside(json))));
}

// Text in, UTF-8 out: every other byte of it is replaced.
static char *
cleaned(const char *text)
{
	char *clean = xstrdup(text);

	for (char *at = clean; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80) {
			*at = '?';
		}
	}
	return clean;
}

// Takes ownership of @value.  jansson refuses a key that is not UTF-8.
static void
put(struct json *object, const char *key, json_t *value)
{
	if (path_is_utf8(key, strlen(key))) {
		(void)json_object_set_new_nocheck(inside(object), key, value);
		return;
	}
	AUTO_FREE char *clean = cleaned(key);
	(void)json_object_set_new_nocheck(inside(object), clean, value);
}

static json_t *
text_value(const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (text == NULL) {
		return json_null();
	}
	if (path_is_utf8(text, len)) {
		return need(json_stringn_nocheck(text, len));
	}
	AUTO_FREE char *clean = cleaned(text);
	return need(json_stringn_nocheck(clean, len));
}

void
json_set_text(struct json *object, const char *key, const char *text)
{
	put(object, key, text_value(text));
}

void
json_set_int(struct json *object, const char *key, int64_t value)
{
	put(object, key, need(json_integer(value)));
}

void
json_set_real(struct json *object, const char *key, double value)
{
	put(object, key, isfinite(value) ? need((json_real)(value)) : json_null());
}

void
json_set_bool(struct json *object, const char *key, bool value)
{
	put(object, key, value ? json_true() : json_false());
}

void
json_set_null(struct json *object, const char *key)
{
	put(object, key, json_null());
}

void
json_set_bytes(struct json *object, const char *key, const void *data, size_t len)
{
	// A NUL is UTF-8, but no C string could carry it on.
	if (path_is_utf8(data, len) && (len == 0 || memchr(data, 0, len) == NULL)) {
		put(object, key, need(json_stringn_nocheck(data, len)));
		return;
	}
	AUTO_FREE char *name = xasprintf("%s_b64", key);
	AUTO_FREE char *text = json_base64(data, len);
	json_set_text(object, name, text);
}

void
json_set(struct json *object, const char *key, struct json *value)
{
	put(object, key, inside(value));
}

void
json_append(struct json *array, struct json *value)
{
	(void)json_array_append_new(inside(array), inside(value));
}

void
json_append_text(struct json *array, const char *text)
{
	(void)json_array_append_new(inside(array), text_value(text));
}

char *
json_write(const struct json *json, int indent)
{
	size_t flags = JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15) |
		(indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT);
	char *text = json_dumps(inside(json), flags | JSON_ENCODE_ANY);

	return text != NULL ? text : xstrdup("null");
}

int
json_parse(const char *text, size_t len, struct json **ret_json, struct err *err)
{
	json_error_t why;
	json_t *json =
		json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (json == NULL) {
		return err_raise(err, ERR_INVALID, "JSON line %d column %d: %s", why.line,
			why.column, why.text);
	}
	*ret_json = outside(json);
	return 0;
}

const struct json *
json_get(const struct json *object, const char *key)
{
	return object != NULL ? outside(json_object_get(inside(object), key)) : NULL;
}

const char *
json_text(const struct json *value)
{
	return value != NULL ? json_string_value(inside(value)) : NULL;
}

const char *
json_get_text(const struct json *object, const char *key)
{
	return json_text(json_get(object, key));
}

int64_t
json_get_int(const struct json *object, const char *key, int64_t otherwise)
{
	const struct json *value = json_get(object, key);

	return value != NULL && json_is_integer(inside(value))
		? (int64_t)json_integer_value(inside(value))
		: otherwise;
}

bool
json_get_bool(const struct json *object, const char *key, bool otherwise)
{
	const struct json *value = json_get(object, key);

	return value != NULL && json_is_boolean(inside(value))
		? json_is_true(inside(value))
		: otherwise;
}

size_t
json_count(const struct json *array)
{
	return array != NULL ? json_array_size(inside(array)) : 0;
}

const struct json *
json_at(const struct json *array, size_t index)
{
	return array != NULL ? outside(json_array_get(inside(array), index)) : NULL;
}

bool(json_is_object)(const struct json *value)
{
	return value != NULL && json_typeof(inside(value)) == JSON_OBJECT;
}

int
json_each(const struct json *object, json_fn *fn, void *payload)
{
	const char *key;
	json_t *value;

	if (object == NULL) {
		return 0;
	}
	json_object_foreach(inside(object), key, value)
	{
		int stop = fn(key, outside(value), payload);

		if (stop != 0) {
			return stop;
		}
	}
	return 0;
}

// Without a NUL at the end, which is no digit.
static const char base64_digits[64] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *
json_base64(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *text = xmalloc((len + 2) / 3 * 4 + 1);
	size_t out = 0;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = MIN_OF(len - i, (size_t)3);
		uint32_t bits = (uint32_t)in[i] << 16;

		bits |= have > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= have > 2 ? (uint32_t)in[i + 2] : 0;
		text[out++] = base64_digits[bits >> 18];
		text[out++] = base64_digits[bits >> 12 & 63];
		text[out++] = have > 1 ? base64_digits[bits >> 6 & 63] : '=';
		text[out++] = have > 2 ? base64_digits[bits & 63] : '=';
	}
	text[out] = '\0';
	return text;
}

uint8_t *
json_unbase64(const char *text, size_t len, size_t *ret_len)
{
	uint8_t *data = xmalloc(len / 4 * 3 + 3);
	size_t out = 0;
	size_t padded = len;
	uint32_t bits = 0;

	while (len > 0 && padded - len < 2 && text[len - 1] == '=') {
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		const char *digit = memchr(base64_digits, text[i], sizeof(base64_digits));

		if (digit == NULL) {
			free(data);
			return NULL;
		}
		bits = bits << 6 | (uint32_t)(digit - base64_digits);
		if (i % 4 != 0) {
			data[out++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
		}
	}
	// Each text has one form: padded, and no bits set behind the last byte.
	if (padded % 4 != 0 || (bits & ((1U << (padded - len) * 2) - 1)) != 0) {
		free(data);
		return NULL;
	}
	*ret_len = out;
	return data;
}

char *
json_get_bytes(const struct json *object, const char *key)
{
	AUTO_FREE char *coded_key = xasprintf("%s_b64", key);
	const char *text = json_get_text(object, key);
	const char *coded = json_get_text(object, coded_key);
	size_t len = 0;

	if (text != NULL) {
		return xstrdup(text);
	}
	if (coded == NULL) {
		return NULL;
	}

	AUTO_FREE uint8_t *bytes = json_unbase64(coded, strlen(coded), &len);
	return bytes != NULL ? xmemdup0(bytes, len) : NULL;
}
