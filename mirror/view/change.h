// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * view/change - a commit, and a path that it changed: for `log`, `diff`, `today`, the API
 * and the page.
 *
 *     view_change_add(&count, old, new);
 *     json_append(list, view_change(path, old, new));
 *
 * Knows: brain (object ids).
 * Owns:  nothing.
 * Never: looks into a repository.
 */

#ifndef VIEW_CHANGE_H
#define VIEW_CHANGE_H

#include "base/base.h"

struct json;
struct oid;

struct view_change_count {
	uint64_t added;
	uint64_t changed;
	uint64_t removed;
};

/** "added", "changed" or "removed"; a literal.  A zero id: it is not there. */
const char *view_change_word(const struct oid *old, const struct oid *new) NONNULL;
void view_change_add(struct view_change_count *count, const struct oid *old,
	const struct oid *new) NONNULL;

/** `path`, `change`, `old`, `new`; owned by the caller. */
struct json *view_change(const char *path, const struct oid *old, const struct oid *new)
	NONNULL MUST_CHECK;
/** `commit`, `at`, `added`, `changed`, `removed`, `subject`; owned by the caller. */
struct json *view_commit(const struct oid *commit, int64_t at_ms, const char *subject,
	const struct view_change_count *count) NONNULL MUST_CHECK;

/** What a sync leaves in the queue's history of its cycle; @commit zero: none was made.
 */
void view_note_write(const struct oid *commit, uint64_t changed, char *note, size_t size)
	NONNULL;
/** And back; false when it says nothing of one. */
bool
view_note_read(const char *note, struct oid *ret_commit, uint64_t *ret_changed) NONNULL;

#endif
