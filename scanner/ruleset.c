// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Every literal of every rule becomes one word to look for, once, with the list of steps
 * it leads to.  The words of certain token rules are looked for in percent escapes too.
 */

#include "scanner/ruleset.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "scanner/chars.h"
#include "scanner/gitleaks.h"
#include "scanner/literal.h"
#include "scanner/pattern.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	/** A shorter word in escapes stands there by chance. */
	ESCAPED_LITERAL_MIN = 4,
};

struct listed_step {
	struct ruleset_step step;
	uint32_t literal;
};

struct ruleset {
	const struct rule **rules;
	_Atomic(struct pattern *) *patterns;
	size_t count;
	uint32_t codes[RULESET_NCODES];
	struct ruleset_keyed *keyed;
	size_t nkeyed;
	size_t keyed_size;
	/** Afterwards: where those of each pair of letters begin; the next one's is the
	 * end. */
	uint32_t pairs[RULESET_PAIRS + 1];
	struct gitleaks *user;

	struct literal *list;
	size_t nliterals;
	size_t literals_size;
	struct literals *literals;
	/** While building: in order of rules.  Afterwards: grouped by literal. */
	struct listed_step *listed;
	size_t nlisted;
	size_t listed_size;
	struct ruleset_step *steps;
	uint32_t *first;
	/** Open hash of the words while building. */
	uint32_t *index;
	size_t index_size;
};

static const char *const code_ids[RULESET_NCODES] = {
	[RULESET_PRIVATE_KEY] = "private-key",
	[RULESET_ENCRYPTED_KEY] = "encrypted-private-key",
	[RULESET_URL_PASSWORD] = "url-password",
	[RULESET_GENERIC_PASSWORD] = "generic-password",
	[RULESET_GENERIC_SECRET] = "generic-secret",
	[RULESET_WIF] = "wif-private-key",
	[RULESET_MAILGUN] = "mailgun-sending-key",
	[RULESET_PHRASE] = "recovery-phrase",
};

static uint32_t
hash_literal(const struct literal *literal)
{
	uint32_t hash =
		2166136261u ^ literal->nocase ^ (uint32_t)literal->before_word << 1;

	for (size_t i = 0; i < literal->len; i++) {
		hash = (hash ^ (unsigned char)literal->text[i]) * 16777619u;
	}
	return hash;
}

/** The number of a literal, new or known. */
static uint32_t
literal_index(struct ruleset *rules, const struct literal *literal)
{
	size_t slot = hash_literal(literal) % rules->index_size;

	for (; rules->index[slot] != 0; slot = (slot + 1) % rules->index_size) {
		const struct literal *known = &rules->list[rules->index[slot] - 1];

		if (known->nocase == literal->nocase && known->len == literal->len &&
			known->before_word == literal->before_word &&
			memcmp(known->text, literal->text, literal->len) == 0) {
			return rules->index[slot] - 1;
		}
	}
	rules->list = xgrow(rules->list, rules->nliterals, &rules->literals_size,
		sizeof(*rules->list));
	rules->list[rules->nliterals++] = *literal;
	rules->index[slot] = (uint32_t)rules->nliterals;
	return (uint32_t)rules->nliterals - 1;
}

static void
add_step(struct ruleset *rules, const char *text, size_t len, bool nocase,
	enum ruleset_action action, uint32_t rule)
{
	struct literal literal = {
		.len = (uint8_t)len,
		.nocase = nocase,
		.before_word = action == RULESET_TOKEN && len == LITERAL_LEN_MIN,
	};

	assert(len >= LITERAL_LEN_MIN && len <= LITERAL_LEN_MAX);
	for (size_t i = 0; i < len; i++) {
		literal.text[i] = nocase ? char_lower(text[i]) : text[i];
	}

	struct listed_step listed = {
		.step = { .action = action, .rule = rule, .len = (uint32_t)len },
		.literal = literal_index(rules, &literal),
	};
	rules->listed =
		xgrow(rules->listed, rules->nlisted, &rules->listed_size, sizeof(listed));
	rules->listed[rules->nlisted++] = listed;
}

/** Two digits. */
static size_t
write_hex(char byte, char *out)
{
	static const char digits[] = "0123456789abcdef";

	out[0] = digits[(unsigned char)byte >> 4];
	out[1] = digits[(unsigned char)byte & 15];
	return 2;
}

