// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "cli/handlers.h"
#include "cli/settings.h"
#include "cli/unit.h"
#include "config/config.h"
#include "config/places.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
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

static int
unit_text(const struct call *call, char **ret_text, struct err *err)
{
	AUTO_FREE char *program = realpath("/proc/self/exe", NULL);
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *real = realpath(file, NULL);

	if (program == NULL || real == NULL) {
		return err_errno(err, "%s", program == NULL ? "/proc/self/exe" : file);
	}
	*ret_text = unit_user_text(program, real);
	return 0;
}

// systemctl, loginctl.
static int
run_tool(const char *const *argv, struct err *err)
{
	struct spawn plan = { .argv = argv, .deadline_ms = SYSTEMCTL_DEADLINE_MS };
	struct spawn_result result = SPAWN_RESULT(SYSTEMCTL_OUT_MAX);
	int code = spawn_run(&plan, &result, err);

	if (code == 0 && result.status != 0) {
		const char *said = buf_text(&result.errors);

		code = err_raise(err, ERR_IO, "%s %s: %.*s", argv[0],
			argv[argv[2] != NULL ? 2 : 1],
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

static void
answer_unit(struct call *call, const char *path)
{
	json_set_bytes(output_answer(&call->out), "unit", path, strlen(path));
}

// Without it the agent ends with the last session of its user.
static void
linger(struct call *call)
{
	const struct passwd *entry = getpwuid(geteuid());
	const char *user = entry != NULL ? entry->pw_name : "";
	const char *const enable[] = { "loginctl", "enable-linger", user, NULL };
	AUTO_FREE char *mark = path_join("/var/lib/systemd/linger", user);
	struct err err = { 0 };
	bool wanted = !args_has(&call->args, "no-linger");
	bool lingers = wanted && (access(mark, F_OK) == 0 || run_tool(enable, &err) == 0);

	json_set_bool(output_answer(&call->out), "linger", lingers);
	if (!wanted) {
		output_note(&call->out, "it runs while you are logged in");
	} else if (lingers) {
		output_line(&call->out, "it also runs while you are not logged in");
	} else {
		output_warn(&call->out, "it ends when you log out: %s", err.msg);
		output_warn(&call->out, "next, as root: loginctl enable-linger %s", user);
	}
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
	answer_unit(call, path);
	if (call->dry_run) {
		json_set_text(output_answer(&call->out), "text", text);
		if (!call->out.json) {
			output_text(&call->out, "%s", text);
		}
		return 0;
	}
	if (write_unit(path, text, err) < 0) {
		return err->code;
	}
	if (run_tool(reload, err) < 0 || run_tool(enable, err) < 0) {
		err_wrap(err, "the unit is written (%s), but not started", path);
		return err_advise(err,
			"without systemd: start `mirror run` at boot, then "
			"mirror accept reboot");
	}
	output_line(&call->out, "%s is installed and started", path);
	linger(call);
	return 0;
}

int
verb_service_remove(struct call *call, struct err *err)
{
	static const char *const disable[] = { "systemctl", "--user", "disable", "--now",
		"mirror.service", NULL };
	AUTO_FREE char *path = unit_path();
	bool there = access(path, F_OK) == 0;

	answer_unit(call, path);
	json_set_bool(output_answer(&call->out), "removed", there && !call->dry_run);
	if (!there) {
		output_line(&call->out, "there is no service");
		return 0;
	}
	if (call->dry_run) {
		output_line(&call->out, "%s would be stopped and removed", path);
		return 0;
	}
	if (run_tool(disable, err) < 0) {
		output_error(&call->out, err);
	}
	if (unlink(path) < 0) {
		return err_errno(err, "remove %s", path);
	}
	output_line(&call->out, "the service is stopped and removed");
	return 0;
}
