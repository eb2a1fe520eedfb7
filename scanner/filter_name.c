// SPDX-License-Identifier: GPL-2.0-or-later

// What names and paths say about the values beside and inside them.

#include "scanner/filter.h"

#include "scanner/chars.h"
#include "scanner/words.h"

#include <string.h>

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

/** Is one of the name's parts between '_' one of the words? */
static bool
holds_part(const char *name, const struct word *words, size_t nwords)
{
	for (const char *at = name; *at != '\0';) {
		size_t len = strcspn(at, "_");

		if (word_is(at, len, words, nwords)) {
			return true;
		}
		at += len + (at[len] == '_');
	}
	return false;
}

static bool
ends_with_word(const char *name, const struct word *words, size_t nwords)
{
	const char *last = strrchr(name, '_');

	last = last != NULL ? last + 1 : name;
	return word_is(last, strlen(last), words, nwords);
}

/** A name that ends so speaks about a secret, and is not one. */
static const struct word about_words[] = { WORD("keys"), WORD("keyserver"), WORD("hint"),
	WORD("id"), WORD("ids"), WORD("name"), WORD("names"), WORD("file"), WORD("files"),
	WORD("filename"), WORD("path"), WORD("url"), WORD("uri"), WORD("urls"),
	WORD("field"), WORD("fields"), WORD("label"), WORD("hint"), WORD("length"),
	WORD("len"), WORD("size"), WORD("type"), WORD("types"), WORD("header"),
	WORD("prefix"), WORD("suffix"), WORD("expiry"), WORD("expires"),
	WORD("expiration"), WORD("expire"), WORD("ttl"), WORD("count"), WORD("policy"),
	WORD("regex"), WORD("pattern"), WORD("validator"), WORD("validators"),
	WORD("algorithm"), WORD("algo"), WORD("alg"), WORD("version"), WORD("endpoint"),
	WORD("host"), WORD("port"), WORD("user"), WORD("username"), WORD("email"),
	WORD("enabled"), WORD("disabled"), WORD("required"), WORD("reset"), WORD("dir"),
	WORD("directory"), WORD("location"), WORD("ref"), WORD("store"), WORD("provider"),
	WORD("class"), WORD("text"), WORD("message"), WORD("msg"), WORD("placeholder"),
	WORD("title"), WORD("description"), WORD("desc"), WORD("format"), WORD("index"),
	WORD("input"), WORD("form"), WORD("column"), WORD("param"), WORD("parameter"),
	WORD("attr"), WORD("attribute"), WORD("var"), WORD("variable"), WORD("arn"),
	WORD("source"), WORD("encoder"), WORD("strength"), WORD("min"), WORD("max"),
	WORD("limit"), WORD("timeout"), WORD("date"), WORD("time"), WORD("at"),
	WORD("status"), WORD("state"), WORD("mode"), WORD("flag"), WORD("changed"),
	WORD("usage"), WORD("scope"), WORD("scopes"), WORD("audience"), WORD("issuer"),
	WORD("alias"), WORD("kind"), WORD("selector"), WORD("manager"), WORD("service"),
	WORD("server"), WORD("error"), WORD("errors"), WORD("response"), WORD("request"),
	WORD("callback"), WORD("handler"), WORD("method"), WORD("function"), WORD("func"),
	WORD("fn"), WORD("list"), WORD("map"), WORD("set"), WORD("group"), WORD("role"),
	WORD("link"), WORD("page"), WORD("screen"), WORD("view"), WORD("button"),
	WORD("help"), WORD("prompt"), WORD("question"), WORD("options"), WORD("option"),
	WORD("config"), WORD("settings"), WORD("exists"), WORD("valid"), WORD("invalid"),
	WORD("match"), WORD("matches"), WORD("check"), WORD("checker"), WORD("regexp"),
	WORD("digest"), WORD("checksum"), WORD("fingerprint"), WORD("hash"),
	WORD("hashed"), WORD("hasher"), WORD("encrypted"), WORD("digits"), WORD("chars"),
	WORD("schema"), WORD("mapping"), WORD("in"), WORD("by"), WORD("for"), WORD("is"),
	WORD("length"), WORD("weight"), WORD("kid"), WORD("oid"), WORD("comment"),
	WORD("template"), WORD("domain"), WORD("origin"), WORD("address"), WORD("region"),
	WORD("bucket"), WORD("table"), WORD("database"), WORD("locale"), WORD("lang"),
	WORD("success"), WORD("failure"), WORD("failed"), WORD("action"), WORD("event"),
	WORD("route"), WORD("topic"), WORD("policies"), WORD("rules"), WORD("rule"),
	WORD("entropy"), WORD("nonce"), WORD("richtlinie"), WORD("requirements") };

