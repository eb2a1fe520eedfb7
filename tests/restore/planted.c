// SPDX-License-Identifier: GPL-2.0-or-later

#include "planted.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/commit.h"
#include "brain/pack.h"
#include "brain/plain.h"
#include "brain/repo.h"
#include "brain/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHANGES_MAX = 4000,
	TEXT_MAX = 1 << 20,
	SOME_TIME = 1700000000,
};

struct repo *
planted_repo(const struct scratch *scratch)
{
	struct repo_options options = { .path = scratch_path(scratch, "brain"),
		.branch = "host/x" };
	struct repo *repo = NULL;
	struct err err;

	ok(repo_open(&options, true, &repo, &err));
	return repo;
}

struct planting {
	struct repo *repo;
	struct pack *pack;
	const struct plant *plants;
	size_t count;
	struct tree_change changes[CHANGES_MAX];
	size_t nchanges;
	char *folders[CHANGES_MAX];
	size_t nfolders;
};

static void
change(struct planting *planting, const char *path, uint32_t mode, const void *data,
	size_t len)
{
	struct tree_change *made = &planting->changes[planting->nchanges++];
	struct err err;

	assert_true(planting->nchanges < CHANGES_MAX);
	*made = (struct tree_change){ .path = xstrdup(path), .mode = mode };
	ok(pack_add(planting->pack, OBJECT_BLOB, data, len, &made->oid, &err));
}

static void
know_folder(struct planting *planting, const char *path)
{
	for (size_t i = 0; i < planting->nfolders; i++) {
		if (strcmp(planting->folders[i], path) == 0) {
			return;
		}
	}
	assert_true(planting->nfolders < CHANGES_MAX);
	planting->folders[planting->nfolders++] = xstrdup(path);
}

static void
know_folders_above(struct planting *planting, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		AUTO_FREE char *above = xmemdup0(path, (size_t)(slash - path));

		know_folder(planting, above);
	}
}

// Is @path right below @folder?
static bool
is_child(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/' &&
		strchr(path + len + 1, '/') == NULL;
}

static void
plant_text(struct planting *planting, const char *path)
{
	struct sidecar_folder folder = {
		.path = path, .mode = 0755, .mtime_s = SOME_TIME, .mtime_ns = 7
	};
	struct sidecar_entry entries[CHANGES_MAX / 4] = { 0 };
	char places[CHANGES_MAX / 4][SIDECAR_PATH_MAX];
	AUTO(buf_done) struct buf text = { .max = TEXT_MAX };
	char place[SIDECAR_PATH_MAX];
	struct err err;

	folder.entries = entries;
	for (size_t i = 0; i < planting->count; i++) {
		const struct plant *plant = &planting->plants[i];
		struct sidecar_entry *entry = &entries[folder.nentries];

		if (strcmp(plant->path, path) == 0) {
			folder.mode = plant->mode != 0 ? plant->mode : 0755;
			folder.mtime_s = plant->mtime_s != 0 ? plant->mtime_s : SOME_TIME;
			folder.mtime_ns = plant->mtime_ns;
		}
		if (plant->text == NULL || plant->no_text ||
			!is_child(plant->path, path)) {
			continue;
		}
		*entry = (struct sidecar_entry){
			.kind = plant->is_link ? SIDECAR_LINK : SIDECAR_FILE,
			.name = path_base(plant->path),
			.mode = plant->is_link     ? 0777
				: plant->mode != 0 ? plant->mode
						   : 0644,
			.mtime_s = plant->mtime_s != 0 ? plant->mtime_s : SOME_TIME,
			.mtime_ns = plant->mtime_ns,
			.size = strlen(plant->text),
			.same = plant->same,
			.redacted = plant->redacted,
		};
		if (!plain_path(plant->path, plant->is_link ? PLAIN_LINK : PLAIN_FILE)) {
			sidecar_file_path(plant->path, places[folder.nentries]);
			entry->at = places[folder.nentries];
		}
		folder.nentries++;
	}
	for (size_t i = 0; i < planting->nfolders; i++) {
		if (is_child(planting->folders[i], path)) {
			entries[folder.nentries++] = (struct sidecar_entry){
				.kind = SIDECAR_FOLDER,
				.name = path_base(planting->folders[i]),
			};
		}
	}
	ok(sidecar_write(&folder, &text, &err));
	sidecar_folder_path(path, place);
	change(planting, place, TREE_FILE, buf_text(&text), text.len);
}

static void
plant_blobs(struct planting *planting)
{
	for (size_t i = 0; i < planting->count; i++) {
		const struct plant *plant = &planting->plants[i];
		char place[SIDECAR_PATH_MAX];

		know_folders_above(planting, plant->path);
		if (plant->text == NULL) {
			know_folder(planting, plant->path);
			continue;
		}
		if (plant->no_blob) {
			continue;
		}
		if (plain_path(plant->path, plant->is_link ? PLAIN_LINK : PLAIN_FILE)) {
			change(planting, plant->path,
				plant->is_link                 ? TREE_LINK
					: (plant->mode & 0100) ? TREE_PROGRAM
							       : TREE_FILE,
				plant->text, strlen(plant->text));
		} else {
			sidecar_file_path(plant->path, place);
			change(planting, place, TREE_FILE, plant->text,
				strlen(plant->text));
		}
	}
}

static struct oid
plant(struct repo *repo, const struct oid *parent, const struct plant *plants,
	size_t count, int64_t time, bool with_texts)
{
	struct planting *planting = xcalloc(1, sizeof(*planting));
	struct commit commit = { .name = "x",
		.email = "x@x",
		.time = time != 0 ? time : SOME_TIME,
		.message = "planted" };
	struct pack_stats stats;
	struct oid made;
	struct err err;

	planting->repo = repo;
	planting->plants = plants;
	planting->count = count;
	if (parent != NULL) {
		commit.parent = *parent;
	}
	ok(pack_begin(repo, &planting->pack, &err));
	plant_blobs(planting);
	for (size_t i = 0; i < planting->nfolders && with_texts; i++) {
		plant_text(planting, planting->folders[i]);
	}
	ok(tree_update(repo, planting->pack, NULL, planting->changes, planting->nchanges,
		&commit.tree, &err));
	ok(commit_write(planting->pack, &commit, &made, &err));
	ok(pack_finish(planting->pack, &stats, &err));
	ok(repo_refresh(repo, &err));
	ok(repo_move_ref(repo, parent, &made, "planted", &err));
	for (size_t i = 0; i < planting->nchanges; i++) {
		free((void *)(uintptr_t)planting->changes[i].path);
	}
	for (size_t i = 0; i < planting->nfolders; i++) {
		free(planting->folders[i]);
	}
	free(planting);
	return made;
}

struct oid
planted_commit(struct repo *repo, const struct oid *parent, const struct plant *plants,
	size_t count, int64_t time)
{
	return plant(repo, parent, plants, count, time, true);
}

struct oid
planted_bare_commit(struct repo *repo, const struct oid *parent,
	const struct plant *plants, size_t count, int64_t time)
{
	return plant(repo, parent, plants, count, time, false);
}

char *
planted_look(const struct scratch *scratch, const char *name)
{
	size_t len;

	assert_int_equal(scratch_sh(scratch,
				 "find %s -printf '%%P %%y %%#m %%T@ %%l ' \\( -type f "
				 "-exec cksum {} "
				 "\\; -o -printf '\\n' \\) | sort > look.txt",
				 name),
		0);
	return scratch_read(scratch, "look.txt", &len);
}
