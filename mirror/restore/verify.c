// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Each part stands alone: one that cannot be carried out says why and leaves the others
 * theirs.  What others change meanwhile is read first.  Every object is read once,
 * whoever leads to it:
 *
 *     commit -> tree -> trees and blobs, newest commit first
 *
 * The ledger is compared by counting: each row that claims an object must be at its place
 * in the tree with that object, and there must be no more places than rows.
 */

#include "restore/verify.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "ledger/attributes.h"
#include "ledger/ledger.h"
#include "restore/listing.h"
#include "restore/oids.h"
#include "restore/place.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OBJECT_MAX = 0x7fffffff,
	PROGRESS_EVERY = 256,
	FSCK_OUT_MAX = 4 << 20,
	KEPT_MAX = 64,
};

/** A folder's tree, read up to the last row that was looked up. */
struct kept {
	char *folder;
	bool is_there;
	struct buf raw;
	struct tree_iter iter;
};

struct verify {
	const struct verify_options *options;
	struct verify_result *result;
	struct err *err;
	int64_t end_ms;
	uint64_t steps;
	uint64_t told[VERIFY_NPARTS_];
	struct oid tree;
	struct listing *listing;
	struct oids seen;
	/** Trees that rows were just looked up in, one for each depth. */
	struct kept kept[KEPT_MAX];
	/** Places in the tree that rows account for. */
	uint64_t in_tree;
	uint64_t in_files;
};

const char *
verify_part_word(enum verify_part part)
{
	static const char *const words[] = {
		[VERIFY_OBJECTS] = "objects",
		[VERIFY_FSCK] = "fsck",
		[VERIFY_SIDECAR] = "sidecar",
		[VERIFY_LEDGER] = "ledger",
		[VERIFY_DISK] = "disk",
	};

	assert((unsigned int)part < VERIFY_NPARTS_);
	return words[part];
}

// ---- telling

