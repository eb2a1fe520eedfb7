// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/polled.h"

#include "agent/inbox.h"
#include "base/path.h"
#include "config/config.h"
#include "watch/watch.h"

void
polled_init(struct polled *polled)
{
	*polled = (struct polled){ .due_ms = INT64_MAX };
}

static bool
is_unheard(const struct watch *watch, size_t position, size_t *ret_index)
{
	struct watch_status status;

	watch_status(watch, position, &status);
	*ret_index = status.index;
	return status.state == WATCH_POLLED;
}

void
polled_choose(
	struct polled *polled, const struct watch *watch, size_t nroots, int64_t now_ms)
{
	bool any = false;
	size_t index;

	for (size_t i = 0; i < nroots && !any; i++) {
		any = is_unheard(watch, i, &index);
	}
	if (!any) {
		polled_init(polled);
	} else if (polled->due_ms == INT64_MAX && polled->begun_ms == 0) {
		polled->due_ms = now_ms + POLLED_EVERY_MS;
	}
}

bool
polled_is_due(const struct polled *polled, int64_t now_ms)
{
	return polled->due_ms <= now_ms;
}

void
polled_put(struct polled *polled, const struct config *config, const struct watch *watch,
	size_t nroots, struct inbox *inbox, int64_t now_ms)
{
	size_t index;

	for (size_t i = 0; i < nroots; i++) {
		if (!is_unheard(watch, i, &index)) {
			continue;
		}
		// Folders watched for themselves that lie inside it are as deaf as it is.
		for (size_t j = 0; j < config->nwatches; j++) {
			if (path_is_beneath(config->watches[j].path,
				    config->watches[index].path)) {
				inbox_put(inbox, j, "", true);
			}
		}
	}
	polled->begun_ms = now_ms;
	polled->due_ms = INT64_MAX;
}

void
polled_seen(struct polled *polled, int64_t now_ms)
{
	if (polled->begun_ms != 0) {
		polled->due_ms = now_ms +
			MAX_OF((int64_t)POLLED_EVERY_MS,
				POLLED_REST * (now_ms - polled->begun_ms));
		polled->begun_ms = 0;
	}
}
