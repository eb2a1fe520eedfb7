// SPDX-License-Identifier: GPL-2.0-or-later

#include "view/why.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "config/config.h"
#include "view/row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** Commits looked at to find when the safe version was made. */
	WHY_COMMITS_MAX = 5000,
	RULE_LINE_MAX = 300,
};

// The line of the configuration behind "rule:<file>:<line>".  Owned; NULL when it cannot
// be read any more.
static char *
read_rule_line(const char *reason)
{
	const char *colon = strrchr(reason, ':');
	AUTO(buf_done) struct buf text = { .max = CONFIG_FILE_MAX };
	AUTO_FREE char *file = NULL;
	struct err ignored;
	const char *at;
	size_t len;

	if (strncmp(reason, "rule:", 5) != 0 || colon <= reason + 5) {
		return NULL;
	}
	file = xmemdup0(reason + 5, (size_t)(colon - reason - 5));
	if (file_read(AT_FDCWD, file, &text, &ignored) < 0) {
		return NULL;
	}
	at = buf_text(&text);
	for (long line = strtol(colon + 1, NULL, 10); line > 1 && *at != '\0'; line--) {
		at = strchrnul(at, '\n');
		at += *at == '\n';
	}
	len = MIN_OF(strcspn(at, "\n"), (size_t)RULE_LINE_MAX);

	AUTO_FREE char *line = xmemdup0(at, len);
	return len > 0 ? path_printable(line) : NULL;
}

int
view_why_row(
	struct ledger *ledger, const char *path, struct view_why *why, struct err *err)
{
	struct ledger_row row;

	why->next = "mirror --once";
	why->found = ledger_find(ledger, path, &row, err);
	if (why->found <= 0) {
		return why->found;
	}
	// Its texts belong to the ledger.
	why->row = row;
	why->row.name = NULL;
	why->row.reason = xstrdup(row.reason);
	why->rule_line = read_rule_line(row.reason);
	why->next = view_next(row.state, ledger_kind_of(row.state, row.reason));
	return why->found;
}

char *
view_disk_of(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		size_t len = strlen(watch->name);

		if (path_is_beneath(path, watch->name) && path[len] == '/') {
			return path_join(watch->path, path + len + 1);
		}
	}
	return NULL;
}

void
view_why_disk(const struct config *config, const char *path, struct view_why *why)
{
	enum ledger_state state = why->row.state;
	AUTO_FREE char *disk = NULL;
	struct stat info;
	struct inode now;

	if (why->found != 1 ||
		(state != LEDGER_MIRRORED && state != LEDGER_REDACTED &&
			state != LEDGER_SEALED)) {
		return;
	}
	disk = view_disk_of(config, path);
	// A name with a mark in it is not the one on the disk.
	if (disk == NULL || strstr(path, "REDACTED.") != NULL) {
		return;
	}
	if (lstat(disk, &info) == 0) {
		now = inode_of_stat(&info);
		why->changed = !inode_same_content(&now, &why->row.inode);
	} else {
		why->gone = errno == ENOENT || errno == ENOTDIR;
	}
	if (why->gone || why->changed) {
		why->next = "mirror --once";
	}
}

void
view_why_done(struct view_why *why)
{
	free((char *)(uintptr_t)why->row.reason);
	free(why->rule_line);
}

// One step back through the history, while the path holds the same blob.
struct search {
	struct repo *repo;
	const char *path;
	struct view_safe *safe;
	size_t seen;
	struct err *err;
};

static int
look_at_commit(const struct repo_commit *commit, void *payload)
{
	struct search *search = payload;
	struct view_safe *safe = search->safe;
	struct oid blob;
	uint32_t mode = 0;
	int found = repo_tree_at(
		search->repo, &commit->tree, search->path, &mode, &blob, search->err);

	if (found < 0) {
		return found;
	}
	if (search->seen++ == 0) {
		safe->current = found > 0;
	}
	if (found > 0 && !safe->known) {
		safe->known = true;
		safe->blob = blob;
		safe->mode = mode;
	} else if (safe->known && (found == 0 || !oid_equal(&blob, &safe->blob))) {
		return 1;
	}
	if (safe->known) {
		safe->commit = commit->id;
		safe->time = commit->time;
	}
	return search->seen >= WHY_COMMITS_MAX;
}

int
view_why_safe(struct repo *repo, const char *path, struct view_why *why, struct err *err)
{
	struct search search = {
		.repo = repo,
		.path = path,
		.safe = &why->safe,
		.err = err,
	};
	struct oid head;
	int found = repo_head(repo, &head, err);

	if (found <= 0) {
		return found;
	}
	return MIN_OF(repo_log(repo, &head, look_at_commit, &search, err), 0);
}

void
view_why_set(struct json *object, const struct view_why *why)
{
	const struct view_safe *safe = &why->safe;
	char id[OID_HEX_MAX];

	if (why->found == 0) {
		json_set_null(object, "state");
	} else {
		json_set_text(object, "state", ledger_state_word(why->row.state));
		json_set_text(object, "reason", why->row.reason);
		json_set_bool(object, "by_folder", why->found == 2);
		json_set_text(object, "line", why->rule_line);
		json_set_int(object, "spans", why->row.spans);
		view_date(object, "since", why->row.since_ms);
		json_set_bool(object, "changed", why->changed || why->gone);
	}
	json_set_text(
		object, "safe_commit", safe->known ? oid_hex(&safe->commit, id) : NULL);
	view_date(object, "safe_at", safe->known ? safe->time * 1000 : 0);
	json_set_text(object, "next", why->next);
}
