// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/guard.h"

#include "base/path.h"
#include "vault/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct inspect_table *
find_table(const struct inspect *inspect, const char *name)
{
	for (size_t i = 0; i < inspect->ntables; i++) {
		if (strcmp(inspect->tables[i].name, name) == 0) {
			return &inspect->tables[i];
		}
	}
	return NULL;
}

// Rows of all its tables; those that could not be counted make it unknown, -1.
static int64_t
count_rows(const struct inspect *inspect)
{
	int64_t rows = 0;

	for (size_t i = 0; i < inspect->ntables; i++) {
		if (inspect->tables[i].rows < 0) {
			return -1;
		}
		rows += inspect->tables[i].rows;
	}
	return rows;
}

size_t
guard_check(const struct guard_policy *policy, const struct inspect *before,
	const struct inspect *after, char text[GUARD_TEXT_MAX])
{
	const struct inspect_table *worst = NULL;
	const struct inspect_table *worst_now = NULL;
	int64_t most = 0;
	size_t nlosses = 0;

	text[0] = '\0';
	for (size_t i = 0; i < before->ntables; i++) {
		const struct inspect_table *was = &before->tables[i];
		const struct inspect_table *now = find_table(after, was->name);
		int64_t rows = now != NULL ? now->rows : 0;
		int64_t lost = was->rows - rows;

		// Unknown on either side is not a loss.
		if (was->rows < policy->min_rows || rows < 0 || lost <= 0 ||
			(double)lost * 100 <= (double)was->rows * policy->loss_percent) {
			continue;
		}
		nlosses++;
		if (lost > most) {
			most = lost;
			worst = was;
			worst_now = now;
		}
	}
	if (worst != NULL) {
		AUTO_FREE char *name = path_printable(worst->name);

		(void)snprintf(text, GUARD_TEXT_MAX,
			"table %.100s had %lld rows, now %s%lld; %zu table%s in all",
			name, (long long)worst->rows,
			worst_now == NULL ? "it is gone: " : "",
			(long long)(worst_now != NULL ? worst_now->rows : 0), nlosses,
			nlosses == 1 ? "" : "s");
	}
	// Few rows come and go; a database without any is another matter.
	if (nlosses == 0 && count_rows(before) > 0 && count_rows(after) == 0) {
		(void)snprintf(text, GUARD_TEXT_MAX,
			"all of its %lld rows are gone, in every table",
			(long long)count_rows(before));
		return 1;
	}
	return nlosses;
}
