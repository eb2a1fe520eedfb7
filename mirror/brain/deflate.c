// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * An entry is its kind and size, 4 bits of the size and then 7 at a time, and a zlib
 * stream.
 *
 * Building Huffman tables takes as long as deflating some kilobytes, so small objects get
 * tables made once, from the first megabyte that came by, and tiny ones those that
 * everybody knows and need not be written down.  They are a little longer for it.
 *
 * What is compressed or encrypted already (pictures, archives) would take longest and get
 * no shorter: where each byte value is as frequent as the others it is stored as it is.
 *
 * Sources: gitformat-pack(5), RFC 1950 and 1951 (zlib, deflate).
 */

#include "brain/deflate.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <isa-l.h>
#include <stdlib.h>

enum {
	// No tables are written down below this.
	TINY_BELOW = 768,
	// Tables of its own cost more than they save below this, once there are others.
	// (8 KB: 7 % of the time for 2 % of the size; 32 KB: 7 to 18 % more for 1 to 3
	// %.)
	OWN_BELOW = 32 << 10,
	OWN_AT_FIRST = 1024,
	// From so many bytes the tables are made; longer objects count in part.
	LEARN_LEN = 1 << 20,
	LEARN_EACH = 64 << 10,
	// Looked at to tell noise, a piece here and a piece there: text shows itself in
	// the first look, so that it hardly costs anything.
	PIECES = 8,
	LOOK_SHORT = 256,
	LOOK_LONG = 4096,
	// Chi-square of even bytes is 255, give or take 23.  The short look lets all of
	// those pass and no text or program (thousands); the long one what Huffman's
	// tables would make 1 % shorter at most.
	EVEN_SHORT = 1000,
	EVEN_LONG = 700,
	STORED_MAX = 65535,
};

struct deflater_inside {
	struct isal_zstream stream;
	uint8_t level_buf[ISAL_DEF_LVL1_DEFAULT];
	// What came by so far, until tables were made from it.
	struct isal_huff_histogram histogram;
	size_t learned;
	struct isal_hufftables tables;
};

struct deflater *
deflater_new(void)
{
	struct deflater *deflater = xcalloc(1, sizeof(*deflater));

	deflater->inside = xcalloc(1, sizeof(*deflater->inside));
	deflater->hash = hash_sha1_new();
	deflater->out.max = DEFLATE_ENTRY_MAX;
	return deflater;
}

void
deflater_free(struct deflater *deflater)
{
	hash_free(deflater->hash);
	buf_done(&deflater->out);
	free(deflater->inside);
	free(deflater);
}

static size_t
entry_head(enum object_kind kind, size_t len, uint8_t head[DEFLATE_HEAD_MAX])
{
	uint8_t byte = (uint8_t)((unsigned int)kind << 4 | (len & 15));
	size_t at = 0;

	for (len >>= 4; len > 0; len >>= 7) {
		head[at++] = byte | 0x80;
		byte = len & 0x7f;
	}
	head[at++] = byte;
	return at;
}

// The first megabyte says what the rest is like.
static void
learn(struct deflater_inside *inside, const void *data, size_t len)
{
	size_t part = MIN_OF(len, (size_t)LEARN_EACH);

	if (inside->learned >= LEARN_LEN) {
		return;
	}
	isal_update_histogram((uint8_t *)(uintptr_t)data, (int)part, &inside->histogram);
	inside->learned += part;
	if (inside->learned >= LEARN_LEN &&
		isal_create_hufftables(&inside->tables, &inside->histogram) != 0) {
		// Another megabyte may do.
		inside->learned = 0;
	}
}

static void
choose_tables(struct deflater_inside *inside, size_t len)
{
	struct isal_zstream *stream = &inside->stream;
	bool has_tables = inside->learned >= LEARN_LEN;

	if (len >= (has_tables ? OWN_BELOW : OWN_AT_FIRST)) {
		stream->level = 1;
		stream->level_buf = inside->level_buf;
		stream->level_buf_size = sizeof(inside->level_buf);
	} else if (len < TINY_BELOW) {
		(void)isal_deflate_set_hufftables(stream, NULL, IGZIP_HUFFTABLE_STATIC);
	} else if (has_tables) {
		(void)isal_deflate_set_hufftables(
			stream, &inside->tables, IGZIP_HUFFTABLE_CUSTOM);
	}
}

// Incompressible bytes go into stored blocks: 5 bytes for each 64 KiB, plus the zlib head
// and trailer.
static size_t
stream_bound(size_t len)
{
	return len + 5 * (len / 65535 + 2) + 64;
}

// How unevenly are the byte values spread over @look bytes, taken all along @data but not
// from its ends: many a format has a head and a trailer that are unlike the rest.
static uint64_t
chi_square(const uint8_t *data, size_t len, size_t look)
{
	uint32_t counts[256] = { 0 };
	size_t piece = look / PIECES;
	uint64_t squares = 0;

	for (size_t i = 0; i < PIECES; i++) {
		const uint8_t *at = data + (len - piece) * (2 * i + 1) / (2 * PIECES);

		for (size_t k = 0; k < piece; k++) {
			counts[at[k]]++;
		}
	}
	for (size_t i = 0; i < countof(counts); i++) {
		squares += (uint64_t)counts[i] * counts[i];
	}
	return squares * countof(counts) / look - look;
}

