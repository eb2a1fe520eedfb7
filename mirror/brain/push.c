// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * look (when we know what should be there) -> push -> look again
 *
 * The first look tells a deleted branch from a first push; the second is the only thing
 * that counts as success.  Servers have been seen to accept a push and drop it, and git
 * to exit with 0 while a hook said no.
 *
 * Before anything is sent the first look also tells whose heartbeat stands beside our
 * branch.  Our own goes along in the same push, and is replaced only while it is still
 * the one we saw.
 */

#include "brain/push.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/fleet.h"
#include "brain/push_room.h"

#include <stdio.h>
#include <string.h>

enum {
	ARGV_MAX = 20,
};

static int
look(struct push *push, struct err *err)
{
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", push->options->git_dir);
	AUTO_FREE char *ref = xasprintf("refs/heads/%s", push->options->branch);
	const char *const argv[] = { "git", git_dir, "ls-remote", "--", push->url, ref,
		push->beat_ref, NULL };
	AUTO(buf_done) struct buf out = { .max = PUSH_GIT_OUT_MAX };

	push->result->remote = (struct oid){ { 0 } };
	push->beat_seen = (struct oid){ { 0 } };
	if (push_git_run(push, argv, &out, err) < 0) {
		return err->code;
	}
	if (push->beat_ref != NULL &&
		!push_git_find_ref(buf_text(&out), push->beat_ref, &push->beat_seen)) {
		push->beat_seen = (struct oid){ { 0 } };
	}
	return push_git_find_ref(buf_text(&out), ref, &push->result->remote) ? 1 : 0;
}

// May we replace what stands beside our branch?  The remote was looked at.
static int
check_owner(struct push *push, struct err *err)
{
	const struct push_options *options = push->options;
	const struct fleet_self *self = options->self;
	enum fleet_verdict verdict = FLEET_OURS;
	struct push_result ignored;
	struct fleet_beat theirs;
	char when[CLOCK_TEXT_MAX];

	if (self == NULL || oid_is_zero(&push->beat_seen) ||
		fleet_is_ours(self, &push->beat_seen)) {
		return 0;
	}
	if (push_fetch_beats(options, self->host, &ignored, err) < 0) {
		*push->result = ignored;
		return err_wrap(err, "read whose name this is");
	}
	if (fleet_beat_read(options->git_dir, &push->beat_seen, &theirs, err) == 0) {
		verdict = fleet_judge(self, &push->beat_seen, &theirs);
	} else {
		// Not a heartbeat, or another one by now: somebody else's in any case.
		verdict = FLEET_TAKEN;
		theirs = (struct fleet_beat){ .at_ms = 0 };
	}
	if (verdict == FLEET_OURS) {
		return 0;
	}
	// What stands there says nothing of ours.
	push->result->remote = (struct oid){ { 0 } };
	clock_format(theirs.at_ms, when);
	(void)snprintf(push->result->said, sizeof(push->result->said),
		"%s was last heard of %s from machine %.8s, this one is %.8s", self->host,
		when, theirs.machine, self->machine);
	(void)push_git_fail(push, verdict == FLEET_TAKEN ? PUSH_TAKEN : PUSH_COPY, err);
	err->next[0] = '\0';
	return err_advise(err,
		"set [brain] branch = \"host/%.60s2\" in the configuration; or, if the "
		"other one is no more: mirror machines --take-over",
		self->host);
}

// The heartbeat lies in a repository of its own; git is shown the way to it.
static void
show_beats(struct push *push)
{
	AUTO_FREE char *objects =
		xasprintf("%s/mirror/fleet.git/objects", push->options->git_dir);
	AUTO(buf_done) struct buf quoted = { .max = PUSH_GIT_OUT_MAX };
	struct err ignored;

	(void)!buf_add_text(&quoted, "GIT_ALTERNATE_OBJECT_DIRECTORIES=\"", &ignored);
	for (const char *c = objects; *c != '\0'; c++) {
		(void)!buf_add(&quoted, "\\", *c == '"' || *c == '\\' ? 1 : 0, &ignored);
		(void)!buf_add(&quoted, c, 1, &ignored);
	}
	(void)!buf_add_text(&quoted, "\"", &ignored);
	push_git_env(push, buf_steal(&quoted));
}

// Once: what is on its way may arrive without our hearing of it.
static int
announce_beat(struct push *push, struct err *err)
{
	struct fleet_self *self = push->options->self;

	if (self == NULL || oid_is_zero(&push->options->beat)) {
		return 0;
	}
	show_beats(push);
	fleet_self_sending(self, &push->options->beat);
	return fleet_self_save(push->options->git_dir, self, err);
}

