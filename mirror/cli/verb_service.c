// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "cli/handlers.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * `mirror service`: a unit of the user's own systemd, so that the agent starts with the
 * machine and is started again when it dies.
 */

enum {
	SYSTEMCTL_DEADLINE_MS = 60 * 1000,
	SYSTEMCTL_OUT_MAX = 64 * 1024,
};

static char *
unit_path(void)
{
	const char *base = getenv("XDG_CONFIG_HOME");
	AUTO_FREE char *home = places_home();
	AUTO_FREE char *folder = base != NULL && base[0] == '/'
		? xstrdup(base)
		: path_join(home, ".config");

	return path_join(folder, "systemd/user/mirror.service");
}

// In a unit a per cent sign begins a specifier, a dollar a variable; quotes and
// backslashes are escaped.
static char *
quoted(const char *text)
{
	char *copy = xmalloc(strlen(text) * 2 + 3);
	size_t at = 0;

	copy[at++] = '"';
	for (; *text != '\0'; text++) {
		if (*text == '%' || *text == '$') {
			copy[at++] = *text;
		} else if (*text == '"' || *text == '\\') {
			copy[at++] = '\\';
		}
		copy[at++] = *text;
	}
	copy[at++] = '"';
	copy[at] = '\0';
	return copy;
}

static int
unit_text(const struct call *call, char **ret_text, struct err *err)
{
	AUTO_FREE char *program = realpath("/proc/self/exe", NULL);
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *real = realpath(file, NULL);

	if (program == NULL || real == NULL) {
		return err_errno(err, "%s", program == NULL ? "/proc/self/exe" : file);
	}

	AUTO_FREE char *quoted_program = quoted(program);
	AUTO_FREE char *quoted_file = quoted(real);
	*ret_text = xasprintf("# Made by `mirror service install`.\n"
			      "[Unit]\n"
			      "Description=mirror: keeps folders in a git repository\n"
			      "Documentation=man:mirror(1)\n"
			      "\n"
			      "[Service]\n"
			      "Type=notify\n"
			      "ExecStart=%s run -c %s\n"
			      "Restart=always\n"
			      "RestartSec=5\n"
			      "WatchdogSec=90\n"
			      "TimeoutStopSec=60\n"
			      "Nice=5\n"
			      "\n"
			      "[Install]\n"
			      "WantedBy=default.target\n",
		quoted_program, quoted_file);
	return 0;
}

static int
systemctl(const char *const *argv, struct err *err)
{
	struct spawn plan = { .argv = argv, .deadline_ms = SYSTEMCTL_DEADLINE_MS };
	struct spawn_result result = SPAWN_RESULT(SYSTEMCTL_OUT_MAX);
	int code = spawn_run(&plan, &result, err);

	if (code == 0 && result.status != 0) {
		const char *said = buf_text(&result.errors);

		code = err_raise(err, ERR_IO, "%s %s: %.*s", argv[0], argv[2],
			(int)MIN_OF(strcspn(said, "\n"), (size_t)200), said);
	}
	spawn_result_done(&result);
	return code;
}

static int
write_unit(const char *path, const char *text, struct err *err)
{
	AUTO_FREE char *folder = xmemdup0(path, (size_t)(path_base(path) - path));

	if (file_make_dirs(folder, 0755, err) < 0) {
		return err->code;
	}
	return file_replace_at(path, text, strlen(text), 0644, err);
}

int
verb_service_install(struct call *call, struct err *err)
{
	static const char *const reload[] = { "systemctl", "--user", "daemon-reload",
		NULL };
	static const char *const enable[] = { "systemctl", "--user", "enable", "--now",
		"mirror.service", NULL };
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *path = unit_path();
	AUTO_FREE char *text = NULL;

	if (settings_load(call, &config, err) < 0 || unit_text(call, &text, err) < 0) {
		return err->code;
	}
	if (call->dry_run) {
		output_text(&call->out, "%s", text);
		return 0;
	}
	if (write_unit(path, text, err) < 0) {
		return err->code;
	}
	if (systemctl(reload, err) < 0 || systemctl(enable, err) < 0) {
		err_wrap(err, "the unit is written (%s), but not started", path);
		return err_advise(err,
			"without systemd: start `mirror run` at boot, then "
			"mirror accept reboot");
	}
	output_line(&call->out, "%s is installed and started", path);
	output_note(
		&call->out, "to run while you are not logged in: loginctl enable-linger");
	return 0;
}

int
verb_service_remove(struct call *call, struct err *err)
{
	static const char *const disable[] = { "systemctl", "--user", "disable", "--now",
		"mirror.service", NULL };
	AUTO_FREE char *path = unit_path();

	if (access(path, F_OK) < 0) {
		output_line(&call->out, "there is no service");
		return 0;
	}
	if (call->dry_run) {
		output_line(&call->out, "%s would be stopped and removed", path);
		return 0;
	}
	if (systemctl(disable, err) < 0) {
		output_error(&call->out, err);
	}
	if (unlink(path) < 0) {
		return err_errno(err, "remove %s", path);
	}
	output_line(&call->out, "the service is stopped and removed");
	return 0;
}
