// SPDX-License-Identifier: GPL-2.0-or-later

// What people write between a name and its value: "the password for the wifi is now ...".

#include "scanner/assign_cursor.h"

enum {
	/** Words between the name and what says that the value follows. */
	WORDS_MAX = 4,
	WORD_LONGEST = 24,
};

static bool
take_any(struct cursor *cursor, const char *const *words, size_t nwords)
{
	char first = char_lower(cursor_peek(cursor, 0));

	for (size_t i = 0; i < nwords; i++) {
		if (words[i][0] == first && cursor_take_word(cursor, words[i])) {
			return true;
		}
	}
	return false;
}

/** "password policy: ": not the password, something about all of them. */
static bool
is_about(const struct cursor *cursor)
{
	static const char *const nouns[] = { "polic", "rule", "requirement", "length",
		"format", "hash", "history", "age", "expir", "hint", "manager", "field",
		"strength", "complexity", "reset", "prompt", "generator", "file", "type",
		"check", "encoding", "encryption", "algorithm", "-policy", "richtlinie",
		"-richtlinie" };
	struct cursor ahead = *cursor;

	return take_any(&ahead, nouns, countof(nouns));
}

/** "is ", "ist: ", "was changed to ", with what may stand before the value. */
static bool
take_verb(struct cursor *cursor)
{
	static const char *const verbs[] = { "is: ", "is ", "ist: ", "ist ", "est ",
		"es ", "was ", "lautet: ", "lautet ", "should be ", "will be ",
		"has been ", "\xc3\xa8 ", "\xc3\xa9 ", "\xc3\xa4r ", "it is ", "its ",
		"it's ", "it\xe2\x80\x99s " };
	static const char *const fillers[] = { "now: ", "now ", "still ", "currently ",
		"actually ", "just ", "set to ", "changed to ", "reset to ",
		"set: ", "changed: ", "this: ", "as follows: ", "jetzt ", "nun " };

	if (!take_any(cursor, verbs, countof(verbs))) {
		return false;
	}
	for (int i = 0; i < 3 && take_any(cursor, fillers, countof(fillers)); i++) {
	}
	return true;
}

/** One word of a sentence, with the space behind it or the colon that ends the name. */
static bool
take_word(struct cursor *cursor, bool *ret_colon)
{
	size_t from = cursor->at;

	while (cursor->at < cursor->len && cursor->at - from < WORD_LONGEST &&
		(cursor_is_key_char(cursor_peek(cursor, 0)) ||
			((unsigned char)cursor_peek(cursor, 0) & 0x80) != 0 ||
			cursor_peek(cursor, 0) == '@' || cursor_peek(cursor, 0) == '(' ||
			cursor_peek(cursor, 0) == ')')) {
		cursor->at++;
	}
	char next = cursor_peek(cursor, 0);
	*ret_colon = next == ':' && char_is_blank(cursor_peek(cursor, 1));
	if (cursor->at == from || (next != ' ' && !*ret_colon)) {
		return false;
	}
	cursor->at++;
	return true;
}

/** "password for the wifi: ", "password (admin) is ", "password changed to ". */
static bool
take_words(struct cursor *cursor)
{
	static const char *const changes[] = { "to ", "changed to ", "set to ",
		"reset to ", "updated to ", "rotated to " };
	struct cursor ahead = *cursor;
	bool colon = false;

	if (is_about(cursor)) {
		return false;
	}
	for (int i = 0; i <= WORDS_MAX; i++) {
		struct cursor verb = ahead;

		// In French a space stands before the colon, too.
		if ((i > 0 &&
			    (take_verb(&verb) || cursor_take_word(&verb, "-> ") ||
				    cursor_take_word(&verb, ": ") ||
				    cursor_take_word(&verb, "= "))) ||
			take_any(&verb, changes + (i > 0), countof(changes) - (i > 0))) {
			*cursor = verb;
			return true;
		}
		if (!take_word(&ahead, &colon)) {
			return false;
		}
		if (colon) {
			*cursor = ahead;
			return true;
		}
	}
	return false;
}

bool
assign_phrase_aside(struct cursor *cursor, struct assignment *assignment)
{
	struct cursor ahead = *cursor;

	if (!cursor_take_word(&ahead, ", it") || !cursor_take_word(cursor, ", ")) {
		return false;
	}
	assignment->said = take_verb(cursor);
	assignment->form = ASSIGN_SPACE;
	return assignment->said;
}

bool
assign_phrase(struct cursor *cursor, struct assignment *assignment)
{
	static const char *const signs[] = { "reg_sz ", "- ", "\xe2\x80\x93 ",
		"\xe2\x80\x94 ", "\xe2\x86\x92 ", "-> ", "=> ", "/ " };

	bool sign = false;

	assignment->said = take_verb(cursor);
	if (!assignment->said) {
		sign = take_any(cursor, signs, countof(signs));
		assignment->said = !sign && take_words(cursor);
	}
	if (assignment->said || sign) {
		assignment->form = ASSIGN_SPACE;
	}
	return assignment->said || sign;
}
