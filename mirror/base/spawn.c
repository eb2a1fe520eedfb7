// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/spawn.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SPAWN_TICK_MS = 250,
	SPAWN_CHUNK = 16 * 1024
};

// One end of our side of the child's three streams.
struct stream {
	int fd;
	struct buf *keep;
	// Bytes of a line not yet ended, for on_line.
	char line[4096];
	size_t line_len;
	bool is_stderr;
};

struct child {
	const struct spawn *plan;
	pid_t pid;
	int in_fd;
	size_t in_done;
	struct stream streams[2];
	int64_t end_ms;
	bool cancelled;
	bool timed_out;
	bool overflowed;
	// Nobody will ever tell how it ended.
	bool lost;
};

static char **
environment(const char *const *changes)
{
	size_t count = 0;
	size_t nchanges = 0;
	size_t out = 0;
	char **env;

	while (environ[count] != NULL) {
		count++;
	}
	while (changes != NULL && changes[nchanges] != NULL) {
		nchanges++;
	}
	env = xcalloc(count + nchanges + 1, sizeof(*env));
	for (size_t i = 0; i < count; i++) {
		bool replaced = false;

		for (size_t j = 0; j < nchanges && !replaced; j++) {
			size_t len = (size_t)(strchrnul(changes[j], '=') - changes[j]);

			replaced = strncmp(environ[i], changes[j], len) == 0 &&
				environ[i][len] == '=';
		}
		if (!replaced) {
			env[out++] = environ[i];
		}
	}
	for (size_t j = 0; j < nchanges; j++) {
		if (strchr(changes[j], '=') != NULL) {
			env[out++] = (char *)(uintptr_t)changes[j];
		}
	}
	return env;
}

// Between fork and exec: only calls that are safe there.
NORETURN static void
become(const struct spawn *plan, char **env, const char *program, int in, int out,
	int errors, int report)
{
	sigset_t none;
	int reason;

	(void)setpgid(0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < 32; number++) {
		(void)signal(number, SIG_DFL);
	}
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		dup2(errors, STDERR_FILENO) < 0) {
		goto failed;
	}
	(void)close_range(3, (unsigned int)report - 1, 0);
	(void)close_range((unsigned int)report + 1, ~0U, 0);
	if (plan->dies_with_us) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	if (plan->gentle) {
		(void)setpriority(PRIO_PROCESS, 0, 10);
		// IOPRIO_WHO_PROCESS, IOPRIO_CLASS_IDLE
		(void)syscall(SYS_ioprio_set, 1, 0, 3 << 13);
	}
	if (plan->dir != NULL && chdir(plan->dir) < 0) {
		goto failed;
	}
	execve(program, (char *const *)(uintptr_t)plan->argv, env);
failed:
	reason = errno;
	(void)!write(report, &reason, sizeof(reason));
	_exit(127);
}

// argv[0] in PATH, looked up before the fork; the PATH is the child's.
static char *
find_program(const char *name, char **env)
{
	const char *path = "/usr/local/bin:/usr/bin:/bin";

	if (strchr(name, '/') != NULL) {
		return xstrdup(name);
	}
	for (char **at = env; *at != NULL; at++) {
		if (strncmp(*at, "PATH=", 5) == 0) {
			path = *at + 5;
		}
	}
	while (*path != '\0') {
		size_t len = (size_t)(strchrnul(path, ':') - path);
		char *full = xasprintf("%.*s/%s", (int)len, path, name);

		if (len > 0 && access(full, X_OK) == 0) {
			return full;
		}
		free(full);
		path += len + (path[len] == ':');
	}
	return NULL;
}

// Were our own standard streams closed, a new descriptor could be 0, 1 or 2, and the
// child's dup2() would overwrite it.
static int
lift(int *fd, struct err *err)
{
	int lifted;

	if (*fd > STDERR_FILENO) {
		return 0;
	}
	lifted = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (lifted < 0) {
		return err_errno(err, "dup");
	}
	(void)close(*fd);
	*fd = lifted;
	return 0;
}

