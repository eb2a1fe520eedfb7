// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/exclusions.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "health/evidence.h"
#include "ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/** Paths told by name; the rest is a number. */
	PATHS_TOLD = 3,
};

bool
exclusions_matter(enum ledger_kind kind)
{
	return kind == LEDGER_KIND_TOO_LARGE || kind == LEDGER_KIND_RULE ||
		kind == LEDGER_KIND_SPECIAL || kind == LEDGER_KIND_OTHER_FILESYSTEM;
}

// "excluded:too-large": how many were accepted, for exclusions_estimate().
static char *
count_name(enum ledger_kind kind)
{
	return xasprintf("excluded:%s", ledger_kind_word(kind));
}

static void
mark_of(enum ledger_kind kind, const char *path, size_t len,
	uint8_t ret_mark[EVIDENCE_MARK_LEN])
{
	const char *word = ledger_kind_word(kind);
	uint8_t digest[HASH_SHA256_LEN];
	struct hash *hash = hash_sha256_new();

	// With its NUL, so that kind and path cannot run into each other.
	hash_add(hash, word, strlen(word) + 1);
	hash_add(hash, path, len);
	hash_end(hash, digest);
	hash_free(hash);
	memcpy(ret_mark, digest, EVIDENCE_MARK_LEN);
}

/* ---- compare ---- */

struct comparison {
	struct evidence *evidence;
	struct exclusions_news *news;
	struct err *err;
};

static void
tell_path(struct exclusions_news *news, const char *path, const char *reason)
{
	AUTO_FREE char *printable = path_short(path);
	size_t len = strlen(news->paths);

	if (news->count <= PATHS_TOLD) {
		(void)snprintf(news->paths + len, sizeof(news->paths) - len, "%s%s (%s)",
			len > 0 ? ", " : "", printable, reason);
	}
}

int
exclusions_is_new(struct evidence *evidence, enum ledger_kind kind, const char *path,
	size_t len, struct err *err)
{
	uint8_t mark[EVIDENCE_MARK_LEN];
	int marked;

	if (!exclusions_matter(kind)) {
		return 0;
	}
	mark_of(kind, path, len, mark);
	marked = evidence_marked(evidence, mark, err);
	return marked < 0 ? marked : !marked;
}

static int
compare_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct comparison *comparison = payload;
	enum ledger_kind kind = ledger_kind_of(row->state, row->reason);
	int is_new =
		exclusions_is_new(comparison->evidence, kind, path, len, comparison->err);

	if (is_new > 0) {
		comparison->news->count++;
		comparison->news->kind[kind]++;
		tell_path(comparison->news, path, row->reason);
	}
	return MIN_OF(is_new, 0);
}

static const struct ledger_filter excluded = {
	.by_state = true,
	.state = LEDGER_EXCLUDED,
};

static int64_t
mattering(const struct ledger_totals *totals)
{
	int64_t sum = 0;

	for (int i = 0; i < LEDGER_NKINDS; i++) {
		if (exclusions_matter((enum ledger_kind)i)) {
			sum += totals->kind[LEDGER_EXCLUDED][i].files;
		}
	}
	return sum;
}

int
exclusions_compare(struct evidence *evidence, struct ledger *ledger,
	struct exclusions_news *ret_news, struct err *err)
{
	struct comparison comparison = {
		.evidence = evidence,
		.news = ret_news,
		.err = err,
	};
	struct ledger_totals totals;

	memset(ret_news, 0, sizeof(*ret_news));
	if (ledger_totals(ledger, &totals, err) < 0) {
		return err->code;
	}
	// Most machines exclude nothing of weight: the walk over all folders is spared.
	if (mattering(&totals) == 0) {
		return 0;
	}
	return ledger_each(ledger, &excluded, compare_row, &comparison, err);
}

