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

// Names are as good as random: any two sums that mix well tell sets of them apart.
static void
mark_name(struct packs_mark *mark, const char *name)
{
	uint64_t first = UINT64_C(0xcbf29ce484222325);
	uint64_t second = UINT64_C(0x9e3779b97f4a7c15);

	for (const char *at = name; *at != '\0'; at++) {
		first = (first ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
		second = (second ^ (unsigned char)*at) * UINT64_C(0xff51afd7ed558ccd);
		second ^= second >> 29;
	}
	mark->sums[0] += first ^ first >> 31;
	mark->sums[1] += second;
	mark->count++;
}

typedef void name_fn(void *payload, const char *name);

static int
each_pack(const char *objects, name_fn *fn, void *payload, struct err *err)
{
	AUTO_FREE char *folder = path_join(objects, "pack");
	DIR *dir = opendir(folder);

	if (dir == NULL) {
		return errno == ENOENT ? 0 : err_errno(err, "list %s", folder);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (is_pack(entry->d_name)) {
			fn(payload, entry->d_name);
		}
	}
	(void)closedir(dir);
	return 0;
}

static void
take_mark(void *payload, const char *name)
{
	mark_name(payload, name);
}

int
packs_look(const char *objects, struct packs_mark *ret_mark, struct err *err)
{
	*ret_mark = (struct packs_mark){ 0 };
	return each_pack(objects, take_mark, ret_mark, err);
}

bool
packs_mark_same(const struct packs_mark *left, const struct packs_mark *right)
{
	return left->count == right->count && left->sums[0] == right->sums[0] &&
		left->sums[1] == right->sums[1];
}

static void
take_name(void *payload, const char *name)
{
	struct packs *packs = payload;

	packs->names = xgrow(
		packs->names, packs->count, &packs->capacity, sizeof(packs->names[0]));
	packs->names[packs->count++] = xstrdup(name);
	mark_name(&packs->mark, name);
}

static void
sort(struct packs *packs)
{
	if (packs->count > 1) {
		qsort(packs->names, packs->count, sizeof(packs->names[0]), by_name);
	}
}

int
packs_list(const char *objects, struct packs *ret_packs, struct err *err)
{
	if (each_pack(objects, take_name, ret_packs, err) < 0) {
		return err->code;
	}
	sort(ret_packs);
	return 0;
}

void
packs_add(struct packs *packs, const char *name)
{
	take_name(packs, name);
	sort(packs);
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
