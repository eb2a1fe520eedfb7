// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/watch/world - a watched folder in a scratch room, and what was heard of it.
 *
 * Knows: watch, tests/support.
 * Owns:  `world`, made by setup() and taken down by teardown().
 * Never: makes anything up: what is heard comes from the kernel.
 */

#ifndef TESTS_WATCH_WORLD_H
#define TESTS_WATCH_WORLD_H

#include "watch/watch.h"
#include "base/clock.h"
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MANY = 4096
};

// What was heard: the hints as one text, and as a set.
struct heard {
	char text[16384];
	char *folders[MANY];
	size_t nfolders;
	unsigned int flags;
	int removed;
	int changed;
};

struct world {
	struct scratch *room;
	struct watch *watch;
	struct heard heard;
};

static struct world world;

static inline bool
known(const struct heard *heard, const char *folder)
{
	for (size_t i = 0; i < heard->nfolders; i++) {
		if (strcmp(heard->folders[i], folder) == 0) {
			return true;
		}
	}
	return false;
}

static inline bool
heard(const char *folder)
{
	return known(&world.heard, folder);
}

static inline void
forget(void)
{
	for (size_t i = 0; i < world.heard.nfolders; i++) {
		free(world.heard.folders[i]);
	}
	world.heard = (struct heard){ 0 };
}

static inline bool
skip_some(size_t index, const char *folder, void *payload)
{
	const char *name = strrchr(folder, '/');

	(void)index;
	(void)payload;
	name = name != NULL ? name + 1 : folder;
	return strcmp(name, "node_modules") == 0 || strcmp(name, ".git") == 0;
}

static inline int
setup(void **state)
{
	struct err err;

	if (scratch_setup(state) < 0) {
		return -1;
	}
	world = (struct world){ .room = *state };
	scratch_mkdir(world.room, "root/notes/deep");
	scratch_mkdir(world.room, "root/node_modules/a/b");
	scratch_mkdir(world.room, "outside");

	struct watch_root root = { .path = scratch_path(world.room, "root"), .index = 7 };
	return watch_open(&root, 1, skip_some, NULL, &world.watch, &err);
}

static inline int
teardown(void **state)
{
	watch_closep(&world.watch);
	forget();
	return scratch_teardown_all(state);
}

static inline void
remember(const struct watch_hint *hint, void *payload)
{
	struct heard *heard = payload;
	size_t len = strlen(heard->text);
	const char *folder = hint->folder != NULL ? hint->folder : "*";

	assert_int_equal(hint->index, 7);
	if (!known(heard, folder) && heard->nfolders < MANY) {
		heard->folders[heard->nfolders++] = strdup(folder);
	}
	*(hint->removed ? &heard->removed : &heard->changed) += 1;
	if (len + strlen(folder) + 8 < sizeof(heard->text)) {
		(void)snprintf(heard->text + len, sizeof(heard->text) - len, "%s%s;",
			folder, hint->deep ? "/**" : "");
	}
}

static inline void
hear(void)
{
	struct heard *heard = &world.heard;
	int64_t end_ms = clock_mono_ms() + 1000;
	unsigned int flags;

	forget();
	do {
		flags = watch_drain(world.watch, remember, heard);
		heard->flags |= flags & ~(unsigned int)WATCH_MORE;
	} while ((flags & WATCH_MORE) != 0 && clock_mono_ms() < end_ms);
}

static inline void
sh(const char *command)
{
	assert_int_equal(scratch_sh(world.room, "%s", command), 0);
}

static inline bool
rings(void)
{
	struct pollfd look = { .fd = watch_fd(world.watch), .events = POLLIN };

	return poll(&look, 1, 0) == 1;
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
