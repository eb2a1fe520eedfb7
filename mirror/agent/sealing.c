// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/sealing.h"

#include "agent/kit.h"
#include "agent/round.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "brain/worktree.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

// The ledger remembers for whom everything in it was sealed.
#define META_RECIPIENT "recipient"

// Tells this use of the key from others.
static const char purpose[] = "mirror sealed place 1";

static bool
same(const struct ledger_oid *left, const struct ledger_oid *right)
{
	return left->set && right->set &&
		memcmp(left->bytes, right->bytes, LEDGER_OID_LEN) == 0;
}

// ---- the key, and what is there

static int
read_key(struct round *round, struct sealing *sealing, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	const char *before = NULL;

	if (round->kit->config->secrets.action == CONFIG_SEAL) {
		int got = seal_recipient_load(
			repo_git_dir(round->kit->repo), sealing->recipient, err);

		if (got < 0) {
			return err->code;
		}
		sealing->on = got > 0;
		sealing->keyless = got == 0;
	}
	if (sealing->keyless) {
		return 0;
	}
	if (ledger_meta_get(ledger, META_RECIPIENT, &before, err) < 0) {
		return err->code;
	}
	sealing->changed = strcmp(before != NULL ? before : "", sealing->recipient) != 0;
	return ledger_meta_set(ledger, META_RECIPIENT, sealing->recipient, err);
}

static int
by_name(const void *left, const void *right)
{
	return memcmp(((const struct sealing_place *)left)->name,
		((const struct sealing_place *)right)->name, LEDGER_OID_LEN);
}

static int
list_place(const char *path, const struct tree_entry *entry, void *payload)
{
	struct sealing *sealing = payload;
	struct sealing_place place = { .blob = entry->oid };
	char hex[2 * LEDGER_OID_LEN + 1];

	if (entry->mode != TREE_FILE || strlen(path) != sizeof(hex) || path[2] != '/') {
		return 0;
	}
	memcpy(hex, path, 2);
	memcpy(hex + 2, path + 3, sizeof(hex) - 2);
	if (hash_unhex(hex, place.name, sizeof(place.name))) {
		sealing->places = xgrow(sealing->places, sealing->nplaces,
			&sealing->places_capacity, sizeof(sealing->places[0]));
		sealing->places[sealing->nplaces++] = place;
	}
	return 0;
}

// What is named and not there is as good as never sealed.
static void
drop_missing(struct round *round, struct sealing *sealing)
{
	size_t kept = 0;

	for (size_t i = 0; i < sealing->nplaces; i++) {
		if (repo_has(round->kit->repo, &sealing->places[i].blob)) {
			sealing->places[kept++] = sealing->places[i];
		}
	}
	sealing->nplaces = kept;
}

static int
list_places(struct round *round, struct sealing *sealing, struct err *err)
{
	struct oid tree;
	uint32_t mode = 0;
	int found;

	if (!round->rebuild || oid_is_zero(&round->head_tree)) {
		return 0;
	}
	found = repo_tree_at(
		round->kit->repo, &round->head_tree, SIDECAR_SEALED, &mode, &tree, err);
	if (found <= 0 || mode != TREE_FOLDER) {
		return MIN_OF(found, 0);
	}
	if (tree_walk(round->kit->repo, &tree, list_place, sealing, err) < 0) {
		if (!round->heals) {
			return err_wrap(err, "list what is sealed");
		}
		err_clear(err);
	}
	if (round->heals) {
		drop_missing(round, sealing);
	}
	if (sealing->nplaces > 1) {
		qsort(sealing->places, sealing->nplaces, sizeof(sealing->places[0]),
			by_name);
	}
	return 0;
}

int
sealing_begin(struct round *round, struct err *err)
{
	round->sealing = xcalloc(1, sizeof(*round->sealing));
	return read_key(round, round->sealing, err) < 0 ||
			list_places(round, round->sealing, err) < 0
		? err_wrap(err, "begin to seal")
		: 0;
}

