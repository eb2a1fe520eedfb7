// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Text inside an encoding, and keys that no word leads to.
 *
 * Base64 and hex of a text are runs of letters and digits that decode to characters; what
 * else is such a run (a name, a hash, a picture) does not.  So a few bytes of each run
 * are decoded, at each of the places where a group may begin, and only when they read as
 * a text the whole of it is scanned: every rule, whatever stands before it.
 */

#include "scanner/engine_pass.h"

#include "base/mem.h"
#include "scanner/chars.h"
#include "scanner/check.h"
#include "scanner/decode.h"
#include "scanner/phrase.h"

#include <string.h>

enum {
	/** Encoded text that is decoded around a place, at most, in either direction. */
	WRAPPED_MAX = 48 * 1024,
	/** What is scanned twice where a longer one is taken in parts. */
	OVERLAP = 2048,
	/** Characters that must decode to a text: 15 bytes in base64, 10 in hex. */
	PROBE = 20,
	/** From one probe to the next in a long run, and how many. */
	PROBE_STEP = 96,
	PROBES = 8,
};

/** Scan what is inside; the whole run is cut when it holds anything. */
static int
scan_inside(struct pass *pass, size_t start, size_t end, size_t len)
{
	struct engine *engine = pass->engine;
	struct pass inner = {
		.engine = engine,
		.context = pass->context,
		.text = engine->decoded,
		.len = len,
		.found = &engine->inner,
		.inner = true,
		.err = pass->err,
	};
	const struct engine_finding *best = NULL;

	engine->inner.count = 0;
	int ret = pass_scan(&inner);
	if (ret < 0) {
		return ret;
	}
	for (size_t i = 0; i < engine->inner.count; i++) {
		const struct engine_finding *finding = &engine->inner.list[i];

		if (best == NULL || finding->confidence < best->confidence ||
			(finding->confidence == best->confidence &&
				finding->start < best->start)) {
			best = finding;
		}
	}
	if (best != NULL) {
		struct engine_finding finding = *best;

		finding.start = start;
		finding.end = end;
		pass_add(pass, &finding);
	}
	return 0;
}

/** Characters of a text in ASCII, or in UTF-16? */
static bool
reads_as_text(const char *text, size_t len)
{
	size_t wide = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool printed = (c >= 0x20 && c < 0x7f) || (c >= '\t' && c <= '\r');

		if (!printed && (c != 0 || ++wide > (len + 1) / 2)) {
			return false;
		}
	}
	return wide == 0 || wide * 2 + 2 >= len;
}

/** Decode from @start to @end into the engine's room, and scan it. */
static int
scan_decoded(struct pass *pass, decode_fn *decode, size_t start, size_t end)
{
	struct engine *engine = pass->engine;

	if (engine->decoded == NULL) {
		engine->decoded = xmalloc(2 * WRAPPED_MAX);
	}
	size_t n =
		decode(pass->text + start, end - start, engine->decoded, 2 * WRAPPED_MAX);
	n = decode_wide(engine->decoded, n);
	return n > 0 ? scan_inside(pass, start, end, n) : 0;
}

/** How far the characters that @belongs knows reach around @at. */
static void
widen(const struct pass *pass, bool (*belongs)(char c), size_t done, size_t at,
	size_t *ret_start, size_t *ret_end)
{
	size_t start = at, end = at;

	while (start > done && at - start < WRAPPED_MAX &&
		belongs(pass->text[start - 1])) {
		start--;
	}
	while (end < pass->len && end - at < WRAPPED_MAX && belongs(pass->text[end])) {
		end++;
	}
	*ret_start = start;
	*ret_end = end;
}

/** The run's base64 has a text behind @at: all of it. */
static int
scan_base64(struct pass *pass, size_t at)
{
	size_t start, end;

	widen(pass, char_is_base64, pass->runs_done, at, &start, &end);
	pass->runs_done = end - at < WRAPPED_MAX ? end : end - OVERLAP;
	// What fills up the last group belongs to it.
	for (int i = 0; i < 2 && end < pass->len && pass->text[end] == '='; i++) {
		end++;
	}
	return scan_decoded(pass, decode_base64, start + (at - start) % 4, end);
}

static int
scan_hex(struct pass *pass, size_t at, size_t end)
{
	end = MIN_OF(end, at + WRAPPED_MAX);
	end -= (end - at) % 2;
	pass->runs_done = end;
	return scan_decoded(pass, decode_hex, at, end);
}

/** Could it be base64 of ASCII, from the first of a group on?  Each byte's high bit is
 * one of a character's six. */
