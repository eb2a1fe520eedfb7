// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push.h"
#include "cli/detect.h"
#include "cli/first_run.h"
#include "cli/handlers.h"
#include "cli/plan.h"
#include "cli/remote_look.h"
#include "cli/rewrite.h"
#include "cli/settings.h"
#include "cli/takeover.h"
#include "config/check.h"
#include "config/config.h"
#include "config/places.h"
#include "scanner/scanner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * `mirror init PATH...`: look, show the plan, ask; then the configuration, the first
 * cycle and what proves it (cli/first_run).  Nothing that exists is overwritten, and
 * nothing is written or sent before the plan was agreed to.
 *
 * On a terminal it asks what was not said.  With --yes, or where nobody can be asked, the
 * command itself is the answer.
 */

enum {
	/** So long it looks into files for the plan. */
	LOOK_MS = 10 * 1000,
	/** Words of an answer. */
	ANSWER_MAX = 1024,
};

struct init {
	struct call *call;
	/** Questions may be asked. */
	bool asks;
	char *file;
	struct detect found;
	char *remote;
	char *text;
	struct config *config;
	struct scanner *scanner;
	struct first_run wanted;
	uint64_t files;
	uint64_t bytes;
	uint64_t secrets;
	uint64_t databases;
};

static void
init_done(struct init *init)
{
	detect_done(&init->found);
	free(init->file);
	free(init->remote);
	free(init->text);
	config_free(init->config);
	scanner_free(init->scanner);
}

// ---- what is to be kept

static int
read_paths(struct init *init, struct err *err)
{
	const struct args *args = &init->call->args;

	for (size_t i = 0; i < args->nwords; i++) {
		AUTO_FREE char *expanded = places_expand(args->words[i]);
		AUTO_FREE char *real = realpath(expanded, NULL);
		struct stat info;

		if (real == NULL || stat(real, &info) < 0) {
			err_errno(err, "%s", args->words[i]);
			return err_advise(err,
				"mirror init --detect --dry-run shows what there is");
		}
		if (!S_ISDIR(info.st_mode)) {
			err_raise(err, ERR_INVALID, "%s is no folder", args->words[i]);
			return err_advise(err, "mirror init the folder it is in");
		}
		detect_add(&init->found, real);
	}
	return 0;
}

static int
detect(struct init *init, struct err *err)
{
	AUTO_FREE char *home = places_home();

	if (!args_has(&init->call->args, "detect")) {
		return 0;
	}
	detect_run(home, &init->call->out, &init->found);
	if (init->found.count == 0) {
		err_raise(err, ERR_NOT_FOUND,
			"nothing was found in %s that looks worth keeping", home);
		return err_advise(err, "mirror init PATH...");
	}
	return 0;
}

static int
refuse_existing(const struct init *init, struct err *err)
{
	const struct args *args = &init->call->args;
	struct stat info;

	if (lstat(init->file, &info) < 0) {
		return 0;
	}
	err_raise(err, ERR_EXISTS, "there is a configuration already: %s", init->file);
	if (args->nwords == 0) {
		return err_advise(err, "mirror config show, mirror add PATH");
	}
	return err_advise(err, "mirror add %s", init->found.items[0].path);
}

// The configuration as text, from what is wanted; parsed, so that it is right.
static int
make_config(struct init *init, struct err *err)
{
	const char *host = args_value(&init->call->args, "host");
	AUTO_FREE struct config_seed *seeds =
		xcalloc(init->found.count + 1, sizeof(*seeds));

	for (size_t i = 0; i < init->found.count; i++) {
		const struct detect_item *item = &init->found.items[i];

		seeds[i] = (struct config_seed){
			.path = item->path,
			.name = strcmp(path_base(item->path), item->name) != 0
				? item->name
				: NULL,
			.why = item->why,
			.exclude = item->exclude,
			.rolling = item->rolling,
		};
	}
	free(init->text);
	init->text = config_default_text(seeds, init->found.count, init->remote);
	if (host != NULL) {
		AUTO_FREE char *before = init->text;
		AUTO_FREE char *branch = xasprintf("host/%s", host);

		init->text = rewrite_set(before, "brain", "branch", branch, 0);
	}
	if (init->wanted.seal) {
		AUTO_FREE char *before = init->text;

		init->text = rewrite_set(before, "secrets", "action", "seal", 0);
	}
	config_freep(&init->config);
	return config_parse(
		init->text, strlen(init->text), init->file, &init->config, err);
}

// ---- the plan

