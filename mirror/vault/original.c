// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     redacted   a = "REDACTED.id.0a1b2c3d"  b = ...
 *                     \_ at, length ______/
 *     original   a = "s3cr3t..."             b = ...
 *                     \_______/ the span's original
 *
 * The text is written by hand, a line for each fact and each span: one original has one
 * text, whatever the version of a library, and its keyed hash tells whether anything
 * changed.
 */

#include "vault/original.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char format_word[] = "mirror-sealed 1";

/** What original_read() allocated. */
struct memory {
	char *name;
	uint8_t *whole;
	size_t whole_len;
	struct original_span *spans;
	size_t nspans;
	struct original_attribute *attributes;
	size_t nattributes;
};

static void
free_wiped(void *data, size_t len)
{
	if (data != NULL) {
		explicit_bzero(data, len);
	}
	free(data);
}

// ---- written

static int
add_base64(struct buf *text, const void *data, size_t len, struct err *err)
{
	char *coded = json_base64(data, len);
	size_t coded_len = strlen(coded);
	int result = buf_add(text, "\"", 1, err);

	if (result == 0) {
		result = buf_add(text, coded, coded_len, err);
	}
	if (result == 0) {
		result = buf_add(text, "\"", 1, err);
	}
	free_wiped(coded, coded_len);
	return result;
}

