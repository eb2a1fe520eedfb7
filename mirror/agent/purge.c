// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/purge.h"

#include "agent/kit.h"
#include "agent/purge_attributes.h"
#include "agent/purge_git.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "brain/commit.h"
#include "brain/home.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "config/config.h"
#include "health/record.h"
#include "ledger/ledger.h"
#include "restore/oids.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUT_MAX = PURGE_GIT_OUT_MAX,
};

struct old_commit {
	struct oid id;
	struct oid tree;
	int64_t time;
	int offset_min;
	char *author;
	char *email;
	char *message;
};

// A path that holds a bad object in the commit at hand.
struct bad_path {
	char *path;
	uint32_t mode;
	size_t blob;
};

struct new_blob {
	struct oid oid;
	uint32_t spans;
};

struct purge {
	struct kit *kit;
	const struct exposure_query *query;
	struct pack *pack;
	struct old_commit *commits;
	size_t ncommits;
	size_t commits_capacity;
	// Old object to index in blobs.
	struct oids bad;
	struct new_blob *blobs;
	size_t nblobs;
	size_t blobs_capacity;
	struct bad_path *paths;
	size_t npaths;
	size_t paths_capacity;
	// Old commit to index in renamed.
	struct oids moved;
	struct oid *renamed;
	size_t nrenamed;
	struct purge_result *result;
	struct err *err;
};

static void
purge_done(struct purge *purge)
{
	for (size_t i = 0; i < purge->ncommits; i++) {
		free(purge->commits[i].author);
		free(purge->commits[i].email);
		free(purge->commits[i].message);
	}
	for (size_t i = 0; i < purge->npaths; i++) {
		free(purge->paths[i].path);
	}
	free(purge->commits);
	free(purge->blobs);
	free(purge->paths);
	free(purge->renamed);
	oids_done(&purge->bad);
	oids_done(&purge->moved);
	pack_abort(purge->pack);
}

void
purge_token(const struct oid *head, const struct exposure *exposure,
	char ret_token[PURGE_TOKEN_MAX])
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	uint8_t digest[HASH_SHA256_LEN];

	hash_add(hash, head->id, OID_LEN);
	for (size_t i = 0; i < exposure->count; i++) {
		hash_add(hash, exposure->hits[i].blob.id, OID_LEN);
		hash_add(hash, exposure->hits[i].print, FINDING_PRINT_LEN);
	}
	hash_end(hash, digest);
	hash_hex(digest, (PURGE_TOKEN_MAX - 1) / 2, ret_token);
}

// In the same repository another branch goes on from where this one stands.
static int
advise_new(struct err *err)
{
	return err_advise(err,
		"name another folder as [brain] repo and another [brain] branch; mirror "
		"--once; then delete this repository, and its branch at the remote");
}

// Why this one cannot be taken out.
static int
check_hit(struct repo *repo, const struct exposure_hit *hit, struct err *err)
{
	char id[OID_HEX_MAX];

	(void)oid_hex(&hit->commit, id);
	if (hit->elsewhere || hit->shared) {
		err_raise(err, ERR_INVALID,
			"another branch or tag of the repository holds it, and only "
			"mirror's own branch is rewritten");
		return err_advise(err,
			"git -C %s for-each-ref --contains %s; delete or rewrite what it "
			"names besides %s",
			repo_git_dir(repo), id, repo_branch(repo));
	}
	if (hit->place == EXPOSURE_IN_MESSAGE) {
		err_raise(err, ERR_INVALID,
			"it stands in the message of %.12s; what others wrote there is "
			"not rewritten: a new history is needed",
			id);
		return advise_new(err);
	}
	if (hit->place == EXPOSURE_IN_NAME ||
		(hit->place == EXPOSURE_IN_FILE &&
			path_is_beneath(hit->path, SIDECAR_FOLDERS))) {
		err_raise(err, ERR_INVALID,
			"it stands in a name; the history of names is not rewritten: a "
			"new history is needed");
		return advise_new(err);
	}
	if (hit->in_head) {
		AUTO_FREE char *shown = path_printable(hit->path);

		err_raise(
			err, ERR_INVALID, "the newest commit still holds it: %s", shown);
		return err_advise(err,
			"take it out of the file, add a rule to [secrets] rules, or "
			"mirror secrets deny; then mirror --once");
	}
	return 0;
}

