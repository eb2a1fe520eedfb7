// SPDX-License-Identifier: GPL-2.0-or-later

// A disk with a cache that is lost with the power, as a file for a loop device:
//
//     volatile FOLDER MB
//
// FOLDER/disk.img is the disk.  Who reads FOLDER/arm cuts the power at one of the next
// writes; then FOLDER/cut.img is what it left, and FOLDER/stake how many pieces were at
// stake (empty before).
//
// A write is safe when a flush (fsync) followed it.  Of those that none followed the cut
// keeps some 4 KB pieces and loses the others, each by a throw of a coin, in no order:
// that is what a disk's cache may do.  Built and run by powercut.sh.
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	PIECE = 4096,
	// A commit is some forty writes.
	SOON = 60
};

enum file {
	DISK,
	CUT,
	ARM,
	STAKE
};

// One piece that was written and not flushed: the newest bytes win, as in a cache.
static uint64_t size;
static uint8_t *now;
static uint8_t *safe;
static uint8_t *cut;
static uint8_t *dirty;
// Writes until the cut; 0 when none is wanted.
static long until;
static char stake[16];

static uint8_t *
area(void)
{
	uint8_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return at;
}

static void
flush(void)
{
	for (uint64_t i = 0; i < size / PIECE; i++) {
		if (dirty[i]) {
			memcpy(safe + i * PIECE, now + i * PIECE, PIECE);
			dirty[i] = 0;
		}
	}
}

static void
take(void)
{
	unsigned int count = 0;

	(void)munmap(cut, size);
	cut = area();
	for (uint64_t i = 0; i < size / PIECE; i++) {
		const uint8_t *from = dirty[i] && (random() & 1) ? now : safe;
		static const uint8_t zeros[PIECE];

		count += dirty[i];
		if (memcmp(from + i * PIECE, zeros, PIECE) != 0) {
			memcpy(cut + i * PIECE, from + i * PIECE, PIECE);
		}
	}
	(void)snprintf(stake, sizeof(stake), "%u\n", count);
}

static int
get_attributes(const char *path, struct stat *info, struct fuse_file_info *file)
{
	(void)file;
	memset(info, 0, sizeof(*info));
	info->st_mode = S_IFREG | 0600;
	info->st_nlink = 1;
	if (strcmp(path, "/") == 0) {
		info->st_mode = S_IFDIR | 0700;
	} else if (strcmp(path, "/disk.img") == 0 || strcmp(path, "/cut.img") == 0) {
		info->st_size = (off_t)size;
	} else if (strcmp(path, "/arm") == 0 || strcmp(path, "/stake") == 0) {
		info->st_size = sizeof(stake);
	} else {
		return -ENOENT;
	}
	return 0;
}

static int
open_file(const char *path, struct fuse_file_info *file)
{
	static const char *const names[] = { "/disk.img", "/cut.img", "/arm", "/stake" };

	for (file->fh = DISK; strcmp(path, names[file->fh]) != 0; file->fh++) {
	}
	file->direct_io = file->fh > CUT;
	return 0;
}

static int
read_file(const char *path, char *data, size_t len, off_t at, struct fuse_file_info *file)
{
	(void)path;
	if (file->fh == ARM) {
		stake[0] = '\0';
		until = 1 + random() % SOON;
		return 0;
	}
	if (file->fh == STAKE) {
		return at > 0 ? 0 : snprintf(data, len, "%s", stake);
	}
	if ((uint64_t)at >= size) {
		return 0;
	}
	len = (uint64_t)at + len > size ? (size_t)(size - (uint64_t)at) : len;
	memcpy(data, (file->fh == CUT ? cut : now) + at, len);
	return (int)len;
}

static int
write_file(const char *path, const char *data, size_t len, off_t at,
	struct fuse_file_info *file)
{
	(void)path;
	if (file->fh > CUT || (uint64_t)at + len > size) {
		return -ENOSPC;
	}
	memcpy((file->fh == CUT ? cut : now) + at, data, len);
	if (file->fh == DISK && len > 0) {
		memset(dirty + at / PIECE, 1,
			((uint64_t)at + len - 1) / PIECE - (uint64_t)at / PIECE + 1);
		if (until > 0 && --until == 0) {
			take();
		}
	}
	return (int)len;
}

static int
sync_file(const char *path, int data_only, struct fuse_file_info *file)
{
	(void)path;
	(void)data_only;
	if (file->fh == DISK) {
		flush();
	}
	return 0;
}

static int
truncate_file(const char *path, off_t len, struct fuse_file_info *file)
{
	(void)path;
	(void)len;
	(void)file;
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct fuse_operations operations = {
		.getattr = get_attributes,
		.open = open_file,
		.read = read_file,
		.write = write_file,
		.fsync = sync_file,
		.truncate = truncate_file,
	};
	char *arguments[] = { argv[0], argv[1], "-f", "-s", NULL };

	if (argc != 3) {
		(void)fprintf(stderr, "%s FOLDER MB\n", argv[0]);
		return 2;
	}
	size = strtoull(argv[2], NULL, 10) << 20;
	now = area();
	safe = area();
	cut = area();
	dirty = calloc(size / PIECE, 1);
	if (getenv("MIRROR_SEED") != NULL) {
		srandom((unsigned int)strtoul(getenv("MIRROR_SEED"), NULL, 10));
	}
	return fuse_main(4, arguments, &operations, NULL);
}
