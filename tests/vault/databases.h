// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/vault/databases - somebody else's databases, made and read with SQLite itself.
 *
 * Knows: support/scratch.
 * Owns:  the writer it starts, until writer_stop().
 * Never: used by anything but tests of this room.
 */

#ifndef TESTS_VAULT_DATABASES_H
#define TESTS_VAULT_DATABASES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Run SQL on a database, made when missing; fails the test when it cannot. */
void database_exec(const char *path, const char *sql);
/** The first integer of a query. */
int64_t database_int(const char *path, const char *sql);
/** With the collation MYCOLL and the function myf(), which only this program knows. */
void database_exec_special(const char *path, const char *sql);
/** Its integrity check, by a program that knows them; fails the test otherwise. */
void database_check_special(const char *path);
/** A crash: a copy of the database as it is with a transaction half done. */
void database_crash(const char *path, const char *journal_mode);

/** A program that commits all the time. */
struct writer {
	pid_t pid;
	int out;
	long last;
	char line[32];
	unsigned int len;
};
void writer_start(
	struct writer *writer, const char *path, const char *mode, int rate, int rows);
/** The number of the last commit it has told us of. */
long writer_count(struct writer *writer);
void writer_stop(struct writer *writer);

#endif
