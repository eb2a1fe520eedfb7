// SPDX-License-Identifier: GPL-2.0-or-later

// The short way (words, then a pattern tied to its word, in a window) finds what the long
// way finds: every pattern over the whole text.  And a search for words that compares
// every word at every place, in plain C, leads to the same findings as the one with
// sieves, with vectors of each width and without.

#include "scanner/narrow.h"
#include "scanner/support.h"

#include "scanner/filter.h"
#include "scanner/pattern.h"
#include "scanner/rule.h"
#include "scanner/ruleset.h"

#include "scanner/literal.h"

#include <stdio.h>

enum {
	TEXT_MAX = 4 * 1024 * 1024,
	RANDOM_LEN = 400 * 1024,
	PAIRS = 1 << 16,
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
				if (c[0] == '\\' && (c[1] == 'n' || c[1] == 't')) {
					text[n++] = c[1] == 'n' ? '\n' : '\t';
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
			fail_msg("%s: missed at %zu: %.40s", rule->id, span[0],
				text + span[0]);
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

// The words of the scanner that was made last; --wrap puts these two in the way.
static struct {
	struct literal *list;
	size_t count;
	/** By their first two bytes, folded: the first + 1, and the next + 1 of each. */
	uint32_t *heads;
	uint32_t *next;
	/** Search with these instead. */
	bool plainly;
} plain;

struct literals *__real_literals_new(const struct literal *list, size_t count);
struct literals *__wrap_literals_new(const struct literal *list, size_t count);
int __real_literals_find(const struct literals *literals, const char *text, size_t len,
	literal_fn *fn, void *payload);
int __wrap_literals_find(const struct literals *literals, const char *text, size_t len,
	literal_fn *fn, void *payload);

static size_t
pair_of(const char *text)
{
	return ((unsigned char)text[0] | 0x20u) << 8 | ((unsigned char)text[1] | 0x20u);
}

static void
forget_words(void)
{
	free(plain.list);
	free(plain.heads);
	free(plain.next);
	memset(&plain, 0, sizeof(plain));
}

struct literals *
__wrap_literals_new(const struct literal *list, size_t count)
{
	forget_words();
	plain.list = xcalloc(count + 1, sizeof(*list));
	plain.heads = xcalloc(PAIRS, sizeof(*plain.heads));
	plain.next = xcalloc(count + 1, sizeof(*plain.next));
	plain.count = count;
	// The last one first, so that each chain is in order.
	for (size_t i = count; i-- > 0;) {
		uint32_t *head = &plain.heads[pair_of(list[i].text)];

		plain.list[i] = list[i];
		plain.next[i] = *head;
		*head = (uint32_t)i + 1;
	}
	return __real_literals_new(list, count);
}

static bool
stands_at(const struct literal *literal, const char *text, size_t len)
{
	size_t i = 0;

	if (literal->len > len) {
		return false;
	}
	for (; i < literal->len; i++) {
		char c = literal->nocase && text[i] >= 'A' && text[i] <= 'Z'
			? (char)(text[i] | 0x20)
			: text[i];

		if (c != literal->text[i]) {
			return false;
		}
	}
	return !literal->before_word ||
		(i < len &&
			memchr("0123456789abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-",
				text[i], 64) != NULL);
}

int
__wrap_literals_find(const struct literals *literals, const char *text, size_t len,
	literal_fn *fn, void *payload)
{
	int ret = 0;

	if (!plain.plainly) {
		return __real_literals_find(literals, text, len, fn, payload);
	}
	for (size_t at = 0; at + 2 <= len && ret == 0; at++) {
		uint32_t next;

		for (uint32_t i = plain.heads[pair_of(text + at)]; i != 0 && ret == 0;
			i = next) {
			next = plain.next[i - 1];
			if (stands_at(&plain.list[i - 1], text + at, len - at)) {
				ret = fn(at, i - 1, payload);
			}
		}
	}
	return ret;
}

/** Finding by finding, the same; how many there were. */
static size_t
compare_searches(const struct scanner *scanner, const char *text, size_t len)
{
	struct answers *sieved = xmalloc(sizeof(*sieved));
	const struct answers *plainly;

	memcpy(sieved, ask_bytes(scanner, text, len, NULL), sizeof(*sieved));
	unsigned int before = widest;

	plain.plainly = true;
	widest = 0;
	plainly = ask_bytes(scanner, text, len, NULL);
	plain.plainly = false;
	widest = before;

	size_t count = sieved->count;
	for (size_t i = 0; i < MIN_OF(count, plainly->count); i++) {
		const struct finding *left = &sieved->list[i];
		const struct finding *right = &plainly->list[i];

		if (left->start != right->start || left->end != right->end ||
			strcmp(left->rule, right->rule) != 0) {
			fail_msg("%s %zu-%zu, plainly %s %zu-%zu", left->rule,
				left->start, left->end, right->rule, right->start,
				right->end);
		}
		assert_int_equal(left->confidence, right->confidence);
		assert_int_equal(left->line, right->line);
		assert_int_equal(left->column, right->column);
		assert_memory_equal(
			left->fingerprint, right->fingerprint, FINDING_PRINT_LEN);
	}
	assert_int_equal(count, plainly->count);
	free(sieved);
	return count;
}

static size_t
compare_file(const struct scanner *scanner, const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = xmalloc(TEXT_MAX);
	size_t count = 0, len;

	assert_non_null(file);
	len = fread(text, 1, TEXT_MAX, file);
	(void)fclose(file);
	assert_true(len > 0 && len < TEXT_MAX);
	// From an even place, and from an odd one.
	for (size_t from = 0; from < 2; from++) {
		count += compare_searches(scanner, text + from, len - from);
	}
	free(text);
	return count;
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/** Words that are looked for, close to each other, and random characters behind them. */
static char *
make_random(uint32_t seed, size_t *ret_len)
{
	static const char glue
		[] = "= :\"'\n\n\t,(>@/-_.x7=\0",
	    chars[] =
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_.";
	char *text = xmalloc(RANDOM_LEN + 1024);
	size_t n = 0;

	while (n < RANDOM_LEN) {
		const struct literal *word =
			&plain.list[next_random(&seed) % plain.count];
		size_t more = next_random(&seed) % 3 == 0 ? next_random(&seed) % 64 : 0;

		for (size_t i = 0; i < word->len; i++) {
			bool upper = word->nocase && word->text[i] >= 'a' &&
				word->text[i] <= 'z' && next_random(&seed) % 2 == 0;
			text[n++] = upper ? (char)(word->text[i] & ~0x20) : word->text[i];
		}
		for (size_t i = next_random(&seed) % 4; i > 0; i--) {
			text[n++] = glue[next_random(&seed) % (sizeof(glue) - 1)];
		}
		for (size_t i = 0; i < more; i++) {
			text[n++] = chars[next_random(&seed) % (sizeof(chars) - 1)];
		}
	}
	*ret_len = n;
	return text;
}

/** In two bytes a character. */
static char *
widen(const char *text, size_t len)
{
	char *wide = xcalloc(len, 2);

	for (size_t i = 0; i < len; i++) {
		wide[2 * i] = text[i];
	}
	return wide;
}

static void
every_word_compared_at_every_place_leads_to_the_same_findings(void **state)
{
	static const char *const files[] = { "/secrets/rules.tsv", "/secrets/shapes.tsv",
		"/secrets/notations.tsv", "/secrets/decoys.txt" };
	struct scanner *scanner = make_scanner();
	size_t len, count = 0;
	char *text = make_text(&len);
	char *wide = widen(text, len);

	(void)state;
	assert_true(compare_searches(scanner, text, len) > 300);
	assert_true(compare_searches(scanner, text + 1, len - 1) > 300);
	assert_true(compare_searches(scanner, wide, 2 * len) > 300);
	free(text);
	free(wide);
	for (size_t i = 0; i < countof(files); i++) {
		AUTO_FREE char *path = xasprintf("%s%s", FIXTURES, files[i]);

		(void)compare_file(scanner, path);
	}
	for (uint32_t seed = 1; seed <= 4; seed++) {
		text = make_random(seed, &len);
		count += compare_searches(scanner, text, len);
		free(text);
	}
	assert_true(count > 400);
	scanner_free(scanner);
	forget_words();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_short_way_finds_what_the_long_way_finds),
		cmocka_unit_test(
			every_word_compared_at_every_place_leads_to_the_same_findings),
	};

	return run_at_each_width("scanner/equal", tests);
}
