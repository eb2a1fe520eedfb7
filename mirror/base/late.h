// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/late - a library that is loaded when it is first needed.
 *
 *     static struct { typeof(deflate) *deflate; } zlib;
 *     static const struct late_call calls[] = { { "deflate", &zlib.deflate } };
 *
 *     if (late_load("libz.so.1", calls, countof(calls), err) < 0) ...
 *     zlib.deflate(...);
 *
 * For one that brings many others, and that most commands do without: what is linked is
 * loaded by each of them.
 *
 * Knows: err.
 * Owns:  nothing; what is loaded stays.
 * Never: leaves a call without its function when it succeeds.
 */

#ifndef BASE_LATE_H
#define BASE_LATE_H

#include "base/base.h"

struct err;

struct late_call {
	const char *name;
	/** A pointer to a function of its type. */
	void *function;
};

/**
 * Doing it again is cheap.
 *
 * @file
 *         The library's name as the linker would note it.
 * @return
 *         0, or negative: NOT_FOUND, and what to do.
 */
int late_load(const char *file, const struct late_call *calls, size_t ncalls,
	struct err *err) NONNULL MUST_CHECK;

#endif
