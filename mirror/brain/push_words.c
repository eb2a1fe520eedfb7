// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What git says of how far it is, and what servers say of where a secret is.
 *
 * Servers that look for secrets say where, each in its own words:
 *
 *     remote: —— Amazon AWS Access Key ID ————
 *     remote:  locations:                          remote: PUSH BLOCKED: Secrets ...
 *     remote:    - commit: 1a2b3c4d...             remote: ... in commit: 1a2b3c4d...
 *     remote:      path: notes/a.md:12             remote: -- notes/a.md:12 | a token
 *     remote:    - blob id: 5e6f7a8b...            remote: -- notes/a.md:12 a token
 *
 * What one of them leaves out, our own repository knows: the blob of a path in a commit,
 * the path of a blob.
 */

#include "brain/push_room.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ASK_MS = 10000,
	ANSWER_MAX = 64 * 1024,
	PLACES_MAX = 3,
	PATH_SHOWN = 200,
	HEX_MIN = 7,
	LINE_MAX_ = 200,
};

// ---- how far

void
push_progress(const char *line, size_t len, struct push_progress *ret_progress)
{
	char text[LINE_MAX_];
	const char *words = text;
	const char *colon;
	const char *open;
	unsigned long long done;
	unsigned long long total;
	int end = 0;

	*ret_progress = (struct push_progress){ .what = "" };
	(void)snprintf(text, sizeof(text), "%.*s", (int)MIN_OF(len, sizeof(text) - 1),
		line != NULL ? line : "");
	if (strncmp(words, "remote: ", 8) == 0) {
		words += 8;
	}
	colon = strchr(words, ':');
	open = colon != NULL ? strstr(colon, "% (") : NULL;
	if (open == NULL || sscanf(open + 3, "%llu/%llu)%n", &done, &total, &end) != 2 ||
		end == 0) {
		return;
	}
	(void)snprintf(ret_progress->what, sizeof(ret_progress->what), "%.*s",
		(int)(colon - words), words);
	ret_progress->what[0] = (char)tolower((unsigned char)ret_progress->what[0]);
	ret_progress->done = done;
	ret_progress->total = total;
}

// ---- where the secret is

// As the server named them; empty when it did not.
struct place {
	char commit[OID_HEX_MAX];
	char blob[OID_HEX_MAX];
	char path[PATH_SHOWN + 1];
};

struct blame {
	struct push *push;
	struct place now;
	size_t nplaces;
	char text[sizeof(((struct push_result *)0)->said)];
	size_t len;
};

static void PRINTF_LIKE(2, 3) add(struct blame *blame, const char *fmt, ...)
{
	va_list args;
	int more;

	va_start(args, fmt);
	more = vsnprintf(
		blame->text + blame->len, sizeof(blame->text) - blame->len, fmt, args);
	va_end(args);
	blame->len =
		MIN_OF(blame->len + (size_t)MAX_OF(more, 0), sizeof(blame->text) - 1);
}

// The hex digits at @text, if they can be a git id.
static bool
take_hex(const char *text, char ret_hex[OID_HEX_MAX])
{
	size_t len = strspn(text, "0123456789abcdef");

	if (len < HEX_MIN || len >= OID_HEX_MAX || isalnum((unsigned char)text[len])) {
		return false;
	}
	memcpy(ret_hex, text, len);
	ret_hex[len] = '\0';
	return true;
}

// The first line that git says; empty when it fails.
static char *
ask_git(struct push *push, const char *const *words)
{
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", push->options->git_dir);
	const char *argv[12] = { "git", git_dir, "-c", "core.quotePath=false" };
	struct spawn plan = {
		.argv = argv,
		.env = (const char *const *)push->env,
		.deadline_ms = ASK_MS,
		.gentle = push->options->gentle,
	};
	struct spawn_result result = SPAWN_RESULT(ANSWER_MAX);
	struct err ignored;
	char *answer = NULL;

	for (size_t i = 0; words[i] != NULL && i + 5 < countof(argv); i++) {
		argv[i + 4] = words[i];
	}
	if (spawn_run(&plan, &result, &ignored) == 0 && result.status == 0) {
		const char *text = buf_text(&result.out);

		text += strspn(text, "\n");
		answer = xmemdup0(text, strcspn(text, "\n"));
	}
	spawn_result_done(&result);
	return answer != NULL ? answer : xstrdup("");
}

