// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/restore_record - what is staged, what was applied: one small JSON file each.
 *
 *     <snapshot folder>/restore/<id>.json            the record
 *     <snapshot folder>/restore/<id>.sqlite          what is staged
 *     <snapshot folder>/restore/<id>.before.sqlite   what stood there before
 *
 * Knows: base.
 * Owns:  the folder `restore`, 0700, and its lock while it is open for work.
 * Never: reads a database.
 */

#ifndef VAULT_RESTORE_RECORD_H
#define VAULT_RESTORE_RECORD_H

#include "base/base.h"
#include "base/hash.h"

#include <sys/types.h>

struct err;

enum {
	RESTORE_ID_MAX = 40,
	RESTORE_RECORD_MAX = 64 * 1024,
	/** Restores listed for one database; what is beyond is not looked at. */
	RESTORE_LIST_MAX = 1000,
};

enum restore_state {
	RESTORE_STAGED,
	RESTORE_APPLYING,
	RESTORE_APPLIED,
	/** No longer what was checked; kept for a person, never applied. */
	RESTORE_BAD,
	/** Being written beside; the target is the temporary, nothing else belongs to it.
	 * Whoever holds the folder's lock and finds one knows that its writer is dead. */
	RESTORE_BESIDE,
};
const char *restore_state_name(enum restore_state state);

struct restore_record {
	/** Sorts by time. */
	char id[RESTORE_ID_MAX];
	enum restore_state state;
	int64_t at_ms;
	/** The real path that is (or was) replaced. */
	char *target;
	char sha256[HASH_HEX_MAX];
	int64_t bytes;
	/** Full path of the safety copy, NULL while or when there is none. */
	char *safety;
	/** The new file's inode, once it lies beside the target: after a crash it says
	 * whether the rename took place.  0 before. */
	ino_t inode;
	/** Why it is RESTORE_BAD; NULL otherwise. */
	char *reason;
};
void restore_record_done(struct restore_record *record) NONNULL;

/** The open folder. */
struct restore_folder {
	char *path;
	int fd;
};

/** Makes it, takes its lock.  BUSY when another process works in it. */
int restore_folder_open(const char *dir, struct restore_folder *ret_folder,
	struct err *err) NONNULL MUST_CHECK;
void restore_folder_close(struct restore_folder *folder) NONNULL;

/** Fill in a new id and the time. */
void restore_record_begin(struct restore_record *record) NONNULL;
int restore_record_save(const struct restore_folder *folder,
	const struct restore_record *record, struct err *err) NONNULL MUST_CHECK;
/** NOT_FOUND; INVALID (damaged, or no id of ours). */
int restore_record_load(const struct restore_folder *folder, const char *id,
	struct restore_record *ret_record, struct err *err) NONNULL MUST_CHECK;
/** The record and both files. */
void restore_record_remove(const struct restore_folder *folder, const char *id) NONNULL;

/** "<folder>/<id><suffix>"; owned by the caller. */
char *restore_file(const struct restore_folder *folder, const char *id,
	const char *suffix) NONNULL MUST_CHECK;

/** Oldest first; not 0 ends it.  A damaged record is given as RESTORE_BAD. */
typedef int restore_fn(const struct restore_record *record, void *payload);
int restore_folder_each(const struct restore_folder *folder, restore_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;

/** The same for a database's snapshot folder, without its lock; nothing is made. */
int restore_db_list(const char *dir, restore_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;

#endif
