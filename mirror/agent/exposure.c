// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/exposure.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "restore/oids.h"
#include "scanner/scanner.h"

#include <stdlib.h>
#include <string.h>

struct step {
	struct oid commit;
	struct oid tree;
	int64_t at_ms;
	bool pushed;
};

struct search {
	struct repo *repo;
	const struct exposure_query *query;
	struct exposure *exposure;
	// Oldest last, as the log tells them.
	struct step *steps;
	size_t nsteps;
	size_t steps_capacity;
	const struct step *step;
	// Objects that were scanned; the value is 1 when there was a hit.
	struct oids seen;
	struct buf bytes;
	// Of what is being scanned.
	const char *path;
	struct oid blob;
	bool in_name;
	struct err *err;
};

void
exposure_done(struct exposure *exposure)
{
	for (size_t i = 0; i < exposure->count; i++) {
		free(exposure->hits[i].path);
	}
	free(exposure->hits);
	memset(exposure, 0, sizeof(*exposure));
}

void
exposure_print(const uint8_t key[HASH_KEY_LEN], const char *value, size_t len,
	uint8_t ret_print[FINDING_PRINT_LEN])
{
	uint8_t digest[HASH_SHA256_LEN];

	hash_keyed(key, value, len, digest);
	memcpy(ret_print, digest, FINDING_PRINT_LEN);
}

bool
exposure_means(const struct exposure_query *query, const uint8_t print[FINDING_PRINT_LEN])
{
	for (size_t i = 0; i < query->nprints; i++) {
		if (memcmp(query->prints[i], print, FINDING_PRINT_LEN) == 0) {
			return true;
		}
	}
	return query->nprints == 0 && query->value == NULL;
}

static int
add_hit(struct search *search, const char *rule, const uint8_t print[FINDING_PRINT_LEN])
{
	struct exposure *exposure = search->exposure;

	for (size_t i = exposure->count; i > 0; i--) {
		const struct exposure_hit *known = &exposure->hits[i - 1];

		if (!oid_equal(&known->blob, &search->blob) ||
			known->in_name != search->in_name) {
			break;
		}
		if (memcmp(known->print, print, FINDING_PRINT_LEN) == 0 &&
			strcmp(known->path, search->path) == 0) {
			return 0;
		}
	}
	if (exposure->count == EXPOSURE_HITS_MAX) {
		return err_raise(search->err, ERR_TOO_BIG,
			"more than %d places: name a fingerprint", EXPOSURE_HITS_MAX);
	}
	exposure->hits = xgrow(exposure->hits, exposure->count, &exposure->capacity,
		sizeof(exposure->hits[0]));

	struct exposure_hit *hit = &exposure->hits[exposure->count++];

	*hit = (struct exposure_hit){
		.rule = rule,
		.blob = search->blob,
		.path = xstrdup(search->path),
		.commit = search->step->commit,
		.at_ms = search->step->at_ms,
		.in_name = search->in_name,
		.pushed = search->step->pushed,
	};
	memcpy(hit->print, print, FINDING_PRINT_LEN);
	return 0;
}

static int
on_finding(const struct finding *finding, void *payload)
{
	struct search *search = payload;

	return exposure_means(search->query, finding->fingerprint)
		? add_hit(search, finding->rule, finding->fingerprint)
		: 0;
}

static int
scan(struct search *search, const char *data, size_t len, struct err *err)
{
	const struct exposure_query *query = search->query;
	struct scan_input input = {
		.data = data,
		.len = len,
		.path = search->in_name ? NULL : search->path,
		.is_name = search->in_name,
	};
	uint8_t print[FINDING_PRINT_LEN];

	// A value alone is looked for as it is; the rules need not know it.
	if ((query->value == NULL || query->nprints > 0) && len > 0 &&
		scanner_scan(query->scanner, &input, on_finding, search, err) < 0) {
		return err_wrap(err, "scan %.200s", search->path);
	}
	if (query->value != NULL && len > 0 &&
		memmem(data, len, query->value, query->value_len) != NULL) {
		exposure_print(query->key, query->value, query->value_len, print);
		return add_hit(search, EXPOSURE_NAMED, print);
	}
	return 0;
}

