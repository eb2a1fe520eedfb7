// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "ledger/handle.h"

#include <stdlib.h>
#include <string.h>

enum {
	KEEP_FOLDERS = 4096
};

int
handle_compare(const char *left, size_t left_len, const char *right, size_t right_len)
{
	int order = memcmp(left, right, MIN_OF(left_len, right_len));

	return order != 0 ? order : (left_len > right_len) - (left_len < right_len);
}

int
handle_check_name(const char *name, size_t len, struct err *err)
{
	if (len > LEDGER_NAME_MAX) {
		return err_raise(err, ERR_TOO_BIG, "a name of %zu bytes", len);
	}
	if (name == NULL || len == 0 || memchr(name, '/', len) != NULL ||
		memchr(name, '\0', len) != NULL) {
		return err_raise(err, ERR_INVALID, "this is not the name of an entry");
	}
	return 0;
}

void
handle_oid_read(struct db_stmt *stmt, int column, struct ledger_oid *ret_oid)
{
	size_t len;
	const void *bytes = db_bytes(stmt, column, &len);

	ret_oid->set = len == LEDGER_OID_LEN;
	if (ret_oid->set) {
		memcpy(ret_oid->bytes, bytes, LEDGER_OID_LEN);
	} else {
		memset(ret_oid->bytes, 0, LEDGER_OID_LEN);
	}
}

void
handle_oid_bind(struct db_stmt *stmt, int index, const struct ledger_oid *oid)
{
	if (oid->set) {
		db_bind_bytes(stmt, index, oid->bytes, LEDGER_OID_LEN);
	} else {
		db_bind_null(stmt, index);
	}
}

void
handle_attributes_read(struct db_stmt *stmt, int column, struct arena *texts,
	const void **ret_data, size_t *ret_len)
{
	const void *bytes = db_bytes(stmt, column, ret_len);

	*ret_data = *ret_len > 0 ? arena_add(texts, bytes, *ret_len) : NULL;
}

void
handle_attributes_bind(struct db_stmt *stmt, int index, const void *data, size_t len)
{
	if (len > 0) {
		db_bind_bytes(stmt, index, data, len);
	} else {
		db_bind_null(stmt, index);
	}
}

// The parent and the root of a folder: 1, or 0 when there is none.
static int
look_up(struct ledger *ledger, int64_t folder, int64_t *ret_parent, int64_t *ret_root,
	struct err *err)
{
	struct db_stmt *up = handle_stmt(ledger, SQL_FOLDER_UP, err);
	int got;

	if (up == NULL) {
		return err->code;
	}
	db_bind_int(up, 1, folder);
	got = db_step(up, err);
	if (got > 0) {
		*ret_parent = db_int(up, 0);
		*ret_root = db_int(up, 1);
		db_reset(up);
	}
	return got;
}

int
handle_root_of(struct ledger *ledger, int64_t folder, int64_t *ret_root, struct err *err)
{
	int64_t parent;
	int got;

	if (folder == 0) {
		*ret_root = 0;
		return 0;
	}
	if (folder == ledger->near_folder) {
		*ret_root = ledger->near_root;
		return 0;
	}
	got = look_up(ledger, folder, &parent, ret_root, err);
	if (got == 0) {
		return err_raise(
			err, ERR_BUG, "the ledger has no folder %lld", (long long)folder);
	}
	if (got < 0) {
		return err->code;
	}
	ledger->near_folder = folder;
	ledger->near_root = *ret_root;
	return 0;
}

int64_t
ledger_child(struct ledger *ledger, int64_t folder, const char *name, size_t len,
	struct err *err)
{
	struct db_stmt *child = handle_stmt(ledger, SQL_FOLDER_CHILD, err);
	int64_t id = 0;
	int got;

	if (child == NULL) {
		return err->code;
	}
	db_bind_int(child, 1, folder);
	db_bind_bytes(child, 2, name, len);
	got = db_step(child, err);
	if (got < 0) {
		return err->code;
	}
	if (got > 0) {
		id = db_int(child, 0);
		db_reset(child);
	}
	return id;
}

// Everything but name and attributes.
static void
read_folder(struct db_stmt *stmt, struct ledger_folder *folder)
{
	size_t len;
	const void *stamp = db_bytes(stmt, 15, &len);

	*folder = (struct ledger_folder){
		.id = db_int(stmt, 0),
		.parent = db_int(stmt, 1),
		.root = db_int(stmt, 2),
		.inode = {
			.size = db_int(stmt, 4),
			.mtime_ns = db_int(stmt, 5),
			.ctime_ns = db_int(stmt, 6),
			.number = (uint64_t)db_int(stmt, 7),
			.dev = (uint64_t)db_int(stmt, 8),
			.mode = (uint32_t)db_int(stmt, 9),
			.nlink = (uint32_t)db_int(stmt, 10),
			.uid = (uint32_t)db_int(stmt, 11),
			.gid = (uint32_t)db_int(stmt, 12),
		},
		.flags = (uint32_t)db_int(stmt, 16),
	};
	handle_oid_read(stmt, 13, &folder->tree);
	handle_oid_read(stmt, 14, &folder->sidecar);
	handle_oid_read(stmt, 17, &folder->sealed);
	if (len == LEDGER_STAMP_LEN) {
		memcpy(folder->stamp, stamp, LEDGER_STAMP_LEN);
	}
}

