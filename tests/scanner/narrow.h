// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/scanner/narrow - the same tests as on a machine without wide vectors.
 *
 * Knows: cmocka, and needs -Wl,--wrap=wide_works.
 * Owns:  whether wide_works() says so.
 * Never: says that they work where they do not.
 */

#ifndef TESTS_SCANNER_NARROW_H
#define TESTS_SCANNER_NARROW_H

#include "scanner/wide.h"

static bool narrow;

bool __real_wide_works(void);
bool __wrap_wide_works(void);

bool
__wrap_wide_works(void)
{
	return !narrow && __real_wide_works();
}

/** Twice: with what this machine has, and in plain C. */
#define run_wide_and_narrow(name, tests)                                                 \
	(cmocka_run_group_tests_name(name, tests, NULL, NULL) +                          \
		(narrow = true,                                                          \
			cmocka_run_group_tests_name(                                     \
				name " in plain C", tests, NULL, NULL)))

#endif
