// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * gitleaks' order of things: global allow lists by path, then for each rule its keywords,
 * its path, its allow lists by path; then each match: the secret's group, entropy, allow
 * lists by content; at the end "required" and the precedence over generic rules.
 */

#include "base/err.h"
#include "base/mem.h"
#include "scanner/chars.h"
#include "scanner/gitleaks.h"
#include "scanner/gitleaks_regex.h"
#include "scanner/gitleaks_rule.h"
#include "scanner/pattern.h"
#include "scanner/words.h"
#include "scanner/rarity.h"

#include <stdlib.h>
#include <string.h>

struct hit {
	size_t rule;
	size_t start, end;
	size_t line;
	size_t column;
	size_t end_line;
};

struct hits {
	struct hit *list;
	size_t count;
	size_t size;
};

struct run {
	const struct gitleaks *rules;
	struct pattern_scratch *scratch;
	const char *text;
	size_t len;
	const char *path;
	struct hits hits;
	struct err *err;
};

static int
regex_pattern(const struct gitleaks_regex *constant, const struct pattern **ret_pattern,
	struct err *err)
{
	union {
		const struct gitleaks_regex *constant;
		struct gitleaks_regex *changing;
	} regex = { .constant = constant };
	struct pattern *known = atomic_load(&regex.changing->pattern);

	if (known == NULL) {
		struct pattern *made;

		if (gitleaks_regex_compile(constant->source, &made, err) < 0) {
			return err->code;
		}
		if (atomic_compare_exchange_strong(
			    &regex.changing->pattern, &known, made)) {
			known = made;
		} else {
			pattern_free(made);
		}
	}
	*ret_pattern = known;
	return 0;
}

static int
search(struct run *run, const struct gitleaks_regex *regex, const char *text, size_t len,
	size_t offset, struct pattern_groups *groups)
{
	const struct pattern *pattern = NULL;
	int ret = regex_pattern(regex, &pattern, run->err);

	return ret < 0 ? ret
		       : pattern_match(pattern, run->scratch, text, len, offset, groups,
				 run->err);
}

/** 1 when any matches. */
static int
any_matches(struct run *run, const struct gitleaks_regexes *regexes, const char *text,
	size_t len)
{
	struct pattern_groups groups;

	for (size_t i = 0; i < regexes->count; i++) {
		int found = search(run, &regexes->list[i], text, len, 0, &groups);

		if (found != 0) {
			return found;
		}
	}
	return 0;
}

static int
path_matches_any(struct run *run, const struct gitleaks_regexes *regexes)
{
	return run->path == NULL
		? 0
		: any_matches(run, regexes, run->path, strlen(run->path));
}

/** Commits are unknown here: a list that needs one never allows by it. */
static int
allows_path(struct run *run, const struct gitleaks_allow *allow)
{
	if (allow->paths.count == 0 ||
		(allow->all &&
			(allow->commits.count > 0 || allow->regexes.count > 0 ||
				allow->stopwords.count > 0))) {
		return 0;
	}
	return path_matches_any(run, &allow->paths);
}

static bool
is_for_rule(const struct gitleaks_allow *allow, const struct gitleaks_rule *rule)
{
	for (size_t i = 0; i < allow->rules.count; i++) {
		if (strcmp(allow->rules.list[i], rule->id) == 0) {
			return true;
		}
	}
	return allow->rules.count == 0;
}

static bool
holds_stopword(const struct gitleaks_texts *words, const char *secret, size_t len)
{
	AUTO_FREE char *lower = xmemdup0(secret, len);

	for (size_t i = 0; i < len; i++) {
		lower[i] = char_lower(lower[i]);
	}
	for (size_t i = 0; i < words->count; i++) {
		if (memmem(lower, len, words->list[i], strlen(words->list[i])) != NULL) {
			return true;
		}
	}
	return false;
}

struct spans {
	size_t secret[2];
	size_t match[2];
	size_t line[2];
};

static int
allows_content(
	struct run *run, const struct gitleaks_allow *allow, const struct spans *spans)
{
	const size_t *target = allow->target == GITLEAKS_SECRET ? spans->secret
		: allow->target == GITLEAKS_MATCH               ? spans->match
								: spans->line;
	int regex = any_matches(
		run, &allow->regexes, run->text + target[0], target[1] - target[0]);
	bool word = allow->stopwords.count > 0 &&
		holds_stopword(&allow->stopwords, run->text + spans->secret[0],
			spans->secret[1] - spans->secret[0]);

