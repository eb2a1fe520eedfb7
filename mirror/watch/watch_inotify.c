// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * libinotifytools 3.22.6, strictly as a bell.
 *
 * What it does well: it holds the instance, buffers events, and remembers which path a
 * watch was made for.  What this file therefore leaves to it: initialize, watch_file,
 * next_events, filename_from_wd, error, cleanup, and the limit.  What it must never be
 * asked, each of them measured:
 *
 *     its recursive walk      watches children before their parent and gives up at the
 *                             first file that vanishes; so the walk here is our own:
 *                             watch first, then list
 *     its rename functions    edit a tree while walking it and leave stale names; so a
 *                             folder that moves means: begin anew
 *     remove_watch            cannot free what the kernel has already removed; so memory
 *                             of vanished folders is swept out by beginning anew
 *     watching a folder twice leaks what cleanup cannot find again; so the kernel is told
 *                             to refuse that (IN_MASK_CREATE)
 *     its regular expressions abort on long paths
 *     next_events(_, 2)       spins until that many bytes are there
 *
 * Its descriptor has no getter: it is the inotify link in /proc/self/fd that was not
 * there before.  It reads with select(), so a descriptor from 1024 on would abort: then
 * we do without.  Events that it has buffered outlive its cleanup, so everything is
 * drained first; a writer that never stops cannot prolong that, because an empty pipe
 * takes the descriptor's place meanwhile.
 */

#include "watch/watch.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	EVENTS = IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB |
		IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF,
	FLAGS = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE,
	REMOVALS = IN_DELETE | IN_MOVED_FROM,
	/** Above what a folder asks for today, so that it is not asked again tomorrow. */
	ADVICE_LEAST = 65536,
};

struct root {
	char *path;
	size_t index;
	/** Where it really is; NULL while it is missing. */
	char *real;
	dev_t dev;
	/** Folders that should be watched and are not, by reason. */
	size_t over_limit;
	size_t unwatchable;
	/** Why the kernel does not tell everything about it; NULL when it does. */
	const char *deaf;
};

struct watch {
	struct root *roots;
	size_t nroots;
	watch_skip_fn *skip;
	void *payload;
	/** -1 without an instance. */
	int fd;
	const char *no_instance;
	size_t nwatches;
	size_t nstale;
	bool must_rearm;
	/** The last hint, so that a storm in one folder is one hint a batch. */
	int last_wd;
	bool last_removed;
};

// The library is one a process, so this is too.
static bool is_taken;

// --- The instance -------------------------------------------------------------------

// The number of the one inotify descriptor above @after, or -1.
static int
next_inotify_fd(int after)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int found = -1;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char target[64] = "";
		int fd = atoi(entry->d_name);

		if (fd > after && (found < 0 || fd < found) &&
			readlinkat(dirfd(dir), entry->d_name, target,
				sizeof(target) - 1) > 0 &&
			strcmp(target, "anon_inode:inotify") == 0) {
			found = fd;
		}
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	return found;
}

// Everybody else's inotify descriptors, as a set of numbers below FD_SETSIZE.
static void
list_inotify_fds(fd_set *ret_set)
{
	FD_ZERO(ret_set);
	for (int fd = next_inotify_fd(-1); fd >= 0 && fd < FD_SETSIZE;
		fd = next_inotify_fd(fd)) {
		FD_SET(fd, ret_set);
	}
}

static int
find_new_fd(const fd_set *others)
{
	int fd = next_inotify_fd(-1);

	while (fd >= 0 && fd < FD_SETSIZE && FD_ISSET(fd, others)) {
		fd = next_inotify_fd(fd);
	}
	return fd;
}

static void
start_library(struct watch *watch)
{
	fd_set others;

	watch->fd = -1;
	watch->no_instance = NULL;
	list_inotify_fds(&others);
	if (inotifytools_initialize() == 0) {
		watch->no_instance = inotifytools_error() == EMFILE
			? "this user's inotify instances, or this process's files, are "
			  "used up"
			: "the kernel gives no inotify instance";
		return;
	}
	watch->fd = find_new_fd(&others);
	if (watch->fd < 0 || watch->fd >= FD_SETSIZE) {
		inotifytools_cleanup();
		watch->no_instance = "too many files were open when it was needed";
		watch->fd = -1;
		return;
	}
	// It comes without, and would leak into every child.
	(void)fcntl(watch->fd, F_SETFD, FD_CLOEXEC);
}

