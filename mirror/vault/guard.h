// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/guard - did a table lose most of its rows since the last snapshot?
 *
 * (Or the whole database all of them, however few they were.)
 *
 * A snapshot of an emptied database is a perfect snapshot; only a comparison tells.
 *
 * Knows: inspect's struct; pure.
 * Owns:  nothing.
 * Never: stops a snapshot: it tells, a person decides.
 */

#ifndef VAULT_GUARD_H
#define VAULT_GUARD_H

#include "base/base.h"

struct inspect;

struct guard_policy {
	/** Tables that had fewer rows are not looked at. */
	int64_t min_rows;
	/** Tell when more than this share went away. */
	unsigned int loss_percent;
};

#define GUARD_DEFAULT                                                                    \
	{                                                                                \
		.min_rows = 20, .loss_percent = 50                                       \
	}

enum {
	GUARD_TEXT_MAX = 256
};

/**
 * Compare two descriptions of one database.
 *
 * @text
 *         The worst loss in words ("table notes: 1000 rows, now 3; 2 tables in all"), ""
 *         when there is none.  Names are escaped.
 * @return
 *         How many tables lost more than the policy allows, vanished ones included.
 */
size_t guard_check(const struct guard_policy *policy, const struct inspect *before,
	const struct inspect *after, char text[GUARD_TEXT_MAX]) NONNULL;

#endif
