// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/finding - one secret, named but not shown.
 *
 * Knows: nothing.
 * Owns:  nothing: `rule` is borrowed from the scanner.
 * Never: has a field that could hold the secret: what cannot be stored cannot be logged,
 *        sent or committed by mistake (I3).
 */

#ifndef SCANNER_FINDING_H
#define SCANNER_FINDING_H

#include "base/base.h"

enum finding_confidence {
	/** The format, a checksum or the structure says so. */
	FINDING_CERTAIN,
	/** The name beside it and the look of the value say so. */
	FINDING_LIKELY,
};

enum {
	FINDING_PRINT_LEN = 16,
};

struct finding {
	/** [a-z0-9][a-z0-9_-]*; borrowed from the scanner, valid as long as it. */
	const char *rule;
	enum finding_confidence confidence;
	/** Byte offsets of the secret in the original bytes, end exclusive.  A rule that
	 * speaks about the path alone has start == end == 0. */
	size_t start;
	size_t end;
	/** From 1; the column counts bytes. */
	size_t line;
	size_t column;
	size_t end_line;
	/** Of its last byte. */
	size_t end_column;
	/** Shannon's, of the decoded secret, in hundredths of a bit: for reports. */
	uint16_t entropy;
	/** Keyed hash of the decoded secret: equal secrets are equal, whatever their
	 * encoding or place.  Never a bare hash, which could be tried against. */
	uint8_t fingerprint[FINDING_PRINT_LEN];
};

/** "certain" or "likely"; a literal. */
const char *finding_confidence_name(enum finding_confidence confidence);

#endif
