// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/intake.h"

#include "agent/kit.h"
#include "agent/round.h"
#include "agent/shown.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/pack.h"
#include "brain/plain.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "brain/tree.h"
#include "brain/worktree.h"
#include "config/config.h"
#include "ledger/sqlite_probe.h"
#include "ledger/stable.h"
#include "ledger/walk.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A mark can be longer than the secret it replaces.
enum {
	GROWTH = 8
};

// The shown path of this entry, owned by the caller.
static char *
shown_path(const struct intake *intake)
{
	return path_join(intake->folder->path, intake->shown);
}

// The last clean version stays where it was: only state and reason change.
static void
keep_old(struct intake *intake, enum ledger_state state, enum ledger_kind kind,
	const char *detail)
{
	intake->row.state = state;
	ledger_reason(intake->reason, kind, detail);
	if (intake->had_row) {
		intake->row.oid = intake->old.oid;
		intake->row.sealed = intake->old.sealed;
		intake->row.spans = intake->old.spans;
		intake->row.attributes = intake->old.attributes;
		intake->row.attributes_len = intake->old.attributes_len;
		intake->row.flags = (intake->row.flags & ~(uint32_t)LEDGER_ROW_SIDECAR) |
			(intake->old.flags & LEDGER_ROW_SIDECAR);
	}
}

static void
broken(struct intake *intake)
{
	intake->outcome = INTAKE_BROKEN;
}

// The distinct rules of a redaction, "aws-access-key,jwt".
static void
name_rule(struct intake *intake, const char *rule)
{
	size_t len = strlen(intake->reason);
	size_t rule_len = strlen(rule);

	for (const char *at = intake->reason; *at != '\0'; at += *at == ',') {
		size_t part = strcspn(at, ",");

		if (part == rule_len && memcmp(at, rule, part) == 0) {
			return;
		}
		at += part;
	}
	if (len + rule_len + 2 < sizeof(intake->reason)) {
		(void)snprintf(intake->reason + len, sizeof(intake->reason) - len, "%s%s",
			len > 0 ? "," : "", rule);
	}
}

static void
name_rules(struct intake *intake, const struct redaction *clean)
{
	for (size_t i = 0; i < clean->nspans; i++) {
		name_rule(intake, clean->spans[i].rule);
	}
}

// The browsable copy holds these very bytes already.
static bool
is_in_copy(const struct intake *intake)
{
	const struct ledger_row *old = &intake->old;
	const struct ledger_row *row = &intake->row;

	// Without a commit, what the copy held was taken out of it.
	return !oid_is_zero(&intake->round->head) && intake->had_row && old->oid.set &&
		old->type == row->type &&
		memcmp(old->oid.bytes, row->oid.bytes, LEDGER_OID_LEN) == 0 &&
		((old->flags ^ row->flags) & LEDGER_ROW_SIDECAR) == 0 &&
		((old->inode.mode ^ row->inode.mode) & 0100) == 0;
}

// Make @data this entry's object, and put it into the browsable copy.
static int
keep_bytes(struct intake *intake, uint32_t mode, const void *data, size_t len)
{
	struct round *round = intake->round;
	AUTO_FREE char *path = shown_path(intake);
	char place[SIDECAR_PATH_MAX];
	struct oid oid;
	bool plain = plain_path(path, mode == TREE_LINK ? PLAIN_LINK : PLAIN_FILE);

	if (pack_add(round->pack, OBJECT_BLOB, data, len, &oid, &intake->err) < 0) {
		return err_wrap(&intake->err, "store %s", path);
	}
	intake->row.oid.set = true;
	memcpy(intake->row.oid.bytes, oid.id, sizeof(oid.id));
	if (!plain) {
		intake->row.flags |= LEDGER_ROW_SIDECAR;
		sidecar_file_path(path, place);
		mode = TREE_FILE;
	}
	if (round->worktree == NULL || is_in_copy(intake)) {
		return 0;
	}
	if (worktree_put(round->worktree, plain ? path : place, mode, data, len,
		    &intake->err) < 0) {
		return err_wrap(&intake->err, "write the copy of %s", path);
	}
	return 0;
}

// The name holds a secret and the content none: the rule is that of the name.
static int
name_rules_of_name(struct intake *intake, struct err *err)
{
	AUTO(redaction_done)
	struct redaction clean = { .out = { .max = LEDGER_NAME_MAX } };
	struct scan_input input = {
		.data = intake->name, .len = strlen(intake->name), .is_name = true
	};

	if (redact_bytes(intake->round->kit->scanner, &input, &clean, err) < 0) {
		return err_wrap(err, "scan a name");
	}
	name_rules(intake, &clean);
	return 0;
}

