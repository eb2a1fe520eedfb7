// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/age_run.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/spawn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	// It says nothing on standard output: that is a descriptor.
	SAID_MAX = 64 * 1024,
};

static int
run(const char *const *argv, int in, int out, int64_t end_ms, struct spawn_result *result,
	struct err *err)
{
	int64_t left = end_ms - clock_mono_ms();
	struct spawn plan = { .argv = argv,
		.input_fd = in,
		.output_fd = out,
		.deadline_ms = left,
		.gentle = true,
		.dies_with_us = true };

	if (left <= 0) {
		return err_raise(err, ERR_TIMEOUT, "the time limit is reached");
	}
	if (spawn_run(&plan, result, err) < 0) {
		return err_advise(err, "install age (apt install age)");
	}
	return 0;
}

static int
failed(const struct spawn_result *result, enum err_code code, struct err *err)
{
	const char *reason = buf_text(&result->errors);

	if (strstr(reason, "no space left") != NULL) {
		code = ERR_NO_SPACE;
	}
	return err_raise(err, code, "age: %.*s", (int)strcspn(reason, "\n"), reason);
}

int
age_encrypt(const char *recipient, int in, int out, int64_t end_ms, struct err *err)
{
	const char *const argv[] = { "age", "-r", recipient, NULL };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(SAID_MAX);

	if (run(argv, in, out, end_ms, &result, err) < 0) {
		return err->code;
	}
	return result.status == 0 ? 0 : failed(&result, ERR_IO, err);
}

int
age_decrypt(const char *identity, int in, int out, int64_t end_ms, struct err *err)
{
	const char *const argv[] = { "age", "-d", "-i", identity, NULL };
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(SAID_MAX);

	if (identity == NULL) {
		(void)err_raise(err, ERR_DENIED, "it is encrypted, and no key was given");
		return err_advise(err, "give the key's file with --key FILE");
	}
	if (run(argv, in, out, end_ms, &result, err) < 0) {
		return err->code;
	}
	if (result.status != 0) {
		// A wrong key and a cut file both end here; age's words tell them apart.
		const char *reason = buf_text(&result.errors);
		bool key = strstr(reason, "no identity matched") != NULL ||
			strstr(reason, "identit") != NULL;

		return failed(&result, key ? ERR_DENIED : ERR_INVALID, err);
	}
	return lseek(out, 0, SEEK_SET) < 0 ? err_errno(err, "seek") : 0;
}
