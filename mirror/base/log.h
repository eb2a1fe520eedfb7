// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/log - one escaped line per event, to standard error.
 *
 * Knows: mem, path (to escape).
 * Owns:  the level and whether lines carry syslog's <n> prefix (set once, at start).
 * Never: decides; only main, agent, worker and serve call it, so each failure is told
 *        once (I11).  Prints nothing unprintable: a hostile name cannot forge a line.
 */

#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

/** By what a person must do. */
enum log_level {
	/** We gave up on something you asked for. */
	LOG_ERROR = 3,
	/** It failed and we go on; the line says how. */
	LOG_WARN = 4,
	/** What you will look for next week. */
	LOG_NOTICE = 5,
	LOG_DEBUG = 7,
};

/** Lines above @level are dropped; @prefixed adds "<n>" for journald. */
void log_init(enum log_level level, bool prefixed);
void
log_line(enum log_level level, const char *fmt, ...) NONNULL_ARGS(2) PRINTF_LIKE(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
