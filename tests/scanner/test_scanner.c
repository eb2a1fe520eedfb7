// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/support.h"

#include "base/hash.h"
#include "base/json.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

/** Two halves and what stands around them, so that this file holds no secret. */
static const char *
joined(const char *left, const char *right)
{
	static char *ring[8];
	static unsigned int next;
	char **slot = &ring[next++ % 8];
	char *text = xasprintf("%s%s", left, right);

	free(*slot);
	*slot = text;
	return text;
}

static void
what_only_looks_like_a_secret_is_left_alone(void **state)
{
	static const char *const texts[] = {
		"password",
		"The password is required.",
		"password: see wiki",
		"password: see the wiki",
		"Password: ********",
		"token = SERVICE_API_TOKEN_PROD",
		"API_TOKEN: SERVICE_API_TOKEN_PROD",
		"password = ${VAR}",
		"password=${DB_PASSWORD:-}",
		"password = \"YOUR_PASSWORD\"",
		"api_key: <your api key>",
		"secret: {{ vault_secret }}",
		"password = os.environ['DB_PASSWORD']",
		"const token = process.env.GITHUB_TOKEN;",
		"token: xxxxxxxxxxxxxxxxxxxxxxxx",
		"password = changeme",
		"password: example",
		"secret_key_file = /run/secrets/app",
		("![logo](https://cdn.example.org/img/"
		 "3f786850e387550fdab836ed7e6dc881de23001b.png)"),
		("<img "
		 "src=\"data:image/"
		 "png;base64,"
		 "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42\">"),
		("\"integrity\": "
		 "\"sha512-"
		 "MSVxgJpqGe0mCcUPeHNmcD7W3zLZCw4V9UbMrGJkU9pIxQSy1XyKPSkQbCL2LYVZ5Kg=="
		 "\""),
		"commit 3f786850e387550fdab836ed7e6dc881de23001b",
		"id: 123e4567-e89b-12d3-a456-426614174000",
		"data-sitekey=\"6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI\"",
		("recaptcha_token = "
		 "03AGdBq27QUXzzVvWcJp1nLkTs8Q0hRkLJ4vB5cDxyEoMZ9fKpQrStUvWxYz"),
		"max_tokens = 4096",
		"tokenizer = AutoTokenizer.from_pretrained(name)",
		"key = \"ctrl+shift+down\"",
		("public_key = \"ssh-ed25519 "
		 "AAAAC3NzaC1lZDI1NTE5AAAAIHVkZmtqc2RmaGtqc2RoZmtqaHNk\""),
		"password_hash = bcrypt.hashpw(password, salt)",
		"if (password == null) {",
		"postgres://user:${PASSWORD}@localhost/db",
		"postgres://user:password@localhost/db",
		"https://user:<password>@example.org/",
		"-----BEGIN PRIVATE KEY-----\nYOUR KEY HERE\n-----END PRIVATE KEY-----",
		("-----BEGIN PUBLIC "
		 "KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7x8L\n-----END PUBLIC "
		 "KEY-----"),
		"REDACTED.github-pat.0a1b2c3d",
		"password = REDACTED.generic-password.0a1b2c3d",
		"postgres://app:REDACTED.url-password.0a1b2c3d@db/app",
	};
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		const struct answers *answers = ask(scanner, texts[i]);

		if (answers->count > 0) {
			fail_msg("%s: %s", texts[i], answers->list[0].rule);
		}
	}
	scanner_free(scanner);
}

