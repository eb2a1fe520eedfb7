// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/toml - TOML 1.0, with the place of every value.
 *
 *     AUTO(toml_freep) struct toml_doc *doc = NULL;
 *
 *     if (toml_parse(text, len, "mirror.toml", &doc, err) < 0) ...
 *     const struct toml_value *root = toml_root(doc);
 *
 * Knows: err.  Its other half, toml.cpp, is the only file that speaks toml++.
 * Owns:  the document; every value is borrowed from it until toml_free().
 * Never: lets a C++ exception out.
 */

#ifndef BASE_TOML_H
#define BASE_TOML_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct err;
struct toml_doc;
struct toml_value;

enum toml_kind {
	TOML_NONE,
	TOML_TABLE,
	TOML_ARRAY,
	TOML_TEXT,
	TOML_INT,
	TOML_REAL,
	TOML_BOOL,
	TOML_DATE,
};

/** INVALID: "name:line:column: reason". */
int toml_parse(const char *text, size_t len, const char *name, struct toml_doc **ret_toml,
	struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void toml_free(struct toml_doc *toml);
void toml_freep(struct toml_doc **toml);

const struct toml_value *toml_root(const struct toml_doc *toml) NONNULL;

/** Accept NULL (TOML_NONE, 0). */
enum toml_kind toml_kind(const struct toml_value *value);
/** "string", "integer", ...; a literal. */
const char *toml_kind_name(enum toml_kind kind);
/** Where the value stands, from 1. */
unsigned int toml_line(const struct toml_value *value);
unsigned int toml_column(const struct toml_value *value);

/** Of a table; NULL when absent or no table. */
const struct toml_value *toml_get(const struct toml_value *table, const char *key);
/** Each key of a table, in name order, with the place of the *key*; not 0 ends it. */
typedef int toml_fn(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload);
int toml_each(const struct toml_value *table, toml_fn *fn, void *payload);

size_t toml_count(const struct toml_value *array);
const struct toml_value *toml_at(const struct toml_value *array, size_t index);

/** The bytes of a string and their count, or NULL; a NUL follows them. */
const char *toml_text(const struct toml_value *value, size_t *ret_len);
int64_t toml_int(const struct toml_value *value);
/** Also of an integer. */
double toml_real(const struct toml_value *value);
bool toml_bool(const struct toml_value *value);

#ifdef __cplusplus
}
#endif

#endif
