// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/journal.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "mirror-undo 1";

static const char *const kind_words[] = {
	[JOURNAL_MADE] = "made",
	[JOURNAL_REPLACED] = "replaced",
	[JOURNAL_CHANGED] = "changed",
};

static const char *const entry_words[] = {
	[SIDECAR_FILE] = "file",
	[SIDECAR_LINK] = "link",
	[SIDECAR_FOLDER] = "folder",
};

// ---- writing

int
journal_write_head(struct buf *text, const struct oid *commit,
	const struct restore_root *roots, size_t nroots, struct err *err)
{
	char hex[OID_HEX_MAX];

	if (buf_add_fmt(text, err, "%s\ncommit\t%s\n", head, oid_hex(commit, hex)) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < nroots; i++) {
		AUTO_FREE char *name = sidecar_escape(roots[i].name);
		AUTO_FREE char *path = sidecar_escape(roots[i].path);

		if (buf_add_fmt(text, err, "root\t%s\t%s\n", name, path) < 0) {
			return err->code;
		}
	}
	return 0;
}

int
journal_write_line(struct buf *text, const struct journal_line *line, struct err *err)
{
	AUTO_FREE char *path = sidecar_escape(line->path);
	const char *kind = kind_words[line->kind];
	char hex[OID_HEX_MAX];

	if (line->kind == JOURNAL_CHANGED) {
		return buf_add_fmt(text, err, "%s\t%04o %" PRId64 ".%09ld\t%s\n", kind,
			(unsigned int)line->mode, (int64_t)line->mtime.tv_sec,
			line->mtime.tv_nsec, path);
	}
	return buf_add_fmt(text, err, "%s\t%s\t%s\t%s\n", kind, entry_words[line->entry],
		line->entry == SIDECAR_FOLDER ? "-" : oid_hex(&line->oid, hex), path);
}

// ---- reading

/** One line, cut at its TABs. */
enum {
	FIELDS_MAX = 4
};
struct fields {
	char *field[FIELDS_MAX];
	size_t count;
};

static bool
cut(char *line, struct fields *fields)
{
	char *rest = line;

	fields->count = 0;
	for (char *field; (field = strsep(&rest, "\t")) != NULL;) {
		if (fields->count == FIELDS_MAX) {
			return false;
		}
		fields->field[fields->count++] = field;
	}
	return true;
}

static int
word_of(const char *const *words, size_t nwords, const char *word)
{
	for (size_t i = 0; i < nwords; i++) {
		if (strcmp(words[i], word) == 0) {
			return (int)i;
		}
	}
	return -1;
}

// "0755 1763716438.123456789", and nothing but what would be written for it.
static bool
read_facts(const char *text, struct journal_line *line)
{
	AUTO(buf_done) struct buf again = { .max = 64 };
	const char *whole = text;
	struct err ignored;
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (end == text || *end != ' ' || mode > 07777) {
		return false;
	}
	line->mode = (uint32_t)mode;
	text = end + 1;
	line->mtime.tv_sec = strtoll(text, &end, 10);
	if (end == text || *end != '.' || strlen(end) != 10) {
		return false;
	}
	line->mtime.tv_nsec = strtol(end + 1, &end, 10);
	return *end == '\0' && line->mtime.tv_nsec >= 0 &&
		buf_add_fmt(&again, &ignored, "%04lo %" PRId64 ".%09ld", mode,
			(int64_t)line->mtime.tv_sec, line->mtime.tv_nsec) == 0 &&
		strcmp(buf_text(&again), whole) == 0;
}

// "<name>" or "<name>/<rel>" that stays below its name.
static bool
is_path(const char *path)
{
	while (*path != '\0') {
		size_t len = (size_t)(strchrnul(path, '/') - path);

		if (len == 0 || (len == 1 && path[0] == '.') ||
			(len == 2 && path[0] == '.' && path[1] == '.')) {
			return false;
		}
		path += len;
		if (*path == '/' && *++path == '\0') {
			return false;
		}
	}
	return true;
}

