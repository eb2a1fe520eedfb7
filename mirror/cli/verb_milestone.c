// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/agent.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "brain/milestone.h"
#include "brain/repo.h"
#include "cli/clean.h"
#include "cli/handlers.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "jobqueue/jobqueue.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/**
 * `mirror milestone NAME`: an annotated tag on a commit that holds everything as it is
 * now.  A name git refuses would fail every cycle from then on, so it is judged here.
 */

enum {
	ASK_DEADLINE_MS = 10000,
	// So many hexadecimal digits are a commit to git, whatever tag there is.
	ID_LEN = 40,
};

static bool
is_good_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= JOBQUEUE_NAME_MAX || name[0] == '-' ||
		strcmp(name, "HEAD") == 0) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)name[i]) && strchr("._/-", name[i]) == NULL) {
			return false;
		}
		// No part may be empty, begin with a dot or end in one, or in ".lock".
		if (name[i] == '.' &&
			(i == 0 || name[i - 1] == '/' || name[i - 1] == '.')) {
			return false;
		}
		if (name[i] == '/' &&
			(i == 0 || name[i - 1] == '/' || name[i - 1] == '.')) {
			return false;
		}
	}
	return name[len - 1] != '/' && name[len - 1] != '.' &&
		strstr(name, ".lock") == NULL;
}

// What git, or we, would take for a branch, a commit or a ref of another kind: whoever
// says the name would get one or the other.
static bool
is_ambiguous(const struct config *config, const char *name)
{
	static const char *const taken[] = { "host/", "heads/", "tags/", "remotes/",
		"refs/", "mirror/", "notes/" };

	for (size_t i = 0; i < countof(taken); i++) {
		if (strncmp(name, taken[i], strlen(taken[i])) == 0) {
			return true;
		}
	}
	if (strcmp(name, config->brain.branch) == 0 || strcmp(name, "host") == 0 ||
		strcmp(name, "stash") == 0 || strstr(name, "HEAD") != NULL) {
		return true;
	}
	return strlen(name) == ID_LEN &&
		strspn(name, "0123456789abcdefABCDEF") == strlen(name);
}

struct looking {
	const char *name;
	bool found;
	/** A tag beside which git has no place for this one; owned. */
	char *in_the_way;
	struct oid commit;
};

static void
looking_done(struct looking *looking)
{
	free(looking->in_the_way);
}

static int
look_at_tag(const char *name, const struct oid *commit, void *payload)
{
	struct looking *looking = payload;

	size_t len = strlen(name);
	size_t wanted = strlen(looking->name);

	// Git keeps a tag as a file: "v1" and "v1/beta" cannot both be.
	if (len != wanted && memcmp(name, looking->name, MIN_OF(len, wanted)) == 0 &&
		(len < wanted ? looking->name[len] : name[wanted]) == '/') {
		looking->in_the_way = xstrdup(name);
		return 1;
	}
	if (strcmp(name, looking->name) != 0) {
		return 0;
	}
	looking->found = true;
	looking->commit = *commit;
	return 1;
}

