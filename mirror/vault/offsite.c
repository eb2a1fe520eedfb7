// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One object on its way:
 *
 *     copyto X.partial-<id>  ->  lsjson: is the size right?  ->  moveto X
 *
 * <id> comes from the content, so a second try overwrites what the first one left.  An X
 * that is there is whole; after a kill only the part on its way is sent again.  rclone
 * compares hashes after each copy where the remote has them; where it has none we read
 * everything back once before we call it proved.
 */

#include "vault/offsite.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "vault/archive.h"
#include "vault/rclone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_TEMP FILE_TEMP_PREFIX "part"
#define INDEX_TEMP FILE_TEMP_PREFIX "index"
#define FETCH_TEMP FILE_TEMP_PREFIX "fetch"
#define BACK_TEMP FILE_TEMP_PREFIX "back"

enum {
	CHUNK = 1024 * 1024,
	OBJECT_MAX = 160,
	OUT_MAX = 64 * 1024,
	ID_LEN = 8
};

struct job {
	const struct offsite_plan *plan;
	const struct manifest *manifest;
	const struct manifest_entry *entry;
	struct rclone rclone;
	int64_t part_bytes;
	int nparts;
	struct json *list;
};

static void
job_done(struct job *job)
{
	rclone_close(&job->rclone);
	json_free(job->list);
}

// The folder at the remote: the database's name, or that of its folder here when the name
// is a path.
static const char *
folder_of(const struct manifest *manifest)
{
	const char *name = manifest->name;

	return name != NULL && strchr(name, '/') == NULL ? name
							 : path_base(manifest->dir);
}

static int
job_begin(struct job *job, const struct offsite_plan *plan,
	const struct manifest *manifest, const struct manifest_entry *entry,
	struct err *err)
{
	const char *name = folder_of(manifest);

	*job = (struct job){ .plan = plan, .manifest = manifest, .entry = entry };
	job->rclone = (struct rclone){ .bandwidth = plan->bandwidth,
		.tries = plan->tries > 0 ? plan->tries : OFFSITE_TRIES,
		.pause_ms = plan->pause_ms > 0 ? plan->pause_ms : OFFSITE_PAUSE_MS,
		.pause_max_ms = OFFSITE_PAUSE_MAX_MS,
		.end_ms = clock_mono_ms() + plan->timeout_ms,
		.progress = plan->progress,
		.payload = plan->payload,
		.total = entry->stored_bytes,
		.lock_fd = -1 };
	if (name[0] == '\0' || name[0] == '.') {
		return err_raise(err, ERR_INVALID, "no folder name for %s off-site",
			manifest->dir);
	}
	job->part_bytes = entry->offsite.part_bytes > 0 ? entry->offsite.part_bytes
		: plan->part_bytes > 0                  ? plan->part_bytes
							: OFFSITE_PART_BYTES;
	if (entry->stored_bytes / job->part_bytes >= OFFSITE_PARTS_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %d parts of %lld bytes",
			OFFSITE_PARTS_MAX, (long long)job->part_bytes);
	}
	job->nparts =
		(int)((entry->stored_bytes + job->part_bytes - 1) / job->part_bytes);
	return rclone_open(&job->rclone, plan->remote, plan->lock_dir, err);
}

static void
object_name(const struct job *job, int part, char name[OBJECT_MAX])
{
	if (job->nparts <= 1) {
		(void)snprintf(name, OBJECT_MAX, "%s", job->entry->file);
	} else {
		(void)snprintf(
			name, OBJECT_MAX, "%s.part-%04d", job->entry->file, part + 1);
	}
}

static int64_t
part_size(const struct job *job, int part)
{
	int64_t start = part * job->part_bytes;

	return MIN_OF(job->part_bytes, job->entry->stored_bytes - start);
}

static const struct json *
find_object(const struct json *list, const char *name)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const char *found = json_get_text(json_at(list, i), "Name");

		if (found != NULL && strcmp(found, name) == 0) {
			return json_at(list, i);
		}
	}
	return NULL;
}

static int
list_folder(struct job *job, struct err *err)
{
	AUTO_FREE char *path = rclone_path(&job->rclone, folder_of(job->manifest), "");

	json_free(STEAL(job->list));
	return rclone_list(&job->rclone, path, &job->list, err);
}

