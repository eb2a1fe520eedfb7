// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/format.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "health/report.h"
#include "health/verdict.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
	[FORMAT_TEXT] = "text",
	[FORMAT_JSON] = "json",
	[FORMAT_NAGIOS] = "nagios",
	[FORMAT_PROMETHEUS] = "prometheus",
};

const char *
format_word(enum format format)
{
	return words[format];
}

bool
format_parse(const char *word, enum format *ret_format)
{
	for (size_t i = 0; i < countof(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_format = (enum format)i;
			return true;
		}
	}
	return false;
}

/* ---- text ---- */

enum {
	/** Younger than this is "now", and not worth a word. */
	NOW_MS = 2000,
};

// " (measured 5 min ago, degraded for 2 h)"
static int
add_dates(const struct health_report *report, const struct health_fact *fact,
	struct buf *text, struct err *err)
{
	int64_t age_ms = report->now_ms - fact->at_ms;
	int64_t since_ms = report->now_ms - fact->since_ms;
	bool lasts = fact->since_ms != 0 && since_ms > NOW_MS;
	const char *comma = "";
	char age[CLOCK_TEXT_MAX];

	if (fact->at_ms == 0 ||
		(age_ms <= NOW_MS && age_ms >= -VERDICT_FUTURE_MS && !lasts)) {
		return 0;
	}
	if (buf_add_text(text, " (", err) < 0) {
		return err->code;
	}
	if (age_ms < -VERDICT_FUTURE_MS) {
		clock_format(fact->at_ms, age);
		return buf_add_fmt(text, err, "dated in the future: %s)", age);
	}
	if (age_ms > NOW_MS) {
		clock_format_age(age_ms, age);
		comma = ", ";
		if (buf_add_fmt(text, err, "measured %s ago", age) < 0) {
			return err->code;
		}
	}
	if (lasts) {
		clock_format_age(since_ms, age);
		if (buf_add_fmt(text, err, "%s%s for %s", comma,
			    health_state_word(fact->state), age) < 0) {
			return err->code;
		}
	}
	return buf_add_text(text, ")", err);
}

static int
add_fact(const struct health_report *report, const struct health_fact *fact,
	struct buf *text, struct err *err)
{
	AUTO_FREE char *name = path_printable(fact->name);
	AUTO_FREE char *evidence = path_printable_text(fact->evidence);
	AUTO_FREE char *action = path_printable(fact->action);
	AUTO_FREE char *note = path_printable(fact->note);

	if (buf_add_fmt(text, err, "  %-8s  %-18s  %s", health_state_word(fact->state),
		    name, evidence) < 0 ||
		add_dates(report, fact, text, err) < 0 ||
		buf_add_text(text, "\n", err) < 0) {
		return err->code;
	}
	if (note[0] != '\0' && buf_add_fmt(text, err, "%32snote: %s\n", "", note) < 0) {
		return err->code;
	}
	if (action[0] != '\0' &&
		buf_add_fmt(text, err, "%32snext: %s\n", "", action) < 0) {
		return err->code;
	}
	if (fact->acceptable && !fact->accepted &&
		strstr(action, "mirror accept") == NULL) {
		return buf_add_fmt(text, err, "%32sor:   mirror accept %s\n", "", name);
	}
	return 0;
}

static int
add_text(const struct health_report *report, bool verbose, struct buf *text,
	struct err *err)
{
	AUTO_FREE char *sentence = path_printable(report->sentence);