int
purge_check(struct repo *repo, const struct exposure *exposure, struct err *err)
{
	if (exposure->count > 0 && repo_check_whole(repo, err) < 0) {
		return err->code;
	}
	if (exposure->count > 0 && exposure->cut) {
		err_raise(err, ERR_INVALID,
			"a shallow clone: what was before is not here, and may hold it "
			"too");
		return err_advise(err, "git -C %s fetch --unshallow", repo_git_dir(repo));
	}
	for (size_t i = 0; i < exposure->count; i++) {
		if (check_hit(repo, &exposure->hits[i], err) < 0) {
			return err->code;
		}
	}
	if (exposure->count > 0 && exposure->merges) {
		err_raise(err, ERR_INVALID,
			"the history has merges, which are not ours to rewrite: a new "
			"history is needed");
		return advise_new(err);
	}
	return 0;
}

// ---- objects

static int
clean_bytes(struct purge *purge, const struct exposure_hit *hit, const struct buf *bytes,
	struct buf *out, uint32_t *ret_spans, struct err *err)
{
	AUTO(redaction_done)
	struct redaction clean = { .out = { .max = EXPOSURE_BLOB_MAX } };
	struct scan_input input = {
		.data = bytes->data, .len = bytes->len, .path = exposure_like(hit)
	};
	const char *data = bytes->data;
	size_t len = bytes->len;

	*ret_spans = 0;
	if (hit->place == EXPOSURE_IN_ATTRIBUTE) {
		return purge_attributes(purge->query, bytes, out, ret_spans, err);
	}
	if (purge->query->nprints > 0 || purge->query->value == NULL) {
		if (redact_bytes(purge->query->scanner, &input, &clean, err) < 0) {
			return err->code;
		}
		*ret_spans = (uint32_t)clean.nspans;
		// A binary cannot be cut: a mark stands in its place.
		if (clean.outcome == REDACT_CANNOT) {
			char mark[REDACT_MARK_MAX];

			redact_mark(hit->rule, hit->print, mark);
			return buf_add_fmt(out, err, "%s\n", mark);
		}
		data = clean.outcome == REDACT_CUT ? clean.out.data : data;
		len = clean.outcome == REDACT_CUT ? clean.out.len : len;
	}
	return exposure_cut(purge->query, data, len, out, ret_spans, err);
}

// As a file of each kind that it was found as: what is a secret in one may be none in
// another.
static int
clean_as_each(struct purge *purge, const struct exposure *exposure, size_t at,
	struct buf *bytes, struct buf *out, uint32_t *ret_spans, struct err *err)
{
	const struct exposure_hit *first = &exposure->hits[at];
	uint32_t done = 0;

	*ret_spans = 0;
	for (; at < exposure->count; at++) {
		const struct exposure_hit *hit = &exposure->hits[at];
		uint32_t kind = 1u << scanner_path_kind(exposure_like(hit)), spans;

		if (!oid_equal(&hit->blob, &first->blob) || hit->place != first->place ||
			(done & kind) != 0) {
			continue;
		}
		if (done != 0) {
			buf_clear(bytes);
			if (buf_add(bytes, out->data, out->len, err) < 0) {
				return err->code;
			}
			buf_clear(out);
		}
		if (clean_bytes(purge, hit, bytes, out, &spans, err) < 0) {
			return err->code;
		}
		done |= kind;
		*ret_spans += spans;
	}
	return 0;
}

static int
replace_blob(
	struct purge *purge, const struct exposure *exposure, size_t at, struct err *err)
{
	AUTO(buf_done) struct buf bytes = { .max = EXPOSURE_BLOB_MAX };
	AUTO(buf_done) struct buf out = { .max = EXPOSURE_BLOB_MAX };
	const struct exposure_hit *hit = &exposure->hits[at];
	struct new_blob blob;

