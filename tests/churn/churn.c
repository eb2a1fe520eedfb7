// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * churn - whatever happens to the disk and to the agent, HEAD ends up as the disk is.
 *
 *     churn PROGRAM [SECONDS [SEED]]
 *
 * Random operations on a tree and on the agent, against a shadow; now and then quiet, and
 * then everything is compared.  The seed is printed first; what the dice say follows from
 * it, when the agent comes to see it does not.  0: all the same.  1: a difference, told;
 * the folder stays.  3: the disk refused something.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "churn/shadow.h"
#include "churn/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ONCES_MAX = 4,
	ANSWER_MAX = 1024 * 1024,
	DEADLINE_MS = 120000,
	/** How long the agent may take alone, by its events and no sweep. */
	ALONE_MS = 20000,
	OPERATIONS_MIN = 60,
	OPERATIONS_MORE = 300,
	/** By then an agent has read its configuration. */
	READ_MS = 2000,
	/** What a root may lose before it is held. */
	SHRINK_FILES = 10,
};

struct churn {
	const char *program;
	uint64_t seed;
	struct dice dice;
	char folder[128];
	char *config;
	char *brain;
	struct shadow *shadow;
	pid_t agent;
	pid_t onces[ONCES_MAX];
	int64_t agent_since_ms;
	bool stopped;
	bool broken_config;
	unsigned long operations;
	unsigned long kills;
	unsigned long stops;
	unsigned long quiets;
	unsigned long alone;
	unsigned long held;
	unsigned long jumps;
};

__attribute__((format(printf, 2, 3))) NORETURN static void
lost(struct churn *churn, const char *fmt, ...)
{
	va_list args;

	(void)fprintf(stderr, "churn: seed %llu, operation %lu, quiet %lu: ",
		(unsigned long long)churn->seed, churn->operations, churn->quiets);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fprintf(stderr, "\nchurn: the last operation: %s; everything: %s\n",
		churn->shadow != NULL ? churn->shadow->last : "", churn->folder);
	if (churn->agent > 0) {
		(void)kill(churn->agent, SIGCONT);
		(void)kill(churn->agent, SIGTERM);
		(void)waitpid(churn->agent, NULL, 0);
	}
	exit(1);
}

static void
nap(struct churn *churn, unsigned int most_ms)
{
	long ms = (long)dice_below(&churn->dice, most_ms + 1);
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
}

// ---- the program

static void
write_config(struct churn *churn, const char *extra)
{
	static const unsigned int settles[] = { 10, 30, 100, 300 };
	AUTO_FREE char *text =
		xasprintf("[[watch]]\npath = \"%s/notes\"\n"
			  "[[watch]]\npath = \"%s/work\"\n"
			  "[brain]\nremote = \"none\"\nbranch = \"host/churn\"\n"
			  "repo = \"%s\"\nsettle = \"%ums\"\n"
			  "max_wait = \"1s\"\nsweep = \"15m\"\n%s",
			churn->folder, churn->folder, churn->brain,
			settles[dice_below(&churn->dice, countof(settles))], extra);
	struct err err;

	if (file_replace_at(churn->config, text, strlen(text), 0644, &err) < 0) {
		lost(churn, "%s", err.msg);
	}
}

static pid_t
begin_program(struct churn *churn, const char *word, const char *log)
{
	AUTO_FREE char *path = path_join(churn->folder, log);
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		execl(churn->program, churn->program, word, (char *)NULL);
		_exit(127);
	}
	if (pid < 0) {
		lost(churn, "fork: %s", strerror(errno));
	}
	return pid;
}

static void
start_agent(struct churn *churn)
{
	churn->agent = begin_program(churn, "run", "agent.log");
	churn->agent_since_ms = clock_mono_ms();
	churn->stopped = false;
}

// It is there until we end it.
static void
expect_agent(struct churn *churn)
{
	int status;

	if (churn->agent > 0 && waitpid(churn->agent, &status, WNOHANG) == churn->agent) {
		churn->agent = 0;
		lost(churn, "the agent ended by itself, status 0x%x", status);
	}
}

