// SPDX-License-Identifier: GPL-2.0-or-later

// Secrets of Kubernetes: in YAML and JSON, before their kind and behind it.

#include "scanner/support.h"

#include <stdio.h>

/** A password in base64, in halves, and as it is. */
static const char encoded[2][16] = { "VHIwdWI0", "ZG9yJjM=" };
static const char plain[2][16] = { "kT7vQ", "2m9Lx" };

struct manifest {
	const char *path;
	/** $$ is the password in base64, @@ as it is. */
	const char *text;
	size_t found;
};

static void
fill(char *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (text[0] == text[1] && (*text == '$' || *text == '@')) {
			const char(*halves)[16] = *text == '$' ? encoded : plain;

			out += sprintf(out, "%s%s", halves[0], halves[1]);
			text++;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

static void
what_a_secret_holds_is_one_whatever_it_is_called(void **state)
{
	static const struct manifest manifests[] = {
		{ "a.yaml",
			"apiVersion: v1\ndata:\n  stripe: $$\nkind: Secret\nmetadata:\n"
			"  name: x\n",
			1 },
		{ "b.yaml", "kind: Secret\nstringData:\n  stripe: \"@@\"\n  mail: '@@'\n",
			2 },
		{ "c.yaml",
			"items:\n- data:\n    a: $$\n  kind: Secret\n- kind: Secret\n"
			"  data:\n    b: $$\n- kind: ConfigMap\n  data:\n    c: $$\n",
			2 },
		{ "d.json",
			"{\"items\":[{\"apiVersion\":\"v1\",\"data\":{\"q\":\"$$\"},"
			"\"kind\":\"Secret\"},{\"apiVersion\":\"v1\",\"kind\": "
			"\"Secret\","
			"\"stringData\":{\"z\":\"@@\"}}]}",
			2 },
		// Not secrets: a user, a host, a placeholder, a certificate, other kinds.
		{ "e.yaml",
			"kind: Secret\ndata:\n  username: $$\n  host: $$\n"
			"  x: Y2hhbmdlbWU=\n  ca.crt: "
			"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t\n",
			0 },
		{ "f.yaml", "kind: ConfigMap\ndata:\n  stripe: $$\n", 0 },
		{ "g.yaml", "kind: SecretStore\ndata:\n  stripe: $$\n", 0 },
		{ "h.yaml", "kind: Secret\n---\nkind: ConfigMap\ndata:\n  stripe: $$\n",
			0 },
		{ "i.json",
			"{\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Secret\"},"
			"{\"apiVersion\":\"v1\",\"data\":{\"q\":\"$$\"},\"kind\":\"X\"}]"
			"}",
			0 },
	};
	struct scanner *scanner = make_scanner();
	char text[1024];

	(void)state;
	for (size_t i = 0; i < countof(manifests); i++) {
		fill(text, manifests[i].text);
		const struct answers *answers =
			ask_bytes(scanner, text, strlen(text), manifests[i].path);

		if (answers->count != manifests[i].found) {
			fail_msg("%s: %zu found", manifests[i].path, answers->count);
		}
	}
	scanner_free(scanner);
}

static void
a_text_that_is_nothing_but_kinds_is_read_in_time(void **state)
{
	static const char *const lines[] = { "kind: Secret\n", "\"kind\":\"Secret\"," };
	struct scanner *scanner = make_scanner();
	enum {
		SIZE = 1024 * 1024,
	};
	char *text = xmalloc(SIZE);

	(void)state;
	for (size_t i = 0; i < countof(lines); i++) {
		for (size_t at = 0; at < SIZE; at++) {
			text[at] = lines[i][at % strlen(lines[i])];
		}
		assert_int_equal(ask_bytes(scanner, text, SIZE, "x")->count, 0);
	}
	free(text);
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_secret_holds_is_one_whatever_it_is_called),
		cmocka_unit_test(a_text_that_is_nothing_but_kinds_is_read_in_time),
	};

	return cmocka_run_group_tests_name("scanner/manifest", tests, NULL, NULL);
}
