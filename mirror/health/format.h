// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/format - one report, as people, scripts and monitors like to read it.
 *
 *     AUTO(buf_done) struct buf text = { .max = FORMAT_MAX };
 *
 *     if (format_report(&report, FORMAT_NAGIOS, false, &text, err) < 0) ...
 *
 * Knows: report, verdict, base (json).
 * Owns:  nothing; pure: the report goes in, text comes out.
 * Never: prints a control character that came from outside, or a colour.
 *
 * JSON is `mirror.health/1`: fields are only ever added.
 * Sources: Monitoring Plugins development guidelines (one line, perfdata);
 * Prometheus text exposition format 0.0.4.
 */

#ifndef HEALTH_FORMAT_H
#define HEALTH_FORMAT_H

#include "base/base.h"

struct buf;
struct err;
struct health_report;
struct json;

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_NAGIOS,
	FORMAT_PROMETHEUS,
	FORMAT_NFORMATS_,
};

enum {
	FORMAT_MAX = 1024 * 1024,
};

/** "nagios"; a literal. */
const char *format_word(enum format format);
/** The way back; false when there is no such format. */
bool format_parse(const char *word, enum format *ret_format) NONNULL;

/**
 * Append the report, with a newline at its end.
 *
 * @verbose
 *         FORMAT_TEXT: healthy facts as well.
 */
int format_report(const struct health_report *report, enum format format, bool verbose,
	struct buf *text, struct err *err) NONNULL MUST_CHECK;

/** The same as a value, for the API; owned by the caller. */
struct json *format_json(const struct health_report *report) NONNULL MUST_CHECK;

/** The `accounting` object alone, for others who show it; owned by the caller. */
struct health_accounting;
struct json *
format_accounting(const struct health_accounting *accounting) NONNULL MUST_CHECK;

#endif
