// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/settings.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "config/places.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char last_good[] = "config.last-good.toml";

char *
settings_file(const struct call *call)
{
	return places_config_file(call->config_file);
}

// Read and parse; the bytes stay in @text, so that what is kept is what was parsed.
static int
load(const char *file, struct buf *text, struct config **ret_config, struct err *err)
{
	if (file_read(AT_FDCWD, file, text, err) < 0) {
		if (err->code == ERR_NOT_FOUND) {
			err_raise(
				err, ERR_CONFIG, "there is no configuration at %s", file);
			return err_advise(err, "mirror init PATH...");
		}
		err->code = ERR_CONFIG;
		err_wrap(err, "read the configuration");
		return err_advise(err, "-c FILE names another one");
	}
	return config_read(buf_text(text), text->len, file, ret_config, err);
}

int
settings_load(const struct call *call, struct config **ret_config, struct err *err)
{
	AUTO_FREE char *file = settings_file(call);
	AUTO(buf_done) struct buf text = { .max = CONFIG_FILE_MAX };

	return load(file, &text, ret_config, err);
}

static int
keep(const struct buf *text, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *kept = path_join(state, last_good);
	AUTO(buf_done) struct buf before = { .max = CONFIG_FILE_MAX };
	struct err ignored;

	// Usually nothing changed, and nothing needs to be synced.
	if (file_read(AT_FDCWD, kept, &before, &ignored) == 0 &&
		before.len == text->len &&
		memcmp(buf_text(&before), buf_text(text), text->len) == 0) {
		return 0;
	}
	if (file_make_dirs(state, 0700, err) < 0 ||
		file_replace_at(kept, buf_text(text), text->len, 0600, err) < 0) {
		return err_wrap(err, "keep a copy of the configuration");
	}
	return 0;
}

int
settings_load_and_keep(
	const struct call *call, struct config **ret_config, struct err *err)
{
	AUTO_FREE char *file = settings_file(call);
	AUTO(buf_done) struct buf text = { .max = CONFIG_FILE_MAX };
	AUTO(config_freep) struct config *config = NULL;

	if (load(file, &text, &config, err) < 0 || keep(&text, err) < 0) {
		return err->code;
	}
	*ret_config = STEAL(config);
	return 0;
}

int
settings_load_or_last(const struct call *call, struct config **ret_config,
	struct err *ret_wrong, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *kept = path_join(state, last_good);
	AUTO(buf_done) struct buf text = { .max = CONFIG_FILE_MAX };
	struct err ignored;

	err_clear(ret_wrong);
	if (settings_load(call, ret_config, ret_wrong) == 0) {
		return 0;
	}
	if (load(kept, &text, ret_config, &ignored) < 0) {
		*err = *ret_wrong;
		return err->code;
	}
	return 0;
}
