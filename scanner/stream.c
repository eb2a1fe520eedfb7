// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A window slides over the bytes.  A finding is reported by the window that sees at least
 * REACH bytes on both sides of its start:
 *
 *     window 1   [ reported here ............ | reach ]
 *     window 2                        [ reach | reported here ............ | reach ]
 */

#include "base/err.h"
#include "base/mem.h"
#include "scanner/collect.h"
#include "scanner/scanner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW = COLLECT_WINDOW,
	REACH = SCANNER_STREAM_REACH,
	/** What a window of single bytes slides on by. */
	STEP = WINDOW - 2 * REACH,
	/** Line feeds are counted in blocks of this size, when the bytes are still in the
	 * cache: the window is larger than that. */
	BLOCK = 64 * 1024,
	BLOCKS = WINDOW / BLOCK,
};

static_assert(STEP % BLOCK == 0, "a window slides by whole blocks");

struct scanner_stream {
	const struct scanner *scanner;
	char *path;
	scanner_fn *fn;
	void *payload;
	char *window;
	size_t len;
	/** What it held at most: this much is wiped. */
	size_t most;
	/** Line feeds of each block, of the first @counted bytes. */
	uint32_t newlines[BLOCKS];
	size_t counted;
	/** A NUL came by. */
	bool has_nul;
	struct text_shape shape;
	bool has_shape;
	/** Offset in the whole, and lines before, of the window's first byte. */
	size_t base;
	size_t lines;
	/** Bytes from the last newline before the window to its start. */
	size_t column;
	/** Findings that start before this place in the whole are reported. */
	size_t reported;
	size_t found;
	/** What ended it early, or 0. */
	int ended;
};

int
scanner_stream_new(const struct scanner *scanner, const char *path, scanner_fn *fn,
	void *payload, struct scanner_stream **ret_stream, struct err *err)
{
	AUTO(scanner_stream_freep)
	struct scanner_stream *stream = xcalloc(1, sizeof(*stream));

	stream->scanner = scanner;
	stream->path = path != NULL ? xstrdup(path) : NULL;
	stream->fn = fn;
	stream->payload = payload;
	stream->window = collect_borrow_window(scanner);
	if (stream->window == NULL) {
		return err_raise(err, ERR_NO_MEMORY, "a window of %d bytes", WINDOW);
	}
	*ret_stream = STEAL(stream);
	return 0;
}

void
scanner_stream_free(struct scanner_stream *stream)
{
	if (stream != NULL) {
		if (stream->window != NULL) {
			collect_return_window(
				stream->scanner, stream->window, stream->most);
		}
		free(stream->path);
		free(stream);
	}
}

void
scanner_stream_freep(struct scanner_stream **stream)
{
	scanner_stream_free(*stream);
	*stream = NULL;
}

