// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A raw tree is a run of entries, sorted by name as if a folder's name ended with '/':
 *
 *     "100644 name" NUL <20 bytes>   "40000 name" NUL <20 bytes>   ...
 *
 * tree_apply() merges two sorted runs, the old entries and the edits, and copies what no
 * edit names byte for byte.  tree_update() sorts its changes by path, so that the changes
 * of one folder stand together, and goes down only where there are some:
 *
 *     a/b/x      \
 *     a/b/y       > group "a" -> tree_update of a's tree with "b/x", "b/y", "z"
 *     a/z        /
 *     c            an edit of this folder itself
 */

#include "brain/tree.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/pack.h"
#include "brain/plain.h"
#include "brain/recent.h"
#include "brain/repo.h"

#include <stdlib.h>
#include <string.h>

// ---- reading

static bool
parse_mode(const char **at, const char *end, uint32_t *ret_mode)
{
	uint32_t mode = 0;
	const char *start = *at;

	while (*at < end && **at >= '0' && **at <= '7' && *at - start < 7) {
		mode = mode << 3 | (uint32_t)(*(*at)++ - '0');
	}
	if (*at == start || *at == end || **at != ' ') {
		return false;
	}
	(*at)++;
	*ret_mode = mode;
	return true;
}

int
tree_next(struct tree_iter *iter, struct tree_entry *ret_entry, struct err *err)
{
	const char *at = iter->at;
	const char *nul;
	struct tree_entry entry;

	if (at == iter->end) {
		return 0;
	}
	if (!parse_mode(&at, iter->end, &entry.mode)) {
		return err_raise(err, ERR_CORRUPT, "a tree with a bad mode");
	}
	nul = memchr(at, '\0', (size_t)(iter->end - at));
	if (nul == NULL || nul == at || iter->end - nul < OID_LEN + 1) {
		return err_raise(err, ERR_CORRUPT, "a tree that ends within an entry");
	}
	entry.name = at;
	entry.name_len = (size_t)(nul - at);
	memcpy(entry.oid.id, nul + 1, OID_LEN);
	iter->at = nul + 1 + OID_LEN;
	*ret_entry = entry;
	return 1;
}

static bool
is_folder(uint32_t mode)
{
	return (mode & 0170000) == TREE_FOLDER;
}

// The order of a tree.
static int
compare_names(const char *left, bool left_folder, const char *right, bool right_folder)
{
	size_t left_len = strlen(left);
	size_t right_len = strlen(right);
	int order = memcmp(left, right, MIN_OF(left_len, right_len));
	unsigned char a;
	unsigned char b;

	if (order != 0) {
		return order;
	}
	a = (unsigned char)left[MIN_OF(left_len, right_len)];
	b = (unsigned char)right[MIN_OF(left_len, right_len)];
	a = a == '\0' && left_folder ? '/' : a;
	b = b == '\0' && right_folder ? '/' : b;
	return (a > b) - (a < b);
}

static int
read_tree(struct repo *repo, const struct oid *tree, struct buf *raw,
	struct tree_iter *ret, struct err *err)
{
	buf_clear(raw);
	if (tree != NULL && !oid_is_zero(tree) &&
		repo_read(repo, tree, OBJECT_TREE, raw, err) < 0) {
		return err->code;
	}
	ret->at = buf_text(raw);
	ret->end = ret->at + raw->len;
	return 0;
}

// A path that grows and shrinks with the walk.
static int
enter(struct buf *path, const struct tree_entry *entry, struct err *err)
{
	if (path->len > 0 && buf_add(path, "/", 1, err) < 0) {
		return err->code;
	}
	return buf_add(path, entry->name, entry->name_len, err);
}

static void
leave(struct buf *path, size_t len)
{
	path->len = len;
	path->data[len] = '\0';
}

struct walk {
	struct repo *repo;
	tree_fn *fn;
	void *payload;
	struct buf path;
};

