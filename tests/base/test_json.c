// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
what_is_written_reads_back(void **state)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO(json_freep) struct json *back = NULL;
	struct json *list = json_new_array();
	struct json *inner = json_new_object();
	struct err err;

	(void)state;
	json_set_text(object, "text", "a \"quote\"\n\x01/\xc3\xa9");
	json_set_text(object, "nothing", NULL);
	json_set_int(object, "big", INT64_MAX);
	json_set_int(object, "small", INT64_MIN);
	json_set_bool(object, "yes", true);
	json_set_real(object, "real", 0.1);
	json_set_null(object, "null");
	json_append_text(list, "one");
	json_set_int(inner, "n", 2);
	json_append(list, inner);
	json_set(object, "list", list);
	AUTO_FREE char *text = json_write(object, 0);

	assert_string_equal(text,
		"{\"text\":\"a \\\"quote\\\"\\n\\u0001/\xc3\xa9\",\"nothing\":null,"
		"\"big\":9223372036854775807,\"small\":-9223372036854775808,\"yes\":true,"
		"\"real\":0.1,\"null\":null,\"list\":[\"one\",{\"n\":2}]}");
	ok(json_parse(text, strlen(text), &back, &err));
	assert_string_equal(json_get_text(back, "text"), "a \"quote\"\n\x01/\xc3\xa9");
	assert_int_equal(json_get_int(back, "small", 0), INT64_MIN);
	assert_true(json_get_bool(back, "yes", false));
	assert_int_equal(json_count(json_get(back, "list")), 2);
	assert_int_equal(json_get_int(json_at(json_get(back, "list"), 1), "n", 0), 2);
	AUTO_FREE char *again = json_write(back, 0);
	assert_string_equal(again, text);
}

static void
bytes_that_are_no_text_are_base64_under_another_name(void **state)
{
	AUTO(json_freep) struct json *object = json_new_object();

	(void)state;
	json_set_bytes(object, "path", "caf\xc3\xa9", 5);
	json_set_bytes(object, "raw", "\xff\xfe", 2);
	json_set_bytes(object, "nul", "a\0b", 3);
	json_set_bytes(object, "none", "", 0);
	json_set_text(object, "cut",
		"a\xff"
		"b");
	json_set_text(object, "key\xff", "v");
	AUTO_FREE char *text = json_write(object, 0);

	assert_string_equal(text,
		"{\"path\":\"caf\xc3\xa9\",\"raw_b64\":\"//4=\",\"nul_b64\":\"YQBi\","
		"\"none\":\"\",\"cut\":\"a?b\",\"key?\":\"v\"}");
}

static void
what_is_no_number_is_null(void **state)
{
	AUTO(json_freep) struct json *object = json_new_object();

	(void)state;
	json_set_real(object, "nan", (double)NAN);
	json_set_real(object, "inf", (double)INFINITY);
	AUTO_FREE char *text = json_write(object, 0);
	assert_string_equal(text, "{\"nan\":null,\"inf\":null}");
}

static void
bad_json_is_refused_with_its_place(void **state)
{
	static const char *const rows[] = { "", "{", "{\"a\":1,}", "{\"a\":1}x",
		"{\"a\":1,\"a\":2}", "[1", "'a'", "{\"a\":\"\xff\"}", "nul", "01",
		"{\"a\":99999999999999999999}" };
	struct json *json = NULL;
	struct err err;

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		fails(json_parse(rows[i], strlen(rows[i]), &json, &err), ERR_INVALID);
		assert_non_null(strstr(err.msg, "JSON line 1 column "));
		assert_null(json);
	}
	fails(json_parse("{\n\"a\": ?}", 9, &json, &err), ERR_INVALID);
	assert_non_null(strstr(err.msg, "line 2"));
}

static void
nesting_has_a_limit(void **state)
{
	AUTO_FREE char *deep = xmalloc(200000);
	struct json *json = NULL;
	struct err err;

	(void)state;
	memset(deep, '[', 100000);
	memset(deep + 100000, ']', 100000);
	fails(json_parse(deep, 200000, &json, &err), ERR_INVALID);
}

