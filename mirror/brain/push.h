// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/push - bring the branch to the remote, and see that it arrived.
 *
 *     struct push_options options = { .git_dir = ..., .remote = url, .branch = ..., };
 *     struct push_result result;
 *
 *     if (push_run(&options, &result, err) < 0) {
 *             // result.reason says which row of the table, err->next what to do
 *     }
 *
 * Knows: base (spawn), fleet.  Runs git, with the user's own credentials and ssh.
 * Owns:  the child, its deadline and its environment: no prompts, ever.
 * Never: merges, takes exit code 0 for an answer (only the remote's own ref counts), or
 *        lets a password in a URL reach argv, a log or an error.  Forces nothing but our
 *        own heartbeat, and the branch after a purge, each only while it stands at what
 *        we know.
 */

#ifndef BRAIN_PUSH_H
#define BRAIN_PUSH_H

#include "base/base.h"
#include "base/spawn.h"
#include "brain/oid.h"

struct err;
struct fleet_self;

/** Why a push failed, a row each: name, word, code, sentence, what to do next. */
enum push_reason {
	PUSH_OK,
	PUSH_NO_HOST,
	PUSH_REFUSED,
	PUSH_TIMEOUT,
	PUSH_HOST_KEY,
	PUSH_AUTH,
	PUSH_NO_REPOSITORY,
	PUSH_SECRET,
	PUSH_TOO_BIG,
	PUSH_HOOK,
	PUSH_DIVERGED,
	PUSH_GONE,
	PUSH_PROTECTED,
	PUSH_UNVERIFIED,
	PUSH_CERTIFICATE,
	PUSH_NO_GIT,
	PUSH_CANCELLED,
	PUSH_OTHER,
	/** Another machine writes under our name; a copy of this disk does. */
	PUSH_TAKEN,
	PUSH_COPY,
	/** Too many came, or it is being maintained. */
	PUSH_BUSY,
	PUSH_ARCHIVED,
	/** A key or token that was good. */
	PUSH_EXPIRED,
	/** Known, but not for this organization. */
	PUSH_SSO,
	/** Not from this machine's address. */
	PUSH_ADDRESS,
	/** The folder there is another user's, and git does not go in. */
	PUSH_OWNER,
	PUSH_NREASONS_,
};

/** "hook"; a literal, the word that health and JSON show. */
const char *push_reason_word(enum push_reason reason);

struct push_options {
	const char *git_dir;
	/** A URL or a path.  A password in it goes through git's configuration by
	 * environment and is masked everywhere else. */
	const char *remote;
	/** "host/laptop"; pushed from and to refs/heads/<branch>. */
	const char *branch;
	/** The commit that must be there afterwards, and is what is pushed. */
	struct oid commit;
	/** What the remote had when we last looked; zero when never.  Known and now
	 * missing is PUSH_GONE, which is told and, unless @recreate, not repaired. */
	struct oid last_seen;
	bool recreate;
	/** After a purge: the remote's branch may stand at this commit, which ours does
	 * not follow, and is replaced.  Zero: never. */
	struct oid replaces;
	/** Who we are.  With it the remote is asked first whether somebody else writes
	 * under our name (PUSH_TAKEN, PUSH_COPY), and @beat goes along.  It is saved
	 * before and after.  NULL: nothing of that. */
	struct fleet_self *self;
	/** Our new heartbeat, in the store of brain/fleet; zero: none is due.  A remote
	 * that refuses it gets the branch without it. */
	struct oid beat;
	/** Wall clock for all of it. */
	int64_t deadline_ms;
	/** Progress lines as git says them, masked; may be NULL.  Anything but 0 cancels.
	 */
	spawn_line_fn *on_line;
	void *payload;
	/** As in struct spawn. */
	int wake_fd;
	bool gentle;
};

struct push_result {
	enum push_reason reason;
	/** What the remote's branch points to now, as ls-remote said; zero: unknown. */
	struct oid remote;
	/** False when the remote had it already. */
	bool sent;
	/** The remote has options.beat. */
	bool beaten;
	/** What the remote or git said, printable and masked; the last lines. */
	char said[1024];
};

/**
 * @return
 *         0 when the remote has @commit, or negative: REMOTE, TIMEOUT, DENIED,
 *         CANCELLED, NOT_FOUND (no git).  @ret_result is always filled in.
 */
int push_run(const struct push_options *options, struct push_result *ret_result,
	struct err *err) NONNULL MUST_CHECK;

/** Only look: the id of the remote's branch.  @return 1, 0 there is none, or negative. */
int push_look(const struct push_options *options, struct push_result *ret_result,
	struct err *err) NONNULL MUST_CHECK;

/**
 * Fetch the branch as it is at the remote, its newest commit alone, into another
 * repository, @git_dir: for a drill, which must not find anything there beforehand.
 * Fails as push_run().
 */
int push_fetch(const struct push_options *options, const char *git_dir,
	struct push_result *ret_result, struct err *err) NONNULL MUST_CHECK;

/**
 * Fetch the heartbeats of all machines, or that of one @host, into the store of
 * brain/fleet.  Fails as push_run(); options->branch and commit do not count.
 */
int push_fetch_beats(const struct push_options *options, const char *host,
	struct push_result *ret_result, struct err *err) NONNULL_ARGS(1, 3, 4) MUST_CHECK;

/** Fetch one machine's whole branch as it is at the remote, with its milestones, or with
 * "*" everybody's without them, into refs/heads/ of ours: @refspec as git takes it. */
int push_fetch_history(const struct push_options *options, const char *refspec,
	struct push_result *ret_result, struct err *err) NONNULL MUST_CHECK;

/** The name and commit of each branch host/<name> at the remote; anything but 0 ends it
 * and is returned. */
typedef int push_host_fn(const char *host, const struct oid *commit, void *payload);
int push_each_host(const struct push_options *options, push_host_fn *fn, void *payload,
	struct push_result *ret_result, struct err *err) NONNULL_ARGS(1, 2, 4, 5)
	MUST_CHECK;

/** Would the remote let us write?  Asked with a push that sends nothing; a rule about one
 * branch, or a hook, may still say no later.  Fails as push_run(). */
int push_may(const struct push_options *options, struct push_result *ret_result,
	struct err *err) NONNULL MUST_CHECK;

/** How far, as git says it on a line: "Writing objects:  45% (45/100), 1.2 MiB". */
struct push_progress {
	/** "writing objects"; "" when the line says nothing of the kind. */
	char what[40];
	uint64_t done;
	uint64_t total;
};
/** @line may be NULL. */
void push_progress(const char *line, size_t len, struct push_progress *ret_progress)
	NONNULL_ARGS(3);

/** @url without its password, safe to show.  Owned by the caller. */
char *push_mask(const char *url) NONNULL MUST_CHECK;

#endif
