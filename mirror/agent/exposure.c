// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/exposure.h"

#include "agent/lineage.h"
#include "agent/traits.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "restore/oids.h"
#include "scanner/redact.h"
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
	// The first of them are our branch's; another ref leads to the first of these.
	size_t nours;
	size_t nshared;
	// What our branch really is, and what it is called.
	char *own;
	char *named;
	// Objects that were scanned, as files of each kind.
	struct oids seen[SCANNER_PATH_KINDS];
	// The numbers of all marks, and a path of each kind that has one.
	struct oids marks;
	char *like[SCANNER_PATH_KINDS];
	struct buf bytes;
	// Of what is being scanned.
	const char *path;
	// Instead of its own, and then only what a mark tells of counts; or NULL.
	const char *as;
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
		[EXPOSURE_IN_ATTRIBUTE] = "attribute",
	};

	assert((size_t)place < countof(words));
	return words[place];
}

const char *
exposure_like(const struct exposure_hit *hit)
{
	return hit->like != NULL ? hit->like : hit->path;
}

void
exposure_done(struct exposure *exposure)
{
	for (size_t i = 0; i < exposure->count; i++) {
		free(exposure->hits[i].path);
		free(exposure->hits[i].like);
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

int
exposure_cut(const struct exposure_query *query, const char *data, size_t len,
	struct buf *out, uint32_t *spans, struct err *err)
{
	uint8_t print[FINDING_PRINT_LEN];
	char mark[REDACT_MARK_MAX];

	if (query->value == NULL) {
		return buf_add(out, data, len, err);
	}
	exposure_print(query->key, query->value, query->value_len, print);
	redact_mark(EXPOSURE_NAMED, print, mark);
	for (const char *end = data + len; data < end;) {
		const char *at = memmem(
			data, (size_t)(end - data), query->value, query->value_len);
		size_t clean = (size_t)((at != NULL ? at : end) - data);

		if (buf_add(out, data, clean, err) < 0 ||
			(at != NULL && buf_add_text(out, mark, err) < 0)) {
			return err->code;
		}
		*spans += at != NULL;
		data += clean + (at != NULL ? query->value_len : 0);
	}
	return 0;
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
		.like = search->as != NULL ? xstrdup(search->as) : NULL,
		.commit = search->step->commit,
		.at_ms = search->step->at_ms,
		.place = search->place,
		.elsewhere = search->step->elsewhere,
		.pushed = search->step->pushed,
	};
	memcpy(hit->print, print, FINDING_PRINT_LEN);
	return 0;
}

// ---- what was cut out elsewhere

enum {
	MARK_DIGITS = 8,
	MARK_BYTES = MARK_DIGITS / 2,
};

// The number in a mark is how a fingerprint begins.
static struct oid
mark_key(const uint8_t number[MARK_BYTES])
{
	struct oid key = { { 0 } };

	memcpy(key.id, number, MARK_BYTES);
	key.id[OID_LEN - 1] = 1;
	return key;
}

static void
take_marks(struct search *search)
{
	static const char begin[] = "REDACTED.";
	const char *at = buf_text(&search->bytes);
	const char *end = at + search->bytes.len;
	char **like = &search->like[scanner_path_kind(search->path)];

	while ((at = memmem(at, (size_t)(end - at), begin, strlen(begin))) != NULL) {
		char digits[MARK_DIGITS + 1] = "";
		uint8_t number[MARK_BYTES];
		struct oid key;

		at += strlen(begin);
		const char *dot = memchr(
			at, '.', MIN_OF((size_t)(end - at), (size_t)REDACT_MARK_MAX));
		if (dot == NULL || end - dot <= MARK_DIGITS) {
			continue;
		}
		memcpy(digits, dot + 1, MARK_DIGITS);
		if (!hash_unhex(digits, number, sizeof(number))) {
			continue;
		}
		key = mark_key(number);
		(void)oids_add(&search->marks, &key, 0);
		*like = *like != NULL ? *like : xstrdup(search->path);
	}
}

// Looked at by another name only what is known to be a secret counts: cut out somewhere,
// or asked about.
static bool
is_known(const struct search *search, const uint8_t print[FINDING_PRINT_LEN])
{
	struct oid key = mark_key(print);

	return search->as == NULL || search->query->nprints > 0 ||
		oids_find(&search->marks, &key) != NULL;
}

static int
on_finding(const struct finding *finding, void *payload)
{
	struct search *search = payload;

	if (!is_known(search, finding->fingerprint)) {
		return 0;
	}
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
		.path = search->place == EXPOSURE_IN_FILE ||
				search->place == EXPOSURE_IN_ATTRIBUTE
			? search->as != NULL ? search->as : search->path
			: NULL,
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

// Each as the cycle looks at it: its name is the word before the value.
static int
scan_attributes(struct search *search, const char *path,
	const struct sidecar_xattr *xattrs, size_t count, struct err *err)
{
	const char *before = search->path;
	int result = 0;

	search->path = path;
	search->place = EXPOSURE_IN_ATTRIBUTE;
	for (size_t i = 0; i < count && result == 0; i++) {
		struct attribute attribute = { xattrs[i].name, xattrs[i].value,
			xattrs[i].len };
		AUTO(buf_wipe) struct buf text = { .max = 2 * TRAITS_CLEAN_MAX };

		result = traits_text(&attribute, &text, err);
		if (result == 0) {
			result = scan(search, buf_text(&text), text.len, err);
		}
	}
	search->path = before;
	search->place = EXPOSURE_IN_FILE;
	return result;
}

// The text of a folder: what is no attribute, then each of those.
static int
scan_folder(struct search *search, const struct sidecar_folder *folder, struct err *err)
{
	AUTO_FREE struct sidecar_entry *entries =
		xcalloc(folder->nentries, sizeof(*entries));
	AUTO(buf_wipe) struct buf text = { .max = SIDECAR_TEXT_MAX };
	struct sidecar_folder bare = *folder;

	for (size_t i = 0; i < folder->nentries; i++) {
		entries[i] = folder->entries[i];
		entries[i].nxattrs = 0;
	}
	bare.entries = entries;
	bare.nxattrs = 0;
	if (sidecar_write(&bare, &text, err) < 0 ||
		scan(search, buf_text(&text), text.len, err) < 0 ||
		scan_attributes(
			search, folder->path, folder->xattrs, folder->nxattrs, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < folder->nentries; i++) {
		const struct sidecar_entry *entry = &folder->entries[i];
		AUTO_FREE char *path = path_join(folder->path, entry->name);

		if (entry->nxattrs > 0 &&
			scan_attributes(
				search, path, entry->xattrs, entry->nxattrs, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
scan_blob(struct search *search, struct err *err)
{
	AUTO(sidecar_done) struct sidecar_folder folder = { 0 };
	const char *data = buf_text(&search->bytes);
	struct err ignored;

	// What is no text of ours is a file like any other.
	return path_is_beneath(search->path, SIDECAR_FOLDERS) &&
			sidecar_parse(data, search->bytes.len, &folder, &ignored) == 0
		? scan_folder(search, &folder, err)
		: scan(search, data, search->bytes.len, err);
}

// One version of one path.
static int
on_version(const char *path, const struct tree_entry *old, const struct tree_entry *new,
	void *payload)
{
	struct search *search = payload;
	struct err *err = search->err;

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
	// The same bytes are a secret as db_password, and a word as notes.bak.
	if (!oids_add(&search->seen[scanner_path_kind(path)], &new->oid, 0)) {
		return 0;
	}
	buf_clear(&search->bytes);
	if (repo_read(search->repo, &new->oid, OBJECT_BLOB, &search->bytes, err) < 0 ||
		scan_blob(search, err) < 0) {
		return err->code;
	}
	take_marks(search);
	search->exposure->blobs++;
	return 0;
}

// The same bytes by each name that made a secret of them elsewhere, once.
static int
on_version_again(const char *path, const struct tree_entry *old,
	const struct tree_entry *new, void *payload)
{
	struct search *search = payload;
	struct err *err = search->err;
	bool read = false;
	int result = 0;

	(void)old;
	if (new == NULL || new->mode == TREE_COMMIT ||
		path_is_beneath(path, SIDECAR_FOLDERS)) {
		return 0;
	}
	search->path = path;
	search->blob = new->oid;
	search->place = EXPOSURE_IN_FILE;
	for (size_t i = 0; i < countof(search->like) && result == 0; i++) {
		if (search->like[i] == NULL ||
			!oids_add(&search->seen[i], &new->oid, 0)) {
			continue;
		}
		if (!read) {
			buf_clear(&search->bytes);
			result = repo_read(search->repo, &new->oid, OBJECT_BLOB,
				&search->bytes, err);
			read = true;
		}
		search->as = search->like[i];
		result = result < 0
			? result
			: scan(search, buf_text(&search->bytes), search->bytes.len, err);
	}
	search->as = NULL;
	return result;
}

// ---- the history

// That one of ours, and what is before it, is held by others as well.
static void
share(struct search *search, const struct oid *commit)
{
	const size_t *at = oids_find(&search->known, commit);

	if (at != NULL && *at < search->nours) {
		search->nshared = MAX_OF(search->nshared, *at + 1);
	}
}

static int
take_commit(const struct repo_commit *commit, void *payload)
{
	struct search *search = payload;

	for (size_t i = 0; search->elsewhere && i < commit->nparents; i++) {
		share(search, &commit->parents[i]);
	}

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

	// A purge takes tags along that are on its way, and our branch by any name.
	if (strcmp(ref, search->own) != 0 && strcmp(ref, search->named) != 0 &&
		strncmp(ref, "refs/tags/", 10) != 0) {
		share(search, commit);
	}
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
walk_history(
	struct search *search, const char *what, tree_diff_fn *on_change, struct err *err)
{
	const struct exposure_query *query = search->query;

	for (size_t i = 0; i < search->nsteps; i++) {
		search->step = &search->steps[i];
		if (query->progress != NULL &&
			query->progress(what, i, search->nsteps, query->payload) != 0) {
			return err_raise(err, ERR_CANCELLED, "given up");
		}
		if (tree_diff(search->repo, tree_before(search, search->step),
			    &search->step->tree, on_change, search, err) < 0) {
			return err->code;
		}
	}
	search->exposure->commits = search->nsteps;
	return 0;
}

// As each file is called, then as those are where something was cut out.  A value alone
// is found whatever the name.
static int
walk_twice(struct search *search, struct err *err)
{
	const struct exposure_query *query = search->query;

	if (walk_history(search, "commits read", on_version, err) < 0) {
		return err->code;
	}
	return search->marks.count == 0 || (query->value != NULL && query->nprints == 0)
		? 0
		: walk_history(search, "commits read again", on_version_again, err);
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
	search->nours = search->nsteps;
	search->named = xasprintf("refs/heads/%s", repo_branch(search->repo));
	if (repo_real_ref(search->repo, &search->own, err) < 0 ||
		repo_each_ref(search->repo, take_ref, search, err) < 0) {
		return err->code;
	}
	return mark_pushed(search, remote, err);
}

static void
mark_shared(struct search *search)
{
	for (size_t i = 0; i < search->exposure->count; i++) {
		struct exposure_hit *hit = &search->exposure->hits[i];
		const size_t *at = oids_find(&search->known, &hit->commit);

		hit->shared = at != NULL && *at < search->nshared;
	}
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
	for (size_t i = 0; i < countof(search->seen); i++) {
		oids_done(&search->seen[i]);
		free(search->like[i]);
	}
	oids_done(&search->marks);
	// It held secrets.
	if (search->bytes.data != NULL) {
		explicit_bzero(search->bytes.data, search->bytes.size);
	}
	buf_done(&search->bytes);
	free(search->steps);
	free(search->own);
	free(search->named);
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
	if (walk_twice(&search, err) < 0) {
		struct err other;

		// Why something is not here counts more than which it was.
		*err = err->code == ERR_NOT_FOUND && repo_check_whole(repo, &other) < 0
			? other
			: *err;
		return err->code;
	}
	mark_shared(&search);
	if (exposure.count > 0 &&
		tree_walk(repo, &search.steps[*oids_find(&search.known, head)].tree,
			on_present, &search, err) < 0) {
		return err_wrap(err, "read the newest commit");
	}
	*ret_exposure = exposure;
	exposure = (struct exposure){ 0 };
	return 0;
}