// @branch, @beat: which of the two.
static int
send_refs(struct push *push, bool branch, bool beat, struct err *err)
{
	const struct push_options *options = push->options;
	char commit[OID_HEX_MAX];
	char blob[OID_HEX_MAX];
	char seen[OID_HEX_MAX];
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", options->git_dir);
	// Never a '+': what is not a fast-forward is told, not overwritten.
	AUTO_FREE char *branch_spec = xasprintf(
		"%s:refs/heads/%s", oid_hex(&options->commit, commit), options->branch);
	AUTO_FREE char *branch_lease = xasprintf("--force-with-lease=refs/heads/%s:%s",
		options->branch, oid_hex(&options->replaces, seen));
	AUTO_FREE char *beat_spec = xasprintf("%s:%s", oid_hex(&options->beat, blob),
		push->beat_ref != NULL ? push->beat_ref : "");
	AUTO_FREE char *beat_lease = xasprintf("--force-with-lease=%s:%s",
		push->beat_ref != NULL ? push->beat_ref : "",
		oid_is_zero(&push->beat_seen) ? "" : oid_hex(&push->beat_seen, seen));
	const char *argv[ARGV_MAX] = { "git", git_dir, "push", "--porcelain",
		"--progress", "--no-follow-tags", "--recurse-submodules=no" };
	size_t count = 7;

	if (branch && !oid_is_zero(&options->replaces) &&
		oid_equal(&push->result->remote, &options->replaces)) {
		argv[count++] = branch_lease;
	}
	if (beat) {
		argv[count++] = beat_lease;
	}
	argv[count++] = "--";
	argv[count++] = push->url;
	if (branch) {
		argv[count++] = branch_spec;
	}
	if (beat) {
		argv[count++] = beat_spec;
	}
	return push_git_run(push, argv, NULL, err);
}

// Some remotes take branches and nothing else: the heartbeat is worth no branch.
static bool
may_be_the_beat(enum push_reason reason)
{
	return reason == PUSH_HOOK || reason == PUSH_PROTECTED || reason == PUSH_OTHER ||
		reason == PUSH_DIVERGED || reason == PUSH_AUTH;
}

static int
send(struct push *push, struct err *err)
{
	bool beat = push->options->self != NULL && !oid_is_zero(&push->options->beat);

	if (send_refs(push, true, beat, err) < 0 &&
		(!beat || !may_be_the_beat(push->result->reason) ||
			send_refs(push, true, false, err) < 0)) {
		return err->code;
	}
	push->result->sent = true;
	return 0;
}

int
push_look(const struct push_options *options, struct push_result *ret_result,
	struct err *err)
{
	AUTO(push_git_done) struct push push = { 0 };
	int found;

	if (push_git_prepare(&push, options, ret_result, err) < 0) {
		return err->code;
	}
	found = look(&push, err);
	if (found >= 0) {
		ret_result->reason = PUSH_OK;
	}
	return found;
}

// Send what is missing, and look whether it is there now.  @found as look() said.
static int
bring(struct push *push, int found, struct err *err)
{
	const struct push_options *options = push->options;
	bool there = found > 0 && oid_equal(&push->result->remote, &options->commit);
	bool beat = options->self != NULL && !oid_is_zero(&options->beat);
	struct err survived;

	if (there && !beat) {
		return 0;
	}
	if (announce_beat(push, err) < 0) {
		return err->code;
	}
	if (there) {
		// The branch is where it should be; without a heartbeat it is so as well.
		if (send_refs(push, false, true, &survived) == 0) {
			push->beat_seen = options->beat;
		} else if (survived.code == ERR_CANCELLED) {
			*err = survived;
			return err->code;
		}
		push->result->said[0] = '\0';
		return 0;
	}
	if (send(push, err) < 0) {
		return err->code;
	}
	found = look(push, err);
	if (found < 0) {
		return found;
	}
	return found == 0 || !oid_equal(&push->result->remote, &options->commit)
		? push_git_fail(push, PUSH_UNVERIFIED, err)
		: 0;
}

// Two machines with one name may come at the same time: the one that came too late is
// told whom it met, not only that it could not.
static int
tell_whom(struct push *push, struct err *err)
{
	struct err told = *err;
	struct push_result result = *push->result;

	if (push->options->self != NULL && result.reason == PUSH_DIVERGED &&
		look(push, err) >= 0 && check_owner(push, err) < 0 &&
		(push->result->reason == PUSH_TAKEN ||
			push->result->reason == PUSH_COPY)) {
		return err->code;
	}
	*push->result = result;
	*err = told;
	return err->code;
}

static int
note_beat(struct push *push, struct err *err)
{
	const struct push_options *options = push->options;

	if (options->self == NULL || oid_is_zero(&options->beat) ||
		!oid_equal(&push->beat_seen, &options->beat)) {
		return 0;
	}
	push->result->beaten = true;
	fleet_self_sent(options->self, &options->beat);
	return fleet_self_save(options->git_dir, options->self, err);
}

int
push_run(const struct push_options *options, struct push_result *ret_result,
	struct err *err)
{
	AUTO(push_git_done) struct push push = { 0 };
	int found = 0;

	if (push_git_prepare(&push, options, ret_result, err) < 0) {
		return err->code;
	}
	if (!oid_is_zero(&options->last_seen) || options->self != NULL) {
		found = look(&push, err);
		if (found < 0 || check_owner(&push, err) < 0) {
			return err->code;
		}
		if (found == 0 && !oid_is_zero(&options->last_seen) &&
			!options->recreate) {
			return push_git_fail(&push, PUSH_GONE, err);
		}
	}
	if (bring(&push, found, err) < 0) {
		return tell_whom(&push, err);
	}
	ret_result->reason = PUSH_OK;
	return note_beat(&push, err);
}
