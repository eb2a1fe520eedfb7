// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/point.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct at {
	int64_t at_s;
	bool found;
	struct oid commit;
	int64_t time;
	/** The oldest one, for the message. */
	int64_t oldest;
};

static int
see_commit(const struct repo_commit *commit, void *payload)
{
	struct at *at = payload;

	at->oldest = commit->time;
	if (commit->time > at->at_s) {
		return 0;
	}
	at->found = true;
	at->commit = commit->id;
	at->time = commit->time;
	return 1;
}

int
point_at(struct repo *repo, const struct oid *head, int64_t at_ms, struct oid *ret_commit,
	int64_t *ret_commit_ms, struct err *err)
{
	struct at at = { .at_s = at_ms / 1000 };
	char oldest[CLOCK_TEXT_MAX];

	if (repo_log(repo, head, see_commit, &at, err) < 0) {
		return err->code;
	}
	if (!at.found) {
		clock_format(at.oldest * 1000, oldest);
		err_raise(err, ERR_NOT_FOUND,
			"nothing is that old: the first commit is of %s", oldest);
		return err_advise(err, "mirror log");
	}
	*ret_commit = at.commit;
	*ret_commit_ms = at.time * 1000;
	return 0;
}

// ---- whose branch

struct hosts {
	size_t count;
	char name[REPO_REF_MAX];
	struct oid commit;
	/** "laptop, desk": for the message. */
	char list[200];
};

static int
see_host(const char *name, const struct oid *commit, void *payload)
{
	struct hosts *hosts = payload;
	AUTO_FREE char *shown = path_printable(name);
	size_t len = strlen(hosts->list);

	// The same machine, as a branch and as a remote's, is one.
	if (hosts->count > 0 && strcmp(hosts->name, name) == 0) {
		return 0;
	}
	hosts->count++;
	(void)snprintf(hosts->name, sizeof(hosts->name), "%s", name);
	hosts->commit = *commit;
	if (len + strlen(shown) + 3 < sizeof(hosts->list)) {
		(void)snprintf(hosts->list + len, sizeof(hosts->list) - len, "%s%s",
			len > 0 ? ", " : "", shown);
	}
	return 0;
}

static int
find_head(struct repo *repo, const char *host, struct oid *ret_head, struct err *err)
{
	struct hosts hosts = { 0 };
	int found;

	if (host != NULL) {
		found = repo_find_host(repo, host, ret_head, err);
		if (found > 0) {
			return 0;
		}
		if (found < 0) {
			return found;
		}
		err_raise(err, ERR_NOT_FOUND,
			"there is no machine %.80s in this repository", host);
		return err_advise(err, "mirror machines");
	}
	found = repo_head(repo, ret_head, err);
	if (found != 0) {
		return found < 0 ? found : 0;
	}
	// A clone whose HEAD leads nowhere: the server's HEAD was another branch.
	if (repo_each_host(repo, see_host, &hosts, err) < 0) {
		return err->code;
	}
	if (hosts.count == 1) {
		*ret_head = hosts.commit;
		return 0;
	}
	if (hosts.count == 0) {
		err_raise(err, ERR_NOT_FOUND, "there is no commit in this repository");
		return err_advise(err, "mirror --once");
	}
	err_raise(err, ERR_NOT_FOUND, "this repository has several machines: %s",
		hosts.list);
	return err_advise(err, "mirror restore --host NAME ...");
}

int
point_find(struct repo *repo, const char *host, const char *when, int64_t now_ms,
	when_offset_fn *offset, struct oid *ret_commit, struct err *err)
{
	struct oid head;
	int64_t at_ms;
	int64_t commit_ms;
	int got;

	// A tag or a commit stands for itself, whatever branch it is on.
	got = when == NULL ? 0 : when_parse(when, now_ms, offset, &at_ms, err);
	if (got < 0) {
		return got;
	}
	if (when != NULL && got == 0) {
		if (repo_resolve(repo, when, ret_commit, err) < 0) {
			AUTO_FREE char *shown = path_printable(when);

			err_raise(err, ERR_NOT_FOUND,
				"\"%.80s\" is no time, no commit and no milestone",
				shown);
			return err_advise(err, "mirror log");
		}
		return 0;
	}
	if (find_head(repo, host, &head, err) < 0) {
		return err->code;
	}
	if (when != NULL) {
		return point_at(repo, &head, at_ms, ret_commit, &commit_ms, err);
	}
	*ret_commit = head;
	return 0;
}
