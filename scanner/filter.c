// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/filter.h"

#include "scanner/chars.h"
#include "scanner/rarity.h"

#include <string.h>

enum {
	/** Of a longer value only the start is looked at. */
	LOOK_MAX = 256,
};

/** What a value is made of. */
struct look {
	size_t lower, upper, digit, symbol, other;
	size_t distinct;
	size_t classes;
};

static struct look
look_at(const char *text, size_t len)
{
	struct look look = { 0 };
	bool seen[256] = { false };

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!seen[(unsigned char)c]) {
			seen[(unsigned char)c] = true;
			look.distinct++;
		}
		if (char_is_lower(c)) {
			look.lower++;
		} else if (char_is_upper(c)) {
			look.upper++;
		} else if (char_is_digit(c)) {
			look.digit++;
		} else if ((unsigned char)c > 0x20 && (unsigned char)c < 0x7f) {
			look.symbol++;
		} else {
			look.other++;
		}
	}
	look.classes = (size_t)(look.lower > 0) + (size_t)(look.upper > 0) +
		(size_t)(look.digit > 0) + (size_t)(look.symbol > 0);
	return look;
}

static bool
has(const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	for (size_t i = 0; i + word_len <= len; i++) {
		size_t j = 0;

		while (j < word_len && char_lower(text[i + j]) == word[j]) {
			j++;
		}
		if (j == word_len) {
			return true;
		}
	}
	return false;
}

static bool
starts(const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	return len >= word_len && has(text, word_len, word);
}

static bool
is_word(const char *text, size_t len, const char *const *words, size_t nwords)
{
	for (size_t i = 0; i < nwords; i++) {
		if (strlen(words[i]) == len && has(text, len, words[i])) {
			return true;
		}
	}
	return false;
}

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

/** Words that stand for a value that somebody should fill in, or that nobody would use.
 */
static const char *const placeholder_words[] = { "a", "abc", "access", "account",
	"actual", "add", "admin", "administrator", "all", "an", "and", "any", "api",
	"app", "application", "asdf", "auth", "authorization", "aws", "bar", "basic",
	"baz", "bearer", "bot", "change", "changeit", "changeme", "client", "code", "com",
	"confidential", "correct", "cred", "credential", "credentials", "creds", "custom",
	"data", "database", "db", "default", "demo", "dev", "dummy", "edit", "empty",
	"enter", "env", "etc", "example", "examplekey", "expected", "fake", "false",
	"fill", "fixme", "foo", "foobar", "for", "from", "generate", "generated", "get",
	"goes", "guest", "hash", "hello", "here", "hidden", "host", "http", "id", "in",
	"incorrect", "insert", "invalid", "is", "it", "json", "jwt", "key", "keys",
	"letmein", "local", "localhost", "login", "long", "magic", "masked", "master",
	"me", "missing", "mock", "my", "mypassword", "mypass", "mysecret", "mysql",
	"mytoken", "name", "new", "nil", "no", "none", "not", "null", "of", "old",
	"omitted", "or", "oracle", "org", "orig", "original", "pass", "passcode",
	"passphrase", "passwd", "passwort", "password", "passw0rd", "paste", "personal",
	"placeholder", "please", "postgres", "private", "prod", "production", "provided",
	"public", "put", "pw", "pwd", "qwerty", "random", "read", "real", "redacted",
	"refresh", "remove", "removed", "replace", "replaceme", "required", "root",
	"sample", "secret", "secrets", "secure", "server", "service", "session", "set",
	"shared", "sign", "signing", "some", "something", "staging", "static", "string",
	"strong", "stub", "supersecret", "super", "system", "temp", "template", "test",
	"tester", "testing", "tests", "the", "this", "tmp", "to", "todo", "token",
	"tokens", "true", "type", "undefined", "unknown", "unset", "update", "use",
	"user", "username", "valid", "value", "var", "very", "wrong", "with", "write",
	"xyz", "yes", "you", "your", "yourkey", "yourpassword", "yoursecret", "yourtoken",
	"zzz" };