	if (oids_find(&purge->bad, &hit->blob) != NULL) {
		return 0;
	}
	if (repo_read(purge->kit->repo, &hit->blob, OBJECT_BLOB, &bytes, err) < 0 ||
		clean_as_each(purge, exposure, at, &bytes, &out, &blob.spans, err) < 0) {
		return err_wrap(err, "redact %.200s", hit->path);
	}
	if (blob.spans == 0) {
		return err_raise(err, ERR_BUG, "%.200s is as it was", hit->path);
	}
	if (pack_add(purge->pack, OBJECT_BLOB, out.data, out.len, &blob.oid, err) < 0) {
		return err->code;
	}
	purge->blobs = xgrow(purge->blobs, purge->nblobs, &purge->blobs_capacity,
		sizeof(purge->blobs[0]));
	(void)oids_add(&purge->bad, &hit->blob, purge->nblobs);
	purge->blobs[purge->nblobs++] = blob;
	return 0;
}

// ---- commits

static int
take_commit(const struct repo_commit *commit, void *payload)
{
	struct purge *purge = payload;

	purge->commits = xgrow(purge->commits, purge->ncommits, &purge->commits_capacity,
		sizeof(purge->commits[0]));
	purge->commits[purge->ncommits++] = (struct old_commit){
		.id = commit->id,
		.tree = commit->tree,
		.time = commit->time,
		.offset_min = commit->offset_min,
		.author = xstrdup(commit->author),
		.email = xstrdup(commit->email),
		.message = xstrdup(commit->message),
	};
	return 0;
}

// Keeps the list of bad paths true from commit to commit.
static int
on_difference(const char *path, const struct tree_entry *old,
	const struct tree_entry *new, void *payload)
{
	struct purge *purge = payload;
	const size_t *blob = new != NULL ? oids_find(&purge->bad, &new->oid) : NULL;

	(void)old;
	for (size_t i = 0; i < purge->npaths; i++) {
		if (strcmp(purge->paths[i].path, path) == 0) {
			free(purge->paths[i].path);
			purge->paths[i] = purge->paths[--purge->npaths];
			break;
		}
	}
	if (blob == NULL) {
		return 0;
	}
	purge->paths = xgrow(purge->paths, purge->npaths, &purge->paths_capacity,
		sizeof(purge->paths[0]));
	purge->paths[purge->npaths++] = (struct bad_path){
		.path = xstrdup(path), .mode = new->mode, .blob = *blob
	};
	return 0;
}

static char *
folder_of(const char *path)
{
	const char *base = path_base(path);

	return xmemdup0(path, base > path ? (size_t)(base - path - 1) : 0);
}

// A folder's text; one with a secret in an attribute as it will be.
static int
read_text(struct purge *purge, const struct oid *oid, struct buf *text, struct err *err)
{
	AUTO(buf_wipe) struct buf old = { .max = SIDECAR_TEXT_MAX };
	uint32_t spans;

	if (repo_read(purge->kit->repo, oid, OBJECT_BLOB, &old, err) < 0) {
		return err->code;
	}
	return oids_find(&purge->bad, oid) != NULL
		? purge_attributes(purge->query, &old, text, &spans, err)
		: buf_add(text, old.data, old.len, err);
}

// The sidecar counts what was cut out, so that a restore tells it.
static int
mend_sidecar(struct purge *purge, const struct oid *tree, const char *folder,
	struct tree_change *change, char at[SIDECAR_PATH_MAX], struct err *err)
{
	AUTO(sidecar_done) struct sidecar_folder text = { 0 };
	AUTO(buf_done) struct buf old = { .max = SIDECAR_TEXT_MAX };
	AUTO(buf_done) struct buf new = { .max = SIDECAR_TEXT_MAX };
	AUTO_FREE struct sidecar_entry *entries = NULL;
	struct sidecar_folder mended;
	struct oid oid;
	uint32_t mode;
	int found;

