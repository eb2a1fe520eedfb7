// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/plan.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/output.h"
#include "cli/scan_pool.h"
#include "config/config.h"
#include "config/places.h"
#include "ledger/classify.h"
#include "ledger/sqlite_probe.h"
#include "ledger/walk.h"
#include "scanner/scanner.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct planning {
	struct classify_rules rules;
	const struct plan_look *look;
	struct plan *plan;
	// One file at a time, as scan_pool_read() wants it.
	char *buffer;
	unsigned int depth;
};

static void
name_it(char *named[PLAN_NAMED_MAX], const char *rel)
{
	for (size_t i = 0; i < PLAN_NAMED_MAX; i++) {
		if (named[i] == NULL) {
			named[i] = path_short(rel);
			return;
		}
	}
}

// ---- inside the files

static int
on_finding(const struct finding *finding, void *payload)
{
	struct plan *plan = payload;
	size_t i = 0;

	plan->secrets++;
	while (i < plan->nrules && strcmp(plan->rules[i].rule, finding->rule) != 0) {
		i++;
	}
	if (i == plan->nrules) {
		if (plan->nrules == PLAN_RULES_MAX) {
			return 0;
		}
		plan->rules[plan->nrules++] = (struct plan_rule){ .rule = finding->rule };
	}
	plan->rules[i].secrets++;
	// The most first.
	for (; i > 0 && plan->rules[i].secrets > plan->rules[i - 1].secrets; i--) {
		struct plan_rule less = plan->rules[i - 1];

		plan->rules[i - 1] = plan->rules[i];
		plan->rules[i] = less;
	}
	return 0;
}

// A database is snapshotted, whatever its size.
static bool
is_database(int fd)
{
	char head[SQLITE_PROBE_LEN];
	ssize_t len = pread(fd, head, sizeof(head), 0);

	return len > 0 && sqlite_probe_is_database(head, (size_t)len);
}

