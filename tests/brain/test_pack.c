// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/pack.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "brain/deflate.h"
#include "brain/home.h"
#include "brain/pack_index.h"
#include "brain/repo.h"
#include "room.h"
#include "support/nth.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t
files_in(const struct scratch *scratch, const char *folder)
{
	DIR *dir = opendir(scratch_path(scratch, folder));
	size_t count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		count += entry->d_name[0] != '.';
	}
	(void)closedir(dir);
	return count;
}

static void
what_was_added_is_what_git_reads(void **state)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 1023, 1024, 2047, 65535, 65536,
		300000, 3000000 };
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid oids[2 * countof(lengths)];
	char *bytes = xmalloc(3000000);
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	for (size_t i = 0; i < countof(oids); i++) {
		// Half of them repeat themselves, half cannot be compressed.
		if (i % 2 == 0) {
			memset(bytes, 'a' + (int)i, lengths[i / 2]);
		} else {
			ok(hash_random(bytes, lengths[i / 2], &err));
			bytes[0] = '\0'; // never one of the letters above
		}
		assert_true(pack_add(pack, OBJECT_BLOB, bytes, lengths[i / 2], &oids[i],
				    &err) >= 0);
		scratch_write(*state, "want", bytes, lengths[i / 2]);
		char hex[OID_HEX_MAX];
		char hexes[100];
		(void)snprintf(hexes, sizeof(hexes), "want.%s", oid_hex(&oids[i], hex));
		assert_int_equal(scratch_sh(*state, "mv want %s", hexes), 0);
	}
	ok(pack_finish(pack, &stats, &err));
	assert_int_equal(stats.nobjects, countof(oids) - 1); // the empty blob, once
	for (size_t i = 0; i < countof(oids); i++) {
		char hex[OID_HEX_MAX];

		(void)oid_hex(&oids[i], hex);
		assert_int_equal(
			room_git(*state, "cat-file blob %s | cmp - ../want.%s", hex, hex),
			0);
	}
	assert_int_equal(
		room_git(*state, "verify-pack objects/pack/%s.idx", stats.name), 0);
	assert_int_equal(room_git(*state,
				 "index-pack --strict -o ../other.idx "
				 "objects/pack/%s.pack >/dev/null",
				 stats.name),
		0);
	// Byte for byte the idx git makes of that pack.
	assert_int_equal(
		scratch_sh(*state, "cmp other.idx brain/objects/pack/%s.idx", stats.name),
		0);
	room_fsck(*state);
	assert_int_equal(files_in(*state, "brain/mirror/new"), 0);
	free(bytes);
	repo_close(repo);
}

// The first block of a blob's zlib stream: is it one of bytes as they are?  (RFC 1951)
static bool
begins_stored(const struct buf *entry)
{
	size_t head = 0;

	while (((unsigned char)entry->data[head++] & 0x80) != 0) {
	}
	return ((unsigned char)entry->data[head + 2] & 6) == 0;
}

static void
only_what_cannot_get_shorter_is_stored_as_it_is(void **state)
{
	static const size_t lengths[] = { 4096, 65535, 65536, 131071, 300000 };
	enum {
		LEN = 300000,
		END = 10000
	};
	struct deflater *deflater = deflater_new();
	char *bytes = xmalloc(LEN);
	struct err err;

	(void)state;
	ok(hash_random(bytes, LEN, &err));
	for (size_t i = 0; i < countof(lengths); i++) {
		AUTO(buf_done) struct buf back = { .max = LEN };

		ok(deflate_entry(deflater, OBJECT_BLOB, bytes, lengths[i], &err));
		assert_true(begins_stored(&deflater->out));
		assert_true(deflater->out.len < lengths[i] + 64);
		assert_int_equal(
			deflate_read(&deflater->out, OBJECT_BLOB, &back, &err), 1);
		assert_int_equal(back.len, lengths[i]);
		assert_memory_equal(back.data, bytes, lengths[i]);
	}
	// Noise at both ends, as an archive of one picture and much text may have it.
	memset(bytes + END, ' ', LEN - 2 * END);
	ok(deflate_entry(deflater, OBJECT_BLOB, bytes, LEN, &err));
	assert_false(begins_stored(&deflater->out));
	assert_true(deflater->out.len < 3 * END);
	// Random letters: six of eight bits each.
	for (size_t i = 0; i < LEN; i++) {
		bytes[i] = (char)('@' + ((unsigned char)bytes[i] * 7 + i * i) % 64);
	}
	ok(deflate_entry(deflater, OBJECT_BLOB, bytes, LEN, &err));
	assert_false(begins_stored(&deflater->out));
	assert_true(deflater->out.len < LEN * 4 / 5);
	free(bytes);
	deflater_free(deflater);
}

