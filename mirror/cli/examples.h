// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/examples - how a verb is typed, for --help, the manual and the reference.
 *
 * Knows: nothing.
 * Owns:  nothing; literals.
 * Never: shows what would not be taken: tests/cli/test_verbs.c reads every line against
 *        the table of verbs.
 */

#ifndef CLI_EXAMPLES_H
#define CLI_EXAMPLES_H

#include "base/base.h"

/** One command a line, each ended by a newline, what it does behind two blanks and a #;
 * a literal, NULL when the verb speaks for itself. */
const char *examples_of(const char *verb) NONNULL;

#endif