void
sealing_end(struct round *round)
{
	if (round->sealing != NULL) {
		free(round->sealing->places);
		free(round->sealing);
		round->sealing = NULL;
	}
}

static const struct sealing_place *
find(const struct sealing *sealing, const struct ledger_oid *place)
{
	struct sealing_place wanted;

	memcpy(wanted.name, place->bytes, sizeof(wanted.name));
	return sealing->nplaces == 0 ? NULL
				     : bsearch(&wanted, sealing->places, sealing->nplaces,
					       sizeof(wanted), by_name);
}

bool
sealing_is_stale(const struct round *round, const struct ledger_oid *place)
{
	return round->sealing->changed ||
		(round->rebuild && place->set && find(round->sealing, place) == NULL);
}

void
sealing_keep(struct round *round, const struct ledger_oid *place)
{
	const struct sealing_place *known =
		place->set ? find(round->sealing, place) : NULL;
	char path[SIDECAR_PATH_MAX];

	if (known != NULL) {
		sidecar_sealed_path(place->bytes, path);
		round_change(round, path, TREE_FILE, &known->blob);
	}
}

// ---- one original

static int
name_place(const struct round *round, const char *path, const struct buf *text,
	struct ledger_oid *ret_place, struct err *err)
{
	AUTO(buf_done)
	struct buf facts = { .max = sizeof(purpose) + SEAL_RECIPIENT_MAX + strlen(path) +
			HASH_SHA256_LEN + 4 };
	uint8_t digest[HASH_SHA256_LEN];

	hash_sha256(text->data, text->len, digest);
	if (buf_add(&facts, purpose, sizeof(purpose), err) < 0 ||
		buf_add(&facts, round->sealing->recipient,
			strlen(round->sealing->recipient) + 1, err) < 0 ||
		buf_add(&facts, path, strlen(path) + 1, err) < 0 ||
		buf_add(&facts, digest, sizeof(digest), err) < 0) {
		return err->code;
	}
	hash_keyed(round->kit->key, facts.data, facts.len, digest);
	ret_place->set = true;
	memcpy(ret_place->bytes, digest, LEDGER_OID_LEN);
	return 0;
}

// Into the browsable copy, on this thread: a hundred large ones are never held at once.
static int
put_copy(const struct round *round, const struct ledger_oid *place,
	const struct buf *bytes, struct err *err)
{
	char path[SIDECAR_PATH_MAX];

	if (round->worktree == NULL) {
		return 0;
	}
	sidecar_sealed_path(place->bytes, path);
	return worktree_put(round->worktree, path, TREE_FILE, buf_text(bytes), bytes->len,
		       err) < 0
		? err_wrap(err, "write %s", path)
		: 0;
}

// What the commit before has there is as good as new: 1, or 0 when it cannot be read.
static int
take_known(struct round *round, struct sealing_result *result, struct err *err)
{
	const struct sealing_place *known = find(round->sealing, &result->place);
	AUTO(buf_done) struct buf bytes = { .max = SEAL_BYTES_MAX };
	struct err ignored;

	if (known == NULL ||
		repo_read(round->kit->repo, &known->blob, OBJECT_BLOB, &bytes, &ignored) <
			0) {
		return 0;
	}
	result->fresh = true;
	result->blob = known->blob;
	return put_copy(round, &result->place, &bytes, err) < 0 ? err->code : 1;
}

static int
seal_text(struct round *round, const char *path, const struct buf *text,
	const struct ledger_oid *old, struct sealing_result *result, struct err *err)
{
	AUTO(buf_done) struct buf bytes = { .max = SEAL_BYTES_MAX };
	int taken;

	if (name_place(round, path, text, &result->place, err) < 0) {
		return err->code;
	}
	if (same(old, &result->place) && !round->rebuild) {
		return 0;
	}
	taken = take_known(round, result, err);
	if (taken != 0) {
		return MIN_OF(taken, 0);
	}
	result->fresh = true;
	return seal_bytes(round->sealing->recipient, text->data, text->len, &bytes, err) <
				0 ||
			pack_add(round->pack, OBJECT_BLOB, bytes.data, bytes.len,
				&result->blob, err) < 0
		? err->code
		: put_copy(round, &result->place, &bytes, err);
}

