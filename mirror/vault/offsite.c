// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One object on its way:
 *
 *     copy X.partial-<id>  ->  is the size right?  ->  move to X
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
#include "base/hash.h"
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

enum {
	CHUNK = 1024 * 1024,
	OBJECT_MAX = 160,
	ID_LEN = 8
};

struct job {
	const struct offsite_plan *plan;
	const struct manifest *manifest;
	const struct manifest_entry *entry;
	// The plan's session, or one for this job alone.
	struct rclone *rclone;
	struct rclone *own;
	int64_t part_bytes;
	int nparts;
	// What rclone_list() gave.
	struct json *listing;
};

struct rclone *
offsite_begin(void)
{
	struct rclone *session = xcalloc(1, sizeof(*session));

	session->lock_fd = -1;
	return session;
}

void
offsite_end(struct rclone *session)
{
	if (session != NULL) {
		rclone_close(session);
		free(session);
	}
}

void
offsite_rest(struct rclone *session)
{
	rclone_rest(session);
}

void
offsite_endp(struct rclone **session)
{
	offsite_end(*session);
}

static void
job_done(struct job *job)
{
	offsite_end(job->own);
	json_free(job->listing);
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
open_rclone(struct job *job, struct err *err)
{
	const struct offsite_plan *plan = job->plan;

	job->own = plan->session == NULL ? offsite_begin() : NULL;
	job->rclone = plan->session != NULL ? plan->session : job->own;
	if (rclone_open(job->rclone, plan->remote, plan->lock_dir, err) < 0) {
		return err->code;
	}
	job->rclone->bandwidth = plan->bandwidth;
	job->rclone->tries = plan->tries > 0 ? plan->tries : OFFSITE_TRIES;
	job->rclone->pause_ms = plan->pause_ms > 0 ? plan->pause_ms : OFFSITE_PAUSE_MS;
	job->rclone->pause_max_ms = OFFSITE_PAUSE_MAX_MS;
	job->rclone->end_ms = clock_mono_ms() + plan->timeout_ms;
	job->rclone->progress = plan->progress;
	job->rclone->payload = plan->payload;
	job->rclone->done = 0;
	job->rclone->total = job->entry->stored_bytes;
	return 0;
}

static int
job_begin(struct job *job, const struct offsite_plan *plan,
	const struct manifest *manifest, const struct manifest_entry *entry,
	struct err *err)
{
	const char *name = folder_of(manifest);

	*job = (struct job){ .plan = plan, .manifest = manifest, .entry = entry };
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
	return open_rclone(job, err);
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

// What the listing says of its size; -1 it is not there.
static int64_t
listed_size(const struct job *job, const char *name)
{
	const struct json *list = json_get(job->listing, "list");

	for (size_t i = 0; i < json_count(list); i++) {
		const char *found = json_get_text(json_at(list, i), "Name");

		if (found != NULL && strcmp(found, name) == 0) {
			return json_get_int(json_at(list, i), "Size", -1);
		}
	}
	return -1;
}

static int
list_folder(struct job *job, struct err *err)
{
	json_free(STEAL(job->listing));
	return rclone_list(job->rclone, folder_of(job->manifest), &job->listing, err);
}

static int
check_partial(struct job *job, const char *name, int64_t bytes, struct err *err)
{
	char hex[HASH_HEX_MAX];
	int64_t there = -1;

	if (rclone_look(job->rclone, folder_of(job->manifest), name, &there, hex, err) <
		0) {
		return err->code;
	}
	if (there != bytes) {
		return err_raise(err, ERR_REMOTE,
			"%s: sent %lld bytes, the remote has %lld", name,
			(long long)bytes, (long long)there);
	}
	return 0;
}

static int
send_object(struct job *job, const char *local, const char *name, int64_t bytes,
	struct err *err)
{
	AUTO_FREE char *partial =
		xasprintf("%s.partial-%.*s", name, ID_LEN, job->entry->stored_sha256);
	const char *folder = folder_of(job->manifest);

	if (rclone_send(job->rclone, job->manifest->dir, local, folder, partial, err) <
			0 ||
		check_partial(job, partial, bytes, err) < 0 ||
		rclone_move(job->rclone, folder, partial, name, err) < 0) {
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
	char offered[HASH_HEX_MAX];
	int64_t bytes = 0;
	int result;

	object_name(job, part, name);
	*ret_proved = false;
	*ret_there = listed_size(job, name) == part_size(job, part);
	if (!*ret_there || !job->entry->local) {
		return 0;
	}
	if (rclone_look(job->rclone, folder_of(job->manifest), name, &bytes, offered,
		    err) < 0) {
		return err->code;
	}
	if (offered[0] == '\0') {
		return 0;
	}
	if (job->nparts > 1 && cut_part(job, part, err) < 0) {
		return err->code;
	}
	result = archive_hash(job->manifest->dirfd,
		job->nparts > 1 ? PART_TEMP : job->entry->file, job->rclone->end_ms, hex,
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
	job->rclone->done += part_size(job, part);
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

// One part that came back: hashed, and written to @out unless it is -1.
static int
take_part(int in, int out, struct hash *hash, int64_t *bytes, struct err *err)
{
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	ssize_t len;

	while ((len = fd_read_full(in, chunk, CHUNK, err)) > 0) {
		hash_add(hash, chunk, (size_t)len);
		*bytes += len;
		if (out >= 0 && fd_write_all(out, chunk, (size_t)len, err) < 0) {
			return err->code;
		}
	}
	return len < 0 ? err->code : 0;
}

static int
bring_part(struct job *job, int part, int out, struct hash *hash, int64_t *bytes,
	struct err *err)
{
	const struct manifest *manifest = job->manifest;
	char name[OBJECT_MAX];
	int result;

	object_name(job, part, name);
	(void)unlinkat(manifest->dirfd, FETCH_TEMP, 0);
	if (rclone_fetch(job->rclone, folder_of(manifest), name, manifest->dir,
		    FETCH_TEMP, err) < 0) {
		return err->code;
	}
	AUTO_CLOSE int in =
		openat(manifest->dirfd, FETCH_TEMP, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0) {
		return err_errno(err, "open " FETCH_TEMP);
	}
	result = take_part(in, out, hash, bytes, err);
	(void)unlinkat(manifest->dirfd, FETCH_TEMP, 0);
	job->rclone->done += part_size(job, part);
	return result;
}

// Every part back, compared with what was stored; into @out as well unless it is -1.
static int
bring_back(struct job *job, int out, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];
	int64_t bytes = 0;

	job->rclone->done = 0;
	for (int part = 0; part < job->nparts; part++) {
		if (bring_part(job, part, out, hash, &bytes, err) < 0) {
			(void)unlinkat(job->manifest->dirfd, FETCH_TEMP, 0);
			// Gone is what this question was about.
			err->code = err->code == ERR_NOT_FOUND ? ERR_INVALID : err->code;
			return err->code;
		}
	}
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), hex);
	if (bytes != job->entry->stored_bytes ||
		strcmp(hex, job->entry->stored_sha256) != 0) {
		return err_raise(err, ERR_INVALID, "%s off-site is not what was sent",
			job->entry->file);
	}
	return 0;
}

static int
fetch_to(struct job *job, const char *path, struct err *err)
{
	AUTO_CLOSE int out =
		open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (out < 0) {
		return err_errno(err, "create %s", path);
	}
	if (bring_back(job, out, err) < 0 || fd_sync(out, path, err) < 0) {
		(void)unlink(path);
		return err->code;
	}
	return 0;
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

	return proved < 0 || !deep             ? proved
		: bring_back(job, -1, err) < 0 ? err->code
					       : 1;
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
	if (proved < 0 || (proved == 0 && bring_back(job, -1, err) < 0)) {
		return err->code;
	}
	return send_index(job, err);
}

int
offsite_send(const struct offsite_plan *plan, struct manifest *manifest,
	struct manifest_entry *entry, struct err *err)
{
	AUTO(job_done) struct job job = { 0 };

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
	AUTO(offsite_endp) struct rclone *own = NULL;
	struct offsite_plan rest = *plan;
	int64_t end_ms = clock_mono_ms() + plan->timeout_ms;
	int sent = 0;

	if (rest.session == NULL) {
		rest.session = own = offsite_begin();
	}

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
	AUTO(job_done) struct job job = { 0 };
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
		(void)snprintf(entry->offsite.wrong, sizeof(entry->offsite.wrong),
			"%.190s", err->msg);
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
	AUTO(job_done) struct job job = { 0 };

	if (job_begin(&job, plan, manifest, entry, err) < 0) {
		return err->code;
	}
	return fetch_to(&job, path, err);
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
	const struct json *list;

	if (list_folder(job, err) < 0) {
		return err->code;
	}
	list = json_get(job->listing, "list");
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < json_count(list); i++) {
			const char *name = json_get_text(json_at(list, i), "Name");

			if (name == NULL || !is_of_entry(job, name) ||
				(strcmp(name, index) == 0) != (pass == 0)) {
				continue;
			}
			if (rclone_delete(job->rclone, folder_of(job->manifest), name,
				    err) < 0 &&
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
	AUTO(job_done) struct job job = { 0 };

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
	AUTO(offsite_endp) struct rclone *own = NULL;
	struct offsite_plan all = *plan;
	size_t ncopies = 0;
	int removed = 0;

	if (all.session == NULL) {
		all.session = own = offsite_begin();
	}
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
		if (!dry_run && forget(&all, manifest, places[i], err) < 0) {
			return err->code;
		}
	}
	return removed;
}
