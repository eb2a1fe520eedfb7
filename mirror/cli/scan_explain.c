// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/scan_explain.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/scan_pool.h"
#include "scanner/finding.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct explaining {
	struct call *call;
	const char *shown;
	size_t line;
	size_t count;
	// Printed when false.
	bool counting;
	struct json *list;
	struct json *looks;
	/** Scanned in pieces, whose lines are counted anew: no look can be placed. */
	bool in_pieces;
};

static struct json *
row_of(const struct finding *finding, const char *print, const char *mark)
{
	struct json *row = json_new_object();

	json_set_text(row, "rule", finding->rule);
	json_set_text(row, "confidence", finding_confidence_name(finding->confidence));
	json_set_int(row, "start", (int64_t)finding->start);
	json_set_int(row, "end", (int64_t)finding->end);
	json_set_int(row, "line", (int64_t)finding->line);
	json_set_int(row, "column", (int64_t)finding->column);
	json_set_text(row, "fingerprint", print);
	json_set_text(row, "mark", mark);
	return row;
}

static void
print_finding(const struct explaining *explaining, const struct finding *finding,
	const char *print, const char *mark)
{
	struct output *out = &explaining->call->out;

	output_line(out, "%s:%zu:%zu: %s", explaining->shown, finding->line,
		finding->column, finding->rule);
	output_line(out, "  confidence   %s: %s",
		finding_confidence_name(finding->confidence),
		finding->confidence == FINDING_CERTAIN
			? "the format, a checksum or the structure says so"
			: "the name beside it and the look of the value say so");
	output_line(out, "  length       %zu bytes, up to line %zu",
		finding->end - finding->start, finding->end_line);
	output_line(out, "  in a backup  %s", mark);
	output_line(out, "  fingerprint  %s", print);
}

static int
on_finding(const struct finding *finding, void *payload)
{
	struct explaining *explaining = payload;
	char print[HASH_HEX_MAX];
	char mark[REDACT_MARK_MAX];

	if (explaining->line < finding->line || explaining->line > finding->end_line) {
		return 0;
	}
	explaining->count++;
	if (explaining->counting) {
		return 0;
	}
	hash_hex(finding->fingerprint, FINDING_PRINT_LEN, print);
	redact_mark(finding->rule, finding->fingerprint, mark);
	if (explaining->list != NULL) {
		json_append(explaining->list, row_of(finding, print, mark));
	} else {
		print_finding(explaining, finding, print, mark);
	}
	return 0;
}

/** A rule that looked at the line in vain. */
static void
on_look(const struct scanner_look *look, void *payload)
{
	struct explaining *explaining = payload;

	if (explaining->in_pieces) {
		return;
	}
	if (explaining->looks != NULL) {
		struct json *row = json_new_object();

		json_set_text(row, "rule", look->rule);
		json_set_text(row, "why", look->why);
		json_set_int(row, "start", (int64_t)look->start);
		json_set_int(row, "end", (int64_t)look->end);
		json_append(explaining->looks, row);
	} else {
		output_line(&explaining->call->out,
			"  %-24s looked at bytes %zu to %zu: %s", look->rule, look->start,
			look->end, look->why);
	}
}

static int
scan_with(const struct scanner *scanner, const char *file, struct explaining *explaining,
	struct err *err)
{
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	AUTO_FREE char *buffer = xmalloc(SCAN_POOL_WHOLE_MAX);
	uint64_t bytes;
	int result;

	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		return err_errno(err, "open %s", file);
	}
	explaining->in_pieces = st.st_size >= SCAN_POOL_WHOLE_MAX;
	result = scan_pool_read(
		scanner, fd, 0, file, buffer, on_finding, explaining, &bytes, err);
	return result < 0 ? err_wrap(err, "scan %s", file) : 0;
}

static int
parse_where(const char *where, char **ret_file, size_t *ret_line, struct err *err)
{
	const char *colon = strrchr(where, ':');
	char *end = NULL;
	unsigned long line;

	if (colon == NULL || colon == where || colon[1] < '0' || colon[1] > '9') {
		return err_raise(err, ERR_USAGE, "%s: --explain needs FILE:LINE", where);
	}
	errno = 0;
	line = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || errno != 0 || line == 0) {
		return err_raise(err, ERR_USAGE, "%s: --explain needs FILE:LINE", where);
	}
	*ret_line = line;
	*ret_file = xmemdup0(where, (size_t)(colon - where));
	return 0;
}

static void
print_rest(const struct explaining *all, const struct explaining *marked)
{
	struct output *out = &all->call->out;

	if (all->count == 0) {
		output_line(
			out, "nothing is found on line %zu of %s", all->line, all->shown);
	} else if (marked->count < all->count) {
		output_line(out,
			"A mark on the line hides %s from `mirror scan`; a backup "
			"redacts it all the same.",
			all->count == 1 ? "it" : "some of it");
	}
}

int
scan_explain(struct call *call, const uint8_t key[HASH_KEY_LEN],
	const struct scanner *scanner, const char *where, struct err *err)
{
	AUTO(scanner_freep) struct scanner *strict = NULL;
	AUTO(json_freep) struct json *object = NULL;
	AUTO_FREE char *file = NULL;
	AUTO_FREE char *shown = NULL;
	struct explaining all = { .call = call };
	struct scanner_options options = {
		.key = key, .tell = on_look, .tell_payload = &all
	};
	struct explaining marked = { .call = call, .counting = true };

	if (parse_where(where, &file, &all.line, err) < 0) {
		return err->code;
	}
	options.told_line = all.line;
	if (scanner_new(&options, &strict, err) < 0) {
		return err->code;
	}
	shown = path_printable(file);
	all.shown = shown;
	marked.line = all.line;
	if (call->out.json) {
		object = json_new_object();
		all.list = json_new_array();
		json_set_text(object, "schema", "mirror.explain/1");
		json_set(object, "findings", all.list);
		all.looks = json_new_array();
		json_set(object, "looks", all.looks);
	}
	if (scan_with(strict, file, &all, err) < 0 ||
		scan_with(scanner, file, &marked, err) < 0) {
		return err->code;
	}
	if (object != NULL) {
		json_set_int(object, "hidden_by_marks",
			(int64_t)(all.count - MIN_OF(marked.count, all.count)));
		output_json(&call->out, object);
	} else {
		print_rest(&all, &marked);
	}
	return all.count > 0 ? 1 : 0;
}
