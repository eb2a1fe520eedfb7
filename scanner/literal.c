// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Four bytes of each literal, its rarest, stand for it, letters folded.  The sieve says
 * where in the text such four may stand: which literals have them, and does the rest fit?
 *
 * What is found is kept until nothing that begins before it can follow, and told in
 * order.
 */

#include "scanner/literal.h"

#include "base/mem.h"
#include "scanner/chars.h"
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
	/** More than any rareness. */
	KNOWN = 1000,
	/** Found and not told yet, at most. */
	HITS = 256,
};

struct entry {
	/** The eight bytes from NEAR_BEFORE before its four on: those that are the
	 * literal's, without what may differ, and the bits to compare. */
	uint64_t near;
	uint64_t near_mask;
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
	struct sieve *sieve;
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
set_near(struct entry *entry, const struct literal *literal, size_t offset)
{
	char bytes[NEAR] = { 0 }, mask[NEAR] = { 0 };

	for (size_t i = 0; i < NEAR; i++) {
		size_t at = offset + i - NEAR_BEFORE;

		// Before its first byte, this is more than its length.
		if (at < literal->len) {
			bool either = literal->nocase && char_is_lower(literal->text[at]);

			mask[i] = either ? (char)~0x20 : (char)~0;
			bytes[i] = (char)(literal->text[at] & mask[i]);
		}
	}
	entry->near = near_at(bytes);
	entry->near_mask = near_at(mask);
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
	struct entry *entry = &literals->entries[literals->nentries++];
	*entry = (struct entry){ .literal = literal, .gram = gram, .next = *head };
	*head = (uint32_t)literals->nentries;
	set_near(entry, &literals->list[literal], literals->offset[literal]);
}

/** How rarely does ordinary text hold these four?  Only the order matters. */
static int
rareness(const char *gram)
{
	int rare = (int)rarity_chance(gram, GRAM);

	for (int i = 1; i < GRAM; i++) {
		// Lines of dashes and rows of zeros are everywhere, and so are spaces.
		rare -= gram[i] == gram[i - 1] || gram[i] == ' ' ? 40 : 0;
	}
	return rare;
}

/** Does another literal have these four already? */
static bool
is_known(const struct literals *literals, uint32_t gram)
{
	uint32_t e = literals->heads[head_of(gram)];

	while (e != 0 && literals->entries[e - 1].gram != gram) {
		e = literals->entries[e - 1].next;
	}
	return e != 0;
}

/** Of three bytes: whatever may follow. */
static void
add_short(struct literals *literals, uint32_t index)
{
	const struct literal *literal = &literals->list[index];
	char gram[GRAM];

	memcpy(gram, literal->text, LITERAL_LEN_MIN);
	for (int last = 0; last < BYTES; last++) {
		gram[LITERAL_LEN_MIN] = (char)last;
		if (!literal->before_word || last == '-' || char_is_word((char)last)) {
			insert(literals, sieve_four(gram), index);
		}
	}
}

static void
add_literal(struct literals *literals, uint32_t index)
{
	const struct literal *literal = &literals->list[index];
	uint8_t best = 0;
	int most = INT_MIN;

	for (uint8_t i = 0; i + GRAM <= literal->len; i++) {
		// Four that are looked for anyway cost nothing.
		int rare = rareness(literal->text + i) +
			(is_known(literals, sieve_four(literal->text + i)) ? KNOWN : 0);

		if (rare > most) {
			best = i;
			most = rare;
		}
	}
	literals->offset[index] = best;
	insert(literals, sieve_four(literal->text + best), index);
}

/** Short ones have no choice, so they come first. */
static void
add_literals(struct literals *literals)
{
	size_t upto[LITERAL_LEN_MAX + 2] = { 0 };
	AUTO_FREE uint32_t *order = xcalloc(literals->count + 1, sizeof(*order));

	for (size_t i = 0; i < literals->count; i++) {
		size_t len = literals->list[i].len;

		assert(len >= LITERAL_LEN_MIN && len <= LITERAL_LEN_MAX);
		upto[len + 1]++;
	}
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
	literals->offset = xcalloc(MAX_OF(count, (size_t)1), 1);
	literals->count = count;
	if (count > 0) {
		memcpy(literals->list, list, count * sizeof(*list));
	}
	add_literals(literals);
	make_sieve(literals);
	return literals;
}

void
literals_free(struct literals *literals)
{
	if (literals != NULL) {
		free(literals->list);
		free(literals->offset);
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

/** Keep every literal whose four stand at @at. */
static int
look(struct search *search, uint32_t gram, size_t at)
{
	const struct literals *literals = search->literals;
	const struct entry *entry;
	bool edge = at < NEAR_BEFORE || search->len - at < NEAR;
	uint64_t near = edge ? 0 : near_at(search->text + at - NEAR_BEFORE);

	for (uint32_t e = literals->heads[head_of(gram)]; e != 0; e = entry->next) {
		entry = &literals->entries[e - 1];
		if (entry->gram != gram ||
			(!edge && (near & entry->near_mask) != entry->near)) {
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
		int ret = look(search, sieve_four(bytes), at);
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
		int ret = look(search, sieve_four(search->text + place), place);

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
	size_t at = 1;

	// Most texts are names: the room for hits is not cleared for each.
	search.literals = literals;
	search.text = text;
	search.len = len;
	search.fn = fn;
	search.payload = payload;
	search.nhits = 0;
	int ret = look_at_each(&search, 0, MIN_OF(len, at));

	while (ret == 0 && at + 8 + GRAM <= len) {
		size_t part = MIN_OF(len - at - GRAM, (size_t)SIEVE_BLOCK);

		part -= part % (part < 64 ? 8 : 64);
		ret = search_block(&search, at, part);
		at += part;
	}
	if (ret == 0 && len > at) {
		ret = look_at_each(&search, at, len);
	}
	return ret == 0 ? tell(&search, SIZE_MAX) : ret;
}
