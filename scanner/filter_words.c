// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/filter_words.h"

#include "scanner/chars.h"
#include "scanner/filter_look.h"
#include "scanner/rarity.h"
#include "scanner/words.h"

#include <string.h>

/** Words that stand for a value that somebody should fill in, or that nobody would use.
 */
static const struct word placeholder_words[] = { WORD("a"), WORD("abc"), WORD("access"),
	WORD("account"), WORD("actual"), WORD("add"), WORD("admin"),
	WORD("administrator"), WORD("all"), WORD("an"), WORD("and"), WORD("any"),
	WORD("api"), WORD("app"), WORD("application"), WORD("asdf"), WORD("auth"),
	WORD("authorization"), WORD("aws"), WORD("bar"), WORD("basic"), WORD("baz"),
	WORD("bearer"), WORD("bot"), WORD("change"), WORD("changeit"), WORD("changeme"),
	WORD("client"), WORD("code"), WORD("com"), WORD("confidential"), WORD("correct"),
	WORD("cred"), WORD("credential"), WORD("credentials"), WORD("creds"),
	WORD("custom"), WORD("data"), WORD("database"), WORD("db"), WORD("default"),
	WORD("demo"), WORD("dev"), WORD("dummy"), WORD("edit"), WORD("empty"),
	WORD("enter"), WORD("env"), WORD("etc"), WORD("example"), WORD("examplekey"),
	WORD("expected"), WORD("fake"), WORD("false"), WORD("fill"), WORD("fixme"),
	WORD("foo"), WORD("foobar"), WORD("for"), WORD("from"), WORD("generate"),
	WORD("generated"), WORD("get"), WORD("goes"), WORD("guest"), WORD("hash"),
	WORD("hello"), WORD("here"), WORD("hidden"), WORD("host"), WORD("http"),
	WORD("id"), WORD("in"), WORD("incorrect"), WORD("insert"), WORD("invalid"),
	WORD("is"), WORD("it"), WORD("json"), WORD("jwt"), WORD("key"), WORD("keys"),
	WORD("letmein"), WORD("local"), WORD("localhost"), WORD("login"), WORD("long"),
	WORD("magic"), WORD("masked"), WORD("master"), WORD("me"), WORD("missing"),
	WORD("mock"), WORD("my"), WORD("mypassword"), WORD("mypass"), WORD("mysecret"),
	WORD("mysql"), WORD("mytoken"), WORD("name"), WORD("new"), WORD("nil"),
	WORD("no"), WORD("none"), WORD("not"), WORD("null"), WORD("of"), WORD("old"),
	WORD("omitted"), WORD("or"), WORD("oracle"), WORD("org"), WORD("orig"),
	WORD("original"), WORD("pass"), WORD("passcode"), WORD("passphrase"),
	WORD("passwd"), WORD("passwort"), WORD("password"), WORD("passw0rd"),
	WORD("paste"), WORD("personal"), WORD("placeholder"), WORD("please"),
	WORD("postgres"), WORD("private"), WORD("prod"), WORD("production"),
	WORD("provided"), WORD("public"), WORD("put"), WORD("pw"), WORD("pwd"),
	WORD("qwerty"), WORD("random"), WORD("read"), WORD("real"), WORD("redacted"),
	WORD("refresh"), WORD("remove"), WORD("removed"), WORD("replace"),
	WORD("replaceme"), WORD("required"), WORD("root"), WORD("sample"), WORD("secret"),
	WORD("secrets"), WORD("secure"), WORD("server"), WORD("service"), WORD("session"),
	WORD("set"), WORD("shared"), WORD("sign"), WORD("signing"), WORD("some"),
	WORD("something"), WORD("staging"), WORD("static"), WORD("string"),
	WORD("strong"), WORD("stub"), WORD("supersecret"), WORD("super"), WORD("system"),
	WORD("temp"), WORD("template"), WORD("test"), WORD("tester"), WORD("testing"),
	WORD("tests"), WORD("the"), WORD("this"), WORD("tmp"), WORD("to"), WORD("todo"),
	WORD("token"), WORD("tokens"), WORD("true"), WORD("type"), WORD("undefined"),
	WORD("unknown"), WORD("unset"), WORD("update"), WORD("use"), WORD("user"),
	WORD("username"), WORD("valid"), WORD("value"), WORD("var"), WORD("very"),
	WORD("wrong"), WORD("with"), WORD("write"), WORD("xyes"), WORD("xyz"),
	WORD("yes"), WORD("you"), WORD("your"), WORD("yourkey"), WORD("yourpassword"),
	WORD("yoursecret"), WORD("yourtoken"), WORD("zzz") };