static int
walk_tree(struct walk *walk, const struct oid *tree, int depth, struct err *err)
{
	AUTO(buf_done) struct buf raw = { .max = TREE_RAW_MAX };
	size_t len = walk->path.len;
	struct tree_entry entry;
	struct tree_iter iter;
	int result;

	if (depth > TREE_DEPTH_MAX) {
		return err_raise(
			err, ERR_TOO_BIG, "more than %d folders deep", TREE_DEPTH_MAX);
	}
	if (read_tree(walk->repo, tree, &raw, &iter, err) < 0) {
		return err->code;
	}
	while ((result = tree_next(&iter, &entry, err)) > 0) {
		result = enter(&walk->path, &entry, err);
		if (result == 0) {
			result = walk->fn(walk->path.data, &entry, walk->payload);
		}
		if (result == 0 && is_folder(entry.mode)) {
			result = walk_tree(walk, &entry.oid, depth + 1, err);
		}
		if (result != 0 && (result != TREE_SKIP || !is_folder(entry.mode))) {
			return result;
		}
		leave(&walk->path, len);
	}
	return result;
}

int
tree_walk(struct repo *repo, const struct oid *tree, tree_fn *fn, void *payload,
	struct err *err)
{
	struct walk walk = { repo, fn, payload, { .max = TREE_RAW_MAX } };
	int result = buf_add(&walk.path, "", 0, err);

	if (result == 0) {
		result = walk_tree(&walk, tree, 0, err);
	}
	buf_done(&walk.path);
	return result;
}

struct diff {
	struct repo *repo;
	tree_diff_fn *fn;
	void *payload;
	struct buf path;
};

static int diff_trees(struct diff *diff, const struct oid *old, const struct oid *new,
	int depth, struct err *err);

// One name: what stood there and what stands there; either may be NULL.
static int
diff_entry(struct diff *diff, const struct tree_entry *old, const struct tree_entry *new,
	int depth, struct err *err)
{
	bool old_folder = old != NULL && is_folder(old->mode);
	bool new_folder = new != NULL &&is_folder(new->mode);
	size_t len = diff->path.len;
	int result = 0;

	if (old != NULL && new != NULL &&
		old->mode == new->mode &&oid_equal(&old->oid, &new->oid)) {
		return 0;
	}
	if (enter(&diff->path, old != NULL ? old : new, err) < 0) {
		return err->code;
	}
	if ((old != NULL && !old_folder) || (new != NULL && !new_folder)) {
		result = diff->fn(diff->path.data, old_folder ? NULL : old,
			new_folder ? NULL : new, diff->payload);
	}
	if (result == 0 && (old_folder || new_folder)) {
		result = diff_trees(diff, old_folder ? &old->oid : NULL,
			new_folder ? &new->oid : NULL, depth + 1, err);
	}
	leave(&diff->path, len);
	return result;
}

static int
diff_trees(struct diff *diff, const struct oid *old, const struct oid *new, int depth,
	struct err *err)
{
	AUTO(buf_done) struct buf old_raw = { .max = TREE_RAW_MAX };
	AUTO(buf_done) struct buf new_raw = { .max = TREE_RAW_MAX };
	struct tree_iter olds;
	struct tree_iter news;
	struct tree_entry a;
	struct tree_entry b;
	int has_a;
	int has_b;

	if (depth > TREE_DEPTH_MAX) {
		return err_raise(
			err, ERR_TOO_BIG, "more than %d folders deep", TREE_DEPTH_MAX);
	}
	if (read_tree(diff->repo, old, &old_raw, &olds, err) < 0 ||
		read_tree(diff->repo, new, &new_raw, &news, err) < 0) {
		return err->code;
	}
	has_a = tree_next(&olds, &a, err);
	has_b = tree_next(&news, &b, err);
	while (has_a > 0 || has_b > 0) {
		int order = has_a <= 0 ? 1
			: has_b <= 0   ? -1
				       : compare_names(a.name, is_folder(a.mode), b.name,
						 is_folder(b.mode));
		int result = diff_entry(
			diff, order <= 0 ? &a : NULL, order >= 0 ? &b : NULL, depth, err);

		if (result != 0) {
			return result;
		}
		has_a = order <= 0 ? tree_next(&olds, &a, err) : has_a;
		has_b = order >= 0 ? tree_next(&news, &b, err) : has_b;
		if (has_a < 0 || has_b < 0) {
			break;
		}
	}
	return has_a < 0 || has_b < 0 ? err->code : 0;
}