static int
add_spans(const struct original *original, struct buf *text, struct err *err)
{
	if (buf_add_text(text, ",\n \"spans\": [", err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < original->nspans; i++) {
		const struct original_span *span = &original->spans[i];

		if (buf_add_fmt(text, err,
			    "%s\n  {\"at\": %" PRIu64 ", \"length\": %" PRIu64
			    ", \"original\": ",
			    i > 0 ? "," : "", span->at, span->len) < 0 ||
			add_base64(text, span->data, span->data_len, err) < 0 ||
			buf_add_text(text, "}", err) < 0) {
			return err->code;
		}
	}
	return buf_add_text(text, "]", err);
}

static int
add_content(const struct original *original, struct buf *text, struct err *err)
{
	char hex[HASH_HEX_MAX];

	hash_hex(original->sha256, sizeof(original->sha256), hex);
	if (buf_add_fmt(text, err, ",\n \"size\": %" PRIu64 ",\n \"sha256\": \"%s\"",
		    original->size, hex) < 0) {
		return err->code;
	}
	if (original->whole == NULL) {
		return add_spans(original, text, err);
	}
	return buf_add_text(text, ",\n \"whole\": ", err) < 0
		? err->code
		: add_base64(text, original->whole, (size_t)original->size, err);
}

static int
add_attributes(const struct original *original, struct buf *text, struct err *err)
{
	if (buf_add_text(text, ",\n \"xattrs\": [", err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < original->nattributes; i++) {
		const struct original_attribute *attribute = &original->attributes[i];

		if (buf_add_fmt(text, err, "%s\n  {\"name\": ", i > 0 ? "," : "") < 0 ||
			add_base64(text, attribute->name, strlen(attribute->name), err) <
				0 ||
			buf_add_text(text, ", \"value\": ", err) < 0 ||
			add_base64(text, attribute->value, attribute->len, err) < 0 ||
			buf_add_text(text, "}", err) < 0) {
			return err->code;
		}
	}
	return buf_add_text(text, "]", err);
}

int
original_write(const struct original *original, struct buf *text, struct err *err)
{
	if (original->nspans > ORIGINAL_SPANS_MAX ||
		(original->whole != NULL && original->size > ORIGINAL_TEXT_MAX / 2)) {
		return err_raise(err, ERR_TOO_BIG, "more than can be sealed");
	}
	if (buf_add_fmt(text, err, "{\"format\": \"%s\"", format_word) < 0) {
		return err->code;
	}
	if (original->name != NULL &&
		(buf_add_text(text, ",\n \"name\": ", err) < 0 ||
			add_base64(text, original->name, strlen(original->name), err) <
				0)) {
		return err->code;
	}
	if ((original->has_content && add_content(original, text, err) < 0) ||
		(original->nattributes > 0 && add_attributes(original, text, err) < 0)) {
		return err->code;
	}
	return buf_add_text(text, "}\n", err);
}

// ---- read

static int
is_wrong(struct err *err, const char *what)
{
	return err_raise(err, ERR_INVALID, "a sealed text with %s", what);
}

// A number that is there and not negative.
static bool
read_number(const struct json *object, const char *key, uint64_t *ret_number)
{
	int64_t number = json_get_int(object, key, -1);

	*ret_number = (uint64_t)number;
	return number >= 0;
}

static bool
is_name(const char *name, size_t len)
{
	return len > 0 && len < ORIGINAL_NAME_MAX && memchr(name, '\0', len) == NULL &&
		memchr(name, '/', len) == NULL && strcmp(name, ".") != 0 &&
		strcmp(name, "..") != 0;
}

static int
read_name(const struct json *json, struct memory *memory, struct err *err)
{
	const char *coded = json_get_text(json, "name");
	AUTO_FREE uint8_t *name = NULL;
	size_t len = 0;

	if (json_get(json, "name") == NULL) {
		return 0;
	}
	name = coded != NULL ? json_unbase64(coded, strlen(coded), &len) : NULL;
	if (name == NULL) {
		return is_wrong(err, "a name that is none");
	}
	memory->name = xmemdup0(name, len);
	return is_name(memory->name, len) ? 0 : is_wrong(err, "a name that is none");
}

static int
read_span(const struct json *json, struct memory *memory, uint64_t *end, struct err *err)
{
	struct original_span *span = &memory->spans[memory->nspans];
	const char *coded = json_get_text(json, "original");
	uint8_t *data;

	if (!read_number(json, "at", &span->at) ||
		!read_number(json, "length", &span->len) || span->at < *end ||
		coded == NULL) {
		return is_wrong(err, "a span that is none");
	}
	data = json_unbase64(coded, strlen(coded), &span->data_len);
	if (data == NULL) {
		return is_wrong(err, "a span that is no base64");
	}
	span->data = data;
	memory->nspans++;
	*end = span->at + span->len;
	return 0;
}

static int
read_spans(const struct json *list, struct memory *memory, struct err *err)
{
	size_t count = json_count(list);
	uint64_t end = 0;

	if (list == NULL || count > ORIGINAL_SPANS_MAX) {
		return is_wrong(err, "neither spans nor the whole");
	}
	memory->spans = xcalloc(count + 1, sizeof(memory->spans[0]));
	for (size_t i = 0; i < count; i++) {
		if (read_span(json_at(list, i), memory, &end, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
read_attribute(const struct json *json, struct memory *memory, struct err *err)
{
	struct original_attribute *attribute = &memory->attributes[memory->nattributes];
	const char *coded_name = json_get_text(json, "name");
	const char *coded = json_get_text(json, "value");
	AUTO_FREE uint8_t *name = NULL;
	size_t len = 0;

	if (coded_name == NULL || coded == NULL) {
		return is_wrong(err, "an attribute that is none");
	}
	name = json_unbase64(coded_name, strlen(coded_name), &len);
	if (name == NULL || len == 0 || memchr(name, '\0', len) != NULL) {
		return is_wrong(err, "an attribute that is none");
	}
	attribute->value = json_unbase64(coded, strlen(coded), &attribute->len);
	if (attribute->value == NULL) {
		return is_wrong(err, "an attribute that is no base64");
	}
	attribute->name = xmemdup0(name, len);
	memory->nattributes++;
	return 0;
}

static int
read_attributes(const struct json *list, struct memory *memory, struct err *err)
{
	size_t count = list != NULL ? json_count(list) : 0;

	if (count > ORIGINAL_ATTRIBUTES_MAX) {
		return is_wrong(err, "too many attributes");
	}
	memory->attributes = xcalloc(count + 1, sizeof(memory->attributes[0]));
	for (size_t i = 0; i < count; i++) {
		if (read_attribute(json_at(list, i), memory, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
read_content(const struct json *json, struct original *original, struct memory *memory,
	struct err *err)
{
	const char *hex = json_get_text(json, "sha256");
	const char *whole = json_get_text(json, "whole");

	if (json_get(json, "size") == NULL) {
		return memory->name != NULL || memory->nattributes > 0
			? 0
			: is_wrong(err, "nothing in it");
	}
	original->has_content = true;
	if (!read_number(json, "size", &original->size) || hex == NULL ||
		!hash_unhex(hex, original->sha256, sizeof(original->sha256))) {
		return is_wrong(err, "a size or hash that is none");
	}
	if (whole == NULL) {
		return read_spans(json_get(json, "spans"), memory, err);
	}
	memory->whole = json_unbase64(whole, strlen(whole), &memory->whole_len);
	if (memory->whole == NULL || memory->whole_len != original->size) {
		return is_wrong(err, "another size than it says");
	}
	original->whole = memory->whole;
	return 0;
}

int
original_read(
	const char *text, size_t len, struct original *ret_original, struct err *err)
{
	AUTO(json_freep) struct json *json = NULL;
	AUTO(original_done) struct original original = { 0 };
	struct memory *memory = xcalloc(1, sizeof(*memory));
	const char *format;
	struct err why;

	original.memory_ = memory;
	// What the parser has to say could quote the text.
	if (json_parse(text, len, &json, &why) < 0) {
		return is_wrong(err, "no JSON in it");
	}
	format = json_get_text(json, "format");
	if (format == NULL || strcmp(format, format_word) != 0) {
		return is_wrong(err, "a format that is not known here");
	}
	if (read_name(json, memory, err) < 0 ||
		read_attributes(json_get(json, "xattrs"), memory, err) < 0 ||
		read_content(json, &original, memory, err) < 0) {
		return err->code;
	}
	original.name = memory->name;
	original.spans = memory->spans;
	original.nspans = memory->nspans;
	original.attributes = memory->attributes;
	original.nattributes = memory->nattributes;
	*ret_original = original;
	original = (struct original){ 0 };
	return 0;
}

void
original_done(struct original *original)
{
	struct memory *memory = original->memory_;

	if (memory == NULL) {
		return;
	}
	for (size_t i = 0; i < memory->nspans; i++) {
		free_wiped((void *)(uintptr_t)memory->spans[i].data,
			memory->spans[i].data_len);
	}
	for (size_t i = 0; i < memory->nattributes; i++) {
		free_wiped((void *)(uintptr_t)memory->attributes[i].value,
			memory->attributes[i].len);
		free((void *)(uintptr_t)memory->attributes[i].name);
	}
	free(memory->attributes);
	free(memory->spans);
	free_wiped(memory->whole, memory->whole_len);
	free(memory->name);
	free(memory);
	*original = (struct original){ 0 };
}

// ---- filled in

static int
fill_spans(const struct original *original, const char *redacted, size_t len,
	struct buf *out, struct err *err)
{
	uint64_t done = 0;

	for (size_t i = 0; i < original->nspans; i++) {
		const struct original_span *span = &original->spans[i];

		if (span->at < done || span->at > len || span->len > len - span->at) {
			return err_raise(
				err, ERR_INVALID, "what is sealed is of other bytes");
		}
		if (buf_add(out, redacted + done, (size_t)(span->at - done), err) < 0 ||
			buf_add(out, span->data, span->data_len, err) < 0) {
			return err->code;
		}
		done = span->at + span->len;
	}
	return buf_add(out, redacted + done, len - (size_t)done, err);
}

int
original_fill_in(const struct original *original, const void *redacted, size_t len,
	struct buf *out, struct err *err)
{
	uint8_t digest[HASH_SHA256_LEN];
	int result;

	if (!original->has_content) {
		return buf_add(out, redacted, len, err);
	}
	result = original->whole != NULL
		? buf_add(out, original->whole, (size_t)original->size, err)
		: fill_spans(original, redacted, len, out, err);
	if (result < 0) {
		return result;
	}
	hash_sha256(buf_text(out), out->len, digest);
	return out->len == original->size &&
			hash_equal(digest, original->sha256, sizeof(digest))
		? 0
		: err_raise(err, ERR_INVALID, "what is sealed is of other bytes");
}
