// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/row.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "ledger/ledger.h"

void
view_date(struct json *object, const char *key, int64_t at_ms)
{
	char text[CLOCK_TEXT_MAX];

	if (at_ms == 0) {
		json_set_null(object, key);
		return;
	}
	clock_format(at_ms, text);
	json_set_text(object, key, text);
}

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
view_next(enum ledger_state state, enum ledger_kind kind)
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
view_is_secret(const struct ledger_row *row)
{
	return row->state == LEDGER_REDACTED || row->state == LEDGER_SEALED ||
		(row->state == LEDGER_PENDING &&
			ledger_kind_of(row->state, row->reason) ==
				LEDGER_KIND_HELD_SECRET);
}

struct json *
view_row(const char *path, size_t len, const struct ledger_row *row)
{
	struct json *object = json_new_object();
	char oid[HASH_HEX_MAX];

	if (row->oid.set) {
		hash_hex(row->oid.bytes, sizeof(row->oid.bytes), oid);
	}
	json_set_bytes(object, "path", path, len);
	json_set_text(object, "state", ledger_state_word(row->state));
	json_set_text(object, "reason", row->reason);
	json_set_int(object, "size", row->inode.size);
	json_set_text(object, "oid", row->oid.set ? oid : NULL);
	json_set_int(object, "spans", row->spans);
	view_date(object, "since", row->since_ms);
	return object;
}

struct json *
view_secret(const char *path, size_t len, const struct ledger_row *row)
{
	struct json *object = json_new_object();

	json_set_bytes(object, "path", path, len);
	json_set_text(object, "state", ledger_state_word(row->state));
	json_set_text(object, "rules", row->reason);
	json_set_int(object, "spans", row->spans);
	view_date(object, "since", row->since_ms);
	return object;
}
