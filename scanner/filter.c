// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/filter.h"

#include "scanner/chars.h"
#include "scanner/filter_look.h"
#include "scanner/filter_words.h"
#include "scanner/rarity.h"
#include "scanner/words.h"

#include <string.h>

/** Linux-node-<checksum>: what a cache or a build is filed under. */
static bool
is_filed(const char *text, size_t len)
{
	size_t hex = 0;

	while (hex < len && char_is_hex(text[len - hex - 1])) {
		hex++;
	}
	// One of the letters before it may be of hex, too.
	return hex >= 32 && len > hex + 2 &&
		memchr("-_:/.", text[len - hex - 1], 5) != NULL &&
		(hex == 40 || hex == 64 || (hex == 32 && rarity(text, len - hex) < 36));
}

/** Random as machines make it: long, and letters follow each other by chance. */
static bool
is_random(const char *text, size_t len, const struct look *look, unsigned int least)
{
	if (look_is_hex(text, len)) {
		return look->distinct >= 6 && look->digit > 0;
	}
	if (look_is_hex_run(text, len)) {
		return true;
	}
	unsigned int rare = rarity(text, len);

	// Digits between letters hide chance from a model of letters.
	size_t switches = 0;
	for (size_t i = 1; i < len; i++) {
		switches += char_is_digit(text[i]) != char_is_digit(text[i - 1]);
	}
	if (rare >= least || (len >= 16 && switches * 4 >= len && rare >= least - 8)) {
		return true;
	}
	// So do capitals, where no word of a name begins with them.
	size_t turns = look_turns(text, len);

	return len >= 16 && look->symbol == 0 && turns * 5 >= len * 2 &&
		rare + 6 >= least;
}

/** Three kinds of characters and no separator: more than a name, when it is a password.
 */
static bool
is_mixture(const char *text, size_t len, const struct look *look)
{
	return len >= 7 && look->lower > 0 && look->upper > 0 && look->digit > 0 &&
		look->symbol == 0 && !filter_is_covered(text, len);
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
	size_t under = 0, digits = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '_') {
			under++;
		} else if (!char_is_upper(text[i]) && !char_is_digit(text[i])) {
			return false;
		}
		digits += char_is_digit(text[i]);
	}
	return under > 0 && (rarity(text, len) < 40 || (digits * 8 <= len && len < 24));
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
	if ((len >= 12 && switches * 4 >= len) ||
		(len >= 16 && look_is_hex_run(text, len))) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!char_is_word(text[i]) && memchr("-.:/+ ", text[i], 6) == NULL) {
			return false;
		}
	}
	return rarity(text, len) < (look->digit > 0 ? 30 : 38);
}

bool
filter_is_name(const char *text, size_t len)
{
	len = MIN_OF(len, (size_t)LOOK_MAX);
	struct look look = look_at(text, len);

	return is_name(text, len, &look);
}

/** Words, or groups of characters, that are one secret together. */
static bool
is_phrase(const struct filter_value *value)
{
	const char *text = value->text;
	size_t len = value->len;
	bool spaced = value->quoted && memchr(text, ' ', len) != NULL;

	if (!spaced && memchr(text, '-', len) == NULL) {
		return false;
	}
	bool name = filter_names_phrase(value->name, value->name_len);
	return spaced ? filter_is_spaced(text, len, name)
		      : name && filter_is_hyphened(text, len);
}

/** A space, or more, that no password has: a sentence. */
static bool
is_prose(const struct filter_value *value)
{
	for (size_t i = 0; i < value->len; i++) {
		if (char_is_space(value->text[i])) {
			return !is_phrase(value);
		}
	}
	return false;
}

