// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     lock folder -> child: copy, check -> same as last? -> compress, encrypt
 *       -> list it (incomplete) -> rename -> sync folder -> list it (complete)
 *
 * Killed before the rename, the next one sweeps a temporary; killed after it, the next
 * one finds a whole file under an incomplete entry and completes it.
 */

#include "vault/snapshot.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "vault/archive.h"
#include "vault/child.h"
#include "vault/owner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PLAIN_NAME FILE_TEMP_PREFIX "plain.sqlite"

struct take {
	const struct snapshot_plan *plan;
	struct snapshot *ret;
	struct manifest manifest;
	int64_t end_ms;
	struct inspect found;
	char sha256[HASH_HEX_MAX];
	int64_t bytes;
	char method[16];
	struct archive archive;
	bool full;
};

static void
take_done(struct take *take)
{
	manifest_close(&take->manifest);
	inspect_done(&take->found);
}

void
snapshot_done(struct snapshot *snapshot)
{
	free(snapshot->path);
	free(snapshot->entry.recipient);
	free(snapshot->entry.offsite.remote);
	inspect_done(&snapshot->entry.found);
	identity_done(&snapshot->identity);
	*snapshot = (struct snapshot){ 0 };
}

static enum snapshot_why
why_of(const char *why)
{
	static const struct {
		const char *word;
		enum snapshot_why why;
	} words[] = {
		{ INSPECT_FOREIGN, SNAPSHOT_NOT_A_DATABASE },
		{ INSPECT_DAMAGED, SNAPSHOT_DAMAGED },
		{ INSPECT_REPLACED, SNAPSHOT_REPLACED },
	};

	for (size_t i = 0; why != NULL && i < countof(words); i++) {
		if (strcmp(words[i].word, why) == 0) {
			return words[i].why;
		}
	}
	return SNAPSHOT_FAILED;
}

static int
take_answer(struct take *take, const struct json *answer, struct err *err)
{
	const char *sha256 = json_get_text(answer, "sha256");
	const char *method = json_get_text(answer, "method");

	if (sha256 == NULL || method == NULL) {
		return err_raise(err, ERR_BUG, "the database process said too little");
	}
	(void)snprintf(take->sha256, sizeof(take->sha256), "%s", sha256);
	(void)snprintf(take->method, sizeof(take->method), "%s", method);
	take->bytes = json_get_int(answer, "bytes", 0);
	return inspect_from_json(json_get(answer, "found"), &take->found, err);
}

static int
copy_in_child(struct take *take, struct err *err)
{
	const struct snapshot_plan *plan = take->plan;
	const struct identity *identity = &take->ret->identity;
	int64_t left = take->end_ms - clock_mono_ms();
	AUTO(json_freep) struct json *request = NULL;
	AUTO(json_freep) struct json *answer = NULL;
	AUTO_FREE char *dir = realpath(plan->dir, NULL);
	AUTO_FREE char *target = NULL;
	int result;

	if (dir == NULL) {
		return err_errno(err, "look at %s", plan->dir);
	}
	if (left <= 0) {
		return err_raise(err, ERR_TIMEOUT, "waiting took all the time there was");
	}
	target = xasprintf("%s/" PLAIN_NAME, dir);
	request = child_request("snapshot", left);
	json_set_bytes(request, "source", identity->path, strlen(identity->path));
	json_set_bytes(request, "target", target, strlen(target));
	json_set_int(request, "dev", (int64_t)identity->dev);
	json_set_int(request, "inode", (int64_t)identity->inode);
	json_set_int(request, "stall_ms",
		plan->stall_ms != 0 ? plan->stall_ms : SNAPSHOT_STALL_MS);
	json_set_bool(request, "full", take->full);
	// archive_store() brings to the disk what stays.
	json_set_bool(request, "passing", true);
	result = child_run(
		plan->self, request, left, plan->progress, plan->payload, &answer, err);
	if (result < 0) {
		take->ret->why = why_of(json_get_text(answer, "why"));
		return result;
	}
	return take_answer(take, answer, err);
}