static int
run(struct job *job, const char *verb, const char *from, const char *to,
	const char *stage, struct err *err)
{
	const char *const args[] = { verb, from, to, NULL };
	AUTO(buf_done) struct buf out = { .max = OUT_MAX };

	return rclone_run(&job->rclone, args, stage, &out, err);
}

static int
check_partial(struct job *job, const char *path, int64_t bytes, struct err *err)
{
	AUTO(json_freep) struct json *list = NULL;
	int64_t there;

	if (rclone_list(&job->rclone, path, &list, err) < 0) {
		return err->code;
	}
	there = json_get_int(json_at(list, 0), "Size", -1);
	if (json_count(list) != 1 || there != bytes) {
		return err_raise(err, ERR_REMOTE,
			"%s: sent %lld bytes, the remote has %lld", path,
			(long long)bytes, (long long)there);
	}
	return 0;
}

static int
send_object(struct job *job, const char *local, const char *name, int64_t bytes,
	struct err *err)
{
	AUTO_FREE char *partial_name =
		xasprintf("%s.partial-%.*s", name, ID_LEN, job->entry->stored_sha256);
	AUTO_FREE char *partial =
		rclone_path(&job->rclone, folder_of(job->manifest), partial_name);
	AUTO_FREE char *final = rclone_path(&job->rclone, folder_of(job->manifest), name);
	AUTO_FREE char *path = xasprintf("%s/%s", job->manifest->dir, local);

	if (run(job, "copyto", path, partial, "upload", err) < 0 ||
		check_partial(job, partial, bytes, err) < 0 ||
		run(job, "moveto", partial, final, NULL, err) < 0) {
		return err_wrap(err, "send %s", name);
	}
	return 0;
}