static void
stop_library(struct watch *watch)
{
	int ends[2] = { -1, -1 };
	bool silent;

	if (watch->fd < 0) {
		return;
	}
	silent = pipe2(ends, O_CLOEXEC) == 0 && dup3(ends[0], watch->fd, O_CLOEXEC) >= 0;
	for (int i = 0; silent || i < WATCH_BATCH_MAX; i++) {
		if (inotifytools_next_events(0, 1) == NULL) {
			break;
		}
	}
	base_close_p(&ends[0]);
	base_close_p(&ends[1]);
	inotifytools_cleanup();
	watch->fd = -1;
}

// --- Watching folders ---------------------------------------------------------------

static char *
full_path(const struct root *root, const char *folder)
{
	return path_join(root->real, folder);
}

// True when its entries should be listed: it was not watched before now.
static bool
watch_folder(struct watch *watch, struct root *root, const char *folder)
{
	AUTO_FREE char *path = full_path(root, folder);

	if (inotifytools_watch_file(path, EVENTS | FLAGS) != 0) {
		watch->nwatches++;
		return true;
	}
	switch (inotifytools_error()) {
	case EEXIST:
		// Or it is watched under its old name, and the news of its move is under
		// way.
		return false;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		// Gone, or something else by now.  Its parent is watched and tells.
		return false;
	case ENOSPC:
		// Counted to the end, so that we can say how many are needed.
		root->over_limit++;
		return true;
	default:
		root->unwatchable++;
		return true;
	}
}

// A folder of this file system, asked without waking a network's other end.
static bool
is_own_folder(const struct root *root, int dirfd, const struct dirent *entry)
{
	struct statx info;

	if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) {
		return false;
	}
	return statx(dirfd, entry->d_name,
		       AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		       STATX_TYPE, &info) == 0 &&
		S_ISDIR(info.stx_mode) &&
		makedev(info.stx_dev_major, info.stx_dev_minor) == root->dev;
}

static bool
is_skipped(const struct watch *watch, const struct root *root, const char *folder)
{
	return watch->skip != NULL && watch->skip(root->index, folder, watch->payload);
}

// Folders still to be visited.
struct todo {
	char **folders;
	size_t count;
	size_t capacity;
};

static void
list_folder(struct watch *watch, struct root *root, const char *folder, struct todo *todo)
{
	AUTO_FREE char *path = full_path(root, folder);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (dir == NULL) {
		base_close_p(&fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			!is_own_folder(root, fd, entry)) {
			continue;
		}
		AUTO_FREE char *below = path_join(folder, entry->d_name);

		if (!is_skipped(watch, root, below)) {
			todo->folders = xgrow(todo->folders, todo->count, &todo->capacity,
				sizeof(todo->folders[0]));
			todo->folders[todo->count++] = STEAL(below);
		}
	}
	(void)closedir(dir);
}

// Watch first, then list: a folder made in between is seen by the one or the other.
// Returns whether anything in it was not watched before.
static bool
watch_tree(struct watch *watch, struct root *root, const char *folder)
{
	struct todo todo = { 0 };
	char *next = xstrdup(folder);
	bool is_new = false;

	for (;;) {
		if (watch_folder(watch, root, next)) {
			is_new = true;
			list_folder(watch, root, next, &todo);
		}
		free(next);
		if (todo.count == 0) {
			break;
		}
		next = todo.folders[--todo.count];
	}
	free(todo.folders);
	return is_new;
}

// --- Roots --------------------------------------------------------------------------

// clang-format off
static const struct {
	unsigned long magic;
	const char *why;
} deaf[] = {
	{ NFS_SUPER_MAGIC,  "on NFS: what other machines write is not heard" },
	{ SMB_SUPER_MAGIC,  "on SMB: what other machines write is not heard" },
	{ 0xff534d42,       "on CIFS: what other machines write is not heard" },
	{ 0xfe534d42,       "on SMB: what other machines write is not heard" },
	{ FUSE_SUPER_MAGIC, "on FUSE: what happens behind it is not heard" },
	{ V9FS_MAGIC,       "on 9P: what the host writes is not heard" },
	{ 0x00c36400,       "on Ceph: what other machines write is not heard" },
	{ AFS_SUPER_MAGIC,  "on AFS: what other machines write is not heard" },
	{ 0x6b414653,       "on AFS: what other machines write is not heard" },
	{ CODA_SUPER_MAGIC, "on Coda: what other machines write is not heard" },
	{ 0x0bd00bd0,       "on Lustre: what other machines write is not heard" },
	{ 0x01161970,       "on GFS2: what other machines write is not heard" },
	{ 0x7461636f,       "on OCFS2: what other machines write is not heard" },
	{ 0x786f4256,       "a VirtualBox folder: what the host writes is not heard" },
	{ PROC_SUPER_MAGIC, "not a real folder: the kernel makes it up" },
	{ SYSFS_MAGIC,      "not a real folder: the kernel makes it up" },
};
// clang-format on

