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
 * Order on disk: pack and idx are synced in `mirror/new/`, read through libgit2 beside
 * that, and only then renamed into objects/pack, the pack first: git looks for *.idx.
 *
 * Source: gitformat-pack(5).
 */

#include "brain/pack_file.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/deflate.h"
#include "brain/home.h"
#include "brain/repo.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
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
	// Objects in one pack: 40 bytes each.
	TRIM_ABOVE = 100000,
};

void
pack_file_init(struct pack_file *file, struct repo *repo)
{
	*file = (struct pack_file){ .repo = repo, .fd = -1, .index_fd = -1 };
	pack_index_init(&file->index);
}

void
pack_file_done(struct pack_file *file)
{
	if (file->path != NULL) {
		(void)unlink(file->path);
		(void)unlink(file->index_path);
	}
	pack_file_let_go(file);
	base_close_p(&file->fd);
	base_close_p(&file->index_fd);
	free(file->path);
	free(file->index_path);
	free(file->buffer);
	free(file->samples);
	pack_index_done(&file->index);
}

uint64_t
pack_file_size(const struct pack_file *file)
{
	return file->flushed + file->buffered;
}

int
pack_file_flush(struct pack_file *file, struct err *err)
{
	if (file->buffered == 0) {
		return 0;
	}
	if (fd_write_all(file->fd, file->buffer, file->buffered, err) < 0) {
		return err_wrap(err, "write %s", file->path);
	}
	file->flushed += file->buffered;
	file->buffered = 0;
	if (file->flushed - file->synced >= SYNC_STEP) {
		// Only a hint, so that the fsync at the end has less to wait for.
		(void)sync_file_range(file->fd, (off_t)file->synced,
			(off_t)(file->flushed - file->synced), SYNC_FILE_RANGE_WRITE);
		file->synced = file->flushed;
	}
	return 0;
}

