// SPDX-License-Identifier: GPL-2.0-or-later

// Runs of letters and digits, stretches of words: what a look at every byte finds is
// found by looking at a few; keys and encoded text that no word leads to.

#include "scanner/narrow.h"
#include "scanner/support.h"

#include "base/json.h"
#include "scanner/chars.h"
#include "scanner/phrase.h"
#include "scanner/runs.h"

#include <stdio.h>

struct spans {
	size_t at[64][2];
	size_t count;
};

static int
remember(size_t start, size_t end, void *payload)
{
	struct spans *spans = payload;

	assert_true(spans->count < countof(spans->at));
	spans->at[spans->count][0] = start;
	spans->at[spans->count++][1] = end;
	return 0;
}

static int
ignore(size_t start, size_t end, void *payload)
{
	(void)start;
	(void)end;
	(void)payload;
	return 0;
}

static void
a_run_is_found_wherever_it_begins_and_no_shorter_one(void **state)
{
	static const char letters[] = "aZ09bY18cX27dW36eV45fU54gT63hS72jR81kQ90";

	(void)state;
	for (size_t len = RUNS_LEN_MIN - 2; len < RUNS_LEN_MIN + 8; len++) {
		for (size_t start = 0; start < 40; start++) {
			char text[128];
			struct spans spans = { .count = 0 };

			memset(text, '_', sizeof(text));
			memcpy(text + start, letters, len);
			assert_int_equal(runs_find(&(struct runs){ .text = text,
							   .len = start + len },
						 SIZE_MAX, remember, NULL, &spans),
				0);
			assert_int_equal(spans.count, len >= RUNS_LEN_MIN);
			if (spans.count > 0) {
				assert_int_equal(spans.at[0][0], start);
				assert_int_equal(spans.at[0][1], start + len);
			}
		}
	}
}

static void
two_runs_side_by_side_are_two(void **state)
{
	char text[96];
	struct spans spans = { .count = 0 };

	(void)state;
	memset(text, 'q', sizeof(text));
	text[41] = '+';
	assert_int_equal(runs_find(&(struct runs){ .text = text, .len = sizeof(text) },
				 SIZE_MAX, remember, NULL, &spans),
		0);
	assert_int_equal(spans.count, 2);
	assert_int_equal(spans.at[0][1], 41);
	assert_int_equal(spans.at[1][0], 42);
	assert_int_equal(spans.at[1][1], sizeof(text));
}

/** What a look at every byte finds. */
static void
see_each(const char *text, size_t len, struct spans *spans)
{
	for (size_t at = 0; at < len;) {
		size_t end = at;

		while (end < len && char_is_alnum(text[end])) {
			end++;
		}
		if (end - at >= RUNS_LEN_MIN) {
			(void)remember(at, end, spans);
		}
		at = end + 1;
	}
}

static void
runs_of_any_length_are_those_that_a_look_at_every_byte_finds(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char text[700];
		size_t len = 0, size = 1 + (size_t)round % sizeof(text);
		struct spans slow = { .count = 0 }, fast = { .count = 0 };

		while (len < size) {
			seed = seed * 1664525u + 1013904223u;
			size_t run = seed >> 24 & 63;

			for (size_t i = 0; i < run && len < size; i++) {
				text[len++] = "09azAZmM"[(seed >> 8 & 7) ^ (i & 7)];
			}
			if (len < size) {
				text[len++] = "-/:@[`{\xff"[seed >> 16 & 7];
			}
		}
		struct runs runs = { .text = text, .len = len };
		see_each(text, len, &slow);
		// In two parts, as the engine asks.
		assert_int_equal(runs_find(&runs, len / 2, remember, NULL, &fast), 0);
		assert_int_equal(runs_find(&runs, SIZE_MAX, remember, NULL, &fast), 0);
		assert_int_equal(slow.count, fast.count);
		assert_memory_equal(slow.at, fast.at, slow.count * sizeof(slow.at[0]));
	}
}

static void
a_stretch_of_words_is_found_wherever_it_begins(void **state)
{
	static const char words[] =
		"ice fog sun sea bay elk ant owl fox bee cat dog ice fog sun sea";

	(void)state;
	for (size_t start = 0; start < 60; start++) {
		char text[160];
		struct spans spans = { .count = 0 };

		memset(text, '.', sizeof(text));
		memcpy(text + start, words, RUNS_WORDS_MIN);
		assert_int_equal(
			runs_find(&(struct runs){ .text = text, .len = sizeof(text) },
				SIZE_MAX, ignore, remember, &spans),
			0);
		assert_int_equal(spans.count, 1);
		assert_int_equal(spans.at[0][0], start);
		assert_int_equal(spans.at[0][1], start + RUNS_WORDS_MIN);
	}
}

/** The published test vectors of BIP 39, in halves. */
static void
the_last_word_of_a_phrase_is_its_checksum(void **state)
{
	static const struct {
		const char *halves[2];
		bool holds;
	} cases[] = {
		{ { "legal winner thank year wave sausage worth useful ",
			  "legal winner thank yellow" },
			true },
		{ { "legal winner thank year wave sausage worth useful ",
			  "legal winner thank wave" },
			false },
		{ { "letter advice cage absurd amount doctor acoustic avoid letter "
		    "advice cage absurd amount doctor acoustic ",
			  "avoid letter advice cage absurd amount doctor acoustic "
			  "bless" },
			true },
		{ { "my note says that legal winner thank year wave sausage worth ",
			  "useful legal winner thank yellow and more" },
			true },
		{ { "there was nobody about when they came home from school ",
			  "that day and only they knew where it was" },
			false },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		char text[512];
		size_t start, end;

		(void)snprintf(text, sizeof(text), "%s%s", cases[i].halves[0],
			cases[i].halves[1]);
		assert_int_equal(
			phrase_find(text, strlen(text), &start, &end), cases[i].holds);
	}
}

