// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/support/scratch - an empty folder for one test.
 *
 * Setup makes it, teardown removes it with rmdir: *a file left behind fails the test*.
 * A test that means to leave files removes them itself with scratch_empty().
 */

#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

struct scratch {
	char path[256];
	int dirfd;
};

/** cmocka setup and teardown: *state is a struct scratch *. */
int scratch_setup(void **state);
int scratch_teardown(void **state);
/** Teardown for tests that leave files on purpose. */
int scratch_teardown_all(void **state);

/** "<scratch>/<name>"; a static ring of 8, so borrowed for a few calls. */
const char *scratch_path(const struct scratch *scratch, const char *name);
/** Write a file, making its folders; whole content. */
void scratch_write(
	const struct scratch *scratch, const char *name, const void *data, size_t len);
void
scratch_write_text(const struct scratch *scratch, const char *name, const char *text);
void scratch_mkdir(const struct scratch *scratch, const char *name);
/** Read a whole file, with a NUL behind it; free() it.  Fails the test when it cannot. */
char *scratch_read(const struct scratch *scratch, const char *name, size_t *ret_len);
int scratch_exists(const struct scratch *scratch, const char *name);
/** Remove everything in it. */
void scratch_empty(const struct scratch *scratch);
/** Run a shell command in it (someone else's program is the witness); its exit status. */
int scratch_sh(const struct scratch *scratch, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
