// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/literal_fast.h"

#include "base/mem.h"

#include <hs/hs.h>
#include <pthread.h>
#include <stdlib.h>

/*
 * Hyperscan looks for many words at the speed that the shortest of them allows.  So the
 * short ones have a database of their own; a block is searched with each, and what was
 * found is told in the order of the text.
 */

enum {
	SCRATCHES_MAX = 16,
	GROUPS = 2,
	/** Words of fewer characters are in the first group. */
	LONG_WORD = 6,
	/** Searched with each database in turn: it stays in the cache meanwhile. */
	BLOCK = 256 * 1024,
};

struct hit {
	size_t start;
	uint32_t literal;
};

/** What one search needs. */
struct scratch {
	hs_scratch_t *space;
	struct hit *hits;
	size_t nhits;
	size_t hits_size;
};

struct literal_fast {
	hs_database_t *databases[GROUPS];
	uint8_t *lens;
	/** The first; others are copies of it. */
	hs_scratch_t *space;
	pthread_mutex_t lock;
	struct scratch *pool[SCRATCHES_MAX];
	size_t npool;
};

/** One block under way. */
struct search {
	const struct literal_fast *fast;
	struct scratch *scratch;
	size_t base;
	/** Hits that end here or before were reported by the block before. */
	size_t done;
};

static size_t
group_of(const struct literal *literal)
{
	return literal->len < LONG_WORD ? 0 : 1;
}

/** 0 also when the group is empty. */
static int
compile(const struct literal *list, size_t count, size_t group,
	hs_database_t **ret_database)
{
	const char **texts = xcalloc(count, sizeof(*texts));
	unsigned int *flags = xcalloc(count, sizeof(*flags));
	unsigned int *ids = xcalloc(count, sizeof(*ids));
	size_t *lens = xcalloc(count, sizeof(*lens));
	hs_compile_error_t *why = NULL;
	size_t n = 0;
	int ret = 0;

	for (size_t i = 0; i < count; i++) {
		if (group_of(&list[i]) == group) {
			texts[n] = list[i].text;
			lens[n] = list[i].len;
			flags[n] = list[i].nocase ? HS_FLAG_CASELESS : 0;
			ids[n++] = (unsigned int)i;
		}
	}
	if (n > 0 &&
		hs_compile_lit_multi(texts, flags, ids, lens, (unsigned int)n,
			HS_MODE_BLOCK, NULL, ret_database, &why) != HS_SUCCESS) {
		(void)hs_free_compile_error(why);
		ret = -1;
	}
	free(texts);
	free(flags);
	free(ids);
	free(lens);
	return ret;
}

struct literal_fast *
literal_fast_new(const struct literal *list, size_t count)
{
	struct literal_fast *fast;

	if (count == 0 || hs_valid_platform() != HS_SUCCESS) {
		return NULL;
	}
	fast = xcalloc(1, sizeof(*fast));
	(void)pthread_mutex_init(&fast->lock, NULL);
	for (size_t group = 0; group < GROUPS; group++) {
		if (compile(list, count, group, &fast->databases[group]) < 0 ||
			(fast->databases[group] != NULL &&
				hs_alloc_scratch(fast->databases[group], &fast->space) !=
					HS_SUCCESS)) {
			literal_fast_free(fast);
			return NULL;
		}
	}
	fast->lens = xcalloc(count, 1);
	for (size_t i = 0; i < count; i++) {
		fast->lens[i] = list[i].len;
	}
	return fast;
}

static void
scratch_free(struct scratch *scratch)
{
	if (scratch != NULL) {
		(void)hs_free_scratch(scratch->space);
		free(scratch->hits);
		free(scratch);
	}
}

void
literal_fast_free(struct literal_fast *fast)
{
	if (fast == NULL) {
		return;
	}
	for (size_t i = 0; i < fast->npool; i++) {
		scratch_free(fast->pool[i]);
	}
	(void)hs_free_scratch(fast->space);
	for (size_t group = 0; group < GROUPS; group++) {
		(void)hs_free_database(fast->databases[group]);
	}
	(void)pthread_mutex_destroy(&fast->lock);
	free(fast->lens);
	free(fast);
}

static struct scratch *
borrow_scratch(struct literal_fast *fast)
{
	struct scratch *scratch = NULL;

	(void)pthread_mutex_lock(&fast->lock);
	if (fast->npool > 0) {
		scratch = fast->pool[--fast->npool];
	}
	(void)pthread_mutex_unlock(&fast->lock);
	if (scratch == NULL) {
		scratch = xcalloc(1, sizeof(*scratch));
		if (hs_clone_scratch(fast->space, &scratch->space) != HS_SUCCESS) {
			// The small-allocation rule: out of memory ends the process.
			free(xmalloc(SIZE_MAX / 2));
		}
	}
	return scratch;
}

static void
return_scratch(struct literal_fast *fast, struct scratch *scratch)
{
	(void)pthread_mutex_lock(&fast->lock);
	if (fast->npool < SCRATCHES_MAX) {
		fast->pool[fast->npool++] = scratch;
		scratch = NULL;
	}
	(void)pthread_mutex_unlock(&fast->lock);
	scratch_free(scratch);
}

static int
on_hit(unsigned int id, unsigned long long from, unsigned long long to,
	unsigned int flags, void *payload)
{
	struct search *search = payload;
	struct scratch *scratch = search->scratch;
	size_t end = search->base + (size_t)to;

	(void)from;
	(void)flags;
	if (end > search->done) {
		scratch->hits = xgrow(scratch->hits, scratch->nhits, &scratch->hits_size,
			sizeof(*scratch->hits));
		scratch->hits[scratch->nhits++] =
			(struct hit){ .start = end - search->fast->lens[id],
				.literal = id };
	}
	return 0;
}

static int
compare_hits(const void *left_void, const void *right_void)
{
	const struct hit *left = left_void, *right = right_void;

	if (left->start != right->start) {
		return left->start < right->start ? -1 : 1;
	}
	return left->literal < right->literal ? -1 : left->literal > right->literal;
}

int
literal_fast_find(struct literal_fast *fast, const char *text, size_t len, literal_fn *fn,
	void *payload)
{
	struct search search = { .fast = fast, .scratch = borrow_scratch(fast) };
	struct scratch *scratch = search.scratch;
	int ret = 0;

	while (ret == 0) {
		size_t part = MIN_OF(len - search.base, (size_t)BLOCK);

		scratch->nhits = 0;
		for (size_t group = 0; group < GROUPS; group++) {
			if (fast->databases[group] != NULL) {
				(void)hs_scan(fast->databases[group], text + search.base,
					(unsigned int)part, 0, scratch->space, on_hit,
					&search);
			}
		}
		if (scratch->nhits > 1) {
			qsort(scratch->hits, scratch->nhits, sizeof(*scratch->hits),
				compare_hits);
		}
		for (size_t i = 0; i < scratch->nhits && ret == 0; i++) {
			ret = fn(scratch->hits[i].start, scratch->hits[i].literal,
				payload);
		}
		if (search.base + part >= len) {
			break;
		}
		search.done = search.base + part;
		search.base = search.done - LITERAL_LEN_MAX;
	}
	return_scratch(fast, scratch);
	return ret;
}