	if (buf_add_fmt(text, err, "%s: %s\n", health_state_word(report->state),
		    sentence) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < report->nfacts; i++) {
		const struct health_fact *fact = &report->facts[i];

		if ((verbose || fact->state != HEALTH_HEALTHY) &&
			add_fact(report, fact, text, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

/* ---- JSON ---- */

static void
set_date(struct json *object, const char *key, int64_t at_ms)
{
	char text[CLOCK_TEXT_MAX];

	if (at_ms == 0) {
		json_set_null(object, key);
		return;
	}
	clock_format(at_ms, text);
	json_set_text(object, key, text);
}

struct json *
format_accounting(const struct health_accounting *accounting)
{
	struct json *object = json_new_object();

	for (int i = 0; i < LEDGER_NSTATES; i++) {
		json_set_int(object, ledger_state_word((enum ledger_state)i),
			accounting->state[i]);
	}
	json_set_int(object, "unaccounted", accounting->unaccounted);
	json_set_int(object, "on_disk", accounting->on_disk);
	json_set_bool(object, "known", accounting->known);
	set_date(object, "compared_at", accounting->swept_ms);
	return object;
}

static struct json *
fact_json(const struct health_fact *fact)
{
	struct json *object = json_new_object();

	json_set_text(object, "name", fact->name);
	json_set_text(object, "state", health_state_word(fact->state));
	json_set_text(object, "evidence", fact->evidence);
	set_date(object, "evidence_at", fact->at_ms);
	set_date(object, "since", fact->since_ms);
	json_set_text(object, "action", fact->action[0] != '\0' ? fact->action : NULL);
	json_set_int(object, "value", fact->value);
	json_set_bool(object, "acceptable", fact->acceptable);
	json_set_bool(object, "accepted", fact->accepted);
	if (fact->note[0] != '\0') {
		json_set_text(object, "note", fact->note);
	}
	return object;
}

struct json *
format_json(const struct health_report *report)
{
	struct json *object = json_new_object();
	struct json *facts = json_new_array();

	json_set_text(object, "schema", "mirror.health/1");
	json_set_text(object, "state", health_state_word(report->state));
	json_set_int(object, "exit", verdict_exit(report->state));
	json_set_text(object, "sentence", report->sentence);
	set_date(object, "at", report->now_ms);
	json_set_int(object, "took_ms", report->took_ms);
	json_set(object, "accounting", format_accounting(&report->accounting));
	for (size_t i = 0; i < report->nfacts; i++) {
		json_append(facts, fact_json(&report->facts[i]));
	}
	json_set(object, "facts", facts);
	return object;
}

static int
add_json(const struct health_report *report, struct buf *text, struct err *err)
{
	AUTO(json_freep) struct json *object = format_json(report);
	AUTO_FREE char *written = json_write(object, 2);

	return buf_add_fmt(text, err, "%s\n", written);
}

/* ---- Monitoring plugins ---- */

static const char *const plugin_words[] = {
	[HEALTH_HEALTHY] = "OK",
	[HEALTH_DEGRADED] = "WARNING",
	[HEALTH_FAILED] = "CRITICAL",
	[HEALTH_UNKNOWN] = "UNKNOWN",
};

// The numbers of a report that monitors draw; -1 is not known, and is left out.
static int64_t
unprotected_s(const struct health_report *report)
{
	const struct health_fact *found =
		health_report_find(report, fact_word(FACT_UNPROTECTED_CHANGE));

	return found != NULL && found->state != HEALTH_UNKNOWN ? found->value / 1000 : -1;
}

static int64_t
push_lag_s(const struct health_report *report)
{
	return report->push_lag_ms >= 0 ? report->push_lag_ms / 1000 : -1;
}

static int64_t
unpushed(const struct health_report *report)
{
	return report->push_lag_ms >= 0 ? report->unpushed : -1;
}

static int
add_perfdata(const char *label, int64_t value, const char *unit, struct buf *text,
	struct err *err)
{
	return value < 0
		? 0
		: buf_add_fmt(text, err, " %s=%lld%s;;;0", label, (long long)value, unit);
}

static int
add_nagios(const struct health_report *report, struct buf *text, struct err *err)
{
	const struct health_accounting *accounting = &report->accounting;
	AUTO_FREE char *sentence = path_printable(report->sentence);

	// A bar begins the numbers, so none may stand in the text.
	for (char *at = strchr(sentence, '|'); at != NULL; at = strchr(at, '|')) {
		*at = '/';
	}
	if (buf_add_fmt(text, err, "%s - %s |", plugin_words[report->state], sentence) <
		0) {
		return err->code;
	}
	for (int i = 0; accounting->known && i < LEDGER_NSTATES; i++) {
		if (buf_add_fmt(text, err, " %s=%lld;;;0",
			    ledger_state_word((enum ledger_state)i),
			    (long long)accounting->state[i]) < 0) {
			return err->code;
		}
	}
	// What was not counted has no number.
	if (accounting->known &&
		buf_add_fmt(text, err, " on_disk=%lld;;;0 unaccounted=%lld;;0;0",
			(long long)accounting->on_disk,
			(long long)accounting->unaccounted) < 0) {
		return err->code;
	}
	if (add_perfdata("unprotected_change", unprotected_s(report), "s", text, err) <
			0 ||
		add_perfdata("push_lag", push_lag_s(report), "s", text, err) < 0 ||
		add_perfdata("unpushed", unpushed(report), "", text, err) < 0) {
		return err->code;
	}
	return buf_add_text(text, "\n", err);
}

/* ---- Prometheus ---- */

static int
add_gauge(const char *name, const char *help, int64_t value, struct buf *text,
	struct err *err)
{
	if (value < 0) {
		return 0;
	}
	return buf_add_fmt(text, err, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name,
		help, name, name, (long long)value);
}

// A label's value: printable already, quotes and backslashes escaped.
static char *
label(const char *name)
{
	AUTO_FREE char *printable = path_printable(name);
	char *escaped = xmalloc(2 * strlen(printable) + 1);
	char *to = escaped;

	for (const char *from = printable; *from != '\0'; from++) {
		if (*from == '"' || *from == '\\') {
			*to++ = '\\';
		}
		*to++ = *from;
	}
	*to = '\0';
	return escaped;
}

static int
add_fact_gauges(const struct health_report *report, struct buf *text, struct err *err)
{
	if (buf_add_text(text,
		    "# HELP mirror_fact_state 0 healthy, 1 degraded, 2 failed, 3 "
		    "unknown.\n"
		    "# TYPE mirror_fact_state gauge\n",
		    err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < report->nfacts; i++) {
		AUTO_FREE char *name = label(report->facts[i].name);

		if (buf_add_fmt(text, err, "mirror_fact_state{fact=\"%s\"} %d\n", name,
			    verdict_exit(report->facts[i].state)) < 0) {
			return err->code;
		}
	}
	if (buf_add_text(text,
		    "# HELP mirror_fact_evidence_timestamp_seconds When it was "
		    "measured.\n"
		    "# TYPE mirror_fact_evidence_timestamp_seconds gauge\n",
		    err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < report->nfacts; i++) {
		AUTO_FREE char *name = label(report->facts[i].name);

		if (buf_add_fmt(text, err,
			    "mirror_fact_evidence_timestamp_seconds{fact=\"%s\"} %lld\n",
			    name, (long long)(report->facts[i].at_ms / 1000)) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
add_file_gauges(
	const struct health_accounting *accounting, struct buf *text, struct err *err)
{
	if (!accounting->known) {
		return 0;
	}
	if (buf_add_text(text,
		    "# HELP mirror_files Paths in each state of the ledger.\n"
		    "# TYPE mirror_files gauge\n",
		    err) < 0) {
		return err->code;
	}
	for (int i = 0; i < LEDGER_NSTATES; i++) {
		if (buf_add_fmt(text, err, "mirror_files{state=\"%s\"} %lld\n",
			    ledger_state_word((enum ledger_state)i),
			    (long long)accounting->state[i]) < 0) {
			return err->code;
		}
	}
	if (buf_add_fmt(text, err, "mirror_files{state=\"unaccounted\"} %lld\n",
		    (long long)accounting->unaccounted) < 0) {
		return err->code;
	}
	return add_gauge("mirror_files_on_disk", "Paths on disk that are not folders.",
		accounting->on_disk, text, err);
}

static int
add_prometheus(const struct health_report *report, struct buf *text, struct err *err)
{
	const struct {
		const char *name;
		const char *help;
		int64_t value;
	} gauges[] = {
		{ "mirror_health_state", "0 healthy, 1 degraded, 2 failed, 3 unknown.",
			verdict_exit(report->state) },
		{ "mirror_health_timestamp_seconds", "When this was measured.",
			report->now_ms / 1000 },
		{ "mirror_oldest_pending_seconds",
			"Age of the oldest change not yet safe.", unprotected_s(report) },
		{ "mirror_push_lag_commits", "Commits that the remote lacks.",
			unpushed(report) },
		{ "mirror_push_lag_seconds", "Age of the oldest commit that it lacks.",
			push_lag_s(report) },
	};

	for (size_t i = 0; i < countof(gauges); i++) {
		if (add_gauge(gauges[i].name, gauges[i].help, gauges[i].value, text,
			    err) < 0) {
			return err->code;
		}
	}
	if (add_file_gauges(&report->accounting, text, err) < 0) {
		return err->code;
	}
	return add_fact_gauges(report, text, err);
}

int
format_report(const struct health_report *report, enum format format, bool verbose,
	struct buf *text, struct err *err)
{
	switch (format) {
	case FORMAT_TEXT:
		return add_text(report, verbose, text, err);
	case FORMAT_JSON:
		return add_json(report, text, err);
	case FORMAT_NAGIOS:
		return add_nagios(report, text, err);
	case FORMAT_PROMETHEUS:
		return add_prometheus(report, text, err);
	case FORMAT_NFORMATS_:
		break;
	}
	return err_raise(err, ERR_BUG, "no such format: %d", (int)format);
}
