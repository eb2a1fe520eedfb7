// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One row a kind, and three counters in it that only grow:
 *
 *     want    tickets given out         raised by a wish
 *     taken   covered by a run so far   set to want when a run starts
 *     done    covered by an ended run   set to taken when it ends
 *
 *        wish          take              wish            finish
 *     w1 t0 d0  ->  w1 t1 d0 run  ->  w2 t1 d0 run  ->  w2 t2 d1 run   (the trailing run)
 *
 * want > taken while a run is under way is the trailing run that is owed; there is no
 * flag that somebody could forget to look at between looking and letting go.  Who may
 * run is the kernel's answer (lock.h), not a column's: a dead runner's row is taken back
 * by whoever gets the lock next.
 *
 * What was tried and loses wishes: looking for work and letting go in two steps; ringing
 * before the commit; trying the lock, failing, and going to sleep.  tests/model/ has each
 * of them as a model in which the checker finds the loss.
 */

#include "jobqueue/jobqueue.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "jobqueue/queue.h"
#include "jobqueue/schema.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** A database replaced more often than this while we write is a prank. */
	REPLACED_MAX = 16,
};

// --- The handle ---------------------------------------------------------------------

bool
queue_is_current(const struct jobqueue *queue)
{
	struct stat info;

	return queue->db != NULL && stat(queue->path, &info) == 0 &&
		info.st_dev == queue->dev && info.st_ino == queue->ino;
}

static void
disconnect(struct jobqueue *queue)
{
	db_finishp(&queue->version);
	db_closep(&queue->db);
}

static int
open_db(struct jobqueue *queue, bool *ret_is_new, struct err *err)
{
	bool is_new = false;

	if (queue->read_only) {
		return schema_open_read(queue->dir, &queue->db, err);
	}
	if (schema_open(queue->dir, queue->lock, &queue->db, &is_new, err) < 0) {
		return err->code;
	}
	*ret_is_new = *ret_is_new || is_new;
	return 0;
}

// Open, and know which file it is: the one that had the name before and after.  While
// it is open its number cannot be given to another.
static int
connect_db(struct jobqueue *queue, struct err *err)
{
	bool is_new = false;

	for (int i = 0; i < REPLACED_MAX; i++) {
		struct stat before = { 0 };

		disconnect(queue);
		if (stat(queue->path, &before) < 0 && errno != ENOENT) {
			return err_errno(err, "look at %s", queue->path);
		}
		if (open_db(queue, &is_new, err) < 0) {
			return err->code;
		}
		queue->dev = before.st_dev;
		queue->ino = before.st_ino;
		if (!queue_is_current(queue)) {
			continue;
		}
		queue->replaced = queue->replaced || is_new;
		queue->cancel_version = -1;
		return db_prepare(queue->db, "PRAGMA data_version", &queue->version, err);
	}
	disconnect(queue);
	return err_raise(err, ERR_UNSTABLE, "%s is replaced all the time", queue->path);
}

int
queue_refresh(struct jobqueue *queue, struct err *err)
{
	if (queue_is_current(queue)) {
		return 0;
	}
	disconnect(queue);
	if (connect_db(queue, err) < 0) {
		return err_wrap(err, "open the job queue again");
	}
	queue->replaced = true;
	return 0;
}

int
queue_begin(struct jobqueue *queue, struct err *err)
{
	if (queue->read_only) {
		return err_raise(err, ERR_BUG, "the queue was opened to look only");
	}
	if (queue_refresh(queue, err) < 0) {
		return err->code;
	}
	return db_begin(queue->db, err);
}

int
queue_end(struct jobqueue *queue, int result, struct err *err)
{
	if (result < 0 || db_commit(queue->db, err) < 0) {
		db_rollback(queue->db);
		return err->code;
	}
	return result;
}

int
queue_version(struct jobqueue *queue, int64_t *ret_version, struct err *err)
{
	int got = db_step(queue->version, err);

	if (got < 0) {
		return err->code;
	}
	*ret_version = got > 0 ? db_int(queue->version, 0) : 0;
	db_reset(queue->version);
	return 0;
}

