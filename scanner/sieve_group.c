// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Which fours share a group?  A group lets pass whatever has one of its first bytes, one
 * of its second ones, and so on: the product of how much of a text these are.  So each
 * four goes where that grows least, those that a text holds most often first.
 */

#include "base/mem.h"
#include "scanner/sieve_tables.h"

#include <stdlib.h>

enum {
	/** Of a four's share of a text: sorted no finer than this. */
	STEPS = 4096,
};

struct groups {
	/** How much of a text each group lets pass at each place. */
	float share[SIEVE_FOUR][SIEVE_GROUPS];
	/** 1 where a kind is not in a group yet, else 0. */
	float missing[SIEVE_FOUR][SIEVE_KINDS][SIEVE_GROUPS];
};

/** How much of a text is of a kind, in ten thousands: of sources and of session logs. */
// clang-format off
static const float often[SIEVE_KINDS] = {
	1661, 4, 71, 34, 1, 2, 9, 22, 91, 157, 219, 4, 114, 69, 66, 121,
	139, 100, 76, 59, 54, 52, 48, 36, 46, 45, 58, 32, 32, 39, 31, 1,
	10, 346, 95, 274, 232, 644, 165, 108, 134, 380, 13, 70, 261, 150, 490, 348,
	205, 9, 343, 441, 610, 168, 75, 41, 109, 75, 12, 35, 364, 34, 1, 266,
};
// clang-format on

/** Of a folded byte: all but the bit that is set in every one, and the highest. */
static inline unsigned int
kind_of(unsigned int byte)
{
	return (byte & 0x1f) | (byte >> 1 & 0x20);
}

static inline unsigned int
kind_at(uint32_t four, size_t at)
{
	return kind_of(four >> 8 * at & 0xff);
}

static struct groups *
groups_new(void)
{
	struct groups *groups = xcalloc(1, sizeof(*groups));

	for (size_t kind = 0; kind < SIEVE_KINDS; kind++) {
		for (size_t at = 0; at < SIEVE_FOUR; at++) {
			for (size_t i = 0; i < SIEVE_GROUPS; i++) {
				groups->missing[at][kind][i] = 1;
			}
		}
	}
	return groups;
}

/** The group that would let pass least more if it had this four, too; 32 at a time, so
 * that the compiler may use vectors. */
static size_t
best_group(const struct groups *groups, uint32_t four)
{
	float before[SIEVE_GROUPS], after[SIEVE_GROUPS];
	size_t best = 0;

	for (size_t i = 0; i < SIEVE_GROUPS; i++) {
		before[i] = after[i] = 1;
	}
	for (size_t at = 0; at < SIEVE_FOUR; at++) {
		unsigned int kind = kind_at(four, at);

		for (size_t i = 0; i < SIEVE_GROUPS; i++) {
			float share = groups->share[at][i];

			before[i] *= share;
			after[i] *= share + often[kind] * groups->missing[at][kind][i];
		}
	}
	for (size_t i = 1; i < SIEVE_GROUPS; i++) {
		if (after[i] - before[i] < after[best] - before[best]) {
			best = i;
		}
	}
	return best;
}

static void
add(struct sieve *sieve, struct groups *groups, uint32_t four)
{
	size_t group = best_group(groups, four);

	for (size_t at = 0; at < SIEVE_FOUR; at++) {
		unsigned int kind = kind_at(four, at);
		uint8_t *row = sieve->groups[group / 8][at];

		groups->share[at][group] +=
			often[kind] * groups->missing[at][kind][group];
		groups->missing[at][kind][group] = 0;
		row[kind] = (uint8_t)(row[kind] | 1u << group % 8);
	}
}

static bool
is_covered(const struct sieve *sieve, uint32_t four)
{
	unsigned int any = 0;

	for (size_t plane = 0; plane < SIEVE_PLANES; plane++) {
		unsigned int all = 0xff;

		for (size_t at = 0; at < SIEVE_FOUR; at++) {
			all &= sieve->groups[plane][at][kind_at(four, at)];
		}
		any |= all;
	}
	return any != 0;
}

/** How often a text holds it: the smaller the more often. */
static size_t
step_of(uint32_t four)
{
	float product = 1;
	uint32_t bits;

	for (size_t at = 0; at < SIEVE_FOUR; at++) {
		product *= often[kind_at(four, at)];
	}
	// A float's highest bits are its logarithm, nearly.
	memcpy(&bits, &product, sizeof(bits));
	return STEPS - 1 - (bits >> 19) % STEPS;
}

void
sieve_group(struct sieve *sieve, const uint32_t *fours, size_t count)
{
	struct groups *groups = groups_new();
	uint32_t *order = xcalloc(count + 1, sizeof(*order));
	size_t *upto = xcalloc(STEPS + 1, sizeof(*upto));

	for (size_t i = 0; i < count; i++) {
		upto[step_of(fours[i]) + 1]++;
	}
	for (size_t i = 0; i < STEPS; i++) {
		upto[i + 1] += upto[i];
	}
	for (size_t i = 0; i < count; i++) {
		order[upto[step_of(fours[i])]++] = fours[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_covered(sieve, order[i])) {
			add(sieve, groups, order[i]);
		}
	}
	free(upto);
	free(order);
	free(groups);
}
