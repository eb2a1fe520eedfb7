// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Threads hash, look up and deflate side by side; entries are appended one at a time:
 *
 *     thread 1  hash, look up, deflate --+                   entries
 *     thread 2  hash, look up, deflate --+-- lock: append -> 1 MiB buffer -> file
 *     thread 3  hash, look up, deflate --+
 *
 * What a first cycle brings is large, and completing it (hashing, sorting, reading back)
 * takes as long as making the trees: so pack_settle() begins another file and has a
 * thread complete the one before.  All move in together.  While they are on their way to
 * the disk they are read back.
 *
 *     pack_add ... pack_settle | pack_add ...  pack_seal              pack_finish
 *     [    file 1            ] | [ file 2 ]    complete 2 | read it    move both in
 *                              | complete 1               | sync both
 *
 * (A sync of the first one before that would hold up whoever makes files meanwhile: on
 * ext4 they wait for the journal.)
 *
 * Memory: 32 bytes for each object's name, CRC and place, and a hash table of 32-bit
 * numbers to find it again, no more than three quarters full: about 40 bytes an object.
 * When a file is complete, all that is kept of them is one to two bytes, which say what
 * need not be looked for in its .idx; and after so many objects a file is completed
 * without being asked: so a million files take little more than a hundred thousand.
 */

#include "brain/pack.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/deflate.h"
#include "brain/pack_file.h"
#include "brain/packs.h"
#include "brain/reach.h"
#include "brain/repo.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// So many objects are kept in memory; tests/crash has a program that keeps fewer.
#ifndef PACK_SETTLE_OBJECTS
#define PACK_SETTLE_OBJECTS 200000
#endif

enum {
	// With the last one everything that comes after goes into it.
	FILES_MAX = 64,
	// Less is completed in no time.
	SETTLE_ABOVE = 32 << 20,
	// A buffer that one large file needed is not kept for thousands of small ones.
	DEFLATER_MAX = 4 << 20,
	DEFLATERS_MAX = 64,
	// So much is rather written again than asked about: the answer needs a walk
	// through every tree of the branch.
	AGAIN_MAX = 1 << 20,
	// A tree of so many bytes is asked for, whatever is expected.
	ASKED_ABOVE = 16 << 10,
};

struct pack {
	struct repo *repo;
	pthread_mutex_t lock;
	// The last one is added to.
	struct pack_file files[FILES_MAX];
	size_t nfiles;
	// Completes the one before the last one; syncs them all.
	struct helper {
		pthread_t thread;
		bool running;
		struct err err;
	} settler, syncer;
	// Which file the settler completes, and whether it is done with it.
	struct pack_file *settling;
	bool settled;
	// Nothing more can be added; libgit2 has it open.
	bool sealed;
	// The repository had no object at all when this began.
	bool is_first;
	bool is_change;
	struct deflater *idle;
	size_t nidle;
	size_t nobjects;
	// After a failed write nobody knows what the file holds; and what failed.
	bool broken;
	struct err first;
	// What the branch leads to: listed when it is first asked for.
	pthread_mutex_t reach_lock;
	struct oid head_tree;
	struct reach *reach;
	size_t again;
};

// ---- deflate

static struct deflater *
deflater_get(struct pack *pack)
{
	struct deflater *deflater;

	(void)pthread_mutex_lock(&pack->lock);
	deflater = pack->idle;
	if (deflater != NULL) {
		pack->idle = deflater->next;
		pack->nidle--;
	}
	(void)pthread_mutex_unlock(&pack->lock);
	return deflater != NULL ? deflater : deflater_new();
}

static void
deflater_put(struct pack *pack, struct deflater *deflater)
{
	bool keep;

	if (deflater->out.size > DEFLATER_MAX) {
		buf_done(&deflater->out);
	}
	(void)pthread_mutex_lock(&pack->lock);
	keep = pack->nidle < DEFLATERS_MAX;
	if (keep) {
		deflater->next = pack->idle;
		pack->idle = deflater;
		pack->nidle++;
	}
	(void)pthread_mutex_unlock(&pack->lock);
	if (!keep) {
		deflater_free(deflater);
	}
}

// ---- the file

static int
break_off(struct pack *pack, const struct err *err)
{
	pack->broken = true;
	pack->first = *err;
	return err->code;
}

// ---- adding

