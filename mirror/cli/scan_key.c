// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/scan_key.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/home.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static bool
read_brain_key(const char *repo, uint8_t ret_key[HASH_KEY_LEN])
{
	AUTO_FREE char *git_dir = path_join(repo, ".git");
	struct err ignored;

	return home_key(git_dir, ret_key, &ignored) == 0 ||
		home_key(repo, ret_key, &ignored) == 0;
}

// Without a configuration the usual place counts.
static char *
brain_path(const struct call *call)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *data = NULL;
	struct err wrong;
	struct err ignored;

	if (settings_load_or_last(call, &config, &wrong, &ignored) == 0) {
		return xstrdup(config->brain.repo);
	}
	data = places_data_dir();
	return path_join(data, "brain");
}

static int
read_own_key(const char *file, uint8_t ret_key[HASH_KEY_LEN], struct err *err)
{
	AUTO(buf_done) struct buf bytes = { .max = HASH_KEY_LEN + 1 };

	if (file_read(AT_FDCWD, file, &bytes, err) < 0) {
		return err->code;
	}
	if (bytes.len != HASH_KEY_LEN) {
		err_raise(err, ERR_CORRUPT, "%s is damaged", file);
		return err_advise(err, "rm %s (fingerprints change)", file);
	}
	memcpy(ret_key, bytes.data, HASH_KEY_LEN);
	return 0;
}

int
scan_key_get(const struct call *call, uint8_t ret_key[HASH_KEY_LEN], struct err *err)
{
	AUTO_FREE char *repo = brain_path(call);
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *file = path_join(data, "scan.key");
	uint8_t key[HASH_KEY_LEN];

	if (read_brain_key(repo, ret_key)) {
		return 0;
	}
	if (read_own_key(file, ret_key, err) == 0) {
		return 0;
	}
	if (err->code != ERR_NOT_FOUND) {
		return err_wrap(err, "read the scan key");
	}
	if (hash_random(key, sizeof(key), err) < 0 ||
		file_make_dirs(data, 0700, err) < 0 ||
		file_replace_at(file, key, sizeof(key), 0600, err) < 0) {
		return err_wrap(err, "make the scan key");
	}
	// Of two that start at once the last one's key stays: read what stands there.
	return read_own_key(file, ret_key, err);
}

int
scan_key_get_or_make(struct call *call, uint8_t ret_key[HASH_KEY_LEN], struct err *err)
{
	int result = scan_key_get(call, ret_key, err);

	if (result != ERR_DENIED && result != ERR_READ_ONLY && result != ERR_NO_SPACE) {
		return result;
	}
	output_note(&call->out, "%s; fingerprints of this scan are good for it alone",
		err->msg);
	err_clear(err);
	return hash_random(ret_key, HASH_KEY_LEN, err);
}
