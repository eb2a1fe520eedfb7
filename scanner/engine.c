// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One pass over the text finds the words (literal.h).  Each word leads to steps, and each
 * step looks only at what is around it:
 *
 *     ... export GITHUB_TOKEN=ghp_0123...        "ghp_" -> token rule -> anchored pattern
 *                       ^^^^^                    "token" -> assignment -> filters
 *     ... postgres://user:pw@host                "://" -> password in a URL
 *     ... Z2hwXz...                              "Z2hwX" -> decode the run -> scan that
 */

#include "scanner/engine.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "scanner/assign.h"
#include "scanner/chars.h"
#include "scanner/decode.h"
#include "scanner/filter.h"
#include "scanner/gitleaks.h"
#include "scanner/literal.h"
#include "scanner/pattern.h"
#include "scanner/pem.h"
#include "scanner/ruleset.h"
#include "scanner/url.h"

#include <stdlib.h>
#include <string.h>

enum {
	/** What a pattern sees from its literal on. */
	WINDOW = 16 * 1024,
	/** Of strings that are joined with "+", together. */
	JOINED_MAX = 512,
	/** Encoded text that is decoded around a word, at most, in either direction. */
	WRAPPED_MAX = 48 * 1024,
};

struct findings {
	struct engine_finding *list;
	size_t count;
	size_t size;
};

struct engine {
	struct pattern_scratch *scratch;
	struct findings found;
	/** Of the text inside an encoding. */
	struct findings inner;
	char *decoded;
	/** One byte for each user's rule: was a keyword seen?  Then the same for the text
	 * inside an encoding. */
	uint8_t *user_seen;
	size_t nuser_seen;
};

