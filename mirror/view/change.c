// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/change.h"

#include "base/json.h"
#include "brain/oid.h"
#include "view/row.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
set_oid(struct json *object, const char *key, const struct oid *oid)
{
	char id[OID_HEX_MAX];

	json_set_text(object, key, oid_is_zero(oid) ? NULL : oid_hex(oid, id));
}

const char *
view_change_word(const struct oid *old, const struct oid *new)
{
	return oid_is_zero(old) ? "added" : oid_is_zero(new) ? "removed" : "changed";
}

void
view_change_add(
	struct view_change_count *count, const struct oid *old, const struct oid *new)
{
	bool is_new = oid_is_zero(old);
	bool is_gone = oid_is_zero(new);

	count->added += is_new;
	count->removed += is_gone && !is_new;
	count->changed += !is_new && !is_gone;
}

struct json *
view_change(const char *path, const struct oid *old, const struct oid *new)
{
	struct json *row = json_new_object();

	json_set_bytes(row, "path", path, strlen(path));
	json_set_text(row, "change", view_change_word(old, new));
	set_oid(row, "old", old);
	set_oid(row, "new", new);
	return row;
}

struct json *
view_commit(const struct oid *commit, int64_t at_ms, const char *subject,
	const struct view_change_count *count)
{
	struct json *row = json_new_object();

	set_oid(row, "commit", commit);
	view_date(row, "at", at_ms);
	json_set_int(row, "added", (int64_t)count->added);
	json_set_int(row, "changed", (int64_t)count->changed);
	json_set_int(row, "removed", (int64_t)count->removed);
	json_set_text(row, "subject", subject);
	return row;
}

void
view_note_write(const struct oid *commit, uint64_t changed, char *note, size_t size)
{
	char hex[OID_HEX_MAX];

	(void)snprintf(note, size, "commit %s changed %" PRIu64,
		oid_is_zero(commit) ? "none" : oid_hex(commit, hex), changed);
}

bool
view_note_read(const char *note, struct oid *ret_commit, uint64_t *ret_changed)
{
	char hex[OID_HEX_MAX] = "";

	if (sscanf(note, "commit %40s changed %" SCNu64, hex, ret_changed) != 2) {
		return false;
	}
	memset(ret_commit, 0, sizeof(*ret_commit));
	return strcmp(hex, "none") == 0 || oid_parse(hex, ret_commit);
}
