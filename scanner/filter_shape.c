// SPDX-License-Identifier: GPL-2.0-or-later

// What a value is by itself, whatever its name: a placeholder, a reference, an id.

#include "scanner/filter.h"

#include "scanner/chars.h"
#include "scanner/filter_look.h"
#include "scanner/filter_words.h"
#include "scanner/rarity.h"
#include "scanner/words.h"

#include <string.h>

bool
filter_is_mark(const char *text, size_t len)
{
	static const char start[] = "REDACTED.";
	size_t at = sizeof(start) - 1;
	size_t id = at;

	if (len < sizeof(start) + 9 || memcmp(text, start, at) != 0) {
		return false;
	}
	while (at < len &&
		(char_is_lower(text[at]) || char_is_digit(text[at]) || text[at] == '-' ||
			text[at] == '_')) {
		at++;
	}
	if (at == id || at + 9 != len || text[at] != '.') {
		return false;
	}
	for (size_t i = at + 1; i < len; i++) {
		if (char_hex(text[i]) < 0) {
			return false;
		}
	}
	return true;
}

bool
filter_is_dull(const char *text, size_t len)
{
	len = MIN_OF(len, (size_t)LOOK_MAX);
	struct look look = look_at(text, len);
	size_t steps = 0;
	size_t same = 0;

	if (len >= 8 && look.distinct < MIN_OF(len / 3 + 1, (size_t)6)) {
		return true;
	}
	for (size_t i = 1; i < len; i++) {
		int step = char_lower(text[i]) - char_lower(text[i - 1]);

		steps += step == 1 || step == -1 ||
			(text[i - 1] == '9' && text[i] == '0') ||
			(text[i - 1] == '9' && char_lower(text[i]) == 'a');
		same += text[i] == text[i - 1];
	}
	if (len >= 6 && (steps + same) * 10 >= (len - 1) * 6) {
		return true;
	}
	// A short block again and again.
	for (size_t period = 1; period <= len / 3 && period <= 10; period++) {
		if (memcmp(text, text + period, len - period) == 0) {
			return true;
		}
	}
	return false;
}

static bool
is_bracketed(const char *text, size_t len)
{
	static const struct {
		const char *open;
		const char *close;
	} pairs[] = {
		{ "${", "}" },
		{ "$(", ")" },
		{ "{{", "}}" },
		{ "<", ">" },
		{ "%", "%" },
		{ "#{", "}" },
		{ "<%", "%>" },
		{ "[", "]" },
		{ "((", "))" },
		{ "@@", "@@" },
		{ "__", "__" },
		{ "{", "}" },
		{ "*", "*" },
		{ "@", "@" },
		{ "(", ")" },
		{ "%{", "}" },
		{ "[[", "]]" },
		{ "$[", "]" },
	};

	for (size_t i = 0; i < countof(pairs); i++) {
		if (pairs[i].open[0] != text[0]) {
			continue;
		}
		size_t open = strlen(pairs[i].open), close = strlen(pairs[i].close);
		if (len > open + close && memcmp(text, pairs[i].open, open) == 0 &&
			memcmp(text + len - close, pairs[i].close, close) == 0) {
			return true;
		}
	}
	return false;
}

static bool
holds_any(const char *text, size_t len, const char *chars)
{
	for (; *chars != '\0'; chars++) {
		if (memchr(text, *chars, len) != NULL) {
			return true;
		}
	}
	return false;
}

/** "%s", "%d", "%v": and no letter behind it. */
static bool
has_conversion(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] == '%' && memchr("sdv", text[i + 1], 3) != NULL &&
			(i + 2 == len || !char_is_alnum(text[i + 2]))) {
			return true;
		}
	}
	return false;
}

