// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/marks - did somebody write "this is fine" beside it?
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: is asked by a backup: only `mirror scan` honours marks in the text (I7).
 */

#ifndef SCANNER_MARKS_H
#define SCANNER_MARKS_H

#include "base/base.h"

enum {
	/** A mark further away in its line is not meant: a line of a session log holds
	 * many files, and to read all of it for each finding takes minutes. */
	MARKS_REACH = 4096,
};

/**
 * Does a line of the span at @start to @end hold gitleaks:allow, betterleaks:allow,
 * trufflehog:ignore or "pragma: allowlist secret", or the line before it "pragma:
 * allowlist nextline secret"?
 */
bool marks_allow(const char *text, size_t len, size_t start, size_t end) NONNULL;

#endif
