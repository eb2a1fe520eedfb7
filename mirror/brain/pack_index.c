// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The .idx, version 2, all numbers big-endian:
 *
 *     ff 't' 'O' 'c' 0 0 0 2
 *     256 counts      how many names begin with a byte <= i
 *     names           20 bytes each, sorted
 *     CRC-32s         of the entries as they stand in the pack
 *     offsets         31 bits; with the top bit set, a row number in the next table
 *     offsets         64 bits, for entries past 2 GiB
 *     the pack's SHA-1, the idx's SHA-1
 *
 * Source: gitformat-pack(5).
 */

#include "brain/pack_index.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BLOCK_SHIFT = 12,
	BLOCK_LEN = 1 << BLOCK_SHIFT,
	TABLE_FIRST = 1024,
	OUT_LEN = 64 * 1024,
};

struct pack_record {
	struct oid oid;
	uint32_t crc;
	uint64_t offset;
};

static struct pack_record *
record(const struct pack_index *index, size_t at)
{
	return &index->blocks[at >> BLOCK_SHIFT][at & (BLOCK_LEN - 1)];
}

// A name is its own hash.
static size_t
slot_of(const struct oid *oid, size_t table_size)
{
	uint64_t word;

	memcpy(&word, oid->id, sizeof(word));
	return (size_t)word & (table_size - 1);
}

static void
put(struct pack_index *index, const struct oid *oid, size_t at)
{
	size_t slot = slot_of(oid, index->table_size);

	while (index->table[slot] != 0) {
		slot = (slot + 1) & (index->table_size - 1);
	}
	index->table[slot] = (uint32_t)at + 1;
}

static void
grow_table(struct pack_index *index)
{
	index->table_size *= 2;
	free(index->table);
	index->table = xcalloc(index->table_size, sizeof(*index->table));
	for (size_t i = 0; i < index->count; i++) {
		put(index, &record(index, i)->oid, i);
	}
}

void
pack_index_init(struct pack_index *index)
{
	*index = (struct pack_index){ .table_size = TABLE_FIRST };
	index->table = xcalloc(index->table_size, sizeof(*index->table));
}

void
pack_index_done(struct pack_index *index)
{
	for (size_t i = 0; i < index->nblocks; i++) {
		free(index->blocks[i]);
	}
	free(index->blocks);
	free(index->table);
	*index = (struct pack_index){ 0 };
}

bool
pack_index_find(const struct pack_index *index, const struct oid *oid, size_t *ret_at)
{
	size_t slot = slot_of(oid, index->table_size);

	for (; index->table[slot] != 0; slot = (slot + 1) & (index->table_size - 1)) {
		size_t at = index->table[slot] - 1;

		if (oid_equal(&record(index, at)->oid, oid)) {
			*ret_at = at;
			return true;
		}
	}
	return false;
}

void
pack_index_add(
	struct pack_index *index, const struct oid *oid, uint64_t offset, uint32_t crc)
{
	if (index->count == index->nblocks << BLOCK_SHIFT) {
		index->blocks = xgrow(index->blocks, index->nblocks, &index->blocks_size,
			sizeof(struct pack_record *));
		index->blocks[index->nblocks++] =
			xmalloc(BLOCK_LEN * sizeof(struct pack_record));
	}
	// Three quarters full is the most.
	if (index->count >= index->table_size / 4 * 3) {
		grow_table(index);
	}
	*record(index, index->count) =
		(struct pack_record){ .oid = *oid, .crc = crc, .offset = offset };
	put(index, oid, index->count);
	index->count++;
}

const struct oid *
pack_index_oid(const struct pack_index *index, size_t at)
{
	return &record(index, at)->oid;
}

uint64_t
pack_index_offset(const struct pack_index *index, size_t at)
{
	return record(index, at)->offset;
}

uint32_t
pack_index_crc(const struct pack_index *index, size_t at)
{
	return record(index, at)->crc;
}

// ---- writing

// A file being written and hashed, a block at a time.
struct out {
	int fd;
	struct hash *hash;
	size_t len;
	uint8_t bytes[OUT_LEN];
};

