// SPDX-License-Identifier: GPL-2.0-or-later

#include "churn/witness.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OUT_MAX = 256 * 1024 * 1024,
	GIT_DEADLINE_MS = 120000,
	PLACE_MAX = 64,
	OID_HEX = 41,
};

__attribute__((format(printf, 2, 3))) static bool
wrong(struct witness_story *story, const char *fmt, ...)
{
	char text[sizeof(story->text)];
	AUTO_FREE char *shown = NULL;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	shown = path_printable(text);
	(void)snprintf(story->text, sizeof(story->text), "%s", shown);
	return false;
}

// ---- the disk

struct disk {
	const struct shadow *shadow;
	struct witness_story *story;
};

static bool
same_bytes(struct disk *disk, const char *path, const struct shadow_body *body)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *data = xmalloc(body->len + 1);
	ssize_t got = fd < 0 ? -1 : read(fd, data, body->len + 1);

	if (got != (ssize_t)body->len ||
		(body->len > 0 && memcmp(data, body->data, body->len) != 0)) {
		return wrong(disk->story, "somebody changed the bytes of %s", path);
	}
	return true;
}

static bool
same_names(struct disk *disk, const char *path, const struct shadow_node *folder)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		count++;
	}
	if (dir == NULL || count != folder->nchildren + 2) {
		(void)(dir != NULL && closedir(dir));
		return wrong(disk->story, "%s has %zu entries, not %zu", path, count,
			folder->nchildren + 2);
	}
	(void)closedir(dir);
	return true;
}

static bool
look_at_disk(const struct shadow_node *node, void *payload)
{
	struct disk *disk = payload;
	AUTO_FREE char *rel = shadow_path(node);
	AUTO_FREE char *path = path_join(disk->shadow->path, rel);
	char target[4096];
	struct stat info;
	ssize_t len;

	if (lstat(path, &info) < 0) {
		return wrong(disk->story, "somebody removed %s", path);
	}
	if (node->type != SHADOW_LINK && (info.st_mode & 07777) != node->body->mode) {
		return wrong(disk->story, "somebody changed the mode of %s: %o not %o",
			path, info.st_mode, node->body->mode);
	}
	switch (node->type) {
	case SHADOW_FOLDER:
		return S_ISDIR(info.st_mode) ? same_names(disk, path, node)
					     : wrong(disk->story, "%s: no folder", path);
	case SHADOW_FILE:
		return S_ISREG(info.st_mode) && info.st_nlink == node->body->users
			? same_bytes(disk, path, node->body)
			: wrong(disk->story, "%s: no file, or other links", path);
	case SHADOW_LINK:
		len = readlink(path, target, sizeof(target));
		return len == (ssize_t)node->body->len &&
				memcmp(target, node->body->data, node->body->len) == 0
			? true
			: wrong(disk->story, "%s: another target", path);
	case SHADOW_FIFO:
		return S_ISFIFO(info.st_mode) ? true
					      : wrong(disk->story, "%s: no fifo", path);
	}
	return true;
}

bool
witness_disk(const struct shadow *shadow, struct witness_story *ret_story)
{
	struct disk disk = { shadow, ret_story };

	return shadow_each(shadow->top, false, look_at_disk, &disk);
}

// ---- git's programs

static bool
git(const char *brain, const char *const *words, const void *input, size_t input_len,
	struct spawn_result *result, struct witness_story *story)
{
	const char *argv[16] = { "git", "-C", brain };
	size_t n = 3;
	struct spawn plan = { .argv = argv,
		.input = input,
		.input_len = input_len,
		.deadline_ms = GIT_DEADLINE_MS };
	struct err err = { 0 };

	while (*words != NULL && n + 1 < countof(argv)) {
		argv[n++] = *words++;
	}
	if (spawn_run(&plan, result, &err) < 0) {
		return wrong(story, "git: %s", err.msg);
	}
	return result->status == 0
		? true
		: wrong(story, "git %s: exit status %d: %s%s", argv[3], result->status,
			  buf_text(&result->out), buf_text(&result->errors));
}

