// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/ruleset - all rules in force, and which word leads to which.
 *
 * Knows: literal, pattern, rule, gitleaks.
 * Owns:  the literals, the compiled patterns and the users' rules.
 * Never: changes after ruleset_new(), except that a pattern is compiled at its first use
 *        (by any thread; one wins).
 */

#ifndef SCANNER_RULESET_H
#define SCANNER_RULESET_H

#include "base/base.h"
#include "scanner/rule.h"

struct err;
struct gitleaks;
struct literals;
struct pattern;
struct ruleset;

/** What a word in the text asks for. */
enum ruleset_action {
	/** Try a token rule here. */
	RULESET_TOKEN,
	/** The word is in a name that promises a secret: look at its value. */
	RULESET_NAMED,
	RULESET_URL,
	RULESET_PEM,
	/** A Secret of Kubernetes. */
	RULESET_MANIFEST,
	/** A word in percent escapes: decode what is around it. */
	RULESET_PERCENT,
	/** A keyword of a user's rule. */
	RULESET_USER,
};

struct ruleset_step {
	enum ruleset_action action;
	/** Of a rule, or of a user's rule. */
	uint32_t rule;
	/** Of the literal. */
	uint32_t len;
};

/** The engine's own rules. */
enum ruleset_code {
	RULESET_PRIVATE_KEY,
	RULESET_ENCRYPTED_KEY,
	RULESET_URL_PASSWORD,
	RULESET_GENERIC_PASSWORD,
	RULESET_GENERIC_SECRET,
	RULESET_WIF,
	RULESET_MAILGUN,
	RULESET_PHRASE,
	RULESET_NCODES,
};

/**
 * @user
 *         The users' rules, or NULL.  Takes ownership, even on failure.
 * @builtin
 *         Are our own rules in force?
 */
struct ruleset *ruleset_new(struct gitleaks *user, bool builtin) MUST_CHECK;
/** Accepts NULL. */
void ruleset_free(struct ruleset *rules);

const struct literals *ruleset_literals(const struct ruleset *rules) NONNULL;
/** The steps of a literal; borrowed. */
const struct ruleset_step *
ruleset_steps(const struct ruleset *rules, uint32_t literal, size_t *ret_count) NONNULL;

/** Built-in rules; 0 when they are not in force. */
size_t ruleset_count(const struct ruleset *rules) NONNULL;
const struct rule *ruleset_rule(const struct ruleset *rules, uint32_t rule) NONNULL;
uint32_t ruleset_code(const struct ruleset *rules, enum ruleset_code code) NONNULL;
/** A keyed rule and one of its words, in lower case. */
enum {
	RULESET_PAIRS = 1024,
};

struct ruleset_keyed {
	char word[32];
	size_t len;
	uint32_t rule;
};
/** Those whose words begin with a pair of letters; borrowed. */
const struct ruleset_keyed *
ruleset_keyed(const struct ruleset *rules, size_t pair, size_t *ret_count) NONNULL;

/** A number below RULESET_PAIRS for the two letters at @text. */
static inline size_t
ruleset_pair(const char *text)
{
	return ((size_t)(unsigned char)text[0] * 31 + (unsigned char)text[1]) %
		RULESET_PAIRS;
}
/** NULL when there are none. */
const struct gitleaks *ruleset_user(const struct ruleset *rules) NONNULL;

/** Compiles it when nobody has yet.  BUG when it does not compile. */
int ruleset_pattern(const struct ruleset *rules, uint32_t rule,
	const struct pattern **ret_pattern, struct err *err) NONNULL MUST_CHECK;

/** Add everything that decides about a finding to a hash. */
struct hash;
void ruleset_hash(const struct ruleset *rules, struct hash *hash) NONNULL;

#endif