static void
fill_in_blob(struct blame *blame)
{
	struct place *place = &blame->now;
	AUTO_FREE char *name = xasprintf("%s:%s", place->commit, place->path);
	AUTO_FREE char *answer = ask_git(blame->push,
		(const char *const[]){ "rev-parse", "--verify", "--quiet", name, NULL });

	(void)take_hex(answer, place->blob);
}

static void
fill_in_path(struct blame *blame)
{
	struct place *place = &blame->now;
	char head[OID_HEX_MAX];
	AUTO_FREE char *find = xasprintf("--find-object=%s", place->blob);
	AUTO_FREE char *answer = ask_git(blame->push,
		(const char *const[]){ "log", "-1", "--format=", "--name-only", find,
			oid_hex(&blame->push->options->commit, head), "--", NULL });

	(void)snprintf(place->path, sizeof(place->path), "%s", answer);
}

// What is known so far is one place.
static void
end_place(struct blame *blame)
{
	struct place *place = &blame->now;

	if (place->path[0] == '\0' && place->blob[0] == '\0') {
		return;
	}
	blame->nplaces++;
	if (blame->nplaces > PLACES_MAX) {
		place->path[0] = place->blob[0] = '\0';
		return;
	}
	if (place->blob[0] == '\0' && place->commit[0] != '\0') {
		fill_in_blob(blame);
	} else if (place->path[0] == '\0') {
		fill_in_path(blame);
	}
	AUTO_FREE char *shown = path_printable(place->path);

	add(blame, "%s%.*s", blame->nplaces > 1 ? ", " : "", PATH_SHOWN,
		shown[0] != '\0' ? shown : "a file no longer there");
	if (place->blob[0] != '\0') {
		add(blame, " (blob %.12s)", place->blob);
	}
	place->path[0] = place->blob[0] = '\0';
}

// Where does the path end?  At the last number of a line, if one follows it.
static size_t
path_len(const char *text)
{
	size_t end = strcspn(text, "|");
	size_t len = end;

	while (len > 0 && text[len - 1] == ' ') {
		len--;
	}
	for (size_t i = len; i-- > 1;) {
		size_t digits = strspn(text + i + 1, "0123456789");

		if (text[i] == ':' && digits > 0 &&
			(i + 1 + digits >= len || text[i + 1 + digits] == ' ')) {
			return i;
		}
	}
	return len;
}

// "notes/a.md:12 | a token", "notes/a.md:12 a token", "notes/a.md:12": notes/a.md.
static void
take_path(struct blame *blame, const char *text)
{
	size_t len = path_len(text);

	if (blame->now.path[0] != '\0') {
		end_place(blame);
	}
	(void)snprintf(blame->now.path, sizeof(blame->now.path), "%.*s",
		(int)MIN_OF(len, (size_t)PATH_SHOWN), text);
	// A blob is told before its path, or not at all.
	end_place(blame);
}

static void
read_line(struct blame *blame, const char *line)
{
	static const char commit[] = "commit: ";
	static const char blob[] = "blob id: ";
	const char *at;
	char hex[OID_HEX_MAX];

	if (strncmp(line, "remote:", 7) == 0) {
		line += 7;
	}
	line += strspn(line, " \t");
	if ((at = strstr(line, commit)) != NULL && take_hex(at + strlen(commit), hex)) {
		end_place(blame);
		memcpy(blame->now.commit, hex, sizeof(hex));
	} else if ((at = strstr(line, blob)) != NULL &&
		take_hex(at + strlen(blob), hex)) {
		end_place(blame);
		memcpy(blame->now.blob, hex, sizeof(hex));
	} else if (strncmp(line, "path: ", 6) == 0) {
		take_path(blame, line + 6);
	} else if (strncmp(line, "-- ", 3) == 0) {
		take_path(blame, line + 3);
	}
}

void
push_blame(struct push *push, const char *words)
{
	struct blame blame = { .push = push };
	AUTO_FREE char *copy = xstrdup(words);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\r\n")) != NULL;) {
		read_line(&blame, line);
	}
	end_place(&blame);
	if (blame.nplaces == 0) {
		return;
	}
	if (blame.nplaces > PLACES_MAX) {
		add(&blame, " and %zu more", blame.nplaces - PLACES_MAX);
	}
	// The place first: what the server said besides is long.
	add(&blame, " / %s", push->result->said);
	(void)snprintf(push->result->said, sizeof(push->result->said), "%s", blame.text);
}
