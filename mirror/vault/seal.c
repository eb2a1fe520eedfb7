// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/seal.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"
#include "vault/age.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/** An identity file: a few lines. */
	IDENTITY_MAX = 64 * 1024,
	TOLD_MAX = 4096,
};

static const char recipient_file[] = "mirror/recipient";

bool
seal_is_recipient(const char *text)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(text);

	return strncmp(text, "age1", 4) == 0 && len >= 20 && len < SEAL_RECIPIENT_MAX &&
		strspn(text, letters) == len;
}

// ---- the public half

int
seal_recipient_load(
	const char *git_dir, char ret_recipient[SEAL_RECIPIENT_MAX], struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, recipient_file);
	AUTO(buf_done) struct buf text = { .max = SEAL_RECIPIENT_MAX };
	int got = file_read(AT_FDCWD, path, &text, err);
	size_t len = strcspn(buf_text(&text), "\n");

	if (got == ERR_NOT_FOUND) {
		return 0;
	}
	if (got == 0 && len < SEAL_RECIPIENT_MAX) {
		memcpy(ret_recipient, buf_text(&text), len);
		ret_recipient[len] = '\0';
	}
	if (got == ERR_TOO_BIG ||
		(got == 0 &&
			(len >= SEAL_RECIPIENT_MAX ||
				!seal_is_recipient(ret_recipient)))) {
		err_raise(err, ERR_INVALID, "%s holds no age recipient", path);
		return err_advise(err, "mirror key new --replace");
	}
	return got < 0 ? err_wrap(err, "read the recipient") : 1;
}

int
seal_recipient_store(const char *git_dir, const char *recipient, struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, recipient_file);
	AUTO_FREE char *line = xasprintf("%s\n", recipient);

	if (!seal_is_recipient(recipient)) {
		return err_raise(err, ERR_INVALID, "this is no age recipient");
	}
	return file_replace_at(path, line, strlen(line), 0600, err);
}

// ---- the programs

static int
run(const struct spawn *plan, struct spawn_result *result, struct err *err)
{
	if (spawn_run(plan, result, err) < 0) {
		return err->code == ERR_NOT_FOUND
			? err_advise(err, "install age (apt install age)")
			: err->code;
	}
	return 0;
}

// Its first line; it names files and formats, never what is in them.
static int
failed(const struct spawn_result *result, enum err_code code, struct err *err)
{
	const char *errors = buf_text(&result->errors);
	AUTO_FREE char *line = xmemdup0(errors, strcspn(errors, "\n"));
	AUTO_FREE char *said = path_printable(line);

	return err_raise(err, code, "%.300s",
		said[0] != '\0' ? said : "age gave up without a word");
}

static int
read_public(const char *file, char ret_recipient[SEAL_RECIPIENT_MAX], struct err *err)
{
	const char *const argv[] = { "age-keygen", "-y", file, NULL };
	struct spawn plan = {
		.argv = argv,
		.deadline_ms = SEAL_DEADLINE_MS,
		.dies_with_us = true,
	};
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(TOLD_MAX);
	size_t len;

	if (run(&plan, &result, err) < 0) {
		return err->code;
	}
	len = strcspn(buf_text(&result.out), "\n");
	if (result.status != 0 || len >= SEAL_RECIPIENT_MAX) {
		return failed(&result, ERR_IO, err);
	}
	memcpy(ret_recipient, buf_text(&result.out), len);
	ret_recipient[len] = '\0';
	return seal_is_recipient(ret_recipient)
		? 0
		: err_raise(err, ERR_IO, "age-keygen gave no recipient");
}

static int
sync_file(const char *file, struct err *err)
{
	AUTO_FREE char *above = xasprintf("%.*s", (int)(path_base(file) - file), file);
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_CLOSE int folder =
		open(above[0] != '\0' ? above : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || folder < 0) {
		return err_errno(err, "open %s", file);
	}
	if (fchmod(fd, 0600) < 0) {
		return err_errno(err, "chmod %s", file);
	}
	return fd_sync(fd, file, err) < 0 ? err->code : fd_sync(folder, above, err);
}

