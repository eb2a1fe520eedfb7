// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Two sieves and a look.  Four bytes of each literal, its rarest, stand for it, letters
 * folded; they begin at an even place of the text or at an odd one, so three of them in a
 * row begin at an even one:
 *
 *     text:     . . . o x o b - 1 2 3 ...          "xoxb": x o x   or   o x b
 *               0   2   4   6   8                          even place   odd place
 *
 *     1. at every second place: are these three any literal's first or last three?
 *     2. where they are: are the four that begin here, or one before, any literal's?
 *     3. where they are: which literals have these four, and does the rest fit?
 *
 * The first sieve lets 6 % of a source text's places pass, the second 0.4 %.  Neither
 * jumps: each writes every place down, and goes on to the next line only behind one that
 * passed, so that there is nothing for the processor to guess.
 *
 * What is found is kept until nothing that begins before it can follow, and told in
 * order.
 */

#include "scanner/literal.h"

#include "base/mem.h"
#include "scanner/chars.h"
#include "scanner/rarity.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	GRAM = 4,
	TRIPLE_BITS = 17,
	QUAD_BITS = 19,
	HEAD_BITS = 13,
	BYTES = 256,
	/** Places that go through the sieves at a time. */
	BLOCK = 4096,
	/** Found and not told yet, at most. */
	HITS = 256,
};

struct entry {
	uint32_t literal;
	/** The folded four itself. */
	uint32_t gram;
	/** Next entry of this head, + 1; 0 ends. */
	uint32_t next;
};