static void
a_secret_is_found_whole_wherever_people_put_it(void **state)
{
	static const struct {
		const char *before;
		const char *first;
		const char *second;
		const char *after;
	} places[] = {
		{ "DATABASE_URL=postgres://app:", "fR7-kq", "Tz2vLw",
			"@db.internal:5432/app" },
		{ "REDIS_URL=redis://:", "p8Kq2m", "Vx9LtR", "@cache:6379/0" },
		{ "uri: mongodb+srv://svc:", "Zr4mKx", "81bQ", "@cluster0.mongo.net/x" },
		{ "broker: amqp://mq:", "Lq9zXv", "3Tn", "@mq:5672/vhost" },
		// Words, too: the URL of a database is written to be used.
		{ "postgres://bob:", "s3c", "r3t", "@db/app" },
		{ "mysql://root:", "sun", "shine", "@127.0.0.1/app" },
		{ "postgres://bob:", "p%40ss%2F", "w0rd9", "@db:5432/app" },
		{ "password = \"", "CorrectHorse", "7Battery", "\"" },
		{ "password: ", "Hx8!kLmQ", "z2", "" },
		{ "PASSWORD=", "a&b;c#9K", "zLq!x", "\nNEXT=1" },
		{ "  \"apiKey\": \"", "k3J9xQ2vB7nM", "5tR8wL1zD6cF", "\"," },
		{ "\\\"apiKey\\\": \\\"", "k3J9xQ2vB7nM", "5tR8wL1zD6cF", "\\\"," },
		{ "<password>", "qX7!vTz", "0pLw2", "</password>" },
		{ "<add key=\"ApiToken\" value=\"", "k3J9xQ2vB7nM", "5tR8wL1zD6cF",
			"\" />" },
		{ "      - name: DB_PASSWORD\n        value: ", "qX7vTz", "0pLw2m",
			"\n" },
		{ "--password ", "qX7vTz", "0pLw2m", " --user x" },
		{ "export API_TOKEN='", "k3J9xQ2vB7nM", "5tR8wL1zD6cF", "'" },
		{ "$config['db_password'] = '", "qX7vTz", "0pLw2m", "';" },
		{ "let apiKey: string = \"", "k3J9xQ2vB7nM", "5tR8wL1zD6cF", "\";" },
		{ "api_token := \"", "k3J9xQ2vB7nM", "5tR8wL1zD6cF", "\"" },
		{ "client.setPassword(\"", "qX7vTz", "0pLw2m", "\");" },
		{ "CREATE USER app IDENTIFIED BY '", "qX7vTz", "0pLw2m", "';" },
		{ "Server=db;User Id=sa;Password=", "qX7vTz", "0pLw2m", ";Encrypt=true" },
		{ "https://x/?a=1&access_token=", "k3J9xQ2vB7nM", "5tR8wL1zD6cF",
			"&b=2" },
		{ "log\\n", "ghp_", "Zx8kQ2mVb7nLp4RtYw1cJd9sHf3g0TuEaBiK", "\\n" },
	};
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t i = 0; i < countof(places); i++) {
		const char *secret = joined(places[i].first, places[i].second);
		const char *text =
			joined(joined(places[i].before, secret), places[i].after);

		if (!holds_span(ask(scanner, text), text, secret)) {
			fail_msg("place %zu: not found, or not whole: %s", i,
				places[i].before);
		}
	}
	scanner_free(scanner);
}

static void
a_placeholder_hides_nothing_behind_it(void **state)
{
	struct scanner *scanner = make_scanner();
	const char *secret = joined("qX7!vTz", "0pLw2");
	const char *other = joined("k3J9xQ2vB7nM", "5tR8wL1zD6cF");
	const char *text = joined(joined("password=${PASSWORD} password='", secret),
		joined("' api_token='", joined(other, "' password=changeme")));
	const struct answers *answers = ask(scanner, text);

	(void)state;
	assert_int_equal(answers->count, 2);
	assert_true(holds_span(answers, text, secret));
	assert_true(holds_span(answers, text, other));
	scanner_free(scanner);
}

