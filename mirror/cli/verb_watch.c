// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/handlers.h"
#include "cli/rewrite.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * `mirror add` and `mirror remove`: one [[watch]] more or less, the comments stay.
 */

static char *
absolute(const char *given)
{
	AUTO_FREE char *expanded = places_expand(given);
	AUTO_FREE char *cwd = expanded[0] == '/' ? NULL : getcwd(NULL, 0);
	AUTO_FREE char *joined = path_join(cwd != NULL ? cwd : "", expanded);

	return path_normal(joined[0] == '/' ? joined : "/");
}

static void
answer(struct call *call, const char *key, const char *text)
{
	json_set_bytes(output_answer(&call->out), key, text, strlen(text));
}

static int
save(struct call *call, struct rewrite *rewrite, const char *text, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;

	if (call->dry_run) {
		return config_parse(text, strlen(text), rewrite->file, &config, err);
	}
	return rewrite_save(rewrite, text, strlen(text), err);
}

static int
check_folder(const char *path, struct err *err)
{
	struct stat info;

	if (stat(path, &info) < 0) {
		err_errno(err, "%s", path);
		return err_advise(
			err, "mirror init --detect --dry-run shows what there is");
	}
	if (!S_ISDIR(info.st_mode)) {
		err_raise(err, ERR_INVALID, "%s is no folder", path);
		return err_advise(err, "mirror add the folder it is in");
	}
	return 0;
}

int
verb_add(struct call *call, struct err *err)
{
	AUTO(rewrite_done) struct rewrite rewrite = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *path = absolute(call->args.words[0]);
	AUTO_FREE char *text = NULL;

	if (check_folder(path, err) < 0 || settings_load(call, &config, err) < 0 ||
		rewrite_open(file, &rewrite, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < config->nwatches; i++) {
		if (strcmp(config->watches[i].path, path) == 0) {
			return err_raise(err, ERR_EXISTS, "%s is watched already (%s:%u)",
				path, file, config->watches[i].line);
		}
	}
	text = rewrite_add_watch(
		buf_text(&rewrite.text), path, args_value(&call->args, "name"));
	if (save(call, &rewrite, text, err) < 0) {
		return err->code;
	}

	AUTO_FREE char *shown = path_printable(path);
	answer(call, "path", path);
	answer(call, "file", file);
	output_line(&call->out,
		call->dry_run ? "%s would be watched" : "%s is watched now", shown);
	output_note(&call->out, "next: mirror --once");
	return 0;
}

// By its path, or by its name.
static const struct config_watch *
find_watch(const struct config *config, const char *given, const char *path)
{
	for (size_t i = 0; i < config->nwatches; i++) {
		if (strcmp(config->watches[i].path, path) == 0 ||
			strcmp(config->watches[i].name, given) == 0) {
			return &config->watches[i];
		}
	}
	return NULL;
}

int
verb_remove(struct call *call, struct err *err)
{
	AUTO(rewrite_done) struct rewrite rewrite = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *path = absolute(call->args.words[0]);
	AUTO_FREE char *text = NULL;
	const struct config_watch *watch;

	if (rewrite_open(file, &rewrite, err) < 0 ||
		config_parse(buf_text(&rewrite.text), rewrite.text.len, file, &config,
			err) < 0) {
		return err->code;
	}
	watch = find_watch(config, call->args.words[0], path);
	if (watch == NULL) {
		err_raise(err, ERR_NOT_FOUND, "%s is not a watched folder", path);
		return err_advise(err, "mirror config show");
	}
	text = rewrite_remove_table(buf_text(&rewrite.text), watch->line);
	if (save(call, &rewrite, text, err) < 0) {
		return err->code;
	}

	AUTO_FREE char *shown = path_printable(watch->path);
	answer(call, "path", watch->path);
	answer(call, "name", watch->name);
	answer(call, "file", file);
	output_line(&call->out,
		call->dry_run ? "%s would no longer be watched"
			      : "%s is no longer watched",
		shown);
	output_note(&call->out, "what was kept of it stays in the history");
	return 0;
}
