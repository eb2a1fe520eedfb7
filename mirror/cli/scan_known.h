// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/scan_known - findings that a person has seen before: `mirror scan` alone knows
 * them.
 *
 * By content: a baseline holds fingerprints, which are equal for equal secrets wherever
 * they stand.  By place: .gitleaksignore, and the reports of gitleaks, say
 * file:rule:line.
 *
 * Knows: base, scanner (findings), scan_report (places).
 * Owns:  two sorted lists.
 * Never: is asked by a cycle (I7).
 */

#ifndef CLI_SCAN_KNOWN_H
#define CLI_SCAN_KNOWN_H

#include "base/base.h"
#include "scanner/finding.h"

struct err;
struct scan_place;

enum {
	SCAN_KNOWN_FILE_MAX = 64 * 1024 * 1024,
	SCAN_KNOWN_MAX = 1000 * 1000,
};

struct scan_known {
	uint8_t (*prints)[FINDING_PRINT_LEN];
	size_t nprints;
	size_t prints_size;
	/** "file:rule:line"; owned. */
	char **places;
	size_t nplaces;
	size_t places_size;
	bool sorted;
};

void scan_known_done(struct scan_known *known) NONNULL;

/**
 * Read a baseline: one of ours, a report of `mirror scan --json`, or a report of
 * gitleaks.  NOT_FOUND, INVALID, TOO_BIG.
 */
int scan_known_read(struct scan_known *known, const char *file, struct err *err)
	NONNULL MUST_CHECK;
/** Read a .gitleaksignore; a missing one is fine. */
int scan_known_read_ignore(struct scan_known *known, int dirfd, const char *name,
	struct err *err) NONNULL MUST_CHECK;

/** After the last reading, before the first question. */
void scan_known_sort(struct scan_known *known) NONNULL;
/** Is it known?  @rel is the path below the folder that is scanned; may be NULL. */
bool scan_known_has(const struct scan_known *known, const struct scan_place *place,
	const char *rel, const struct finding *finding) NONNULL_ARGS(1, 2, 4);

/** Remember a fingerprint: TOO_BIG past SCAN_KNOWN_MAX. */
int scan_known_add(struct scan_known *known, const uint8_t print[FINDING_PRINT_LEN],
	struct err *err) NONNULL MUST_CHECK;
/** Write the fingerprints as a baseline. */
int scan_known_write(struct scan_known *known, const char *file, struct err *err)
	NONNULL MUST_CHECK;

#endif