static const char *
why_deaf(const char *path)
{
	struct statfs info;

	if (statfs(path, &info) == 0) {
		for (size_t i = 0; i < countof(deaf); i++) {
			if ((unsigned long)info.f_type == deaf[i].magic) {
				return deaf[i].why;
			}
		}
	}
	return NULL;
}

// False when it is not there.
static bool
arm_root(struct watch *watch, struct root *root)
{
	AUTO_FREE char *real = realpath(root->path, NULL);
	struct stat info;

	free(root->real);
	root->real = NULL;
	root->over_limit = 0;
	root->unwatchable = 0;
	root->deaf = NULL;
	if (real == NULL || stat(real, &info) < 0 || !S_ISDIR(info.st_mode)) {
		return false;
	}
	root->dev = info.st_dev;
	root->real = STEAL(real);
	root->deaf = why_deaf(root->real);
	if (watch->fd >= 0) {
		(void)watch_tree(watch, root, "");
	}
	return true;
}

static unsigned int
standing_flags(const struct watch *watch)
{
	unsigned int flags = watch->fd < 0 ? WATCH_ERROR : 0;

	for (size_t i = 0; i < watch->nroots; i++) {
		flags |= watch->roots[i].over_limit > 0 ? WATCH_LIMIT : 0;
	}
	return flags | (watch->must_rearm ? WATCH_REARM : 0);
}

static void
arm_all(struct watch *watch)
{
	start_library(watch);
	watch->nwatches = 0;
	watch->nstale = 0;
	watch->must_rearm = false;
	watch->last_wd = -1;
	for (size_t i = 0; i < watch->nroots; i++) {
		(void)arm_root(watch, &watch->roots[i]);
	}
}

int
watch_open(const struct watch_root roots[], size_t nroots, watch_skip_fn *skip,
	void *payload, struct watch **ret_watch, struct err *err)
{
	struct watch *watch;

	if (is_taken) {
		return err_raise(
			err, ERR_EXISTS, "this process watches something already");
	}
	is_taken = true;
	watch = xcalloc(1, sizeof(*watch));
	watch->roots = xcalloc(nroots, sizeof(watch->roots[0]));
	watch->nroots = nroots;
	watch->skip = skip;
	watch->payload = payload;
	for (size_t i = 0; i < nroots; i++) {
		watch->roots[i].path = xstrdup(roots[i].path);
		watch->roots[i].index = roots[i].index;
	}
	arm_all(watch);
	*ret_watch = watch;
	return 0;
}

void
watch_close(struct watch *watch)
{
	if (watch == NULL) {
		return;
	}
	stop_library(watch);
	for (size_t i = 0; i < watch->nroots; i++) {
		free(watch->roots[i].path);
		free(watch->roots[i].real);
	}
	free(watch->roots);
	free(watch);
	is_taken = false;
}

void
watch_closep(struct watch **watch)
{
	watch_close(*watch);
	*watch = NULL;
}

int
watch_fd(const struct watch *watch)
{
	return watch->fd;
}

unsigned int
watch_rearm(struct watch *watch)
{
	stop_library(watch);
	arm_all(watch);
	return standing_flags(watch);
}

unsigned int
watch_retry(struct watch *watch, watch_hint_fn *fn, void *payload)
{
	unsigned int flags = 0;

	for (size_t i = 0; i < watch->nroots; i++) {
		if (watch->roots[i].real == NULL && arm_root(watch, &watch->roots[i])) {
			struct watch_hint hint = { .index = watch->roots[i].index,
				.deep = true };

			fn(&hint, payload);
			flags |= WATCH_DIRTY;
		}
	}
	return flags | standing_flags(watch);
}