// The same from the program that owns it; without an answer there is no copy.
static int
copy_from_owner(struct take *take, struct err *err)
{
	const struct manifest_entry *last = manifest_newest(&take->manifest);
	AUTO(owner_copy_done) struct owner_copy copy = { 0 };
	struct owner_plan plan = { .self = take->plan->self,
		.socket = take->plan->owner,
		.tool = take->plan->owner_tool,
		.path = take->ret->identity.path,
		.dir = take->plan->dir,
		.timeout_ms = MAX_OF(take->end_ms - clock_mono_ms(), (int64_t)1),
		.known = last != NULL ? &last->found : NULL };

	if (owner_ask(&plan, &copy, err) < 0) {
		if (strstr(err->msg, "wrong_database") != NULL) {
			take->ret->why = SNAPSHOT_REPLACED;
		}
		return err->code;
	}
	if (renameat(AT_FDCWD, copy.path, take->manifest.dirfd, PLAIN_NAME) < 0) {
		return err_errno(err, "take the owner's copy");
	}
	(void)stpcpy(take->method, "owner");
	(void)stpcpy(take->sha256, copy.sha256);
	take->bytes = copy.bytes;
	take->found = copy.found;
	copy.found = (struct inspect){ 0 };
	return 0;
}

static int
make_copy(struct take *take, struct err *err)
{
	return take->plan->owner != NULL ? copy_from_owner(take, err)
					 : copy_in_child(take, err);
}

// Is what stands at the path what the list knows?
static int
check_replaced(struct take *take, struct err *err)
{
	const struct identity *known = &take->manifest.identity;
	const struct identity *now = &take->ret->identity;

	take->ret->replaced = known->inode != 0 && known->inode != now->inode;
	if (!take->plan->refuse_replaced ||
		(!take->ret->replaced && !manifest_is_replaced(&take->manifest))) {
		return 0;
	}
	take->ret->why = SNAPSHOT_REPLACED;
	AUTO_FREE char *fact = xasprintf("db:%s", take->plan->name);
	AUTO_FREE char *word = path_shell(fact);
	(void)err_raise(err, ERR_INVALID,
		"wrong_database: %s (inode %llu) is another file than the one known "
		"before",
		now->path, (unsigned long long)now->inode);
	return err_advise(err, "if you replaced it yourself: mirror accept %s", word);
}

static bool
same_text(const char *left, const char *right)
{
	return (left == NULL) == (right == NULL) &&
		(left == NULL || strcmp(left, right) == 0);
}

// Is the newest snapshot this very content, stored as it should be, and still there?
static struct manifest_entry *
find_same(const struct take *take)
{
	struct manifest_entry *last = manifest_newest(&take->manifest);
	bool packed;
	struct stat info;

	if (last == NULL || take->ret->replaced ||
		take->plan->provenance == PROVENANCE_TEST ||
		strcmp(last->sha256, take->sha256) != 0 ||
		!same_text(last->recipient, take->plan->recipient)) {
		return NULL;
	}
	packed = strstr(last->file, ".zst") != NULL;
	if (packed != (take->plan->level != 0) ||
		fstatat(take->manifest.dirfd, last->file, &info, AT_SYMLINK_NOFOLLOW) <
			0 ||
		info.st_size != last->stored_bytes) {
		return NULL;
	}
	return last;
}

static void
give_entry(struct take *take, const struct manifest_entry *entry)
{
	struct snapshot *ret = take->ret;

	ret->why = SNAPSHOT_OK;
	ret->path = xasprintf("%s/%s", take->plan->dir, entry->file);
	ret->entry = *entry;
	ret->entry.recipient =
		entry->recipient != NULL ? xstrdup(entry->recipient) : NULL;
	ret->entry.offsite.remote =
		entry->offsite.remote != NULL ? xstrdup(entry->offsite.remote) : NULL;
	inspect_copy(&entry->found, &ret->entry.found);
}

static void
remember(struct take *take)
{
	struct manifest *manifest = &take->manifest;
	const struct identity *now = &take->ret->identity;

	if (take->ret->replaced) {
		manifest->lineage++;
	}
	identity_done(&manifest->identity);
	manifest->identity = (struct identity){
		.path = xstrdup(take->plan->shown_path != NULL ? take->plan->shown_path
							       : now->path),
		.dev = now->dev,
		.inode = now->inode
	};
	manifest->full_ms = take->full ? clock_now_ms() : manifest->full_ms;
	free(manifest->name);
	manifest->name = xstrdup(take->plan->name);
	manifest->seen_ms = clock_now_ms();
}

