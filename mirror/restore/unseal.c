// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/unseal.h"

#include "base/err.h"
#include "base/mem.h"
#include "brain/plain.h"
#include "brain/repo.h"
#include "restore/run.h"
#include "restore/stage.h"
#include "vault/seal.h"

#include <stdlib.h>
#include <string.h>

enum {
	/** As for any file: held in memory as a whole. */
	BLOB_MAX = 0x7fffffff,
};

void
unsealed_done(struct unsealed *unsealed)
{
	buf_wipe(&unsealed->bytes);
	free(unsealed->xattrs);
	original_done(&unsealed->original);
}

bool
unseal_is_wanted(const struct run *run, const char *sealed)
{
	return run->options->identity != NULL && sealed != NULL;
}

static int
open_place(struct run *run, const char *sealed, struct original *ret_original,
	struct err *err)
{
	AUTO(buf_done) struct buf shut = { .max = SEAL_BYTES_MAX };
	struct buf text = { .max = ORIGINAL_TEXT_MAX };
	struct oid oid;
	int result = listing_sealed(run->listing, sealed, &oid, err);

	if (result == 0) {
		return err_raise(
			err, ERR_INVALID, "the commit does not hold what is sealed");
	}
	if (result < 0) {
		return err->code;
	}
	if (repo_read(run->options->repo, &oid, OBJECT_BLOB, &shut, err) < 0) {
		// Missing is damage here, not a missing program.
		err->code = err->code == ERR_NOT_FOUND ? ERR_INVALID : err->code;
		return err->code;
	}
	result = seal_open(run->options->identity, buf_text(&shut), shut.len, &text, err);
	if (result == 0) {
		result = original_read(buf_text(&text), text.len, ret_original, err);
	}
	buf_wipe(&text);
	if (result == 0 && ret_original->name != NULL &&
		plain_is_git(ret_original->name)) {
		original_done(ret_original);
		return err_raise(err, ERR_INVALID, "its name would be git's own");
	}
	return result;
}

// Each by its name in the place of the cut one; one whose name held the secret comes new.
static void
fill_in_attributes(struct unsealed *unsealed)
{
	const struct original *original = &unsealed->original;
	struct sidecar_entry *facts = &unsealed->entry.facts;
	size_t count = facts->nxattrs;

	if (original->nattributes == 0) {
		return;
	}
	unsealed->xattrs =
		xcalloc(count + original->nattributes, sizeof(unsealed->xattrs[0]));
	if (count > 0) {
		memcpy(unsealed->xattrs, facts->xattrs,
			count * sizeof(unsealed->xattrs[0]));
	}
	for (size_t i = 0; i < original->nattributes; i++) {
		const struct original_attribute *whole = &original->attributes[i];
		size_t at = 0;

		while (at < count &&
			strcmp(unsealed->xattrs[at].name, whole->name) != 0) {
			at++;
		}
		unsealed->xattrs[at] =
			(struct sidecar_xattr){ whole->name, whole->value, whole->len };
		count += at == count;
	}
	facts->xattrs = unsealed->xattrs;
	facts->nxattrs = count;
}

int
unseal_entry(struct run *run, const struct listing_entry *entry,
	struct unsealed *ret_unsealed, struct err *err)
{
	AUTO(buf_done) struct buf redacted = { .max = BLOB_MAX };
	AUTO(unsealed_done) struct unsealed unsealed = { .entry = *entry };

	unsealed.bytes.max = BLOB_MAX;
	if (open_place(run, entry->facts.sealed, &unsealed.original, err) < 0) {
		return err->code;
	}
	unsealed.entry.facts.sealed = NULL;
	unsealed.entry.facts.redacted = 0;
	if (unsealed.original.name != NULL) {
		unsealed.entry.facts.name = unsealed.original.name;
	}
	fill_in_attributes(&unsealed);
	if (unsealed.original.has_content) {
		if (repo_read(run->options->repo, &entry->oid, OBJECT_BLOB, &redacted,
			    err) < 0 ||
			original_fill_in(&unsealed.original, buf_text(&redacted),
				redacted.len, &unsealed.bytes, err) < 0) {
			err->code = err->code == ERR_NOT_FOUND ? ERR_INVALID : err->code;
			return err->code;
		}
		oid_of(OBJECT_BLOB, buf_text(&unsealed.bytes), unsealed.bytes.len,
			&unsealed.entry.oid);
	}
	*ret_unsealed = unsealed;
	ret_unsealed->plain = unsealed.original.has_content ? &ret_unsealed->bytes : NULL;
	unsealed = (struct unsealed){ 0 };
	return 0;
}

int
unseal_name(struct run *run, const char *sealed, char **ret_name, struct err *err)
{
	AUTO(original_done) struct original original = { 0 };

	if (open_place(run, sealed, &original, err) < 0) {
		return err->code;
	}
	if (original.name == NULL) {
		return err_raise(err, ERR_INVALID, "no name is sealed there");
	}
	*ret_name = xstrdup(original.name);
	return 0;
}

int
unseal_failed(
	struct run *run, const char *path, const struct err *why, const char **ret_why)
{
	if (why->code == ERR_CONFIG || why->code == ERR_NOT_FOUND ||
		stage_is_fatal(why)) {
		*run->err = *why;
		return err_wrap(run->err, "restore %.200s", path);
	}
	*ret_why = why->code == ERR_DENIED
		? "the key given does not open it"
		: "what is sealed is damaged, or not in the commit";
	return 0;
}

int
unseal_tell_in_place(struct run *run, const char *path, enum sidecar_kind kind)
{
	return run_tell_trouble(run, path, kind, RESTORE_CONFLICT,
		"its name holds a secret: restore it elsewhere");
}