// --- Events -------------------------------------------------------------------------

// Where a hint goes, and what has been said in this batch.
struct telling {
	struct watch *watch;
	watch_hint_fn *fn;
	void *payload;
	unsigned int flags;
};

static void
tell(struct telling *telling, const struct root *root, const char *folder, bool deep,
	bool removed)
{
	struct watch_hint hint = {
		.index = root->index, .folder = folder, .deep = deep, .removed = removed
	};

	telling->fn(&hint, telling->payload);
	telling->flags |= WATCH_DIRTY;
}

static void
tell_everywhere(struct telling *telling)
{
	for (size_t i = 0; i < telling->watch->nroots; i++) {
		tell(telling, &telling->watch->roots[i], NULL, true, false);
	}
	telling->watch->must_rearm = true;
}

static struct root *
root_of(struct watch *watch, const char *path)
{
	for (size_t i = 0; path[0] != '\0' && i < watch->nroots; i++) {
		if (watch->roots[i].real != NULL &&
			path_is_beneath(path, watch->roots[i].real)) {
			return &watch->roots[i];
		}
	}
	return NULL;
}

static const char *
below(const struct root *root, const char *path)
{
	path += strlen(root->real);
	return *path == '/' ? path + 1 : path;
}

// The path this watch was made for, without the slash the library adds; "" when it does
// not know the watch.
static char *
path_of(int wd)
{
	const char *name = wd > 0 ? inotifytools_filename_from_wd(wd) : "";
	size_t len = strlen(name);

	return xmemdup0(name, len > 1 && name[len - 1] == '/' ? len - 1 : len);
}

