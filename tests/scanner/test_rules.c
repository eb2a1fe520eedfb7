// SPDX-License-Identifier: GPL-2.0-or-later

// Each rule finds its own sample and leaves its near miss alone.  The samples are kept in
// halves: fixtures/secrets/rules.tsv.

#include "scanner/support.h"

#include <stdio.h>

struct sample {
	char rule[80];
	bool hit;
	char text[8192];
};

/** The next sample of the file; false at its end. */
static bool
next_sample(FILE *file, struct sample *sample)
{
	char line[8192];

	while (fgets(line, sizeof(line), file) != NULL) {
		char *fields[4];
		char *rest = line;
		size_t n = 0;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#') {
			continue;
		}
		for (int i = 0; i < 4; i++) {
			fields[i] = strsep(&rest, "\t");
			assert_non_null(fields[i]);
		}
		(void)snprintf(sample->rule, sizeof(sample->rule), "%s", fields[0]);
		sample->hit = strcmp(fields[1], "hit") == 0;
		for (int half = 2; half < 4; half++) {
			for (const char *c = fields[half]; *c != '\0'; c++) {
				if (c[0] == '\\' && (c[1] == 'n' || c[1] == 't')) {
					sample->text[n++] = c[1] == 'n' ? '\n' : '\t';
					c++;
				} else {
					sample->text[n++] = *c;
				}
			}
		}
		sample->text[n] = '\0';
		return true;
	}
	return false;
}

static FILE *
open_samples(void)
{
	FILE *file = fopen(FIXTURES "/secrets/rules.tsv", "r");

	assert_non_null(file);
	return file;
}

static void
each_sample_is_found_by_its_rule_and_each_near_miss_is_not(void **state)
{
	struct scanner *scanner = make_scanner();
	struct sample sample;
	FILE *file = open_samples();

	(void)state;
	while (next_sample(file, &sample)) {
		bool found = holds_rule(ask(scanner, sample.text), sample.rule);

		if (found != sample.hit) {
			fail_msg("%s: its %s was %s", sample.rule,
				sample.hit ? "hit" : "near miss",
				found ? "found" : "not found");
		}
	}
	(void)fclose(file);
	scanner_free(scanner);
}

/** Append a field without its escapes: \n, \\ and \. that stands for nothing. */
static size_t
add_field(char *text, size_t at, const char *field)
{
	for (const char *c = field; *c != '\0'; c++) {
		if (*c != '\\') {
			text[at++] = *c;
			continue;
		}
		c++;
		if (*c != '.') {
			text[at++] = *c == 'n' ? '\n' : *c;
		}
	}
	text[at] = '\0';
	return at;
}

/** Do the findings together hold every byte from @start to @end? */
static bool
covers(const struct answers *answers, size_t start, size_t end)
{
	for (size_t i = 0; i < answers->count && start < end; i++) {
		const struct finding *finding = &answers->list[i];

		// A comma joins two tokens.
		if (finding->start <= start + 1 && finding->end > start) {
			start = finding->end;
		}
	}
	return start >= end;
}

static void
a_token_as_its_provider_shows_it_is_found_whole(void **state)
{
	struct scanner *scanner = make_scanner();
	FILE *file = fopen(FIXTURES "/secrets/shapes.tsv", "r");
	char line[8192], text[8192];
	size_t count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest = line, *fields[5];

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#') {
			continue;
		}
		for (int i = 0; i < 5; i++) {
			fields[i] = strsep(&rest, "\t");
			assert_non_null(fields[i]);
		}
		size_t start = add_field(text, 0, fields[1]);
		size_t end =
			add_field(text, add_field(text, start, fields[2]), fields[3]);
		(void)add_field(text, end, fields[4]);
		if (!covers(ask(scanner, text), start, end)) {
			fail_msg("%s: %.40s... was missed", fields[0], text);
		}
		count++;
	}
	assert_true(count >= 140);
	(void)fclose(file);
	scanner_free(scanner);
}

static void
no_rule_is_without_a_hit_and_a_near_miss(void **state)
{
	struct scanner *scanner = make_scanner();

	(void)state;
	assert_true(scanner_count(scanner) >= 250);
	for (size_t i = 0; i < scanner_count(scanner); i++) {
		struct sample sample;
		size_t hits = 0, misses = 0;
		FILE *file = open_samples();

		while (next_sample(file, &sample)) {
			if (strcmp(sample.rule, scanner_rule(scanner, i)) == 0) {
				hits += sample.hit;
				misses += !sample.hit;
			}
		}
		(void)fclose(file);
		if (hits == 0 || misses == 0) {
			fail_msg("%s has %zu hits and %zu near misses",
				scanner_rule(scanner, i), hits, misses);
		}
	}
	scanner_free(scanner);
}

static void
an_id_is_safe_in_a_mark_and_stands_once(void **state)
{
	struct scanner *scanner = make_scanner();

	(void)state;
	for (size_t i = 0; i < scanner_count(scanner); i++) {
		const char *id = scanner_rule(scanner, i);

		assert_int_equal(
			strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(id));
		assert_true(id[0] != '-' && id[0] != '_' && strlen(id) <= 64);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(id, scanner_rule(scanner, j));
		}
	}
	scanner_free(scanner);
}

static void
what_was_compared_with_a_page_is_a_rule(void **state)
{
	struct scanner *scanner = make_scanner();
	FILE *file = fopen(FIXTURES "/secrets/compared.tsv", "r");
	char line[512];
	size_t count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest = line;
		bool known = false;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#') {
			continue;
		}
		const char *rule = strsep(&rest, "\t"), *page = strsep(&rest, "\t");
		assert_true(rest != NULL && strchr(page, '.') != NULL);
		assert_true(strcmp(rest, "whole") == 0 || strcmp(rest, "prefix") == 0 ||
			strcmp(rest, "none") == 0);
		for (size_t i = 0; i < scanner_count(scanner) && !known; i++) {
			known = strcmp(rule, scanner_rule(scanner, i)) == 0;
		}
		if (!known) {
			fail_msg("there is no rule %s", rule);
		}
		count++;
	}
	assert_true(count >= 20);
	(void)fclose(file);
	scanner_free(scanner);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_sample_is_found_by_its_rule_and_each_near_miss_is_not),
		cmocka_unit_test(a_token_as_its_provider_shows_it_is_found_whole),
		cmocka_unit_test(no_rule_is_without_a_hit_and_a_near_miss),
		cmocka_unit_test(an_id_is_safe_in_a_mark_and_stands_once),
		cmocka_unit_test(what_was_compared_with_a_page_is_a_rule),
	};

	return cmocka_run_group_tests_name("scanner/rules", tests, NULL, NULL);
}
