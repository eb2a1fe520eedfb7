// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Four bytes of each literal, rare ones, stand for it, letters folded.  The sieve says
 * where in the text such four may stand: which literals have them, and does the rest fit?
 *
 * What is found is kept until nothing that begins before it can follow, and told in
 * order.
 */

#include "scanner/literal.h"

#include "base/mem.h"
#include "scanner/chars.h"
#include "scanner/fours.h"
#include "scanner/rarity.h"
#include "scanner/sieve.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	GRAM = SIEVE_FOUR,
	HEAD_BITS = 13,
	NEAR = 8,
	NEAR_BEFORE = 2,
	BYTES = 256,
	/** Of one more four, and of a look at one: see cost(). */
	COST_FOUR = 30,
	COST_LOOK = 25,
	/** Found and not told yet, at most. */
	HITS = 256,
};

/** The eight bytes from NEAR_BEFORE before its four on: those that are the literal's, and
 * the folded four's, without what may differ, and the bits to compare. */
struct near {
	uint64_t bytes;
	uint64_t mask;
};

/** A literal that has these four. */
struct entry {
	struct near near;
	/** The folded four itself. */
	uint32_t gram;
	uint32_t literal;
	/** Where in the literal its four stand. */
	uint8_t offset;
	uint8_t len;
	/** Nothing of it is left to compare. */
	bool whole;
};

struct literals {
	struct literal *list;
	size_t count;
	struct sieve *sieve;
	/** In order of their heads: where the entries of each begin; the next one's is
	 * the end. */
	uint32_t heads[(1 << HEAD_BITS) + 1];
	/** Apart from the rest, so that several are in one line of the cache. */
	struct near *near;
	struct entry *entries;
	size_t nentries;
	size_t entries_size;
	/** Grams that are looked for, by their hash, while building. */
	uint32_t *known;
	size_t known_size;
};

struct hit {
	size_t start;
	uint32_t literal;
};

/** One text under way. */
struct search {
	const struct literals *literals;
	const char *text;
	size_t len;
	literal_fn *fn;
	void *payload;
	/** In order of start, then literal. */
	size_t nhits;
	struct hit hits[HITS];
};

static inline uint32_t
head_of(uint32_t gram)
{
	return gram * 0x9E3779B1u >> (32 - HEAD_BITS);
}

static inline uint64_t
near_at(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return word;
}

static void
set_near(struct entry *entry, const struct literal *literal)
{
	char bytes[NEAR] = { 0 }, mask[NEAR] = { 0 };

	entry->whole = entry->offset <= NEAR_BEFORE &&
		entry->len <= entry->offset + NEAR - NEAR_BEFORE;
	for (size_t i = 0; i < NEAR; i++) {
		size_t at = entry->offset + i - NEAR_BEFORE;

		// Before its first byte, this is more than its length.
		if (at < literal->len) {
			bool either = literal->nocase && char_is_lower(literal->text[at]);

			mask[i] = either ? (char)~0x20 : (char)~0;
			bytes[i] = (char)(literal->text[at] & mask[i]);
		}
	}
	for (size_t i = 0; i < GRAM; i++) {
		char *byte = &bytes[NEAR_BEFORE + i];

		mask[NEAR_BEFORE + i] |= (char)~0x20;
		*byte = (char)((unsigned char)*byte | (entry->gram >> 8 * i & 0xdf));
	}
	entry->near = (struct near){ near_at(bytes), near_at(mask) };
}

/** Where this gram stands among the known, or would stand. */
static uint32_t *
known_slot(struct literals *literals, uint32_t gram)
{
	size_t slot = (gram * 0x9E3779B1u >> 8) % literals->known_size;

	while (literals->known[slot] != 0 && literals->known[slot] != gram) {
		slot = (slot + 1) % literals->known_size;
	}
	return &literals->known[slot];
}

static void
insert(struct literals *literals, uint32_t gram, uint32_t literal, uint8_t offset)
{
	literals->entries = xgrow(literals->entries, literals->nentries,
		&literals->entries_size, sizeof(struct entry));
	struct entry *entry = &literals->entries[literals->nentries++];
	*entry = (struct entry){ .literal = literal,
		.gram = gram,
		.offset = offset,
		.len = literals->list[literal].len };
	set_near(entry, &literals->list[literal]);
	*known_slot(literals, gram) = gram;
}

/** How rarely does ordinary text hold these four, as far as their letters tell?  Only the
 * order matters. */
static int
rareness(const char *gram)
{
	int rare = (int)rarity_chance(gram, GRAM);

	for (int i = 0; i < GRAM; i++) {
		// Lines of dashes and rows of zeros are everywhere, and so are spaces.
		rare -= (i > 0 && gram[i] == gram[i - 1]) || gram[i] == ' ' ? 40 : 0;
	}
	return rare;
}

/** What it costs to look for these four, in nanoseconds for a megabyte, nearly: a place
 * to look at for each that stands there, and what the sieve lets pass for a new four's
 * sake; where it is looked for anyway, one more comparison. */