static int
append(struct pack_file *file, const void *data, size_t len, struct err *err)
{
	const uint8_t *at = data;

	while (len > 0) {
		size_t part = MIN_OF(len, BUFFER_LEN - file->buffered);

		memcpy(file->buffer + file->buffered, at, part);
		file->buffered += part;
		at += part;
		len -= part;
		if (file->buffered == BUFFER_LEN && pack_file_flush(file, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// The file comes into being with the first object.  A name that no pack ever had: a `git
// gc` deletes by name what it listed when it began.
static int
create_file(struct pack_file *file, struct err *err)
{
	uint8_t header[HEADER_LEN] = { 'P', 'A', 'C', 'K', 0, 0, 0, 2 };
	uint8_t salt[OID_LEN];
	char hex[OID_HEX_MAX];

	if (hash_random(salt, sizeof(salt), err) < 0) {
		return err->code;
	}
	hash_hex(salt, sizeof(salt), hex);
	(void)snprintf(file->name, sizeof(file->name), "pack-%s", hex);
	AUTO_FREE char *path =
		xasprintf("%s/%s.pack", repo_staging(file->repo), file->name);
	file->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (file->fd < 0) {
		return err_errno(err, "create %s", path);
	}
	file->path = STEAL(path);
	file->index_path = xasprintf("%s/%s.idx", repo_staging(file->repo), file->name);
	file->buffer = xmalloc(BUFFER_LEN);
	return append(file, header, sizeof(header), err);
}

// Read @len bytes at @offset of what was added, from the file or the buffer.
static int
read_back(const struct pack_file *file, uint64_t offset, void *data, size_t len,
	struct err *err)
{
	uint8_t *at = data;

	while (len > 0) {
		ssize_t done;

		if (offset >= file->flushed) {
			memcpy(at, file->buffer + (offset - file->flushed), len);
			return 0;
		}
		done = pread(
			file->fd, at, MIN_OF(len, file->flushed - offset), (off_t)offset);
		if (done <= 0) {
			return done < 0
				? err_errno(err, "read %s", file->path)
				: err_raise(err, ERR_IO, "%s is cut short", file->path);
		}
		at += done;
		offset += (uint64_t)done;
		len -= (size_t)done;
	}
	return 0;
}

// A copy of the entry that begins at @offset, and perhaps of some bytes behind it: how
// long it can be at most is known.
static int
copy_entry(
	const struct pack_file *file, uint64_t offset, struct buf *entry, struct err *err)
{
	uint8_t head[DEFLATE_HEAD_MAX];
	uint64_t rest = pack_file_size(file) - offset;
	size_t len = (size_t)MIN_OF(rest, (uint64_t)sizeof(head));

	if (read_back(file, offset, head, len, err) < 0) {
		return err->code;
	}
	len = (size_t)MIN_OF(rest, (uint64_t)deflate_bound(head, len));
	if (buf_reserve(entry, len, err) < 0 ||
		read_back(file, offset, entry->data, len, err) < 0) {
		return err->code;
	}
	entry->len = len;
	return 1;
}

int
pack_file_find(const struct pack_file *file, const struct oid *oid, struct buf *entry,
	struct err *err)
{
	uint64_t offset = 0;
	int found = pack_index_find(&file->index, oid, &offset, err);

	return found > 0 ? copy_entry(file, offset, entry, err) : found;
}

int
pack_file_add(struct pack_file *file, const struct oid *oid, const struct buf *entry,
	uint32_t crc, size_t raw_len, struct err *err)
{
	uint64_t offset;

	if (file->path == NULL && create_file(file, err) < 0) {
		return err->code;
	}
	offset = pack_file_size(file);
	if (append(file, entry->data, entry->len, err) < 0) {
		return err->code;
	}
	pack_index_add(&file->index, oid, offset, crc);
	file->raw_bytes += raw_len;
	return 0;
}

// ---- completing

// Where the pass over the finished file stands.
struct pass {
	uint32_t crc;
	size_t entry;
	uint64_t offset;
};

static int
check_entries(struct pack_file *file, struct pass *pass, const uint8_t *data, size_t len,
	struct err *err)
{
	while (len > 0) {
		uint64_t end = pass->entry + 1 < file->index.count
			? pack_index_offset(&file->index, pass->entry + 1)
			: file->flushed;
		size_t part = (size_t)MIN_OF((uint64_t)len, end - pass->offset);

		pass->crc = deflate_crc(pass->crc, data, part);
		pass->offset += part;
		data += part;
		len -= part;
		if (pass->offset == end) {
			if (pass->crc != pack_index_crc(&file->index, pass->entry)) {
				return err_raise(err, ERR_CORRUPT,
					"%s does not hold what was written to it",
					file->path);
			}
			pass->crc = 0;
			pass->entry++;
		}
	}
	return 0;
}

static int
hash_file(struct pack_file *file, uint8_t ret_trailer[HASH_SHA1_LEN], struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	struct pass pass = { .offset = HEADER_LEN };
	uint64_t offset = 0;

	// Everything was flushed, so the buffer is free.
	while (offset < file->flushed) {
		size_t want =
			(size_t)MIN_OF((uint64_t)BUFFER_LEN, file->flushed - offset);
		size_t skip = offset == 0 ? HEADER_LEN : 0;

		if (read_back(file, offset, file->buffer, want, err) < 0) {
			return err->code;
		}
		hash_add(hash, file->buffer, want);
		if (check_entries(file, &pass, file->buffer + skip, want - skip, err) <
			0) {
			return err->code;
		}
		offset += want;
	}
	hash_end(hash, ret_trailer);
	return 0;
}

static int
complete_file(struct pack_file *file, uint8_t ret_trailer[HASH_SHA1_LEN], struct err *err)
{
	uint32_t count = htonl((uint32_t)file->index.count);

	if (pack_file_flush(file, err) < 0) {
		return err->code;
	}
	if (pwrite(file->fd, &count, sizeof(count), 8) != (ssize_t)sizeof(count)) {
		return err_errno(err, "write %s", file->path);
	}
	if (hash_file(file, ret_trailer, err) < 0 ||
		fd_write_all(file->fd, ret_trailer, HASH_SHA1_LEN, err) < 0) {
		return err_wrap(err, "complete %s", file->path);
	}
	// Its blocks get their places now; the sync that the index needs takes care of
	// them too, so that the one for the pack itself finds little left to do.
	(void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

// What is to be read back: evenly spread, the last one (the commit) always among them.
static size_t
choose_samples(const struct pack_file *file, struct oid **ret_samples)
{
	size_t count = file->index.count;
	size_t nsamples =
		file->raw_bytes <= PROBE_BYTES_MAX ? count : MIN_OF(count, PROBE_SAMPLES);

	*ret_samples = xcalloc(nsamples, sizeof(**ret_samples));
	for (size_t i = 0; i < nsamples; i++) {
		(*ret_samples)[i] =
			*pack_index_oid(&file->index, (i + 1) * count / nsamples - 1);
	}
	return nsamples;
}

int
pack_file_complete(struct pack_file *file, bool is_last, struct err *err)
{
	uint8_t trailer[HASH_SHA1_LEN];

	if (complete_file(file, trailer, err) < 0) {
		return err->code;
	}
	file->nsamples = choose_samples(file, &file->samples);
	file->index_fd =
		pack_index_write(&file->index, file->index_path, trailer, is_last, err);
	file->complete = file->index_fd >= 0;
	(void)sync_file_range(file->index_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return MIN_OF(file->index_fd, 0);
}

uint8_t *
pack_file_filter(const struct pack_file *file)
{
	return pack_index_filter(&file->index);
}

void
pack_file_seal(struct pack_file *file, uint8_t *filter)
{
	pack_index_seal(&file->index, filter, file->index_fd);
}

int
pack_file_sync(const struct pack_file *file, struct err *err)
{
	int (*sync)(int fd, const char *name, struct err *err) =
		repo_in_one_journal(file->repo) ? fd_write_out : fd_sync;

	return sync(file->index_fd, file->index_path, err) < 0
		? err->code
		: sync(file->fd, file->path, err);
}

int
pack_file_probe(struct pack_file *file, struct err *err)
{
	size_t count = file->index.count;

	if (pack_index_check(&file->index, file->index_fd, err) < 0) {
		return err->code;
	}
	// Libgit2 maps the file that says the same, so this is given back first: to the
	// system, when it is much.
	pack_index_done(&file->index);
	if (count > TRIM_ABOVE) {
		(void)malloc_trim(0);
	}
	return repo_probe(
		file->index_path, file->samples, file->nsamples, &file->probe, err);
}

void
pack_file_let_go(struct pack_file *file)
{
	repo_probe_close(file->probe);
	file->probe = NULL;
}

int
pack_file_reopen(struct pack_file *file, struct err *err)
{
	return file->path == NULL || file->probe != NULL
		? 0
		: repo_probe(file->index_path, NULL, 0, &file->probe, err);
}

// Nothing leads to these objects yet, so a `git gc --prune=now` beside us would drop them
// between now and the ref: a .keep file tells it not to.
static int
hold(struct pack_file *file, const char *from, const char *keep, struct err *err)
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
	repo_hold(file->repo, keep);
	return 0;
}

// The pack first: an idx without its pack is what git calls damage.
int
pack_file_move_in(struct pack_file *file, struct err *err)
{
	AUTO_FREE char *to =
		xasprintf("%s/objects/pack/%s", repo_git_dir(file->repo), file->name);
	AUTO_FREE char *to_index = xasprintf("%s.idx", to);
	AUTO_FREE char *to_pack = xasprintf("%s.pack", to);
	AUTO_FREE char *keep = xasprintf("%s.keep", to);
	AUTO_FREE char *from_keep =
		xasprintf("%s/%s.keep", repo_staging(file->repo), file->name);

	if (hold(file, from_keep, keep, err) < 0) {
		return err->code;
	}
	if (rename(file->path, to_pack) < 0) {
		(void)err_errno(err, "rename to %s", to_pack);
		(void)unlink(keep);
		return err->code;
	}
	if (rename(file->index_path, to_index) < 0) {
		(void)err_errno(err, "rename to %s", to_index);
		(void)unlink(to_pack);
		(void)unlink(keep);
		return err->code;
	}
	// From here on git knows it, and may have dropped other copies of what is in it:
	// it stays, held, and the next pack uses it.
	repo_expect_pack(file->repo, file->name);
	free(file->path);
	file->path = NULL;
	return 0;
}