static bool
read_line(const struct fields *fields, struct journal_line *line)
{
	int kind = word_of(kind_words, countof(kind_words), fields->field[0]);
	bool is_change = kind == JOURNAL_CHANGED;
	int entry;

	if (kind < 0 || fields->count != (is_change ? 3u : 4u)) {
		return false;
	}
	line->kind = (enum journal_kind)kind;
	line->path = sidecar_unescape(fields->field[fields->count - 1]);
	if (line->path == NULL || line->path[0] == '\0' || !is_path(line->path)) {
		return false;
	}
	if (is_change) {
		return read_facts(fields->field[1], line);
	}
	entry = word_of(entry_words, countof(entry_words), fields->field[1]);
	if (entry < 0) {
		return false;
	}
	line->entry = (enum sidecar_kind)entry;
	return line->entry == SIDECAR_FOLDER ? strcmp(fields->field[2], "-") == 0
					     : oid_parse(fields->field[2], &line->oid);
}

static bool
read_root(const struct fields *fields, struct journal *journal)
{
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *path = NULL;

	if (fields->count != 3 || journal->nlines > 0 ||
		journal->nroots == JOURNAL_ROOTS_MAX) {
		return false;
	}
	name = sidecar_unescape(fields->field[1]);
	path = sidecar_unescape(fields->field[2]);
	if (name == NULL || path == NULL || path[0] != '/' || name[0] == '\0' ||
		strchr(name, '/') != NULL || !is_path(name)) {
		return false;
	}
	journal->roots = xrealloc(
		journal->roots, (journal->nroots + 1) * sizeof(journal->roots[0]));
	journal->roots[journal->nroots++] =
		(struct restore_root){ STEAL(name), STEAL(path) };
	return true;
}

static bool
read_any(char *text, size_t number, struct journal *journal)
{
	struct journal_line line = { 0 };
	struct fields fields;

	// What stands behind "done" can only say that it was taken back.
	if (strcmp(text, "undone") == 0 && number > 2) {
		journal->undone = true;
		return true;
	}
	if (journal->undone || !cut(text, &fields)) {
		return false;
	}
	if (number == 1) {
		return strcmp(text, head) == 0 && fields.count == 1;
	}
	if (number == 2) {
		return fields.count == 2 && strcmp(fields.field[0], "commit") == 0 &&
			oid_parse(fields.field[1], &journal->commit);
	}
	if (journal->done) {
		return false;
	}
	if (strcmp(fields.field[0], "done") == 0) {
		journal->done = fields.count == 1;
		return journal->done;
	}
	if (strcmp(fields.field[0], "root") == 0) {
		return read_root(&fields, journal);
	}
	if (!read_line(&fields, &line)) {
		free(line.path);
		return false;
	}
	journal->lines = xgrow(journal->lines, journal->nlines, &journal->capacity,
		sizeof(journal->lines[0]));
	journal->lines[journal->nlines++] = line;
	return true;
}

int
journal_parse(const char *text, size_t len, struct journal *ret_journal, struct err *err)
{
	AUTO(journal_done) struct journal journal = { 0 };
	const char *end = text + len;
	size_t number = 0;

	if (len > JOURNAL_MAX) {
		return err_raise(err, ERR_TOO_BIG, "the journal has %zu bytes", len);
	}
	for (const char *at = text; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		AUTO_FREE char *line = NULL;

		if (stop == NULL) {
			break;
		}
		line = xmemdup0(at, (size_t)(stop - at));
		number++;
		if (strlen(line) != (size_t)(stop - at) ||
			!read_any(line, number, &journal)) {
			return err_raise(err, ERR_INVALID,
				"line %zu of the journal is none", number);
		}
		at = stop + 1;
	}
	if (number < 2) {
		return err_raise(err, ERR_INVALID, "the journal has no beginning");
	}
	*ret_journal = journal;
	journal = (struct journal){ 0 };
	return 0;
}

void
journal_done(struct journal *journal)
{
	for (size_t i = 0; i < journal->nroots; i++) {
		free((void *)(uintptr_t)journal->roots[i].name);
		free((void *)(uintptr_t)journal->roots[i].path);
	}
	for (size_t i = 0; i < journal->nlines; i++) {
		free(journal->lines[i].path);
	}
	free(journal->roots);
	free(journal->lines);
	*journal = (struct journal){ 0 };
}