// "2026-11-21T093000Z[-n].sqlite.zst": no colon, for the sake of every remote.
static void
choose_name(struct take *take, int64_t now_ms, char name[ARCHIVE_NAME_MAX])
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm parts = { 0 };
	char stamp[32];
	struct stat info;

	(void)gmtime_r(&seconds, &parts);
	(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H%M%SZ", &parts);
	(void)snprintf(name, ARCHIVE_NAME_MAX, "%s%s", stamp, take->archive.suffix);
	for (int n = 2; manifest_find(&take->manifest, name) != NULL ||
		fstatat(take->manifest.dirfd, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
		n++) {
		(void)snprintf(name, ARCHIVE_NAME_MAX, "%s-%d%s", stamp, n,
			take->archive.suffix);
	}
}

static void
fill_entry(struct take *take, struct manifest_entry *entry)
{
	static const struct guard_policy policy = GUARD_DEFAULT;
	const struct manifest_entry *before = manifest_before_loss(&take->manifest);
	char name[ARCHIVE_NAME_MAX];

	if (before != NULL) {
		(void)guard_check(&policy, &before->found, &take->found, entry->shrunk);
	}
	entry->taken_ms = clock_now_ms();
	entry->provenance = take->plan->provenance;
	entry->recipient =
		take->plan->recipient != NULL ? xstrdup(take->plan->recipient) : NULL;
	(void)stpcpy(entry->sha256, take->sha256);
	(void)stpcpy(entry->stored_sha256, take->archive.sha256);
	(void)stpcpy(entry->method, take->method);
	entry->bytes = take->bytes;
	entry->stored_bytes = take->archive.bytes;
	entry->verified = true;
	inspect_copy(&take->found, &entry->found);
	choose_name(take, entry->taken_ms, name);
	(void)stpcpy(entry->file, name);
}

static int
publish(struct take *take, struct err *err)
{
	struct manifest *manifest = &take->manifest;
	struct manifest_entry *entry;

	if (manifest->nentries >= MANIFEST_ENTRIES_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %d snapshots in %s",
			MANIFEST_ENTRIES_MAX, manifest->dir);
	}
	remember(take);
	entry = manifest_add(manifest);
	fill_entry(take, entry);
	if (manifest_save(manifest, err) < 0) {
		return err->code;
	}
	if (renameat(manifest->dirfd, take->archive.temp, manifest->dirfd, entry->file) <
		0) {
		return err_errno(err, "rename to %s", entry->file);
	}
	if (fd_sync(manifest->dirfd, manifest->dir, err) < 0) {
		return err->code;
	}
	entry->complete = true;
	if (manifest_save(manifest, err) < 0) {
		return err->code;
	}
	give_entry(take, entry);
	return 0;
}

static int
store(struct take *take, struct err *err)
{
	struct archive_plan plan = {
		.dirfd = take->manifest.dirfd,
		.plain = PLAIN_NAME,
		.sha256 = take->sha256,
		.level = take->plan->level,
		.recipient = take->plan->recipient,
		.end_ms = take->end_ms,
		.progress = take->plan->progress,
		.payload = take->plan->payload,
	};

	return archive_store(&plan, &take->archive, err);
}

static bool
is_full_due(const struct take *take)
{
	int64_t age_ms = clock_now_ms() - take->manifest.full_ms;

	return take->plan->full_every_ms > 0 &&
		(age_ms < 0 || age_ms >= take->plan->full_every_ms);
}

// The same content as the newest one, or a new archive.
static int
keep(struct take *take, struct err *err)
{
	struct manifest_entry *same = find_same(take);

	if (same != NULL) {
		take->ret->unchanged = true;
		remember(take);
		give_entry(take, same);
		return manifest_save(&take->manifest, err);
	}
	if (store(take, err) < 0) {
		return err->code;
	}
	return publish(take, err);
}

static int
run(struct take *take, struct err *err)
{
	const struct snapshot_plan *plan = take->plan;

	if (identity_of(plan->path, &take->ret->identity, err) < 0) {
		if (err->code == ERR_INVALID) {
			take->ret->why = SNAPSHOT_NOT_A_DATABASE;
		}
		return err->code;
	}
	if (manifest_open(plan->dir, MANIFEST_WRITE,
		    MIN_OF(plan->timeout_ms, (int64_t)SNAPSHOT_LOCK_MS), &take->manifest,
		    err) < 0) {
		return err->code;
	}
	take->full = is_full_due(take);
	if (check_replaced(take, err) < 0 || make_copy(take, err) < 0 ||
		keep(take, err) < 0) {
		return err->code;
	}
	// Told until a person accepts it.
	take->ret->replaced =
		take->ret->replaced || manifest_is_replaced(&take->manifest);
	return 0;
}