// One part of the archive as a file of its own, or the archive itself.
static int
cut_part(const struct job *job, int part, struct err *err)
{
	AUTO_CLOSE int in = openat(job->manifest->dirfd, job->entry->file,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	int64_t at = part * job->part_bytes;
	int64_t end = at + part_size(job, part);
	AUTO_CLOSE int out = -1;

	if (in < 0) {
		return err_errno(err, "open %s", job->entry->file);
	}
	(void)unlinkat(job->manifest->dirfd, PART_TEMP, 0);
	out = openat(job->manifest->dirfd, PART_TEMP,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0) {
		return err_errno(err, "create a part");
	}
	while (at < end) {
		ssize_t len =
			pread(in, chunk, (size_t)MIN_OF(end - at, (int64_t)CHUNK), at);

		if (len <= 0) {
			return len < 0 ? err_errno(err, "read %s", job->entry->file)
				       : err_raise(err, ERR_INVALID, "%s is cut short",
						 job->entry->file);
		}
		if (fd_write_all(out, chunk, (size_t)len, err) < 0) {
			return err->code;
		}
		at += len;
	}
	return 0;
}

// Is this part there, as far as name, size and hash say?  *ret_proved: by a hash.
static int
check_object(
	struct job *job, int part, bool *ret_there, bool *ret_proved, struct err *err)
{
	char name[OBJECT_MAX];
	char hex[HASH_HEX_MAX];
	int64_t bytes = 0;
	const struct json *object;
	const char *offered;
	int result;

	object_name(job, part, name);
	object = find_object(job->list, name);
	offered = json_get_text(json_get(object, "Hashes"), "sha256");
	*ret_proved = false;
	*ret_there = object != NULL &&
		json_get_int(object, "Size", -1) == part_size(job, part);
	if (!*ret_there || offered == NULL || !job->entry->local) {
		return 0;
	}
	if (job->nparts > 1 && cut_part(job, part, err) < 0) {
		return err->code;
	}
	result = archive_hash(job->manifest->dirfd,
		job->nparts > 1 ? PART_TEMP : job->entry->file, job->rclone.end_ms, hex,
		&bytes, err);
	(void)unlinkat(job->manifest->dirfd, PART_TEMP, 0);
	if (result < 0) {
		return result;
	}
	*ret_proved = *ret_there = strcmp(hex, offered) == 0;
	return 0;
}

static int
send_part(struct job *job, int part, struct err *err)
{
	char name[OBJECT_MAX];
	bool there = false;
	bool proved = false;
	int result;

	object_name(job, part, name);
	if (check_object(job, part, &there, &proved, err) < 0) {
		return err->code;
	}
	if (!there) {
		if (job->nparts > 1 && cut_part(job, part, err) < 0) {
			return err->code;
		}
		result = send_object(job, job->nparts > 1 ? PART_TEMP : job->entry->file,
			name, part_size(job, part), err);
		(void)unlinkat(job->manifest->dirfd, PART_TEMP, 0);
		if (result < 0) {
			return result;
		}
	}
	job->rclone.done += part_size(job, part);
	return 0;
}

static int
send_index(struct job *job, struct err *err)
{
	AUTO(json_freep) struct json *json = json_new_object();
	AUTO_FREE char *name = xasprintf("%s.index.json", job->entry->file);
	int result;

	json_set_text(json, "schema", "mirror.offsite/1");
	json_set_text(json, "file", job->entry->file);
	json_set_int(json, "taken_ms", job->entry->taken_ms);
	json_set_int(json, "bytes", job->entry->stored_bytes);
	json_set_text(json, "sha256", job->entry->stored_sha256);
	json_set_int(json, "parts", job->nparts);
	json_set_int(json, "part_bytes", job->part_bytes);

	AUTO_FREE char *text = json_write(json, 1);
	if (file_replace(job->manifest->dirfd, INDEX_TEMP, text, strlen(text), 0600,
		    err) < 0) {
		return err->code;
	}
	result = send_object(job, INDEX_TEMP, name, (int64_t)strlen(text), err);
	(void)unlinkat(job->manifest->dirfd, INDEX_TEMP, 0);
	return result;
}

// Every part into @path (a new file), compared with what was stored.
static int
bring_back(struct job *job, const char *path, struct err *err)
{
	AUTO_FREE char *temp = xasprintf("%s/" FETCH_TEMP, job->manifest->dir);
	AUTO_CLOSE int out =
		open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);

	if (out < 0) {
		return err_errno(err, "create %s", path);
	}
	for (int part = 0; part < job->nparts; part++) {
		char name[OBJECT_MAX];
		ssize_t len;

		object_name(job, part, name);
		AUTO_FREE char *from =
			rclone_path(&job->rclone, folder_of(job->manifest), name);
		(void)unlink(temp);
		if (run(job, "copyto", from, temp, "read back", err) < 0) {
			return err->code;
		}
		AUTO_CLOSE int in = open(temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (in < 0) {
			return err_errno(err, "open %s", temp);
		}
		while ((len = fd_read_full(in, chunk, CHUNK, err)) > 0) {
			if (fd_write_all(out, chunk, (size_t)len, err) < 0) {
				return err->code;
			}
		}
		(void)unlink(temp);
		job->rclone.done += part_size(job, part);
		if (len < 0) {
			return err->code;
		}
	}
	return fd_sync(out, path, err);
}

static int
fetch_and_compare(struct job *job, const char *path, struct err *err)
{
	AUTO_FREE char *temp = xasprintf("%s/" FETCH_TEMP, job->manifest->dir);
	char hex[HASH_HEX_MAX];
	int64_t bytes = 0;

	job->rclone.done = 0;
	if (bring_back(job, path, err) < 0) {
		// Gone is what this question was about.
		if (err->code == ERR_NOT_FOUND) {
			err->code = ERR_INVALID;
		}
		goto undo;
	}
	if (archive_hash(AT_FDCWD, path, job->rclone.end_ms, hex, &bytes, err) < 0) {
		goto undo;
	}
	if (bytes != job->entry->stored_bytes ||
		strcmp(hex, job->entry->stored_sha256) != 0) {
		err_raise(err, ERR_INVALID, "%s off-site is not what was sent",
			job->entry->file);
		goto undo;
	}
	return 0;

undo:
	(void)unlink(temp);
	if (err->code != ERR_EXISTS) {
		(void)unlink(path);
	}
	return err->code;
}

static int
read_back(struct job *job, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/" BACK_TEMP, job->manifest->dir);

	(void)unlink(path);
	if (fetch_and_compare(job, path, err) < 0) {
		return err->code;
	}
	(void)unlink(path);
	return 1;
}

static int
check_all(struct job *job, struct err *err)
{
	bool all_proved = true;

	if (list_folder(job, err) < 0) {
		return err->code;
	}
	for (int part = 0; part < job->nparts; part++) {
		bool there = false;
		bool proved = false;

		if (check_object(job, part, &there, &proved, err) < 0) {
			return err->code;
		}
		if (!there) {
			char name[OBJECT_MAX];

			object_name(job, part, name);
			return err_raise(err, ERR_INVALID,
				"%s off-site is gone, cut or different", name);
		}
		all_proved = all_proved && proved;
	}
	return all_proved;
}

static int
verify_job(struct job *job, bool deep, struct err *err)
{
	int proved = check_all(job, err);

	return proved < 0 || !deep ? proved : read_back(job, err);
}

static int
prove(struct manifest *manifest, struct manifest_entry *entry,
	const struct offsite_plan *plan, int64_t part_bytes, struct err *err)
{
	free(entry->offsite.remote);
	entry->offsite = (struct manifest_offsite){ .remote = xstrdup(plan->remote),
		.part_bytes = part_bytes,
		.verified_ms = clock_now_ms(),
		.seen_ms = clock_now_ms() };
	return manifest_save(manifest, err);
}

static int
send_parts(struct job *job, struct err *err)
{
	int proved;

	if (list_folder(job, err) < 0) {
		return err->code;
	}
	for (int part = 0; part < job->nparts; part++) {
		if (send_part(job, part, err) < 0) {
			return err->code;
		}
	}
	proved = check_all(job, err);
	if (proved < 0 || (proved == 0 && read_back(job, err) < 0)) {
		return err->code;
	}
	return send_index(job, err);
}

int
offsite_send(const struct offsite_plan *plan, struct manifest *manifest,
	struct manifest_entry *entry, struct err *err)
{
	AUTO(job_done) struct job job = { .rclone = { .lock_fd = -1 } };

	if (entry->recipient == NULL) {
		(void)err_raise(err, ERR_DENIED,
			"%s is not encrypted: nothing readable leaves this machine",
			entry->file);
		return err_advise(err, "mirror key new, then take a new snapshot");
	}
	if (!entry->complete || !entry->local) {
		return err_raise(
			err, ERR_INVALID, "%s is not complete here", entry->file);
	}
	if (job_begin(&job, plan, manifest, entry, err) < 0 ||
		send_parts(&job, err) < 0) {
		return err->code;
	}
	return prove(manifest, entry, plan, job.part_bytes, err);
}

// Plain ones from before there was a recipient stay here for good; only the newest must
// not be plain.
static bool
wants_sending(const char *remote, const struct manifest *manifest, size_t index)
{
	const struct manifest_entry *entry = &manifest->entries[index];

	return entry->complete && entry->local && entry->verified &&
		entry->provenance != PROVENANCE_TEST &&
		(entry->recipient != NULL || entry == manifest_newest(manifest)) &&
		(entry->offsite.remote == NULL || entry->offsite.verified_ms == 0 ||
			strcmp(entry->offsite.remote, remote) != 0);
}

bool
offsite_owes(const char *remote, const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->nentries; i++) {
		if (wants_sending(remote, manifest, i)) {
			return true;
		}
	}
	return false;
}

