// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/oid.h"

#include "base/hash.h"

#include <string.h>

const char *
object_kind_name(enum object_kind kind)
{
	switch (kind) {
	case OBJECT_ANY:
		break;
	case OBJECT_COMMIT:
		return "commit";
	case OBJECT_TREE:
		return "tree";
	case OBJECT_BLOB:
		return "blob";
	case OBJECT_TAG:
		return "tag";
	}
	return "any";
}

bool
oid_is_zero(const struct oid *oid)
{
	static const struct oid zero;

	return memcmp(oid->id, zero.id, OID_LEN) == 0;
}

bool
oid_equal(const struct oid *left, const struct oid *right)
{
	return memcmp(left->id, right->id, OID_LEN) == 0;
}

int
oid_compare(const struct oid *left, const struct oid *right)
{
	return memcmp(left->id, right->id, OID_LEN);
}

char *
oid_hex(const struct oid *oid, char text[OID_HEX_MAX])
{
	hash_hex(oid->id, OID_LEN, text);
	return text;
}

bool
oid_parse(const char *text, struct oid *ret_oid)
{
	struct oid oid;

	if (!hash_unhex(text, oid.id, OID_LEN)) {
		return false;
	}
	*ret_oid = oid;
	return true;
}

enum {
	HEAD_MAX = 32,
};

// "blob 12" and its NUL, which is part of what is hashed.  Not printed: it is made for
// each object.
static size_t
write_head(enum object_kind kind, size_t len, char head[HEAD_MAX])
{
	const char *name = object_kind_name(kind);
	size_t name_len = strlen(name);
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + len % 10);
		len /= 10;
	} while (len > 0);
	memcpy(head, name, name_len);
	head[name_len] = ' ';
	memcpy(head + name_len + 1, digits + at, sizeof(digits) - at);
	head[name_len + 1 + sizeof(digits) - at] = '\0';
	return name_len + 2 + sizeof(digits) - at;
}

void
oid_hash(struct hash *hash, enum object_kind kind, const void *data, size_t len,
	struct oid *ret_oid)
{
	char head[HEAD_MAX];

	hash_add(hash, head, write_head(kind, len, head));
	hash_add(hash, data, len);
	hash_end(hash, ret_oid->id);
}

void
oid_of(enum object_kind kind, const void *data, size_t len, struct oid *ret_oid)
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();

	oid_hash(hash, kind, data, len, ret_oid);
}
