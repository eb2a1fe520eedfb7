// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A pack is a header, one entry after the other, and the SHA-1 of all that:
 *
 *     "PACK" 0 0 0 2 count | kind+size, zlib stream | kind+size, zlib stream | ... |
 * SHA-1
 *
 * The count is known last, so it is patched in at the end, and the SHA-1 is taken in one
 * pass over the finished file: what is hashed is what the kernel gives back, not what we
 * remember having written.  The same pass takes each entry's CRC-32 and compares it with
 * that of the bytes which were meant to be written.
 *
 * Memory: 32 bytes for each object's name, CRC and place, and a hash table of 32-bit
 * numbers to find it again, no more than three quarters full: about 40 bytes an object.
 *
 *     thread 1  hash, look up, deflate --+                   entries
 *     thread 2  hash, look up, deflate --+-- lock: append -> 1 MiB buffer -> file
 *     thread 3  hash, look up, deflate --+
 *
 * Order on disk: pack and idx are synced in `mirror/new/`, read through libgit2, and only
 * then renamed into objects/pack, the pack first: git looks for *.idx.
 *
 * Source: gitformat-pack(5).
 */

#include "brain/pack.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/deflate.h"
#include "brain/home.h"
#include "brain/pack_index.h"
#include "brain/reach.h"
#include "brain/repo.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BUFFER_LEN = 1 << 20,
	// Start writing to the disk while there is still something to add.
	SYNC_STEP = 16 << 20,
	HEADER_LEN = 12,
	// Read back through libgit2: everything up to this many bytes, else a sample.
	PROBE_BYTES_MAX = 8 << 20,
	PROBE_SAMPLES = 256,
	DEFLATERS_MAX = 64,
	// So much is rather written again than asked about: the answer needs a walk
	// through every tree of the branch.
	AGAIN_MAX = 1 << 20,
	// Objects in one pack: 40 bytes each.
	TRIM_ABOVE = 100000,
};

struct pack {
	struct repo *repo;
	pthread_mutex_t lock;
	int fd;
	char *path;
	// Where the next entry goes: flushed bytes and those in the buffer.
	uint64_t flushed;
	uint64_t synced;
	uint8_t *buffer;
	size_t buffered;
	// The sum of what was added, before deflating.
	uint64_t raw_bytes;
	struct pack_index index;
	struct deflater *idle;
	size_t nidle;
	// After a failed write nobody knows what the file holds; and what failed.
	bool broken;
	struct err first;
	// What the branch leads to: listed when it is first asked for.
	pthread_mutex_t reach_lock;
	struct oid head_tree;
	struct reach *reach;
	size_t again;
};

// ---- deflate

static struct deflater *
deflater_get(struct pack *pack)
{
	struct deflater *deflater;

	(void)pthread_mutex_lock(&pack->lock);
	deflater = pack->idle;
	if (deflater != NULL) {
		pack->idle = deflater->next;
		pack->nidle--;
	}
	(void)pthread_mutex_unlock(&pack->lock);
	return deflater != NULL ? deflater : deflater_new();
}

static void
deflater_put(struct pack *pack, struct deflater *deflater)
{
	bool keep;

	// A buffer that one large file needed is not kept for thousands of small ones.
	if (deflater->out.size > 4 * BUFFER_LEN) {
		buf_done(&deflater->out);
	}
	(void)pthread_mutex_lock(&pack->lock);
	keep = pack->nidle < DEFLATERS_MAX;
	if (keep) {
		deflater->next = pack->idle;
		pack->idle = deflater;
		pack->nidle++;
	}
	(void)pthread_mutex_unlock(&pack->lock);
	if (!keep) {
		deflater_free(deflater);
	}
}

// ---- the file

static int
break_off(struct pack *pack, const struct err *err)
{
	pack->broken = true;
	pack->first = *err;
	return err->code;
}

