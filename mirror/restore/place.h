// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/place - one entry of a folder on disk: what stands there, and what it is given.
 *
 *     switch (place_compare(dirfd, name, SIDECAR_FILE, &blob, &info, err)) {
 *     case PLACE_FREE: ...       // nothing stands there
 *     case PLACE_SAME: ...       // these very bytes
 *
 * Knows: base, brain/sidecar (facts), brain/oid, ledger (attributes).
 * Owns:  nothing.
 * Never: follows a link, opens anything but regular files and folders, blocks.
 */

#ifndef RESTORE_PLACE_H
#define RESTORE_PLACE_H

#include "base/base.h"
#include "brain/oid.h"
#include "brain/sidecar.h"

#include <sys/stat.h>

struct err;

enum {
	/** Bytes hashed at once. */
	PLACE_CHUNK = 256 * 1024,
	/** A link's target. */
	PLACE_LINK_MAX = 64 * 1024,
};

/** What a file, a link or a folder is given; zeroed gives nothing. */
struct place_facts {
	bool has_mode;
	uint32_t mode;
	bool has_time;
	struct timespec mtime;
	bool has_owner;
	uint32_t uid;
	uint32_t gid;
	/** Of these, those that are nobody's privilege, unless @privileged. */
	const struct sidecar_xattr *xattrs;
	size_t nxattrs;
	bool privileged;
	/** What raises a program above its user was left out of the mode: the bits. */
	uint32_t withheld;
};

/** How much of what raises a program above its user is given to files. */
enum place_privileges {
	/** The mode as it was, setuid and setgid with it. */
	PLACE_MODES,
	/** Not even those: the backup may be somebody else's. */
	PLACE_NO_PRIVILEGES,
	/** By root, capabilities and access lists as well.  Whoever can write a backup
	 * could make themselves root with these, so somebody must ask. */
	PLACE_ALL_PRIVILEGES,
};

/** What may be given beyond bytes and time. */
struct place_rights {
	/** The owner. */
	bool owner;
	enum place_privileges privileges;
};

/** From the sidecar. */
struct place_facts place_facts_of_entry(
	const struct sidecar_entry *entry, const struct place_rights *rights) NONNULL;
struct place_facts place_facts_of_folder(
	const struct sidecar_folder *folder, const struct place_rights *rights) NONNULL;
/** Does it have them already?  (Attributes are not asked for.) */
bool place_has_facts(const struct stat *info, const struct place_facts *facts) NONNULL;
/** 1 it has the attributes that it would be given, 0 not, or negative. */
int place_has_attributes(int fd, const struct place_facts *facts, struct err *err)
	NONNULL MUST_CHECK;
/** The same for a file in a folder. */
int place_has_attributes_at(int dirfd, const char *name, const struct place_facts *facts,
	struct err *err) NONNULL MUST_CHECK;

enum place_found {
	/** Nothing stands there. */
	PLACE_FREE,
	/** The same kind with the same bytes. */
	PLACE_SAME,
	PLACE_DIFFERENT,
};

/**
 * What stands at @name?
 *
 * @kind
 *         SIDECAR_FILE or SIDECAR_LINK; @blob holds the bytes, or the link's target.
 * @ret_info
 *         Filled in unless it is free.
 * @return
 *         An enum place_found, or negative: DENIED, IO.
 */
int
place_compare(int dirfd, const char *name, enum sidecar_kind kind, const struct oid *blob,
	struct stat *ret_info, struct err *err) NONNULL MUST_CHECK;

/** The same for what we may change: a file of ours that nobody may read lets us look. */
int place_compare_ours(int dirfd, const char *name, enum sidecar_kind kind,
	const struct oid *blob, struct stat *ret_info, struct err *err)
	NONNULL MUST_CHECK;

/** The git name of what is in @fd, from its first byte to its last. */
int place_hash(int fd, struct oid *ret_oid, uint64_t *ret_len, struct err *err)
	NONNULL MUST_CHECK;

/**
 * Give an open file or folder its facts: owner, attributes, mode, then time.
 *
 * @ret_lost
 *         True when an attribute or the owner could not be set (the file system does not
 *         know it, or we may not): no error.
 */
int place_give(int fd, const struct place_facts *facts, bool *ret_lost, struct err *err)
	NONNULL MUST_CHECK;
/** The attributes alone. */
int place_give_attributes(int fd, const struct place_facts *facts, bool *ret_lost,
	struct err *err) NONNULL MUST_CHECK;
/** What @from has of attributes that anyone may set, and that @facts does not name: a
 * restore takes nothing away.  What cannot be set is lost. */
void
place_inherit(int from, int to, const struct place_facts *facts, bool *ret_lost) NONNULL;
/** The same for a link, or for a file that need not be readable. */
int
place_give_at(int dirfd, const char *name, bool is_link, const struct place_facts *facts,
	bool *ret_lost, struct err *err) NONNULL MUST_CHECK;

/**
 * The name a file can have here: @name itself, or, when redaction made it longer than any
 * name may be, its beginning and a hash of the whole.  Owned by the caller.
 */
char *place_name(const char *name) NONNULL MUST_CHECK;

/** The same for each component of "a/b/c". */
char *place_path(const char *path) NONNULL MUST_CHECK;

/** "a/b/c" to "a/b"; "" above a single name.  Owned by the caller. */
char *place_above(const char *path) NONNULL MUST_CHECK;

enum place_way {
	/** Every folder must be there and let us in. */
	PLACE_AS_IS,
	/** Missing ones are made, for us alone. */
	PLACE_MAKE,
	/** One of ours that keeps us out gets the modes that let us in. */
	PLACE_FORCE,
};
/**
 * Open the folder @rel ("" is @basefd itself), however long its path is.
 *
 * @return
 *         0 and a descriptor to close(), or negative: NOT_FOUND, EXISTS (a component is
 *         no folder: a file, or a link, which is never followed), DENIED.
 */
int place_open(int basefd, const char *rel, enum place_way way, int *ret_fd,
	struct err *err) NONNULL MUST_CHECK;

/** One step of that: the folder @name in @fd.  @last: to be listed, else only to go
 * through.  A descriptor, or negative as above. */
int place_enter(int fd, const char *name, enum place_way way, bool last, struct err *err)
	NONNULL MUST_CHECK;

/** Give @temp the name @name unless something has it: EXISTS.  Both are in @dirfd. */
int place_rename_new(int dirfd, const char *temp, const char *name, struct err *err)
	NONNULL MUST_CHECK;

/** The name of the temporary for @name: always the same one, so that whoever comes after
 * a killed process finds and removes it.  Owned by the caller. */
char *place_temp(const char *name) NONNULL MUST_CHECK;
/** Remove a temporary that a killed process left; fine when there is none.  EXISTS: it is
 * not ours. */
int place_clear_temp(int dirfd, const char *temp, struct err *err) NONNULL MUST_CHECK;

/** Remove a tree of ours with everything in it, also what is shut; links are removed,
 * never followed.  Missing is fine. */
int place_remove(int dirfd, const char *name, struct err *err) NONNULL MUST_CHECK;

/** Bytes of @fd to @to, from the start. */
int place_copy(int fd, int to, struct err *err) NONNULL MUST_CHECK;

#endif