/** Length of the longest placeholder word at the start of @text, or 0. */
static size_t
placeholder_word(const char *text, size_t len)
{
	size_t best = 0;

	for (size_t i = 0; i < countof(placeholder_words); i++) {
		const char *word = placeholder_words[i];
		size_t word_len = strlen(word);

		if (word_len > best && word_len <= len &&
			char_lower(text[0]) == word[0] && starts(text, len, word)) {
			best = word_len;
		}
	}
	return best;
}

/** Do such words, with separators and a few digits, cover it whole (or nearly)? */
static bool
is_covered(const char *text, size_t len)
{
	size_t covered = 0, letters = 0;
	size_t at = 0;

	while (at < len) {
		if (!char_is_alpha(text[at])) {
			at++;
			continue;
		}
		size_t end = at;
		while (end < len && char_is_alpha(text[end])) {
			end++;
		}
		letters += end - at;
		while (at < end) {
			size_t word = placeholder_word(text + at, end - at);

			// One letter is a word only when it stands alone.
			if (word == 0 || (word == 1 && end - at > 1)) {
				at++;
			} else {
				covered += word;
				at += word;
			}
		}
	}
	return letters > 0 && covered * 10 >= letters * 8;
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
		size_t open = strlen(pairs[i].open), close = strlen(pairs[i].close);

		if (len > open + close && memcmp(text, pairs[i].open, open) == 0 &&
			memcmp(text + len - close, pairs[i].close, close) == 0) {
			return true;
		}
	}
	return false;
}

/** A name in a shell, a template or a format string stands for the value. */
static bool
is_variable(const char *text, size_t len)
{
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
			struct look look = look_at(text + 1, len - 1);

			return rarity(text + 1, len - 1) < 44 && (look.digit * 3 < len);
		}
		if (at > from && from == 2) {
			return true;
		}
	}
	return has(text, len, "${") || has(text, len, "{{") || has(text, len, "%(") ||
		has(text, len, "<%") || has(text, len, "#{") || has(text, len, "$(") ||
		(len < 24 &&
			(has(text, len, "%s") || has(text, len, "%d") ||
				has(text, len, "%v") || has(text, len, "{}") ||
				has(text, len, "{0}") || has(text, len, "{1}")));
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
		is_variable(text, len) || is_covered(text, len)) {
		return true;
	}
	// xxxx, ****, ...., 0000: one character makes most of it.
	size_t most = 0;
	for (size_t i = 0; i < len; i++) {
		size_t run = 1;

		while (i + run < len && text[i + run] == text[i]) {
			run++;
		}
		most = MAX_OF(most, run);
		i += run - 1;
	}
	if (most >= 4 &&
		(most * 2 >= len || memmem(text, len, "xxxx", 4) != NULL ||
			memmem(text, len, "XXXX", 4) != NULL ||
			memmem(text, len, "****", 4) != NULL)) {
		return true;
	}
	// A regular expression.
	if (memmem(text, len, "\\w", 2) != NULL || memmem(text, len, "\\d", 2) != NULL ||
		memmem(text, len, "[^", 2) != NULL ||
		memmem(text, len, ".*", 2) != NULL) {
		return true;
	}
	if (memmem(text, len, "...", 3) != NULL ||
		memmem(text, len, "\xe2\x80\xa6", 3) != NULL) {
		return true;
	}
	// A word that says so, in a value that is not long and random besides.
	static const char *const say[] = { "example", "placeholder", "changeme",
		"change_me", "change-me", "replace_me", "replaceme", "your_", "your-",
		"yourpass", "insert_", "dummy", "todo", "redacted", "not-a-real",
		"notareal", "fake", "sample" };
	for (size_t i = 0; i < countof(say); i++) {
		if (has(text, len, say[i]) && strlen(say[i]) * 5 >= len) {
			return true;
		}
	}
	return false;
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
	return dots > 0 && char_is_alpha(text[0]) && rarity(text, len) < 36;
}

