// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * watch/watch - you will hear that something changed, with a hint where, at least once;
 * sometimes only "look everywhere".
 *
 *     if (watch_open(roots, nroots, skip, payload, &watch, err) < 0) ...
 *     poll(... watch_fd(watch) ...);
 *     do {
 *             flags = watch_drain(watch, remember, payload);
 *     } while ((flags & WATCH_MORE) != 0);
 *     if ((flags & WATCH_REARM) != 0) {
 *             watch_rearm(watch);         // then look everywhere
 *     }
 *
 * Knows: base.  watch_inotify.c is the only file that speaks libinotifytools.
 * Owns:  one inotify instance, with a watch on each folder of the roots.
 * Never: says what is true: a hint says where to look.  Never promises to hear what the
 *        kernel does not tell (a network's other end, writes through a mapping or through
 *        a link from outside): a slow walk must cover those.
 *
 * The library behind it has one instance and one thread a process, and its descriptor
 * must be below 1024: open the watch once, early, and use it from one thread.
 */

#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "base/base.h"

struct err;
struct watch;

struct watch_root {
	/** Absolute; may be a link to a folder. */
	const char *path;
	/** The caller's number for it, given back in hints. */
	size_t index;
};

/** Where to look.  Borrowed until the callback returns. */
struct watch_hint {
	size_t index;
	/** Below the root, "" for the root itself; NULL: anywhere in this root. */
	const char *folder;
	/** The folder and everything below it, not only the folder's own entries. */
	bool deep;
	/** Something went away, and nothing else is known to have happened. */
	bool removed;
};
typedef void watch_hint_fn(const struct watch_hint *hint, void *payload);

/** Should this folder be left unwatched?  Whatever is below it then is as well. */
typedef bool watch_skip_fn(size_t index, const char *folder, void *payload);

enum watch_flag {
	/** At least one hint was given. */
	WATCH_DIRTY = 1 << 0,
	/** The watches no longer fit the disk: call watch_rearm(), then look everywhere.
	 */
	WATCH_REARM = 1 << 1,
	/** The kernel's queue ran over; comes with WATCH_REARM. */
	WATCH_OVERFLOW = 1 << 2,
	/** Some folders are unwatched because the kernel allows no more watches. */
	WATCH_LIMIT = 1 << 3,
	/** There is no instance: everything must be polled. */
	WATCH_ERROR = 1 << 4,
	/** Not everything was read: call watch_drain() again before sleeping. */
	WATCH_MORE = 1 << 5,
};

enum {
	/** Events taken in one watch_drain(), so that a storm does not keep us for ever.
	 */
	WATCH_BATCH_MAX = 4096,
	/** Folders that may vanish before the library's memory of them is swept out. */
	WATCH_STALE_MAX = 10000,
	WATCH_REASON_MAX = 256,
};

/**
 * Watch every folder of the roots that is not skipped.
 *
 * Roots that cannot be watched are no failure: see watch_status().
 *
 * @roots
 *         Copied.  No root may be inside another.
 * @skip
 *         May be NULL.  Called again for new folders, as long as the watch lives.
 * @return
 *         0, or negative: EXISTS (this process has a watch already).
 */
int watch_open(const struct watch_root roots[], size_t nroots, watch_skip_fn *skip,
	void *payload, struct watch **ret_watch, struct err *err) NONNULL_ARGS(5, 6)
	MUST_CHECK;
/** Accepts NULL. */
void watch_close(struct watch *watch);
void watch_closep(struct watch **watch);

/** To poll for reading; -1 when there is none.  Ask again after every watch_rearm(). */
int watch_fd(const struct watch *watch) NONNULL;

/** Read what the kernel has to say and give hints.  Returns flags (enum watch_flag). */
unsigned int
watch_drain(struct watch *watch, watch_hint_fn *fn, void *payload) NONNULL_ARGS(1, 2);

/**
 * Begin anew: forget every watch, and watch every folder there is now (about 10 ms for a
 * thousand).  Afterwards look everywhere: what happened in between was not heard.
 *
 * It may be put off for some seconds while folders keep moving: every watch_drain() says
 * WATCH_REARM again until it is done, and changes go on being heard meanwhile, though
 * some under an old name.
 *
 * @return
 *         Flags: WATCH_LIMIT, WATCH_ERROR, or 0.
 */
unsigned int watch_rearm(struct watch *watch) NONNULL;

/**
 * Roots that were missing and are there now become watched; each is a hint.  Cheap: call
 * it now and then.  Returns flags.
 */
unsigned int
watch_retry(struct watch *watch, watch_hint_fn *fn, void *payload) NONNULL_ARGS(1, 2);

/** Folders watched; folders that should be; watches the kernel allows this user (0 when
 * nobody knows). */
size_t watch_count(const struct watch *watch) NONNULL;
size_t watch_needed(const struct watch *watch) NONNULL;
size_t watch_limit(void);

/** The command that raises the limit to what is needed; "" when it is not too low. */
void watch_advice(const struct watch *watch, char text[WATCH_REASON_MAX]) NONNULL;

enum watch_state {
	/** Changes are heard. */
	WATCH_HEARD,
	/** Some changes are not heard: look often.  The reason says why. */
	WATCH_POLLED,
	/** The root is not there. */
	WATCH_MISSING,
};
struct watch_status {
	size_t index;
	enum watch_state state;
	/** Folders of it that are not watched although they should be. */
	size_t unwatched;
	/** "" when HEARD. */
	char reason[WATCH_REASON_MAX];
};
/** Of the root at @position in the array given to watch_open(). */
void watch_status(const struct watch *watch, size_t position,
	struct watch_status *ret_status) NONNULL;

#endif