static void
bad(struct verify *verify, enum verify_part part, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void
bad(struct verify *verify, enum verify_part part, const char *fmt, ...)
{
	struct verify_tally *tally = &verify->result->part[part];
	AUTO_FREE char *text = NULL;
	char raw[VERIFY_WHY_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	text = path_printable(raw);
	tally->bad++;
	verify->result->bad++;
	if (tally->why[0] == '\0') {
		(void)snprintf(tally->why, sizeof(tally->why), "%s", text);
	}
	if (verify->options->told != NULL && verify->told[part]++ < VERIFY_TOLD_MAX) {
		verify->options->told(part, text, verify->options->payload);
	}
}

// This part was not carried out.
static void
not_done(struct verify *verify, enum verify_part part, const char *why)
{
	AUTO_FREE char *text = path_printable(why);
	struct verify_tally *tally = &verify->result->part[part];

	if (tally->why[0] == '\0') {
		(void)snprintf(tally->why, sizeof(tally->why), "%s", text);
	}
}

// Between two steps; negative ends everything.
static int
step(struct verify *verify, enum verify_part part)
{
	const struct verify_options *options = verify->options;
	uint64_t done = ++verify->result->part[part].checked;

	if (verify->steps++ % PROGRESS_EVERY != 0) {
		return 0;
	}
	if (clock_mono_ms() >= verify->end_ms) {
		return err_raise(verify->err, ERR_TIMEOUT, "verify took too long");
	}
	if (options->progress != NULL &&
		options->progress(verify_part_word(part), done, 0, options->payload) !=
			0) {
		return err_raise(verify->err, ERR_CANCELLED, "cancelled");
	}
	return 0;
}

// ---- objects

// Read it; libgit2 hashes what it read.  1 when it was not seen before and is good.
static int
read_object(struct verify *verify, const struct oid *oid, enum object_kind kind,
	struct buf *bytes, const char *path)
{
	struct err why;
	char hex[OID_HEX_MAX];

	if (!oids_add(&verify->seen, oid, 0)) {
		return 0;
	}
	buf_clear(bytes);
	if (step(verify, VERIFY_OBJECTS) < 0) {
		return verify->err->code;
	}
	if (repo_read(verify->options->repo, oid, kind, bytes, &why) < 0) {
		if (why.code == ERR_NO_MEMORY) {
			*verify->err = why;
			return why.code;
		}
		bad(verify, VERIFY_OBJECTS, "%s %s (%s): %s", object_kind_name(kind),
			oid_hex(oid, hex), path, why.msg);
		return 0;
	}
	return 1;
}

/** Trees still to be read; their number is bounded by that of the objects. */
struct todo {
	struct oid *trees;
	char **paths;
	size_t count;
	size_t trees_capacity;
	size_t paths_capacity;
};

static void
todo_push(struct todo *todo, const struct oid *tree, char *path)
{
	todo->trees = xgrow(
		todo->trees, todo->count, &todo->trees_capacity, sizeof(todo->trees[0]));
	todo->paths = xgrow(
		todo->paths, todo->count, &todo->paths_capacity, sizeof(todo->paths[0]));
	todo->trees[todo->count] = *tree;
	todo->paths[todo->count++] = path;
}

static void
todo_done(struct todo *todo)
{
	for (size_t i = 0; i < todo->count; i++) {
		free(todo->paths[i]);
	}
	free(todo->trees);
	free(todo->paths);
}

static int
see_tree(struct verify *verify, const struct oid *tree, const char *path,
	struct todo *todo, struct buf *bytes)
{
	AUTO(buf_done) struct buf raw = { .max = TREE_RAW_MAX };
	struct tree_entry entry;
	struct tree_iter iter;
	struct err why;
	int got = read_object(verify, tree, OBJECT_TREE, &raw, path);

	if (got <= 0) {
		return got;
	}
	iter = (struct tree_iter){ buf_text(&raw), buf_text(&raw) + raw.len };
	while ((got = tree_next(&iter, &entry, &why)) > 0) {
		AUTO_FREE char *below = path_join(path, entry.name);

		if (entry.mode == TREE_FOLDER) {
			todo_push(todo, &entry.oid, STEAL(below));
		} else if (entry.mode != TREE_COMMIT &&
			read_object(verify, &entry.oid, OBJECT_BLOB, bytes, below) < 0) {
			return verify->err->code;
		}
	}
	if (got < 0) {
		bad(verify, VERIFY_OBJECTS, "tree of %s: %s", path, why.msg);
	}
	return 0;
}

static int
see_commit(const struct repo_commit *commit, void *payload)
{
	struct verify *verify = payload;
	AUTO(todo_done) struct todo todo = { 0 };
	AUTO(buf_done) struct buf bytes = { .max = OBJECT_MAX };

	if (read_object(verify, &commit->id, OBJECT_COMMIT, &bytes, "commit") < 0) {
		return verify->err->code;
	}
	todo_push(&todo, &commit->tree, xstrdup(""));
	while (todo.count > 0) {
		AUTO_FREE char *path = todo.paths[--todo.count];
		struct oid tree = todo.trees[todo.count];

		if (see_tree(verify, &tree, path, &todo, &bytes) < 0) {
			return verify->err->code;
		}
	}
	return 0;
}

static int
check_objects(struct verify *verify)
{
	struct err why = { 0 };
	int result = repo_log(verify->options->repo, &verify->options->commit, see_commit,
		verify, &why);

	// Our own reason to stop, or a commit that cannot be read.
	if (verify->err->code != 0) {
		return verify->err->code;
	}
	if (result < 0) {
		bad(verify, VERIFY_OBJECTS, "the history: %s", why.msg);
	}
	verify->result->part[VERIFY_OBJECTS].done = true;
	return 0;
}

// ---- git's own opinion

static int
watch_fsck(const char *line, size_t len, bool is_stderr, void *payload)
{
	struct verify *verify = payload;
	const struct verify_options *options = verify->options;

	(void)len;
	(void)is_stderr;
	if (line != NULL || options->progress == NULL) {
		return 0;
	}
	return options->progress(verify_part_word(VERIFY_FSCK), 0, 0, options->payload);
}

static void
judge_fsck(struct verify *verify, const struct spawn_result *result)
{
	AUTO_FREE char *said =
		xasprintf("%s\n%s", buf_text(&result->out), buf_text(&result->errors));
	char *rest = said;

	verify->result->part[VERIFY_FSCK].done = true;
	verify->result->part[VERIFY_FSCK].checked = 1;
	if (result->status == 0) {
		return;
	}
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] != '\0' && strstr(line, "Checking") == NULL) {
			bad(verify, VERIFY_FSCK, "git fsck: %s", line);
		}
	}
	if (verify->result->part[VERIFY_FSCK].bad == 0) {
		bad(verify, VERIFY_FSCK, "git fsck left with %d", result->status);
	}
}

