// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/index_relay.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/oid.h"
#include "brain/tree.h"

#include <pthread.h>
#include <string.h>

enum {
	// So many changes are worth a thread.
	BATCH_LEN = 2048,
	BATCH_TEXT_MAX = 256 << 20,
	// So many files are looked at before we ask whether the other thread is ready.
	LOOK_LEN = 64,
};

struct item {
	// Where its path is in the batch's text.
	size_t at;
	bool gone;
	struct tree_entry new;
	char look[INDEX_LOOK_LEN];
};

struct batch {
	struct item items[BATCH_LEN];
	size_t count;
	// So many of them were looked at.
	size_t looked;
	struct buf paths;
};

struct relay {
	const struct index_relay *way;
	// One is filled while the other one is used.
	struct batch batches[2];
	struct batch *filling;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	// The batch handed over, until it is used; what went wrong with it belongs to the
	// thread until then.
	struct batch *handed;
	struct err failed;
	bool leaving;
	// Where the thread that fills tells.
	struct err *err;
};

static int
use(struct relay *relay, struct batch *batch)
{
	int result = 0;

	for (size_t i = 0; i < batch->count && result == 0; i++) {
		const struct item *item = &batch->items[i];

		result = relay->way->use(batch->paths.data + item->at,
			item->gone ? NULL : &item->new,
			i < batch->looked ? item->look : NULL, relay->way->payload,
			&relay->failed);
	}
	batch->count = 0;
	batch->looked = 0;
	buf_clear(&batch->paths);
	return result;
}

static void *
use_each(void *payload)
{
	struct relay *relay = payload;

	(void)pthread_mutex_lock(&relay->lock);
	for (;;) {
		struct batch *batch = relay->handed;

		if (batch != NULL) {
			(void)pthread_mutex_unlock(&relay->lock);
			(void)!use(relay, batch);
			(void)pthread_mutex_lock(&relay->lock);
			relay->handed = NULL;
			(void)pthread_cond_signal(&relay->turn);
		} else if (relay->leaving) {
			break;
		} else {
			(void)pthread_cond_wait(&relay->turn, &relay->lock);
		}
	}
	(void)pthread_mutex_unlock(&relay->lock);
	return NULL;
}

static int
told(struct relay *relay)
{
	*relay->err = relay->failed;
	return relay->err->code;
}

// Some of the files of the batch; false: there is none left.
static bool
look_at_some(struct relay *relay)
{
	struct batch *batch = relay->filling;
	size_t end = MIN_OF(batch->looked + LOOK_LEN, batch->count);

	if (relay->way->look == NULL || batch->looked == end) {
		return false;
	}
	for (; batch->looked < end; batch->looked++) {
		struct item *item = &batch->items[batch->looked];

		if (!item->gone) {
			relay->way->look(batch->paths.data + item->at, item->new.mode,
				item->look, relay->way->payload);
		}
	}
	return true;
}

// With the lock held, until the batch before was used.
static void
wait_for_turn(struct relay *relay)
{
	while (relay->handed != NULL) {
		bool looks;

		(void)pthread_mutex_unlock(&relay->lock);
		looks = look_at_some(relay);
		(void)pthread_mutex_lock(&relay->lock);
		if (!looks && relay->handed != NULL) {
			(void)pthread_cond_wait(&relay->turn, &relay->lock);
		}
	}
}

// The full batch goes over, as soon as the one before was used.
static int
hand_over(struct relay *relay)
{
	bool failed;

	if (!relay->has_thread) {
		relay->has_thread =
			pthread_create(&relay->thread, NULL, use_each, relay) == 0;
	}
	if (!relay->has_thread) {
		return use(relay, relay->filling) < 0 ? told(relay) : 0;
	}
	(void)pthread_mutex_lock(&relay->lock);
	wait_for_turn(relay);
	failed = relay->failed.code < 0;
	if (!failed) {
		relay->handed = relay->filling;
		(void)pthread_cond_signal(&relay->turn);
	}
	(void)pthread_mutex_unlock(&relay->lock);
	if (failed) {
		return told(relay);
	}
	relay->filling = &relay->batches[relay->filling == &relay->batches[0]];
	return 0;
}

static int
take(const char *path, const struct tree_entry *old, const struct tree_entry *new,
	void *payload)
{
	struct relay *relay = payload;
	struct batch *batch = relay->filling;
	struct item *item = &batch->items[batch->count];

	(void)old;
	*item = (struct item){ .at = batch->paths.len, .gone = new == NULL };
	if (new != NULL) {
		item->new.mode = new->mode;
		item->new.oid = new->oid;
	}
	if (buf_add(&batch->paths, path, strlen(path) + 1, relay->err) < 0) {
		return relay->err->code;
	}
	return ++batch->count == BATCH_LEN ? hand_over(relay) : 0;
}

// What is still on its way is used; then the thread is gone.
static int
end(struct relay *relay, int result)
{
	if (relay->has_thread) {
		(void)pthread_mutex_lock(&relay->lock);
		relay->leaving = true;
		(void)pthread_cond_signal(&relay->turn);
		(void)pthread_mutex_unlock(&relay->lock);
		(void)pthread_join(relay->thread, NULL);
	}
	if (result == 0 && (relay->failed.code < 0 || use(relay, relay->filling) < 0)) {
		return told(relay);
	}
	return result;
}

int
index_relay(struct repo *repo, const struct oid *old_tree, const struct oid *tree,
	const struct index_relay *way, struct err *err)
{
	AUTO_FREE struct relay *relay = xcalloc(1, sizeof(*relay));
	int result;

	relay->way = way;
	relay->err = err;
	relay->filling = &relay->batches[0];
	for (size_t i = 0; i < countof(relay->batches); i++) {
		relay->batches[i].paths.max = BATCH_TEXT_MAX;
	}
	(void)pthread_mutex_init(&relay->lock, NULL);
	(void)pthread_cond_init(&relay->turn, NULL);
	result = end(relay, tree_diff(repo, old_tree, tree, take, relay, err));
	for (size_t i = 0; i < countof(relay->batches); i++) {
		buf_done(&relay->batches[i].paths);
	}
	(void)pthread_cond_destroy(&relay->turn);
	(void)pthread_mutex_destroy(&relay->lock);
	return result;
}
