// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/oid - the name of a git object: 20 bytes of SHA-1.
 *
 * Knows: base/hash.
 * Owns:  nothing: a plain value, copied freely.
 * Never: means an object by all zeroes; that is "none".
 */

#ifndef BRAIN_OID_H
#define BRAIN_OID_H

#include "base/base.h"

enum {
	OID_LEN = 20,
	/** Hex digits and a NUL. */
	OID_HEX_MAX = 41,
};

struct oid {
	uint8_t id[OID_LEN];
};

/** What kind of object; the numbers are the ones a pack writes. */
enum object_kind {
	OBJECT_ANY = 0,
	OBJECT_COMMIT = 1,
	OBJECT_TREE = 2,
	OBJECT_BLOB = 3,
	OBJECT_TAG = 4,
};

/** "blob"; a literal, "any" for OBJECT_ANY. */
const char *object_kind_name(enum object_kind kind);

bool oid_is_zero(const struct oid *oid) NONNULL;
bool oid_equal(const struct oid *left, const struct oid *right) NONNULL;
/** <0, 0, >0 in the order of an index. */
int oid_compare(const struct oid *left, const struct oid *right) NONNULL;

/** 40 lower-case hex digits and a NUL; returns @text. */
char *oid_hex(const struct oid *oid, char text[OID_HEX_MAX]) NONNULL;
/** False unless @text is exactly 40 hex digits. */
bool oid_parse(const char *text, struct oid *ret_oid) NONNULL;

/** The name git gives to these bytes, without storing them. */
void oid_of(enum object_kind kind, const void *data, size_t len, struct oid *ret_oid)
	NONNULL_ARGS(4);

/** The same with a SHA-1 hash_sha1_new() that is used again and again. */
struct hash;
void oid_hash(struct hash *hash, enum object_kind kind, const void *data, size_t len,
	struct oid *ret_oid) NONNULL_ARGS(1, 5);

#endif
