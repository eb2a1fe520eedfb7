// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/allowed - what a person marked as fine, by fingerprint.
 *
 *     AUTO(allowed_done) struct allowed allowed = { 0 };
 *     if (allowed_load(git_dir, &allowed, err) < 0) ...
 *
 * Knows: base, scanner (the length of a fingerprint).
 * Owns:  <git dir>/mirror/allowed: one line each, "<32 hex> <when> <note>".  It lives
 * with the key that makes the fingerprints; without that key they mean nothing. Never:
 * holds a value, only keyed fingerprints; goes by position or path.
 */

#ifndef BRAIN_ALLOWED_H
#define BRAIN_ALLOWED_H

#include "base/base.h"
#include "scanner/finding.h"

struct err;

enum {
	ALLOWED_MAX = 100000,
	ALLOWED_FILE_MAX = 32 * 1024 * 1024,
	ALLOWED_NOTE_MAX = 200,
};

struct allowed {
	uint8_t (*prints)[FINDING_PRINT_LEN];
	/** The rest of each line; owned. */
	char **notes;
	size_t count;
	size_t capacity;
	size_t notes_capacity;
};

void allowed_done(struct allowed *allowed) NONNULL;

/** A missing file is an empty list; a line that is none is INVALID, with its number. */
int allowed_load(const char *git_dir, struct allowed *ret_allowed, struct err *err)
	NONNULL MUST_CHECK;

/** 1 added, 0 it was there, or negative.  Durable on return. */
int allowed_add(const char *git_dir, const uint8_t print[FINDING_PRINT_LEN],
	const char *note, struct err *err) NONNULL MUST_CHECK;
/** 1 removed, 0 it was not there, or negative. */
int allowed_remove(const char *git_dir, const uint8_t print[FINDING_PRINT_LEN],
	struct err *err) NONNULL MUST_CHECK;

#endif