// An RSA key of 1,192 bytes of which only the first @bytes are there, at random but for
// its header.
static char *
cut_key(size_t bytes)
{
	uint8_t der[1192] = { 0x30, 0x82, 0x04, 0xa4, 0x02, 0x01, 0x00, 0x02, 0x82, 0x01,
		0x01 };
	struct err err;

	ok(hash_random(der + 11, sizeof(der) - 11, &err));
	AUTO_FREE char *body = json_base64(der, bytes);
	return xasprintf("-----BEGIN RSA PRIVATE%s KEY-----\n%s\n-----END RSA PRIVATE%s "
			 "KEY-----\n",
		"", body, "");
}

static void
a_private_key_that_is_cut_behind_its_public_half_is_one(void **state)
{
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t bytes = 300; bytes <= 1192; bytes += 100) {
		AUTO_FREE char *text = cut_key(bytes);

		assert_true(ask(scanner, text)->count >= 1);
	}
	scanner_free(scanner);
}

static void
a_key_is_read_over_arrows_and_colours(void **state)
{
	static const char *const before[] = { "     2\xe2\x86\x92", "\x1b[32m",
		"2 \xe2\x94\x82 " };
	struct scanner *scanner = make_scanner();
	uint8_t random[72];
	struct err err;

	(void)state;
	ok(hash_random(random, sizeof(random), &err));
	AUTO_FREE char *body = json_base64(random, sizeof(random));
	for (size_t i = 0; i < countof(before); i++) {
		const char *b = before[i];
		AUTO_FREE char *text =
			xasprintf("%s-----BEGIN EC PRIVATE%s KEY-----\n%s%.48s\n"
				  "%s%s\n%s-----END EC PRIVATE%s KEY-----\n",
				b, "", b, body, b, body + 48, b, "");

		const struct answers *answers = ask(scanner, text);
		assert_int_equal(answers->count, 1);
		assert_true(answers->list[0].end >=
			(size_t)(strstr(text, body + 48) - text) + strlen(body + 48));
	}
	scanner_free(scanner);
}

static void
a_key_without_its_first_line_counts_when_it_is_whole(void **state)
{
	struct scanner *scanner = make_scanner();
	AUTO_FREE char *pem = cut_key(1192);
	char *body = strchr(pem, '\n') + 1;

	(void)state;
	*strchr(body, '\n') = '\0';
	AUTO_FREE char *text = xasprintf("{\"k\":\"%s\",\"type\":\"RSA\"}", body);
	assert_true(holds_span(ask(scanner, text), text, body));
	AUTO_FREE char *joint = xasprintf("k = \"%.64s\" +\n  \"%s\";", body, body + 64);
	const struct answers *answers = ask(scanner, joint);
	assert_int_equal(answers->count, 1);
	assert_int_equal(answers->list[0].end, strlen(joint) - 2);
	AUTO_FREE char *line = xasprintf("-- MIIE... as in %.64s\n", body);
	assert_int_equal(ask(scanner, line)->count, 0);
	scanner_free(scanner);
}

static void
lines_and_columns_count_from_one(void **state)
{
	struct scanner *scanner = make_scanner();
	const char *text = joined("first\nsecond\n  x = \"ghp_",
		"Zx8kQ2mVb7nLp4RtYw1cJd9sHf3g0TuEaBiK\"\n");
	const struct answers *answers = ask(scanner, text);

	(void)state;
	assert_int_equal(answers->count, 1);
	assert_int_equal(answers->list[0].line, 3);
	assert_int_equal(answers->list[0].end_line, 3);
	assert_int_equal(answers->list[0].column, 8);
	scanner_free(scanner);
}