static int
out_flush(struct out *out, struct err *err)
{
	hash_add(out->hash, out->bytes, out->len);
	if (fd_write_all(out->fd, out->bytes, out->len, err) < 0) {
		return err->code;
	}
	out->len = 0;
	return 0;
}

static int
out_add(struct out *out, const void *data, size_t len, struct err *err)
{
	if (out->len + len > OUT_LEN && out_flush(out, err) < 0) {
		return err->code;
	}
	memcpy(out->bytes + out->len, data, len);
	out->len += len;
	return 0;
}

static int
out_add32(struct out *out, uint32_t number, struct err *err)
{
	uint32_t big = htonl(number);

	return out_add(out, &big, sizeof(big), err);
}

static int
compare_records(const void *left, const void *right, void *payload)
{
	const struct pack_index *index = payload;

	return oid_compare(&record(index, *(const uint32_t *)left)->oid,
		&record(index, *(const uint32_t *)right)->oid);
}

static void
sort_numbers(const struct pack_index *index, uint32_t *order)
{
	for (size_t i = 0; i < index->count; i++) {
		order[i] = (uint32_t)i;
	}
	qsort_r(order, index->count, sizeof(*order), compare_records,
		(void *)(uintptr_t)index);
}

static int
write_names(struct out *out, const struct pack_index *index, const uint32_t *order,
	struct err *err)
{
	static const uint8_t magic[8] = { 0xff, 't', 'O', 'c', 0, 0, 0, 2 };
	size_t at = 0;

	if (out_add(out, magic, sizeof(magic), err) < 0) {
		return err->code;
	}
	for (unsigned int first = 0; first < 256; first++) {
		while (at < index->count &&
			record(index, order[at])->oid.id[0] <= first) {
			at++;
		}
		if (out_add32(out, (uint32_t)at, err) < 0) {
			return err->code;
		}
	}
	for (at = 0; at < index->count; at++) {
		if (out_add(out, record(index, order[at])->oid.id, OID_LEN, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
write_offsets(struct out *out, const struct pack_index *index, const uint32_t *order,
	struct err *err)
{
	uint32_t large = 0;

	for (size_t i = 0; i < index->count; i++) {
		uint64_t offset = record(index, order[i])->offset;
		uint32_t number =
			offset < 0x80000000U ? (uint32_t)offset : 0x80000000U | large++;

		if (out_add32(out, number, err) < 0) {
			return err->code;
		}
	}
	for (size_t i = 0; i < index->count && large > 0; i++) {
		uint64_t offset = record(index, order[i])->offset;
		uint64_t big = htobe64(offset);

		if (offset >= 0x80000000U && out_add(out, &big, sizeof(big), err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
write_all(struct out *out, const struct pack_index *index, const uint32_t *order,
	const uint8_t trailer[OID_LEN], struct err *err)
{
	uint8_t own[HASH_SHA1_LEN];

	if (write_names(out, index, order, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < index->count; i++) {
		if (out_add32(out, record(index, order[i])->crc, err) < 0) {
			return err->code;
		}
	}
	if (write_offsets(out, index, order, err) < 0 ||
		out_add(out, trailer, OID_LEN, err) < 0 || out_flush(out, err) < 0) {
		return err->code;
	}
	hash_end(out->hash, own);
	return fd_write_all(out->fd, own, sizeof(own), err);
}

int
pack_index_write(struct pack_index *index, const char *path,
	const uint8_t trailer[OID_LEN], bool is_last, struct err *err)
{
	// The table has room for all numbers.
	AUTO_FREE uint32_t *numbers =
		is_last ? NULL : xcalloc(index->count, sizeof(*numbers));
	uint32_t *order = is_last ? index->table : numbers;
	AUTO_FREE struct out *out = xcalloc(1, sizeof(*out));
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (fd < 0) {
		return err_errno(err, "create %s", path);
	}
	out->fd = fd;
	out->hash = hash;
	sort_numbers(index, order);
	if (write_all(out, index, order, trailer, err) < 0) {
		(void)unlink(path);
		return err_wrap(err, "write %s", path);
	}
	return STEAL_FD(fd);
}
