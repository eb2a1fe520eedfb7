// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * health/input - what a measurement is given.
 *
 * Knows: nothing.
 * Owns:  nothing; everything in it is borrowed.
 * Never: measures; health/facts does.
 */

#ifndef HEALTH_INPUT_H
#define HEALTH_INPUT_H

#include "base/base.h"

struct config;

struct health_input {
	/** The configuration in use, perhaps the last good one; NULL when there is none.
	 */
	const struct config *config;
	/** Why the file itself could not be used ("mirror.toml:4:3: ..."); NULL: it
	 * could. */
	const char *config_error;
	const char *state_dir;
	/** clock_now_ms() and clock_mono_ms(). */
	int64_t now_ms;
	int64_t mono_ms;
	/** Walk the disk and read git as well, without trusting agent or ledger. */
	bool deep;
	/** "" or a folder in front of /etc, /run, /var and the home folder, for tests. */
	const char *sysroot;
};

#endif