static int
make_pipe(int ends[2], struct err *err)
{
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return err_errno(err, "pipe");
	}
	return lift(&ends[0], err) < 0 || lift(&ends[1], err) < 0 ? (int)err->code : 0;
}

static int
open_nothing(int *ret_fd, struct err *err)
{
	*ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0) {
		return err_errno(err, "open /dev/null");
	}
	return lift(ret_fd, err);
}

// Why the child could not exec, or 0: the pipe closes at exec.
static int
read_report(int fd)
{
	int reason = 0;
	ssize_t len;

	do {
		len = read(fd, &reason, sizeof(reason));
	} while (len < 0 && errno == EINTR);
	return len == (ssize_t)sizeof(reason) ? reason : 0;
}

static int
start(const struct spawn *plan, struct child *child, struct err *err)
{
	AUTO_FREE char **env = environment(plan->env);
	AUTO_FREE char *program = find_program(plan->argv[0], env);
	int in[2] = { -1, -1 };
	int out[2] = { -1, -1 };
	int errors[2] = { -1, -1 };
	int report[2] = { -1, -1 };
	int reason;
	int result = 0;

	if (program == NULL) {
		return err_raise(
			err, ERR_NOT_FOUND, "no program %s in PATH", plan->argv[0]);
	}
	if (make_pipe(out, err) < 0 || make_pipe(errors, err) < 0 ||
		make_pipe(report, err) < 0) {
		result = err->code;
		goto done;
	}
	if (plan->input != NULL) {
		result = make_pipe(in, err);
	} else if (plan->input_fd <= 0) {
		result = open_nothing(&in[0], err);
	}
	if (result < 0) {
		goto done;
	}
	child->pid = fork();
	if (child->pid < 0) {
		result = err_errno(err, "fork");
		goto done;
	}
	if (child->pid == 0) {
		become(plan, env, program, in[0] >= 0 ? in[0] : plan->input_fd,
			plan->output_fd > 0 ? plan->output_fd : out[1], errors[1],
			report[1]);
	}
	(void)setpgid(child->pid, child->pid);
	(void)close(STEAL_FD(report[1]));
	reason = read_report(report[0]);
	if (reason != 0) {
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
		}
		child->pid = -1;
		errno = reason;
		result = err_errno(err, "run %s", plan->argv[0]);
		goto done;
	}
	child->in_fd = STEAL_FD(in[1]);
	child->streams[0].fd = STEAL_FD(out[0]);
	child->streams[1].fd = STEAL_FD(errors[0]);
	if (child->in_fd >= 0) {
		(void)fcntl(child->in_fd, F_SETFL, O_NONBLOCK);
	}
done:
	base_close_p(&in[0]);
	base_close_p(&in[1]);
	base_close_p(&out[0]);
	base_close_p(&out[1]);
	base_close_p(&errors[0]);
	base_close_p(&errors[1]);
	base_close_p(&report[0]);
	base_close_p(&report[1]);
	return result;
}

// write() to a child that stopped reading: EPIPE, and no signal for us.
static ssize_t
write_quietly(int fd, const void *data, size_t len)
{
	const struct timespec now = { .tv_sec = 0 };
	sigset_t pipe_only;
	sigset_t before;
	sigset_t pending;
	ssize_t done;
	int keep;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)sigpending(&pending);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	done = write(fd, data, len);
	keep = errno;
	if (done < 0 && keep == EPIPE && sigismember(&pending, SIGPIPE) == 0) {
		(void)sigtimedwait(&pipe_only, NULL, &now);
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = keep;
	return done;
}

static void
feed(struct child *child)
{
	const char *input = child->plan->input;
	ssize_t done = write_quietly(child->in_fd, input + child->in_done,
		child->plan->input_len - child->in_done);

	if (done > 0) {
		child->in_done += (size_t)done;
	}
	if ((done < 0 && errno != EAGAIN && errno != EINTR) ||
		child->in_done == child->plan->input_len) {
		base_close_p(&child->in_fd);
	}
}