static int
make_scanner(struct init *init, struct err *err)
{
	uint8_t key[HASH_KEY_LEN];
	// Nothing of what it finds is kept, so any key does.
	struct scanner_options options = { .key = key };

	if (hash_random(key, sizeof(key), err) < 0) {
		return err->code;
	}
	return scanner_new(&options, &init->scanner, err);
}

static void
show_left(const struct init *init)
{
	struct output *out = &init->call->out;

	for (size_t i = 0; i < init->found.nleft; i++) {
		AUTO_FREE char *path = places_shown(init->found.left[i].path);

		if (i == 0) {
			output_line(out, "seen and not taken:");
		}
		output_line(out, "  %s: %s", path, init->found.left[i].why);
	}
}

static void
add_up(struct init *init, const struct plan *plan)
{
	init->files += plan->files;
	init->bytes += plan->bytes;
	init->secrets += plan->secrets;
	init->databases += plan->databases;
}

static void
show_sum(const struct init *init)
{
	struct output *out = &init->call->out;
	char size[OUTPUT_SIZE_MAX];

	if (init->config->nwatches > 1) {
		output_size(init->bytes, size);
		output_line(out,
			"together: %zu folders, %" PRIu64 " files, %s; %" PRIu64
			" database%s; %" PRIu64 " secret%s found",
			init->config->nwatches, init->files, size, init->databases,
			init->databases == 1 ? "" : "s", init->secrets,
			init->secrets == 1 ? "" : "s");
	}
}

// One folder of the plan.
static void
show_folder(struct init *init, size_t index, const struct plan *plan, struct json *list)
{
	struct output *out = &init->call->out;
	const struct config_watch *watch = &init->config->watches[index];
	const char *why = init->found.items[index].why;
	struct json *row;

	add_up(init, plan);
	if (out->json) {
		row = plan_json(watch, plan);
		json_set_text(row, "why", why);
		json_append(list, row);
		return;
	}
	plan_print(out, watch, plan);
	if (why != NULL) {
		output_line(out, "  because: %s", why);
	}
	// Nobody sits before a screen that stands still.
	(void)fflush(stdout);
}

static void
show_folders(struct init *init)
{
	struct output *out = &init->call->out;
	struct json *list = json_new_array();
	struct plan_look look = {
		.scanner = init->scanner,
		.until_ms = clock_mono_ms() + LOOK_MS,
		.out = out,
	};

	json_set(output_answer(out), "folders", list);
	for (size_t i = 0; i < init->config->nwatches; i++) {
		AUTO(plan_done) struct plan plan;

		plan_make(init->config, &init->config->watches[i], &look, &plan);
		show_folder(init, i, &plan, list);
	}
	if (!out->json) {
		show_left(init);
		show_sum(init);
	}
}

static int
show_places(struct init *init, struct err *err)
{
	struct output *out = &init->call->out;
	AUTO_FREE char *file = path_printable(init->file);
	AUTO_FREE char *repo = path_printable(init->config->brain.repo);
	AUTO(remote_look_done) struct remote_look look = { 0 };
	bool pushes = config_has_remote(init->config);
	AUTO_FREE char *remote = pushes ? push_mask(init->config->brain.remote) : NULL;

	json_set_text(output_answer(out), "configuration", init->file);
	json_set_text(output_answer(out), "brain", init->config->brain.repo);
	json_set_text(output_answer(out), "remote", remote);
	json_set_text(output_answer(out), "branch", init->config->brain.branch);
	if (!out->json) {
		output_line(out, "configuration: %s", file);
		output_line(out, "brain repository: %s", repo);
	}
	if (!pushes) {
		if (!out->json) {
			output_line(out, "remote: none, nothing leaves this machine");
		}
		return 0;
	}
	output_note(out, "asking the remote");
	if (remote_look(init->config, &look, err) < 0) {
		return err_wrap(err, "nothing was done");
	}
	if (!out->json) {
		remote_look_print(out, init->config, &look);
	}
	if (look.branch == REMOTE_BRANCH_OTHER) {
		const char *host = config_host(init->config);

		err_raise(err, ERR_EXISTS,
			"nothing was done: the remote has a branch %s, from another "
			"machine of that name or from this one before it was lost",
			init->config->brain.branch);
		return err_advise(err,
			"to go on as it: mirror init --from URL --host %s; else a new "
			"name: --host NAME",
			host);
	}
	return 0;
}

// ---- questions

static void
ask_remote(struct init *init)
{
	char answer[ANSWER_MAX];

	if (!init->asks || args_has(&init->call->args, "remote")) {
		return;
	}
	output_ask_text(&init->call->out,
		"Where to push to?  The URL of an empty, private git repository, or a "
		"path; empty for nowhere:",
		answer, sizeof(answer));
	if (answer[0] != '\0') {
		free(init->remote);
		init->remote = answer[0] == '~' ? places_expand(answer) : xstrdup(answer);
	}
}