bool
filter_is_reference(const char *text, size_t len)
{
	static const char *const starts_with[] = { "process.env", "os.environ",
		"os.getenv", "env.", "env:", "env(", "getenv", "system.getenv",
		"system.getproperty", "vault:", "vault/", "secret/", "secrets.",
		"secretsmanager", "arn:aws", "ssm:", "kms:", "op://",
		"keyring:", "file:", "file://", "http://", "https://", "data:", "self.",
		"this.", "config.", "settings.", "options.", "args.", "params.",
		"request.", "ctx.", "var.", "local.", "module.", "props.", "process.",
		"nil", "null", "none", "true", "false", "undefined", "new ", "function",
		"async ", "await ", "return ", "lambda", "!ref", "!sub", "!getatt",
		"sops:", "enc[", "projects/", "import", "context.", "application/",
		"text/", "image/", "multipart/", "ref+", "@microsoft.keyvault" };

	for (size_t i = 0; i < countof(starts_with); i++) {
		if (starts(text, len, starts_with[i])) {
			return true;
		}
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
		if (text + i == paren && rarity(text, i) < 40) {
			return true;
		}
	}
	if (is_code_path(text, len)) {
		return true;
	}
	// A path: begins like one, or its parts are words.
	if (text[0] == '/' || text[0] == '~' || starts(text, len, "./") ||
		starts(text, len, "../") || starts(text, len, "c:\\")) {
		return memchr(text + 1, '/', len - 1) != NULL ? rarity(text, len) < 40
							      : rarity(text, len) < 34;
	}
	return false;
}

static bool
is_uuid(const char *text, size_t len)
{
	if (len != 36) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : char_hex(text[i]) < 0) {
			return false;
		}
	}
	return true;
}

/** 2024-01-31, 12:30:00, 1.2.3-rc1, 1,000, 0x1F: numbers in some dress. */
static bool
is_number(const char *text, size_t len)
{
	struct look look = look_at(text, len);
	size_t rest = look.lower + look.upper;

	if (rest == 0) {
		return true;
	}
	return look.digit > 0 && rest <= 3 && look.symbol >= 2 &&
		memchr(text, '.', len) != NULL && char_is_digit(text[0]);
}

/** What crypt(3), LDAP and their like keep in place of a password. */
static bool
is_password_hash(const char *text, size_t len)
{
	static const char *const starts_with[] = { "$1$", "$2a$", "$2b$", "$2y$", "$5$",
		"$6$", "$8$", "$y$", "$7$", "$apr1$", "$argon2", "$pbkdf2", "$scrypt$",
		"pbkdf2_", "{crypt}", "{ssha}", "{sha}", "{ssha512}", "{smd5}", "{md5}",
		"{bcrypt}", "scram-sha-", "bcrypt" };

	for (size_t i = 0; i < countof(starts_with); i++) {
		if (starts(text, len, starts_with[i])) {
			return true;
		}
	}
	return false;
}

bool
filter_is_id(const char *text, size_t len)
{
	static const char *const starts_with[] = { "sha1-", "sha256-", "sha384-",
		"sha512-", "sha1:", "sha256:", "sha384:", "sha512:", "md5:", "md5-",
		"urn:uuid:", "h1:" };

	for (size_t i = 0; i < countof(starts_with); i++) {
		if (starts(text, len, starts_with[i])) {
			return true;
		}
	}
	return is_uuid(text, len) || is_number(text, len) || is_password_hash(text, len);
}

struct word_set {
	const char *const *words;
	size_t count;
};

