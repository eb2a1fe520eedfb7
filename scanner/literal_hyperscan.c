// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/literal_fast.h"

#include "base/mem.h"

#include <hs/hs.h>
#include <pthread.h>
#include <stdlib.h>

enum {
	SCRATCHES_MAX = 16,
	/** One call takes at most this much; its lengths are 32 bits. */
	BLOCK = 1 << 30,
};

struct literal_fast {
	hs_database_t *database;
	uint8_t *lens;
	/** The first; others are copies of it. */
	hs_scratch_t *scratch;
	pthread_mutex_t lock;
	hs_scratch_t *pool[SCRATCHES_MAX];
	size_t npool;
};

/** One search under way. */
struct search {
	const struct literal_fast *fast;
	literal_fn *fn;
	void *payload;
	size_t base;
	/** Hits that end here or before were reported by the block before. */
	size_t done;
	int ret;
};

static hs_database_t *
compile(const struct literal *list, size_t count)
{
	const char **texts = xcalloc(count, sizeof(*texts));
	unsigned int *flags = xcalloc(count, sizeof(*flags));
	unsigned int *ids = xcalloc(count, sizeof(*ids));
	size_t *lens = xcalloc(count, sizeof(*lens));
	hs_database_t *database = NULL;
	hs_compile_error_t *why = NULL;

	for (size_t i = 0; i < count; i++) {
		texts[i] = list[i].text;
		lens[i] = list[i].len;
		flags[i] = list[i].nocase ? HS_FLAG_CASELESS : 0;
		ids[i] = (unsigned int)i;
	}
	if (hs_compile_lit_multi(texts, flags, ids, lens, (unsigned int)count,
		    HS_MODE_BLOCK, NULL, &database, &why) != HS_SUCCESS) {
		(void)hs_free_compile_error(why);
		database = NULL;
	}
	free(texts);
	free(flags);
	free(ids);
	free(lens);
	return database;
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
	fast->database = compile(list, count);
	if (fast->database == NULL ||
		hs_alloc_scratch(fast->database, &fast->scratch) != HS_SUCCESS) {
		literal_fast_free(fast);
		return NULL;
	}
	fast->lens = xcalloc(count, 1);
	for (size_t i = 0; i < count; i++) {
		fast->lens[i] = list[i].len;
	}
	return fast;
}

void
literal_fast_free(struct literal_fast *fast)
{
	if (fast == NULL) {
		return;
	}
	for (size_t i = 0; i < fast->npool; i++) {
		(void)hs_free_scratch(fast->pool[i]);
	}
	(void)hs_free_scratch(fast->scratch);
	(void)hs_free_database(fast->database);
	(void)pthread_mutex_destroy(&fast->lock);
	free(fast->lens);
	free(fast);
}

static hs_scratch_t *
borrow_scratch(struct literal_fast *fast)
{
	hs_scratch_t *scratch = NULL;

	(void)pthread_mutex_lock(&fast->lock);
	if (fast->npool > 0) {
		scratch = fast->pool[--fast->npool];
	} else if (hs_clone_scratch(fast->scratch, &scratch) != HS_SUCCESS) {
		// The small-allocation rule: out of memory ends the process.
		free(xmalloc(SIZE_MAX / 2));
	}
	(void)pthread_mutex_unlock(&fast->lock);
	return scratch;
}

static void
return_scratch(struct literal_fast *fast, hs_scratch_t *scratch)
{
	(void)pthread_mutex_lock(&fast->lock);
	if (fast->npool < SCRATCHES_MAX) {
		fast->pool[fast->npool++] = scratch;
		scratch = NULL;
	}
	(void)pthread_mutex_unlock(&fast->lock);
	(void)hs_free_scratch(scratch);
}

static int
on_hit(unsigned int id, unsigned long long from, unsigned long long to,
	unsigned int flags, void *payload)
{
	struct search *search = payload;
	size_t end = search->base + (size_t)to;

	(void)from;
	(void)flags;
	if (end > search->done) {
		search->ret =
			search->fn(end - search->fast->lens[id], id, search->payload);
	}
	return search->ret;
}

int
literal_fast_find(struct literal_fast *fast, const char *text, size_t len, literal_fn *fn,
	void *payload)
{
	struct search search = { .fast = fast, .fn = fn, .payload = payload };
	hs_scratch_t *scratch = borrow_scratch(fast);

	while (search.ret == 0) {
		size_t part = MIN_OF(len - search.base, (size_t)BLOCK);

		(void)hs_scan(fast->database, text + search.base, (unsigned int)part, 0,
			scratch, on_hit, &search);
		if (search.base + part >= len) {
			break;
		}
		search.done = search.base + part;
		search.base = search.done - LITERAL_LEN_MAX;
	}
	return_scratch(fast, scratch);
	return search.ret;
}