// @return 1 when something was left out.
static int
ask_what(struct init *init)
{
	char answer[ANSWER_MAX];
	char *rest = answer;
	int dropped = 0;

	if (!init->asks || !args_has(&init->call->args, "detect")) {
		return 0;
	}
	output_ask_text(&init->call->out,
		"Leave something out?  Its names, with spaces between; empty to keep "
		"all:",
		answer, sizeof(answer));
	for (char *word; (word = strsep(&rest, " ,\t")) != NULL;) {
		size_t len = strlen(word);

		if (len > 0 && word[len - 1] == '/') {
			word[len - 1] = '\0';
		}
		if (word[0] != '\0' && !detect_drop(&init->found, word)) {
			output_warn(&init->call->out, "there is no %s above", word);
		} else if (word[0] != '\0') {
			dropped = 1;
		}
	}
	return dropped;
}

// @return 1 go on, 0 not, or negative.
static int
agree(struct init *init, struct err *err)
{
	int dropped = ask_what(init);

	if (dropped > 0 && init->found.count == 0) {
		return 0;
	}
	if (init->asks && !output_ask(&init->call->out, "Go on?")) {
		return 0;
	}
	if (init->asks && init->secrets > 0 && !init->wanted.seal &&
		first_run_can_seal()) {
		init->wanted.seal = output_ask(&init->call->out,
			"Secrets are cut out.  Keep them as well, encrypted, to be "
			"opened "
			"with a recovery key that you put away?");
	}
	return make_config(init, err) < 0 ? (int)err->code : 1;
}

// ---- from the beginning

static int
check_words(const struct call *call, struct err *err)
{
	const char *host = args_value(&call->args, "host");

	if (call->args.nwords == 0 && !args_has(&call->args, "detect")) {
		err_raise(err, ERR_USAGE,
			"init needs a PATH, --detect, or --from URL --host NAME");
		return err_advise(err, "mirror init --detect --dry-run");
	}
	if (host != NULL) {
		AUTO_FREE char *branch = xasprintf("host/%s", host);

		if (!check_is_branch(branch)) {
			return err_raise(err, ERR_USAGE,
				"--host: \"%s\" is no name for a branch", host);
		}
	}
	if (args_has(&call->args, "to") || args_has(&call->args, "key")) {
		err_raise(err, ERR_USAGE, "--to and --key go with --from");
		return err_advise(err, "mirror help init");
	}
	return 0;
}

static int
write_config(const struct init *init, struct err *err)
{
	AUTO_FREE char *folder =
		xmemdup0(init->file, (size_t)(path_base(init->file) - init->file));

	if (folder[0] != '\0' && file_make_dirs(folder, 0700, err) < 0) {
		return err->code;
	}
	return file_replace_at(init->file, init->text, strlen(init->text), 0600, err);
}

static int
prepare(struct init *init, struct err *err)
{
	struct call *call = init->call;
	const char *remote = args_value(&call->args, "remote");

	init->file = settings_file(call);
	init->asks = !call->out.no_input && !call->out.json && !call->dry_run &&
		!args_has(&call->args, "yes");
	init->wanted = (struct first_run){
		.asks = init->asks,
		.seal = args_has(&call->args, "seal"),
		.service = args_has(&call->args, "service"),
		.drill = args_has(&call->args, "drill"),
	};
	init->remote = xstrdup(remote != NULL ? remote : "none");
	if (read_paths(init, err) < 0 || refuse_existing(init, err) < 0 ||
		detect(init, err) < 0) {
		return err->code;
	}
	ask_remote(init);
	return make_config(init, err) < 0 ? (int)err->code : make_scanner(init, err);
}

int
verb_init(struct call *call, struct err *err)
{
	AUTO(init_done) struct init init = { .call = call };
	int agreed;

	if (args_has(&call->args, "from")) {
		return takeover_run(call, err);
	}
	if (check_words(call, err) < 0 || prepare(&init, err) < 0) {
		return err->code;
	}
	show_folders(&init);
	if (show_places(&init, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		return 0;
	}
	agreed = agree(&init, err);
	if (agreed == 0) {
		output_note(&call->out, "nothing was done");
	}
	if (agreed <= 0) {
		return agreed;
	}
	return write_config(&init, err) < 0
		? (int)err->code
		: first_run(call, &init.wanted, init.config, err);
}
