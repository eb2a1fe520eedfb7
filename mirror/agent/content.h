// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/content - what stands in one folder, as the ledger has it.
 *
 *     AUTO(content_done) struct content content = { 0 };
 *
 *     if (content_load(round, id, &content, err) > 0) ...
 *
 * Knows: round, ledger, brain (tree: the modes).
 * Owns:  copies of the rows and the subfolders, independent of the ledger's next answer.
 * Never: asks the disk.
 */

#ifndef AGENT_CONTENT_H
#define AGENT_CONTENT_H

#include "base/base.h"
#include "ledger/ledger.h"

struct err;
struct round;

struct content {
	struct ledger_folder folder;
	char *name;
	void *attributes;
	struct ledger_rows rows;
	struct ledger_folders subs;
};

/** 1 loaded, 0 there is no such folder any more; @ret_content starts as { 0 }, and is
 * content_done() whatever the answer. */
int content_load(struct round *round, int64_t id, struct content *ret_content,
	struct err *err) NONNULL MUST_CHECK;
/** The same without names of its own, attributes, and what no tree shows of the rows. */
int content_load_shown(struct round *round, int64_t id, struct content *ret_content,
	struct err *err) NONNULL MUST_CHECK;
void content_done(struct content *content) NONNULL;

/** Does its folder's git tree have an entry for this row? */
bool content_in_tree(const struct ledger_row *row) NONNULL;
/** The mode of that entry. */
uint32_t content_mode(const struct ledger_row *row) NONNULL;

#endif