static void
equal_secrets_have_equal_fingerprints_and_the_key_matters(void **state)
{
	static const uint8_t other_key[32] = { 9 };
	struct scanner_options options = { .key = other_key };
	struct scanner *scanner = make_scanner(), *other = NULL;
	const char *secret = joined("k3J9xQ2vB7nM", "5tR8wL1zD6cF");
	const char *text = joined("api_token='", secret);
	const char *both = joined(joined(text, "'\nAPI_TOKEN="), joined(secret, "\n"));
	struct err err = { 0 };
	struct finding first;

	(void)state;
	assert_int_equal(ask(scanner, both)->count, 2);
	const struct answers *answers = ask(scanner, both);
	assert_memory_equal(answers->list[0].fingerprint, answers->list[1].fingerprint,
		FINDING_PRINT_LEN);
	first = answers->list[0];
	ok(scanner_new(&options, &other, &err));
	assert_memory_not_equal(ask(other, both)->list[0].fingerprint, first.fingerprint,
		FINDING_PRINT_LEN);
	assert_string_not_equal(scanner_version(scanner), scanner_version(other));
	scanner_free(other);

	options = (struct scanner_options){ .key = test_key,
		.allowed = (const uint8_t(*)[FINDING_PRINT_LEN])first.fingerprint,
		.nallowed = 1 };
	ok(scanner_new(&options, &other, &err));
	assert_int_equal(ask(other, both)->count, 0);
	assert_string_not_equal(scanner_version(scanner), scanner_version(other));
	scanner_free(other);
	scanner_free(scanner);
}

static void
a_mark_in_the_text_counts_only_when_asked_for(void **state)
{
	struct scanner_options options = { .key = test_key, .inline_marks = true };
	struct scanner *scanner = make_scanner(), *marked = NULL;
	const char *text =
		joined("api_token='k3J9xQ2vB7nM", "5tR8wL1zD6cF' # gitleaks:allow\n");
	struct err err = { 0 };

	(void)state;
	ok(scanner_new(&options, &marked, &err));
	assert_int_equal(ask(scanner, text)->count, 1);
	assert_int_equal(ask(marked, text)->count, 0);
	scanner_free(marked);
	scanner_free(scanner);
}

static void
a_mark_counts_for_what_stands_on_its_line_alone(void **state)
{
	struct scanner_options options = { .key = test_key, .inline_marks = true };
	struct scanner *scanner = NULL;
	struct err err = { 0 };
	char text[512];

	(void)state;
	ok(scanner_new(&options, &scanner, &err));
	(void)snprintf(text, sizeof(text), "%s%s\npassword = \"%s%s\" # gitleaks:allow\n",
		"password = \"kT7vQ2m", "R9dLwXz4\"", "p8Kq2mVx9", "Zr4Lw7");
	assert_int_equal(ask(scanner, text)->count, 1);
	assert_int_equal(ask(scanner, text)->list[0].line, 1);
	scanner_free(scanner);
}

static void
a_mark_megabytes_away_in_the_same_line_is_not_meant(void **state)
{
	struct scanner_options options = { .key = test_key, .inline_marks = true };
	struct scanner *marked = NULL;
	const char *text =
		joined("pragma: allowlist nextline secret\napi_token='k3J9xQ2vB7nM",
			"5tR8wL1zD6cF' ");
	size_t len = strlen(text), away = 2 * 1024 * 1024;
	char *line = xmalloc(away);
	struct err err = { 0 };

	(void)state;
	ok(scanner_new(&options, &marked, &err));
	memset(line, ' ', away);
	memcpy(line + away - 64, "# gitleaks:allow", 16);
	memcpy(line, text + 34, len - 34);
	assert_int_equal(ask_bytes(marked, line, away, NULL)->count, 1);
	memcpy(line, text, len);
	assert_int_equal(ask_bytes(marked, line, away, NULL)->count, 0);
	free(line);
	scanner_free(marked);
}

/** Write each character as a unit of two or four bytes. */
static size_t
widen(const char *text, size_t unit, bool big, bool mark, unsigned char *out)
{
	size_t n = 0;

	for (size_t i = 0; i <= strlen(text); i++) {
		unsigned int c = i == 0 ? 0xfeff : (unsigned char)text[i - 1];

		if (i == 0 && !mark) {
			continue;
		}
		for (size_t j = 0; j < unit; j++) {
			size_t shift = 8 * (big ? unit - 1 - j : j);
			out[n++] = shift < 32 ? (unsigned char)(c >> shift) : 0;
		}
	}
	return n;
}

