// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/gitleaks_rule - what gitleaks.c reads and gitleaks_scan.c runs.
 *
 * Knows: pattern.
 * Owns:  nothing by itself; struct gitleaks owns all of it.
 * Never: is included by anything but these two.
 */

#ifndef SCANNER_GITLEAKS_RULE_H
#define SCANNER_GITLEAKS_RULE_H

#include "base/base.h"

#include <stdatomic.h>

struct pattern;

enum gitleaks_target {
	GITLEAKS_SECRET,
	GITLEAKS_MATCH,
	GITLEAKS_LINE,
};

/** A regular expression as written, compiled at its first use. */
struct gitleaks_regex {
	char *source;
	_Atomic(struct pattern *) pattern;
};

struct gitleaks_regexes {
	struct gitleaks_regex *list;
	size_t count;
	size_t size;
};

struct gitleaks_texts {
	char **list;
	size_t count;
	size_t size;
};

struct gitleaks_allow {
	/** All kinds of checks must agree, rather than any. */
	bool all;
	enum gitleaks_target target;
	struct gitleaks_regexes paths;
	struct gitleaks_regexes regexes;
	struct gitleaks_texts stopwords;
	struct gitleaks_texts commits;
	/** Ids this global list is for; none means all. */
	struct gitleaks_texts rules;
};

struct gitleaks_allows {
	struct gitleaks_allow *list;
	size_t count;
	size_t size;
};

struct gitleaks_required {
	char *id;
	/** -1: anywhere in the text. */
	int64_t within_lines;
	int64_t within_columns;
};

struct gitleaks_rule {
	/** As written, and as a mark may show it. */
	char *id;
	char *safe_id;
	/** For people; may be NULL. */
	char *description;
	struct gitleaks_regex regex;
	/** The regex began with a lazy prefix such as [\w.-]{0,50}?, which was dropped:
	 * how far a match is widened to the left instead. */
	size_t prefix;
	struct gitleaks_regex path;
	size_t group;
	double entropy;
	bool silent;
	bool generic;
	struct gitleaks_texts keywords;
	struct gitleaks_allows allows;
	struct gitleaks_required *required;
	size_t nrequired;
	size_t required_size;
};

struct gitleaks {
	struct gitleaks_rule *rules;
	size_t count;
	size_t size;
	struct gitleaks_allows allows;
	struct gitleaks_texts disabled;
	bool use_default;
	/** Hash of the files as read. */
	uint8_t digest[32];
};

#endif
