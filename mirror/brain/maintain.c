// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/maintain.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

enum {
	OUT_MAX = 64 * 1024,
	WORDS_MAX = 200,
};

// How many names in this folder end with @suffix?  A missing folder has none.
static int
count_names(const char *path, const char *suffix, size_t *ret_count, struct err *err)
{
	DIR *dir = opendir(path);
	size_t suffix_len = strlen(suffix);

	*ret_count = 0;
	if (dir == NULL) {
		return errno == ENOENT ? 0 : err_errno(err, "list %s", path);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		size_t len = strlen(entry->d_name);

		*ret_count += entry->d_name[0] != '.' && len > suffix_len &&
			strcmp(entry->d_name + len - suffix_len, suffix) == 0;
	}
	(void)closedir(dir);
	return 0;
}

int
maintain_look(const char *git_dir, struct maintain_state *ret_state, struct err *err)
{
	AUTO_FREE char *packs = path_join(git_dir, "objects/pack");
	AUTO_FREE char *loose = path_join(git_dir, "objects/17");
	struct maintain_state state = { 0 };

	if (count_names(packs, ".pack", &state.packs, err) < 0 ||
		count_names(loose, "", &state.loose, err) < 0) {
		return err_wrap(err, "look whether maintenance is due");
	}
	state.loose *= 256;
	state.unpruned = home_is_unpruned(git_dir);
	state.due = state.unpruned || state.packs > MAINTAIN_PACKS ||
		state.loose > MAINTAIN_LOOSE;
	*ret_state = state;
	return 0;
}

int
maintain_run(const struct maintain_options *options, struct err *err)
{
	static const char *const env[] = { "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C", "LANGUAGE=C", "GIT_DIR",
		"GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", NULL };
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", options->git_dir);
	// One thread and little memory: there is no hurry.
	const char *const argv[] = { "git", git_dir, "-c", "pack.threads=1", "-c",
		"pack.windowMemory=64m", "-c", "core.bigFileThreshold=16m", "repack",
		"--geometric=2", "-d", "-l", "-n", "-q", "--no-write-bitmap-index",
		NULL };
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
