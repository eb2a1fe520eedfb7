// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/root.h"

#include "agent/gone.h"
#include "agent/intake.h"
#include "agent/kit.h"
#include "agent/recall.h"
#include "agent/round.h"
#include "agent/visit.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

// Go down as far as the ledger knows the way, and look there.
static int
visit_hint(struct visit *visit, int rootfd, const char *hint, bool deep, struct err *err)
{
	AUTO_FREE char *rest = xstrdup(hint);
	AUTO_FREE char *rel = xstrdup("");
	AUTO_FREE char *path = xstrdup(visit->watch->name);
	AUTO_CLOSE int fd = fcntl(rootfd, F_DUPFD_CLOEXEC, 0);
	int64_t id = visit->root;
	uint32_t depth = 0;
	char *save = NULL;
	struct intake_folder *at;
	int result;

	if (fd < 0) {
		return err_errno(err, "dup");
	}
	for (char *part = strtok_r(rest, "/", &save); part != NULL;
		part = strtok_r(NULL, "/", &save)) {
		AUTO_FREE char *shown = NULL;
		int64_t below;
		char *next;
		int nextfd = -1;

		if (intake_show_name(visit->round, part, &shown, err) < 0) {
			return err->code;
		}
		below = ledger_child(
			visit->round->kit->ledger, id, shown, strlen(shown), err);
		if (below < 0) {
			return err->code;
		}
		// Not known, or not to be opened: what its parent shows of it is the
		// news.
		if (below == 0 || walk_open(fd, part, NULL, &nextfd, err) < 0) {
			if (below != 0 && visit_is_our_shortage(err->sys)) {
				return err_wrap(err, "open %s", hint);
			}
			deep = false;
			break;
		}
		(void)close(fd);
		fd = nextfd;
		id = below;
		depth++;
		next = path_join(rel, part);
		free(rel);
		rel = next;
		next = path_join(path, shown);
		free(path);
		path = next;
	}
	at = intake_folder_new(STEAL_FD(fd), id, path, depth);
	result = visit_folder(visit, at, rel, deep, err);
	intake_folder_drop(at);
	// The next full walk comes by its parent, and gives it the row of a failure.
	return MIN_OF(result, 0);
}

static int
visit_whole(struct visit *visit, int rootfd, struct err *err)
{
	int fd = fcntl(rootfd, F_DUPFD_CLOEXEC, 0);
	struct intake_folder *at;
	int result;

	if (fd < 0) {
		return err_errno(err, "dup");
	}
	at = intake_folder_new(fd, visit->root, visit->watch->name, 0);
	result = visit_folder(visit, at, "", true, err);
	intake_folder_drop(at);
	return result;
}

