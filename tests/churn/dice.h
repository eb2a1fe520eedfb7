// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/churn/dice - chance that can be had again.
 *
 *     struct dice dice = { .state = seed };
 *     if (dice_percent(&dice, 5)) { ... }
 *
 * Knows: nothing.
 * Owns:  its state; the same seed gives the same throws.
 * Never: asks the machine for randomness.
 */

#ifndef TESTS_CHURN_DICE_H
#define TESTS_CHURN_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/** 64 bits (splitmix64). */
static inline uint64_t
dice_throw(struct dice *dice)
{
	uint64_t z = (dice->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/** From 0 up to, and without, @below. */
static inline uint32_t
dice_below(struct dice *dice, uint32_t below)
{
	return (uint32_t)(dice_throw(dice) % below);
}

static inline bool
dice_percent(struct dice *dice, uint32_t percent)
{
	return dice_below(dice, 100) < percent;
}

#endif
