// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "brain/repo_room.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)OBJECT_COMMIT == (int)GIT_OBJECT_COMMIT &&
		(int)OBJECT_TREE == (int)GIT_OBJECT_TREE &&
		(int)OBJECT_BLOB == (int)GIT_OBJECT_BLOB &&
		(int)OBJECT_TAG == (int)GIT_OBJECT_TAG,
	"our kinds are git's kinds");

// ---- objects

bool
repo_has(struct repo *repo, const struct oid *oid)
{
	git_oid id = repo_to_git(oid);

	// No refresh on a miss: that would list objects/pack for each new blob.
	return git_odb_exists_ext(repo->odb, &id, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

static int
stat_in(git_odb *odb, const struct oid *oid, enum object_kind *ret_kind, size_t *ret_len,
	struct err *err)
{
	git_oid id = repo_to_git(oid);
	git_object_t kind;
	char hex[OID_HEX_MAX];
	int code;

	errno = 0;
	code = git_odb_read_header(ret_len, &kind, odb, &id);
	if (code < 0) {
		return repo_fail(err, code, "object %s", oid_hex(oid, hex));
	}
	*ret_kind = (enum object_kind)kind;
	return 0;
}

int
repo_stat(struct repo *repo, const struct oid *oid, enum object_kind *ret_kind,
	size_t *ret_len, struct err *err)
{
	return stat_in(repo->odb, oid, ret_kind, ret_len, err);
}

static int
read_in(git_odb *odb, const struct oid *oid, enum object_kind kind, struct buf *buf,
	struct err *err)
{
	git_oid id = repo_to_git(oid);
	git_odb_object *object = NULL;
	enum object_kind have = OBJECT_ANY;
	size_t len = 0;
	char hex[OID_HEX_MAX];
	int code;
	int result;

	// The size first: a ceiling that is checked after the reading is none.
	if (stat_in(odb, oid, &have, &len, err) < 0) {
		return err->code;
	}
	if (kind != OBJECT_ANY && have != kind) {
		return err_raise(err, ERR_INVALID, "object %s is a %s, not a %s",
			oid_hex(oid, hex), object_kind_name(have),
			object_kind_name(kind));
	}
	if (len > buf->max - MIN_OF(buf->len, buf->max)) {
		return err_raise(err, ERR_TOO_BIG, "object %s has %zu bytes",
			oid_hex(oid, hex), len);
	}
	errno = 0;
	code = git_odb_read(&object, odb, &id);
	if (code < 0) {
		return repo_fail(err, code, "read object %s", oid_hex(oid, hex));
	}
	result = buf_add(
		buf, git_odb_object_data(object), git_odb_object_size(object), err);
	git_odb_object_free(object);
	return result;
}

int
repo_read(struct repo *repo, const struct oid *oid, enum object_kind kind,
	struct buf *buf, struct err *err)
{
	return read_in(repo->odb, oid, kind, buf, err);
}

struct each_object {
	repo_oid_fn *fn;
	void *payload;
	int result;
};

static int
give_object(const git_oid *id, void *payload)
{
	struct each_object *each = payload;
	struct oid oid = repo_from_git(id);

	each->result = each->fn(&oid, each->payload);
	return each->result != 0 ? GIT_EUSER : 0;
}

int
repo_each_object(struct repo *repo, repo_oid_fn *fn, void *payload, struct err *err)
{
	struct each_object each = { fn, payload, 0 };
	int code = git_odb_foreach(repo->odb, give_object, &each);

	if (each.result != 0) {
		git_error_clear();
		return each.result;
	}
	return code < 0 ? repo_fail(err, code, "list the objects") : 0;
}

// ---- commits and trees

int
repo_head(struct repo *repo, struct oid *ret_commit, struct err *err)
{
	git_oid id;
	int code = git_reference_name_to_id(
		&id, repo->git, repo->ref != NULL ? repo->ref : "HEAD");

	if (code == GIT_ENOTFOUND) {
		git_error_clear();
		return 0;
	}
	if (code < 0) {
		const git_error *last = git_error_last();
		bool damaged = last != NULL && last->klass == GIT_ERROR_REFERENCE;

		(void)repo_fail(err, code, "read the branch");
		err->code = damaged ? ERR_CORRUPT : err->code;
		return err->code;
	}
	*ret_commit = repo_from_git(&id);
	return 1;
}

int
repo_commit_tree(struct repo *repo, const struct oid *commit, struct oid *ret_tree,
	struct err *err)
{
	git_oid id = repo_to_git(commit);
	git_commit *object = NULL;
	char hex[OID_HEX_MAX];
	int code = git_commit_lookup(&object, repo->git, &id);

	if (code < 0) {
		return repo_fail(err, code, "read commit %s", oid_hex(commit, hex));
	}
	*ret_tree = repo_from_git(git_commit_tree_id(object));
	git_commit_free(object);
	return 0;
}

int
repo_list_tree(struct repo *repo, const struct oid *tree, repo_tree_fn *fn, void *payload,
	struct err *err)
{
	git_oid id = repo_to_git(tree);
	git_tree *object = NULL;
	char hex[OID_HEX_MAX];
	int code = git_tree_lookup(&object, repo->git, &id);
	int result = 0;

	if (code < 0) {
		return repo_fail(err, code, "read tree %s", oid_hex(tree, hex));
	}
	for (size_t i = 0; i < git_tree_entrycount(object) && result == 0; i++) {
		const git_tree_entry *at = git_tree_entry_byindex(object, i);
		struct repo_tree_entry entry = {
			.kind = (enum object_kind)git_tree_entry_type(at),
			.name = git_tree_entry_name(at),
			.oid = repo_from_git(git_tree_entry_id(at)),
		};

		result = fn(&entry, payload);
	}
	git_tree_free(object);
	return result;
}

int
repo_tree_at(struct repo *repo, const struct oid *tree, const char *path,
	uint32_t *ret_mode, struct oid *ret_oid, struct err *err)
{
	git_oid id = repo_to_git(tree);
	git_tree *object = NULL;
	git_tree_entry *entry = NULL;
	char hex[OID_HEX_MAX];
	int code;

	if (path[0] == '\0') {
		*ret_mode = GIT_FILEMODE_TREE;
		*ret_oid = *tree;
		return 1;
	}
	code = git_tree_lookup(&object, repo->git, &id);
	if (code < 0) {
		return repo_fail(err, code, "read tree %s", oid_hex(tree, hex));
	}
	code = git_tree_entry_bypath(&entry, object, path);
	git_tree_free(object);
	if (code == GIT_ENOTFOUND) {
		git_error_clear();
		return 0;
	}
	if (code < 0) {
		return repo_fail(err, code, "look up %s", path);
	}
	*ret_mode = (uint32_t)git_tree_entry_filemode_raw(entry);
	*ret_oid = repo_from_git(git_tree_entry_id(entry));
	git_tree_entry_free(entry);
	return 1;
}

int
repo_resolve(
	struct repo *repo, const char *revision, struct oid *ret_commit, struct err *err)
{
	git_object *object = NULL;
	git_object *commit = NULL;
	int code = git_revparse_single(&object, repo->git, revision);

	if (code == 0) {
		code = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	}
	git_object_free(object);
	if (code < 0) {
		return repo_fail(err, code, "revision %s", revision);
	}
	*ret_commit = repo_from_git(git_object_id(commit));
	git_object_free(commit);
	return 0;
}

// ---- for pack.c

static int
probe_samples(git_odb *odb, const struct oid *samples, size_t nsamples, struct err *err)
{
	for (size_t i = 0; i < nsamples; i++) {
		git_oid id = repo_to_git(&samples[i]);
		git_odb_object *object = NULL;
		char hex[OID_HEX_MAX];
		// Strict hash verification: what is read hashes to its name.
		int code = git_odb_read(&object, odb, &id);

		git_odb_object_free(object);
		if (code < 0) {
			(void)repo_fail(err, code, "read back object %s",
				oid_hex(&samples[i], hex));
			err->code = ERR_CORRUPT;
			return err->code;
		}
	}
	return 0;
}

// One pack, apart from the repository's others.
struct repo_probe {
	git_odb *odb;
};

static int
open_probe(struct repo_probe *probe, const char *index)
{
	git_odb_backend *backend = NULL;
	int code = git_odb_new(&probe->odb);

	if (code == 0) {
		code = git_odb_backend_one_pack(&backend, index);
	}
	return code == 0 ? git_odb_add_backend(probe->odb, backend, 1) : code;
}

int
repo_probe(const char *index, const struct oid *samples, size_t nsamples,
	struct repo_probe **ret_probe, struct err *err)
{
	struct repo_probe *probe = xcalloc(1, sizeof(*probe));
	int code = open_probe(probe, index);
	int result = code < 0 ? repo_fail(err, code, "open the new pack")
			      : probe_samples(probe->odb, samples, nsamples, err);

	if (result < 0) {
		repo_probe_close(probe);
		return result;
	}
	*ret_probe = probe;
	return 0;
}

int
repo_probe_read(struct repo_probe *probe, const struct oid *oid, enum object_kind kind,
	struct buf *buf, struct err *err)
{
	git_oid id = repo_to_git(oid);

	if (git_odb_exists_ext(probe->odb, &id, GIT_ODB_LOOKUP_NO_REFRESH) != 1) {
		return 0;
	}
	return read_in(probe->odb, oid, kind, buf, err) < 0 ? err->code : 1;
}

void
repo_probe_close(struct repo_probe *probe)
{
	if (probe != NULL) {
		git_odb_free(probe->odb);
		free(probe);
	}
}

void
repo_owe_sync(struct repo *repo)
{
	repo->owes_sync = true;
}

bool
repo_in_one_journal(const struct repo *repo)
{
	return repo->journal != 0;
}

int
repo_sync_packs(struct repo *repo, struct err *err)
{
	AUTO_FREE char *folder = NULL;

	if (!repo->owes_sync) {
		return 0;
	}
	folder = path_join(repo->objects, "pack");
	if (fd_sync_folder(folder, err) < 0) {
		return err->code;
	}
	repo->owes_sync = false;
	return 0;
}
