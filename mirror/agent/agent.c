// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/agent.h"

#include "agent/beat.h"
#include "agent/databases.h"
#include "agent/doors.h"
#include "agent/ground.h"
#include "agent/heard.h"
#include "agent/inbox.h"
#include "agent/kit.h"
#include "agent/notify.h"
#include "agent/own.h"
#include "agent/polled.h"
#include "agent/proof.h"
#include "agent/runner.h"
#include "agent/staff.h"
#include "agent/teller.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/record.h"
#include "health/tick.h"
#include "jobqueue/bell.h"
#include "jobqueue/jobqueue.h"
#include "watch/settle.h"
#include "watch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * Two threads.  This one listens: to the watch, the bell, signals and the clock; it never
 * waits for git, SQLite's disk or the network.  The staff thread works: it takes jobs
 * from the queue, one after the other.  Between them lies the inbox.
 *
 *     watch --hints--> settle --quiet--> inbox + enqueue --> staff: cycle, push, ...
 */

enum {
	AGENT_TICK_MS = 10000,
	/** A jump of the wall clock against the other one that is worth telling. */
	AGENT_JUMP_MS = 30000,
	/** The state of the watch is put down anew, so that it does not expire. */
	AGENT_RECORD_MS = 5 * 60 * 1000,
	/** The longest a re-arm of the watch waits for the next one to come along. */
	AGENT_REARM_MS = 4000,
	/** When the queue could not be written, as on a full disk. */
	AGENT_RETRY_MS = 1000,
};

struct agent {
	const char *config_file;
	const struct config *config;
	struct kit *kit;
	// Handles of this thread; the staff has its own.
	struct jobqueue *queue;
	struct evidence *evidence;
	struct watch *watch;
	struct watch_root *roots;
	size_t nroots;
	struct settle settle;
	struct inbox *inbox;
	struct staff *staff;
	struct doors doors;
	struct teller *teller;
	struct tick *tick;
	int bell;
	int signals;
	int64_t tick_due_ms;
	/** Not before; and whether one is owed. */
	int64_t rearm_due_ms;
	bool rearm_owed;
	int64_t record_due_ms;
	int64_t look_due_ms;
	/** Of the state's files when they were opened. */
	struct ground ground;
	/** One for each watched folder of the configuration. */
	struct ground_root *places;
	int64_t sweep_due_ms;
	struct polled polled;
	/** Wall clock of the oldest change not yet committed; 0: none. */
	int64_t dirty_since_ms;
	/** That could not be recorded; a cycle could not be asked for, the next try. */
	bool dirty_unsaid;
	int64_t owed_due_ms;
	/** Wall clock of the first of these. */
	int64_t owed_since_ms;
	/** Wall minus monotonic, to see jumps. */
	int64_t clock_offset_ms;
	struct timespec config_mtime;
	bool stopping;
	bool reload;
};

// ---- what the disk says

static bool
skip_folder(size_t index, const char *folder, void *payload)
{
	const struct agent *agent = payload;

	return heard_skips(agent->config, agent->kit->state_dir, index, folder);
}

static void
mark_dirty(struct agent *agent)
{
	struct err err;

	if (agent->dirty_since_ms == 0) {
		agent->dirty_since_ms = clock_now_ms();
		agent->dirty_unsaid =
			record_dirty(agent->evidence, agent->dirty_since_ms, &err) < 0;
		if (agent->dirty_unsaid) {
			log_warn("the oldest change could not be recorded: %s; trying "
				 "later",
				err.msg);
		}
	}
}