static void
nothing_added_makes_no_pack(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	ok(pack_finish(pack, &stats, &err));
	assert_int_equal(stats.nobjects, 0);
	assert_string_equal(stats.name, "");
	assert_int_equal(files_in(*state, "brain/objects/pack"), 0);
	repo_close(repo);
}

static void
an_aborted_pack_leaves_nothing(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct oid oid;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "x", 1, &oid, &err), 1);
	pack_abort(pack);
	assert_int_equal(files_in(*state, "brain/objects/pack"), 0);
	assert_int_equal(files_in(*state, "brain/mirror/new"), 0);
	assert_false(repo_has(repo, &oid));
	repo_close(repo);
}

static void
what_the_repo_has_is_not_written_twice(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid oid;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "x", 1, &oid, &err), 1);
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "x", 1, &oid, &err), 0);
	ok(pack_finish(pack, &stats, &err));
	ok(pack_begin(repo, &pack, &err));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "x", 1, &oid, &err), 0);
	ok(pack_finish(pack, &stats, &err));
	assert_int_equal(stats.nobjects, 0);
	assert_int_equal(files_in(*state, "brain/objects/pack"), 3);
	repo_close(repo);
}

// The next run may take for granted what the one before had written when it ended, and a
// git gc beside it must not take that away before a ref leads there.
static void
what_no_ref_leads_to_yet_is_held_until_one_does(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid oid;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "x", 1, &oid, &err), 1);
	ok(pack_finish(pack, &stats, &err));
	repo_close(repo);
	repo = room_open(*state, false);
	assert_int_equal(scratch_sh(*state, "test -e brain/objects/pack/*.keep"), 0);
	assert_int_equal(room_git(*state, "gc --quiet --prune=now"), 0);
	ok(repo_refresh(repo, &err));
	assert_true(repo_has(repo, &oid));
	(void)room_commit(repo, NULL, (struct room_file[]){ { "a", "x" } }, 1);
	assert_int_equal(scratch_sh(*state, "! ls brain/objects/pack | grep keep"), 0);
	repo_close(repo);
	assert_int_equal(room_git(*state, "gc --quiet --prune=now"), 0);
	room_fsck(*state);
}

static void
an_object_of_the_sealed_pack_can_be_read(void **state)
{
	AUTO(buf_done) struct buf buf = { .max = 1000 };
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct oid oid;
	struct oid other = { { 1 } };
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "hello", 5, &oid, &err), 1);
	ok(pack_seal(pack, &err));
	assert_int_equal(pack_read(pack, &oid, OBJECT_BLOB, &buf, &err), 1);
	assert_string_equal(buf_text(&buf), "hello");
	assert_int_equal(pack_read(pack, &other, OBJECT_BLOB, &buf, &err), 0);
	fails(pack_read(pack, &oid, OBJECT_TREE, &buf, &err), ERR_INVALID);
	pack_abort(pack);
	repo_close(repo);
}

// A SHA-1 collision costs a fortune; here the hash is told to see one.
void __real_oid_hash(struct hash *hash, enum object_kind kind, const void *data,
	size_t len, struct oid *ret_oid);