	sidecar_folder_path(folder, at);
	found = repo_tree_at(purge->kit->repo, tree, at, &mode, &oid, err);
	if (found <= 0) {
		return found;
	}
	if (read_text(purge, &oid, &old, err) < 0 ||
		sidecar_parse(buf_text(&old), old.len, &text, err) < 0) {
		return err_wrap(err, "read the sidecar of %.200s", folder);
	}
	entries = xcalloc(text.nentries, sizeof(entries[0]));
	for (size_t i = 0; i < text.nentries; i++) {
		AUTO_FREE char *path = path_join(folder, text.entries[i].name);

		entries[i] = text.entries[i];
		for (size_t j = 0; j < purge->npaths; j++) {
			const char *stands =
				text.entries[i].at != NULL ? text.entries[i].at : path;

			if (strcmp(purge->paths[j].path, stands) == 0) {
				entries[i].redacted +=
					purge->blobs[purge->paths[j].blob].spans;
			}
		}
	}
	mended = text;
	mended.entries = entries;
	if (sidecar_write(&mended, &new, err) < 0 ||
		pack_add(purge->pack, OBJECT_BLOB, new.data, new.len, &oid, err) < 0) {
		return err->code;
	}
	*change = (struct tree_change){ .path = at, .mode = mode, .oid = oid };
	return 1;
}

// Is that a folder's text which is written anew for a file in that folder anyway?
static bool
is_text_of_another(const struct purge *purge, const char *path)
{
	char at[SIDECAR_PATH_MAX];

	for (size_t i = 0; i < purge->npaths; i++) {
		AUTO_FREE char *folder = folder_of(purge->paths[i].path);

		sidecar_folder_path(folder, at);
		if (strcmp(at, path) == 0) {
			return true;
		}
	}
	return false;
}

// Has an earlier path of the list the same folder?
static bool
is_mended(const struct purge *purge, size_t index, const char *folder)
{
	for (size_t i = 0; i < index; i++) {
		AUTO_FREE char *earlier = folder_of(purge->paths[i].path);

		if (strcmp(earlier, folder) == 0) {
			return true;
		}
	}
	return false;
}

static int
rewrite_tree(struct purge *purge, const struct oid *tree, struct oid *ret_tree,
	struct err *err)
{
	AUTO_FREE struct tree_change *changes =
		xcalloc(2 * purge->npaths, sizeof(*changes));
	AUTO_FREE char(*places)[SIDECAR_PATH_MAX] =
		xcalloc(purge->npaths, sizeof(*places));
	size_t count = 0;

	for (size_t i = 0; i < purge->npaths; i++) {
		const struct bad_path *path = &purge->paths[i];
		AUTO_FREE char *folder = folder_of(path->path);
		int mended = 0;

		if (path_is_beneath(path->path, SIDECAR_FOLDERS) &&
			is_text_of_another(purge, path->path)) {
			continue;
		}
		changes[count++] = (struct tree_change){
			.path = path->path,
			.mode = path->mode,
			.oid = purge->blobs[path->blob].oid,
		};
		if (!is_mended(purge, i, folder)) {
			mended = mend_sidecar(
				purge, tree, folder, &changes[count], places[i], err);
		}
		if (mended < 0) {
			return mended;
		}
		count += (size_t)mended;
	}
	return tree_update(
		purge->kit->repo, purge->pack, tree, changes, count, ret_tree, err);
}

static int
rewrite_commit(struct purge *purge, const struct old_commit *old,
	const struct oid *parent, struct oid *ret_commit, struct err *err)
{
	struct commit commit = {
		.tree = old->tree,
		.parent = *parent,
		.name = old->author,
		.email = old->email,
		.time = old->time,
		.offset_min = old->offset_min,
		.message = old->message,
	};

	if (purge->npaths > 0 && rewrite_tree(purge, &old->tree, &commit.tree, err) < 0) {
		return err->code;
	}
	(void)oids_add(&purge->moved, &old->id, purge->nrenamed);
	if (commit_write(purge->pack, &commit, ret_commit, err) < 0) {
		return err->code;
	}
	purge->renamed[purge->nrenamed++] = *ret_commit;
	purge->result->commits++;
	return 0;
}

// Up to the branch's move it may be ended at any moment: nothing has changed yet.
static int
tell(const struct purge *purge, const char *what, uint64_t done, uint64_t total,
	struct err *err)
{
	const struct exposure_query *query = purge->query;

	return query->progress == NULL ||
			query->progress(what, done, total, query->payload) == 0
		? 0
		: err_raise(err, ERR_CANCELLED, "cancelled");
}

