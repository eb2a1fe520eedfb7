// SPDX-License-Identifier: GPL-2.0-or-later

// The short way (words, then a pattern tied to its word, in a window) finds what the long
// way finds: every pattern over the whole text.  And the portable search for words finds
// what the fast one finds.

#include "scanner/support.h"

#include "scanner/filter.h"
#include "scanner/pattern.h"
#include "scanner/rule.h"
#include "scanner/ruleset.h"

#include "scanner/literal.h"

#include <stdio.h>

enum {
	TEXT_MAX = 4 * 1024 * 1024,
};

/** All samples, hits and near misses, among prose, several times in another order. */
static char *
make_text(size_t *ret_len)
{
	char *text = malloc(TEXT_MAX);
	size_t n = 0;

	assert_non_null(text);
	for (int step = 1; step < 8; step += 2) {
		FILE *file = fopen(FIXTURES "/secrets/rules.tsv", "r");
		char line[8192];
		int number = 0;

		assert_non_null(file);
		while (fgets(line, sizeof(line), file) != NULL) {
			char *rest = line;

			(void)strsep(&rest, "\t");
			(void)strsep(&rest, "\t");
			if (line[0] == '#' || number++ % step != 0) {
				continue;
			}
			assert_true(n + sizeof(line) + 64 < TEXT_MAX);
			for (const char *c = rest; *c != '\0'; c++) {
				if (c[0] == '\\' && c[1] == 'n') {
					text[n++] = '\n';
					c++;
				} else if (*c != '\t') {
					text[n++] = *c;
				}
			}
			n += (size_t)sprintf(text + n,
				"and some words between them, %d of them.\n", number);
		}
		(void)fclose(file);
	}
	*ret_len = n;
	return text;
}

static bool
is_covered(const struct answers *answers, size_t start, size_t end)
{
	for (size_t i = 0; i < answers->count; i++) {
		if (answers->list[i].start <= start && answers->list[i].end >= end) {
			return true;
		}
	}
	return false;
}

static bool
would_pass(const struct rule *rule, const char *secret, size_t len)
{
	if (rule->check != NULL && rule->check(secret, len) == CHECK_NO) {
		return false;
	}
	if (rule->flags & RULE_HUMAN) {
		return filter_is_password(secret, len);
	}
	return (rule->flags & RULE_UNFILTERED) != 0 ||
		(!filter_is_placeholder(secret, len) && !filter_is_dull(secret, len));
}

static size_t
check_rule(const struct rule *rule, const char *text, size_t len,
	const struct answers *answers, struct pattern_scratch *scratch)
{
	bool dash = strstr(rule->pattern, "_-]") != NULL;
	AUTO_FREE char *source = rule->flags & RULE_OPEN_END
		? xasprintf("(?<![A-Za-z0-9_-])(?:%s)", rule->pattern)
		: xasprintf("(?<![A-Za-z0-9_-])(?:%s)(?![A-Za-z0-9%s])", rule->pattern,
			  dash ? "_-" : "");
	struct pattern *pattern;
	struct pattern_groups groups;
	struct err err = { 0 };
	size_t seen = 0;

	ok(pattern_new(source, 0, &pattern, &err));
	for (size_t at = 0; at < len; seen++) {
		int found = pattern_match(pattern, scratch, text, len, at, &groups, &err);

		ok(found);
		if (found == 0) {
			break;
		}
		const size_t *span = groups.at[rule->group];
		if (would_pass(rule, text + span[0], span[1] - span[0]) &&
			!is_covered(answers, span[0], span[1])) {
			fail_msg("%s: missed at %zu", rule->id, span[0]);
		}
		at = groups.at[0][0] + 1;
	}
	pattern_free(pattern);
	return seen;
}

static void
the_short_way_finds_what_the_long_way_finds(void **state)
{
	struct scanner *scanner = make_scanner();
	struct pattern_scratch *scratch = pattern_scratch_new();
	size_t len, seen = 0;
	char *text = make_text(&len);
	const struct answers *answers = ask_bytes(scanner, text, len, NULL);

	(void)state;
	for (const struct rule_table *const *table = rule_tables; *table != NULL;
		table++) {
		for (size_t i = 0; i < (*table)->count; i++) {
			const struct rule *rule = &(*table)->rules[i];

			if (rule->kind == RULE_TOKEN && !(rule->flags & RULE_CODE)) {
				seen += check_rule(rule, text, len, answers, scratch);
			}
		}
	}
	assert_true(seen > 300);
	pattern_scratch_free(scratch);
	free(text);
	scanner_free(scanner);
}

struct tally {
	size_t hits;
	uint64_t sum;
};

static int
add_up(size_t start, uint32_t literal, void *payload)
{
	struct tally *tally = payload;

	tally->hits++;
	tally->sum += (start + 1) * 2654435761u ^ (uint64_t)literal * 40503u;
	return 0;
}

static void
the_fast_search_for_words_finds_what_the_portable_one_finds(void **state)
{
	static const struct literal words[] = { { "ghp_", 4, false, false },
		{ "password", 8, true, false }, { "token", 5, true, false },
		{ "://", 3, false, false }, { "-----BEGIN", 10, false, false },
		{ "key", 3, true, false }, { "AKIA", 4, false, false } };
	struct literals *literals = literals_new(words, countof(words));
	struct tally portable = { 0 }, fast = { 0 };
	size_t len;
	char *text = make_text(&len);

	(void)state;
	assert_int_equal(literals_find(literals, text, len, add_up, &portable), 0);
	(void)literals_hurry(literals);
	assert_int_equal(literals_find(literals, text, len, add_up, &fast), 0);

	assert_true(portable.hits > 500);
	assert_int_equal(portable.hits, fast.hits);
	assert_int_equal(portable.sum, fast.sum);
	literals_free(literals);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_short_way_finds_what_the_long_way_finds),
		cmocka_unit_test(
			the_fast_search_for_words_finds_what_the_portable_one_finds),
	};

	return cmocka_run_group_tests_name("scanner/equal", tests, NULL, NULL);
}