int
sealing_seal(struct round *round, const char *path, const struct original *original,
	const struct ledger_oid *old, struct sealing_result *ret_result, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = ORIGINAL_TEXT_MAX };
	struct sealing_result result = { 0 };
	int done = original_write(original, &text, err);

	if (done == 0) {
		done = seal_text(round, path, &text, old, &result, err);
	}
	if (text.data != NULL) {
		explicit_bzero(text.data, text.len);
	}
	if (done < 0) {
		return err_wrap(err, "seal what was taken out of %s", path);
	}
	*ret_result = result;
	return 0;
}

void
sealing_put(struct round *round, const struct sealing_result *result)
{
	char path[SIDECAR_PATH_MAX];

	if (result->fresh) {
		sidecar_sealed_path(result->place.bytes, path);
		round_change(round, path, TREE_FILE, &result->blob);
	}
}

int
sealing_drop(struct round *round, const struct ledger_oid *place, struct err *err)
{
	char path[SIDECAR_PATH_MAX];

	if (!place->set) {
		return 0;
	}
	sidecar_sealed_path(place->bytes, path);
	round_change(round, path, 0, NULL);
	return round->worktree != NULL && worktree_remove(round->worktree, path, err) < 0
		? err_wrap(err, "remove %s", path)
		: 0;
}

int
sealing_replace(struct round *round, const struct ledger_oid *old,
	const struct ledger_oid *now, struct err *err)
{
	return same(old, now) ? 0 : sealing_drop(round, old, err);
}

bool
sealing_can_wait(const struct err *why)
{
	// The rest is a matter of the whole cycle: a full disk, a repository that fails.
	return why->code == ERR_NOT_FOUND || why->code == ERR_INVALID ||
		why->code == ERR_TIMEOUT || why->code == ERR_TOO_BIG;
}

void
sealing_note(struct round *round, const struct err *why)
{
	if (round->sealing->failed++ == 0) {
		round->sealing->failure = *why;
	}
}

// ---- a folder's name

static int
put_folder(struct round *round, struct ledger_folder *folder, const char *path,
	const char *name, bool *ret_changed, struct err *err)
{
	struct original original = { .name = name };
	struct sealing_result result = { 0 };

	if (sealing_seal(round, path, &original, &folder->sealed, &result, err) < 0) {
		if (!sealing_can_wait(err)) {
			return err->code;
		}
		// Its content is kept as well as ever; the name waits for the next look.
		sealing_note(round, err);
		return 0;
	}
	sealing_put(round, &result);
	if (sealing_replace(round, &folder->sealed, &result.place, err) < 0) {
		return err->code;
	}
	*ret_changed = !same(&folder->sealed, &result.place);
	folder->sealed = result.place;
	return 0;
}

int
sealing_folder(struct round *round, struct ledger_folder *folder, const char *path,
	const char *name, bool *ret_changed, struct err *err)
{
	const struct sealing *sealing = round->sealing;
	bool renamed = strcmp(name, folder->name) != 0;

	*ret_changed = false;
	if (renamed && sealing->on) {
		return folder->sealed.set && !sealing_is_stale(round, &folder->sealed)
			? 0
			: put_folder(round, folder, path, name, ret_changed, err);
	}
	if (!folder->sealed.set || (renamed && sealing->keyless)) {
		return 0;
	}
	*ret_changed = true;
	if (sealing_drop(round, &folder->sealed, err) < 0) {
		return err->code;
	}
	folder->sealed.set = false;
	return 0;
}
