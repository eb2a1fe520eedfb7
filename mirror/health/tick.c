// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * One line of fixed length, so that each beat overwrites the one before it with a single
 * pwrite(): readers see the old line or the new one.
 *
 *     boot=0f0a... mono=812345 wall=1790000000000 pid=4711 task=watching      ...\n
 */

#include "health/tick.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_NAME "tick"

enum {
	LINE_LEN = 256,
	STAT_MAX = 512,
};

struct tick {
	int fd;
	char boot[TICK_BOOT_MAX];
	int64_t last_mono_ms;
	char last_task[TICK_TASK_MAX];
};

void
tick_boot_id(char boot[TICK_BOOT_MAX])
{
	struct err ignored;
	AUTO_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = -1;

	boot[0] = '\0';
	if (fd >= 0) {
		len = fd_read_full(fd, boot, TICK_BOOT_MAX - 1, &ignored);
	}
	if (len > 0) {
		boot[len] = '\0';
		boot[strcspn(boot, " \n")] = '\0';
	}
}

int
tick_open(const char *state_dir, struct tick **ret_tick, struct err *err)
{
	AUTO_FREE char *path = path_join(state_dir, TICK_NAME);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		return err_errno(err, "open %s", path);
	}

	struct tick *tick = xcalloc(1, sizeof(*tick));

	tick->fd = fd;
	tick_boot_id(tick->boot);
	*ret_tick = tick;
	return 0;
}

void
tick_close(struct tick *tick)
{
	if (tick != NULL) {
		(void)close(tick->fd);
		free(tick);
	}
}

void
tick_closep(struct tick **tick)
{
	tick_close(*tick);
	*tick = NULL;
}

void
tick_beat(struct tick *tick, const char *task)
{
	int64_t mono_ms = clock_mono_ms();
	char line[LINE_LEN + 1];

	if (tick->last_mono_ms != 0 && mono_ms - tick->last_mono_ms < TICK_LEAST_MS &&
		strncmp(task, tick->last_task, TICK_TASK_MAX - 1) == 0) {
		return;
	}

	int len = snprintf(line, sizeof(line),
		"boot=%s mono=%lld wall=%lld pid=%d task=%.*s", tick->boot,
		(long long)mono_ms, (long long)clock_now_ms(), (int)getpid(),
		TICK_TASK_MAX - 1, task);

	memset(line + len, ' ', (size_t)(LINE_LEN - len));
	line[LINE_LEN - 1] = '\n';
	// The reader takes a beat that did not get through for a late one.
	if (pwrite(tick->fd, line, LINE_LEN, 0) == LINE_LEN) {
		tick->last_mono_ms = mono_ms;
		(void)snprintf(tick->last_task, sizeof(tick->last_task), "%s", task);
	}
}

// The text behind "<key>=", up to a space; false when the key is not there.
static bool
field(const char *line, const char *key, char *ret_text, size_t size)
{
	const char *at = strstr(line, key);
	size_t len;

	if (at == NULL) {
		return false;
	}
	at += strlen(key);
	len = MIN_OF(strcspn(at, " \n"), size - 1);
	memcpy(ret_text, at, len);
	ret_text[len] = '\0';
	return true;
}

static bool
number(const char *line, const char *key, int64_t *ret_value)
{
	char text[32];
	char *end;

	if (!field(line, key, text, sizeof(text)) || text[0] == '\0') {
		return false;
	}
	errno = 0;
	*ret_value = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0;
}

int
tick_read(const char *state_dir, struct tick_mark *ret_mark, struct err *err)
{
	AUTO_FREE char *path = path_join(state_dir, TICK_NAME);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct tick_mark mark = { 0 };
	char line[LINE_LEN + 1];
	int64_t pid;

	if (fd < 0) {
		return errno == ENOENT ? 0 : err_errno(err, "open %s", path);
	}

	ssize_t len = fd_read_full(fd, line, LINE_LEN, err);

	if (len < 0) {
		return err_wrap(err, "read %s", path);
	}
	// Made a moment ago and not beaten yet.
	if (len == 0) {
		return 0;
	}
	line[len] = '\0';
	if (!field(line, "boot=", mark.boot, sizeof(mark.boot)) ||
		!field(line, "task=", mark.task, sizeof(mark.task)) ||
		!number(line, "mono=", &mark.mono_ms) ||
		!number(line, "wall=", &mark.wall_ms) || !number(line, "pid=", &pid) ||
		pid <= 0 || pid > INT32_MAX) {
		return err_raise(err, ERR_CORRUPT, "%s is not a pulse", path);
	}
	mark.pid = (int)pid;
	*ret_mark = mark;
	return 1;
}

int64_t
tick_blocked_since_ms(const struct tick_mark *mark)
{
	return strncmp(mark->task, TICK_BLOCKED, strlen(TICK_BLOCKED)) == 0
		? strtoll(mark->task + strlen(TICK_BLOCKED), NULL, 10)
		: 0;
}

int64_t
tick_age_ms(
	const struct tick_mark *mark, const char *boot, int64_t mono_ms, int64_t now_ms)
{
	if (boot[0] != '\0' && strcmp(mark->boot, boot) == 0 &&
		mono_ms >= mark->mono_ms) {
		return mono_ms - mark->mono_ms;
	}
	return now_ms - mark->wall_ms;
}