struct literals {
	struct literal *list;
	/** Where in the literal its four stand. */
	uint8_t *offset;
	size_t count;
	/** The first sieve: 1 or 0, by the hash of three bytes. */
	uint8_t triples[1 << TRIPLE_BITS];
	/** The second: a bit by the hash of four. */
	uint64_t quads[(1 << QUAD_BITS) / 64];
	uint32_t heads[1 << HEAD_BITS];
	struct entry *entries;
	size_t nentries;
	size_t entries_size;
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

/** Four bytes, the first one lowest, letters folded. */
static inline uint32_t
gram_at(const char *text)
{
	uint32_t word;

	memcpy(&word, text, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap32(word);
#endif
	return word | 0x20202020u;
}

/** Of the first three. */
static inline uint32_t
triple_of(uint32_t gram)
{
	return (gram << 8) * 0x9E3779B1u >> (32 - TRIPLE_BITS);
}

static inline uint32_t
quad_of(uint32_t gram)
{
	return gram * 0x85EBCA6Bu >> (32 - QUAD_BITS);
}

static inline uint32_t
head_of(uint32_t gram)
{
	return quad_of(gram) >> (QUAD_BITS - HEAD_BITS);
}

static void
insert(struct literals *literals, uint32_t gram, uint32_t literal)
{
	uint32_t *head = &literals->heads[head_of(gram)];

	// Two bytes that fold to one give the same four; it must be reported once.
	for (uint32_t e = *head; e != 0; e = literals->entries[e - 1].next) {
		const struct entry *entry = &literals->entries[e - 1];

		if (entry->literal == literal && entry->gram == gram) {
			return;
		}
	}
	literals->entries = xgrow(literals->entries, literals->nentries,
		&literals->entries_size, sizeof(struct entry));
	literals->entries[literals->nentries++] =
		(struct entry){ .literal = literal, .gram = gram, .next = *head };
	*head = (uint32_t)literals->nentries;
	literals->triples[triple_of(gram)] = 1;
	literals->triples[triple_of(gram >> 8)] = 1;
	literals->quads[quad_of(gram) / 64] |= (uint64_t)1 << quad_of(gram) % 64;
}

/** How rarely does ordinary text hold these four?  Only the order matters. */
static int
rareness(const char *gram)
{
	int rare = (int)rarity_chance(gram, GRAM);

	for (int i = 1; i < GRAM; i++) {
		// Lines of dashes and rows of zeros are everywhere.
		rare -= gram[i] == gram[i - 1] ? 40 : 0;
	}
	return rare;
}

static void
add_literal(struct literals *literals, uint32_t index)
{
	const struct literal *literal = &literals->list[index];
	uint8_t best = 0;
	int most = INT_MIN;

	assert(literal->len >= LITERAL_LEN_MIN && literal->len <= LITERAL_LEN_MAX);
	if (literal->len < GRAM) {
		char gram[GRAM];

		memcpy(gram, literal->text, LITERAL_LEN_MIN);
		for (int last = 0; last < BYTES; last++) {
			gram[LITERAL_LEN_MIN] = (char)last;
			if (literal->before_word && last != '-' &&
				!char_is_word((char)last)) {
				continue;
			}
			insert(literals, gram_at(gram), index);
		}
		return;
	}
	for (uint8_t i = 0; i + GRAM <= literal->len; i++) {
		int rare = rareness(literal->text + i);

		if (rare > most) {
			best = i;
			most = rare;
		}
	}
	literals->offset[index] = best;
	insert(literals, gram_at(literal->text + best), index);
}

struct literals *
literals_new(const struct literal *list, size_t count)
{
	struct literals *literals = xcalloc(1, sizeof(*literals));

	literals->list = xcalloc(MAX_OF(count, (size_t)1), sizeof(*list));
	literals->offset = xcalloc(MAX_OF(count, (size_t)1), 1);
	literals->count = count;
	if (count > 0) {
		memcpy(literals->list, list, count * sizeof(*list));
	}
	for (size_t i = 0; i < count; i++) {
		add_literal(literals, (uint32_t)i);
	}
	return literals;
}

void
literals_free(struct literals *literals)
{
	if (literals != NULL) {
		free(literals->list);
		free(literals->offset);
		free(literals->entries);
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

/** Keep every literal whose four stand at @at. */
static int
look(struct search *search, uint32_t gram, size_t at)
{
	const struct literals *literals = search->literals;
	const struct entry *entry;

	for (uint32_t e = literals->heads[head_of(gram)]; e != 0; e = entry->next) {
		entry = &literals->entries[e - 1];
		if (entry->gram != gram) {
			continue;
		}

		const struct literal *literal = &literals->list[entry->literal];
		size_t offset = literals->offset[entry->literal];
		struct hit hit = { .start = at - offset, .literal = entry->literal };

		if (at < offset || hit.start + literal->len > search->len ||
			!same(literal, search->text + hit.start)) {
			continue;
		}

		int ret = keep(search, &hit, at - MIN_OF(at, (size_t)LITERAL_LEN_MAX));
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/** One place after the other, at the edges; the text is padded with zeros. */
static int
look_at_each(struct search *search, size_t from, size_t upto)
{
	for (size_t at = from; at < upto; at++) {
		char bytes[GRAM] = { 0 };

		memcpy(bytes, search->text + at, MIN_OF(search->len - at, (size_t)GRAM));
		int ret = look(search, gram_at(bytes), at);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/** The first sieve: every second place in @len bytes, a multiple of 8. */
static size_t
sift_triples(const struct literals *literals, const char *text, size_t len,
	uint16_t *ret_passed)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at += 8) {
		for (size_t i = at; i < at + 8; i += 2) {
			ret_passed[n] = (uint16_t)i;
			n += literals->triples[triple_of(gram_at(text + i))];
		}
	}
	return n;
}

static inline unsigned int
has_quad(const struct literals *literals, uint32_t gram)
{
	return (unsigned int)(literals->quads[quad_of(gram) / 64] >> quad_of(gram) % 64 &
		1);
}

/** The second: these places, and those one before.  A place is told plus 1. */
static size_t
sift_quads(const struct literals *literals, const char *text, const uint16_t *places,
	size_t count, uint16_t *ret_passed)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const char *at = text + places[i];

		ret_passed[n] = places[i];
		n += has_quad(literals, gram_at(at - 1));
		ret_passed[n] = (uint16_t)(places[i] + 1);
		n += has_quad(literals, gram_at(at));
	}
	return n;
}

/** The places from @at - 1 on, @len of them; a byte before and GRAM behind are there. */
static int
search_block(struct search *search, size_t at, size_t len)
{
	uint16_t triples[BLOCK / 2 + 1];
	uint16_t quads[BLOCK + 2];
	const char *text = search->text + at;
	size_t count = sift_triples(search->literals, text, len, triples);

	count = sift_quads(search->literals, text, triples, count, quads);
	for (size_t i = 0; i < count; i++) {
		size_t place = at + quads[i] - 1;
		int ret = look(search, gram_at(search->text + place), place);

		if (ret != 0) {
			return ret;
		}
	}
	return tell(search, at + len - MIN_OF(at + len, (size_t)LITERAL_LEN_MAX + 1));
}

int
literals_find(const struct literals *literals, const char *text, size_t len,
	literal_fn *fn, void *payload)
{
	struct search search = {
		.literals = literals,
		.text = text,
		.len = len,
		.fn = fn,
		.payload = payload,
	};
	size_t at = 2;
	int ret = look_at_each(&search, 0, MIN_OF(len, at - 1));

	while (ret == 0 && at + 8 + GRAM <= len) {
		size_t part = MIN_OF(len - at - GRAM, (size_t)BLOCK);

		part -= part % 8;
		ret = search_block(&search, at, part);
		at += part;
	}
	if (ret == 0 && len > at - 1) {
		ret = look_at_each(&search, at - 1, len);
	}
	return ret == 0 ? tell(&search, SIZE_MAX) : ret;
}