static bool
is_noise(const void *data, size_t len)
{
	return len >= LOOK_LONG && chi_square(data, len, LOOK_SHORT) < EVEN_SHORT &&
		chi_square(data, len, LOOK_LONG) < EVEN_LONG;
}

// A zlib stream of stored blocks.
static int
store(struct buf *out, const uint8_t *data, size_t len, struct err *err)
{
	static const uint8_t zlib_head[] = { 0x78, 0x01 };
	uint32_t sum = htonl(isal_adler32(1, data, len));

	if (buf_add(out, zlib_head, sizeof(zlib_head), err) < 0) {
		return err->code;
	}
	for (size_t at = 0; at < len; at += STORED_MAX) {
		size_t block = MIN_OF(len - at, (size_t)STORED_MAX);
		uint8_t head[] = { at + block == len, (uint8_t)block,
			(uint8_t)(block >> 8), (uint8_t)~block, (uint8_t)(~block >> 8) };

		if (buf_add(out, head, sizeof(head), err) < 0 ||
			buf_add(out, data + at, block, err) < 0) {
			return err->code;
		}
	}
	return buf_add(out, &sum, sizeof(sum), err);
}

int
deflate_entry(struct deflater *deflater, enum object_kind kind, const void *data,
	size_t len, struct err *err)
{
	struct isal_zstream *stream = &deflater->inside->stream;
	struct buf *out = &deflater->out;
	uint8_t head[DEFLATE_HEAD_MAX];
	size_t bound = stream_bound(len);

	buf_clear(out);
	if (buf_add(out, head, entry_head(kind, len, head), err) < 0 ||
		buf_reserve(out, bound, err) < 0) {
		return err->code;
	}
	if (is_noise(data, len)) {
		return store(out, data, len, err);
	}
	isal_deflate_stateless_init(stream);
	stream->gzip_flag = IGZIP_ZLIB;
	stream->flush = NO_FLUSH;
	stream->end_of_stream = 1;
	choose_tables(deflater->inside, len);
	stream->next_in = (uint8_t *)(uintptr_t)data;
	stream->avail_in = (uint32_t)len;
	stream->next_out = (uint8_t *)out->data + out->len;
	stream->avail_out = (uint32_t)bound;
	if (isal_deflate_stateless(stream) != COMP_OK || stream->avail_in != 0) {
		return err_raise(err, ERR_BUG, "deflate %zu bytes", len);
	}
	out->len += stream->total_out;
	learn(deflater->inside, data, len);
	return 0;
}

// Behind the head; *ret_len is the object's.
static const uint8_t *
read_head(const uint8_t *at, const uint8_t *end, size_t *ret_len)
{
	unsigned int shift = 4;

	*ret_len = *at & 15;
	for (size_t i = 1; i < DEFLATE_HEAD_MAX && (*at++ & 0x80) != 0 && at < end; i++) {
		*ret_len |= (size_t)(*at & 0x7f) << shift;
		shift += 7;
	}
	return at;
}

size_t
deflate_bound(const uint8_t *head, size_t len)
{
	size_t object_len;

	(void)read_head(head, head + len, &object_len);
	return DEFLATE_HEAD_MAX +
		stream_bound(MIN_OF(object_len, (size_t)DEFLATE_OBJECT_MAX));
}

int
deflate_read(
	const struct buf *entry, enum object_kind kind, struct buf *buf, struct err *err)
{
	AUTO_FREE struct inflate_state *state = xmalloc(sizeof(*state));
	const uint8_t *begin = (const uint8_t *)entry->data;
	enum object_kind have = (enum object_kind)(*begin >> 4 & 7);
	size_t len;
	const uint8_t *at = read_head(begin, begin + entry->len, &len);

	if (kind != OBJECT_ANY && have != kind) {
		return err_raise(err, ERR_INVALID, "the object is a %s, not a %s",
			object_kind_name(have), object_kind_name(kind));
	}
	if (buf_reserve(buf, len, err) < 0) {
		return err->code;
	}
	isal_inflate_init(state);
	state->crc_flag = ISAL_ZLIB;
	state->next_in = (uint8_t *)(uintptr_t)at;
	state->avail_in = (uint32_t)(entry->len - (size_t)(at - begin));
	state->next_out = (uint8_t *)buf->data + buf->len;
	state->avail_out = (uint32_t)len;
	if (isal_inflate(state) != ISAL_DECOMP_OK || state->avail_out != 0) {
		return err_raise(err, ERR_CORRUPT, "inflate an object of the new pack");
	}
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 1;
}

uint32_t
deflate_crc(uint32_t crc, const void *data, size_t len)
{
	return crc32_gzip_refl(crc, data, len);
}