/** A name in a shell, a template or a format string stands for the value. */
static bool
is_variable(const char *text, size_t len)
{
	if (!holds_any(text, len, "$%{<#")) {
		return false;
	}
	struct look look = look_at(text, len);
	// $DBRWPW
	if (text[0] == '$' && len > 2 && char_is_upper(text[1]) && look.lower == 0 &&
		look.digit * 4 <= len) {
		size_t at = 1;

		while (at < len && char_is_word(text[at])) {
			at++;
		}
		if (at == len) {
			return true;
		}
	}
	if (len >= 2 && (text[0] == '$' || text[0] == '%')) {
		size_t at = text[1] == '{' || text[1] == '(' ? 2 : 1;
		size_t from = at;

		while (at < len &&
			(char_is_word(text[at]) || text[at] == '.' || text[at] == '-' ||
				text[at] == ':' || text[at] == '>')) {
			at++;
		}
		if (at > from && (at == len || at + 1 >= len) &&
			!char_is_digit(text[1])) {
			look = look_at(text + 1, len - 1);
			return rarity(text + 1, len - 1) < 44 && (look.digit * 3 < len);
		}
		if (at > from && from == 2) {
			return true;
		}
	}
	return word_in(text, len, A_WORD("${")) || word_in(text, len, A_WORD("{{")) ||
		word_in(text, len, A_WORD("%(")) || word_in(text, len, A_WORD("<%")) ||
		word_in(text, len, A_WORD("#{")) || word_in(text, len, A_WORD("$(")) ||
		(len < 24 && !filter_is_scrambled(text, len, &look) &&
			(has_conversion(text, len) || word_in(text, len, A_WORD("{}")) ||
				word_in(text, len, A_WORD("{0}")) ||
				word_in(text, len, A_WORD("{1}"))));
}

// xxxx, ****, ...., 0000: one character makes most of it.
static bool
is_one_character(const char *text, size_t len)
{
	size_t most = 0;

	for (size_t i = 0; i < len; i++) {
		size_t run = 1;

		while (i + run < len && text[i + run] == text[i]) {
			run++;
		}
		most = MAX_OF(most, run);
		i += run - 1;
	}
	return most >= 4 &&
		(most * 2 >= len || memmem(text, len, "xxxx", 4) != NULL ||
			memmem(text, len, "XXXX", 4) != NULL ||
			memmem(text, len, "****", 4) != NULL);
}

/** "'+x+'", "<b>...": a piece of a program's string or of a page. */
static bool
is_piece(const char *text, size_t len)
{
	size_t at = 1;

	if (len > 3 && char_is_quote(text[0])) {
		at += text[at] == ' ';
		return text[at] == '+';
	}
	if (text[0] != '<' || len < 4) {
		return false;
	}
	while (at < len && (char_is_alnum(text[at]) || text[at] == '/')) {
		at++;
	}
	return at > 1 && at + 1 < len && text[at] == '>' &&
		memmem(text + at, len - at, "</", 2) != NULL;
}

// A regular expression.
static bool
is_pattern(const char *text, size_t len, const struct look *look)
{
	if (memchr(text, '[', len) != NULL &&
		(memmem(text, len, "0-9", 3) != NULL ||
			memmem(text, len, "a-z", 3) != NULL ||
			memmem(text, len, "A-Z", 3) != NULL)) {
		return true;
	}
	return holds_any(text, len, "\\[.") && !filter_is_scrambled(text, len, look) &&
		(memmem(text, len, "\\w", 2) != NULL ||
			memmem(text, len, "\\d", 2) != NULL ||
			memmem(text, len, "[^", 2) != NULL ||
			memmem(text, len, ".*", 2) != NULL);
}

bool
filter_is_placeholder(const char *text, size_t len)
{
	len = MIN_OF(len, (size_t)LOOK_MAX);
	struct look look = look_at(text, len);

	if (len == 0 || filter_is_mark(text, len)) {
		return true;
	}
	if (look.lower + look.upper + look.digit == 0 || is_bracketed(text, len) ||
		is_variable(text, len) || filter_is_covered(text, len)) {
		return true;
	}
	if (is_piece(text, len) || is_one_character(text, len) ||
		is_pattern(text, len, &look)) {
		return true;
	}
	if (memmem(text, len, "...", 3) != NULL ||
		memmem(text, len, "\xe2\x80\xa6", 3) != NULL) {
		return true;
	}
	// The colours of a terminal.
	static const struct word colours[] = { WORD("\\x1b["), WORD("\\033["),
		WORD("\\e["), WORD("\\u001b[") };
	if (word_begins_any(text, len, colours, countof(colours))) {
		return true;
	}
	// What providers print into the samples of their documents.
	if (memmem(text, len, "EXAMPLE", 7) != NULL ||

		(text[0] == '&' &&
			(memmem(text, len, "&#x", 3) != NULL ||
				memmem(text, len, "quo;", 4) != NULL ||
				memmem(text, len, "&lt;", 4) != NULL))) {
		return true;
	}
	// A word that says so, in a value that is not long and random besides.
	static const struct word say[] = { WORD("example"), WORD("placeholder"),
		WORD("changeme"), WORD("change_me"), WORD("change-me"),
		WORD("replace_me"), WORD("replaceme"), WORD("your_"), WORD("your-"),
		WORD("yourpass"), WORD("insert_"), WORD("dummy"), WORD("todo"),
		WORD("redacted"), WORD("not-a-real"), WORD("notareal"), WORD("fake"),
		WORD("sample") };
	bool says = word_in_any(text, len, say, countof(say));
	for (size_t i = 0; says && i < countof(say); i++) {
		if (say[i].len * 5 >= len && word_in(text, len, &say[i])) {
			return true;
		}
	}
	return false;
}

