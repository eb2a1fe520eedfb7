// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/bundle.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push.h"
#include "cli/scan_key.h"
#include "config/config.h"
#include "config/places.h"
#include "health/facts.h"
#include "health/format.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct bundle {
	struct buf text;
	struct err *err;
};

static int
add_option(const char *section, const char *key, const char *value, unsigned int line,
	const char *text, void *payload)
{
	struct bundle *bundle = payload;

	(void)text;
	// Only what a person set.  The remote is told by itself, without its password.
	if (line == 0 || strcmp(key, "remote") == 0) {
		return 0;
	}
	return buf_add_fmt(
		&bundle->text, bundle->err, "[%s] %s = %s\n", section, key, value);
}

static int
add_config(struct bundle *bundle, const struct config *config)
{
	AUTO_FREE char *remote = push_mask(config->brain.remote);

	if (buf_add_fmt(&bundle->text, bundle->err, "\n== configuration\nremote = %s\n",
		    remote) < 0 ||
		config_show(config, add_option, bundle) < 0) {
		return bundle->err->code;
	}
	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		AUTO_FREE char *path = path_printable(watch->path);
		AUTO_FREE char *name = path_printable(watch->name);

		if (buf_add_fmt(&bundle->text, bundle->err,
			    "watch %s as %s, %zu excludes, %zu rolling%s\n", path, name,
			    watch->exclude.count, watch->rolling.count,
			    watch->optional ? ", optional" : "") < 0) {
			return bundle->err->code;
		}
	}
	return 0;
}

static int
add_health(struct bundle *bundle, const struct config *config)
{
	AUTO(health_report_done) struct health_report report = { 0 };
	AUTO_FREE char *state_dir = places_state_dir();
	struct health_input input = {
		.config = config,
		.state_dir = state_dir,
		.now_ms = clock_now_ms(),
		.mono_ms = clock_mono_ms(),
		.sysroot = "",
	};
	struct err why;

	if (buf_add_text(&bundle->text, "\n== health\n", bundle->err) < 0) {
		return bundle->err->code;
	}
	return health_measure(&input, &report, &why) < 0
		? buf_add_fmt(&bundle->text, bundle->err, "%s\n", why.msg)
		: format_report(&report, FORMAT_TEXT, true, &bundle->text, bundle->err);
}

static int
compose(struct bundle *bundle, const struct config *config, const char *found)
{
	struct utsname machine = { 0 };
	char when[CLOCK_TEXT_MAX];

	clock_format(clock_now_ms(), when);
	(void)uname(&machine);
	if (buf_add_fmt(&bundle->text, bundle->err,
		    "mirror " MIRROR_VERSION ", %s\n%s %s %s\n\n== doctor\n%s", when,
		    machine.sysname, machine.release, machine.machine, found) < 0) {
		return bundle->err->code;
	}
	if (config == NULL) {
		return 0;
	}
	return add_config(bundle, config) < 0 ? (int)bundle->err->code
					      : add_health(bundle, config);
}

// @text with every @home as "~".  Owned by the caller.
static char *
without_home(const char *text, const char *home)
{
	size_t len = strlen(home);
	char *copy = xmalloc(strlen(text) + 1);
	char *out = copy;

	while (*text != '\0') {
		if (len > 1 && strncmp(text, home, len) == 0 &&
			(text[len] == '/' || strchr(" \n\",;)]", text[len]) != NULL)) {
			*out++ = '~';
			text += len;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
	return copy;
}

static int
clean(const struct call *call, const char *text, struct redaction *ret_clean,
	struct err *err)
{
	AUTO(scanner_freep) struct scanner *scanner = NULL;
	uint8_t key[HASH_KEY_LEN];
	struct scanner_options options = { .key = key };
	struct scan_input input = { .data = text, .len = strlen(text) };

	if (scan_key_get(call, key, err) < 0 ||
		scanner_new(&options, &scanner, err) < 0 ||
		redact_bytes(scanner, &input, ret_clean, err) < 0) {
		return err->code;
	}
	return ret_clean->outcome == REDACT_CANNOT
		? err_raise(err, ERR_BLOCKED, "it holds a secret that cannot be cut")
		: 0;
}

static int
write_new(const char *file, const char *data, size_t len, struct err *err)
{
	AUTO_CLOSE int fd =
		open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		err_errno(err, "create %s", file);
		return err_advise(err, "mirror doctor --bundle another file");
	}
	if (fd_write_all(fd, data, len, err) < 0) {
		(void)unlink(file);
		return err_wrap(err, "write %s", file);
	}
	return 0;
}

int
bundle_write(const struct call *call, const struct config *config, const char *found,
	const char *file, struct err *err)
{
	struct bundle bundle = { .text = { .max = BUNDLE_MAX }, .err = err };
	AUTO(redaction_done)
	struct redaction redaction = { .out = { .max = 2 * BUNDLE_MAX } };
	AUTO_FREE char *home = places_home();
	AUTO_FREE char *text = NULL;
	bool cut;

	if (compose(&bundle, config, found) < 0) {
		buf_done(&bundle.text);
		return err->code;
	}
	text = without_home(buf_text(&bundle.text), home);
	buf_done(&bundle.text);
	if (clean(call, text, &redaction, err) < 0) {
		return err_wrap(err, "scan the bundle");
	}
	cut = redaction.outcome == REDACT_CUT;
	return write_new(file, cut ? redaction.out.data : text,
		cut ? redaction.out.len : strlen(text), err);
}
