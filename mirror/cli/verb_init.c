// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push.h"
#include "cli/handlers.h"
#include "cli/once.h"
#include "cli/plan.h"
#include "cli/settings.h"
#include "cli/takeover.h"
#include "config/config.h"
#include "config/places.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * `mirror init PATH...`: show the plan, write the configuration, make the brain
 * repository with a first cycle.  Nothing that exists is overwritten.
 */

struct init {
	struct call *call;
	char *file;
	/** Absolute; owned. */
	char **paths;
	size_t npaths;
	char *text;
	struct config *config;
};

static void
init_done(struct init *init)
{
	for (size_t i = 0; i < init->npaths; i++) {
		free(init->paths[i]);
	}
	free(init->paths);
	free(init->file);
	free(init->text);
	config_free(init->config);
}

static int
read_paths(struct init *init, struct err *err)
{
	const struct args *args = &init->call->args;

	init->paths = xcalloc(args->nwords, sizeof(init->paths[0]));
	for (size_t i = 0; i < args->nwords; i++) {
		AUTO_FREE char *expanded = places_expand(args->words[i]);
		AUTO_FREE char *real = realpath(expanded, NULL);
		struct stat info;

		if (real == NULL || stat(real, &info) < 0) {
			return err_errno(err, "%s", args->words[i]);
		}
		if (!S_ISDIR(info.st_mode)) {
			return err_raise(
				err, ERR_INVALID, "%s is no folder", args->words[i]);
		}
		init->paths[init->npaths++] = STEAL(real);
	}
	return 0;
}

static int
refuse_existing(const struct init *init, struct err *err)
{
	struct stat info;

	if (lstat(init->file, &info) < 0) {
		return 0;
	}
	err_raise(err, ERR_EXISTS, "there is a configuration already: %s", init->file);
	return err_advise(err, "mirror add %s", init->paths[0]);
}

static void
show_plan(const struct init *init)
{
	struct output *out = &init->call->out;
	AUTO_FREE char *remote = push_mask(init->config->brain.remote);
	AUTO_FREE char *file = path_printable(init->file);

	for (size_t i = 0; i < init->config->nwatches; i++) {
		AUTO(plan_done) struct plan plan;

		plan_make(init->config, &init->config->watches[i], &plan);
		plan_print(out, &init->config->watches[i], &plan);
	}
	output_line(out, "configuration: %s", file);
	output_line(out, "brain repository: %s", init->config->brain.repo);
	output_line(out, "remote: %s", remote);
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
	const char *remote = args_value(&init->call->args, "remote");

	init->file = settings_file(init->call);
	if (read_paths(init, err) < 0 || refuse_existing(init, err) < 0) {
		return err->code;
	}
	init->text = config_default_text((const char *const *)init->paths, init->npaths,
		remote != NULL ? remote : "none");
	return config_parse(
		init->text, strlen(init->text), init->file, &init->config, err);
}

int
verb_init(struct call *call, struct err *err)
{
	AUTO(init_done) struct init init = { .call = call };
	bool json = call->out.json;
	int status;

	if (args_has(&call->args, "from")) {
		return takeover_run(call, err);
	}
	if (call->args.nwords == 0) {
		return err_raise(
			err, ERR_USAGE, "init needs a PATH, or --from URL --host NAME");
	}
	if (args_has(&call->args, "host") || args_has(&call->args, "to")) {
		return err_raise(err, ERR_USAGE, "--host and --to go with --from");
	}
	if (prepare(&init, err) < 0) {
		return err->code;
	}
	if (!json) {
		show_plan(&init);
	}
	if (call->dry_run) {
		return 0;
	}
	// Where nobody can be asked, the command itself is the answer.
	if (!args_has(&call->args, "yes") && !call->out.no_input &&
		!output_ask(&call->out, "go on?")) {
		output_note(&call->out, "nothing was done");
		return 0;
	}
	if (write_config(&init, err) < 0) {
		return err->code;
	}
	status = once_run(call, init.config, &(struct agent_once){ 0 }, err);
	if (status >= 0 && status < 2) {
		output_note(&call->out, "next: mirror service install");
	}
	return status;
}
