// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/scan_pool.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "scanner/finding.h"
#include "scanner/scanner.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/**
 * A ring of slots:
 *
 *      head            next               tail
 *       |               |                  |
 *       v               v                  v
 *     [done] [working] [waiting] [waiting] [free] ...
 *
 * Files are taken in order, some at a time: most are small, and the lock is dearer.  What
 * a file has to say is printed when it is at the head; a thread whose file is not there
 * yet, and whose text is full, waits.  The one at the head never waits, so somebody
 * always goes on.
 */

enum {
	/** A thread is woken for so many files, or when it has slept so long: to wake one
	 * for each costs more than a small file. */
	WAKE_FOR_ = 8,
	WAKE_AFTER_NS_ = 5 * 1000 * 1000,
	/** The feeder hands over so many at a time, and a thread takes so many at most.
	 */
	HAND_OVER = 16,
	TAKE_MAX = 8,
	/** Of a file that is scanned as it comes: it stays in the cache until it is. */
	READ_MAX_ = 1024 * 1024,
};

struct slot {
	struct scan_task task;
	struct buf text;
	bool done;
};

struct scan_pool {
	struct scan_pool_options options;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t space;
	pthread_cond_t turn;
	struct slot slots[SCAN_POOL_SLOTS];
	uint64_t head;
	uint64_t next;
	uint64_t tail;
	bool closed;
	struct scan_totals totals;
	/** Of the one who feeds: not handed over yet. */
	struct scan_task waiting[HAND_OVER];
	size_t nwaiting;
	pthread_t threads[SCAN_POOL_THREADS_MAX];
	size_t nthreads;
	/** How many were wanted: among them the work is shared. */
	size_t nwanted;
};

// What a thread knows while it scans some files, one after the other.
struct worker {
	struct scan_pool *pool;
	/** Of those that it took: the first that is not handed in, the one it is at, the
	 * end. */
	uint64_t from;
	uint64_t at;
	uint64_t upto;
	struct slot *slot;
	char *buffer;
	/** Of those not handed in. */
	struct scan_totals totals;
	struct err err;
};

static struct slot *
slot_of(struct scan_pool *pool, uint64_t at)
{
	return &pool->slots[at % SCAN_POOL_SLOTS];
}

static void
task_done(struct scan_task *task)
{
	free(task->shown);
	free(task->path);
	free(task->bytes);
	if (task->fd >= 0) {
		(void)close(task->fd);
	}
	*task = (struct scan_task){ .fd = -1 };
}

// With the lock held: print what is ready, from the head on.
static void
print_ready(struct scan_pool *pool)
{
	bool moved = false;

	while (pool->head < pool->next && slot_of(pool, pool->head)->done) {
		struct slot *slot = slot_of(pool, pool->head);

		scan_report_flush(pool->options.report, pool->options.out, &slot->text);
		task_done(&slot->task);
		slot->done = false;
		pool->head++;
		moved = true;
	}
	if (moved) {
		(void)pthread_cond_broadcast(&pool->turn);
	}
	if (moved && pool->tail - pool->head <= SCAN_POOL_SLOTS / 2) {
		(void)pthread_cond_signal(&pool->space);
	}
}

// With the lock held: what is done before the file we are at.
static void
hand_in(struct worker *worker)
{
	struct scan_pool *pool = worker->pool;
	struct scan_totals *totals = &worker->totals;

	while (worker->from < worker->at) {
		slot_of(pool, worker->from++)->done = true;
	}
	pool->totals.found += totals->found;
	pool->totals.known += totals->known;
	pool->totals.bytes += totals->bytes;
	pool->totals.files += totals->files;
	pool->totals.unread += totals->unread;
	*totals = (struct scan_totals){ 0 };
	print_ready(pool);
	output_progress(pool->options.out, "files scanned", pool->totals.files, 0);
}

