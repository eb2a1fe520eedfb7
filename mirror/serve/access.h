// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/access - who may do what: tokens, sessions of a browser, and how often.
 *
 *     may = access_of_token(access, token);                   // bits of enum
 * access_scope if (!access_allows(access, ACCESS_TCP, now_ms)) ...     // 429
 *
 * Knows: base.
 * Owns:  <state>/api.token (0600, a line for each scope); sessions and one-time keys, in
 *        memory only: they end with the process.
 * Never: compares a token in a time that depends on it, or writes one anywhere else.
 *
 * Threads: one at a time.
 */

#ifndef SERVE_ACCESS_H
#define SERVE_ACCESS_H

#include "base/base.h"

struct access;
struct err;

/** Each includes the ones before it. */
enum access_scope {
	ACCESS_NOBODY = 0,
	ACCESS_READ = 1 << 0,
	ACCESS_OPERATE = 1 << 1,
	ACCESS_RESTORE = 1 << 2,
	ACCESS_ALL = 7,
};
/** "operate" for the scope a route asks for; a literal. */
const char *access_scope_word(enum access_scope scope);

enum {
	ACCESS_TOKEN_LEN = 64,
	ACCESS_SESSIONS_MAX = 32,
	ACCESS_KEYS_MAX = 16,
	ACCESS_SESSION_MS = 12 * 3600 * 1000,
	ACCESS_KEY_MS = 60 * 1000,
};

#define ACCESS_TOKEN_FILE "api.token"

/** Reads the tokens, or makes them (@with_tokens). */
int access_new(const char *state_dir, bool with_tokens, struct access **ret_access,
	struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void access_free(struct access *access);

/** Bits of enum access_scope, 0 for a stranger.  Takes as long for every stranger. */
unsigned int
access_of_token(const struct access *access, const char *token) NONNULL MUST_CHECK;

/** A key that opens one session, once, within a minute: 64 hex and a NUL. */
int access_key_new(struct access *access, int64_t mono_ms,
	char ret_key[ACCESS_TOKEN_LEN + 1], struct err *err) NONNULL MUST_CHECK;
/** Turn it into a session.  1, 0 no such key (any more), or negative. */
int access_enter(struct access *access, const char *key, int64_t mono_ms,
	char ret_session[ACCESS_TOKEN_LEN + 1], struct err *err) NONNULL MUST_CHECK;
/** A browser may look and operate; bringing a database back needs a token. */
unsigned int access_of_session(const struct access *access, const char *session,
	int64_t mono_ms) NONNULL MUST_CHECK;

/** What a form of that session must carry; @session NULL: the Unix socket's. */
void access_csrf(const struct access *access, const char *session,
	char ret_token[ACCESS_TOKEN_LEN + 1]) NONNULL_ARGS(1, 3);
bool access_csrf_is(const struct access *access, const char *session, const char *token)
	NONNULL_ARGS(1, 3);

/** Kinds of callers with a rate each. */
enum access_rate {
	ACCESS_UNIX,
	ACCESS_TCP,
	/** Wrong tokens. */
	ACCESS_STRANGER,
	ACCESS_NRATES_,
};
/** Take one from that bucket; false when it is empty. */
bool access_allows(struct access *access, enum access_rate rate, int64_t mono_ms) NONNULL;

#endif
