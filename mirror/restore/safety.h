// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/safety - a second name for what is about to be replaced, or a copy of it.
 *
 * Knows: base, place.
 * Owns:  nothing.
 * Never: follows a link, shows a copy that is not whole and on disk.
 */

#ifndef RESTORE_SAFETY_H
#define RESTORE_SAFETY_H

#include "base/base.h"

struct err;

/**
 * Make @to_name in @todir the file or link @name in @dirfd: the thing itself where both
 * are on one file system, else a copy with mode, time, attributes and, for root, owner.
 *
 * @return
 *         0, or negative: NO_SPACE, DENIED, EXISTS, IO.
 */
int safety_copy(int dirfd, const char *name, int todir, const char *to_name, bool is_link,
	struct err *err) NONNULL MUST_CHECK;

#endif
