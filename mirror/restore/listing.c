// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * .mirror/folders and .mirror/files are read once into two sorted arrays, hash of a path
 * to blob, so that finding a folder's text costs no tree.  Folders are walked in preorder
 * with a list of those still to come, never by recursion: depth comes from outside.
 *
 *     git tree of "notes"      text of "notes"          entries
 *     ---------------------    ---------------------    -----------------------------
 *     a.md   blob              file a.md                a.md        both
 *                              file .gitignore at=...   .gitignore  bytes by its place
 *     sub    tree              dir sub                  sub         both
 *                              dir empty                empty       no tree
 *     new.md blob                                       new.md      git's facts alone
 */

#include "restore/listing.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/plain.h"
#include "brain/repo.h"
#include "brain/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** A file below .mirror/: the hash that is its name. */
struct place {
	struct oid key;
	struct oid blob;
};

struct places {
	struct place *rows;
	size_t count;
	size_t capacity;
};

struct listing {
	struct repo *repo;
	struct oid tree;
	struct places texts;
	struct places stored;
	bool has_sidecar;
};

/** What a folder's listing borrows from. */
struct memory {
	char *path;
	struct buf raw;
};

// ---- the index of .mirror/

static int
by_key(const void *left, const void *right)
{
	const struct place *a = left;
	const struct place *b = right;

	return oid_compare(&a->key, &b->key);
}

static void
places_add(struct places *places, const char *high, const struct tree_entry *entry)
{
	char hex[OID_HEX_MAX];
	struct place place = { .blob = entry->oid };

	(void)snprintf(hex, sizeof(hex), "%s%s", high, entry->name);
	if (entry->name_len != OID_HEX_MAX - 3 || !oid_parse(hex, &place.key) ||
		(entry->mode & S_IFMT) != S_IFREG) {
		return;
	}
	places->rows = xgrow(
		places->rows, places->count, &places->capacity, sizeof(places->rows[0]));
	places->rows[places->count++] = place;
}

static int
read_raw(struct repo *repo, const struct oid *tree, struct buf *raw,
	struct tree_iter *ret_iter, struct err *err)
{
	buf_clear(raw);
	if (!oid_is_zero(tree) && repo_read(repo, tree, OBJECT_TREE, raw, err) < 0) {
		return err->code;
	}
	*ret_iter = (struct tree_iter){ buf_text(raw), buf_text(raw) + raw->len };
	return 0;
}

static int
places_load(
	struct listing *listing, const char *path, struct places *places, struct err *err)
{
	AUTO(buf_done) struct buf high_raw = { .max = TREE_RAW_MAX };
	AUTO(buf_done) struct buf low_raw = { .max = TREE_RAW_MAX };
	struct tree_iter high;
	struct tree_iter low;
	struct tree_entry folder;
	struct tree_entry entry;
	struct oid tree;
	uint32_t mode = 0;
	int got = repo_tree_at(listing->repo, &listing->tree, path, &mode, &tree, err);

	if (got <= 0 || mode != TREE_FOLDER) {
		return got < 0 ? got : 0;
	}
	if (read_raw(listing->repo, &tree, &high_raw, &high, err) < 0) {
		return err_wrap(err, "read %s", path);
	}
	while ((got = tree_next(&high, &folder, err)) > 0) {
		if (folder.mode != TREE_FOLDER || folder.name_len != 2) {
			continue;
		}
		if (read_raw(listing->repo, &folder.oid, &low_raw, &low, err) < 0) {
			return err_wrap(err, "read %s/%s", path, folder.name);
		}
		while ((got = tree_next(&low, &entry, err)) > 0) {
			places_add(places, folder.name, &entry);
		}
		if (got < 0) {
			return got;
		}
	}
	if (places->count > 1) {
		qsort(places->rows, places->count, sizeof(places->rows[0]), by_key);
	}
	return got;
}

static const struct oid *
places_find(const struct places *places, const struct oid *key)
{
	struct place wanted = { .key = *key };
	const struct place *found = places->count == 0
		? NULL
		: bsearch(&wanted, places->rows, places->count, sizeof(wanted), by_key);

	return found != NULL ? &found->blob : NULL;
}

