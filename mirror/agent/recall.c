// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/recall.h"

#include "agent/gone.h"
#include "agent/kit.h"
#include "agent/round.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "brain/sidecar.h"
#include "ledger/ledger.h"
#include "ledger/shrink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** A folder as the commit has it, and the ledger. */
struct recall {
	struct round *round;
	/** Put what is missing into the ledger, or only count it. */
	bool seed;
	int64_t files;
	int64_t lost;
};

static int64_t
nanoseconds(int64_t s, uint32_t ns)
{
	return s * INT64_C(1000000000) + ns;
}

/** ".mirror/sealed/4c/..." to its 20 bytes. */
static void
set_sealed(struct ledger_oid *sealed, const char *place)
{
	char hex[OID_HEX_MAX];
	struct oid oid;
	const char *name = place + strlen(SIDECAR_SEALED "/");

	if (strlen(place) != strlen(SIDECAR_SEALED "/") + OID_HEX_MAX) {
		return;
	}
	memcpy(hex, name, 2);
	memcpy(hex + 2, name + 3, OID_HEX_MAX - 2);
	if (oid_parse(hex, &oid)) {
		sealed->set = true;
		memcpy(sealed->bytes, oid.id, sizeof(sealed->bytes));
	}
}

/** The row that stood for @entry; what the commit has no bytes of (a database) is none.
 */
static int
seed_row(struct round *round, int64_t folder, const char *path,
	const struct sidecar_entry *entry, struct err *err)
{
	AUTO_FREE char *whole = xasprintf("%s/%s", path, entry->name);
	struct oid oid;
	uint32_t mode;
	bool link = entry->kind == SIDECAR_LINK;
	int found = repo_tree_at(round->kit->repo, &round->head_tree,
		entry->at != NULL ? entry->at : whole, &mode, &oid, err);
	struct ledger_row row = {
		.name = entry->name,
		.name_len = strlen(entry->name),
		.type = link ? LEDGER_TYPE_SYMLINK : LEDGER_TYPE_FILE,
		.state = entry->redacted > 0 ? LEDGER_REDACTED : LEDGER_MIRRORED,
		.inode = { .mode = (link ? S_IFLNK : S_IFREG) | entry->mode,
			.size = (int64_t)entry->size,
			.mtime_ns = nanoseconds(entry->mtime_s, entry->mtime_ns),
			.nlink = 1,
			.uid = entry->uid,
			.gid = entry->gid },
		.oid = { .set = true },
		.spans = entry->redacted,
		.flags = entry->at != NULL ? LEDGER_ROW_SIDECAR : 0,
	};

	if (found <= 0) {
		return found;
	}
	memcpy(row.oid.bytes, oid.id, sizeof(row.oid.bytes));
	if (entry->sealed != NULL) {
		set_sealed(&row.sealed, entry->sealed);
	}
	return ledger_row_put(round->kit->ledger, folder, &row, err) < 0 ? err->code : 1;
}

static int64_t
seed_folder(struct round *round, int64_t parent, const char *name, const char *path,
	uint32_t depth, const struct sidecar_folder *text, struct err *err)
{
	struct ledger_folder folder = {
		.parent = parent,
		.name = name,
		.name_len = strlen(name),
		.inode = { .mode = S_IFDIR | text->mode,
			.mtime_ns = nanoseconds(text->mtime_s, text->mtime_ns),
			.nlink = 2,
			.uid = text->uid,
			.gid = text->gid },
	};

	if (ledger_folder_put(round->kit->ledger, &folder, err) < 0) {
		return err->code;
	}
	round_mark(round, folder.id, path, depth, ROUND_TREE | ROUND_SIDECAR);
	return folder.id;
}

static int64_t recall_folder(struct recall *recall, int64_t parent, int64_t id,
	const char *name, const char *path, uint32_t depth, struct err *err);

/** What the ledger has of a folder; nothing when the disk does not have it. */
struct known {
	struct ledger_rows rows;
	struct ledger_folders subs;
};

static void
known_done(struct known *known)
{
	ledger_rows_done(&known->rows);
	ledger_folders_done(&known->subs);
}