static bool
is_renamed(const struct intake *intake)
{
	return (intake->row.flags & LEDGER_ROW_RENAMED) != 0;
}

// What was cut out goes to its sealed place; 1 sealed, 0 there is nothing to seal.
static int
seal(struct intake *intake, const char *path, const struct redaction *clean,
	const char *data, size_t len, struct err *err)
{
	AUTO_FREE struct original_span *spans = xcalloc(clean->nspans, sizeof(*spans));
	struct original original = {
		.name = is_renamed(intake) ? intake->name : NULL,
		.has_content = clean->nspans > 0,
		.size = len,
		.whole = clean->outcome == REDACT_CANNOT ? data : NULL,
		.spans = spans,
		.attributes = intake->traits.cut,
		.nattributes = intake->traits.ncut,
	};

	if (!intake->round->sealing->on ||
		(original.name == NULL && !original.has_content &&
			original.nattributes == 0)) {
		return 0;
	}
	for (size_t i = 0; original.whole == NULL && i < clean->nspans; i++) {
		const struct redact_span *from = &clean->spans[i];

		spans[original.nspans++] = (struct original_span){
			.at = from->out_start,
			.len = from->out_end - from->out_start,
			.data = data + from->start,
			.data_len = from->end - from->start,
		};
	}
	hash_sha256(data, len, original.sha256);
	if (sealing_seal(intake->round, path, &original, &intake->old.sealed,
		    &intake->sealed, err) < 0) {
		return err->code;
	}
	intake->row.sealed = intake->sealed.place;
	return 1;
}

// In the place of bytes that cannot be cut, and are sealed whole: one mark.
static int
stand_in(struct redaction *clean, bool is_link, struct err *err)
{
	const struct redact_span *first = &clean->spans[0];
	char mark[REDACT_MARK_MAX];

	redact_mark(first->rule, first->fingerprint, mark);
	return buf_add_fmt(&clean->out, err, "%s%s", mark, is_link ? "" : "\n");
}

static void
hold(struct intake *intake, enum ledger_kind why)
{
	if (intake->err.code == ERR_NO_MEMORY) {
		broken(intake);
		return;
	}
	keep_old(intake, LEDGER_PENDING, why, NULL);
}

// Its bytes are kept whatever became of its attributes; that those are not is told.
static void
keep_traits(struct intake *intake)
{
	const struct traits *traits = &intake->traits;

	intake->row.attributes = traits->clean.data;
	intake->row.attributes_len = traits->clean.len;
	if (traits->sys != 0) {
		intake->row.state = LEDGER_FAILED;
		ledger_reason_errno(intake->reason, traits->sys);
	}
}

// Scanned, cut and sealed: make it an object.
static void
keep_clean(struct intake *intake, uint32_t mode, struct redaction *clean,
	const void *data, size_t len, bool is_sealed)
{
	struct err *err = &intake->err;

	if (clean->outcome == REDACT_CANNOT &&
		stand_in(clean, mode == TREE_LINK, err) < 0) {
		broken(intake);
		return;
	}
	if (clean->nspans > 0) {
		data = buf_text(&clean->out);
		len = clean->out.len;
		name_rules(intake, clean);
	} else if (is_sealed && is_renamed(intake) &&
		name_rules_of_name(intake, err) < 0) {
		hold(intake, LEDGER_KIND_HELD_SCAN_ERROR);
		return;
	}
	for (size_t i = 0; i < intake->traits.nrules; i++) {
		name_rule(intake, intake->traits.rules[i]);
	}
	intake->row.state = is_sealed   ? LEDGER_SEALED
		: intake->row.spans > 0 ? LEDGER_REDACTED
					: LEDGER_MIRRORED;
	if (keep_bytes(intake, mode, data, len) < 0) {
		broken(intake);
		return;
	}
	keep_traits(intake);
}

// Scan, cut, seal, keep.
static void
take_bytes(
	struct intake *intake, uint32_t mode, const void *data, size_t len, bool is_name)
{
	struct round *round = intake->round;
	AUTO_FREE char *path = shown_path(intake);
	AUTO(redaction_done)
	struct redaction clean = { .out = { .max = len * GROWTH + 64 * 1024 } };
	struct scan_input input = {
		.data = data, .len = len, .path = path, .is_name = is_name
	};

	int sealed;