int
tree_diff(struct repo *repo, const struct oid *old, const struct oid *new,
	tree_diff_fn *fn, void *payload, struct err *err)
{
	struct diff diff = { repo, fn, payload, { .max = TREE_RAW_MAX } };
	int result;

	if (old != NULL && new != NULL && oid_equal(old, new)) {
		return 0;
	}
	result = buf_add(&diff.path, "", 0, err);
	if (result == 0) {
		result = diff_trees(&diff, old, new, 0, err);
	}
	buf_done(&diff.path);
	return result;
}

// ---- writing one folder

enum {
	// What an entry takes, about.
	ENTRY_LEN = 48,
	MODE_LEN = 12,
};

static int
by_name(const void *left, const void *right)
{
	const struct tree_edit *const *a = left;
	const struct tree_edit *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

static int
by_tree_order(const void *left, const void *right)
{
	const struct tree_edit *const *a = left;
	const struct tree_edit *const *b = right;

	return compare_names(
		(*a)->name, is_folder((*a)->mode), (*b)->name, is_folder((*b)->mode));
}

static int
check_edit(const struct tree_edit *edit, struct err *err)
{
	enum plain_kind kind = PLAIN_FILE;

	switch (edit->mode) {
	case TREE_GONE:
		// Whatever stands there may be taken away.
		return 0;
	case TREE_FILE:
	case TREE_PROGRAM:
		break;
	case TREE_FOLDER:
		kind = PLAIN_FOLDER;
		break;
	case TREE_LINK:
		kind = PLAIN_LINK;
		break;
	default:
		return err_raise(err, ERR_INVALID, "git knows no mode %o", edit->mode);
	}
	if (!plain_name(edit->name, kind)) {
		return err_raise(err, ERR_INVALID,
			"a name that may not stand in a tree reached it");
	}
	return oid_is_zero(&edit->oid)
		? err_raise(err, ERR_INVALID, "an entry that names no object")
		: 0;
}

// "100644 " without a format: a first cycle writes one for each file.
static size_t
write_mode(uint32_t mode, char text[MODE_LEN])
{
	size_t at = MODE_LEN;

	text[--at] = ' ';
	do {
		text[--at] = (char)('0' + (mode & 7));
		mode >>= 3;
	} while (mode != 0);
	return at;
}

static int
emit(struct buf *out, uint32_t mode, const char *name, size_t name_len,
	const struct oid *oid, struct err *err)
{
	char text[MODE_LEN];
	size_t at = write_mode(mode, text);

	if (buf_add(out, text + at, sizeof(text) - at, err) < 0 ||
		buf_add(out, name, name_len + 1, err) < 0) {
		return err->code;
	}
	return buf_add(out, oid->id, OID_LEN, err);
}

// The entry that stands at @raw; others write modes with a leading zero, git does not.
static int
copy(struct buf *out, const struct tree_entry *entry, const char *raw, size_t len,
	struct err *err)
{
	return raw[0] == '0'
		? emit(out, entry->mode, entry->name, entry->name_len, &entry->oid, err)
		: buf_add(out, raw, len, err);
}

// Merge the old entries and the edits: @named is sorted by name, @ordered as a tree is.
static int
merge(struct tree_iter old, const struct tree_edit *const *named,
	const struct tree_edit *const *ordered, size_t nedits, struct buf *out,
	size_t *ret_entries, struct err *err)
{
	size_t next = 0;
	struct tree_entry entry = { 0 };
	const char *raw = old.at;
	int has = tree_next(&old, &entry, err);

	*ret_entries = 0;
	while (has > 0 || next < nedits) {
		const struct tree_edit wanted = { .name = entry.name };
		const struct tree_edit *key = &wanted;

		if (next < nedits && ordered[next]->mode == TREE_GONE) {
			next++;
			continue;
		}
		if (has > 0 &&
			bsearch(&key, named, nedits, sizeof(*named), by_name) != NULL) {
			raw = old.at;
			has = tree_next(&old, &entry, err);
			continue;
		}
		if (next < nedits &&
			(has <= 0 ||
				compare_names(ordered[next]->name,
					is_folder(ordered[next]->mode), entry.name,
					is_folder(entry.mode)) < 0)) {
			if (emit(out, ordered[next]->mode, ordered[next]->name,
				    strlen(ordered[next]->name), &ordered[next]->oid,
				    err) < 0) {
				return err->code;
			}
			next++;
		} else {
			if (copy(out, &entry, raw, (size_t)(old.at - raw), err) < 0) {
				return err->code;
			}
			raw = old.at;
			has = tree_next(&old, &entry, err);
		}
		(*ret_entries)++;
	}
	return has < 0 ? err->code : 0;
}

static int
sort_edits(const struct tree_edit *edits, size_t nedits, const struct tree_edit **named,
	const struct tree_edit **ordered, struct err *err)
{
	for (size_t i = 0; i < nedits; i++) {
		if (check_edit(&edits[i], err) < 0) {
			return err->code;
		}
		named[i] = &edits[i];
		ordered[i] = &edits[i];
	}
	qsort(named, nedits, sizeof(struct tree_edit *), by_name);
	qsort(ordered, nedits, sizeof(struct tree_edit *), by_tree_order);
	for (size_t i = 1; i < nedits; i++) {
		if (strcmp(named[i - 1]->name, named[i]->name) == 0) {
			return err_raise(err, ERR_BUG, "two edits of one name");
		}
	}
	return 0;
}

// What to build upon: from memory, or from the repository.
static int
read_base(struct repo *repo, const struct oid *base, struct buf *raw,
	struct tree_iter *ret, struct err *err)
{
	int found = base == NULL ? 0 : recent_get(repo_recent(repo), base, raw, err);

	if (found <= 0) {
		return found < 0 ? found : read_tree(repo, base, raw, ret, err);
	}
	*ret = (struct tree_iter){ raw->data, raw->data + raw->len };
	return 0;
}

// A tree with its raw bytes; without a name it is empty.
struct base {
	struct oid oid;
	struct buf raw;
	struct tree_iter iter;
};

static void
base_done(struct base *base)
{
	buf_done(&base->raw);
}

static int
base_load(struct repo *repo, const struct oid *oid, struct base *ret, struct err *err)
{
	*ret = (struct base){ .raw = { .max = TREE_RAW_MAX } };
	if (oid != NULL) {
		ret->oid = *oid;
	}
	return read_base(repo, oid, &ret->raw, &ret->iter, err);
}

// The entry of this name: 1, 0 none, or negative.
static int
entry_in(struct tree_iter iter, const char *name, size_t len, struct tree_entry *ret,
	struct err *err)
{
	int got;

	while ((got = tree_next(&iter, ret, err)) > 0) {
		if (ret->name_len == len && memcmp(ret->name, name, len) == 0) {
			break;
		}
	}
	return got;
}

int
tree_base_at(struct repo *repo, const struct oid *tree, const char *path,
	uint32_t *ret_mode, struct oid *ret_oid, struct err *err)
{
	struct tree_entry entry = { .mode = TREE_FOLDER, .oid = *tree };

	while (path[0] != '\0') {
		AUTO(base_done) struct base base = { 0 };
		size_t len = (size_t)(strchrnul(path, '/') - path);
		const struct oid above = entry.oid;
		int found = 0;

		if (is_folder(entry.mode)) {
			found = base_load(repo, &above, &base, err);
			found = found < 0 ? found
					  : entry_in(base.iter, path, len, &entry, err);
		}
		if (found <= 0) {
			return found;
		}
		path += len + (path[len] == '/');
	}
	*ret_mode = entry.mode;
	*ret_oid = entry.oid;
	return 1;
}

static int
store(struct repo *repo, struct pack *pack, const struct base *base,
	const struct buf *raw, struct oid *ret_tree, struct err *err)
{
	bool changed = !oid_is_zero(&base->oid);
	int added;

	if (changed && raw->len == base->raw.len &&
		memcmp(raw->data, base->raw.data, raw->len) == 0) {
		*ret_tree = base->oid;
		return 0;
	}
	added = pack_add(pack, OBJECT_TREE, raw->data, raw->len, ret_tree, err);
	if (added >= 0 && changed) {
		recent_put(repo_recent(repo), ret_tree, raw->data, raw->len);
	}
	return MIN_OF(added, 0);
}

static int
apply(struct repo *repo, struct pack *pack, const struct base *base,
	const struct tree_edit *edits, size_t nedits, struct oid *ret_tree,
	size_t *ret_entries, struct err *err)
{
	AUTO(buf_done) struct buf out = { .max = TREE_RAW_MAX };
	AUTO_FREE const struct tree_edit **named =
		xcalloc(nedits + 1, sizeof(struct tree_edit *));
	AUTO_FREE const struct tree_edit **ordered =
		xcalloc(nedits + 1, sizeof(struct tree_edit *));

	if (sort_edits(edits, nedits, named, ordered, err) < 0 ||
		buf_reserve(&out, MIN_OF(base->raw.len + nedits * ENTRY_LEN, out.max),
			err) < 0 ||
		merge(base->iter, named, ordered, nedits, &out, ret_entries, err) < 0) {
		return err->code;
	}
	if (*ret_entries == 0) {
		memset(ret_tree, 0, sizeof(*ret_tree));
		return 0;
	}
	return store(repo, pack, base, &out, ret_tree, err);
}

int
tree_apply(struct repo *repo, struct pack *pack, const struct oid *base,
	const struct tree_edit *edits, size_t nedits, struct oid *ret_tree,
	size_t *ret_entries, struct err *err)
{
	AUTO(base_done) struct base old;

	if (base_load(repo, base, &old, err) < 0 ||
		apply(repo, pack, &old, edits, nedits, ret_tree, ret_entries, err) < 0) {
		return err_wrap(err, "change a tree");
	}
	return 0;
}

// ---- writing a whole tree

// Sorted so that a path stands directly before what is below it: '/' before all else.
static int
by_path(const void *left, const void *right)
{
	const unsigned char *a =
		(const unsigned char *)(*(const struct tree_change *const *)left)->path;
	const unsigned char *b =
		(const unsigned char *)(*(const struct tree_change *const *)right)->path;

	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (*a == '\0'                 ? 0
			       : *a == '/' ? 1
					   : *a + 2) -
		(*b == '\0'                 ? 0
				: *b == '/' ? 1
					    : *b + 2);
}

struct update {
	struct repo *repo;
	struct pack *pack;
};

// The folder @oid (NULL: none yet) with those of @changes that are in it; their paths
// count from @skip.
struct level {
	const struct oid *oid;
	struct base base;
	struct tree_iter at;
	const struct tree_change *const *changes;
	size_t count;
	size_t skip;
	int depth;
};

static int update_level(struct update *update, struct level *level, struct oid *ret_tree,
	struct err *err);

// What stands at @name, if it is a folder.  Names are asked for in nearly the order they
// stand in: the search begins at @at, where the last one ended, and goes round once.
static int
folder_in(const struct base *base, struct tree_iter *at, const char *name,
	struct oid *ret, struct err *err)
{
	const char *start = at->at;
	struct tree_entry entry;

	for (bool around = false; !around || at->at < start;) {
		int got = tree_next(at, &entry, err);

		if (got < 0 || (got == 0 && around)) {
			return got;
		}
		if (got == 0) {
			around = true;
			*at = base->iter;
		} else if (strcmp(entry.name, name) == 0) {
			*ret = entry.oid;
			return is_folder(entry.mode);
		}
	}
	return 0;
}

// Everything with one first component: the change of that name itself, if there is one,
// comes first.
static int
update_group(struct update *update, struct level *level, size_t from, size_t to,
	struct tree_edit *edit, struct err *err)
{
	const struct tree_change *first = level->changes[from];
	size_t name_len = strlen(edit->name);
	bool own = first->path[level->skip + name_len] == '\0';
	struct oid below = { { 0 } };
	struct level down = {
		.changes = level->changes + from + own,
		.count = to - from - own,
		.skip = level->skip + name_len + 1,
		.depth = level->depth + 1,
	};

	if (own && (first->mode != TREE_GONE || down.count == 0)) {
		// A file in a folder's place: everything below goes with the folder.
		for (size_t i = 0; i < down.count; i++) {
			if (down.changes[i]->mode != TREE_GONE) {
				return err_raise(err, ERR_BUG,
					"a path is a file and a folder at once");
			}
		}
		edit->mode = first->mode;
		edit->oid = first->oid;
		return 0;
	}
	// A folder in a file's place begins empty.
	if (!own) {
		int found = folder_in(&level->base, &level->at, edit->name, &below, err);

		if (found < 0) {
			return found;
		}
		down.oid = found > 0 ? &below : NULL;
	}
	if (update_level(update, &down, &edit->oid, err) < 0) {
		return err->code;
	}
	edit->mode = oid_is_zero(&edit->oid) ? TREE_GONE : TREE_FOLDER;
	return 0;
}

static int
update_level(
	struct update *update, struct level *level, struct oid *ret_tree, struct err *err)
{
	struct tree_edit *edits = xcalloc(level->count + 1, sizeof(*edits));
	size_t nedits = 0;
	size_t entries = 0;
	int result = level->depth > TREE_DEPTH_MAX
		? err_raise(err, ERR_TOO_BIG, "more than %d folders deep", TREE_DEPTH_MAX)
		: base_load(update->repo, level->oid, &level->base, err);

	level->at = level->base.iter;

	for (size_t from = 0, to = 0; from < level->count && result == 0; from = to) {
		const char *path = level->changes[from]->path + level->skip;
		size_t len = (size_t)(strchrnul(path, '/') - path);

		for (to = from + 1; to < level->count; to++) {
			const char *other = level->changes[to]->path + level->skip;

			if (strncmp(path, other, len) != 0 ||
				(other[len] != '/' && other[len] != '\0')) {
				break;
			}
		}
		edits[nedits].name = xmemdup0(path, len);
		nedits++;
		result = update_group(update, level, from, to, &edits[nedits - 1], err);
	}
	if (result == 0) {
		result = apply(update->repo, update->pack, &level->base, edits, nedits,
			ret_tree, &entries, err);
	}
	base_done(&level->base);
	for (size_t i = 0; i < nedits; i++) {
		free((char *)(uintptr_t)edits[i].name);
	}
	free(edits);
	return result;
}

int
tree_update(struct repo *repo, struct pack *pack, const struct oid *base,
	const struct tree_change *changes, size_t nchanges, struct oid *ret_tree,
	struct err *err)
{
	AUTO_FREE const struct tree_change **sorted =
		xcalloc(nchanges + 1, sizeof(struct tree_change *));
	struct update update = { repo, pack };
	struct level top = { .oid = base, .changes = sorted, .count = nchanges };

	for (size_t i = 0; i < nchanges; i++) {
		sorted[i] = &changes[i];
	}
	qsort(sorted, nchanges, sizeof(struct tree_change *), by_path);
	for (size_t i = 1; i < nchanges; i++) {
		if (strcmp(sorted[i - 1]->path, sorted[i]->path) == 0) {
			return err_raise(err, ERR_BUG, "two changes of one path");
		}
	}
	return update_level(&update, &top, ret_tree, err) < 0
		? err_wrap(err, "change a tree")
		: 0;
}