/** p4ssw0rd, pa%2Fssword: such words with digits for letters, or signs between. */
static bool
is_disguised(const char *text, size_t len)
{
	static const char digits[] = "013457@$", letters[] = "oleastas";
	char plain[24];

	if (len > sizeof(plain)) {
		return false;
	}
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%' && i + 2 < len && char_hex(text[i + 1]) >= 0 &&
			char_hex(text[i + 2]) >= 0) {
			c = (char)(char_hex(text[i + 1]) << 4 | char_hex(text[i + 2]));
			i += 2;
		}
		const char *digit = memchr(digits, c, sizeof(digits) - 1);
		if (digit != NULL || char_is_alpha(c)) {
			plain[n++] = digit != NULL ? letters[digit - digits] : c;
		}
	}
	return n * 2 > len && filter_is_covered(plain, n);
}

/** Passwords that standards print as examples. */
static const struct word published[] = { WORD("gx1fbat3bv"), WORD("tiger") };

bool
filter_is_password(const char *text, size_t len)
{
	len = MIN_OF(len, (size_t)LOOK_MAX);
	struct look look = look_at(text, len);

	if (word_is(text, len, published, countof(published)) ||
		is_disguised(text, len)) {
		return false;
	}
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

/** "Summer2024!" beside "secret": what people type where a machine's token is asked. */
static bool
is_marked(const struct filter_value *value, const struct look *look)
{
	size_t marks = 0;

	for (size_t i = 0; i < value->len; i++) {
		marks += memchr("!@#$%^&*?", value->text[i], 9) != NULL;
	}
	return (value->quoted || value->whole_line) && value->len >= 8 &&
		value->len <= 32 && look->classes == 4 && marks > 0 &&
		look->symbol <= 4 && look->other == 0 &&
		(value->path & (FILTER_PATH_TEST | FILTER_PATH_DOC)) == 0;
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
	if (value->key == FILTER_KEY_TOKEN && is_marked(value, look)) {
		return true;
	}
	if (value->len < least || filter_is_dull(value->text, value->len)) {
		return false;
	}
	if (look->digit == 0 && (!value->quoted && !value->whole_line)) {
		return false;
	}
	return is_random(value->text, value->len, look, rare) ||
		(value->key == FILTER_KEY_TOKEN &&
			filter_is_scrambled(value->text, value->len, look));
}

/** "sha256", "version2": what ends in digits and is nobody's password. */
static bool
is_numbered_word(const char *text, size_t len)
{
	static const struct word words[] = { WORD("sha"), WORD("md"), WORD("base"),
		WORD("aes"), WORD("pbkdf"), WORD("argon"), WORD("aesgcm"), WORD("bcrypt"),
		WORD("utf"), WORD("rsa"), WORD("iso"), WORD("hmac"), WORD("scram"),
		WORD("version"), WORD("step"), WORD("level"), WORD("page"), WORD("input"),
		WORD("field"), WORD("label"), WORD("text"), WORD("arg"), WORD("line"),
		WORD("item") };
	size_t letters = 0;

	// "shadow5864" begins with no algorithm.
	while (letters < len && char_is_alpha(text[letters])) {
		letters++;
	}
	return word_is(text, letters, words, countof(words));
}

/** "22", "2019", "2204", "12cR2", "8.3": two digits or a year (and month), and what
 * makers add. */
static bool
is_version(const char *text, size_t len)
{
	size_t digits = 0;

	while (digits < len && char_is_digit(text[digits])) {
		digits++;
	}
	if (digits == 0 || len > 7 || digits == 3 || digits > 4 ||
		(digits == 4 && text[0] != '1' && text[0] != '2')) {
		return false;
	}
	for (size_t i = digits; i < len; i++) {
		if (!char_is_digit(text[i]) && strchr(".cgiRr", text[i]) == NULL) {
			return false;
		}
	}
	return true;
}

/** "Ubuntu22", "Oracle12cR2": a product and its version, as sentences about passwords
 * name them. */
static bool
is_product(const char *text, size_t len)
{
	static const struct word words[] = { WORD("ubuntu"), WORD("debian"),
		WORD("windows"), WORD("win"), WORD("oracle"), WORD("fedora"),
		WORD("centos"), WORD("rhel"), WORD("redhat"), WORD("suse"),
		WORD("android"), WORD("server"), WORD("office"), WORD("outlook"),
		WORD("exchange"), WORD("sharepoint"), WORD("postgres"),
		WORD("postgresql"), WORD("mysql"), WORD("mariadb"), WORD("mongodb"),
		WORD("redis"), WORD("sqlserver"), WORD("java"), WORD("jdk"),
		WORD("python"), WORD("php"), WORD("node"), WORD("ruby"), WORD("perl"),
		WORD("django"), WORD("rails"), WORD("laravel"), WORD("drupal"),
		WORD("wordpress"), WORD("keycloak"), WORD("kubernetes"), WORD("tomcat"),
		WORD("jenkins"), WORD("gitlab"), WORD("github"), WORD("spring"),
		WORD("angular"), WORD("react"), WORD("chrome"), WORD("firefox"),
		WORD("safari"), WORD("edge"), WORD("ios"), WORD("macos"), WORD("osx"),
		WORD("iphone"), WORD("ipad"), WORD("galaxy"), WORD("openssl"),
		WORD("openssh"), WORD("kerberos"), WORD("ntlmv"), WORD("argon"),
		WORD("active"), WORD("vista"), WORD("keepass"), WORD("bitwarden"),
		WORD("lastpass"), WORD("version"), WORD("release") };
	size_t letters = 0;

	while (letters < len && char_is_alpha(text[letters])) {
		letters++;
	}
	return is_version(text + letters, len - letters) &&
		word_is(text, letters, words, countof(words));
}

/** NFKC, HESLO: what stands for a value in a call or a manual. */
static bool
is_capitals(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!char_is_upper(text[i])) {
			return false;
		}
	}
	return len <= 12;
}

