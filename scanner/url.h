// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/url - the password in scheme://user:password@host.
 *
 * Knows: chars, decode, filter.
 * Owns:  nothing.
 * Never: takes ${PASSWORD}, <password> or guest:guest for one.
 */

#ifndef SCANNER_URL_H
#define SCANNER_URL_H

#include "base/base.h"

enum {
	URL_USERINFO_MAX = 2048,
};

struct url_password {
	size_t start;
	size_t end;
	bool certain;
};

/** @at is where "://" stands. */
bool url_read(const char *text, size_t len, size_t at, struct url_password *ret_password)
	NONNULL;

#endif
