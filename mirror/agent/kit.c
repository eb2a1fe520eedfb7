// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/kit.h"

#include "agent/shown.h"
#include "brain/allowed.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/index.h"
#include "brain/mend.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/worktree.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "scanner/scanner.h"
#include "vault/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
kit_open(const struct config *config, struct kit **ret_kit, struct err *err)
{
	AUTO(kit_freep) struct kit *kit = xcalloc(1, sizeof(*kit));

	kit->config = config;
	kit->self = "/proc/self/exe";
	kit->state_dir = places_state_dir();
	kit->runtime_dir = places_runtime_dir();
	kit->bell_dir = places_bell_dir();
	if (file_make_dirs(kit->state_dir, 0700, err) < 0 ||
		file_make_dirs(kit->runtime_dir, 0700, err) < 0) {
		return err_wrap(err, "make the state folder");
	}
	if (jobqueue_open(kit->state_dir, &kit->queue, err) < 0) {
		return err_wrap(err, "open the queue");
	}
	if (evidence_open(kit->state_dir, EVIDENCE_RW, &kit->evidence, err) < 0) {
		return err_wrap(err, "open the evidence");
	}
	if (evidence_was_replaced(kit->evidence)) {
		log_warn("the evidence was damaged; it was set aside and begins anew");
	}
	*ret_kit = STEAL(kit);
	return 0;
}

// A damaged ledger is set aside; everything in it can be found out again from the disk
// and the repository.
static int
renew_ledger(struct kit *kit, const char *path, struct err *err)
{
	ledger_closep(&kit->ledger);
	if (ledger_set_aside(path, err) < 0 ||
		ledger_open(path, LEDGER_RW, &kit->ledger, err) < 0) {
		return err->code;
	}
	log_warn("the ledger was damaged; it was set aside and is found out again from "
		 "the "
		 "disk and the repository");
	kit->rebuilt = true;
	return 1;
}

static int
open_ledger(struct kit *kit, struct err *err)
{
	AUTO_FREE char *path = path_join(kit->state_dir, "ledger.sqlite");
	int got = ledger_open(path, LEDGER_RW, &kit->ledger, err);

	return got == ERR_CORRUPT ? MIN_OF(renew_ledger(kit, path, err), 0) : got;
}

int
kit_mend_ledger(struct kit *kit, struct err *err)
{
	AUTO_FREE char *path = path_join(kit->state_dir, "ledger.sqlite");
	struct ledger_totals ignored;

	return kit->ledger == NULL ||
			ledger_check(kit->ledger, &ignored, err) != ERR_CORRUPT
		? 0
		: renew_ledger(kit, path, err);
}

// What an unclean stop had broken, and we mended at the opening.
static void
tell_mended(struct kit *kit)
{
	const struct mend *mend = repo_mended(kit->repo);

	for (size_t i = 0; i < mend->count; i++) {
		log_warn("%s", mend->said[i]);
	}
	// Whatever the ledger knows of packs and trees may be of before.
	kit->rebuilt = kit->rebuilt || mend->count > 0;
}

static int
open_repo(struct kit *kit, struct err *err)
{
	const struct config *config = kit->config;
	struct repo_options options = {
		.path = config->brain.repo,
		.branch = config->brain.branch,
		.worktree = config->brain.worktree,
	};
	struct oid head;
	int known = kit_known_head(kit, &head, err);

	if (known < 0) {
		return err->code;
	}
	if (repo_open(&options, known == 0, &kit->repo, err) < 0) {
		err_wrap(err, "open the brain repository %s", options.path);
		// It was there and is not: making an empty one would look like a backup.
		// One that we only cannot open just now is no such news.
		return known > 0 && err->code == ERR_NOT_FOUND
			? err_advise(err,
				  "bring it back (a disk not mounted? git clone of the "
				  "remote?), or give up its history: rm -r %s",
				  kit->state_dir)
			: err->code;
	}
	tell_mended(kit);
	return repo_key(kit->repo, kit->key, err);
}

int
kit_mend_repo(struct kit *kit, struct err *err)
{
	AUTO(mend_done) struct mend found = { 0 };
	AUTO(repo_closep) struct repo *former = NULL;

	if (repo_look(kit->repo, &found, err) < 0) {
		return err->code;
	}
	if (found.count == 0) {
		return 0;
	}
	// It is put right when it is opened.
	former = STEAL(kit->repo);
	if (open_repo(kit, err) < 0) {
		repo_closep(&kit->repo);
		kit->repo = STEAL(former);
		return err->code;
	}
	return 1;
}

