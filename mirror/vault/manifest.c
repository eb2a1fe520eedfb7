// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/manifest.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCHEMA "mirror.snapshots/1"

enum {
	LOCK_TRY_MS = 50,
	// Reading one archive again after a crash, to finish its entry.
	FINISH_MS = 30 * 60 * 1000,
	LINEAGES = 1 << 20
};

static const char *const provenance_names[] = {
	[PROVENANCE_SCHEDULED] = "scheduled",
	[PROVENANCE_MANUAL] = "manual",
	[PROVENANCE_TEST] = "test",
};

const char *
provenance_name(enum provenance provenance)
{
	return provenance_names[provenance];
}

void
identity_done(struct identity *identity)
{
	free(identity->path);
	*identity = (struct identity){ 0 };
}

int
identity_of(const char *path, struct identity *ret_identity, struct err *err)
{
	AUTO_FREE char *real = realpath(path, NULL);
	struct stat info;

	if (real == NULL || stat(real, &info) < 0) {
		return err_errno(err, "look at %s", path);
	}
	if (!S_ISREG(info.st_mode)) {
		return err_raise(
			err, ERR_INVALID, "not a database: %s is no regular file", path);
	}
	*ret_identity = (struct identity){
		.path = STEAL(real), .dev = info.st_dev, .inode = info.st_ino
	};
	return 0;
}

static void
entry_done(struct manifest_entry *entry)
{
	free(entry->recipient);
	free(entry->offsite.remote);
	inspect_done(&entry->found);
}

void
manifest_close(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->nentries; i++) {
		entry_done(&manifest->entries[i]);
	}
	free(manifest->entries);
	free(manifest->dir);
	free(manifest->name);
	identity_done(&manifest->identity);
	// 0 is a struct that was never opened.
	if (manifest->dirfd > 0) {
		(void)close(manifest->dirfd);
	}
	*manifest = (struct manifest){ 0 };
}

static void
copy_text(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text != NULL ? text : "");
}

static struct json *
entry_to_json(const struct manifest_entry *entry)
{
	struct json *json = json_new_object();
	struct json *offsite = json_new_object();
	char taken[CLOCK_TEXT_MAX];

	clock_format(entry->taken_ms, taken);
	json_set_text(json, "file", entry->file);
	json_set_int(json, "seq", entry->seq);
	json_set_text(json, "taken", taken);
	json_set_int(json, "taken_ms", entry->taken_ms);
	json_set_int(json, "lineage", entry->lineage);
	json_set_text(json, "provenance", provenance_name(entry->provenance));
	json_set_text(json, "sha256", entry->sha256);
	json_set_int(json, "bytes", entry->bytes);
	json_set_text(json, "stored_sha256", entry->stored_sha256);
	json_set_int(json, "stored_bytes", entry->stored_bytes);
	json_set_text(json, "method", entry->method);
	json_set_text(json, "recipient", entry->recipient);
	json_set_bool(json, "complete", entry->complete);
	json_set_bool(json, "verified", entry->verified);
	json_set_bool(json, "local", entry->local);
	json_set_text(json, "shrunk", entry->shrunk);
	json_set(json, "found", inspect_to_json(&entry->found));
	json_set_text(offsite, "remote", entry->offsite.remote);
	json_set_int(offsite, "part_bytes", entry->offsite.part_bytes);
	json_set_int(offsite, "verified_ms", entry->offsite.verified_ms);
	json_set_int(offsite, "seen_ms", entry->offsite.seen_ms);
	json_set_text(offsite, "wrong", entry->offsite.wrong);
	json_set(json, "offsite", offsite);
	return json;
}

// A name from a file may be anything; only names we could have given are believed.
static bool
is_our_name(const char *name)
{
	return name != NULL && name[0] != '.' && strlen(name) < ARCHIVE_NAME_MAX &&
		strchr(name, '/') == NULL && strstr(name, ".sqlite") != NULL;
}