// ".mirror/folders/ab/cdef..." to the hash that is its name.
static bool
key_of(const char *place, const char *top, struct oid *ret_key)
{
	size_t len = strlen(top);
	char hex[OID_HEX_MAX];

	if (strncmp(place, top, len) != 0 || strlen(place) != len + 1 + OID_HEX_MAX ||
		place[len] != '/' || place[len + 3] != '/') {
		return false;
	}
	(void)snprintf(hex, sizeof(hex), "%.2s%s", place + len + 1, place + len + 4);
	return oid_parse(hex, ret_key);
}

static const struct oid *
find_text(const struct listing *listing, const char *path)
{
	char place[SIDECAR_PATH_MAX];
	struct oid key;

	sidecar_folder_path(path, place);
	return key_of(place, SIDECAR_FOLDERS, &key) ? places_find(&listing->texts, &key)
						    : NULL;
}

// ---- a listing's life

int
listing_open(struct repo *repo, const struct oid *commit, struct listing **ret_listing,
	struct err *err)
{
	AUTO(listing_closep) struct listing *listing = xcalloc(1, sizeof(*listing));

	listing->repo = repo;
	if (repo_commit_tree(repo, commit, &listing->tree, err) < 0 ||
		places_load(listing, SIDECAR_FOLDERS, &listing->texts, err) < 0 ||
		places_load(listing, SIDECAR_FILES, &listing->stored, err) < 0) {
		return err_wrap(err, "read the commit");
	}
	listing->has_sidecar = listing->texts.count > 0;
	*ret_listing = STEAL(listing);
	return 0;
}

void
listing_close(struct listing *listing)
{
	if (listing == NULL) {
		return;
	}
	free(listing->texts.rows);
	free(listing->stored.rows);
	free(listing);
}

void
listing_closep(struct listing **listing)
{
	listing_close(*listing);
}

bool
listing_has_sidecar(const struct listing *listing)
{
	return listing->has_sidecar;
}

size_t
listing_ntexts(const struct listing *listing)
{
	return listing->texts.count;
}

size_t
listing_nstored(const struct listing *listing)
{
	return listing->stored.count;
}

int
listing_sealed(
	struct listing *listing, const char *place, struct oid *ret_oid, struct err *err)
{
	uint32_t mode = 0;
	struct oid key;
	int got;

	if (!key_of(place, SIDECAR_SEALED, &key)) {
		return 0;
	}
	got = repo_tree_at(listing->repo, &listing->tree, place, &mode, ret_oid, err);
	return got > 0 && mode != TREE_FILE ? 0 : got;
}

