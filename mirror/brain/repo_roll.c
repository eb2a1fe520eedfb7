// SPDX-License-Identifier: GPL-2.0-or-later

// Which milestones were there the last time?  `<git dir>/mirror/roll` says so:
//
//     table <inode> <size>             packed-refs, as it was; 0 0: there was none
//     <40 hex of the tag> <name>       a line each
//
// Git writes its table of refs to another file and renames that: one that has the same
// inode and fewer bytes was cut, one that is gone was lost, and what stood in it was not
// taken away by anybody.  A milestone that is gone from a sound repository was: it does
// not come back.

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"
#include "brain/mend.h"
#include "brain/repo.h"
#include "brain/repo_room.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	ROLL_MAX = 16 << 20,
};

struct milestone {
	struct oid id;
	char *name;
};

struct roll {
	/** There is one. */
	bool known;
	uint64_t inode;
	int64_t size;
	/** Sorted by name. */
	struct milestone *items;
	size_t count;
	size_t capacity;
};

static void
roll_done(struct roll *roll)
{
	for (size_t i = 0; i < roll->count; i++) {
		free(roll->items[i].name);
	}
	free(roll->items);
}

static void
roll_add(struct roll *roll, const struct oid *id, const char *name)
{
	roll->items =
		xgrow(roll->items, roll->count, &roll->capacity, sizeof(roll->items[0]));
	roll->items[roll->count++] = (struct milestone){ *id, xstrdup(name) };
}

static int
by_name(const void *left, const void *right)
{
	return strcmp(((const struct milestone *)left)->name,
		((const struct milestone *)right)->name);
}

static const struct milestone *
roll_find(const struct roll *roll, const char *name)
{
	const struct milestone key = { .name = (char *)(uintptr_t)name };

	return roll->count == 0 ? NULL
				: bsearch(&key, roll->items, roll->count,
					  sizeof(roll->items[0]), by_name);
}

static void
roll_sort(struct roll *roll)
{
	if (roll->count > 1) {
		qsort(roll->items, roll->count, sizeof(roll->items[0]), by_name);
	}
}

// ---- what is there

static void
look_at_table(const struct repo *repo, struct roll *roll)
{
	AUTO_FREE char *path = path_join(repo->git_dir, "packed-refs");
	struct stat info;

	if (stat(path, &info) == 0) {
		roll->inode = info.st_ino;
		roll->size = info.st_size;
	}
}

static int
take_milestone(const char *name, const struct oid *tag, void *payload)
{
	roll_add(payload, tag, name);
	return 0;
}

static int
look_at_milestones(struct repo *repo, struct roll *roll, struct err *err)
{
	look_at_table(repo, roll);
	if (repo_each_milestone(repo, take_milestone, roll, err) < 0) {
		return err->code;
	}
	roll_sort(roll);
	return 0;
}

// ---- what was there

static char *
roll_path(const struct repo *repo)
{
	return path_join(repo->git_dir, "mirror/roll");
}

