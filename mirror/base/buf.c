// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/buf.h"

#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_done(struct buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = 0;
	buf->size = 0;
}

void
buf_wipe(struct buf *buf)
{
	if (buf->data != NULL) {
		explicit_bzero(buf->data, buf->len);
	}
	buf_done(buf);
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL) {
		buf->data[0] = '\0';
	}
}

int
buf_reserve(struct buf *buf, size_t more, struct err *err)
{
	size_t size;
	char *data;

	assert(buf->max > 0 && buf->max < SIZE_MAX);
	if (more > buf->max || buf->len > buf->max - more) {
		return err_raise(err, ERR_TOO_BIG, "more than %zu bytes", buf->max);
	}
	if (buf->len + more < buf->size) {
		return 0;
	}
	size = MAX_OF(buf->len + more + 1, buf->size + buf->size / 2);
	size = MAX_OF(MIN_OF(size, buf->max + 1), (size_t)64);
	data = realloc(buf->data, size);
	if (data == NULL) {
		return err_raise(err, ERR_NO_MEMORY, "a buffer of %zu bytes", size);
	}
	buf->data = data;
	buf->size = size;
	// buf_text() is a string even when nothing gets added now.
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_add(struct buf *buf, const void *data, size_t len, struct err *err)
{
	if (buf_reserve(buf, len, err) < 0) {
		return err->code;
	}
	if (len > 0) {
		memcpy(buf->data + buf->len, data, len);
	}
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_add_text(struct buf *buf, const char *text, struct err *err)
{
	return buf_add(buf, text, strlen(text), err);
}

int
buf_add_fmt(struct buf *buf, struct err *err, const char *fmt, ...)
{
	size_t room = MIN_OF(buf->size, buf->max + 1) - buf->len;
	va_list args;
	int len;

	// There is room as a rule; if not, this says how much is needed.
	va_start(args, fmt);
	len = vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, fmt, args);
	va_end(args);
	if (len < 0) {
		return err_raise(err, ERR_BUG, "format %s", fmt);
	}
	if ((size_t)len < room) {
		buf->len += (size_t)len;
		return 0;
	}
	if (room > 0) {
		buf->data[buf->len] = '\0';
	}
	if (buf_reserve(buf, (size_t)len, err) < 0) {
		return err->code;
	}
	va_start(args, fmt);
	(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
	return 0;
}

const char *
buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

char *
buf_steal(struct buf *buf)
{
	char *data = STEAL(buf->data);

	buf->len = 0;
	buf->size = 0;
	return data;
}