/** json:"x", ?model=x, --flag, x.(*T): what programs and commands have in strings. */
static bool
is_syntax(const char *text, size_t len)
{
	size_t at = 0;

	if (len > 3 && text[0] == '-' && text[1] == '-' && char_is_alpha(text[2])) {
		return true;
	}
	at += text[0] == '?';
	while (at < len && (char_is_word(text[at]) || text[at] == '-')) {
		at++;
	}
	if (text[0] == '?') {
		return at > 1 && at < len && text[at] == '=';
	}
	return at > 0 && at + 2 < len &&
		((text[at] == ':' && text[at + 1] == '"') ||
			(text[at] == '.' && text[at + 1] == '('));
}

/** a.b.c, a::b, a->b, a[0]: names of other things. */
static bool
is_code_path(const char *text, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '.' || (c == ':' && i > 0 && text[i - 1] == ':') ||
			(c == '>' && i > 0 && text[i - 1] == '-')) {
			dots++;
		} else if (!char_is_word(c) && c != ':' && c != '-' && c != '[' &&
			c != ']' && c != '?' && c != '!' && c != '$' && c != '@') {
			return false;
		}
	}
	if (dots == 0 || !char_is_alpha(text[0])) {
		return false;
	}
	struct look look = look_at(text, len);
	return rarity(text, len) < 36 && !filter_is_scrambled(text, len, &look);
}

bool
filter_is_reference(const char *text, size_t len)
{
	static const struct word starts_with[] = { WORD("process.env"),
		WORD("os.environ"), WORD("os.getenv"), WORD("env."), WORD("env:"),
		WORD("env("), WORD("getenv"), WORD("system.getenv"),
		WORD("system.getproperty"), WORD("vault:"), WORD("vault/"),
		WORD("secret/"), WORD("secrets."), WORD("secretsmanager"),
		WORD("arn:aws"), WORD("ssm:"), WORD("kms:"), WORD("op://"),
		WORD("keyring:"), WORD("file:"), WORD("file://"), WORD("http://"),
		WORD("https://"), WORD("data:"), WORD("self."), WORD("this."),
		WORD("config."), WORD("settings."), WORD("options."), WORD("args."),
		WORD("params."), WORD("request."), WORD("ctx."), WORD("var."),
		WORD("local."), WORD("module."), WORD("props."), WORD("process."),
		WORD("nil"), WORD("null"), WORD("none"), WORD("true"), WORD("false"),
		WORD("undefined"), WORD("new "), WORD("function"), WORD("async "),
		WORD("await "), WORD("return "), WORD("lambda"), WORD("!ref"),
		WORD("!sub"), WORD("!getatt"), WORD("sops:"), WORD("enc["),
		WORD("projects/"), WORD("import"), WORD("context."), WORD("application/"),
		WORD("text/"), WORD("image/"), WORD("multipart/"), WORD("ref+"),
		WORD("@microsoft.keyvault") };

	if (word_begins_any(text, len, starts_with, countof(starts_with))) {
		return true;
	}
	// A call: name(...
	const char *paren = memchr(text, '(', len);
	if (paren != NULL && paren > text && char_is_word(paren[-1])) {
		size_t i = 0;

		while (text + i < paren &&
			(char_is_word(text[i]) || text[i] == '.' || text[i] == ':' ||
				text[i] == '>' || text[i] == '-')) {
			i++;
		}
		const char *close = memchr(text, ')', len);
		// A bracket that closes before more letters follow is no call.
		bool inner = close != NULL && close + 1 < text + len &&
			char_is_alnum(close[1]);
		if (text + i == paren && !inner && rarity(text, i) < 40) {
			return true;
		}
	}
	if (is_syntax(text, len) || is_code_path(text, len)) {
		return true;
	}
	// The rest of a URL whose scheme ends like a name: "otpauth:".
	if (word_begins(text, len, A_WORD("//")) && memchr(text, '?', len) != NULL) {
		return true;
	}
	// A path: begins like one, or its parts are words.
	if (text[0] == '/' || text[0] == '~' || word_begins(text, len, A_WORD("./")) ||
		word_begins(text, len, A_WORD("../")) ||
		word_begins(text, len, A_WORD("c:\\"))) {
		return memchr(text + 1, '/', len - 1) != NULL ? rarity(text, len) < 40
							      : rarity(text, len) < 34;
	}
	return false;
}