static void
stamp_file(struct hash *hash, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		hash_add(hash, &errno, sizeof(errno));
		return;
	}
	hash_add(hash, &st.st_ino, sizeof(st.st_ino));
	hash_add(hash, &st.st_size, sizeof(st.st_size));
	hash_add(hash, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
	hash_add(hash, &st.st_mtim.tv_nsec, sizeof(st.st_mtim.tv_nsec));
}

// Changes when a file changes that the scanner is made from.
static void
stamp_rules(const struct kit *kit, char hex[HASH_HEX_MAX])
{
	const struct config_list *files = &kit->config->secrets.rules;
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	AUTO_FREE char *allowed = path_join(repo_git_dir(kit->repo), "mirror/allowed");
	uint8_t digest[HASH_SHA256_LEN];

	stamp_file(hash, allowed);
	for (size_t i = 0; i < files->count; i++) {
		stamp_file(hash, files->items[i].text);
	}
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), hex);
}

static int
make_scanner(struct kit *kit, struct scanner **ret_scanner, struct err *err)
{
	const struct config_list *files = &kit->config->secrets.rules;
	AUTO_FREE const char **names = xcalloc(files->count, sizeof(*names));
	AUTO(allowed_done) struct allowed allowed = { 0 };
	struct scanner_options options = {
		.key = kit->key,
		.rule_files = names,
		.nrule_files = files->count,
	};
	for (size_t i = 0; i < files->count; i++) {
		names[i] = files->items[i].text;
	}
	if (allowed_load(repo_git_dir(kit->repo), &allowed, err) < 0) {
		return err->code;
	}
	options.allowed = (const uint8_t(*)[FINDING_PRINT_LEN])allowed.prints;
	options.nallowed = allowed.count;
	if (scanner_new(&options, ret_scanner, err) < 0) {
		return err_wrap(err, "load the rules");
	}
	return 0;
}

static int
open_scanner(struct kit *kit, struct err *err)
{
	stamp_rules(kit, kit->rules_stamp);
	if (make_scanner(kit, &kit->scanner, err) < 0) {
		return err->code;
	}
	return kit_test_scanner(kit, err);
}

int
kit_refresh_scanner(struct kit *kit, struct err *err)
{
	AUTO(scanner_freep) struct scanner *fresh = NULL;
	struct scanner *former = kit->scanner;
	char stamp[HASH_HEX_MAX];

	stamp_rules(kit, stamp);
	if (strcmp(stamp, kit->rules_stamp) == 0) {
		return 0;
	}
	memcpy(kit->rules_stamp, stamp, sizeof(stamp));
	if (make_scanner(kit, &fresh, err) < 0) {
		// A bad edit never replaces what was good.
		log_warn("%s; going on with the rules as they were", err->msg);
		err_clear(err);
		return 0;
	}
	kit->scanner = STEAL(fresh);
	fresh = former;
	return kit_test_scanner(kit, err);
}

int
kit_test_scanner(struct kit *kit, struct err *err)
{
	struct record_secrets tested = { .canaries = 1 };
	struct err ignored;

	if (scanner_self_test(kit->scanner, err) == 0) {
		return record_secrets(kit->evidence, &tested, err);
	}
	// A scanner that misses its canaries must not judge anything (I2).
	tested.missed = 1;
	tested.rule = err->msg;
	(void)!record_secrets(kit->evidence, &tested, &ignored);
	return err_wrap(err, "test the scanner");
}

// Asked to seal, and nobody made a key: what is cut out is gone for good.
static void
tell_keyless(const struct kit *kit)
{
	char recipient[SEAL_RECIPIENT_MAX];
	struct err err;

	if (kit->config->secrets.action == CONFIG_SEAL &&
		seal_recipient_load(repo_git_dir(kit->repo), recipient, &err) <= 0) {
		log_warn("there is no key to seal with; redacting until there is one; "
			 "next: mirror key new");
	}
}

// The ledger says whether the repository must be there; its damage may show only now.
static int
open_repo_by_ledger(struct kit *kit, struct err *err)
{
	int got = open_repo(kit, err);

	if (got == ERR_CORRUPT && kit_mend_ledger(kit, err) > 0) {
		repo_closep(&kit->repo);
		got = open_repo(kit, err);
	}
	return got;
}