static int
load_pause(struct jobqueue *queue, struct turn_pause *pause, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int got;

	*pause = (struct turn_pause){ 0 };
	if (db_prepare(queue->db, "SELECT since_ms, until_ms FROM pause", &find, err) <
		0) {
		return err->code;
	}
	got = db_step(find, err);
	if (got > 0) {
		pause->since_ms = db_int(find, 0);
		pause->until_ms = db_int(find, 1);
	}
	return MIN_OF(got, 0);
}

int
queue_load(struct jobqueue *queue, struct turn_row rows[JOB_KINDS_],
	struct turn_pause *pause, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int got;

	if (db_prepare(queue->db,
		    "SELECT kind, want, taken, done, runs, in_progress, cancel,"
		    " started_ms, asked_ms, hurry, not_before_ms, delay_ms, at_ms,"
		    " attempt FROM job",
		    &find, err) < 0) {
		return err->code;
	}
	memset(rows, 0, JOB_KINDS_ * sizeof(rows[0]));
	while ((got = db_step(find, err)) > 0) {
		int64_t kind = db_int(find, 0);

		// A newer program may have had more kinds; they are not ours to run.
		if (kind < 0 || kind >= JOB_KINDS_) {
			continue;
		}
		rows[kind] = (struct turn_row){
			.want = db_int(find, 1),
			.taken = db_int(find, 2),
			.done = db_int(find, 3),
			.runs = db_int(find, 4),
			.in_progress = db_int(find, 5) != 0,
			.cancel = db_int(find, 6) != 0,
			.started_ms = db_int(find, 7),
			.asked_ms = db_int(find, 8),
			.hurry = db_int(find, 9),
			.not_before_ms = db_int(find, 10),
			.delay_ms = db_int(find, 11),
			.at_ms = db_int(find, 12),
			.attempt = (int)db_int(find, 13),
		};
	}
	return got < 0 ? got : load_pause(queue, pause, err);
}

void
queue_copy(char *field, size_t size, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
			len--;
		}
	}
	if (len > 0) {
		memcpy(field, text, len);
	}
	field[len] = '\0';
}

static int
open_queue(const char *state_dir, bool read_only, struct jobqueue **ret_queue,
	struct err *err)
{
	AUTO(jobqueue_closep) struct jobqueue *queue = xcalloc(1, sizeof(*queue));
	AUTO_FREE char *lock_path = path_join(state_dir, "lock");

	queue->dir = xstrdup(state_dir);
	queue->path = path_join(state_dir, SCHEMA_FILE);
	queue->read_only = read_only;
	if (read_only) {
		// A queue whose lock file is missing has no runner; that is an answer.
		if (lock_open_read(lock_path, &queue->lock, err) < 0 &&
			err->code != ERR_NOT_FOUND) {
			return err->code;
		}
		err_clear(err);
	} else if (lock_open(lock_path, &queue->lock, err) < 0) {
		return err->code;
	}
	if (connect_db(queue, err) < 0) {
		return err_wrap(err, "open the job queue");
	}
	*ret_queue = STEAL(queue);
	return 0;
}

int
jobqueue_open(const char *state_dir, struct jobqueue **ret_queue, struct err *err)
{
	return open_queue(state_dir, false, ret_queue, err);
}

int
jobqueue_open_read(const char *state_dir, struct jobqueue **ret_queue, struct err *err)
{
	return open_queue(state_dir, true, ret_queue, err);
}

void
jobqueue_close(struct jobqueue *queue)
{
	if (queue == NULL) {
		return;
	}
	disconnect(queue);
	// After the database: whoever gets the lock finds it closed.
	lock_close(queue->lock);
	free(queue->path);
	free(queue->dir);
	free(queue);
}

void
jobqueue_closep(struct jobqueue **queue)
{
	jobqueue_close(*queue);
	*queue = NULL;
}

bool
jobqueue_was_replaced(struct jobqueue *queue)
{
	bool replaced = queue->replaced;

	queue->replaced = false;
	return replaced;
}

