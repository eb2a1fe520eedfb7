// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/journal - what a restore in place was going to do, as text.
 *
 *     mirror-undo 1
 *     commit→1f0c...                                   (a TAB is written as an arrow)
 *     root→notes→/home/me/notes
 *     made→file→<blob>→notes/new.md
 *     made→folder→-→notes/sub
 *     replaced→link→<blob>→notes/latest
 *     replaced→folder→-→notes/sub                     its extended attributes alone
 *     changed→0755 1763716438.123456789→notes
 *     done
 *     undone
 *
 * Paths are those on disk, "<name>/<rel>", escaped as in the sidecar.
 *
 * Knows: base, brain (oid, the sidecar's escape).
 * Owns:  what journal_parse() made, until journal_done().
 * Never: touches a disk; takes a text that it would not have written itself.  A last line
 *        without its end was cut off by a kill: nothing had been done by it yet.
 */

#ifndef RESTORE_JOURNAL_H
#define RESTORE_JOURNAL_H

#include "base/base.h"
#include "brain/oid.h"
#include "brain/sidecar.h"
#include "restore/told.h"

#include <time.h>

struct buf;
struct err;

enum {
	JOURNAL_MAX = 1 << 30,
	JOURNAL_ROOTS_MAX = 1024,
};

enum journal_kind {
	JOURNAL_MADE,
	JOURNAL_REPLACED,
	JOURNAL_CHANGED,
};

struct journal_line {
	enum journal_kind kind;
	/** Of MADE and REPLACED: what was restored there. */
	enum sidecar_kind entry;
	/** Its bytes; zero for a folder. */
	struct oid oid;
	/** Of CHANGED: as they were. */
	uint32_t mode;
	struct timespec mtime;
	char *path;
};

struct journal {
	struct oid commit;
	struct restore_root *roots;
	size_t nroots;
	struct journal_line *lines;
	size_t nlines;
	size_t capacity;
	bool done;
	bool undone;
};

/** The lines before the first one of struct journal_line. */
int journal_write_head(struct buf *text, const struct oid *commit,
	const struct restore_root *roots, size_t nroots, struct err *err)
	NONNULL MUST_CHECK;
int journal_write_line(struct buf *text, const struct journal_line *line, struct err *err)
	NONNULL MUST_CHECK;
#define JOURNAL_DONE "done\n"
#define JOURNAL_UNDONE "undone\n"

/** INVALID with the number of the line. */
int journal_parse(const char *text, size_t len, struct journal *ret_journal,
	struct err *err) NONNULL MUST_CHECK;
void journal_done(struct journal *journal) NONNULL;

#endif