// A folder may be watched under several roots, one inside the other; the kernel tells it
// once, and every root that holds it is told here.
static void
hear(const struct watch_hint *hint, void *payload)
{
	struct agent *agent = payload;
	const struct config *config = agent->config;
	const char *base = config->watches[hint->index].path;
	AUTO_FREE char *whole = path_join(base, hint->folder != NULL ? hint->folder : "");
	int64_t now_ms = clock_mono_ms();

	mark_dirty(agent);
	for (size_t i = 0; i < config->nwatches; i++) {
		const char *root = config->watches[i].path;

		if (i == hint->index) {
			settle_event(&agent->settle, now_ms, i, hint->folder, hint->deep,
				hint->removed);
		} else if (path_is_beneath(whole, root)) {
			const char *below = whole + strlen(root);

			settle_event(&agent->settle, now_ms, i,
				hint->folder == NULL ? NULL : below + (below[0] == '/'),
				hint->deep, hint->removed);
		} else if (path_is_beneath(root, whole) && hint->deep) {
			settle_event(
				&agent->settle, now_ms, i, NULL, true, hint->removed);
		}
	}
}

static void
record_watching(struct agent *agent, unsigned int flags)
{
	char advice[WATCH_REASON_MAX];
	struct record_watches watches = {
		.needed = (int64_t)watch_needed(agent->watch),
		.placed = (int64_t)watch_count(agent->watch),
		.limit = (int64_t)watch_limit(),
	};
	struct watch_status status;
	struct err err;

	polled_choose(&agent->polled, agent->watch, agent->nroots, clock_mono_ms());
	watch_advice(agent->watch, advice);
	for (size_t i = 0; i < agent->nroots && watches.trouble == NULL; i++) {
		watch_status(agent->watch, i, &status);
		// More watches would not help.
		if (status.state == WATCH_POLLED &&
			(status.unwatched == 0 || advice[0] == '\0')) {
			watches.trouble = status.reason;
		}
	}
	if (record_watches(agent->evidence, &watches, &err) < 0) {
		log_warn("the state of the watch could not be recorded: %s; going on",
			err.msg);
	}
	if ((flags & WATCH_LIMIT) != 0 && advice[0] != '\0') {
		log_warn("%zu of %zu folders are watched, the kernel allows no more; "
			 "sweeping instead: "
			 "%s",
			watch_count(agent->watch), watch_needed(agent->watch), advice);
	}
}

// A file that was removed or replaced is still open here, and nobody else reads what is
// written to it: everything is found out again from the disk and the repository.
static void
watch_state(struct agent *agent)
{
	if (!ground_holds(agent->kit->state_dir, &agent->ground)) {
		log_warn("the state was removed or damaged while the agent runs; "
			 "beginning anew");
		agent->reload = true;
	}
}

// A cycle that looks at what is in the inbox.
static void
ask_cycle(struct agent *agent)
{
	struct err err;

	if (jobqueue_enqueue(agent->queue, JOB_SYNC, NULL, &err) < 0) {
		if (agent->owed_due_ms == 0) {
			log_error("a cycle could not be asked for: %s; trying again "
				  "every second",
				err.msg);
			agent->owed_since_ms = clock_now_ms();
			agent->tick_due_ms = 0;
		}
		agent->owed_due_ms = clock_mono_ms() + AGENT_RETRY_MS;
		watch_state(agent);
	} else if (agent->owed_due_ms != 0) {
		agent->owed_due_ms = 0;
		agent->tick_due_ms = 0;
	}
	inbox_wake(agent->inbox);
}

// What could not be written down when it was heard of, as on a full disk.
static void
pay_owed(struct agent *agent)
{
	struct err ignored;

	if (agent->owed_due_ms == 0 || clock_mono_ms() < agent->owed_due_ms) {
		return;
	}
	if (agent->dirty_unsaid) {
		agent->dirty_unsaid = record_dirty(agent->evidence, agent->dirty_since_ms,
					      &ignored) < 0;
	}
	ask_cycle(agent);
}

static void
ask_everywhere(struct agent *agent)
{
	inbox_put_everywhere(agent->inbox);
	ask_cycle(agent);
}

