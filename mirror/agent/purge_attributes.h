// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/purge_attributes - the text of a folder again, without the secrets in the values
 * of its extended attributes.
 *
 *     xattr.user.origin=<base64 of a value with a secret>
 *     xattr.user.origin=<base64 of it with a mark>          redacted= counts it
 *
 * Knows: exposure, traits, brain/sidecar.
 * Owns:  nothing.
 * Never: changes anything else of the text.
 */

#ifndef AGENT_PURGE_ATTRIBUTES_H
#define AGENT_PURGE_ATTRIBUTES_H

#include "base/base.h"

struct buf;
struct err;
struct exposure_query;

/**
 * @out
 *         Gets the text.
 * @ret_spans
 *         Secrets taken out.
 * @return
 *         0, or negative: INVALID (no folder's text), BLOCKED, TOO_BIG, NO_MEMORY.
 */
int purge_attributes(const struct exposure_query *query, const struct buf *text,
	struct buf *out, uint32_t *ret_spans, struct err *err) NONNULL MUST_CHECK;

#endif
