// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/log.h"

#include "base/mem.h"
#include "base/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LOG_LINE_MAX = 4096
};

static enum log_level most = LOG_NOTICE;
static bool with_prefix = false;

void
log_init(enum log_level level, bool prefixed)
{
	most = level;
	with_prefix = prefixed;
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char raw[LOG_LINE_MAX];
	va_list args;

	if (level > most) {
		return;
	}
	va_start(args, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);

	AUTO_FREE char *text = path_printable(raw);
	AUTO_FREE char *line = with_prefix ? xasprintf("<%d>%s\n", (int)level, text)
					   : xasprintf("mirror: %s\n", text);
	// One write, so that lines of two threads do not mix.
	(void)!write(STDERR_FILENO, line, strlen(line));
}