static void
keep_texts(struct db_stmt *stmt, struct arena *texts, struct ledger_folder *folder)
{
	const void *name = db_bytes(stmt, 3, &folder->name_len);

	folder->name = arena_add(texts, name, folder->name_len);
	handle_attributes_read(
		stmt, 18, texts, &folder->attributes, &folder->attributes_len);
}

int
ledger_folder_load(struct ledger *ledger, int64_t id, struct ledger_folder *ret_folder,
	struct err *err)
{
	struct db_stmt *load = handle_stmt(ledger, SQL_FOLDER_LOAD, err);
	int got;

	if (load == NULL) {
		return err->code;
	}
	db_bind_int(load, 1, id);
	got = db_step(load, err);
	if (got > 0) {
		arena_clear(&ledger->folder_name);
		read_folder(load, ret_folder);
		keep_texts(load, &ledger->folder_name, ret_folder);
		db_reset(load);
	}
	return got;
}

int
ledger_count_folders(struct ledger *ledger, uint64_t *ret_count, struct err *err)
{
	struct db_stmt *count = handle_stmt(ledger, SQL_COUNT_FOLDERS, err);

	if (count == NULL || db_step(count, err) < 0) {
		return err->code;
	}
	*ret_count = (uint64_t)db_int(count, 0);
	db_reset(count);
	return 0;
}

int
ledger_subfolders(struct ledger *ledger, int64_t folder,
	struct ledger_folders *ret_folders, struct err *err)
{
	struct db_stmt *list = handle_stmt(ledger, SQL_SUBFOLDERS, err);
	int got;

	arena_clear(&ret_folders->names);
	ret_folders->count = 0;
	if (ret_folders->capacity > KEEP_FOLDERS) {
		ledger_folders_done(ret_folders);
	}
	if (list == NULL) {
		return err->code;
	}
	db_bind_int(list, 1, folder);
	while ((got = db_step(list, err)) > 0) {
		struct ledger_folder *next;

		ret_folders->folders = xgrow(ret_folders->folders, ret_folders->count,
			&ret_folders->capacity, sizeof(*ret_folders->folders));
		next = &ret_folders->folders[ret_folders->count++];
		read_folder(list, next);
		keep_texts(list, &ret_folders->names, next);
	}
	return got;
}

void
ledger_folders_done(struct ledger_folders *folders)
{
	arena_done(&folders->names);
	free(folders->folders);
	memset(folders, 0, sizeof(*folders));
}

static int
compare_name(const void *key, const void *at)
{
	const struct handle_name *name = key;
	const struct ledger_folder *item = at;

	return handle_compare(name->text, name->len, item->name, item->name_len);
}

const struct ledger_folder *
ledger_folders_find(const struct ledger_folders *folders, const char *name, size_t len)
{
	const struct handle_name key = { .text = name, .len = len };

	// An empty list may have no memory at all.
	return folders->count == 0 ? NULL
				   : bsearch(&key, folders->folders, folders->count,
					     sizeof(*folders->folders), compare_name);
}

// Parameters 1 to 18 of both statements that write a folder.
static void
bind_folder(struct db_stmt *stmt, const struct ledger_folder *folder)
{
	const struct inode *inode = &folder->inode;

	db_bind_int(stmt, 1, folder->parent);
	db_bind_int(stmt, 2, folder->root);
	db_bind_bytes(stmt, 3, folder->name, folder->name_len);
	db_bind_int(stmt, 4, inode->size);
	db_bind_int(stmt, 5, inode->mtime_ns);
	db_bind_int(stmt, 6, inode->ctime_ns);
	db_bind_int(stmt, 7, (int64_t)inode->number);
	db_bind_int(stmt, 8, (int64_t)inode->dev);
	db_bind_int(stmt, 9, inode->mode);
	db_bind_int(stmt, 10, inode->nlink);
	db_bind_int(stmt, 11, inode->uid);
	db_bind_int(stmt, 12, inode->gid);
	handle_oid_bind(stmt, 13, &folder->tree);
	handle_oid_bind(stmt, 14, &folder->sidecar);
	db_bind_bytes(stmt, 15, folder->stamp, LEDGER_STAMP_LEN);
	db_bind_int(stmt, 16, folder->flags);
	handle_oid_bind(stmt, 17, &folder->sealed);
	handle_attributes_bind(stmt, 18, folder->attributes, folder->attributes_len);
}

static int
add_folder(struct ledger *ledger, struct ledger_folder *folder, struct err *err)
{
	struct db_stmt *add = handle_stmt(ledger, SQL_FOLDER_ADD, err);
	struct db_stmt *change;

	if (add == NULL ||
		handle_root_of(ledger, folder->parent, &folder->root, err) < 0) {
		return err->code;
	}
	bind_folder(add, folder);
	if (db_run(add, err) < 0) {
		return err->code;
	}
	folder->id = db_last_rowid(ledger->db);
	if (ledger->new_from == 0) {
		ledger->new_from = folder->id;
	}
	if (folder->parent != 0) {
		return 0;
	}
	// A root is its own root, and its number is known only now.
	folder->root = folder->id;
	change = handle_stmt(ledger, SQL_FOLDER_CHANGE, err);
	if (change == NULL) {
		return err->code;
	}
	bind_folder(change, folder);
	db_bind_int(change, 19, folder->id);
	return db_run(change, err);
}