/** Lower-cases a name into words with '_' between: "dbPassword2" gives "db_password2". */
static size_t
normalize(const char *name, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 2 < size; i++) {
		char c = name[i];
		bool hump = i > 0 && char_is_upper(c) &&
			(char_is_lower(name[i - 1]) || char_is_digit(name[i - 1]) ||
				(i + 1 < len && char_is_upper(name[i - 1]) &&
					char_is_lower(name[i + 1])));

		if (hump && n > 0 && out[n - 1] != '_') {
			out[n++] = '_';
		}
		if (char_is_alnum(c)) {
			out[n++] = char_lower(c);
		} else if (n > 0 && out[n - 1] != '_') {
			out[n++] = '_';
		}
	}
	while (n > 0 && (out[n - 1] == '_' || char_is_digit(out[n - 1]))) {
		n--;
	}
	out[n] = '\0';
	return n;
}

/** Does the name hold @word, bounded by '_' or the ends? */
static bool
holds_word(const char *name, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strstr(name, word); at != NULL; at = strstr(at + 1, word)) {
		if ((at == name || at[-1] == '_') &&
			(at[len] == '\0' || at[len] == '_')) {
			return true;
		}
	}
	return false;
}

static bool
ends_with_word(const char *name, const char *const *words, size_t nwords)
{
	const char *last = strrchr(name, '_');

	last = last != NULL ? last + 1 : name;
	return is_word(last, strlen(last), words, nwords);
}

/** A name that ends so speaks about a secret, and is not one. */
static const char *const about_words[] = { "keys", "keyserver", "hint", "id", "ids",
	"name", "names", "file", "files", "filename", "path", "url", "uri", "urls",
	"field", "fields", "label", "hint", "length", "len", "size", "type", "types",
	"header", "prefix", "suffix", "expiry", "expires", "expiration", "expire", "ttl",
	"count", "policy", "regex", "pattern", "validator", "validators", "algorithm",
	"algo", "alg", "version", "endpoint", "host", "port", "user", "username", "email",
	"enabled", "disabled", "required", "reset", "dir", "directory", "location", "ref",
	"store", "provider", "class", "text", "message", "msg", "placeholder", "title",
	"description", "desc", "format", "index", "input", "form", "column", "param",
	"parameter", "attr", "attribute", "var", "variable", "arn", "source", "encoder",
	"strength", "min", "max", "limit", "timeout", "date", "time", "at", "status",
	"state", "mode", "flag", "changed", "usage", "scope", "scopes", "audience",
	"issuer", "alias", "kind", "selector", "manager", "service", "server", "error",
	"errors", "response", "request", "callback", "handler", "method", "function",
	"func", "fn", "list", "map", "set", "group", "role", "link", "page", "screen",
	"view", "button", "help", "prompt", "question", "options", "option", "config",
	"settings", "exists", "valid", "invalid", "match", "matches", "check", "checker",
	"regexp", "digest", "checksum", "fingerprint", "hash", "hashed", "hasher",
	"encrypted", "digits", "chars", "schema", "mapping", "in", "by", "for", "is",
	"length", "weight", "kid", "oid", "comment", "template", "domain", "origin",
	"address", "region", "bucket", "table", "database", "locale", "lang" };

/** A name with one of these is public, or counts, or is a thing of another kind. */
static const char *const other_words[] = { "public", "pub", "publishable", "pubkey",
	"sitekey", "site", "captcha", "recaptcha", "integrity", "sha", "sha1", "sha256",
	"sha512", "md5", "commit", "etag", "uuid", "guid", "thumbprint", "fingerprint",
	"checksum", "csrf", "xsrf", "csrfmiddlewaretoken", "nonce", "author", "authors",
	"next", "page", "pagination", "continuation", "sort", "partition", "primary",
	"foreign", "cache", "keyboard", "keyword", "keycode", "hotkey", "tokenizer",
	"max", "min", "num", "lexer", "parser", "forgot", "reset", "is", "has", "vocab",
	"special", "image", "img", "icon", "css", "i18n", "msgid", "object" };

static const char *const password_words[] = { "password", "passwd", "passphrase",
	"passcode", "passwort", "kennwort", "senha", "contrasena", "motdepasse", "pswd",
	"userpass", "dbpass", "passwrd", "pword" };
