// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/wide - how wide are the vectors of this processor?
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: changes what is found: whatever is done with them is there in plain C, too.
 */

#ifndef SCANNER_WIDE_H
#define SCANNER_WIDE_H

#include "base/base.h"

enum {
	/** AVX2. */
	WIDE_HALF = 32,
	/** AVX-512 with look-ups of bytes. */
	WIDE_FULL = 64,
};

#if defined(__x86_64__)
#define WIDE_IS_BUILT 1
/** In front of a function that uses vectors of WIDE_FULL bytes. */
#define WIDE                                                                             \
	__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,"        \
			      "popcnt")))
/** The same for WIDE_HALF. */
#define HALF __attribute__((target("avx2,bmi,bmi2,popcnt")))
#else
#define WIDE_IS_BUILT 0
#endif

/** WIDE_FULL: all may be called; WIDE_HALF: those with HALF; 0: neither. */
unsigned int wide_bytes(void) MUST_CHECK;

#endif