/** A password in a sentence: with digits and more than one kind of letters, or marks. */
static bool
is_said(const struct filter_value *value, const struct look *look)
{
	if (value->len < 8 || look->digit < 2 || look->lower + look->upper < 3 ||
		look->other > 0 || is_numbered_word(value->text, value->len)) {
		return false;
	}
	bool mixed = look->lower > 0 && look->upper > 0;

	return value->said ? mixed || look->symbol > 0 || look->digit > 2
			   : mixed && look->digit > 2 && value->len >= 10;
}

/** "lena1990": a name and a number, as people make them up. */
static bool
is_numbered(const struct filter_value *value, const struct look *look)
{
	size_t len = value->len;
	bool stands = value->quoted || value->whole_line || value->flag || value->tight ||
		is_said(value, look) ||
		(value->ends_line && look->digit >= 3 &&
			(value->path & FILTER_PATH_CODE) == 0);

	return stands && len >= 6 && look->digit >= 2 && look->lower + look->upper >= 3 &&
		look->symbol <= 2 && char_is_alnum(value->text[0]) &&
		!is_numbered_word(value->text, len);
}

/** The names of other things that a password is compared with, or labelled by. */
static bool
is_label(const char *text, size_t len)
{
	static const struct word labels[] = { WORD("contrasena"), WORD("contraseña"),
		WORD("mot de passe"), WORD("motdepasse"), WORD("passwort"),
		WORD("kennwort"), WORD("wachtwoord"), WORD("lozinka"), WORD("heslo"),
		WORD("geslo"), WORD("parole"), WORD("parool"), WORD("parola"),
		WORD("sifre"), WORD("haslo"), WORD("senha"), WORD("adgangskode"),
		WORD("salasana"), WORD("losenord"), WORD("passord"), WORD("jelszo"),
		WORD("katalaluan"), WORD("sandi"), WORD("pasahitza"), WORD("optional"),
		WORD("always"), WORD("never"), WORD("onetime"), WORD("disabled"),
		WORD("enabled"), WORD("forbidden"), WORD("prompt"), WORD("ask"),
		WORD("interactive"), WORD("plain"), WORD("plaintext"), WORD("clear"),
		WORD("number"), WORD("boolean"), WORD("object"), WORD("integer"),
		WORD("varchar"), WORD("lock"), WORD("hide"), WORD("show"),
		WORD("visible"), WORD("mail"), WORD("email"), WORD("phone"),
		WORD("forgot"), WORD("verify"), WORD("confirm"), WORD("strength"),
		WORD("sha"), WORD("md"), WORD("bcrypt"), WORD("argon") };

	return word_is(text, len, labels, countof(labels));
}