/** The word with each character as a percent escape. */
static void
add_escaped(struct ruleset *rules, const char *text, size_t len)
{
	char percent[LITERAL_LEN_MAX];
	size_t n = 0;

	for (size_t i = 0; i < len && n + 3 <= LITERAL_LEN_MAX; i++) {
		percent[n++] = '%';
		n += write_hex(text[i], percent + n);
	}
	if (len >= ESCAPED_LITERAL_MIN) {
		add_step(rules, percent, n, true, RULESET_PERCENT, 0);
	}
}

static void
add_keyed(struct ruleset *rules, const char *text, size_t len, uint32_t rule)
{
	struct ruleset_keyed *keyed;

	rules->keyed = xgrow(
		rules->keyed, rules->nkeyed, &rules->keyed_size, sizeof(*rules->keyed));
	keyed = &rules->keyed[rules->nkeyed++];
	*keyed = (struct ruleset_keyed){ .len = len, .rule = rule };
	assert(len < sizeof(keyed->word));
	memcpy(keyed->word, text, len);
}

/** The words of one row: separated by '|', '~' for letters in either case. */
static void
add_rule(struct ruleset *rules, uint32_t index)
{
	const struct rule *rule = rules->rules[index];

	for (const char *at = rule->literals; *at != '\0';) {
		size_t len = strcspn(at, "|");
		bool nocase = *at == '~';
		const char *text = at + nocase;
		size_t text_len = len - nocase;

		if (rule->kind == RULE_KEYED) {
			add_keyed(rules, text, text_len, index);
		} else {
			add_step(rules, text, text_len, nocase, RULESET_TOKEN, index);
		}
		if (rule->kind == RULE_TOKEN && rule->confidence == FINDING_CERTAIN &&
			!nocase && rule->back == 0 && !(rule->flags & RULE_UNWRAPPED)) {
			add_escaped(rules, text, text_len);
		}
		at += len + (at[len] == '|');
	}
}

static void
add_code(struct ruleset *rules)
{
	static const char *const generic[] = { "password", "passwd", "passwort",
		"passphrase", "passcode", "kennwort", "senha", "contrasena", "motdepasse",
		"secret", "token", "apikey", "api_key", "api-key", "api key",
		"access key", "access_key", "accesskey", "access-key", "credential",
		"_key", "key =", "key :", "key - ", "totp", "seed", "2fa_", "mfa_",
		"dsn=", "dsn:", "apisid", "-key", "key=", "key:", "key\"", "key'", "auth",
		"pwd=", "pwd:", "pwd\"", "pwd'", "pwd>", "pwd ", "_pwd", "pwd_", "pwd)",
		"pwd]", "pass", "_salt", "_pw=", "_pw:", "_pw\"", "_pw ", "_pw'", "creds",
		"private_key", "privatekey", "_jwt", "jwt=", "jwt:", "jwt\"", "jwt_",
		"jwt-", "jwt'", "nkey", "hmac", "bearer", "fernet", "mnemonic",
		"_pat=", "_pat:", "_pat\"", "_pat'", "_pat ", "pw: ", "pw = ", "pw=\"",
		"pw='", " pw=", "&pw=", "psk=", "psk:", "psk\"", "masterauth", "authtok",
		"rootpw", "bindpw", "wachtwoord", "adgangskode", "salasana", "parola",
		"haslo", "losenord", " pw ", "\"pw ", "\npw ", "account.key", "пароль",
		"пароля", "密码", "密碼", "パスワード", "비밀번호", "contraseña", "hasło",
		"lösenord", "jelszó", "şifre", "Пароль", "ПАРОЛЬ", "Şifre", "heslo",
		"passord", "clave", "mật khẩu", "κωδικός", "Κωδικός", "كلمة المرور",
		"كلمة السر", "סיסמה", "סיסמא", "पासवर्ड", "รหัสผ่าน", "\"pw\"", "'pw'",
		"pw\\\"", " pw,", "pw[] =", "salt' =", "salt\" =", "mdp ",
		"mdp:", "mdp=", "mdp_", "mdp\"", "mdp'", "pass>", "_pw>" };
	static const char *const manifests[] = { "kind: secret", "\"kind\": \"secret\"",
		"\"kind\":\"secret\"" };
	static const char *const wrapped[] = { "password", "PASSWORD", "secret", "SECRET",
		"api_key", "API_KEY", "PRIVATE KEY", "postgres://", "mysql://", "mongodb",
		"redis://", "amqp://" };

	static const char *const escapes[] = { "%3a%2f%2f", "%5f", "%2d", "%3aaa",
		"%3a%20", "%22%3a", "\\u005f", "\\u002d", "\\x5f", "\\x2d",
		"private%20key", "private+key" };

	for (size_t i = 0; i < countof(generic); i++) {
		add_step(rules, generic[i], strlen(generic[i]), true, RULESET_NAMED, 0);
	}
	for (size_t i = 0; i < countof(wrapped); i++) {
		add_escaped(rules, wrapped[i], strlen(wrapped[i]));
	}
	for (size_t i = 0; i < countof(manifests); i++) {
		add_step(rules, manifests[i], strlen(manifests[i]), true,
			RULESET_MANIFEST, 0);
	}
	add_step(rules, "Key>", 4, true, RULESET_NAMED, 0);
	add_step(rules, "://", 3, false, RULESET_URL, 0);
	add_step(rules, "PRIVATE KEY", 11, false, RULESET_PEM, 0);
	// An escape inside a token or a name hides its words.
	for (size_t i = 0; i < countof(escapes); i++) {
		add_step(rules, escapes[i], strlen(escapes[i]), true, RULESET_PERCENT, 0);
	}
}