int
snapshot_take(
	const struct snapshot_plan *plan, struct snapshot *ret_snapshot, struct err *err)
{
	AUTO(take_done) struct take take = { .plan = plan, .ret = ret_snapshot };
	int result;

	*ret_snapshot = (struct snapshot){ .why = SNAPSHOT_FAILED };
	take.end_ms = clock_mono_ms() + plan->timeout_ms;
	result = run(&take, err);
	if (take.manifest.locked) {
		static const char *const rest[] = { PLAIN_NAME, PLAIN_NAME "-journal",
			PLAIN_NAME ".image", PLAIN_NAME ".image-journal",
			PLAIN_NAME ".image-wal", PLAIN_NAME ".image-shm" };

		// A killed child could not tidy up after itself.
		for (size_t i = 0; i < countof(rest); i++) {
			(void)unlinkat(take.manifest.dirfd, rest[i], 0);
		}
		if (result < 0 && take.archive.temp[0] != '\0') {
			(void)unlinkat(take.manifest.dirfd, take.archive.temp, 0);
		}
	}
	return result;
}

static int
verify_opened(const char *self, const struct manifest *manifest,
	const struct manifest_entry *entry, const char *identity, int64_t end_ms,
	struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", manifest->dir, entry->file);
	AUTO_FREE char *dir = realpath(manifest->dir, NULL);
	AUTO(json_freep) struct json *request = child_request("inspect", 1);
	AUTO(json_freep) struct json *answer = NULL;
	AUTO_FREE char *plain = NULL;
	const char *sha256;
	int result;

	if (dir == NULL) {
		return err_errno(err, "look at %s", manifest->dir);
	}
	plain = xasprintf("%s/" FILE_TEMP_PREFIX "verify.%d.sqlite", dir, (int)getpid());
	(void)unlink(plain);
	if (archive_open(path, plain, identity, entry->bytes, end_ms, err) < 0) {
		// A disk that takes no file of this size says the same.
		if (err->code == ERR_TOO_BIG && strstr(err->msg, "more than ") != NULL) {
			err->code = ERR_INVALID;
		}
		return err->code;
	}
	json_set_bytes(request, "source", plain, strlen(plain));
	json_set_bool(request, "full", true);
	json_set_int(
		request, "deadline_ms", MAX_OF(end_ms - clock_mono_ms(), (int64_t)1));
	result = child_run(self, request, MAX_OF(end_ms - clock_mono_ms(), (int64_t)1),
		NULL, NULL, &answer, err);
	(void)unlink(plain);
	if (result < 0) {
		return result;
	}
	sha256 = json_get_text(answer, "sha256");
	if (sha256 == NULL || strcmp(sha256, entry->sha256) != 0) {
		return err_raise(err, ERR_INVALID,
			"%s opens to something else than was stored", entry->file);
	}
	return SNAPSHOT_OPENED;
}

int
snapshot_verify(const char *self, const char *dir, const char *file, const char *identity,
	int64_t timeout_ms, struct err *err)
{
	AUTO(manifest_close) struct manifest manifest = { 0 };
	int64_t end_ms = clock_mono_ms() + timeout_ms;
	const struct manifest_entry *entry;
	char hex[HASH_HEX_MAX];
	int64_t bytes = 0;

	if (manifest_open(dir, MANIFEST_READ, 0, &manifest, err) < 0) {
		return err->code;
	}
	entry = manifest_find(&manifest, file);
	if (entry == NULL) {
		return err_raise(err, ERR_NOT_FOUND, "no snapshot %s in %s", file, dir);
	}
	if (archive_hash(manifest.dirfd, file, end_ms, hex, &bytes, err) < 0) {
		return err_wrap(err, "verify %s", file);
	}
	if (bytes != entry->stored_bytes || strcmp(hex, entry->stored_sha256) != 0) {
		return err_raise(err, ERR_INVALID,
			"%s is damaged: it is not what was stored", file);
	}
	if (entry->recipient != NULL && identity == NULL) {
		return SNAPSHOT_STORED;
	}
	return verify_opened(self, &manifest, entry, identity, end_ms, err);
}
