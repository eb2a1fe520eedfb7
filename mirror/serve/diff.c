// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/diff.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/**
 * Both texts are cut into lines; what they share at both ends is set aside; between them
 * Myers' algorithm marks the lines that went and those that came.  Hunks are written from
 * the marks alone.
 */

struct line {
	const char *at;
	/** With its newline, if it has one. */
	size_t len;
	/** Went (of the old text) or came (of the new one). */
	bool marked;
};

struct lines {
	struct line *lines;
	size_t count;
	size_t capacity;
};

static void
lines_done(struct lines *lines)
{
	free(lines->lines);
}

static void
cut(const struct diff_text *text, struct lines *lines)
{
	const char *at = text->data;
	const char *end = text->data + text->len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline != NULL ? newline + 1 : end;

		lines->lines = xgrow(lines->lines, lines->count, &lines->capacity,
			sizeof(lines->lines[0]));
		lines->lines[lines->count++] =
			(struct line){ .at = at, .len = (size_t)(next - at) };
		at = next;
	}
}

static bool
is_same(const struct line *left, const struct line *right)
{
	return left->len == right->len && memcmp(left->at, right->at, left->len) == 0;
}

/** The part of both that lies between the shared ends. */
struct middle {
	struct line *old;
	struct line *new;
	int nold;
	int nnew;
};

static void
mark_all(struct middle *middle)
{
	for (int i = 0; i < middle->nold; i++) {
		middle->old[i].marked = true;
	}
	for (int i = 0; i < middle->nnew; i++) {
		middle->new[i].marked = true;
	}
}

// The furthest points of round d stand at rows + d * d, for the diagonals -d ... d.
static int *
round_row(int *rows, int d)
{
	return rows + (size_t)d * (size_t)d + d;
}

// One round: the furthest x on each diagonal with d differences; true at the end.
static bool
go_on(const struct middle *middle, int *rows, int d)
{
	int *now = round_row(rows, d);
	const int *before = d > 0 ? round_row(rows, d - 1) : NULL;

	for (int k = -d; k <= d; k += 2) {
		int x = 0;

		if (d > 0) {
			bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);

			x = down ? before[k + 1] : before[k - 1] + 1;
		}
		while (x < middle->nold && x - k < middle->nnew && x >= 0 && x - k >= 0 &&
			is_same(&middle->old[x], &middle->new[x - k])) {
			x++;
		}
		now[k] = x;
		if (x >= middle->nold && x - k >= middle->nnew) {
			return true;
		}
	}
	return false;
}

// From the end back: each round's step is one line that went or came.
static void
mark_path(struct middle *middle, int *rows, int d)
{
	int x = middle->nold;
	int k = middle->nold - middle->nnew;

	for (; d > 0; d--) {
		const int *before = round_row(rows, d - 1);
		bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);

		if (down) {
			k++;
			x = before[k];
			middle->new[x - k].marked = true;
		} else {
			k--;
			x = before[k];
			middle->old[x].marked = true;
		}
	}
}

static void
compare(struct middle *middle)
{
	int limit = MIN_OF(middle->nold + middle->nnew, (int)DIFF_EFFORT);
	size_t count = ((size_t)limit + 1) * ((size_t)limit + 1);
	AUTO_FREE int *rows = NULL;

	if (middle->nold == 0 || middle->nnew == 0) {
		mark_all(middle);
		return;
	}
	rows = xcalloc(count, sizeof(*rows));
	for (int d = 0; d <= limit; d++) {
		if (go_on(middle, rows, d)) {
			mark_path(middle, rows, d);
			return;
		}
	}
	mark_all(middle);
}

static struct middle
set_ends_aside(struct lines *old, struct lines *new)
{
	size_t start = 0;
	size_t old_end = old->count;
	size_t new_end = new->count;

	while (start < old_end && start < new_end &&
		is_same(&old->lines[start], &new->lines[start])) {
		start++;
	}
	while (old_end > start && new_end > start &&
		is_same(&old->lines[old_end - 1], &new->lines[new_end - 1])) {
		old_end--;
		new_end--;
	}
	return (struct middle){
		.old = old->count > 0 ? old->lines + start : NULL,
		.new = new->count > 0 ? new->lines + start : NULL,
		.nold = (int)(old_end - start),
		.nnew = (int)(new_end - start),
	};
}

