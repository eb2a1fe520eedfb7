// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/gist.h"

#include "base/mem.h"
#include "base/path.h"
#include "cli/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void
gist_done(struct gist *gist)
{
	for (size_t i = 0; i < MIN_OF(gist->npaths, (size_t)GIST_PATHS); i++) {
		free(gist->paths[i].path);
	}
	for (size_t i = 0; i < gist->nfolders; i++) {
		free(gist->folders[i].name);
	}
	free(gist->paths);
	free(gist->folders);
}

// The watched folder, and the one in it: with its slash.
static size_t
folder_len(const char *path)
{
	const char *first = strchr(path, '/');
	const char *second = first != NULL ? strchr(first + 1, '/') : NULL;
	const char *end = second != NULL ? second : first;

	return end != NULL ? (size_t)(end + 1 - path) : 0;
}

static bool
is_named(const struct gist *gist, size_t at, const char *path, size_t len)
{
	return at < gist->nfolders && strlen(gist->folders[at].name) == len &&
		memcmp(gist->folders[at].name, path, len) == 0;
}

// Trees are in order, so what is in a folder comes together: but files of the watched
// folder itself come between its folders.
static struct gist_folder *
find_folder(struct gist *gist, const char *path)
{
	size_t len = folder_len(path);
	bool top = strchr(path, '/') == path + len - 1;
	size_t at = top ? gist->top : gist->nfolders - 1;

	if (gist->nfolders == 0 || !is_named(gist, at, path, len)) {
		at = gist->nfolders;
		gist->folders = xgrow(gist->folders, gist->nfolders, &gist->folders_size,
			sizeof(gist->folders[0]));
		gist->folders[gist->nfolders++] = (struct gist_folder){
			.name = xmemdup0(path, len),
		};
		gist->top = top ? at : gist->top;
	}
	return &gist->folders[at];
}

void
gist_add(
	struct gist *gist, const char *path, const struct oid *old, const struct oid *new)
{
	if (gist->paths == NULL) {
		gist->paths = xcalloc(GIST_PATHS, sizeof(gist->paths[0]));
	}
	if (gist->npaths < GIST_PATHS) {
		gist->paths[gist->npaths] = (struct gist_path){
			.path = xstrdup(path), .old = *old, .new = *new
		};
	}
	gist->npaths++;
	view_change_add(&find_folder(gist, path)->count, old, new);
}

void
gist_line(struct output *out, const char *path, const struct oid *old,
	const struct oid *new)
{
	AUTO_FREE char *shown = path_short(path);
	// Words of one width.
	AUTO_FREE char *word = xasprintf("%-8s", view_change_word(old, new));

	output_word(out,
		oid_is_zero(old)           ? OUTPUT_GOOD
			: oid_is_zero(new) ? OUTPUT_BAD
					   : OUTPUT_WARN,
		word);
	output_line(out, "  %s", shown);
}

static void
print_folder(struct output *out, const struct view_change_count *count, const char *name)
{
	output_line(out,
		"%7" PRIu64 " added %7" PRIu64 " changed %7" PRIu64 " removed  %s",
		count->added, count->changed, count->removed, name);
}

static void
print_folders(const struct gist *gist, struct output *out)
{
	struct view_change_count rest = { 0 };

	for (size_t i = 0; i < gist->nfolders; i++) {
		const struct gist_folder *folder = &gist->folders[i];

		if (i < GIST_FOLDERS) {
			AUTO_FREE char *shown = path_short(folder->name);

			print_folder(out, &folder->count, shown);
			continue;
		}
		rest.added += folder->count.added;
		rest.changed += folder->count.changed;
		rest.removed += folder->count.removed;
	}
	if (gist->nfolders > GIST_FOLDERS) {
		AUTO_FREE char *text =
			xasprintf("(%zu folders more)", gist->nfolders - GIST_FOLDERS);

		print_folder(out, &rest, text);
	}
}

void
gist_print(const struct gist *gist, struct output *out)
{
	if (gist->npaths > GIST_PATHS) {
		print_folders(gist, out);
		output_note(out,
			"%zu paths, counted by folder; each of them: the same with --all",
			gist->npaths);
		return;
	}
	for (size_t i = 0; i < gist->npaths; i++) {
		gist_line(out, gist->paths[i].path, &gist->paths[i].old,
			&gist->paths[i].new);
	}
}
