// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/pem.h"

#include "base/mem.h"
#include "scanner/chars.h"
#include "scanner/decode.h"
#include "scanner/rarity.h"

#include <stdlib.h>
#include <string.h>

enum {
	LABEL_MAX = 48,
	/** Hundredths of a bit: real keys have more than five bits per character. */
	ENTROPY_MIN = 400,
};

/** The BEGIN line that ends with the words at @at?  Its dashes may be four (SSH2). */
static bool
has_begin(const char *text, size_t at)
{
	size_t start = at;

	while (start > 0 && at - start < LABEL_MAX &&
		(char_is_upper(text[start - 1]) || char_is_digit(text[start - 1]) ||
			text[start - 1] == ' ')) {
		start--;
	}
	return start >= 4 && memcmp(text + start - 4, "----", 4) == 0 &&
		memmem(text + start, at - start, "BEGIN", 5) != NULL;
}

/** Behind the label and its dashes, or 0. */
static size_t
end_of_begin(const char *text, size_t len, size_t at)
{
	size_t end = at;

	while (end < len && end - at < LABEL_MAX &&
		(char_is_upper(text[end]) || char_is_digit(text[end]) ||
			text[end] == ' ')) {
		end++;
	}
	if (end + 4 > len || memcmp(text + end, "----", 4) != 0) {
		return 0;
	}
	while (end < len && text[end] == '-') {
		end++;
	}
	return end;
}

/** Bytes of an escape that stands for a line break or for nothing, or 0. */
static size_t
skip_escape(const char *text, size_t len, size_t at)
{
	static const char *const escapes[] = { "\\r", "\\n", "\\t", "\\\n", "\\\"", "\\",
		"%0A", "%0D", "%0a", "%0d", "&#10;", "&#13;", "&#xA;", "&#xa;", "<br>",
		"<br/>",
		// What stands between a line's number and the line.
		"\xe2\x86\x92", "\xe2\x94\x82" };

	// The colours of a terminal: ESC [ 32 m.
	if (text[at] == '\x1b' && at + 1 < len && text[at + 1] == '[') {
		size_t end = at + 2;

		while (end < len && end - at < 12 &&
			(char_is_digit(text[end]) || text[end] == ';')) {
			end++;
		}
		return end < len && text[end] == 'm' ? end + 1 - at : 0;
	}
	for (size_t i = 0; i < countof(escapes); i++) {
		size_t n = strlen(escapes[i]);

		if (at + n <= len && memcmp(text + at, escapes[i], n) == 0) {
			return n;
		}
	}
	return 0;
}

/** A header such as "Proc-Type: 4,ENCRYPTED": its length up to the line's end, or 0. */
static size_t
skip_header(const char *text, size_t len, size_t at)
{
	size_t i = at;

	while (i < len && i - at < 40 && (char_is_alpha(text[i]) || text[i] == '-')) {
		i++;
	}
	if (i == at || i + 1 >= len || text[i] != ':' || text[i + 1] != ' ') {
		return 0;
	}
	while (i < len && text[i] != '\n' && skip_escape(text, len, i) == 0 &&
		text[i] != '"') {
		i++;
	}
	return i - at;
}

struct body {
	size_t start, end;
	size_t strange;
	char *bare;
	size_t nbare;
};

/** A '+' that joins strings, a '/' that begins a comment: alone among blanks. */
static bool
is_joint(const char *text, size_t upto, size_t i)
{
	bool next = i + 1 >= upto || char_is_space(text[i + 1]) ||
		char_is_quote(text[i + 1]) || (text[i] == '/' && text[i + 1] == '/');
	bool before = i == 0 || char_is_space(text[i - 1]) ||
		char_is_quote(text[i - 1]) || text[i - 1] == '/';

	return (text[i] == '+' || text[i] == '/') && next && before;
}

static void
take_body(const char *text, size_t from, size_t upto, bool whole, struct body *body)
{
	bool fresh = true;

	for (size_t i = from; i < upto;) {
		size_t skip = skip_escape(text, upto, i);

		if (skip == 0 && fresh) {
			skip = skip_header(text, upto, i);
		}
		if (skip > 0) {
			i += skip;
			fresh = true;
			continue;
		}
		if (is_joint(text, upto, i)) {
			i++;
			continue;
		}
		if (char_is_base64(text[i]) || text[i] == '=') {
			if (body->nbare == 0) {
				body->start = i;
			}
			body->bare[body->nbare++] = text[i];
			body->end = i + 1;
			fresh = false;
		} else if (char_is_space(text[i])) {
			fresh = true;
		} else if (memchr("\"'`+,.;>|*#()&$", text[i], 15) != NULL && whole) {
			body->strange += text[i] == '.';
			fresh = true;
		} else {
			if (!whole) {
				return;
			}
			body->strange++;
		}
		i++;
	}
}

/** DER says how long it is: an example cut short has a small part of that. */
static bool
is_cut_short(const char *bare, size_t len)
{
	unsigned char der[4];

	if (decode_base64(bare, MIN_OF(len, (size_t)8), (char *)der, sizeof(der)) <
			sizeof(der) ||
		der[0] != 0x30 || der[1] != 0x82) {
		return false;
	}
	size_t declared = (size_t)der[2] << 8 | der[3];
	// Before a fifth of it the public half is not even over; a key that ends later
	// gives the private one away.
	return len * 3 / 4 < declared / 5;
}

/** Under a passphrase: by its label, its header, or OpenSSH's name of a cipher. */
static bool
is_encrypted(const char *text, size_t at, size_t from, const struct body *body)
{
	// "openssh-key-v1", NUL, length, then the cipher: "none" when there is none.
	static const char openssh[] = "b3BlbnNzaC1rZXktdjEA";
	static const char no_cipher[] = "AAAABG5vbmU";

	return (at >= 10 && memcmp(text + at - 10, "ENCRYPTED ", 10) == 0) ||
		memmem(text + from, body->start - from, "ENCRYPTED", 9) != NULL ||
		(body->nbare > 40 &&
			memcmp(body->bare, openssh, sizeof(openssh) - 1) == 0 &&
			memcmp(body->bare + sizeof(openssh) - 1, no_cipher,
				sizeof(no_cipher) - 1) != 0);
}

bool
pem_read(const char *text, size_t len, size_t at, struct pem_block *ret_block)
{
	size_t from = has_begin(text, at) ? end_of_begin(text, len, at) : 0;

	if (from == 0) {
		return false;
	}

	size_t limit = MIN_OF(len, from + PEM_MAX);
	const char *dashes = memmem(text + from, limit - from, "----", 4);
	bool whole = dashes != NULL &&
		memmem(dashes, MIN_OF((size_t)(text + limit - dashes), (size_t)12), "END",
			3) != NULL;
	size_t upto = dashes != NULL ? (size_t)(dashes - text) : limit;

	struct body body = { .bare = xmalloc(upto - from + 1) };
	take_body(text, from, upto, whole, &body);
	if (body.nbare < PEM_KEY_MIN || body.strange * 20 > body.nbare ||
		is_cut_short(body.bare, body.nbare) ||
		rarity_entropy(body.bare, body.nbare) < ENTROPY_MIN) {
		free(body.bare);
		return false;
	}
	*ret_block = (struct pem_block){ .start = body.start,
		.encrypted = is_encrypted(text, at, from, &body),
		.end = body.end,
		.whole = whole,
		.bare = body.bare,
		.nbare = body.nbare };
	return true;
}

void
pem_done(struct pem_block *block)
{
	if (block->bare != NULL) {
		explicit_bzero(block->bare, block->nbare);
		free(block->bare);
		block->bare = NULL;
	}
}
