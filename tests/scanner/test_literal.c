// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "scanner/narrow.h"

#include "base/mem.h"
#include "scanner/fours.h"
#include "scanner/literal.h"

#include <stdlib.h>
#include <string.h>

enum {
	TEXT_LEN = 200000,
	WORDS = 200,
};

struct tally {
	size_t count[WORDS];
	size_t places;
	/** The last one: the next must stand behind it. */
	size_t start;
	uint32_t literal;
	bool in_order;
};

static int
count_hit(size_t start, uint32_t literal, void *payload)
{
	struct tally *tally = payload;

	tally->in_order = tally->in_order &&
		(tally->places == 0 || start > tally->start ||
			(start == tally->start && literal > tally->literal));
	tally->start = start;
	tally->literal = literal;
	tally->count[literal]++;
	tally->places += (start + 1) * (literal + 1);
	return 0;
}

static bool
stands_at(const struct literal *literal, const char *text)
{
	for (size_t i = 0; i < literal->len; i++) {
		char c = text[i];

		if (literal->nocase && c >= 'A' && c <= 'Z') {
			c = (char)(c | 0x20);
		}
		if (c != literal->text[i]) {
			return false;
		}
	}
	return true;
}

/** Few letters, so that words occur often; the seed is fixed. */
static char
next_char(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return "abcdABCD-_ :"[(*seed >> 16) % 12];
}

static void
no_occurrence_is_missed_or_made_up(void **state)
{
	struct literal list[WORDS] = { 0 };
	char *text = xmalloc(TEXT_LEN);
	struct tally slow = { 0 }, fast = { .in_order = true };
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < WORDS; i++) {
		list[i].len = (uint8_t)(3 + i % 6);
		list[i].nocase = i % 2;
		for (size_t j = 0; j < list[i].len; j++) {
			char c = next_char(&seed);
			list[i].text[j] = list[i].nocase && c >= 'A' && c <= 'D'
				? (char)(c | 0x20)
				: c;
		}
	}
	for (size_t i = 0; i < TEXT_LEN; i++) {
		text[i] = next_char(&seed);
	}

	for (size_t at = 0; at < TEXT_LEN; at++) {
		for (uint32_t i = 0; i < WORDS; i++) {
			if (at + list[i].len <= TEXT_LEN &&
				stands_at(&list[i], text + at)) {
				(void)count_hit(at, i, &slow);
			}
		}
	}
	struct literals *literals = literals_new(list, WORDS);
	assert_int_equal(literals_find(literals, text, TEXT_LEN, count_hit, &fast), 0);

	assert_memory_equal(slow.count, fast.count, sizeof(slow.count));
	assert_true(fast.in_order);
	assert_int_equal(slow.places, fast.places);
	literals_free(literals);
	free(text);
}

static void
a_word_is_found_at_the_very_start_and_the_very_end(void **state)
{
	static const struct literal word = { .text = "abc", .len = 3 };
	struct literals *literals = literals_new(&word, 1);

	(void)state;
	for (size_t len = 3; len < 40; len++) {
		struct tally tally = { 0 };
		char text[64];

		memset(text, '.', sizeof(text));
		memcpy(text, "abc", 3);
		memcpy(text + len - 3, "abc", 3);
		assert_int_equal(
			literals_find(literals, text, len, count_hit, &tally), 0);
		assert_int_equal(tally.count[0],
			len < 6 && len > 3 ? 1
				: len == 3 ? 1
					   : 2);
	}
	literals_free(literals);
}

static int
stop(size_t start, uint32_t literal, void *payload)
{
	(void)start;
	(void)literal;
	(void)payload;
	return -5;
}

static void
the_callback_can_end_the_search(void **state)
{
	static const struct literal word = { .text = "abc", .len = 3 };
	struct literals *literals = literals_new(&word, 1);

	(void)state;
	assert_int_equal(literals_find(literals, "..abc..abc", 10, stop, NULL), -5);
	literals_free(literals);
}

static void
every_row_of_the_table_of_fours_is_found(void **state)
{
	size_t rows = 0;

	(void)state;
	for (size_t i = 0; i < (size_t)1 << FOURS_BITS; i++) {
		const struct fours_row *row = &fours_table[i];

		if (row->four != 0) {
			assert_int_equal(fours_often(row->four), row->often);
			rows++;
		}
	}
	// A search ends at an empty row.
	assert_in_range(rows, 1000, (1 << FOURS_BITS) / 2);
	// "tion"
	assert_true(fours_often(0x6e6f6974) > 1000);
	assert_int_equal(fours_often(0x21212121), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_occurrence_is_missed_or_made_up),
		cmocka_unit_test(a_word_is_found_at_the_very_start_and_the_very_end),
		cmocka_unit_test(every_row_of_the_table_of_fours_is_found),
		cmocka_unit_test(the_callback_can_end_the_search),
	};

	return run_at_each_width("scanner/literal", tests);
}
