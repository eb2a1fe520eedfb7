// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Four bytes of the text, letters folded, are hashed to 16 bits; a bitmap of 8 KiB (it
 * stays in the first cache) says whether any literal has such a four at its chosen place.
 * Only then is a list of literals compared.
 *
 *     text:     . . . x o x b - 1 2 3 ...
 *                     \_____/
 *                      fold, multiply, >> 16 -> bitmap -> heads[] -> entries -> compare
 *
 * The place is the rarest four of the literal: "-----BEGIN" is looked for by its "BEGI".
 */

#include "scanner/literal.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	GRAM = 4,
	HASHES = 1 << 16,
	/** Each byte that a fold can give. */
	FOLDED_BYTES = 256,
};

struct entry {
	uint32_t literal;
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
};

static inline uint32_t
hash_of(uint32_t folded)
{
	return (folded * 0x9E3779B1u) >> 16;
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

	// The same literal may fall on one hash twice; it must be reported once.
	for (uint32_t e = literals->heads[hash]; e != 0;
		e = literals->entries[e - 1].next) {
		if (literals->entries[e - 1].literal == literal) {
			return;
		}
	}
	literals->entries = xgrow(literals->entries, literals->nentries,
		&literals->entries_size, sizeof(struct entry));
	literals->entries[literals->nentries++] =
		(struct entry){ .literal = literal, .next = literals->heads[hash] };
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
	int rare = 0;

	for (int i = 0; i < GRAM; i++) {
		char c = gram[i];
		bool again = i > 0 && gram[i - 1] == c;

		if (again) {
			rare -= 4;
		} else if (c >= '0' && c <= '9') {
			rare += 1;
		} else if (c == '_' || c == '-' || c == '/' || c == ' ' || c == '=') {
			rare += 0;
		} else if (memchr("jkqvwxyzJKQVWXYZ", c, 16) != NULL) {
			rare += 4;
		} else {
			rare += 2;
		}
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
		for (int last = 0; last < FOLDED_BYTES; last++) {
			gram[LITERAL_LEN_MIN] = (char)last;
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
report(const struct literals *literals, uint32_t hash, const char *text, size_t len,
	size_t at, literal_fn *fn, void *payload)
{
	for (uint32_t e = literals->heads[hash]; e != 0;
		e = literals->entries[e - 1].next) {
		uint32_t index = literals->entries[e - 1].literal;
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

static inline bool
maybe(const struct literals *literals, uint32_t hash)
{
	return literals->bitmap[hash / 64] >> (hash % 64) & 1;
}

/** One place at a time, for the last few bytes; the text is padded with zeros. */
static int
find_slowly(const struct literals *literals, const char *text, size_t len, size_t at,
	literal_fn *fn, void *payload)
{
	for (; at < len; at++) {
		char gram[GRAM] = { 0 };

		memcpy(gram, text + at, MIN_OF(len - at, (size_t)GRAM));
		uint32_t hash = hash_of(gram_at(gram));
		if (!maybe(literals, hash)) {
			continue;
		}

		int ret = report(literals, hash, text, len, at, fn, payload);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

int
literals_find(const struct literals *literals, const char *text, size_t len,
	literal_fn *fn, void *payload)
{
	size_t at = 0;

	for (; at + 8 <= len; at += 4) {
		uint64_t word = load64(text + at);
		uint32_t hash[4] = { hash_of((uint32_t)word),
			hash_of((uint32_t)(word >> 8)), hash_of((uint32_t)(word >> 16)),
			hash_of((uint32_t)(word >> 24)) };
		bool any[4] = { maybe(literals, hash[0]), maybe(literals, hash[1]),
			maybe(literals, hash[2]), maybe(literals, hash[3]) };

		if (!(any[0] | any[1] | any[2] | any[3])) {
			continue;
		}
		for (size_t i = 0; i < 4; i++) {
			int ret = any[i] ? report(literals, hash[i], text, len, at + i,
						   fn, payload)
					 : 0;
			if (ret != 0) {
				return ret;
			}
		}
	}
	return find_slowly(literals, text, len, at, fn, payload);
}