// Renames of folders come in crowds, and each re-arm walks everything: the flag is told
// again at every drain, so it can wait a little.
static void
rearm(struct agent *agent)
{
	mark_dirty(agent);
	// Before the watches are set: what moves from here on is seen at the next tick.
	(void)ground_roots_moved(agent->config, agent->places);
	record_watching(agent, watch_rearm(agent->watch));
	ask_everywhere(agent);
	agent->rearm_owed = false;
	agent->rearm_due_ms = clock_mono_ms() +
		MIN_OF(agent->config->brain.settle_ms * 2, (int64_t)AGENT_REARM_MS);
}

static void
drain_watch(struct agent *agent)
{
	unsigned int flags;
	struct err err;

	do {
		flags = watch_drain(agent->watch, hear, agent);
		if ((flags & WATCH_OVERFLOW) != 0) {
			(void)!evidence_event(
				agent->evidence, RECORD_OVERFLOW, clock_now_ms(), &err);
			log_warn("the kernel's queue of events ran over; looking "
				 "everywhere");
		}
		agent->rearm_owed = (flags & WATCH_REARM) != 0;
		if (agent->rearm_owed && clock_mono_ms() >= agent->rearm_due_ms) {
			rearm(agent);
			return;
		}
	} while ((flags & WATCH_MORE) != 0);
}

// ---- what people and clocks say

static void
put_hint(size_t root, const char *folder, bool deep, void *payload)
{
	struct agent *agent = payload;

	if (folder == NULL) {
		inbox_put(agent->inbox, root, "", true);
	} else {
		inbox_put(agent->inbox, root, folder, deep);
	}
}

static void
settle_some(struct agent *agent)
{
	int64_t now_ms = clock_mono_ms();

	if (!settle_is_due(&agent->settle, now_ms)) {
		return;
	}
	(void)settle_take(&agent->settle, now_ms, put_hint, agent);
	ask_cycle(agent);
}

static void
sweep_some(struct agent *agent)
{
	if (clock_mono_ms() < agent->sweep_due_ms) {
		return;
	}
	agent->sweep_due_ms = clock_mono_ms() + agent->config->brain.sweep_ms;
	// Perhaps the kernel allows more by now.
	if (watch_count(agent->watch) < watch_needed(agent->watch)) {
		rearm(agent);
	} else {
		ask_everywhere(agent);
	}
}

// What no watcher hears is looked at in between, too.
static void
poll_some(struct agent *agent)
{
	int64_t now_ms = clock_mono_ms();

	if (polled_is_due(&agent->polled, now_ms)) {
		polled_put(&agent->polled, agent->config, agent->watch, agent->nroots,
			agent->inbox, now_ms);
		ask_cycle(agent);
	}
}

// The staff has finished a cycle: is anything still waiting?
static void
hear_staff(struct agent *agent)
{
	bool synced = staff_has_synced(agent->staff);
	struct err err;

	if (synced) {
		teller_poke(agent->teller);
	}
	if (synced && inbox_is_empty(agent->inbox)) {
		polled_seen(&agent->polled, clock_mono_ms());
		polled_choose(
			&agent->polled, agent->watch, agent->nroots, clock_mono_ms());
	}
	if (synced && agent->dirty_since_ms != 0 &&
		settle_next_ms(&agent->settle, clock_mono_ms()) < 0 &&
		inbox_is_empty(agent->inbox)) {
		agent->dirty_since_ms = 0;
		if (record_dirty(agent->evidence, 0, &err) < 0) {
			log_warn("that nothing waits could not be recorded: %s; going on",
				err.msg);
		}
	}
}

static void
hear_signals(struct agent *agent)
{
	struct signalfd_siginfo info;

	while (read(agent->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			agent->reload = true;
		} else {
			agent->stopping = true;
		}
	}
}

static void
watch_clock(struct agent *agent)
{
	int64_t offset_ms = clock_now_ms() - clock_mono_ms();
	int64_t jump_ms = offset_ms - agent->clock_offset_ms;
	struct err err;

	if (jump_ms > AGENT_JUMP_MS || jump_ms < -AGENT_JUMP_MS) {
		log_warn("the clock jumped by %lld s; looking everywhere",
			(long long)(jump_ms / 1000));
		(void)!record_clock(agent->evidence, jump_ms, &err);
		// What was dated by the clock before is worth nothing now.
		agent->record_due_ms = 0;
		agent->look_due_ms = 0;
		ask_everywhere(agent);
	}
	agent->clock_offset_ms = offset_ms;
}

