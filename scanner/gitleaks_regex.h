// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/gitleaks_regex - a regular expression as Go reads it, for PCRE2.
 *
 * Knows: base, pattern.
 * Owns:  nothing.
 * Never: changes what means the same in both.
 *
 *     [\w-.]     a hyphen behind a class is itself; PCRE2 refuses it
 *     \v         the vertical tab; PCRE2: any of seven characters
 *     {,3}       these four characters; newer PCRE2: up to three times
 */

#ifndef SCANNER_GITLEAKS_REGEX_H
#define SCANNER_GITLEAKS_REGEX_H

#include "base/base.h"

struct err;
struct pattern;

/**
 * Compile it; in characters rather than bytes where it speaks of them.
 *
 * @return
 *         0, or INVALID: the message says what is wrong with it.
 */
int gitleaks_regex_compile(const char *source, struct pattern **ret_pattern,
	struct err *err) NONNULL MUST_CHECK;

/** The same expression for PCRE2, owned by the caller. */
char *gitleaks_regex_translate(const char *source) NONNULL MUST_CHECK;

#endif