void __wrap_oid_hash(struct hash *hash, enum object_kind kind, const void *data,
	size_t len, struct oid *ret_oid);

void
__wrap_oid_hash(struct hash *hash, enum object_kind kind, const void *data, size_t len,
	struct oid *ret_oid)
{
	bool evil = len == 9 && memcmp(data, "evil twin", 9) == 0;

	__real_oid_hash(hash, kind, evil ? "good twin" : data, len, ret_oid);
}

static void
other_bytes_under_the_same_name_are_never_taken_for_a_copy(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid oid;
	struct err err;

	// In one pack, and against what the repo has.
	ok(pack_begin(repo, &pack, &err));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "good twin", 9, &oid, &err), 1);
	fails(pack_add(pack, OBJECT_BLOB, "evil twin", 9, &oid, &err), ERR_CORRUPT);
	ok(pack_finish(pack, &stats, &err));
	ok(pack_begin(repo, &pack, &err));
	fails(pack_add(pack, OBJECT_BLOB, "evil twin", 9, &oid, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.msg, "collision"));
	pack_abort(pack);
	repo_close(repo);
}

// A damaged copy in the repo must not keep a good one from being written.
static void
a_damaged_object_gets_a_good_copy(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid oid;
	struct err err;
	char hex[OID_HEX_MAX];

	oid_of(OBJECT_BLOB, "mine", 4, &oid);
	(void)oid_hex(&oid, hex);
	assert_int_equal(
		room_git(*state,
			"hash-object -w --stdin < /dev/null > ../id; cd objects; "
			"f=$(sed 's,..,&/,' ../../id); mkdir -p %.2s; mv $f %.2s/%s",
			hex, hex, hex + 2),
		0);
	ok(pack_begin(repo, &pack, &err));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "mine", 4, &oid, &err), 1);
	ok(pack_finish(pack, &stats, &err));
	assert_int_equal(stats.nobjects, 1);
	assert_int_equal(room_git(*state, "cat-file blob %s | grep -qx mine", hex), 0);
	repo_close(repo);
}

enum {
	THREADS = 4,
	EACH = 500,
};

struct worker {
	struct pack *pack;
	unsigned int number;
	int failures;
};

// Every thread adds its own files and the ones all share.
static void *
add_many(void *payload)
{
	struct worker *worker = payload;
	struct err err;

	for (unsigned int i = 0; i < EACH; i++) {
		char text[3000];
		struct oid oid;
		int len = snprintf(text, sizeof(text), "%u of %u%*s", i,
			i % 2 == 0 ? worker->number : 99, (int)(i * 5), "end");

		if (pack_add(worker->pack, OBJECT_BLOB, text, (size_t)len, &oid, &err) <
			0) {
			worker->failures++;
		}
	}
	return NULL;
}

