// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/engine.h"

#include "agent/allowed.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "brain/worktree.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "scanner/scanner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
engine_open(const struct config *config, struct engine **ret_engine, struct err *err)
{
	AUTO(engine_freep) struct engine *engine = xcalloc(1, sizeof(*engine));

	engine->config = config;
	engine->state_dir = places_state_dir();
	engine->runtime_dir = places_runtime_dir();
	if (file_make_dirs(engine->state_dir, 0700, err) < 0 ||
		file_make_dirs(engine->runtime_dir, 0700, err) < 0) {
		return err_wrap(err, "make the state folder");
	}
	if (jobqueue_open(engine->state_dir, &engine->queue, err) < 0) {
		return err_wrap(err, "open the queue");
	}
	if (evidence_open(engine->state_dir, EVIDENCE_RW, &engine->evidence, err) < 0) {
		return err_wrap(err, "open the evidence");
	}
	*ret_engine = STEAL(engine);
	return 0;
}

// A damaged ledger is set aside; everything in it can be found out again from the disk
// and the repository.
static int
open_ledger(struct engine *engine, struct err *err)
{
	AUTO_FREE char *path = path_join(engine->state_dir, "ledger.sqlite");
	int got = ledger_open(path, LEDGER_RW, &engine->ledger, err);

	if (got != ERR_CORRUPT) {
		return got;
	}
	if (ledger_set_aside(path, err) < 0 ||
		ledger_open(path, LEDGER_RW, &engine->ledger, err) < 0) {
		return err->code;
	}
	engine->rebuilt = true;
	return 0;
}

// Has this state seen commits in the repository the configuration names?
static int
knows_repo(struct engine *engine, bool *ret_known, struct err *err)
{
	static const char none[] = "0000000000000000000000000000000000000000";
	const char *value = NULL;
	bool same_place;

	if (ledger_meta_get(engine->ledger, "repo", &value, err) < 0) {
		return err->code;
	}
	same_place = value != NULL && strcmp(value, engine->config->brain.repo) == 0;
	if (ledger_meta_get(engine->ledger, "head", &value, err) < 0) {
		return err->code;
	}
	*ret_known = same_place && value != NULL && strcmp(value, none) != 0;
	return 0;
}

static int
open_repo(struct engine *engine, struct err *err)
{
	const struct config *config = engine->config;
	struct repo_options options = {
		.path = config->brain.repo,
		.branch = config->brain.branch,
		.worktree = config->brain.worktree,
	};
	bool known = false;

	if (knows_repo(engine, &known, err) < 0) {
		return err->code;
	}
	if (repo_open(&options, !known, &engine->repo, err) < 0) {
		err_wrap(err, "open the brain repository %s", options.path);
		// It was there and is not: making an empty one would look like a backup.
		return known
			? err_advise(err,
				  "bring it back (a disk not mounted? git clone of the "
				  "remote?), or give up its history: rm -r %s",
				  engine->state_dir)
			: err->code;
	}
	return repo_key(engine->repo, engine->key, err);
}

static int
open_scanner(struct engine *engine, struct err *err)
{
	const struct config_list *files = &engine->config->secrets.rules;
	AUTO_FREE const char **names = xcalloc(files->count, sizeof(*names));
	AUTO(allowed_done) struct allowed allowed = { 0 };
	struct scanner_options options = {
		.key = engine->key,
		.rule_files = names,
		.nrule_files = files->count,
	};
	struct record_secrets tested = { 0 };
	struct err why;

	for (size_t i = 0; i < files->count; i++) {
		names[i] = files->items[i].text;
	}
	if (allowed_load(repo_git_dir(engine->repo), &allowed, err) < 0) {
		return err->code;
	}
	options.allowed = (const uint8_t(*)[FINDING_PRINT_LEN])allowed.prints;
	options.nallowed = allowed.count;
	if (scanner_new(&options, &engine->scanner, err) < 0) {
		return err_wrap(err, "load the rules");
	}
	if (scanner_self_test(engine->scanner, err) == 0) {
		tested.canaries = 1;
		return record_secrets(engine->evidence, &tested, err);
	}
	// A scanner that misses its canaries must not judge anything (I2).
	tested.canaries = 1;
	tested.missed = 1;
	tested.rule = err->msg;
	(void)record_secrets(engine->evidence, &tested, &why);
	return err_wrap(err, "test the scanner");
}

int
engine_start(struct engine *engine, struct err *err)
{
	int reclaimed = 0;

	if (!jobqueue_has_lock(engine->queue)) {
		return err_raise(err, ERR_BUSY, "another run of mirror is under way");
	}
	if (jobqueue_reclaim(engine->queue, &reclaimed, err) < 0 ||
		open_ledger(engine, err) < 0 || open_repo(engine, err) < 0 ||
		open_scanner(engine, err) < 0) {
		engine_stop(engine);
		return err->code;
	}
	if (engine_heal(engine, err) < 0) {
		engine_stop(engine);
		return err_wrap(err, "put the browsable copy right");
	}
	return 0;
}

static char *
dirty_path(const struct engine *engine)
{
	return path_join(repo_git_dir(engine->repo), "mirror/dirty");
}

int
engine_mark_dirty(struct engine *engine, struct err *err)
{
	AUTO_FREE char *path = dirty_path(engine);
	AUTO_CLOSE int fd = -1;

	if (repo_work_dir(engine->repo) == NULL) {
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? err_errno(err, "mark %s", path) : 0;
}

void
engine_clear_dirty(struct engine *engine)
{
	AUTO_FREE char *path = dirty_path(engine);

	(void)unlink(path);
}

int
engine_heal(struct engine *engine, struct err *err)
{
	AUTO(worktree_closep) struct worktree *worktree = NULL;
	AUTO_FREE char *path = dirty_path(engine);
	struct worktree_healed healed;
	struct oid head;
	int found;

	if (repo_work_dir(engine->repo) == NULL || access(path, F_OK) < 0) {
		return 0;
	}
	found = repo_head(engine->repo, &head, err);
	if (found < 0) {
		return err->code;
	}
	if (found > 0 &&
		(worktree_open(engine->repo, &worktree, err) < 0 ||
			worktree_heal(worktree, engine->repo, &head, false, &healed,
				err) < 0)) {
		return err->code;
	}
	engine_clear_dirty(engine);
	return 0;
}

void
engine_stop(struct engine *engine)
{
	scanner_freep(&engine->scanner);
	ledger_closep(&engine->ledger);
	repo_closep(&engine->repo);
	explicit_bzero(engine->key, sizeof(engine->key));
}

void
engine_free(struct engine *engine)
{
	if (engine == NULL) {
		return;
	}
	engine_stop(engine);
	evidence_close(engine->evidence);
	jobqueue_close(engine->queue);
	free(engine->state_dir);
	free(engine->runtime_dir);
	free(engine);
}

void
engine_freep(struct engine **engine)
{
	engine_free(*engine);
	*engine = NULL;
}
