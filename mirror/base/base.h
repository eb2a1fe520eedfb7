// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/base - the words every room uses.
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: grows a function; these are words, not work.
 */

#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define countof(array) (sizeof(array) / sizeof((array)[0]))

/** Run @fn on the variable's address when its scope ends. */
#define AUTO(fn) __attribute__((cleanup(fn)))
#define AUTO_FREE AUTO(base_free_p)
#define AUTO_CLOSE AUTO(base_close_p)

/** Take the pointer out of an AUTO variable: the scope no longer frees it. */
#define STEAL(pointer)                                                                   \
	__extension__({                                                                  \
		__typeof__(pointer) steal_ = (pointer);                                  \
		(pointer) = NULL;                                                        \
		steal_;                                                                  \
	})
/** The same for a descriptor. */
#define STEAL_FD(fd)                                                                     \
	__extension__({                                                                  \
		int steal_ = (fd);                                                       \
		(fd) = -1;                                                               \
		steal_;                                                                  \
	})

#define NONNULL __attribute__((nonnull))
#define NONNULL_ARGS(...) __attribute__((nonnull(__VA_ARGS__)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/** For AUTO_FREE and AUTO_CLOSE; both keep errno. */
void base_free_p(void *pointer_to_pointer);
void base_close_p(int *fd);

#endif
