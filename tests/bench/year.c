// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A year of one file that is written every 30 seconds, as fast as the cycles go: the
 * agent's own cycle for each change, its own maintenance whenever that is due.  What is
 * measured is size, so nothing here waits for a disk.
 *
 *     bench_year DIR COMMITS edit|append|touch SIZE
 *
 * edit: a line in the midst of a text of SIZE bytes is another one.  append: a line is
 * added; past SIZE the file begins anew, as logs do.  touch: only the time of change.
 */

#include "agent/agent.h"
#include "agent/cycle.h"
#include "agent/kit.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/index.h"
#include "brain/maintain.h"
#include "brain/repo.h"
#include "config/config.h"
#include "jobqueue/jobqueue.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LINE = 80,
	DEADLINE_MS = 3600 * 1000,
	DUE_EVERY = 10,
};

// ---- nothing waits for the disk

int
fsync(int fd)
{
	(void)fd;
	return 0;
}

int
fdatasync(int fildes)
{
	(void)fildes;
	return 0;
}

int
syncfs(int fd)
{
	(void)fd;
	return 0;
}

// ---- the file

struct file {
	char path[4096];
	char *text;
	size_t len;
	size_t max;
	char kind;
	unsigned int seed;
};

// Words that compress as people's do, never twice the same line.
static void
write_line(struct file *file, char *line)
{
	static const char *const words[] = { "the", "backup", "of", "a", "note", "keeps",
		"every", "line", "that", "was", "written", "before", "noon", "and",
		"later" };
	char text[LINE + 32];
	int len = snprintf(text, sizeof(text), "%08x", (unsigned int)rand_r(&file->seed));

	while (len < LINE) {
		len += snprintf(text + len, sizeof(text) - (size_t)len, " %s",
			words[(unsigned int)rand_r(&file->seed) % countof(words)]);
	}
	memcpy(line, text, LINE - 1);
	line[LINE - 1] = '\n';
}

static void
save(const struct file *file)
{
	int fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, file->text, file->len) != (ssize_t)file->len ||
		close(fd) < 0) {
		perror(file->path);
		exit(2);
	}
}

static void
change(struct file *file)
{
	size_t lines = file->len / LINE;

	switch (file->kind) {
	case 'a':
		if (file->len + LINE > file->max) {
			file->len = 0;
		}
		write_line(file, file->text + file->len);
		file->len += LINE;
		break;
	case 'e':
		write_line(file,
			file->text + LINE * ((unsigned int)rand_r(&file->seed) % lines));
		break;
	default:
		break;
	}
	save(file);
}

// ---- the agent's part

static struct kit *kit;
static uint64_t commits;
static uint64_t repacks;
static int64_t repack_ms;
static int64_t slowest_ms;

static void
must(int result, const struct err *err)
{
	if (result < 0) {
		(void)fprintf(stderr, "bench_year: %s\n", err->msg);
		exit(2);
	}
}

static void
start(const char *dir, struct config **config)
{
	AUTO_FREE char *text = xasprintf("[[watch]]\npath = \"%s/notes\"\n[brain]\n"
					 "repo = \"%s/brain\"\nbranch = \"host/bench\"\n"
					 "remote = \"none\"\n",
		dir, dir);
	AUTO_FREE char *state = xasprintf("%s/state", dir);
	struct err err;

	(void)setenv("XDG_STATE_HOME", state, 1);
	(void)setenv("XDG_RUNTIME_DIR", state, 1);
	(void)mkdir(state, 0700);
	must(config_parse(text, strlen(text), "bench", config, &err), &err);
	must(kit_open(*config, &kit, &err), &err);
	must(jobqueue_lock(kit->queue, 0, &err), &err);
	must(kit_start(kit, &err), &err);
}

static void
cycle(bool full)
{
	const struct cycle_hint hint = { .root = 0, .folder = "", .deep = false };
	struct cycle_plan plan = { .full = full, .hints = &hint, .nhints = 1 };
	struct cycle_result result;
	int64_t began = clock_mono_ms();
	struct err err;

	must(cycle_run(kit, &plan, &result, &err), &err);
	commits += result.committed;
	slowest_ms = MAX_OF(slowest_ms, clock_mono_ms() - began);
}

static void
maintain(bool always)
{
	struct maintain_options options = {
		.git_dir = repo_git_dir(kit->repo),
		.deadline_ms = DEADLINE_MS,
	};
	struct maintain_state now;
	int64_t began = clock_mono_ms();
	struct err err;

	must(maintain_look(options.git_dir, &now, &err), &err);
	if (now.due || always) {
		must(maintain_run(&options, &err), &err);
		must(repo_refresh(kit->repo, &err), &err);
		repacks++;
		repack_ms += clock_mono_ms() - began;
	}
}

int
main(int argc, char **argv)
{
	struct config *config = NULL;
	struct file file = { .seed = 1 };
	long count = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int64_t began = clock_mono_ms();
	char notes[4000];

	if (argc != 5 || count <= 0) {
		(void)fprintf(stderr, "bench_year DIR COMMITS edit|append|touch SIZE\n");
		return 64;
	}
	file.kind = argv[3][0];
	file.max = MAX_OF(strtoul(argv[4], NULL, 10), 2UL * LINE);
	file.text = xmalloc(file.max + LINE);
	(void)snprintf(notes, sizeof(notes), "%s/notes", argv[1]);
	(void)mkdir(notes, 0700);
	(void)snprintf(file.path, sizeof(file.path), "%s/log.md", notes);
	while (file.kind != 'a' && file.len + LINE <= file.max) {
		write_line(&file, file.text + file.len);
		file.len += LINE;
	}
	save(&file);
	start(argv[1], &config);
	cycle(true);
	slowest_ms = 0;
	for (long i = 0; i < count; i++) {
		change(&file);
		cycle(false);
		if (i % DUE_EVERY == 0) {
			maintain(false);
		}
	}
	printf("%lu changes, %lu commits, %.1f s; slowest cycle %ld ms; "
	       "%lu maintenances, %.1f s\n",
		(unsigned long)count, (unsigned long)commits,
		(double)(clock_mono_ms() - began) / 1000, (long)slowest_ms,
		(unsigned long)repacks, (double)repack_ms / 1000);
	maintain(true);
	free(file.text);
	return 0;
}