	if (regex < 0 || !allow->all) {
		return regex < 0 ? regex : regex || word;
	}
	int path = allow->paths.count == 0 ? 1 : path_matches_any(run, &allow->paths);
	if (path < 0) {
		return path;
	}
	return path && allow->commits.count == 0 &&
		(allow->regexes.count == 0 || regex) &&
		(allow->stopwords.count == 0 || word);
}

static int
allowed(struct run *run, const struct gitleaks_rule *rule, const struct spans *spans)
{
	const struct gitleaks_allows *both[] = { &run->rules->allows, &rule->allows };

	for (size_t i = 0; i < countof(both); i++) {
		for (size_t j = 0; j < both[i]->count; j++) {
			const struct gitleaks_allow *allow = &both[i]->list[j];
			int found = !is_for_rule(allow, rule) ? 0
				: spans != NULL ? allows_content(run, allow, spans)
						: allows_path(run, allow);

			if (found != 0) {
				return found;
			}
		}
	}
	return 0;
}

/** secretGroup, else the first group that is not empty, else the match; false when the
 * named group took no part in the match. */
static bool
pick_secret(struct run *run, const struct gitleaks_rule *rule, struct spans *spans)
{
	struct pattern_groups groups;
	const char *match = run->text + spans->match[0];
	size_t len = spans->match[1] - spans->match[0];

	// Groups come from the match alone, as there: \b and $ see its edges.
	spans->secret[0] = spans->match[0];
	spans->secret[1] = spans->match[1];
	if (search(run, &rule->regex, match, len, 0, &groups) <= 0) {
		return true;
	}
	for (size_t i = rule->group > 0 ? rule->group : 1; i < groups.count; i++) {
		if (groups.at[i][0] != PATTERN_UNSET &&
			groups.at[i][1] > groups.at[i][0]) {
			spans->secret[0] = spans->match[0] + groups.at[i][0];
			spans->secret[1] = spans->match[0] + groups.at[i][1];
			return true;
		}
		if (rule->group > 0) {
			return false;
		}
	}
	return true;
}

static void
find_line(const struct run *run, struct spans *spans)
{
	size_t from = spans->match[0], upto = spans->match[1];

	while (from > 0 && run->text[from - 1] != '\n') {
		from--;
	}
	const char *newline = memchr(run->text + upto, '\n', run->len - upto);
	spans->line[0] = from;
	spans->line[1] = newline != NULL ? (size_t)(newline - run->text) : run->len;
}

static size_t
count_lines(const char *text, size_t from, size_t upto)
{
	size_t lines = 0;

	for (size_t i = from; i < upto; i++) {
		lines += text[i] == '\n';
	}
	return lines;
}

static void
add_hit(struct run *run, size_t rule, const struct spans *spans)
{
	struct hit hit = {
		.rule = rule, .start = spans->secret[0], .end = spans->secret[1]
	};

	hit.line = count_lines(run->text, 0, spans->match[0]);
	hit.end_line =
		hit.line + count_lines(run->text, spans->match[0], spans->match[1]);
	hit.column = spans->match[0] - spans->line[0];
	run->hits.list =
		xgrow(run->hits.list, run->hits.count, &run->hits.size, sizeof(hit));
	run->hits.list[run->hits.count++] = hit;
}

static int
consider(struct run *run, size_t index, struct spans *spans, size_t floor)
{
	const struct gitleaks_rule *rule = &run->rules->rules[index];

	while (spans->match[1] > spans->match[0] &&
		run->text[spans->match[1] - 1] == '\n') {
		spans->match[1]--;
	}
	while (spans->match[0] < spans->match[1] && run->text[spans->match[0]] == '\n') {
		spans->match[0]++;
	}
	bool picked = pick_secret(run, rule, spans);
	// The dropped prefix belongs to the match again.
	for (size_t i = 0; i < rule->prefix && spans->match[0] > floor; i++) {
		char c = run->text[spans->match[0] - 1];

		if (!char_is_word(c) && c != '.' && c != '-') {
			break;
		}
		spans->match[0]--;
	}
	find_line(run, spans);
	// Nothing has no entropy.
	if (rule->entropy > 0 &&
		(!picked ||
			rarity_bits(run->text + spans->secret[0],
				spans->secret[1] - spans->secret[0]) <= rule->entropy)) {
		return 0;
	}
	int found = allowed(run, rule, spans);
	if (found == 0) {
		add_hit(run, index, spans);
	}
	return MIN_OF(found, 0);
}