/** What crypt(3), LDAP and their like keep in place of a password. */
static bool
is_password_hash(const char *text, size_t len)
{
	static const struct word starts_with[] = { WORD("$1$"), WORD("$2a$"),
		WORD("$2b$"), WORD("$2y$"), WORD("$5$"), WORD("$6$"), WORD("$8$"),
		WORD("$y$"), WORD("$7$"), WORD("$apr1$"), WORD("$argon2"),
		WORD("$pbkdf2"), WORD("$scrypt$"), WORD("pbkdf2_"), WORD("{crypt}"),
		WORD("{ssha}"), WORD("{sha}"), WORD("{ssha512}"), WORD("{smd5}"),
		WORD("{md5}"), WORD("{bcrypt}"), WORD("scram-sha-"), WORD("bcrypt") };

	return word_begins_any(text, len, starts_with, countof(starts_with));
}

/** The address of an account or a contract: 0x and 40 digits. */
static bool
is_address(const char *text, size_t len)
{
	return len == 42 && text[0] == '0' && text[1] == 'x' &&
		look_is_hex(text + 2, len - 2);
}

/** A value of a SealedSecret: only its cluster can open it. */
static bool
is_sealed(const char *text, size_t len)
{
	if (len < LOOK_MAX || text[0] != 'A' || text[1] != 'g' ||
		memchr("ABCD", text[2], 4) == NULL) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!char_is_alnum(text[i]) && memchr("+/=", text[i], 3) == NULL) {
			return false;
		}
	}
	return true;
}

/** 464/tcp: a port, as /etc/services and firewalls write it. */
static bool
is_port(const char *text, size_t len)
{
	static const struct word words[] = { WORD("tcp"), WORD("udp"), WORD("sctp"),
		WORD("dccp") };
	size_t digits = 0;

	while (digits < len && char_is_digit(text[digits])) {
		digits++;
	}
	return digits > 0 && digits <= 5 && digits < len && text[digits] == '/' &&
		word_is(text + digits + 1, len - digits - 1, words, countof(words));
}

bool
filter_is_id(const char *text, size_t len)
{
	static const struct word starts_with[] = { WORD("sha1-"), WORD("sha256-"),
		WORD("sha384-"), WORD("sha512-"), WORD("sha1:"), WORD("sha256:"),
		WORD("sha384:"), WORD("sha512:"), WORD("md5:"), WORD("md5-"),
		WORD("urn:uuid:"), WORD("h1:"),
		// What providers give out for the public: their own word for it.
		WORD("pk.eyj"), WORD("pk_test_"), WORD("pk_live_"), WORD("phc_"),
		WORD("sb_publishable_"),
		// The start of every public key of a kind: what follows is the number.
		WORD("mfkwewyhkozizj0caqyikozizj0daqcdqgae"),
		WORD("miibijanbgkqhkig9w0baqefaaocaq8a"),
		WORD("migfma0gcsqgsib3dqebaquaa4gnadcb"), WORD("mcowbqydk2vw"),
		WORD("mcowbqydk2vu"),
		// "-----BEGIN CERTIFICATE" and "-----BEGIN PUBLIC" in base64.
		WORD("ls0tls1crudjtibdrvju"), WORD("ls0tls1crudjtibqvujm") };

	if (word_begins_any(text, len, starts_with, countof(starts_with))) {
		return true;
	}
	return is_port(text, len) || look_is_uuid(text, len) ||
		look_is_number(text, len) || is_password_hash(text, len) ||
		is_address(text, len) || is_sealed(text, len);
}