bool
witness_fsck(const char *brain, struct witness_story *ret_story)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(OUT_MAX);
	const char *const words[] = { "fsck", "--strict", "--no-dangling",
		"--no-progress", NULL };

	if (!git(brain, words, NULL, 0, &result, ret_story)) {
		return false;
	}
	return result.out.len == 0 && strstr(buf_text(&result.errors), "error") == NULL &&
			strstr(buf_text(&result.errors), "warning") == NULL
		? true
		: wrong(ret_story, "git fsck: %s%s", buf_text(&result.out),
			  buf_text(&result.errors));
}

bool
witness_status(const char *brain, struct witness_story *ret_story)
{
	AUTO(spawn_result_done) struct spawn_result result = SPAWN_RESULT(OUT_MAX);
	const char *const words[] = { "status", "--porcelain", "--untracked-files=all",
		NULL };

	if (!git(brain, words, NULL, 0, &result, ret_story)) {
		return false;
	}
	return result.out.len == 0
		? true
		: wrong(ret_story, "git status: %.300s", buf_text(&result.out));
}

// ---- what HEAD holds

struct held {
	/** Into the answer of ls-tree. */
	const char *path;
	unsigned int mode;
	char oid[OID_HEX];
	bool wanted;
	/** Of a text below .mirror/folders: its bytes. */
	const char *text;
	size_t len;
};

struct head {
	const struct shadow *shadow;
	const char *brain;
	bool whole;
	struct held *held;
	size_t nheld;
	struct witness_story *story;
};

static int
by_path(const void *left, const void *right)
{
	return strcmp(
		((const struct held *)left)->path, ((const struct held *)right)->path);
}

static struct held *
find(const struct head *head, const char *path)
{
	struct held key = { .path = path };

	return bsearch(&key, head->held, head->nheld, sizeof(key), by_path);
}

static bool
read_tree(struct head *head, struct spawn_result *result)
{
	const char *const words[] = { "ls-tree", "-r", "-z", "--full-tree", "HEAD",
		NULL };
	size_t capacity = 0;
	const char *at;

	if (!git(head->brain, words, NULL, 0, result, head->story)) {
		return false;
	}
	for (at = buf_text(&result->out);
		at < buf_text(&result->out) + result->out.len;) {
		struct held held = { 0 };
		const char *tab = strchr(at, '\t');

		if (tab == NULL || sscanf(at, "%o %*s %40s", &held.mode, held.oid) != 2) {
			return wrong(head->story, "ls-tree says %s", at);
		}
		held.path = tab + 1;
		head->held =
			xgrow(head->held, head->nheld, &capacity, sizeof(head->held[0]));
		head->held[head->nheld++] = held;
		at = tab + strlen(tab) + 1;
	}
	if (head->nheld > 1) {
		qsort(head->held, head->nheld, sizeof(head->held[0]), by_path);
	}
	return true;
}

static void
blob_name(const void *data, size_t len, char oid[OID_HEX])
{
	AUTO(hash_freep) struct hash *hash = hash_sha1_new();
	uint8_t digest[HASH_SHA1_LEN];
	char head[32];

	hash_add(hash, head, (size_t)snprintf(head, sizeof(head), "blob %zu", len) + 1);
	hash_add(hash, data, len);
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), oid);
}

// ---- section 6: escapes

static size_t
utf8_len(const unsigned char *at)
{
	for (size_t len = 4; len > 0; len--) {
		if (strnlen((const char *)at, len) == len &&
			path_is_utf8((const char *)at, len)) {
			// The shortest prefix that is one code point.
			size_t one = at[0] < 0x80 ? 1
				: at[0] < 0xe0    ? 2
				: at[0] < 0xf0    ? 3
						  : 4;

			return MIN_OF(one, len);
		}
	}
	return 0;
}

static char *
escaped(const char *text)
{
	size_t len = strlen(text);
	char *out = xmalloc(len * 4 + 1);
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		const unsigned char *c = (const unsigned char *)text + i;
		size_t one = utf8_len(c);
		bool edge = *c == ' ' && (i == 0 || i + 1 == len);
		bool c1 = one == 2 && c[0] == 0xc2 && c[1] < 0xa0;
		bool plain =
			one > 0 && !c1 && !edge && *c >= 0x20 && *c != 0x7f && *c != '\\';

		one = MAX_OF(one, (size_t)1);
		for (size_t j = 0; j < one; j++) {
			n += (size_t)sprintf(out + n, plain ? "%c" : "\\x%02x", c[j]);
		}
		i += one;
	}
	out[n] = '\0';
	return out;
}

