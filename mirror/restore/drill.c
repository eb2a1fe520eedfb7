// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The commit that is restored is the one the remote has, which may be older than ours
 * when a push is still to come, but must be one of ours.
 *
 *     look at the remote -> is it ours? -> fetch -> choose -> restore -> compare -> clean
 *
 * A remote that does not answer makes a drill inconclusive; one that answers and has the
 * wrong thing, or gives something else than what we have, makes it fail.
 */

#include "restore/drill.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "restore/listing.h"
#include "restore/place.h"
#include "restore/restore.h"
#include "restore/sample.h"
#include "vault/archive.h"
#include "vault/inspect.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	/** No snapshot in git is larger. */
	DRILL_SNAPSHOT_MAX = 256 * 1024 * 1024,
	SCRATCH_TRIES = 3,
};

struct drill {
	const struct drill_options *options;
	struct drill_result *result;
	struct err *err;
	int64_t began_ms;
	int64_t end_ms;
	bool timed_out;
	uint64_t told;
	/** The scratch folder: its path, the folder it is in, its name there. */
	char *scratch;
	int topfd;
	char name[40];
	/** What was fetched; NULL: ours. */
	struct repo *fetched;
	struct oid commit;
	struct sample sample;
	/** The scratch folder's file system knows extended attributes. */
	bool keeps_attributes;
};

const char *
drill_outcome_word(enum drill_outcome outcome)
{
	static const char *const words[] = {
		[DRILL_PASSED] = "passed",
		[DRILL_FAILED] = "failed",
		[DRILL_INCONCLUSIVE] = "inconclusive",
	};

	return words[outcome];
}

// ---- the outcome

static void
explain(struct drill *drill, const char *text)
{
	AUTO_FREE char *shown = path_printable(text);

	if (drill->result->why[0] == '\0') {
		(void)snprintf(
			drill->result->why, sizeof(drill->result->why), "%s", shown);
	}
	if (drill->options->told != NULL && drill->told++ < DRILL_TOLD_MAX) {
		drill->options->told(shown, drill->options->payload);
	}
}

