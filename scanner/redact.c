// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Scan, cut, scan the result.  A cut may make a neighbour visible that was hidden before
 * (a value that ended elsewhere); such a finding is carried back to the input and the cut
 * is done afresh.  When that does not end, whole lines are cut, and at last everything:
 * of a text there is always something that can be kept in its place.
 *
 *     input    a = "s3cr3t..."            b = ...
 *                   \_______/ span
 *     output   a = "REDACTED.id.0a1b2c3d" b = ...
 */

#include "scanner/redact.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "scanner/collect.h"
#include "scanner/scanner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/** Cuts of the spans themselves, then of whole lines; then all goes. */
	ROUNDS_EXACT = 6,
	ROUNDS_LINES = 10,
	ROUNDS_MAX = ROUNDS_LINES + 1,
	MARK_PRINT_LEN = 4,
};

void
redaction_done(struct redaction *redaction)
{
	size_t max = redaction->out.max;

	buf_done(&redaction->out);
	free(redaction->spans);
	*redaction = (struct redaction){ .out = { .max = max } };
}

void
redact_mark(const char *rule, const uint8_t fingerprint[FINDING_PRINT_LEN],
	char ret_mark[REDACT_MARK_MAX])
{
	char hex[2 * MARK_PRINT_LEN + 1];

	hash_hex(fingerprint, MARK_PRINT_LEN, hex);
	(void)snprintf(ret_mark, REDACT_MARK_MAX, "REDACTED.%.76s.%s", rule, hex);
}

/** Append one character in the encoding of the text around. */
static int
add_char(struct buf *out, const struct text_shape *shape, char c, struct err *err)
{
	char unit[4] = { 0 };

	unit[shape->low] = c;
	return buf_add(out, unit, shape->unit, err);
}

static bool
is_newline(const struct text_shape *shape, const char *unit)
{
	for (size_t i = 0; i < shape->unit; i++) {
		if (unit[i] != (i == shape->low ? '\n' : '\0')) {
			return false;
		}
	}
	return true;
}

/** The mark, then as many newlines as the span held. */
static int
add_mark(
	struct buf *out, const struct collected *item, const char *input, struct err *err)
{
	const struct text_shape *shape = &item->shape;
	char mark[REDACT_MARK_MAX];

