// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/remote_look.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push.h"
#include "brain/repo.h"
#include "cli/output.h"
#include "config/config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	ASK_DEADLINE_MS = 60 * 1000,
};

struct asking {
	const struct config *config;
	struct repo *repo;
	// Made for the questions alone; removed again.
	char *scratch;
	struct remote_look *look;
};

static void
asking_done(struct asking *asking)
{
	struct err ignored;

	repo_close(asking->repo);
	if (asking->scratch != NULL) {
		(void)!file_remove_tree(AT_FDCWD, asking->scratch, &ignored);
		free(asking->scratch);
	}
}

// git asks from inside a repository: ours when there is one.
static int
open_some(struct asking *asking, struct err *err)
{
	struct repo_options options = {
		.path = asking->config->brain.repo,
		.branch = asking->config->brain.branch,
		.read_only = true,
	};

	if (repo_open(&options, false, &asking->repo, err) == 0) {
		return 0;
	}
	AUTO_FREE char *scratch = xstrdup("/tmp/mirror-look.XXXXXX");
	if (mkdtemp(scratch) == NULL) {
		return err_errno(err, "make %s", scratch);
	}
	asking->scratch = STEAL(scratch);
	options.path = asking->scratch;
	options.read_only = false;
	return repo_open(&options, true, &asking->repo, err);
}

static int
on_host(const char *host, const struct oid *commit, void *payload)
{
	struct asking *asking = payload;
	struct remote_look *look = asking->look;

	if (strcmp(host, config_host(asking->config)) == 0) {
		look->commit = *commit;
		look->branch = asking->scratch == NULL && repo_has(asking->repo, commit)
			? REMOTE_BRANCH_OURS
			: REMOTE_BRANCH_OTHER;
		return 0;
	}
	if (look->others < REMOTE_LOOK_NAMES) {
		look->names[look->others] = path_short(host);
	}
	look->others++;
	return 0;
}

int
remote_look(const struct config *config, struct remote_look *ret_look, struct err *err)
{
	AUTO(asking_done) struct asking asking = { .config = config, .look = ret_look };
	struct push_options options = {
		.remote = config->brain.remote,
		.branch = config->brain.branch,
		.deadline_ms = ASK_DEADLINE_MS,
	};
	struct push_result result;

	*ret_look = (struct remote_look){ .branch = REMOTE_BRANCH_NEW };
	if (open_some(&asking, err) < 0) {
		return err->code;
	}
	options.git_dir = repo_git_dir(asking.repo);
	if (push_each_host(&options, on_host, &asking, &result, err) < 0) {
		return err->code;
	}
	if (push_may(&options, &result, err) < 0) {
		return err_wrap(err, "it answers, but nothing can be written there");
	}
	return 0;
}

void
remote_look_done(struct remote_look *look)
{
	for (size_t i = 0; i < REMOTE_LOOK_NAMES; i++) {
		free(look->names[i]);
		look->names[i] = NULL;
	}
}

void
remote_look_print(
	struct output *out, const struct config *config, const struct remote_look *look)
{
	AUTO_FREE char *remote = push_mask(config->brain.remote);
	char id[OID_HEX_MAX];

	output_line(out, "remote: %s", remote);
	output_text(out, "  it answers and can be written to; ");
	if (look->branch == REMOTE_BRANCH_NEW) {
		output_text(out, "the branch %s is new there", config->brain.branch);
	} else {
		output_text(out, "the branch %s is there, at %.12s%s",
			config->brain.branch, oid_hex(&look->commit, id),
			look->branch == REMOTE_BRANCH_OURS ? ", ours" : "");
	}
	if (look->others == 0) {
		output_line(out, "%s", "; no other machine writes there");
		return;
	}
	output_text(out, "; %" PRIu64 " other machine%s there: ", look->others,
		look->others == 1 ? "" : "s");
	for (size_t i = 0; i < REMOTE_LOOK_NAMES && look->names[i] != NULL; i++) {
		output_text(out, "%s%s", i > 0 ? ", " : "", look->names[i]);
	}
	output_line(out, "%s", look->others > REMOTE_LOOK_NAMES ? ", ..." : "");
}
