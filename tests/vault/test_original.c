// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "vault/original.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SPANS_MAX = 64,
	BYTES_MAX = 4096,
};

/** Original bytes, what was made of them, and where. */
struct sample {
	char plain[BYTES_MAX];
	size_t plain_len;
	char cut[BYTES_MAX * 4];
	size_t cut_len;
	struct original_span spans[SPANS_MAX];
	size_t nspans;
	struct original original;
};

// Bytes of any value, spans of any length, empty ones and neighbours among them.
static void
make_sample(struct sample *sample, unsigned int seed)
{
	size_t done = 0;

	memset(sample, 0, sizeof(*sample));
	srand(seed);
	sample->plain_len = (size_t)rand() % BYTES_MAX;
	for (size_t i = 0; i < sample->plain_len; i++) {
		sample->plain[i] = (char)rand();
	}
	while (done < sample->plain_len && sample->nspans < SPANS_MAX) {
		size_t left = sample->plain_len - done;
		size_t gap = (size_t)rand() % (left + 1) / 4;
		size_t len = (size_t)rand() % (left - gap + 1) / 4;
		int mark = snprintf(NULL, 0, "REDACTED.x.%d", rand() % 3);

		memcpy(sample->cut + sample->cut_len, sample->plain + done, gap);
		sample->cut_len += gap;
		sample->spans[sample->nspans++] = (struct original_span){
			.at = sample->cut_len,
			.len = (uint64_t)mark,
			.data = sample->plain + done + gap,
			.data_len = len,
		};
		memset(sample->cut + sample->cut_len, 'R', (size_t)mark);
		sample->cut_len += (size_t)mark;
		done += gap + len;
	}
	memcpy(sample->cut + sample->cut_len, sample->plain + done,
		sample->plain_len - done);
	sample->cut_len += sample->plain_len - done;
	sample->original = (struct original){
		.has_content = true,
		.size = sample->plain_len,
		.spans = sample->spans,
		.nspans = sample->nspans,
	};
	hash_sha256(sample->plain, sample->plain_len, sample->original.sha256);
}

static void
write_text(const struct original *original, struct buf *text)
{
	struct err err;

	text->max = ORIGINAL_TEXT_MAX;
	ok(original_write(original, text, &err));
}

static void
whatever_was_cut_is_filled_in_again(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 200; seed++) {
		struct sample *sample = xcalloc(1, sizeof(*sample));
		AUTO(buf_done) struct buf text = { 0 };
		AUTO(buf_done) struct buf out = { .max = BYTES_MAX };
		AUTO(original_done) struct original read = { 0 };
		struct err err;

		make_sample(sample, seed);
		sample->original.name = seed % 2 ? "a name\n\xff" : NULL;
		write_text(&sample->original, &text);
		ok(original_read(text.data, text.len, &read, &err));
		ok(original_fill_in(&read, sample->cut, sample->cut_len, &out, &err));

		assert_int_equal(out.len, sample->plain_len);
		assert_memory_equal(buf_text(&out), sample->plain, out.len);
		assert_int_equal(read.name != NULL, seed % 2);
		if (read.name != NULL) {
			assert_string_equal(read.name, "a name\n\xff");
		}
		free(sample);
	}
}

static void
one_original_has_one_text(void **state)
{
	struct original_span span = {
		.at = 10, .len = 28, .data = "secret", .data_len = 6
	};
	struct original original = {
		.name = "key.txt",
		.has_content = true,
		.size = 50,
		.spans = &span,
		.nspans = 1,
	};
	AUTO(buf_done) struct buf text = { 0 };

	(void)state;
	assert_true(hash_unhex(
		"ead3e3a8ea70f3d6a14f514f17ae1a0e2d965375518df3acb684a7ff7a6e977c",
		original.sha256, sizeof(original.sha256)));
	write_text(&original, &text);

	// As docs/format.md shows it.
	assert_string_equal(buf_text(&text),
		"{\"format\": \"mirror-sealed 1\",\n"
		" \"name\": \"a2V5LnR4dA==\",\n"
		" \"size\": 50,\n"
		" \"sha256\": "
		"\"ead3e3a8ea70f3d6a14f514f17ae1a0e2d965375518df3acb684a7ff7a6e977c\",\n"
		" \"spans\": [\n"
		"  {\"at\": 10, \"length\": 28, \"original\": \"c2VjcmV0\"}]}\n");
}

static void
a_whole_comes_back_whatever_stands_for_it(void **state)
{
	static const char bytes[] = "\0\1binary\xff";
	struct original original = {
		.has_content = true, .size = sizeof(bytes), .whole = bytes
	};
	AUTO(buf_done) struct buf text = { 0 };
	AUTO(buf_done) struct buf out = { .max = BYTES_MAX };
	AUTO(original_done) struct original read = { 0 };
	struct err err;

	(void)state;
	hash_sha256(bytes, sizeof(bytes), original.sha256);
	write_text(&original, &text);
	ok(original_read(text.data, text.len, &read, &err));
	ok(original_fill_in(&read, "REDACTED.x.01234567\n", 20, &out, &err));

	assert_int_equal(out.len, sizeof(bytes));
	assert_memory_equal(out.data, bytes, out.len);
}