static int
flush(struct pack *pack, struct err *err)
{
	if (pack->buffered == 0) {
		return 0;
	}
	if (fd_write_all(pack->fd, pack->buffer, pack->buffered, err) < 0) {
		err_wrap(err, "write %s", pack->path);
		return break_off(pack, err);
	}
	pack->flushed += pack->buffered;
	pack->buffered = 0;
	if (pack->flushed - pack->synced >= SYNC_STEP) {
		// Only a hint, so that the fsync at the end has less to wait for.
		(void)sync_file_range(pack->fd, (off_t)pack->synced,
			(off_t)(pack->flushed - pack->synced), SYNC_FILE_RANGE_WRITE);
		pack->synced = pack->flushed;
	}
	return 0;
}

static int
append(struct pack *pack, const void *data, size_t len, struct err *err)
{
	const uint8_t *at = data;

	while (len > 0) {
		size_t part = MIN_OF(len, BUFFER_LEN - pack->buffered);

		memcpy(pack->buffer + pack->buffered, at, part);
		pack->buffered += part;
		at += part;
		len -= part;
		if (pack->buffered == BUFFER_LEN && flush(pack, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// The file comes into being with the first object.
static int
create_file(struct pack *pack, struct err *err)
{
	uint8_t header[HEADER_LEN] = { 'P', 'A', 'C', 'K', 0, 0, 0, 2 };
	uint8_t salt[8];
	char hex[2 * sizeof(salt) + 1];

	if (hash_random(salt, sizeof(salt), err) < 0) {
		return err->code;
	}
	hash_hex(salt, sizeof(salt), hex);
	pack->path = xasprintf("%s/%s.pack", repo_staging(pack->repo), hex);
	pack->fd = open(pack->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (pack->fd < 0) {
		(void)err_errno(err, "create %s", pack->path);
		free(pack->path);
		pack->path = NULL;
		return err->code;
	}
	pack->buffer = xmalloc(BUFFER_LEN);
	return append(pack, header, sizeof(header), err);
}

// Read @len bytes at @offset of what was added, from the file or the buffer.
static int
read_back(struct pack *pack, uint64_t offset, void *data, size_t len, struct err *err)
{
	uint8_t *at = data;

	while (len > 0) {
		ssize_t done;

		if (offset >= pack->flushed) {
			memcpy(at, pack->buffer + (offset - pack->flushed), len);
			return 0;
		}
		done = pread(
			pack->fd, at, MIN_OF(len, pack->flushed - offset), (off_t)offset);
		if (done <= 0) {
			return done < 0
				? err_errno(err, "read %s", pack->path)
				: err_raise(err, ERR_IO, "%s is cut short", pack->path);
		}
		at += done;
		offset += (uint64_t)done;
		len -= (size_t)done;
	}
	return 0;
}

// ---- adding

// With the lock held: a copy of entry @at as it stands in the file.
static int
copy_entry(struct pack *pack, size_t at, struct buf *entry, struct err *err)
{
	uint64_t offset = pack_index_offset(&pack->index, at);
	uint64_t end = at + 1 < pack->index.count
		? pack_index_offset(&pack->index, at + 1)
		: pack->flushed + pack->buffered;
	size_t len = (size_t)(end - offset);

	if (buf_reserve(entry, len, err) < 0 ||
		read_back(pack, offset, entry->data, len, err) < 0) {
		return err->code;
	}
	entry->len = len;
	return 1;
}

// 1 and a copy when this pack has it, 0 when not.
static int
find_entry(struct pack *pack, const struct oid *oid, struct buf *entry, struct err *err)
{
	size_t at;
	int result = 0;

	(void)pthread_mutex_lock(&pack->lock);
	if (pack_index_find(&pack->index, oid, &at)) {
		result = copy_entry(pack, at, entry, err);
	}
	(void)pthread_mutex_unlock(&pack->lock);
	return result;
}

// Two contents of one name must be one content.
static int
compare(const struct buf *have, const struct oid *oid, const void *data, size_t len,
	struct err *err)
{
	char hex[OID_HEX_MAX];

	if (have->len == len && (len == 0 || memcmp(have->data, data, len) == 0)) {
		return 0;
	}
	return err_raise(err, ERR_CORRUPT,
		"two different contents have the SHA-1 %s: somebody made a collision",
		oid_hex(oid, hex));
}

static int
compare_with_ours(const struct buf *entry, const struct oid *oid, enum object_kind kind,
	const void *data, size_t len, struct err *err)
{
	AUTO(buf_done) struct buf have = { .max = PACK_OBJECT_MAX };

	if (deflate_read(entry, kind, &have, err) < 0) {
		return err_wrap(err, "compare with what this cycle wrote");
	}
	return compare(&have, oid, data, len, err);
}

// 1 the repo has it, byte for byte; 0 it has none that can be read: then a good copy is
// written, which git finds when the damaged one fails it.
static int
compare_with_repo(struct pack *pack, const struct oid *oid, enum object_kind kind,
	const void *data, size_t len, struct err *err)
{
	AUTO(buf_done) struct buf have = { .max = PACK_OBJECT_MAX };
	int result = repo_read(pack->repo, oid, kind, &have, err);

	if (result == ERR_CORRUPT || result == ERR_NOT_FOUND || result == ERR_IO) {
		err_clear(err);
		return 0;
	}
	if (result < 0) {
		return err_wrap(err, "compare with what the repo has");
	}
	return compare(&have, oid, data, len, err) < 0 ? err->code : 1;
}

// With the reach lock held.
static const struct reach *
know_reach(struct pack *pack)
{
	if (pack->reach == NULL) {
		pack->reach = reach_new(pack->repo, &pack->head_tree);
	}
	return pack->reach;
}

// Will it still be there when the ref moves?  The repo has it.
static bool
is_lasting(struct pack *pack, const struct oid *oid, size_t len)
{
	bool lasts;

	(void)pthread_mutex_lock(&pack->reach_lock);
	lasts = repo_holds(pack->repo, oid);
	if (!lasts && (pack->reach != NULL || pack->again + len > AGAIN_MAX)) {
		lasts = reach_has(know_reach(pack), oid);
	}
	pack->again += lasts ? 0 : len;
	(void)pthread_mutex_unlock(&pack->reach_lock);
	return lasts;
}

// With the lock held: 1 appended, 0 another thread was faster.
static int
append_entry(struct pack *pack, const struct oid *oid, const struct deflater *deflater,
	size_t len, struct err *err)
{
	const struct buf *out = &deflater->out;
	uint64_t offset;
	size_t at;

	if (pack->broken) {
		*err = pack->first;
		return err->code;
	}
	if (pack->path == NULL && create_file(pack, err) < 0) {
		return pack->path != NULL ? break_off(pack, err) : err->code;
	}
	if (pack_index_find(&pack->index, oid, &at)) {
		return 0;
	}
	if (pack->index.count >= PACK_COUNT_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %zu objects in one cycle",
			PACK_COUNT_MAX);
	}
	offset = pack->flushed + pack->buffered;
	if (append(pack, out->data, out->len, err) < 0) {
		return err->code;
	}
	pack_index_add(&pack->index, oid, offset, deflate_crc(0, out->data, out->len));
	pack->raw_bytes += len;
	return 1;
}

int
pack_begin(struct repo *repo, struct pack **ret_pack, struct err *err)
{
	struct pack *pack;
	struct oid tree = { { 0 } };
	struct oid head;
	int found = repo_refresh(repo, err);

	if (found == 0) {
		found = repo_head(repo, &head, err);
	}
	if (found < 0 || (found > 0 && repo_commit_tree(repo, &head, &tree, err) < 0)) {
		return err_wrap(err, "begin a pack");
	}
	pack = xcalloc(1, sizeof(*pack));
	pack->repo = repo;
	pack->fd = -1;
	pack->head_tree = tree;
	(void)pthread_mutex_init(&pack->lock, NULL);
	(void)pthread_mutex_init(&pack->reach_lock, NULL);
	pack_index_init(&pack->index);
	*ret_pack = pack;
	return 0;
}

static int
add_new(struct pack *pack, struct deflater *deflater, const struct oid *oid,
	enum object_kind kind, const void *data, size_t len, struct err *err)
{
	int result = deflate_entry(deflater, kind, len > 0 ? data : "", len, err);

	if (result == 0) {
		(void)pthread_mutex_lock(&pack->lock);
		result = append_entry(pack, oid, deflater, len, err);
		(void)pthread_mutex_unlock(&pack->lock);
	}
	return result;
}

// As pack_add(), with the thread's tools at hand.
static int
add(struct pack *pack, struct deflater *deflater, const struct oid *oid,
	enum object_kind kind, const void *data, size_t len, struct err *err)
{
	AUTO(buf_done) struct buf entry = { .max = DEFLATE_ENTRY_MAX };
	int found = find_entry(pack, oid, &entry, err);

	if (found == 0 && repo_has(pack->repo, oid)) {
		int same = compare_with_repo(pack, oid, kind, data, len, err);

		if (same < 0 || (same > 0 && is_lasting(pack, oid, len))) {
			return MIN_OF(same, 0);
		}
	}
	if (found == 0) {
		int added = add_new(pack, deflater, oid, kind, data, len, err);

		if (added != 0) {
			return added;
		}
		found = find_entry(pack, oid, &entry, err);
	}
	return found < 0 ? found : compare_with_ours(&entry, oid, kind, data, len, err);
}

int
pack_add(struct pack *pack, enum object_kind kind, const void *data, size_t len,
	struct oid *ret_oid, struct err *err)
{
	struct deflater *deflater;
	struct oid oid;
	int result;

	if (len > PACK_OBJECT_MAX) {
		return err_raise(err, ERR_TOO_BIG, "an object of %zu bytes", len);
	}
	deflater = deflater_get(pack);
	oid_hash(deflater->hash, kind, data, len, &oid);
	result = add(pack, deflater, &oid, kind, data, len, err);
	deflater_put(pack, deflater);
	if (result >= 0) {
		*ret_oid = oid;
	}
	return result;
}

uint64_t
pack_size(struct pack *pack)
{
	uint64_t size;

	(void)pthread_mutex_lock(&pack->lock);
	size = pack->flushed + pack->buffered;
	(void)pthread_mutex_unlock(&pack->lock);
	return size;
}

bool
pack_secures(struct pack *pack, const struct oid *oid)
{
	size_t at;
	bool good;

	(void)pthread_mutex_lock(&pack->lock);
	good = pack_index_find(&pack->index, oid, &at);
	(void)pthread_mutex_unlock(&pack->lock);
	if (good) {
		return true;
	}
	(void)pthread_mutex_lock(&pack->reach_lock);
	good = repo_holds(pack->repo, oid) || reach_has(know_reach(pack), oid);
	(void)pthread_mutex_unlock(&pack->reach_lock);
	return good;
}

const struct reach *
pack_reach(struct pack *pack)
{
	const struct reach *reach;

	(void)pthread_mutex_lock(&pack->reach_lock);
	reach = know_reach(pack);
	(void)pthread_mutex_unlock(&pack->reach_lock);
	return reach;
}

int
pack_read(struct pack *pack, const struct oid *oid, enum object_kind kind,
	struct buf *buf, struct err *err)
{
	AUTO(buf_done) struct buf entry = { .max = DEFLATE_ENTRY_MAX };
	int found = find_entry(pack, oid, &entry, err);

	return found <= 0 ? found : deflate_read(&entry, kind, buf, err);
}

// ---- finishing

// Where the pass over the finished file stands.
struct pass {
	uint32_t crc;
	size_t entry;
	uint64_t offset;
};

static int
check_entries(struct pack *pack, struct pass *pass, const uint8_t *data, size_t len,
	struct err *err)
{
	while (len > 0) {
		uint64_t end = pass->entry + 1 < pack->index.count
			? pack_index_offset(&pack->index, pass->entry + 1)
			: pack->flushed;
		size_t part = (size_t)MIN_OF((uint64_t)len, end - pass->offset);

		pass->crc = deflate_crc(pass->crc, data, part);
		pass->offset += part;
		data += part;
		len -= part;
		if (pass->offset == end) {
			if (pass->crc != pack_index_crc(&pack->index, pass->entry)) {
				return err_raise(err, ERR_CORRUPT,
					"%s does not hold what was written to it",
					pack->path);
			}
			pass->crc = 0;
			pass->entry++;
		}
	}
	return 0;
}

static int
hash_file(struct pack *pack, uint8_t ret_trailer[HASH_SHA1_LEN], struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	struct pass pass = { .offset = HEADER_LEN };
	uint64_t offset = 0;

	// Everything was flushed, so the buffer is free.
	while (offset < pack->flushed) {
		size_t want =
			(size_t)MIN_OF((uint64_t)BUFFER_LEN, pack->flushed - offset);
		size_t skip = offset == 0 ? HEADER_LEN : 0;

		if (read_back(pack, offset, pack->buffer, want, err) < 0) {
			return err->code;
		}
		hash_add(hash, pack->buffer, want);
		if (check_entries(pack, &pass, pack->buffer + skip, want - skip, err) <
			0) {
			return err->code;
		}
		offset += want;
	}
	hash_end(hash, ret_trailer);
	return 0;
}

static int
complete_file(struct pack *pack, uint8_t ret_trailer[HASH_SHA1_LEN], struct err *err)
{
	uint32_t count = htonl((uint32_t)pack->index.count);

	if (flush(pack, err) < 0) {
		return err->code;
	}
	if (pwrite(pack->fd, &count, sizeof(count), 8) != (ssize_t)sizeof(count)) {
		return err_errno(err, "write %s", pack->path);
	}
	if (hash_file(pack, ret_trailer, err) < 0 ||
		fd_write_all(pack->fd, ret_trailer, HASH_SHA1_LEN, err) < 0) {
		return err_wrap(err, "complete %s", pack->path);
	}
	// Its blocks get their places now; the sync that the index needs takes care of
	// them too, so that the one for the pack itself finds little left to do.
	(void)sync_file_range(pack->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

// What is to be read back: evenly spread, the last one (the commit) always among them.
static size_t
choose_samples(const struct pack *pack, struct oid **ret_samples)
{
	size_t count = pack->index.count;
	size_t nsamples =
		pack->raw_bytes <= PROBE_BYTES_MAX ? count : MIN_OF(count, PROBE_SAMPLES);

	*ret_samples = xcalloc(nsamples, sizeof(**ret_samples));
	for (size_t i = 0; i < nsamples; i++) {
		(*ret_samples)[i] =
			*pack_index_oid(&pack->index, (i + 1) * count / nsamples - 1);
	}
	return nsamples;
}

static int
sync_folder(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		return err_errno(err, "open %s", path);
	}
	return fd_sync(fd, path, err);
}

// Nothing leads to these objects yet, so a `git gc --prune=now` beside us would drop them
// between now and the ref: a .keep file tells it not to.
static int
hold(struct pack *pack, const char *from, const char *keep, struct err *err)
{
	AUTO_CLOSE int fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		return err_errno(err, "create %s", from);
	}
	// Its text says that it is ours, so it comes to its place with its text.
	if (fd_write_all(fd, HOME_KEEP_TEXT, strlen(HOME_KEEP_TEXT), err) < 0) {
		(void)unlink(from);
		return err->code;
	}
	if (rename(from, keep) < 0) {
		(void)err_errno(err, "rename to %s", keep);
		(void)unlink(from);
		return err->code;
	}
	repo_hold(pack->repo, keep);
	return 0;
}

// Both files stand in the staging folder under their final names.  The pack first: an
// idx without its pack is what git calls damage.
static int
move_in(struct pack *pack, const char *base, struct err *err)
{
	AUTO_FREE char *folder = path_join(repo_git_dir(pack->repo), "objects/pack");
	AUTO_FREE char *from = path_join(repo_staging(pack->repo), base);
	AUTO_FREE char *to = path_join(folder, base);
	AUTO_FREE char *from_index = xasprintf("%s.idx", from);
	AUTO_FREE char *from_pack = xasprintf("%s.pack", from);
	AUTO_FREE char *to_index = xasprintf("%s.idx", to);
	AUTO_FREE char *to_pack = xasprintf("%s.pack", to);
	AUTO_FREE char *from_keep = xasprintf("%s.keep", from);
	AUTO_FREE char *keep = xasprintf("%s.keep", to);

	if (hold(pack, from_keep, keep, err) < 0) {
		return err->code;
	}
	if (rename(from_pack, to_pack) < 0) {
		(void)err_errno(err, "rename to %s", to_pack);
		(void)unlink(keep);
		return err->code;
	}
	if (rename(from_index, to_index) < 0) {
		(void)err_errno(err, "rename to %s", to_index);
		(void)unlink(to_pack);
		(void)unlink(keep);
		return err->code;
	}
	// From here on git knows it, and may have dropped other copies of what is in it:
	// it stays, held, and the next pack uses it.
	return sync_folder(folder, err);
}

// A name that no pack ever had: a `git gc` deletes by name what it listed when it began.
static int
choose_name(const uint8_t trailer[HASH_SHA1_LEN], char *ret_name, size_t size,
	struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	uint8_t salt[HASH_SHA1_LEN];
	uint8_t name[HASH_SHA1_LEN];
	char hex[OID_HEX_MAX];

	if (hash_random(salt, sizeof(salt), err) < 0) {
		return err->code;
	}
	hash_add(hash, trailer, HASH_SHA1_LEN);
	hash_add(hash, salt, sizeof(salt));
	hash_end(hash, name);
	hash_hex(name, sizeof(name), hex);
	(void)snprintf(ret_name, size, "pack-%s", hex);
	return 0;
}

static int
install(struct pack *pack, struct pack_stats *stats, struct err *err)
{
	uint8_t trailer[HASH_SHA1_LEN];
	AUTO_FREE char *index_path = NULL;
	AUTO_FREE char *final_path = NULL;
	AUTO_FREE struct oid *samples = NULL;
	size_t nsamples;

	if (complete_file(pack, trailer, err) < 0 ||
		choose_name(trailer, stats->name, sizeof(stats->name), err) < 0) {
		return err->code;
	}
	stats->nobjects = pack->index.count;
	stats->bytes = pack->flushed + HASH_SHA1_LEN;
	index_path = xasprintf("%s/%s.idx", repo_staging(pack->repo), stats->name);
	final_path = xasprintf("%s/%s.pack", repo_staging(pack->repo), stats->name);
	if (rename(pack->path, final_path) < 0) {
		return err_errno(err, "rename %s", pack->path);
	}
	free(pack->path);
	pack->path = STEAL(final_path);
	nsamples = choose_samples(pack, &samples);
	if (pack_index_write(&pack->index, index_path, trailer, err) < 0) {
		goto undo;
	}
	// Libgit2 maps the file that says the same, so this is given back first: to the
	// system, when it is much.
	pack_index_done(&pack->index);
	if (stats->nobjects > TRIM_ABOVE) {
		(void)malloc_trim(0);
	}
	if (fd_sync(pack->fd, pack->path, err) < 0 ||
		repo_probe_pack(index_path, stats->nobjects, samples, nsamples, err) <
			0 ||
		move_in(pack, stats->name, err) < 0) {
		goto undo;
	}
	free(pack->path);
	pack->path = NULL;
	return repo_refresh(pack->repo, err);

undo:
	(void)unlink(index_path);
	return err->code;
}

int
pack_finish(struct pack *pack, struct pack_stats *ret_stats, struct err *err)
{
	struct pack_stats stats = { 0 };
	int result = 0;

	if (pack->broken) {
		*err = pack->first;
		result = err->code;
	} else if (pack->index.count > 0) {
		result = install(pack, &stats, err);
	}
	pack_abort(pack);
	if (result < 0) {
		return err_wrap(err, "finish the pack");
	}
	*ret_stats = stats;
	return 0;
}

void
pack_abort(struct pack *pack)
{
	if (pack == NULL) {
		return;
	}
	if (pack->path != NULL) {
		(void)unlink(pack->path);
	}
	base_close_p(&pack->fd);
	for (struct deflater *next; pack->idle != NULL; pack->idle = next) {
		next = pack->idle->next;
		deflater_free(pack->idle);
	}
	free(pack->path);
	free(pack->buffer);
	pack_index_done(&pack->index);
	(void)pthread_mutex_destroy(&pack->lock);
	(void)pthread_mutex_destroy(&pack->reach_lock);
	reach_free(pack->reach);
	free(pack);
}

void
pack_abortp(struct pack **pack)
{
	pack_abort(*pack);
	*pack = NULL;
}