/** A name with one of these is public, or counts, or is a thing of another kind. */
static const struct word other_words[] = { WORD("public"), WORD("pub"),
	WORD("publishable"), WORD("pubkey"), WORD("sitekey"), WORD("site"),
	WORD("integrity"), WORD("sha"), WORD("sha1"), WORD("sha256"), WORD("sha512"),
	WORD("md5"), WORD("commit"), WORD("etag"), WORD("uuid"), WORD("guid"),
	WORD("thumbprint"), WORD("fingerprint"), WORD("checksum"), WORD("csrf"),
	WORD("xsrf"), WORD("csrfmiddlewaretoken"), WORD("csrftoken"), WORD("xsrftoken"),
	WORD("author"), WORD("authors"), WORD("next"), WORD("page"), WORD("pagination"),
	WORD("continuation"), WORD("sort"), WORD("partition"), WORD("primary"),
	WORD("foreign"), WORD("cache"), WORD("keyboard"), WORD("keyword"),
	WORD("keycode"), WORD("hotkey"), WORD("tokenizer"), WORD("max"), WORD("min"),
	WORD("num"), WORD("lexer"), WORD("parser"), WORD("forgot"), WORD("reset"),
	WORD("is"), WORD("has"), WORD("vocab"), WORD("special"), WORD("image"),
	WORD("websocket"), WORD("socket"), WORD("img"), WORD("icon"), WORD("css"),
	WORD("label"), WORD("yourpassword"), WORD("i18n"), WORD("msgid"), WORD("object"),
	WORD("sync"), WORD("resume"), WORD("delta"), WORD("cursor"), WORD("idempotency"),
	WORD("resourcekey"), WORD("authenticity") };

/** Of a captcha one key is public, and one is secret. */
static bool
is_public_captcha(const char *name)
{
	static const struct word captchas[] = { WORD("captcha"), WORD("recaptcha"),
		WORD("hcaptcha"), WORD("turnstile") };
	static const struct word secret[] = { WORD("secret"), WORD("private") };

	return holds_part(name, captchas, countof(captchas)) &&
		!holds_part(name, secret, countof(secret));
}

static const struct word password_words[] = { WORD("password"), WORD("passwd"),
	WORD("passphrase"), WORD("passcode"), WORD("passwort"), WORD("kennwort"),
	WORD("senha"), WORD("contrasena"), WORD("motdepasse"), WORD("pswd"),
	WORD("userpass"), WORD("dbpass"), WORD("passwrd"), WORD("pword"),
	WORD("requirepass"), WORD("masterauth"), WORD("authtok"), WORD("rootpw"),
	WORD("bindpw"), WORD("userpw"), WORD("adminpw"), WORD("wachtwoord"),
	WORD("adgangskode"), WORD("salasana"), WORD("jelszo"), WORD("haslo"),
	WORD("sifre"), WORD("parola"), WORD("losenord"), WORD("mot_de_passe"),
	WORD("heslo"), WORD("passord"), WORD("shared_secret"), WORD("sharedsecret") };
static const struct word password_alone[] = { WORD("pass"), WORD("pwd"), WORD("pw"),
	WORD("psw"), WORD("pss"), WORD("psk"), WORD("passe"), WORD("clave"),
	WORD("mdp") };