static void
give_lines(struct child *child, struct stream *stream, const char *data, size_t len)
{
	if (child->plan->on_line == NULL) {
		return;
	}
	for (size_t i = 0; i < len && !child->cancelled; i++) {
		// Progress meters end their lines with a carriage return.
		if (data[i] != '\n' && data[i] != '\r') {
			if (stream->line_len < sizeof(stream->line)) {
				stream->line[stream->line_len++] = data[i];
			}
			continue;
		}
		if (child->plan->on_line(stream->line, stream->line_len,
			    stream->is_stderr, child->plan->payload) != 0) {
			child->cancelled = true;
		}
		stream->line_len = 0;
	}
}

static void
drain(struct child *child, struct stream *stream)
{
	char chunk[SPAWN_CHUNK];
	struct err ignored;
	ssize_t len = read(stream->fd, chunk, sizeof(chunk));

	if (len < 0 && (errno == EINTR || errno == EAGAIN)) {
		return;
	}
	if (len <= 0) {
		base_close_p(&stream->fd);
		return;
	}
	give_lines(child, stream, chunk, (size_t)len);
	if (stream->is_stderr && stream->keep->len + (size_t)len > SPAWN_ERRORS_MAX) {
		size_t drop = MIN_OF(stream->keep->len, (size_t)len);

		memmove(stream->keep->data, stream->keep->data + drop,
			stream->keep->len - drop);
		stream->keep->len -= drop;
	}
	if (buf_add(stream->keep, chunk, (size_t)len, &ignored) < 0) {
		child->overflowed = true;
	}
}

static bool
is_open(const struct child *child)
{
	return child->streams[0].fd >= 0 || child->streams[1].fd >= 0 ||
		child->in_fd >= 0;
}

// Has it left?  It stays a zombie, so that its number and its group's are not given to
// somebody else before we are done with them.
static bool
has_left(struct child *child)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
		child->lost = errno != EINTR;
		return child->lost;
	}
	return info.si_pid == child->pid;
}

// One round, at most @ms or until @also is ready.  False: it says nothing more.
static bool
hear(struct child *child, struct pollfd *also, int64_t ms)
{
	struct pollfd fds[5] = {
		{ .fd = child->streams[0].fd, .events = POLLIN },
		{ .fd = child->streams[1].fd, .events = POLLIN },
		{ .fd = child->in_fd, .events = POLLOUT },
		also != NULL ? *also : (struct pollfd){ .fd = -1 },
		{ .fd = -1, .events = POLLIN },
	};
	int64_t left = child->end_ms - clock_mono_ms();

	if (left <= 0) {
		child->timed_out = true;
		return false;
	}
	// Asked before the poll: what it wrote before it left is in the pipes by now.  A
	// pipe can stay open for ever in the hands of something it started, like a shared
	// ssh connection.
	bool last = has_left(child);
	if (!last && child->plan->wake_fd > 0 && child->plan->on_line != NULL) {
		fds[4].fd = child->plan->wake_fd;
	}
	int ready = poll(fds, countof(fds), last ? 0 : (int)MIN_OF(left, ms));
	if (last && ready == 0) {
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		if (fds[i].fd >= 0 && fds[i].revents != 0) {
			drain(child, &child->streams[i]);
		}
	}
	if (fds[2].fd >= 0 && fds[2].revents != 0) {
		feed(child);
	}
	if (also != NULL) {
		also->revents = ready > 0 ? fds[3].revents : 0;
	}
	if (child->plan->on_line != NULL &&
		child->plan->on_line(NULL, 0, false, child->plan->payload) != 0) {
		child->cancelled = true;
	}
	return true;
}

static void
talk(struct child *child)
{
	while (is_open(child) && !child->cancelled && !child->overflowed &&
		hear(child, NULL, SPAWN_TICK_MS)) {
	}
}

// Wait at most @ms for the child to leave.
static bool
leaves_within(struct child *child, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;
	struct timespec pause = { .tv_nsec = 1000000 };

	while (!has_left(child)) {
		if (clock_mono_ms() >= end) {
			return false;
		}
		(void)nanosleep(&pause, NULL);
		pause.tv_nsec = MIN_OF(pause.tv_nsec * 2, 50000000L);
	}
	return true;
}