static int
run_rule(struct run *run, size_t index)
{
	const struct gitleaks_rule *rule = &run->rules->rules[index];
	struct pattern_groups groups;
	size_t at = 0;

	while (at <= run->len) {
		int found = search(run, &rule->regex, run->text, run->len, at, &groups);

		if (found <= 0) {
			return found < 0 ? err_wrap(run->err, "rule %s", rule->id) : 0;
		}
		struct spans spans = { .match = { groups.at[0][0], groups.at[0][1] } };
		size_t next = groups.at[0][1];
		if (consider(run, index, &spans, at) < 0) {
			return err_wrap(run->err, "rule %s", rule->id);
		}
		at = next > groups.at[0][0] ? next : next + 1;
	}
	return 0;
}

/** Is every rule it requires close by? */
static bool
has_required(const struct run *run, const struct hit *hit)
{
	const struct gitleaks_rule *rule = &run->rules->rules[hit->rule];

	for (size_t i = 0; i < rule->nrequired; i++) {
		const struct gitleaks_required *required = &rule->required[i];
		bool found = false;

		for (size_t j = 0; j < run->hits.count && !found; j++) {
			const struct hit *other = &run->hits.list[j];
			int64_t lines = llabs((int64_t)other->line - (int64_t)hit->line);
			int64_t columns =
				llabs((int64_t)other->column - (int64_t)hit->column);

			found = strcmp(run->rules->rules[other->rule].id, required->id) ==
					0 &&
				(required->within_lines < 0 ||
					lines <= required->within_lines) &&
				(required->within_columns < 0 ||
					columns <= required->within_columns);
		}
		if (!found) {
			return false;
		}
	}
	return true;
}

/** A generic finding gives way to a rule that knows better, on the same line. */
static bool
is_outranked(const struct run *run, const struct hit *hit)
{
	size_t len = hit->end - hit->start;

	if (!run->rules->rules[hit->rule].generic) {
		return false;
	}
	for (size_t i = 0; i < run->hits.count; i++) {
		const struct hit *other = &run->hits.list[i];

		if (!run->rules->rules[other->rule].generic && other->line == hit->line &&
			memmem(run->text + other->start, other->end - other->start,
				run->text + hit->start, len) != NULL) {
			return true;
		}
	}
	return false;
}

static void
report_hits(struct run *run, gitleaks_fn *fn, void *payload)
{
	for (size_t i = 0; i < run->hits.count; i++) {
		const struct hit *hit = &run->hits.list[i];
		const struct gitleaks_rule *rule = &run->rules->rules[hit->rule];

		if (!rule->silent && has_required(run, hit) && !is_outranked(run, hit)) {
			struct gitleaks_match match = { .rule = rule->safe_id,
				.start = hit->start,
				.end = hit->end,
				.generic = rule->generic };
			fn(&match, payload);
		}
	}
}

static int
run_all(struct run *run, const uint8_t *seen, gitleaks_fn *fn, void *payload)
{
	for (size_t i = 0; i < run->rules->count; i++) {
		const struct gitleaks_rule *rule = &run->rules->rules[i];
		bool keyword = seen[i] != 0 || rule->keywords.count == 0;

		for (size_t j = 0; j < rule->keywords.count && !keyword; j++) {
			// The sieve looks for no shorter ones.
			struct word word = { rule->keywords.list[j],
				strlen(rule->keywords.list[j]) };

			keyword = word.len < GITLEAKS_KEYWORD_MIN &&
				word_in(run->text, run->len, &word);
		}
		if (!keyword) {
			continue;
		}
		int skip = allowed(run, rule, NULL);
		if (skip == 0 && rule->path.source != NULL) {
			struct pattern_groups groups;
			int on_path = run->path == NULL
				? 0
				: search(run, &rule->path, run->path, strlen(run->path),
					  0, &groups);

			if (on_path > 0 && rule->regex.source == NULL && !rule->silent) {
				struct gitleaks_match match = { .rule = rule->safe_id };
				fn(&match, payload);
			}
			skip = on_path < 0 ? on_path : !on_path;
		}
		if (skip < 0) {
			return err_wrap(run->err, "rule %s", rule->id);
		}
		if (skip == 0 && rule->regex.source != NULL && run_rule(run, i) < 0) {
			return run->err->code;
		}
	}
	report_hits(run, fn, payload);
	return 0;
}

int
gitleaks_scan(const struct gitleaks *rules, struct pattern_scratch *scratch,
	const char *text, size_t len, const char *path, const uint8_t *seen,
	gitleaks_fn *fn, void *payload, struct err *err)
{
	struct run run = { .rules = rules,
		.scratch = scratch,
		.text = text,
		.len = len,
		.path = path,
		.err = err };
	int ret = run_all(&run, seen, fn, payload);

	free(run.hits.list);
	return ret;
}