// 1, 0, or negative.
static int
is_in(struct pack *pack, const struct oid *oid, struct err *err)
{
	uint64_t offset;
	int found = 0;

	for (size_t i = pack->nfiles; i > 0 && found == 0; i--) {
		found = pack_index_find(&pack->files[i - 1].index, oid, &offset, err);
	}
	return found;
}

// 1 and a copy when this pack has it, 0 when not.
static int
find_entry(struct pack *pack, const struct oid *oid, struct buf *entry, struct err *err)
{
	int result = 0;

	(void)pthread_mutex_lock(&pack->lock);
	for (size_t i = pack->nfiles; i > 0 && result == 0; i--) {
		result = pack_file_find(&pack->files[i - 1], oid, entry, err);
	}
	(void)pthread_mutex_unlock(&pack->lock);
	return result;
}

// Two contents of one name must be one content.
static int
compare(const struct buf *have, const struct oid *oid, const void *data, size_t len,
	struct err *err)
{
	char hex[OID_HEX_MAX];

	if (have->len == len && (len == 0 || memcmp(have->data, data, len) == 0)) {
		return 0;
	}
	return err_raise(err, ERR_CORRUPT,
		"two different contents have the SHA-1 %s: somebody made a collision",
		oid_hex(oid, hex));
}

static int
compare_with_ours(const struct buf *entry, const struct oid *oid, enum object_kind kind,
	const void *data, size_t len, struct err *err)
{
	AUTO(buf_done) struct buf have = { .max = PACK_OBJECT_MAX };

	if (deflate_read(entry, kind, &have, err) < 0) {
		return err_wrap(err, "compare with what this cycle wrote");
	}
	return compare(&have, oid, data, len, err);
}

// 1 the repo has it, byte for byte; 0 it has none that can be read: then a good copy is
// written, which git finds when the damaged one fails it.
static int
compare_with_repo(struct pack *pack, const struct oid *oid, enum object_kind kind,
	const void *data, size_t len, struct err *err)
{
	AUTO(buf_done) struct buf have = { .max = PACK_OBJECT_MAX };
	int result = repo_read(pack->repo, oid, kind, &have, err);

	if (result == ERR_CORRUPT || result == ERR_NOT_FOUND || result == ERR_IO) {
		err_clear(err);
		return 0;
	}
	if (result < 0) {
		return err_wrap(err, "compare with what the repo has");
	}
	return compare(&have, oid, data, len, err) < 0 ? err->code : 1;
}

// With the reach lock held.
static const struct reach *
know_reach(struct pack *pack)
{
	if (pack->reach == NULL) {
		pack->reach = reach_new(pack->repo, &pack->head_tree);
	}
	return pack->reach;
}

// Will it still be there when the ref moves?  The repo has it.
static bool
is_lasting(struct pack *pack, const struct oid *oid, size_t len)
{
	bool lasts;

	(void)pthread_mutex_lock(&pack->reach_lock);
	lasts = repo_holds(pack->repo, oid);
	if (!lasts && (pack->reach != NULL || pack->again + len > AGAIN_MAX)) {
		lasts = reach_has(know_reach(pack), oid);
	}
	pack->again += lasts ? 0 : len;
	(void)pthread_mutex_unlock(&pack->reach_lock);
	return lasts;
}

// ---- completing beside

static void
start_helper(struct helper *helper, void *(*fn)(void *), struct pack *pack)
{
	helper->running = pthread_create(&helper->thread, NULL, fn, pack) == 0;
}

// What it has begun is waited for: 1 and nothing failed, 0 it never ran, or negative.
static int
join_helper(struct helper *helper, struct err *err)
{
	if (!helper->running) {
		return 0;
	}
	helper->running = false;
	(void)pthread_join(helper->thread, NULL);
	if (helper->err.code < 0) {
		*err = helper->err;
		return err->code;
	}
	return 1;
}

static void *
settle(void *payload)
{
	struct pack *pack = payload;
	struct pack_file *file = pack->settling;
	uint8_t *filter = NULL;

	if (pack_file_complete(file, false, &pack->settler.err) == 0) {
		filter = pack_file_filter(file);
	}
	(void)pthread_mutex_lock(&pack->lock);
	if (filter != NULL) {
		pack_file_seal(file, filter);
	}
	pack->settled = true;
	(void)pthread_mutex_unlock(&pack->lock);
	return NULL;
}

