// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/moved.h"

#include "agent/kit.h"
#include "agent/round.h"
#include "base/err.h"
#include "base/mem.h"
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** One file that is gone under some name. */
struct gone_file {
	uint64_t dev;
	uint64_t number;
	int64_t size;
	int64_t mtime_ns;
	uint32_t type;
	/** Names gone, and names the ledger has for it, those that are gone included. */
	uint32_t gone;
	uint32_t known;
};

struct gone_files {
	struct gone_file *files;
	size_t count;
	size_t capacity;
};

static void
gone_files_done(struct gone_files *gone)
{
	free(gone->files);
}

static struct gone_file
file_of(const struct inode *inode)
{
	return (struct gone_file){
		.dev = inode->dev,
		.number = inode->number,
		.size = inode->size,
		.mtime_ns = inode->mtime_ns,
		.type = inode->mode & S_IFMT,
	};
}

#define ORDER(left, right) (((left) > (right)) - ((left) < (right)))

static int
by_file(const void *left, const void *right)
{
	const struct gone_file *a = left;
	const struct gone_file *b = right;
	const int orders[] = { ORDER(a->number, b->number), ORDER(a->dev, b->dev),
		ORDER(a->size, b->size), ORDER(a->mtime_ns, b->mtime_ns),
		ORDER(a->type, b->type) };

	for (size_t i = 0; i < countof(orders); i++) {
		if (orders[i] != 0) {
			return orders[i];
		}
	}
	return 0;
}

static void
add(struct gone_files *gone, const struct ledger_row *row)
{
	gone->files =
		xgrow(gone->files, gone->count, &gone->capacity, sizeof(gone->files[0]));
	gone->files[gone->count] = file_of(&row->inode);
	gone->files[gone->count++].gone = 1;
}

static int
add_folder(struct ledger *ledger, int64_t id, struct gone_files *gone, struct err *err)
{
	AUTO(ledger_folders_done) struct ledger_folders subs = { 0 };
	AUTO(ledger_rows_done) struct ledger_rows rows = { 0 };

	if (ledger_rows_load(ledger, id, &rows, err) < 0 ||
		ledger_subfolders(ledger, id, &subs, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < rows.count; i++) {
		add(gone, &rows.rows[i]);
	}
	for (size_t i = 0; i < subs.count; i++) {
		if (add_folder(ledger, subs.folders[i].id, gone, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

// What is gone comes folder by folder: its rows are read once.
static int
add_missing(struct round *round, struct gone_files *gone, struct err *err)
{
	struct ledger *ledger = round->kit->ledger;
	AUTO(ledger_rows_done) struct ledger_rows rows = { 0 };
	int64_t folder = 0;

	for (size_t i = 0; i < round->nmissing; i++) {
		const struct round_missing *missing = &round->missing[i];
		const struct ledger_row *row;

		if (missing->subfolder != 0) {
			if (add_folder(ledger, missing->subfolder, gone, err) < 0) {
				return err->code;
			}
			continue;
		}
		if (folder != missing->folder &&
			ledger_rows_load(ledger, missing->folder, &rows, err) < 0) {
			return err->code;
		}
		folder = missing->folder;
		row = ledger_rows_find(&rows, missing->name, strlen(missing->name));
		if (row != NULL) {
			add(gone, row);
		}
	}
	return 0;
}

// One entry a file, with how many of its names are gone.
static void
put_together(struct gone_files *gone)
{
	size_t kept = 0;

	if (gone->count > 1) {
		qsort(gone->files, gone->count, sizeof(gone->files[0]), by_file);
	}
	for (size_t i = 0; i < gone->count; i++) {
		if (kept > 0 && by_file(&gone->files[kept - 1], &gone->files[i]) == 0) {
			gone->files[kept - 1].gone++;
		} else {
			gone->files[kept++] = gone->files[i];
		}
	}
	gone->count = kept;
}

static int
see(const char *path, size_t len, const struct ledger_row *row, void *payload)
{
	struct gone_files *gone = payload;
	struct gone_file wanted = file_of(&row->inode);
	struct gone_file *found = bsearch(
		&wanted, gone->files, gone->count, sizeof(gone->files[0]), by_file);

	(void)path;
	(void)len;
	if (found != NULL) {
		found->known++;
	}
	return 0;
}

int
moved_count(struct round *round, int64_t *ret_moved, struct err *err)
{
	AUTO(gone_files_done) struct gone_files gone = { 0 };
	const struct ledger_filter everything = { 0 };

	*ret_moved = 0;
	if (add_missing(round, &gone, err) < 0) {
		return err_wrap(err, "look for what moved");
	}
	put_together(&gone);
	if (gone.count > 0 &&
		ledger_each(round->kit->ledger, &everything, see, &gone, err) < 0) {
		return err_wrap(err, "look for what moved");
	}
	for (size_t i = 0; i < gone.count; i++) {
		*ret_moved += gone.files[i].known > gone.files[i].gone
			? (int64_t)gone.files[i].gone
			: 0;
	}
	return 0;
}