static int
entry_from_json(const struct json *json, struct manifest_entry *entry, struct err *err)
{
	const char *provenance = json_get_text(json, "provenance");
	const char *recipient = json_get_text(json, "recipient");
	const struct json *offsite = json_get(json, "offsite");
	const char *remote = json_get_text(offsite, "remote");

	if (!is_our_name(json_get_text(json, "file"))) {
		return err_raise(err, ERR_INVALID, "an entry without a file name");
	}
	if (inspect_from_json(json_get(json, "found"), &entry->found, err) < 0) {
		return err->code;
	}
	copy_text(entry->file, sizeof(entry->file), json_get_text(json, "file"));
	entry->seq = json_get_int(json, "seq", 0);
	entry->taken_ms = json_get_int(json, "taken_ms", 0);
	entry->lineage = json_get_int(json, "lineage", 0);
	for (size_t i = 0; provenance != NULL && i < countof(provenance_names); i++) {
		if (strcmp(provenance, provenance_names[i]) == 0) {
			entry->provenance = (enum provenance)i;
		}
	}
	copy_text(entry->sha256, sizeof(entry->sha256), json_get_text(json, "sha256"));
	copy_text(entry->stored_sha256, sizeof(entry->stored_sha256),
		json_get_text(json, "stored_sha256"));
	entry->bytes = json_get_int(json, "bytes", 0);
	entry->stored_bytes = json_get_int(json, "stored_bytes", 0);
	copy_text(entry->method, sizeof(entry->method), json_get_text(json, "method"));
	copy_text(entry->shrunk, sizeof(entry->shrunk), json_get_text(json, "shrunk"));
	entry->recipient = recipient != NULL ? xstrdup(recipient) : NULL;
	entry->complete = json_get_bool(json, "complete", false);
	entry->verified = json_get_bool(json, "verified", false);
	entry->local = json_get_bool(json, "local", true);
	entry->offsite.remote = remote != NULL ? xstrdup(remote) : NULL;
	entry->offsite.part_bytes = json_get_int(offsite, "part_bytes", 0);
	entry->offsite.verified_ms = json_get_int(offsite, "verified_ms", 0);
	entry->offsite.seen_ms = json_get_int(offsite, "seen_ms", 0);
	copy_text(entry->offsite.wrong, sizeof(entry->offsite.wrong),
		json_get_text(offsite, "wrong"));
	return 0;
}

struct manifest_entry *
manifest_add(struct manifest *manifest)
{
	struct manifest_entry *entry;

	manifest->entries = xgrow(manifest->entries, manifest->nentries,
		&manifest->capacity, sizeof(*manifest->entries));
	entry = &manifest->entries[manifest->nentries++];
	*entry = (struct manifest_entry){
		.seq = manifest->next_seq++, .lineage = manifest->lineage, .local = true
	};
	return entry;
}

void
manifest_drop(struct manifest *manifest, size_t index)
{
	entry_done(&manifest->entries[index]);
	manifest->nentries--;
	memmove(&manifest->entries[index], &manifest->entries[index + 1],
		(manifest->nentries - index) * sizeof(*manifest->entries));
}

static int
load_json(struct manifest *manifest, const struct json *json, struct err *err)
{
	const struct json *list = json_get(json, "snapshots");
	const struct json *identity = json_get(json, "identity");
	const char *schema = json_get_text(json, "schema");
	size_t count = json_count(list);

	if (schema == NULL || strcmp(schema, SCHEMA) != 0 ||
		count > MANIFEST_ENTRIES_MAX) {
		return err_raise(err, ERR_INVALID, "it is not a list of snapshots");
	}
	for (size_t i = 0; i < count; i++) {
		struct manifest_entry *entry = manifest_add(manifest);

		if (entry_from_json(json_at(list, i), entry, err) < 0) {
			return err->code;
		}
		manifest->next_seq = MAX_OF(manifest->next_seq, entry->seq + 1);
	}
	manifest->name = json_get_bytes(json, "name");
	manifest->identity.path = json_get_bytes(identity, "path");
	manifest->identity.dev = (dev_t)json_get_int(identity, "dev", 0);
	manifest->identity.inode = (ino_t)json_get_int(identity, "inode", 0);
	manifest->lineage = json_get_int(json, "lineage", 0);
	manifest->next_seq =
		MAX_OF(manifest->next_seq, json_get_int(json, "next_seq", 0));
	manifest->seen_ms = json_get_int(json, "seen_ms", 0);
	manifest->full_ms = json_get_int(json, "full_ms", 0);
	return 0;
}

