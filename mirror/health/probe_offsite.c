// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * What is off-site, by the lists beside the snapshots: each says which copies were sent
 * and when they were last proved.  In the deep probe the newest copy of each database is
 * read back, byte by byte, and the list gets the new date.
 */

#include "health/probe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"
#include "config/places.h"
#include "health/verdict.h"
#include "vault/manifest.h"
#include "vault/offsite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/** A snapshot under way is waited for this long. */
	LOCK_WAIT_MS = 2000,
};

/** Each copy is read back once a week; one may fail. */
#define READ_BACK_MS (INT64_C(15) * 86400000)

struct offsite_view {
	int64_t copies;
	/** The oldest of the newest proofs; 0: none. */
	int64_t verified_ms;
	/** The same, of the days they were last listed with the right size. */
	int64_t seen_ms;
};

// The newest copy that was sent, or NULL; *ret_waiting is the oldest one after it.
static struct manifest_entry *
newest_sent(struct manifest *manifest, int64_t *ret_waiting_ms)
{
	*ret_waiting_ms = 0;
	for (size_t i = manifest->nentries; i-- > 0;) {
		struct manifest_entry *entry = &manifest->entries[i];

		if (!entry->complete) {
			continue;
		}
		if (entry->offsite.remote != NULL && entry->offsite.verified_ms > 0) {
			return entry;
		}
		*ret_waiting_ms = entry->taken_ms;
	}
	return NULL;
}

static void
read_back(struct probe *probe, struct health_fact *fact, struct manifest *manifest,
	struct manifest_entry *entry)
{
	const struct config *config = probe->input->config;
	AUTO_FREE char *remote = config_offsite(config);
	const struct offsite_plan plan = {
		.remote = remote,
		.lock_dir = probe->input->state_dir,
		.timeout_ms = config->sqlite.timeout_ms,
	};
	struct err err = { 0 };
	int proved = offsite_verify(&plan, manifest, entry, true, &err);

	// What is wrong with it stands in the list now, and is said from there.
	if (proved < 0 && proved != ERR_INVALID) {
		(void)probe_say(fact, HEALTH_UNKNOWN, "mirror verify",
			"the off-site copy of %s could not be read back: %s",
			manifest->name, err.msg);
	}
}

// A copy that a look found bad is bad until it was sent again.
static void
say_wrong(struct health_fact *fact, const struct manifest *manifest)
{
	for (size_t i = manifest->nentries; i-- > 0;) {
		const struct manifest_entry *entry = &manifest->entries[i];
		AUTO_FREE char *action = NULL;

		if (entry->offsite.remote == NULL || entry->offsite.wrong[0] == '\0') {
			continue;
		}
		AUTO_FREE char *word = path_shell(manifest->name);
		action = xasprintf("mirror db snapshot %s", word);
		(void)probe_say(fact, HEALTH_FAILED, action,
			"the off-site copy of %s is gone or damaged: %s", manifest->name,
			entry->offsite.wrong);
		return;
	}
}

static void
note_dates(struct offsite_view *view, const struct manifest_entry *entry)
{
	int64_t verified_ms = entry->offsite.verified_ms;
	int64_t seen_ms = MAX_OF(entry->offsite.seen_ms, verified_ms);

	if (view->verified_ms == 0 || verified_ms < view->verified_ms) {
		view->verified_ms = verified_ms;
	}
	if (view->seen_ms == 0 || seen_ms < view->seen_ms) {
		view->seen_ms = seen_ms;
	}
}

static void
say_folder(struct probe *probe, struct health_fact *fact, const char *dir,
	struct offsite_view *view)
{
	struct fact_limits limits =
		fact_limits(FACT_OFFSITE, probe->input->config, probe->by_hand);
	struct manifest manifest;
	struct err err = { 0 };
	int64_t waiting_ms;
	char age[CLOCK_TEXT_MAX];

	// Reading back writes down that it was done, so it needs the folder's lock.
	if (manifest_open(dir, probe->input->deep ? MANIFEST_WRITE : MANIFEST_READ,
		    LOCK_WAIT_MS, &manifest, &err) < 0) {
		if (err.code != ERR_NOT_FOUND) {
			(void)probe_say(fact, HEALTH_UNKNOWN, "mirror db list",
				"the list of snapshots in %s cannot be read: %s", dir,
				err.msg);
		}
		return;
	}

	struct manifest_entry *entry = newest_sent(&manifest, &waiting_ms);

	if (waiting_ms > 0) {
		clock_format_age(MAX_OF(probe->now_ms - waiting_ms, 0), age);
		(void)probe_say(fact,
			entry == NULL ? HEALTH_DEGRADED
				      : verdict_aged(HEALTH_HEALTHY, waiting_ms,
						probe->now_ms, &limits),
			"mirror db snapshot", "a snapshot of %s has waited %s to be sent",
			manifest.name, age);
	}
	if (entry != NULL) {
		view->copies++;
		if (probe->input->deep) {
			read_back(probe, fact, &manifest, entry);
		}
		note_dates(view, entry);
	}
	say_wrong(fact, &manifest);
	manifest_close(&manifest);
}

static void
say_folders(struct probe *probe, struct health_fact *fact, struct offsite_view *view)
{
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *top = path_join(data, "snapshots");
	DIR *dir = opendir(top);
	struct dirent *entry;

	if (dir == NULL) {
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		AUTO_FREE char *path = path_join(top, entry->d_name);

		if (entry->d_name[0] != '.') {
			say_folder(probe, fact, path, view);
		}
	}
	(void)closedir(dir);
}

void
probe_offsite(struct probe *probe)
{
	const struct config *config = probe->input->config;
	struct health_fact *fact = probe_add(probe, FACT_OFFSITE);
	struct offsite_view view = { .copies = 0 };
	struct evidence_row row;

	if (config == NULL) {
		(void)probe_say(
			fact, HEALTH_UNKNOWN, NULL, "no configuration says where it is");
		return;
	}
	if (!config_has_offsite(config)) {
		(void)probe_say(fact, HEALTH_HEALTHY, NULL, "there is no off-site place");
		probe_note(fact, "database snapshots stay on this machine");
		return;
	}
	if (config->sqlite.recipient == NULL) {
		(void)probe_say(fact, HEALTH_DEGRADED, "mirror config edit",
			"snapshots stay on this machine: without [sqlite] recipient they "
			"are not encrypted, and nothing readable leaves");
		fact->since_ms = 0;
		return;
	}
	say_folders(probe, fact, &view);
	// What a run could not do is told even when the lists look well.
	if (probe_row(probe, fact_word(FACT_OFFSITE), &row) > 0 &&
		row.state != HEALTH_HEALTHY && row.at_ms >= view.seen_ms) {
		(void)probe_say(fact, row.state, row.action, "%s", row.text);
	}
	if (view.copies == 0) {
		(void)probe_say(fact, HEALTH_UNKNOWN, "mirror db snapshot",
			"nothing was ever sent off-site");
		return;
	}
	row = (struct evidence_row){ .at_ms = view.seen_ms };
	(void)snprintf(row.text, sizeof(row.text),
		"the newest copy of each of %lld databases was proved off-site",
		(long long)view.copies);
	probe_believe(probe, fact, &row);
	if (probe->now_ms - view.verified_ms > READ_BACK_MS) {
		(void)probe_say(fact, HEALTH_DEGRADED, "mirror verify",
			"the copies off-site are listed, and were not read back for two "
			"weeks");
	}
	fact->since_ms = 0;
}
