// SPDX-License-Identifier: GPL-2.0-or-later

// Databases, secrets, drills, machines, and what ran lately.

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/oid.h"
#include "config/config.h"
#include "health/evidence.h"
#include "health/fact.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"
#include "ledger/ledger.h"
#include "serve/call.h"
#include "serve/desk.h"
#include "serve/page.h"
#include "serve/room.h"
#include "serve/rows.h"
#include "serve/task.h"
#include "vault/restore_db.h"
#include "view/change.h"
#include "view/databases.h"
#include "view/machines.h"
#include "view/row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SNAPSHOTS_SHOWN = 5,
	SECRETS_SHOWN = 20,
	RUNS_SHOWN = 10,
	TURNS_MAX = 5,
	SHORT_ID = 10,
};

// ---- databases

static void
add_snapshot(struct page *page, const struct view_database *database,
	const struct manifest_entry *entry)
{
	struct html *html = &page->html;

	html_raw(html, "<li>");
	page_age(page, entry->taken_ms);
	html_add(html, ", %s, %s, ", provenance_name(entry->provenance),
		entry->verified ? "checked" : "not checked");
	page_bytes(page, entry->stored_bytes);
	html_raw(html, ": <a href=\"/v1/databases/");
	html_add_url(html, database->name);
	html_raw(html, "/snapshots/");
	html_add_url(html, entry->file);
	html_add(html, "\">%s</a></li>\n", entry->file);
}

static int
add_staged(const struct restore_record *record, void *payload)
{
	struct page *page = payload;

	if (record->state == RESTORE_APPLIED) {
		return 0;
	}
	html_add(&page->html, "<li>restore %s, of ", restore_state_name(record->state));
	page_age(page, record->at_ms);
	html_raw(&page->html, ", ");
	page_bytes(page, record->bytes);
	html_raw(&page->html, "</li>\n");
	return 0;
}

// What other requests wait for.
static void
add_work(struct page *page, const struct view_database *database)
{
	for (struct call_task *task = page->call->serve->tasks; task != NULL;
		task = task->next) {
		int64_t done = atomic_load(&task->done);
		int64_t total = atomic_load(&task->total);

		if (strcmp(task->database.name, database->name) != 0) {
			continue;
		}
		html_add(&page->html, "<li><strong>%s under way</strong>: %s", task->what,
			atomic_load(&task->stage));
		if (total > 0) {
			html_add(&page->html, ", %lld %%",
				(long long)(done * 100 / total));
		}
		html_raw(&page->html, ", began ");
		page_age(page, task->began_ms);
		html_raw(&page->html, "</li>\n");
	}
}

static int
add_database(const struct view_database *database, void *payload)
{
	struct page *page = payload;
	struct html *html = &page->html;
	const struct manifest *manifest = &database->manifest;
	AUTO_FREE char *id = html_url(database->name);
	AUTO_FREE char *action = xasprintf("/v1/databases/%s/snapshots", id);
	AUTO_FREE char *command = xasprintf("mirror db snapshot %s", database->name);
	size_t shown = 0;
	struct err ignored;

	html_add(html, "<h3>%s</h3>\n<p><code>%s</code></p>\n<ul class=\"rows\">\n",
		database->name,
		database->disk != NULL ? database->disk : "where it is was never said");
	for (size_t i = database->known ? manifest->nentries : 0;
		i > 0 && shown < SNAPSHOTS_SHOWN; i--) {
		if (manifest->entries[i - 1].complete) {
			add_snapshot(page, database, &manifest->entries[i - 1]);
			shown++;
		}
	}
	if (shown == 0) {
		html_raw(html, "<li>no snapshot yet</li>\n");
	}
	add_work(page, database);
	if (database->dir != NULL) {
		(void)!restore_db_list(database->dir, add_staged, page, &ignored);
	}
	html_raw(html, "</ul>\n");
	if ((database->configured == NULL || database->configured->owner == NULL) &&
		database->dir != NULL && !database->gone) {
		page_button(page, action, NULL, "Snapshot now", command);
	}
	if (shown > 0) {
		AUTO_FREE char *check = xasprintf("/v1/databases/%s/verify", id);
		AUTO_FREE char *typed = xasprintf("mirror db verify %s", database->name);

		page_button(page, check, NULL, "Check its snapshots", typed);
	}
	return 0;
}

