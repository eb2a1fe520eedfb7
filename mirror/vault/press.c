// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     the caller:  read --hash--> zstd --+--> socket --> age (a thread waits for it) -->
 * out |               or out itself, hashed
 *                                        +--> socket --> a thread: unpack, hash, compare
 *
 * Nothing is read twice, and nothing compressed lies on the disk in plain.
 */

#include "vault/press.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vault/age_run.h"
#include "vault/squeeze.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 1024 * 1024,
};

// Somebody at the other end of a socket.
struct helper {
	const struct press_plan *plan;
	pthread_t thread;
	bool runs;
	// Ours, and the thread's, which closes it when it wants no more.
	int ours;
	int theirs;
	int out;
	int result;
	struct err err;
};

struct job {
	const struct press_plan *plan;
	struct helper proof;
	struct helper age;
	// Where it goes without age.
	int out;
	struct hash *written;
	// Who hung up on us: why, he knows.
	struct helper *hung_up;
};

static int
compare(struct hash *hash, const char *wanted, enum err_code code, const char *what,
	struct err *err)
{
	uint8_t digest[HASH_SHA256_LEN];
	char hex[HASH_HEX_MAX];

	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), hex);
	return strcmp(hex, wanted) == 0 ? 0 : err_raise(err, code, "%s", what);
}

static void *
prove(void *payload)
{
	struct helper *helper = payload;
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	struct unpack unpack = { .in = helper->theirs,
		.out = -1,
		.max_bytes = INT64_MAX,
		.stage = "read back",
		.hash = hash,
		.end_ms = helper->plan->end_ms };

	helper->result = unpack_zstd(&unpack, &helper->err);
	if (helper->result == 0) {
		helper->result = compare(hash, helper->plan->sha256, ERR_IO,
			"the archive does not give back its content", &helper->err);
	}
	base_close_p(&helper->theirs);
	return NULL;
}

static void *
encrypt(void *payload)
{
	struct helper *helper = payload;

	helper->result = age_encrypt(helper->plan->recipient, helper->theirs, helper->out,
		helper->plan->end_ms, &helper->err);
	base_close_p(&helper->theirs);
	return NULL;
}

static int
begin(struct helper *helper, void *(*run)(void *), struct err *err)
{
	int ends[2];
	sigset_t all;
	sigset_t before;
	int failed;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		return err_errno(err, "socketpair");
	}
	helper->ours = ends[0];
	helper->theirs = ends[1];
	// Signals are the main thread's business.
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&helper->thread, NULL, run, helper);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0) {
		base_close_p(&helper->ours);
		base_close_p(&helper->theirs);
		return err_raise(err, ERR_NO_MEMORY, "a thread: %s", strerror(failed));
	}
	helper->runs = true;
	return 0;
}

// It gets no more; what it says of what it got.
static int
end(struct helper *helper)
{
	base_close_p(&helper->ours);
	if (helper->runs) {
		(void)pthread_join(helper->thread, NULL);
		helper->runs = false;
	}
	return helper->result;
}

static int
give(struct job *job, struct helper *helper, const void *data, size_t len,
	struct err *err)
{
	const char *at = data;

	while (len > 0) {
		ssize_t done = send(helper->ours, at, len, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done < 0) {
			job->hung_up = helper;
			return err_errno(err, "hand it on");
		}
		at += done;
		len -= (size_t)done;
	}
	return 0;
}

static int
put(const void *data, size_t len, void *payload, struct err *err)
{
	struct job *job = payload;

	if (give(job, &job->proof, data, len, err) < 0) {
		return err->code;
	}
	if (job->age.runs) {
		return give(job, &job->age, data, len, err);
	}
	hash_add(job->written, data, len);
	return fd_write_all(job->out, data, len, err);
}

static int
tick(const struct press_plan *plan, int64_t done, int64_t total, struct err *err)
{
	if (clock_mono_ms() >= plan->end_ms) {
		return err_raise(err, ERR_TIMEOUT, "compress: the time limit is reached");
	}
	if (plan->progress != NULL &&
		plan->progress("compress", done, total, plan->payload) != 0) {
		return err_raise(err, ERR_CANCELLED, "compress: cancelled");
	}
	return 0;
}

static int
feed(struct job *job, struct squeeze *squeeze, int in, int64_t total, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	int64_t done = 0;
	ssize_t len = 1;

	while (len > 0) {
		len = fd_read_full(in, chunk, CHUNK, err);
		if (len < 0) {
			return err->code;
		}
		hash_add(hash, chunk, (size_t)len);
		done += len;
		if (squeeze_feed(squeeze, chunk, (size_t)len, err) < 0 ||
			tick(job->plan, done, total, err) < 0) {
			return err->code;
		}
	}
	return compare(hash, job->plan->sha256, ERR_INVALID,
		"the copy changed after it was checked", err);
}

static int
compress(struct job *job, int in, struct err *err)
{
	struct squeeze *squeeze = NULL;
	struct stat info;
	int result;

	if (fstat(in, &info) < 0) {
		return err_errno(err, "stat");
	}
	if (squeeze_new(job->plan->level, info.st_size, put, job, &squeeze, err) < 0) {
		return err->code;
	}
	result = feed(job, squeeze, in, info.st_size, err);
	squeeze_free(squeeze);
	return result;
}

// Who hung up knows why; what went wrong here is told as it is, for who was not given all
// of it says nonsense.
static int
verdict(struct job *job, int result, struct err *err)
{
	int proof = end(&job->proof);
	int age = end(&job->age);
	const struct helper *failed = result < 0 ? job->hung_up
		: proof < 0                      ? &job->proof
		: age < 0                        ? &job->age
						 : NULL;

	if (failed != NULL && failed->result < 0) {
		*err = failed->err;
		return failed->result;
	}
	return result;
}

int
press(const struct press_plan *plan, int in, int out, char ret_hex[HASH_HEX_MAX],
	struct err *err)
{
	AUTO(hash_freep) struct hash *written = hash_sha256_new();
	uint8_t digest[HASH_SHA256_LEN];
	struct job job = { .plan = plan,
		.proof = { .plan = plan, .ours = -1, .theirs = -1 },
		.age = { .plan = plan, .ours = -1, .theirs = -1, .out = out },
		.out = out,
		.written = written };
	int result;

	ret_hex[0] = '\0';
	if (plan->level == 0) {
		return age_encrypt(plan->recipient, in, out, plan->end_ms, err);
	}
	result = begin(&job.proof, prove, err);
	if (result == 0 && plan->recipient != NULL) {
		result = begin(&job.age, encrypt, err);
	}
	if (result == 0) {
		result = compress(&job, in, err);
	}
	result = verdict(&job, result, err);
	if (result == 0 && plan->recipient == NULL) {
		hash_end(written, digest);
		hash_hex(digest, sizeof(digest), ret_hex);
	}
	return result;
}
