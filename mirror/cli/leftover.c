// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/leftover.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/places.h"
#include "health/record.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	SHOWN_MAX = 5,
};

// clang-format off
static const struct {
	enum ledger_kind kind;
	const char *next;
} steps[] = {
	{ LEDGER_KIND_CHANGED,         "mirror --once" },
	{ LEDGER_KIND_UNSTABLE,        "stop what writes to it, then: mirror --once" },
	{ LEDGER_KIND_HELD_SHRINK,     "mount the disk; or, when it was meant: mirror accept shrink" },
	{ LEDGER_KIND_HELD_SECRET,     "mirror key new, with action = \"seal\"; or take the secret out" },
	{ LEDGER_KIND_HELD_SCAN_ERROR, "mirror scan the file; then mirror --once --full" },
	{ LEDGER_KIND_EACCES,          "chmod u+r it, or exclude it" },
	{ LEDGER_KIND_EPERM,           "chmod u+r it, or exclude it" },
	{ LEDGER_KIND_EIO,             "look after the disk (dmesg, smartctl)" },
	{ LEDGER_KIND_TOO_LARGE,       "raise [files] max_size, or exclude it" },
	{ LEDGER_KIND_RULE,            "mirror config edit, when it was not meant" },
	{ LEDGER_KIND_REGENERABLE,     "take the name out of [files] regenerable, when it was not meant" },
	{ LEDGER_KIND_WINDOW,          "a longer [[watch]] window keeps it; older commits have it" },
	{ LEDGER_KIND_OTHER_FILESYSTEM, "mirror add it: another file system is a watched folder of its own" },
};
// clang-format on

const char *
leftover_next(enum ledger_state state, enum ledger_kind kind)
{
	if (ledger_is_protected(state)) {
		return "nothing to do";
	}
	for (size_t i = 0; i < countof(steps); i++) {
		if (steps[i].kind == kind) {
			return steps[i].next;
		}
	}
	return state == LEDGER_EXCLUDED ? "nothing to do" : "mirror --once";
}

int
leftover_open_ledger(struct ledger **ret_ledger, struct err *err)
{
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *path = path_join(state, RECORD_LEDGER);

	if (ledger_open(path, LEDGER_RO, ret_ledger, err) < 0) {
		if (err->code == ERR_NOT_FOUND) {
			err_raise(err, ERR_NOT_FOUND,
				"there is no ledger yet: nothing was mirrored");
			return err_advise(err, "mirror --once");
		}
		return err_wrap(err, "read the ledger");
	}
	return 0;
}

struct printing {
	struct output *out;
	int64_t left;
};

static int
print_row(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct printing *printing = payload;
	AUTO_FREE char *shown = path_short(path);

	(void)len;
	if (printing->left == 0) {
		return 1;
	}
	printing->left--;
	output_line(printing->out, "  %s: %s: %s", ledger_state_word(row->state),
		row->reason, shown);
	output_line(printing->out, "    next: %s",
		leftover_next(row->state, ledger_kind_of(row->state, row->reason)));
	return 0;
}

static int
print_state(struct output *out, struct ledger *ledger, enum ledger_state state,
	int64_t count, struct err *err)
{
	struct ledger_filter filter = { .by_state = true, .state = state };
	struct printing printing = { .out = out, .left = SHOWN_MAX };

	if (count == 0) {
		return 0;
	}
	if (ledger_each(ledger, &filter, print_row, &printing, err) < 0) {
		return err->code;
	}
	if (count > SHOWN_MAX) {
		output_line(out, "  and %" PRId64 " more: mirror ledger --state %s",
			count - SHOWN_MAX, ledger_state_word(state));
	}
	return 0;
}

void
leftover_print(struct output *out, const struct ledger_totals *totals)
{
	int64_t failed = totals->state[LEDGER_FAILED].files;
	int64_t pending = totals->state[LEDGER_PENDING].files;
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct err err = { 0 };

	if (failed + pending == 0) {
		return;
	}
	if (leftover_open_ledger(&ledger, &err) < 0 ||
		print_state(out, ledger, LEDGER_FAILED, failed, &err) < 0 ||
		print_state(out, ledger, LEDGER_PENDING, pending, &err) < 0) {
		output_error(out, &err);
	}
}