static const char *const password_alone[] = { "pass", "pwd", "pw", "psw", "pss" };
static const char *const token_words[] = { "secret", "token", "apikey", "api_key",
	"credential", "access_key", "accesskey", "private_key", "privatekey", "secretkey",
	"secret_key", "auth_key", "authkey", "encryption_key", "encrypt_key",
	"signing_key", "sign_key", "signature_key", "master_key", "account_key",
	"storage_key", "shared_key", "app_key", "appkey", "service_key", "client_key",
	"consumer_key", "license_key", "deploy_key", "session_key", "write_key",
	"server_key", "host_key", "integration_key", "hmac_key", "crypt_key",
	"cipher_key", "webhook_key", "rest_key", "admin_key", "apisecret", "bearer",
	"fernet", "aes_key", "crypto_key", "cookie_key", "key_base", "hash_key",
	"subscription_key", "functions_key" };
static const char *const token_alone[] = { "jwt", "creds", "auth", "authorization",
	"apitoken", "nkey", "otp_seed", "seed", "mnemonic", "sid_token", "pat", "hmac",
	"salt", "pepper", "dsn" };

static bool
holds_any(const char *name, const char *const *words, size_t nwords, bool bounded)
{
	for (size_t i = 0; i < nwords; i++) {
		if (bounded ? holds_word(name, words[i])
			    : strstr(name, words[i]) != NULL) {
			return true;
		}
	}
	return false;
}

enum filter_key
filter_key(const char *name, size_t len)
{
	char words[128];

	if (normalize(name, len, words, sizeof(words)) == 0) {
		return FILTER_KEY_NONE;
	}
	if (ends_with_word(words, about_words, countof(about_words)) ||
		holds_any(words, other_words, countof(other_words), true)) {
		return FILTER_KEY_NONE;
	}
	if (holds_any(words, password_words, countof(password_words), false) ||
		holds_any(words, password_alone, countof(password_alone), true)) {
		return FILTER_KEY_PASSWORD;
	}
	// "tokens" counts, "tokenize" works: neither is one.
	if (strstr(words, "tokeniz") != NULL ||
		ends_with_word(words, (const char *const[]){ "tokens" }, 1)) {
		return FILTER_KEY_NONE;
	}
	if (holds_any(words, token_words, countof(token_words), false) ||
		holds_any(words, token_alone, countof(token_alone), true)) {
		return FILTER_KEY_TOKEN;
	}
	return FILTER_KEY_WEAK;
}

static bool
is_hex_only(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!char_is_hex(text[i])) {
			return false;
		}
	}
	return true;
}

/** Random as machines make it: long, and letters follow each other by chance. */
static bool
is_random(const char *text, size_t len, const struct look *look, unsigned int least)
{
	if (is_hex_only(text, len)) {
		return look->distinct >= 6 && look->digit > 0;
	}
	unsigned int rare = rarity(text, len);

	// Digits between letters hide chance from a model of letters.
	size_t switches = 0;
	for (size_t i = 1; i < len; i++) {
		switches += char_is_digit(text[i]) != char_is_digit(text[i - 1]);
	}
	return rare >= least || (len >= 16 && switches * 4 >= len && rare >= least - 8);
}

/** Three kinds of characters and no separator: more than a name, when it is a password.
 */
static bool
is_mixture(const char *text, size_t len, const struct look *look)
{
	return len >= 8 && look->lower > 0 && look->upper > 0 && look->digit > 0 &&
		look->symbol == 0 && !is_covered(text, len);
}

/** Typed by a person: a mixture that no name or word has. */
static bool
is_typed(const char *text, size_t len, const struct look *look)
{
	if (look->other > 0 || look->lower + look->upper == 0) {
		return false;
	}
	unsigned int rare = rarity(text, len);

	if (rare >= 44) {
		return true;
	}
	// "Summer2024!": three kinds, one of them at least not of an identifier.
	size_t marks = 0;
	for (size_t i = 0; i < len; i++) {
		marks += memchr("!@#$%^&*?+=~", text[i], 12) != NULL;
	}
	return look->digit > 0 && len >= 8 &&
		((marks > 0 && look->classes >= 3) || is_mixture(text, len, look));
}

