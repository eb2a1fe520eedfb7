// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/recent.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>

void
recent_put(struct recent *recent, const struct oid *oid, const void *data, size_t len)
{
	struct recent_tree *tree = &recent->trees[recent->next];

	if (len > RECENT_LEN) {
		return;
	}
	free(tree->data);
	*tree = (struct recent_tree){ *oid, xmemdup0(data, len), len };
	recent->next = (recent->next + 1) % RECENT_COUNT;
}

int
recent_get(const struct recent *recent, const struct oid *oid, struct buf *buf,
	struct err *err)
{
	for (size_t i = 0; i < RECENT_COUNT; i++) {
		const struct recent_tree *tree = &recent->trees[i];

		if (tree->data != NULL && oid_equal(&tree->oid, oid)) {
			int added = buf_add(buf, tree->data, tree->len, err);

			return added < 0 ? added : 1;
		}
	}
	return 0;
}

void
recent_done(struct recent *recent)
{
	for (size_t i = 0; i < RECENT_COUNT; i++) {
		free(recent->trees[i].data);
	}
	*recent = (struct recent){ 0 };
}