static int
check_fsck(struct verify *verify)
{
	AUTO_FREE char *git_dir =
		xasprintf("--git-dir=%s", repo_git_dir(verify->options->repo));
	const char *const argv[] = { "git", "-c", "safe.directory=*", git_dir, "fsck",
		"--strict", "--full", "--no-dangling", "--no-progress", NULL };
	static const char *const env[] = { "LC_ALL=C", "LANGUAGE=C", "GIT_DIR",
		"GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
		"GIT_OPTIONAL_LOCKS=0", NULL };
	struct spawn plan = {
		.argv = argv,
		.env = env,
		.deadline_ms = MAX_OF(verify->end_ms - clock_mono_ms(), (int64_t)1),
		.gentle = true,
		.on_line = watch_fsck,
		.payload = verify,
	};
	struct spawn_result result = SPAWN_RESULT(FSCK_OUT_MAX);
	struct err why;
	int code = spawn_run(&plan, &result, &why);

	if (code == 0) {
		judge_fsck(verify, &result);
	} else if (code == ERR_NOT_FOUND) {
		not_done(verify, VERIFY_FSCK, "there is no git here to ask");
		code = 0;
	} else if (code == ERR_TOO_BIG) {
		bad(verify, VERIFY_FSCK, "git fsck has more to say than can be kept");
		code = 0;
	} else {
		not_done(verify, VERIFY_FSCK, why.msg);
		*verify->err = why;
	}
	spawn_result_done(&result);
	return code;
}

// ---- the sidecar

// What a text says is sealed must be there to be opened.
static void
see_sealed(struct verify *verify, const char *path, const char *sealed)
{
	struct oid oid;
	struct err ignored;

	if (sealed != NULL &&
		listing_sealed(verify->listing, sealed, &oid, &ignored) <= 0) {
		bad(verify, VERIFY_SIDECAR, "%s: what is sealed of it is not there",
			path);
	}
}

static int
see_folder(const struct listing_folder *folder, void *payload)
{
	struct verify *verify = payload;

	if (step(verify, VERIFY_SIDECAR) < 0) {
		return verify->err->code;
	}
	if (folder->damage[0] != '\0') {
		bad(verify, VERIFY_SIDECAR, "%s: %s", folder->path, folder->damage);
	}
	see_sealed(verify, folder->path, folder->facts.sealed);
	for (size_t i = 0; i < folder->nentries; i++) {
		const struct listing_entry *entry = &folder->entries[i];
		enum object_kind kind = OBJECT_ANY;
		size_t len = 0;
		struct err ignored;

		if (entry->facts.kind == SIDECAR_FOLDER) {
			continue;
		}
		see_sealed(verify, folder->path, entry->facts.sealed);
		if (!entry->present) {
			bad(verify, VERIFY_SIDECAR, "%s/%s is named and not there",
				folder->path, entry->facts.name);
			continue;
		}
		if (!entry->described) {
			bad(verify, VERIFY_SIDECAR, "%s/%s is in no text", folder->path,
				entry->facts.name);
			continue;
		}
		// Nothing was taken out of it, so the sizes are one.
		if (entry->facts.redacted == 0 && entry->facts.sealed == NULL &&
			repo_stat(verify->options->repo, &entry->oid, &kind, &len,
				&ignored) == 0 &&
			len != entry->facts.size) {
			bad(verify, VERIFY_SIDECAR,
				"%s/%s has %zu bytes, its text says %llu", folder->path,
				entry->facts.name, len,
				(unsigned long long)entry->facts.size);
		}
	}
	return 0;
}