static void
wide_text_is_read_in_either_order_with_and_without_its_mark(void **state)
{
	struct scanner *scanner = make_scanner();
	const char *text =
		joined("line one\napi_token='k3J9xQ2vB7nM", "5tR8wL1zD6cF' and more\n");
	size_t start = (size_t)(strstr(text, "k3J9") - text);

	(void)state;
	for (int kind = 0; kind < 8; kind++) {
		unsigned char wide[4096];
		size_t unit = kind & 4 ? 4 : 2;
		bool mark = kind & 1;
		size_t len = widen(text, unit, kind & 2, mark, wide);
		const struct answers *answers = ask_bytes(scanner, wide, len, NULL);

		assert_int_equal(answers->count, 1);
		assert_int_equal(answers->list[0].start, (start + mark) * unit);
		assert_int_equal(answers->list[0].end, (start + mark + 24) * unit);
		assert_int_equal(answers->list[0].line, 2);
	}
	scanner_free(scanner);
}

static void
an_encoded_secret_is_found_inside_its_encoding(void **state)
{
	// "token: ghp_..." in base64, hex and percent escapes.
	static const char *const texts[][2] = {
		{ "blob: dG9rZW46IGdocF9aeDhrUTJtVmI3bkxw",
			"NFJ0WXcxY0pkOXNIZjNnMFR1RWFCaUsK" },
		{ "blob: 6768705f5a78386b51326d5662376e4c7034527459",
			"7731634a643973486633673054754561426946b0" },
		{ "next=postgres%3A%2F%2Fapp%3AfR7kq", "Tz2vLw%40db.internal%2Fapp" },
		// UTF-16, as powershell -EncodedCommand takes it.
		{ "powershell -enc "
		  "JABwAD0AJwBrAFQANwB2AFEAMgBtAHgAOQBSAGQATAB3ADQAJwA7ACAAJABw",
			"AGEAcwBzAHcAbwByAGQAIAA9ACAAJwBrAFQANwB2AFEAMgBtAHgAOQBSAGQATAB3"
			"ADQAJwA=" },
	};
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		if (ask(scanner, joined(texts[i][0], texts[i][1]))->count == 0) {
			fail_msg("encoding %zu", i);
		}
	}
	scanner_free(scanner);
}

static void
a_checksum_ends_a_token_where_no_space_does(void **state)
{
	struct scanner *scanner = make_scanner();
	const char *token = joined("ghp_FbY8NwcUeb4c0w", "rUGZECjUYrZUPet91VOUZ4");
	char text[128];

	(void)state;
	// A file that a zip archive stores as it is; the next entry follows at once.
	int n = sprintf(text, "PK\x03\x04 a.txt%sPK\x01\x02", token);
	const struct answers *answers = ask_bytes(scanner, text, (size_t)n, NULL);
	assert_int_equal(answers->count, 1);
	assert_int_equal(answers->list[0].end - answers->list[0].start, strlen(token));

	// One character off, and it is only the start of something longer.
	char *digit = strstr(text, "cUeb4c");
	assert_non_null(digit);
	digit[0] = digit[0] == 'x' ? 'y' : 'x';
	assert_int_equal(ask_bytes(scanner, text, (size_t)n, NULL)->count, 0);
	scanner_free(scanner);
}

static void
records_that_end_with_nul_are_text(void **state)
{
	struct scanner *scanner = make_scanner();
	const char *value = joined("kT7#vQ2m", "!xR9dLw");
	char text[128] = "";
	size_t n = 0;

	(void)state;
	// As /proc/PID/environ has them; the first begins a line, the second does not.
	for (const char *const *name =
			(const char *const[]){ "DB_PASSWORD", "PASSWORD", NULL };
		*name != NULL; name++) {
		n += (size_t)sprintf(text + n, "%s=%s", *name, value) + 1;
		n += (size_t)sprintf(text + n, "HOME=/home/lena") + 1;
	}
	const struct answers *answers = ask_bytes(scanner, text, n, NULL);
	assert_int_equal(answers->count, 2);
	assert_true(holds_span(answers, text, value));
	scanner_free(scanner);
}