// The text is full: wait for our turn, then print it.
static void
print_early(struct worker *worker)
{
	struct scan_pool *pool = worker->pool;

	(void)pthread_mutex_lock(&pool->lock);
	hand_in(worker);
	while (pool->head != worker->at) {
		(void)pthread_cond_wait(&pool->turn, &pool->lock);
	}
	scan_report_flush(pool->options.report, pool->options.out, &worker->slot->text);
	(void)pthread_mutex_unlock(&pool->lock);
}

static int
collect(struct worker *worker, const struct finding *finding)
{
	struct scan_pool *pool = worker->pool;
	int result;

	if (pool->options.collect == NULL) {
		return 0;
	}
	(void)pthread_mutex_lock(&pool->lock);
	result =
		scan_known_add(pool->options.collect, finding->fingerprint, &worker->err);
	(void)pthread_mutex_unlock(&pool->lock);
	return result;
}

static int
on_finding(const struct finding *finding, void *payload)
{
	struct worker *worker = payload;
	const struct scan_task *task = &worker->slot->task;
	struct scan_place place = {
		.path = task->shown,
		.in = task->in,
		.object = task->object[0] != '\0' ? task->object : NULL,
	};

	if (collect(worker, finding) < 0) {
		return worker->err.code;
	}
	if (scan_known_has(worker->pool->options.known, &place, task->rel, finding)) {
		worker->totals.known++;
		return 0;
	}
	worker->totals.found++;
	if (scan_report_finding(worker->pool->options.report, &place, finding,
		    &worker->slot->text, &worker->err) < 0) {
		return worker->err.code;
	}
	if (worker->slot->text.len >= SCAN_POOL_TEXT_MAX) {
		print_early(worker);
	}
	return 0;
}

static int
stream(const struct scanner *scanner, int fd, const char *path, char *buffer,
	size_t first, int (*fn)(const struct finding *finding, void *payload),
	void *payload, uint64_t *ret_bytes, struct err *err)
{
	AUTO(scanner_stream_freep) struct scanner_stream *open = NULL;
	ssize_t more;
	int result;

	if (scanner_stream_new(scanner, path, fn, payload, &open, err) < 0) {
		return err->code;
	}
	result = scanner_stream_feed(open, buffer, first, err);
	do {
		size_t len;
		char *room = scanner_stream_room(open, &len);

		if (result != 0) {
			return result;
		}
		more = fd_read_full(fd, room, MIN_OF(len, (size_t)READ_MAX_), err);
		if (more < 0) {
			return err->code;
		}
		*ret_bytes += (size_t)more;
		result = scanner_stream_filled(open, (size_t)more, err);
	} while (more > 0);
	return result != 0 ? result : scanner_stream_end(open, err);
}

/** As much as there is, up to SCAN_POOL_WHOLE_MAX. */
static ssize_t
read_whole(int fd, size_t size, char *buffer, struct err *err)
{
	size_t first = 0;

	// One byte more than it had, and not one more came: that was the end.
	if (size > 0 && size < SCAN_POOL_WHOLE_MAX) {
		ssize_t len = read(fd, buffer, size + 1);

		if (len >= 0 && (size_t)len == size) {
			return len;
		}
		// A failure shows again, unless it passes.
		first = (size_t)MAX_OF(len, (ssize_t)0);
	}

	ssize_t rest = fd_read_full(fd, buffer + first, SCAN_POOL_WHOLE_MAX - first, err);
	return rest < 0 ? rest : (ssize_t)first + rest;
}

int
scan_pool_read(const struct scanner *scanner, int fd, size_t size, const char *path,
	char *buffer, int (*fn)(const struct finding *finding, void *payload),
	void *payload, uint64_t *ret_bytes, struct err *err)
{
	ssize_t len = read_whole(fd, size, buffer, err);

	*ret_bytes = 0;
	if (len < 0) {
		return err->code;
	}
	*ret_bytes = (uint64_t)len;
	if (len == SCAN_POOL_WHOLE_MAX) {
		return stream(scanner, fd, path, buffer, (size_t)len, fn, payload,
			ret_bytes, err);
	}

	struct scan_input input = { .data = buffer, .len = (size_t)len, .path = path };
	return scanner_scan(scanner, &input, fn, payload, err);
}

