// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/staff.h"

#include "agent/inbox.h"
#include "agent/kit.h"
#include "agent/worker.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/maintain.h"
#include "brain/repo.h"
#include "config/config.h"
#include "jobqueue/jobqueue.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct staff {
	pthread_t thread;
	struct kit *kit;
	struct inbox *inbox;
	struct inbox_mail mail;
	struct worker worker;
	struct err why;
	int done_fd;
	/** clock_mono_ms() of the last sign of life; 0 while idle. */
	_Atomic int64_t alive_ms;
	/** An enum job_kind, or -1 while idle. */
	atomic_int kind;
	atomic_bool synced;
	atomic_bool working;
	/** A sync is being done within another job. */
	bool within;
	/** Valid once working is false. */
	struct err error;
	bool index_stale;
	/** By the steady clock: not written again before. */
	int64_t index_due_ms;
};

static void
where(struct cycle_plan *plan, void *payload)
{
	struct staff *staff = payload;

	inbox_mail_done(&staff->mail);
	inbox_take(staff->inbox, &staff->mail);
	plan->full = plan->full || staff->mail.everywhere;
	plan->hints = staff->mail.hints;
	plan->nhints = staff->mail.nhints;
}

static bool
wanted(void *payload)
{
	struct staff *staff = payload;

	return !inbox_is_empty(staff->inbox);
}

static void
hint(const char *path, void *payload)
{
	struct staff *staff = payload;
	const struct config *config = staff->kit->config;
	const char *rel = strchr(path, '/');

	for (size_t i = 0; rel != NULL && i < config->nwatches; i++) {
		const char *name = config->watches[i].name;
		const char *last = strrchr(rel, '/');

		if (strlen(name) == (size_t)(rel - path) &&
			strncmp(name, path, (size_t)(rel - path)) == 0) {
			AUTO_FREE char *folder = xmemdup0(
				rel + 1, last > rel ? (size_t)(last - rel - 1) : 0);

			inbox_put(staff->inbox, i, folder, false);
			return;
		}
	}
}

static void
say_sync(const struct cycle_result *result)
{
	char hex[OID_HEX_MAX];

	if (result->committed) {
		log_notice("committed %" PRIu64 " changed as %.10s in %" PRId64
			   " ms; %" PRId64 " files accounted for",
			result->changed, oid_hex(&result->commit, hex),
			result->duration_ms, result->totals.on_disk.files);
	}
	if (result->unaccounted > 0) {
		log_error("%" PRIu64 " files are unaccounted for: please report",
			result->unaccounted);
	}
}

static int
do_job(struct staff *staff, struct worker *worker, struct job *job, struct err *err)
{
	enum job_kind kind = job->kind;
	struct err *why = worker->why;
	int result;

	atomic_store(&staff->kind, (int)kind);
	atomic_store(&staff->alive_ms, clock_mono_ms());
	err_clear(why);
	worker->has_last = false;
	result = worker_do(worker, job, err);
	if (why->code != 0 && why->code != ERR_CANCELLED) {
		log_warn("%s failed: %s; trying again later%s%s", job_kind_name(kind),
			why->msg, why->next[0] != '\0' ? "; " : "", why->next);
	}
	if (kind == JOB_SYNC && worker->has_last) {
		say_sync(&worker->last);
		staff->index_stale = !worker->indexed &&
			(staff->index_stale || worker->last.committed);
		atomic_store(&staff->synced, true);
		(void)!eventfd_write(staff->done_fd, 1);
	}
	return result;
}

// What was saved is committed while a remote, a repack, a snapshot or a proof is waited
// for.
static void
sync_within(struct staff *staff)
{
	int kind = atomic_load(&staff->kind);
	struct worker inner = staff->worker;
	struct err why = { 0 };
	struct err err = { 0 };
	struct job job;
	int done = jobqueue_take_within(staff->kit->queue, JOB_SYNC, &job, &err);

	if (done > 0) {
		inner.waits = false;
		inner.is_within = true;
		inner.why = &why;
		done = do_job(staff, &inner, &job, &err);
		staff->worker.owes_full = inner.owes_full;
		staff->worker.rehash = inner.rehash;
		staff->worker.owes_recheck = inner.owes_recheck;
		staff->worker.slice_ms = inner.slice_ms;
		staff->worker.put_off = inner.put_off;
		staff->worker.unseen_commits = inner.unseen_commits;
		staff->worker.unseen_bytes = inner.unseen_bytes;
		atomic_store(&staff->kind, kind);
		atomic_store(&staff->alive_ms, clock_mono_ms());
	}
	if (done < 0) {
		log_warn("the queue failed: %s; trying again when %s is over", err.msg,
			job_kind_name((enum job_kind)kind));
	}
}

static int
on_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct staff *staff = payload;

	(void)what;
	(void)done;
	(void)total;
	atomic_store(&staff->alive_ms, clock_mono_ms());
	if (staff->worker.waits && !staff->within && inbox_wait(staff->inbox, 0) &&
		!inbox_is_stopping(staff->inbox)) {
		staff->within = true;
		sync_within(staff);
		staff->within = false;
	}
	return inbox_is_stopping(staff->inbox);
}

