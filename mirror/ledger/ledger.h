// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * ledger/ledger - every path, its state and one reason (I8).
 *
 *     if (ledger_open(path, LEDGER_RW, &ledger, err) < 0) ...
 *     if (ledger_begin(ledger, err) < 0) ...
 *     root = ledger_root(ledger, "notes", err);
 *     ledger_rows_load(ledger, root, &rows, err);         // sorted by name
 *     ledger_row_put(ledger, root, &row, err);
 *     ledger_row_drop(ledger, root, name, len, err);
 *     if (ledger_commit(ledger, err) < 0) ...
 *
 * Knows: err, mem, buf, db, clock, state, inode.
 * Owns:  one SQLite file.  Folders are numbered; a row is keyed (folder, name), so the
 *        rows of a folder are one range of the table.  A tally per root, state and kind
 *        moves in the same transaction as the rows, so totals never need a scan.
 * Never: keeps more than one folder's rows in memory, stores a path's content, or a name
 *        other than the one it was given (the caller redacts names first, I3).
 *
 * Names are bytes: anything but NUL and '/'.  Folder 0 is above the roots: a row in it
 * stands for a whole root (unreadable, say).
 *
 * Threads: one handle, one thread at a time.  Other processes and handles may read while
 * a transaction is open; they see the state before it.
 */

#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/base.h"
#include "ledger/arena.h"
#include "ledger/inode.h"
#include "ledger/state.h"

struct err;
struct ledger;

enum {
	LEDGER_OID_LEN = 20,
	LEDGER_STAMP_LEN = 16,
	/** Bytes of a name; longer is TOO_BIG (redaction may lengthen one past NAME_MAX).
	 */
	LEDGER_NAME_MAX = 4096,
	/** A ledger of so many bytes is looked through by ledger_glance(), of a larger
	 * one so many places. */
	LEDGER_GLANCE_BYTES = 1 << 20,
	LEDGER_GLANCE_LOOKS = 128,
	/** Bytes of a value under ledger_meta_set(). */
	LEDGER_META_MAX = 64 * 1024,
};

enum ledger_mode {
	/** Created when missing. */
	LEDGER_RW,
	/** Must exist; nothing can be changed. */
	LEDGER_RO,
};

/** Stored as numbers: append only. */
enum ledger_type {
	LEDGER_TYPE_FILE,
	LEDGER_TYPE_SYMLINK,
	LEDGER_TYPE_SPECIAL,
	/** A folder that is excluded or unreadable as a whole: one row. */
	LEDGER_TYPE_FOLDER,
};

enum ledger_row_flag {
	/** The bytes are in the sidecar, not at the path's own place in the tree. */
	LEDGER_ROW_SIDECAR = 1 << 0,
	/** Changed within the clock's grain of our read: look again. */
	LEDGER_ROW_RACY = 1 << 1,
	/** The name shown is not the name on disk (it held a secret). */
	LEDGER_ROW_RENAMED = 1 << 2,
	/** A live SQLite database (not one of its companions). */
	LEDGER_ROW_DATABASE = 1 << 3,
	/** It was looked at for extended attributes. */
	LEDGER_ROW_ATTRIBUTES = 1 << 4,
};

enum ledger_folder_flag {
	/** Some row in it is pending, failed or racy: the stamp alone does not decide. */
	LEDGER_FOLDER_RECHECK = 1 << 0,
	/** Its own mode or times changed: the sidecar is to be written again. */
	LEDGER_FOLDER_META_DIRTY = 1 << 1,
	LEDGER_FOLDER_RENAMED = 1 << 2,
	LEDGER_FOLDER_ATTRIBUTES = 1 << 3,
};

struct ledger_oid {
	bool set;
	uint8_t bytes[LEDGER_OID_LEN];
};

