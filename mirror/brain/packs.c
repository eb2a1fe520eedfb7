// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/packs.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
is_pack(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && name[0] != '.' && strcmp(name + len - 5, ".pack") == 0;
}

static int
by_name(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

int
packs_list(const char *objects, struct packs *ret_packs, struct err *err)
{
	AUTO_FREE char *folder = path_join(objects, "pack");
	DIR *dir = opendir(folder);

	if (dir == NULL) {
		return errno == ENOENT ? 0 : err_errno(err, "list %s", folder);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (is_pack(entry->d_name)) {
			ret_packs->names = xgrow(ret_packs->names, ret_packs->count,
				&ret_packs->capacity, sizeof(ret_packs->names[0]));
			ret_packs->names[ret_packs->count++] = xstrdup(entry->d_name);
		}
	}
	(void)closedir(dir);
	if (ret_packs->count > 1) {
		qsort(ret_packs->names, ret_packs->count, sizeof(ret_packs->names[0]),
			by_name);
	}
	return 0;
}

void
packs_done(struct packs *packs)
{
	for (size_t i = 0; i < packs->count; i++) {
		free(packs->names[i]);
	}
	free(packs->names);
	*packs = (struct packs){ 0 };
}

bool
packs_lost(const struct packs *before, const struct packs *now)
{
	for (size_t i = 0; i < before->count; i++) {
		if (now->count == 0 ||
			bsearch(&before->names[i], now->names, now->count,
				sizeof(now->names[0]), by_name) == NULL) {
			return true;
		}
	}
	return false;
}

bool
packs_same(const struct packs *left, const struct packs *right)
{
	if (left->count != right->count) {
		return false;
	}
	for (size_t i = 0; i < left->count; i++) {
		if (strcmp(left->names[i], right->names[i]) != 0) {
			return false;
		}
	}
	return true;
}

void
packs_digest(const struct packs *packs, char hex[HASH_HEX_MAX])
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	uint8_t digest[HASH_SHA256_LEN];

	for (size_t i = 0; i < packs->count; i++) {
		hash_add(hash, packs->names[i], strlen(packs->names[i]) + 1);
	}
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), hex);
}