// ---- writing

static int
write_line(struct buf *out, char mark, const struct line *line, struct err *err)
{
	if (buf_add(out, &mark, 1, err) < 0 ||
		buf_add(out, line->at, line->len, err) < 0) {
		return err->code;
	}
	return line->at[line->len - 1] == '\n'
		? 0
		: buf_add_text(out, "\n\\ No newline at end of file\n", err);
}

/** Lines [old, old_end) and [new, new_end). */
struct hunk {
	size_t old;
	size_t old_end;
	size_t new;
	size_t new_end;
};

static int
write_hunk(const struct lines *old, const struct lines *new, struct hunk hunk,
	struct buf *out, struct err *err)
{
	size_t nold = hunk.old_end - hunk.old;
	size_t nnew = hunk.new_end - hunk.new;

	if (buf_add_fmt(out, err, "@@ -%zu,%zu +%zu,%zu @@\n", hunk.old + (nold > 0),
		    nold, hunk.new + (nnew > 0), nnew) < 0) {
		return err->code;
	}
	while (hunk.old < hunk.old_end || hunk.new < hunk.new_end) {
		bool went = hunk.old < hunk.old_end && old->lines[hunk.old].marked;
		bool came = hunk.new < hunk.new_end &&new->lines[hunk.new].marked;
		const struct line *line =
			went || !came ? &old->lines[hunk.old] : &new->lines[hunk.new];

		if (write_line(out, went ? '-' : came ? '+' : ' ', line, err) < 0) {
			return err->code;
		}
		hunk.old += went || !came;
		hunk.new += !went;
	}
	return 0;
}

// From the first marked line at or behind hunk->old, with its context; false: none left.
static bool
find_hunk(const struct lines *old, const struct lines *new, struct hunk *hunk)
{
	size_t o = hunk->old_end;
	size_t n = hunk->new_end;
	size_t quiet = 0;
	size_t lead;

	while (o < old->count && !old->lines[o].marked &&
		!(n < new->count &&new->lines[n].marked)) {
		o++;
		n++;
	}
	if (o == old->count && n == new->count) {
		return false;
	}
	lead = MIN_OF(o - hunk->old_end, (size_t)DIFF_CONTEXT);
	hunk->old = o - lead;
	hunk->new = n - lead;
	// Two changes closer than twice the context are one hunk.
	while ((o < old->count || n < new->count) && quiet <= 2 * (size_t)DIFF_CONTEXT) {
		bool went = o < old->count && old->lines[o].marked;
		bool came = n < new->count &&new->lines[n].marked;

		quiet = went || came ? 0 : quiet + 1;
		o += went || !came;
		n += !went;
	}
	lead = quiet > DIFF_CONTEXT ? quiet - DIFF_CONTEXT : 0;
	hunk->old_end = o - lead;
	hunk->new_end = n - lead;
	return true;
}

int
diff_texts(const struct diff_text *old, const struct diff_text *new, struct buf *out,
	struct err *err)
{
	AUTO(lines_done) struct lines before = { 0 };
	AUTO(lines_done) struct lines after = { 0 };
	struct hunk hunk = { 0 };
	struct middle middle;

	if (old->len > DIFF_BYTES_MAX || new->len > DIFF_BYTES_MAX) {
		return err_raise(
			err, ERR_TOO_BIG, "too large to be compared line by line");
	}
	if (old->len == new->len && memcmp(old->data, new->data, old->len) == 0) {
		return 0;
	}
	if (memchr(old->data, '\0', old->len) != NULL ||
		memchr(new->data, '\0', new->len) != NULL) {
		return err_raise(err, ERR_INVALID, "not text");
	}
	cut(old, &before);
	cut(new, &after);
	middle = set_ends_aside(&before, &after);
	compare(&middle);
	if (buf_add_fmt(out, err, "--- %s\n+++ %s\n", old->name, new->name) < 0) {
		return err->code;
	}
	while (find_hunk(&before, &after, &hunk)) {
		if (write_hunk(&before, &after, hunk, out, err) < 0) {
			return err->code;
		}
	}
	return 1;
}
