// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "cli/handlers.h"
#include "cli/rewrite.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/options.h"

#include <stdlib.h>
#include <string.h>

enum {
	TEST_DEADLINE_MS = 60 * 1000,
};

// The line [brain] remote is set on; 0: it is not.
static unsigned int
remote_line(const struct config *config)
{
	for (size_t i = 0; i < noptions; i++) {
		if (strcmp(options[i].section, "brain") == 0 &&
			strcmp(options[i].key, "remote") == 0) {
			return config->lines[i];
		}
	}
	return 0;
}

int
verb_remote_set(struct call *call, struct err *err)
{
	AUTO(rewrite_done) struct rewrite rewrite = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	AUTO(config_freep) struct config *after = NULL;
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *shown = push_mask(call->args.words[0]);
	int result;

	if (rewrite_open(file, &rewrite, err) < 0 ||
		config_parse(buf_text(&rewrite.text), rewrite.text.len, file, &config,
			err) < 0) {
		return err->code;
	}
	text = rewrite_set(buf_text(&rewrite.text), "brain", "remote",
		call->args.words[0], remote_line(config));
	result = call->dry_run ? config_parse(text, strlen(text), file, &after, err)
			       : rewrite_save(&rewrite, text, strlen(text), err);
	if (result < 0) {
		return result;
	}
	json_set_text(output_answer(&call->out), "remote", shown);
	json_set_bytes(output_answer(&call->out), "file", file, strlen(file));
	output_line(&call->out, "the remote %s %s", call->dry_run ? "would be" : "is now",
		shown);
	output_note(&call->out, "next: mirror remote test");
	return 0;
}

static void
print(struct call *call, const struct push_result *result, const char *branch)
{
	struct output *out = &call->out;
	AUTO(json_freep) struct json *object = json_new_object();
	bool known = !oid_is_zero(&result->remote);
	char id[OID_HEX_MAX];

	(void)oid_hex(&result->remote, id);
	if (!out->json) {
		output_line(out, "the remote answers: %s is %s%.12s", branch,
			known ? "at " : "not there yet", known ? id : "");
		return;
	}
	json_set_text(object, "schema", "mirror.remote-test/1");
	json_set_bool(object, "reachable", true);
	json_set_text(object, "branch", branch);
	json_set_text(object, "commit", known ? id : NULL);
	output_json(out, object);
}

int
verb_remote_test(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(repo_closep) struct repo *repo = NULL;
	struct repo_options where = { .read_only = true };
	struct push_options look = { .deadline_ms = TEST_DEADLINE_MS };
	struct push_result result;

	if (settings_load(call, &config, err) < 0) {
		return err->code;
	}
	if (!config_has_remote(config)) {
		json_set_bool(output_answer(&call->out), "reachable", false);
		json_set_text(output_answer(&call->out), "branch", config->brain.branch);
		json_set_null(output_answer(&call->out), "commit");
		output_line(
			&call->out, "there is no remote: nothing leaves this machine");
		return 0;
	}
	where.path = config->brain.repo;
	where.branch = config->brain.branch;
	if (repo_open(&where, false, &repo, err) < 0) {
		return err_advise(err, "mirror --once --no-push");
	}
	look.git_dir = repo_git_dir(repo);
	look.remote = config->brain.remote;
	look.branch = config->brain.branch;
	if (push_look(&look, &result, err) < 0) {
		return err->code;
	}
	print(call, &result, config->brain.branch);
	return 0;
}