static void
scan_task(struct worker *worker)
{
	struct scan_pool *pool = worker->pool;
	const struct scan_task *task = &worker->slot->task;
	struct err err = { 0 };
	uint64_t bytes = task->len;
	int result;

	err_clear(&worker->err);
	if (task->fd >= 0) {
		result = scan_pool_read(task->scanner, task->fd, task->len, task->path,
			worker->buffer, on_finding, worker, &bytes, &err);
	} else {
		struct scan_input input = {
			.data = task->bytes,
			.len = task->len,
			.path = task->path,
		};
		result = scanner_scan(task->scanner, &input, on_finding, worker, &err);
	}
	worker->totals.bytes += bytes;
	worker->totals.files++;
	if (result < 0) {
		worker->totals.unread++;
		(void)pthread_mutex_lock(&pool->lock);
		output_warn(pool->options.out, "%s: %s", task->shown,
			worker->err.code != 0 ? worker->err.msg : err.msg);
		(void)pthread_mutex_unlock(&pool->lock);
	}
}

// With the lock held: for a while, or until there is much to do.
static void
wait_for_work(struct scan_pool *pool)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WAKE_AFTER_NS_;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&pool->work, &pool->lock, &until);
}

// With the lock held: some of what waits, and some for the others.
static void
take(struct worker *worker)
{
	struct scan_pool *pool = worker->pool;
	uint64_t share = (pool->tail - pool->next) / (2 * pool->nwanted);

	worker->from = worker->at = pool->next;
	pool->next += MIN_OF(MAX_OF(share, (uint64_t)1), (uint64_t)TAKE_MAX);
	worker->upto = pool->next;
}

static void *
work(void *payload)
{
	struct scan_pool *pool = payload;
	struct worker worker = { .pool = pool };
	AUTO_FREE char *buffer = xmalloc(SCAN_POOL_WHOLE_MAX);

	worker.buffer = buffer;
	(void)pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (pool->next == pool->tail && !pool->closed) {
			wait_for_work(pool);
		}
		if (pool->next == pool->tail) {
			break;
		}
		take(&worker);
		(void)pthread_mutex_unlock(&pool->lock);
		for (; worker.at < worker.upto; worker.at++) {
			worker.slot = slot_of(pool, worker.at);
			// What the feeder found itself is done already.
			if (!worker.slot->done) {
				scan_task(&worker);
			}
		}
		(void)pthread_mutex_lock(&pool->lock);
		hand_in(&worker);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static size_t
thread_count(void)
{
	cpu_set_t set;
	int count = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0) {
		count = CPU_COUNT(&set);
	}
	return (size_t)MIN_OF(MAX_OF(count, 1), (int)SCAN_POOL_THREADS_MAX);
}

static void
pool_free(struct scan_pool *pool)
{
	for (size_t i = 0; i < SCAN_POOL_SLOTS; i++) {
		buf_done(&pool->slots[i].text);
	}
	(void)pthread_mutex_destroy(&pool->lock);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_cond_destroy(&pool->space);
	(void)pthread_cond_destroy(&pool->turn);
	free(pool);
}

int
scan_pool_new(const struct scan_pool_options *options, struct scan_pool **ret_pool,
	struct err *err)
{
	struct scan_pool *pool = xcalloc(1, sizeof(*pool));
	pthread_condattr_t monotonic;

