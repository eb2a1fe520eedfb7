// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/place.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	/** Of the path's end; what tells two apart comes behind it. */
	SHOWN_MAX = 80,
	DIGEST_LEN = 4,
};

char *
vault_place(const char *top, const char *path)
{
	AUTO_FREE char *name = xstrdup(path);
	AUTO_FREE char *folder = NULL;
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];
	size_t len = strlen(name);

	hash_sha256(path, len, digest);
	hash_hex(digest, DIGEST_LEN, hex);
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)name[i]) && name[i] != '.' &&
			name[i] != '_') {
			name[i] = '-';
		}
	}
	folder = xasprintf("%s-%s", len > SHOWN_MAX ? name + len - SHOWN_MAX : name, hex);
	return path_join(top, folder);
}
