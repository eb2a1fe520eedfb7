// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/inbox.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct inbox {
	pthread_mutex_t mutex;
	pthread_cond_t news;
	struct inbox_mail mail;
	size_t capacity;
	bool awake;
	bool stopping;
	int fd;
};

struct inbox *
inbox_new(void)
{
	struct inbox *inbox = xcalloc(1, sizeof(*inbox));
	pthread_condattr_t attributes;

	(void)pthread_mutex_init(&inbox->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&inbox->news, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return inbox;
}

void
inbox_mail_done(struct inbox_mail *mail)
{
	for (size_t i = 0; i < mail->nhints; i++) {
		free((void *)(uintptr_t)mail->hints[i].folder);
	}
	free(mail->hints);
	memset(mail, 0, sizeof(*mail));
}

void
inbox_free(struct inbox *inbox)
{
	if (inbox != NULL) {
		inbox_mail_done(&inbox->mail);
		(void)pthread_cond_destroy(&inbox->news);
		(void)pthread_mutex_destroy(&inbox->mutex);
		base_close_p(&inbox->fd);
		free(inbox);
	}
}

static bool
is_there(struct inbox *inbox, size_t root, const char *folder, bool deep)
{
	for (size_t i = inbox->mail.nhints; i-- > 0;) {
		struct cycle_hint *hint = &inbox->mail.hints[i];

		if (hint->root == root && strcmp(hint->folder, folder) == 0) {
			hint->deep = hint->deep || deep;
			return true;
		}
	}
	return false;
}

void
inbox_put(struct inbox *inbox, size_t root, const char *folder, bool deep)
{
	struct inbox_mail *mail = &inbox->mail;

	(void)pthread_mutex_lock(&inbox->mutex);
	if (mail->nhints >= INBOX_HINTS_MAX) {
		mail->everywhere = true;
	}
	if (!mail->everywhere && !is_there(inbox, root, folder, deep)) {
		mail->hints = xgrow(mail->hints, mail->nhints, &inbox->capacity,
			sizeof(mail->hints[0]));
		mail->hints[mail->nhints++] = (struct cycle_hint){
			.root = root,
			.folder = xstrdup(folder),
			.deep = deep,
		};
	}
	(void)pthread_mutex_unlock(&inbox->mutex);
}

void
inbox_put_everywhere(struct inbox *inbox)
{
	(void)pthread_mutex_lock(&inbox->mutex);
	inbox->mail.everywhere = true;
	(void)pthread_mutex_unlock(&inbox->mutex);
}

void
inbox_take(struct inbox *inbox, struct inbox_mail *ret_mail)
{
	(void)pthread_mutex_lock(&inbox->mutex);
	*ret_mail = inbox->mail;
	memset(&inbox->mail, 0, sizeof(inbox->mail));
	inbox->capacity = 0;
	(void)pthread_mutex_unlock(&inbox->mutex);
}

bool
inbox_is_empty(struct inbox *inbox)
{
	bool empty;

	(void)pthread_mutex_lock(&inbox->mutex);
	empty = inbox->mail.nhints == 0 && !inbox->mail.everywhere;
	(void)pthread_mutex_unlock(&inbox->mutex);
	return empty;
}

void
inbox_wake(struct inbox *inbox)
{
	(void)pthread_mutex_lock(&inbox->mutex);
	inbox->awake = true;
	(void)pthread_cond_broadcast(&inbox->news);
	(void)pthread_mutex_unlock(&inbox->mutex);
	(void)!eventfd_write(inbox->fd, 1);
}

int
inbox_fd(const struct inbox *inbox)
{
	return inbox->fd;
}

bool
inbox_wait(struct inbox *inbox, int64_t wait_ms)
{
	int64_t end_ms = clock_mono_ms() + wait_ms;
	eventfd_t ignored;
	struct timespec end = {
		.tv_sec = (time_t)(end_ms / 1000),
		.tv_nsec = (long)(end_ms % 1000) * 1000000,
	};
	int got = 0;
	bool woken;

	(void)pthread_mutex_lock(&inbox->mutex);
	while (!inbox->awake && !inbox->stopping && got == 0) {
		got = wait_ms < 0
			? pthread_cond_wait(&inbox->news, &inbox->mutex)
			: pthread_cond_timedwait(&inbox->news, &inbox->mutex, &end);
	}
	woken = inbox->awake || inbox->stopping;
	inbox->awake = false;
	(void)!eventfd_read(inbox->fd, &ignored);
	(void)pthread_mutex_unlock(&inbox->mutex);
	return woken;
}

void
inbox_stop(struct inbox *inbox)
{
	(void)pthread_mutex_lock(&inbox->mutex);
	inbox->stopping = true;
	(void)pthread_cond_broadcast(&inbox->news);
	(void)pthread_mutex_unlock(&inbox->mutex);
	(void)!eventfd_write(inbox->fd, 1);
}

bool
inbox_is_stopping(struct inbox *inbox)
{
	bool stopping;

	(void)pthread_mutex_lock(&inbox->mutex);
	stopping = inbox->stopping;
	(void)pthread_mutex_unlock(&inbox->mutex);
	return stopping;
}