/** One word in small letters beside DB_PASSWORD in a configuration file, or beside the
 * user's name: where nothing else can stand, a word is the password. */
static bool
is_plain_password(const struct filter_value *value, const struct look *look)
{
	if (value->key != FILTER_KEY_PASSWORD || value->called || value->len < 4 ||
		value->len > 24 || look->lower + look->upper != value->len ||
		look->upper * 2 > value->len || is_label(value->text, value->len) ||
		filter_is_covered(value->text, value->len)) {
		return false;
	}
	bool doubtful = (value->path & (FILTER_PATH_DOC | FILTER_PATH_GENERATED)) != 0;
	if (!doubtful && (value->quoted || value->whole_line) &&
		rarity(value->text, value->len) >= 38 && char_is_lower(value->text[0])) {
		return true;
	}
	if (value->path & FILTER_PATH_CODE) {
		return !doubtful && value->quoted && value->with_user &&
			rarity(value->text, value->len) >= 30;
	}
	return (value->quoted || value->whole_line) &&
		(filter_names_setting(value->name, value->name_len) ||
			(value->with_user && !doubtful)) &&
		rarity(value->text, value->len) >= (doubtful ? 36 : 26);
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
	// openssl rand -hex: beside that word digits and letters of hex are one as well.
	return is_typed(value->text, value->len, look) ||
		is_plain_password(value, look) ||
		(value->len >= 16 && look_is_hex(value->text, value->len) &&
			is_random(value->text, value->len, look, 0)) ||
		filter_is_scrambled(value->text, value->len, look) ||
		is_numbered(value, look);
}

/** "auth_plugin 5b67ea2b...": a thing and the commit it is at. */
static bool
is_revision(const struct filter_value *value)
{
	static const struct word last[] = { WORD("token"), WORD("secret"), WORD("key"),
		WORD("password") };

	if (value->len != 40 || value->said || !look_is_hex(value->text, value->len)) {
		return false;
	}
	for (size_t i = 0; i < countof(last); i++) {
		if (value->name_len >= last[i].len &&
			word_begins(value->name + value->name_len - last[i].len,
				last[i].len, &last[i])) {
			return false;
		}
	}
	return true;
}

/** `password: Nuoroda skirta`: a word, and a sentence goes on. */
static bool
is_first_word(const struct filter_value *value, const struct look *look)
{
	return !value->quoted && !value->whole_line && value->goes_on && !value->tight &&
		!value->flag && !value->said && look->lower + look->upper == value->len &&
		look->upper <= 1 && (look->upper == 0 || char_is_upper(value->text[0]));
}

/** `password x` without quotes or '=': only where nothing but the value follows. */
static bool
is_loose(const struct filter_value *value, const struct look *look)
{
	if (!value->bare_space || value->flag) {
		return false;
	}
	if (is_product(value->text, value->len) || is_revision(value)) {
		return true;
	}
	size_t len = value->len;

	// Base64 ends so.
	while (len > 0 && value->text[len - 1] == '=') {
		len--;
	}
	if (len > 0 && value->text[0] == '@') {
		return true;
	}
	bool scrambled = filter_is_scrambled(value->text, value->len, look);
	for (size_t i = 0; i < len && !scrambled; i++) {
		if (memchr("*(){}[]<>;=", value->text[i], 11) != NULL) {
			return true;
		}
	}
	// In the midst of a sentence only what no word looks like.
	bool token = value->key == FILTER_KEY_TOKEN && value->said && value->len >= 16 &&
		look->digit >= 3;
	bool midst = !value->ends_line && !token &&
		!(value->key == FILTER_KEY_PASSWORD && is_said(value, look)) &&
		!(value->key != FILTER_KEY_WEAK &&
			((look->classes >= 3 && scrambled) ||
				(len >= 32 && look->digit > 3 &&
					look_is_hex(value->text, len))));
	return midst || (value->path & FILTER_PATH_CODE) ||
		value->key == FILTER_KEY_WEAK ||
		(look->digit == 0 && rarity(value->text, value->len) < 46);
}

