// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "scanner/assign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
every_way_to_write_an_assignment_gives_its_value(void **state)
{
	// The word is "key"; the value is what stands between | and |.
	static const char *const cases[] = {
		"key=|v1|",
		"key = |v1|\n",
		"key: |v1|",
		"\"key\": \"|v1|\"",
		"'key' => '|v1|'",
		"key := \"|v1|\"",
		"x.key == \"|v1|\"",
		"<key>|v1|</key>",
		"set_key(\"|v1|\")",
		"f('key', '|v1|')",
		"--key |v1| x",
		"--key=|v1| x",
		"key \"|v1|\"",
		"key: string = \"|v1|\"",
		"{\"name\": \"key\", \"value\": \"|v1|\"}",
		"- name: key\n  value: |v1|\n",
		"\\\"key\\\": \\\"|v1|\\\"",
		"c['key'] = '|v1|'",
		"key = b'|v1|'",
		"key=|a b|\"",
		"?key=|v1|&x=2",
		"key=\"|a\\\"b|\"",
		"key = \"\"\"|a\nb|\"\"\"",
		"KEY=|a&b;c#d|\n",
		"key%3D|v1|",
		"f(key=\"|v1|\")",
		"key = new String(\"|v1|\")",
		"<add key=\"key\" value=\"|v1|\"/>",
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		char text[256];
		size_t n = 0, bars[2] = { 0, 0 }, nbars = 0;
		struct assignment found;

		for (const char *c = cases[i]; *c != '\0'; c++) {
			if (*c == '|') {
				bars[nbars++ % 2] = n;
			} else {
				text[n++] = *c;
			}
		}
		text[n] = '\0';
		// The last "key" before the value.
		size_t hit = 0;
		for (size_t at = 0; at + 3 <= bars[0]; at++) {
			if (strncasecmp(text + at, "key", 3) == 0) {
				hit = at;
			}
		}
		// "key=a b": the value ends at the space.
		if (strchr(cases[i], ' ') != NULL && strstr(cases[i], "|a b|") != NULL) {
			bars[1] = bars[0] + 1;
		}
		if (!assign_read(text, n, hit, 3, &found) ||
			found.value_start != bars[0] || found.value_end != bars[1]) {
			fail_msg("%s", text);
		}
	}
}

static void
no_assignment_is_made_up(void **state)
{
	static const char *const cases[] = { "key", "key, value", "key::name",
		"the key is lost", "key()", "key = ", "key: \n", "key == other",
		"if (!key) {" };

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct assignment found;
		size_t hit = (size_t)(strstr(cases[i], "key") - cases[i]);

		if (assign_read(cases[i], strlen(cases[i]), hit, 3, &found) &&
			found.form != ASSIGN_SPACE) {
			fail_msg("%s: %.*s", cases[i],
				(int)(found.value_end - found.value_start),
				cases[i] + found.value_start);
		}
	}
}

/** Every value that belongs to the "key" of @text, with '|' between them. */
static void
all_values(const char *text, size_t len, char *out, size_t size)
{
	const char *hit = memmem(text, len, "key", 3);
	struct assign_memo memo = { .bare_upto = 0 };
	struct assign_reader reader = {
		.text = text, .len = len, .hit_len = 3, .memo = &memo
	};
	struct assignment found;
	size_t n = 0;

	out[0] = '\0';
	if (hit == NULL) {
		return;
	}
	reader.hit = (size_t)(hit - text);
	while (assign_next(&reader, &found)) {
		size_t more = found.value_end - found.value_start;

		assert_true(found.value_end <= len && more > 0 && n + more + 2 < size);
		memcpy(out + n, text + found.value_start, more);
		n += more;
		out[n++] = '|';
		out[n] = '\0';
	}
}

static void
a_name_may_have_several_values_and_they_may_stand_before_it(void **state)
{
	static const char *const cases[][2] = {
		{ "key = 'one'", "one|" },
		{ "keys = ['one', \"two\",\n 'three']", "one|two|three|" },
		{ "keys:\n  - one\n  - two\nother: three\n", "one|two|" },
		{ "{\"value\": \"one\", \"name\": \"key\"}", "one|" },
		{ "{\"name\": \"key\", \"x\": 1, \"value\": \"one\"}", "one|" },
		{ "{\"value\": \"one\"}, {\"name\": \"key\"}", "" },
		{ "{\"name\": \"key\"}, {\"value\": \"one\"}", "" },
		{ "- value: one\n- name: key\n", "" },
		{ "a,key,b\n1,one,2\n3,,4\n5,\"t,o\",6\n\n7,no,8\n", "one|t,o|" },
		{ "a\tkey\n1\tone\n", "one|" },
		{ "| a | key |\n|---|---|\n| 1 | one |\n", "---|one|" },
		{ "a,key\n1,2,3\n", "" },
		{ "insert into t (a, key) values (1, 'one'), (2, now()), (3, 'it''s')",
			"one|it''s|" },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		char out[256];

		all_values(cases[i][0], strlen(cases[i][0]), out, sizeof(out));
		assert_string_equal(out, cases[i][1]);
	}
}

static void
what_is_joined_is_one_value(void **state)
{
	static const char *const cases[][3] = {
		{ "key = \"one\" + \"two\";", "onetwo", "one\" + \"two" },
		{ "key = 'one' . 'two';", "onetwo", "one' . 'two" },
		{ "key = (\n 'one'\n 'two')", "onetwo", "one'\n 'two" },
		{ "key = 'one'\n'two'", "", "one" },
		{ "key = 'one' + two", "", "one" },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		const char *text = cases[i][0];
		struct assignment found;
		char out[64];

		assert_true(assign_read(text, strlen(text), 0, 3, &found));
		size_t n = assign_join(text, strlen(text), &found, out, sizeof(out));
		assert_int_equal(n, strlen(cases[i][1]));
		assert_memory_equal(out, cases[i][1], n);
		assert_int_equal(
			found.value_end - found.value_start, strlen(cases[i][2]));
	}
}

static void
nothing_is_read_past_the_end(void **state)
{
	static const char text[] =
		"api_key = \"value\" password: |x| <key>v</key> key('a','b') a,key\n"
		"b,'c'\n\n(key) values ('x') [{\"name\":\"key\", \"value\":\"v\"}] "
		"keys=['a', 'b' + 'c'] <a name='key' b=\"c\">d</a>";

	(void)state;
	// An exact allocation for each length: a sanitizer sees one byte too many.
	for (size_t len = 1; len < sizeof(text); len++) {
		char *copy = malloc(len);

		assert_non_null(copy);
		memcpy(copy, text, len);
		for (size_t hit = 0; hit + 3 <= len; hit++) {
			struct assign_memo memo = { .bare_upto = 0 };
			struct assign_reader reader = { .text = copy,
				.len = len,
				.hit = hit,
				.hit_len = 3,
				.memo = &memo };
			struct assignment found;
			char out[16];

			while (assign_next(&reader, &found)) {
				assert_true(found.value_start < found.value_end);
				assert_true(assign_join(copy, len, &found, out,
						    sizeof(out)) <= sizeof(out));
				assert_true(found.value_end <= len);
			}
		}
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_an_assignment_gives_its_value),
		cmocka_unit_test(no_assignment_is_made_up),
		cmocka_unit_test(
			a_name_may_have_several_values_and_they_may_stand_before_it),
		cmocka_unit_test(what_is_joined_is_one_value),
		cmocka_unit_test(nothing_is_read_past_the_end),
	};

	return cmocka_run_group_tests_name("scanner/assign", tests, NULL, NULL);
}