struct ledger_row {
	/** With a NUL behind it when the ledger hands it out. */
	const char *name;
	size_t name_len;
	enum ledger_type type;
	enum ledger_state state;
	/** Never NULL when the ledger hands it out; NULL is "". */
	const char *reason;
	struct inode inode;
	/** The blob in the brain repo. */
	struct ledger_oid oid;
	/** The name of the place where what was taken out is sealed; not set: nowhere. */
	struct ledger_oid sealed;
	/** Secrets taken out. */
	uint32_t spans;
	/** Which rules it was scanned with; the caller's number. */
	uint32_t rules;
	/** Bits of enum ledger_row_flag. */
	uint32_t flags;
	/** What is kept of its extended attributes, packed (see attributes.h); NULL and
	 * 0: none. */
	const void *attributes;
	size_t attributes_len;
	/**
	 * In this state since.  0 lets ledger_row_put() decide: kept while the state is
	 * the same (and, for excluded, the kind of reason), else the time of
	 * ledger_begin().
	 */
	int64_t since_ms;
};

struct ledger_folder {
	/** 0 for one that is not stored yet. */
	int64_t id;
	/** 0 for a root. */
	int64_t parent;
	/** The id of the root it is in; filled in by the ledger. */
	int64_t root;
	const char *name;
	size_t name_len;
	struct inode inode;
	/** The git tree of this folder, and of its part of the sidecar. */
	struct ledger_oid tree;
	struct ledger_oid sidecar;
	/** The name of the place where its true name is sealed; not set: nowhere. */
	struct ledger_oid sealed;
	/** walk_stamp() of the listing the rows stand for; zero when unknown. */
	uint8_t stamp[LEDGER_STAMP_LEN];
	/** Bits of enum ledger_folder_flag. */
	uint32_t flags;
	/** As for a row. */
	const void *attributes;
	size_t attributes_len;
};

/** Rows of one folder, sorted by bytes of name.  Zeroed is empty and ready. */
struct ledger_rows {
	struct ledger_row *rows;
	size_t count;
	size_t capacity;
	struct arena names;
};

/** Subfolders of one folder, sorted by bytes of name.  Zeroed is empty and ready. */
struct ledger_folders {
	struct ledger_folder *folders;
	size_t count;
	size_t capacity;
	struct arena names;
};

struct ledger_count {
	int64_t files;
	int64_t bytes;
};

struct ledger_totals {
	/** The sum of all states: what (I8) calls "on disk". */
	struct ledger_count on_disk;
	struct ledger_count state[LEDGER_NSTATES];
	struct ledger_count kind[LEDGER_NSTATES][LEDGER_NKINDS];
};

/** What is known of a watched root beside its files; for the shrink guard (I14). */
struct ledger_root_facts {
	/** Where it is on disk; NULL for unknown.  Borrowed until the next call. */
	const char *path;
	uint64_t dev;
	uint64_t number;
	/** statfs's f_type. */
	int64_t fs_type;
	/** Paths at the end of the last full sweep, and when that was; -1 and 0: never.
	 */
	int64_t files;
	int64_t swept_ms;
	/** enum shrink_verdict, and since when it is held; 0 and 0: not held. */
	int32_t held;
	int64_t held_since_ms;
};

/* ---- a ledger's life ---- */

/**
 * @return
 *         0, or negative: NOT_FOUND (LEDGER_RO and none there yet), CORRUPT (damaged, or
 *         not a ledger: ledger_set_aside() it and sweep), INVALID (from a newer program),
 *         BUSY, NO_SPACE, DENIED, IO.
 */