static int
check_sidecar(struct verify *verify, struct listing *listing)
{
	struct verify_tally *tally = &verify->result->part[VERIFY_SIDECAR];
	struct err why = { 0 };

	if (!listing_has_sidecar(listing)) {
		not_done(verify, VERIFY_SIDECAR, "this repository has none");
		return 0;
	}
	verify->listing = listing;
	if (listing_walk(listing, "", see_folder, verify, &why) < 0) {
		if (verify->err->code != 0) {
			return verify->err->code;
		}
		bad(verify, VERIFY_SIDECAR, "%s", why.msg);
	}
	// A text that no folder leads to: stale, or its parent is damaged.
	if (tally->checked != listing_ntexts(listing)) {
		bad(verify, VERIFY_SIDECAR, "%zu texts for %llu folders",
			listing_ntexts(listing), (unsigned long long)tally->checked);
	}
	tally->done = true;
	return 0;
}

// ---- ledger and disk

// The tree of @folder.  Rows come in the order of paths, so that the way back up from a
// subfolder finds its parent's tree still read.
static struct kept *
load_folder(struct verify *verify, const char *folder)
{
	size_t depth = 0;
	struct kept *kept;
	struct oid oid;
	uint32_t mode = 0;
	struct err why;

	for (const char *c = folder; *c != '\0'; c++) {
		depth += *c == '/';
	}
	kept = &verify->kept[depth % KEPT_MAX];
	if (kept->folder != NULL && strcmp(kept->folder, folder) == 0) {
		return kept;
	}
	free(kept->folder);
	kept->folder = xstrdup(folder);
	kept->raw.max = TREE_RAW_MAX;
	buf_clear(&kept->raw);
	kept->is_there = repo_tree_at(verify->options->repo, &verify->tree, folder, &mode,
				 &oid, &why) > 0 &&
		mode == TREE_FOLDER &&
		repo_read(verify->options->repo, &oid, OBJECT_TREE, &kept->raw, &why) ==
			0;
	kept->iter = (struct tree_iter){ buf_text(&kept->raw),
		buf_text(&kept->raw) + kept->raw.len };
	return kept;
}

// From where the last look ended, and once more from the start: 1, 0 it is not there.
static int
look_up(struct kept *kept, const char *name, struct tree_entry *ret_entry)
{
	struct err ignored;

	for (int round = 0; round < 2; round++) {
		while (tree_next(&kept->iter, ret_entry, &ignored) > 0) {
			if (strcmp(ret_entry->name, name) == 0) {
				return 1;
			}
		}
		kept->iter = (struct tree_iter){ buf_text(&kept->raw),
			buf_text(&kept->raw) + kept->raw.len };
	}
	return 0;
}

static bool
is_in_tree(struct verify *verify, const char *path, const struct ledger_oid *oid)
{
	const char *name = path_base(path);
	AUTO_FREE char *folder =
		xmemdup0(path, name == path ? 0 : (size_t)(name - path - 1));
	struct kept *kept = load_folder(verify, folder);
	struct tree_entry entry;

	return kept->is_there && look_up(kept, name, &entry) &&
		memcmp(entry.oid.id, oid->bytes, OID_LEN) == 0;
}

static bool
is_in_sample(const struct verify *verify, const char *path)
{
	struct oid digest;
	uint64_t number;

	if (verify->options->permille >= 1000) {
		return true;
	}
	oid_of(OBJECT_BLOB, path, strlen(path), &digest);
	memcpy(&number, digest.id, sizeof(number));
	return (number ^ verify->options->seed * UINT64_C(0x9e3779b97f4a7c15)) % 1000 <
		verify->options->permille;
}

static const struct restore_root *
root_of(const struct verify *verify, const char *path)
{
	size_t len = (size_t)(strchrnul(path, '/') - path);

	for (size_t i = 0; i < verify->options->nroots; i++) {
		const struct restore_root *root = &verify->options->roots[i];

		if (strlen(root->name) == len && strncmp(root->name, path, len) == 0) {
			return root;
		}
	}
	return NULL;
}