// A difference: this drill failed.
static void differs(struct drill *drill, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
differs(struct drill *drill, const char *fmt, ...)
{
	char text[DRILL_WHY_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	// A difference is worth more than an earlier doubt.
	if (drill->result->outcome != DRILL_FAILED) {
		drill->result->why[0] = '\0';
	}
	drill->result->outcome = DRILL_FAILED;
	drill->result->differ++;
	explain(drill, text);
}

// Something could not be tried.
static void
doubts(struct drill *drill, const char *text)
{
	if (drill->result->outcome == DRILL_PASSED) {
		drill->result->outcome = DRILL_INCONCLUSIVE;
	}
	explain(drill, text);
}

// For restore_run(): time, and whoever waits.
static int
go_on(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct drill *drill = payload;

	if (clock_mono_ms() >= drill->end_ms) {
		drill->timed_out = true;
		return 1;
	}
	return drill->options->progress == NULL
		? 0
		: drill->options->progress(what, done, total, drill->options->payload);
}

// Cancelled for want of time is a doubt; cancelled by a person is theirs.
static int
stopped(struct drill *drill)
{
	if (drill->timed_out) {
		doubts(drill, "it took too long");
		return 0;
	}
	return err_raise(drill->err, ERR_CANCELLED, "cancelled");
}

// ---- the remote

static int
watch_git(const char *line, size_t len, bool is_stderr, void *payload)
{
	struct drill *drill = payload;

	(void)len;
	(void)is_stderr;
	return line == NULL ? go_on("fetching", 0, 0, drill) : 0;
}

struct ancestor {
	struct oid wanted;
	bool found;
};

static int
see_ancestor(const struct repo_commit *commit, void *payload)
{
	struct ancestor *ancestor = payload;

	ancestor->found = oid_equal(&commit->id, &ancestor->wanted);
	return ancestor->found;
}

static bool
is_before(struct repo *repo, const struct oid *head, const struct oid *commit)
{
	struct ancestor ancestor = { .wanted = *commit };
	struct err ignored;

	return repo_log(repo, head, see_ancestor, &ancestor, &ignored) >= 0 &&
		ancestor.found;
}

// Ours, or one we had before, or one that was made since?
static bool
is_ours(struct drill *drill, const struct oid *commit)
{
	const struct drill_options *options = drill->options;
	AUTO_FREE char *branch = xasprintf("refs/heads/%s", options->branch);
	struct oid now;
	struct err ignored;

	return is_before(options->repo, &options->commit, commit) ||
		(repo_refresh(options->repo, &ignored) == 0 &&
			repo_resolve(options->repo, branch, &now, &ignored) == 0 &&
			is_before(options->repo, &now, commit));
}

// 1 go on, 0 there is nothing to go on with (told), negative cancelled.
static int
fetch(struct drill *drill, const struct push_options *push)
{
	AUTO_FREE char *path = path_join(drill->scratch, "repo");
	struct repo_options options = { .path = path, .branch = push->branch };
	struct push_result result;
	struct oid head;
	struct err why;

	if (repo_open(&options, true, &drill->fetched, &why) < 0) {
		doubts(drill, why.msg);
		return 0;
	}
	if (push_fetch(push, repo_git_dir(drill->fetched), &result, &why) < 0) {
		if (why.code == ERR_CANCELLED) {
			return stopped(drill);
		}
		doubts(drill, why.msg);
		return 0;
	}
	// A push may have come between: what counts is what came.
	if (repo_refresh(drill->fetched, &why) < 0 ||
		repo_head(drill->fetched, &head, &why) <= 0 ||
		(!oid_equal(&head, &drill->result->remote) && !is_ours(drill, &head))) {
		doubts(drill, "the remote's branch moved while it was fetched");
		return 0;
	}
	drill->commit = head;
	drill->result->remote = head;
	drill->result->from_remote = true;
	return 1;
}

static int
get_repository(struct drill *drill)
{
	const struct drill_options *options = drill->options;
	struct push_options push = {
		.git_dir = repo_git_dir(options->repo),
		.remote = options->remote,
		.branch = options->branch,
		.deadline_ms = MAX_OF(drill->end_ms - clock_mono_ms(), (int64_t)1),
		.on_line = watch_git,
		.payload = drill,
	};
	struct push_result result;
	struct err why;
	int found;

	drill->commit = options->commit;
	if (options->remote == NULL) {
		return 1;
	}
	found = push_look(&push, &result, &why);
	if (found < 0) {
		if (why.code == ERR_CANCELLED) {
			return stopped(drill);
		}
		doubts(drill, why.msg);
		return 0;
	}
	if (found == 0) {
		differs(drill, "the remote has no branch %s", options->branch);
		return 0;
	}
	drill->result->remote = result.remote;
	if (!is_ours(drill, &result.remote)) {
		differs(drill, "the remote's branch has a commit that is not ours");
		return 0;
	}
	return fetch(drill, &push);
}

// ---- comparing

static int
see_folder(const struct listing_folder *folder, void *payload)
{
	struct drill *drill = payload;

	if (folder->damage[0] != '\0') {
		differs(drill, "%s: %s", folder->path, folder->damage);
	}
	sample_see(&drill->sample, folder);
	return go_on("choosing", drill->sample.seen, 0, drill);
}

static int
on_restored(const struct restore_path *path, void *payload)
{
	struct drill *drill = payload;

	if (!restore_verdict_is_good(path->verdict)) {
		differs(drill, "%s: %s: %s", path->path,
			restore_verdict_word(path->verdict), path->why);
	}
	return 0;
}

/** Where one path is: the folder, open, and its name there. */
struct spot {
	int fd;
	char *name;
};

static void
spot_done(struct spot *spot)
{
	base_close_p(&spot->fd);
	free(spot->name);
}

static bool
find_spot(const char *base, const char *rel, struct spot *spot)
{
	AUTO_CLOSE int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *path = place_path(rel);
	const char *name = path_base(path);
	AUTO_FREE char *folder =
		xmemdup0(path, name == path ? 0 : (size_t)(name - path - 1));
	struct err ignored;

	spot->name = xstrdup(name);
	return fd >= 0 && place_open(fd, folder, PLACE_AS_IS, &spot->fd, &ignored) == 0;
}

// As it is in our own repository: an entry that both have is one object.
static int
find_ours(struct drill *drill, struct listing *ours, const char *path,
	struct listing_folder *folder, const struct listing_entry **ret_entry)
{
	const char *name = path_base(path);
	AUTO_FREE char *above =
		xmemdup0(path, name == path ? 0 : (size_t)(name - path - 1));
	struct err why;

	if (listing_folder(ours, above, folder, &why) < 0) {
		differs(drill, "%s: not in the repository here: %s", path, why.msg);
		return 0;
	}
	*ret_entry = listing_entry(folder, name);
	if (*ret_entry == NULL || !(*ret_entry)->present) {
		differs(drill, "%s: not in the repository here", path);
		return 0;
	}
	return 1;
}

// A database's place in the tree holds its snapshot, which is never its raw bytes.
static bool
is_snapshot(struct drill *drill, const struct oid *oid)
{
	AUTO(buf_done) struct buf bytes = { .max = DRILL_SNAPSHOT_MAX };
	struct err ignored;

	return repo_read(drill->options->repo, oid, OBJECT_BLOB, &bytes, &ignored) == 0 &&
		inspect_is_magic(buf_text(&bytes), bytes.len);
}

// The file on this machine, when size and time say that it is the one backed up.
static void
compare_with_disk(
	struct drill *drill, const char *path, const struct listing_entry *entry)
{
	const char *rel = strchr(path, '/');
	size_t len = rel != NULL ? (size_t)(rel - path) : 0;
	struct stat info;
	struct err why;

	if (!entry->described || entry->facts.redacted > 0 ||
		entry->facts.sealed != NULL) {
		return;
	}
	for (size_t i = 0; i < drill->options->nroots && rel != NULL; i++) {
		const struct restore_root *root = &drill->options->roots[i];
		AUTO(spot_done) struct spot spot = { .fd = -1 };
		struct place_facts facts = {
			.has_time = true,
			.mtime = { .tv_sec = entry->facts.mtime_s,
				.tv_nsec = (long)entry->facts.mtime_ns },
		};
		int found;

		if (strlen(root->name) != len || strncmp(root->name, path, len) != 0 ||
			!find_spot(root->path, rel + 1, &spot) ||
			fstatat(spot.fd, spot.name, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
			!place_has_facts(&info, &facts) ||
			(uint64_t)info.st_size != entry->facts.size) {
			continue;
		}
		found = place_compare(
			spot.fd, spot.name, entry->facts.kind, &entry->oid, &info, &why);
		// Changed while it was read: another day's file.
		if (found < 0 || !place_has_facts(&info, &facts)) {
			continue;
		}
		if (found == PLACE_SAME) {
			drill->result->with_disk++;
		} else if (found == PLACE_DIFFERENT && !is_snapshot(drill, &entry->oid)) {
			differs(drill, "%s: the file on disk has other bytes", path);
		}
	}
}

static void
compare_one(struct drill *drill, struct listing *ours, const char *back, const char *path)
{
	AUTO(listing_folder_done) struct listing_folder folder = { 0 };
	AUTO(spot_done) struct spot spot = { .fd = -1 };
	const struct listing_entry *entry = NULL;
	const struct place_rights rights = { 0 };
	struct place_facts facts;
	struct stat info;
	struct err why;
	int found;

	if (!find_ours(drill, ours, path, &folder, &entry)) {
		return;
	}
	found = find_spot(back, path, &spot)
		? place_compare_ours(
			  spot.fd, spot.name, entry->facts.kind, &entry->oid, &info, &why)
		: PLACE_FREE;
	if (found != PLACE_SAME) {
		differs(drill, "%s: %s", path,
			found == PLACE_FREE ? "did not come back"
				: found < 0 ? why.msg
					    : "came back with other bytes");
		return;
	}
	facts = place_facts_of_entry(&entry->facts, &rights);
	if (entry->described && !place_has_facts(&info, &facts)) {
		differs(drill, "%s: came back with another mode or time", path);
		return;
	}
	if (entry->described && drill->keeps_attributes && (info.st_mode & 0400) != 0 &&
		place_has_attributes_at(spot.fd, spot.name, &facts, &why) == 0) {
		differs(drill, "%s: came back with other extended attributes", path);
		return;
	}
	drill->result->files++;
	compare_with_disk(drill, path, entry);
}

static int
restore_sample(struct drill *drill, const char *back)
{
	struct restore_options options = {
		.repo = drill->fetched != NULL ? drill->fetched : drill->options->repo,
		.commit = drill->commit,
		.paths = drill->sample.paths,
		.npaths = drill->sample.npaths,
		.to = back,
		.told = on_restored,
		.progress = go_on,
		.payload = drill,
	};
	struct restore_result result;
	struct err why;

	if (restore_run(&options, &result, &why) < 0) {
		if (why.code == ERR_CANCELLED) {
			return stopped(drill);
		}
		// A full or read-only disk here says nothing about the backup.
		if (why.code == ERR_NO_SPACE || why.code == ERR_READ_ONLY ||
			why.code == ERR_NO_MEMORY) {
			doubts(drill, why.msg);
		} else {
			differs(drill, "%s", why.msg);
		}
		return 0;
	}
	drill->result->bytes = result.bytes;
	return 1;
}

static int
compare_all(struct drill *drill)
{
	AUTO_FREE char *back = path_join(drill->scratch, "back");
	AUTO(listing_closep) struct listing *ours = NULL;
	struct err why;
	int result = restore_sample(drill, back);

	if (result <= 0) {
		return result;
	}
	if (listing_open(drill->options->repo, &drill->commit, &ours, &why) < 0) {
		doubts(drill, why.msg);
		return 0;
	}
	for (size_t i = 0; i < drill->sample.npaths; i++) {
		if (go_on("comparing", i, drill->sample.npaths, drill) != 0) {
			return stopped(drill);
		}
		compare_one(drill, ours, back, drill->sample.paths[i]);
	}
	return 1;
}

static int
drill_files(struct drill *drill)
{
	AUTO(listing_closep) struct listing *listing = NULL;
	struct err why = { 0 };
	int result;

	if (listing_open(drill->fetched != NULL ? drill->fetched : drill->options->repo,
		    &drill->commit, &listing, &why) < 0) {
		differs(drill, "%s", why.msg);
		return 0;
	}
	result = listing_walk(listing, "", see_folder, drill, &why);
	if (result > 0) {
		return stopped(drill);
	}
	if (result < 0) {
		differs(drill, "%s", why.msg);
		return 0;
	}
	sample_gather(&drill->sample);
	if (drill->sample.npaths == 0) {
		doubts(drill, "there is no file in the backup to restore");
		return 1;
	}
	return compare_all(drill);
}

// ---- databases

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);

	return len > strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

// Encrypted, and the key is not here, as it should be?  Then it is still what was stored,
// which was opened and compared before it was encrypted.
static bool
is_whole_sealed(struct drill *drill, const struct drill_database *database)
{
	char hex[HASH_HEX_MAX];
	int64_t bytes;
	struct err why;

	return drill->options->identity == NULL && database->stored_sha256 != NULL &&
		ends_with(database->path, ".age") &&
		archive_hash(AT_FDCWD, database->path, drill->end_ms, hex, &bytes,
			&why) >= 0 &&
		strcmp(hex, database->stored_sha256) == 0;
}

static int
drill_database(struct drill *drill, const struct drill_database *database, size_t number)
{
	AUTO_FREE char *name = xasprintf("database-%zu", number);
	AUTO_FREE char *target = path_join(drill->scratch, name);
	AUTO(inspect_done) struct inspect found = { 0 };
	AUTO_FREE char *text = NULL;
	struct err why;

	if (is_whole_sealed(drill, database)) {
		drill->result->sealed++;
	} else if (archive_open(database->path, target, drill->options->identity,
			   INT64_MAX, drill->end_ms, &why) < 0 ||
		inspect_file(target, MAX_OF(drill->end_ms - clock_mono_ms(), (int64_t)1),
			&found, &why) < 0) {
		switch (why.code) {
		case ERR_DENIED:
		case ERR_READ_ONLY:
		case ERR_TIMEOUT:
		case ERR_NO_SPACE:
		case ERR_NO_MEMORY:
			text = xasprintf("the snapshot of %s could not be opened: %s",
				database->name, why.msg);
			doubts(drill, text);
			break;
		default:
			differs(drill, "the snapshot of %s: %s", database->name, why.msg);
		}
	} else {
		drill->result->databases++;
	}
	(void)unlink(target);
	return go_on("databases", number, drill->options->ndatabases, drill) != 0
		? stopped(drill)
		: 0;
}

// ---- the scratch

static int
make_scratch(struct drill *drill, struct err *err)
{
	const char *top = drill->options->scratch_dir;

	if (file_make_dirs(top, 0700, err) < 0) {
		return err->code;
	}
	drill->topfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (drill->topfd < 0) {
		return err_errno(err, "open %s", top);
	}
	for (int i = 0; i < SCRATCH_TRIES; i++) {
		uint64_t salt = 0;

		if (hash_random(&salt, sizeof(salt), err) < 0) {
			return err->code;
		}
		(void)snprintf(drill->name, sizeof(drill->name), "drill-%016llx",
			(unsigned long long)salt);
		if (mkdirat(drill->topfd, drill->name, 0700) == 0) {
			drill->scratch = path_join(top, drill->name);
			drill->keeps_attributes =
				setxattr(drill->scratch, "user.mirror.drill", "", 0, 0) ==
				0;
			return 0;
		}
	}
	return err_errno(err, "make a folder in %s", top);
}

// What was restored may be shut even to us.
static void
remove_scratch(struct drill *drill)
{
	struct err why;

	if (drill->scratch == NULL) {
		return;
	}
	if (place_remove(drill->topfd, drill->name, &why) < 0) {
		doubts(drill, why.msg);
	}
}

// ---- a drill

static int
carry_out(struct drill *drill)
{
	const struct drill_options *options = drill->options;
	struct err why;
	int result;

	if (make_scratch(drill, &why) < 0) {
		doubts(drill, why.msg);
		return 0;
	}
	result = get_repository(drill);
	if (result > 0) {
		result = drill_files(drill);
	}
	for (size_t i = 0; i < options->ndatabases && result >= 0 && !drill->timed_out;
		i++) {
		result = drill_database(drill, &options->databases[i], i);
	}
	return result;
}

static void
drill_done(struct drill *drill)
{
	repo_close(drill->fetched);
	base_close_p(&drill->topfd);
	sample_done(&drill->sample);
	free(drill->scratch);
}

int
drill_run(const struct drill_options *options, struct drill_result *ret_result,
	struct err *err)
{
	AUTO(drill_done)
	struct drill drill = {
		.options = options,
		.result = ret_result,
		.err = err,
		.began_ms = clock_mono_ms(),
		.topfd = -1,
	};
	int result;

	assert(options->deadline_ms > 0);
	*ret_result = (struct drill_result){ .outcome = DRILL_PASSED };
	drill.end_ms = drill.began_ms + options->deadline_ms;
	sample_init(&drill.sample, options->seed,
		options->nfiles > 0 ? options->nfiles : DRILL_FILES);
	result = carry_out(&drill);
	repo_closep(&drill.fetched);
	remove_scratch(&drill);
	ret_result->duration_ms = clock_mono_ms() - drill.began_ms;
	return result < 0 ? result : 0;
}