// Begin another file, and have the last one completed.  With the lock held; the settler
// is done with the one before.
static int
settle_last(struct pack *pack, struct err *err)
{
	struct pack_file *last = &pack->files[pack->nfiles - 1];

	if (join_helper(&pack->settler, err) < 0 || pack_file_flush(last, err) < 0) {
		return break_off(pack, err);
	}
	pack_file_init(&pack->files[pack->nfiles++], pack->repo);
	pack->settling = last;
	pack->settled = false;
	// Without a thread it is done at the end, where it would have been.
	start_helper(&pack->settler, settle, pack);
	return 0;
}

// ---- appending

// With the lock held: 1 appended, 0 another thread was faster.
static int
append_entry(struct pack *pack, const struct oid *oid, const struct buf *entry,
	uint32_t crc, size_t len, struct err *err)
{
	struct pack_file *file = &pack->files[pack->nfiles - 1];
	int found;

	if (pack->broken) {
		*err = pack->first;
		return err->code;
	}
	found = is_in(pack, oid, err);
	if (found != 0) {
		return MIN_OF(found, 0);
	}
	if (file->index.count >= PACK_COUNT_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %zu objects in one cycle",
			PACK_COUNT_MAX);
	}
	if (pack_file_add(file, oid, entry, crc, len, err) < 0) {
		return file->path != NULL ? break_off(pack, err) : err->code;
	}
	if (file->index.count >= PACK_SETTLE_OBJECTS && pack->nfiles < FILES_MAX &&
		(!pack->settler.running || pack->settled)) {
		return settle_last(pack, err) < 0 ? err->code : 1;
	}
	return 1;
}

// Does the folder hold no more than @most names?
static bool
holds_at_most(const char *path, size_t most)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	if (dir == NULL) {
		return errno == ENOENT;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		count += strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0;
	}
	(void)closedir(dir);
	return count <= most;
}

// Only the two folders that are always there, and nothing in them: no pack, no loose
// object, nothing borrowed.
static bool
has_no_objects(struct repo *repo)
{
	AUTO_FREE char *objects = path_join(repo_git_dir(repo), "objects");
	AUTO_FREE char *packs = path_join(objects, "pack");
	AUTO_FREE char *info = path_join(objects, "info");

	return repo_packs(repo)->count == 0 && holds_at_most(objects, 2) &&
		holds_at_most(packs, 0) && holds_at_most(info, 0);
}

int
pack_begin(struct repo *repo, struct pack **ret_pack, struct err *err)
{
	struct oid tree = { { 0 } };
	struct oid head;
	int found = repo_head(repo, &head, err);

	if (found < 0 || (found > 0 && repo_commit_tree(repo, &head, &tree, err) < 0)) {
		return err_wrap(err, "begin a pack");
	}
	return pack_begin_on(repo, &tree, ret_pack, err);
}

int
pack_begin_on(struct repo *repo, const struct oid *head_tree, struct pack **ret_pack,
	struct err *err)
{
	struct pack *pack;

	if (repo_refresh(repo, err) < 0) {
		return err_wrap(err, "begin a pack");
	}
	pack = xcalloc(1, sizeof(*pack));
	pack->repo = repo;
	pack->head_tree = *head_tree;
	pack->is_first = has_no_objects(repo);
	pack->lock = (pthread_mutex_t)PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
	(void)pthread_mutex_init(&pack->reach_lock, NULL);
	pack_file_init(&pack->files[pack->nfiles++], repo);
	*ret_pack = pack;
	return 0;
}

void
pack_expect_change(struct pack *pack)
{
	pack->is_change = true;
}

static int
add_new(struct pack *pack, struct deflater *deflater, const struct oid *oid,
	enum object_kind kind, const void *data, size_t len, struct err *err)
{
	int result = deflate_entry(deflater, kind, len > 0 ? data : "", len, err);

	if (result == 0) {
		uint32_t crc = deflate_crc(0, deflater->out.data, deflater->out.len);

		(void)pthread_mutex_lock(&pack->lock);
		result = append_entry(pack, oid, &deflater->out, crc, len, err);
		(void)pthread_mutex_unlock(&pack->lock);
	}
	return result;
}

// May the repository have it?
static bool
may_be_there(struct pack *pack, const struct oid *oid, enum object_kind kind, size_t len)
{
	if (pack->is_first ||
		(pack->is_change && kind != OBJECT_BLOB && len <= ASKED_ABOVE)) {
		return false;
	}
	return repo_has(pack->repo, oid);
}

// As pack_add(), with the thread's tools at hand.
static int
add(struct pack *pack, struct deflater *deflater, const struct oid *oid,
	enum object_kind kind, const void *data, size_t len, struct err *err)
{
	AUTO(buf_done) struct buf entry = { .max = DEFLATE_ENTRY_MAX };
	int found = find_entry(pack, oid, &entry, err);

