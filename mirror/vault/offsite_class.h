// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/offsite_class - what did the remote mean?
 *
 * rclone leaves with status 1 whatever happened; the cause is in its text.
 *
 * Knows: nothing; pure.
 * Owns:  the table of words.
 * Never: guesses that something permanent will pass.
 */

#ifndef VAULT_OFFSITE_CLASS_H
#define VAULT_OFFSITE_CLASS_H

#include "base/base.h"

enum offsite_class {
	/** No network, 5xx, a broken connection: again, after a pause. */
	OFFSITE_PASSING,
	/** 429, or a 403 that says "rate limit": again, after a longer pause. */
	OFFSITE_SLOW_DOWN,
	/** 401, 403: the key is wrong; a person must act. */
	OFFSITE_REFUSED,
	/** 404 and the like: this remote or folder does not exist. */
	OFFSITE_MISSING,
	/** 413, 507, quota: no room there. */
	OFFSITE_FULL,
	/** The configuration is wrong, or rclone does not know the remote. */
	OFFSITE_SETUP,
	OFFSITE_NCLASSES_
};

/** Of what rclone wrote to standard error; @text need not end with NUL. */
enum offsite_class offsite_classify(const char *text, size_t len) NONNULL;
/** May the same command work later without anybody's help? */
bool offsite_is_passing(enum offsite_class class);
/** What a person can do; a literal. */
const char *offsite_advice(enum offsite_class class);
/** The pause before try number @tries (from 1), doubled each time, with a ceiling. */
int64_t
offsite_pause_ms(enum offsite_class class, int tries, int64_t first_ms, int64_t max_ms);

#endif
