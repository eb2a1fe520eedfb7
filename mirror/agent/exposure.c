// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/exposure.h"

#include "agent/lineage.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "restore/oids.h"
#include "scanner/scanner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct step {
	struct oid commit;
	struct oid parent;
	struct oid tree;
	int64_t at_ms;
	bool pushed;
	bool elsewhere;
};

struct search {
	struct repo *repo;
	const struct exposure_query *query;
	struct exposure *exposure;
	// Parents before their children.
	struct step *steps;
	size_t nsteps;
	size_t steps_capacity;
	const struct step *step;
	// Commit to its number in steps.
	struct oids known;
	bool elsewhere;
	// Objects that were scanned; the value is 1 when there was a hit.
	struct oids seen;
	struct buf bytes;
	// Of what is being scanned.
	const char *path;
	struct oid blob;
	enum exposure_place place;
	struct err *err;
};

const char *
exposure_place_word(enum exposure_place place)
{
	static const char *const words[] = {
		[EXPOSURE_IN_FILE] = "file",
		[EXPOSURE_IN_NAME] = "name",
		[EXPOSURE_IN_MESSAGE] = "message",
	};

	assert((size_t)place < countof(words));
	return words[place];
}

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
			known->place != search->place) {
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
		.place = search->place,
		.elsewhere = search->step->elsewhere,
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
		.path = search->place == EXPOSURE_IN_FILE ? search->path : NULL,
		.is_name = search->place == EXPOSURE_IN_NAME,
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

// Of a commit or a tag; what others wrote passed no gate of ours.
static int
scan_message(
	struct search *search, const char *where, const char *message, struct err *err)
{
	search->path = where;
	search->blob = search->step->commit;
	search->place = EXPOSURE_IN_MESSAGE;
	return scan(search, message, strlen(message), err);
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
	search->place = EXPOSURE_IN_NAME;
	if (old == NULL && scan(search, path, strlen(path), err) < 0) {
		return err->code;
	}
	search->place = EXPOSURE_IN_FILE;
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

// ---- the history

static int
take_commit(const struct repo_commit *commit, void *payload)
{
	struct search *search = payload;

	search->steps = xgrow(search->steps, search->nsteps, &search->steps_capacity,
		sizeof(search->steps[0]));
	search->steps[search->nsteps++] = (struct step){
		.commit = commit->id,
		.parent = commit->parent,
		.tree = commit->tree,
		.at_ms = commit->time * 1000,
		.elsewhere = search->elsewhere,
	};
	search->exposure->merges =
		search->exposure->merges || (commit->nparents > 1 && !search->elsewhere);
	if (commit->cut) {
		search->exposure->cut = true;
		search->exposure->cut_at = commit->id;
	}
	search->step = &search->steps[search->nsteps - 1];
	return scan_message(search, "", commit->message, search->err);
}

static int
take_step(struct repo *repo, const struct oid *commit, void *payload, struct err *err)
{
	return repo_commit_at(repo, commit, take_commit, payload, err);
}

static int
take_ref(const char *ref, const struct oid *commit, const char *message, void *payload)
{
	struct search *search = payload;
	if (lineage_walk(search->repo, commit, &search->known, take_step, search,
		    search->err) < 0) {
		return search->err->code;
	}
	if (message == NULL) {
		return 0;
	}
	search->step = &search->steps[*oids_find(&search->known, commit)];
	return scan_message(search, ref, message, search->err);
}

// What the remote has: its commit and all before it.
static int
mark_pushed(struct search *search, const struct oid *remote, struct err *err)
{
	AUTO(oids_done) struct oids there = { 0 };

	if (oid_is_zero(remote) || oids_find(&search->known, remote) == NULL) {
		return 0;
	}
	if (lineage_walk(search->repo, remote, &there, NULL, NULL, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < search->nsteps; i++) {
		search->steps[i].pushed =
			oids_find(&there, &search->steps[i].commit) != NULL;
	}
	// Those in messages, which were read on the way.
	for (size_t i = 0; i < search->exposure->count; i++) {
		struct exposure_hit *hit = &search->exposure->hits[i];

		hit->pushed = oids_find(&there, &hit->commit) != NULL;
	}
	return 0;
}

static const struct oid *
tree_before(const struct search *search, const struct step *step)
{
	const size_t *at = oid_is_zero(&step->parent)
		? NULL
		: oids_find(&search->known, &step->parent);

	return at != NULL ? &search->steps[*at].tree : NULL;
}

static int
walk_history(struct search *search, struct err *err)
{
	const struct exposure_query *query = search->query;

	for (size_t i = 0; i < search->nsteps; i++) {
		search->step = &search->steps[i];
		if (query->progress != NULL &&
			query->progress(
				"commits read", i, search->nsteps, query->payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "given up");
		}
		if (tree_diff(search->repo, tree_before(search, search->step),
			    &search->step->tree, on_version, search, err) < 0) {
			return err->code;
		}
		search->exposure->commits++;
	}
	return 0;
}

// Our own branch first: what it holds as well is not "elsewhere".
static int
read_history(struct search *search, const struct oid *head, const struct oid *remote,
	struct err *err)
{
	if (lineage_walk(search->repo, head, &search->known, take_step, search, err) <
		0) {
		return err->code;
	}
	search->elsewhere = true;
	if (repo_each_ref(search->repo, take_ref, search, err) < 0) {
		return err->code;
	}
	return mark_pushed(search, remote, err);
}

static int
on_present(const char *path, const struct tree_entry *entry, void *payload)
{
	struct search *search = payload;

	for (size_t i = 0; i < search->exposure->count; i++) {
		struct exposure_hit *hit = &search->exposure->hits[i];

		if (hit->place == EXPOSURE_IN_NAME ? strcmp(hit->path, path) == 0
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
	oids_done(&search->known);
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

	if (read_history(&search, head, remote, err) < 0) {
		return err_wrap(err, "read the history");
	}
	if (walk_history(&search, err) < 0) {
		return err->code;
	}
	if (exposure.count > 0 &&
		tree_walk(repo, &search.steps[*oids_find(&search.known, head)].tree,
			on_present, &search, err) < 0) {
		return err_wrap(err, "read the newest commit");
	}
	*ret_exposure = exposure;
	exposure = (struct exposure){ 0 };
	return 0;
}