static int
load(struct manifest *manifest, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = MANIFEST_MAX };
	AUTO(json_freep) struct json *json = NULL;

	if (file_read(manifest->dirfd, MANIFEST_NAME, &text, err) < 0) {
		return err->code;
	}
	if (json_parse(buf_text(&text), text.len, &json, err) < 0) {
		return err->code;
	}
	return load_json(manifest, json, err);
}

int
manifest_save(struct manifest *manifest, struct err *err)
{
	AUTO(json_freep) struct json *json = json_new_object();
	struct json *identity = json_new_object();
	struct json *list = json_new_array();

	json_set_text(json, "schema", SCHEMA);
	if (manifest->name != NULL) {
		json_set_bytes(json, "name", manifest->name, strlen(manifest->name));
	}
	if (manifest->identity.path != NULL) {
		json_set_bytes(identity, "path", manifest->identity.path,
			strlen(manifest->identity.path));
	}
	json_set_int(identity, "dev", (int64_t)manifest->identity.dev);
	json_set_int(identity, "inode", (int64_t)manifest->identity.inode);
	json_set(json, "identity", identity);
	json_set_int(json, "lineage", manifest->lineage);
	json_set_int(json, "next_seq", manifest->next_seq);
	json_set_int(json, "seen_ms", manifest->seen_ms);
	json_set_int(json, "full_ms", manifest->full_ms);
	for (size_t i = 0; i < manifest->nentries; i++) {
		json_append(list, entry_to_json(&manifest->entries[i]));
	}
	json_set(json, "snapshots", list);

	AUTO_FREE char *text = json_write(json, 1);
	return file_replace(
		manifest->dirfd, MANIFEST_NAME, text, strlen(text), 0600, err);
}

// Never lose the list silently: the damaged one stays beside the new one.
static int
set_damaged_aside(struct manifest *manifest, struct err *err)
{
	AUTO_FREE char *aside = xasprintf(
		MANIFEST_NAME ".damaged-%lld", (long long)(clock_now_ms() / 1000));

	if (renameat(manifest->dirfd, MANIFEST_NAME, manifest->dirfd, aside) < 0) {
		return err_errno(err, "set the damaged %s aside", MANIFEST_NAME);
	}
	while (manifest->nentries > 0) {
		manifest_drop(manifest, manifest->nentries - 1);
	}
	return 0;
}