int
listing_each_text(const struct listing *listing, listing_text_fn *fn, void *payload)
{
	for (size_t i = 0; i < listing->texts.count; i++) {
		const struct place *row = &listing->texts.rows[i];
		char hex[OID_HEX_MAX];
		AUTO_FREE char *place = NULL;
		int result;

		(void)oid_hex(&row->key, hex);
		place = xasprintf(SIDECAR_FOLDERS "/%.2s/%s", hex, hex + 2);
		result = fn(place, &row->blob, payload);
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

// ---- one folder

static void
damaged(struct listing_folder *folder, const char *why)
{
	if (folder->damage[0] == '\0') {
		(void)snprintf(folder->damage, sizeof(folder->damage), "%s", why);
	}
}

// A name that leads elsewhere, or that would be a repository of its own.
static bool
is_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
		strcmp(name, "..") != 0 && !plain_is_git(name);
}

static int
by_name(const void *left, const void *right)
{
	const struct listing_entry *a = left;
	const struct listing_entry *b = right;

	return strcmp(a->facts.name, b->facts.name);
}

const struct listing_entry *
listing_entry(const struct listing_folder *folder, const char *name)
{
	struct listing_entry wanted = { .facts = { .name = name } };

	return folder->nentries == 0 ? NULL
				     : bsearch(&wanted, folder->entries, folder->nentries,
					       sizeof(wanted), by_name);
}

static enum sidecar_kind
kind_of(uint32_t mode)
{
	return mode == TREE_FOLDER  ? SIDECAR_FOLDER
		: mode == TREE_LINK ? SIDECAR_LINK
				    : SIDECAR_FILE;
}

// Entries as git has them.
static int
take_tree(struct listing_folder *folder, struct tree_iter *iter, bool is_top,
	size_t *capacity, struct err *err)
{
	struct tree_entry found;
	int got;

	while ((got = tree_next(iter, &found, err)) > 0) {
		struct listing_entry entry = {
			.facts = {
				.kind = kind_of(found.mode),
				.name = found.name,
				.mode = found.mode == TREE_PROGRAM ? 0755 : 0644,
			},
			.present = true,
			.oid = found.oid,
		};

		if (is_top && strcmp(found.name, SIDECAR_TOP) == 0) {
			continue;
		}
		if (!is_name(found.name)) {
			damaged(folder, "it has an entry whose name is none");
			continue;
		}
		if (found.mode == TREE_COMMIT) {
			damaged(folder, "it has a submodule, whose files are elsewhere");
			continue;
		}
		folder->entries = xgrow(folder->entries, folder->nentries, capacity,
			sizeof(folder->entries[0]));
		folder->entries[folder->nentries++] = entry;
	}
	return got;
}

static void
sort_entries(struct listing_folder *folder)
{
	size_t kept = 0;

	if (folder->nentries > 1) {
		qsort(folder->entries, folder->nentries, sizeof(folder->entries[0]),
			by_name);
	}
	// A crafted tree can hold a name twice; the first one counts.
	for (size_t i = 0; i < folder->nentries; i++) {
		if (kept > 0 &&
			by_name(&folder->entries[kept - 1], &folder->entries[i]) == 0) {
			damaged(folder, "it has a name twice");
			continue;
		}
		folder->entries[kept++] = folder->entries[i];
	}
	folder->nentries = kept;
}

// What the text says of @said, over what git says of @have (NULL: nothing).
static struct listing_entry
describe(const struct listing *listing, const struct sidecar_entry *said,
	const struct listing_entry *have)
{
	struct listing_entry entry = { .facts = *said, .described = true };
	const struct oid *stored;
	struct oid key;

	if (said->at != NULL) {
		stored = key_of(said->at, SIDECAR_FILES, &key)
			? places_find(&listing->stored, &key)
			: NULL;
		entry.present = stored != NULL;
		if (stored != NULL) {
			entry.oid = *stored;
		}
	} else if (have != NULL &&
		(have->facts.kind == said->kind ||
			(said->kind != SIDECAR_FOLDER &&
				have->facts.kind != SIDECAR_FOLDER))) {
		// A file that became a link since its text was written: git knows better.
		entry.facts.kind = have->facts.kind;
		entry.present = true;
		entry.oid = have->oid;
	} else {
		entry.present = said->kind == SIDECAR_FOLDER;
	}
	return entry;
}

// Lay the text's entries over git's.
static void
take_text(const struct listing *listing, struct listing_folder *folder, size_t *capacity)
{
	size_t nfrom_tree = folder->nentries;

	for (size_t i = 0; i < folder->facts.nentries; i++) {
		const struct sidecar_entry *said = &folder->facts.entries[i];
		struct listing_entry wanted = { .facts = { .name = said->name } };
		struct listing_entry *have = nfrom_tree == 0
			? NULL
			: bsearch(&wanted, folder->entries, nfrom_tree, sizeof(wanted),
				  by_name);

		if (!is_name(said->name)) {
			damaged(folder, "its text has a name that is none");
			continue;
		}
		if (have != NULL) {
			*have = describe(listing, said, have);
			continue;
		}
		folder->entries = xgrow(folder->entries, folder->nentries, capacity,
			sizeof(folder->entries[0]));
		folder->entries[folder->nentries++] = describe(listing, said, NULL);
	}
	sort_entries(folder);
}

// Read the text; one that cannot be read is damage, not the end.
static int
read_text(struct listing *listing, struct listing_folder *folder, size_t *capacity,
	struct err *err)
{
	const struct oid *blob = find_text(listing, folder->path);
	AUTO(buf_done) struct buf text = { .max = SIDECAR_TEXT_MAX };
	struct err why;

	if (blob == NULL) {
		if (listing->has_sidecar && folder->path[0] != '\0') {
			damaged(folder, "it has no text in .mirror/folders");
		}
		return 0;
	}
	if (repo_read(listing->repo, blob, OBJECT_BLOB, &text, &why) < 0 ||
		sidecar_parse(buf_text(&text), text.len, &folder->facts, &why) < 0) {
		if (why.code == ERR_NO_MEMORY) {
			*err = why;
			return err->code;
		}
		damaged(folder, why.msg);
		return 0;
	}
	if (strcmp(folder->facts.path, folder->path) != 0) {
		sidecar_done(&folder->facts);
		folder->facts = (struct sidecar_folder){ 0 };
		damaged(folder, "its text is that of another folder");
		return 0;
	}
	folder->described = true;
	take_text(listing, folder, capacity);
	return 0;
}

static int
load(struct listing *listing, const char *path, const struct oid *tree,
	struct listing_folder *ret_folder, struct err *err)
{
	AUTO(listing_folder_done) struct listing_folder folder = { 0 };
	struct memory *memory = xcalloc(1, sizeof(*memory));
	struct tree_iter iter;
	size_t capacity = 0;
	struct err why;

	memory->path = xstrdup(path);
	memory->raw.max = TREE_RAW_MAX;
	folder.memory_ = memory;
	folder.path = memory->path;
	if (read_raw(listing->repo, tree, &memory->raw, &iter, &why) < 0 ||
		take_tree(&folder, &iter, path[0] == '\0', &capacity, &why) < 0) {
		if (why.code == ERR_NO_MEMORY) {
			*err = why;
			return err->code;
		}
		damaged(&folder, why.msg);
	}
	sort_entries(&folder);
	if (read_text(listing, &folder, &capacity, err) < 0) {
		return err->code;
	}
	*ret_folder = folder;
	folder = (struct listing_folder){ 0 };
	return 0;
}

void
listing_folder_done(struct listing_folder *folder)
{
	struct memory *memory = folder->memory_;

	sidecar_done(&folder->facts);
	free(folder->entries);
	if (memory != NULL) {
		buf_done(&memory->raw);
		free(memory->path);
		free(memory);
	}
	*folder = (struct listing_folder){ 0 };
}

// The tree at @path, zero when there is none.  1 when a folder of that path is known.
static int
find_folder(
	struct listing *listing, const char *path, struct oid *ret_tree, struct err *err)
{
	struct oid oid;
	uint32_t mode = 0;
	int got;

	*ret_tree = (struct oid){ { 0 } };
	if (path[0] == '\0') {
		*ret_tree = listing->tree;
		return 1;
	}
	got = repo_tree_at(listing->repo, &listing->tree, path, &mode, &oid, err);
	if (got < 0 && err->code != ERR_INVALID) {
		return got;
	}
	if (got > 0 && mode == TREE_FOLDER) {
		*ret_tree = oid;
		return 1;
	}
	return find_text(listing, path) != NULL;
}

int
listing_folder(struct listing *listing, const char *path,
	struct listing_folder *ret_folder, struct err *err)
{
	struct oid tree;
	int got = find_folder(listing, path, &tree, err);

	if (got <= 0) {
		return got < 0 ? got
			       : err_raise(err, ERR_NOT_FOUND,
					 "the commit has no folder %s", path);
	}
	return load(listing, path, &tree, ret_folder, err);
}

int
listing_find(struct listing *listing, const char *path, struct err *err)
{
	AUTO(listing_folder_done) struct listing_folder folder = { 0 };
	const char *base = path_base(path);
	AUTO_FREE char *above =
		xmemdup0(path, base == path ? 0 : (size_t)(base - path - 1));
	const struct listing_entry *entry;
	struct oid tree;
	int got = find_folder(listing, path, &tree, err);

	if (got != 0) {
		return got < 0 ? got : LISTING_FOLDER;
	}
	got = find_folder(listing, above, &tree, err);
	if (got <= 0) {
		return got < 0 ? got : LISTING_NOTHING;
	}
	if (load(listing, above, &tree, &folder, err) < 0) {
		return err->code;
	}
	entry = listing_entry(&folder, base);
	return entry == NULL                          ? LISTING_NOTHING
		: entry->facts.kind == SIDECAR_FOLDER ? LISTING_FOLDER
						      : LISTING_FILE;
}

// ---- the walk

/** Folders still to come, the next one last. */
struct pending {
	char **paths;
	struct oid *trees;
	size_t count;
	size_t capacity;
	size_t trees_capacity;
};

static void
pending_done(struct pending *pending)
{
	for (size_t i = 0; i < pending->count; i++) {
		free(pending->paths[i]);
	}
	free(pending->paths);
	free(pending->trees);
}

static void
pending_push(struct pending *pending, char *path, const struct oid *tree)
{
	pending->paths = xgrow(pending->paths, pending->count, &pending->capacity,
		sizeof(pending->paths[0]));
	pending->trees = xgrow(pending->trees, pending->count, &pending->trees_capacity,
		sizeof(pending->trees[0]));
	pending->paths[pending->count] = path;
	pending->trees[pending->count++] = *tree;
}

// In reverse, so that the first one is taken next.
static void
push_subfolders(struct pending *pending, const struct listing_folder *folder)
{
	for (size_t i = folder->nentries; i-- > 0;) {
		const struct listing_entry *entry = &folder->entries[i];

		if (entry->facts.kind == SIDECAR_FOLDER) {
			pending_push(pending, path_join(folder->path, entry->facts.name),
				&entry->oid);
		}
	}
}

struct root_search {
	struct listing *listing;
	struct pending *found;
};

// A watched folder in which nothing stands in git has a text all the same.
static int
see_text(const char *place, const struct oid *oid, void *payload)
{
	struct root_search *search = payload;
	AUTO(buf_done) struct buf text = { .max = SIDECAR_TEXT_MAX };
	AUTO_FREE char *line = NULL;
	AUTO_FREE char *path = NULL;
	const char *start;
	const char *end;
	struct oid none = { { 0 } };
	struct err ignored;

	(void)place;
	if (repo_read(search->listing->repo, oid, OBJECT_BLOB, &text, &ignored) < 0) {
		return 0;
	}
	start = strstr(buf_text(&text), "\npath\t");
	end = start != NULL ? strchr(start + 6, '\n') : NULL;
	if (end == NULL) {
		return 0;
	}
	line = xmemdup0(start + 6, (size_t)(end - start - 6));
	path = sidecar_unescape(line);
	if (path != NULL && path[0] != '\0' && strchr(path, '/') == NULL &&
		is_name(path)) {
		pending_push(search->found, STEAL(path), &none);
	}
	return 0;
}

static int
reverse_by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)right, *(char *const *)left);
}

