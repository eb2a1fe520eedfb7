// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/restore_record.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCHEMA "mirror.restore/1"

static const char *const state_names[] = {
	[RESTORE_STAGED] = "staged",
	[RESTORE_APPLYING] = "applying",
	[RESTORE_APPLIED] = "applied",
	[RESTORE_BAD] = "bad",
	[RESTORE_BESIDE] = "beside",
};

const char *
restore_state_name(enum restore_state state)
{
	return state_names[state];
}

void
restore_record_done(struct restore_record *record)
{
	free(record->target);
	free(record->safety);
	free(record->reason);
	*record = (struct restore_record){ 0 };
}

void
restore_folder_close(struct restore_folder *folder)
{
	// 0 is a struct that was never opened.
	if (folder->fd > 0) {
		(void)close(folder->fd);
	}
	free(folder->path);
	*folder = (struct restore_folder){ 0 };
}

// Names come from a command line or a folder; only ours are looked at.
static bool
is_id(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len < RESTORE_ID_MAX &&
		strspn(id, "0123456789abcdefTZ-") == len;
}

// What a killed process left: a file whose record was never written.
static int
sweep(const struct restore_folder *folder, struct err *err)
{
	int copy = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *item;

	if (dir == NULL) {
		base_close_p(&copy);
		return err_errno(err, "list %s", folder->path);
	}
	while ((item = readdir(dir)) != NULL) {
		AUTO_FREE char *id = xmemdup0(item->d_name, strcspn(item->d_name, "."));
		AUTO_FREE char *record = xasprintf("%s.json", id);
		struct stat info;

		if ((is_id(id) &&
			    fstatat(folder->fd, record, &info, AT_SYMLINK_NOFOLLOW) < 0 &&
			    errno == ENOENT) ||
			strncmp(item->d_name, FILE_TEMP_PREFIX,
				strlen(FILE_TEMP_PREFIX)) == 0) {
			(void)unlinkat(folder->fd, item->d_name, 0);
		}
	}
	(void)closedir(dir);
	return 0;
}

int
restore_folder_open(const char *dir, struct restore_folder *ret_folder, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/restore", dir);
	AUTO_CLOSE int fd = -1;

	if (file_make_dirs(dir, 0700, err) < 0) {
		return err->code;
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		return err_errno(err, "make folder %s", path);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return err_errno(err, "open %s", path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK
			? err_raise(
				  err, ERR_BUSY, "another restore is at work in %s", path)
			: err_errno(err, "lock %s", path);
	}
	ret_folder->path = realpath(path, NULL);
	if (ret_folder->path == NULL) {
		return err_errno(err, "look at %s", path);
	}
	ret_folder->fd = STEAL_FD(fd);
	return sweep(ret_folder, err);
}

char *
restore_file(const struct restore_folder *folder, const char *id, const char *suffix)
{
	return xasprintf("%s/%s%s", folder->path, id, suffix);
}

void
restore_record_begin(struct restore_record *record)
{
	uint32_t salt = 0;
	struct tm parts = { 0 };
	struct err ignored;
	time_t seconds;
	char stamp[24];

	record->at_ms = clock_now_ms();
	seconds = (time_t)(record->at_ms / 1000);
	(void)gmtime_r(&seconds, &parts);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &parts);
	// Without randomness milliseconds still tell two of them apart.
	(void)!hash_random(&salt, sizeof(salt), &ignored);
	(void)snprintf(record->id, sizeof(record->id), "%s%03dZ-%08x", stamp,
		(int)(record->at_ms % 1000), salt);
}

int
restore_record_save(const struct restore_folder *folder,
	const struct restore_record *record, struct err *err)
{
	AUTO(json_freep) struct json *json = json_new_object();
	AUTO_FREE char *name = xasprintf("%s.json", record->id);

	json_set_text(json, "schema", SCHEMA);
	json_set_text(json, "id", record->id);
	json_set_text(json, "state", restore_state_name(record->state));
	json_set_int(json, "at_ms", record->at_ms);
	json_set_bytes(json, "target", record->target, strlen(record->target));
	json_set_text(json, "sha256", record->sha256);
	json_set_int(json, "bytes", record->bytes);
	json_set_int(json, "inode", (int64_t)record->inode);
	if (record->safety != NULL) {
		json_set_bytes(json, "safety", record->safety, strlen(record->safety));
	}
	if (record->reason != NULL) {
		json_set_bytes(json, "reason", record->reason, strlen(record->reason));
	}

	AUTO_FREE char *text = json_write(json, 1);
	return file_replace(folder->fd, name, text, strlen(text), 0600, err);
}