// What a killed process left: temporaries go; an archive that got its final name but not
// its last line in the list is whole (it was on disk before it got the name).
static int
sweep_temporaries(const struct manifest *manifest, struct err *err)
{
	int fd = openat(manifest->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *item;

	if (dir == NULL) {
		base_close_p(&fd);
		return err_errno(err, "list %s", manifest->dir);
	}
	while ((item = readdir(dir)) != NULL) {
		if (strncmp(item->d_name, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) ==
			0) {
			(void)unlinkat(manifest->dirfd, item->d_name, 0);
		}
	}
	(void)closedir(dir);
	return 0;
}

static bool
is_whole(const struct manifest *manifest, const struct manifest_entry *entry)
{
	char hex[HASH_HEX_MAX];
	int64_t bytes = 0;
	struct err ignored;

	return archive_hash(manifest->dirfd, entry->file, clock_mono_ms() + FINISH_MS,
		       hex, &bytes, &ignored) == 0 &&
		bytes == entry->stored_bytes && strcmp(hex, entry->stored_sha256) == 0;
}

static int
finish_entries(struct manifest *manifest, struct err *err)
{
	bool changed = false;

	for (size_t i = manifest->nentries; i-- > 0;) {
		struct manifest_entry *entry = &manifest->entries[i];

		if (entry->complete) {
			continue;
		}
		changed = true;
		if (is_whole(manifest, entry)) {
			entry->complete = true;
		} else {
			(void)unlinkat(manifest->dirfd, entry->file, 0);
			manifest_drop(manifest, i);
		}
	}
	return changed ? manifest_save(manifest, err) : 0;
}

static int
lock_folder(struct manifest *manifest, int64_t wait_ms, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_TRY_MS * 1000000L };
	int64_t end_ms = clock_mono_ms() + wait_ms;

	while (flock(manifest->dirfd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return err_errno(err, "lock %s", manifest->dir);
		}
		if (clock_mono_ms() >= end_ms) {
			return err_raise(err, ERR_BUSY,
				"another process is working in %s", manifest->dir);
		}
		(void)nanosleep(&pause, NULL);
	}
	manifest->locked = true;
	return 0;
}

static int
check_private(const struct manifest *manifest, struct err *err)
{
	struct stat info;

	if (fstat(manifest->dirfd, &info) < 0) {
		return err_errno(err, "look at %s", manifest->dir);
	}
	if (info.st_uid != geteuid()) {
		return err_raise(
			err, ERR_DENIED, "%s belongs to somebody else", manifest->dir);
	}
	if ((info.st_mode & 077) != 0 && fchmod(manifest->dirfd, 0700) < 0) {
		return err_errno(err, "close %s to others", manifest->dir);
	}
	return 0;
}

static int
open_for_writing(struct manifest *manifest, int64_t wait_ms, struct err *err)
{
	if (check_private(manifest, err) < 0 || lock_folder(manifest, wait_ms, err) < 0 ||
		sweep_temporaries(manifest, err) < 0) {
		return err->code;
	}
	if (load(manifest, err) == 0) {
		return finish_entries(manifest, err);
	}
	if (err->code == ERR_NOT_FOUND) {
		err_clear(err);
		return 0;
	}
	if (err->code != ERR_INVALID && err->code != ERR_TOO_BIG) {
		return err->code;
	}
	err_clear(err);
	return set_damaged_aside(manifest, err);
}

int
manifest_open(const char *dir, enum manifest_mode mode, int64_t wait_ms,
	struct manifest *ret_manifest, struct err *err)
{
	AUTO(manifest_close) struct manifest manifest = { .next_seq = 1 };
	int result;

	if (mode == MANIFEST_WRITE && file_make_dirs(dir, 0700, err) < 0) {
		return err->code;
	}
	manifest.dir = xstrdup(dir);
	manifest.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (manifest.dirfd < 0) {
		return err_errno(err, "open %s", dir);
	}
	result = mode == MANIFEST_WRITE ? open_for_writing(&manifest, wait_ms, err)
					: load(&manifest, err);
	if (result < 0) {
		return err_wrap(err, "the snapshots in %s", dir);
	}
	*ret_manifest = manifest;
	manifest = (struct manifest){ 0 };
	return 0;
}

struct manifest_entry *
manifest_newest(const struct manifest *manifest)
{
	struct manifest_entry *newest = NULL;

	for (size_t i = 0; i < manifest->nentries; i++) {
		struct manifest_entry *entry = &manifest->entries[i];

		if (entry->complete && entry->verified && entry->local &&
			entry->provenance != PROVENANCE_TEST &&
			(newest == NULL || entry->seq > newest->seq)) {
			newest = entry;
		}
	}
	return newest;
}

struct manifest_entry *
manifest_find(const struct manifest *manifest, const char *file)
{
	for (size_t i = 0; i < manifest->nentries; i++) {
		if (strcmp(manifest->entries[i].file, file) == 0) {
			return &manifest->entries[i];
		}
	}
	return NULL;
}

