// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/scan_report.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/scan_commits.h"
#include "scanner/finding.h"
#include "scanner/scanner.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Stands before every finding of a JSON list; the first one drops it.
static const char between[] = ",\n";

enum scan_format
scan_format_parse(const char *word)
{
	return strcmp(word, "json") == 0        ? SCAN_JSON
		: strcmp(word, "sarif") == 0    ? SCAN_SARIF
		: strcmp(word, "gitleaks") == 0 ? SCAN_GITLEAKS
						: SCAN_TEXT;
}

static void
begin_sarif(const struct scan_report *report, struct output *out)
{
	AUTO(json_freep) struct json *rules = json_new_array();
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; report->scanner != NULL && i < scanner_count(report->scanner);
		i++) {
		struct json *rule = json_new_object();

		const char *id = scanner_rule(report->scanner, i);
		struct json *words = json_new_object();

		json_set_text(words, "text", scanner_rule_name(report->scanner, id));
		json_set_text(rule, "id", id);
		json_set(rule, "shortDescription", words);
		json_append(rules, rule);
	}
	text = json_write(rules, 0);
	output_code(out,
		"{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
		"\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":"
		"\"mirror\","
		"\"version\":\"%s\",\"rules\":%s}},",
		MIRROR_VERSION, text);
	output_code(out, "\"results\":[");
}

void
scan_report_begin(struct scan_report *report, struct output *out)
{
	switch (report->format) {
	case SCAN_TEXT:
		break;
	case SCAN_JSON:
		output_code(out, "{\"schema\":\"mirror.scan/1\",\"findings\":[");
		break;
	case SCAN_SARIF:
		begin_sarif(report, out);
		break;
	case SCAN_GITLEAKS:
		output_code(out, "[");
		break;
	}
}

static int
add_text(const struct scan_place *place, const struct finding *finding, const char *print,
	struct buf *buf, struct err *err)
{
	AUTO_FREE char *path = path_printable(place->path);

	if (finding->end == 0) {
		return buf_add_fmt(buf, err, "%s: %s (%s) its path alone [%s]\n", path,
			finding->rule, finding_confidence_name(finding->confidence),
			print);
	}
	return buf_add_fmt(buf, err, "%s:%zu:%zu: %s (%s) %zu bytes%s%s%s%s [%s]\n", path,
		finding->line, finding->column, finding->rule,
		finding_confidence_name(finding->confidence),
		finding->end - finding->start, place->in != NULL ? " in its " : "",
		place->in != NULL ? place->in : "",
		place->object != NULL ? ", object " : "",
		place->object != NULL ? place->object : "", print);
}

static struct json *
finding_json(
	const struct scan_place *place, const struct finding *finding, const char *print)
{
	struct json *object = json_new_object();

	json_set_bytes(object, "path", place->path, strlen(place->path));
	if (place->in != NULL) {
		json_set_text(object, "in", place->in);
	}
	if (place->object != NULL) {
		json_set_text(object, "object", place->object);
	}
	json_set_text(object, "rule", finding->rule);
	json_set_text(object, "confidence", finding_confidence_name(finding->confidence));
	json_set_int(object, "start", (int64_t)finding->start);
	json_set_int(object, "end", (int64_t)finding->end);
	json_set_int(object, "line", (int64_t)finding->line);
	json_set_int(object, "column", (int64_t)finding->column);
	json_set_int(object, "end_line", (int64_t)finding->end_line);
	json_set_text(object, "fingerprint", print);
	return object;
}

// A path as a relative URI reference: bytes that mean something there are escaped.
static char *
uri_of(const char *path)
{
	char *uri = xmalloc(strlen(path) * 3 + 1);
	size_t at = 0;

	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;

		if ((c < 0x80 && isalnum(c)) || strchr("/-._~", c) != NULL) {
			uri[at++] = (char)c;
		} else {
			at += (size_t)sprintf(uri + at, "%%%02X", c);
		}
	}
	uri[at] = '\0';
	return uri;
}

// SARIF counts columns in characters and we in bytes, so the region is given in bytes.
static struct json *
sarif_json(
	const struct scan_place *place, const struct finding *finding, const char *print)
{
	AUTO_FREE char *uri = uri_of(place->path);
	AUTO_FREE char *sentence = xasprintf("%s: %zu bytes that look like a secret",
		finding->rule, finding->end - finding->start);
	struct json *result = json_new_object();
	struct json *message = json_new_object();
	struct json *artifact = json_new_object();
	struct json *region = json_new_object();
	struct json *physical = json_new_object();
	struct json *location = json_new_object();
	struct json *locations = json_new_array();
	struct json *prints = json_new_object();

	json_set_text(message, "text", sentence);
	json_set_text(artifact, "uri", uri);
	json_set_int(region, "startLine", (int64_t)finding->line);
	json_set_int(region, "endLine", (int64_t)finding->end_line);
	json_set_int(region, "byteOffset", (int64_t)finding->start);
	json_set_int(region, "byteLength", (int64_t)(finding->end - finding->start));
	json_set(physical, "artifactLocation", artifact);
	json_set(physical, "region", region);
	json_set(location, "physicalLocation", physical);
	json_append(locations, location);
	json_set_text(prints, "mirrorSecret/v1", print);
	json_set_text(result, "ruleId", finding->rule);
	json_set_text(result, "level",
		finding->confidence == FINDING_CERTAIN ? "error" : "warning");
	json_set(result, "message", message);
	json_set(result, "locations", locations);
	json_set(result, "partialFingerprints", prints);
	return result;
}

