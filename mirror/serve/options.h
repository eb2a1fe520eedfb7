// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/options - what the API is started with.
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: grows code.
 */

#ifndef SERVE_OPTIONS_H
#define SERVE_OPTIONS_H

#include "base/base.h"

struct config;

enum {
	/** Sockets listened on, those handed over included. */
	SERVE_LISTENERS_MAX = 8,
};

struct serve_options {
	/** Borrowed until serve_stop(), as everything here. */
	const struct config *config;
	const char *config_file;
	const char *state_dir;
	const char *runtime_dir;
	/** Where the engine hears that something was asked for; NULL: runtime_dir. */
	const char *bell_dir;
	/** <vault_dir>/<name> is the snapshot folder of a database; NULL: there are none.
	 */
	const char *vault_dir;
	/** In the place of [api] http; NULL: what that says. */
	const char *http;
	/** For one browser, beside an agent: no socket, no tokens, only the one-time link
	 * of serve_link(). */
	bool alone;
	/** Our executable (see vault/child.h); NULL: "/proc/self/exe". */
	const char *self;
	/** Listening sockets that systemd handed over; taken, closed in the end. */
	const int *fds;
	size_t nfds;
};

#endif
