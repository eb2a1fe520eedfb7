// SPDX-License-Identifier: GPL-2.0-or-later

// The repository's own configuration: what we want in it, and one that nobody can read.

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"
#include "brain/mend.h"
#include "brain/reap.h"
#include "brain/repo.h"
#include "brain/repo_room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	CONFIG_MAX = 16 << 20,
};

// A living git lets go by itself; a dead one's lock is reaped.
bool
repo_locked_for_now(git_repository *git, int code, int64_t end_ms)
{
	const struct timespec pause = { .tv_nsec = REPO_LOCK_PAUSE_MS * 1000000L };
	struct err ignored;

	if (code != GIT_ELOCKED || clock_mono_ms() >= end_ms) {
		return false;
	}
	(void)nanosleep(&pause, NULL);
	(void)!reap_locks(git_repository_path(git), &ignored);
	return true;
}

// What the repository should say, and whether a person may have it otherwise.
struct setting {
	const char *name;
	const char *value;
	bool must;
};

static int
set_config(git_repository *git, git_config *config, const struct setting *setting,
	bool must, struct err *err)
{
	int64_t end_ms = clock_mono_ms() + REPO_LOCK_WAIT_MS;
	const char *name = setting->name;
	const char *value = setting->value;
	git_buf old = { 0 };
	bool known = git_config_get_string_buf(&old, config, name) == 0;
	bool same = known && (!must || strcmp(old.ptr, value) == 0);
	int code = 0;

	git_buf_dispose(&old);
	while (!same) {
		errno = 0;
		// Every line of that name: two would say different things to others.
		code = git_config_set_multivar(config, name, ".*", value);
		same = !repo_locked_for_now(git, code, end_ms);
	}
	return code < 0 ? repo_fail(err, code, "set %s", name) : 0;
}

int
repo_configure(git_repository *git, bool first, struct err *err)
{
	static const struct setting rows[] = {
		// Bytes and names stay what they are.
		{ "core.autocrlf", "false", true },
		{ "core.safecrlf", "false", true },
		{ "core.filemode", "true", true },
		{ "core.symlinks", "true", true },
		{ "core.ignorecase", "false", true },
		{ "core.precomposeunicode", "false", true },
		// What was found present is not pruned while a commit is made of it.
		{ "gc.pruneexpire", "never", true },
		{ "core.quotepath", "false", false },
		{ "core.fsync", "all", false },
		// History is in the commits, and a log is for those who want one; a purge
		// empties it.
		{ "core.logallrefupdates", "false", false },
		// We maintain it ourselves; who runs git there may want git to do it.
		{ "gc.auto", "0", false },
		{ "maintenance.auto", "false", false },
	};
	git_config *all = NULL;
	git_config *local = NULL;
	int code = git_repository_config(&all, git);
	int result = 0;

	if (code == 0) {
		code = git_config_open_level(&local, all, GIT_CONFIG_LEVEL_LOCAL);
	}
	if (code < 0) {
		result = repo_fail(err, code, "read the repository's configuration");
	}
	for (size_t i = 0; i < countof(rows) && result == 0; i++) {
		result = set_config(git, local, &rows[i], first || rows[i].must, err);
	}
	git_config_free(local);
	git_config_free(all);
	return result;
}

// ---- one that is not for us

int
repo_advise_format(const char *path, struct err *err)
{
	static const char words[] = "unsupported extension name extensions.";
	// What keeps git from throwing anything away, and us from nothing.
	static const char precious[] = "preciousobjects";
	const char *name = strstr(err->msg, words);

	if (name == NULL) {
		return err->code;
	}
	return strncmp(name + strlen(words), precious, strlen(precious)) == 0
		? err_advise(
			  err, "git -C %s config --unset extensions.%s", path, precious)
		: err_advise(
			  err, "name another folder as [brain] repo: mirror config edit");
}

// ---- one that cannot be read

static int
count_extension(const git_config_entry *entry, void *payload)
{
	size_t *count = payload;

	*count += strncmp(entry->name, "extensions.", 11) == 0;
	return 0;
}

// Damaged, or gone: what we want in it is written by repo_configure(), what a person had
// in it is told.
static int
renew_config(struct mend *mend, const char *path, bool bare, struct err *err)
{
	AUTO_FREE char *text =
		xasprintf("[core]\n\trepositoryformatversion = 0\n\tbare = "
			  "%s\n",
			bare ? "true" : "false");

	if (!mend_tell(mend, path, "is damaged",
		    "it is written anew, what a person had set in it is "
		    "in " HOME_DAMAGED)) {
		return 0;
	}
	return mend_set_aside(mend, "config", err) < 0
		? err->code
		: file_replace_at(path, text, strlen(text), 0644, err);
}

// The name of the hash that is meant anyway: git wants it in no repository of the first
// format, and our library in none.
static int
drop_format(struct mend *mend, git_config *config, const char *path, struct err *err)
{
	static const char name[] = "extensions.objectformat";
	git_buf value = { 0 };
	int code = git_config_get_string_buf(&value, config, name);
	bool ours = code == 0 && strcmp(value.ptr, "sha1") == 0;
	size_t left = 0;

	git_buf_dispose(&value);
	git_error_clear();
	if (code == GIT_ENOTFOUND) {
		return 0;
	}
	if (!ours) {
		(void)err_raise(err, ERR_INVALID,
			"extensions.objectFormat in %s is not sha1: such a repository "
			"cannot be written to",
			path);
		return err_advise(
			err, "name another folder as [brain] repo: mirror config edit");
	}
	if (!mend_tell(mend, path, "has extensions.objectFormat, which git refuses there",
		    "it is removed, sha1 is meant anyway")) {
		return 0;
	}
	code = git_config_delete_multivar(config, name, ".*");
	// The second format is the first one with extensions.
	if (code == 0) {
		code = git_config_foreach(config, count_extension, &left);
	}
	if (code == 0 && left == 0) {
		code = git_config_set_int32(config, "core.repositoryformatversion", 0);
	}
	return code < 0 ? repo_fail(err, code, "remove %s from %s", name, path) : 0;
}

// Zeros are what some file systems leave of a file; our library reads past them and does
// not write.  And what git cannot read.
static int
look_at_text(const char *path, bool *ret_sound, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = CONFIG_MAX };

	if (file_read(AT_FDCWD, path, &text, err) < 0) {
		return err->code;
	}
	*ret_sound = text.len > 0 && memchr(text.data, '\0', text.len) == NULL &&
		mend_config_is_sound(text.data, text.len);
	return 0;
}

// And no trouble of the disk or of ours.
static bool
is_parse_error(void)
{
	const git_error *last = git_error_last();

	return last != NULL && last->klass == GIT_ERROR_CONFIG;
}

int
repo_mend_config(struct mend *mend, bool bare, struct err *err)
{
	AUTO_FREE char *path = path_join(mend->git_dir, "config");
	git_config *config = NULL;
	size_t extensions = 0;
	bool sound = true;
	int code;
	int result;

	if (look_at_text(path, &sound, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err_wrap(err, "read %s", path);
	}
	code = git_config_open_ondisk(&config, path);
	if (code == 0) {
		code = git_config_foreach(config, count_extension, &extensions);
	}
	if (code == 0 && sound) {
		result = drop_format(mend, config, path, err);
	} else if (!sound || is_parse_error()) {
		git_error_clear();
		result = renew_config(mend, path, bare, err);
	} else {
		result = repo_fail(err, code, "read %s", path);
	}
	git_config_free(config);
	return result;
}
