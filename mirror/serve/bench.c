// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/bench.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct bench {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news;
	// All below: under the lock.
	struct bench_task *first;
	struct bench_task **last;
	/** Waiting, reserved ones included. */
	size_t count;
	size_t reserved;
	bool stopping;
};

static struct bench_task *
next_task(struct bench *bench)
{
	struct bench_task *task;

	(void)pthread_mutex_lock(&bench->lock);
	while (bench->first == NULL && (!bench->stopping || bench->reserved > 0)) {
		(void)pthread_cond_wait(&bench->news, &bench->lock);
	}
	task = bench->first;
	if (task != NULL) {
		bench->first = task->next_;
		bench->count--;
		if (bench->first == NULL) {
			bench->last = &bench->first;
		}
	}
	(void)pthread_mutex_unlock(&bench->lock);
	return task;
}

static void *
work(void *payload)
{
	struct bench_task *task;

	while ((task = next_task(payload)) != NULL) {
		task->run(task);
		task->done(task);
	}
	return NULL;
}

int
bench_start(struct bench **ret_bench, struct err *err)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));

	bench->last = &bench->first;
	(void)pthread_mutex_init(&bench->lock, NULL);
	(void)pthread_cond_init(&bench->news, NULL);
	errno = pthread_create(&bench->thread, NULL, work, bench);
	if (errno != 0) {
		err_errno(err, "start a thread");
		(void)pthread_cond_destroy(&bench->news);
		(void)pthread_mutex_destroy(&bench->lock);
		free(bench);
		return err->code;
	}
	*ret_bench = bench;
	return 0;
}

void
bench_stop(struct bench *bench)
{
	if (bench == NULL) {
		return;
	}
	(void)pthread_mutex_lock(&bench->lock);
	bench->stopping = true;
	(void)pthread_cond_signal(&bench->news);
	(void)pthread_mutex_unlock(&bench->lock);
	(void)pthread_join(bench->thread, NULL);
}

void
bench_free(struct bench *bench)
{
	if (bench == NULL) {
		return;
	}
	(void)pthread_cond_destroy(&bench->news);
	(void)pthread_mutex_destroy(&bench->lock);
	free(bench);
}

bool
bench_reserve(struct bench *bench)
{
	bool taken;

	(void)pthread_mutex_lock(&bench->lock);
	taken = !bench->stopping && bench->count < BENCH_WAITING_MAX;
	if (taken) {
		bench->count++;
		bench->reserved++;
	}
	(void)pthread_mutex_unlock(&bench->lock);
	return taken;
}

void
bench_submit(struct bench *bench, struct bench_task *task)
{
	(void)pthread_mutex_lock(&bench->lock);
	bench->reserved--;
	task->next_ = NULL;
	*bench->last = task;
	bench->last = &task->next_;
	(void)pthread_cond_signal(&bench->news);
	(void)pthread_mutex_unlock(&bench->lock);
}

bool
bench_is_stopping(struct bench *bench)
{
	bool stopping;

	(void)pthread_mutex_lock(&bench->lock);
	stopping = bench->stopping;
	(void)pthread_mutex_unlock(&bench->lock);
	return stopping;
}
