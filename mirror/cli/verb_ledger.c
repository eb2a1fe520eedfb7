// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/handlers.h"
#include "cli/leftover.h"
#include "cli/settings.h"
#include "cli/target.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/exclusions.h"
#include "view/row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct listing {
	struct call *call;
	/** Only exclusions that nobody accepted; NULL: all rows. */
	struct evidence *evidence;
	bool csv;
	uint64_t count;
	struct err *err;
};

static void
since_text(const struct ledger_row *row, char text[CLOCK_TEXT_MAX])
{
	clock_format(row->since_ms, text);
}

static void
print_json(struct output *out, const char *path, size_t len, const struct ledger_row *row)
{
	AUTO(json_freep) struct json *object = view_row(path, len, row);

	output_json_line(out, object);
}

// RFC 4180: quotes around everything, and twice inside.
static void
print_field(struct output *out, const char *text, const char *end)
{
	AUTO_FREE char *shown = path_printable(text);

	output_text(out, "\"");
	for (const char *c = shown; *c != '\0'; c++) {
		output_text(out, *c == '"' ? "\"\"" : "%c", *c);
	}
	output_text(out, "\"%s", end);
}

static void
print_csv(struct output *out, const char *path, const struct ledger_row *row)
{
	char oid[HASH_HEX_MAX] = "";
	char since[CLOCK_TEXT_MAX];

	since_text(row, since);
	if (row->oid.set) {
		hash_hex(row->oid.bytes, sizeof(row->oid.bytes), oid);
	}
	print_field(out, path, ",");
	print_field(out, ledger_state_word(row->state), ",");
	print_field(out, row->reason, ",");
	output_line(out, "%" PRId64 ",%s,%" PRIu32 ",%s", row->inode.size, oid,
		row->spans, since);
}

static enum output_tone
tone_of(enum ledger_state state)
{
	return state == LEDGER_FAILED      ? OUTPUT_BAD
		: state == LEDGER_PENDING  ? OUTPUT_WARN
		: state == LEDGER_EXCLUDED ? OUTPUT_FAINT
					   : OUTPUT_GOOD;
}

static void
print_text(struct output *out, const char *path, const struct ledger_row *row)
{
	AUTO_FREE char *shown = path_printable(path);
	const char *word = ledger_state_word(row->state);

	output_word(out, tone_of(row->state), word);
	output_text(out, "%*s", (int)(12 - MIN_OF(strlen(word), (size_t)11)), "");
	output_line(out, "%s%s%s%s", shown, row->reason[0] != '\0' ? "  (" : "",
		row->reason, row->reason[0] != '\0' ? ")" : "");
}

static int
print_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct listing *listing = payload;
	struct output *out = &listing->call->out;

	if (listing->evidence != NULL) {
		int is_new = row->state != LEDGER_EXCLUDED
			? 0
			: exclusions_is_new(listing->evidence,
				  ledger_kind_of(row->state, row->reason), path, len,
				  listing->err);

		if (is_new <= 0) {
			return is_new;
		}
	}
	listing->count++;
	if (out->json) {
		print_json(out, path, len, row);
	} else if (listing->csv) {
		print_csv(out, path, row);
	} else {
		print_text(out, path, row);
	}
	return 0;
}

// "rule" means "rule:...", and a path may be any that a person would type.
static int
read_filter(struct call *call, struct ledger_filter *filter, struct target *target,
	struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	const char *state = args_value(&call->args, "state");
	struct err wrong;

	if (state != NULL) {
		filter->by_state = true;
		// `unaccounted` is a word of reports; no row has it.
		if (!ledger_state_parse(state, &filter->state)) {
			return err_raise(err, ERR_USAGE, "there is no state %s", state);
		}
	}
	filter->reason = args_value(&call->args, "reason");
	if (call->args.nwords == 0) {
		return 0;
	}
	if (settings_load_or_last(call, &config, &wrong, err) < 0 ||
		target_find(config, call->args.words[0], target, err) < 0) {
		return err->code;
	}
	target->watch = NULL;
	filter->path = target->path;
	return 0;
}

static int
open_evidence(struct evidence **ret_evidence, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();

	return evidence_open(state, EVIDENCE_RO, ret_evidence, err);
}

int
verb_ledger(struct call *call, struct err *err)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	AUTO(target_done) struct target target = { 0 };
	struct ledger_filter filter = { 0 };
	struct listing listing = {
		.call = call,
		.csv = args_has(&call->args, "csv"),
		.err = err,
	};

	if (listing.csv && call->out.json) {
		return err_raise(err, ERR_USAGE, "either --csv or --json");
	}
	if (read_filter(call, &filter, &target, err) < 0 ||
		leftover_open_ledger(&ledger, err) < 0) {
		return err->code;
	}
	if (args_has(&call->args, "new")) {
		if (open_evidence(&evidence, err) < 0) {
			return err->code;
		}
		listing.evidence = evidence;
	}
	if (listing.csv) {
		output_line(&call->out, "path,state,reason,size,oid,spans,since");
	}
	if (ledger_each(ledger, &filter, print_row, &listing, err) < 0) {
		return err->code;
	}
	output_note(&call->out, "%" PRIu64 " path%s", listing.count,
		listing.count == 1 ? "" : "s");
	return 0;
}
