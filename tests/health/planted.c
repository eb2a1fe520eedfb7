// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/planted.h"

#include "base/clock.h"
#include "base/mem.h"
#include "brain/commit.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "config/config.h"
#include "health/record.h"
#include "health/tick.h"
#include "ledger/inode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG                                                                           \
	"[[watch]]\npath = \"%ROOT%\"\nname = \"notes\"\n"                               \
	"[brain]\nremote = \"git@git.example.org:me/brain.git\"\nrepo = \"%REPO%\"\n"    \
	"branch = \"host/test\"\n"

static char *
put_in(const char *text, const char *mark, const char *value)
{
	char *copy = xstrdup(text);
	char *at;

	while ((at = strstr(copy, mark)) != NULL) {
		char *longer = xasprintf(
			"%.*s%s%s", (int)(at - copy), copy, value, at + strlen(mark));

		free(copy);
		copy = longer;
	}
	return copy;
}

void
planted_config(struct planted *machine, const char *text)
{
	struct err err;
	AUTO_FREE char *rooted = put_in(text, "%ROOT%", machine->root);
	AUTO_FREE char *whole =
		put_in(rooted, "%REPO%", scratch_path(machine->scratch, "brain"));

	config_free(machine->config);
	machine->config = NULL;
	ok(config_parse(whole, strlen(whole), "mirror.toml", &machine->config, &err));
	machine->input.config = machine->config;
}

static struct ledger *
open_ledger(struct planted *machine)
{
	AUTO_FREE char *path = xasprintf("%s/%s", machine->state_dir, RECORD_LEDGER);
	struct ledger *ledger = NULL;
	struct err err;

	ok(ledger_open(path, LEDGER_RW, &ledger, &err));
	return ledger;
}

static struct inode
inode_at(const char *path)
{
	struct stat info;

	if (lstat(path, &info) < 0) {
		return (struct inode){ .mode = S_IFREG | 0644 };
	}
	return inode_of_stat(&info);
}

static void
put_row(struct planted *machine, const char *name, enum ledger_state state,
	const char *reason, int64_t since_ms, const struct oid *oid)
{
	AUTO(ledger_closep) struct ledger *ledger = open_ledger(machine);
	AUTO_FREE char *path = xasprintf("%s/%s", machine->root, name);
	struct ledger_row row = {
		.name = name,
		.name_len = strlen(name),
		.state = state,
		.reason = reason,
		.since_ms = since_ms,
		.inode = inode_at(path),
	};
	struct err err;

	if (oid != NULL) {
		row.oid.set = true;
		memcpy(row.oid.bytes, oid->id, OID_LEN);
	}
	ok(ledger_begin(ledger, &err));
	ok(ledger_row_put(ledger, ledger_root(ledger, "notes", &err), &row, &err));
	ok(ledger_commit(ledger, &err));
}

void
planted_row(struct planted *machine, const char *name, enum ledger_state state,
	const char *reason, int64_t since_ms)
{
	put_row(machine, name, state, reason, since_ms, NULL);
}

void
planted_meta(struct planted *machine, const char *key, const char *value)
{
	AUTO(ledger_closep) struct ledger *ledger = open_ledger(machine);
	struct err err;

	ok(ledger_begin(ledger, &err));
	ok(ledger_meta_set(ledger, key, value, &err));
	ok(ledger_commit(ledger, &err));
}

void
planted_commit(struct planted *machine, const char *name, int64_t at_ms, bool recorded)
{
	const struct repo_options options = {
		.path = scratch_path(machine->scratch, "brain"),
		.branch = "host/test",
		.worktree = true,
	};
	AUTO(repo_closep) struct repo *repo = NULL;
	struct pack *pack = NULL;
	struct pack_stats stats;
	struct oid blob;
	struct oid tree = { { 0 } };
	struct oid base = { { 0 } };
	struct err err;
	AUTO_FREE char *path = xasprintf("notes/%s", name);
	AUTO_FREE char *file = xasprintf("root/%s", name);
	struct commit commit = {
		.name = "mirror",
		.email = "mirror@test",
		.time = at_ms / 1000,
		.message = "a cycle",
	};

	scratch_write_text(machine->scratch, file, name);
	ok(repo_open(&options, true, &repo, &err));
	if (!oid_is_zero(&machine->head)) {
		ok(repo_commit_tree(repo, &machine->head, &base, &err));
	}
	ok(pack_begin(repo, &pack, &err));
	ok(pack_add(pack, OBJECT_BLOB, name, strlen(name), &blob, &err));

	struct tree_change change = { path, TREE_FILE, blob };

	ok(tree_update(
		repo, pack, oid_is_zero(&base) ? NULL : &base, &change, 1, &tree, &err));
	commit.tree = tree;
	commit.parent = machine->head;
	ok(commit_write(pack, &commit, &commit.tree, &err));

	struct oid made = commit.tree;

	ok(pack_finish(pack, &stats, &err));
	ok(repo_refresh(repo, &err));
	ok(repo_move_ref(repo, oid_is_zero(&machine->head) ? NULL : &machine->head, &made,
		"cycle", &err));
	machine->head = made;
	if (recorded) {
		char hex[OID_HEX_MAX];

		put_row(machine, name, LEDGER_MIRRORED, NULL, at_ms, &blob);
		planted_meta(machine, RECORD_META_HEAD, oid_hex(&made, hex));
	}
}