// --- Wishing ------------------------------------------------------------------------

// Is a run pending that has not started?  Then it will start after now, and its ticket
// is as good as a new one.  Only read, so a burst of wishes writes once.
static int
find_pending(
	struct jobqueue *queue, enum job_kind kind, int64_t *ret_ticket, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int got;

	if (db_prepare(queue->db, "SELECT want FROM job WHERE kind = ? AND want > taken",
		    &find, err) < 0) {
		return err->code;
	}
	db_bind_int(find, 1, kind);
	got = db_step(find, err);
	if (got > 0) {
		*ret_ticket = db_int(find, 0);
	}
	return got;
}

static int
raise_want(
	struct jobqueue *queue, enum job_kind kind, int64_t *ret_ticket, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *wish = NULL;

	if (db_prepare(queue->db,
		    "UPDATE job SET want = want + 1, asked_ms = ?2 WHERE kind = ?1"
		    " RETURNING want",
		    &wish, err) < 0) {
		return err->code;
	}
	db_bind_int(wish, 1, kind);
	db_bind_int(wish, 2, clock_now_ms());
	if (db_step(wish, err) < 0) {
		return err->code;
	}
	*ret_ticket = db_int(wish, 0);
	return db_run(wish, err);
}

// Inside a transaction: the pending ticket, or a new one.
static int
get_ticket(
	struct jobqueue *queue, enum job_kind kind, int64_t *ret_ticket, struct err *err)
{
	int got = find_pending(queue, kind, ret_ticket, err);

	if (got != 0) {
		return MIN_OF(got, 0);
	}
	return raise_want(queue, kind, ret_ticket, err);
}

static int
ask(struct jobqueue *queue, enum job_kind kind, int64_t *ret_ticket, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;

	if (get_ticket(queue, kind, ret_ticket, err) < 0 ||
		db_prepare(queue->db, "UPDATE job SET hurry = want WHERE kind = ?", &stmt,
			err) < 0) {
		return err->code;
	}
	db_bind_int(stmt, 1, kind);
	return db_run(stmt, err);
}

static int
enqueue_once(struct jobqueue *queue, enum job_kind kind, bool hurried,
	int64_t *ret_ticket, struct err *err)
{
	int got;

	if (queue->read_only) {
		return err_raise(err, ERR_BUG, "the queue was opened to look only");
	}
	if (queue_refresh(queue, err) < 0) {
		return err->code;
	}
	got = hurried ? 0 : find_pending(queue, kind, ret_ticket, err);
	if (got != 0) {
		return MIN_OF(got, 0);
	}
	if (queue_begin(queue, err) < 0) {
		return err->code;
	}
	return queue_end(queue,
		hurried ? ask(queue, kind, ret_ticket, err)
			: get_ticket(queue, kind, ret_ticket, err),
		err);
}

static int
enqueue(struct jobqueue *queue, enum job_kind kind, bool hurried, int64_t *ret_ticket,
	struct err *err)
{
	int64_t ticket = 0;

	assert(kind < JOB_KINDS_);
	for (int i = 0; i < REPLACED_MAX; i++) {
		if (enqueue_once(queue, kind, hurried, &ticket, err) < 0) {
			return err_wrap(err, "enqueue %s", job_kind_name(kind));
		}
		// Written into a file that was deleted meanwhile, it would be lost.
		if (queue_is_current(queue)) {
			if (ret_ticket != NULL) {
				*ret_ticket = ticket;
			}
			return 0;
		}
	}
	return err_raise(err, ERR_UNSTABLE, "%s is replaced all the time", queue->path);
}

int
jobqueue_enqueue(
	struct jobqueue *queue, enum job_kind kind, int64_t *ret_ticket, struct err *err)
{
	return enqueue(queue, kind, false, ret_ticket, err);
}

int
jobqueue_ask(
	struct jobqueue *queue, enum job_kind kind, int64_t *ret_ticket, struct err *err)
{
	return enqueue(queue, kind, true, ret_ticket, err);
}