static size_t
spaces_in(const char *text, size_t len)
{
	size_t spaces = 0;

	for (size_t i = 0; i < len; i++) {
		spaces += text[i] == ' ';
	}
	return spaces;
}

/** The name of a list says what one of it is: "api_keys" holds an "api_key". */
static enum filter_key
key_of(const struct filter_value *value)
{
	size_t len = value->name_len;

	bool listed = value->listed || memchr(value->text, ',', value->len) != NULL;

	if (listed && len > 4 && char_lower(value->name[len - 1]) == 's' &&
		char_lower(value->name[len - 2]) != 's') {
		len--;
	}
	return filter_key_again(value->names, value->name, len);
}

/** "84719362" beside "password": digits, and no date or row of them. */
static bool
is_all_digits(const struct filter_value *value, const struct look *look)
{
	static const struct word names[] = { WORD("password"), WORD("passwd"),
		WORD("passwort"), WORD("kennwort"), WORD("senha"), WORD("contrasena") };
	const char *text = value->text;
	size_t len = value->len;

	return look->digit == len && len >= 7 && len <= 20 && look->distinct >= 5 &&
		!(len == 8 &&
			(memcmp(text, "19", 2) == 0 || memcmp(text, "20", 2) == 0)) &&
		!value->called &&
		(value->path & (FILTER_PATH_TEST | FILTER_PATH_DOC)) == 0 &&
		(value->quoted || (value->whole_line && value->tight)) &&
		word_in_any(value->name, value->name_len, names, countof(names)) &&
		!filter_is_dull(text, len);
}

/** What reads like a name, and may be a password all the same. */
static bool
is_made_up(struct filter_value *value, const struct look *look)
{
	bool word = look->lower + look->upper == value->len && value->len <= 24 &&
		(value->quoted || value->whole_line) && !value->called;

	bool digits = look->digit == value->len && is_all_digits(value, look);

	// Most names are of other things; whose they are costs more to ask.
	if (!word && !digits && !is_numbered(value, look)) {
		return false;
	}
	value->key = key_of(value);
	return value->key == FILTER_KEY_PASSWORD &&
		(!word || is_plain_password(value, look));
}

/** a=b=c=d=...: nobody's value. */
static bool
is_row_of_pairs(const char *text, size_t len)
{
	size_t pairs = 0;

	for (size_t i = 0; i + 1 < MIN_OF(len, (size_t)64); i++) {
		pairs += text[i] == '=' && text[i + 1] != '=';
	}
	return pairs >= 5;
}

/** name(, and in a program's sources a = b of a chain: no value. */
static bool
is_program(const struct filter_value *value)
{
	size_t len = value->len;
	const char *equals = memchr(value->text, '=', len);

	return value->text[len - 1] == '(' ||
		((value->path & FILTER_PATH_CODE) != 0 && equals != NULL &&
			equals + 1 < value->text + len && equals[1] != '=' &&
			char_is_alpha(value->text[0]) &&
			(!value->tight || equals[1] == '!'));
}

bool
filter_is_plain(const struct filter_value *value)
{
	const char *text = value->text;
	size_t len = MIN_OF(value->len, (size_t)LOOK_MAX);

	if (len < FILTER_LEN_MIN || look_is_uuid(text, len)) {
		return len < FILTER_LEN_MIN;
	}
	if (!value->quoted && (is_row_of_pairs(text, len) || is_program(value))) {
		return true;
	}

	struct look look = look_at(text, len);
	struct filter_value start = *value;
	start.len = len;
	return (look.other > 0 && look.other > spaces_in(text, len)) ||
		(!value->quoted && (value->path & FILTER_PATH_CODE) &&
			(look.digit == 0 || memchr(text, '[', len) != NULL)) ||
		is_prose(&start) ||
		(is_name(text, len, &look) && !is_mixture(text, len, &look) &&
			!is_phrase(&start) && !is_made_up(&start, &look)) ||
		(len >= 6 && filter_is_dull(text, len));
}

