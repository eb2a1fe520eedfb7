// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * ours (tags of this repository) - seen (mirror/milestones) = due
 *     due -> git push -> git ls-remote -> what is there is seen
 *
 * The file has a line for each: "there" (the remote has it) or "taken" (it has another of
 * that name), the id, the name; the first line says which remote that was.  Lost, it
 * costs one push that sends nothing.  After a purge an id here differs from our own:
 * then, and only then, the remote's tag is replaced, while it is still the one that we
 * brought.
 */

#include "brain/milestone.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push_room.h"
#include "brain/repo.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FILE_MAX = 16 << 20,
	ARGV_MAX = 2 * MILESTONE_ROUND_MAX + 12,
};

struct tag {
	char name[MILESTONE_NAME_MAX];
	struct oid id;
	bool taken;
};

struct tags {
	struct tag *items;
	size_t count;
	size_t capacity;
};

static void
tags_done(struct tags *tags)
{
	free(tags->items);
	*tags = (struct tags){ 0 };
}

static struct tag *
find(const struct tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->count; i++) {
		if (strcmp(tags->items[i].name, name) == 0) {
			return &tags->items[i];
		}
	}
	return NULL;
}

static void
put(struct tags *tags, const char *name, const struct oid *id, bool taken)
{
	struct tag *tag = find(tags, name);

	if (strlen(name) >= MILESTONE_NAME_MAX) {
		return;
	}
	if (tag == NULL) {
		tags->items = xgrow(tags->items, tags->count, &tags->capacity,
			sizeof(tags->items[0]));
		tag = &tags->items[tags->count++];
		(void)snprintf(tag->name, sizeof(tag->name), "%s", name);
	}
	tag->id = *id;
	tag->taken = taken;
}

// ---- what was seen

static void
read_line(const char *line, struct tags *tags)
{
	bool taken = strncmp(line, "taken ", 6) == 0;
	char hex[OID_HEX_MAX];
	struct oid id;

	if ((!taken && strncmp(line, "there ", 6) != 0) ||
		strlen(line) < 6 + OID_HEX_MAX || line[5 + OID_HEX_MAX] != ' ') {
		return;
	}
	memcpy(hex, line + 6, OID_HEX_MAX - 1);
	hex[OID_HEX_MAX - 1] = '\0';
	if (oid_parse(hex, &id)) {
		put(tags, line + 6 + OID_HEX_MAX, &id, taken);
	}
}

// Of that @place alone; NULL for any.  What cannot be read was not seen.
static void
read_seen(const char *git_dir, const char *place, struct tags *ret_tags)
{
	AUTO_FREE char *path = path_join(git_dir, "mirror/milestones");
	AUTO(buf_done) struct buf text = { .max = FILE_MAX };
	struct err ignored;
	char *rest;
	char *line;

	*ret_tags = (struct tags){ 0 };
	if (file_read(AT_FDCWD, path, &text, &ignored) < 0 || text.len == 0) {
		return;
	}
	rest = text.data;
	line = strsep(&rest, "\n");
	if (place != NULL && strcmp(line, place) != 0) {
		return;
	}
	while ((line = strsep(&rest, "\n")) != NULL) {
		read_line(line, ret_tags);
	}
}

static int
write_seen(
	const char *git_dir, const char *place, const struct tags *tags, struct err *err)
{
	AUTO_FREE char *path = path_join(git_dir, "mirror/milestones");
	AUTO(buf_done) struct buf text = { .max = FILE_MAX };
	char hex[OID_HEX_MAX];

	if (buf_add_fmt(&text, err, "%s\n", place) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < tags->count; i++) {
		const struct tag *tag = &tags->items[i];

		if (buf_add_fmt(&text, err, "%s %s %s\n", tag->taken ? "taken" : "there",
			    oid_hex(&tag->id, hex), tag->name) < 0) {
			return err->code;
		}
	}
	return file_replace_at(path, buf_text(&text), text.len, 0600, err);
}

bool
milestone_is_there(const char *git_dir, const char *name)
{
	AUTO(tags_done) struct tags seen;
	const struct tag *tag;

	read_seen(git_dir, NULL, &seen);
	tag = find(&seen, name);
	return tag != NULL && !tag->taken;
}

// ---- what is due

struct listing {
	const struct tags *seen;
	struct tags *due;
};

static int
list_due(const char *name, const struct oid *id, void *payload)
{
	const struct listing *listing = payload;
	const struct tag *seen = find(listing->seen, name);

	if (seen == NULL || (!seen->taken && !oid_equal(&seen->id, id))) {
		put(listing->due, name, id, false);
	}
	return listing->due->count == MILESTONE_ROUND_MAX;
}

static int
send_tags(struct push *push, const struct tags *seen, const struct tags *due,
	struct err *err)
{
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", push->options->git_dir);
	const char *argv[ARGV_MAX] = { "git", git_dir, "push", "--porcelain",
		"--no-follow-tags", "--recurse-submodules=no" };
	char *words[2 * MILESTONE_ROUND_MAX];
	size_t nwords = 0;
	size_t count = 6;
	char hex[OID_HEX_MAX];
	int result;

