// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/squeeze.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "vault/inspect.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
	CHUNK = 1024 * 1024,
	/** A window larger than this is refused when reading: 128 MiB, zstd's own limit.
	 */
	WINDOW_LOG_MAX = 27,
	// Of a SQLite file, which may be a little longer than its header says.
	HEADER_LEN = 100,
	SLACK = 64 * 1024 * 1024,
};

struct squeeze {
	ZSTD_CCtx *context;
	squeeze_fn *fn;
	void *payload;
	char room[CHUNK];
};

int
squeeze_new(int level, int64_t total, squeeze_fn *fn, void *payload,
	struct squeeze **ret_squeeze, struct err *err)
{
	struct squeeze *squeeze = xcalloc(1, sizeof(*squeeze));

	squeeze->fn = fn;
	squeeze->payload = payload;
	squeeze->context = ZSTD_createCCtx();
	if (squeeze->context == NULL) {
		free(squeeze);
		return err_raise(err, ERR_NO_MEMORY, "zstd");
	}
	(void)ZSTD_CCtx_setParameter(squeeze->context, ZSTD_c_compressionLevel, level);
	(void)ZSTD_CCtx_setParameter(squeeze->context, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_CCtx_setPledgedSrcSize(squeeze->context, (unsigned long long)total);
	*ret_squeeze = squeeze;
	return 0;
}

int
squeeze_feed(struct squeeze *squeeze, const void *data, size_t len, struct err *err)
{
	ZSTD_inBuffer in = { .src = data, .size = len };
	bool last = len == 0;
	size_t left;

	do {
		ZSTD_outBuffer buffer = { .dst = squeeze->room, .size = CHUNK };

		left = ZSTD_compressStream2(squeeze->context, &buffer, &in,
			last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left)) {
			return err_raise(
				err, ERR_IO, "zstd: %s", ZSTD_getErrorName(left));
		}
		if (buffer.pos > 0 &&
			squeeze->fn(squeeze->room, buffer.pos, squeeze->payload, err) <
				0) {
			return err->code;
		}
	} while (last ? left != 0 : in.pos < in.size);
	return 0;
}

void
squeeze_free(struct squeeze *squeeze)
{
	if (squeeze != NULL) {
		(void)ZSTD_freeCCtx(squeeze->context);
		free(squeeze);
	}
}

// ---- and back

static int
tick(const struct unpack *unpack, struct err *err)
{
	if (clock_mono_ms() >= unpack->end_ms) {
		return err_raise(
			err, ERR_TIMEOUT, "%s: the time limit is reached", unpack->stage);
	}
	if (unpack->progress != NULL &&
		unpack->progress(unpack->stage, unpack->done, unpack->total,
			unpack->payload) != 0) {
		return err_raise(err, ERR_CANCELLED, "%s: cancelled", unpack->stage);
	}
	return 0;
}

static int64_t
big_endian(const uint8_t *at, size_t len)
{
	int64_t value = 0;

	for (size_t i = 0; i < len; i++) {
		value = value * 256 + at[i];
	}
	return value;
}

// The first bytes, before one is written: a bomb is no database, or says how large it is.
// (SQLite's file format, section "the database header": the size counts while the two
// change counters agree.)
static int
look_at_head(struct unpack *unpack, const uint8_t *data, size_t len, struct err *err)
{
	int64_t page;

	if (len < HEADER_LEN || !inspect_is_magic(data, len)) {
		return err_raise(
			err, ERR_INVALID, "not a database: it does not begin like one");
	}
	page = big_endian(data + 16, 2);
	page = page == 1 ? 65536 : page;
	if (memcmp(data + 24, data + 92, 4) != 0 || big_endian(data + 28, 4) == 0) {
		return 0;
	}
	unpack->head_bytes = page * big_endian(data + 28, 4);
	if (unpack->head_bytes > unpack->max_bytes) {
		return err_raise(err, ERR_TOO_BIG, "it holds %lld bytes, more than %lld",
			(long long)unpack->head_bytes, (long long)unpack->max_bytes);
	}
	unpack->total = unpack->head_bytes;
	unpack->head_bytes += SLACK;
	return 0;
}

// Bytes that came out, to be written if they may be.
static int
take_bytes(struct unpack *unpack, const void *data, size_t len, struct err *err)
{
	if (unpack->database && unpack->done == 0 && len > 0 &&
		look_at_head(unpack, data, len, err) < 0) {
		return err->code;
	}
	unpack->done += (int64_t)len;
	if (unpack->done > unpack->max_bytes) {
		return err_raise(err, ERR_TOO_BIG, "more than %lld bytes",
			(long long)unpack->max_bytes);
	}
	if (unpack->head_bytes > 0 && unpack->done > unpack->head_bytes) {
		return err_raise(err, ERR_INVALID,
			"damaged archive: it goes on behind the end that its database "
			"has");
	}
	hash_add(unpack->hash, data, len);
	return unpack->out >= 0 ? fd_write_all(unpack->out, data, len, err) : 0;
}

static int
unpack_chunk(ZSTD_DCtx *context, struct unpack *unpack, const void *data, size_t len,
	void *room, size_t *ret_left, struct err *err)
{
	ZSTD_inBuffer in = { .src = data, .size = len };
	bool full = true;

	while (in.pos < in.size || full) {
		ZSTD_outBuffer buffer = { .dst = room, .size = CHUNK };

		*ret_left = ZSTD_decompressStream(context, &buffer, &in);
		if (ZSTD_isError(*ret_left)) {
			return err_raise(err, ERR_INVALID, "damaged archive: %s",
				ZSTD_getErrorName(*ret_left));
		}
		full = buffer.pos == buffer.size;
		if (take_bytes(unpack, room, buffer.pos, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

int
unpack_zstd(struct unpack *unpack, struct err *err)
{
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	AUTO_FREE uint8_t *room = xmalloc(CHUNK);
	ZSTD_DCtx *context = ZSTD_createDCtx();
	size_t left = 1;
	ssize_t len;

	if (context == NULL) {
		return err_raise(err, ERR_NO_MEMORY, "zstd");
	}
	(void)ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	while ((len = fd_read_full(unpack->in, chunk, CHUNK, err)) > 0) {
		if (unpack_chunk(context, unpack, chunk, (size_t)len, room, &left, err) <
				0 ||
			tick(unpack, err) < 0) {
			len = -1;
			break;
		}
	}
	(void)ZSTD_freeDCtx(context);
	if (len == 0 && left != 0) {
		return err_raise(err, ERR_INVALID, "damaged archive: it is cut short");
	}
	return len < 0 ? err->code : 0;
}

int
unpack_plain(struct unpack *unpack, struct err *err)
{
	AUTO_FREE uint8_t *chunk = xmalloc(CHUNK);
	ssize_t len;

	while ((len = fd_read_full(unpack->in, chunk, CHUNK, err)) > 0) {
		if (take_bytes(unpack, chunk, (size_t)len, err) < 0 ||
			tick(unpack, err) < 0) {
			return err->code;
		}
	}
	return len < 0 ? err->code : 0;
}