// The names of folders and of the branch are in every tree, answer and remote (I3).
static int
check_names(const struct kit *kit, struct err *err)
{
	const struct config *config = kit->config;

	for (size_t i = 0; i <= config->nwatches; i++) {
		bool is_branch = i == config->nwatches;
		AUTO_FREE char *shown = NULL;
		int cut = shown_name(kit->scanner,
			is_branch ? config_host(config) : config->watches[i].name, &shown,
			err);

		if (cut < 0) {
			return err->code;
		}
		if (cut > 0) {
			(void)err_raise(err, ERR_CONFIG,
				"the name of a %s in the brain repository would hold a "
				"secret: %s",
				is_branch ? "branch" : "folder", shown);
			return err_advise(err,
				is_branch ? "set branch = \"host/NAME\" under [brain]"
					  : "set name = \"...\" under its [[watch]]");
		}
	}
	return 0;
}

int
kit_start(struct kit *kit, struct err *err)
{
	int reclaimed = 0;

	if (!jobqueue_has_lock(kit->queue)) {
		return err_raise(err, ERR_BUSY, "another run of mirror is under way");
	}
	if (jobqueue_reclaim(kit->queue, &reclaimed, err) < 0 ||
		open_ledger(kit, err) < 0 || open_repo_by_ledger(kit, err) < 0 ||
		open_scanner(kit, err) < 0 || check_names(kit, err) < 0) {
		kit_stop(kit);
		return err->code;
	}
	tell_keyless(kit);
	if (kit_heal(kit, false, err) < 0) {
		kit_stop(kit);
		return err_wrap(err, "put the browsable copy right");
	}
	return 0;
}

static char *
dirty_path(const struct kit *kit)
{
	return path_join(repo_git_dir(kit->repo), "mirror/dirty");
}

int
kit_mark_dirty(struct kit *kit, struct err *err)
{
	AUTO_FREE char *path = dirty_path(kit);
	AUTO_CLOSE int fd = -1;

	if (repo_work_dir(kit->repo) == NULL) {
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? err_errno(err, "mark %s", path) : 0;
}

void
kit_clear_dirty(struct kit *kit)
{
	AUTO_FREE char *path = dirty_path(kit);

	(void)unlink(path);
}

static int
heal(struct kit *kit, const struct oid *head, bool read_all, struct err *err)
{
	AUTO(worktree_closep) struct worktree *worktree = NULL;
	struct worktree_healed healed;

	if (worktree_open(kit->repo, &worktree, err) < 0) {
		return err->code;
	}
	worktree_claim(worktree, SIDECAR_TOP, NULL);
	for (size_t i = 0; i < kit->config->nwatches; i++) {
		worktree_claim(worktree, kit->config->watches[i].name,
			kit->config->watches[i].path);
	}
	if (worktree_heal(worktree, kit->repo, head, read_all, &healed, err) < 0) {
		return err->code;
	}
	if (healed.written + healed.removed + healed.set_aside > 0) {
		log_notice("the browsable copy was put right: %zu written, %zu removed, "
			   "%zu set aside",
			healed.written, healed.removed, healed.set_aside);
	}
	return 0;
}

int
kit_heal(struct kit *kit, bool read_all, struct err *err)
{
	AUTO_FREE char *path = dirty_path(kit);
	struct oid head;
	struct oid tree;
	int found;

	if (repo_work_dir(kit->repo) == NULL || access(path, F_OK) < 0) {
		return 0;
	}
	found = kit_head(kit, &head, &tree, err);
	if (found < 0) {
		return err->code;
	}
	if (heal(kit, found > 0 ? &head : NULL, read_all, err) < 0) {
		// Somebody's git holds the index, which nothing of ours needs: the files
		// are right, and the mark stays for the next start.  And a tree that is
		// lost is made again by the next cycle, if that is not kept from it.
		bool waits = err->code == ERR_BUSY || err->code == ERR_NOT_FOUND ||
			err->code == ERR_CORRUPT;

		return waits ? 0 : err->code;
	}
	kit_clear_dirty(kit);
	return 0;
}

int
kit_freshen(struct kit *kit, const struct oid *commit, struct err *err)
{
	int missing = index_write(kit->repo, commit, err);

	if (missing <= 0) {
		return missing;
	}
	return kit_mark_dirty(kit, err) < 0 ? err->code : kit_heal(kit, false, err);
}

void
kit_stop(struct kit *kit)
{
	scanner_freep(&kit->scanner);
	ledger_closep(&kit->ledger);
	repo_closep(&kit->repo);
	explicit_bzero(kit->key, sizeof(kit->key));
}

void
kit_free(struct kit *kit)
{
	if (kit == NULL) {
		return;
	}
	kit_stop(kit);
	evidence_close(kit->evidence);
	jobqueue_close(kit->queue);
	free(kit->state_dir);
	free(kit->runtime_dir);
	free(kit->bell_dir);
	free(kit);
}

void
kit_freep(struct kit **kit)
{
	kit_free(*kit);
	*kit = NULL;
}