	for (size_t i = 0; i < due->count; i++) {
		const struct tag *old = find(seen, due->items[i].name);

		if (old != NULL) {
			words[nwords] = xasprintf("--force-with-lease=refs/tags/%s:%s",
				old->name, oid_hex(&old->id, hex));
			argv[count++] = words[nwords++];
		}
	}
	argv[count++] = "--";
	argv[count++] = push->url;
	for (size_t i = 0; i < due->count; i++) {
		words[nwords] = xasprintf("%s:refs/tags/%s",
			oid_hex(&due->items[i].id, hex), due->items[i].name);
		argv[count++] = words[nwords++];
	}
	result = push_git_run(push, argv, NULL, err);
	while (nwords > 0) {
		free(words[--nwords]);
	}
	return result;
}

// What the remote says to have of these names.
static int
list_remote(
	struct push *push, const struct tags *tags, struct buf *ret_text, struct err *err)
{
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", push->options->git_dir);
	const char *argv[ARGV_MAX] = { "git", git_dir, "ls-remote", "--", push->url };
	char *words[MILESTONE_ROUND_MAX];
	int result;

	for (size_t i = 0; i < tags->count; i++) {
		words[i] = xasprintf("refs/tags/%s", tags->items[i].name);
		argv[5 + i] = words[i];
	}
	result = push_git_run(push, argv, ret_text, err);
	for (size_t i = 0; i < tags->count; i++) {
		free(words[i]);
	}
	return result;
}

// What was sent is there, or another one is, or it was refused: then ours of before is
// there still, and is no other machine's.
static int
take_stock(const struct tags *due, const char *text, struct tags *seen,
	struct milestone_report *report)
{
	int missing = 0;

	for (size_t i = 0; i < due->count; i++) {
		const struct tag *tag = &due->items[i];
		AUTO_FREE char *ref = xasprintf("refs/tags/%s", tag->name);
		const struct tag *old = find(seen, tag->name);
		struct oid there;

		if (!push_git_find_ref(text, ref, &there) ||
			(old != NULL && !old->taken && oid_equal(&there, &old->id))) {
			missing++;
			continue;
		}
		if (oid_equal(&there, &tag->id)) {
			report->sent++;
		} else {
			report->taken++;
			memcpy(report->first_taken, tag->name,
				sizeof(report->first_taken));
		}
		put(seen, tag->name, &there, !oid_equal(&there, &tag->id));
	}
	return missing;
}

int
milestone_push(struct repo *repo, const struct push_options *options, const char *place,
	struct milestone_report *ret_report, struct err *err)
{
	AUTO(tags_done) struct tags seen;
	AUTO(tags_done) struct tags due = { 0 };
	AUTO(push_git_done) struct push push = { 0 };
	AUTO(buf_done) struct buf text = { .max = PUSH_GIT_OUT_MAX };
	struct push_result result;
	struct err refused;

	*ret_report = (struct milestone_report){ 0 };
	read_seen(options->git_dir, place, &seen);
	if (repo_each_milestone(repo, list_due, &(struct listing){ &seen, &due }, err) <
		0) {
		return err->code;
	}
	if (due.count == 0) {
		return 0;
	}
	ret_report->more = due.count == MILESTONE_ROUND_MAX;
	if (push_git_prepare(&push, options, &result, err) < 0) {
		return err->code;
	}
	int sent = send_tags(&push, &seen, &due, &refused);

	if (list_remote(&push, &due, &text, err) < 0) {
		return err->code;
	}
	int missing = take_stock(&due, buf_text(&text), &seen, ret_report);

	if (write_seen(options->git_dir, place, &seen, err) < 0) {
		return err->code;
	}
	if (missing > 0 && sent == 0) {
		return push_git_fail(&push, PUSH_UNVERIFIED, err);
	}
	*err = refused;
	return missing > 0 ? err->code : 0;
}

struct staleness {
	struct tags seen;
	size_t count;
};

static int
count_stale(const char *name, const struct oid *id, void *payload)
{
	struct staleness *staleness = payload;
	const struct tag *seen = find(&staleness->seen, name);

	staleness->count += seen != NULL && !seen->taken && !oid_equal(&seen->id, id);
	return 0;
}

int
milestone_stale(struct repo *repo, size_t *ret_count, struct err *err)
{
	struct staleness staleness = { .count = 0 };
	int result;

	read_seen(repo_git_dir(repo), NULL, &staleness.seen);
	result = repo_each_milestone(repo, count_stale, &staleness, err);
	tags_done(&staleness.seen);
	*ret_count = staleness.count;
	return MIN_OF(result, 0);
}

int
milestone_look(const struct push_options *options, const char *name, struct err *err)
{
	AUTO(push_git_done) struct push push = { 0 };
	AUTO(tags_done) struct tags one = { 0 };
	AUTO(buf_done) struct buf text = { .max = PUSH_GIT_OUT_MAX };
	AUTO_FREE char *ref = xasprintf("refs/tags/%s", name);
	struct push_result result;
	struct oid ignored = { { 0 } };

	put(&one, name, &ignored, false);
	if (push_git_prepare(&push, options, &result, err) < 0 ||
		list_remote(&push, &one, &text, err) < 0) {
		return err->code;
	}
	return push_git_find_ref(buf_text(&text), ref, &ignored) ? 1 : 0;
}