static void
go_on(struct churn *churn)
{
	if (churn->stopped) {
		(void)kill(churn->agent, SIGCONT);
		churn->stopped = false;
	}
}

static void
end_agent(struct churn *churn, int sig)
{
	int status = 0;

	expect_agent(churn);
	if (churn->agent <= 0) {
		return;
	}
	go_on(churn);
	(void)kill(churn->agent, sig);
	(void)waitpid(churn->agent, &status, 0);
	churn->agent = 0;
	// Before it has set up its signals it may be ended by the first one.
	if (sig == SIGTERM && status != 0 && status != SIGTERM) {
		lost(churn, "a stopped agent leaves with 0x%x", status);
	}
}

// Exit status 0 or 1; anything else is told.  The answer is parsed when asked for.
static int
run_program(struct churn *churn, const char *const *words, struct json **ret_answer)
{
	const char *argv[8] = { churn->program };
	struct spawn plan = { .argv = argv, .deadline_ms = DEADLINE_MS };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(ANSWER_MAX);
	struct err err;

	for (size_t i = 0; words[i] != NULL && i + 2 < countof(argv); i++) {
		argv[i + 1] = words[i];
	}
	if (spawn_run(&plan, &result, &err) < 0) {
		lost(churn, "%s: %s", words[0], err.msg);
	}
	// 65: nothing is held that could be accepted.
	if (result.status > 1 &&
		!(result.status == 65 && strcmp(words[0], "accept") == 0)) {
		lost(churn, "%s: exit status %d: %s%s", words[0], result.status,
			buf_text(&result.out), buf_text(&result.errors));
	}
	if (ret_answer != NULL &&
		json_parse(buf_text(&result.out), result.out.len, ret_answer, &err) < 0) {
		lost(churn, "%s: %s", words[0], err.msg);
	}
	return result.status;
}

static void
accept_shrink(struct churn *churn)
{
	static const char *const words[] = { "accept", "shrink", "--no-input", NULL };

	(void)run_program(churn, words, NULL);
}

static int
run_once(struct churn *churn, struct json **ret_answer)
{
	static const char *const words[] = { "--once", "--json", NULL };

	return run_program(churn, words, ret_answer);
}

// ---- `--once` beside the agent

static void
reap_onces(struct churn *churn, bool wait)
{
	for (size_t i = 0; i < ONCES_MAX; i++) {
		int status;

		if (churn->onces[i] <= 0 ||
			waitpid(churn->onces[i], &status, wait ? 0 : WNOHANG) !=
				churn->onces[i]) {
			continue;
		}
		churn->onces[i] = 0;
		if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) &&
			!(WIFEXITED(status) && WEXITSTATUS(status) <= 1)) {
			lost(churn, "--once ended with 0x%x, see once.log", status);
		}
	}
}

static void
once_beside(struct churn *churn)
{
	for (size_t i = 0; i < ONCES_MAX; i++) {
		if (churn->onces[i] <= 0) {
			churn->onces[i] = begin_program(churn, "--once", "once.log");
			return;
		}
	}
}

static void
kill_a_once(struct churn *churn)
{
	size_t i = dice_below(&churn->dice, ONCES_MAX);

	if (churn->onces[i] > 0) {
		(void)kill(churn->onces[i], SIGKILL);
	}
}

// ---- operations on the agent

// The wall clock of everything started from here on, and of what runs: hours and a year,
// forwards, back, and right again.
static void
jump_clock(struct churn *churn)
{
	static const char *const seconds[] = { "0", "3600", "-3600", "86400", "-86400",
		"31536000", "-31536000" };
	const char *text = seconds[dice_below(&churn->dice, countof(seconds))];
	AUTO_FREE char *path = path_join(churn->folder, "clock");
	struct err err;

	if (file_replace_at(path, text, strlen(text), 0644, &err) < 0) {
		lost(churn, "%s", err.msg);
	}
	churn->jumps++;
}

static void
stop_and_go(struct churn *churn)
{
	if (churn->agent > 0 && !churn->stopped) {
		(void)kill(churn->agent, SIGSTOP);
		churn->stopped = true;
		churn->stops++;
	} else if (churn->stopped) {
		go_on(churn);
	}
}

