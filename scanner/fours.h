// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/fours - how often do sources and documentation hold these four bytes?
 *
 * Knows: nothing.  Its table is made by fours_table.py.
 * Owns:  nothing.
 * Never: decides what is found: a four that is not in the table costs time alone.
 */

#ifndef SCANNER_FOURS_H
#define SCANNER_FOURS_H

#include "base/base.h"

enum {
	FOURS_BITS = 12,
};

struct fours_row {
	/** Folded, as sieve_four() gives them; 0 where there is none. */
	uint32_t four;
	uint16_t often;
};

/** By their hash, and then one behind the other. */
extern const struct fours_row fours_table[1 << FOURS_BITS];

/** In a megabyte; 0 when it is rare, or no word of ours had it when the table was made.
 */
static inline unsigned int
fours_often(uint32_t four)
{
	uint32_t slot = four * 0x9E3779B1u >> (32 - FOURS_BITS);

	while (fours_table[slot].four != 0 && fours_table[slot].four != four) {
		slot = (slot + 1) % (1u << FOURS_BITS);
	}
	return fours_table[slot].four == four ? fours_table[slot].often : 0;
}

#endif
