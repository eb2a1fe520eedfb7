// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/plan.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/output.h"
#include "config/config.h"
#include "ledger/classify.h"
#include "ledger/walk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct planning {
	struct classify_rules rules;
	struct plan *plan;
	unsigned int depth;
};

static void
name_it(struct plan *plan, enum ledger_kind kind, const char *rel)
{
	for (size_t i = 0; i < PLAN_NAMED_MAX; i++) {
		if (plan->named[kind][i] == NULL) {
			plan->named[kind][i] = path_short(rel);
			return;
		}
	}
}

static void walk_below(struct planning *planning, int fd, const char *rel);

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
		planning->plan->excluded[answer.why]++;
		name_it(planning->plan, answer.why, rel);
		break;
	case CLASSIFY_FILE:
		planning->plan->bytes += (uint64_t)entry->inode.size;
		planning->plan->files++;
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
	struct plan *ret_plan)
{
	const struct config_list *names = &config->files.regenerable;
	AUTO_FREE const char **regenerable =
		xcalloc(names->count + 1, sizeof(*regenerable));
	AUTO_FREE struct classify_glob *globs =
		xcalloc(watch->exclude.count + 1, sizeof(*globs));
	AUTO_CLOSE int fd = open(watch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct planning planning = { .plan = ret_plan };
	struct stat info;

	*ret_plan = (struct plan){ 0 };
	for (size_t i = 0; i < names->count; i++) {
		regenerable[i] = names->items[i].text;
	}
	for (size_t i = 0; i < watch->exclude.count; i++) {
		globs[i].pattern = watch->exclude.items[i].text;
		globs[i].origin = config->file;
	}
	if (fd < 0 || fstat(fd, &info) < 0) {
		ret_plan->unread++;
		return;
	}
	planning.rules = (struct classify_rules){
		.excludes = globs,
		.nexcludes = watch->exclude.count,
		.regenerable = regenerable,
		.nregenerable = names->count,
		.max_size = config->files.max_size,
		.root_dev = info.st_dev,
	};
	walk_below(&planning, fd, "");
}

void
plan_done(struct plan *plan)
{
	for (size_t i = 0; i < LEDGER_NKINDS; i++) {
		for (size_t j = 0; j < PLAN_NAMED_MAX; j++) {
			free(plan->named[i][j]);
			plan->named[i][j] = NULL;
		}
	}
}

static void
print_kind(struct output *out, const struct plan *plan, size_t kind)
{
	output_text(out, "  will not be mirrored: %" PRIu64 " %s: ", plan->excluded[kind],
		ledger_kind_word((enum ledger_kind)kind));
	for (size_t i = 0; i < PLAN_NAMED_MAX && plan->named[kind][i] != NULL; i++) {
		output_text(out, "%s%s", i > 0 ? ", " : "", plan->named[kind][i]);
	}
	output_line(out, "%s", plan->excluded[kind] > PLAN_NAMED_MAX ? ", ..." : "");
}

void
plan_print(struct output *out, const struct config_watch *watch, const struct plan *plan)
{
	AUTO_FREE char *path = path_printable(watch->path);
	AUTO_FREE char *name = path_printable(watch->name);
	char size[OUTPUT_SIZE_MAX];

	output_size(plan->bytes, size);
	output_line(out, "%s, as %s/ in the brain repository", path, name);
	output_line(out,
		"  will be mirrored: %" PRIu64 " file%s, %s; secrets in them are cut out",
		plan->files, plan->files == 1 ? "" : "s", size);
	for (size_t i = 0; i < LEDGER_NKINDS; i++) {
		if (plan->excluded[i] > 0) {
			print_kind(out, plan, i);
		}
	}
	if (plan->unread > 0) {
		output_line(out, "  could not be read: %" PRIu64 " folder%s",
			plan->unread, plan->unread == 1 ? "" : "s");
	}
}
