// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Four bytes of the text, letters folded, are hashed to 17 bits; a bitmap of 16 KiB (it
 * stays in the first cache) says whether any literal has such a four at its chosen place.
 * Only then is a list of literals compared.
 *
 *     text:     . . . x o x b - 1 2 3 ...
 *                     \_____/
 *                      fold, multiply, >> 15 -> bitmap -> heads[] -> entries -> compare
 *
 * The place is the rarest four of the literal: "-----BEGIN" is looked for by its "BEGI".
 */

#include "scanner/literal.h"

#include "base/mem.h"
#include "scanner/chars.h"
#include "scanner/literal_fast.h"
#include "scanner/rarity.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	GRAM = 4,
	HASHES = 1 << 17,
	BYTES = 256,
	/** Text that must have come by before the fast tables pay. */
	FAST_AFTER = 48 * 1024 * 1024,
	/** A shorter text is not worth the call. */
	FAST_MIN = 512,
};

struct entry {
	uint32_t literal;
	/** The folded four itself. */
	uint32_t gram;
	/** Next entry with this hash, + 1; 0 ends. */
	uint32_t next;
};

struct literals {
	struct literal *list;
	/** Where in the literal the hashed four stands. */
	uint8_t *offset;
	size_t count;
	uint64_t bitmap[HASHES / 64];
	uint32_t heads[HASHES];
	struct entry *entries;
	size_t nentries;
	size_t entries_size;

	/** Bytes searched so far, until FAST_AFTER. */
	atomic_size_t searched;
	/** Somebody makes the fast tables, or has found that there are none. */
	atomic_bool hurried;
	_Atomic(struct literal_fast *) fast;
};

static inline uint32_t
hash_of(uint32_t folded)
{
	return (folded * 0x9E3779B1u) >> 15;
}

static inline uint64_t
load64(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word | 0x2020202020202020u;
}

static void
insert(struct literals *literals, uint32_t folded, uint32_t literal)
{
	uint32_t hash = hash_of(folded);

	// Two bytes that fold to one give the same four; it must be reported once.
	for (uint32_t e = literals->heads[hash]; e != 0;
		e = literals->entries[e - 1].next) {
		const struct entry *entry = &literals->entries[e - 1];

		if (entry->literal == literal && entry->gram == folded) {
			return;
		}
	}
	literals->entries = xgrow(literals->entries, literals->nentries,
		&literals->entries_size, sizeof(struct entry));
	literals->entries[literals->nentries++] = (struct entry){
		.literal = literal, .gram = folded, .next = literals->heads[hash]
	};
	literals->heads[hash] = (uint32_t)literals->nentries;
	literals->bitmap[hash / 64] |= (uint64_t)1 << (hash % 64);
}

static uint32_t
gram_at(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;

	return ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
		       (uint32_t)bytes[3] << 24) |
		0x20202020u;
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
	for (uint8_t i = 1; i + GRAM <= literal->len; i++) {
		if (rareness(literal->text + i) > rareness(literal->text + best)) {
			best = i;
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
		literal_fast_free(atomic_load(&literals->fast));
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

/** Report every literal whose four stands at @at. */
static int
report(const struct literals *literals, uint32_t folded, const char *text, size_t len,
	size_t at, literal_fn *fn, void *payload)
{
	const struct entry *entry;

	for (uint32_t e = literals->heads[hash_of(folded)]; e != 0; e = entry->next) {
		entry = &literals->entries[e - 1];
		if (entry->gram != folded) {
			continue;
		}

		uint32_t index = entry->literal;
		const struct literal *literal = &literals->list[index];
		size_t offset = literals->offset[index];

		if (at < offset || at - offset + literal->len > len ||
			!same(literal, text + at - offset)) {
			continue;
		}

		int ret = fn(at - offset, index, payload);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/** 1 or 0: a number, so that four can be joined without a jump. */
static inline unsigned int
maybe(const struct literals *literals, uint32_t hash)
{
	return (unsigned int)(literals->bitmap[hash / 64] >> (hash % 64) & 1);
}

/** One place at a time, for the last few bytes; the text is padded with zeros. */
static int
find_slowly(const struct literals *literals, const char *text, size_t len, size_t at,
	literal_fn *fn, void *payload)
{
	for (; at < len; at++) {
		char gram[GRAM] = { 0 };

		memcpy(gram, text + at, MIN_OF(len - at, (size_t)GRAM));
		uint32_t folded = gram_at(gram);
		if (maybe(literals, hash_of(folded)) == 0) {
			continue;
		}

		int ret = report(literals, folded, text, len, at, fn, payload);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

static int
find_portably(const struct literals *literals, const char *text, size_t len,
	literal_fn *fn, void *payload)
{
	size_t at = 0;

	for (; at + 8 <= len; at += 4) {
		uint64_t word = load64(text + at);
		unsigned int any = maybe(literals, hash_of((uint32_t)word)) |
			maybe(literals, hash_of((uint32_t)(word >> 8))) |
			maybe(literals, hash_of((uint32_t)(word >> 16))) |
			maybe(literals, hash_of((uint32_t)(word >> 24)));

		for (size_t i = 0; any != 0 && i < 4; i++) {
			uint32_t folded = (uint32_t)(word >> (8 * i));
			int ret = maybe(literals, hash_of(folded)) != 0
				? report(literals, folded, text, len, at + i, fn, payload)
				: 0;

			if (ret != 0) {
				return ret;
			}
		}
	}
	return find_slowly(literals, text, len, at, fn, payload);
}

/** The counters behind the constant tables. */
static struct literals *
changing(const struct literals *literals)
{
	union {
		const struct literals *constant;
		struct literals *changing;
	} both = { .constant = literals };

	return both.changing;
}

bool
literals_hurry(const struct literals *constant)
{
	struct literals *literals = changing(constant);

	if (!atomic_exchange(&literals->hurried, true)) {
		atomic_store(&literals->fast,
			literal_fast_new(literals->list, literals->count));
	}
	return atomic_load(&literals->fast) != NULL;
}

int
literals_find(const struct literals *constant, const char *text, size_t len,
	literal_fn *fn, void *payload)
{
	struct literals *literals = changing(constant);

	if (!atomic_load_explicit(&literals->hurried, memory_order_relaxed) &&
		atomic_fetch_add(&literals->searched, len) + len > FAST_AFTER) {
		(void)literals_hurry(literals);
	}

	struct literal_fast *fast =
		atomic_load_explicit(&literals->fast, memory_order_acquire);
	if (fast != NULL && len >= FAST_MIN) {
		return literal_fast_find(fast, text, len, fn, payload);
	}
	return find_portably(literals, text, len, fn, payload);
}