int
offsite_send_all(
	const struct offsite_plan *plan, struct manifest *manifest, struct err *err)
{
	struct offsite_plan rest = *plan;
	int64_t end_ms = clock_mono_ms() + plan->timeout_ms;
	int sent = 0;

	for (size_t i = manifest->nentries; i-- > 0;) {
		if (!wants_sending(plan->remote, manifest, i)) {
			continue;
		}
		rest.timeout_ms = MAX_OF(end_ms - clock_mono_ms(), (int64_t)1);
		if (offsite_send(&rest, manifest, &manifest->entries[i], err) < 0) {
			return err->code;
		}
		sent++;
	}
	return sent;
}

int
offsite_verify(const struct offsite_plan *plan, struct manifest *manifest,
	struct manifest_entry *entry, bool deep, struct err *err)
{
	AUTO(job_done) struct job job = { .rclone = { .lock_fd = -1 } };
	struct err ignored = { 0 };
	int proved;

	if (entry->offsite.remote == NULL) {
		return err_raise(err, ERR_INVALID, "%s was never sent", entry->file);
	}
	if (job_begin(&job, plan, manifest, entry, err) < 0) {
		return err->code;
	}
	proved = verify_job(&job, deep, err);
	if (proved == ERR_INVALID) {
		// It no longer counts, and the next sending repairs it.
		entry->offsite.verified_ms = 0;
		entry->offsite.seen_ms = 0;
		(void)!manifest_save(manifest, &ignored);
	}
	if (proved == 0) {
		entry->offsite.seen_ms = clock_now_ms();
		(void)!manifest_save(manifest, &ignored);
	}
	if (proved > 0 && prove(manifest, entry, plan, job.part_bytes, err) < 0) {
		return err->code;
	}
	return proved;
}

