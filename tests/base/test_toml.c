// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/toml.h"

#include <stdlib.h>
#include <string.h>

static const char sample[] = "# a comment\n"
			     "title = \"t\\u0000x\"\n"
			     "  count = -42\n"
			     "[[watch]]\n"
			     "path = '~/notes'\n"
			     "[[watch]]\n"
			     "path = \"b\"\n"
			     "[deep.er]\n"
			     "yes = true\n"
			     "pi = 3.5\n"
			     "when = 2026-11-21\n"
			     "list = [ 1, \"two\" ]\n";

static struct toml_doc *
parse(const char *text)
{
	struct toml_doc *doc = NULL;
	struct err err;

	ok(toml_parse(text, strlen(text), "sample.toml", &doc, &err));
	return doc;
}

static void
values_come_out_as_they_went_in(void **state)
{
	AUTO(toml_freep) struct toml_doc *doc = parse(sample);
	const struct toml_value *root = toml_root(doc);
	const struct toml_value *er = toml_get(toml_get(root, "deep"), "er");
	size_t len = 0;

	(void)state;
	assert_memory_equal(toml_text(toml_get(root, "title"), &len), "t\0x", 4);
	assert_int_equal(len, 3);
	assert_int_equal(toml_int(toml_get(root, "count")), -42);
	assert_int_equal(toml_count(toml_get(root, "watch")), 2);
	assert_string_equal(
		toml_text(toml_get(toml_at(toml_get(root, "watch"), 1), "path"), NULL),
		"b");
	assert_true(toml_bool(toml_get(er, "yes")));
	assert_true(toml_real(toml_get(er, "pi")) == 3.5);
	assert_true(toml_real(toml_get(root, "count")) == -42.0);
	assert_int_equal(toml_kind(toml_get(er, "when")), TOML_DATE);
	assert_int_equal(toml_int(toml_at(toml_get(er, "list"), 0)), 1);
}

static void
every_value_knows_its_place(void **state)
{
	AUTO(toml_freep) struct toml_doc *doc = parse(sample);
	const struct toml_value *root = toml_root(doc);
	const struct toml_value *count = toml_get(root, "count");
	const struct toml_value *second = toml_at(toml_get(root, "watch"), 1);

	(void)state;
	assert_int_equal(toml_line(count), 3);
	assert_int_equal(toml_column(count), 11);
	assert_int_equal(toml_line(toml_get(second, "path")), 7);
	assert_int_equal(toml_column(toml_get(second, "path")), 8);
	assert_int_equal(
		toml_line(toml_get(toml_get(toml_get(root, "deep"), "er"), "yes")), 9);
	assert_int_equal(toml_line(NULL), 0);
}

static int
note_key(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct err err;

	(void)value;
	assert_int_equal(strlen(key), len);
	if (buf_add_fmt(payload, &err, "%s@%u:%u ", key, line, column) < 0) {
		return -1;
	}
	return strcmp(key, "stop") == 0 ? 9 : 0;
}

static void
each_key_comes_in_name_order_with_its_place(void **state)
{
	AUTO(toml_freep)
	struct toml_doc *doc = parse("zeta = 1\n  alpha = 2\n\"quo ted\" = 3\n");
	AUTO(toml_freep) struct toml_doc *halt = parse("a = 1\nstop = 1\nz = 1");
	AUTO(buf_done) struct buf seen = { .max = 1000 };

	(void)state;
	assert_int_equal(toml_each(toml_root(doc), note_key, &seen), 0);
	assert_string_equal(buf_text(&seen), "alpha@2:3 quo ted@3:1 zeta@1:1 ");
	buf_clear(&seen);
	assert_int_equal(toml_each(toml_root(halt), note_key, &seen), 9);
	assert_string_equal(buf_text(&seen), "a@1:1 stop@2:1 ");
	assert_int_equal(toml_each(NULL, note_key, &seen), 0);
}

static void
errors_name_file_line_and_column(void **state)
{
	// clang-format off
	static const struct { const char *text, *place; } rows[] = {
		{ "a = \n",                   "bad.toml:1:" },
		{ "a = 1\nb = = 2\n",         "bad.toml:2:5: " },
		{ "a = 1\na = 2\n",           "bad.toml:2:" },
		{ "[t]\nx=1\n[t]\ny=1\n",     "bad.toml:3:" },
		{ "a = \"open\n",             "bad.toml:1:" },
		{ "a = \"\\q\"\n",            "bad.toml:1:" },
		{ "a = 01\n",                 "bad.toml:1:" },
		{ "a = 99999999999999999999", "bad.toml:1:" },
		{ "\n\n  !\n",                "bad.toml:3:3: " },
		{ "a = \"\xff\"\n",           "bad.toml:1:" },
		{ "[t\n",                     "bad.toml:1:" },
		{ "a = yes\n",                "bad.toml:1:" },
	};
	// clang-format on
	struct toml_doc *doc = NULL;
	struct err err;

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		fails(toml_parse(
			      rows[i].text, strlen(rows[i].text), "bad.toml", &doc, &err),
			ERR_INVALID);
		if (strncmp(err.msg, rows[i].place, strlen(rows[i].place)) != 0) {
			fail_msg("%s gave %s", rows[i].text, err.msg);
		}
		assert_null(doc);
	}
}

static void
deep_nesting_is_an_error_and_no_crash(void **state)
{
	AUTO_FREE char *deep = xmalloc(100005);
	struct toml_doc *doc = NULL;
	struct err err;

	(void)state;
	memcpy(deep, "a = ", 4);
	memset(deep + 4, '[', 100000);
	fails(toml_parse(deep, 100004, "deep.toml", &doc, &err), ERR_INVALID);
}

static void
asking_for_another_kind_gives_nothing(void **state)
{
	AUTO(toml_freep) struct toml_doc *doc = parse(sample);
	const struct toml_value *root = toml_root(doc);
	const struct toml_value *count = toml_get(root, "count");

	(void)state;
	assert_null(toml_text(count, NULL));
	assert_int_equal(toml_int(toml_get(root, "title")), 0);
	assert_false(toml_bool(count));
	assert_null(toml_get(count, "x"));
	assert_null(toml_at(root, 0));
	assert_null(toml_at(toml_get(root, "watch"), 2));
	assert_int_equal(toml_count(root), 0);
	assert_int_equal(toml_kind(NULL), TOML_NONE);
	assert_string_equal(toml_kind_name(toml_kind(count)), "integer");
	assert_string_equal(toml_kind_name(toml_kind(root)), "table");
	toml_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_out_as_they_went_in),
		cmocka_unit_test(every_value_knows_its_place),
		cmocka_unit_test(each_key_comes_in_name_order_with_its_place),
		cmocka_unit_test(errors_name_file_line_and_column),
		cmocka_unit_test(deep_nesting_is_an_error_and_no_crash),
		cmocka_unit_test(asking_for_another_kind_gives_nothing),
	};

	return cmocka_run_group_tests_name("base/toml", tests, NULL, NULL);
}