static struct timespec
config_time(const struct agent *agent)
{
	struct stat info;

	return stat(agent->config_file, &info) == 0 ? info.st_mtim
						    : (struct timespec){ 0 };
}

// A good edit is taken over; a bad one is told, and the last good one stays.
static void
watch_config(struct agent *agent)
{
	AUTO(config_freep) struct config *fresh = NULL;
	struct timespec now = config_time(agent);
	struct err err;

	if (now.tv_sec == agent->config_mtime.tv_sec &&
		now.tv_nsec == agent->config_mtime.tv_nsec) {
		return;
	}
	agent->config_mtime = now;
	if (config_load(agent->config_file, &fresh, &err) < 0) {
		log_warn("%s; going on with the last good configuration", err.msg);
		return;
	}
	log_notice("the configuration changed; taking it over");
	agent->reload = true;
}

// What was true stays true only when it is looked at again (I9).
static void
repeat(struct agent *agent, int64_t now_ms)
{
	struct err err;

	if (now_ms >= agent->record_due_ms) {
		agent->record_due_ms = now_ms + AGENT_RECORD_MS;
		record_watching(agent, 0);
		if (proof_schedule(agent->queue, clock_now_ms(), &err) < 0) {
			log_warn("the next proof has no date yet: %s; trying later",
				err.msg);
		}
	}
	if (config_has_remote(agent->config) && now_ms >= agent->look_due_ms) {
		// The remote is looked at even when there is nothing to push.
		agent->look_due_ms = now_ms + beat_idle_ms(agent->evidence);
		if (jobqueue_enqueue(agent->queue, JOB_PUSH, NULL, &err) < 0) {
			log_warn("a look at the remote could not be asked for: %s; "
				 "trying later",
				err.msg);
		}
	}
}

// The beat says that both threads get on; a staff that hangs stops it.  Of a state that
// cannot be written nothing else can tell.
static void
beat(struct agent *agent)
{
	char blocked[TICK_TASK_MAX];

	if (!staff_gets_on(agent->staff)) {
		return;
	}
	(void)snprintf(blocked, sizeof(blocked), TICK_BLOCKED "%lld",
		(long long)agent->owed_since_ms);
	tick_beat(agent->tick,
		agent->owed_due_ms != 0 ? blocked : staff_task(agent->staff));
	notify_send("WATCHDOG=1");
}

// Somebody must be alone for a while: begin anew after it.
static void
give_way(struct agent *agent)
{
	agent->reload = agent->reload || runner_must_yield(agent->kit->state_dir);
}

static void
tidy(struct agent *agent)
{
	int64_t now_ms = clock_mono_ms();
	int64_t watchdog_ms = notify_watchdog_ms();

	if (now_ms < agent->tick_due_ms) {
		return;
	}
	agent->tick_due_ms = now_ms +
		(watchdog_ms > 0 ? MIN_OF(watchdog_ms, (int64_t)AGENT_TICK_MS)
				 : AGENT_TICK_MS);
	beat(agent);
	watch_clock(agent);
	watch_config(agent);
	watch_state(agent);
	if (ground_roots_moved(agent->config, agent->places)) {
		rearm(agent);
	}
	if ((watch_retry(agent->watch, hear, agent) & WATCH_DIRTY) != 0) {
		record_watching(agent, 0);
	}
	repeat(agent, now_ms);
	// A ring can be lost; the queue is never.
	inbox_wake(agent->inbox);
	give_way(agent);
}

