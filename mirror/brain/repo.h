// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * brain/repo - the brain repo: an ordinary git repository, opened with care.
 *
 *     struct repo_options options = {
 *             .path = "/home/me/.local/share/mirror/brain",
 *             .branch = "host/laptop",
 *             .worktree = true,
 *     };
 *     AUTO(repo_closep) struct repo *repo = NULL;
 *
 *     if (repo_open(&options, true, &repo, err) < 0) ...
 *     found = repo_head(repo, &head, err);        // 1 a commit, 0 none yet
 *     if (repo_move_ref(repo, found ? &head : NULL, &commit, "cycle", err) < 0) ...
 *
 * Knows: base, oid, reap.  Its inside, brain/repo_room, alone speaks libgit2.
 * Owns:  libgit2's start-up (once a process: fsync on, no system or user configuration
 *        read), the open repository, `<git dir>/mirror/` (key, staging).
 * Never: runs a hook or a filter, reads ~/.gitconfig, moves a ref away from a value it
 *        was not told, breaks a lock that a living process may hold.
 *
 * Threads: repo_has() and repo_read() may be called by any number of threads at once.
 * Everything else belongs to one thread at a time.
 * Runners: whoever opens for writing holds the kernel lock that makes it the only runner.
 */

#ifndef BRAIN_REPO_H
#define BRAIN_REPO_H

#include "base/base.h"
#include "brain/oid.h"

struct buf;
struct err;
struct mend;
struct packs;
struct recent;
struct repo;

enum {
	REPO_KEY_LEN = 32,
	/** The longest ref name, and the longest commit message we read. */
	REPO_REF_MAX = 1024,
	REPO_MESSAGE_MAX = 1 << 20,
	/** How long a locked ref is waited for before BUSY. */
	REPO_LOCK_WAIT_MS = 10000,
};

struct repo_options {
	/** The brain repo's folder: the work tree, or the bare repository itself. */
	const char *path;
	/** "host/laptop"; may be NULL when read_only. */
	const char *branch;
	/** A browsable copy beside .git; false is bare.  Asked only when creating. */
	bool worktree;
	/** A clone of someone's, to read from: nothing in it is changed, whoever owns it,
	 * with or without a checkout. */
	bool read_only;
};

/**
 * Open; create it when it is missing and @create.  An existing ordinary repository is
 * adopted: HEAD is pointed at the branch, our configuration is set, stale locks and
 * temporaries of a killed process are reaped.  What an unclean stop broke is put right
 * first, but for the branch itself (repo_mended()).
 *
 * @return
 *         0, or negative: NOT_FOUND (missing, not @create), DENIED (not ours), INVALID
 *         (not a repository we can use; branch name refused), EXISTS (a folder with
 *         other things in it stands there).
 */