/** One text being scanned. */
struct pass {
	struct engine *engine;
	const struct engine_context *context;
	const char *text;
	size_t len;
	struct findings *found;
	/** Inside an encoding: no deeper. */
	bool inner;
	/** Of each user's rule: was a keyword seen? */
	uint8_t *seen;
	/** Names before this were looked at. */
	size_t named_done;
	/** Encoded text before this was looked at. */
	size_t wrapped_done[3];
	struct err *err;
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

/** Where somebody asks why nothing was found: this is why. */
static void
tell(const struct pass *pass, const char *rule, const char *why, size_t start, size_t end)
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

static void
fingerprint_of(const struct engine_context *context, const char *secret, size_t len,
	uint8_t ret[FINDING_PRINT_LEN])
{
	uint8_t digest[HASH_SHA256_LEN];

	hash_keyed(context->key, secret, len, digest);
	memcpy(ret, digest, FINDING_PRINT_LEN);
}

/** Unless a person allowed it, or it is not sure enough here. */
static void
add(struct pass *pass, const struct engine_finding *finding)
{
	if (pass->context->certain_only && finding->confidence != FINDING_CERTAIN) {
		tell(pass, finding->rule, "it is not certain, and this is a binary",
			finding->start, finding->end);
	} else if (is_allowed(pass->context, finding->fingerprint)) {
		tell(pass, finding->rule, "a person allowed it", finding->start,
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

	if (end <= start) {
		return;
	}
	if (filter_is_mark(pass->text + start, end - start)) {
		tell(pass, id, "it is a mark of ours", start, end);
		return;
	}
	fingerprint_of(
		pass->context, pass->text + start, end - start, finding.fingerprint);
	add(pass, &finding);
}

static void
emit_rule(struct pass *pass, uint32_t index, enum finding_confidence confidence,
	size_t start, size_t end)
{
	const struct rule *rule = ruleset_rule(pass->context->rules, index);

	emit(pass, rule->id, index, confidence, start, end);
}

/** Does a token that starts at @at stand by itself, or behind an escape? */
static bool
starts_token(const char *text, size_t at)
{
	if (at == 0 || !char_is_word(text[at - 1])) {
		return true;
	}
	char before = text[at - 1];

	// \n, \t, %3D, \x3d, \u003d, and a terminal's colour: ESC [ 31 m.
	if (at >= 2 && text[at - 2] == '\\' && memchr("nrtbfv0", before, 7) != NULL) {
		return true;
	}
	if (at >= 3 && text[at - 3] == '%' && char_is_hex(text[at - 2]) &&
		char_is_hex(before)) {
		return true;
	}
	if (at >= 4 && text[at - 4] == '\\' && text[at - 3] == 'x') {
		return true;
	}
	if (at >= 6 && text[at - 6] == '\\' && text[at - 5] == 'u') {
		return true;
	}
	if (before == 'm') {
		size_t i = at - 1;

		while (i > 0 && (char_is_digit(text[i - 1]) || text[i - 1] == ';')) {
			i--;
		}
		return i >= 2 && text[i - 1] == '[' && text[i - 2] == '\x1b';
	}
	return false;
}

/** Does the rule's own test, and the filters, let this secret pass?  @ret_why says why
 * not. */
static bool
passes(const struct rule *rule, const char *secret, size_t len, const char **ret_why)
{
	*ret_why = "its checksum or its structure does not fit";
	if (rule->check != NULL && rule->check(secret, len) == CHECK_NO) {
		return false;
	}
	if (rule->flags & RULE_UNFILTERED) {
		return true;
	}
	*ret_why = "it is a placeholder, a reference, an everyday word or a made-up row";
	if (rule->flags & RULE_HUMAN) {
		return filter_is_password(secret, len);
	}
	return !filter_is_placeholder(secret, len) && !filter_is_dull(secret, len);
}

static int
try_pattern(struct pass *pass, uint32_t index, size_t at, size_t len,
	struct pattern_groups *groups)
{
	const struct pattern *pattern;
	int found = ruleset_pattern(pass->context->rules, index, &pattern, pass->err);

	if (found == 0 && !pattern_may_match(pattern, pass->text + at, len)) {
		return 0;
	}
	if (found == 0) {
		found = pattern_match(pattern, pass->engine->scratch, pass->text + at,
			len, 0, groups, pass->err);
	}
	if (found < 0) {
		return err_wrap(pass->err, "rule %s",
			ruleset_rule(pass->context->rules, index)->id);
	}
	return found;
}

/** What a pattern found from @start on, unless the rule's test or a filter is against it.
 */
static void
offer(struct pass *pass, uint32_t index, size_t start,
	const struct pattern_groups *groups)
{
	const struct rule *rule = ruleset_rule(pass->context->rules, index);
	const size_t *span = groups->at[rule->group < groups->count ? rule->group : 0];

	if (span[0] == PATTERN_UNSET) {
		return;
	}
	size_t from = start + span[0], upto = start + span[1];
	const char *secret = pass->text + from;
	const char *why = "it is longer, and its checksum does not fit";
	bool longer = (rule->flags & RULE_CHECKED_END) && upto < pass->len &&
		char_is_alnum(pass->text[upto]);

	if ((longer && rule->check(secret, upto - from) != CHECK_YES) ||
		!passes(rule, secret, upto - from, &why)) {
		tell(pass, rule->id, why, from, upto);
	} else if (rule->kind == RULE_KEYED && !(rule->flags & RULE_UUID) &&
		filter_is_id(secret, upto - from)) {
		tell(pass, rule->id, "it is an id, a number or a hash", from, upto);
	} else {
		emit_rule(pass, index, rule->confidence, from, upto);
	}
}

static bool
is_back_char(const struct rule *rule, char c)
{
	if (rule->flags & RULE_BACK_LINE) {
		return c != '\n';
	}
	if (rule->flags & RULE_BACK_SOLID) {
		return !char_is_space(c) && !char_is_quote(c);
	}
	if (rule->flags & RULE_BACK_HEX) {
		return char_is_lower(c) || char_is_digit(c);
	}
	return char_is_word(c) || c == '-';
}

static int
try_token(struct pass *pass, uint32_t index, size_t at)
{
	const struct rule *rule = ruleset_rule(pass->context->rules, index);
	struct pattern_groups groups;
	size_t start = at;

	if (pass->context->certain_only && rule->confidence != FINDING_CERTAIN) {
		return 0;
	}
	while (start > 0 && at - start < rule->back &&
		is_back_char(rule, pass->text[start - 1])) {
		start--;
	}
	if (!(rule->flags & RULE_GLUED) && !starts_token(pass->text, start)) {
		tell(pass, rule->id, "its word stands inside a longer one", at, at + 1);
		return 0;
	}

	int found = try_pattern(
		pass, index, start, MIN_OF(pass->len - start, (size_t)WINDOW), &groups);
	if (found == 0) {
		tell(pass, rule->id, "its word is here, and the rest does not fit", at,
			at + 1);
	}
	if (found <= 0) {
		return found;
	}
	offer(pass, index, start, &groups);
	return 0;
}

static int
try_keyed(struct pass *pass, uint32_t index, size_t start, size_t end)
{
	struct pattern_groups groups;
	int found = try_pattern(pass, index, start, end - start, &groups);

	if (found > 0) {
		offer(pass, index, start, &groups);
	}
	return MIN_OF(found, 0);
}

/** Every rule whose word stands in the name. */
static int
try_all_keyed(struct pass *pass, const struct assignment *assignment)
{
	char name[ASSIGN_KEY_MAX + 64];
	size_t len = MIN_OF(assignment->key_end - assignment->key_start, sizeof(name));
	size_t count;
	const uint16_t *pairs;
	const struct ruleset_keyed *keyed =
		ruleset_keyed(pass->context->rules, &pairs, &count);

	// Which pairs of letters the name holds: most words end here.
	uint64_t held[RULESET_PAIRS / 64] = { 0 };
	for (size_t i = 0; i < len; i++) {
		name[i] = char_lower(pass->text[assignment->key_start + i]);
		if (i > 0) {
			size_t pair = ruleset_pair(name + i - 1);
			held[pair / 64] |= (uint64_t)1 << pair % 64;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if ((held[pairs[i] / 64] >> pairs[i] % 64 & 1) != 0 &&
			memmem(name, len, keyed[i].word, keyed[i].len) != NULL &&
			try_keyed(pass, keyed[i].rule, assignment->value_start,
				assignment->value_end) < 0) {
			return pass->err->code;
		}
	}
	return 0;
}

static bool
ends_line(const struct pass *pass, size_t at)
{
	while (at < pass->len &&
		(char_is_blank(pass->text[at]) || pass->text[at] == ';' ||
			pass->text[at] == '.')) {
		at++;
	}
	return at >= pass->len || pass->text[at] == '\n' || pass->text[at] == '\r';
}

/** A string that is an object in itself, "{\"sig\":\"...\"}": is one of its strings a
 * secret, beside the name of the whole? */
static enum filter_key
judge_object(const struct filter_value *whole)
{
	struct filter_value part = *whole;
	const char *why;

	if (!whole->quoted || whole->len < 20 || whole->text[0] != '{') {
		return FILTER_KEY_NONE;
	}
	part.ends_line = false;
	for (size_t at = 1; at < whole->len; at += part.len + 1) {
		part.text = whole->text + at;
		part.len = 0;
		while (at + part.len < whole->len &&
			!char_is_quote(part.text[part.len]) &&
			memchr("\\:,{}[] ", part.text[part.len], 8) == NULL) {
			part.len++;
		}
		enum filter_key kind =
			part.len >= 16 ? filter_secret(&part, &why) : FILTER_KEY_NONE;
		if (kind == FILTER_KEY_TOKEN || kind == FILTER_KEY_PASSWORD) {
			return kind;
		}
	}
	return FILTER_KEY_NONE;
}

/** One value beside a name: does anything speak against it? */
static int
judge(struct pass *pass, struct assignment *found)
{
	const char *text = pass->text;
	char joined[JOINED_MAX];
	size_t njoined = assign_join(text, pass->len, found, joined, sizeof(joined));
	struct filter_value value = {
		.text = njoined > 0 ? joined : text + found->value_start,
		.len = njoined > 0 ? njoined : found->value_end - found->value_start,
		.name = text + found->key_start,
		.name_len = found->key_end - found->key_start,
		.path = pass->context->path,
		.quoted = found->quote != '\0' || found->form == ASSIGN_ELEMENT,
		.whole_line = found->whole_line,
		.bare_space = found->form == ASSIGN_SPACE && found->quote == '\0',
		.flag = found->flag,
		.tight = found->form == ASSIGN_EQUALS &&
			found->value_start == found->key_end + 1,
		.called = found->form == ASSIGN_CALL,
		.with_user = assign_has_user(text, found->key_start),
		.listed = found->listed,
		.ends_line = ends_line(pass, found->value_end),
	};
	enum filter_key kind = judge_object(&value);
	if (kind == FILTER_KEY_NONE && filter_is_plain(&value)) {
		tell(pass, "generic-secret",
			"its value is a name, a word, prose or an id", found->key_start,
			found->value_end);
		return 0;
	}
	if (try_all_keyed(pass, found) < 0) {
		return pass->err->code;
	}

	const char *why = "";
	kind = kind == FILTER_KEY_NONE ? filter_secret(&value, &why) : kind;
	if (kind == FILTER_KEY_NONE) {
		tell(pass, "generic-secret", why, found->key_start, found->value_end);
		return 0;
	}
	size_t end = found->endless ? assign_end(text, pass->len, found->value_end)
				    : found->value_end;
	emit_rule(pass,
		ruleset_code(pass->context->rules,
			kind == FILTER_KEY_PASSWORD ? RULESET_GENERIC_PASSWORD
						    : RULESET_GENERIC_SECRET),
		FINDING_LIKELY, found->value_start, end);
	return 0;
}

static int
try_named(struct pass *pass, size_t at, size_t len)
{
	struct assign_reader reader = {
		.text = pass->text, .len = pass->len, .hit = at, .hit_len = len
	};
	struct assignment found;
	int ret = 0;

	// One look for all the words of one name.
	if (at < pass->named_done) {
		return 0;
	}
	while (ret == 0 && assign_next(&reader, &found)) {
		pass->named_done = MAX_OF(pass->named_done, found.key_end);
		ret = judge(pass, &found);
	}
	return ret;
}

static void
try_url(struct pass *pass, size_t at)
{
	struct url_password found;

	if (url_read(pass->text, pass->len, at, &found)) {
		emit_rule(pass, ruleset_code(pass->context->rules, RULESET_URL_PASSWORD),
			found.certain ? FINDING_CERTAIN : FINDING_LIKELY, found.start,
			found.end);
	} else {
		tell(pass, "url-password",
			"no password is in this URL, or only a placeholder", at, at + 3);
	}
}

static void
try_pem(struct pass *pass, size_t at)
{
	struct pem_block found;

	if (!pem_read(pass->text, pass->len, at, &found)) {
		tell(pass, "private-key", "no key follows, or it is no base64", at,
			at + 1);
		return;
	}

	uint32_t index = ruleset_code(pass->context->rules,
		found.encrypted ? RULESET_ENCRYPTED_KEY : RULESET_PRIVATE_KEY);
	struct engine_finding finding = {
		.rule = ruleset_rule(pass->context->rules, index)->id,
		.confidence = found.whole && !found.encrypted ? FINDING_CERTAIN
							      : FINDING_LIKELY,
		.order = index,
		.start = found.start,
		.end = found.end,
	};

	// A passphrase is missing yet, and what is made for tests or shown has its own
	// beside it: nobody's door.
	if (found.encrypted &&
		(pass->context->path & (FILTER_PATH_TEST | FILTER_PATH_DOC)) != 0) {
		tell(pass, finding.rule,
			"it is under a passphrase, and its path speaks of tests or docs",
			finding.start, finding.end);
		pem_done(&found);
		return;
	}
	// The same key is the same secret however its lines are broken and escaped.
	fingerprint_of(pass->context, found.bare, found.nbare, finding.fingerprint);
	pem_done(&found);
	add(pass, &finding);
}

static int scan_text(struct pass *pass);

struct wrapping {
	decode_fn *decode;
	bool (*belongs)(char c);
	/** A run of fewer characters is not looked at. */
	size_t least;
};

static bool
is_percent_char(char c)
{
	return (unsigned char)c > 0x20 && !char_is_quote(c) && c != '<' && c != '>' &&
		c != ',' && c != ';' && c != '&';
}

static const struct wrapping *
wrapping_of(enum ruleset_action action)
{
	static const struct wrapping base64 = { decode_base64, char_is_base64, 16 };
	static const struct wrapping hex = { decode_hex, char_is_hex, 24 };
	static const struct wrapping percent = { decode_percent, is_percent_char, 8 };

	return action == RULESET_BASE64 ? &base64
		: action == RULESET_HEX ? &hex
					: &percent;
}

/** Scan what is inside; the whole run is cut when it holds anything. */
static int
scan_inside(struct pass *pass, size_t start, size_t end, size_t len)
{
	struct engine *engine = pass->engine;
	struct pass inner = {
		.engine = engine,
		.context = pass->context,
		.text = engine->decoded,
		.len = len,
		.found = &engine->inner,
		.inner = true,
		.err = pass->err,
	};
	const struct engine_finding *best = NULL;

	engine->inner.count = 0;
	int ret = scan_text(&inner);
	if (ret < 0) {
		return ret;
	}
	for (size_t i = 0; i < engine->inner.count; i++) {
		const struct engine_finding *finding = &engine->inner.list[i];

		if (best == NULL || finding->confidence < best->confidence ||
			(finding->confidence == best->confidence &&
				finding->start < best->start)) {
			best = finding;
		}
	}
	if (best != NULL) {
		struct engine_finding finding = *best;

		finding.start = start;
		finding.end = end;
		append(pass->found, &finding);
	}
	return 0;
}

static int
try_wrapped(struct pass *pass, enum ruleset_action action, size_t at, size_t len)
{
	const struct wrapping *wrapping = wrapping_of(action);
	size_t *done = &pass->wrapped_done[action - RULESET_BASE64];
	size_t start = at, end = at + len;

	if (pass->inner || at < *done) {
		return 0;
	}
	while (start > *done && at - start < WRAPPED_MAX &&
		wrapping->belongs(pass->text[start - 1])) {
		start--;
	}
	while (end < pass->len && end - at < WRAPPED_MAX &&
		wrapping->belongs(pass->text[end])) {
		end++;
	}
	// What fills up the last group belongs to it.
	for (int i = 0; action == RULESET_BASE64 && i < 2 && end < pass->len &&
		pass->text[end] == '=';
		i++) {
		end++;
	}
	*done = end;
	if (end - start < wrapping->least) {
		return 0;
	}

	struct engine *engine = pass->engine;
	if (engine->decoded == NULL) {
		engine->decoded = xmalloc(2 * WRAPPED_MAX + LITERAL_LEN_MAX);
	}
	// Where the run begins is a guess ("key=" may be glued to it): each phase is
	// tried.
	size_t phases = action == RULESET_BASE64 ? 4 : action == RULESET_HEX ? 2 : 1;
	for (size_t phase = 0; phase < phases && start + phase < end; phase++) {
		size_t from = start + phase;
		size_t upto = action == RULESET_HEX ? end - (end - from) % 2 : end;
		size_t before = pass->found->count;
		size_t n = wrapping->decode(pass->text + from, upto - from,
			engine->decoded, 2 * WRAPPED_MAX + LITERAL_LEN_MAX);

		n = decode_wide(engine->decoded, n);

		if (n > 0) {
			int ret = scan_inside(pass, from, upto, n);
			if (ret < 0 || pass->found->count > before) {
				return ret;
			}
		}
	}
	return 0;
}

static int
on_word(size_t start, uint32_t literal, void *payload)
{
	struct pass *pass = payload;
	size_t count;
	const struct ruleset_step *steps =
		ruleset_steps(pass->context->rules, literal, &count);
	int ret = 0;

	for (size_t i = 0; i < count && ret == 0; i++) {
		switch (steps[i].action) {
		case RULESET_TOKEN:
			ret = try_token(pass, steps[i].rule, start);
			break;
		case RULESET_NAMED:
			ret = try_named(pass, start, steps[i].len);
			break;
		case RULESET_URL:
			try_url(pass, start);
			break;
		case RULESET_PEM:
			try_pem(pass, start);
			break;
		case RULESET_BASE64:
		case RULESET_HEX:
		case RULESET_PERCENT:
			ret = try_wrapped(pass, steps[i].action, start, steps[i].len);
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
		fingerprint_of(pass->context, path, strlen(path), finding.fingerprint);
	} else {
		fingerprint_of(pass->context, pass->text + match->start,
			match->end - match->start, finding.fingerprint);
	}
	if (!filter_is_mark(pass->text + match->start, match->end - match->start)) {
		add(pass, &finding);
	}
}

static int
scan_text(struct pass *pass)
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

	int ret = literals_find(ruleset_literals(pass->context->rules), pass->text,
		pass->len, on_word, pass);
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
	int ret = scan_text(&pass);
	if (ret < 0) {
		return ret;
	}
	merge(&engine->found);
	*ret_findings = engine->found.list;
	*ret_count = engine->found.count;
	return 0;
}
