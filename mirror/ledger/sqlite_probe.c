// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/sqlite_probe.h"

#include <string.h>

// Each companion of a database: how its name ends, how its content begins.
static const struct {
	const char *suffix;
	/** One of these; a WAL names its checksums' byte order in the last bit. */
	unsigned char magic[2][8];
	size_t magic_len;
} companions[] = {
	{ "-wal", { { 0x37, 0x7f, 0x06, 0x82 }, { 0x37, 0x7f, 0x06, 0x83 } }, 4 },
	// The index of a WAL is in the machine's byte order: version 3007000.
	{ "-shm", { { 0x18, 0xe2, 0x2d, 0x00 }, { 0x00, 0x2d, 0xe2, 0x18 } }, 4 },
	{ "-journal",
		{ { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 },
			{ 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 } },
		8 },
};

bool
sqlite_probe_is_database(const void *head, size_t len)
{
	static const char magic[] = "SQLite format 3";

	return len >= sizeof(magic) && memcmp(head, magic, sizeof(magic)) == 0;
}

// The index in companions, or countof(companions).
static size_t
which(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < countof(companions); i++) {
		size_t suffix_len = strlen(companions[i].suffix);

		if (len > suffix_len &&
			memcmp(name + len - suffix_len, companions[i].suffix,
				suffix_len) == 0) {
			break;
		}
	}
	return i;
}

size_t
sqlite_probe_owner(const char *name, size_t len)
{
	size_t i = which(name, len);

	return i < countof(companions) ? len - strlen(companions[i].suffix) : 0;
}

static bool
is_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0) {
			return false;
		}
	}
	return true;
}

bool
sqlite_probe_is_companion(const char *name, size_t name_len, const void *head, size_t len)
{
	size_t i = which(name, name_len);

	if (i == countof(companions)) {
		return false;
	}
	// A finished journal is cut to nothing or its header is zeroed; a new -shm and a
	// reset WAL look the same.
	if (is_zero(head, MIN_OF(len, (size_t)SQLITE_PROBE_LEN))) {
		return true;
	}
	return len >= companions[i].magic_len &&
		(memcmp(head, companions[i].magic[0], companions[i].magic_len) == 0 ||
			memcmp(head, companions[i].magic[1], companions[i].magic_len) ==
				0);
}