/** The commit of a history that brought what @place is, as gitleaks' keys. */
static const char *
set_commit(const struct scan_report *report, const struct scan_place *place,
	struct json *object)
{
	const struct scan_commit *commit = NULL;

	if (report->commits != NULL && place->object != NULL) {
		commit = scan_commits_of(report->commits, place->object);
	}
	bool known = commit != NULL;
	json_set_text(object, "Commit", known ? commit->id : "");
	json_set_text(object, "Author", known ? commit->author : "");
	json_set_text(object, "Email", known ? commit->email : "");
	json_set_text(object, "Date", known ? commit->date : "");
	json_set_text(object, "Message", known ? commit->message : "");
	return known ? commit->id : "";
}

// gitleaks' own keys; what would hold the secret says REDACTED.  Its fingerprint is a
// place, ours is in the tags.
static struct json *
gitleaks_json(const struct scan_report *report, const struct scan_place *place,
	const struct finding *finding, const char *print)
{
	AUTO_FREE char *tag = xasprintf("fingerprint:%s", print);
	struct json *object = json_new_object();
	struct json *tags = json_new_array();

	json_append_text(tags, tag);
	json_append_text(tags, finding_confidence_name(finding->confidence));
	json_set_text(object, "RuleID", finding->rule);
	json_set_text(object, "Description",
		report->scanner != NULL
			? scanner_rule_name(report->scanner, finding->rule)
			: finding->rule);
	json_set_int(object, "StartLine", (int64_t)finding->line);
	json_set_int(object, "EndLine", (int64_t)finding->end_line);
	json_set_int(object, "StartColumn", (int64_t)finding->column);
	json_set_int(object, "EndColumn", (int64_t)finding->end_column);
	json_set_text(object, "Match", "REDACTED");
	json_set_text(object, "Secret", "REDACTED");
	json_set_text(object, "File", place->path);
	json_set_text(object, "SymlinkFile", "");
	json_set_real(object, "Entropy", (double)finding->entropy / 100);
	const char *commit = set_commit(report, place, object);
	json_set(object, "Tags", tags);

	AUTO_FREE char *where = xasprintf("%s%s%s:%s:%zu", commit,
		commit[0] != '\0' ? ":" : "", place->path, finding->rule, finding->line);
	json_set_text(object, "Fingerprint", where);
	return object;
}

int
scan_report_finding(const struct scan_report *report, const struct scan_place *place,
	const struct finding *finding, struct buf *buf, struct err *err)
{
	AUTO(json_freep) struct json *object = NULL;
	AUTO_FREE char *text = NULL;
	char print[HASH_HEX_MAX];

	hash_hex(finding->fingerprint, FINDING_PRINT_LEN, print);
	switch (report->format) {
	case SCAN_TEXT:
		return add_text(place, finding, print, buf, err);
	case SCAN_JSON:
		object = finding_json(place, finding, print);
		break;
	case SCAN_SARIF:
		object = sarif_json(place, finding, print);
		break;
	case SCAN_GITLEAKS:
		object = gitleaks_json(report, place, finding, print);
		break;
	}
	text = json_write(object, 0);
	if (buf_add_text(buf, between, err) < 0 || buf_add_text(buf, text, err) < 0) {
		return err->code;
	}
	return 0;
}

void
scan_report_flush(struct scan_report *report, struct output *out, struct buf *buf)
{
	size_t skip = 0;

	if (buf->len == 0) {
		return;
	}
	if (report->format != SCAN_TEXT && !report->begun) {
		skip = strlen(between);
	}
	output_raw(out, buf->data + skip, buf->len - skip);
	report->begun = true;
	buf_clear(buf);
}

static void
end_text(struct output *out, const struct scan_totals *totals)
{
	char size[OUTPUT_SIZE_MAX];

	output_size(totals->bytes, size);
	output_note(out, "%" PRIu64 " file%s, %s in %.2f s: %" PRIu64 " found%s",
		totals->files, totals->files == 1 ? "" : "s", size,
		(double)totals->took_ms / 1000, totals->found,
		totals->unread > 0 ? ", not everything was read" : "");
	if (totals->known > 0) {
		output_note(out, "%" PRIu64 " more are known or ignored by place",
			totals->known);
	}
}

static void
end_json(struct output *out, const struct scan_totals *totals)
{
	output_code(out,
		"\n],\"files\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"seconds\":%.3f,"
		"\"found\":%" PRIu64 ",\"known\":%" PRIu64 ",\"unread\":%" PRIu64
		",\"exit\":%d}",
		totals->files, totals->bytes, (double)totals->took_ms / 1000,
		totals->found, totals->known, totals->unread, totals->exit);
}

void
scan_report_end(
	struct scan_report *report, struct output *out, const struct scan_totals *totals)
{
	switch (report->format) {
	case SCAN_TEXT:
		end_text(out, totals);
		break;
	case SCAN_JSON:
		end_json(out, totals);
		break;
	case SCAN_SARIF:
		output_code(out, "\n],\"invocations\":[{\"executionSuccessful\":%s}]}]}",
			totals->unread == 0 ? "true" : "false");
		break;
	case SCAN_GITLEAKS:
		output_code(out, "\n]");
		break;
	}
}
