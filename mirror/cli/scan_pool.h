// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_pool - many files, a few threads, findings in the order the files came.
 *
 *     scan_pool_new(&options, &pool);
 *     scan_pool_file(pool, &task);          // blocks while too much is waiting
 *     scan_pool_finish(pool, &totals);
 *
 * Knows: base, scanner, scan_report, scan_known, output.
 * Owns:  the threads, a ring of SCAN_POOL_SLOTS tasks, and while it lives the output.
 * Never: holds more than one buffer of a file per thread, or of findings: a thread that
 *        has more to say waits for its turn and prints.
 *
 * Threads: one feeds it; scan_pool_*() are for that one.
 */

#ifndef CLI_SCAN_POOL_H
#define CLI_SCAN_POOL_H

#include "base/base.h"
#include "base/err.h"
#include "cli/scan_known.h"
#include "cli/scan_report.h"
#include "cli/verb.h"

struct scan_pool;
struct scanner;

enum {
	SCAN_POOL_SLOTS = 256,
	SCAN_POOL_THREADS_MAX = 8,
	/** Files up to this size are scanned as a whole, others as they come. */
	SCAN_POOL_WHOLE_MAX = 4 * 1024 * 1024,
	/** Findings kept before they must be printed. */
	SCAN_POOL_TEXT_MAX = 64 * 1024,
	/** And the longest that one of them can be. */
	SCAN_POOL_FINDING_MAX = 16 * 1024 * 1024,
};

struct scan_pool_options {
	struct output *out;
	struct scan_report *report;
	/** Sorted. */
	const struct scan_known *known;
	/** Where new fingerprints are collected; NULL: nowhere. */
	struct scan_known *collect;
};

/** One thing to scan.  Texts are owned by the task and freed with it. */
struct scan_task {
	/** Shown; for the scanner's sense of place @path counts. */
	char *shown;
	char *path;
	/** Below the folder that is scanned: into @path, borrowed from it; may be NULL.
	 */
	const char *rel;
	const char *in;
	/** A git object's name, or "". */
	char object[48];
	/** Borrowed; outlives the pool. */
	const struct scanner *scanner;
	/** Owned, or -1: then @bytes. */
	int fd;
	char *bytes;
	/** Of @bytes; of @fd's file what it had, or 0. */
	size_t len;
};

/** NO_MEMORY: not one thread could be started. */
int scan_pool_new(const struct scan_pool_options *options, struct scan_pool **ret_pool,
	struct err *err) NONNULL MUST_CHECK;
/** Takes ownership of what @task owns. */
void scan_pool_add(struct scan_pool *pool, struct scan_task *task) NONNULL;
/** A finding made by the one who feeds: in a name, or in something streamed. */
void scan_pool_finding(struct scan_pool *pool, const struct scan_place *place,
	const struct finding *finding) NONNULL;
/** Say that something could not be read; counts as unread. */
void scan_pool_unread(struct scan_pool *pool, const char *shown, const struct err *err)
	NONNULL;
/** Something the one who feeds has scanned by itself. */
void scan_pool_count(struct scan_pool *pool, uint64_t files, uint64_t bytes) NONNULL;
/** A message between findings. */
void scan_pool_note(struct scan_pool *pool, const char *text) NONNULL;
/** Wait for everything; adds to @totals, frees the pool. */
void scan_pool_finish(struct scan_pool *pool, struct scan_totals *totals) NONNULL;

/**
 * Scan everything @fd gives, in bounded memory.
 *
 * @size
 *         What the file had, or 0: saves asking for more.
 * @buffer
 *         SCAN_POOL_WHOLE_MAX bytes to use.
 * @return
 *         0 or more, or negative: BLOCKED, IO.
 */
int scan_pool_read(const struct scanner *scanner, int fd, size_t size, const char *path,
	char *buffer, int (*fn)(const struct finding *finding, void *payload),
	void *payload, uint64_t *ret_bytes, struct err *err) NONNULL_ARGS(1, 5, 6, 8, 9)
	MUST_CHECK;

#endif