static void
letters_of_latin_1_leave_wide_text_wide(void **state)
{
	struct scanner *scanner = make_scanner();
	unsigned char wide[1024];
	char text[256];

	(void)state;
	(void)snprintf(text, sizeof(text), "caf\xe9 d\xe9j\xe0 vu\nDB_PASSWORD=%s\n",
		joined("kT7#vQ2m", "!xR9dLw"));
	for (int big = 0; big < 2; big++) {
		size_t len = widen(text, 2, big, false, wide);

		assert_int_equal(ask_bytes(scanner, wide, len, NULL)->count, 1);
	}
	scanner_free(scanner);
}

static void
a_binary_gives_only_what_is_certain(void **state)
{
	struct scanner *scanner = make_scanner();
	char data[600] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (char)(i * 7 % 31);
	}
	const char *likely = joined("password = \"qX7!vTz", "0pLw2\"");
	memcpy(data + 100, likely, strlen(likely));
	assert_int_equal(ask_bytes(scanner, data, sizeof(data), NULL)->count, 0);

	const char *certain = joined(" ghp_", "Zx8kQ2mVb7nLp4RtYw1cJd9sHf3g0TuEaBiK ");
	memcpy(data + 300, certain, strlen(certain));
	assert_int_equal(ask_bytes(scanner, data, sizeof(data), NULL)->count, 1);
	scanner_free(scanner);
}

static void
a_path_never_hides_what_is_certain(void **state)
{
	static const char *const paths[] = { "test/fixtures/a.json", "docs/README.md",
		"package-lock.json", "a.min.js", "example/swagger.yaml", NULL };
	struct scanner *scanner = make_scanner();
	const char *text = joined("ghp_", "Zx8kQ2mVb7nLp4RtYw1cJd9sHf3g0TuEaBiK");

	(void)state;
	for (size_t i = 0; i < countof(paths); i++) {
		assert_int_equal(
			ask_bytes(scanner, text, strlen(text), paths[i])->count, 1);
	}
	scanner_free(scanner);
}

static void
a_key_under_a_passphrase_counts_but_in_tests_and_docs(void **state)
{
	static const struct {
		const char *path;
		size_t count;
	} cases[] = {
		{ NULL, 1 },
		{ "home/lena/.ssh/id_rsa", 1 },
		{ "src/test/resources/ca.key", 0 },
		{ "docs/howto.md", 0 },
	};
	struct scanner *scanner = make_scanner();
	char text[1024];

	(void)state;
	(void)snprintf(text, sizeof(text),
		"-----BEGIN RSA %s-----\n%s\n%s-----END RSA %s-----\n", "PRIVATE KEY",
		"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B2C3D\n",
		"KlhSzerh7uqCfGC9+29uxS4s5ZrFssDdWK1bxL9thxYeyNpeZCPf1JG0TuOv5mew\n"
		"47Qe1Fucb0sz0RcEplEJ1QSZa76/NtB2fdhry5KciVsbTD3TWjLo0qHsqPfYanaH\n"
		"XhrJJVJm17Kl8D2FkZ0pcz40429OoAdPNa6PO6aPoe8rhLUTpkhiEmYxZFJf2DoO\n"
		"y229KuSnvqnYM2SNTIdrbYtVJUro5qT4Cx28bKQoS25LTzTqRfPLIySIfsam8BDy\n"
		"Pzcg4yYjb7Z62qCe8yorv41oYa6TKTTq7O2CtVvRRrfl7DgSOIR/hxPXFnDPxrt1\n",
		"PRIVATE KEY");
	for (size_t i = 0; i < countof(cases); i++) {
		const struct answers *answers =
			ask_bytes(scanner, text, strlen(text), cases[i].path);

		assert_int_equal(answers->count, cases[i].count);
		if (answers->count > 0) {
			assert_string_equal(
				answers->list[0].rule, "encrypted-private-key");
		}
	}
	scanner_free(scanner);
}