/** In scripts without capitals, as UTF-8. */
static const struct word password_scripts[] = { WORD("пароль"), WORD("пароля"),
	WORD("密码"), WORD("密碼"), WORD("パスワード"), WORD("비밀번호"),
	WORD("contraseña"), WORD("hasło"), WORD("lösenord"), WORD("jelszó"),
	WORD("şifre"), WORD("Пароль"), WORD("ПАРОЛЬ"), WORD("Şifre"), WORD("mật khẩu"),
	WORD("κωδικός"), WORD("Κωδικός"), WORD("كلمة المرور"), WORD("كلمة السر"),
	WORD("סיסמה"), WORD("סיסמא"), WORD("पासवर्ड"), WORD("รหัสผ่าน") };
static const struct word token_words[] = { WORD("secret"), WORD("token"), WORD("apikey"),
	WORD("api_key"), WORD("credential"), WORD("access_key"), WORD("accesskey"),
	WORD("private_key"), WORD("privatekey"), WORD("secretkey"), WORD("secret_key"),
	WORD("auth_key"), WORD("authkey"), WORD("encryption_key"), WORD("encrypt_key"),
	WORD("signing_key"), WORD("sign_key"), WORD("signature_key"), WORD("master_key"),
	WORD("nonce_key"), WORD("account_key"), WORD("storage_key"), WORD("shared_key"),
	WORD("app_key"), WORD("appkey"), WORD("service_key"), WORD("client_key"),
	WORD("consumer_key"), WORD("license_key"), WORD("deploy_key"),
	WORD("session_key"), WORD("write_key"), WORD("server_key"), WORD("host_key"),
	WORD("integration_key"), WORD("hmac_key"), WORD("crypt_key"), WORD("cipher_key"),
	WORD("webhook_key"), WORD("rest_key"), WORD("admin_key"), WORD("apisecret"),
	WORD("bearer"), WORD("fernet"), WORD("aes_key"), WORD("crypto_key"),
	WORD("cookie_key"), WORD("key_base"), WORD("hash_key"), WORD("validation_key"),
	WORD("decryption_key"), WORD("subscription_key"), WORD("functions_key"),
	WORD("wifi_key"), WORD("wi_fi_key"), WORD("wlan_key"), WORD("wpa_key"),
	WORD("wpa2_key"), WORD("wep_key"), WORD("wireless_key"), WORD("network_key"),
	WORD("recovery_key") };
static const struct word token_alone[] = { WORD("jwt"), WORD("creds"), WORD("auth"),
	WORD("authorization"), WORD("apitoken"), WORD("nkey"), WORD("seed"),
	WORD("mnemonic"), WORD("pat"), WORD("hmac"), WORD("salt"), WORD("pepper"),
	WORD("dsn") };

/** smtppass, remotepass, rootpwd; not bypass, compass. */
static bool
ends_with_pass(const char *name)
{
	static const struct word others[] = { WORD("bypass"), WORD("compass"),
		WORD("encompass"), WORD("trespass"), WORD("surpass"), WORD("underpass"),
		WORD("overpass"), WORD("lastpass"), WORD("keepass"), WORD("onepass"),
		WORD("getpass"), WORD("multipass"), WORD("singlepass"),
		WORD("renderpass"), WORD("lowpass"), WORD("highpass"), WORD("bandpass"),
		WORD("subpass"), WORD("prepass"), WORD("askpass"), WORD("buypass") };

	for (const char *at = name; *at != '\0';) {
		size_t len = strcspn(at, "_");

		if (len > 5 &&
			(memcmp(at + len - 4, "pass", 4) == 0 ||
				memcmp(at + len - 3, "pwd", 3) == 0) &&
			!word_is(at, len, others, countof(others))) {
			return true;
		}
		at += len + (at[len] == '_');
	}
	return false;
}