/** A UUID beside a name that leaves no doubt: "client_secret". */
static bool
is_secret_uuid(const struct filter_value *value)
{
	bool stands = value->quoted || value->whole_line || value->tight || value->flag ||
		(value->ends_line && (value->path & FILTER_PATH_CODE) == 0);

	return value->len == 36 && stands && (value->path & FILTER_PATH_GENERATED) == 0 &&
		look_is_uuid(value->text, value->len) &&
		!filter_is_dull(value->text, value->len) &&
		(value->key == FILTER_KEY_PASSWORD ||
			filter_names_secret(value->name, value->name_len));
}

/** What speaks against the value, whatever its name promises; NULL when nothing does. */
static const char *
reason_against(const struct filter_value *value, const struct look *look)
{
	const char *text = value->text;
	size_t len = value->len;

	if (value->key == FILTER_KEY_NONE) {
		return "its name speaks of something public, or about a secret";
	}
	if (is_loose(value, look) || is_first_word(value, look)) {
		return "a space alone is between name and value, and more follows";
	}
	if ((value->called || value->flag) && is_capitals(text, len)) {
		return "it is the name of a constant";
	}
	if (filter_is_placeholder(text, len)) {
		return "it is a placeholder";
	}
	if (filter_is_reference(text, len) || is_binding(text, len)) {
		return "it only names where the value is";
	}
	if (filter_is_id(text, len) && !is_secret_uuid(value) &&
		!(value->key == FILTER_KEY_PASSWORD && is_all_digits(value, look))) {
		return "it is an id, a number or a hash";
	}
	// A name with a digit may yet be a password, in quotes and beside that word.
	if (is_name(text, len, look) && !is_phrase(value) &&
		!(value->key == FILTER_KEY_PASSWORD &&
			(value->quoted || value->whole_line ||
				is_numbered(value, look)))) {
		return "its value reads like a name";
	}
	// A node of a device tree: "mdp: mdp@1a01000".
	if (value->name_len + 1 < len && text[value->name_len] == '@' &&
		memcmp(text, value->name, value->name_len) == 0) {
		return "it is an address of what its name says";
	}
	if (value->key == FILTER_KEY_WEAK && is_filed(text, len)) {
		return "it is a name with a checksum, as caches have";
	}
	// "key": beside a row of digits, in a test: what a cipher is tried with.
	if (value->key == FILTER_KEY_WEAK && (value->path & FILTER_PATH_TEST) != 0 &&
		value->name_len == 3 && look_is_hex(text, len)) {
		return "it is what a test gives to a cipher";
	}
	if ((value->path & FILTER_PATH_GENERATED) &&
		(value->key == FILTER_KEY_WEAK || value->called)) {
		return "its name says little, and this file is made by a program";
	}
	return NULL;
}

enum filter_key
filter_secret(const struct filter_value *value, const char **ret_why)
{
	// The start of a long value tells enough, and costs enough.
	struct filter_value start = *value;
	struct look look;

	start.len = MIN_OF(value->len, (size_t)LOOK_MAX);
	look = look_at(start.text, start.len);
	*ret_why = "its value is a name, a word, prose or an id";
	if (filter_is_plain(value)) {
		return FILTER_KEY_NONE;
	}
	start.key = key_of(value);
	*ret_why = reason_against(&start, &look);
	if (*ret_why != NULL) {
		return FILTER_KEY_NONE;
	}
	*ret_why = "its value is too short, or too much like words";
	bool secret = is_phrase(&start) || is_secret_uuid(&start) ||
		(start.key == FILTER_KEY_PASSWORD && is_all_digits(&start, &look)) ||
		(start.key == FILTER_KEY_PASSWORD ? is_password_value(&start, &look)
						  : is_token_value(&start, &look));
	return secret ? start.key : FILTER_KEY_NONE;
}