static int
open_file(int dir, const char *name)
{
	return openat(
		dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void
look_into(struct planning *planning, int fd, const char *rel)
{
	struct plan *plan = planning->plan;
	uint64_t before = plan->secrets;
	uint64_t bytes;
	struct err ignored;

	if (scan_pool_read(planning->look->scanner, fd, 0, rel, planning->buffer,
		    on_finding, plan, &bytes, &ignored) < 0) {
		plan->closed++;
		return;
	}
	plan->looked++;
	plan->with_secrets += plan->secrets > before;
}

static void
count_database(struct plan *plan, const struct walk_entry *entry, const char *rel)
{
	plan->databases++;
	plan->database_bytes += (uint64_t)entry->inode.size;
	name_it(plan->database, rel);
}

static void
count_file(struct planning *planning, int dir, const struct walk_entry *entry,
	const char *rel)
{
	struct plan *plan = planning->plan;
	AUTO_CLOSE int fd = -1;

	plan->files++;
	plan->regular++;
	plan->bytes += (uint64_t)entry->inode.size;
	if (planning->look->scanner == NULL ||
		clock_mono_ms() >= planning->look->until_ms) {
		return;
	}
	if (planning->look->out != NULL) {
		output_progress(planning->look->out, "files looked at", plan->files, 0);
	}
	fd = open_file(dir, entry->name);
	if (fd < 0) {
		plan->closed++;
	} else if (is_database(fd)) {
		count_database(plan, entry, rel);
		plan->looked++;
	} else {
		look_into(planning, fd, rel);
	}
}

// Too large for a file, not for a database.
static bool
is_large_database(const struct planning *planning, int dir,
	const struct walk_entry *entry, enum ledger_kind why)
{
	AUTO_CLOSE int fd = -1;

	if (why != LEDGER_KIND_TOO_LARGE || planning->look->scanner == NULL) {
		return false;
	}
	fd = open_file(dir, entry->name);
	return fd >= 0 && is_database(fd);
}

// ---- folders

static void walk_below(struct planning *planning, int fd, const char *rel);

static void
count_excluded(struct planning *planning, int fd, const struct walk_entry *entry,
	const char *rel, enum ledger_kind why)
{
	struct plan *plan = planning->plan;

	if (is_large_database(planning, fd, entry, why)) {
		plan->files++;
		plan->regular++;
		plan->looked++;
		plan->bytes += (uint64_t)entry->inode.size;
		count_database(plan, entry, rel);
		return;
	}
	plan->excluded[why]++;
	name_it(plan->named[why], rel);
}

static void
look_at(struct planning *planning, int fd, const struct walk_entry *entry,
	const char *rel)
{
	struct classify_answer answer;
	struct err ignored;
	int below = -1;

	classify(&planning->rules, &entry->inode, entry->name, rel, &answer);
	switch (answer.kind) {
	case CLASSIFY_EXCLUDED:
		count_excluded(planning, fd, entry, rel, answer.why);
		break;
	case CLASSIFY_FILE:
		count_file(planning, fd, entry, rel);
		break;
	case CLASSIFY_SYMLINK:
		planning->plan->files++;
		break;
	case CLASSIFY_FOLDER:
		if (planning->depth >= PLAN_DEPTH_MAX ||
			walk_open(fd, entry->name, &entry->inode, &below, &ignored) < 0) {
			planning->plan->unread++;
			break;
		}
		walk_below(planning, below, rel);
		base_close_p(&below);
		break;
	}
}

static void
walk_below(struct planning *planning, int fd, const char *rel)
{
	AUTO(walk_list_done) struct walk_list list = { 0 };
	struct err ignored;

	if (walk_list(fd, &list, &ignored) < 0) {
		planning->plan->unread++;
		return;
	}
	planning->depth++;
	for (size_t i = 0; i < list.count; i++) {
		AUTO_FREE char *path = path_join(rel, list.entries[i].name);

		if (list.entries[i].error != 0) {
			planning->plan->unread++;
		} else {
			look_at(planning, fd, &list.entries[i], path);
		}
	}
	planning->depth--;
}

void
plan_make(const struct config *config, const struct config_watch *watch,
	const struct plan_look *look, struct plan *ret_plan)
{
	const struct config_list *names = &config->files.regenerable;
	AUTO_FREE const char **regenerable =
		xcalloc(names->count + 1, sizeof(*regenerable));
	AUTO_FREE struct classify_glob *globs =
		xcalloc(watch->exclude.count + watch->rolling.count + 1, sizeof(*globs));
	AUTO_FREE char *buffer =
		look->scanner != NULL ? xmalloc(SCAN_POOL_WHOLE_MAX) : NULL;
	AUTO_CLOSE int fd = open(watch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct planning planning = { .plan = ret_plan, .look = look, .buffer = buffer };
	struct stat info;

	*ret_plan = (struct plan){ 0 };
	for (size_t i = 0; i < names->count; i++) {
		regenerable[i] = names->items[i].text;
	}
	for (size_t i = 0; i < watch->exclude.count; i++) {
		globs[i] = (struct classify_glob){ watch->exclude.items[i].text,
			config->file };
	}
	for (size_t i = 0; i < watch->rolling.count; i++) {
		globs[watch->exclude.count + i] =
			(struct classify_glob){ watch->rolling.items[i].text,
				config->file };
	}
	if (fd < 0 || fstat(fd, &info) < 0) {
		ret_plan->unread++;
		return;
	}
	planning.rules = (struct classify_rules){
		.excludes = globs,
		.nexcludes = watch->exclude.count,
		.rolling = globs + watch->exclude.count,
		.nrolling = watch->rolling.count,
		.oldest_ns = (clock_now_ms() - watch->window_ms) * 1000000,
		.regenerable = regenerable,
		.nregenerable = names->count,
		.max_size = config->files.max_size,
		.root_dev = info.st_dev,
	};
	walk_below(&planning, fd, "");
	if (look->out != NULL) {
		output_progress_done(look->out);
	}
}

void
plan_done(struct plan *plan)
{
	for (size_t j = 0; j < PLAN_NAMED_MAX; j++) {
		for (size_t i = 0; i < LEDGER_NKINDS; i++) {
			free(plan->named[i][j]);
			plan->named[i][j] = NULL;
		}
		free(plan->database[j]);
		plan->database[j] = NULL;
	}
}

// ---- told

// "a, b, c, ..." and the end of the line.
static void
print_names(struct output *out, char *const named[PLAN_NAMED_MAX], uint64_t count)
{
	for (size_t i = 0; i < PLAN_NAMED_MAX && named[i] != NULL; i++) {
		output_text(out, "%s%s", i > 0 ? ", " : "", named[i]);
	}
	output_line(out, "%s", count > PLAN_NAMED_MAX ? ", ..." : "");
}

static void
print_secrets(struct output *out, const struct plan *plan)
{
	if (plan->secrets > 0) {
		output_text(out,
			"  secrets: %" PRIu64 " in %" PRIu64 " file%s:", plan->secrets,
			plan->with_secrets, plan->with_secrets == 1 ? "" : "s");
		for (size_t i = 0; i < plan->nrules; i++) {
			output_text(out, "%s %" PRIu64 " %s", i > 0 ? "," : "",
				plan->rules[i].secrets, plan->rules[i].rule);
		}
		output_line(out, "%s", "");
	}
	if (plan->looked + plan->closed < plan->regular) {
		output_line(out,
			"  of the %" PRIu64 " files %" PRIu64
			" were looked into for this plan; the first run looks into all",
			plan->regular, plan->looked);
	} else if (plan->secrets == 0 && plan->closed == 0) {
		output_line(out, "  secrets: none found");
	}
	if (plan->closed > 0) {
		output_line(out, "  could not be read: %" PRIu64 " file%s", plan->closed,
			plan->closed == 1 ? "" : "s");
	}
}

struct json *
plan_json(const struct config_watch *watch, const struct plan *plan)
{
	struct json *object = json_new_object();
	struct json *excluded = json_new_object();
	struct json *rules = json_new_object();

	for (size_t i = 0; i < LEDGER_NKINDS; i++) {
		if (plan->excluded[i] > 0) {
			json_set_int(excluded, ledger_kind_word((enum ledger_kind)i),
				(int64_t)plan->excluded[i]);
		}
	}
	for (size_t i = 0; i < plan->nrules; i++) {
		json_set_int(rules, plan->rules[i].rule, (int64_t)plan->rules[i].secrets);
	}
	json_set_bytes(object, "path", watch->path, strlen(watch->path));
	json_set_bytes(object, "name", watch->name, strlen(watch->name));
	json_set_int(object, "files", (int64_t)plan->files);
	json_set_int(object, "bytes", (int64_t)plan->bytes);
	json_set_int(object, "looked_into", (int64_t)plan->looked);
	json_set_int(object, "unread", (int64_t)(plan->unread + plan->closed));
	json_set_int(object, "secrets", (int64_t)plan->secrets);
	json_set(object, "secrets_by", rules);
	json_set_int(object, "databases", (int64_t)plan->databases);
	json_set(object, "excluded_by", excluded);
	return object;
}

void
plan_print(struct output *out, const struct config_watch *watch, const struct plan *plan)
{
	AUTO_FREE char *path = places_shown(watch->path);
	AUTO_FREE char *name = path_printable(watch->name);
	char size[OUTPUT_SIZE_MAX];

	output_size(plan->bytes, size);
	output_line(out, "%s, as %s/ in the brain repository", path, name);
	output_line(out,
		"  will be mirrored: %" PRIu64 " file%s, %s; secrets in them are cut out",
		plan->files, plan->files == 1 ? "" : "s", size);
	if (plan->looked + plan->closed > 0) {
		print_secrets(out, plan);
	}
	if (plan->databases > 0) {
		output_size(plan->database_bytes, size);
		output_text(out, "  databases: %" PRIu64 ", %s, as checked snapshots: ",
			plan->databases, size);
		print_names(out, plan->database, plan->databases);
	}
	for (size_t i = 0; i < LEDGER_NKINDS; i++) {
		if (plan->excluded[i] > 0) {
			output_text(out, "  will not be mirrored: %" PRIu64 " %s: ",
				plan->excluded[i], ledger_kind_word((enum ledger_kind)i));
			print_names(out, plan->named[i], plan->excluded[i]);
		}
	}
	if (plan->unread > 0) {
		output_line(out, "  could not be read: %" PRIu64 " folder%s",
			plan->unread, plan->unread == 1 ? "" : "s");
	}
}