static int
count_one(const struct view_database *database, void *payload)
{
	(void)database;
	(*(size_t *)payload)++;
	return 0;
}

void
page_databases(struct page *page)
{
	const struct serve_options *options = page->call->desk.options;
	const struct view_vault vault = { .config = options->config,
		.state_dir = options->state_dir,
		.dir = options->vault_dir };
	size_t count = 0;
	struct err err;

	page_open_half(page, "databases", "Databases");
	if (view_databases_each(&vault, count_one, &count, &err) < 0 ||
		view_databases_each(&vault, add_database, page, &err) < 0) {
		page_excuse(page, &err);
	} else if (count == 0) {
		html_raw(&page->html, "<p>None is known.</p>\n");
	}
	page_close(page);
}

// ---- secrets

static size_t
add_secrets(struct page *page, struct rows *rows, struct err *err)
{
	struct rows_row row;
	size_t shown = 0;
	int turns = 0;
	int got = 1;

	while (shown < SECRETS_SHOWN && turns < TURNS_MAX &&
		(got = rows_next(rows, &row, err)) > 0) {
		turns += got == ROWS_AGAIN;
		if (got != 1 || !view_is_secret(row.row)) {
			continue;
		}
		html_raw(&page->html, "<li><div class=\"head\">");
		page_badge(page, ledger_state_word(row.row->state));
		html_raw(&page->html, " <a href=\"/files/");
		html_add_url_path(&page->html, row.path);
		html_add(&page->html, "\">%s</a></div>%u taken out: %s</li>\n", row.path,
			row.row->spans, row.row->reason);
		shown++;
	}
	if (got > 0) {
		html_raw(&page->html,
			"<li>and perhaps more: <code>mirror secrets "
			"list</code></li>\n");
	}
	return got < 0 ? SIZE_MAX : shown;
}

void
page_secrets(struct page *page)
{
	AUTO_FREE char *file =
		path_join(page->call->desk.options->state_dir, RECORD_LEDGER);
	AUTO(rows_closep) struct rows *rows = NULL;
	const struct rows_filter filter = { 0 };
	struct err err = { 0 };
	size_t shown = SIZE_MAX;

	page_open_half(page, "secrets", "Secrets taken out");
	html_raw(&page->html, "<ul class=\"rows\">\n");
	if (rows_open(file, &filter, &rows, &err) == 0) {
		shown = add_secrets(page, rows, &err);
	}
	html_raw(&page->html, "</ul>\n");
	if (shown == SIZE_MAX) {
		page_excuse(page, &err);
	} else if (shown == 0) {
		html_raw(&page->html, "<p>None was found.</p>\n");
	}
	html_raw(&page->html,
		"<p class=\"faint\">What they are is never shown. Rotate "
		"them; one that is none: <code>mirror secrets allow</code>"
		"</p>\n");
	page_close(page);
}

// ---- drills

void
page_drills(struct page *page)
{
	struct desk *desk = &page->call->desk;
	struct evidence_row row;
	struct err err = { 0 };
	int found = desk_evidence(desk, &err) < 0
		? err.code
		: evidence_get(desk->evidence, fact_word(FACT_DRILL), &row, &err);

	page_open_half(page, "drills", "Drills");
	if (found < 0) {
		page_excuse(page, &err);
	} else if (found == 0) {
		html_raw(&page->html,
			"<p>None was ever run: nobody has seen this backup restored. "
			"Run: "
			"<code>mirror drill</code></p>\n");
	} else {
		html_raw(&page->html, "<p>");
		page_badge(page, health_state_word(row.state));
		html_add(&page->html, " %s, ", row.text);
		page_age(page, row.at_ms);
		html_raw(&page->html, "</p>\n");
	}
	page_close(page);
}

// ---- machines

