// SPDX-License-Identifier: GPL-2.0-or-later

#include "support/test.h"

#include "scanner/filter.h"
#include "scanner/rarity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
a_name_tells_what_its_value_may_be(void **state)
{
	static const struct {
		const char *name;
		enum filter_key key;
	} names[] = {
		{ "password", FILTER_KEY_PASSWORD },
		{ "DB_PASSWORD", FILTER_KEY_PASSWORD },
		{ "dbPassword2", FILTER_KEY_PASSWORD },
		{ "mysqlrootpassword", FILTER_KEY_PASSWORD },
		{ "pass", FILTER_KEY_PASSWORD },
		{ "apiKey", FILTER_KEY_TOKEN },
		{ "X-Api-Key", FILTER_KEY_TOKEN },
		{ "client_secret", FILTER_KEY_TOKEN },
		{ "some_key", FILTER_KEY_WEAK },
		{ "password_file", FILTER_KEY_NONE },
		{ "passwordHint", FILTER_KEY_NONE },
		{ "public_key", FILTER_KEY_NONE },
		{ "max_tokens", FILTER_KEY_NONE },
		{ "tokenizer", FILTER_KEY_NONE },
		{ "secret_name", FILTER_KEY_NONE },
		{ "recaptchaSecretSite", FILTER_KEY_NONE },
		{ "keyboard", FILTER_KEY_NONE },
	};

	(void)state;
	for (size_t i = 0; i < countof(names); i++) {
		enum filter_key key = filter_key(names[i].name, strlen(names[i].name));

		if (key != names[i].key) {
			fail_msg("%s: %d", names[i].name, key);
		}
	}
}

static void
a_placeholder_is_one_only_as_a_whole(void **state)
{
	static const struct {
		const char *text;
		bool placeholder;
	} cases[] = {
		{ "${VAR}", true },
		{ "$PASSWORD", true },
		{ "%PASSWORD%", true },
		{ "{{ secret }}", true },
		{ "<your-token>", true },
		{ "YOUR_API_KEY", true },
		{ "xxxxxxxx", true },
		{ "********", true },
		{ "changeme123", true },
		{ "my_password", true },
		{ "example", true },
		{ "...", true },
		{ "kQ2mVexampleb7nLp4RtYw1cJd9sHf3g0TuEaBiKxZ81", false },
		{ "hookZx8kQ2mVb7nLp4", false },
		{ "R3alP4ss!", false },
		{ "pa$$w0rd-9Kx!", false },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		if (filter_is_placeholder(cases[i].text, strlen(cases[i].text)) !=
			cases[i].placeholder) {
			fail_msg("%s", cases[i].text);
		}
	}
}

static void
our_mark_and_nothing_else_is_a_mark(void **state)
{
	static const struct {
		const char *text;
		bool mark;
	} cases[] = {
		{ "REDACTED.github-pat.0a1b2c3d", true },
		{ "REDACTED.x.00000000", true },
		{ "REDACTED.github-pat.0a1b2c3", false },
		{ "REDACTED.github-pat.0a1b2c3dZ9", false },
		{ "REDACTED.github-pat.0a1b2c3g", false },
		{ "REDACTED..0a1b2c3d", false },
		{ "redacted.x.0a1b2c3d", false },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		if (filter_is_mark(cases[i].text, strlen(cases[i].text)) !=
			cases[i].mark) {
			fail_msg("%s", cases[i].text);
		}
	}
}

static void
chance_is_rarer_than_words(void **state)
{
	static const char *const words[] = { "administrator", "getPasswordFromConfig",
		"application/json", "SERVICE_API_TOKEN_PROD", "kubernetes",
		"ctrl+shift+down" };
	static const char *const chance[] = { "wljlfbomjy", "nqbwqwrjjv", "gyjvmt",
		"npjpynkk", "qumgyjpbsvgkuumgsiryweopevqtaioj" };

	(void)state;
	for (size_t i = 0; i < countof(words); i++) {
		assert_true(rarity(words[i], strlen(words[i])) < 34);
	}
	for (size_t i = 0; i < countof(chance); i++) {
		assert_true(rarity(chance[i], strlen(chance[i])) > 44);
	}
}

static void
a_phrase_is_a_secret_where_its_name_says_so(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		bool secret;
	} cases[] = {
		{ "passphrase", "correct horse battery staple", true },
		{ "passphrase", "correct-horse-battery-staple", true },
		{ "gpg_passphrase", "walnut orbit candle river", true },
		{ "password", "correct horse battery staple", false },
		{ "passphrase", "enter the new passphrase here", false },
		{ "passphrase", "the key is not used", false },
		{ "passphrase", "my-secret-service-key", false },
		{ "smtp_password", "qzvk wtxj hpfr bnlg", true },
		{ "smtp_password", "your mail pass word", false },
		{ "password", "kT7v x9Qr2 pLm4", true },
		{ "password", "version 2.0 or later", false },
		{ "client_secret", "Sommer2024!", true },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct filter_value value = {
			.text = cases[i].value,
			.len = strlen(cases[i].value),
			.name = cases[i].name,
			.name_len = strlen(cases[i].name),
			.quoted = true,
		};
		const char *why;

		if ((filter_secret(&value, &why) != FILTER_KEY_NONE) != cases[i].secret) {
			fail_msg("%s: %s", cases[i].name, cases[i].value);
		}
	}
}

static void
a_remembered_name_promises_what_it_did(void **state)
{
	static const char *const parts[] = { "pass", "word", "Key", "public", "_", "api",
		"token", "s", "hint", "\xc3\xa9" };
	struct filter_names *names = calloc(1, sizeof(*names));
	char name[64];

	(void)state;
	assert_non_null(names);
	// Far more names than are remembered, some of them longer than that, and each
	// twice at least.
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < 10000; i++) {
			int len = snprintf(name, sizeof(name), "%s%s%s%s%s",
				parts[i % 10], parts[i / 10 % 10], parts[i / 100 % 10],
				parts[i / 1000],
				i % 7 == 0 ? "_of_some_other_machine" : "");

			for (size_t again = 0; again < 2; again++) {
				assert_int_equal(
					filter_key_again(names, name, (size_t)len),
					filter_key(name, (size_t)len));
			}
		}
	}
	free(names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_tells_what_its_value_may_be),
		cmocka_unit_test(a_remembered_name_promises_what_it_did),
		cmocka_unit_test(a_placeholder_is_one_only_as_a_whole),
		cmocka_unit_test(our_mark_and_nothing_else_is_a_mark),
		cmocka_unit_test(chance_is_rarer_than_words),
		cmocka_unit_test(a_phrase_is_a_secret_where_its_name_says_so),
	};

	return cmocka_run_group_tests_name("scanner/filter", tests, NULL, NULL);
}
