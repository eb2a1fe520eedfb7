// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/notify - a word to the service manager.
 *
 *     notify_send("READY=1\nSTATUS=watching 3 folders");
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: fails: without a manager ($NOTIFY_SOCKET) there is nobody to tell.
 *
 * Source: sd_notify(3): one datagram to a Unix socket, "@" for an abstract one.
 */

#ifndef AGENT_NOTIFY_H
#define AGENT_NOTIFY_H

#include "base/base.h"

void notify_send(const char *text) NONNULL;

/** How often WATCHDOG=1 is due, half of what the manager allows; 0 when it does not ask.
 */
int64_t notify_watchdog_ms(void);

#endif
