// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/export.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "vault/child.h"
#include "vault/owner.h"
#include "vault/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 1024 * 1024,
};

static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

void
export_done(struct export *made)
{
	free(made->target);
	free(made->source);
	*made = (struct export){ 0 };
}

// ---- may it stand there?

// By name or by inode: a live database and what belongs to it are never a target, also
// while a companion does not exist.
static bool
belongs_to(const char *database, const char *target)
{
	AUTO_FREE char *real = realpath(database, NULL);
	struct stat info;
	bool exists = stat(target, &info) == 0;

	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name =
			xasprintf("%s%s", real != NULL ? real : database, suffixes[i]);
		struct stat other;

		if (strcmp(name, target) == 0 ||
			(exists && stat(name, &other) == 0 &&
				other.st_dev == info.st_dev &&
				other.st_ino == info.st_ino)) {
			return true;
		}
	}
	return false;
}

static bool
is_taboo(const struct export_plan *plan, const char *target)
{
	bool found = belongs_to(plan->source, target);

	for (size_t i = 0; i < plan->ntaboo && !found; i++) {
		found = belongs_to(plan->taboo[i], target);
	}
	return found;
}

// The place itself: its folder's links resolved, its last part as it was given.
static int
resolve(const char *given, char **ret_target, struct err *err)
{
	const char *base = path_base(given);
	AUTO_FREE char *folder = NULL;
	AUTO_FREE char *real = NULL;

	if (given[0] != '/' || strlen(given) >= EXPORT_PATH_MAX || base[0] == '\0' ||
		strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
		return err_raise(err, ERR_INVALID,
			"the target must be the absolute path of a file, at most %d "
			"bytes",
			EXPORT_PATH_MAX - 1);
	}
	folder = xmemdup0(given, (size_t)(base - given));
	real = realpath(folder, NULL);
	if (real == NULL) {
		return err_raise(err, ERR_INVALID, "the folder of the target: %s",
			strerror(errno));
	}
	*ret_target = path_join(real, base);
	return 0;
}

static int
check_target(const struct export_plan *plan, const char *target, const char *part,
	struct err *err)
{
	struct stat info;

	if (is_taboo(plan, target) || is_taboo(plan, part)) {
		return err_raise(err, ERR_INVALID,
			"the target is a live database, or belongs to one");
	}
	// A companion that lies there would be taken for the copy's own.
	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name = xasprintf("%s%s", target, suffixes[i]);

		if (lstat(name, &info) == 0) {
			return err_raise(err, ERR_EXISTS,
				"the target%s exists already: nothing is written over",
				suffixes[i]);
		}
	}
	if (lstat(part, &info) == 0) {
		return err_raise(err, ERR_EXISTS,
			"%s exists: another copy is under way, or was killed", part);
	}
	return 0;
}

// ---- the copy

static int
ask_child(const struct export_plan *plan, struct export *made, const char *part,
	struct err *err)
{
	AUTO(json_freep)
	struct json *request = child_request("snapshot", plan->timeout_ms);
	AUTO(json_freep) struct json *answer = NULL;
	const char *sha256;

	json_set_bytes(request, "source", made->source, strlen(made->source));
	json_set_bytes(request, "target", part, strlen(part));
	json_set_int(request, "dev", (int64_t)made->dev);
	json_set_int(request, "inode", (int64_t)made->inode);
	json_set_int(request, "stall_ms",
		plan->stall_ms != 0 ? plan->stall_ms : SNAPSHOT_STALL_MS);
	if (child_run(plan->self, request, plan->timeout_ms, plan->progress,
		    plan->payload, &answer, err) < 0) {
		return err->code;
	}
	sha256 = json_get_text(answer, "sha256");
	(void)snprintf(
		made->sha256, sizeof(made->sha256), "%s", sha256 != NULL ? sha256 : "");
	made->bytes = json_get_int(answer, "bytes", 0);
	made->rows = json_get_int(json_get(answer, "found"), "rows", 0);
	return 0;
}

// From our own folder to the part: two file systems, maybe.
static int
carry(const char *from, const char *to, int64_t end_ms, struct err *err)
{
	AUTO_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_CLOSE int out =
		open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	ssize_t len;

	if (in < 0 || out < 0) {
		return err_errno(err, "open %s", in < 0 ? from : to);
	}
	while ((len = fd_read_full(in, chunk, CHUNK, err)) > 0) {
		if (fd_write_all(out, chunk, (size_t)len, err) < 0) {
			return err->code;
		}
		if (clock_mono_ms() >= end_ms) {
			return err_raise(err, ERR_TIMEOUT, "the copy took too long");
		}
	}
	return len < 0 ? err->code : fd_sync(out, to, err);
}

static int
ask_owner(const struct export_plan *plan, struct export *made, const char *part,
	struct err *err)
{
	AUTO(owner_copy_done) struct owner_copy copy = { 0 };
	int64_t end_ms = clock_mono_ms() + plan->timeout_ms;
	struct owner_plan owner = { .self = plan->self,
		.socket = plan->owner,
		.tool = plan->owner_tool,
		.path = made->source,
		.dir = plan->dir,
		.timeout_ms = plan->timeout_ms };

	if (owner_ask(&owner, &copy, err) < 0 ||
		carry(copy.path, part, end_ms, err) < 0) {
		return err->code;
	}
	(void)snprintf(made->sha256, sizeof(made->sha256), "%s", copy.sha256);
	made->bytes = copy.bytes;
	made->rows = copy.found.rows;
	return 0;
}

static int
put_in_place(const char *part, const char *target, struct err *err)
{
	AUTO_FREE char *folder = xmemdup0(target, (size_t)(path_base(target) - target));

	if (renameat2(AT_FDCWD, part, AT_FDCWD, target, RENAME_NOREPLACE) < 0) {
		return errno == EEXIST
			? err_raise(err, ERR_EXISTS,
				  "the target exists already: nothing is written over")
			: err_errno(err, "put the copy at %s", target);
	}
	return fd_sync_folder(folder, err);
}

static void
remove_part(const char *part)
{
	// A killed child could not tidy up after itself.
	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name = xasprintf("%s%s", part, suffixes[i]);
		AUTO_FREE char *image = xasprintf("%s.image%s", part, suffixes[i]);

		(void)unlink(name);
		(void)unlink(image);
	}
}

int
export_make(const struct export_plan *plan, struct export *ret_made, struct err *err)
{
	AUTO(export_done) struct export made = { .source = realpath(plan->source, NULL) };
	AUTO_FREE char *part = NULL;
	struct stat info;
	int result;

	if (made.source == NULL || stat(made.source, &info) < 0) {
		return err_errno(err, "look at %s", plan->source);
	}
	made.dev = info.st_dev;
	made.inode = info.st_ino;
	if (resolve(plan->target, &made.target, err) < 0) {
		return err->code;
	}
	part = xasprintf("%s.part", made.target);
	if (check_target(plan, made.target, part, err) < 0) {
		return err->code;
	}
	result = plan->owner != NULL ? ask_owner(plan, &made, part, err)
				     : ask_child(plan, &made, part, err);
	if (result == 0) {
		result = put_in_place(part, made.target, err);
	}
	if (result < 0) {
		remove_part(part);
		return result;
	}
	*ret_made = made;
	made = (struct export){ 0 };
	return 0;
}