static int64_t
cpu_ms(void)
{
	struct timespec used = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

// The index is only for people who look into the browsable copy, and it is as large as
// the tree: it never takes more than a fiftieth of the time.  What it took is told by the
// work alone: on a busy machine the wait would be put off for as long as it is busy.
static void
freshen_index(struct staff *staff)
{
	int64_t begun_ms = cpu_ms();
	struct oid head;
	struct err err;

	if (repo_head(staff->kit->repo, &head, &err) > 0 &&
		kit_freshen(staff->kit, &head, &err) < 0) {
		log_debug(
			"the index was not written: %s; trying again when idle", err.msg);
		return;
	}
	staff->index_stale = false;
	staff->index_due_ms = clock_mono_ms() + 50 * (cpu_ms() - begun_ms);
}

static int64_t
time_to_sleep(struct staff *staff, struct err *err)
{
	int64_t now_ms = clock_now_ms();
	int64_t due_ms = 0;

	if (jobqueue_next_due(staff->kit->queue, now_ms, &due_ms, err) > 0) {
		return MAX_OF(due_ms - now_ms, INT64_C(10));
	}
	return -1;
}

// Many small packs are made few while nobody waits.
static void
tidy_packs(struct staff *staff)
{
	struct maintain_state state;
	struct err err;

	if (maintain_look(repo_git_dir(staff->kit->repo), &state, &err) == 0 &&
		state.due &&
		jobqueue_enqueue(staff->kit->queue, JOB_MAINTAIN, NULL, &err) < 0) {
		log_debug("maintenance was not asked for: %s", err.msg);
	}
}

// Nothing is due: sleep, and when it stays quiet, tidy up.
static void
rest(struct staff *staff, struct err *err)
{
	int64_t sleep_ms = time_to_sleep(staff, err);
	int64_t idle_ms =
		MAX_OF(staff->index_due_ms - clock_mono_ms(), (int64_t)STAFF_IDLE_MS);
	bool tidy = staff->index_stale && (sleep_ms < 0 || sleep_ms > idle_ms);

	if (!inbox_wait(staff->inbox, tidy ? idle_ms : sleep_ms) && tidy) {
		freshen_index(staff);
		tidy_packs(staff);
	}
}

// A queue that fails for a while is waited for; without the lock nothing may go on here.
static int
wait_out(struct staff *staff, struct err *err)
{
	if (err_verdict(err->code) != ERR_RETRY ||
		!jobqueue_has_lock(staff->kit->queue)) {
		return err->code;
	}
	log_warn("the queue failed: %s; trying again", err->msg);
	(void)inbox_wait(staff->inbox, STAFF_RETRY_MS);
	return 0;
}

static int
work(struct staff *staff, struct err *err)
{
	while (!inbox_is_stopping(staff->inbox)) {
		struct job job;
		int got = jobqueue_take(staff->kit->queue, &job, err);

		if (got > 0) {
			got = do_job(staff, &staff->worker, &job, err);
			atomic_store(&staff->kind, -1);
			atomic_store(&staff->alive_ms, 0);
		} else if (got == 0) {
			rest(staff, err);
		}
		if (got < 0 && wait_out(staff, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static void *
run(void *payload)
{
	struct staff *staff = payload;
	struct err err = { 0 };

	if (work(staff, &err) < 0) {
		staff->error = err;
		atomic_store(&staff->working, false);
		(void)!eventfd_write(staff->done_fd, 1);
	}
	return NULL;
}

int
staff_start(
	struct kit *kit, struct inbox *inbox, struct staff **ret_staff, struct err *err)
{
	struct staff *staff = xcalloc(1, sizeof(*staff));

	staff->kit = kit;
	staff->inbox = inbox;
	staff->worker = (struct worker){
		.kit = kit,
		.where = where,
		.wanted = wanted,
		.hint = hint,
		.on_progress = on_progress,
		.payload = staff,
		.wake_fd = inbox_fd(inbox),
		.why = &staff->why,
		.owes_full = true,
		.patient = true,
	};
	// Whoever ran before may have died before it came to that.
	staff->index_stale = true;
	atomic_store(&staff->kind, -1);
	atomic_store(&staff->working, true);
	staff->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (staff->done_fd < 0 || pthread_create(&staff->thread, NULL, run, staff) != 0) {
		err_errno(err, "start the working thread");
		base_close_p(&staff->done_fd);
		free(staff);
		return err->code;
	}
	*ret_staff = staff;
	return 0;
}

void
staff_stop(struct staff *staff)
{
	if (staff == NULL) {
		return;
	}
	inbox_stop(staff->inbox);
	(void)pthread_join(staff->thread, NULL);
	if (staff->index_stale) {
		freshen_index(staff);
	}
	inbox_mail_done(&staff->mail);
	(void)close(staff->done_fd);
	free(staff);
}

int
staff_fd(const struct staff *staff)
{
	return staff->done_fd;
}

bool
staff_has_synced(struct staff *staff)
{
	eventfd_t ignored;

	(void)!eventfd_read(staff->done_fd, &ignored);
	return atomic_exchange(&staff->synced, false);
}

bool
staff_is_working(struct staff *staff)
{
	return atomic_load(&staff->working);
}

int
staff_error(struct staff *staff, struct err *err)
{
	*err = staff->error;
	return err->code;
}

bool
staff_gets_on(struct staff *staff)
{
	int64_t alive_ms = atomic_load(&staff->alive_ms);

	return alive_ms == 0 || clock_mono_ms() - alive_ms < STAFF_HANG_MS;
}

const char *
staff_task(struct staff *staff)
{
	int kind = atomic_load(&staff->kind);

	return kind < 0 ? "watching" : job_kind_name((enum job_kind)kind);
}
