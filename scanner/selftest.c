// SPDX-License-Identifier: GPL-2.0-or-later

// Canaries are kept in halves, so that no scanner trips over this file or the program.

#include "base/err.h"
#include "base/mem.h"
#include "scanner/scanner.h"

#include <string.h>

struct canary {
	const char *first;
	const char *second;
	/** What must be found; NULL for a decoy. */
	const char *rule;
};

static const struct canary canaries[] = {
	{ "aws_id = AKIA", "Q3EGRY6LKJB2WVTX", "aws-access-key-id" },
	{ "slack xoxb-", "283749104827-5839201746352-Jw8sKd02LmQpZ7vYt4RxBn1c",
		"slack-bot-token" },
	{ "DATABASE_URL=postgres://app:", "Vq8-tr2Lw9@db.internal:5432/app",
		"url-password" },
	{ "password: ", "\"qX7!vTz0pLw2\"", "generic-password" },
	{ "api_token = \"", "k3J9xQ2vB7nM5tR8wL1zD6cF\"", "generic-secret" },
	{ "-----BEGIN EC PRIVATE ",
		"KEY-----"
		"\nMHcCAQEEIKb0V9s2xq7NfT3mYd8wLrJ6uEhPzA5cGkQoX1iBtRvSoAoGCCqGSM49\n"
		"AwEHoUQDQgAEx3Zf9Wq2LkN7sVbTyR8mHcJ5uPdE0aGiOoXlB6tKvQwS4jYzFnCr\n"
		"-----END EC PRIVATE KEY-----\n",
		"private-key" },
	{ "set PASSWORD to ${PASSWORD}; ", "password: see the wiki", NULL },
	{ "password=YOUR_", "PASSWORD token=<token>", NULL },
	{ "sha256-", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", NULL },
};

struct sought {
	const char *rule;
	size_t found;
	size_t others;
};

static int
note(const struct finding *finding, void *payload)
{
	struct sought *sought = payload;
	bool same = sought->rule != NULL && strcmp(sought->rule, finding->rule) == 0;

	sought->found += same;
	sought->others += !same;
	return 0;
}

int
scanner_self_test(const struct scanner *scanner, struct err *err)
{
	for (size_t i = 0; i < countof(canaries); i++) {
		AUTO_FREE char *text =
			xasprintf("%s%s\n", canaries[i].first, canaries[i].second);
		struct scan_input input = { .data = text, .len = strlen(text) };
		struct sought sought = { .rule = canaries[i].rule };
		int ret = scanner_scan(scanner, &input, note, &sought, err);

		if (ret < 0) {
			return err_wrap(err, "self-test of the scanner");
		}
		if (canaries[i].rule != NULL ? sought.found == 0 : sought.others > 0) {
			return err_raise(err, ERR_BUG, "self-test of the scanner: %s %zu",
				canaries[i].rule != NULL ? "missed canary"
							 : "false alarm on decoy",
				i);
		}
	}
	return 0;
}