static void
many_threads_fill_one_pack(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ pack, i, 0 };
		assert_int_equal(
			pthread_create(&threads[i], NULL, add_many, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	ok(pack_finish(pack, &stats, &err));
	assert_int_equal(stats.nobjects, THREADS * EACH / 2 + EACH / 2);
	assert_int_equal(
		room_git(*state, "verify-pack objects/pack/%s.idx", stats.name), 0);
	repo_close(repo);
}

// What a kill leaves, at each of its moments, is gone after the next open.
static void
a_killed_packs_remains_are_swept_by_the_next_open(void **state)
{
	struct repo *repo = room_open(*state, false);

	repo_close(repo);
	scratch_write_text(*state, "brain/mirror/new/0123.pack", "half");
	scratch_write_text(*state, "brain/mirror/new/pack-1234.idx", "whole");
	scratch_write_text(*state, "brain/objects/pack/pack-1234.pack", "moved first");
	scratch_write_text(*state, "brain/objects/pack/pack-1234.keep", HOME_KEEP_TEXT);
	scratch_write_text(*state, "brain/objects/pack/pack-5678.keep", "a person's");
	repo = room_open(*state, false);
	assert_int_equal(files_in(*state, "brain/mirror/new"), 0);
	assert_int_equal(files_in(*state, "brain/objects/pack"), 1);
	assert_true(scratch_exists(*state, "brain/objects/pack/pack-5678.keep"));
	repo_close(repo);
}

// A pack past 2 and 4 GiB, as its index sees it: git is asked to read the idx.
static void
offsets_past_4_gib_stand_in_the_third_table(void **state)
{
	struct pack_index index;
	uint8_t trailer[20] = { 7 };
	static const uint64_t offsets[] = { 12, 0x7fffffff, 0x80000000, 0x100000000,
		0x523456789 };
	struct err err;

	pack_index_init(&index);
	for (size_t i = 0; i < countof(offsets); i++) {
		// Names in the opposite order.
		struct oid oid = { { (uint8_t)(200 - i) } };

		pack_index_add(&index, &oid, offsets[i], (uint32_t)i);
	}
	int fd = pack_index_write(
		&index, scratch_path(*state, "big.idx"), trailer, true, &err);
	assert_true(fd >= 0);
	(void)close(fd);
	pack_index_done(&index);
	assert_int_equal(scratch_sh(*state,
				 "git show-index < big.idx | cut -d' ' -f1 | "
				 "tr '\\n' ' ' > offsets"),
		0);
	char *text = scratch_read(*state, "offsets", NULL);
	assert_string_equal(text, "22066587529 4294967296 2147483648 2147483647 12 ");
	free(text);
}

// A name that no other number gives.
static struct oid
name_of(uint32_t number)
{
	struct oid oid;

	oid_of(OBJECT_BLOB, &number, sizeof(number), &oid);
	return oid;
}

static void
a_sealed_index_knows_the_same_names(void **state)
{
	enum {
		COUNT = 5000
	};
	struct pack_index index;
	uint8_t trailer[20] = { 7 };
	uint64_t found;
	struct err err;

	pack_index_init(&index);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct oid oid = name_of(i);

		// The second half is past 4 GiB.
		pack_index_add(&index, &oid,
			i < COUNT / 2 ? 12 + i : UINT64_C(0x123456789) + i, i);
	}
	int fd = pack_index_write(
		&index, scratch_path(*state, "some.idx"), trailer, false, &err);
	assert_true(fd >= 0);
	pack_index_seal(&index, pack_index_filter(&index), fd);
	assert_int_equal(index.nblocks, 0);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct oid oid = name_of(i);
		struct oid none = name_of(COUNT + i);

		assert_int_equal(pack_index_find(&index, &oid, &found, &err), 1);
		assert_int_equal(
			found, i < COUNT / 2 ? 12 + i : UINT64_C(0x123456789) + i);
		assert_int_equal(pack_index_find(&index, &none, &found, &err), 0);
	}
	// Names that begin with the first and the last byte are looked for, too.
	for (uint32_t i = 0; i < 2; i++) {
		struct oid oid = { { i == 0 ? 0 : 255 } };

		assert_int_equal(pack_index_find(&index, &oid, &found, &err), 0);
	}
	// What cannot be read is an error, not "no".
	assert_int_equal(ftruncate(fd, 100), 0);
	struct oid first = name_of(0);
	assert_int_equal(pack_index_find(&index, &first, &found, &err), ERR_IO);
	(void)close(fd);
	pack_index_done(&index);
}