enum filter_key
filter_key(const char *name, size_t name_len)
{
	char words[128];
	size_t len = normalize(name, name_len, words, sizeof(words));

	if (word_in_any(name, name_len, password_scripts, countof(password_scripts))) {
		return FILTER_KEY_PASSWORD;
	}
	if (len == 0) {
		return FILTER_KEY_NONE;
	}
	if (ends_with_word(words, about_words, countof(about_words)) ||
		holds_part(words, other_words, countof(other_words)) ||
		is_public_captcha(words)) {
		return FILTER_KEY_NONE;
	}
	if (word_in_any(words, len, password_words, countof(password_words)) ||
		holds_part(words, password_alone, countof(password_alone)) ||
		ends_with_pass(words)) {
		return FILTER_KEY_PASSWORD;
	}
	// "tokens" counts, "tokenize" works: neither is one; nor what a form brings back.
	if (strstr(words, "tokeniz") != NULL || strcmp(words, "token_data") == 0 ||
		strstr(words, "request_verification") != NULL ||
		ends_with_word(words, (const struct word[]){ WORD("tokens") }, 1)) {
		return FILTER_KEY_NONE;
	}
	if (word_in_any(words, len, token_words, countof(token_words)) ||
		holds_part(words, token_alone, countof(token_alone))) {
		return FILTER_KEY_TOKEN;
	}
	return FILTER_KEY_WEAK;
}

enum filter_key
filter_key_again(struct filter_names *names, const char *name, size_t name_len)
{
	uint32_t first, last;

	if (names == NULL || name_len < sizeof(first) || name_len > FILTER_NAME_MAX) {
		return filter_key(name, name_len);
	}
	memcpy(&first, name, sizeof(first));
	memcpy(&last, name + name_len - sizeof(last), sizeof(last));
	uint32_t hash = (first * 31 + last + (uint32_t)name_len) * 0x9E3779B1u;
	struct filter_known *known = &names->known[(hash >> 16) % FILTER_NAMES];

	if (known->len != name_len || memcmp(known->name, name, name_len) != 0) {
		known->key = (uint8_t)filter_key(name, name_len);
		known->len = (uint8_t)name_len;
		memcpy(known->name, name, name_len);
	}
	return (enum filter_key)known->key;
}

bool
filter_names_secret(const char *name, size_t name_len)
{
	static const struct word words[] = { WORD("password"), WORD("passwd"),
		WORD("secret"), WORD("api_key"), WORD("apikey"), WORD("api_token"),
		WORD("apitoken"), WORD("access_token"), WORD("auth_token"),
		WORD("authtoken"), WORD("refresh_token"), WORD("bearer"),
		WORD("access_key"), WORD("private_key"), WORD("auth_key"),
		WORD("token_value") };
	static const struct word alone[] = { WORD("token"), WORD("tokens") };
	char plain[128];
	size_t len = normalize(name, name_len, plain, sizeof(plain));

	return word_in_any(plain, len, words, countof(words)) ||
		word_is(plain, len, alone, countof(alone));
}

bool
filter_names_setting(const char *name, size_t name_len)
{
	size_t under = 0;

	for (size_t i = 0; i < name_len; i++) {
		if (!char_is_upper(name[i]) && !char_is_digit(name[i]) &&
			name[i] != '_') {
			return false;
		}
		under += name[i] == '_';
	}
	return under > 0 || word_begins(name, name_len, A_WORD("pgpass"));
}

bool
filter_names_phrase(const char *name, size_t name_len)
{
	static const struct word words[] = { WORD("passphrase"), WORD("pass_phrase"),
		WORD("pass-phrase"), WORD("mnemonic"), WORD("seedphrase"),
		WORD("seed_phrase"), WORD("recoveryphrase"), WORD("recovery_phrase") };

	return word_in_any(name, name_len, words, countof(words));
}

/** "run/secrets/db_password", "token.txt", "master.key", ".erlang.cookie". */
static bool
is_named_as_secret(const char *path)
{
	static const struct word others[] = { WORD(".erlang.cookie") };
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t len = strlen(name);

	if (len > 4 && memcmp(name + len - 4, ".txt", 4) == 0) {
		len -= 4;
	}
	enum filter_key key = filter_key(name, len);

	// A branch may be called so.
	return (strstr(path, "refs/") == NULL &&
		       (key == FILTER_KEY_PASSWORD || key == FILTER_KEY_TOKEN)) ||
		word_is(name, len, others, countof(others));
}

