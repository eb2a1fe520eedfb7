// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

NORETURN static void
out_of_memory(void)
{
	static const char line[] = "<3>mirror: out of memory; leaving to be restarted\n";

	(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
	_exit(2);
}

void *
xmalloc(size_t len)
{
	void *pointer = malloc(len > 0 ? len : 1);

	if (pointer == NULL) {
		out_of_memory();
	}
	return pointer;
}

void *
xcalloc(size_t count, size_t len)
{
	void *pointer = calloc(count > 0 ? count : 1, len > 0 ? len : 1);

	if (pointer == NULL) {
		out_of_memory();
	}
	return pointer;
}

void *
xrealloc(void *pointer, size_t len)
{
	void *moved = realloc(pointer, len > 0 ? len : 1);

	if (moved == NULL) {
		out_of_memory();
	}
	return moved;
}

char *
xstrdup(const char *text)
{
	return xmemdup0(text, strlen(text));
}

char *
xmemdup0(const void *data, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len > 0) {
		memcpy(copy, data, len);
	}
	copy[len] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		out_of_memory();
	}
	return text;
}

void *
xgrow(void *array, size_t count, size_t *capacity, size_t element_len)
{
	size_t wanted;

	if (count < *capacity) {
		return array;
	}
	if (__builtin_mul_overflow(*capacity > 0 ? *capacity : 8, (size_t)2, &wanted) ||
		wanted > SIZE_MAX / element_len) {
		out_of_memory();
	}
	*capacity = wanted;
	return xrealloc(array, wanted * element_len);
}