static int
read_json(const struct json *json, struct restore_record *record, struct err *err)
{
	const char *schema = json_get_text(json, "schema");
	const char *state = json_get_text(json, "state");
	const char *sha256 = json_get_text(json, "sha256");
	size_t at = 0;

	record->target = json_get_bytes(json, "target");
	while (state != NULL && at < countof(state_names) &&
		strcmp(state, state_names[at]) != 0) {
		at++;
	}
	if (schema == NULL || strcmp(schema, SCHEMA) != 0 || state == NULL ||
		at == countof(state_names) || record->target == NULL || sha256 == NULL ||
		strlen(sha256) >= sizeof(record->sha256)) {
		return err_raise(
			err, ERR_INVALID, "the record %s is damaged", record->id);
	}
	record->state = (enum restore_state)at;
	(void)stpcpy(record->sha256, sha256);
	record->at_ms = json_get_int(json, "at_ms", 0);
	record->bytes = json_get_int(json, "bytes", 0);
	record->inode = (ino_t)json_get_int(json, "inode", 0);
	record->safety = json_get_bytes(json, "safety");
	record->reason = json_get_bytes(json, "reason");
	return 0;
}

int
restore_record_load(const struct restore_folder *folder, const char *id,
	struct restore_record *ret_record, struct err *err)
{
	AUTO(restore_record_done) struct restore_record record = { 0 };
	AUTO(buf_done) struct buf text = { .max = RESTORE_RECORD_MAX };
	AUTO(json_freep) struct json *json = NULL;
	AUTO_FREE char *name = xasprintf("%s.json", id);

	if (!is_id(id)) {
		return err_raise(err, ERR_NOT_FOUND, "no restore of that name");
	}
	(void)stpcpy(record.id, id);
	if (file_read(folder->fd, name, &text, err) < 0 ||
		json_parse(buf_text(&text), text.len, &json, err) < 0 ||
		read_json(json, &record, err) < 0) {
		return err_wrap(err, "the restore %s", id);
	}
	*ret_record = record;
	record = (struct restore_record){ 0 };
	return 0;
}

void
restore_record_remove(const struct restore_folder *folder, const char *id)
{
	// The record last: while it stands, what belongs to it is known.
	static const char *const suffixes[] = { ".sqlite", ".before.sqlite",
		".before.sqlite-wal", ".before.sqlite-journal", ".json" };

	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name = xasprintf("%s%s", id, suffixes[i]);

		(void)unlinkat(folder->fd, name, 0);
	}
}

static int
by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int
list_ids(int fd, char **ids, size_t *ret_count, struct err *err)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *item;
	size_t count = 0;

	if (dir == NULL) {
		base_close_p(&copy);
		return err_errno(err, "list the restores");
	}
	while ((item = readdir(dir)) != NULL && count < RESTORE_LIST_MAX) {
		size_t len = strlen(item->d_name);

		AUTO_FREE char *id = xmemdup0(item->d_name, len > 5 ? len - 5 : 0);

		if (len > 5 && strcmp(item->d_name + len - 5, ".json") == 0 &&
			is_id(id)) {
			ids[count++] = STEAL(id);
		}
	}
	(void)closedir(dir);
	qsort(ids, count, sizeof(*ids), by_name);
	*ret_count = count;
	return 0;
}

static int
give(const struct restore_folder *folder, const char *id, restore_fn *fn, void *payload)
{
	AUTO(restore_record_done) struct restore_record record = { 0 };
	struct err err = { 0 };

	if (restore_record_load(folder, id, &record, &err) < 0) {
		(void)stpcpy(record.id, id);
		record.state = RESTORE_BAD;
		record.target = xstrdup("");
		record.reason = xstrdup(err.msg);
	}
	return fn(&record, payload);
}

int
restore_folder_each(const struct restore_folder *folder, restore_fn *fn, void *payload,
	struct err *err)
{
	AUTO_FREE char **ids = xcalloc(RESTORE_LIST_MAX + 1, sizeof(*ids));
	size_t count = 0;
	int result = 0;

	if (list_ids(folder->fd, ids, &count, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < count; i++) {
		if (result == 0) {
			result = give(folder, ids[i], fn, payload);
		}
		free(ids[i]);
	}
	return result;
}

int
restore_db_list(const char *dir, restore_fn *fn, void *payload, struct err *err)
{
	AUTO(restore_folder_close) struct restore_folder folder = { 0 };

	folder.path = xasprintf("%s/restore", dir);
	folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder.fd < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "open %s", folder.path);
	}
	return restore_folder_each(&folder, fn, payload, err);
}