// Oldest first; up to the first bad one everything keeps its name.
static int
rewrite_history(struct purge *purge, struct err *err)
{
	const struct oid *before = NULL;
	struct oid parent = { { 0 } };

	purge->renamed = xcalloc(purge->ncommits, sizeof(purge->renamed[0]));
	for (size_t i = purge->ncommits; i > 0; i--) {
		const struct old_commit *old = &purge->commits[i - 1];

		if (tree_diff(purge->kit->repo, before, &old->tree, on_difference, purge,
			    err) < 0) {
			return err->code;
		}
		before = &old->tree;
		if (tell(purge, "commits written", purge->ncommits - i + 1,
			    purge->ncommits, err) < 0) {
			return err->code;
		}
		if (purge->npaths == 0 && purge->nrenamed == 0) {
			parent = old->id;
		} else if (rewrite_commit(purge, old, &parent, &parent, err) < 0) {
			return err_wrap(err, "rewrite a commit");
		}
	}
	purge->result->head = parent;
	return 0;
}

// ---- refs

// "object <40 hex>" begins an annotated tag; the rest of it stays.
static int
move_annotated(
	struct purge *purge, const char *ref, const struct oid *to, struct err *err)
{
	AUTO(buf_done) struct buf tag = { .max = OUT_MAX };
	AUTO(buf_done) struct buf made = { .max = OUT_MAX };
	const char *const read[] = { "cat-file", "tag", ref, NULL };
	const char *const make[] = { "hash-object", "-t", "tag", "-w", "--stdin", NULL };
	char hex[OID_HEX_MAX];

	if (purge_git(purge->kit, &(struct purge_git){ .words = read }, &tag, err) < 0) {
		return err->code;
	}
	if (tag.len < 7 + OID_HEX_MAX || strncmp(tag.data, "object ", 7) != 0) {
		return err_raise(err, ERR_CORRUPT, "%s is no tag", ref);
	}
	memcpy(tag.data + 7, oid_hex(to, hex), OID_HEX_MAX - 1);
	if (purge_git(purge->kit, &(struct purge_git){ .words = make, .input = tag.data },
		    &made, err) < 0) {
		return err->code;
	}
	made.data[MIN_OF(made.len, (size_t)OID_HEX_MAX - 1)] = '\0';

	const char *const move[] = { "update-ref", ref, made.data, NULL };

	return purge_git(purge->kit, &(struct purge_git){ .words = move }, NULL, err);
}

struct tag {
	char *ref;
	struct oid to;
};

struct tags {
	struct purge *purge;
	struct tag *items;
	size_t count;
	size_t capacity;
};

static int
on_tag(const char *name, const struct oid *commit, void *payload)
{
	struct tags *tags = payload;
	const size_t *moved = oids_find(&tags->purge->moved, commit);

	if (moved != NULL) {
		tags->items = xgrow(tags->items, tags->count, &tags->capacity,
			sizeof(tags->items[0]));
		tags->items[tags->count++] = (struct tag){
			.ref = xasprintf("refs/tags/%s", name),
			.to = tags->purge->renamed[*moved],
		};
	}
	return 0;
}

static int
move_tag(struct purge *purge, const struct tag *tag, struct err *err)
{
	AUTO(buf_done) struct buf kind = { .max = OUT_MAX };
	const char *const ask[] = { "cat-file", "-t", tag->ref, NULL };
	char hex[OID_HEX_MAX];

	if (purge_git(purge->kit, &(struct purge_git){ .words = ask }, &kind, err) < 0) {
		return err->code;
	}
	purge->result->tags++;
	if (strcmp(buf_text(&kind), "tag\n") == 0) {
		return move_annotated(purge, tag->ref, &tag->to, err);
	}

	const char *const move[] = { "update-ref", tag->ref, oid_hex(&tag->to, hex),
		NULL };

	return purge_git(purge->kit, &(struct purge_git){ .words = move }, NULL, err);
}

// Milestones point to the same moments as before.
static int
move_tags(struct purge *purge, struct err *err)
{
	struct tags tags = { .purge = purge };
	int result = repo_each_tag(purge->kit->repo, on_tag, &tags, err);

	for (size_t i = 0; i < tags.count; i++) {
		if (result >= 0) {
			result = move_tag(purge, &tags.items[i], err);
		}
		free(tags.items[i].ref);
	}
	free(tags.items);
	return result;
}