	pool->options = *options;
	pool->nwanted = thread_count();
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&pool->work, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	(void)pthread_cond_init(&pool->space, NULL);
	(void)pthread_cond_init(&pool->turn, NULL);
	for (size_t i = 0; i < SCAN_POOL_SLOTS; i++) {
		pool->slots[i].task.fd = -1;
		pool->slots[i].text.max = SCAN_POOL_TEXT_MAX + SCAN_POOL_FINDING_MAX;
	}
	while (pool->nthreads < pool->nwanted &&
		pthread_create(&pool->threads[pool->nthreads], NULL, work, pool) == 0) {
		pool->nthreads++;
	}
	if (pool->nthreads == 0) {
		pool_free(pool);
		return err_raise(err, ERR_NO_MEMORY, "no thread could be started");
	}
	*ret_pool = pool;
	return 0;
}

// With the lock held: a free slot at the tail.
static struct slot *
wait_for_space(struct scan_pool *pool)
{
	while (pool->tail - pool->head >= SCAN_POOL_SLOTS) {
		(void)pthread_cond_wait(&pool->space, &pool->lock);
	}
	return slot_of(pool, pool->tail);
}

static void
hand_over(struct scan_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < pool->nwaiting; i++) {
		wait_for_space(pool)->task = pool->waiting[i];
		pool->tail++;
		if (pool->tail - pool->next >= WAKE_FOR_) {
			(void)pthread_cond_signal(&pool->work);
		}
	}
	(void)pthread_mutex_unlock(&pool->lock);
	pool->nwaiting = 0;
}

void
scan_pool_add(struct scan_pool *pool, struct scan_task *task)
{
	bool large = task->bytes != NULL;

	pool->waiting[pool->nwaiting++] = *task;
	*task = (struct scan_task){ .fd = -1 };
	if (pool->nwaiting == HAND_OVER || large) {
		hand_over(pool);
	}
}

void
scan_pool_finding(struct scan_pool *pool, const struct scan_place *place,
	const struct finding *finding)
{
	struct err err = { 0 };
	struct slot *slot;

	hand_over(pool);
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->options.collect != NULL &&
		scan_known_add(pool->options.collect, finding->fingerprint, &err) < 0) {
		output_warn(pool->options.out, "%s", err.msg);
		pool->totals.unread++;
	}
	if (scan_known_has(pool->options.known, place, NULL, finding)) {
		pool->totals.known++;
		(void)pthread_mutex_unlock(&pool->lock);
		return;
	}
	slot = wait_for_space(pool);
	if (scan_report_finding(pool->options.report, place, finding, &slot->text, &err) <
		0) {
		output_warn(pool->options.out, "%s: %s", place->path, err.msg);
		pool->totals.unread++;
	}
	pool->totals.found++;
	slot->done = true;
	pool->tail++;
	(void)pthread_cond_signal(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
}

void
scan_pool_unread(struct scan_pool *pool, const char *shown, const struct err *err)
{
	(void)pthread_mutex_lock(&pool->lock);
	output_warn(pool->options.out, "%s: %s", shown, err->msg);
	pool->totals.unread++;
	(void)pthread_mutex_unlock(&pool->lock);
}

void
scan_pool_count(struct scan_pool *pool, uint64_t files, uint64_t bytes)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->totals.files += files;
	pool->totals.bytes += bytes;
	(void)pthread_mutex_unlock(&pool->lock);
}

void
scan_pool_note(struct scan_pool *pool, const char *text)
{
	(void)pthread_mutex_lock(&pool->lock);
	output_note(pool->options.out, "%s", text);
	(void)pthread_mutex_unlock(&pool->lock);
}

void
scan_pool_finish(struct scan_pool *pool, struct scan_totals *totals)
{
	hand_over(pool);
	(void)pthread_mutex_lock(&pool->lock);
	pool->closed = true;
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->nthreads; i++) {
		(void)pthread_join(pool->threads[i], NULL);
	}
	assert(pool->head == pool->tail);
	totals->files += pool->totals.files;
	totals->bytes += pool->totals.bytes;
	totals->found += pool->totals.found;
	totals->known += pool->totals.known;
	totals->unread += pool->totals.unread;
	pool_free(pool);
}
