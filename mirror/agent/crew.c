// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/crew.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	/** Tasks that one thread takes at once. */
	AT_ONCE_MAX = 16,
	/** So many are worth waking somebody; fewer wait for the submitter to wait. */
	WAKE_AT = 8,
};

struct crew {
	pthread_mutex_t mutex;
	/** A task is waiting, or we are to leave. */
	pthread_cond_t work;
	/** A task is finished. */
	pthread_cond_t done;
	struct crew_task *waiting;
	struct crew_task **waiting_end;
	size_t nwaiting;
	struct crew_task *finished;
	struct crew_task **finished_end;
	/** Submitted and not yet collected. */
	size_t lent;
	/** Submitted ever. */
	size_t seen;
	pthread_t threads[CREW_THREADS_MAX];
	size_t nthreads;
	/** Threads that wait for work. */
	size_t nidle;
	bool leaving;
};

struct crew *
crew_new(void)
{
	struct crew *crew = xcalloc(1, sizeof(*crew));

	crew->mutex = (pthread_mutex_t)PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
	(void)pthread_cond_init(&crew->work, NULL);
	(void)pthread_cond_init(&crew->done, NULL);
	crew->waiting_end = &crew->waiting;
	crew->finished_end = &crew->finished;
	return crew;
}

// As many as leave the others enough, a NULL behind the last one.  Neighbours in the
// queue stand in one folder as a rule: who takes several stays in it, instead of waiting
// there for the others.
static struct crew_task *
take(struct crew *crew)
{
	struct crew_task *first = crew->waiting;
	struct crew_task *last = first;
	size_t share = crew->nwaiting / (2 * (crew->nthreads + 1));
	size_t count = MIN_OF(MAX_OF(share, (size_t)1), (size_t)AT_ONCE_MAX);

	if (first == NULL) {
		return NULL;
	}
	for (size_t i = 1; i < count; i++) {
		last = last->next_;
	}
	crew->nwaiting -= count;
	crew->waiting = last->next_;
	if (crew->waiting == NULL) {
		crew->waiting_end = &crew->waiting;
	}
	last->next_ = NULL;
	return first;
}

// Called and left with the mutex held.
static void
perform(struct crew *crew, struct crew_task *first)
{
	struct crew_task *last = first;

	(void)pthread_mutex_unlock(&crew->mutex);
	for (struct crew_task *task = first; task != NULL; task = task->next_) {
		task->run(task);
		last = task;
	}
	(void)pthread_mutex_lock(&crew->mutex);
	*crew->finished_end = first;
	crew->finished_end = &last->next_;
	(void)pthread_cond_signal(&crew->done);
}

static void *
member(void *payload)
{
	struct crew *crew = payload;

	(void)pthread_mutex_lock(&crew->mutex);
	while (!crew->leaving) {
		struct crew_task *task = take(crew);

		if (task == NULL) {
			crew->nidle++;
			(void)pthread_cond_wait(&crew->work, &crew->mutex);
			crew->nidle--;
		} else {
			perform(crew, task);
		}
	}
	(void)pthread_mutex_unlock(&crew->mutex);
	return NULL;
}

// One thread for each processor but the submitter's own; without any the submitter does
// everything.
static void
start(struct crew *crew)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = processors > 1 ? (size_t)processors - 1 : 0;

	wanted = MIN_OF(wanted, (size_t)CREW_THREADS_MAX);
	while (crew->nthreads < wanted &&
		pthread_create(&crew->threads[crew->nthreads], NULL, member, crew) == 0) {
		crew->nthreads++;
	}
}

void
crew_free(struct crew *crew)
{
	if (crew == NULL) {
		return;
	}
	(void)pthread_mutex_lock(&crew->mutex);
	crew->leaving = true;
	(void)pthread_cond_broadcast(&crew->work);
	(void)pthread_mutex_unlock(&crew->mutex);
	for (size_t i = 0; i < crew->nthreads; i++) {
		(void)pthread_join(crew->threads[i], NULL);
	}
	(void)pthread_cond_destroy(&crew->work);
	(void)pthread_cond_destroy(&crew->done);
	(void)pthread_mutex_destroy(&crew->mutex);
	free(crew);
}

void
crew_submit(struct crew *crew, struct crew_task *task)
{
	(void)pthread_mutex_lock(&crew->mutex);
	task->next_ = NULL;
	*crew->waiting_end = task;
	crew->waiting_end = &task->next_;
	crew->nwaiting++;
	crew->lent++;
	if (++crew->seen == CREW_START_AT) {
		start(crew);
	}
	if (crew->nwaiting >= WAKE_AT && crew->nidle > 0) {
		(void)pthread_cond_signal(&crew->work);
	}
	// The submitter lends a hand: always before there are threads, and when they are
	// so far behind that tasks would pile up.
	while ((crew->nthreads == 0 || crew->lent > CREW_WAITING_MAX / 2) &&
		crew->waiting != NULL) {
		perform(crew, take(crew));
		if (crew->nthreads > 0) {
			break;
		}
	}
	(void)pthread_mutex_unlock(&crew->mutex);
}

struct crew_task *
crew_collect(struct crew *crew, bool wait)
{
	struct crew_task *task;

	(void)pthread_mutex_lock(&crew->mutex);
	if (wait && crew->nwaiting > 1 && crew->nidle > 0) {
		(void)pthread_cond_broadcast(&crew->work);
	}
	while (wait && crew->finished == NULL && crew->lent > 0) {
		struct crew_task *mine = take(crew);

		if (mine != NULL) {
			perform(crew, mine);
		} else {
			(void)pthread_cond_wait(&crew->done, &crew->mutex);
		}
	}
	task = crew->finished;
	if (task != NULL) {
		crew->finished = task->next_;
		if (crew->finished == NULL) {
			crew->finished_end = &crew->finished;
		}
		crew->lent--;
	}
	(void)pthread_mutex_unlock(&crew->mutex);
	return task;
}
