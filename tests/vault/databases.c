// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/databases.h"

#include "support/test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void
run(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
		fail_msg("%s: %s", sql, message);
	}
}

void
database_exec(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	run(db, sql);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int64_t
database_int(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t value;

	assert_int_equal(
		sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	}
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return value;
}

// Backwards, so that whoever sorts otherwise is found out.
static int
compare_backwards(
	void *payload, int left_len, const void *left, int right_len, const void *right)
{
	int order = memcmp(right, left, (size_t)MIN_OF(left_len, right_len));

	(void)payload;
	return order != 0 ? order : right_len - left_len;
}

static void
add_one(sqlite3_context *context, int nvalues, sqlite3_value **values)
{
	(void)nvalues;
	sqlite3_result_int64(context, sqlite3_value_int64(values[0]) + 1);
}

static sqlite3 *
open_special(const char *path)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_create_collation(db, "MYCOLL", SQLITE_UTF8, NULL, compare_backwards);
	sqlite3_create_function(db, "myf", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
		add_one, NULL, NULL);
	return db;
}

void
database_exec_special(const char *path, const char *sql)
{
	sqlite3 *db = open_special(path);

	run(db, sql);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

void
database_check_special(const char *path)
{
	sqlite3 *db = open_special(path);
	sqlite3_stmt *stmt;

	assert_int_equal(
		sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "ok");
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

void
database_crash(const char *path, const char *journal_mode)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char sql[512];
		sqlite3 *db;

		sqlite3_open(path, &db);
		// A cache of one page writes to the file long before the commit.
		snprintf(sql, sizeof(sql),
			"PRAGMA journal_mode=%s; PRAGMA cache_size=1; PRAGMA "
			"wal_autocheckpoint=0; INSERT INTO t VALUES('committed'); BEGIN "
			"IMMEDIATE; UPDATE t SET x = 'half' || x",
			journal_mode);
		sqlite3_exec(db, sql, NULL, NULL, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

void
writer_start(
	struct writer *writer, const char *path, const char *mode, int rate, int rows)
{
	char rate_text[16];
	char rows_text[16];
	int ends[2];

	snprintf(rate_text, sizeof(rate_text), "%d", rate);
	snprintf(rows_text, sizeof(rows_text), "%d", rows);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	*writer = (struct writer){ .out = ends[0] };
	writer->pid = fork();
	if (writer->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		execl(VAULT_WRITER, VAULT_WRITER, path, mode, rate_text, "600", rows_text,
			(char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	// "ready"
	while (writer_count(writer) < 1) {
		usleep(1000);
	}
}

long
writer_count(struct writer *writer)
{
	struct pollfd poll_fd = { .fd = writer->out, .events = POLLIN };
	char chunk[4096];
	ssize_t len;

	while (poll(&poll_fd, 1, 0) == 1 &&
		(len = read(writer->out, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < len; i++) {
			if (chunk[i] != '\n') {
				writer->line[writer->len++ % 31] = chunk[i];
				continue;
			}
			writer->line[writer->len % 31] = '\0';
			writer->last = atol(writer->line);
			writer->len = 0;
		}
	}
	return writer->last;
}

void
writer_stop(struct writer *writer)
{
	kill(writer->pid, SIGKILL);
	waitpid(writer->pid, NULL, 0);
	close(writer->out);
}
