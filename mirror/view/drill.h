// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/drill - what came of a drill: for `drill`, the API, and as evidence.
 *
 * Knows: restore (the drill's result), health (its evidence).
 * Owns:  nothing.
 * Never: restores anything; puts a path into the evidence.
 */

#ifndef VIEW_DRILL_H
#define VIEW_DRILL_H

#include "base/base.h"

struct drill_result;
struct err;
struct evidence;
struct evidence_row;
struct json;
struct oid;

/** `mirror.drill/1` without what one caller alone knows; @head is the branch's here.
 * Owned by the caller. */
struct json *
view_drill(const struct drill_result *result, const struct oid *head) NONNULL MUST_CHECK;

/** Put it down as evidence, with its numbers. */
int view_drill_record(struct evidence *evidence, const struct drill_result *result,
	const struct oid *head, struct err *err) NONNULL MUST_CHECK;
/** The last one from its evidence: `mirror.drill/1` as far as the numbers were kept, with
 * `state`, `evidence` and `at`.  Owned by the caller. */
struct json *view_drill_last(const struct evidence_row *row) NONNULL MUST_CHECK;

#endif