static void
a_token_may_be_the_user_of_a_url_and_a_uuid_a_secret(void **state)
{
	static const struct {
		const char *halves[3];
		size_t count;
	} cases[] = {
		{ { "url = https://q8ZtW3nY5r", "Kf7Lp2Hs9B", "@git.example.org/x" }, 1 },
		{ { "dsn: https://0f3a9c27d1", "e84b56a7c2093f1d8e4b65",
			  "@o1.ingest.sentry.io/2" },
			0 },
		{ { "https://lena", "", "@git.example.org/x" }, 0 },
		{ { "client_secret: 1f0c8e52", "-7b3a-4d69-9e21-c05f", "8a7d4b36" }, 1 },
		{ { "sync_token: 1f0c8e52", "-7b3a-4d69-9e21-c05f", "8a7d4b36" }, 0 },
		{ { "client_secret: 1f0c8e52", "-7b3a-0d69-1e21-c05f", "8a7d4b36" }, 1 },
		{ { "client_secret: 00000000", "-0000-0000-0000-0000", "00000000" }, 0 },
		{ { "device_uuid: 1f0c8e52", "-7b3a-4d69-9e21-c05f", "8a7d4b36" }, 0 },
	};
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "%s%s%s\n", cases[i].halves[0],
			cases[i].halves[1], cases[i].halves[2]);
		if (ask(scanner, text)->count != cases[i].count) {
			fail_msg("%s", text);
		}
	}
	scanner_free(scanner);
}

static void
a_huge_line_and_a_field_of_nuls_are_scanned_in_time(void **state)
{
	enum {
		HUGE = 64 * 1024 * 1024
	};
	struct scanner *scanner = make_scanner();
	char *data = malloc(HUGE);
	const char *secret = joined(" ghp_", "Zx8kQ2mVb7nLp4RtYw1cJd9sHf3g0TuEaBiK ");

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < HUGE; i++) {
		data[i] = (char)('a' + i * 2654435761u % 26);
	}
	memcpy(data + HUGE - 64, secret, strlen(secret));
	assert_int_equal(ask_bytes(scanner, data, HUGE, NULL)->count, 1);

	memset(data, 0, HUGE);
	memcpy(data + HUGE / 2, secret, strlen(secret));
	assert_int_equal(ask_bytes(scanner, data, HUGE, NULL)->count, 1);
	free(data);
	scanner_free(scanner);
}

static void
text_made_to_make_a_search_slow_does_not(void **state)
{
	static const char *const pieces[] = { "password=", "eyJ",
		"-----BEGIN PRIVATE KEY-----", "curl -u ", "://", "token:", "xoxb-1",
		"machine a login ", "Z2hwX", "'\"`" };
	enum {
		LEN = 1024 * 1024
	};
	struct scanner *scanner = make_scanner();
	char *data = malloc(LEN);
	struct scan_input input = { .data = data, .len = LEN };

	(void)state;
	for (size_t i = 0; i < countof(pieces); i++) {
		struct timespec before, after;
		struct answers *answers = calloc(1, sizeof(*answers));
		struct err err = { 0 };
		size_t piece = strlen(pieces[i]);

		for (size_t at = 0; at < LEN; at++) {
			data[at] = pieces[i][at % piece];
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &before);
		int ret = scanner_scan(scanner, &input, keep_answer, answers, &err);
		(void)clock_gettime(CLOCK_MONOTONIC, &after);
		free(answers);
		assert_true(ret >= 0 || ret == ERR_BLOCKED);
		assert_true(after.tv_sec - before.tv_sec < 30);
	}
	free(data);
	scanner_free(scanner);
}