static int
visit_hints(struct visit *visit, int rootfd, struct err *err)
{
	const struct cycle_plan *plan = visit->round->plan;

	for (size_t i = 0; i < plan->nhints; i++) {
		if (plan->hints[i].root == visit->index &&
			visit_hint(visit, rootfd, plan->hints[i].folder,
				plan->hints[i].deep, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// Something happened in a root that is held: perhaps what it misses is back, and only a
// look at all of it can say so.
static int
is_held_and_hinted(struct visit *visit, struct err *err)
{
	const struct cycle_plan *plan = visit->round->plan;
	struct ledger_root_facts facts;

	for (size_t i = 0; i < plan->nhints; i++) {
		if (plan->hints[i].root == visit->index) {
			return ledger_root_info(visit->round->kit->ledger, visit->root,
				       &facts, err) < 0
				? err->code
				: facts.held != 0;
		}
	}
	return 0;
}

static void
own_folder(struct visit *visit, const char *path)
{
	struct stat info;

	if (path != NULL && visit->rules.nown < VISIT_OWN_MAX && stat(path, &info) == 0) {
		visit->own[visit->rules.nown++] =
			(struct classify_own){ .dev = info.st_dev,
				.number = info.st_ino };
	}
}

static void
add_globs(
	struct visit *visit, const struct config_list *list, struct classify_glob *globs)
{
	for (size_t i = 0; i < list->count; i++) {
		globs[i].pattern = list->items[i].text;
		globs[i].origin = xasprintf(
			"%s:%u", visit->round->kit->config->file, list->items[i].line);
	}
}

static void
prepare_rules(struct visit *visit, uint64_t dev)
{
	const struct kit *kit = visit->round->kit;
	const struct config *config = kit->config;
	const struct config_list *excludes = &visit->watch->exclude;
	const struct config_list *rolling = &visit->watch->rolling;

	visit->globs = xcalloc(excludes->count + rolling->count, sizeof(visit->globs[0]));
	add_globs(visit, excludes, visit->globs);
	add_globs(visit, rolling, visit->globs + excludes->count);
	visit->regenerable =
		xcalloc(config->files.regenerable.count, sizeof(visit->regenerable[0]));
	for (size_t i = 0; i < config->files.regenerable.count; i++) {
		visit->regenerable[i] = config->files.regenerable.items[i].text;
	}
	visit->rules = (struct classify_rules){
		.excludes = visit->globs,
		.nexcludes = excludes->count,
		.rolling = visit->globs + excludes->count,
		.nrolling = rolling->count,
		.oldest_ns = (clock_now_ms() - visit->watch->window_ms) * 1000000,
		.regenerable = visit->regenerable,
		.nregenerable = config->files.regenerable.count,
		.own = visit->own,
		.max_size = config->files.max_size,
		.root_dev = dev,
	};
	own_folder(visit, repo_git_dir(kit->repo));
	own_folder(visit, config->brain.repo);
	own_folder(visit, kit->state_dir);
}

static void
visit_done(struct visit *visit)
{
	size_t nglobs = visit->rules.nexcludes + visit->rules.nrolling;

	for (size_t i = 0; visit->globs != NULL && i < nglobs; i++) {
		free((void *)(uintptr_t)visit->globs[i].origin);
	}
	free(visit->globs);
	free(visit->regenerable);
	free(visit->used);
	walk_list_done(&visit->list);
	ledger_rows_done(&visit->rows);
}

// The root is not there, or cannot be opened: one row stands for it until it is.
static int
root_missing(struct visit *visit, int sys, struct err *err)
{
	struct ledger *ledger = visit->round->kit->ledger;
	AUTO(ledger_folders_done) struct ledger_folders subs = { 0 };
	AUTO(ledger_rows_done) struct ledger_rows rows = { 0 };
	const char *name = visit->watch->name;
	char reason[LEDGER_REASON_MAX];
	int held;
	struct ledger_row row = {
		.name = name,
		.name_len = strlen(name),
		.type = LEDGER_TYPE_FOLDER,
		.state = LEDGER_FAILED,
		.reason = reason,
	};

	visit->round->partial = true;
	if (visit->watch->optional && sys == ENOENT) {
		visit->round->kept[visit->round->nkept++] = name;
		return MIN_OF(ledger_row_drop(ledger, 0, name, strlen(name), err), 0);
	}
	ledger_reason_errno(reason, sys);
	if (ledger_row_put(ledger, 0, &row, err) < 0 ||
		ledger_rows_load(ledger, visit->root, &rows, err) < 0 ||
		ledger_subfolders(ledger, visit->root, &subs, err) < 0) {
		return err->code;
	}
	visit->round->result->seen++;
	for (size_t i = 0; i < rows.count; i++) {
		gone_note(visit->round, visit->root, name, 0, rows.rows[i].name, 0);
	}
	for (size_t i = 0; i < subs.count; i++) {
		gone_note(visit->round, visit->root, name, 0, subs.folders[i].name,
			subs.folders[i].id);
	}
	held = gone_settle(visit->round,
		&(struct gone_root){ .id = visit->root,
			.name = name,
			.path = visit->watch->path,
			.whole = visit->round->plan->full },
		err);
	// Held, or a ledger that never saw it: the commit keeps what it has (I14).
	if (held > 0 || rows.count + subs.count == 0) {
		visit->round->kept[visit->round->nkept++] = name;
	}
	return MIN_OF(held, 0);
}

static int
root_present(struct visit *visit, int rootfd, struct err *err)
{
	struct round *round = visit->round;
	struct gone_root gone = {
		.id = visit->root,
		.name = visit->watch->name,
		.there = true,
		.path = visit->watch->path,
	};
	struct stat info;
	struct statfs fs;
	struct err ignored;
	int result = is_held_and_hinted(visit, err);

	if (result < 0) {
		return err->code;
	}
	gone.whole = round->plan->full || result > 0;

	if (fstat(rootfd, &info) < 0 || fstatfs(rootfd, &fs) < 0) {
		return err_errno(err, "stat %s", visit->watch->path);
	}
	gone.dev = info.st_dev;
	gone.number = info.st_ino;
	gone.fs_type = (int64_t)fs.f_type;
	prepare_rules(visit, info.st_dev);
	if (ledger_row_drop(round->kit->ledger, 0, gone.name, strlen(gone.name), err) <
		0) {
		return err->code;
	}
	result = gone.whole ? visit_whole(visit, rootfd, err)
			    : visit_hints(visit, rootfd, err);
	if (result == VISIT_UNREADABLE) {
		return root_missing(visit, err->sys, err);
	}
	// Whatever happened, the crew must be idle before anything it uses goes away.
	if (visit_collect(round, true, result < 0 ? &ignored : err) < 0 && result >= 0) {
		result = err->code;
	}
	if (result < 0 || recall_lost(round, &gone, err) < 0) {
		return err->code;
	}
	return MIN_OF(gone_settle(round, &gone, err), 0);
}

int
root_visit(struct round *round, size_t index, struct err *err)
{
	const struct config_watch *watch = &round->kit->config->watches[index];
	struct visit visit = { .round = round, .watch = watch, .index = index };
	AUTO_CLOSE int rootfd = open(
		watch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int sys = errno;
	int result;

	if (rootfd < 0 && visit_is_our_shortage(sys)) {
		errno = sys;
		return err_errno(err, "open %s", watch->path);
	}
	visit.root = ledger_root(round->kit->ledger, watch->name, err);
	if (visit.root < 0) {
		return err->code;
	}
	result = rootfd < 0 ? root_missing(&visit, sys, err)
			    : root_present(&visit, rootfd, err);
	visit_done(&visit);
	return result < 0 ? err_wrap(err, "walk %s", watch->name) : 0;
}
