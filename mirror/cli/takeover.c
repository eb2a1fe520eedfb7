// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/takeover.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/fleet.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "cli/once.h"
#include "cli/rewrite.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "restore/listing.h"
#include "restore/restore.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FETCH_DEADLINE_MS = 8 * 60 * 60 * 1000,
	/** Files that would not come back, named in full. */
	SHOWN_MAX = 10,
};

struct takeover {
	struct call *call;
	const char *url;
	const char *host;
	char *branch;
	char *file;
	char *text;
	struct config *config;
	struct repo *repo;
	struct oid commit;
	// The watched folders of the lost machine, and where each comes back; owned.
	char **names;
	char **paths;
	size_t nroots;
	size_t names_size;
	size_t paths_size;
	// With --dry-run the repository is made here, and removed again.
	char *scratch;
	size_t shown;
	struct err *err;
};

static void
takeover_done(struct takeover *takeover)
{
	struct err ignored;

	for (size_t i = 0; i < takeover->nroots; i++) {
		free(takeover->names[i]);
		free(takeover->paths[i]);
	}
	free(takeover->names);
	free(takeover->paths);
	free(takeover->branch);
	free(takeover->file);
	free(takeover->text);
	repo_close(takeover->repo);
	config_free(takeover->config);
	if (takeover->scratch != NULL) {
		(void)!file_remove_tree(AT_FDCWD, takeover->scratch, &ignored);
		free(takeover->scratch);
	}
}

// ---- what there is

static int
check(struct takeover *takeover, struct err *err)
{
	struct stat info;

	if (takeover->host == NULL) {
		err_raise(err, ERR_USAGE, "which machine? --host NAME");
		return err_advise(
			err, "git ls-remote --heads URL shows host/NAME of each");
	}
	if (args_has(&takeover->call->args, "remote")) {
		return err_raise(err, ERR_USAGE, "--from is the remote already");
	}
	if (lstat(takeover->file, &info) == 0) {
		return err_raise(err, ERR_EXISTS, "there is a configuration already: %s",
			takeover->file);
	}
	return 0;
}

static struct push_options
remote_of(const struct takeover *takeover)
{
	return (struct push_options){
		.git_dir = repo_git_dir(takeover->repo),
		.remote = takeover->url,
		.branch = takeover->branch,
		.deadline_ms = FETCH_DEADLINE_MS,
	};
}

static int
fetch(struct takeover *takeover, struct err *err)
{
	struct repo_options options = {
		.path = takeover->config->brain.repo,
		.branch = takeover->branch,
		.worktree = takeover->config->brain.worktree,
	};
	AUTO_FREE char *refspec = xasprintf(
		"refs/heads/%s:refs/heads/%s", takeover->branch, takeover->branch);
	AUTO_FREE char *temporary = NULL;
	struct push_options from;
	struct push_result result;
	int found;

	if (takeover->call->dry_run) {
		temporary = xstrdup("/tmp/mirror-look.XXXXXX");
		if (mkdtemp(temporary) == NULL) {
			return err_errno(err, "make %s", temporary);
		}
		takeover->scratch = STEAL(temporary);
		options.path = takeover->scratch;
		options.worktree = false;
	}
	if (repo_open(&options, true, &takeover->repo, err) < 0) {
		return err_wrap(err, "make the brain repository %s", options.path);
	}
	from = remote_of(takeover);
	output_note(&takeover->call->out, "fetching %s", takeover->branch);
	if (push_fetch_history(&from, refspec, &result, err) < 0 ||
		repo_refresh(takeover->repo, err) < 0) {
		return err_wrap(err, "fetch %s", takeover->branch);
	}
	found = repo_head(takeover->repo, &takeover->commit, err);
	return found > 0 ? 0
		: found < 0
		? found
		: err_raise(err, ERR_NOT_FOUND, "the remote has no %s", takeover->branch);
}