	redact_mark(item->finding.rule, item->finding.fingerprint, mark);
	for (const char *c = mark; *c != '\0'; c++) {
		if (add_char(out, shape, *c, err) < 0) {
			return err->code;
		}
	}
	for (size_t at = item->finding.start; at + shape->unit <= item->finding.end;
		at += shape->unit) {
		if (is_newline(shape, input + at) &&
			add_char(out, shape, '\n', err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
cut(const struct scan_input *input, const struct collection *found,
	struct redaction *redaction, struct err *err)
{
	const char *data = input->data;
	size_t done = 0;

	buf_clear(&redaction->out);
	for (size_t i = 0; i < found->count; i++) {
		const struct collected *item = &found->list[i];
		struct redact_span *span = &redaction->spans[i];

		if (buf_add(&redaction->out, data + done, item->finding.start - done,
			    err) < 0) {
			return err->code;
		}
		span->out_start = redaction->out.len;
		if (add_mark(&redaction->out, item, data, err) < 0) {
			return err->code;
		}
		span->out_end = redaction->out.len;
		done = item->finding.end;
	}
	return buf_add(&redaction->out, data + done, input->len - done, err);
}

static void
list_spans(const struct collection *found, struct redaction *redaction)
{
	free(redaction->spans);
	redaction->spans =
		xcalloc(MAX_OF(found->count, (size_t)1), sizeof(*redaction->spans));
	redaction->nspans = found->count;
	for (size_t i = 0; i < found->count; i++) {
		const struct finding *finding = &found->list[i].finding;
		struct redact_span *span = &redaction->spans[i];

		span->rule = finding->rule;
		span->confidence = finding->confidence;
		span->start = finding->start;
		span->end = finding->end;
		memcpy(span->fingerprint, finding->fingerprint, FINDING_PRINT_LEN);
	}
}

/** Where a place in the output stood in the input; inside a mark, the span's edge. */
static size_t
carry_back(const struct redaction *redaction, size_t at, bool is_end)
{
	size_t shift_from = 0, shift_to = 0;

	for (size_t i = 0; i < redaction->nspans; i++) {
		const struct redact_span *span = &redaction->spans[i];

		if (at < span->out_start || (is_end && at == span->out_start)) {
			break;
		}
		if (at < span->out_end) {
			return is_end ? span->end : span->start;
		}
		shift_from = span->out_end;
		shift_to = span->end;
	}
	return at - shift_from + shift_to;
}

static int
compare_items(const void *left_void, const void *right_void)
{
	const struct collected *left = left_void, *right = right_void;

	return left->finding.start < right->finding.start
		? -1
		: left->finding.start > right->finding.start;
}

/** Overlapping spans become one; the first names it. */
static void
join_spans(struct collection *found)
{
	size_t kept = 0;

	qsort(found->list, found->count, sizeof(*found->list), compare_items);
	for (size_t i = 1; i < found->count; i++) {
		struct finding *last = &found->list[kept].finding;
		const struct finding *next = &found->list[i].finding;

		if (next->start >= last->end) {
			found->list[++kept] = found->list[i];
		} else {
			last->end = MAX_OF(last->end, next->end);
		}
	}
	found->count = kept + 1;
}

/** A rule that takes a piece of our own mark for a secret. */
static bool
is_in_mark(const struct redaction *redaction, const struct finding *finding)
{
	for (size_t i = 0; i < redaction->nspans; i++) {
		const struct redact_span *span = &redaction->spans[i];

		if (finding->start >= span->out_start && finding->end <= span->out_end) {
			return true;
		}
	}
	return false;
}

/** Add what the second look found; false when there was nothing. */
static bool
carry_all_back(const struct redaction *redaction, const struct collection *again,
	struct collection *found)
{
	size_t before = found->count;

	for (size_t i = 0; i < again->count; i++) {
		struct collected item = again->list[i];

		if (is_in_mark(redaction, &item.finding)) {
			continue;
		}
		item.finding.start = carry_back(redaction, item.finding.start, false);
		item.finding.end = carry_back(redaction, item.finding.end, true);
		found->list =
			xgrow(found->list, found->count, &found->size, sizeof(item));
		found->list[found->count++] = item;
	}
	if (found->count == before) {
		return false;
	}
	join_spans(found);
	return true;
}

/** To the ends of its lines. */
static void
widen(const struct scan_input *input, struct collected *item)
{
	const struct text_shape *shape = &item->shape;
	struct finding *finding = &item->finding;
	const char *data = input->data;
	size_t unit = shape->unit;

	while (finding->start >= shape->skip + unit &&
		!is_newline(shape, data + finding->start - unit)) {
		finding->start -= unit;
	}
	while (finding->end + unit <= input->len &&
		!is_newline(shape, data + finding->end)) {
		finding->end += unit;
	}
}

/** What does not come clean by its spans is cut more roughly. */
static void
coarsen(const struct scan_input *input, int round, struct collection *found)
{
	if (round < ROUNDS_EXACT) {
		return;
	}
	if (round < ROUNDS_LINES) {
		for (size_t i = 0; i < found->count; i++) {
			widen(input, &found->list[i]);
		}
		join_spans(found);
		return;
	}
	found->count = 1;
	found->list[0].finding.start = found->list[0].shape.skip;
	found->list[0].finding.end = input->len;
}

static bool
has_fixed(const struct collection *found)
{
	for (size_t i = 0; i < found->count; i++) {
		if (found->list[i].fixed) {
			return true;
		}
	}
	return false;
}

/** Cut until nothing is found; false in @ret_clean when it cannot be cut. */
static int
cut_until_clean(const struct scanner *scanner, const struct scan_input *input,
	const struct text_shape *shape, struct collection *found,
	struct redaction *redaction, bool *ret_clean, struct err *err)
{
	*ret_clean = false;
	for (int round = 0; round < ROUNDS_MAX && !has_fixed(found); round++) {
		AUTO(collection_done) struct collection again = { 0 };

		coarsen(input, round, found);
		list_spans(found, redaction);
		if (cut(input, found, redaction, err) < 0) {
			return err->code;
		}

		// In the shape of the input: a cut must not turn a text into a binary.
		struct scan_input output = *input;
		output.data = redaction->out.data != NULL ? redaction->out.data : "";
		output.len = redaction->out.len;
		if (collect(scanner, &output, shape, &again, err) < 0) {
			return err->code;
		}
		if (!carry_all_back(redaction, &again, found)) {
			*ret_clean = true;
			return 0;
		}
	}
	list_spans(found, redaction);
	return 0;
}

int
redact_bytes(const struct scanner *scanner, const struct scan_input *input,
	struct redaction *ret_redaction, struct err *err)
{
	AUTO(collection_done) struct collection found = { 0 };
	const struct text_shape shape =
		text_shape(input->len > 0 ? input->data : "", input->len);
	bool clean = true;

	redaction_done(ret_redaction);
	if (collect(scanner, input, &shape, &found, err) < 0) {
		return err->code;
	}
	if (found.count > 0 &&
		cut_until_clean(
			scanner, input, &shape, &found, ret_redaction, &clean, err) < 0) {
		redaction_done(ret_redaction);
		return err->code;
	}
	if (!clean) {
		buf_done(&ret_redaction->out);
		for (size_t i = 0; i < ret_redaction->nspans; i++) {
			ret_redaction->spans[i].out_start = 0;
			ret_redaction->spans[i].out_end = 0;
		}
	}
	ret_redaction->outcome = found.count == 0 ? REDACT_CLEAN
		: clean                           ? REDACT_CUT
						  : REDACT_CANNOT;
	return 0;
}
