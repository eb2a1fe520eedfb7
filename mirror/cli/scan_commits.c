// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One `git log --raw` tells each commit and the objects that were not there before it:
 *
 *     \x01<commit>
 *     <author>, <email>, <date>: a line each
 *     <message>, as many lines as it has
 *     \x02
 *     :100644 100644 <old object> <new object> M\t<path>
 */

#include "cli/scan_commits.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/git_child.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/** Of a message; the rest is cut. */
	MESSAGE_MAX = 4096,
	TABLE_MIN = 1024,
};

/** An object by its first sixteen digits: enough to tell it apart. */
struct brought {
	uint64_t object;
	/** Number of its commit, + 1; 0 is a free place. */
	uint32_t commit;
};

struct scan_commits {
	struct scan_commit *list;
	size_t count;
	size_t size;
	struct brought *table;
	size_t nbrought;
	size_t table_size;
};

void
scan_commits_free(struct scan_commits *commits)
{
	if (commits == NULL) {
		return;
	}
	for (size_t i = 0; i < commits->count; i++) {
		free(commits->list[i].author);
		free(commits->list[i].email);
		free(commits->list[i].date);
		free(commits->list[i].message);
	}
	free(commits->list);
	free(commits->table);
	free(commits);
}

void
scan_commits_freep(struct scan_commits **commits)
{
	scan_commits_free(*commits);
	*commits = NULL;
}

static uint64_t
key_of(const char *object)
{
	char digits[17] = "";

	(void)snprintf(digits, sizeof(digits), "%.16s", object);
	return strtoull(digits, NULL, 16);
}

/** Where the object is, or where it would go. */
static struct brought *
place_of(const struct scan_commits *commits, uint64_t object)
{
	size_t slot = (size_t)(object % commits->table_size);

	while (commits->table[slot].commit != 0 &&
		commits->table[slot].object != object) {
		slot = slot + 1 == commits->table_size ? 0 : slot + 1;
	}
	return &commits->table[slot];
}

static void
grow_table(struct scan_commits *commits)
{
	struct brought *old = commits->table;
	size_t old_size = commits->table_size;

	if (commits->nbrought * 2 < old_size) {
		return;
	}
	commits->table_size = old_size == 0 ? TABLE_MIN : 2 * old_size;
	commits->table = xcalloc(commits->table_size, sizeof(*commits->table));
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].commit != 0) {
			*place_of(commits, old[i].object) = old[i];
		}
	}
	free(old);
}

/** The first commit that has it stays. */
static void
bring(struct scan_commits *commits, const char *object)
{
	grow_table(commits);

	struct brought *place = place_of(commits, key_of(object));
	if (place->commit == 0) {
		place->object = key_of(object);
		place->commit = (uint32_t)commits->count;
		commits->nbrought++;
	}
}

/** What a report may show of a text. */
static char *
clean(const struct scanner *scanner, const char *text, size_t len)
{
	AUTO(redaction_done)
	struct redaction redacted = { .out = { .max = 16 * MESSAGE_MAX } };
	struct scan_input input = { .data = text, .len = len };
	struct err err = { 0 };

	if (redact_bytes(scanner, &input, &redacted, &err) < 0 ||
		redacted.outcome == REDACT_CANNOT) {
		return xstrdup("REDACTED.unscanned");
	}
	return redacted.outcome == REDACT_CLEAN
		? xmemdup0(text, len)
		: xmemdup0(redacted.out.data, redacted.out.len);
}

/** The lines up to the one that ends the message. */
static int
read_message(struct git_reader *reader, char *line, struct buf *message, struct err *err)
{
	int more;

	while ((more = git_read_line(reader, line, err)) > 0 &&
		strcmp(line, "\x02") != 0) {
		size_t room = MESSAGE_MAX - MIN_OF(message->len, (size_t)MESSAGE_MAX);

		if (buf_add_fmt(message, err, "%.*s%s", (int)room, line,
			    room > strlen(line) ? "\n" : "") < 0) {
			return err->code;
		}
	}
	while (message->len > 0 && message->data[message->len - 1] == '\n') {
		message->len--;
	}
	return more;
}

/** One commit, from behind its first line. */
static int
read_commit(struct scan_commits *commits, const struct scanner *scanner,
	struct git_reader *reader, char *line, struct err *err)
{
	AUTO(buf_done) struct buf message = { .max = MESSAGE_MAX + GIT_LINE_MAX };
	struct scan_commit commit = { .id = "" };
	char **fields[] = { &commit.author, &commit.email, &commit.date };
	int more = 1;

	(void)snprintf(commit.id, sizeof(commit.id), "%.71s", line + 1);
	for (size_t i = 0; i < countof(fields) && more > 0; i++) {
		more = git_read_line(reader, line, err);
		*fields[i] = clean(scanner, line, more > 0 ? strlen(line) : 0);
	}
	if (more > 0) {
		more = read_message(reader, line, &message, err);
	}
	commit.message = clean(scanner, buf_text(&message), message.len);
	commits->list = xgrow(
		commits->list, commits->count, &commits->size, sizeof(*commits->list));
	commits->list[commits->count++] = commit;
	bring(commits, commit.id);
	return more;
}

static int
read_log(struct scan_commits *commits, const struct scanner *scanner,
	struct git_reader *reader, struct err *err)
{
	AUTO_FREE char *line = xmalloc(GIT_LINE_MAX);
	char object[72];
	int more;

	while ((more = git_read_line(reader, line, err)) > 0) {
		if (line[0] == '\x01') {
			more = read_commit(commits, scanner, reader, line, err);
			if (more < 0) {
				return more;
			}
		} else if (commits->count > 0 &&
			sscanf(line, ":%*6s %*6s %*71s %71s", object) == 1) {
			bring(commits, object);
		}
	}
	return more;
}

int
scan_commits_read(const char *repo, const struct scanner *scanner,
	struct scan_commits **ret_commits, struct err *err)
{
	const char *const argv[] = { "git", "-C", repo, "log", "--all", "--reverse", "-m",
		"--root", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff",
		"--no-color", "--no-show-signature", "--no-notes", "--no-mailmap",
		"--date=format-local:%Y-%m-%dT%H:%M:%SZ",
		"--format=%x01%H%n%an%n%ae%n%ad%n%B%n%x02", NULL };
	const char *env[32] = { "TZ=UTC0" };
	AUTO(scan_commits_freep)
	struct scan_commits *commits = xcalloc(1, sizeof(*commits));
	struct git_child log = {
		.plan = { .argv = argv, .env = env }, .in = -1, .out = -1
	};
	int ends[2] = { -1, -1 };
	int result = git_pipe(ends, err);

	for (size_t i = 0; git_elsewhere[i] != NULL && i + 2 < countof(env); i++) {
		env[i + 1] = git_elsewhere[i];
	}
	log.out = ends[1];
	if (result == 0) {
		result = git_child_start(&log, err);
	}
	if (result == 0) {
		struct git_reader *reader = xcalloc(1, sizeof(*reader));

		reader->fd = ends[0];
		result = read_log(commits, scanner, reader, err);
		free(reader);
	}
	base_close_p(&ends[0]);
	if (git_child_join(&log, "git log", result, err) < 0) {
		return err->code;
	}
	*ret_commits = STEAL(commits);
	return 0;
}

const struct scan_commit *
scan_commits_of(const struct scan_commits *commits, const char *object)
{
	if (commits->table_size == 0) {
		return NULL;
	}
	const struct brought *place = place_of(commits, key_of(object));

	return place->commit > 0 ? &commits->list[place->commit - 1] : NULL;
}
