// SPDX-License-Identifier: GPL-2.0-or-later

// A rule file of any bytes is read or refused, and never more than that.

#include "base/err.h"
#include "base/file.h"
#include "scanner/scanner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
ignore(const struct finding *finding, void *payload)
{
	(void)finding;
	(void)payload;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = { 1 };
	char path[] = "/tmp/mirror-fuzz.XXXXXX";
	const char *file = path;
	struct scanner_options options = {
		.key = key, .rule_files = &file, .nrule_files = 1, .replace_builtin = true
	};
	struct scan_input input = {
		.data = "key = abcdef\n", .len = 13, .path = "a.txt"
	};
	struct scanner *scanner = NULL;
	struct err err = { 0 };
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		abort();
	}
	(void)close(fd);
	if (scanner_new(&options, &scanner, &err) == 0) {
		(void)!scanner_scan(scanner, &input, ignore, NULL, &err);
	}
	scanner_free(scanner);
	(void)unlink(path);
	return 0;
}