	if (redact_bytes(round->kit->scanner, &input, &clean, &intake->err) < 0 ||
		traits_clean(round->kit->scanner, path, &intake->traits, &intake->err) <
			0) {
		hold(intake, LEDGER_KIND_HELD_SCAN_ERROR);
		return;
	}
	intake->row.rules = round->rules;
	intake->row.spans = (uint32_t)clean.nspans + intake->traits.spans;
	if ((clean.outcome == REDACT_CANNOT && !round->sealing->on) ||
		(intake->row.spans > 0 &&
			round->kit->config->secrets.action == CONFIG_HOLD)) {
		keep_old(intake, LEDGER_PENDING, LEDGER_KIND_HELD_SECRET, NULL);
		return;
	}
	sealed = seal(intake, path, &clean, data, len, &intake->err);
	if (sealed < 0 && !sealing_can_wait(&intake->err)) {
		broken(intake);
		return;
	}
	if (sealed < 0) {
		intake->unsealed = intake->err;
		keep_old(intake, LEDGER_PENDING, LEDGER_KIND_HELD_SECRET, NULL);
		return;
	}
	keep_clean(intake, mode, &clean, data, len, sealed > 0);
}

// Is there a database of this name beside it?
static bool
is_database_beside(const struct intake *intake, const char *name)
{
	char head[SQLITE_PROBE_LEN];
	struct err ignored;
	int64_t got = stable_peek(intake->folder->fd, name, head, sizeof(head), &ignored);

	return got > 0 && sqlite_probe_is_database(head, (size_t)got);
}

// "x.db" when this is its write-ahead log, index or journal, else NULL.
static char *
owner_of(const struct intake *intake, const void *head, size_t head_len)
{
	size_t name_len = strlen(intake->name);
	size_t owner_len = sqlite_probe_owner(intake->name, name_len);
	AUTO_FREE char *owner = owner_len > 0 ? xmemdup0(intake->name, owner_len) : NULL;

	if (owner == NULL || intake->cover.plain ||
		!sqlite_probe_is_companion(intake->name, name_len, head, head_len) ||
		!is_database_beside(intake, owner)) {
		return NULL;
	}
	return STEAL(owner);
}

// The time of the last write to the database or to a journal of it.
static int64_t
newest_write_ms(const struct intake *intake)
{
	static const char *const suffixes[] = { "-wal", "-journal" };
	int64_t newest_ns =
		MAX_OF(intake->row.inode.mtime_ns, intake->row.inode.ctime_ns);

	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_FREE char *name = xasprintf("%s%s", intake->name, suffixes[i]);
		struct inode inode;
		struct err ignored;

		// An empty log holds nothing; its times are its reader's.
		if (walk_stat(intake->folder->fd, name, &inode, &ignored) == 0 &&
			inode.size > 0) {
			newest_ns = MAX_OF(newest_ns, inode.mtime_ns);
		}
	}
	return newest_ns / 1000000;
}

// The snapshot's bytes become this file's place in the tree, unless git_max was lowered
// below them since.  1, or 0 when they are gone: no ref led to them yet, and somebody's
// git gc had the pack.
static int
keep_snapshot(struct intake *intake)
{
	const struct config *config = intake->round->kit->config;
	AUTO(buf_done) struct buf bytes = { .max = (size_t)config->sqlite.git_max + 1 };

	if (oid_is_zero(&intake->cover.blob)) {
		return 1;
	}
	if (repo_read(intake->round->kit->repo, &intake->cover.blob, OBJECT_BLOB, &bytes,
		    &intake->err) < 0) {
		if (intake->err.code == ERR_TOO_BIG) {
			err_clear(&intake->err);
			return 1;
		}
		return intake->err.code == ERR_NOT_FOUND
			? 0
			: err_wrap(&intake->err, "read a snapshot");
	}
	return keep_bytes(intake, TREE_FILE, buf_text(&bytes), bytes.len) < 0
		? intake->err.code
		: 1;
}

