// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/incoming.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "vault/archive.h"
#include "vault/child.h"
#include "vault/holders.h"
#include "vault/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	NAMES_MAX = 200,
};

void
incoming_done(struct incoming *incoming)
{
	inspect_done(&incoming->found);
}

int64_t
incoming_left(int64_t end_ms)
{
	return MAX_OF(end_ms - clock_mono_ms(), (int64_t)1);
}

char *
incoming_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? xstrdup(".")
			     : xmemdup0(path, slash == path ? 1 : (size_t)(slash - path));
}

int
incoming_target(const char *path, char **ret_real, struct err *err)
{
	AUTO_FREE char *dir = incoming_folder(path);
	AUTO_FREE char *real = NULL;

	*ret_real = realpath(path, NULL);
	if (*ret_real != NULL) {
		return 0;
	}
	if (errno != ENOENT) {
		return err_errno(err, "look at %s", path);
	}
	real = realpath(dir, NULL);
	if (real == NULL) {
		return err_errno(err, "look at %s", dir);
	}
	*ret_real = path_join(real, path_base(path));
	return 0;
}

// What the process is asked for, and what whoever waits hears of it.  The last step is
// not here: nobody may end it half way.
static const struct {
	const char *op;
	const char *stage;
} stages[] = {
	{ "inspect", "check" },
	{ "describe", "check" },
	{ "snapshot", "safety copy" },
	{ "ready", "put in place" },
};

struct asking {
	const struct restore_plan *plan;
	const char *stage;
};

static int
on_progress(const char *stage, int64_t done, int64_t total, void *payload)
{
	const struct asking *asking = payload;

	(void)stage;
	return asking->plan->progress(asking->stage, done, total, asking->plan->payload);
}

int
incoming_ask(const struct restore_plan *plan, struct json *request, int64_t end_ms,
	struct json **ret_answer, struct err *err)
{
	const char *op = json_get_text(request, "op");
	struct asking asking = { .plan = plan };

	for (size_t i = 0; plan->progress != NULL && i < countof(stages); i++) {
		if (op != NULL && strcmp(op, stages[i].op) == 0) {
			asking.stage = stages[i].stage;
		}
	}
	return child_run(plan->self, request, incoming_left(end_ms),
		asking.stage != NULL ? on_progress : NULL, &asking, ret_answer, err);
}

void
incoming_set_path(struct json *request, const char *key, const char *path)
{
	json_set_bytes(request, key, path, strlen(path));
}

int
incoming_check(const struct restore_plan *plan, const char *path, int64_t end_ms,
	struct incoming *ret_incoming, struct err *err)
{
	AUTO(json_freep)
	struct json *request = child_request("inspect", incoming_left(end_ms));
	AUTO(json_freep) struct json *answer = NULL;
	const char *sha256;

	incoming_set_path(request, "source", path);
	json_set_bool(request, "full", true);
	if (incoming_ask(plan, request, end_ms, &answer, err) < 0) {
		return err->code;
	}
	sha256 = json_get_text(answer, "sha256");
	if (sha256 == NULL || strlen(sha256) >= sizeof(ret_incoming->sha256)) {
		return err_raise(err, ERR_BUG, "the database process said too little");
	}
	(void)stpcpy(ret_incoming->sha256, sha256);
	ret_incoming->bytes = json_get_int(answer, "bytes", 0);
	return inspect_from_json(json_get(answer, "found"), &ret_incoming->found, err);
}

// What is known of the database asked for: its snapshots, and what stands there now.
struct known {
	size_t count;
	bool same;
	bool newer;
	int64_t version;
};

static void
compare_with(
	struct known *known, const struct inspect *of, const struct incoming *checked)
{
	enum inspect_kin kin = inspect_compare(of, &checked->found);

	known->count++;
	known->same = known->same || kin == INSPECT_SAME;
	known->newer = known->newer || kin == INSPECT_NEWER;
	known->version = MAX_OF(known->version, of->user_version);
}

static void
compare_with_snapshots(
	const char *dir, const struct incoming *checked, struct known *known)
{
	AUTO(manifest_close) struct manifest manifest = { 0 };
	struct err ignored = { 0 };

	// Without a list nothing is known; what stands at the target still speaks.
	if (manifest_open(dir, MANIFEST_READ, 0, &manifest, &ignored) < 0) {
		return;
	}
	for (size_t i = 0; i < manifest.nentries; i++) {
		compare_with(known, &manifest.entries[i].found, checked);
	}
}

