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
	// In the file.
	COUNTS_AT = 8,
	NAMES_AT = COUNTS_AT + 256 * 4,
	// Bits of the filter: at least so many for each name, so many of them its own.
	FILTER_EACH = 8,
	FILTER_BITS = 4,
	FILTER_LEAST = 64,
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

static void
give_back_records(struct pack_index *index)
{
	for (size_t i = 0; i < index->nblocks; i++) {
		free(index->blocks[i]);
	}
	free(index->blocks);
	free(index->table);
	index->blocks = NULL;
	index->nblocks = 0;
	index->blocks_size = 0;
	index->table = NULL;
	index->table_size = 0;
}

void
pack_index_done(struct pack_index *index)
{
	give_back_records(index);
	free(index->filter);
	*index = (struct pack_index){ 0 };
}

// ---- sealed

static uint32_t
filter_mask(const struct pack_index *index)
{
	uint32_t bits = FILTER_LEAST;

	while (bits < index->count * FILTER_EACH && bits < UINT32_C(1) << 31) {
		bits *= 2;
	}
	return bits - 1;
}

// A name is its own hash, four times.
static uint32_t
filter_bit(const struct oid *oid, size_t which, uint32_t mask)
{
	uint32_t word;

	memcpy(&word, oid->id + which * sizeof(word), sizeof(word));
	return word & mask;
}

uint8_t *
pack_index_filter(const struct pack_index *index)
{
	uint32_t mask = filter_mask(index);
	uint8_t *filter = xcalloc(mask / 8 + 1, sizeof(*filter));

	for (size_t i = 0; i < index->count; i++) {
		for (size_t j = 0; j < FILTER_BITS; j++) {
			uint32_t bit = filter_bit(&record(index, i)->oid, j, mask);

			filter[bit / 8] |= (uint8_t)(1U << bit % 8);
		}
	}
	return filter;
}

void
pack_index_seal(struct pack_index *index, uint8_t *filter, int fd)
{
	index->filter = filter;
	index->filter_mask = filter_mask(index);
	index->fd = fd;
	give_back_records(index);
}

static bool
may_have(const struct pack_index *index, const struct oid *oid)
{
	for (size_t j = 0; j < FILTER_BITS; j++) {
		uint32_t bit = filter_bit(oid, j, index->filter_mask);

		if ((index->filter[bit / 8] & 1U << bit % 8) == 0) {
			return false;
		}
	}
	return true;
}

static int
read_at(int fd, size_t at, void *data, size_t len, struct err *err)
{
	ssize_t got = pread(fd, data, len, (off_t)at);

	if (got != (ssize_t)len) {
		return got < 0 ? err_errno(err, "read the index of the new pack")
			       : err_raise(err, ERR_IO,
					 "the index of the new pack is cut short");
	}
	return 0;
}

// The place of the name among those that begin with its first byte: 1, 0, or negative.
static int
search_file(const struct pack_index *index, const struct oid *oid, size_t *ret_at,
	struct err *err)
{
	uint32_t counts[2] = { 0 };
	size_t first = oid->id[0];
	size_t skip = first == 0 ? 1 : 0;

	if (read_at(index->fd, COUNTS_AT + 4 * (first + skip - 1), counts + skip,
		    sizeof(counts) - 4 * skip, err) < 0) {
		return err->code;
	}
	for (size_t low = ntohl(counts[0]), high = ntohl(counts[1]); low < high;) {
		size_t middle = low + (high - low) / 2;
		struct oid name;
		int order;

		if (read_at(index->fd, NAMES_AT + middle * OID_LEN, name.id, OID_LEN,
			    err) < 0) {
			return err->code;
		}
		order = oid_compare(oid, &name);
		if (order == 0) {
			*ret_at = middle;
			return 1;
		}
		low = order > 0 ? middle + 1 : low;
		high = order < 0 ? middle : high;
	}
	return 0;
}

static int
read_offset(
	const struct pack_index *index, size_t at, uint64_t *ret_offset, struct err *err)
{
	size_t offsets_at = NAMES_AT + index->count * (OID_LEN + 4);
	size_t large_at = offsets_at + index->count * 4;
	uint32_t number;
	uint64_t large;

	if (read_at(index->fd, offsets_at + at * 4, &number, sizeof(number), err) < 0) {
		return err->code;
	}
	number = ntohl(number);
	if ((number & 0x80000000U) == 0) {
		*ret_offset = number;
		return 1;
	}
	if (read_at(index->fd, large_at + (number & 0x7fffffffU) * sizeof(large), &large,
		    sizeof(large), err) < 0) {
		return err->code;
	}
	*ret_offset = be64toh(large);
	return 1;
}

static int
find_sealed(const struct pack_index *index, const struct oid *oid, uint64_t *ret_offset,
	struct err *err)
{
	size_t at = 0;
	int found = may_have(index, oid) ? search_file(index, oid, &at, err) : 0;

	return found > 0 ? read_offset(index, at, ret_offset, err) : found;
}

// ---- in memory

int
pack_index_find(const struct pack_index *index, const struct oid *oid,
	uint64_t *ret_offset, struct err *err)
{
	size_t slot;

	if (index->filter != NULL) {
		return find_sealed(index, oid, ret_offset, err);
	}
	slot = slot_of(oid, index->table_size);
	for (; index->table[slot] != 0; slot = (slot + 1) & (index->table_size - 1)) {
		const struct pack_record *found = record(index, index->table[slot] - 1);

		if (oid_equal(&found->oid, oid)) {
			*ret_offset = found->offset;
			return 1;
		}
	}
	return 0;
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
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

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

int
pack_index_check(const struct pack_index *index, int fd, struct err *err)
{
	uint32_t count = 0;

	if (read_at(fd, NAMES_AT - sizeof(count), &count, sizeof(count), err) < 0) {
		return err->code;
	}
	return ntohl(count) == index->count
		? 0
		: err_raise(err, ERR_CORRUPT,
			  "the new pack has %u objects instead of %zu", ntohl(count),
			  index->count);
}