static void
place(const char *below, const char *path, char at[PLACE_MAX])
{
	AUTO_FREE char *text = escaped(path);
	uint8_t digest[HASH_SHA1_LEN];
	char hex[OID_HEX];

	hash_sha1(text, strlen(text), digest);
	hash_hex(digest, sizeof(digest), hex);
	(void)snprintf(at, PLACE_MAX, ".mirror/%s/%.2s/%s", below, hex, hex + 2);
}

// ---- names and bytes

static bool
look_at_entry(struct head *head, const struct shadow_node *node, const char *path)
{
	struct held *held = find(head, path);
	unsigned int mode = node->type == SHADOW_LINK ? 0120000
		: (node->body->mode & 0100) != 0      ? 0100755
						      : 0100644;
	char at[PLACE_MAX];
	char oid[OID_HEX];

	if (held == NULL) {
		place("files", path, at);
		held = find(head, at);
		mode = 0100644;
	}
	if (held == NULL) {
		return wrong(head->story, "HEAD does not have %s", path);
	}
	// Another path's event does not tell of a write through this one.
	held->wanted = true;
	if (!head->whole && node->body->users > 1) {
		return true;
	}
	blob_name(node->body->data, node->body->len, oid);
	if (held->mode != mode || strcmp(held->oid, oid) != 0) {
		return wrong(head->story, "HEAD has %06o %s for %s, not %06o %s",
			held->mode, held->oid, path, mode, oid);
	}
	return true;
}

static bool
look_at_node(const struct shadow_node *node, void *payload)
{
	struct head *head = payload;
	AUTO_FREE char *path = NULL;
	char at[PLACE_MAX];
	struct held *held;

	if (shadow_is_excluded(node) || node->type == SHADOW_FIFO ||
		!shadow_is_watched(head->shadow, node)) {
		return true;
	}
	path = shadow_path(node);
	if (node->type != SHADOW_FOLDER) {
		return look_at_entry(head, node, path);
	}
	place("folders", path, at);
	held = find(head, at);
	if (held == NULL) {
		return wrong(head->story, "HEAD has no text about the folder %s", path);
	}
	held->wanted = true;
	return true;
}

static bool
nothing_else(const struct head *head)
{
	for (size_t i = 0; i < head->nheld; i++) {
		const struct held *held = &head->held[i];

		if (!held->wanted && strcmp(held->path, ".mirror/RECOVERY.md") != 0) {
			return wrong(head->story, "HEAD has %s besides", held->path);
		}
	}
	return true;
}

// ---- section 3: the texts

static bool
read_texts(struct head *head, struct spawn_result *result)
{
	const char *const words[] = { "cat-file", "--batch", "--buffer", NULL };
	AUTO(buf_done) struct buf ask = { .max = OUT_MAX };
	struct err err;
	const char *at;

	for (size_t i = 0; i < head->nheld; i++) {
		if (strncmp(head->held[i].path, ".mirror/folders/", 16) == 0 &&
			buf_add_fmt(&ask, &err, "%s\n", head->held[i].oid) < 0) {
			return wrong(head->story, "%s", err.msg);
		}
	}
	if (!git(head->brain, words, buf_text(&ask), ask.len, result, head->story)) {
		return false;
	}
	at = buf_text(&result->out);
	for (size_t i = 0; i < head->nheld; i++) {
		const char *end = strchr(at, '\n');

		if (strncmp(head->held[i].path, ".mirror/folders/", 16) != 0) {
			continue;
		}
		if (end == NULL || sscanf(at, "%*s blob %zu", &head->held[i].len) != 1) {
			return wrong(head->story, "cat-file says %.80s", at);
		}
		head->held[i].text = end + 1;
		at = end + 1 + head->held[i].len + 1;
	}
	return true;
}

struct text {
	char *data;
	size_t len;
};

