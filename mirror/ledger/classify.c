// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/classify.h"

#include "base/path.h"

#include <string.h>
#include <sys/stat.h>

static bool
is_own(const struct classify_rules *rules, const struct inode *inode)
{
	for (size_t i = 0; i < rules->nown; i++) {
		if (rules->own[i].dev == inode->dev &&
			rules->own[i].number == inode->number) {
			return true;
		}
	}
	return false;
}

static const struct classify_glob *
matching_glob(const struct classify_glob *globs, size_t count, const char *rel)
{
	for (size_t i = 0; i < count; i++) {
		if (path_matches(globs[i].pattern, rel)) {
			return &globs[i];
		}
	}
	return NULL;
}

// The glob by which this file is too old to be kept, or NULL.
static const struct classify_glob *
rolled_out(const struct classify_rules *rules, const struct inode *inode, const char *rel)
{
	return S_ISREG(inode->mode) && inode->mtime_ns < rules->oldest_ns
		? matching_glob(rules->rolling, rules->nrolling, rel)
		: NULL;
}

static bool
is_regenerable(const struct classify_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->nregenerable; i++) {
		if (strcmp(rules->regenerable[i], name) == 0) {
			return true;
		}
	}
	return false;
}

// The reason to leave it out, or NONE; @ret_detail is what stands behind the colon.
static enum ledger_kind
why_excluded(const struct classify_rules *rules, const struct inode *inode,
	const char *name, const char *rel, const char **ret_detail)
{
	const struct classify_glob *glob;

	if (is_own(rules, inode)) {
		return LEDGER_KIND_OWN_STATE;
	}
	if (strcmp(name, ".git") == 0) {
		return LEDGER_KIND_GIT_INTERNALS;
	}
	glob = matching_glob(rules->excludes, rules->nexcludes, rel);
	if (glob != NULL) {
		*ret_detail = glob->origin;
		return LEDGER_KIND_RULE;
	}
	glob = rolled_out(rules, inode, rel);
	if (glob != NULL) {
		*ret_detail = glob->origin;
		return LEDGER_KIND_WINDOW;
	}
	if (S_ISDIR(inode->mode) && is_regenerable(rules, name)) {
		*ret_detail = name;
		return LEDGER_KIND_REGENERABLE;
	}
	if (inode->dev != rules->root_dev && !rules->cross_filesystems) {
		return LEDGER_KIND_OTHER_FILESYSTEM;
	}
	if (!S_ISREG(inode->mode) && !S_ISLNK(inode->mode) && !S_ISDIR(inode->mode)) {
		return LEDGER_KIND_SPECIAL;
	}
	if (S_ISREG(inode->mode) && rules->max_size > 0 &&
		inode->size > rules->max_size) {
		return LEDGER_KIND_TOO_LARGE;
	}
	return LEDGER_KIND_NONE;
}

void
classify(const struct classify_rules *rules, const struct inode *inode, const char *name,
	const char *rel, struct classify_answer *ret_answer)
{
	const char *detail = NULL;

	ret_answer->reason[0] = '\0';
	ret_answer->why = why_excluded(rules, inode, name, rel, &detail);
	if (ret_answer->why != LEDGER_KIND_NONE) {
		ret_answer->kind = CLASSIFY_EXCLUDED;
		ledger_reason(ret_answer->reason, ret_answer->why, detail);
		return;
	}
	ret_answer->kind = S_ISDIR(inode->mode) ? CLASSIFY_FOLDER
		: S_ISLNK(inode->mode)          ? CLASSIFY_SYMLINK
						: CLASSIFY_FILE;
}
