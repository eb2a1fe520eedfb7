// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/sqlite_probe - is this a SQLite database, or a companion of one?
 *
 *     owner_len = sqlite_probe_owner(entry->name, entry->name_len);
 *     if (owner_len > 0 && is_database(entry->name, owner_len) &&
 *             sqlite_probe_is_companion(entry->name, entry->name_len, head, head_len)) {
 *             // part-of:<owner>
 *     }
 *
 * Knows: nothing.
 * Owns:  nothing; pure functions over bytes and names.
 * Never: trusts a suffix alone: a user may own a text called "todo-journal" beside a
 *        database called "todo", and it must not vanish behind that name (I7).
 *
 * Source: https://www.sqlite.org/fileformat2.html, sections 1.3, 3 and 4; walformat.html.
 */

#ifndef LEDGER_SQLITE_PROBE_H
#define LEDGER_SQLITE_PROBE_H

#include "base/base.h"

enum {
	/** Bytes of the head that the answers need. */
	SQLITE_PROBE_LEN = 32,
};

/** By the 16-byte header.  An empty file is a file, not a database. */
bool sqlite_probe_is_database(const void *head, size_t len) NONNULL_ARGS(1);

/** "x.db" for "x.db-wal", "-shm" and "-journal": the length of the owner's name, or 0. */
size_t sqlite_probe_owner(const char *name, size_t len) NONNULL;

/** Do the bytes look like what the suffix of @name says?  Empty and zeroed ones do. */
bool sqlite_probe_is_companion(
	const char *name, size_t name_len, const void *head, size_t len) NONNULL;

#endif