int
seal_new_key(const char *file, char ret_recipient[SEAL_RECIPIENT_MAX], struct err *err)
{
	const char *const argv[] = { "age-keygen", "-o", file, NULL };
	struct spawn plan = {
		.argv = argv,
		.deadline_ms = SEAL_DEADLINE_MS,
		.dies_with_us = true,
	};
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(TOLD_MAX);

	// Its own refusal is the one that counts; this one has a code.
	if (faccessat(AT_FDCWD, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		return err_raise(err, ERR_EXISTS, "%s is there already", file);
	}
	if (run(&plan, &result, err) < 0) {
		return err->code;
	}
	if (result.status != 0) {
		return failed(&result,
			strstr(buf_text(&result.errors), "permission denied") != NULL
				? ERR_DENIED
				: ERR_EXISTS,
			err);
	}
	if (sync_file(file, err) < 0 || read_public(file, ret_recipient, err) < 0) {
		(void)unlink(file);
		return err->code;
	}
	return 0;
}

// What only `age` knows how to do: a plugin's recipient.
static int
seal_by_program(const char *recipient, const void *data, size_t len, struct buf *out,
	struct err *err)
{
	const char *const argv[] = { "age", "-r", recipient, NULL };
	struct spawn plan = {
		.argv = argv,
		.input = data != NULL ? data : "",
		.input_len = len,
		.deadline_ms = SEAL_DEADLINE_MS,
		.dies_with_us = true,
	};
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(SEAL_BYTES_MAX);

	if (run(&plan, &result, err) < 0) {
		return err->code;
	}
	if (result.status != 0 || result.out.len <= len) {
		return failed(&result, ERR_INVALID, err);
	}
	return buf_add(out, result.out.data, result.out.len, err);
}

int
seal_bytes(const char *recipient, const void *data, size_t len, struct buf *out,
	struct err *err)
{
	uint8_t point[AGE_POINT_LEN];
	int result;

	if (len > SEAL_PLAIN_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than can be sealed");
	}
	if (!seal_is_recipient(recipient)) {
		return err_raise(err, ERR_INVALID, "this is no age recipient");
	}
	if (!age_recipient(recipient, point)) {
		result = seal_by_program(recipient, data, len, out, err);
	} else {
		result = age_seal(point, data, len, out, err);
		// A library that may not: age brings its own.
		if (result == ERR_IO) {
			err_clear(err);
			result = seal_by_program(recipient, data, len, out, err);
		}
	}
	return result < 0 ? err_wrap(err, "seal") : 0;
}

// ---- the private half, always somebody else's

int
seal_check_identity(const char *identity, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = IDENTITY_MAX };
	const char *start;
	int got = file_read(AT_FDCWD, identity, &text, err);
	bool locked;
	bool found;

	if (got < 0 && got != ERR_TOO_BIG) {
		return err_wrap(err, "read the key");
	}
	start = buf_text(&text);
	locked = strncmp(start, "age-encryption.org/", 19) == 0 ||
		strncmp(start, "-----BEGIN AGE ENCRYPTED", 24) == 0;
	found = strstr(start, "AGE-SECRET-KEY-1") != NULL ||
		strstr(start, "AGE-PLUGIN-") != NULL ||
		strstr(start, "PRIVATE KEY-----") != NULL;
	if (text.len > 0) {
		explicit_bzero(text.data, text.len);
	}
	if (locked) {
		err_raise(err, ERR_INVALID, "%s is under a passphrase", identity);
		return err_advise(
			err, "age -d %s > /dev/shm/key, and --key that", identity);
	}
	return found ? 0 : err_raise(err, ERR_INVALID, "%s holds no key", identity);
}

static enum err_code
code_of(const char *reason)
{
	if (strstr(reason, "no identity matched") != NULL) {
		return ERR_DENIED;
	}
	return strstr(reason, "reading \"") != NULL ? ERR_CONFIG : ERR_INVALID;
}

int
seal_open(const char *identity, const void *sealed, size_t len, struct buf *out,
	struct err *err)
{
	const char *const argv[] = { "age", "-d", "-i", identity, NULL };
	struct spawn plan = {
		.argv = argv,
		.input = sealed,
		.input_len = len,
		.deadline_ms = SEAL_DEADLINE_MS,
		.dies_with_us = true,
	};
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(SEAL_BYTES_MAX);
	int code;

	if (run(&plan, &result, err) < 0) {
		return err_wrap(err, "open what is sealed");
	}
	// A damaged one can give bytes before it fails: they count for nothing.
	code = result.status == 0
		? buf_add(out, result.out.data, result.out.len, err)
		: failed(&result, code_of(buf_text(&result.errors)), err);
	if (result.out.len > 0) {
		explicit_bzero(result.out.data, result.out.len);
	}
	return code;
}
