// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/content.h"

#include "agent/kit.h"
#include "agent/round.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/tree.h"

#include <stdlib.h>

void
content_done(struct content *content)
{
	free(content->name);
	free(content->attributes);
	ledger_rows_done(&content->rows);
	ledger_folders_done(&content->subs);
}

int
content_load_shown(
	struct round *round, int64_t id, struct content *content, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	int found = ledger_folder_load(ledger, id, &content->folder, err);

	if (found <= 0) {
		return found;
	}
	// Lent by the ledger, and of no use here.
	content->folder.name = NULL;
	content->folder.attributes = NULL;
	content->folder.attributes_len = 0;
	if (ledger_rows_load_shown(ledger, id, &content->rows, err) < 0 ||
		ledger_subfolders(ledger, id, &content->subs, err) < 0) {
		return err->code;
	}
	return 1;
}

int
content_load(struct round *round, int64_t id, struct content *content, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	int found = ledger_folder_load(ledger, id, &content->folder, err);

	if (found <= 0) {
		return found;
	}
	content->name = xmemdup0(content->folder.name, content->folder.name_len);
	content->folder.name = content->name;
	if (content->folder.attributes_len > 0) {
		content->attributes = xmemdup0(
			content->folder.attributes, content->folder.attributes_len);
		content->folder.attributes = content->attributes;
	}
	if (ledger_rows_load(ledger, id, &content->rows, err) < 0 ||
		ledger_subfolders(ledger, id, &content->subs, err) < 0) {
		return err->code;
	}
	return 1;
}

bool
content_in_tree(const struct ledger_row *row)
{
	return row->oid.set && (row->flags & LEDGER_ROW_SIDECAR) == 0;
}

uint32_t
content_mode(const struct ledger_row *row)
{
	switch (row->type) {
	case LEDGER_TYPE_SYMLINK:
		return TREE_LINK;
	case LEDGER_TYPE_FOLDER:
		return TREE_FOLDER;
	case LEDGER_TYPE_FILE:
	case LEDGER_TYPE_SPECIAL:
		return (row->inode.mode & 0100) != 0 ? TREE_PROGRAM : TREE_FILE;
	}
	return TREE_FILE;
}