/** Report what starts before @upto in the window and was not reported yet. */
static int
report(struct scanner_stream *stream, const struct collection *found, size_t upto)
{
	for (size_t i = 0; i < found->count; i++) {
		struct finding finding = found->list[i].finding;
		// A rule about the path alone stands at the start of the first window.
		bool of_path = finding.end == 0;

		if (of_path ? stream->base > 0 : finding.start >= upto) {
			continue;
		}
		if (!of_path) {
			if (finding.line == 1) {
				finding.column += stream->column;
			}
			if (finding.end_line == 1) {
				finding.end_column += stream->column;
			}
			finding.line += stream->lines;
			finding.end_line += stream->lines;
			finding.start += stream->base;
			finding.end += stream->base;
			if (finding.end <= stream->reported ||
				finding.start < stream->reported) {
				continue;
			}
			stream->reported = finding.end;
		}
		stream->found++;
		int ret = stream->fn(&finding, stream->payload);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/** In wide text the byte is a newline only in its place and among zeros. */
static void
count_wide_lines(struct scanner_stream *stream, size_t count)
{
	const struct text_shape *shape = &stream->shape;
	const char *data = stream->window;

	for (size_t at = 0; at < count;) {
		const char *newline = memchr(data + at, '\n', count - at);

		if (newline == NULL) {
			stream->column += count - at;
			break;
		}
		size_t next = (size_t)(newline - data) + 1;

		if ((next - 1) % shape->unit ==
			(shape->low + shape->skip) % shape->unit) {
			stream->lines++;
			stream->column = 0;
		} else {
			stream->column += next - at;
		}
		at = next;
	}
}

/** Look at what came since the last time. */
static void
look_at_new(struct scanner_stream *stream)
{
	const char *data = stream->window;

	while (stream->counted < stream->len) {
		size_t at = stream->counted, block = at / BLOCK;
		size_t end = MIN_OF(stream->len, (block + 1) * BLOCK);

		stream->newlines[block] +=
			(uint32_t)text_newlines(data + at, end - at, &stream->has_nul);
		stream->counted = end;
	}
}

/** The lines of STEP bytes, from the blocks. */
static void
count_lines(struct scanner_stream *stream)
{
	const char *data = stream->window;
	const char *last = memrchr(data, '\n', STEP);
	size_t blocks = STEP / BLOCK;

	for (size_t i = 0; i < blocks; i++) {
		stream->lines += stream->newlines[i];
	}
	stream->column =
		last == NULL ? stream->column + STEP : (size_t)(data + STEP - last) - 1;
	memmove(stream->newlines, stream->newlines + blocks,
		(BLOCKS - blocks) * sizeof(stream->newlines[0]));
	memset(stream->newlines + BLOCKS - blocks, 0,
		blocks * sizeof(stream->newlines[0]));
	stream->counted -= STEP;
}

/** Forget the first @count bytes, but for their lines. */
static void
slide(struct scanner_stream *stream, size_t count)
{
	char *data = stream->window;

	if (stream->shape.unit == 1) {
		assert(count == STEP);
		count_lines(stream);
	} else {
		count_wide_lines(stream, count);
		stream->counted = stream->len - count;
	}
	memmove(data, data + count, stream->len - count);
	stream->len -= count;
	stream->base += count;
	stream->shape.skip = 0;
}

static int
scan_window(struct scanner_stream *stream, bool last, struct err *err)
{
	AUTO(collection_done) struct collection found = { 0 };
	struct scan_input input = {
		.data = stream->window, .len = stream->len, .path = stream->path
	};

	// The first window tells wide text; a NUL may turn up anywhere in bytes.
	if (!stream->has_shape || (stream->shape.unit == 1 && stream->has_nul)) {
		stream->shape = text_shape(input.data, input.len);
		stream->has_shape = true;
	}
	if (collect(stream->scanner, &input, &stream->shape, &found, err) < 0) {
		return err->code;
	}

	size_t upto = last ? input.len : input.len - REACH;
	int ret = report(stream, &found, upto);
	if (ret == 0 && !last) {
		stream->reported = MAX_OF(stream->reported, stream->base + upto);
		size_t keep = upto - REACH;
		// Whole code units, and the byte order mark is not one of them.
		keep -= (keep - stream->shape.skip) % stream->shape.unit;
		slide(stream, keep);
	}
	return ret;
}

char *
scanner_stream_room(struct scanner_stream *stream, size_t *ret_len)
{
	*ret_len = WINDOW - stream->len;
	return stream->window + stream->len;
}

int
scanner_stream_filled(struct scanner_stream *stream, size_t len, struct err *err)
{
	assert(len <= WINDOW - stream->len);
	stream->len += len;
	stream->most = MAX_OF(stream->most, stream->len);
	if (stream->ended == 0 && (!stream->has_shape || stream->shape.unit == 1)) {
		look_at_new(stream);
	}
	if (stream->ended == 0 && stream->len == WINDOW) {
		stream->ended = scan_window(stream, false, err);
	}
	if (stream->ended != 0) {
		stream->len = 0;
	}
	return stream->ended;
}

int
scanner_stream_feed(
	struct scanner_stream *stream, const void *data, size_t len, struct err *err)
{
	const char *bytes = data;

	while (len > 0 && stream->ended == 0) {
		size_t part;
		char *room = scanner_stream_room(stream, &part);

		part = MIN_OF(part, len);
		memcpy(room, bytes, part);
		bytes += part;
		len -= part;
		if (scanner_stream_filled(stream, part, err) != 0) {
			break;
		}
	}
	return stream->ended;
}

int
scanner_stream_end(struct scanner_stream *stream, struct err *err)
{
	if (stream->ended == 0) {
		stream->ended = scan_window(stream, true, err);
	}
	if (stream->ended != 0) {
		return stream->ended;
	}
	return (int)MIN_OF(stream->found, (size_t)INT32_MAX);
}
