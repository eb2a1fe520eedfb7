// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_explain - why is there a finding on this line, and what can be done about it?
 *
 * Knows: base, scanner, scan_pool (to read), output.
 * Owns:  nothing.
 * Never: shows the secret.
 */

#ifndef CLI_SCAN_EXPLAIN_H
#define CLI_SCAN_EXPLAIN_H

#include "base/hash.h"
#include "cli/verb.h"

struct err;
struct scanner;

/**
 * @where
 *         "FILE:LINE".
 * @scanner
 *         The one that honours marks in the text.
 * @return
 *         0 nothing stands there, 1 something does, or negative.
 */
int scan_explain(struct call *call, const uint8_t key[HASH_KEY_LEN],
	const struct scanner *scanner, const char *where, struct err *err)
	NONNULL MUST_CHECK;

#endif