// More than are kept in memory: the first ones are in packs that are complete while the
// rest is added, and still no object stands there twice.
static void
many_objects_go_into_several_packs_and_none_twice(void **state)
{
	enum {
		COUNT = 210000,
		AGAIN = 1000
	};
	struct repo *repo = room_open(*state, false);
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	for (uint32_t i = 0; i < COUNT + AGAIN; i++) {
		uint32_t number = i < COUNT ? i : (i - COUNT) * (COUNT / AGAIN);
		struct oid want = name_of(number);
		struct oid oid;

		assert_true(pack_add(pack, OBJECT_BLOB, &number, sizeof(number), &oid,
				    &err) >= 0);
		assert_true(oid_equal(&oid, &want));
	}
	ok(pack_finish(pack, &stats, &err));
	assert_int_equal(stats.nobjects, COUNT);
	assert_int_equal(files_in(*state, "brain/mirror/new"), 0);
	assert_int_equal(room_git(*state,
				 "count-objects -v | tr '\n' ' ' | "
				 "grep -q 'in-pack: 210000 packs: 2 '"),
		0);
	room_fsck(*state);
	repo_close(repo);
}

// Three objects into one pack; what came of it is checked with nothing failing.
static bool
one_round(const struct scratch *scratch, struct repo *repo, int sys)
{
	size_t before = files_in(scratch, "brain/objects/pack");
	size_t after;
	struct pack *pack = NULL;
	struct pack_stats stats = { 0 };
	struct oid oids[3] = { 0 };
	char text[40];
	struct err err;
	int result = pack_begin(repo, &pack, &err);

	for (unsigned int i = 0; i < countof(oids) && result >= 0; i++) {
		(void)snprintf(text, sizeof(text), "%d %u %u", sys, nth_round(), i);
		result = pack_add(pack, OBJECT_BLOB, text, strlen(text), &oids[i], &err);
	}
	if (result < 0) {
		pack_abort(pack);
	} else {
		result = pack_finish(pack, &stats, &err);
	}
	nth_pause();
	if (result < 0) {
		assert_int_equal(err.code, err_code_of(sys));
		assert_false(repo_has(repo, &oids[0]));
	} else {
		assert_true(repo_has(repo, &oids[countof(oids) - 1]));
	}
	assert_int_equal(files_in(scratch, "brain/mirror/new"), 0);
	repo_close(repo);
	// What git may have seen stays: then only the folder could not be synced.
	after = files_in(scratch, "brain/objects/pack") - before;
	assert_true(after == 3 || (after == 0 && result < 0));
	return result >= 0;
}

static void
a_pack_is_whole_or_absent_whatever_call_fails(void **state)
{
	static const int reasons[] = { ENOSPC, EIO };

	for (size_t i = 0; i < countof(reasons); i++) {
		struct repo *repo = room_open(*state, false);
		unsigned int failures = 0;

		for (nth_begin(reasons[i]); nth_next();) {
			failures += !one_round(*state, repo, reasons[i]);
			repo = room_open(*state, false);
		}
		repo_close(repo);
		room_fsck(*state);
		// At the least: three files made and written, the .keep's rename and two
		// more, a folder synced (the files as well, if not in one journal).
		assert_true(failures >= 10);
	}
}

// Enough for pack_settle() to begin a second file.
enum {
	MUCH = 40 << 20,
	MUCH_PART = 1 << 20
};

// The last part's bytes; the caller frees them.
static char *
add_much(struct pack *pack, struct oid oids[MUCH / MUCH_PART])
{
	char *bytes = xmalloc(MUCH_PART);
	struct err err;

	for (size_t i = 0; i < MUCH / MUCH_PART; i++) {
		ok(hash_random(bytes, MUCH_PART, &err));
		ok(pack_add(pack, OBJECT_BLOB, bytes, MUCH_PART, &oids[i], &err));
	}
	return bytes;
}