// "notes=~/papers" among the words, else DIR/notes, else ~/notes.
static char *
path_for(const struct takeover *takeover, const char *name)
{
	const struct args *args = &takeover->call->args;
	const char *to = args_value(args, "to");
	AUTO_FREE char *folder = places_expand(to != NULL ? to : "~");
	AUTO_FREE char *here = realpath(".", NULL);
	AUTO_FREE char *joined = NULL;
	AUTO_FREE char *whole = NULL;

	for (size_t i = 0; i < args->nwords; i++) {
		const char *equal = strchr(args->words[i], '=');

		if (equal != NULL && strlen(name) == (size_t)(equal - args->words[i]) &&
			strncmp(args->words[i], name, strlen(name)) == 0) {
			joined = places_expand(equal + 1);
		}
	}
	if (joined == NULL) {
		joined = path_join(folder, name);
	}
	whole = joined[0] == '/' ? xstrdup(joined)
				 : path_join(here != NULL ? here : "/", joined);
	return path_normal(whole);
}

// A watched folder of it, perhaps one that git alone would not show: empty, or with
// nothing but names that git refuses.
static int
on_folder(const struct listing_folder *folder, void *payload)
{
	struct takeover *takeover = payload;

	if (folder->path[0] == '\0' || strchr(folder->path, '/') != NULL) {
		return folder->path[0] == '\0' ? 0 : LISTING_SKIP;
	}
	takeover->names = xgrow(takeover->names, takeover->nroots, &takeover->names_size,
		sizeof(takeover->names[0]));
	takeover->paths = xgrow(takeover->paths, takeover->nroots, &takeover->paths_size,
		sizeof(takeover->paths[0]));
	takeover->names[takeover->nroots] = xstrdup(folder->path);
	takeover->paths[takeover->nroots++] = path_for(takeover, folder->path);
	return LISTING_SKIP;
}

// A word that names no folder of it is a slip of the pen.
static int
check_words(const struct takeover *takeover, struct err *err)
{
	const struct args *args = &takeover->call->args;

	for (size_t i = 0; i < args->nwords; i++) {
		size_t len = strcspn(args->words[i], "=");
		bool known = false;

		for (size_t j = 0; j < takeover->nroots && !known; j++) {
			known = args->words[i][len] == '=' &&
				strlen(takeover->names[j]) == len &&
				strncmp(takeover->names[j], args->words[i], len) == 0;
		}
		if (!known) {
			err_raise(err, ERR_USAGE, "%s is no NAME=PATH of %s",
				args->words[i], takeover->host);
			return err_advise(err, "the same with --dry-run shows the names");
		}
	}
	return 0;
}

static int
find_roots(struct takeover *takeover, struct err *err)
{
	AUTO(listing_closep) struct listing *listing = NULL;

	if (listing_open(takeover->repo, &takeover->commit, &listing, err) < 0 ||
		listing_walk(listing, "", on_folder, takeover, err) < 0) {
		return err_wrap(err, "read what %s had", takeover->host);
	}
	if (takeover->nroots == 0) {
		return err_raise(err, ERR_NOT_FOUND, "%s kept no folder", takeover->host);
	}
	return check_words(takeover, err);
}

// ---- the configuration

static int
parse(struct takeover *takeover, struct err *err)
{
	config_freep(&takeover->config);
	return config_parse(takeover->text, strlen(takeover->text), takeover->file,
		&takeover->config, err);
}

// @roots: with its folders, once they are known.
static int
make_text(struct takeover *takeover, bool roots, struct err *err)
{
	size_t count = roots ? takeover->nroots : 0;
	AUTO_FREE struct config_seed *seeds = xcalloc(count + 1, sizeof(*seeds));
	AUTO_FREE char *plain = NULL;

	for (size_t i = 0; i < count; i++) {
		seeds[i].path = takeover->paths[i];
		seeds[i].name =
			strcmp(path_base(takeover->paths[i]), takeover->names[i]) != 0
			? takeover->names[i]
			: NULL;
	}
	plain = config_default_text(seeds, count, takeover->url);
	free(takeover->text);
	takeover->text = rewrite_set(plain, "brain", "branch", takeover->branch, 0);
	return roots ? parse(takeover, err) : 0;
}

