// SPDX-License-Identifier: GPL-2.0-or-later

// Formats that speak for themselves: a pattern tied to its word, a URL, a PEM block.

#include "scanner/engine_pass.h"

#include "base/err.h"
#include "scanner/chars.h"
#include "scanner/filter.h"
#include "scanner/pem.h"
#include "scanner/rule.h"
#include "scanner/url.h"

#include <string.h>

enum {
	/** What a pattern sees from its literal on. */
	WINDOW = 16 * 1024,
};

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
		pass_tell(pass, rule->id, why, from, upto);
	} else if (rule->kind == RULE_KEYED && !(rule->flags & RULE_UUID) &&
		filter_is_id(secret, upto - from)) {
		pass_tell(pass, rule->id, "it is an id, a number or a hash", from, upto);
	} else if (rule->kind == RULE_KEYED && filter_is_name(secret, upto - from)) {
		pass_tell(pass, rule->id, "its value reads like a name", from, upto);
	} else {
		pass_emit_rule(pass, index, rule->confidence, from, upto);
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

int
pass_token(struct pass *pass, uint32_t index, size_t at)
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
		pass_tell(pass, rule->id, "its word stands inside a longer one", at,
			at + 1);
		return 0;
	}

	int found = try_pattern(
		pass, index, start, MIN_OF(pass->len - start, (size_t)WINDOW), &groups);
	if (found == 0) {
		pass_tell(pass, rule->id, "its word is here, and the rest does not fit",
			at, at + 1);
	}
	if (found <= 0) {
		return found;
	}
	offer(pass, index, start, &groups);
	return 0;
}

int
pass_keyed(struct pass *pass, uint32_t index, size_t start, size_t end)
{
	struct pattern_groups groups;
	int found = try_pattern(pass, index, start, end - start, &groups);

	if (found > 0) {
		offer(pass, index, start, &groups);
	}
	return MIN_OF(found, 0);
}

void
pass_url(struct pass *pass, size_t at)
{
	struct url_password found;

	if (url_read(pass->text, pass->len, at, &found)) {
		pass_emit_rule(pass,
			ruleset_code(pass->context->rules, RULESET_URL_PASSWORD),
			found.certain ? FINDING_CERTAIN : FINDING_LIKELY, found.start,
			found.end);
	} else {
		pass_tell(pass, "url-password",
			"no password is in this URL, or only a placeholder", at, at + 3);
	}
}

void
pass_pem(struct pass *pass, size_t at)
{
	struct pem_block found;

	if (!pem_read(pass->text, pass->len, at, &found)) {
		pass_tell(pass, "private-key", "no key follows, or it is no base64", at,
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
		pass_tell(pass, finding.rule,
			"it is under a passphrase, and its path speaks of tests or docs",
			finding.start, finding.end);
		pem_done(&found);
		return;
	}
	// The same key is the same secret however its lines are broken and escaped.
	pass_identify(pass->context, found.bare, found.nbare, &finding);
	pem_done(&found);
	pass_add(pass, &finding);
}
