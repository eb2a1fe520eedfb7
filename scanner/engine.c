// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One pass over the text finds the words (literal.h).  Each word leads to steps, and each
 * step looks only at what is around it:
 *
 *     ... export GITHUB_TOKEN=ghp_0123...        "ghp_" -> token rule -> anchored pattern
 *                       ^^^^^                    "token" -> assignment -> filters
 *     ... postgres://user:pw@host                "://" -> password in a URL
 *     ... Z2hwXz...               a long run of letters -> decoded -> scan that
 */

#include "scanner/engine_pass.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "scanner/filter.h"
#include "scanner/gitleaks.h"
#include "scanner/literal.h"
#include "scanner/marks.h"
#include "scanner/rarity.h"
#include "scanner/rule.h"

#include <stdlib.h>
#include <string.h>

enum {
	/** Runs are looked for in parts of this size, while the cache holds them. */
	NEAR = 64 * 1024,
};

struct engine *
engine_new(void)
{
	struct engine *engine = xcalloc(1, sizeof(*engine));

	engine->scratch = pattern_scratch_new();
	return engine;
}

void
engine_free(struct engine *engine)
{
	if (engine != NULL) {
		pattern_scratch_free(engine->scratch);
		free(engine->found.list);
		free(engine->inner.list);
		free(engine->decoded);
		free(engine->user_seen);
		free(engine);
	}
}

static int
compare_prints(const void *left, const void *right)
{
	return memcmp(left, right, FINDING_PRINT_LEN);
}

static bool
is_allowed(const struct engine_context *context, const uint8_t *fingerprint)
{
	return context->nallowed > 0 &&
		bsearch(fingerprint, context->allowed, context->nallowed,
			FINDING_PRINT_LEN, compare_prints) != NULL;
}

void
pass_tell(const struct pass *pass, const char *rule, const char *why, size_t start,
	size_t end)
{
	const struct engine_context *context = pass->context;

	// Inside an encoding the offsets are others.
	if (context->tell != NULL && !pass->inner && start >= context->tell_from &&
		start < context->tell_upto) {
		context->tell(rule, why, start, end, context->tell_payload);
	}
}

static void
append(struct findings *findings, const struct engine_finding *finding)
{
	findings->list =
		xgrow(findings->list, findings->count, &findings->size, sizeof(*finding));
	findings->list[findings->count++] = *finding;
}

void
pass_identify(const struct engine_context *context, const char *secret, size_t len,
	struct engine_finding *finding)
{
	uint8_t digest[HASH_SHA256_LEN];

	hash_keyed(context->key, secret, len, digest);
	memcpy(finding->fingerprint, digest, FINDING_PRINT_LEN);
	finding->entropy = (uint16_t)rarity_entropy(secret, len);
}

static bool
is_unsure(const struct pass *pass, const char *rule, enum finding_confidence confidence,
	size_t start, size_t end)
{
	if (!pass->context->certain_only || confidence == FINDING_CERTAIN) {
		return false;
	}
	pass_tell(pass, rule, "it is not certain, and this is a binary", start, end);
	return true;
}

void
pass_add(struct pass *pass, const struct engine_finding *finding)
{
	if (is_unsure(pass, finding->rule, finding->confidence, finding->start,
		    finding->end)) {
		return;
	}
	if (pass->context->marks && !pass->inner && finding->end > 0 &&
		marks_allow(pass->text, pass->len, finding->start, finding->end)) {
		// A rule about the path alone stands on no line.
		pass_tell(pass, finding->rule, "a mark in the text allows it",
			finding->start, finding->end);
	} else if (is_allowed(pass->context, finding->fingerprint)) {
		pass_tell(pass, finding->rule, "a person allowed it", finding->start,
			finding->end);
	} else {
		append(pass->found, finding);
	}
}

static void
emit(struct pass *pass, const char *id, uint32_t order,
	enum finding_confidence confidence, size_t start, size_t end)
{
	struct engine_finding finding = { .rule = id,
		.confidence = confidence,
		.order = order,
		.start = start,
		.end = end };

	// A fingerprint reads all of it.
	if (end <= start || is_unsure(pass, id, confidence, start, end)) {
		return;
	}
	if (filter_is_mark(pass->text + start, end - start)) {
		pass_tell(pass, id, "it is a mark of ours", start, end);
		return;
	}
	pass_identify(pass->context, pass->text + start, end - start, &finding);
	pass_add(pass, &finding);
}

void
pass_emit_rule(struct pass *pass, uint32_t index, enum finding_confidence confidence,
	size_t start, size_t end)
{
	const struct rule *rule = ruleset_rule(pass->context->rules, index);

	emit(pass, rule->id, index, confidence, start, end);
}

static int
on_run(size_t start, size_t end, void *payload)
{
	return pass_run(payload, start, end);
}

static int
on_stretch(size_t start, size_t end, void *payload)
{
	pass_words(payload, start, end);
	return 0;
}

