// SPDX-License-Identifier: GPL-2.0-or-later

// What a file's name, or the name of a whole, says about what is inside.

#include "scanner/support.h"

#include "base/buf.h"
#include "base/err.h"

#include <stdio.h>

struct text {
	const char *path;
	/** $$ is a secret. */
	const char *text;
	size_t found;
};

/** In halves. */
static const char secret[2][16] = { "kT7vQ2m9Lx", "8cR4wZ1nB6" };

static void
assert_all(const struct text *texts, size_t ntexts)
{
	struct scanner *scanner = make_scanner();
	char text[1024];

	for (size_t i = 0; i < ntexts; i++) {
		char *out = text;

		for (const char *c = texts[i].text; *c != '\0'; c++) {
			if (c[0] == '$' && c[1] == '$') {
				out += sprintf(out, "%s%s", secret[0], secret[1]);
				c++;
			} else {
				*out++ = *c;
			}
		}
		size_t found =
			ask_bytes(scanner, text, (size_t)(out - text), texts[i].path)
				->count;
		if (found != texts[i].found) {
			fail_msg("%s, %zu: %zu found, not %zu", texts[i].path, i, found,
				texts[i].found);
		}
	}
	scanner_free(scanner);
}

static void
a_file_called_as_a_secret_that_holds_one_word_is_one(void **state)
{
	static const struct text texts[] = {
		{ "run/secrets/db_password", "$$\n", 1 },
		{ "config/master.key", "$$", 1 },
		{ "home/.vault_pass", "$$\n\n", 1 },
		{ "api_token.txt", "$$\r\n", 1 },
		{ "notes.txt", "$$\n", 0 },
		{ "db_password.py", "$$\n", 0 },
		{ "password_hint", "$$\n", 0 },
		{ "db_password", "$$ and more\n", 0 },
		{ "db_password", "your_password_here\n", 0 },
		{ ".git/refs/heads/new-token", "$$\n", 0 },
	};

	(void)state;
	assert_all(texts, countof(texts));
}

static void
a_product_and_its_version_are_no_password_and_begin_one(void **state)
{
	static const struct text texts[] = {
		{ "notes.md", "the password was Windows2019\n", 0 },
		{ "notes.md", "password Oracle12cR2\n", 0 },
		{ "notes.md", "password Oracle123$$\n", 1 },
		{ "notes.md", "the password was Server7$$\n", 1 },
	};

	(void)state;
	assert_all(texts, countof(texts));
}

static void
the_members_of_what_a_name_opens_are_judged_by_that_name(void **state)
{
	static const struct text texts[] = {
		{ "a.json", "{\"ApiKeys\":{\"Stripe\":\"$$\"},\"x\":\"$$\"}", 1 },
		{ "a.json", "{\"passwords\":{\"a\":{\"b\":\"$$\"},\"c\":\"$$\"}}", 2 },
		{ "a.yaml", "secrets:\n  a: $$\n  b: \"$$\"\nother: $$\n", 2 },
		{ "a.yaml", "x:\n  api_keys:\n    a: $$\n  other: $$\n", 1 },
		{ "a.toml", "[passwords]\nann = \"$$\"\n[x]\ny = \"$$\"\n", 1 },
		{ "a.py", "API_KEYS = {\n    'maps': '$$',\n}\nX = '$$'\n", 1 },
		{ "a.tf", "secrets = {\n  db = \"$$\"\n}\n", 1 },
		// Not secrets: ids, names, what is about them; nor what is in no whole.
		{ "b.json", "{\"apiKeys\":{\"id\":\"$$\",\"name\":\"$$\"}}", 0 },
		{ "b.json", "{\"api\":{\"Stripe\":\"$$\"}}", 0 },
		{ "b.yaml", "secrets:\nother: $$\n", 0 },
		{ "b.toml", "[passwords]\n[x]\ny = \"$$\"\n", 0 },
		{ "b.json", "{\"secrets\":{\"a\":\"a long sentence of words\"}}", 0 },
	};

	(void)state;
	assert_all(texts, countof(texts));
}

static void
a_whole_without_an_end_is_read_once(void **state)
{
	struct scanner *scanner = make_scanner();
	AUTO(buf_done) struct buf text = { .max = 1 << 22 };
	struct err err;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		ok(buf_add(&text, "secrets: { passwords = {\n", 25, &err));
	}
	assert_int_equal(ask_bytes(scanner, text.data, text.len, "a.json")->count, 0);
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_called_as_a_secret_that_holds_one_word_is_one),
		cmocka_unit_test(
			the_members_of_what_a_name_opens_are_judged_by_that_name),
		cmocka_unit_test(a_product_and_its_version_are_no_password_and_begin_one),
		cmocka_unit_test(a_whole_without_an_end_is_read_once),
	};

	return cmocka_run_group_tests_name("scanner/whole", tests, NULL, NULL);
}