// The order: see the header.
static int
move_branch(struct purge *purge, const struct oid *remote, struct err *err)
{
	struct kit *kit = purge->kit;
	const struct oid *old = &purge->commits[0].id;
	struct pack_stats stats;
	struct oid earlier;
	char hex[OID_HEX_MAX];
	int owed = home_replaces(repo_git_dir(kit->repo), &earlier, err);

	if (owed < 0 || pack_finish(STEAL(purge->pack), &stats, err) < 0 ||
		repo_refresh(kit->repo, err) < 0) {
		return err_wrap(err, "make the objects safe");
	}
	// What the remote still stands at after an earlier purge is what it stands at.
	if (owed == 0 && !oid_is_zero(remote) &&
		home_set_replaces(repo_git_dir(kit->repo), remote, err) < 0) {
		return err->code;
	}
	// From here on the old objects are owed their end, and none comes back.
	if (home_set_unpruned(repo_git_dir(kit->repo), true, err) < 0 ||
		home_set_lost(repo_git_dir(kit->repo), NULL, err) < 0 ||
		move_tags(purge, err) < 0 ||
		repo_keep_tags(purge->kit->repo, NULL, NULL, err) < 0 ||
		repo_move_ref(kit->repo, old, &purge->result->head, "purge", err) < 0) {
		return err_wrap(err, "move the branch");
	}
	// The tree is the same, so the ledger is true of the new commit.
	if (ledger_begin(kit->ledger, err) < 0) {
		return err->code;
	}
	// What was before it is not to come back.
	if (ledger_meta_set(kit->ledger, RECORD_META_HEADS, NULL, err) < 0 ||
		ledger_meta_set(kit->ledger, RECORD_META_HEAD,
			oid_hex(&purge->result->head, hex), err) < 0) {
		ledger_rollback(kit->ledger);
		return err->code;
	}
	return ledger_commit(kit->ledger, err);
}

static int
count_left(struct purge *purge, const struct exposure *exposure, struct err *err)
{
	if (repo_refresh(purge->kit->repo, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < exposure->count; i++) {
		purge->result->left +=
			repo_has(purge->kit->repo, &exposure->hits[i].blob);
	}
	return 0;
}

// git works; its end is not to be had earlier.
static int
on_git(const char *line, size_t len, bool is_stderr, void *payload)
{
	const struct purge *purge = payload;
	struct err ignored;

	(void)line;
	(void)len;
	(void)is_stderr;
	(void)!tell(purge, "throwing away the old objects", 0, 0, &ignored);
	return 0;
}

int
purge_run(struct kit *kit, const struct exposure_query *query,
	const struct exposure *exposure, const struct oid *remote,
	struct purge_result *ret_result, struct err *err)
{
	AUTO(purge_done)
	struct purge purge = {
		.kit = kit, .query = query, .result = ret_result, .err = err
	};
	struct oid head;

	*ret_result = (struct purge_result){ .commits = 0 };
	if (purge_check(kit->repo, exposure, err) < 0 ||
		repo_head(kit->repo, &head, err) <= 0 ||
		repo_log(kit->repo, &head, take_commit, &purge, err) < 0 ||
		pack_begin(kit->repo, &purge.pack, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < exposure->count; i++) {
		if (replace_blob(&purge, exposure, i, err) < 0 ||
			tell(&purge, "versions redacted", i + 1, exposure->count, err) <
				0) {
			return err->code;
		}
	}
	ret_result->blobs = purge.nblobs;
	if (rewrite_history(&purge, err) < 0) {
		return err->code;
	}
	// The newest commit holds none of it, so nothing of it may be left over.
	if (purge.npaths > 0 || oid_equal(&ret_result->head, &head)) {
		return err_raise(err, ERR_BUG, "the history could not be followed");
	}
	if (move_branch(&purge, remote, err) < 0 ||
		purge_prune(kit, on_git, &purge, err) < 0) {
		return err_wrap(err, "purge");
	}
	return count_left(&purge, exposure, err);
}
