// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/purge_attributes.h"

#include "agent/exposure.h"
#include "agent/traits.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/sidecar.h"

#include <stdlib.h>
#include <string.h>

/** The attributes of one entry: packed, and as a list that borrows from that. */
struct cleaned {
	struct traits traits;
	struct buf cut;
	struct sidecar_xattr *list;
	size_t count;
	uint32_t spans;
};

static void
cleaned_done(struct cleaned *cleaned)
{
	traits_done(&cleaned->traits);
	buf_wipe(&cleaned->cut);
	free(cleaned->list);
}

// What no rule knows is cut out of each value by its bytes.
static int
cut_values(const struct exposure_query *query, struct cleaned *cleaned, struct err *err)
{
	const struct buf *packed = &cleaned->traits.clean;
	struct attributes_iter iter = ATTRIBUTES_ITER(packed->data, packed->len);
	struct attribute attribute;

	while (packed->len > 0 && attributes_next(&iter, &attribute)) {
		AUTO(buf_wipe) struct buf value = { .max = TRAITS_CLEAN_MAX };

		if (exposure_cut(query, attribute.value, attribute.len, &value,
			    &cleaned->spans, err) < 0) {
			return err->code;
		}
		attribute.value = buf_text(&value);
		attribute.len = value.len;
		if (attributes_add(&cleaned->cut, &attribute, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static void
list_them(struct cleaned *cleaned, size_t room)
{
	const struct buf *packed = &cleaned->cut;
	struct attributes_iter iter = ATTRIBUTES_ITER(packed->data, packed->len);
	struct attribute attribute;

	cleaned->list = xcalloc(room, sizeof(cleaned->list[0]));
	while (packed->len > 0 && attributes_next(&iter, &attribute)) {
		cleaned->list[cleaned->count++] = (struct sidecar_xattr){ attribute.name,
			attribute.value, attribute.len };
	}
}

static int
clean(const struct exposure_query *query, const char *path,
	const struct sidecar_xattr *xattrs, size_t count, struct cleaned *cleaned,
	struct err *err)
{
	struct traits *traits = &cleaned->traits;

	*traits = (struct traits)TRAITS;
	traits->raw.max = TRAITS_CLEAN_MAX;
	cleaned->cut.max = TRAITS_CLEAN_MAX;
	for (size_t i = 0; i < count; i++) {
		if (attributes_add(&traits->raw,
			    &(struct attribute){
				    xattrs[i].name, xattrs[i].value, xattrs[i].len },
			    err) < 0) {
			return err->code;
		}
	}
	if (query->nprints > 0 || query->value == NULL) {
		if (traits_clean(query->scanner, path, traits, err) < 0) {
			return err->code;
		}
	} else if (buf_add(&traits->clean, traits->raw.data, traits->raw.len, err) < 0) {
		return err->code;
	}
	cleaned->spans = traits->spans;
	if (cut_values(query, cleaned, err) < 0) {
		return err->code;
	}
	list_them(cleaned, count);
	return 0;
}

/** Everything that a text is written from. */
struct rewriting {
	struct sidecar_folder folder;
	struct sidecar_entry *entries;
	// One for the folder, then one for each entry.
	struct cleaned *cleaned;
	size_t ncleaned;
};

static void
rewriting_done(struct rewriting *rewriting)
{
	for (size_t i = 0; i < rewriting->ncleaned; i++) {
		cleaned_done(&rewriting->cleaned[i]);
	}
	free(rewriting->cleaned);
	free(rewriting->entries);
	sidecar_done(&rewriting->folder);
}

static int
clean_entries(const struct exposure_query *query, struct rewriting *rewriting,
	uint32_t *spans, struct err *err)
{
	const struct sidecar_folder *folder = &rewriting->folder;

	for (size_t i = 0; i < folder->nentries; i++) {
		struct sidecar_entry *entry = &rewriting->entries[i];
		struct cleaned *cleaned = &rewriting->cleaned[1 + i];
		AUTO_FREE char *path = path_join(folder->path, entry->name);

		if (entry->nxattrs == 0) {
			continue;
		}
		if (clean(query, path, entry->xattrs, entry->nxattrs, cleaned, err) < 0) {
			return err->code;
		}
		entry->xattrs = cleaned->list;
		entry->nxattrs = cleaned->count;
		entry->redacted += cleaned->spans;
		*spans += cleaned->spans;
	}
	return 0;
}

int
purge_attributes(const struct exposure_query *query, const struct buf *text,
	struct buf *out, uint32_t *ret_spans, struct err *err)
{
	AUTO(rewriting_done) struct rewriting rewriting = { 0 };
	struct sidecar_folder *folder = &rewriting.folder;
	struct sidecar_folder written;

	*ret_spans = 0;
	if (sidecar_parse(buf_text(text), text->len, folder, err) < 0) {
		return err->code;
	}
	rewriting.ncleaned = folder->nentries + 1;
	rewriting.cleaned = xcalloc(rewriting.ncleaned, sizeof(rewriting.cleaned[0]));
	rewriting.entries = xcalloc(folder->nentries, sizeof(rewriting.entries[0]));
	if (folder->nentries > 0) {
		memcpy(rewriting.entries, folder->entries,
			folder->nentries * sizeof(rewriting.entries[0]));
	}
	if (clean(query, folder->path, folder->xattrs, folder->nxattrs,
		    &rewriting.cleaned[0], err) < 0 ||
		clean_entries(query, &rewriting, ret_spans, err) < 0) {
		return err->code;
	}
	*ret_spans += rewriting.cleaned[0].spans;
	written = *folder;
	written.entries = rewriting.entries;
	written.xattrs = rewriting.cleaned[0].list;
	written.nxattrs = rewriting.cleaned[0].count;
	return sidecar_write(&written, out, err);
}