/** The words are in order of their first letters: where those with @first begin. */
static size_t
first_with(char first)
{
	size_t low = 0, high = countof(placeholder_words);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (placeholder_words[middle].text[0] < first) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/** Length of the longest placeholder word at the start of @text, or 0. */
static size_t
placeholder_word(const char *text, size_t len)
{
	char first = char_lower(text[0]);
	size_t best = 0;

	for (size_t i = first_with(first);
		i < countof(placeholder_words) && placeholder_words[i].text[0] == first;
		i++) {
		const struct word *word = &placeholder_words[i];

		if (word->len > best && word_begins(text, len, word)) {
			best = word->len;
		}
	}
	return best;
}

/** How many of these letters belong to no such word: all of them, or more than @most.  A
 * short one counts where another ends or all begin: there is none in "banana". */
static size_t
bare_letters(const char *text, size_t len, size_t most)
{
	enum {
		SHORT = 2,
	};
	size_t bare = 0;
	bool begins = true;

	for (size_t at = 0; at < len && bare <= most;) {
		size_t word = placeholder_word(text + at, len - at);

		// One letter is a word only when it stands alone.
		if (word == 0 || (word == 1 && len > 1) || (word <= SHORT && !begins)) {
			begins = false;
			bare++;
			at++;
		} else {
			begins = true;
			at += word;
		}
	}
	return bare;
}

bool
filter_is_covered(const char *text, size_t len)
{
	size_t letters = 0, bare = 0;

	for (size_t i = 0; i < len; i++) {
		letters += char_is_alpha(text[i]);
	}
	// A fifth of them; most texts have so many near their start.
	size_t most = letters / 5;
	for (size_t at = 0, end; at < len && bare <= most; at = end + 1) {
		end = at;
		while (end < len && char_is_alpha(text[end])) {
			end++;
		}
		bare += bare_letters(text + at, end - at, most - bare);
	}
	return letters > 0 && bare <= most;
}

/** Words of a sentence: none of them stands in a passphrase. */
static const struct word sentence_words[] = { WORD("a"), WORD("an"), WORD("and"),
	WORD("are"), WORD("as"), WORD("at"), WORD("be"), WORD("but"), WORD("by"),
	WORD("can"), WORD("do"), WORD("enter"), WORD("for"), WORD("forgot"), WORD("from"),
	WORD("has"), WORD("have"), WORD("if"), WORD("in"), WORD("invalid"), WORD("is"),
	WORD("it"), WORD("key"), WORD("must"), WORD("my"), WORD("new"), WORD("not"),
	WORD("of"), WORD("old"), WORD("on"), WORD("or"), WORD("password"),
	WORD("passphrase"), WORD("please"), WORD("required"), WORD("reset"),
	WORD("secret"), WORD("should"), WORD("that"), WORD("the"), WORD("this"),
	WORD("to"), WORD("too"), WORD("use"), WORD("used"), WORD("was"), WORD("which"),
	WORD("will"), WORD("with"), WORD("you"), WORD("your") };

/** What stands between the spaces (or hyphens) of a value. */
struct parts {
	size_t count;
	/** Four small letters: Google's app passwords have four such groups. */
	size_t fours;
	/** Letters and digits in one, as no word has them. */
	size_t mixed;
	/** Small letters alone, three to ten. */
	size_t words;
	size_t of_sentences;
};

/** A digit among letters, or a capital behind a small letter. */
static bool
is_mixed_part(const char *text, size_t len, const struct look *look)
{
	if (look->digit > 0) {
		return look->digit < len || len <= 2;
	}
	return look->lower > 0 &&
		(look->upper > 1 || (look->upper == 1 && !char_is_upper(text[0])));
}

static struct parts
take_apart(const char *text, size_t len, char separator)
{
	struct parts parts = { 0 };

	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, separator, len - at);
		size_t n = end != NULL ? (size_t)(end - text) - at : len - at;
		struct look look = look_at(text + at, n);

		parts.count++;
		parts.fours += n == 4 && look.lower == 4;
		parts.mixed += is_mixed_part(text + at, n, &look);
		parts.words += n >= 3 && n <= 10 && look.lower == n;
		parts.of_sentences +=
			word_is(text + at, n, sentence_words, countof(sentence_words));
		at += n + 1;
	}
	return parts;
}

bool
filter_is_spaced(const char *text, size_t len, bool name)
{
	if (len < 10 || len > 120) {
		return false;
	}
	struct parts parts = take_apart(text, len, ' ');
	if (parts.count == 4 && parts.fours == 4) {
		return rarity(text, len) >= 44;
	}
	if (parts.count >= 2 && parts.count <= 6 && parts.mixed == parts.count) {
		return rarity(text, len) >= 34;
	}
	return name && parts.count >= 4 && parts.words == parts.count &&
		parts.of_sentences == 0;
}

bool
filter_is_hyphened(const char *text, size_t len)
{
	if (len < 16 || len > 120) {
		return false;
	}
	struct parts parts = take_apart(text, len, '-');
	return parts.count >= 4 && parts.words == parts.count &&
		parts.of_sentences == 0 && !filter_is_covered(text, len);
}

bool
filter_is_scrambled(const char *text, size_t len, const struct look *look)
{
	size_t turns = look_turns(text, len);

	return len >= 10 && look->lower > 0 && look->upper > 0 && look->digit > 0 &&
		turns * 2 >= len && !filter_is_covered(text, len);
}