static void
take_database(struct intake *intake)
{
	const struct config *config = intake->round->kit->config;
	enum databases_verdict verdict = databases_judge(&intake->cover,
		newest_write_ms(intake), config->sqlite.every_ms, clock_now_ms());
	int kept;

	intake->row.flags |= LEDGER_ROW_DATABASE;
	intake->row.rules = intake->round->rules;
	if (intake->cover.known && intake->cover.damaged &&
		intake->row.inode.ctime_ns / 1000000 < intake->cover.started_ms) {
		keep_old(intake, LEDGER_FAILED, LEDGER_KIND_NONE, NULL);
		ledger_reason_errno(intake->reason, EUCLEAN);
		return;
	}
	if (verdict == DATABASES_DUE || verdict == DATABASES_LATE) {
		keep_old(intake, LEDGER_PENDING, LEDGER_KIND_CHANGED, NULL);
		return;
	}
	intake->row.state = LEDGER_SNAPSHOTTED;
	if (verdict == DATABASES_RECENT) {
		// It has changed since; the next look may find that a snapshot is due.
		intake->row.flags |= LEDGER_ROW_RACY;
	}
	kept = keep_snapshot(intake);
	if (kept < 0) {
		broken(intake);
	} else if (kept == 0) {
		err_clear(&intake->err);
		keep_old(intake, LEDGER_PENDING, LEDGER_KIND_CHANGED, NULL);
	}
}

// A live database and what belongs to it are never copied raw.
static bool
take_as_database(struct intake *intake, const void *head, size_t len)
{
	AUTO_FREE char *owner = NULL;

	if (sqlite_probe_is_database(head, len) &&
		!(intake->cover.plain &&
			intake->row.inode.ctime_ns / 1000000 <
				intake->cover.started_ms)) {
		take_database(intake);
		return true;
	}
	owner = owner_of(intake, head, len);
	if (owner == NULL) {
		return false;
	}
	keep_old(intake, intake->cover.known ? LEDGER_SNAPSHOTTED : LEDGER_PENDING,
		LEDGER_KIND_PART_OF, owner);
	memset(&intake->row.oid, 0, sizeof(intake->row.oid));
	memset(&intake->row.sealed, 0, sizeof(intake->row.sealed));
	intake->row.rules = intake->round->rules;
	return true;
}

static void
read_failed(struct intake *intake)
{
	switch (intake->err.code) {
	case ERR_NOT_FOUND:
	case ERR_INVALID:
		intake->outcome = INTAKE_GONE;
		return;
	case ERR_UNSTABLE:
		keep_old(intake, LEDGER_PENDING, LEDGER_KIND_UNSTABLE, NULL);
		return;
	case ERR_TOO_BIG:
		// It grew between the listing and the reading.
		keep_old(intake, LEDGER_EXCLUDED, LEDGER_KIND_TOO_LARGE, NULL);
		return;
	case ERR_NO_MEMORY:
		broken(intake);
		return;
	default:
		keep_old(intake, LEDGER_FAILED, LEDGER_KIND_NONE, NULL);
		ledger_reason_errno(intake->reason, intake->err.sys);
	}
}

static bool
leave_database(const void *head, size_t len, void *payload)
{
	return take_as_database(payload, head, len);
}

static int
read_traits(int fd, void *payload, struct err *err)
{
	struct intake *intake = payload;

	return traits_read(fd, &intake->traits, err);
}

static void
take_file(struct intake *intake)
{
	const struct config *config = intake->round->kit->config;
	AUTO(buf_done) struct buf text = { .max = (size_t)config->files.max_size };
	struct stable_facts facts;
	int result;

	// Databases are known by their head alone: whatever their size, their bytes stay
	// there.
	static_assert((int)STABLE_HEAD_LEN >= (int)SQLITE_PROBE_LEN, "it is enough");
	result = stable_read_unless(intake->folder->fd, intake->name, STABLE_BUDGET_MS,
		leave_database, config->files.xattrs ? read_traits : NULL, intake, &text,
		&facts, &intake->err);
	if (result > 0) {
		return;
	}
	if (result < 0 && intake->row.inode.size > config->files.max_size) {
		keep_old(intake, LEDGER_EXCLUDED, LEDGER_KIND_TOO_LARGE, NULL);
		return;
	}
	if (result < 0) {
		read_failed(intake);
		return;
	}
	intake->row.inode = facts.inode;
	if (facts.racy) {
		intake->row.flags |= LEDGER_ROW_RACY;
	}
	take_bytes(intake, (facts.inode.mode & 0100) != 0 ? TREE_PROGRAM : TREE_FILE,
		buf_text(&text), text.len, false);
}

static void
take_link(struct intake *intake)
{
	AUTO(buf_done) struct buf target = { .max = WALK_LINK_MAX };

	if (walk_read_link(intake->folder->fd, intake->name, &target, &intake->err) < 0) {
		read_failed(intake);
		return;
	}
	take_bytes(intake, TREE_LINK, buf_text(&target), target.len, true);
}