int
offsite_fetch(const struct offsite_plan *plan, const struct manifest *manifest,
	const struct manifest_entry *entry, const char *path, struct err *err)
{
	AUTO(job_done) struct job job = { .rclone = { .lock_fd = -1 } };

	if (job_begin(&job, plan, manifest, entry, err) < 0) {
		return err->code;
	}
	return fetch_and_compare(&job, path, err);
}

static bool
is_of_entry(const struct job *job, const char *name)
{
	size_t len = strlen(job->entry->file);
	const char *rest = name + len;

	return strncmp(name, job->entry->file, len) == 0 &&
		(rest[0] == '\0' || strncmp(rest, ".part-", 6) == 0 ||
			strncmp(rest, ".partial-", 9) == 0 ||
			strncmp(rest, ".index.json", 11) == 0);
}

// The entry's own objects, whatever stage they were left in: index first, so that what
// has an index stays complete to the end.
static int
remove_objects(struct job *job, struct err *err)
{
	AUTO_FREE char *index = xasprintf("%s.index.json", job->entry->file);
	AUTO(buf_done) struct buf out = { .max = OUT_MAX };

	if (list_folder(job, err) < 0) {
		return err->code;
	}
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < json_count(job->list); i++) {
			const char *name = json_get_text(json_at(job->list, i), "Name");

			if (name == NULL || !is_of_entry(job, name) ||
				(strcmp(name, index) == 0) != (pass == 0)) {
				continue;
			}

			AUTO_FREE char *path =
				rclone_path(&job->rclone, folder_of(job->manifest), name);
			const char *const args[] = { "deletefile", path, NULL };
			if (rclone_run(&job->rclone, args, NULL, &out, err) < 0 &&
				err->code != ERR_NOT_FOUND) {
				return err->code;
			}
		}
	}
	err_clear(err);
	return 0;
}

static int
forget(const struct offsite_plan *plan, struct manifest *manifest, size_t index,
	struct err *err)
{
	struct manifest_entry *entry = &manifest->entries[index];
	AUTO(job_done) struct job job = { .rclone = { .lock_fd = -1 } };

	if (job_begin(&job, plan, manifest, entry, err) < 0 ||
		remove_objects(&job, err) < 0) {
		return err->code;
	}
	free(STEAL(entry->offsite.remote));
	entry->offsite = (struct manifest_offsite){ 0 };
	if (!entry->local) {
		manifest_drop(manifest, index);
	}
	return manifest_save(manifest, err);
}

int
offsite_prune(const struct offsite_plan *plan, struct manifest *manifest,
	const struct retain_policy *policy, int64_t now_ms, bool dry_run, struct err *err)
{
	size_t count = manifest->nentries;
	AUTO_FREE struct retain_copy *copies = xcalloc(count + 1, sizeof(*copies));
	AUTO_FREE size_t *places = xcalloc(count + 1, sizeof(*places));
	AUTO_FREE bool *keep = xcalloc(count + 1, sizeof(*keep));
	size_t ncopies = 0;
	int removed = 0;

	for (size_t i = 0; i < count; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];

		if (entry->offsite.remote != NULL &&
			strcmp(entry->offsite.remote, plan->remote) == 0) {
			places[ncopies] = i;
			copies[ncopies++] =
				manifest_copy_of(entry, entry->offsite.verified_ms > 0);
		}
	}
	(void)retain_decide(policy, now_ms, copies, ncopies, keep);
	for (size_t i = ncopies; i-- > 0;) {
		if (keep[i]) {
			continue;
		}
		removed++;
		if (!dry_run && forget(plan, manifest, places[i], err) < 0) {
			return err->code;
		}
	}
	return removed;
}
