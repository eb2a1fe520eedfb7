// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/html.h"

#include "base/mem.h"
#include "base/path.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_bytes(struct html *page, const char *data, size_t len)
{
	if (page->err.code == 0 && len > 0) {
		(void)!buf_add(&page->out, data, len, &page->err);
	}
}

void
html_raw(struct html *page, const char *markup)
{
	add_bytes(page, markup, strlen(markup));
}

static const char *
reference_of(char byte)
{
	switch (byte) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void
add_escaped(struct html *page, const char *text)
{
	AUTO_FREE char *shown = path_printable(text != NULL ? text : "");
	const char *from = shown;
	const char *at;

	for (at = shown; *at != '\0'; at++) {
		const char *reference = reference_of(*at);

		if (reference != NULL) {
			add_bytes(page, from, (size_t)(at - from));
			html_raw(page, reference);
			from = at + 1;
		}
	}
	add_bytes(page, from, (size_t)(at - from));
}

void
html_add(struct html *page, const char *fmt, ...)
{
	char number[32];
	va_list args;

	va_start(args, fmt);
	for (;;) {
		const char *percent = strchrnul(fmt, '%');

		add_bytes(page, fmt, (size_t)(percent - fmt));
		if (*percent == '\0') {
			break;
		}
		fmt = percent + 1;
		if (*fmt == 's') {
			add_escaped(page, va_arg(args, const char *));
			fmt++;
			continue;
		}
		if (strncmp(fmt, "lld", 3) == 0) {
			(void)snprintf(
				number, sizeof(number), "%lld", va_arg(args, long long));
			fmt += 3;
		} else if (strncmp(fmt, "zu", 2) == 0) {
			(void)snprintf(
				number, sizeof(number), "%zu", va_arg(args, size_t));
			fmt += 2;
		} else if (*fmt == 'd' || *fmt == 'u') {
			(void)snprintf(number, sizeof(number), *fmt == 'd' ? "%d" : "%u",
				va_arg(args, int));
			fmt++;
		} else {
			(void)snprintf(number, sizeof(number), "%%");
			fmt += *fmt == '%';
		}
		html_raw(page, number);
	}
	va_end(args);
}

static char *
url_of(const char *bytes, const char *plain)
{
	char *text = xcalloc(3 * strlen(bytes) + 1, 1);
	char *at = text;

	for (; *bytes != '\0'; bytes++) {
		unsigned char byte = (unsigned char)*bytes;

		if (isalnum(byte) || strchr(plain, byte) != NULL) {
			*at++ = *bytes;
		} else {
			*at++ = '%';
			*at++ = "0123456789ABCDEF"[byte >> 4];
			*at++ = "0123456789ABCDEF"[byte & 15];
		}
	}
	return text;
}

char *
html_url(const char *bytes)
{
	return url_of(bytes, "-._~");
}

void
html_add_url(struct html *page, const char *bytes)
{
	AUTO_FREE char *text = url_of(bytes, "-._~");

	html_raw(page, text);
}

void
html_add_url_path(struct html *page, const char *bytes)
{
	AUTO_FREE char *text = url_of(bytes, "-._~/");

	html_raw(page, text);
}

int
html_end(struct html *page, struct err *err)
{
	if (page->err.code != 0) {
		*err = page->err;
		return err_wrap(err, "make the page");
	}
	return 0;
}

void
html_problem(struct html *page, const char *title, const struct err *why)
{
	html_add(page,
		"<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		"<meta name=\"color-scheme\" content=\"light dark\">"
		"<title>mirror: %s</title>\n<style>body{font:1rem/1.5 "
		"system-ui,sans-serif;margin:2rem auto;max-width:40rem;padding:0 1rem}"
		"</style></head>\n<body><main><h1>%s</h1>\n",
		title, title);
	if (why->msg[0] != '\0') {
		html_add(page, "<p>%s</p>\n", why->msg);
	}
	if (why->next[0] != '\0') {
		html_add(page, "<p>Run: <code>%s</code></p>\n", why->next);
	}
	html_raw(page, "<p><a href=\"/\">The status page</a></p></main></body></html>\n");
}
