// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/handlers.h"
#include "cli/rewrite.h"
#include "cli/settings.h"
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	EDITOR_WORDS_MAX = 16
};

// $VISUAL, $EDITOR, or vi: a program and perhaps a few words for it.
static int
split_editor(char *command, char *words[EDITOR_WORDS_MAX], struct err *err)
{
	char *rest = NULL;
	int count = 0;

	for (char *word = strtok_r(command, " \t", &rest); word != NULL;
		word = strtok_r(NULL, " \t", &rest)) {
		if (count >= EDITOR_WORDS_MAX - 2) {
			return err_raise(err, ERR_INVALID,
				"the editor's command has too many words");
		}
		words[count++] = word;
	}
	if (count == 0) {
		words[count++] = command;
	}
	return count;
}

// A person sits in front of it: the terminal is theirs, and there is no deadline.
static int
run_editor(const char *file, struct err *err)
{
	const char *visual = getenv("VISUAL");
	const char *editor =
		visual != NULL && visual[0] != '\0' ? visual : getenv("EDITOR");
	AUTO_FREE char *command =
		xstrdup(editor != NULL && editor[0] != '\0' ? editor : "vi");
	char *words[EDITOR_WORDS_MAX] = { NULL };
	AUTO_FREE char *name = xstrdup(file);
	int count = split_editor(command, words, err);
	int status = 0;
	pid_t pid;

	if (count < 0) {
		return err->code;
	}
	words[count] = name;
	errno = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);
	if (errno != 0) {
		err_errno(err, "start the editor %s", words[0]);
		return err_advise(err, "set VISUAL or EDITOR to an editor");
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return err_errno(err, "wait for the editor");
		}
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		return err_raise(err, ERR_CANCELLED,
			"the editor ended with a failure; nothing was saved");
	}
	return 0;
}

// The copy beside the configuration, so that editors see the ending they know.
static char *
copy_path(const struct rewrite *rewrite)
{
	const char *slash = strrchr(rewrite->real, '/');

	return xasprintf("%.*s" FILE_TEMP_PREFIX "%d.toml",
		(int)(slash + 1 - rewrite->real), rewrite->real, (int)getpid());
}

// What was written is somebody's work: it is kept where they will find it.
static int
reject(struct call *call, const struct rewrite *rewrite, const char *copy,
	struct err *err)
{
	AUTO_FREE char *kept = xasprintf("%s.rejected", rewrite->real);

	if (rename(copy, kept) == 0) {
		output_warn(
			&call->out, "nothing was saved; what you wrote is in %s", kept);
	}
	return err->code;
}

static void
answer(struct call *call, const struct rewrite *rewrite, bool saved)
{
	json_set_bytes(
		output_answer(&call->out), "file", rewrite->file, strlen(rewrite->file));
	json_set_bool(output_answer(&call->out), "saved", saved);
}

static int
edit(struct call *call, struct rewrite *rewrite, const char *copy, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = CONFIG_FILE_MAX };
	int result;

	for (;;) {
		if (run_editor(copy, err) < 0) {
			return err->code;
		}
		buf_clear(&text);
		if (file_read(AT_FDCWD, copy, &text, err) < 0) {
			return err->code;
		}
		if (text.len == rewrite->text.len &&
			memcmp(buf_text(&text), buf_text(&rewrite->text), text.len) ==
				0) {
			output_note(&call->out, "nothing changed");
			answer(call, rewrite, false);
			return 0;
		}
		if (call->dry_run) {
			AUTO(config_freep) struct config *config = NULL;

			result = config_parse(
				buf_text(&text), text.len, rewrite->file, &config, err);
		} else {
			result = rewrite_save(rewrite, buf_text(&text), text.len, err);
		}
		if (result == 0) {
			answer(call, rewrite, !call->dry_run);
			output_line(&call->out,
				call->dry_run ? "%s would be saved" : "%s saved",
				rewrite->file);
			return 0;
		}
		if (err->code != ERR_CONFIG || call->out.no_input) {
			return reject(call, rewrite, copy, err);
		}
		output_error(&call->out, err);
		if (!output_ask(&call->out, "edit it again?")) {
			return reject(call, rewrite, copy, err);
		}
	}
}

int
verb_config_edit(struct call *call, struct err *err)
{
	AUTO(rewrite_done) struct rewrite rewrite = { 0 };
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *copy = NULL;
	int result;

	if (rewrite_open(file, &rewrite, err) < 0) {
		return err->code;
	}
	copy = copy_path(&rewrite);
	if (file_replace_at(copy, buf_text(&rewrite.text), rewrite.text.len, 0600, err) <
		0) {
		return err->code;
	}
	result = edit(call, &rewrite, copy, err);
	(void)unlink(copy);
	return result;
}