static int
cost(struct literals *literals, const char *gram)
{
	uint32_t four = sieve_four(gram);
	int often = (int)fours_often(four);

	return *known_slot(literals, four) == four ? often
						   : COST_FOUR + COST_LOOK * often;
}

/** Of three bytes: whatever may follow. */
static void
add_short(struct literals *literals, uint32_t index)
{
	const struct literal *literal = &literals->list[index];
	bool seen[BYTES] = { false };
	char gram[GRAM];

	memcpy(gram, literal->text, LITERAL_LEN_MIN);
	for (int last = 0; last < BYTES; last++) {
		// Two bytes that fold to one give the same four.
		bool *folded = &seen[last | 0x20];

		gram[LITERAL_LEN_MIN] = (char)last;
		if (!*folded &&
			(!literal->before_word || last == '-' ||
				char_is_word((char)last))) {
			*folded = true;
			insert(literals, sieve_four(gram), index, 0);
		}
	}
}

static void
add_literal(struct literals *literals, uint32_t index)
{
	const struct literal *literal = &literals->list[index];
	uint8_t best = 0;
	int least = INT_MAX, most = INT_MIN;

	for (uint8_t i = 0; i + GRAM <= literal->len; i++) {
		int price = cost(literals, literal->text + i);
		int rare = rareness(literal->text + i);

		if (price < least || (price == least && rare > most)) {
			best = i;
			least = price;
			most = rare;
		}
	}
	insert(literals, sieve_four(literal->text + best), index, best);
}

/** Short ones have no choice, so they come first. */
static void
add_literals(struct literals *literals)
{
	size_t upto[LITERAL_LEN_MAX + 2] = { 0 };
	AUTO_FREE uint32_t *order = xcalloc(literals->count + 1, sizeof(*order));

	literals->known_size = 1;
	for (size_t i = 0; i < literals->count; i++) {
		size_t len = literals->list[i].len;

		assert(len >= LITERAL_LEN_MIN && len <= LITERAL_LEN_MAX);
		upto[len + 1]++;
		// At least twice as many as there can be.
		literals->known_size += len < GRAM ? 2 * (size_t)BYTES : 2;
	}
	literals->known = xcalloc(literals->known_size, sizeof(*literals->known));
	for (size_t len = 0; len <= LITERAL_LEN_MAX; len++) {
		upto[len + 1] += upto[len];
	}
	for (uint32_t i = 0; i < literals->count; i++) {
		order[upto[literals->list[i].len]++] = i;
	}
	for (size_t i = 0; i < literals->count; i++) {
		if (literals->list[order[i]].len < GRAM) {
			add_short(literals, order[i]);
		} else {
			add_literal(literals, order[i]);
		}
	}
	free(literals->known);
	literals->known = NULL;
}

/** Put them in order of their heads. */
static void
order_entries(struct literals *literals)
{
	size_t count = literals->nentries;
	struct entry *entries = xcalloc(count + 1, sizeof(*entries));

	literals->near = xcalloc(count + 1, sizeof(*literals->near));
	for (size_t i = 0; i < count; i++) {
		literals->heads[head_of(literals->entries[i].gram) + 1]++;
	}
	for (size_t i = 0; i < 1 << HEAD_BITS; i++) {
		literals->heads[i + 1] += literals->heads[i];
	}
	// From the last on, so that those of a head stay in their order.
	for (size_t i = count; i > 0; i--) {
		const struct entry *entry = &literals->entries[i - 1];
		uint32_t at = --literals->heads[head_of(entry->gram) + 1];

		entries[at] = *entry;
		literals->near[at] = entry->near;
	}
	// Each became its own start; the first is the only one that has moved.
	memmove(literals->heads, literals->heads + 1,
		sizeof(literals->heads[0]) << HEAD_BITS);
	literals->heads[1 << HEAD_BITS] = (uint32_t)count;
	free(literals->entries);
	literals->entries = entries;
}

static void
make_sieve(struct literals *literals)
{
	AUTO_FREE uint32_t *fours = xcalloc(literals->nentries + 1, sizeof(*fours));

	for (size_t i = 0; i < literals->nentries; i++) {
		fours[i] = literals->entries[i].gram;
	}
	literals->sieve = sieve_new(fours, literals->nentries);
}

struct literals *
literals_new(const struct literal *list, size_t count)
{
	struct literals *literals = xcalloc(1, sizeof(*literals));

	literals->list = xcalloc(MAX_OF(count, (size_t)1), sizeof(*list));
	literals->count = count;
	if (count > 0) {
		memcpy(literals->list, list, count * sizeof(*list));
	}
	add_literals(literals);
	order_entries(literals);
	make_sieve(literals);
	return literals;
}

void
literals_free(struct literals *literals)
{
	if (literals != NULL) {
		free(literals->list);
		free(literals->near);
		free(literals->entries);
		sieve_free(literals->sieve);
		free(literals);
	}
}