static int
finish(struct child *child)
{
	int64_t left = MAX_OF(child->end_ms - clock_mono_ms(), (int64_t)0);
	bool stop = child->cancelled || child->overflowed || child->timed_out;
	int wait_status = 0;

	if (!stop && !leaves_within(child, left)) {
		child->timed_out = true;
		stop = true;
	}
	if (stop) {
		(void)kill(-child->pid, SIGTERM);
		(void)leaves_within(child, SPAWN_GRACE_MS);
		// Whatever it started and left behind in its group goes with it.
		(void)kill(-child->pid, SIGKILL);
		(void)kill(child->pid, SIGKILL);
		// Stuck in the kernel, on a dead network disk: even this wait has a
		// limit.
		if (!leaves_within(child, SPAWN_GRACE_MS)) {
			return 128 + SIGKILL;
		}
	}
	while (waitpid(child->pid, &wait_status, 0) < 0) {
		if (errno != EINTR) {
			child->lost = true;
			break;
		}
	}
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
					: WEXITSTATUS(wait_status);
}

static struct child
new_child(const struct spawn *plan, struct spawn_result *result)
{
	return (struct child){
		.plan = plan,
		.pid = -1,
		.in_fd = -1,
		.streams = { { .fd = -1, .keep = &result->out },
			{ .fd = -1, .keep = &result->errors, .is_stderr = true } },
		.end_ms = clock_mono_ms() + plan->deadline_ms,
	};
}

static void
end_child(struct child *child, struct spawn_result *result)
{
	base_close_p(&child->in_fd);
	result->status = finish(child);
	base_close_p(&child->streams[0].fd);
	base_close_p(&child->streams[1].fd);
	result->timed_out = child->timed_out;
	result->cancelled = child->cancelled;
}

int
spawn_run(const struct spawn *plan, struct spawn_result *result, struct err *err)
{
	struct child child = new_child(plan, result);
	char limit[CLOCK_TEXT_MAX];

	assert(plan->deadline_ms > 0);
	if (start(plan, &child, err) < 0) {
		return err->code;
	}
	talk(&child);
	end_child(&child, result);
	if (child.timed_out) {
		clock_format_duration(plan->deadline_ms, limit);
		return err_raise(err, ERR_TIMEOUT, "%s did not finish within %s",
			plan->argv[0], limit);
	}
	if (child.cancelled) {
		return err_raise(err, ERR_CANCELLED, "%s was cancelled", plan->argv[0]);
	}
	if (child.overflowed) {
		return err_raise(err, ERR_TOO_BIG, "%s said more than %zu bytes",
			plan->argv[0], result->out.max);
	}
	if (child.lost) {
		err_raise(err, ERR_IO, "how %s ended is lost", plan->argv[0]);
		return err_advise(err, "start mirror with SIGCHLD not ignored");
	}
	return 0;
}

// ---- beside us

struct spawn_beside {
	struct spawn plan;
	struct spawn_result *result;
	struct child child;
};

int
spawn_begin(const struct spawn *plan, struct spawn_result *result,
	struct spawn_beside **ret_beside, struct err *err)
{
	struct spawn_beside *beside = xcalloc(1, sizeof(*beside));

	assert(plan->deadline_ms > 0);
	beside->plan = *plan;
	beside->result = result;
	beside->child = new_child(&beside->plan, result);
	if (start(&beside->plan, &beside->child, err) < 0) {
		free(beside);
		return err->code;
	}
	*ret_beside = beside;
	return 0;
}

int
spawn_hear(struct spawn_beside *beside, int fd, short events, int64_t ms)
{
	struct pollfd also = { .fd = fd, .events = events };
	struct child *child = &beside->child;

	if (!is_open(child) || child->cancelled || child->overflowed ||
		!hear(child, &also, ms)) {
		return -1;
	}
	return child->cancelled ? -1 : also.revents != 0;
}

void
spawn_end(struct spawn_beside *beside)
{
	if (beside == NULL) {
		return;
	}
	// Whatever it is at: it is told to go.
	beside->child.cancelled = true;
	end_child(&beside->child, beside->result);
	free(beside);
}

void
spawn_result_done(struct spawn_result *result)
{
	buf_done(&result->out);
	buf_done(&result->errors);
}