static bool
may_be_base64(const char *text)
{
	static const unsigned char high[] = { 32, 8, 2, 0 };

	for (size_t i = 0; i < PROBE; i++) {
		unsigned char c = (unsigned char)text[i];
		size_t value = char_is_upper(text[i]) ? c - 'A' + 0u
			: char_is_lower(text[i])      ? c - 'a' + 26u
						      : c - '0' + 52u;

		if ((value & high[i % 4]) != 0) {
			return false;
		}
	}
	return true;
}

/** Or hex: every other digit is below eight. */
static bool
may_be_hex(const char *text)
{
	for (size_t i = 0; i < PROBE; i += 2) {
		if (text[i] > '7') {
			return false;
		}
	}
	return true;
}

/** A few characters at @at: does @decode make a text of them? */
static bool
probe(const struct pass *pass, decode_fn *decode, size_t at)
{
	char text[PROBE];
	size_t n = decode(pass->text + at, PROBE, text, sizeof(text));

	return n >= PROBE / 2 && reads_as_text(text, n);
}

static bool
is_hex_run(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && char_is_hex(text[i])) {
		i++;
	}
	return i == len;
}

/** Base64 or hex of a text in the run from @start to @end. */
static int
try_encoded(struct pass *pass, size_t start, size_t end)
{
	const char *text = pass->text;

	for (size_t i = 0; i < PROBES && start + i * PROBE_STEP + PROBE <= end; i++) {
		size_t at = start + i * PROBE_STEP;

		for (size_t phase = 0; phase < 4 && at + phase + PROBE <= end; phase++) {
			if (phase < 2 && may_be_hex(text + at + phase) &&
				probe(pass, decode_hex, at + phase) &&
				is_hex_run(text + start, end - start)) {
				return scan_hex(
					pass, start + (at - start + phase) % 2, end);
			}
			if (may_be_base64(text + at + phase) &&
				probe(pass, decode_base64, at + phase)) {
				return scan_base64(pass, at + phase);
			}
		}
	}
	return 0;
}

/** A key with a checksum of its own, or a form that nothing else has. */
static bool
try_key(struct pass *pass, size_t start, size_t end)
{
	const char *text = pass->text + start;
	size_t len = end - start;

	if ((len == 51 || len == 52) && memchr("5KL9c", text[0], 5) != NULL &&
		check_base58(text, len) == CHECK_YES) {
		pass_emit_rule(pass, ruleset_code(pass->context->rules, RULESET_WIF),
			FINDING_CERTAIN, start, end);
		return true;
	}
	// 32, 8 and 8 digits: Mailgun.
	bool tail = len == 32 && pass->len - end >= 18 && text[32] == '-' &&
		text[41] == '-' && is_hex_run(text, 32) && is_hex_run(text + 33, 8) &&
		is_hex_run(text + 42, 8) &&
		(pass->len - end == 18 || !char_is_word(text[50])) &&
		(pass->len - end == 18 || text[50] != '-') &&
		(start == 0 || (pass->text[start - 1] != '-' && text[-1] != '/')) &&
		check_hex(text, 32) == CHECK_YES;
	if (tail) {
		pass_emit_rule(pass, ruleset_code(pass->context->rules, RULESET_MAILGUN),
			FINDING_LIKELY, start, end + 18);
	}
	return tail;
}

int
pass_run(struct pass *pass, size_t start, size_t end)
{
	bool builtin = ruleset_count(pass->context->rules) > 0;

	if (start < pass->runs_done || (builtin && try_key(pass, start, end)) ||
		pass->inner) {
		return 0;
	}
	return try_encoded(pass, start, end);
}

void
pass_words(struct pass *pass, size_t start, size_t end)
{
	size_t from, upto;

	while (end > start &&
		phrase_find(pass->text + start, end - start, &from, &upto)) {
		pass_emit_rule(pass, ruleset_code(pass->context->rules, RULESET_PHRASE),
			FINDING_CERTAIN, start + from, start + upto);
		start += upto;
	}
}

static bool
is_escaped_char(char c)
{
	return (unsigned char)c > 0x20 && !char_is_quote(c) && c != '<' && c != '>' &&
		c != ',' && c != ';' && c != '&';
}

int
pass_escaped(struct pass *pass, size_t at, size_t len)
{
	size_t start, end;

	if (pass->inner || at < pass->escapes_done) {
		return 0;
	}
	widen(pass, is_escaped_char, pass->escapes_done, at, &start, &end);
	pass->escapes_done = MAX_OF(end, at + len);
	return scan_decoded(pass, decode_escapes, start, end);
}
