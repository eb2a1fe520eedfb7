// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/push_room - one conversation with a remote, through git: the inside of push and
 * fetch.
 *
 *     AUTO(push_git_done) struct push push = { 0 };
 *
 *     if (push_git_prepare(&push, options, ret_result, err) < 0) ...
 *     if (push_git_run(&push, argv, &out, err) < 0) ...      // push.result says why
 *
 * Knows: push (the words), base (spawn).
 * Owns:  the child's environment, until push_git_done(), and the table of reasons.
 * Never: asks a person, lets a password reach argv, a log or an error.
 */

#ifndef BRAIN_PUSH_ROOM_H
#define BRAIN_PUSH_ROOM_H

#include "base/base.h"
#include "brain/push.h"

struct buf;

enum {
	PUSH_GIT_OUT_MAX = 16 << 20,
	PUSH_GIT_ENV_MAX = 48,
};

struct push {
	const struct push_options *options;
	struct push_result *result;
	int64_t end_ms;
	// As git gets it, without what is secret.
	char *url;
	char *user;
	char *password;
	char *masked;
	char *env[PUSH_GIT_ENV_MAX];
	size_t nenv;
	unsigned int nconfig;
	// Our heartbeat's ref, and what stands there now.
	char *beat_ref;
	struct oid beat_seen;
};

/** INVALID: the remote is no address.  Sets every field of @ret_result. */
int push_git_prepare(struct push *push, const struct push_options *options,
	struct push_result *ret_result, struct err *err) NONNULL MUST_CHECK;
void push_git_done(struct push *push) NONNULL;

/** One more "NAME=value" for the child; takes ownership. */
void push_git_env(struct push *push, char *assignment) NONNULL;

/** Run git; @out (may be NULL) gets its standard output.  0, or the reason is set and
 * told. */
int push_git_run(struct push *push, const char *const *argv, struct buf *out,
	struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

/** What git, ssh, curl and the servers said, as a reason. */
enum push_reason push_git_diagnose(const char *words) NONNULL;

/** Set the reason and tell it; returns its code. */
int push_git_fail(struct push *push, enum push_reason reason, struct err *err) NONNULL;

/** Where, in what the remote said, is the secret that it found?  The paths and blobs, as
 * our repository knows them, go to the front of result->said. */
void push_blame(struct push *push, const char *words) NONNULL;

/** The id of @ref in what `git ls-remote` said. */
bool push_git_find_ref(const char *text, const char *ref, struct oid *ret_oid) NONNULL;

#endif
