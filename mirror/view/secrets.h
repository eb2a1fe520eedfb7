// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/secrets - what was taken out, and what a person allowed to stay: by fingerprint,
 * never by position.
 *
 * Knows: brain (allowed), ledger's rows, json.
 * Owns:  nothing.
 * Never: has a secret, or a way to one.
 */

#ifndef VIEW_SECRETS_H
#define VIEW_SECRETS_H

#include "base/base.h"
#include "scanner/finding.h"

struct allowed;
struct err;
struct json;

/** 32 hex digits; USAGE. */
int view_fingerprint(const char *text, uint8_t ret_print[FINDING_PRINT_LEN],
	struct err *err) NONNULL MUST_CHECK;

/** [{"fingerprint","note"}]; owned by the caller. */
struct json *view_allowed_json(const struct allowed *allowed) NONNULL MUST_CHECK;

#endif