static int
sleep_until_news(struct agent *agent)
{
	int64_t now_ms = clock_mono_ms();
	int64_t settle_ms = settle_next_ms(&agent->settle, now_ms);
	int64_t due_ms = MIN_OF(agent->tick_due_ms, agent->sweep_due_ms);
	int64_t sleep_ms = MIN_OF(due_ms, agent->polled.due_ms) - now_ms;
	struct pollfd fds[] = {
		{ .fd = watch_fd(agent->watch), .events = POLLIN },
		{ .fd = agent->bell, .events = POLLIN },
		{ .fd = agent->signals, .events = POLLIN },
		{ .fd = staff_fd(agent->staff), .events = POLLIN },
	};

	if (settle_ms >= 0) {
		sleep_ms = MIN_OF(sleep_ms, settle_ms);
	}
	if (agent->rearm_owed) {
		sleep_ms = MIN_OF(sleep_ms, agent->rearm_due_ms - now_ms);
	}
	if (agent->owed_due_ms != 0) {
		sleep_ms = MIN_OF(sleep_ms, agent->owed_due_ms - now_ms);
	}
	if (poll(fds, countof(fds), (int)MAX_OF(sleep_ms, (int64_t)0)) < 0 &&
		errno != EINTR) {
		return -1;
	}
	if (fds[1].revents != 0) {
		jobqueue_bell_drain(agent->bell);
		inbox_wake(agent->inbox);
		give_way(agent);
	}
	return 0;
}

/** Everything the agent ever does, in order. */
static int
agent_step(struct agent *agent, struct err *err)
{
	// What the disk says comes first: an event not read is an event lost.
	drain_watch(agent);
	// Folders that have been quiet long enough become a job.
	settle_some(agent);
	// What no watcher sees, a sweep sees.
	sweep_some(agent);
	poll_some(agent);
	pay_owed(agent);
	// What the staff has done since.
	hear_staff(agent);
	hear_signals(agent);
	// The pulse, the clock, the configuration.
	tidy(agent);
	if (agent->stopping || agent->reload) {
		return 0;
	}
	if (!staff_is_working(agent->staff)) {
		// The lock goes with its folder: that too is a state to begin anew.
		watch_state(agent);
		return agent->reload ? 0 : staff_error(agent->staff, err);
	}
	if (sleep_until_news(agent) < 0) {
		return err_errno(err, "poll");
	}
	return 1;
}

// ---- begin and end

static int
open_signals(struct err *err)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_errno(err, "signalfd") : fd;
}

// What was staged for the state itself, before anything opens it.
static void
restore_state(const struct config *config)
{
	AUTO_FREE char *state = places_state_dir();

	(void)own_apply(state, "/proc/self/exe", config->sqlite.timeout_ms);
}

static bool
is_told_to_stop(void *payload)
{
	struct agent *agent = payload;

	hear_signals(agent);
	return agent->stopping;
}

// 1 the runner's lock is ours, 0 we were told to stop, or negative.
static int
become_runner(struct agent *agent, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();
	struct runner_ear ear = { .hear = is_told_to_stop, .payload = agent };

	ear.fd = agent->signals = open_signals(err);
	if (agent->signals < 0) {
		return agent->signals;
	}
	if (runner_stand_still(state, &ear) == 0) {
		return 0;
	}
	restore_state(agent->config);
	return kit_open(agent->config, &agent->kit, err) < 0
		? err->code
		: runner_become(agent->kit, &ear, err);
}

