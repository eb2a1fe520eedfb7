// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/home - the few files of ours inside a git directory.
 *
 *     mirror/key        32 random bytes, 0600: keys our hashes; never in a commit
 *     mirror/new/       packs being built
 *     mirror/index.new  an index being written
 *     mirror/replaces   after a purge: the commit at the remote that ours replaces
 *     mirror/unpruned   a purge moved the branch, and the old objects are still here
 *     mirror/machine    who we are, and mirror/fleet.git/ who else is: brain/fleet
 *     mirror/recipient  the public half of the recovery key; vault/seal writes it
 *     mirror/aside/     foreign files found in the browsable copy
 *     mirror/damaged/   what an unclean stop broke, set aside by brain/mend
 *     info/attributes   no conversion, whatever a tree says
 *
 * Knows: base.
 * Owns:  those files.
 * Never: touches git's own.
 */

#ifndef BRAIN_HOME_H
#define BRAIN_HOME_H

#include "base/base.h"
#include "brain/oid.h"

struct err;

#define HOME_KEY "mirror/key"
#define HOME_STAGING "mirror/new"
#define HOME_ASIDE "mirror/aside"
/** What an unclean stop broke, set aside by brain/mend. */
#define HOME_DAMAGED "mirror/damaged"
/** What stands in our .keep files, to tell them from other people's. */
#define HOME_KEEP_TEXT "mirror\n"
/** The next index, until it is in place. */
#define HOME_INDEX_ASIDE "mirror/index.new"

enum {
	HOME_KEY_LEN = 32
};

/** May a repository be made here?  Yes when @path is missing, empty, or holds nothing but
 * a repository whose making was cut short. */
bool home_is_free(const char *path, bool worktree) NONNULL;

/** Before a repository is made where home_is_free(): what a making that was cut short
 * left in its way, locks and probes of the file system. */
void home_clear(const char *path, bool worktree) NONNULL;
/** The probes alone, in a repository's folder. */
void home_clear_probes(const char *path) NONNULL;

/** Attributes of the highest rank: no file in a tree can turn on a conversion. */
int home_write_attributes(const char *git_dir, struct err *err) NONNULL MUST_CHECK;

/** Make the key and the staging folder unless they are there. */
int home_make_key(const char *git_dir, struct err *err) NONNULL MUST_CHECK;

/** NOT_FOUND, CORRUPT. */
int home_key(const char *git_dir, uint8_t ret_key[HOME_KEY_LEN], struct err *err)
	NONNULL MUST_CHECK;

/** The commit that the remote's branch may still stand at after a purge here.  @return 1,
 * 0 there is none, or negative. */
int home_replaces(const char *git_dir, struct oid *ret_commit, struct err *err)
	NONNULL MUST_CHECK;
/** Remember it, durably; NULL: the remote follows again. */
int home_set_replaces(const char *git_dir, const struct oid *commit, struct err *err)
	NONNULL_ARGS(1, 3) MUST_CHECK;

/** The commit of ours that is gone here, and that the remote may still have.  As above.
 */
int home_lost(const char *git_dir, struct oid *ret_commit, struct err *err)
	NONNULL MUST_CHECK;
/** Remember it; NULL: it is found, or must not come back. */
int home_set_lost(const char *git_dir, const struct oid *commit, struct err *err)
	NONNULL_ARGS(1, 3) MUST_CHECK;

/** Is there something here that a purge has yet to throw away? */
bool home_is_unpruned(const char *git_dir) NONNULL;
/** Remember that, durably; or that it is done. */
int
home_set_unpruned(const char *git_dir, bool unpruned, struct err *err) NONNULL MUST_CHECK;

#endif