// Every watched folder, the first one last; trees are looked up again.
static int
push_roots(struct listing *listing, struct pending *pending, struct err *err)
{
	AUTO(listing_folder_done) struct listing_folder top = { 0 };
	struct root_search search = { listing, pending };
	size_t kept = 0;

	if (load(listing, "", &listing->tree, &top, err) < 0) {
		return err->code;
	}
	push_subfolders(pending, &top);
	(void)listing_each_text(listing, see_text, &search);
	if (pending->count > 1) {
		qsort(pending->paths, pending->count, sizeof(pending->paths[0]),
			reverse_by_text);
	}
	for (size_t i = 0; i < pending->count; i++) {
		if (kept > 0 &&
			strcmp(pending->paths[kept - 1], pending->paths[i]) == 0) {
			free(pending->paths[i]);
			continue;
		}
		pending->paths[kept++] = pending->paths[i];
	}
	pending->count = kept;
	for (size_t i = 0; i < pending->count; i++) {
		if (find_folder(listing, pending->paths[i], &pending->trees[i], err) <
			0) {
			return err->code;
		}
	}
	return 0;
}

static size_t
depth_of(const char *path)
{
	size_t depth = 0;

	for (; *path != '\0'; path++) {
		depth += *path == '/';
	}
	return depth;
}