// Is there a tag of that name?  No repository has none.
static int
find_tag(const struct config *config, struct looking *looking, struct err *err)
{
	AUTO(repo_closep) struct repo *repo = NULL;
	struct repo_options options = {
		.path = config->brain.repo,
		.branch = config->brain.branch,
		.read_only = true,
	};

	looking->found = false;
	if (repo_open(&options, false, &repo, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err->code;
	}
	return MIN_OF(repo_each_tag(repo, look_at_tag, looking, err), 0);
}

static int
ask(const char *name, const char *message, struct err *err)
{
	AUTO(jobqueue_closep) struct jobqueue *queue = NULL;
	AUTO_FREE char *state = places_state_dir();
	int64_t ticket;

	if (file_make_dirs(state, 0700, err) < 0 ||
		jobqueue_open(state, &queue, err) < 0) {
		return err->code;
	}
	return jobqueue_enqueue_tag(queue, JOB_SYNC, name, message, &ticket, err);
}

// To read; NULL when there is none yet.
static struct repo *
open_quietly(const struct config *config)
{
	struct repo *repo = NULL;
	struct repo_options options = {
		.path = config->brain.repo,
		.branch = config->brain.branch,
		.read_only = true,
	};
	struct err ignored;

	return repo_open(&options, false, &repo, &ignored) < 0 ? NULL : repo;
}

// One name is one milestone for all machines of a remote.  One that does not answer now
// is asked again when the tag is pushed.
static int
ask_remote(const struct config *config, const char *name, struct err *err)
{
	AUTO(repo_closep) struct repo *repo = open_quietly(config);
	struct push_options ask = {
		.git_dir = repo != NULL ? repo_git_dir(repo) : NULL,
		.remote = config->brain.remote,
		.branch = config->brain.branch,
		.deadline_ms = ASK_DEADLINE_MS,
	};
	struct err ignored;

	return repo != NULL && config_has_remote(config) &&
			milestone_look(&ask, name, &ignored) > 0
		? err_raise(err, ERR_EXISTS,
			  "the remote has a milestone %s already, of another machine",
			  name)
		: 0;
}

static bool
is_at_remote(const struct config *config, const char *name)
{
	AUTO(repo_closep) struct repo *repo = open_quietly(config);

	return repo != NULL && config_has_remote(config) &&
		milestone_is_there(repo_git_dir(repo), name);
}

static void
print(struct call *call, const struct config *config, const struct looking *looking)
{
	AUTO(json_freep) struct json *object = json_new_object();
	bool pushed = is_at_remote(config, looking->name);
	char id[OID_HEX_MAX];

	(void)oid_hex(&looking->commit, id);
	if (!call->out.json) {
		output_line(&call->out, "%s is commit %.12s%s", looking->name, id,
			pushed                              ? ", at the remote too"
				: config_has_remote(config) ? ", not yet at the remote"
							    : "");
		return;
	}
	json_set_text(object, "schema", "mirror.milestone/1");
	json_set_text(object, "name", looking->name);
	json_set_text(object, "commit", id);
	json_set_bool(object, "pushed", pushed);
	output_json(&call->out, object);
}

static int
make(struct call *call, const struct config *config, struct looking *looking,
	const char *message, struct err *err)
{
	struct agent_once options = { .no_push = false };
	struct cycle_result result;
	struct err push = { 0 };

	if (ask(looking->name, message, err) < 0 ||
		agent_once(config, &options, &result, &push, err) < 0 ||
		find_tag(config, looking, err) < 0) {
		return err->code;
	}
	if (!looking->found) {
		return err_raise(err, ERR_IO,
			"the cycle ended and %s could not be made: its log says why",
			looking->name);
	}
	print(call, config, looking);
	if (push.code != 0) {
		output_error(&call->out, &push);
	}
	return 0;
}

int
verb_milestone(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *message = NULL;
	AUTO(looking_done) struct looking looking = { 0 };

	if (settings_load_and_keep(call, &config, err) < 0 ||
		clean_text(call, call->args.words[0], &name, err) < 0 ||
		clean_text(call, args_value(&call->args, "message"), &message, err) < 0) {
		return err->code;
	}
	if (!is_good_name(name)) {
		return err_raise(err, ERR_USAGE,
			"\"%s\" is not a name git takes: letters, digits and . _ - /",
			name);
	}
	if (is_ambiguous(config, name)) {
		return err_raise(err, ERR_USAGE,
			"\"%s\" could be a branch or a commit as well: take another name",
			name);
	}
	looking.name = name;
	if (find_tag(config, &looking, err) < 0) {
		return err->code;
	}
	if (looking.found) {
		return err_raise(
			err, ERR_EXISTS, "there is a milestone %s already", name);
	}
	if (looking.in_the_way != NULL) {
		return err_raise(err, ERR_EXISTS,
			"git has no place for %s beside the milestone %s", name,
			looking.in_the_way);
	}
	if (ask_remote(config, name, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		output_line(&call->out, "%s would be made", name);
		return 0;
	}
	return make(call, config, &looking, message, err);
}
