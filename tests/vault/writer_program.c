// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Somebody else's program: it owns a database and commits to it as fast as asked.
 *
 *     vault_writer DB wal|delete COMMITS_PER_SECOND SECONDS ROWS_BEFORE
 *
 * Each transaction adds one row to `log`, moves one row of `pairs` (a and b always add up
 * to 0) and so can be torn; it prints "N\n" after commit N.  COMMITS 0 is no limit.
 */

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void
must(int rc, sqlite3 *db, const char *what)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
		fprintf(stderr, "writer: %s: %s\n", what, sqlite3_errmsg(db));
		exit(1);
	}
}

static double
now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	sqlite3 *db;
	sqlite3_stmt *insert;
	sqlite3_stmt *update;
	char sql[512];
	double start;
	double worst = 0;
	long count = 0;

	if (argc != 6) {
		return 64;
	}
	must(sqlite3_open(argv[1], &db), db, "open");
	sqlite3_busy_timeout(db, 20000);
	snprintf(sql, sizeof(sql),
		"PRAGMA journal_mode=%s; PRAGMA synchronous=OFF;"
		"CREATE TABLE IF NOT EXISTS log(id INTEGER PRIMARY KEY, text TEXT);"
		"CREATE INDEX IF NOT EXISTS log_text ON log(text);"
		"CREATE TABLE IF NOT EXISTS pairs(id INTEGER PRIMARY KEY, a INT, b INT, "
		"c);",
		argv[2]);
	must(sqlite3_exec(db, sql, NULL, NULL, NULL), db, "schema");
	snprintf(sql, sizeof(sql),
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%s)"
		"INSERT OR IGNORE INTO pairs SELECT i, 0, 0, hex(randomblob(200)) FROM n",
		argv[5]);
	must(sqlite3_exec(db, sql, NULL, NULL, NULL), db, "fill");
	must(sqlite3_prepare_v2(db, "INSERT INTO log(text) VALUES(hex(randomblob(16)))",
		     -1, &insert, NULL),
		db, "insert");
	must(sqlite3_prepare_v2(db,
		     "UPDATE pairs SET a=a+?1, b=b-?1, c=hex(randomblob(200)) WHERE "
		     "id=?2",
		     -1, &update, NULL),
		db, "update");
	printf("ready\n");
	fflush(stdout);
	for (start = now(); now() - start < atof(argv[4]);) {
		double before = now();
		double rate = atof(argv[3]);

		must(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), db, "begin");
		must(sqlite3_step(insert), db, "insert");
		sqlite3_reset(insert);
		sqlite3_bind_int(update, 1, rand() % 1000);
		sqlite3_bind_int(update, 2, 1 + rand() % atoi(argv[5]));
		must(sqlite3_step(update), db, "update");
		sqlite3_reset(update);
		must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db, "commit");
		printf("%ld\n", ++count);
		fflush(stdout);
		worst = now() - before > worst ? now() - before : worst;
		if (rate > 0 && (double)count > (now() - start) * rate) {
			usleep((useconds_t)(1e6 / rate));
		}
	}
	fprintf(stderr, "writer: %ld commits, worst %.1f ms\n", count, worst * 1000);
	sqlite3_finalize(insert);
	sqlite3_finalize(update);
	sqlite3_close(db);
	return 0;
}
