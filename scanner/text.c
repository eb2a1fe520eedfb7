// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/text.h"

#include <stdint.h>
#include <string.h>

enum {
	/** Looked at to tell an encoding without a byte order mark. */
	SAMPLE = 4096,
	SAMPLE_MIN = 8,
	/** Characters in a row that make a run of wide text in a binary. */
	RUN_MIN = 8,
	/** One NUL in so many bytes is a stain on a text, or ends one of its records, as
	 * in a copy of /proc/PID/environ. */
	STAIN = 8,
	STAIN_PART = 240,
};

static bool
is_printable(unsigned char c)
{
	return (c >= 0x20 && c < 0x7f) || (c >= '\t' && c <= '\r');
}

/** What the compiler compares at a time, on whatever machine. */
typedef uint8_t lanes __attribute__((vector_size(16)));

static bool
any_lane(lanes mask)
{
	uint64_t halves[2];

	memcpy(halves, &mask, sizeof(halves));
	return (halves[0] | halves[1]) != 0;
}

size_t
text_newlines(const char *text, size_t len, bool *nul)
{
	size_t count = 0, at = 0;
	lanes nuls = { 0 };
	bool has_nul = false;

	while (len - at >= sizeof(lanes)) {
		// A lane is full after 255.
		size_t rounds = MIN_OF((len - at) / sizeof(lanes), (size_t)UINT8_MAX);
		lanes sums = { 0 };

		for (size_t i = 0; i < rounds; i++, at += sizeof(lanes)) {
			lanes bytes;

			memcpy(&bytes, text + at, sizeof(bytes));
			sums -= (lanes)(bytes == '\n');
			nuls |= (lanes)(bytes == 0);
		}
		for (size_t i = 0; i < sizeof(lanes); i++) {
			count += sums[i];
		}
	}
	for (; at < len; at++) {
		count += text[at] == '\n';
		has_nul = has_nul || text[at] == 0;
	}
	if (nul != NULL) {
		*nul = *nul || has_nul || any_lane(nuls);
	}
	return count;
}

/** Wide without a mark: ASCII in one byte of most units, NUL in the others. */
static bool
looks_wide(const unsigned char *bytes, size_t len, size_t unit, size_t low)
{
	size_t units = MIN_OF(len, (size_t)SAMPLE) / unit;
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < units; i++) {
		bool zeros = true;

		for (size_t j = 0; j < unit; j++) {
			zeros = zeros && (j == low || bytes[i * unit + j] == 0);
		}
		if (zeros) {
			good += is_printable(bytes[i * unit + low]);
			// The letters of Latin-1 are fine, only fewer.
			bad += !is_printable(bytes[i * unit + low]) &&
				bytes[i * unit + low] < 0xa0;
		}
	}
	return len >= SAMPLE_MIN && good * 10 >= units * 7 && bad * 50 <= units;
}

static bool
is_stained(const unsigned char *bytes, size_t len)
{
	size_t nuls = 0, controls = 0, high = 0;

	for (size_t at = 0; at < len; at += STAIN_PART) {
		// So few that a byte can count them: the compiler adds many at a time.
		size_t part = MIN_OF(len - at, (size_t)STAIN_PART);
		uint8_t some[3] = { 0 };

		for (size_t i = at; i < at + part; i++) {
			uint8_t c = bytes[i];

			some[0] = (uint8_t)(some[0] + (c == 0));
			some[1] = (uint8_t)(some[1] + (c >= 0x80));
			some[2] = (uint8_t)(some[2] +
				((c < '\t' || c > '\r') & (c < 0x20) & (c != 0x1b)));
		}
		nuls += some[0];
		high += some[1];
		controls += some[2];
	}
	return nuls * STAIN <= len && controls == nuls &&
		(nuls * STAIN * 32 <= len || high * 8 <= len);
}

struct text_shape
text_shape(const void *data, size_t len)
{
	static const struct {
		unsigned char mark[4];
		size_t len;
		size_t unit;
		size_t low;
	} marks[] = {
		{ { 0xff, 0xfe, 0, 0 }, 4, 4, 0 },
		{ { 0, 0, 0xfe, 0xff }, 4, 4, 3 },
		{ { 0xff, 0xfe, 0, 0 }, 2, 2, 0 },
		{ { 0xfe, 0xff, 0, 0 }, 2, 2, 1 },
	};
	const unsigned char *bytes = data;

	for (size_t i = 0; i < countof(marks); i++) {
		if (len >= marks[i].len &&
			memcmp(bytes, marks[i].mark, marks[i].len) == 0) {
			return (struct text_shape){ TEXT_WIDE, marks[i].unit,
				marks[i].low, marks[i].len };
		}
	}
	if (len == 0 || memchr(bytes, 0, len) == NULL) {
		return (struct text_shape){ TEXT_PLAIN, 1, 0, 0 };
	}
	for (size_t unit = 2; unit <= 4; unit += 2) {
		for (size_t low = 0; low < unit; low += unit - 1) {
			if (looks_wide(bytes, len, unit, low)) {
				return (struct text_shape){ TEXT_WIDE, unit, low, 0 };
			}
		}
	}
	return (struct text_shape){ is_stained(bytes, len) ? TEXT_STAINED : TEXT_BINARY,
		1, 0, 0 };
}

/** Does a run hold the eight bytes at @at? */
static bool
has_wide_run(const unsigned char *bytes, size_t len, size_t at)
{
	size_t from = at - MIN_OF(at, (size_t)(2 * RUN_MIN - 8));

	for (; from <= at; from++) {
		size_t run = 0;

		while (run < RUN_MIN && from + 2 * run + 1 < len &&
			is_printable(bytes[from + 2 * run]) &&
			bytes[from + 2 * run + 1] == 0) {
			run++;
		}
		if (run == RUN_MIN) {
			return true;
		}
	}
	return false;
}

bool
text_has_wide_runs(const void *data, size_t len)
{
	const unsigned char *bytes = data;

	// A run is so long that eight bytes in their place, every second one 0 and the
	// others not, stand inside it.
	for (size_t at = 0; at + 8 <= len; at += 8) {
		const unsigned char *some = bytes + at;
		bool even = (some[0] | some[2] | some[4] | some[6]) == 0;
		bool odd = (some[1] | some[3] | some[5] | some[7]) == 0;

		if (even != odd && has_wide_run(bytes, len, at)) {
			return true;
		}
	}
	return false;
}

size_t
text_units(const struct text_shape *shape, size_t len)
{
	return len > shape->skip ? (len - shape->skip) / shape->unit : 0;
}

/** Different characters should stay different for the fingerprint's sake. */
static inline uint8_t
narrow(uint8_t low, unsigned int high)
{
	return high == 0 ? low : (uint8_t)(0x80 | ((low ^ high * 7) & 0x7f));
}

void
text_narrow(const struct text_shape *shape, const void *data, size_t len, char *out)
{
	const unsigned char *bytes = (const unsigned char *)data + shape->skip;
	size_t units = text_units(shape, len), low = shape->low;

	if (shape->unit == 2) {
		const unsigned char *lows = bytes + low, *highs = bytes + 1 - low;

		for (size_t i = 0; i < units; i++) {
			out[i] = (char)narrow(lows[2 * i], highs[2 * i]);
		}
		return;
	}
	for (size_t i = 0; i < units; i++) {
		const unsigned char *unit = bytes + i * shape->unit;
		unsigned int high = 0;

		for (size_t j = 0; j < shape->unit; j++) {
			if (j != low && unit[j] != 0) {
				high = high * 31 + unit[j];
			}
		}
		out[i] = (char)narrow(unit[low], high);
	}
}