// One version of one path.
static int
on_version(const char *path, const struct tree_entry *old, const struct tree_entry *new,
	void *payload)
{
	struct search *search = payload;
	struct err *err = search->err;
	size_t before = search->exposure->count;

	if (new == NULL || new->mode == TREE_COMMIT) {
		return 0;
	}
	search->path = path;
	search->blob = new->oid;
	search->in_name = true;
	if (old == NULL && scan(search, path, strlen(path), err) < 0) {
		return err->code;
	}
	search->in_name = false;
	if (oids_find(&search->seen, &new->oid) != NULL) {
		return 0;
	}
	buf_clear(&search->bytes);
	if (repo_read(search->repo, &new->oid, OBJECT_BLOB, &search->bytes, err) < 0 ||
		scan(search, buf_text(&search->bytes), search->bytes.len, err) < 0) {
		return err->code;
	}
	search->exposure->blobs++;
	(void)oids_add(&search->seen, &new->oid, search->exposure->count > before);
	return 0;
}

static int
take_commit(const struct repo_commit *commit, void *payload)
{
	struct search *search = payload;

	search->steps = xgrow(search->steps, search->nsteps, &search->steps_capacity,
		sizeof(search->steps[0]));
	search->steps[search->nsteps++] = (struct step){
		.commit = commit->id,
		.tree = commit->tree,
		.at_ms = commit->time * 1000,
	};
	return 0;
}

// What the remote has: its commit and all before it.
static void
mark_pushed(struct search *search, const struct oid *remote)
{
	bool pushed = false;

	for (size_t i = 0; i < search->nsteps; i++) {
		pushed = pushed || oid_equal(&search->steps[i].commit, remote);
		search->steps[i].pushed = pushed;
	}
}

static int
walk_history(struct search *search, struct err *err)
{
	const struct exposure_query *query = search->query;
	const struct oid *before = NULL;

	for (size_t i = search->nsteps; i > 0; i--) {
		search->step = &search->steps[i - 1];
		if (query->progress != NULL &&
			query->progress("commits read", search->nsteps - i,
				search->nsteps, query->payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "given up");
		}
		if (tree_diff(search->repo, before, &search->step->tree, on_version,
			    search, err) < 0) {
			return err->code;
		}
		before = &search->step->tree;
		search->exposure->commits++;
	}
	return 0;
}

static int
on_present(const char *path, const struct tree_entry *entry, void *payload)
{
	struct search *search = payload;

	for (size_t i = 0; i < search->exposure->count; i++) {
		struct exposure_hit *hit = &search->exposure->hits[i];

		if (hit->in_name ? strcmp(hit->path, path) == 0
				 : oid_equal(&hit->blob, &entry->oid)) {
			hit->in_head = true;
		}
	}
	return 0;
}

static void
search_done(struct search *search)
{
	oids_done(&search->seen);
	// It held secrets.
	if (search->bytes.data != NULL) {
		explicit_bzero(search->bytes.data, search->bytes.size);
	}
	buf_done(&search->bytes);
	free(search->steps);
}

int
exposure_find(struct repo *repo, const struct oid *head, const struct oid *remote,
	const struct exposure_query *query, struct exposure *ret_exposure,
	struct err *err)
{
	AUTO(exposure_done) struct exposure exposure = { 0 };
	AUTO(search_done)
	struct search search = {
		.repo = repo,
		.query = query,
		.exposure = &exposure,
		.bytes = { .max = EXPOSURE_BLOB_MAX },
		.err = err,
	};

	if (repo_log(repo, head, take_commit, &search, err) < 0) {
		return err_wrap(err, "read the history");
	}
	mark_pushed(&search, remote);
	if (walk_history(&search, err) < 0) {
		return err->code;
	}
	if (exposure.count > 0 &&
		tree_walk(repo, &search.steps[0].tree, on_present, &search, err) < 0) {
		return err_wrap(err, "read the newest commit");
	}
	*ret_exposure = exposure;
	exposure = (struct exposure){ 0 };
	return 0;
}
