// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Somebody else's program: it owns a database and answers on a socket.
 *
 *     vault_owner SOCKET DB MANNER
 *
 * MANNER: "good", "chatty" (notifications in between), "refuse", "tool-error", "nothing"
 * (says done, writes nothing), "empty", "cut" (only the first page), "half" (writes,
 * hangs up before the answer), "silent" (never answers).
 */

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *manner;
static sqlite3 *db;

static void
answer(FILE *to, const char *rest)
{
	if (strcmp(manner, "chatty") == 0) {
		fprintf(to,
			"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
			"\"params\":{}}\nnot json at all\n"
			"{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\n");
	}
	fprintf(to, "{\"jsonrpc\":\"2.0\",%s}\n", rest);
	fflush(to);
}

// The text between "target_path":" and the next quote: tests use plain names.
static void
copy_to_target(const char *line)
{
	char path[4096] = "";
	char *sql;

	if (sscanf(strstr(line, "\"target_path\":\"") + 15, "%4095[^\"]", path) != 1) {
		return;
	}
	if (strcmp(manner, "empty") == 0) {
		fclose(fopen(path, "w"));
		return;
	}
	sql = sqlite3_mprintf("VACUUM INTO %Q", path);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "owner: %s\n", sqlite3_errmsg(db));
	}
	sqlite3_free(sql);
	if (strcmp(manner, "cut") == 0 && truncate(path, 4096) < 0) {
		perror("truncate");
	}
}

static void
call(FILE *to, const char *line)
{
	if (strcmp(manner, "refuse") == 0) {
		answer(to,
			"\"id\":2,\"error\":{\"code\":-32000,\"message\":\"already in "
			"progress\"}");
	} else if (strcmp(manner, "tool-error") == 0) {
		answer(to,
			"\"id\":2,\"result\":{\"isError\":true,\"content\":[{\"type\":"
			"\"text\",\"text\":\"disk full\"}]}");
	} else if (strcmp(manner, "nothing") == 0) {
		answer(to, "\"id\":2,\"result\":{}");
	} else if (strcmp(manner, "silent") == 0) {
		copy_to_target(line);
		pause();
	} else {
		copy_to_target(line);
		if (strcmp(manner, "half") == 0) {
			return;
		}
		answer(to,
			"\"id\":2,\"result\":{\"content\":[{\"type\":\"text\","
			"\"text\":\"done\"}]}");
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 4 || sqlite3_open(argv[2], &db) != SQLITE_OK ||
		sqlite3_exec(db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL) !=
			SQLITE_OK) {
		return 64;
	}
	manner = argv[3];
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, 4) < 0) {
		return 1;
	}
	for (;;) {
		int peer = accept(fd, NULL, NULL);
		FILE *from = fdopen(peer, "r");
		FILE *to = fdopen(dup(peer), "w");
		char line[65536];

		while (fgets(line, sizeof(line), from) != NULL) {
			if (strstr(line, "\"initialize\"") != NULL) {
				answer(to,
					"\"id\":1,\"result\":{\"protocolVersion\":"
					"\"2024-11-05\"}");
			} else if (strstr(line, "tools/call") != NULL) {
				call(to, line);
				if (strcmp(manner, "half") == 0) {
					break;
				}
			}
		}
		fclose(from);
		fclose(to);
	}
}