static void
add_user(struct ruleset *rules)
{
	size_t count = rules->user != NULL ? gitleaks_count(rules->user) : 0;

	for (size_t i = 0; i < count; i++) {
		const char *keyword;

		for (size_t j = 0;
			(keyword = gitleaks_keyword(rules->user, i, j)) != NULL; j++) {
			size_t len = strlen(keyword);

			if (len >= GITLEAKS_KEYWORD_MIN) {
				len = MIN_OF(len, (size_t)LITERAL_LEN_MAX);
				add_step(rules, keyword, len, true, RULESET_USER,
					(uint32_t)i);
				add_escaped(rules, keyword, len);
			}
		}
	}
}

static int
compare_keyed(const void *left_void, const void *right_void)
{
	const struct ruleset_keyed *left = left_void, *right = right_void;
	size_t left_pair = ruleset_pair(left->word);
	size_t right_pair = ruleset_pair(right->word);

	if (left_pair != right_pair) {
		return left_pair < right_pair ? -1 : 1;
	}
	return left->rule < right->rule ? -1 : left->rule > right->rule;
}

static void
group_keyed(struct ruleset *rules)
{
	if (rules->nkeyed > 0) {
		qsort(rules->keyed, rules->nkeyed, sizeof(*rules->keyed), compare_keyed);
	}
	for (size_t i = 0; i < rules->nkeyed; i++) {
		rules->pairs[ruleset_pair(rules->keyed[i].word) + 1]++;
	}
	for (size_t i = 0; i < RULESET_PAIRS; i++) {
		rules->pairs[i + 1] += rules->pairs[i];
	}
}

/** Sort the steps by literal, in place of a list for each. */
static void
group_steps(struct ruleset *rules)
{
	rules->first = xcalloc(rules->nliterals + 2, sizeof(*rules->first));
	rules->steps = xcalloc(rules->nlisted + 1, sizeof(*rules->steps));
	for (size_t i = 0; i < rules->nlisted; i++) {
		rules->first[rules->listed[i].literal + 2]++;
	}
	for (size_t i = 2; i < rules->nliterals + 2; i++) {
		rules->first[i] += rules->first[i - 1];
	}
	for (size_t i = 0; i < rules->nlisted; i++) {
		rules->steps[rules->first[rules->listed[i].literal + 1]++] =
			rules->listed[i].step;
	}
	free(rules->listed);
	rules->listed = NULL;
}

static void
take_tables(struct ruleset *rules)
{
	size_t size = 0;

	for (const struct rule_table *const *table = rule_tables; *table != NULL;
		table++) {
		for (size_t i = 0; i < (*table)->count; i++) {
			const struct rule *rule = &(*table)->rules[i];

			if (rules->user != NULL &&
				gitleaks_disables(rules->user, rule->id)) {
				continue;
			}
			rules->rules = xgrow(
				rules->rules, rules->count, &size, sizeof(*rules->rules));
			rules->rules[rules->count++] = rule;
		}
	}
	rules->patterns =
		xcalloc(MAX_OF(rules->count, (size_t)1), sizeof(*rules->patterns));
	for (size_t i = 0; i < rules->count; i++) {
		for (size_t code = 0; code < RULESET_NCODES; code++) {
			if (strcmp(rules->rules[i]->id, code_ids[code]) == 0) {
				rules->codes[code] = (uint32_t)i;
			}
		}
	}
}

