// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/sidecar - what git does not keep, as text anyone can read.
 *
 *     struct sidecar_folder folder = { .path = "notes", .mode = 0755, ... };
 *
 *     if (sidecar_write(&folder, &text, err) < 0) ...
 *     sidecar_folder_path("notes", path);          // ".mirror/folders/4c/..."
 *
 *     AUTO(sidecar_done) struct sidecar_folder read = { 0 };
 *     if (sidecar_parse(text.data, text.len, &read, err) < 0) ...
 *
 * Knows: base.  Text in, values out; no repository, no disk.
 * Owns:  what sidecar_parse() made, until sidecar_done().
 * Never: accepts a text that it would not have written byte for byte itself: every text
 *        has one reading and every folder one text.
 *
 * The format is docs/format.md; this file is its implementation.
 */

#ifndef BRAIN_SIDECAR_H
#define BRAIN_SIDECAR_H

#include "base/base.h"
#include "base/hash.h"

struct buf;
struct err;

/** Everything of ours in a commit is under this top-level folder. */
#define SIDECAR_TOP ".mirror"
/** How the text of a folder begins. */
#define SIDECAR_FIRST_LINE "mirror-folder 1\n"
#define SIDECAR_FOLDERS ".mirror/folders"
#define SIDECAR_FILES ".mirror/files"
#define SIDECAR_SEALED ".mirror/sealed"
#define SIDECAR_RECOVERY ".mirror/RECOVERY.md"

enum {
	/** ".mirror/folders/4c/" + 38 hex + NUL, the longest of the three. */
	SIDECAR_PATH_MAX = 64,
	/** One folder's text. */
	SIDECAR_TEXT_MAX = 256 << 20,
	SIDECAR_XATTRS_MAX = 256,
};

enum sidecar_kind {
	SIDECAR_FILE,
	SIDECAR_LINK,
	/** A folder below; its own file has the rest. */
	SIDECAR_FOLDER,
};

struct sidecar_xattr {
	const char *name;
	const void *value;
	size_t len;
};

struct sidecar_entry {
	enum sidecar_kind kind;
	/** One component, as it stands on disk or, when that holds a secret, as it is
	 * shown.  Any bytes but NUL and '/'. */
	const char *name;
	// The rest is not kept for SIDECAR_FOLDER.
	/** 07777 at most. */
	uint32_t mode;
	int64_t mtime_s;
	uint32_t mtime_ns;
	/** Bytes on disk, which may differ from the blob's when something was redacted.
	 */
	uint64_t size;
	/** Where its bytes stand when not at its own path, ".mirror/files/..."; or NULL.
	 */
	const char *at;
	/** Spans replaced by a mark that nobody can turn back. */
	uint32_t redacted;
	/** The sealed original, ".mirror/sealed/..."; or NULL. */
	const char *sealed;
	/** Entries with the same word are one file under several names; or NULL. */
	const char *same;
	bool has_owner;
	uint32_t uid;
	uint32_t gid;
	const struct sidecar_xattr *xattrs;
	size_t nxattrs;
};

struct sidecar_folder {
	/** "notes/sub": the watched folder's name and the way down from it. */
	const char *path;
	uint32_t mode;
	int64_t mtime_s;
	uint32_t mtime_ns;
	bool has_owner;
	uint32_t uid;
	uint32_t gid;
	const struct sidecar_xattr *xattrs;
	size_t nxattrs;
	/** The true name of this folder is sealed there; or NULL. */
	const char *sealed;
	const struct sidecar_entry *entries;
	size_t nentries;
	/** What sidecar_parse() allocated; NULL in a folder someone else filled in. */
	void *memory_;
};

/**
 * Append the text of @folder to @buf.  Entries may come in any order.
 *
 * @return
 *         0, or negative: INVALID (a name twice, empty, ".", ".." or with a '/'; a mode,
 *         a time or a place that the format cannot say), TOO_BIG.
 */
int sidecar_write(const struct sidecar_folder *folder, struct buf *buf, struct err *err)
	NONNULL MUST_CHECK;

/** The way back, entries in order of their names; INVALID with the line in the story. */
int sidecar_parse(const char *text, size_t len, struct sidecar_folder *ret_folder,
	struct err *err) NONNULL MUST_CHECK;

/** Frees what sidecar_parse() made, nothing else. */
void sidecar_done(struct sidecar_folder *folder) NONNULL;

/** The entry of that name in a parsed folder, or NULL; borrowed from it. */
const struct sidecar_entry *
sidecar_find(const struct sidecar_folder *folder, const char *name) NONNULL;

/** Where in the commit the text of folder @path, or the bytes of file @path, stands:
 * the SHA-1 of the escaped path names it. */
void sidecar_folder_path(const char *path, char ret[SIDECAR_PATH_MAX]) NONNULL;
void sidecar_file_path(const char *path, char ret[SIDECAR_PATH_MAX]) NONNULL;

/** Where what is sealed under that name (of 20 bytes) stands. */
void sidecar_sealed_path(const uint8_t name[HASH_SHA1_LEN], char ret[SIDECAR_PATH_MAX])
	NONNULL;

/** The format's escape: control bytes, DEL, backslash, bytes that are not UTF-8, and a
 * space at either end become \xHH.  Owned by the caller. */
char *sidecar_escape(const char *bytes) NONNULL MUST_CHECK;
/** NULL unless @text is exactly what sidecar_escape() gives for some bytes. */
char *sidecar_unescape(const char *text) NONNULL MUST_CHECK;

/** The text of .mirror/RECOVERY.md: how to get everything back without this program. */
const char *sidecar_recovery(void);

#endif