static void
absent_and_other_kinds_give_the_default(void **state)
{
	AUTO(json_freep) struct json *object = json_new_object();

	(void)state;
	json_set_text(object, "text", "x");
	json_set_int(object, "int", 1);
	assert_null(json_get_text(object, "int"));
	assert_null(json_get_text(object, "none"));
	assert_int_equal(json_get_int(object, "text", -7), -7);
	assert_true(json_get_bool(object, "int", true));
	assert_null(json_get(NULL, "x"));
	assert_int_equal(json_count(NULL), 0);
	assert_int_equal(json_count(object), 0);
	assert_null(json_at(object, 0));
	assert_true(json_is_object(object));
	assert_false(json_is_object(json_get(object, "int")));
	assert_false(json_is_object(NULL));
	json_free(NULL);
}

static int
note_key(const char *key, const struct json *value, void *payload)
{
	char *seen = payload;

	(void)value;
	(void)strncat(seen, key, 20);
	return strcmp(key, "stop") == 0 ? 5 : 0;
}

static void
each_key_is_walked_in_order_until_told_to_stop(void **state)
{
	AUTO(json_freep) struct json *object = json_new_object();
	char seen[100] = "";

	(void)state;
	json_set_int(object, "zeta", 1);
	json_set_int(object, "alpha", 1);
	assert_int_equal(json_each(object, note_key, seen), 0);
	assert_string_equal(seen, "zetaalpha");
	json_set_int(object, "stop", 1);
	json_set_int(object, "after", 1);
	seen[0] = '\0';
	assert_int_equal(json_each(object, note_key, seen), 5);
	assert_string_equal(seen, "zetaalphastop");
}

static void
base64_agrees_with_rfc_4648(void **state)
{
	static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" },
		{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		AUTO_FREE char *text = json_base64(rows[i][0], strlen(rows[i][0]));
		size_t len = 99;
		AUTO_FREE uint8_t *back = json_unbase64(text, strlen(text), &len);

		assert_string_equal(text, rows[i][1]);
		assert_int_equal(len, strlen(rows[i][0]));
		assert_memory_equal(back, rows[i][0], len);
	}
}

static void
any_bytes_pass_base64_and_back(void **state)
{
	uint8_t data[300];
	struct err err;

	(void)state;
	ok(hash_random(data, sizeof(data), &err));
	for (size_t len = 0; len <= sizeof(data); len++) {
		AUTO_FREE char *text = json_base64(data, len);
		size_t back_len = 0;
		AUTO_FREE uint8_t *back = json_unbase64(text, strlen(text), &back_len);

		assert_int_equal(strlen(text), (len + 2) / 3 * 4);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, data, len);
	}
}

static void
what_is_not_base64_is_refused(void **state)
{
	static const char *const rows[] = { "A", "Zg", "Zg=", "Zg===", "=",
		"====", "Zm9v=", "Zm 9", "Zm9\n", "Zm9-", "Zm9_",
		"Z=8=", "Zh==", "Zm9=", "Zm9v\xff\xff\xff\xff" };

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		size_t len = 77;

		if (json_unbase64(rows[i], strlen(rows[i]), &len) != NULL) {
			fail_msg("%s was taken", rows[i]);
		}
		assert_int_equal(len, 77);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(bytes_that_are_no_text_are_base64_under_another_name),
		cmocka_unit_test(what_is_no_number_is_null),
		cmocka_unit_test(bad_json_is_refused_with_its_place),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(absent_and_other_kinds_give_the_default),
		cmocka_unit_test(each_key_is_walked_in_order_until_told_to_stop),
		cmocka_unit_test(base64_agrees_with_rfc_4648),
		cmocka_unit_test(any_bytes_pass_base64_and_back),
		cmocka_unit_test(what_is_not_base64_is_refused),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
