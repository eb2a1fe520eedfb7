// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/filter_look - what a value is made of.
 *
 * Knows: chars.
 * Owns:  nothing.
 * Never: knows a word.
 */

#ifndef SCANNER_FILTER_LOOK_H
#define SCANNER_FILTER_LOOK_H

#include "base/base.h"

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

struct look look_at(const char *text, size_t len) NONNULL;

bool look_is_hex(const char *text, size_t len) NONNULL;

/** Most of it is hex in one case, with many a digit: a part that was made by chance. */
bool look_is_hex_run(const char *text, size_t len) NONNULL;

bool look_is_uuid(const char *text, size_t len) NONNULL;

/** 2024-01-31, 12:30:00, 1.2.3-rc1, 1,000, 0x1F: numbers in some dress. */
bool look_is_number(const char *text, size_t len) NONNULL;

/** How often a small letter, a capital, a digit and anything else follow each other. */
size_t look_turns(const char *text, size_t len) NONNULL;

#endif