	if (found == 0 && may_be_there(pack, oid, kind, len)) {
		int same = compare_with_repo(pack, oid, kind, data, len, err);

		if (same < 0 || (same > 0 && is_lasting(pack, oid, len))) {
			return MIN_OF(same, 0);
		}
	}
	if (found == 0) {
		int added = add_new(pack, deflater, oid, kind, data, len, err);

		if (added != 0) {
			return added;
		}
		found = find_entry(pack, oid, &entry, err);
	}
	return found < 0 ? found : compare_with_ours(&entry, oid, kind, data, len, err);
}

int
pack_add(struct pack *pack, enum object_kind kind, const void *data, size_t len,
	struct oid *ret_oid, struct err *err)
{
	struct deflater *deflater;
	struct oid oid;
	int result;

	if (len > PACK_OBJECT_MAX) {
		return err_raise(err, ERR_TOO_BIG, "an object of %zu bytes", len);
	}
	deflater = deflater_get(pack);
	oid_hash(deflater->hash, kind, data, len, &oid);
	result = add(pack, deflater, &oid, kind, data, len, err);
	deflater_put(pack, deflater);
	if (result >= 0) {
		*ret_oid = oid;
	}
	return result;
}

uint64_t
pack_size(struct pack *pack)
{
	uint64_t size = 0;

	(void)pthread_mutex_lock(&pack->lock);
	for (size_t i = 0; i < pack->nfiles; i++) {
		size += pack_file_size(&pack->files[i]);
	}
	(void)pthread_mutex_unlock(&pack->lock);
	return size;
}

bool
pack_secures(struct pack *pack, const struct oid *oid)
{
	struct err ignored;
	bool good;

	(void)pthread_mutex_lock(&pack->lock);
	good = is_in(pack, oid, &ignored) > 0;
	(void)pthread_mutex_unlock(&pack->lock);
	if (good) {
		return true;
	}
	(void)pthread_mutex_lock(&pack->reach_lock);
	good = repo_holds(pack->repo, oid) || reach_has(know_reach(pack), oid);
	(void)pthread_mutex_unlock(&pack->reach_lock);
	return good;
}

const struct reach *
pack_reach(struct pack *pack)
{
	const struct reach *reach;

	(void)pthread_mutex_lock(&pack->reach_lock);
	reach = know_reach(pack);
	(void)pthread_mutex_unlock(&pack->reach_lock);
	return reach;
}

int
pack_read(struct pack *pack, const struct oid *oid, enum object_kind kind,
	struct buf *buf, struct err *err)
{
	int found = 0;

	// Trees, which are what is read back, come into the last one as a rule.
	for (size_t i = pack->sealed ? pack->nfiles : 0; i > 0 && found == 0; i--) {
		struct pack_file *file = &pack->files[i - 1];

		(void)pthread_mutex_lock(&pack->lock);
		found = pack_file_reopen(file, err);
		(void)pthread_mutex_unlock(&pack->lock);
		if (found == 0 && file->probe != NULL) {
			found = repo_probe_read(file->probe, oid, kind, buf, err);
		}
	}
	return found;
}

// ---- finishing