int
exclusions_estimate(struct evidence *evidence, const struct ledger_totals *totals,
	struct exclusions_news *ret_news, struct err *err)
{
	memset(ret_news, 0, sizeof(*ret_news));
	for (int i = 0; i < LEDGER_NKINDS; i++) {
		enum ledger_kind kind = (enum ledger_kind)i;
		int64_t now = totals->kind[LEDGER_EXCLUDED][i].files;
		AUTO_FREE char *name = count_name(kind);
		struct evidence_row row;

		if (!exclusions_matter(kind) || now == 0) {
			continue;
		}

		int got = evidence_get(evidence, name, &row, err);

		if (got < 0) {
			return got;
		}
		ret_news->kind[i] = MAX_OF(now - (got > 0 ? row.value : 0), 0);
		ret_news->count += ret_news->kind[i];
	}
	return 0;
}

int
exclusions_record(struct evidence *evidence, struct ledger *ledger, struct err *err)
{
	struct exclusions_news news;
	AUTO_FREE char *text = NULL;
	struct evidence_fact fact = {
		.name = fact_word(FACT_EXCLUSIONS),
		.state = HEALTH_HEALTHY,
		.text = "nothing is excluded that was not agreed to",
	};

	if (exclusions_compare(evidence, ledger, &news, err) < 0) {
		return err->code;
	}
	if (news.count > 0) {
		text = xasprintf("%lld newly excluded: %s%s", (long long)news.count,
			news.paths, news.count > PATHS_TOLD ? ", ..." : "");
		fact.state = HEALTH_DEGRADED;
		fact.text = text;
		fact.action = "mirror accept exclusions";
		fact.value = news.count;
	}
	return evidence_put(evidence, &fact, err);
}

/* ---- accept ---- */

static int
accept_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct comparison *comparison = payload;
	enum ledger_kind kind = ledger_kind_of(row->state, row->reason);
	uint8_t mark[EVIDENCE_MARK_LEN];

	if (!exclusions_matter(kind)) {
		return 0;
	}
	mark_of(kind, path, len, mark);
	comparison->news->kind[kind]++;
	comparison->news->count++;
	return evidence_mark(comparison->evidence, mark, comparison->err);
}

static int
accept_all(struct evidence *evidence, struct ledger *ledger, int64_t now_ms,
	const char *reason, struct err *err)
{
	struct exclusions_news news = { 0 };
	struct comparison comparison = {
		.evidence = evidence, .news = &news, .err = err
	};
	struct evidence_acceptance acceptance = { .at_ms = now_ms };

	if (evidence_marks_clear(evidence, err) < 0 ||
		ledger_each(ledger, &excluded, accept_row, &comparison, err) < 0) {
		return err->code;
	}
	for (int i = 0; i < LEDGER_NKINDS; i++) {
		AUTO_FREE char *name = count_name((enum ledger_kind)i);
		const struct evidence_fact count = {
			.name = name,
			.value = news.kind[i],
			.at_ms = now_ms,
		};

		if (exclusions_matter((enum ledger_kind)i) &&
			evidence_put(evidence, &count, err) < 0) {
			return err->code;
		}
	}
	(void)snprintf(acceptance.what, sizeof(acceptance.what), "%s",
		fact_word(FACT_EXCLUSIONS));
	(void)snprintf(
		acceptance.condition, sizeof(acceptance.condition), EXCLUSIONS_BASELINE);
	(void)snprintf(acceptance.reason, sizeof(acceptance.reason), "%s",
		reason != NULL ? reason : "");
	acceptance.value = news.count;
	return evidence_accept(evidence, &acceptance, err);
}

int
exclusions_accept(struct evidence *evidence, struct ledger *ledger, int64_t now_ms,
	const char *reason, struct err *err)
{
	if (evidence_begin(evidence, err) < 0) {
		return err->code;
	}
	if (accept_all(evidence, ledger, now_ms, reason, err) < 0) {
		goto undo;
	}
	if (exclusions_record(evidence, ledger, err) < 0 ||
		evidence_commit(evidence, err) < 0) {
		goto undo;
	}
	return 0;

undo:
	evidence_rollback(evidence);
	return err->code;
}