/** What a path says of the file by its words. */
static const struct {
	struct word word;
	unsigned int kind;
	/** 0 anywhere, 1 at the end. */
	bool end;
} path_words[] = {
	{ WORD("test"), FILTER_PATH_TEST, false },
	{ WORD("spec"), FILTER_PATH_TEST, false },
	{ WORD("fixture"), FILTER_PATH_TEST, false },
	{ WORD("mock"), FILTER_PATH_TEST, false },
	{ WORD("sample"), FILTER_PATH_TEST, false },
	{ WORD("example"), FILTER_PATH_TEST, false },
	{ WORD("demo"), FILTER_PATH_TEST, false },
	{ WORD("swagger"), FILTER_PATH_TEST, false },
	{ WORD("openapi"), FILTER_PATH_TEST, false },
	{ WORD("doc/"), FILTER_PATH_DOC, false },
	{ WORD("docs/"), FILTER_PATH_DOC, false },
	{ WORD("readme"), FILTER_PATH_DOC, false },
	{ WORD("changelog"), FILTER_PATH_DOC, false },
	// Words beside "password" are its name in other languages.
	{ WORD("i18n"), FILTER_PATH_DOC, false },
	{ WORD("l10n"), FILTER_PATH_DOC, false },
	{ WORD("locale"), FILTER_PATH_DOC, false },
	{ WORD("translations/"), FILTER_PATH_DOC, false },
	{ WORD("languages/"), FILTER_PATH_DOC, false },
	{ WORD(".md"), FILTER_PATH_DOC, true },
	{ WORD(".rst"), FILTER_PATH_DOC, true },
	{ WORD(".adoc"), FILTER_PATH_DOC, true },
	{ WORD(".html"), FILTER_PATH_DOC, true },
	{ WORD(".lock"), FILTER_PATH_GENERATED, true },
	{ WORD("package-lock.json"), FILTER_PATH_GENERATED, true },
	{ WORD("pnpm-lock.yaml"), FILTER_PATH_GENERATED, true },
	{ WORD("go.sum"), FILTER_PATH_GENERATED, true },
	{ WORD(".min.js"), FILTER_PATH_GENERATED, true },
	{ WORD(".min.css"), FILTER_PATH_GENERATED, true },
	{ WORD(".map"), FILTER_PATH_GENERATED, true },
	{ WORD(".svg"), FILTER_PATH_GENERATED, true },
	{ WORD(".po"), FILTER_PATH_GENERATED, true },
	{ WORD(".ipynb"), FILTER_PATH_GENERATED, true },
};
static const struct word code_endings[] = { WORD(".c"), WORD(".h"), WORD(".cc"),
	WORD(".cpp"), WORD(".hpp"), WORD(".go"), WORD(".java"), WORD(".kt"), WORD(".py"),
	WORD(".js"), WORD(".jsx"), WORD(".ts"), WORD(".tsx"), WORD(".rb"), WORD(".php"),
	WORD(".cs"), WORD(".rs"), WORD(".swift"), WORD(".scala"), WORD(".groovy"),
	WORD(".m"), WORD(".mm"), WORD(".pl"), WORD(".pm"), WORD(".lua"), WORD(".hs"),
	WORD(".dart"), WORD(".vue"), WORD(".erl"), WORD(".ex"), WORD(".exs"),
	WORD(".clj"), WORD(".r"), WORD(".jl"), WORD(".vb"), WORD(".fs"), WORD(".asm"),
	WORD(".s"), WORD(".html") };

unsigned int
filter_path(const char *path)
{
	unsigned int kind = 0;

	if (path == NULL) {
		return 0;
	}

	size_t len = strlen(path);
	for (size_t i = 0; i < countof(path_words); i++) {
		const struct word *word = &path_words[i].word;

		if (path_words[i].end ? len >= word->len &&
					word_begins(
						path + len - word->len, word->len, word)
				      : word_in(path, len, word)) {
			kind |= path_words[i].kind;
		}
	}
	const char *dot = strrchr(path, '.');
	if (dot != NULL &&
		word_is(dot, strlen(dot), code_endings, countof(code_endings))) {
		kind |= FILTER_PATH_CODE;
	} else if (is_named_as_secret(path)) {
		kind |= FILTER_PATH_NAMED;
	}
	return kind;
}