static void
text_done(struct text *text)
{
	free(text->data);
}

__attribute__((format(printf, 2, 3))) static void
say(struct text *text, const char *fmt, ...)
{
	AUTO_FREE char *more = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&more, fmt, args);
	va_end(args);
	if (len >= 0) {
		text->data = xrealloc(text->data, text->len + (size_t)len + 1);
		memcpy(text->data + text->len, more, (size_t)len + 1);
		text->len += (size_t)len;
	}
}

static int
by_name(const void *left, const void *right)
{
	const struct shadow_node *const *a = left;
	const struct shadow_node *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

static void
say_entry(const struct head *head, const struct shadow_node *node, struct text *text)
{
	AUTO_FREE char *name = escaped(node->name);
	AUTO_FREE char *path = shadow_path(node);
	AUTO_FREE char *disk = path_join(head->shadow->path, path);
	char at[PLACE_MAX];
	struct stat info;

	if (node->type == SHADOW_FIFO || shadow_is_excluded(node)) {
		return;
	}
	if (node->type == SHADOW_FOLDER) {
		say(text, "dir\t%s\n", name);
		return;
	}
	if (lstat(disk, &info) < 0) {
		return;
	}
	say(text, "%s\t%04o %" PRId64 ".%09ld %zu",
		node->type == SHADOW_LINK ? "link" : "file",
		node->type == SHADOW_LINK ? 0777U : (unsigned int)node->body->mode,
		(int64_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec, node->body->len);
	if (find(head, path) == NULL) {
		place("files", path, at);
		say(text, " at=%s", at);
	}
	// The word is the program's own; that the right ones share it is all that counts.
	if (node->body->users > 1) {
		say(text, " same=%llx-%llx", (unsigned long long)info.st_dev,
			(unsigned long long)info.st_ino);
	}
	say(text, "\t%s\n", name);
}

static bool
look_at_text(const struct shadow_node *node, void *payload)
{
	struct head *head = payload;
	AUTO(text_done) struct text text = { 0 };
	AUTO_FREE char *path = shadow_path(node);
	AUTO_FREE char *shown = escaped(path);
	AUTO_FREE char *disk = path_join(head->shadow->path, path);
	const struct held *held;
	char at[PLACE_MAX];
	struct stat info;

	if (node->type != SHADOW_FOLDER || shadow_is_excluded(node) ||
		!shadow_is_watched(head->shadow, node) || lstat(disk, &info) < 0) {
		return true;
	}
	place("folders", path, at);
	held = find(head, at);
	say(&text, "mirror-folder 1\npath\t%s\nself\t%04o %" PRId64 ".%09ld\n", shown,
		(unsigned int)node->body->mode, (int64_t)info.st_mtim.tv_sec,
		info.st_mtim.tv_nsec);
	if (node->nchildren > 1) {
		qsort(node->children, node->nchildren, sizeof(struct shadow_node *),
			by_name);
	}
	for (size_t i = 0; i < node->nchildren; i++) {
		say_entry(head, node->children[i], &text);
	}
	if (held != NULL && held->len == text.len &&
		memcmp(held->text, text.data, text.len) == 0) {
		return true;
	}
	return wrong(head->story, "HEAD says of %s: %.*s and it is: %s", path,
		held != NULL ? (int)MIN_OF(held->len, (size_t)400) : 0,
		held != NULL ? held->text : "", text.data);
}

bool
witness_head(const struct shadow *shadow, const char *brain, bool whole,
	struct witness_story *ret_story)
{
	AUTO(spawn_result_done) struct spawn_result tree = SPAWN_RESULT(OUT_MAX);
	AUTO(spawn_result_done) struct spawn_result texts = SPAWN_RESULT(OUT_MAX);
	struct head head = {
		.shadow = shadow, .brain = brain, .whole = whole, .story = ret_story
	};
	bool good = read_tree(&head, &tree) &&
		shadow_each(shadow->top, true, look_at_node, &head) &&
		nothing_else(&head) &&
		(!whole ||
			(read_texts(&head, &texts) &&
				shadow_each(shadow->top, true, look_at_text, &head)));

	free(head.held);
	return good;
}
