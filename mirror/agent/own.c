// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/own.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/places.h"
#include "jobqueue/lock.h"
#include "vault/place.h"
#include "vault/restore_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OWN_PREFIX "state:"

enum {
	OWN_POLL_MS = 100,
};

static const struct {
	const char *name;
	const char *file;
} files[OWN_NFILES_] = {
	[OWN_LEDGER] = { OWN_PREFIX "ledger", "ledger.sqlite" },
	[OWN_QUEUE] = { OWN_PREFIX "queue", "queue.sqlite" },
	[OWN_EVIDENCE] = { OWN_PREFIX "evidence", "evidence.sqlite" },
};

const char *
own_name(enum own_file file)
{
	return files[file].name;
}

const char *
own_word(enum own_file file)
{
	return files[file].name + strlen(OWN_PREFIX);
}

bool
own_parse(const char *word, enum own_file *ret_file)
{
	for (size_t i = 0; i < countof(files); i++) {
		if (strcmp(word, files[i].name) == 0 ||
			strcmp(word, own_word((enum own_file)i)) == 0) {
			*ret_file = (enum own_file)i;
			return true;
		}
	}
	return false;
}

char *
own_path(const char *state_dir, enum own_file file)
{
	return path_join(state_dir, files[file].file);
}

char *
own_dir(enum own_file file)
{
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *top = path_join(data, "snapshots");

	return vault_place(top, own_name(file));
}

static int
find_staged(const struct restore_record *record, void *payload)
{
	char *id = payload;

	if (record->state == RESTORE_STAGED || record->state == RESTORE_APPLYING) {
		(void)snprintf(id, RESTORE_ID_MAX, "%s", record->id);
	}
	return 0;
}

static bool
is_staged(const char *dir, char id[RESTORE_ID_MAX])
{
	struct err ignored;

	id[0] = '\0';
	(void)!restore_db_list(dir, find_staged, id, &ignored);
	return id[0] != '\0';
}

// A probe or `mirror status` may have it open for a moment.
static int
apply_patiently(const struct restore_plan *plan, const char *id, struct err *err)
{
	const struct timespec pause = { .tv_nsec = OWN_POLL_MS * 1000000L };
	int64_t end_ms = clock_mono_ms() + OWN_WAIT_MS;
	int result;

	for (;;) {
		AUTO(restore_record_done) struct restore_record applied = { 0 };

		result = restore_db_apply(plan, id, &applied, err);
		if (result != ERR_BUSY || clock_mono_ms() >= end_ms) {
			return result;
		}
		(void)nanosleep(&pause, NULL);
	}
}

static bool
apply_one(const char *state_dir, const char *self, int64_t timeout_ms, enum own_file file)
{
	AUTO_FREE char *dir = own_dir(file);
	AUTO_FREE char *target = own_path(state_dir, file);
	struct restore_plan plan = {
		.self = self,
		.dir = dir,
		.name = own_name(file),
		.target = target,
		.timeout_ms = timeout_ms,
	};
	char id[RESTORE_ID_MAX];
	struct err err;

	// What a killed start was doing is finished or taken back first.
	if (!is_staged(dir, id) || restore_db_resume(dir, &err) < 0 ||
		!is_staged(dir, id)) {
		return false;
	}
	if (apply_patiently(&plan, id, &err) < 0) {
		log_warn("the restore %s of %s was not put in place: %s; going on with "
			 "the state as it is; next: mirror db restore %s --list",
			id, own_name(file), err.msg, own_name(file));
		return false;
	}
	log_notice("%s was restored; looking everywhere; to take it back: mirror db "
		   "restore %s --undo %s",
		own_name(file), own_name(file), id);
	return true;
}

static bool
any_staged(void)
{
	for (size_t i = 0; i < countof(files); i++) {
		AUTO_FREE char *dir = own_dir((enum own_file)i);
		char id[RESTORE_ID_MAX];

		if (is_staged(dir, id)) {
			return true;
		}
	}
	return false;
}

size_t
own_apply(const char *state_dir, const char *self, int64_t timeout_ms)
{
	AUTO_FREE char *path = path_join(state_dir, "lock");
	AUTO(lock_closep) struct lock *lock = NULL;
	struct err err;
	size_t count = 0;

	// Without the lock somebody works with the state: the next start is the time.
	if (!any_staged() || lock_open(path, &lock, &err) < 0 ||
		lock_try(lock, &err) <= 0) {
		return 0;
	}
	for (size_t i = 0; i < countof(files); i++) {
		count += apply_one(state_dir, self, timeout_ms, (enum own_file)i);
	}
	return count;
}
