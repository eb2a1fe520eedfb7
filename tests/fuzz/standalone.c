// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/fuzz/standalone - replay files through a fuzz target without libFuzzer.
 *
 * A crash that a fuzzer found becomes a file in fixtures/fuzz/<target>/ and stays; every
 * ctest replays it, with any compiler.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);

	if (file == NULL || data == NULL) {
		(void)fprintf(stderr, "standalone: %s: cannot read\n", path);
		return 1;
	}
	size_t len = fread(data, 1, 1 << 20, file);
	// Exactly as long as the input, so that a sanitizer sees one byte too many.
	data = realloc(data, len + (len == 0));
	(void)LLVMFuzzerTestOneInput(data, len);
	free(data);
	(void)fclose(file);
	return 0;
}

/** Each prefix of a seed, and the seed with one byte flipped, here and there. */
static void
vary(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t seed[65536];

	if (file == NULL) {
		return;
	}
	size_t len = fread(seed, 1, sizeof(seed), file);
	(void)fclose(file);
	for (size_t i = 0; i < len; i += 1 + len / 64) {
		uint8_t *copy = malloc(len);

		if (copy == NULL) {
			return;
		}
		memcpy(copy, seed, len);
		copy[i] ^= (uint8_t)(1u << i % 8);
		(void)LLVMFuzzerTestOneInput(copy, len);
		copy = realloc(copy, i + 1);
		(void)LLVMFuzzerTestOneInput(copy, i + 1);
		free(copy);
	}
}

int
main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	size_t count = 0;

	if (folder == NULL) {
		(void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(folder)) != NULL) {
		char path[4096];

		if (entry->d_name[0] == '.') {
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (replay(path) != 0) {
			return 1;
		}
		vary(path);
		count++;
	}
	(void)closedir(folder);
	(void)printf("%zu files\n", count);
	return count == 0;
}