struct ruleset *
ruleset_new(struct gitleaks *user, bool builtin)
{
	struct ruleset *rules = xcalloc(1, sizeof(*rules));

	rules->user = user;
	rules->index_size = 16384;
	rules->index = xcalloc(rules->index_size, sizeof(*rules->index));
	if (builtin) {
		take_tables(rules);
		for (size_t i = 0; i < rules->count; i++) {
			if (!(rules->rules[i]->flags & RULE_CODE)) {
				add_rule(rules, (uint32_t)i);
			}
		}
		add_code(rules);
	}
	add_user(rules);
	group_steps(rules);
	group_keyed(rules);
	rules->literals = literals_new(rules->list, rules->nliterals);
	free(rules->list);
	rules->list = NULL;
	free(rules->index);
	rules->index = NULL;
	return rules;
}

void
ruleset_free(struct ruleset *rules)
{
	if (rules == NULL) {
		return;
	}
	for (size_t i = 0; i < rules->count; i++) {
		pattern_free(atomic_load(&rules->patterns[i]));
	}
	literals_free(rules->literals);
	gitleaks_free(rules->user);
	free(rules->keyed);
	free(rules->rules);
	free(rules->patterns);
	free(rules->steps);
	free(rules->first);
	free(rules);
}

const struct literals *
ruleset_literals(const struct ruleset *rules)
{
	return rules->literals;
}

const struct ruleset_step *
ruleset_steps(const struct ruleset *rules, uint32_t literal, size_t *ret_count)
{
	uint32_t first = rules->first[literal];

	*ret_count = rules->first[literal + 1] - first;
	return &rules->steps[first];
}

size_t
ruleset_count(const struct ruleset *rules)
{
	return rules->count;
}

const struct rule *
ruleset_rule(const struct ruleset *rules, uint32_t rule)
{
	return rules->rules[rule];
}

uint32_t
ruleset_code(const struct ruleset *rules, enum ruleset_code code)
{
	return rules->codes[code];
}

const struct ruleset_keyed *
ruleset_keyed(const struct ruleset *rules, size_t pair, size_t *ret_count)
{
	*ret_count = rules->pairs[pair + 1] - rules->pairs[pair];
	return rules->keyed + rules->pairs[pair];
}

const struct gitleaks *
ruleset_user(const struct ruleset *rules)
{
	return rules->user;
}

/** Most patterns end where the token's characters end; the row need not say so. */
static char *
full_source(const struct rule *rule)
{
	if (rule->kind == RULE_KEYED ||
		(rule->flags & (RULE_OPEN_END | RULE_CHECKED_END))) {
		return xstrdup(rule->pattern);
	}
	return xasprintf("(?:%s)(?![A-Za-z0-9%s])", rule->pattern,
		strstr(rule->pattern, "_-]") != NULL ? "_-" : "");
}

int
ruleset_pattern(const struct ruleset *rules, uint32_t rule,
	const struct pattern **ret_pattern, struct err *err)
{
	struct pattern *known = atomic_load(&rules->patterns[rule]);

	if (known == NULL) {
		const struct rule *row = rules->rules[rule];
		AUTO_FREE char *source = full_source(row);
		unsigned int flags = PATTERN_ANCHORED;
		struct pattern *made;

		if (row->kind == RULE_KEYED && !(row->flags & RULE_OPEN_END)) {
			flags |= PATTERN_WHOLE;
		}
		if (pattern_new(source, flags, &made, err) < 0) {
			return err_raise(
				err, ERR_BUG, "rule %s does not compile", row->id);
		}
		// Two threads may get here; the first one's pattern stays.
		if (atomic_compare_exchange_strong(
			    &rules->patterns[rule], &known, made)) {
			known = made;
		} else {
			pattern_free(made);
		}
	}
	*ret_pattern = known;
	return 0;
}

void
ruleset_hash(const struct ruleset *rules, struct hash *hash)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = rules->rules[i];

		hash_add(hash, rule->id, strlen(rule->id) + 1);
	}
	if (rules->user != NULL) {
		gitleaks_hash(rules->user, hash);
	}
}