static int
visit(struct listing *listing, struct pending *pending, const char *path,
	const struct oid *tree, listing_fn *fn, void *payload, struct err *err)
{
	AUTO(listing_folder_done) struct listing_folder folder = { 0 };
	int result;

	if (depth_of(path) > LISTING_DEPTH_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %d folders in each other",
			LISTING_DEPTH_MAX);
	}
	if (load(listing, path, tree, &folder, err) < 0) {
		return err->code;
	}
	result = fn(&folder, payload);
	if (result == 0 && path[0] != '\0') {
		push_subfolders(pending, &folder);
	}
	return result == LISTING_SKIP ? 0 : result;
}

int
listing_walk(struct listing *listing, const char *path, listing_fn *fn, void *payload,
	struct err *err)
{
	AUTO(pending_done) struct pending pending = { 0 };
	struct oid tree;
	int result = find_folder(listing, path, &tree, err);

	if (result <= 0) {
		return result < 0 ? result
				  : err_raise(err, ERR_NOT_FOUND,
					    "the commit has no folder %s", path);
	}
	if (path[0] != '\0') {
		pending_push(&pending, xstrdup(path), &tree);
	} else if (push_roots(listing, &pending, err) < 0) {
		return err->code;
	} else if (!listing->has_sidecar) {
		pending_push(&pending, xstrdup(""), &tree);
	}
	result = 0;
	while (pending.count > 0 && result == 0) {
		AUTO_FREE char *next = pending.paths[--pending.count];
		struct oid next_tree = pending.trees[pending.count];

		result = visit(listing, &pending, next, &next_tree, fn, payload, err);
	}
	return result;
}