static int
write_config(const struct takeover *takeover, struct err *err)
{
	const char *file = takeover->file;
	AUTO_FREE char *folder = xmemdup0(file, (size_t)(path_base(file) - file));

	if (folder[0] != '\0' && file_make_dirs(folder, 0700, err) < 0) {
		return err->code;
	}
	return file_replace_at(file, takeover->text, strlen(takeover->text), 0600, err);
}

// ---- the files

static int
on_path(const struct restore_path *path, void *payload)
{
	struct takeover *takeover = payload;
	AUTO_FREE char *shown = path_printable(path->path);

	if ((path->verdict == RESTORE_CONFLICT || path->verdict == RESTORE_MISSING ||
		    path->verdict == RESTORE_FAILED) &&
		takeover->shown++ < SHOWN_MAX) {
		output_warn(&takeover->call->out, "%s: %s", shown, path->why);
	}
	return 0;
}

static int
on_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct takeover *takeover = payload;

	output_progress(&takeover->call->out, what, done, total);
	return 0;
}

static int
bring_back(struct takeover *takeover, bool preview, struct restore_result *ret_result,
	struct err *err)
{
	AUTO_FREE struct restore_root *roots = xcalloc(takeover->nroots, sizeof(*roots));
	const char *key = args_value(&takeover->call->args, "key");
	AUTO_FREE char *identity = key != NULL ? places_expand(key) : NULL;
	struct restore_options options = {
		.repo = takeover->repo,
		.commit = takeover->commit,
		.roots = roots,
		.nroots = takeover->nroots,
		.identity = identity,
		.preview = preview,
		.told = on_path,
		.progress = on_progress,
		.payload = takeover,
	};
	int result;

	for (size_t i = 0; i < takeover->nroots; i++) {
		roots[i] = (struct restore_root){ .name = takeover->names[i],
			.path = takeover->paths[i] };
	}
	options.paths = (const char *const *)takeover->names;
	options.npaths = takeover->nroots;
	takeover->shown = 0;
	result = restore_run(&options, ret_result, err);
	output_progress_done(&takeover->call->out);
	return result;
}

static int
take_time(const struct repo_commit *commit, void *payload)
{
	*(int64_t *)payload = commit->time * 1000;
	return 1;
}

static void
answer(struct takeover *takeover, const struct restore_result *result, const char *when,
	const char *remote)
{
	struct json *answer = output_answer(&takeover->call->out);
	struct json *folders = json_new_array();

	json_set_text(answer, "from", remote);
	json_set_text(answer, "host", takeover->host);
	json_set_text(answer, "at", when);
	json_set_int(answer, "files", (int64_t)result->count[RESTORE_WRITTEN]);
	json_set_int(answer, "there", (int64_t)result->count[RESTORE_KEPT]);
	json_set_int(answer, "redacted", (int64_t)result->redacted);
	for (size_t i = 0; i < takeover->nroots; i++) {
		struct json *row = json_new_object();

		json_set_bytes(
			row, "name", takeover->names[i], strlen(takeover->names[i]));
		json_set_bytes(
			row, "path", takeover->paths[i], strlen(takeover->paths[i]));
		json_append(folders, row);
	}
	json_set(answer, "folders", folders);
}

static int
show(struct takeover *takeover, struct err *err)
{
	struct output *out = &takeover->call->out;
	AUTO_FREE char *remote = push_mask(takeover->url);
	struct restore_result result;
	char when[CLOCK_TEXT_MAX];
	char id[OID_HEX_MAX];
	int64_t at_ms = 0;

	if (repo_log(takeover->repo, &takeover->commit, take_time, &at_ms, err) < 0 ||
		bring_back(takeover, true, &result, err) < 0) {
		return err->code;
	}
	clock_format(at_ms, when);
	answer(takeover, &result, when, remote);
	if (!out->json) {
		output_line(out, "%s as of %s (%.12s) from %s", takeover->host, when,
			oid_hex(&takeover->commit, id), remote);
		for (size_t i = 0; i < takeover->nroots; i++) {
			AUTO_FREE char *path = path_printable(takeover->paths[i]);

			output_line(out, "%s comes back as %s", takeover->names[i], path);
		}
		output_line(out,
			"%" PRIu64 " files to restore, %" PRIu64
			" are there already, %" PRIu64 " hold marks where secrets were",
			result.count[RESTORE_WRITTEN], result.count[RESTORE_KEPT],
			result.redacted);
	}
	if (result.count[RESTORE_CONFLICT] > 0) {
		err_raise(err, ERR_EXISTS, "%" PRIu64 " other files stand in the way",
			result.count[RESTORE_CONFLICT]);
		return err_advise(err, "move them away, or restore elsewhere: --to DIR");
	}
	return 0;
}

