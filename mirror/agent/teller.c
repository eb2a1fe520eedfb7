// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/teller.h"

#include "agent/ping.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "config/fields.h"
#include "health/evidence.h"
#include "health/facts.h"
#include "health/format.h"
#include "health/record.h"
#include "view/clean.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	OUT_MAX = 64 * 1024,
};

struct teller {
	const struct config *config;
	const char *state_dir;
	struct evidence *evidence;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news;
	bool poked;
	atomic_bool stopping;
};

// ---- telling

struct telling {
	const struct config *config;
	struct evidence *evidence;
	struct health_report report;
	/** NULL: nobody stops it. */
	atomic_bool *stopping;
};

static int
ask_stop(void *payload)
{
	const struct telling *telling = payload;

	return telling->stopping != NULL && atomic_load(telling->stopping);
}

static int
on_line(const char *line, size_t len, bool is_stderr, void *payload)
{
	(void)line;
	(void)len;
	(void)is_stderr;
	return ask_stop(payload);
}

static void
run_exec(struct telling *telling)
{
	const struct config_list *words = &telling->config->notify.exec;
	AUTO_FREE const char **argv = xcalloc(words->count + 1, sizeof(*argv));
	AUTO(json_freep) struct json *json = format_json(&telling->report);
	AUTO_FREE char *text = json_write(json, 1);
	struct spawn_result result = SPAWN_RESULT(OUT_MAX);
	struct spawn plan = {
		.argv = argv,
		.input = text,
		.input_len = strlen(text),
		.deadline_ms =
			telling->stopping != NULL ? TELLER_EXEC_MS : TELLER_EXEC_ONCE_MS,
		.on_line = on_line,
		.payload = telling,
	};
	struct err err;

	for (size_t i = 0; i < words->count; i++) {
		argv[i] = words->items[i].text;
	}
	if (spawn_run(&plan, &result, &err) < 0) {
		log_warn("[notify] exec failed: %s; going on", err.msg);
	} else if (result.status != 0) {
		log_warn("[notify] exec ended with status %d; going on", result.status);
	}
	spawn_result_done(&result);
}

// 1 the verdict changed since it was last told, 0 it did not.  The first verdict ever is
// news unless it is a good one.
static int
is_news(struct telling *telling, struct err *err)
{
	enum health_state seen;
	int64_t since_ms;
	int known =
		evidence_seen(telling->evidence, RECORD_NOTIFIED, &seen, &since_ms, err);

	if (known <= 0) {
		return known < 0 ? known : telling->report.state != HEALTH_HEALTHY;
	}
	return seen != telling->report.state;
}

static void
tell_exec(struct telling *telling)
{
	struct err err;
	int news = is_news(telling, &err);

	if (news > 0) {
		run_exec(telling);
	}
	// Told or not, it is not told twice; only an end of ours leaves it for the next.
	if (!ask_stop(telling) &&
		(news < 0 ||
			evidence_see(telling->evidence, RECORD_NOTIFIED,
				telling->report.state, telling->report.now_ms,
				&err) < 0)) {
		log_warn("what was told could not be noted: %s; it may be told twice",
			err.msg);
	}
}

static bool
ping_is_due(struct telling *telling)
{
	const char *word = health_state_word(telling->report.state);
	int64_t now_ms = telling->report.now_ms;
	struct evidence_row row;
	struct err ignored;

	return evidence_get(telling->evidence, RECORD_PINGED, &row, &ignored) <= 0 ||
		strcmp(row.detail, word) != 0 || row.at_ms > now_ms ||
		now_ms - row.at_ms >= TELLER_PING_MS;
}

// It leaves the machine, and a path or a remote's answer may hold a secret (I3).  Nobody
// compares these marks, so their key is for once.
static char *
outside_sentence(const struct health_report *report)
{
	uint8_t key[HASH_KEY_LEN];
	char *clean = NULL;
	struct err ignored;

	if (hash_random(key, sizeof(key), &ignored) < 0 ||
		view_clean_once(key, report->sentence, &clean, &ignored) < 0) {
		return xasprintf("%s: mirror health", health_state_word(report->state));
	}
	return clean;
}

