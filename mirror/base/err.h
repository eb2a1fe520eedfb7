// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/err - a failure as a value: a code to act on, a sentence to read, a next step.
 *
 *     if (fd < 0) {
 *             return err_errno(err, "open %s", path);
 *     }
 *     if (repo_open(path, &repo, err) < 0) {
 *             return err_wrap(err, "commit %s", name);
 *     }
 *
 * Knows: nothing.
 * Owns:  nothing: the struct lives on the caller's stack, is copied freely, never freed.
 * Never: allocates, prints, or keeps a secret (whoever writes the sentence sees to it).
 *
 * Functions that can fail take a `struct err *` last, never NULL, and return 0 or a
 * negative code; a positive number is a success worth telling apart.
 */

#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

/** What a failed job deserves. */
enum err_verdict {
	/** Try again later: the world may get better on its own. */
	ERR_RETRY,
	/** Set aside: a person or a changed file must act first. */
	ERR_PARK,
	/** Stop the agent: going on could do harm. */
	ERR_STOP,
};

/**
 * Every code, once: name, verdict, exit code of a command that ends with it, phrase.
 * A code names what the caller can do, never where it happened.
 */
// clang-format off
#define ERR_TABLE(X) \
	X(INVALID,   ERR_PARK,   65, "invalid input") \
	X(USAGE,     ERR_PARK,   64, "wrong usage") \
	X(CONFIG,    ERR_PARK,   78, "configuration error") \
	X(NOT_FOUND, ERR_PARK,    2, "not found") \
	X(EXISTS,    ERR_PARK,   73, "already exists") \
	X(DENIED,    ERR_PARK,   77, "permission denied") \
	X(READ_ONLY, ERR_PARK,   73, "read-only file system") \
	X(TOO_BIG,   ERR_PARK,   65, "too big") \
	X(BLOCKED,   ERR_PARK,   65, "blocked by the scanner") \
	X(BUSY,      ERR_RETRY,  75, "busy") \
	X(IO,        ERR_RETRY,   2, "input/output error") \
	X(NO_SPACE,  ERR_RETRY,  73, "no space left") \
	X(NO_MEMORY, ERR_RETRY,   2, "out of memory") \
	X(CANCELLED, ERR_RETRY,   2, "cancelled") \
	X(TIMEOUT,   ERR_RETRY, 124, "time limit reached") \
	X(REMOTE,    ERR_RETRY,  69, "remote unavailable or refused") \
	X(UNSTABLE,  ERR_RETRY,   2, "changed while being read") \
	X(CORRUPT,   ERR_STOP,    2, "corrupt data") \
	X(BUG,       ERR_STOP,    2, "bug, please report")
// clang-format on

enum err_code {
	ERR_NONE_ = 0,
#define ERR_POSITION_(name, verdict, exit, phrase) ERR_POSITION_##name,
	ERR_TABLE(ERR_POSITION_)
#undef ERR_POSITION_
#define ERR_CODE_(name, verdict, exit, phrase) ERR_##name = -ERR_POSITION_##name,
	ERR_TABLE(ERR_CODE_)
#undef ERR_CODE_
};

enum {
	ERR_MSG_MAX = 400,
	ERR_NEXT_MAX = 400
};

struct err {
	/** What to do about it; 0 when nothing failed. */
	enum err_code code;
	/** The errno behind it, or 0. */
	int sys;
	/** Where it was raised, as "file:line".  A literal; never freed. */
	const char *where;
	/** The whole story, outermost context first. */
	char msg[ERR_MSG_MAX];
	/** What a person can do next, often a command; may be empty. */
	char next[ERR_NEXT_MAX];
};

#define ERR_STRING_2_(x) #x
#define ERR_STRING_(x) ERR_STRING_2_(x)
#define ERR_WHERE_ __FILE__ ":" ERR_STRING_(__LINE__)

/** Forget an earlier failure. */
void err_clear(struct err *err) NONNULL;

/** Set code and sentence; returns the code. */
#define err_raise(err, code, ...) err_raise_at((err), (code), ERR_WHERE_, __VA_ARGS__)
/** The same from errno: picks the code, adds strerror; returns the code. */
#define err_errno(err, ...) err_errno_at((err), ERR_WHERE_, __VA_ARGS__)

int err_raise_at(struct err *err, enum err_code code, const char *where, const char *fmt,
	...) NONNULL PRINTF_LIKE(4, 5);
int err_errno_at(struct err *err, const char *where, const char *fmt, ...)
	NONNULL PRINTF_LIKE(3, 4);

/** Prefix what *we* were doing; the cause is never cut off.  Returns the code. */
int err_wrap(struct err *err, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);

/** Set the next step, unless a deeper room already knew one.  Returns the code. */
int err_advise(struct err *err, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);

/** The code that belongs to an errno. */
enum err_code err_code_of(int sys);

/** The policy of a code: one table, beside the codes. */
enum err_verdict err_verdict(enum err_code code);

/** The exit status of a command that ended with this code (0 for none). */
int err_exit(enum err_code code);

/** "no space left"; a literal. */
const char *err_phrase(enum err_code code);

enum {
	ERR_WORD_MAX = 16,
};
/** "no_space", for programs; "none" for no code. */
void err_word(enum err_code code, char text[ERR_WORD_MAX]) NONNULL;

#endif