// ---- the name

static int
on_beat(const struct fleet_beat *beat, void *payload)
{
	struct fleet_beat *theirs = payload;

	// Only the one that was fetched is there.
	*theirs = *beat;
	return 0;
}

static int
take_name(struct takeover *takeover, struct err *err)
{
	const char *git_dir = repo_git_dir(takeover->repo);
	struct push_options from = remote_of(takeover);
	struct fleet_beat theirs = { .at_ms = 0 };
	struct push_result result;
	struct err none;

	// A machine from before there were heartbeats has left none.
	if (push_fetch_beats(&from, takeover->host, &result, &none) < 0) {
		return result.reason == PUSH_NO_REPOSITORY || result.reason == PUSH_OTHER
			? 0
			: err_raise(err, none.code, "%s", none.msg);
	}
	if (fleet_each(git_dir, on_beat, &theirs, err) < 0) {
		return err->code;
	}
	return theirs.at_ms == 0 ? 0
				 : fleet_self_take_over(git_dir, takeover->host,
					   &theirs.blob, &theirs, err);
}

static int
go_on(struct takeover *takeover, struct err *err)
{
	struct call *call = takeover->call;
	struct restore_result result;
	int status;

	if (bring_back(takeover, false, &result, err) < 0) {
		return err_advise(
			err, "the same command again goes on where this one ended");
	}
	if (result.count[RESTORE_FAILED] + result.count[RESTORE_CONFLICT] > 0) {
		err_raise(err, ERR_IO, "%" PRIu64 " files could not be restored",
			result.count[RESTORE_FAILED] + result.count[RESTORE_CONFLICT]);
		return err_advise(
			err, "the same command again goes on where this one ended");
	}
	if (!call->out.json) {
		output_line(&call->out, "%" PRIu64 " files restored",
			result.count[RESTORE_WRITTEN]);
	}
	if (take_name(takeover, err) < 0 || write_config(takeover, err) < 0) {
		return err->code;
	}
	repo_closep(&takeover->repo);
	status = once_as_part(call, takeover->config, err);
	if (status >= 0 && status < 2) {
		output_note(&call->out, "next: mirror service install");
	}
	return status;
}

int
takeover_run(struct call *call, struct err *err)
{
	AUTO(takeover_done)
	struct takeover takeover = {
		.call = call,
		.url = args_value(&call->args, "from"),
		.host = args_value(&call->args, "host"),
		.err = err,
	};

	takeover.file = settings_file(call);
	if (check(&takeover, err) < 0) {
		return err->code;
	}
	takeover.branch = xasprintf("host/%s", takeover.host);
	if (make_text(&takeover, false, err) < 0) {
		return err->code;
	}
	// Where the repository will be is known before what is in it: any folder will do.
	AUTO_FREE char *some =
		xasprintf("%s\n[[watch]]\npath = \"/\"\nname = \"any\"\n", takeover.text);
	if (config_parse(some, strlen(some), takeover.file, &takeover.config, err) < 0 ||
		fetch(&takeover, err) < 0 || find_roots(&takeover, err) < 0 ||
		make_text(&takeover, true, err) < 0 || show(&takeover, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		return 0;
	}
	if (!args_has(&call->args, "yes") && !call->out.no_input &&
		!output_ask(&call->out, "go on?")) {
		output_note(&call->out, "nothing was restored");
		return 0;
	}
	return go_on(&takeover, err);
}