static bool
is_alone(const struct churn *churn)
{
	for (size_t i = 0; i < ONCES_MAX; i++) {
		if (churn->onces[i] > 0) {
			return false;
		}
	}
	return true;
}

// A typo while it runs: the agent goes on with what it had.  A `--once` would not begin.
static void
edit_config(struct churn *churn)
{
	if (churn->broken_config || dice_percent(&churn->dice, 60)) {
		write_config(churn, "");
		churn->broken_config = false;
	} else if (churn->agent > 0 && is_alone(churn) &&
		clock_mono_ms() - churn->agent_since_ms > READ_MS) {
		write_config(churn, "seetle = 1\n");
		churn->broken_config = true;
	}
}

static void
steer(struct churn *churn)
{
	uint32_t lot = dice_below(&churn->dice, 100);

	expect_agent(churn);
	reap_onces(churn, false);
	if (lot < 25) {
		end_agent(churn, SIGKILL);
		churn->kills++;
	} else if (lot < 35) {
		end_agent(churn, SIGTERM);
	} else if (lot < 50) {
		stop_and_go(churn);
	} else if (lot < 65 && !churn->broken_config) {
		once_beside(churn);
	} else if (lot < 70) {
		kill_a_once(churn);
	} else if (lot < 80) {
		edit_config(churn);
	} else if (lot < 85 && !churn->stopped && !churn->broken_config) {
		static const char *const words[] = { "pause", "1s", NULL };

		(void)run_program(churn, words, NULL);
	} else if (lot < 90 && !churn->stopped) {
		shadow_burst(churn->shadow, 50 + dice_below(&churn->dice, 400));
	} else if (lot < 94 && getenv("CLOCKSHIFT") != NULL) {
		jump_clock(churn);
	}
	if (churn->agent <= 0 && !churn->broken_config &&
		dice_percent(&churn->dice, 80)) {
		start_agent(churn);
	}
}

// ---- quiet

static const struct json *
count_of(const struct json *answer)
{
	return json_get(answer, "files");
}

// `mirror --once` until nothing is pending but what is held; then it is accepted.
static struct json *
sync_all(struct churn *churn)
{
	for (unsigned int tries = 0;; tries++) {
		struct json *answer = NULL;
		int status = run_once(churn, &answer);
		int64_t pending = json_get_int(count_of(answer), "pending", -1);

		if (status == 0) {
			return answer;
		}
		if (tries > 3) {
			AUTO_FREE char *text = json_write(answer, 0);

			lost(churn, "still pending: %s", text);
		}
		if (pending > 0 && churn->shadow->nlost < SHRINK_FILES) {
			lost(churn, "%lld pending though only %zu were lost",
				(long long)pending, churn->shadow->nlost);
		}
		churn->held += pending > 0;
		json_free(answer);
		accept_shrink(churn);
	}
}

static void
compare_counts(struct churn *churn, const struct json *answer)
{
	AUTO_FREE char *notes = path_join(churn->folder, "notes");
	AUTO_FREE char *work = path_join(churn->folder, "work");
	const char *argv[] = { "find", notes, work, "-name", ".git", "-prune", "-printf",
		"x", "-o", "-name", "node_modules", "-type", "d", "-prune", "-printf",
		"x", "-o", "!", "-type", "d", "-printf", "x", NULL };
	struct spawn plan = { .argv = argv, .deadline_ms = DEADLINE_MS };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(ANSWER_MAX);
	int64_t on_disk = json_get_int(count_of(answer), "on_disk", -1);
	int64_t mirrored = json_get_int(count_of(answer), "mirrored", -1);
	int64_t excluded = json_get_int(count_of(answer), "excluded", -1);
	struct err err;

	if (spawn_run(&plan, &result, &err) < 0 || result.status != 0) {
		lost(churn, "find failed");
	}
	if (on_disk != (int64_t)result.out.len ||
		on_disk != (int64_t)shadow_count_rows(churn->shadow) ||
		on_disk != mirrored + excluded ||
		json_get_int(answer, "unaccounted", -1) != 0) {
		AUTO_FREE char *text = json_write(answer, 0);

		lost(churn, "find counts %zu, the shadow %zu: %s", result.out.len,
			shadow_count_rows(churn->shadow), text);
	}
}