/** Keys without a word, encoded text and phrases up to @upto. */
static int
find_runs(struct pass *pass, size_t upto)
{
	bool builtin = ruleset_count(pass->context->rules) > 0;

	return runs_find(&pass->runs, upto, on_run, builtin ? on_stretch : NULL, pass);
}

static int
on_word(size_t start, uint32_t literal, void *payload)
{
	struct pass *pass = payload;
	size_t count;
	const struct ruleset_step *steps =
		ruleset_steps(pass->context->rules, literal, &count);
	int ret = start >= pass->runs.at + NEAR ? find_runs(pass, start) : 0;

	for (size_t i = 0; i < count && ret == 0; i++) {
		switch (steps[i].action) {
		case RULESET_TOKEN:
			ret = pass_token(pass, steps[i].rule, start);
			break;
		case RULESET_NAMED:
			ret = pass_named(pass, start, steps[i].len);
			break;
		case RULESET_URL:
			pass_url(pass, start);
			break;
		case RULESET_PEM:
			pass_pem(pass, start);
			break;
		case RULESET_MANIFEST:
			pass_manifest(pass, start, steps[i].len);
			break;
		case RULESET_PERCENT:
			ret = pass_escaped(pass, start, steps[i].len);
			break;
		case RULESET_USER:
			pass->seen[steps[i].rule] = 1;
			break;
		}
	}
	return ret;
}

/** A user's rule reports through the same door. */
static void
on_user_match(const struct gitleaks_match *match, void *payload)
{
	struct pass *pass = payload;
	struct engine_finding finding = {
		.rule = match->rule,
		// Somebody asked for it by name; a rule that says it guesses is a guess.
		.confidence = match->generic ? FINDING_LIKELY : FINDING_CERTAIN,
		.order = UINT32_MAX / 2,
		.start = match->start,
		.end = match->end,
	};
	const char *path = pass->context->path_name;

	if (match->end == 0 && path != NULL) {
		pass_identify(pass->context, path, strlen(path), &finding);
	} else {
		pass_identify(pass->context, pass->text + match->start,
			match->end - match->start, &finding);
	}
	if (!filter_is_mark(pass->text + match->start, match->end - match->start)) {
		pass_add(pass, &finding);
	}
}

int
pass_scan(struct pass *pass)
{
	struct engine *engine = pass->engine;
	const struct gitleaks *user = ruleset_user(pass->context->rules);
	size_t nuser = user != NULL ? gitleaks_count(user) : 0;

	if (nuser > engine->nuser_seen) {
		engine->user_seen = xrealloc(engine->user_seen, 2 * nuser);
		engine->nuser_seen = nuser;
	}
	if (nuser > 0) {
		pass->seen = engine->user_seen + (pass->inner ? nuser : 0);
		memset(pass->seen, 0, nuser);
	}

	pass->runs = (struct runs){ .text = pass->text, .len = pass->len };
	int ret = literals_find(ruleset_literals(pass->context->rules), pass->text,
		pass->len, on_word, pass);
	ret = ret == 0 ? find_runs(pass, pass->len) : ret;
	if (ret < 0 || nuser == 0) {
		return ret;
	}
	return gitleaks_scan(user, engine->scratch, pass->text, pass->len,
		pass->context->path_name, pass->seen, on_user_match, pass, pass->err);
}

static int
compare_findings(const void *left_void, const void *right_void)
{
	const struct engine_finding *left = left_void, *right = right_void;

	if (left->start != right->start) {
		return left->start < right->start ? -1 : 1;
	}
	if (left->confidence != right->confidence) {
		return left->confidence < right->confidence ? -1 : 1;
	}
	return left->order < right->order ? -1 : left->order > right->order;
}

/** Overlapping findings become one, over all their bytes; the better one names it. */
static void
merge(struct findings *findings)
{
	size_t kept = 0;

	if (findings->count == 0) {
		return;
	}
	qsort(findings->list, findings->count, sizeof(*findings->list), compare_findings);
	for (size_t i = 1; i < findings->count; i++) {
		struct engine_finding *last = &findings->list[kept];
		const struct engine_finding *next = &findings->list[i];

		if (next->start >= last->end) {
			findings->list[++kept] = *next;
			continue;
		}
		size_t start = last->start;
		size_t end = MAX_OF(last->end, next->end);
		if (next->confidence < last->confidence ||
			(next->confidence == last->confidence &&
				next->order < last->order)) {
			*last = *next;
		}
		last->start = start;
		last->end = end;
	}
	findings->count = kept + 1;
}

int
engine_scan(struct engine *engine, const struct engine_context *context, const char *text,
	size_t len, const struct engine_finding **ret_findings, size_t *ret_count,
	struct err *err)
{
	struct pass pass = {
		.engine = engine,
		.context = context,
		.text = text,
		.len = len,
		.found = &engine->found,
		.err = err,
	};

	engine->found.count = 0;
	pass_alone(&pass);
	int ret = pass_scan(&pass);
	if (ret < 0) {
		return ret;
	}
	merge(&engine->found);
	*ret_findings = engine->found.list;
	*ret_count = engine->found.count;
	return 0;
}
