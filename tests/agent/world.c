// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/world.h"

#include "agent/kit.h"
#include "base/mem.h"
#include "config/config.h"
#include "jobqueue/jobqueue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	if (scratch_setup((void **)&world->scratch) < 0) {
		return -1;
	}
	(void)setenv("HOME", scratch_path(world->scratch, "home"), 1);
	(void)setenv("XDG_STATE_HOME", scratch_path(world->scratch, "state"), 1);
	(void)setenv("XDG_DATA_HOME", scratch_path(world->scratch, "data"), 1);
	(void)setenv("XDG_RUNTIME_DIR", scratch_path(world->scratch, "run"), 1);
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	scratch_mkdir(world->scratch, "home");
	scratch_mkdir(world->scratch, "notes");
	*state = world;
	return 0;
}

int
world_teardown(void **state)
{
	struct world *world = *state;
	void *scratch = world->scratch;
	int result = scratch_teardown_all(&scratch);

	free(world);
	return result;
}

void
put(const struct world *world, const char *name, const char *text)
{
	scratch_write_text(world->scratch, name, text);
}

int
try_once(const struct world *world, struct cycle_result *ret_result, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	struct agent_once options = { .no_push = true, .rehash = world->rehash };
	struct err push = { 0 };
	AUTO_FREE char *text = xasprintf(
		"[[watch]]\npath = \"%s/notes\"\n%s\n[brain]\n"
		"repo = \"%s/brain\"\nbranch = \"host/test\"\n%s\n",
		world->scratch->path, world->extra, world->scratch->path, world->brain);

	if (config_parse(text, strlen(text), "mirror.toml", &config, err) < 0) {
		return err->code;
	}
	return agent_once(config, &options, ret_result, &push, err);
}

struct cycle_result
run_once(const struct world *world)
{
	struct cycle_result result = { 0 };
	struct err err = { 0 };

	ok(try_once(world, &result, &err));
	assert_int_equal(result.unaccounted, 0);
	return result;
}

static int shell(const struct world *world, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

static int
shell(const struct world *world, const char *fmt, va_list args)
{
	char command[8192];

	(void)vsnprintf(command, sizeof(command), fmt, args);
	return scratch_sh(world->scratch, "%s", command);
}

void
sh(const struct world *world, const char *fmt, ...)
{
	va_list args;
	int status;

	va_start(args, fmt);
	status = shell(world, fmt, args);
	va_end(args);
	if (status != 0) {
		fail_msg("exit status %d: %s", status, fmt);
	}
}

int
holds(const struct world *world, const char *fmt, ...)
{
	va_list args;
	int status;

	va_start(args, fmt);
	status = shell(world, fmt, args);
	va_end(args);
	return status == 0;
}

void
assert_honest(const struct world *world)
{
	sh(world,
		"out=$(git -C brain fsck --strict --full 2>&1) || exit 1; "
		"echo \"$out\" | grep -v '^dangling' | grep . && exit 2; true");
	sh(world,
		"out=$(git -C brain status --porcelain 2>&1) && test -z \"$out\" || "
		"{ echo \"$out\" | head -5; exit 3; }");
	// Whatever stands in the commit at its own path and was not redacted is what is
	// on disk.
	sh(world,
		"git -C brain ls-tree -r -z HEAD | tr '\\0' '\\n' | grep -v '\\.mirror/' "
		"| "
		"grep -v '^120000' | while IFS='\t' read -r meta path; do "
		"set -- $meta; git -C brain cat-file blob $3 | cmp -s - \"$path\" || "
		"{ git -C brain cat-file blob $3 | grep -q REDACTED || "
		"{ echo \"$path differs\"; exit 4; }; }; done");
}

int64_t
count(const struct world *world, enum ledger_state state)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct ledger_totals totals;
	struct err err;

	ok(ledger_open(scratch_path(world->scratch, "state/mirror/ledger.sqlite"),
		LEDGER_RO, &ledger, &err));
	ok(ledger_totals(ledger, &totals, &err));
	return totals.state[state].files;
}

void
assert_row(const struct world *world, const char *path, const char *wanted)
{
	AUTO(ledger_closep) struct ledger *ledger = NULL;
	struct ledger_row row;
	struct err err;
	char text[1200];
	int found;

	ok(ledger_open(scratch_path(world->scratch, "state/mirror/ledger.sqlite"),
		LEDGER_RO, &ledger, &err));
	found = ledger_find(ledger, path, &row, &err);
	if (found != 1) {
		(void)snprintf(
			text, sizeof(text), "%s", found == 0 ? "absent" : "inside");
	} else {
		(void)snprintf(text, sizeof(text), "%s%s%s", ledger_state_word(row.state),
			row.reason[0] != '\0' ? " " : "", row.reason);
	}
	assert_string_equal(text, wanted);
}

void
sit_down(const struct world *world, struct seat *seat)
{
	AUTO_FREE char *text = xasprintf("[[watch]]\npath = \"%s/notes\"\n[brain]\n"
					 "repo = \"%s/brain\"\nbranch = \"host/test\"\n",
		world->scratch->path, world->scratch->path);
	struct err err;

	ok(config_parse(text, strlen(text), "mirror.toml", &seat->config, &err));
	ok(kit_open(seat->config, &seat->kit, &err));
	assert_int_equal(jobqueue_lock(seat->kit->queue, 0, &err), 1);
	ok(kit_start(seat->kit, &err));
}

void
leave(struct seat *seat)
{
	kit_stop(seat->kit);
	jobqueue_unlock(seat->kit->queue);
	kit_freep(&seat->kit);
	config_freep(&seat->config);
}