static void
compare_with_live(const struct restore_plan *plan, const char *target, int64_t end_ms,
	const struct incoming *checked, struct known *known)
{
	AUTO(json_freep)
	struct json *request = child_request("describe", incoming_left(end_ms));
	AUTO(json_freep) struct json *answer = NULL;
	AUTO(inspect_done) struct inspect live = { 0 };
	struct err ignored = { 0 };
	char names[NAMES_MAX];

	if (plan->owned && holders_find(target, names, sizeof(names)) != 0) {
		return;
	}
	// A damaged or missing one is what a restore is for.
	incoming_set_path(request, "source", target);
	if (incoming_ask(plan, request, end_ms, &answer, &ignored) == 0 &&
		inspect_from_json(json_get(answer, "found"), &live, &ignored) == 0 &&
		live.ntables > 0) {
		compare_with(known, &live, checked);
	}
}

static int
check_kin(const struct restore_plan *plan, const struct incoming *checked, int64_t end_ms,
	struct err *err)
{
	AUTO_FREE char *target = NULL;
	struct known known = { 0 };

	if (incoming_target(plan->target, &target, err) < 0) {
		return err->code;
	}
	if (checked->found.ntables == 0) {
		return err_raise(err, ERR_INVALID, "it holds no table");
	}
	compare_with_snapshots(plan->dir, checked, &known);
	compare_with_live(plan, target, end_ms, checked, &known);
	if (known.count == 0 || known.same) {
		return 0;
	}
	if (known.newer) {
		return err_raise(err, ERR_INVALID,
			"its schema (user_version %lld) is newer than that of %s (%lld): "
			"update the program first",
			(long long)checked->found.user_version, plan->name,
			(long long)known.version);
	}
	return err_raise(err, ERR_INVALID,
		"wrong_database: this is not %s, its tables or its application are "
		"others",
		plan->name);
}

// What may be written into @dir: what the plan says, or what is free there but for a
// reserve that the rest of the machine keeps.
static int64_t
ceiling(const struct restore_plan *plan, const char *dir)
{
	struct statvfs info;
	double room;

	if (plan->max_bytes > 0) {
		return plan->max_bytes;
	}
	if (statvfs(dir, &info) < 0) {
		return INT64_MAX;
	}
	room = (double)info.f_bavail * (double)info.f_frsize;
	room -= MIN_OF(room / 16, (double)INCOMING_RESERVE);
	return room > 9e18 ? INT64_MAX : (int64_t)room;
}

// One of our own: what the list says that it opens to; 0 for any other file.
static int64_t
listed_bytes(const struct restore_plan *plan, const char *file)
{
	AUTO(manifest_close) struct manifest manifest = { 0 };
	AUTO_FREE char *folder = incoming_folder(file);
	const struct manifest_entry *entry;
	struct stat here;
	struct stat there;
	struct err ignored;

	if (stat(folder, &here) < 0 || stat(plan->dir, &there) < 0 ||
		here.st_dev != there.st_dev || here.st_ino != there.st_ino ||
		manifest_open(plan->dir, MANIFEST_READ, 0, &manifest, &ignored) < 0) {
		return 0;
	}
	entry = manifest_find(&manifest, path_base(file));
	return entry != NULL ? entry->bytes : 0;
}

static int
open_file(const struct restore_plan *plan, const char *file, const char *plain,
	int64_t end_ms, struct err *err)
{
	AUTO_FREE char *dir = incoming_folder(plain);
	AUTO_FREE char *word = path_shell(dir);
	int64_t room = ceiling(plan, dir);
	int64_t listed = listed_bytes(plan, file);
	bool known = listed > 0 && listed <= room;

	if (archive_open_database(file, plain, plan->identity, known ? listed : room,
		    end_ms, plan->progress, plan->payload, err) == 0) {
		return 0;
	}
	// Too big for the disk is no fault of the file.
	if (err->code == ERR_TOO_BIG && (known || plan->max_bytes == 0)) {
		err->code = known ? ERR_INVALID : ERR_NO_SPACE;
		if (known) {
			return err->code;
		}
		(void)err_advise(err, "free space for it: df -h %s", word);
		return err_wrap(err, "no room in %s", dir);
	}
	return err->code;
}

int
incoming_take(const struct restore_plan *plan, const char *file, const char *plain,
	bool any_database, int64_t end_ms, struct incoming *ret_incoming, struct err *err)
{
	if (open_file(plan, file, plain, end_ms, err) < 0) {
		return err->code;
	}
	if (incoming_check(plan, plain, end_ms, ret_incoming, err) < 0 ||
		(!any_database && check_kin(plan, ret_incoming, end_ms, err) < 0)) {
		(void)unlink(plain);
		return err_wrap(err, "%s", file);
	}
	return 0;
}