static void
the_self_test_passes_and_tells_when_a_rule_is_gone(void **state)
{
	struct scanner *scanner = make_scanner();
	struct err err = { 0 };

	(void)state;
	ok(scanner_self_test(scanner, &err));
	scanner_free(scanner);

	struct scanner_options options = { .key = test_key, .replace_builtin = true };
	ok(scanner_new(&options, &scanner, &err));
	fails(scanner_self_test(scanner, &err), ERR_BUG);
	scanner_free(scanner);
}

static void *
scan_often(void *payload)
{
	struct scanner *scanner = payload;
	char text[256];
	struct scan_input input = { .data = text, .path = "a.env" };
	intptr_t found = 0;

	(void)snprintf(text, sizeof(text), "%s%s", "a=1\napi_token=k3J9xQ2vB7nM",
		"5tR8wL1zD6cF\nu=amqp://x:p8Kq2mVx9@h/\n");
	input.len = strlen(text);
	for (int i = 0; i < 200; i++) {
		struct answers *answers = calloc(1, sizeof(*answers));
		struct err err = { 0 };

		found += scanner_scan(scanner, &input, keep_answer, answers, &err);
		free(answers);
	}
	return (void *)found;
}

static void
threads_share_one_scanner(void **state)
{
	struct scanner *scanner = make_scanner();
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < countof(threads); i++) {
		assert_int_equal(
			pthread_create(&threads[i], NULL, scan_often, scanner), 0);
	}
	for (size_t i = 0; i < countof(threads); i++) {
		void *found = NULL;

		assert_int_equal(pthread_join(threads[i], &found), 0);
		assert_int_equal((intptr_t)found, 400);
	}
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_only_looks_like_a_secret_is_left_alone),
		cmocka_unit_test(a_secret_is_found_whole_wherever_people_put_it),
		cmocka_unit_test(a_placeholder_hides_nothing_behind_it),
		cmocka_unit_test(a_private_key_that_is_cut_behind_its_public_half_is_one),
		cmocka_unit_test(a_key_is_read_over_arrows_and_colours),
		cmocka_unit_test(a_key_without_its_first_line_counts_when_it_is_whole),
		cmocka_unit_test(lines_and_columns_count_from_one),
		cmocka_unit_test(
			equal_secrets_have_equal_fingerprints_and_the_key_matters),
		cmocka_unit_test(a_mark_in_the_text_counts_only_when_asked_for),
		cmocka_unit_test(a_mark_counts_for_what_stands_on_its_line_alone),
		cmocka_unit_test(a_mark_megabytes_away_in_the_same_line_is_not_meant),
		cmocka_unit_test(
			wide_text_is_read_in_either_order_with_and_without_its_mark),
		cmocka_unit_test(an_encoded_secret_is_found_inside_its_encoding),
		cmocka_unit_test(a_checksum_ends_a_token_where_no_space_does),
		cmocka_unit_test(records_that_end_with_nul_are_text),
		cmocka_unit_test(letters_of_latin_1_leave_wide_text_wide),
		cmocka_unit_test(a_binary_gives_only_what_is_certain),
		cmocka_unit_test(a_path_never_hides_what_is_certain),
		cmocka_unit_test(a_key_under_a_passphrase_counts_but_in_tests_and_docs),
		cmocka_unit_test(a_token_may_be_the_user_of_a_url_and_a_uuid_a_secret),
		cmocka_unit_test(a_huge_line_and_a_field_of_nuls_are_scanned_in_time),
		cmocka_unit_test(text_made_to_make_a_search_slow_does_not),
		cmocka_unit_test(the_self_test_passes_and_tells_when_a_rule_is_gone),
		cmocka_unit_test(threads_share_one_scanner),
	};

	return cmocka_run_group_tests_name("scanner/scanner", tests, NULL, NULL);
}