static void
expect(struct churn *churn, bool good, const struct witness_story *story)
{
	if (!good) {
		lost(churn, "%s", story->text);
	}
}

// The agent sees by its events alone what happened; a sweep is far away.
static void
watch_alone(struct churn *churn)
{
	int64_t until_ms = clock_mono_ms() + ALONE_MS;
	struct witness_story story;

	while (!witness_head(churn->shadow, churn->brain, false, &story)) {
		expect_agent(churn);
		if (churn->shadow->nlost >= SHRINK_FILES) {
			accept_shrink(churn);
		}
		if (clock_mono_ms() > until_ms) {
			lost(churn, "the agent alone: %s", story.text);
		}
		nap(churn, 100);
	}
	churn->alone++;
}

// The index follows when the agent has time.
static void
status_clean(struct churn *churn)
{
	int64_t until_ms = clock_mono_ms() + ALONE_MS;
	struct witness_story story;

	while (!witness_status(churn->brain, &story)) {
		if (clock_mono_ms() > until_ms) {
			lost(churn, "%s", story.text);
		}
		nap(churn, 300);
	}
}

// While the agent puts packs together a reader of them may have to look twice.
static void
fsck_clean(struct churn *churn)
{
	struct witness_story story;

	for (unsigned int tries = 0; !witness_fsck(churn->brain, &story); tries++) {
		if (tries > 5) {
			lost(churn, "%s", story.text);
		}
		nap(churn, 1000);
	}
}

static void
quiet(struct churn *churn)
{
	static const char *const resume[] = { "resume", NULL };
	struct json *answer;
	struct witness_story story;

	expect_agent(churn);
	go_on(churn);
	if (churn->broken_config) {
		edit_config(churn);
	}
	reap_onces(churn, true);
	(void)run_program(churn, resume, NULL);
	if (churn->agent > 0 && churn->quiets > 0) {
		watch_alone(churn);
	}
	if (churn->agent > 0 && dice_percent(&churn->dice, 30)) {
		end_agent(churn, dice_percent(&churn->dice, 50) ? SIGKILL : SIGTERM);
	}
	answer = sync_all(churn);
	compare_counts(churn, answer);
	json_free(answer);
	expect(churn, witness_disk(churn->shadow, &story), &story);
	expect(churn, witness_head(churn->shadow, churn->brain, true, &story), &story);
	fsck_clean(churn);
	status_clean(churn);
	expect_agent(churn);
	churn->shadow->nlost = 0;
	churn->quiets++;
	if (churn->agent <= 0) {
		start_agent(churn);
	}
}

// ---- the shrink guard (I14)

static char *
head_now(struct churn *churn)
{
	const char *argv[] = { "git", "-C", churn->brain, "rev-parse", "HEAD:notes",
		NULL };
	struct spawn plan = { .argv = argv, .deadline_ms = DEADLINE_MS };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(ANSWER_MAX);
	struct err err;

	// An empty root is not in the tree.
	if (spawn_run(&plan, &result, &err) < 0) {
		lost(churn, "rev-parse: %s", err.msg);
	}
	return xstrdup(buf_text(&result.out));
}

// A fifth of a root goes at once: nothing leaves the commit until somebody says so.
static void
lose_much(struct churn *churn)
{
	AUTO_FREE char *before = head_now(churn);
	AUTO_FREE char *after = NULL;
	AUTO(json_freep) struct json *answer = NULL;
	int status;

	end_agent(churn, SIGTERM);
	if (!shadow_shrink(churn->shadow, 25, 2 * SHRINK_FILES)) {
		start_agent(churn);
		return;
	}
	status = run_once(churn, &answer);
	after = head_now(churn);
	if (status != 1 || json_get_int(count_of(answer), "pending", 0) < SHRINK_FILES ||
		strcmp(before, after) != 0) {
		AUTO_FREE char *text = json_write(answer, 0);

		lost(churn, "files went and nothing is held: %s, %s and %s", text, before,
			after);
	}
	start_agent(churn);
}