static int
check_milestone(
	struct jobqueue *queue, const char *name, const char *message, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *find = NULL;
	int64_t count = 0;
	int got;

	if (name[0] == '\0') {
		return err_raise(err, ERR_INVALID, "a milestone needs a name");
	}
	if (strlen(name) >= JOBQUEUE_NAME_MAX ||
		strlen(message) >= JOBQUEUE_MESSAGE_MAX) {
		return err_raise(err, ERR_TOO_BIG,
			"a milestone's name has room for %d bytes, its message for %d",
			JOBQUEUE_NAME_MAX - 1, JOBQUEUE_MESSAGE_MAX - 1);
	}
	if (db_query_int(queue->db, "SELECT count(*) FROM milestone", 0, &count, err) <
		0) {
		return err->code;
	}
	if (count >= JOBQUEUE_MILESTONES_MAX) {
		return err_raise(err, ERR_TOO_BIG, "%d milestones wait already",
			JOBQUEUE_MILESTONES_MAX);
	}
	if (db_prepare(queue->db, "SELECT 1 FROM milestone WHERE name = ?", &find, err) <
		0) {
		return err->code;
	}
	db_bind_text(find, 1, name);
	got = db_step(find, err);
	if (got > 0) {
		return err_raise(
			err, ERR_EXISTS, "a milestone of this name waits already");
	}
	return got;
}

static int
add_milestone(struct jobqueue *queue, enum job_kind kind, const char *name,
	const char *message, int64_t *ret_ticket, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *add = NULL;

	if (check_milestone(queue, name, message, err) < 0 ||
		get_ticket(queue, kind, ret_ticket, err) < 0 ||
		db_prepare(queue->db,
			"INSERT INTO milestone(kind, ticket, asked_ms, name, message)"
			" VALUES(?, ?, ?, ?, ?)",
			&add, err) < 0) {
		return err->code;
	}
	db_bind_int(add, 1, kind);
	db_bind_int(add, 2, *ret_ticket);
	db_bind_int(add, 3, clock_now_ms());
	db_bind_text(add, 4, name);
	db_bind_text(add, 5, message);
	return db_run(add, err);
}

int
jobqueue_enqueue_tag(struct jobqueue *queue, enum job_kind kind, const char *name,
	const char *message, int64_t *ret_ticket, struct err *err)
{
	int64_t ticket = 0;

	assert(kind < JOB_KINDS_);
	for (int i = 0; i < REPLACED_MAX; i++) {
		if (queue_begin(queue, err) < 0 ||
			queue_end(queue,
				add_milestone(queue, kind, name, message, &ticket, err),
				err) < 0) {
			return err_wrap(err, "ask for a milestone");
		}
		if (queue_is_current(queue)) {
			if (ret_ticket != NULL) {
				*ret_ticket = ticket;
			}
			return 0;
		}
	}
	return err_raise(err, ERR_UNSTABLE, "%s is replaced all the time", queue->path);
}

// One statement with the kind as ?1 and a number as ?2.
static int
update(struct jobqueue *queue, const char *sql, enum job_kind kind, int64_t value,
	struct err *err)
{
	AUTO(db_finishp) struct db_stmt *stmt = NULL;
	int result;

	assert(kind < JOB_KINDS_);
	if (queue_begin(queue, err) < 0) {
		return err->code;
	}
	result = db_prepare(queue->db, sql, &stmt, err);
	if (result == 0) {
		db_bind_int(stmt, 1, kind);
		db_bind_int(stmt, 2, value);
		result = db_run(stmt, err);
	}
	return queue_end(queue, result, err);
}

int
jobqueue_hurry(struct jobqueue *queue, enum job_kind kind, struct err *err)
{
	return update(queue, "UPDATE job SET hurry = want WHERE kind = ?1", kind, 0, err);
}

int
jobqueue_schedule(
	struct jobqueue *queue, enum job_kind kind, int64_t at_ms, struct err *err)
{
	return update(queue, "UPDATE job SET at_ms = ?2 WHERE kind = ?1", kind,
		MAX_OF(at_ms, 0), err);
}