/** A folder below; noted as a whole when the disk has no more than the one above. */
static int
recall_subfolder(struct recall *recall, int64_t known, int64_t id, bool above,
	const char *path, uint32_t depth, const char *name, struct err *err)
{
	AUTO_FREE char *whole = xasprintf("%s/%s", path, name);
	int64_t sub = recall_folder(recall, id, known, name, whole, depth + 1, err);

	if (recall->seed && known == 0 && above && sub > 0) {
		gone_note(recall->round, id, path, depth, name, sub);
	}
	return sub < 0 ? err->code : 0;
}

/** @above: is the folder itself on the disk?  Then what it lacks is noted by itself. */
static int
recall_entry(struct recall *recall, const struct known *known, int64_t id, bool above,
	const char *path, uint32_t depth, const struct sidecar_entry *entry,
	struct err *err)
{
	size_t len = strlen(entry->name);
	const struct ledger_folder *sub =
		ledger_folders_find(&known->subs, entry->name, len);
	int seeded;

	// Excluded or unreadable as a whole, or something else now.
	if (ledger_rows_find(&known->rows, entry->name, len) != NULL) {
		recall->files += entry->kind != SIDECAR_FOLDER;
		return 0;
	}
	if (entry->kind == SIDECAR_FOLDER) {
		return recall_subfolder(recall, sub != NULL ? sub->id : 0, id, above,
			path, depth, entry->name, err);
	}
	recall->files++;
	recall->lost += sub == NULL;
	if (sub != NULL || !recall->seed) {
		return 0;
	}
	seeded = seed_row(recall->round, id, path, entry, err);
	if (seeded > 0 && above) {
		gone_note(recall->round, id, path, depth, entry->name, 0);
	}
	return MIN_OF(seeded, 0);
}

// @id is 0 for a folder that only the commit has.  Returns the folder's id, or 0 when it
// is in neither.
static int64_t
recall_folder(struct recall *recall, int64_t parent, int64_t id, const char *name,
	const char *path, uint32_t depth, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = SIDECAR_TEXT_MAX };
	AUTO(sidecar_done) struct sidecar_folder folder = { 0 };
	AUTO(known_done) struct known known = { 0 };
	struct ledger *ledger = recall->round->kit->ledger;
	bool above = id != 0;
	int found = gone_sidecar(recall->round, path, &text, &folder, err);

	if (found <= 0) {
		return found;
	}
	if (above &&
		(ledger_rows_load(ledger, id, &known.rows, err) < 0 ||
			ledger_subfolders(ledger, id, &known.subs, err) < 0)) {
		return err->code;
	}
	if (!above && recall->seed) {
		id = seed_folder(recall->round, parent, name, path, depth, &folder, err);
		if (id < 0) {
			return err->code;
		}
	}
	for (size_t i = 0; i < folder.nentries; i++) {
		if (recall_entry(recall, &known, id, above, path, depth,
			    &folder.entries[i], err) < 0) {
			return err->code;
		}
	}
	return id;
}

int
recall_lost(struct round *round, const struct gone_root *root, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	struct recall count = { .round = round };
	struct recall seed = { .round = round, .seed = true };
	struct ledger_root_facts facts;
	struct err told;

	if (ledger_root_info(ledger, root->id, &facts, err) < 0) {
		return err->code;
	}
	if (facts.files >= 0 || !round->plan->full || oid_is_zero(&round->head_tree)) {
		return 0;
	}
	// A sidecar that cannot be read is mended by the commit that follows.
	if (recall_folder(&count, 0, root->id, root->name, root->name, 0, &told) < 0) {
		log_warn("%s: what the last commit had of it could not be compared with "
			 "the disk: %s",
			root->name, told.msg);
		return 0;
	}
	if (!shrink_is_too_much(count.files, count.lost)) {
		return 0;
	}
	if (recall_folder(&seed, 0, root->id, root->name, root->name, 0, err) < 0) {
		return err_wrap(err, "recall what %s had", root->name);
	}
	facts = (struct ledger_root_facts){ .path = root->path,
		.dev = root->dev,
		.number = root->number,
		.fs_type = root->fs_type,
		.files = count.files };
	return ledger_root_set(ledger, root->id, &facts, err);
}
