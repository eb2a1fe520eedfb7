// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/listen - where clients come in: our own socket, loopback, what systemd handed us.
 *
 *     fd = listen_unix(path, err);
 *     fd = listen_tcp("127.0.0.1:7117", err);
 *     client = listen_accept(fd, &addr, &len);      // -1: nobody, or somebody else's uid
 *
 * Knows: base.
 * Owns:  nothing: every descriptor is the caller's.
 * Never: listens on an address that other machines reach, lets another user in by the
 *        Unix socket (root apart), takes a living agent's socket away.
 */

#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

#include "base/base.h"

#include <sys/socket.h>

struct err;

enum {
	LISTEN_BACKLOG = 128,
};

/** 0600, in place of one that nobody answers.  BUSY: somebody does.  The descriptor. */
int listen_unix(const char *path, struct err *err) NONNULL MUST_CHECK;

/** "127.0.0.1:7117", "[::1]:7117", "localhost:7117".  CONFIG: no loopback address;
 * EXISTS: the port is taken.  The descriptor. */
int listen_tcp(const char *where, struct err *err) NONNULL MUST_CHECK;

/** Is this a listening stream socket, of a kind that listen_accept() can judge? */
bool listen_is_ours(int fd);

/** The next client, judged; non-blocking.  -1 when there is none (or it was refused, with
 * errno EPERM). */
int listen_accept(int fd, struct sockaddr_storage *ret_addr, socklen_t *ret_len) NONNULL;

#endif