/** A name in CAPITALS stands for a setting of that name. */
static bool
is_binding(const char *text, size_t len)
{
	size_t under = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '_') {
			under++;
		} else if (!char_is_upper(text[i]) && !char_is_digit(text[i])) {
			return false;
		}
	}
	return under > 0 && rarity(text, len) < 40;
}

/** snake_case, kebab-case, camelCase, dotted: words only, so a name of something. */
static bool
is_name(const char *text, size_t len, const struct look *look)
{
	size_t switches = 0;

	for (size_t i = 1; i < len; i++) {
		switches += char_is_digit(text[i]) != char_is_digit(text[i - 1]);
	}
	// Digits and letters in turn: no name is so.
	if (len >= 12 && switches * 4 >= len) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!char_is_word(text[i]) && memchr("-.:/+ ", text[i], 6) == NULL) {
			return false;
		}
	}
	return rarity(text, len) < (look->digit > 0 ? 30 : 38);
}

static bool
is_prose(const char *text, size_t len)
{
	size_t spaces = 0;

	for (size_t i = 0; i < len; i++) {
		spaces += char_is_space(text[i]);
	}
	return spaces > 0;
}

bool
filter_is_password(const char *text, size_t len)
{
	len = MIN_OF(len, (size_t)LOOK_MAX);
	struct look look = look_at(text, len);

	if (len < 3 || filter_is_placeholder(text, len) ||
		filter_is_reference(text, len)) {
		return false;
	}
	if (len >= 6 && filter_is_dull(text, len)) {
		return false;
	}
	unsigned int rare = rarity(text, len);
	return rare >= 38 ||
		(look.digit > 0 && look.lower + look.upper > 0 && len >= 6) ||
		(look.symbol > 0 && len >= 8 && look.classes >= 3) ||
		(len >= 8 && look.digit == len);
}

static bool
is_token_value(const struct filter_value *value, const struct look *look)
{
	size_t least = value->key == FILTER_KEY_WEAK ? 20 : 10;
	unsigned int rare = value->key == FILTER_KEY_WEAK ? 46 : 40;

	if (value->path & (FILTER_PATH_TEST | FILTER_PATH_DOC)) {
		least += 2;
		rare += 2;
	}
	if (value->len < least || filter_is_dull(value->text, value->len)) {
		return false;
	}
	if (look->digit == 0 && (!value->quoted && !value->whole_line)) {
		return false;
	}
	return is_random(value->text, value->len, look, rare);
}

static bool
is_password_value(const struct filter_value *value, const struct look *look)
{
	if (value->len < 4 ||
		(value->len >= 6 && filter_is_dull(value->text, value->len))) {
		return false;
	}
	if (!value->quoted && !value->whole_line && (value->path & FILTER_PATH_CODE) &&
		look->digit == 0) {
		return false;
	}
	return is_typed(value->text, value->len, look);
}

/** `password x` without quotes or '=': only where nothing but the value follows. */
static bool
is_loose(const struct filter_value *value, const struct look *look)
{
	if (!value->bare_space || value->flag) {
		return false;
	}
	for (size_t i = 0; i < value->len; i++) {
		if (memchr("*(){}[]<>;=", value->text[i], 11) != NULL) {
			return true;
		}
	}
	return !value->ends_line || (value->path & FILTER_PATH_CODE) ||
		value->key == FILTER_KEY_WEAK ||
		(look->digit == 0 && rarity(value->text, value->len) < 46);
}