static void
a_name_alone_leaves_the_bytes_as_they_are(void **state)
{
	struct original original = { .name = "dir" };
	AUTO(buf_done) struct buf text = { 0 };
	AUTO(buf_done) struct buf out = { .max = BYTES_MAX };
	AUTO(original_done) struct original read = { 0 };
	struct err err;

	(void)state;
	write_text(&original, &text);
	ok(original_read(text.data, text.len, &read, &err));
	ok(original_fill_in(&read, "x\n", 2, &out, &err));

	assert_false(read.has_content);
	assert_string_equal(buf_text(&out), "x\n");
}

static void
other_bytes_than_those_it_was_cut_from_are_refused(void **state)
{
	struct sample *sample = xcalloc(1, sizeof(*sample));
	struct err err;

	(void)state;
	make_sample(sample, 7);
	assert_true(sample->nspans > 0);
	for (size_t len = 0; len <= sample->cut_len; len += 97) {
		AUTO(buf_done) struct buf out = { .max = sizeof(sample->cut) };

		// Cut short, and then with one byte changed.
		if (len < sample->cut_len) {
			fails(original_fill_in(
				      &sample->original, sample->cut, len, &out, &err),
				ERR_INVALID);
		}
	}
	AUTO(buf_done) struct buf out = { .max = sizeof(sample->cut) };
	sample->cut[sample->cut_len - 1] ^= 1;
	if (sample->spans[sample->nspans - 1].at + sample->spans[sample->nspans - 1].len <
		sample->cut_len) {
		fails(original_fill_in(&sample->original, sample->cut, sample->cut_len,
			      &out, &err),
			ERR_INVALID);
	}
	free(sample);
}

static void
no_text_that_is_not_ours_is_read(void **state)
{
#define HEAD "{\"format\": \"mirror-sealed 1\""
#define SHA                                                                              \
	"\"sha256\": "                                                                   \
	"\"ead3e3a8ea70f3d6a14f514f17ae1a0e2d965375518df3acb684a7ff7a6e977c\""
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"format\": \"mirror-sealed 2\", \"name\": \"eA==\"}",
		HEAD "}",
		HEAD ", \"name\": \"\"}",
		HEAD ", \"name\": 1}",
		HEAD ", \"name\": \"Lg==\"}",
		HEAD ", \"name\": \"Li4=\"}",
		HEAD ", \"name\": \"YS9i\"}",
		HEAD ", \"name\": \"YQBi\"}",
		HEAD ", \"name\": \"eA=\"}",
		HEAD ", \"size\": -1, " SHA ", \"spans\": []}",
		HEAD ", \"size\": 1, \"spans\": []}",
		HEAD ", \"size\": 1, \"sha256\": \"00\", \"spans\": []}",
		HEAD ", \"size\": 1, " SHA "}",
		HEAD ", \"size\": 2, " SHA ", \"whole\": \"eA==\"}",
		HEAD ", \"size\": 1, " SHA ", \"whole\": \"e A==\"}",
		HEAD ", \"size\": 1, " SHA ", \"spans\": [{\"at\": 0}]}",
		HEAD ", \"size\": 1, " SHA
		     ", \"spans\": [{\"at\": 5, \"length\": 5, \"original\": \"\"},"
		     " {\"at\": 9, \"length\": 1, \"original\": \"\"}]}",
		HEAD ", \"name\": \"eA==\"} junk",
	};

	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		AUTO(original_done) struct original read = { 0 };
		struct err err;

		if (original_read(texts[i], strlen(texts[i]), &read, &err) !=
			ERR_INVALID) {
			fail_msg("it was read: %s", texts[i]);
		}
	}
}

static void
no_damage_says_what_was_in_it(void **state)
{
	struct original original = { .name = "hunter2-hunter2" };
	AUTO(buf_done) struct buf text = { 0 };

	(void)state;
	write_text(&original, &text);
	for (size_t i = 0; i < text.len; i++) {
		AUTO(original_done) struct original read = { 0 };
		struct err err = { 0 };
		char before = text.data[i];

		text.data[i] ^= 5;
		if (original_read(text.data, text.len, &read, &err) < 0) {
			assert_null(strstr(err.msg, "aHVudGVyMi"));
			assert_null(strstr(err.msg, "hunter2"));
		}
		text.data[i] = before;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_was_cut_is_filled_in_again),
		cmocka_unit_test(one_original_has_one_text),
		cmocka_unit_test(a_whole_comes_back_whatever_stands_for_it),
		cmocka_unit_test(a_name_alone_leaves_the_bytes_as_they_are),
		cmocka_unit_test(other_bytes_than_those_it_was_cut_from_are_refused),
		cmocka_unit_test(no_text_that_is_not_ours_is_read),
		cmocka_unit_test(no_damage_says_what_was_in_it),
	};

	return cmocka_run_group_tests_name("vault/original", tests, NULL, NULL);
}
