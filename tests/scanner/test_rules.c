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
				if (c[0] == '\\' && c[1] == 'n') {
					sample->text[n++] = '\n';
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_sample_is_found_by_its_rule_and_each_near_miss_is_not),
		cmocka_unit_test(no_rule_is_without_a_hit_and_a_near_miss),
		cmocka_unit_test(an_id_is_safe_in_a_mark_and_stands_once),
	};

	return cmocka_run_group_tests_name("scanner/rules", tests, NULL, NULL);
}