static int
sync_files(const struct pack *pack, struct err *err)
{
	for (size_t i = 0; i < pack->nfiles; i++) {
		const struct pack_file *file = &pack->files[i];

		if (file->path != NULL && pack_file_sync(file, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static void *
sync_beside(void *payload)
{
	struct pack *pack = payload;

	(void)!sync_files(pack, &pack->syncer.err);
	return NULL;
}

int
pack_settle(struct pack *pack, struct err *err)
{
	if (pack->broken || pack->nfiles == FILES_MAX ||
		pack_file_size(&pack->files[pack->nfiles - 1]) < SETTLE_ABOVE) {
		return 0;
	}
	// Nobody adds anything meanwhile.
	if (join_helper(&pack->settler, err) < 0) {
		return break_off(pack, err);
	}
	(void)pthread_mutex_lock(&pack->lock);
	(void)!settle_last(pack, err);
	(void)pthread_mutex_unlock(&pack->lock);
	return pack->broken ? err->code : 0;
}

// All is written, and on its way to the disk.
static int
complete(struct pack *pack, struct err *err)
{
	struct pack_file *last = &pack->files[pack->nfiles - 1];

	if ((last->index.count > 0 && pack_file_complete(last, true, err) < 0) ||
		join_helper(&pack->settler, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i + 1 < pack->nfiles; i++) {
		struct pack_file *file = &pack->files[i];

		if (!file->complete && pack_file_complete(file, false, err) < 0) {
			return err->code;
		}
	}
	// In one journal they are on their way by themselves.
	if (pack->nobjects > 0 && !repo_in_one_journal(pack->repo)) {
		start_helper(&pack->syncer, sync_beside, pack);
	}
	return 0;
}

int
pack_seal(struct pack *pack, struct err *err)
{
	if (pack->broken) {
		*err = pack->first;
		return err->code;
	}
	for (size_t i = 0; i < pack->nfiles; i++) {
		pack->nobjects += pack->files[i].index.count;
	}
	pack->sealed = true;
	if (complete(pack, err) < 0) {
		return break_off(pack, err);
	}
	for (size_t i = 0; i < pack->nfiles; i++) {
		struct pack_file *file = &pack->files[i];

		if (file->path != NULL && pack_file_probe(file, err) < 0) {
			return break_off(pack, err);
		}
		// One at a time: libgit2 maps their indexes.
		if (i + 1 < pack->nfiles) {
			pack_file_let_go(file);
		}
	}
	return 0;
}

// Libgit2 has the files under their old names; what it maps is not mapped twice.
static int
move_in(struct pack *pack, struct err *err)
{
	for (size_t i = 0; i < pack->nfiles; i++) {
		pack_file_let_go(&pack->files[i]);
	}
	for (size_t i = 0; i < pack->nfiles; i++) {
		if (pack->files[i].path != NULL &&
			pack_file_move_in(&pack->files[i], err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// All files are whole before the first one moves.
static int
install(struct pack *pack, struct pack_stats *stats, struct err *err)
{
	int joined;

	if (pack->broken) {
		*err = pack->first;
		return err->code;
	}
	if (!pack->sealed && pack_seal(pack, err) < 0) {
		return err->code;
	}
	joined = join_helper(&pack->syncer, err);
	for (size_t i = 0; i < pack->nfiles; i++) {
		const struct pack_file *file = &pack->files[i];

		if (file->path != NULL) {
			memcpy(stats->name, file->name, sizeof(stats->name));
			stats->bytes += pack_file_size(file) + HASH_SHA1_LEN;
		}
	}
	stats->nobjects = pack->nobjects;
	if (joined < 0 || stats->nobjects == 0) {
		return MIN_OF(joined, 0);
	}
	if (joined == 0 && sync_files(pack, err) < 0) {
		return err->code;
	}
	if (move_in(pack, err) < 0) {
		return err->code;
	}
	repo_owe_sync(pack->repo);
	return 0;
}

static int
finish(struct pack *pack, bool sync, struct pack_stats *ret_stats, struct err *err)
{
	struct repo *repo = pack->repo;
	struct pack_stats stats = { 0 };
	int result = install(pack, &stats, err);

	pack_abort(pack);
	if (result == 0 && sync) {
		result = repo_sync_packs(repo, err);
	}
	if (result == 0 && stats.nobjects > 0) {
		result = repo_refresh(repo, err);
	}
	if (result < 0) {
		return err_wrap(err, "finish the pack");
	}
	*ret_stats = stats;
	return 0;
}

int
pack_finish(struct pack *pack, struct pack_stats *ret_stats, struct err *err)
{
	return finish(pack, true, ret_stats, err);
}

int
pack_finish_for_ref(struct pack *pack, struct pack_stats *ret_stats, struct err *err)
{
	return finish(pack, false, ret_stats, err);
}

void
pack_abort(struct pack *pack)
{
	struct err ignored;

	if (pack == NULL) {
		return;
	}
	(void)!join_helper(&pack->settler, &ignored);
	(void)!join_helper(&pack->syncer, &ignored);
	for (size_t i = 0; i < pack->nfiles; i++) {
		pack_file_done(&pack->files[i]);
	}
	for (struct deflater *next; pack->idle != NULL; pack->idle = next) {
		next = pack->idle->next;
		deflater_free(pack->idle);
	}
	(void)pthread_mutex_destroy(&pack->lock);
	(void)pthread_mutex_destroy(&pack->reach_lock);
	reach_free(pack->reach);
	free(pack);
}

void
pack_abortp(struct pack **pack)
{
	pack_abort(*pack);
	*pack = NULL;
}