static void
read_line(struct roll *roll, const char *line)
{
	char hex[OID_HEX_MAX];
	struct oid id;

	if (sscanf(line, "table %" SCNu64 " %" SCNd64, &roll->inode, &roll->size) == 2) {
		roll->known = true;
		return;
	}
	if (strlen(line) <= OID_HEX_MAX || line[OID_HEX_MAX - 1] != ' ') {
		return;
	}
	memcpy(hex, line, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	if (oid_parse(hex, &id)) {
		roll_add(roll, &id, line + OID_HEX_MAX);
	}
}

// One that cannot be read says nothing: it is written anew.
static void
roll_read(const struct repo *repo, struct roll *roll)
{
	AUTO_FREE char *path = roll_path(repo);
	AUTO(buf_done) struct buf text = { .max = ROLL_MAX };
	struct err ignored;

	if (file_read(AT_FDCWD, path, &text, &ignored) < 0 || text.len == 0 ||
		text.data[text.len - 1] != '\n') {
		return;
	}
	for (char *rest = text.data, *line; (line = strsep(&rest, "\n")) != NULL;) {
		read_line(roll, line);
	}
	roll_sort(roll);
}

static bool
is_same(const struct roll *left, const struct roll *right)
{
	bool same = left->known && left->inode == right->inode &&
		left->size == right->size && left->count == right->count;

	for (size_t i = 0; same && i < left->count; i++) {
		same = oid_equal(&left->items[i].id, &right->items[i].id) &&
			strcmp(left->items[i].name, right->items[i].name) == 0;
	}
	return same;
}

static int
roll_write(const struct repo *repo, const struct roll *roll, struct err *err)
{
	AUTO_FREE char *path = roll_path(repo);
	AUTO(buf_done) struct buf text = { .max = ROLL_MAX };
	char hex[OID_HEX_MAX];

	if (buf_add_fmt(&text, err, "table %" PRIu64 " %" PRId64 "\n", roll->inode,
		    roll->size) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < roll->count; i++) {
		if (buf_add_fmt(&text, err, "%s %s\n", oid_hex(&roll->items[i].id, hex),
			    roll->items[i].name) < 0) {
			return err->code;
		}
	}
	return file_replace_at(path, buf_text(&text), text.len, 0600, err);
}

// ---- lost, or taken away?

static bool
was_cut(const struct roll *then, const struct roll *now)
{
	return then->known && then->size > 0 &&
		(now->inode == 0 ||
			(now->inode == then->inode && now->size < then->size));
}

static int
bring_back(struct repo *repo, struct mend *mend, const struct milestone *lost,
	struct err *err)
{
	AUTO_FREE char *ref = xasprintf("refs/tags/%s", lost->name);
	git_oid id = repo_to_git(&lost->id);
	git_reference *made = NULL;
	int code;

	if (!repo_has(repo, &lost->id)) {
		(void)!mend_tell(mend, ref, "was lost", "and so is its object");
		return 0;
	}
	if (!mend_tell(mend, ref, "was lost", "it is found again by its object")) {
		return 0;
	}
	// Not forced: one that is there stays what it is.
	code = git_reference_create(&made, repo->git, ref, &id, 0, "mirror: found again");
	git_reference_free(made);
	if (code < 0 && code != GIT_EEXISTS) {
		return repo_fail(err, code, "bring back %s", ref);
	}
	git_error_clear();
	return 0;
}

int
repo_mend_tags(struct repo *repo, struct mend *mend, struct err *err)
{
	AUTO(roll_done) struct roll then = { 0 };
	AUTO(roll_done) struct roll now = { 0 };
	bool cut;

	// What a purge has yet to throw away must not come back; and what was found
	// broken by looking alone may be what cannot be listed now.
	if (home_is_unpruned(repo->git_dir) || (mend->look_only && mend->lost_tags)) {
		return 0;
	}
	roll_read(repo, &then);
	if (!then.known) {
		return mend->lost_tags && !mend->look_only
			? repo_find_tags(repo, mend, err)
			: 0;
	}
	look_at_table(repo, &now);
	cut = was_cut(&then, &now);
	if (!mend->lost_tags && !cut) {
		return 0;
	}
	if (cut) {
		AUTO_FREE char *table = path_join(repo->git_dir, "packed-refs");

		// Other people's refs that stood in it are theirs to find again.
		(void)!mend_tell(mend, table, now.size > 0 ? "was cut" : "is gone",
			"milestones that stood in it are found again");
	}
	if (look_at_milestones(repo, &now, err) < 0) {
		return err_wrap(err, "look for lost milestones");
	}
	for (size_t i = 0; i < then.count; i++) {
		if (roll_find(&now, then.items[i].name) == NULL &&
			bring_back(repo, mend, &then.items[i], err) < 0) {
			return err->code;
		}
	}
	return mend->look_only ? 0 : repo_keep_tags(repo, NULL, NULL, err);
}

int
repo_keep_tags(struct repo *repo, repo_tag_fn *gone, void *payload, struct err *err)
{
	AUTO(roll_done) struct roll then = { 0 };
	AUTO(roll_done) struct roll now = { 0 };

	roll_read(repo, &then);
	if (look_at_milestones(repo, &now, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; gone != NULL && i < then.count; i++) {
		const struct milestone *item = &then.items[i];

		if (roll_find(&now, item->name) == NULL &&
			gone(item->name, &item->id, payload) != 0) {
			break;
		}
	}
	return is_same(&then, &now) ? 0 : roll_write(repo, &now, err);
}