static void
much_is_made_safe_while_more_comes(void **state)
{
	AUTO_FREE char *last = NULL;
	struct repo *repo = room_open(*state, false);
	struct oid oids[MUCH / MUCH_PART];
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid late;
	struct oid again;
	uint64_t size;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	last = add_much(pack, oids);
	size = pack_size(pack);
	ok(pack_settle(pack, &err));
	// What was added before is found, compared and not written twice.
	assert_int_equal(pack_add(pack, OBJECT_BLOB, last, MUCH_PART, &again, &err), 0);
	assert_true(oid_equal(&again, &oids[countof(oids) - 1]));
	assert_int_equal(pack_size(pack), size);
	assert_true(pack_secures(pack, &oids[0]));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "late", 4, &late, &err), 1);
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "late", 4, &late, &err), 0);
	ok(pack_settle(pack, &err));
	ok(pack_finish(pack, &stats, &err));
	assert_int_equal(stats.nobjects, countof(oids) + 1);
	// Two packs with their indexes, both held until a ref leads there.
	assert_int_equal(files_in(*state, "brain/objects/pack"), 6);
	assert_int_equal(files_in(*state, "brain/mirror/new"), 0);
	assert_true(repo_has(repo, &oids[countof(oids) - 1]) && repo_has(repo, &late));
	room_fsck(*state);
	assert_int_equal(room_git(*state, "gc --quiet --prune=now"), 0);
	ok(repo_refresh(repo, &err));
	assert_true(repo_has(repo, &oids[0]) && repo_has(repo, &late));
	repo_close(repo);
}

static void
nothing_may_come_after_much(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid oids[MUCH / MUCH_PART];
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	free(add_much(pack, oids));
	ok(pack_settle(pack, &err));
	ok(pack_finish(pack, &stats, &err));
	assert_int_equal(stats.nobjects, countof(oids));
	assert_int_equal(files_in(*state, "brain/objects/pack"), 3);
	ok(pack_begin(repo, &pack, &err));
	free(add_much(pack, oids));
	ok(pack_settle(pack, &err));
	pack_abort(pack);
	assert_int_equal(files_in(*state, "brain/objects/pack"), 3);
	assert_int_equal(files_in(*state, "brain/mirror/new"), 0);
	repo_close(repo);
}

// The first file is damaged on the disk before its thread reads it back.
static void
a_settled_part_that_is_not_what_was_written_is_refused(void **state)
{
	struct repo *repo = room_open(*state, false);
	struct oid oids[MUCH / MUCH_PART];
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid late;
	struct err err;

	ok(pack_begin(repo, &pack, &err));
	free(add_much(pack, oids));
	assert_int_equal(scratch_sh(*state,
				 "chmod u+w brain/mirror/new/*.pack && printf damage | "
				 "dd of=$(echo brain/mirror/new/*.pack) bs=1 "
				 "seek=20000000 conv=notrunc status=none"),
		0);
	ok(pack_settle(pack, &err));
	assert_int_equal(pack_add(pack, OBJECT_BLOB, "late", 4, &late, &err), 1);
	fails(pack_finish(pack, &stats, &err), ERR_CORRUPT);
	assert_int_equal(files_in(*state, "brain/objects/pack"), 0);
	assert_int_equal(files_in(*state, "brain/mirror/new"), 0);
	repo_close(repo);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		room(what_was_added_is_what_git_reads),
		room(only_what_cannot_get_shorter_is_stored_as_it_is),
		room(nothing_added_makes_no_pack),
		room(an_aborted_pack_leaves_nothing),
		room(what_the_repo_has_is_not_written_twice),
		room(what_no_ref_leads_to_yet_is_held_until_one_does),
		room(an_object_of_the_sealed_pack_can_be_read),
		room(other_bytes_under_the_same_name_are_never_taken_for_a_copy),
		room(a_damaged_object_gets_a_good_copy),
		room(many_threads_fill_one_pack),
		room(a_killed_packs_remains_are_swept_by_the_next_open),
		room(a_pack_is_whole_or_absent_whatever_call_fails),
		room(much_is_made_safe_while_more_comes),
		room(nothing_may_come_after_much),
		room(a_settled_part_that_is_not_what_was_written_is_refused),
		room(offsets_past_4_gib_stand_in_the_third_table),
		room(a_sealed_index_knows_the_same_names),
		room(many_objects_go_into_several_packs_and_none_twice),
	};

	return cmocka_run_group_tests_name("brain/pack", tests, NULL, NULL);
}
