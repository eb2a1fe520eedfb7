// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/bench/scan_speed - how fast, and in how much memory?
 *
 *     cmake --build DIR --target bench_scan
 *     DIR/.../bench_scan [-c] FILE...
 *
 * Each file is streamed, twice: the first round begins with a new scanner, in the second
 * all tables are made.  With -c each piece of 1 MiB is scanned by a call of its own
 * instead, as a file of that size is.  A line for each round gives CPU time (of the scan
 * alone, not of reading), the rate, the rate of memchr over the same bytes, and the peak
 * of resident memory.
 */

#include "base/err.h"
#include "scanner/scanner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	PIECE = 1024 * 1024,
};

struct bench {
	const struct scanner *scanner;
	/** A call for each piece, no stream. */
	bool calls;
	double scan_seconds;
	double memchr_seconds;
	size_t bytes;
	size_t found;
	/** So that the compiler keeps the memchr. */
	volatile size_t seen;
};

static double
cpu_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
count(const struct finding *finding, void *payload)
{
	struct bench *bench = payload;

	(void)finding;
	bench->found++;
	return 0;
}

static int
scan_piece(struct bench *bench, struct scanner_stream *stream, const char *path,
	const char *piece, size_t len, struct err *err)
{
	struct scan_input input = { .data = piece, .len = len, .path = path };

	return bench->calls ? scanner_scan(bench->scanner, &input, count, bench, err)
			    : scanner_stream_filled(stream, len, err);
}

static int
scan_file(struct bench *bench, const char *path, char *piece, struct err *err)
{
	AUTO(scanner_stream_freep) struct scanner_stream *stream = NULL;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0) {
		return err_errno(err, "open %s", path);
	}
	if (scanner_stream_new(bench->scanner, path, count, bench, &stream, err) < 0) {
		return err->code;
	}
	for (;;) {
		size_t room = PIECE;

		if (!bench->calls) {
			piece = scanner_stream_room(stream, &room);
		}
		len = read(fd, piece, MIN_OF(room, (size_t)PIECE));
		if (len <= 0) {
			break;
		}
		double before = cpu_seconds();

		bench->memchr_seconds -= before;
		bench->seen += memchr(piece, 1, (size_t)len) != NULL;
		before = cpu_seconds();
		bench->memchr_seconds += before;
		if (scan_piece(bench, stream, path, piece, (size_t)len, err) < 0) {
			return err->code;
		}
		bench->scan_seconds += cpu_seconds() - before;
		bench->bytes += (size_t)len;
	}
	double before = cpu_seconds();
	int ret = scanner_stream_end(stream, err);
	bench->scan_seconds += cpu_seconds() - before;
	return ret;
}

static int
scan_all(struct bench *bench, char **paths, char *piece, struct err *err)
{
	for (; *paths != NULL; paths++) {
		if (scan_file(bench, *paths, piece, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static void
show(const struct bench *bench, int round)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	(void)printf("round %d: %zu findings, %.1f MB in %.3f s CPU: %.0f MB/s, "
		     "memchr %.0f MB/s, peak %ld KB\n",
		round, bench->found, (double)bench->bytes / 1e6, bench->scan_seconds,
		(double)bench->bytes / 1e6 / bench->scan_seconds,
		(double)bench->bytes / 1e6 / bench->memchr_seconds, usage.ru_maxrss);
}

int
main(int argc, char **argv)
{
	static const uint8_t key[32] = { 1 };
	struct scanner_options options = { .key = key };
	AUTO(scanner_freep) struct scanner *scanner = NULL;
	AUTO_FREE char *piece = malloc(PIECE);
	struct bench bench = { 0 };
	struct err err = { 0 };

	bench.calls = argc > 1 && strcmp(argv[1], "-c") == 0;
	argv += bench.calls;
	if (argc < 2 || piece == NULL || scanner_new(&options, &scanner, &err) < 0) {
		return 2;
	}
	bench.scanner = scanner;
	for (int round = 1; round <= 2; round++) {
		if (scan_all(&bench, argv + 1, piece, &err) < 0) {
			(void)fprintf(stderr, "%s\n", err.msg);
			return 2;
		}
		show(&bench, round);
		bench = (struct bench){ .scanner = scanner, .calls = bench.calls };
	}
	return 0;
}