static void
tell_ping(struct telling *telling)
{
	const struct health_report *report = &telling->report;
	struct evidence_fact pinged = {
		.name = RECORD_PINGED,
		.state = HEALTH_HEALTHY,
		.detail = health_state_word(report->state),
	};
	struct err err;

	if (!ping_is_due(telling)) {
		return;
	}

	AUTO_FREE char *sentence = outside_sentence(report);

	if (ping_send(telling->config->notify.ping,
		    report->state == HEALTH_HEALTHY ? "" : "/fail", sentence, ask_stop,
		    telling, &err) < 0) {
		log_warn("[notify] ping failed: %s; trying again later", err.msg);
	}
	if (!ask_stop(telling) && evidence_put(telling->evidence, &pinged, &err) < 0) {
		log_warn(
			"that a ping was sent could not be noted: %s; going on", err.msg);
	}
}

static void
look_and_tell(const struct config *config, const char *state_dir,
	struct evidence *evidence, atomic_bool *stopping)
{
	struct telling telling = {
		.config = config,
		.evidence = evidence,
		.stopping = stopping,
	};
	struct health_input input = {
		.config = config,
		.state_dir = state_dir,
		.now_ms = clock_now_ms(),
		.mono_ms = clock_mono_ms(),
	};
	struct err err;

	if (health_measure(&input, &telling.report, &err) < 0) {
		log_warn("nothing could be measured to be told: %s; trying again later",
			err.msg);
	} else {
		if (config->notify.exec.count > 0) {
			tell_exec(&telling);
		}
		if (config->notify.ping != NULL) {
			tell_ping(&telling);
		}
	}
	health_report_done(&telling.report);
}

static bool
is_wanted(const struct config *config)
{
	return config->notify.exec.count > 0 || config->notify.ping != NULL;
}

void
teller_once(const struct config *config, const char *state_dir, struct evidence *evidence)
{
	if (is_wanted(config)) {
		look_and_tell(config, state_dir, evidence, NULL);
	}
}

// ---- the thread

static void
wait_for_news(struct teller *teller)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TELLER_EVERY_MS / 1000;
	(void)pthread_mutex_lock(&teller->lock);
	while (!teller->poked && !atomic_load(&teller->stopping) &&
		pthread_cond_timedwait(&teller->news, &teller->lock, &until) == 0) {
	}
	teller->poked = false;
	(void)pthread_mutex_unlock(&teller->lock);
}

// The first look waits for the first cycle, so that a start is no alarm.
static void *
run(void *payload)
{
	struct teller *teller = payload;

	for (;;) {
		wait_for_news(teller);
		if (atomic_load(&teller->stopping)) {
			return NULL;
		}
		look_and_tell(teller->config, teller->state_dir, teller->evidence,
			&teller->stopping);
	}
}

int
teller_start(const struct config *config, const char *state_dir,
	struct teller **ret_teller, struct err *err)
{
	pthread_condattr_t monotonic;
	struct teller *teller;

	*ret_teller = NULL;
	if (!is_wanted(config)) {
		return 0;
	}
	teller = xcalloc(1, sizeof(*teller));
	teller->config = config;
	teller->state_dir = state_dir;
	if (evidence_open(state_dir, EVIDENCE_RW, &teller->evidence, err) < 0) {
		free(teller);
		return err->code;
	}
	(void)pthread_mutex_init(&teller->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&teller->news, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	errno = pthread_create(&teller->thread, NULL, run, teller);
	if (errno != 0) {
		err_errno(err, "start the telling thread");
		evidence_close(teller->evidence);
		free(teller);
		return err->code;
	}
	*ret_teller = teller;
	return 0;
}

void
teller_poke(struct teller *teller)
{
	if (teller == NULL) {
		return;
	}
	(void)pthread_mutex_lock(&teller->lock);
	teller->poked = true;
	(void)pthread_cond_signal(&teller->news);
	(void)pthread_mutex_unlock(&teller->lock);
}

void
teller_stop(struct teller *teller)
{
	if (teller == NULL) {
		return;
	}
	atomic_store(&teller->stopping, true);
	teller_poke(teller);
	(void)pthread_join(teller->thread, NULL);
	(void)pthread_cond_destroy(&teller->news);
	(void)pthread_mutex_destroy(&teller->lock);
	evidence_close(teller->evidence);
	free(teller);
}