// Open it on disk when it is still the very file of the row.
static int
open_on_disk(const struct restore_root *root, const char *path,
	const struct ledger_row *row, int *ret_fd)
{
	const char *rel = strchrnul(path, '/');
	const char *name = path_base(path);
	AUTO_FREE char *folder = NULL;
	AUTO_CLOSE int base = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int dirfd = -1;
	AUTO_CLOSE int fd = -1;
	struct stat info;
	struct inode inode;
	struct err ignored;

	rel += *rel == '/';
	folder = xmemdup0(rel, name > rel ? (size_t)(name - rel - 1) : 0);
	if (base < 0 || place_open(base, folder, PLACE_AS_IS, &dirfd, &ignored) < 0) {
		return 0;
	}
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) < 0) {
		return 0;
	}
	inode = inode_of_stat(&info);
	if (!inode_same_content(&inode, &row->inode)) {
		return 0;
	}
	*ret_fd = STEAL_FD(fd);
	return 1;
}

// Are the file's attributes those of its row?  Whoever may not read them cannot tell.
static bool
row_has_attributes(int fd, const struct ledger_row *row)
{
	AUTO(buf_done) struct buf packed = { .max = ATTRIBUTES_MAX };
	struct err ignored;

	if (attributes_read(fd, geteuid() == 0, &packed, &ignored) < 0) {
		return true;
	}
	return packed.len == row->attributes_len &&
		(packed.len == 0 ||
			memcmp(packed.data, row->attributes, packed.len) == 0);
}

static int
check_disk(struct verify *verify, const char *path, const struct ledger_row *row)
{
	struct verify_tally *tally = &verify->result->part[VERIFY_DISK];
	const struct restore_root *root = root_of(verify, path);
	AUTO_CLOSE int fd = -1;
	struct oid have;
	uint64_t len;
	struct stat after;
	struct inode inode;
	struct err why;

	if (root == NULL || row->type != LEDGER_TYPE_FILE ||
		row->state != LEDGER_MIRRORED ||
		(row->flags & (LEDGER_ROW_RACY | LEDGER_ROW_RENAMED)) != 0 ||
		!is_in_sample(verify, path) || !open_on_disk(root, path, row, &fd)) {
		tally->skipped++;
		return 0;
	}
	if (step(verify, VERIFY_DISK) < 0) {
		return verify->err->code;
	}
	if (place_hash(fd, &have, &len, &why) < 0) {
		bad(verify, VERIFY_DISK, "%s: %s", path, why.msg);
		return 0;
	}
	// Written to while it was read: the next cycle sees that.
	if (fstat(fd, &after) < 0) {
		return 0;
	}
	inode = inode_of_stat(&after);
	if (!inode_same_content(&inode, &row->inode)) {
		tally->skipped++;
		return 0;
	}
	if (memcmp(have.id, row->oid.bytes, OID_LEN) != 0) {
		bad(verify, VERIFY_DISK,
			"%s has not changed, and its bytes are not those of the backup",
			path);
	} else if ((row->flags & LEDGER_ROW_ATTRIBUTES) != 0 &&
		!row_has_attributes(fd, row)) {
		bad(verify, VERIFY_DISK,
			"%s has not changed, and its extended attributes are not those "
			"of the backup",
			path);
	}
	return 0;
}

static int
see_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct verify *verify = payload;
	char place[SIDECAR_PATH_MAX];
	bool found;

	(void)len;
	// A whole folder that could not be read keeps the tree it had.
	if (!row->oid.set || row->type == LEDGER_TYPE_FOLDER) {
		if (ledger_is_protected(row->state) && row->state != LEDGER_SNAPSHOTTED) {
			bad(verify, VERIFY_LEDGER, "%s is %s without an object", path,
				ledger_state_word(row->state));
		}
		return 0;
	}
	if (step(verify, VERIFY_LEDGER) < 0) {
		return verify->err->code;
	}
	if ((row->flags & LEDGER_ROW_SIDECAR) != 0) {
		sidecar_file_path(path, place);
		verify->in_files++;
		found = is_in_tree(verify, place, &row->oid);
	} else {
		verify->in_tree++;
		found = is_in_tree(verify, path, &row->oid);
	}
	if (!found) {
		bad(verify, VERIFY_LEDGER, "%s is %s, and not in the commit like that",
			path, ledger_state_word(row->state));
	}
	return verify->options->permille > 0 ? check_disk(verify, path, row) : 0;
}