static bool
ends_with(const char *name, const char *end)
{
	size_t len = strlen(name);

	return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

// Reading a SQLite database, as our own snapshots do, opens and closes its companions
// for writing.  That must not ring, or every snapshot would call for the next one.
static bool
is_companions_noise(const char *path, const struct inotify_event *event)
{
	bool shm = event->len > 0 && ends_with(event->name, "-shm");
	bool wal = event->len > 0 && ends_with(event->name, "-wal");

	if (!shm && !(wal && (event->mask & (IN_MODIFY | IN_MOVE)) == 0)) {
		return false;
	}
	AUTO_FREE char *full = path_join(path, event->name);

	full[strlen(full) - strlen("-shm")] = '\0';
	return access(full, F_OK) == 0;
}

// Something happened to a folder in a watched one.
static void
on_folder_event(struct telling *telling, struct root *root, const char *folder,
	const struct inotify_event *event)
{
	struct watch *watch = telling->watch;

	if (is_skipped(watch, root, folder)) {
		return;
	}
	if ((event->mask & IN_MOVE) != 0) {
		// Its watches, if it had any, now carry a name that is wrong.
		watch->must_rearm = true;
		tell(telling, root, NULL, true, false);
		return;
	}
	// New, or it can be read only now.  What was written into it before it was
	// watched was not heard.
	if ((event->mask & (IN_CREATE | IN_ATTRIB)) != 0 &&
		(watch_tree(watch, root, folder) || (event->mask & IN_CREATE) != 0)) {
		tell(telling, root, folder, true, false);
	}
}

static void
on_named_event(struct telling *telling, struct root *root, const char *path,
	const struct inotify_event *event)
{
	const char *folder = below(root, path);
	bool removed = (event->mask & REMOVALS) != 0;

	if (is_companions_noise(path, event)) {
		return;
	}
	if ((event->mask & IN_ISDIR) != 0 && event->len > 0) {
		AUTO_FREE char *child = path_join(folder, event->name);

		on_folder_event(telling, root, child, event);
	}
	if (event->wd == telling->watch->last_wd &&
		(removed || !telling->watch->last_removed)) {
		return;
	}
	telling->watch->last_wd = event->wd;
	telling->watch->last_removed = removed;
	tell(telling, root, folder, false, removed);
}

// The library cannot forget it.
static void
on_watch_gone(struct watch *watch)
{
	watch->nwatches -= watch->nwatches > 0 ? 1 : 0;
	if (++watch->nstale > WATCH_STALE_MAX) {
		watch->must_rearm = true;
	}
}

static void
on_root_gone(struct telling *telling, struct root *root)
{
	tell(telling, root, NULL, true, false);
	telling->watch->must_rearm = true;
}

static void
on_event(struct telling *telling, const struct inotify_event *event)
{
	struct root *root;

	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		telling->flags |= WATCH_OVERFLOW;
		tell_everywhere(telling);
		return;
	}
	AUTO_FREE char *path = path_of(event->wd);

	root = root_of(telling->watch, path);
	if ((event->mask & IN_IGNORED) != 0) {
		on_watch_gone(telling->watch);
		return;
	}
	if (root == NULL) {
		// A watch we do not know: our picture is wrong somewhere.
		tell_everywhere(telling);
		return;
	}
	if ((event->mask & IN_UNMOUNT) != 0 ||
		((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0 &&
			strcmp(path, root->real) == 0)) {
		on_root_gone(telling, root);
		return;
	}
	if ((event->mask & IN_MOVE_SELF) != 0) {
		telling->watch->must_rearm = true;
		tell(telling, root, NULL, true, false);
		return;
	}
	// Its parent tells that it is gone.
	if ((event->mask & IN_DELETE_SELF) == 0) {
		on_named_event(telling, root, path, event);
	}
}

unsigned int
watch_drain(struct watch *watch, watch_hint_fn *fn, void *payload)
{
	struct telling telling = { .watch = watch, .fn = fn, .payload = payload };

	watch->last_wd = -1;
	for (int i = 0; watch->fd >= 0; i++) {
		const struct inotify_event *event;

		if (i == WATCH_BATCH_MAX) {
			telling.flags |= WATCH_MORE;
			break;
		}
		event = inotifytools_next_events(0, 1);
		if (event != NULL) {
			on_event(&telling, event);
			continue;
		}
		if (inotifytools_error() == EINTR) {
			continue;
		}
		if (inotifytools_error() != 0) {
			tell_everywhere(&telling);
		}
		break;
	}
	return telling.flags | standing_flags(watch);
}

// --- Numbers ------------------------------------------------------------------------

size_t
watch_count(const struct watch *watch)
{
	return watch->nwatches;
}

size_t
watch_needed(const struct watch *watch)
{
	size_t needed = watch->nwatches;

	for (size_t i = 0; i < watch->nroots; i++) {
		needed += watch->roots[i].over_limit + watch->roots[i].unwatchable;
	}
	return needed;
}

size_t
watch_limit(void)
{
	int limit = inotifytools_get_max_user_watches();

	return limit > 0 ? (size_t)limit : 0;
}

void
watch_advice(const struct watch *watch, char text[WATCH_REASON_MAX])
{
	size_t wanted = ADVICE_LEAST;

	text[0] = '\0';
	if ((standing_flags(watch) & WATCH_LIMIT) == 0) {
		return;
	}
	// Other programs of this user take from the same number.
	while (wanted < 2 * watch_needed(watch) || wanted <= watch_limit()) {
		wanted *= 2;
	}
	(void)snprintf(text, WATCH_REASON_MAX,
		"echo fs.inotify.max_user_watches=%zu | sudo tee "
		"/etc/sysctl.d/60-mirror.conf && sudo sysctl --system",
		wanted);
}

void
watch_status(const struct watch *watch, size_t position, struct watch_status *ret_status)
{
	const struct root *root = &watch->roots[position];
	char *reason = ret_status->reason;

	*ret_status = (struct watch_status){
		.index = root->index,
		.state = WATCH_POLLED,
		.unwatched = root->over_limit + root->unwatchable,
	};
	if (root->real == NULL) {
		ret_status->state = WATCH_MISSING;
		(void)snprintf(reason, WATCH_REASON_MAX, "it is not there");
	} else if (watch->no_instance != NULL) {
		(void)snprintf(reason, WATCH_REASON_MAX, "%s", watch->no_instance);
	} else if (root->deaf != NULL) {
		(void)snprintf(reason, WATCH_REASON_MAX, "%s", root->deaf);
	} else if (root->over_limit > 0) {
		(void)snprintf(reason, WATCH_REASON_MAX,
			"%zu folders are unwatched: the kernel allows this user %zu "
			"watches in all",
			root->over_limit, watch_limit());
	} else if (root->unwatchable > 0) {
		(void)snprintf(reason, WATCH_REASON_MAX,
			"%zu of its folders cannot be watched: unreadable, or their path "
			"is too long",
			root->unwatchable);
	} else {
		ret_status->state = WATCH_HEARD;
	}
}