// A folder may move anywhere in its root, but not into itself.
static int
check_move(struct ledger *ledger, struct ledger_folder *folder, struct err *err)
{
	int64_t at = folder->parent;
	int64_t root = 0;
	int64_t old_parent = 0;
	int got = look_up(ledger, folder->id, &old_parent, &folder->root, err);

	if (got == 0) {
		return err_raise(err, ERR_BUG, "the ledger has no folder %lld",
			(long long)folder->id);
	}
	if (got < 0 || old_parent == folder->parent) {
		return MIN_OF(got, 0);
	}
	while (at != 0 && at != folder->id) {
		got = look_up(ledger, at, &at, &root, err);
		if (got < 0) {
			return err->code;
		}
		if (got == 0) {
			break;
		}
	}
	if (at == folder->id || root != folder->root || old_parent == 0) {
		return err_raise(err, ERR_BUG, "a folder cannot move there");
	}
	return 0;
}

int
ledger_folder_put(struct ledger *ledger, struct ledger_folder *folder, struct err *err)
{
	struct db_stmt *change;

	if (handle_must_write(ledger, err) < 0 ||
		handle_check_name(folder->name, folder->name_len, err) < 0) {
		return err->code;
	}
	if (folder->id == 0) {
		int64_t id = ledger_child(
			ledger, folder->parent, folder->name, folder->name_len, err);

		if (id < 0) {
			return err->code;
		}
		if (id == 0) {
			return add_folder(ledger, folder, err);
		}
		if (handle_root_of(ledger, id, &folder->root, err) < 0) {
			return err->code;
		}
		folder->id = id;
	} else if (check_move(ledger, folder, err) < 0) {
		return err->code;
	}
	change = handle_stmt(ledger, SQL_FOLDER_CHANGE, err);
	if (change == NULL) {
		return err->code;
	}
	bind_folder(change, folder);
	db_bind_int(change, 19, folder->id);
	return db_run(change, err);
}

int64_t
ledger_root(struct ledger *ledger, const char *name, struct err *err)
{
	struct ledger_folder folder = { .name = name, .name_len = strlen(name) };
	int64_t id = ledger_child(ledger, 0, name, folder.name_len, err);

	if (id != 0) {
		return id;
	}
	if (!ledger->writing) {
		return err_raise(err, ERR_NOT_FOUND, "the ledger has no root %s", name);
	}
	if (ledger_folder_put(ledger, &folder, err) < 0) {
		return err->code;
	}
	return folder.id;
}

int
ledger_root_info(struct ledger *ledger, int64_t root, struct ledger_root_facts *ret_facts,
	struct err *err)
{
	struct db_stmt *get = handle_stmt(ledger, SQL_ROOT_GET, err);
	const void *path;
	size_t len;
	int got;

	if (get == NULL) {
		return err->code;
	}
	db_bind_int(get, 1, root);
	got = db_step(get, err);
	if (got < 0) {
		return err->code;
	}
	if (got == 0) {
		*ret_facts = (struct ledger_root_facts){ .files = -1 };
		return 0;
	}
	path = db_bytes(get, 0, &len);
	free(ledger->root_path);
	ledger->root_path = db_is_null(get, 0) ? NULL : xmemdup0(path, len);
	*ret_facts = (struct ledger_root_facts){
		.path = ledger->root_path,
		.dev = (uint64_t)db_int(get, 1),
		.number = (uint64_t)db_int(get, 2),
		.fs_type = db_int(get, 3),
		.files = db_int(get, 4),
		.swept_ms = db_int(get, 5),
		.held = (int32_t)db_int(get, 6),
		.held_since_ms = db_int(get, 7),
	};
	db_reset(get);
	return 0;
}

int
ledger_root_set(struct ledger *ledger, int64_t root,
	const struct ledger_root_facts *facts, struct err *err)
{
	struct db_stmt *set = handle_stmt(ledger, SQL_ROOT_SET, err);

	if (set == NULL || handle_must_write(ledger, err) < 0) {
		return err->code;
	}
	db_bind_int(set, 1, root);
	if (facts->path != NULL) {
		db_bind_bytes(set, 2, facts->path, strlen(facts->path));
	} else {
		db_bind_null(set, 2);
	}
	db_bind_int(set, 3, (int64_t)facts->dev);
	db_bind_int(set, 4, (int64_t)facts->number);
	db_bind_int(set, 5, facts->fs_type);
	db_bind_int(set, 6, facts->files);
	db_bind_int(set, 7, facts->swept_ms);
	db_bind_int(set, 8, facts->held);
	db_bind_int(set, 9, facts->held_since_ms);
	return db_run(set, err);
}
