// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/json - JSON values, written and read.
 *
 *     AUTO(json_freep) struct json *answer = json_new_object();
 *
 *     json_set_text(answer, "state", "healthy");
 *     json_set_bytes(answer, "path", name, strlen(name));
 *     AUTO_FREE char *line = json_write(answer, 0);
 *
 * Knows: err, mem, path (is it UTF-8?).  The only file that speaks jansson.
 * Owns:  nothing: a value is owned by whoever made it until it is put into another.
 * Never: emits invalid UTF-8, accepts duplicate keys or trailing junk.
 */

#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/base.h"

struct err;
struct json;

struct json *json_new_object(void) MUST_CHECK;
struct json *json_new_array(void) MUST_CHECK;
/** Accepts NULL. */
void json_free(struct json *json);
void json_freep(struct json **json);
/** A value of its own with the same content, owned by the caller. */
struct json *json_clone(const struct json *json) NONNULL MUST_CHECK;

/** Setters copy text.  A NULL text is JSON null.  Bytes that are not UTF-8 are replaced
 * by "?": use json_set_bytes() where they matter. */
void
json_set_text(struct json *object, const char *key, const char *text) NONNULL_ARGS(1, 2);
void json_set_int(struct json *object, const char *key, int64_t value) NONNULL;
/** 15 digits; what is no number (NaN, infinity) becomes null. */
void json_set_real(struct json *object, const char *key, double value) NONNULL;
void json_set_bool(struct json *object, const char *key, bool value) NONNULL;
void json_set_null(struct json *object, const char *key) NONNULL;
/** "key": text when it is UTF-8 without a NUL, else "key_b64": unwrapped standard base64.
 */
void json_set_bytes(struct json *object, const char *key, const void *data, size_t len)
	NONNULL;
/** Takes ownership of @value. */
void json_set(struct json *object, const char *key, struct json *value) NONNULL;
/** Takes ownership of @value. */
void json_append(struct json *array, struct json *value) NONNULL;
void json_append_text(struct json *array, const char *text) NONNULL;

/** @indent 0 gives one line without a newline at its end.  Owned by the caller. */
char *json_write(const struct json *json, int indent) NONNULL MUST_CHECK;

/** INVALID with line and column in the story. */
int json_parse(const char *text, size_t len, struct json **ret_json, struct err *err)
	NONNULL MUST_CHECK;

/** Look-ups borrow from @json and accept NULL; absent or of another kind gives NULL,
 * @otherwise, or 0. */
const struct json *json_get(const struct json *object, const char *key);
const char *json_get_text(const struct json *object, const char *key);
int64_t json_get_int(const struct json *object, const char *key, int64_t otherwise);
bool json_get_bool(const struct json *object, const char *key, bool otherwise);
/** What json_set_bytes() stored, with a NUL behind it; free() it.  NULL when absent. */
char *json_get_bytes(const struct json *object, const char *key) MUST_CHECK;
size_t json_count(const struct json *array);
const struct json *json_at(const struct json *array, size_t index);
/** The text of a string value itself, or NULL. */
const char *json_text(const struct json *value);
bool json_is_object(const struct json *value);
/** For each key: anything but 0 ends the walk and is returned. */
typedef int json_fn(const char *key, const struct json *value, void *payload);
int json_each(const struct json *object, json_fn *fn, void *payload) NONNULL_ARGS(2);

/** Unwrapped standard base64 (RFC 4648, padded), owned by the caller; and back. */
char *json_base64(const void *data, size_t len) MUST_CHECK;
/** Returns the bytes (free() them) or NULL when @text is not exactly what json_base64()
 * gives for them. */
uint8_t *json_unbase64(const char *text, size_t len, size_t *ret_len) NONNULL;

#endif
