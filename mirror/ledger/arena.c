// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/arena.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	ARENA_BLOCK = 16 * 1024
};

struct arena_block {
	struct arena_block *older;
	size_t used;
	size_t size;
	char data[];
};

static struct arena_block *
new_block(struct arena_block *older, size_t size)
{
	struct arena_block *block = xmalloc(sizeof(*block) + size);

	block->older = older;
	block->used = 0;
	block->size = size;
	return block;
}

char *
arena_add(struct arena *arena, const void *data, size_t len)
{
	struct arena_block *block = arena->newest;
	char *copy;

	if (block == NULL || block->size - block->used < len + 1) {
		block = new_block(block, MAX_OF(len + 1, (size_t)ARENA_BLOCK));
		arena->newest = block;
	}
	copy = block->data + block->used;
	if (len > 0) {
		memcpy(copy, data, len);
	}
	copy[len] = '\0';
	block->used += len + 1;
	return copy;
}

// Free all blocks but @keep.
static void
free_blocks(struct arena *arena, const struct arena_block *keep)
{
	while (arena->newest != NULL && arena->newest != keep) {
		struct arena_block *older = arena->newest->older;

		free(arena->newest);
		arena->newest = older;
	}
}

void
arena_clear(struct arena *arena)
{
	struct arena_block *oldest = arena->newest;

	while (oldest != NULL && oldest->older != NULL) {
		oldest = oldest->older;
	}
	free_blocks(arena, oldest);
	if (oldest != NULL) {
		oldest->used = 0;
	}
}

void
arena_done(struct arena *arena)
{
	free_blocks(arena, NULL);
}