bool
filter_is_secret(const struct filter_value *value)
{
	// The start of a long value tells enough, and costs enough.
	const char *text = value->text;
	size_t len = MIN_OF(value->len, (size_t)LOOK_MAX);
	struct look look = look_at(text, len);

	if (value->key == FILTER_KEY_NONE || len < 4 || look.other > 0 ||
		is_prose(text, len) || (len >= 6 && filter_is_dull(text, len)) ||
		filter_is_placeholder(text, len) || filter_is_reference(text, len) ||
		filter_is_id(text, len) || is_binding(text, len) ||
		(is_name(text, len, &look) &&
			!(value->key == FILTER_KEY_PASSWORD && value->quoted &&
				is_mixture(text, len, &look)))) {
		return false;
	}
	if (is_loose(value, &look) ||
		(!value->quoted && (value->path & FILTER_PATH_CODE) && look.digit == 0)) {
		return false;
	}
	if ((value->path & FILTER_PATH_GENERATED) && value->key == FILTER_KEY_WEAK) {
		return false;
	}
	struct filter_value start = *value;
	start.len = len;
	if (value->key == FILTER_KEY_PASSWORD) {
		return is_password_value(&start, &look);
	}
	return is_token_value(&start, &look);
}

unsigned int
filter_path(const char *path)
{
	static const struct {
		const char *word;
		unsigned int kind;
		/** 0 anywhere, 1 at the end. */
		bool end;
	} words[] = {
		{ "test", FILTER_PATH_TEST, false },
		{ "spec", FILTER_PATH_TEST, false },
		{ "fixture", FILTER_PATH_TEST, false },
		{ "mock", FILTER_PATH_TEST, false },
		{ "sample", FILTER_PATH_TEST, false },
		{ "example", FILTER_PATH_TEST, false },
		{ "demo", FILTER_PATH_TEST, false },
		{ "swagger", FILTER_PATH_TEST, false },
		{ "openapi", FILTER_PATH_TEST, false },
		{ "doc/", FILTER_PATH_DOC, false },
		{ "docs/", FILTER_PATH_DOC, false },
		{ "readme", FILTER_PATH_DOC, false },
		{ "changelog", FILTER_PATH_DOC, false },
		{ ".md", FILTER_PATH_DOC, true },
		{ ".rst", FILTER_PATH_DOC, true },
		{ ".adoc", FILTER_PATH_DOC, true },
		{ ".html", FILTER_PATH_DOC, true },
		{ ".lock", FILTER_PATH_GENERATED, true },
		{ "package-lock.json", FILTER_PATH_GENERATED, true },
		{ "pnpm-lock.yaml", FILTER_PATH_GENERATED, true },
		{ "go.sum", FILTER_PATH_GENERATED, true },
		{ ".min.js", FILTER_PATH_GENERATED, true },
		{ ".min.css", FILTER_PATH_GENERATED, true },
		{ ".map", FILTER_PATH_GENERATED, true },
		{ ".svg", FILTER_PATH_GENERATED, true },
		{ ".po", FILTER_PATH_GENERATED, true },
		{ ".ipynb", FILTER_PATH_GENERATED, true },
	};
	static const char *const code[] = { ".c", ".h", ".cc", ".cpp", ".hpp", ".go",
		".java", ".kt", ".py", ".js", ".jsx", ".ts", ".tsx", ".rb", ".php", ".cs",
		".rs", ".swift", ".scala", ".groovy", ".m", ".mm", ".pl", ".pm", ".lua",
		".hs", ".dart", ".vue", ".erl", ".ex", ".exs", ".clj", ".r", ".jl", ".vb",
		".fs", ".asm", ".s", ".html" };
	unsigned int kind = 0;

	if (path == NULL) {
		return 0;
	}

	size_t len = strlen(path);
	for (size_t i = 0; i < countof(words); i++) {
		size_t word = strlen(words[i].word);

		if (words[i].end ? len >= word &&
					has(path + len - word, word, words[i].word)
				 : has(path, len, words[i].word)) {
			kind |= words[i].kind;
		}
	}
	const char *dot = strrchr(path, '.');
	if (dot != NULL && is_word(dot, strlen(dot), code, countof(code))) {
		kind |= FILTER_PATH_CODE;
	}
	return kind;
}