struct counting {
	uint64_t entries;
	uint64_t stored;
};

static int
count_entry(const char *path, const struct tree_entry *entry, void *payload)
{
	struct counting *counting = payload;

	if (strcmp(path, SIDECAR_TOP) == 0) {
		return TREE_SKIP;
	}
	// What stands beside the watched folders is nobody's row.
	counting->entries += entry->mode != TREE_FOLDER && strchr(path, '/') != NULL;
	return 0;
}

// Are there more places than rows?
static int
compare_counts(struct verify *verify, struct listing *listing)
{
	struct counting counting = { 0 };
	struct err why;

	if (tree_walk(verify->options->repo, &verify->tree, count_entry, &counting,
		    &why) < 0) {
		bad(verify, VERIFY_LEDGER, "%s", why.msg);
		return 0;
	}
	if (counting.entries != verify->in_tree) {
		bad(verify, VERIFY_LEDGER, "the commit has %llu files, the ledger %llu",
			(unsigned long long)counting.entries,
			(unsigned long long)verify->in_tree);
	}
	if (listing_nstored(listing) < verify->in_files) {
		bad(verify, VERIFY_LEDGER,
			"the commit has %zu files in .mirror/files, the ledger %llu",
			listing_nstored(listing), (unsigned long long)verify->in_files);
	}
	return 0;
}

static int
check_ledger(struct verify *verify, struct listing *listing)
{
	struct ledger_filter filter = { 0 };
	struct err why = { 0 };

	if (verify->options->ledger == NULL) {
		not_done(verify, VERIFY_LEDGER, "no ledger describes this commit");
		not_done(verify, VERIFY_DISK, "no ledger describes this commit");
		return 0;
	}
	if (ledger_each(verify->options->ledger, &filter, see_row, verify, &why) < 0) {
		if (verify->err->code != 0) {
			return verify->err->code;
		}
		bad(verify, VERIFY_LEDGER, "%s", why.msg);
		return 0;
	}
	verify->result->part[VERIFY_LEDGER].done = true;
	verify->result->part[VERIFY_DISK].done = verify->options->permille > 0;
	if (verify->options->permille == 0) {
		not_done(verify, VERIFY_DISK, "not asked for");
	}
	return compare_counts(verify, listing);
}

// ---- all of it

static void
verify_done(struct verify *verify)
{
	oids_done(&verify->seen);
	for (size_t i = 0; i < KEPT_MAX; i++) {
		buf_done(&verify->kept[i].raw);
		free(verify->kept[i].folder);
	}
}

// What the sidecar, the ledger and the disk say of the commit.
static int
check_texts(struct verify *verify)
{
	const struct verify_options *options = verify->options;
	AUTO(listing_closep) struct listing *listing = NULL;
	struct err why;

	if (repo_commit_tree(options->repo, &options->commit, &verify->tree, &why) < 0 ||
		listing_open(options->repo, &options->commit, &listing, &why) < 0) {
		bad(verify, VERIFY_SIDECAR, "%s", why.msg);
		return 0;
	}
	return check_sidecar(verify, listing) < 0 || check_ledger(verify, listing) < 0
		? verify->err->code
		: 0;
}

int
verify_run(const struct verify_options *options, struct verify_result *ret_result,
	struct err *err)
{
	AUTO(verify_done)
	struct verify verify = {
		.options = options,
		.result = ret_result,
		.err = err,
		.end_ms = clock_mono_ms() + options->deadline_ms,
	};
	int result;

	assert(options->deadline_ms > 0);
	*ret_result = (struct verify_result){ 0 };
	err_clear(err);
	result = check_texts(&verify);
	if (options->frozen && options->ledger != NULL) {
		ledger_thaw(options->ledger);
	}
	return result < 0 || check_objects(&verify) < 0 || check_fsck(&verify) < 0
		? err_wrap(err, "verify")
		: 0;
}
