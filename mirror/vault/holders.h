// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/holders - which processes have this database open?
 *
 * Knows: base.
 * Owns:  nothing.
 * Never: sees the descriptors of other users' processes, unless it is root: SQLite's
 *        locks are asked as well.
 */

#ifndef VAULT_HOLDERS_H
#define VAULT_HOLDERS_H

#include "base/base.h"

/**
 * Processes other than this one that have @path, its -wal, -shm or -journal open, as
 * "1234 (name), ..." into @text.  Returns how many.
 */
size_t holders_find(const char *path, char *text, size_t len) NONNULL;

/** Does this one process have @path open?  Also false when its descriptors cannot be
 * seen. */
bool holders_has(const char *path, int pid) NONNULL;

#endif
