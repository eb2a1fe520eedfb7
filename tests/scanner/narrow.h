// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/scanner/narrow - the same tests as on a machine with narrower vectors, or none.
 *
 * Knows: cmocka, and needs -Wl,--wrap=wide_bytes.
 * Owns:  the width that wide_bytes() says at most.
 * Never: says more than there is.
 */

#ifndef TESTS_SCANNER_NARROW_H
#define TESTS_SCANNER_NARROW_H

#include "support/test.h"

#include "scanner/wide.h"

static unsigned int widest = WIDE_FULL;

unsigned int __real_wide_bytes(void);
unsigned int __wrap_wide_bytes(void);

unsigned int
__wrap_wide_bytes(void)
{
	return MIN_OF(__real_wide_bytes(), widest);
}

static inline int
run_as(const char *name, const struct CMUnitTest *tests, size_t ntests, unsigned int most)
{
	widest = most;
	return _cmocka_run_group_tests(name, tests, ntests, NULL, NULL);
}

/** With all that this machine has, with AVX2 where that is less, and in plain C. */
#define run_at_each_width(name, tests)                                                   \
	(run_as(name, tests, countof(tests), WIDE_FULL) +                                \
		(__real_wide_bytes() > WIDE_HALF ? run_as(name " with AVX2", tests,      \
							   countof(tests), WIDE_HALF)    \
						 : 0) +                                  \
		(__real_wide_bytes() > 0                                                 \
				? run_as(name " in plain C", tests, countof(tests), 0)   \
				: 0))

#endif