static void
add_machine(struct page *page, const struct view_machine *machine)
{
	struct html *html = &page->html;
	const struct fleet_beat *beat = &machine->beat;

	html_raw(html, "<li><div class=\"head\">");
	if (view_machine_is_silent(machine, page->now_ms)) {
		page_badge(page, "degraded");
		html_raw(html, " silent: ");
	} else if (beat->at_ms > 0) {
		page_badge(page, beat->state);
		html_raw(html, " ");
	}
	html_add(html, "<strong>%s</strong>%s <small>heard of ", machine->name,
		machine->own ? " (this one, as the others see it)" : "");
	page_age(page, view_machine_seen_ms(machine));
	html_raw(html, "</small></div>");
	if (beat->at_ms > 0) {
		html_add(html, "%s", beat->sentence);
	}
	html_raw(html, "</li>\n");
}

void
page_machines(struct page *page)
{
	struct desk *desk = &page->call->desk;
	AUTO(view_machines_done)
	struct view_machines machines = { .own = config_host(desk->options->config) };
	struct err err;

	page_open_half(page, "machines", "Machines");
	html_raw(&page->html, "<ul class=\"rows\">\n");
	if (desk_repo(desk, &err) < 0 ||
		view_machines_look(desk->repo, &machines, &err) < 0) {
		html_raw(&page->html, "<li>");
		page_excuse(page, &err);
		html_raw(&page->html, "</li>\n");
	}
	for (size_t i = 0; i < machines.count; i++) {
		add_machine(page, &machines.rows[i]);
	}
	html_raw(&page->html, "</ul>\n");
	page_close(page);
}

// ---- activity

static const char *
word_of(const struct jobqueue_status *job)
{
	if (job->in_progress) {
		return "under way";
	}
	return job->want > job->taken ? "waiting" : "idle";
}

// In words; what says no more than the outcome is not said again.
static void
add_note(struct page *page, const struct jobqueue_run *run)
{
	const char *note = run->note != NULL ? run->note : "";
	struct oid commit;
	uint64_t changed;
	char id[OID_HEX_MAX];

	if (note[0] == '\0' || strcmp(note, job_outcome_name(run->outcome)) == 0) {
		return;
	}
	if (!view_note_read(note, &commit, &changed)) {
		html_add(&page->html, "<small>%s</small>", note);
	} else if (oid_is_zero(&commit)) {
		html_raw(&page->html, "<small>nothing changed, no commit</small>");
	} else {
		(void)oid_hex(&commit, id);
		id[SHORT_ID] = '\0';
		html_add(&page->html, "<small>%zu change%s as <code>%s</code></small>",
			(size_t)changed, changed == 1 ? "" : "s", id);
	}
}

static int
add_run(const struct jobqueue_run *run, void *payload)
{
	struct page *page = payload;
	char duration[CLOCK_TEXT_MAX];

	if (run->duration_ms < 1000) {
		(void)snprintf(
			duration, sizeof(duration), "%" PRId64 " ms", run->duration_ms);
	} else {
		clock_format_age(run->duration_ms, duration);
	}
	html_raw(&page->html, "<li><div class=\"head\">");
	page_badge(page, job_outcome_name(run->outcome));
	html_add(&page->html, " <strong>%s</strong> <small>", job_kind_name(run->kind));
	page_age(page, run->started_ms);
	html_add(&page->html, ", took %s</small></div>", duration);
	add_note(page, run);
	html_raw(&page->html, "</li>\n");
	return 0;
}

static int
add_jobs(struct page *page, struct err *err)
{
	struct jobqueue *queue = page->call->desk.queue;

	html_raw(&page->html, "<ul class=\"legend\">\n");
	for (int i = 0; i < JOB_KINDS_; i++) {
		const char *kind = job_kind_name((enum job_kind)i);
		struct jobqueue_status job;

		if (jobqueue_status(queue, (enum job_kind)i, &job, err) < 0) {
			return err->code;
		}
		html_add(&page->html,
			"<li>%s: <strong data-live=\"job-%s\">%s</strong></li>\n", kind,
			kind, word_of(&job));
	}
	html_raw(&page->html, "</ul>\n<ul class=\"rows\">\n");
	if (jobqueue_history(queue, RUNS_SHOWN, add_run, page, err) < 0) {
		return err->code;
	}
	html_raw(&page->html, "</ul>\n");
	return 0;
}

void
page_activity(struct page *page)
{
	struct err err;

	page_open_half(page, "activity", "Activity");
	if (desk_queue(&page->call->desk, &err) < 0 || add_jobs(page, &err) < 0) {
		page_excuse(page, &err);
	}
	page_close(page);
}
