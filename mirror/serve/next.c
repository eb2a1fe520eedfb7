// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/next.h"

#include "ledger/ledger.h"

// clang-format off
static const struct {
	enum ledger_kind kind;
	const char *next;
} steps[] = {
	{ LEDGER_KIND_CHANGED,          "mirror --once" },
	{ LEDGER_KIND_UNSTABLE,         "stop what writes to it, then: mirror --once" },
	{ LEDGER_KIND_HELD_SHRINK,      "mount the disk; or, when it was meant: mirror accept shrink" },
	{ LEDGER_KIND_HELD_SECRET,      "mirror key new, with action = \"seal\"; or take the secret out" },
	{ LEDGER_KIND_HELD_SCAN_ERROR,  "mirror scan the file; then mirror --once --full" },
	{ LEDGER_KIND_EACCES,           "chmod u+r it, or exclude it" },
	{ LEDGER_KIND_EPERM,            "chmod u+r it, or exclude it" },
	{ LEDGER_KIND_EIO,              "look after the disk (dmesg, smartctl)" },
	{ LEDGER_KIND_TOO_LARGE,        "raise [files] max_size, or exclude it" },
	{ LEDGER_KIND_RULE,             "mirror config edit, when it was not meant" },
	{ LEDGER_KIND_REGENERABLE,      "take the name out of [files] regenerable, when it was not meant" },
	{ LEDGER_KIND_WINDOW,           "a longer [[watch]] window keeps it; older commits have it" },
	{ LEDGER_KIND_OTHER_FILESYSTEM, "mirror add it: another file system is a watched folder of its own" },
};
// clang-format on

const char *
next_step(enum ledger_state state, enum ledger_kind kind)
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

bool
next_is_secret(const struct ledger_row *row)
{
	return row->state == LEDGER_REDACTED || row->state == LEDGER_SEALED ||
		(row->state == LEDGER_PENDING &&
			ledger_kind_of(row->state, row->reason) ==
				LEDGER_KIND_HELD_SECRET);
}
