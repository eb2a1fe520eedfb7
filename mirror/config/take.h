// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * config/take - one TOML value into the field that its row of the table points at.
 *
 * Knows: base (toml, clock, path), fields, options, places.
 * Owns:  nothing.
 * Never: guesses a kind: text is not a number, a number is no duration.
 */

#ifndef CONFIG_TAKE_H
#define CONFIG_TAKE_H

#include "base/base.h"

struct config_list;
struct err;
struct option;
struct toml_value;

/** Where we are while reading one table. */
struct reading {
	const char *file;
	const struct option *table;
	size_t ntable;
	const char *section;
	/** The struct the offsets count from, and the lines of its options. */
	void *into;
	unsigned int *lines;
	struct err *err;
};

/** The place in @into that @option points at. */
void *take_field(void *into, const struct option *option) NONNULL;

/** Check and convert; CONFIG with file:line:column in the story. */
int take(const struct reading *reading, const struct option *option,
	const struct toml_value *value) NONNULL_ARGS(1, 2) MUST_CHECK;

/** "file:line:column: ..."; returns CONFIG. */
int take_wrong(const struct reading *reading, unsigned int line, unsigned int column,
	const char *fmt, ...) NONNULL PRINTF_LIKE(4, 5);

void take_list_done(struct config_list *list) NONNULL;

#endif