static int
begin(struct agent *agent, struct err *err)
{
	int got = become_runner(agent, err);

	if (got <= 0) {
		return got;
	}
	databases_resume();
	agent->roots = xcalloc(agent->config->nwatches, sizeof(agent->roots[0]));
	agent->nroots = heard_roots(agent->config, agent->roots);
	agent->places = xcalloc(agent->config->nwatches, sizeof(agent->places[0]));
	(void)ground_roots_moved(agent->config, agent->places);
	// The library behind the watch wants a low descriptor, so it comes early.
	if (watch_open(agent->roots, agent->nroots, skip_folder, agent, &agent->watch,
		    err) < 0 ||
		tick_open(agent->kit->state_dir, &agent->tick, err) < 0 ||
		jobqueue_open(agent->kit->state_dir, &agent->queue, err) < 0 ||
		evidence_open(agent->kit->state_dir, EVIDENCE_RW, &agent->evidence, err) <
			0 ||
		kit_start(agent->kit, err) < 0) {
		return err->code;
	}
	agent->bell = jobqueue_bell_open(agent->kit->bell_dir, err);
	if (agent->bell < 0 || record_start(agent->evidence, err) < 0) {
		return err->code;
	}
	settle_init(&agent->settle, agent->config->nwatches,
		agent->config->brain.settle_ms, agent->config->brain.max_wait_ms);
	agent->inbox = inbox_new();
	polled_init(&agent->polled);
	if (staff_start(agent->kit, agent->inbox, &agent->staff, err) < 0) {
		return err->code;
	}
	agent->clock_offset_ms = clock_now_ms() - clock_mono_ms();
	agent->config_mtime = config_time(agent);
	ground_look(agent->kit->state_dir, &agent->ground);
	agent->sweep_due_ms = clock_mono_ms();
	agent->look_due_ms = clock_mono_ms() + beat_idle_ms(agent->evidence);
	record_watching(agent,
		watch_count(agent->watch) < watch_needed(agent->watch)
			? (unsigned int)WATCH_LIMIT
			: 0);
	doors_open(&agent->doors, agent->kit, agent->config_file);
	if (teller_start(agent->config, agent->kit->state_dir, &agent->teller, err) < 0) {
		return err->code;
	}
	tick_beat(agent->tick, "starting");
	notify_send("READY=1");
	return 1;
}

static void
end(struct agent *agent, bool clean)
{
	struct err err;

	notify_send(
		agent->reload ? "STATUS=taking over the configuration" : "STOPPING=1");
	doors_close(&agent->doors);
	teller_stop(agent->teller);
	staff_stop(agent->staff);
	if (clean && agent->evidence != NULL && record_stop(agent->evidence, &err) < 0) {
		log_warn("the clean stop could not be recorded: %s", err.msg);
	}
	if (agent->tick != NULL) {
		tick_beat(agent->tick, "stopped");
	}
	tick_closep(&agent->tick);
	watch_closep(&agent->watch);
	settle_done(&agent->settle);
	inbox_free(agent->inbox);
	evidence_closep(&agent->evidence);
	jobqueue_closep(&agent->queue);
	base_close_p(&agent->bell);
	base_close_p(&agent->signals);
	if (agent->kit != NULL) {
		kit_stop(agent->kit);
		jobqueue_unlock(agent->kit->queue);
	}
	kit_freep(&agent->kit);
	free(agent->roots);
	free(agent->places);
}

// 1: take over a changed configuration and go on; 0: a clean end.
static int
run_with(const char *config_file, const struct config *config, struct err *err)
{
	struct agent agent = {
		.config_file = config_file,
		.config = config,
		.bell = -1,
		.signals = -1,
	};
	int result = begin(&agent, err);
	bool reload;

	if (result > 0) {
		log_notice("watching %zu folders in %zu roots for %s",
			watch_count(agent.watch), agent.nroots, config_host(config));
	}
	while (result > 0) {
		result = agent_step(&agent, err);
	}
	reload = agent.reload && !agent.stopping && result == 0;
	end(&agent, result == 0);
	return reload ? 1 : result;
}

int
agent_run(const char *config_file, const struct config *config, struct err *err)
{
	AUTO(config_freep) struct config *fresh = NULL;
	int result;

	while ((result = run_with(config_file, fresh != NULL ? fresh : config, err)) >
		0) {
		struct config *next = NULL;

		if (config_load(config_file, &next, err) < 0) {
			log_warn("%s; going on with the last good configuration",
				err->msg);
			continue;
		}
		config_free(fresh);
		fresh = next;
	}
	return result;
}