void
planted_evidence(struct planted *machine, const char *name, enum health_state state,
	const char *detail, int64_t at_ms)
{
	const struct evidence_fact fact = {
		.name = name,
		.state = state,
		.text = state == HEALTH_HEALTHY ? "as it should be" : "planted trouble",
		.action = state == HEALTH_HEALTHY ? NULL : "mirror planted",
		.detail = detail,
		.at_ms = at_ms,
	};
	struct err err;

	ok(evidence_put(machine->evidence, &fact, &err));
}

static void
sweep_root(struct planted *machine)
{
	AUTO(ledger_closep) struct ledger *ledger = open_ledger(machine);
	struct inode inode = inode_at(machine->root);
	struct ledger_root_facts facts = {
		.path = machine->root,
		.dev = inode.dev,
		.number = inode.number,
		.files = 3,
		.swept_ms = machine->now_ms - 1000,
	};
	struct err err;

	ok(ledger_begin(ledger, &err));
	ok(ledger_root_set(ledger, ledger_root(ledger, "notes", &err), &facts, &err));
	ok(ledger_commit(ledger, &err));
}

struct planted *
planted_new(const struct scratch *scratch)
{
	static const char *const measured[] = { "completeness", "exclusions", "integrity",
		"drill", "secrets", "watches", "offsite" };
	struct planted *machine = xcalloc(1, sizeof(*machine));
	char hex[OID_HEX_MAX];
	char boot[TICK_BOOT_MAX];
	struct err err;

	machine->scratch = scratch;
	machine->now_ms = clock_now_ms();
	scratch_mkdir(scratch, "state");
	scratch_mkdir(scratch, "root");
	scratch_mkdir(scratch, "sysroot");
	machine->state_dir = xstrdup(scratch_path(scratch, "state"));
	machine->root = xstrdup(scratch_path(scratch, "root"));
	machine->input = (struct health_input){
		.state_dir = machine->state_dir,
		.now_ms = machine->now_ms,
		.mono_ms = clock_mono_ms(),
		.sysroot = xstrdup(scratch_path(scratch, "sysroot")),
	};
	planted_config(machine, CONFIG);
	ok(jobqueue_open(machine->state_dir, &machine->queue, &err));
	assert_int_equal(jobqueue_lock(machine->queue, 0, &err), 1);
	ok(evidence_open(machine->state_dir, EVIDENCE_RW, &machine->evidence, &err));
	ok(tick_open(machine->state_dir, &machine->tick, &err));
	planted_commit(machine, "a.md", machine->now_ms - 5000, true);
	planted_commit(machine, "b.md", machine->now_ms - 4000, true);
	planted_commit(machine, "c.md", machine->now_ms - 3000, true);
	sweep_root(machine);
	for (size_t i = 0; i < countof(measured); i++) {
		planted_evidence(machine, measured[i], HEALTH_HEALTHY, NULL,
			machine->now_ms - 1000);
	}
	tick_boot_id(boot);
	planted_evidence(
		machine, RECORD_START, HEALTH_HEALTHY, boot, machine->now_ms - 9000);
	planted_evidence(machine, RECORD_REMOTE, HEALTH_HEALTHY,
		oid_hex(&machine->head, hex), machine->now_ms - 1000);
	planted_evidence(machine, "push", HEALTH_HEALTHY, hex, machine->now_ms - 1000);
	tick_beat(machine->tick, "watching");
	return machine;
}

void
planted_free(struct planted *machine)
{
	health_report_done(&machine->report);
	tick_close(machine->tick);
	evidence_close(machine->evidence);
	jobqueue_close(machine->queue);
	config_free(machine->config);
	free(machine->state_dir);
	free(machine->root);
	free((void *)(uintptr_t)machine->input.sysroot);
	free(machine);
}

int
planted_setup(void **state)
{
	if (scratch_setup(state) != 0) {
		return -1;
	}
	*state = planted_new(*state);
	return 0;
}

int
planted_teardown(void **state)
{
	struct planted *machine = *state;
	void *scratch = (void *)(uintptr_t)machine->scratch;

	planted_free(machine);
	return scratch_teardown_all(&scratch);
}

void
planted_pass(struct planted *machine, int64_t ms)
{
	machine->input.now_ms += ms;
	machine->input.mono_ms += ms;
}

void
planted_agent_ends(struct planted *machine, bool stopped)
{
	jobqueue_unlock(machine->queue);
	if (stopped) {
		planted_evidence(machine, RECORD_STOP, HEALTH_HEALTHY, NULL,
			machine->now_ms - 500);
	}
}

void
planted_no_agent(struct planted *machine)
{
	struct err err;

	jobqueue_unlock(machine->queue);
	ok(evidence_forget(machine->evidence, RECORD_START, &err));
	tick_close(STEAL(machine->tick));
	assert_int_equal(scratch_sh(machine->scratch, "rm state/tick"), 0);
}

void
planted_measure(struct planted *machine)
{
	struct err err;

	health_report_done(&machine->report);
	ok(health_measure(&machine->input, &machine->report, &err));
}

const struct health_fact *
planted_fact(struct planted *machine, const char *name)
{
	const struct health_fact *fact = health_report_find(&machine->report, name);

	if (fact == NULL) {
		fail_msg("there is no fact %s", name);
	}
	return fact;
}

void
planted_assert_state(struct planted *machine, const char *name, enum health_state state,
	const char *file, int line)
{
	const struct health_fact *fact;

	planted_measure(machine);
	fact = planted_fact(machine, name);
	if (fact->state != state) {
		fail_msg("%s:%d: %s is %s, not %s: %s", file, line, name,
			health_state_word(fact->state), health_state_word(state),
			fact->evidence);
	}
	if (state != HEALTH_HEALTHY) {
		assert_true(fact->evidence[0] != '\0' && fact->action[0] != '\0');
	}
}
