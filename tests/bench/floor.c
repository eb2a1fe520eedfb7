// SPDX-License-Identifier: GPL-2.0-or-later
//
// The least an import can take: walk a tree, read each file, name it and deflate it, one
// thread, nothing written.
//
//     /usr/bin/time build/tests/brain/bench_floor FOLDER

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "brain/deflate.h"
#include "brain/oid.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
	FOLDERS_OPEN = 64,
	FILE_MAX = 64 << 20,
};

static struct deflater *deflater;
static struct buf text = { .max = FILE_MAX };
static uint64_t bytes_in;
static uint64_t bytes_out;

static int
take(const char *path, const struct stat *info, int type, struct FTW *place)
{
	AUTO_CLOSE int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct oid oid;
	struct err err;

	(void)place;
	if (fd < 0 || !S_ISREG(info->st_mode)) {
		return 0;
	}
	buf_clear(&text);
	if (fd_read_all(fd, &text, &err) < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, err.msg);
		return 1;
	}
	oid_hash(deflater->hash, OBJECT_BLOB, buf_text(&text), text.len, &oid);
	if (deflate_entry(deflater, OBJECT_BLOB, buf_text(&text), text.len, &err) < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, err.msg);
		return 1;
	}
	bytes_in += text.len;
	bytes_out += deflater->out.len;
	return 0;
}

int
main(int argc, char **argv)
{
	int result;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: bench_floor FOLDER\n");
		return 2;
	}
	deflater = deflater_new();
	result = nftw(argv[1], take, FOLDERS_OPEN, FTW_PHYS);
	(void)printf("%llu bytes, %llu deflated\n", (unsigned long long)bytes_in,
		(unsigned long long)bytes_out);
	buf_done(&text);
	deflater_free(deflater);
	return result == 0 ? 0 : 1;
}
