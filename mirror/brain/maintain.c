// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/maintain.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OUT_MAX = 64 * 1024,
	WORDS_MAX = 200,
};

#define PACK ".pack"

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name);
	size_t suffix_len = strlen(suffix);

	return name[0] != '.' && len > suffix_len &&
		strcmp(name + len - suffix_len, suffix) == 0;
}

// How many names in this folder end with @suffix?  A missing folder has none.
static int
count_names(const char *path, const char *suffix, size_t *ret_count, struct err *err)
{
	DIR *dir = opendir(path);

	*ret_count = 0;
	if (dir == NULL) {
		return errno == ENOENT ? 0 : err_errno(err, "list %s", path);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		*ret_count += has_suffix(entry->d_name, suffix);
	}
	(void)closedir(dir);
	return 0;
}

// What a pack takes, when it holds few objects; else 0.
static uint64_t
small_pack(int dirfd, const char *name)
{
	AUTO_FREE char *index =
		xasprintf("%.*s.idx", (int)(strlen(name) - strlen(PACK)), name);
	struct stat info;

	if (fstatat(dirfd, index, &info, 0) < 0 || info.st_size > MAINTAIN_SMALL_INDEX ||
		fstatat(dirfd, name, &info, 0) < 0) {
		return 0;
	}
	return (uint64_t)info.st_size;
}

static bool
is_heavy(const char *path)
{
	DIR *dir = opendir(path);
	uint64_t bytes = 0;
	size_t count = 0;

	if (dir == NULL) {
		return false;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (has_suffix(entry->d_name, PACK)) {
			uint64_t size = small_pack(dirfd(dir), entry->d_name);

			count += size > 0;
			bytes += size;
		}
	}
	(void)closedir(dir);
	return count >= MAINTAIN_SMALL && bytes > MAINTAIN_SMALL_BYTES;
}

int
maintain_look(const char *git_dir, struct maintain_state *ret_state, struct err *err)
{
	AUTO_FREE char *packs = path_join(git_dir, "objects/pack");
	AUTO_FREE char *loose = path_join(git_dir, "objects/17");
	struct maintain_state state = { 0 };

	if (count_names(packs, PACK, &state.packs, err) < 0 ||
		count_names(loose, "", &state.loose, err) < 0) {
		return err_wrap(err, "look whether maintenance is due");
	}
	state.loose *= 256;
	state.unpruned = home_is_unpruned(git_dir);
	state.heavy = state.packs >= MAINTAIN_SMALL && is_heavy(packs);
	state.due = state.unpruned || state.heavy || state.packs > MAINTAIN_PACKS ||
		state.loose > MAINTAIN_LOOSE;
	*ret_state = state;
	return 0;
}

// Files up to this size are kept as what changed in them, at the price of some five times
// their size in git's memory: 230 MB for one of 45, 1,040 for one of 200.  Any of theirs
// may have 64 MB on a machine with 1 GB; beyond that git takes a sixth of the memory.
unsigned int
maintain_delta_max_mb(int64_t memory_mb)
{
	int64_t small = MIN_OF(MAX_OF(memory_mb / 16, INT64_C(16)), INT64_C(64));

	return (unsigned int)MIN_OF(MAX_OF(small, memory_mb / 32), INT64_C(2048));
}

static int64_t
memory_mb(void)
{
	int64_t pages = sysconf(_SC_PHYS_PAGES);

	return pages > 0 ? pages / 1024 * sysconf(_SC_PAGESIZE) / 1024 : 0;
}

int
maintain_run(const struct maintain_options *options, struct err *err)
{
	static const char *const env[] = { "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C", "LANGUAGE=C", "GIT_DIR",
		"GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", NULL };
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", options->git_dir);
	AUTO_FREE char *delta_max = xasprintf(
		"core.bigFileThreshold=%um", maintain_delta_max_mb(memory_mb()));
	// One thread and little memory: there is no hurry.
	const char *const argv[] = { "git", git_dir, "-c", "pack.threads=1", "-c",
		"pack.windowMemory=64m", "-c", delta_max, "repack", "--geometric=2", "-d",
		"-l", "-n", "-q", "--no-write-bitmap-index", NULL };
	struct spawn plan = {
		.argv = argv,
		.env = env,
		.deadline_ms = options->deadline_ms,
		.gentle = true,
		.on_line = options->on_line,
		.payload = options->payload,
		.wake_fd = options->wake_fd,
	};
	struct spawn_result result = SPAWN_RESULT(OUT_MAX);
	int code = spawn_run(&plan, &result, err);

	if (code == 0 && result.status != 0) {
		AUTO_FREE char *words = path_printable(buf_text(&result.errors));

		code = err_raise(err,
			strstr(words, "No space left") != NULL ? ERR_NO_SPACE : ERR_IO,
			"git repack: %.*s", WORDS_MAX, words);
	}
	spawn_result_done(&result);
	return code < 0 ? err_wrap(err, "maintain the repository") : 0;
}
