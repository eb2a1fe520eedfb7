// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/oid.h"

#include "base/hash.h"

#include <stdio.h>
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

void
oid_hash(struct hash *hash, enum object_kind kind, const void *data, size_t len,
	struct oid *ret_oid)
{
	char head[32];
	int head_len =
		snprintf(head, sizeof(head), "%s %zu", object_kind_name(kind), len);

	// The NUL behind the head is part of what is hashed.
	hash_add(hash, head, (size_t)head_len + 1);
	hash_add(hash, data, len);
	hash_end(hash, ret_oid->id);
}

void
oid_of(enum object_kind kind, const void *data, size_t len, struct oid *ret_oid)
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();

	oid_hash(hash, kind, data, len, ret_oid);
}