int repo_open(const struct repo_options *options, bool create, struct repo **ret_repo,
	struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void repo_close(struct repo *repo);
void repo_closep(struct repo **repo);

/** Absolute, no slash at the end; borrowed. */
const char *repo_git_dir(const struct repo *repo) NONNULL;
/** The work tree's folder, or NULL when bare; borrowed. */
const char *repo_work_dir(const struct repo *repo) NONNULL;
/** "host/laptop", or NULL; borrowed. */
const char *repo_branch(const struct repo *repo) NONNULL;

/** The key of this repo, made at its first opening for writing: 0600, never in a commit.
 * NOT_FOUND on a clone. */
int repo_key(struct repo *repo, uint8_t ret_key[REPO_KEY_LEN], struct err *err)
	NONNULL MUST_CHECK;

/** What was put right at the opening; borrowed. */
const struct mend *repo_mended(const struct repo *repo) NONNULL;
/** What of that kind is wrong now, changing nothing; @ret_mend starts as { 0 }. */
int
repo_look(struct repo *repo, struct mend *ret_mend, struct err *err) NONNULL MUST_CHECK;

/** See what another process wrote and what it took away: packs and loose objects. */
int repo_refresh(struct repo *repo, struct err *err) NONNULL MUST_CHECK;
/** The packs that stood there at the last refresh; borrowed until the next. */
const struct packs *repo_packs(const struct repo *repo) NONNULL;
/** For tree.c: what it wrote last. */
struct recent *repo_recent(struct repo *repo) NONNULL;
/** Grows when a refresh finds that a pack is gone. */
uint64_t repo_losses(const struct repo *repo) NONNULL;

// ---- objects

bool repo_has(struct repo *repo, const struct oid *oid) NONNULL;
/**
 * Append an object's bytes to @buf; libgit2 re-hashes them.
 *
 * @return
 *         0, or negative: NOT_FOUND, INVALID (another kind than @kind), TOO_BIG (past
 *         the buffer's ceiling), CORRUPT.
 */
int repo_read(struct repo *repo, const struct oid *oid, enum object_kind kind,
	struct buf *buf, struct err *err) NONNULL MUST_CHECK;
/** Kind and size without the bytes; NOT_FOUND. */
int repo_stat(struct repo *repo, const struct oid *oid, enum object_kind *ret_kind,
	size_t *ret_len, struct err *err) NONNULL MUST_CHECK;
/** Every object of the repository, packed or loose, in no order, possibly twice.
 * Anything but 0 from @fn ends the walk and is returned. */
typedef int repo_oid_fn(const struct oid *oid, void *payload);
int repo_each_object(struct repo *repo, repo_oid_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;

// ---- commits and trees

/** The branch's commit.  @return 1, 0 when it has none yet, or negative: CORRUPT when
 * what stands in the branch is no commit's name. */
int
repo_head(struct repo *repo, struct oid *ret_commit, struct err *err) NONNULL MUST_CHECK;

struct repo_commit {
	struct oid id;
	struct oid tree;
	/** The first parent, zero when there is none. */
	struct oid parent;
	/** All of them; borrowed until the callback returns. */
	const struct oid *parents;
	size_t nparents;
	/** It had some, but a shallow clone ends here: `parents` has none. */
	bool cut;
	/** Seconds since 1970, and the author's offset. */
	int64_t time;
	int offset_min;
	/** Borrowed until the callback returns. */
	const char *author;
	const char *email;
	const char *message;
};

int repo_commit_tree(struct repo *repo, const struct oid *commit, struct oid *ret_tree,
	struct err *err) NONNULL MUST_CHECK;

/** Anything but 0 ends the walk and is returned. */
typedef int repo_commit_fn(const struct repo_commit *commit, void *payload);
/** This one alone: what @fn returns, or negative: NOT_FOUND, CORRUPT. */
int repo_commit_at(struct repo *repo, const struct oid *commit, repo_commit_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 5) MUST_CHECK;
/** From @from back along first parents, newest first; in a shallow clone as far as it
 * goes. */
int repo_log(struct repo *repo, const struct oid *from, repo_commit_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 3, 5) MUST_CHECK;

/** One entry of a tree; the name is borrowed until the callback returns. */
struct repo_tree_entry {
	/** OBJECT_TREE, OBJECT_BLOB, or OBJECT_COMMIT of another repository. */
	enum object_kind kind;
	const char *name;
	struct oid oid;
};
/** Each entry of this one tree, in its order.  Anything but 0 from @fn ends the walk and
 * is returned.  Any number of threads at once. */
typedef int repo_tree_fn(const struct repo_tree_entry *entry, void *payload);
int repo_list_tree(struct repo *repo, const struct oid *tree, repo_tree_fn *fn,
	void *payload, struct err *err) NONNULL_ARGS(1, 2, 3, 5) MUST_CHECK;

/**
 * What stands at @path ("a/b", "" is the tree itself) in @tree?
 *
 * @return
 *         1 found, 0 nothing there, or negative.
 */
int repo_tree_at(struct repo *repo, const struct oid *tree, const char *path,
	uint32_t *ret_mode, struct oid *ret_oid, struct err *err) NONNULL MUST_CHECK;

/** A revision as people write it ("HEAD~3", "v1", "1a2b3c4") to a commit: NOT_FOUND,
 * INVALID (ambiguous, or not a commit). */
int repo_resolve(struct repo *repo, const char *revision, struct oid *ret_commit,
	struct err *err) NONNULL MUST_CHECK;
/**
 * The branch of one machine, here or as some remote's: refs/heads/host/<name>, else
 * refs/remotes/<any>/host/<name>.  @return 1, 0 unknown, or negative.
 */
int repo_find_host(struct repo *repo, const char *host, struct oid *ret_commit,
	struct err *err) NONNULL MUST_CHECK;
/** Every ref of that kind: @name is "laptop", local or remote-tracking.  Names may
 * repeat. */
typedef int repo_host_fn(const char *name, const struct oid *commit, void *payload);
int repo_each_host(struct repo *repo, repo_host_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;

// ---- refs

/**
 * Move the branch from @old (NULL or zero: it must not exist yet) to @commit, durably.
 * A lock held by someone alive is waited for.
 *
 * @return
 *         0, or negative: UNSTABLE (the branch is not at @old), BUSY (locked too long),
 *         NOT_FOUND (no such commit), NO_SPACE, IO.
 */
int repo_move_ref(struct repo *repo, const struct oid *old, const struct oid *commit,
	const char *message, struct err *err) NONNULL_ARGS(1, 3, 4, 5) MUST_CHECK;

/**
 * "refs/heads/host/laptop", or the branch that it is another name for: a person's
 * symbolic ref is followed, as git does.
 *
 * @ret_ref
 *         Owned by the caller.
 * @return
 *         0, or negative: INVALID (it leads to no branch).
 */
int repo_real_ref(struct repo *repo, char **ret_ref, struct err *err) NONNULL MUST_CHECK;

/**
 * Is every object of it in it?  Who wants one gone, or each one seen, asks first.
 *
 * @return
 *         0, or INVALID: some are another repository's, or at a remote alone (a partial
 *         clone), and what to do about it.  A shallow clone is told by `cut`.
 */
int repo_check_whole(struct repo *repo, struct err *err) NONNULL MUST_CHECK;

/** The name that our tags are made in: what tells milestones from other people's tags. */
#define REPO_TAGGER "mirror"

/**
 * The branch, whatever stands there now: only when nobody can read what that is, or
 * nothing is there.
 */
int repo_put_ref(struct repo *repo, const struct oid *commit, struct err *err)
	NONNULL MUST_CHECK;

/** Take a ref away, by its whole name; missing is fine. */
int
repo_drop_ref(struct repo *repo, const char *name, struct err *err) NONNULL MUST_CHECK;
/**
 * Milestones whose refs were lost (@mend->lost_tags, or the table of refs was cut), by
 * what the roll says or, without one, by the objects they left; @mend hears of each. What
 * a person took away stays away.  Not while a purge is under way.
 */
int
repo_mend_tags(struct repo *repo, struct mend *mend, struct err *err) NONNULL MUST_CHECK;
/** Milestones, and what is known of a remote, that lead to a commit which is gone: git
 * calls the whole repository damaged for one of them.  @mend hears of each. */
int
repo_drop_lost(struct repo *repo, struct mend *mend, struct err *err) NONNULL MUST_CHECK;

/**
 * Where may a branch have stood that nobody can read any more?  Looks at every commit in
 * the repository that was made in our name by @email.
 *
 * @after
 *         The newest that is made upon this one, which may be itself; NULL: the newest
 *         that no other is made upon.
 * @return
 *         1, 0 there is none, or negative.
 */
int repo_find_tip(struct repo *repo, const char *email, const struct oid *after,
	struct oid *ret_commit, struct err *err) NONNULL_ARGS(1, 2, 4, 5) MUST_CHECK;

struct repo_tag {
	const char *name;
	/** One line or more; author and time of the tag object. */
	const char *message;
	const char *author;
	const char *email;
	int64_t time;
};
/** An annotated tag on @commit: EXISTS, INVALID (a name git refuses). */
int repo_tag(struct repo *repo, const struct repo_tag *tag, const struct oid *commit,
	struct oid *ret_tag, struct err *err) NONNULL MUST_CHECK;
/** Name and the commit it leads to. */
typedef int repo_tag_fn(const char *name, const struct oid *commit, void *payload);
int repo_each_tag(struct repo *repo, repo_tag_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;
/** Every ref that leads to a commit, but those that stand for a remote's; @message is
 * that of an annotated tag, else NULL. */
typedef int repo_ref_fn(
	const char *ref, const struct oid *commit, const char *message, void *payload);
int repo_each_ref(struct repo *repo, repo_ref_fn *fn, void *payload, struct err *err)
	NONNULL_ARGS(1, 2, 4) MUST_CHECK;
/** Tags that we made: the name, and the id of the tag object. */
int repo_each_milestone(struct repo *repo, repo_tag_fn *fn, void *payload,
	struct err *err) NONNULL_ARGS(1, 2, 4) MUST_CHECK;
/** The milestones that are there now are those to remember (the roll); @gone (may be
 * NULL) hears of each that was there the last time: its name, and the id of its object.
 */
int repo_keep_tags(struct repo *repo, repo_tag_fn *gone, void *payload, struct err *err)
	NONNULL_ARGS(1, 4) MUST_CHECK;

/** repo_remote_url(): the URL of a remote in the repo's own configuration into @url
 * (.max set).  @return 1, 0 none, or negative. */
int repo_remote_url(struct repo *repo, const char *remote, struct buf *url,
	struct err *err) NONNULL MUST_CHECK;

// ---- for pack.c

/**
 * @keep is the path of a pack's .keep file, copied, which was there before the pack was:
 * a `git gc` beside us leaves that pack alone until repo_move_ref() or repo_let_go()
 * removes the file.  Those of a killed process are held from the opening on.
 */
void repo_hold(struct repo *repo, const char *keep) NONNULL;
/** Does it stand in a held pack? */
bool repo_holds(struct repo *repo, const struct oid *oid) NONNULL;
/** A ref leads to whatever is needed of the held packs: a git gc may have them. */
void repo_let_go(struct repo *repo) NONNULL;
/** Where packs are built: `<git dir>/mirror/new`; borrowed. */
const char *repo_staging(const struct repo *repo) NONNULL;
/**
 * Is the pack beside @index readable by libgit2?  Each of the @nsamples must be there and
 * hash to its name (CORRUPT).
 *
 * @ret_probe
 *         The pack, open; repo_probe_close() it.
 */
struct repo_probe;
int repo_probe(const char *index, const struct oid *samples, size_t nsamples,
	struct repo_probe **ret_probe, struct err *err) NONNULL_ARGS(1, 4, 5) MUST_CHECK;
/** As repo_read(), from that pack alone: 1, 0 it is not in it, or negative.  Any thread.
 */
int repo_probe_read(struct repo_probe *probe, const struct oid *oid,
	enum object_kind kind, struct buf *buf, struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void repo_probe_close(struct repo_probe *probe);

/** "pack-<40 hex>" is in its place now: no news to the next repo_refresh(). */
void repo_expect_pack(struct repo *repo, const char *name) NONNULL;
/** objects/pack has names that are not synced yet: the next repo_move_ref() sees to it,
 * or repo_sync_packs(). */
void repo_owe_sync(struct repo *repo) NONNULL;
int repo_sync_packs(struct repo *repo, struct err *err) NONNULL MUST_CHECK;
/** One sync does for objects, names and branch: what is written out and named before it
 * (fd_in_one_journal()). */
bool repo_in_one_journal(const struct repo *repo) NONNULL;

#endif