static void
a_phrase_behind_many_words_of_its_list_is_found(void **state)
{
	static const char *const halves[] = { "legal winner thank year wave sausage ",
		"worth useful legal winner thank yellow" };
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t count = 0; count < 130; count += 13) {
		char text[2048] = "";
		size_t last = 0;

		for (size_t i = 0; i < count; i++) {
			(void)strcat(text, "zoo ");
		}
		(void)strcat(strcat(text, halves[0]), halves[1]);
		const struct answers *answers = ask(scanner, text);
		for (size_t i = 0; i < answers->count; i++) {
			last = answers->list[i].end;
		}
		assert_int_equal(last, strlen(text));
	}
	scanner_free(scanner);
}

static void
write_encoded(char *out, size_t size, const char *plain, int how)
{
	size_t len = strlen(plain), n = 0;

	if (how < 2) {
		char wide[256] = { 0 };

		for (size_t i = 0; how == 1 && i < len; i++) {
			wide[2 * i] = plain[i];
		}
		AUTO_FREE char *base64 =
			how == 1 ? json_base64(wide, 2 * len) : json_base64(plain, len);
		(void)snprintf(out, size, "%s", base64);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		bool plainly = char_is_alnum(plain[i]) || plain[i] == '.' ||
			(how == 4 && plain[i] != '_' && plain[i] != '-');

		n += (size_t)(how == 2    ? snprintf(out + n, size - n, "%02x", plain[i])
				: plainly ? snprintf(out + n, size - n, "%c", plain[i])
				: how == 3
				? snprintf(out + n, size - n, "%%%02X", plain[i])
				: snprintf(out + n, size - n, "\\u%04x", plain[i]));
	}
}

static void
a_token_inside_an_encoding_is_found_whatever_stands_before_it(void **state)
{
	static const char *const tokens[][2] = {
		{ "SG.ngeVfQFYQlKU0ufo8x5d1A",
			".TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKc1sO6cXY" },
		{ "hf_qSdkzMwHvRbTnLpYcXgJ", "fUaEoWiKtmB3nq" },
		{ "5934078211:AAF3kQ9dLwZ7", "xVt2mBn8RsYpHcGuJeKoTiX" },
		{ "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJsZW5hIn0",
			".Zr4c9QmT1xLw7VbK3yHdN5sPfGuE2jXo8aRk6iMvA0" },
		{ "sk_live_", "Zr4c9QmT1xLw7VbK3yHdN5sP" },
		{ "glpat-", "Zr4c9QmT1xLw7VbK3yHd" },
		{ "password: kT7vQ2m", "xR9dLw" },
	};
	static const char *const before[] = { "", " ", "  ", "x = ", "{\"a\":\"" };
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t i = 0; i < countof(tokens) * countof(before) * 5; i++) {
		const char *const *token = tokens[i % countof(tokens)];
		char plain[256], encoded[2048], text[2100];

		(void)snprintf(plain, sizeof(plain), "%s%s%s",
			before[i / countof(tokens) % countof(before)], token[0],
			token[1]);
		write_encoded(encoded, sizeof(encoded), plain,
			(int)(i / countof(tokens) / countof(before)));
		(void)snprintf(text, sizeof(text), "data: %s\n", encoded);
		if (ask(scanner, text)->count == 0) {
			fail_msg("missed: %s", text);
		}
	}
	scanner_free(scanner);
}

static void
a_private_key_whose_armour_is_escaped_is_found(void **state)
{
	static const char *const armours[][2] = {
		{ "-----BEGIN%20RSA%20PRIVATE%20KEY-----%0A",
			"%0A-----END%20RSA%20PRIVATE%20KEY-----" },
		{ "%2D%2D%2D%2D%2DBEGIN%20PRIVATE%20KEY%2D%2D%2D%2D%2D%0A",
			"%0A%2D%2D%2D%2D%2DEND%20PRIVATE%20KEY%2D%2D%2D%2D%2D" },
		{ "-----BEGIN+PRIVATE+KEY-----%0D%0A",
			"%0D%0A-----END+PRIVATE+KEY-----" },
	};
	struct scanner *scanner = make_scanner();
	uint8_t der[600];

	(void)state;
	uint32_t chance = 1;
	for (size_t i = 0; i < sizeof(der); i++) {
		chance = chance * 1103515245u + 12345u;
		der[i] = (uint8_t)(chance >> 16);
	}
	memcpy(der, "\x30\x82\x02\x54\x02\x01\x00", 7);
	AUTO_FREE char *body = json_base64(der, sizeof(der));
	for (size_t i = 0; i < countof(armours); i++) {
		char text[2048];

		(void)snprintf(text, sizeof(text), "key=%s%s%s\n", armours[i][0], body,
			armours[i][1]);
		if (!holds_rule(ask(scanner, text), "private-key")) {
			fail_msg("missed: %s", text);
		}
	}
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_found_wherever_it_begins_and_no_shorter_one),
		cmocka_unit_test(two_runs_side_by_side_are_two),
		cmocka_unit_test(
			runs_of_any_length_are_those_that_a_look_at_every_byte_finds),
		cmocka_unit_test(a_stretch_of_words_is_found_wherever_it_begins),
		cmocka_unit_test(the_last_word_of_a_phrase_is_its_checksum),
		cmocka_unit_test(a_phrase_behind_many_words_of_its_list_is_found),
		cmocka_unit_test(
			a_token_inside_an_encoding_is_found_whatever_stands_before_it),
		cmocka_unit_test(a_private_key_whose_armour_is_escaped_is_found),
	};

	return run_at_each_width("scanner/runs", tests);
}
