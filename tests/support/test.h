// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/support/test - cmocka and the words our tests add to it.
 *
 *     ok(file_replace(...));              // shows the whole struct err when it fails
 *     fails(file_read(...), ERR_NOT_FOUND);
 *
 * Both need a `struct err err;` in scope.
 */

#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/scratch.h"

#define ok(call)                                                                         \
	do {                                                                             \
		if ((call) < 0) {                                                        \
			fail_msg("%s: %s: %s (%s)", #call, err_phrase(err.code),         \
				err.msg, err.where);                                     \
		}                                                                        \
	} while (0)

#define fails(call, wanted)                                                              \
	do {                                                                             \
		int got_ = (int)(call);                                                  \
		if (got_ != (wanted)) {                                                  \
			fail_msg("%s gave %s, not %s: %s", #call,                        \
				err_phrase((enum err_code)MIN_OF(got_, 0)),              \
				err_phrase(wanted), err.msg);                            \
		}                                                                        \
	} while (0)

#endif
