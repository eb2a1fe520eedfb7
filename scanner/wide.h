// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/wide - has this processor vectors of 64 bytes, and look-ups in them?
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: changes what is found: whatever is done with them is there in plain C, too.
 */

#ifndef SCANNER_WIDE_H
#define SCANNER_WIDE_H

#include "base/base.h"

#if defined(__x86_64__)
#define WIDE_IS_BUILT 1
/** In front of a function that uses them. */
#define WIDE                                                                             \
	__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,"        \
			      "popcnt")))
#else
#define WIDE_IS_BUILT 0
#endif

/** May a function that uses them be called? */
bool wide_works(void) MUST_CHECK;

#endif