int ledger_open(const char *path, enum ledger_mode mode, struct ledger **ret_ledger,
	struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL.  An open transaction is rolled back. */
void ledger_close(struct ledger *ledger);
void ledger_closep(struct ledger **ledger);

/** Rename a damaged ledger and its companions to "<path>.damaged-<time>". */
int ledger_set_aside(const char *path, struct err *err) NONNULL MUST_CHECK;

/** One transaction per cycle.  Everything that writes needs one (else BUG). */
int ledger_begin(struct ledger *ledger, struct err *err) NONNULL MUST_CHECK;
/** After a failure nothing was changed and the transaction is over. */
int ledger_commit(struct ledger *ledger, struct err *err) NONNULL MUST_CHECK;
/** Harmless without a transaction. */
void ledger_rollback(struct ledger *ledger) NONNULL;

/** Until ledger_thaw() everything that is read is of one moment, whoever writes
 * meanwhile: by another handle, because this one cannot write then. */
int ledger_freeze(struct ledger *ledger, struct err *err) NONNULL MUST_CHECK;
void ledger_thaw(struct ledger *ledger) NONNULL;

/* ---- roots and folders ---- */

/**
 * The folder id of the root @name, made on demand inside a transaction.
 *
 * @return
 *         The id (> 0), or negative: NOT_FOUND without a transaction.
 */
int64_t
ledger_root(struct ledger *ledger, const char *name, struct err *err) NONNULL MUST_CHECK;
// All roots: ledger_subfolders() of folder 0.

/** Zeroed facts with files = -1 when none were set. */
int ledger_root_info(struct ledger *ledger, int64_t root,
	struct ledger_root_facts *ret_facts, struct err *err) NONNULL MUST_CHECK;
int ledger_root_set(struct ledger *ledger, int64_t root,
	const struct ledger_root_facts *facts, struct err *err) NONNULL MUST_CHECK;

/** The id of a subfolder, 0 when there is none, or negative. */
int64_t ledger_child(struct ledger *ledger, int64_t folder, const char *name, size_t len,
	struct err *err) NONNULL MUST_CHECK;

/** 1 loaded, 0 no such folder, or negative.  Name and attributes are borrowed until the
 * next call. */
int ledger_folder_load(struct ledger *ledger, int64_t id,
	struct ledger_folder *ret_folder, struct err *err) NONNULL MUST_CHECK;

/**
 * Store a folder.  With id 0 it is found by (parent, name) or made, and its id and root
 * are filled in; with an id, parent and name may change (a rename keeps all rows).
 * Folders have no state and are not counted.
 */
int ledger_folder_put(struct ledger *ledger, struct ledger_folder *folder,
	struct err *err) NONNULL MUST_CHECK;

/** How many folders there are, roots among them.  Sees open changes. */
int ledger_count_folders(struct ledger *ledger, uint64_t *ret_count, struct err *err)
	NONNULL MUST_CHECK;

/** Load the subfolders; @ret_folders is reused, ledger_folders_done() it in the end. */
int ledger_subfolders(struct ledger *ledger, int64_t folder,
	struct ledger_folders *ret_folders, struct err *err) NONNULL MUST_CHECK;
void ledger_folders_done(struct ledger_folders *folders) NONNULL;
/** Binary search, or NULL. */
const struct ledger_folder *ledger_folders_find(
	const struct ledger_folders *folders, const char *name, size_t len) NONNULL;

/**
 * Called once for each path, "<root>/<rel>", NUL behind it.
 *
 * @row
 *         Borrowed: valid until the callback returns.
 * @return
 *         0 to go on.  Anything else ends the walk and becomes its result.
 */
typedef int
ledger_each_fn(const char *path, size_t len, const struct ledger_row *row, void *payload);

/**
 * Forget a folder and everything below it; tallies follow.
 *
 * @fn
 *         Told each path before anything is dropped, in path order; may be NULL.  When
 *         it stops the walk, nothing is dropped.
 */
int ledger_drop_tree(struct ledger *ledger, int64_t folder, ledger_each_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 5) MUST_CHECK;

/** Paths below @folder, itself included, by a scan of that part alone. */
int ledger_count_tree(struct ledger *ledger, int64_t folder, int64_t *ret_files,
	struct err *err) NONNULL MUST_CHECK;

/* ---- rows ---- */

/** Load the rows of one folder; @ret_rows is reused, ledger_rows_done() it in the end. */
int ledger_rows_load(struct ledger *ledger, int64_t folder, struct ledger_rows *ret_rows,
	struct err *err) NONNULL MUST_CHECK;
/** The same, and of each row only what a tree shows: name, type, mode, flags and oid. */
int ledger_rows_load_shown(struct ledger *ledger, int64_t folder,
	struct ledger_rows *ret_rows, struct err *err) NONNULL MUST_CHECK;
void ledger_rows_done(struct ledger_rows *rows) NONNULL;
/** Binary search, or NULL. */
const struct ledger_row *
ledger_rows_find(const struct ledger_rows *rows, const char *name, size_t len) NONNULL;

/** Insert or replace; copied.  INVALID for a name that is empty or holds '/' or NUL. */
int ledger_row_put(struct ledger *ledger, int64_t folder, const struct ledger_row *row,
	struct err *err) NONNULL MUST_CHECK;
/** 1 dropped, 0 there was none, or negative. */
int ledger_row_drop(struct ledger *ledger, int64_t folder, const char *name, size_t len,
	struct err *err) NONNULL MUST_CHECK;

/**
 * The row of "<root>/<rel>".
 *
 * @ret_row
 *         Borrowed until the next ledger_find() on this handle.
 * @return
 *         1 found, 2 the path is inside a folder that is one row (an excluded one), and
 *         @ret_row is that folder's; 0 unknown or a folder; or negative.
 */
int ledger_find(struct ledger *ledger, const char *path, struct ledger_row *ret_row,
	struct err *err) NONNULL MUST_CHECK;

/** Every field may be left zero: no filter.  (`state` counts when `by_state`.) */
struct ledger_filter {
	bool by_state;
	enum ledger_state state;
	/** The reason starts with this: "rule:", "held:". */
	const char *reason;
	/** Only this path, "<root>/<rel>", and what is below it. */
	const char *path;
	/** Only rows whose state is at least this young. */
	int64_t since_ms;
};

/**
 * Every row that passes, in byte order of its path; memory is one folder per level.
 *
 * @return
 *         0, what @fn returned, or negative.
 */
int
ledger_each(struct ledger *ledger, const struct ledger_filter *filter, ledger_each_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 5) MUST_CHECK;

/* ---- totals ---- */

/** From the tally: microseconds, whatever the number of rows.  Sees open changes. */
int ledger_totals(struct ledger *ledger, struct ledger_totals *ret_totals,
	struct err *err) NONNULL MUST_CHECK;
/** The same for one root. */
int ledger_root_totals(struct ledger *ledger, int64_t root,
	struct ledger_totals *ret_totals, struct err *err) NONNULL MUST_CHECK;

/** Since when the oldest row is in @state; 0 when there is none.  By an index. */
int ledger_oldest(struct ledger *ledger, enum ledger_state state, int64_t *ret_since_ms,
	struct err *err) NONNULL MUST_CHECK;

/**
 * Check the file (SQLite's own quick_check), count every row and compare with the tally.
 *
 * @ret_counted
 *         What the rows say; also filled in when the tally differs.
 * @return
 *         0, or negative: CORRUPT (the story names the first difference).
 */
int ledger_check(struct ledger *ledger, struct ledger_totals *ret_counted,
	struct err *err) NONNULL MUST_CHECK;

/**
 * Is it damaged, as far as a few milliseconds can tell?  All of a small ledger; of a
 * large one some pages, others each time.  CORRUPT.
 */
int ledger_glance(struct ledger *ledger, struct err *err) NONNULL MUST_CHECK;

/* ---- meta: head commit, tree, rules version, config hash, boot id, ... ---- */

/** The value, or NULL when there is none; borrowed until the next ledger_meta_get(). */
int ledger_meta_get(struct ledger *ledger, const char *key, const char **ret_value,
	struct err *err) NONNULL MUST_CHECK;
/** NULL forgets the key. */
int ledger_meta_set(struct ledger *ledger, const char *key, const char *value,
	struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;
int ledger_meta_get_int(struct ledger *ledger, const char *key, int64_t otherwise,
	int64_t *ret_value, struct err *err) NONNULL MUST_CHECK;
int ledger_meta_set_int(struct ledger *ledger, const char *key, int64_t value,
	struct err *err) NONNULL MUST_CHECK;

#endif
