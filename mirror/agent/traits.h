// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/traits - extended attributes on their way into a backup: read, and with the
 * secrets taken out.
 *
 *     AUTO(traits_done) struct traits traits = TRAITS;
 *
 *     if (traits_read(fd, &traits, err) < 0) ...            // inside the stable read
 *     if (traits_clean(scanner, path, &traits, err) < 0) ...
 *     row.attributes = traits.clean.data;
 *
 * Knows: round, kit, scanner, ledger (attributes), vault (original).
 * Owns:  what was read, until traits_done().
 * Never: lets a value pass that was not scanned (I1): `name=value` is what the scanner
 *        sees, so that the name counts as the word before a password does.
 */

#ifndef AGENT_TRAITS_H
#define AGENT_TRAITS_H

#include "base/base.h"
#include "base/buf.h"
#include "ledger/attributes.h"
#include "vault/original.h"

struct err;
struct inode;
struct ledger_folder;
struct round;
struct scanner;

enum {
	/** A mark can be longer than what it stands for. */
	TRAITS_CLEAN_MAX = 4 * ATTRIBUTES_MAX,
};

struct traits {
	/** Packed: as on disk, and as they may be shown. */
	struct buf raw;
	struct buf clean;
	/** They could not be kept, for this errno; 0 otherwise. */
	int sys;
	/** Secrets taken out, and by which rules (borrowed from the scanner). */
	uint32_t spans;
	const char **rules;
	size_t nrules;
	size_t rules_capacity;
	/** Those that hold one, as they were; borrowed from `raw`. */
	struct original_attribute *cut;
	size_t ncut;
	size_t cut_capacity;
};

#define TRAITS                                                                           \
	{                                                                                \
		.raw = { .max = ATTRIBUTES_MAX }, .clean = {.max = TRAITS_CLEAN_MAX }    \
	}

/** Frees and wipes. */
void traits_done(struct traits *traits) NONNULL;

/**
 * What cannot be read is no failure of the file: `sys` says so.
 *
 * @return
 *         0, or negative: UNSTABLE, NO_MEMORY.
 */
int traits_read(int fd, struct traits *traits, struct err *err) NONNULL MUST_CHECK;

/** What the scanner sees of one: `name=value`.  TOO_BIG, NO_MEMORY. */
int traits_text(const struct attribute *attribute, struct buf *ret_text, struct err *err)
	NONNULL MUST_CHECK;

/** Fill in the rest.  BLOCKED, NO_MEMORY: none of them may be kept. */
int traits_clean(const struct scanner *scanner, const char *path, struct traits *traits,
	struct err *err) NONNULL MUST_CHECK;

/**
 * Those of a folder, when they are asked for and it may have changed.
 *
 * A folder has no row that could say what was taken out or could not be kept: the log
 * does.
 *
 * @folder
 *         Its `attributes` are borrowed from @traits afterwards.
 * @return
 *         1 they are others than before, 0 not, or negative: the cycle cannot go on.
 */
int traits_of_folder(struct round *round, int fd, const char *path,
	const struct inode *inode, struct ledger_folder *folder, struct traits *traits,
	struct err *err) NONNULL MUST_CHECK;

#endif