static bool
same(const struct literal *literal, const char *text)
{
	if (!literal->nocase) {
		return memcmp(literal->text, text, literal->len) == 0;
	}
	for (size_t i = 0; i < literal->len; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z') {
			c = (char)(c | 0x20);
		}
		if (c != literal->text[i]) {
			return false;
		}
	}
	return true;
}

/** Tell what begins before @upto; anything but 0 ends it. */
static int
tell(struct search *search, size_t upto)
{
	size_t told = 0;
	int ret = 0;

	while (told < search->nhits && search->hits[told].start < upto && ret == 0) {
		ret = search->fn(search->hits[told].start, search->hits[told].literal,
			search->payload);
		told++;
	}
	search->nhits -= told;
	memmove(search->hits, search->hits + told, search->nhits * sizeof(struct hit));
	return ret;
}

static bool
precedes(const struct hit *left, const struct hit *right)
{
	return left->start < right->start ||
		(left->start == right->start && left->literal < right->literal);
}

/** Nothing that is found later begins before @since. */
static int
keep(struct search *search, const struct hit *hit, size_t since)
{
	if (search->nhits == HITS) {
		int ret = tell(search, since);

		// More literals in a few bytes than there is room for: out of order,
		// then.
		if (ret == 0 && search->nhits == HITS) {
			ret = tell(search, SIZE_MAX);
		}
		if (ret != 0) {
			return ret;
		}
	}

	size_t at = search->nhits++;
	for (; at > 0 && precedes(hit, &search->hits[at - 1]); at--) {
		search->hits[at] = search->hits[at - 1];
	}
	search->hits[at] = *hit;
	return 0;
}

/** The literal of this entry has its four at @at, and fits as far as near goes. */
static int
try_entry(struct search *search, const struct entry *entry, size_t at)
{
	const struct literal *literal = &search->literals->list[entry->literal];
	struct hit hit = { .start = at - entry->offset, .literal = entry->literal };

	if (at < entry->offset || hit.start + entry->len > search->len ||
		(!entry->whole && !same(literal, search->text + hit.start))) {
		return 0;
	}
	return keep(search, &hit, at - MIN_OF(at, (size_t)LITERAL_LEN_MAX));
}

/** Keep every literal whose four stand at @at, @around being what is near. */
static inline int
look(struct search *search, uint32_t gram, uint64_t around, size_t at)
{
	const struct literals *literals = search->literals;
	uint32_t head = head_of(gram), upto = literals->heads[head + 1];

	for (uint32_t e = literals->heads[head]; e < upto; e++) {
		if ((around & literals->near[e].mask) == literals->near[e].bytes) {
			int ret = try_entry(search, &literals->entries[e], at);

			if (ret != 0) {
				return ret;
			}
		}
	}
	return 0;
}

/** One place after the other, at the edges; the text is padded with zeros. */
static int
look_at_each(struct search *search, size_t from, size_t upto)
{
	for (size_t at = from; at < upto; at++) {
		char bytes[NEAR] = { 0 };
		size_t before = MIN_OF(at, (size_t)NEAR_BEFORE);
		size_t count = MIN_OF(search->len - at, (size_t)NEAR - NEAR_BEFORE);

		memcpy(bytes + NEAR_BEFORE - before, search->text + at - before,
			before + count);
		int ret =
			look(search, sieve_four(bytes + NEAR_BEFORE), near_at(bytes), at);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/** The places from @at on, @len of them. */
static int
search_block(struct search *search, size_t at, size_t len)
{
	uint16_t places[SIEVE_ROOM];
	size_t count =
		sieve_sift(search->literals->sieve, search->text + at, len, places);

	for (size_t i = 0; i < count; i++) {
		size_t place = at + places[i];
		const char *around = search->text + place - NEAR_BEFORE;
		int ret = look(
			search, sieve_four(around + NEAR_BEFORE), near_at(around), place);

		if (ret != 0) {
			return ret;
		}
	}
	return tell(search, at + len - MIN_OF(at + len, (size_t)LITERAL_LEN_MAX));
}

int
literals_find(const struct literals *literals, const char *text, size_t len,
	literal_fn *fn, void *payload)
{
	struct search search;
	size_t at = NEAR_BEFORE;

	// Most texts are names: the room for hits is not cleared for each.
	search.literals = literals;
	search.text = text;
	search.len = len;
	search.fn = fn;
	search.payload = payload;
	search.nhits = 0;
	int ret = look_at_each(&search, 0, MIN_OF(len, at));

	// What is near of a place is there, too.
	while (ret == 0 && at + 8 + NEAR - NEAR_BEFORE <= len) {
		size_t part =
			MIN_OF(len - at - (NEAR - NEAR_BEFORE), (size_t)SIEVE_BLOCK);

		part -= part % (part < 64 ? 8 : 64);
		ret = search_block(&search, at, part);
		at += part;
	}
	if (ret == 0 && len > at) {
		ret = look_at_each(&search, at, len);
	}
	return ret == 0 ? tell(&search, SIZE_MAX) : ret;
}