enum manifest_look
manifest_look(const struct manifest *manifest, const struct manifest_entry *entry)
{
	struct stat info;

	if (!entry->local) {
		return MANIFEST_ELSEWHERE;
	}
	if (fstatat(manifest->dirfd, entry->file, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(info.st_mode)) {
		return MANIFEST_MISSING;
	}
	return info.st_size == entry->stored_bytes ? MANIFEST_THERE : MANIFEST_CUT;
}

bool
manifest_is_replaced(const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->nentries; i++) {
		if (manifest->entries[i].lineage != manifest->lineage) {
			return true;
		}
	}
	return false;
}

int
manifest_accept(struct manifest *manifest, const struct identity *now, struct err *err)
{
	struct manifest_entry *newest = manifest_newest(manifest);
	char *path = now->path != NULL ? xstrdup(now->path) : NULL;

	identity_done(&manifest->identity);
	manifest->identity =
		(struct identity){ .path = path, .dev = now->dev, .inode = now->inode };
	for (size_t i = 0; i < manifest->nentries; i++) {
		manifest->entries[i].lineage = manifest->lineage;
	}
	if (newest != NULL) {
		newest->shrunk[0] = '\0';
	}
	return manifest_save(manifest, err);
}

const struct manifest_entry *
manifest_before_loss(const struct manifest *manifest)
{
	const struct manifest_entry *found = NULL;

	for (size_t i = 0; i < manifest->nentries; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];

		if (entry->complete && entry->shrunk[0] == '\0' &&
			entry->provenance != PROVENANCE_TEST) {
			found = entry;
		}
	}
	return found;
}

static int
remove_entry(struct manifest *manifest, size_t index, struct err *err)
{
	struct manifest_entry *entry = &manifest->entries[index];

	if (unlinkat(manifest->dirfd, entry->file, 0) < 0 && errno != ENOENT) {
		return err_errno(err, "remove %s", entry->file);
	}
	if (entry->offsite.remote != NULL) {
		entry->local = false;
		return 0;
	}
	manifest_drop(manifest, index);
	return 0;
}

struct retain_copy
manifest_copy_of(const struct manifest_entry *entry, bool verified)
{
	return (struct retain_copy){ .taken_ms = entry->taken_ms,
		.seq = entry->seq,
		.group = entry->lineage * LINEAGES + (int64_t)entry->provenance,
		.verified = entry->complete && verified };
}

int
manifest_prune(struct manifest *manifest, const struct retain_policy *policy,
	int64_t now_ms, bool dry_run, manifest_pruned_fn *fn, void *payload,
	struct err *err)
{
	size_t count = manifest->nentries;
	AUTO_FREE struct retain_copy *copies = xcalloc(count + 1, sizeof(*copies));
	AUTO_FREE size_t *places = xcalloc(count + 1, sizeof(*places));
	AUTO_FREE bool *keep = xcalloc(count + 1, sizeof(*keep));
	const struct manifest_entry *newest = manifest_newest(manifest);
	const struct manifest_entry *before = newest != NULL && newest->shrunk[0] != '\0'
		? manifest_before_loss(manifest)
		: NULL;
	size_t ncopies = 0;
	int removed = 0;

	for (size_t i = 0; i < count; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];

		if (entry->local) {
			places[ncopies] = i;
			copies[ncopies++] = manifest_copy_of(entry, entry->verified);
		}
	}
	(void)retain_decide(policy, now_ms, copies, ncopies, keep);
	for (size_t i = ncopies; i-- > 0;) {
		// While a loss is told, what was there before it is not given up.
		if (keep[i] || &manifest->entries[places[i]] == before) {
			continue;
		}
		removed++;
		if (fn != NULL) {
			fn(&manifest->entries[places[i]], payload);
		}
		if (!dry_run && remove_entry(manifest, places[i], err) < 0) {
			return err->code;
		}
	}
	if (removed > 0 && !dry_run && manifest_save(manifest, err) < 0) {
		return err->code;
	}
	return removed;
}