// A log of 200 MB that gets a line every half minute: stored again each time it would
// fill the disk faster than any repack empties it.  The version that is there stays, and
// the row says what is kept and that it waits.  Only a clock knows: by its time the
// stored version was just written.
static bool
is_put_off(struct intake *intake)
{
	const struct cycle_plan *plan = intake->round->plan;
	const struct ledger_row *old = &intake->old;
	int64_t now_ms = clock_now_ms();
	int64_t stored_ms = old->inode.mtime_ns / 1000000;
	int64_t due_ms = stored_ms + stable_patience_ms(intake->row.inode.size);

	if (plan->put_off == NULL || plan->full || plan->rehash || !intake->had_row ||
		!old->oid.set || old->type != LEDGER_TYPE_FILE ||
		(old->flags & LEDGER_ROW_DATABASE) != 0 ||
		old->rules != intake->round->rules ||
		(!ledger_is_protected(old->state) &&
			ledger_kind_of(old->state, old->reason) != LEDGER_KIND_CHANGED) ||
		stored_ms > now_ms || due_ms <= now_ms ||
		intake->row.inode.size > intake->round->kit->config->files.max_size) {
		return false;
	}
	keep_old(intake, LEDGER_PENDING, LEDGER_KIND_CHANGED, NULL);
	intake->row.inode = old->inode;
	intake->row.rules = old->rules;
	intake->row.flags = old->flags;
	intake->due_ms = due_ms;
	return true;
}

bool
intake_is_underway(const char *name, int64_t ctime_ns, int64_t now_ms)
{
	int64_t age_ms = now_ms - ctime_ns / 1000000;

	return strncmp(name, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0 &&
		age_ms < INTAKE_UNDERWAY_MS && age_ms > -INTAKE_UNDERWAY_MS;
}

static void
run(struct crew_task *task)
{
	struct intake *intake = (struct intake *)(void *)task;

	intake->outcome = INTAKE_ROW;
	intake->row.reason = intake->reason;
	if (intake_is_underway(
		    intake->name, intake->row.inode.ctime_ns, clock_now_ms())) {
		keep_old(intake, LEDGER_PENDING, LEDGER_KIND_UNSTABLE, NULL);
	} else if (S_ISLNK(intake->row.inode.mode)) {
		take_link(intake);
	} else if (!is_put_off(intake)) {
		take_file(intake);
	}
}

struct intake *
intake_new(struct round *round, struct intake_folder *folder, const char *name,
	const char *shown, const struct inode *inode, const struct ledger_row *old)
{
	struct intake *intake = xcalloc(1, sizeof(*intake));

	intake->task.run = run;
	intake->round = round;
	intake->folder = folder;
	folder->users++;
	intake->name = xstrdup(name);
	intake->shown = xstrdup(shown);
	intake->had_row = old != NULL;
	if (old != NULL) {
		intake->old = *old;
		intake->old_reason = xstrdup(old->reason);
		intake->old.reason = intake->old_reason;
		intake->old.name = intake->shown;
		intake->old.attributes = old->attributes_len == 0
			? NULL
			: xmemdup0(old->attributes, old->attributes_len);
	}
	intake->traits = (struct traits)TRAITS;
	intake->row = (struct ledger_row){
		.name = intake->shown,
		.name_len = strlen(intake->shown),
		.type = S_ISLNK(inode->mode) ? LEDGER_TYPE_SYMLINK : LEDGER_TYPE_FILE,
		.inode = *inode,
		.flags = (strcmp(name, shown) != 0 ? LEDGER_ROW_RENAMED : 0) |
			(round->kit->config->files.xattrs ? LEDGER_ROW_ATTRIBUTES : 0),
	};
	return intake;
}

void
intake_free(struct intake *intake)
{
	intake_folder_drop(intake->folder);
	free(intake->name);
	free(intake->shown);
	free(intake->old_reason);
	free((void *)(uintptr_t)intake->old.attributes);
	traits_done(&intake->traits);
	free(intake);
}

struct intake_folder *
intake_folder_new(int fd, int64_t id, const char *path, uint32_t depth)
{
	struct intake_folder *folder = xcalloc(1, sizeof(*folder));

	folder->fd = fd;
	folder->id = id;
	folder->path = xstrdup(path);
	folder->depth = depth;
	folder->users = 1;
	return folder;
}

void
intake_folder_drop(struct intake_folder *folder)
{
	if (--folder->users == 0) {
		(void)close(folder->fd);
		free(folder->path);
		free(folder);
	}
}

int
intake_show_name(struct round *round, const char *name, char **ret_shown, struct err *err)
{
	return shown_name(round->kit->scanner, name, ret_shown, err);
}