// ---- all

static void
prepare(struct churn *churn)
{
	static const char *const names[] = { "notes", "work" };
	static const struct {
		const char *name;
		const char *below;
	} places[] = { { "HOME", "home" }, { "XDG_STATE_HOME", "home/state" },
		{ "XDG_DATA_HOME", "home/data" }, { "XDG_CONFIG_HOME", "home/config" },
		{ "XDG_RUNTIME_DIR", "home/run" }, { "MIRROR_CONFIG", "mirror.toml" } };
	const char *top = getenv("TMPDIR");

	(void)snprintf(churn->folder, sizeof(churn->folder), "%s/mirror-churn.XXXXXX",
		top != NULL ? top : "/tmp");
	if (mkdtemp(churn->folder) == NULL) {
		lost(churn, "mkdtemp: %s", strerror(errno));
	}
	for (size_t i = 0; i < countof(places); i++) {
		AUTO_FREE char *path = path_join(churn->folder, places[i].below);

		(void)setenv(places[i].name, path, 1);
		if (i + 1 < countof(places)) {
			(void)mkdir(path, 0700);
		}
	}
	(void)unsetenv("STATE_DIRECTORY");
	(void)unsetenv("RUNTIME_DIRECTORY");
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)umask(022);
	if (getenv("CLOCKSHIFT_SO") != NULL) {
		AUTO_FREE char *clock = path_join(churn->folder, "clock");

		(void)setenv("CLOCKSHIFT", clock, 1);
		(void)setenv("LD_PRELOAD", getenv("CLOCKSHIFT_SO"), 1);
	}
	churn->config = path_join(churn->folder, "mirror.toml");
	churn->brain = path_join(churn->folder, "brain");
	churn->shadow = shadow_new(churn->folder, names, countof(names), &churn->dice);
	write_config(churn, "");
}

static void
live(struct churn *churn, int64_t until_ms)
{
	start_agent(churn);
	while (clock_mono_ms() < until_ms) {
		unsigned int count =
			OPERATIONS_MIN + dice_below(&churn->dice, OPERATIONS_MORE);

		for (; count > 0; count--) {
			shadow_act(churn->shadow);
			churn->operations++;
			if (dice_percent(&churn->dice, 15)) {
				nap(churn, 20);
			}
			if (dice_percent(&churn->dice, 4)) {
				steer(churn);
			}
		}
		quiet(churn);
		if (dice_percent(&churn->dice, 20)) {
			lose_much(churn);
		}
	}
	quiet(churn);
	end_agent(churn, SIGTERM);
}

int
main(int argc, char **argv)
{
	struct churn churn = { 0 };
	int64_t seconds = argc > 2 ? strtoll(argv[2], NULL, 10) : 20;
	struct err err;

	if (argc < 2 || seconds <= 0) {
		(void)fprintf(stderr, "usage: churn PROGRAM [SECONDS [SEED]]\n");
		return 64;
	}
	churn.program = argv[1];
	churn.seed = argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)clock_now_ms();
	churn.dice.state = churn.seed;
	(void)printf("churn: seed %llu, %lld s\n", (unsigned long long)churn.seed,
		(long long)seconds);
	(void)fflush(stdout);
	prepare(&churn);
	live(&churn, clock_mono_ms() + seconds * 1000);
	(void)printf(
		"churn: %lu operations, %lu kills, %lu times stopped, %lu times held, "
		"%lu jumps of the clock, %lu comparisons (%lu of the agent alone), 0 "
		"differences\n",
		churn.operations, churn.kills, churn.stops, churn.held, churn.jumps,
		churn.quiets, churn.alone);
	shadow_free(churn.shadow);
	if (file_remove_tree(AT_FDCWD, churn.folder, &err) < 0) {
		(void)fprintf(stderr, "churn: %s\n", err.msg);
	}
	free(churn.config);
	free(churn.brain);
	return 0;
}
