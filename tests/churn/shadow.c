// SPDX-License-Identifier: GPL-2.0-or-later

#include "churn/shadow.h"

#include "base/mem.h"
#include "base/path.h"
#include "churn/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/** More is deleted than made beyond this. */
	SHADOW_FILES_WANTED = 400,
	SHADOW_DEPTH_MAX = 9,
	SHADOW_BYTES_MAX = 48 * 1024,
};

// Names that git, a server, a shell or a terminal take for something else.
static const char *const odd_names[] = { ".GIT", "git~1", ".gitignore", ".gitattributes",
	".gitmodules", ".git.", "-rf", "new\nline", "tab\there", "\xff\xfe", "\xc3\xbc",
	"u\xcc\x88", " ", " space ", "a\\b", ".mirror", ".mirror-new-0123", "con", "a:b",
	"\x1b[31mred", ".g\xe2\x80\x8cit", "GITMOD~1", "HEAD", "index.lock", "*", "?[a]",
	"name with 250 bytes "
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" };

// ---- on the disk

static char *
disk_path(const struct shadow *shadow, const struct shadow_node *node)
{
	AUTO_FREE char *rel = shadow_path(node);

	return path_join(shadow->path, rel);
}

static char *
disk_child(
	const struct shadow *shadow, const struct shadow_node *folder, const char *name)
{
	AUTO_FREE char *above = disk_path(shadow, folder);

	return path_join(above, name);
}

NORETURN static void
give_up(const struct shadow *shadow, const char *what, const char *path)
{
	AUTO_FREE char *shown = path_printable(path);

	(void)fprintf(stderr, "churn: %s %s: %s (after: %s)\n", what, shown,
		strerror(errno), shadow->last);
	exit(3);
}

static void
must(const struct shadow *shadow, int result, const char *what, const char *path)
{
	if (result < 0) {
		give_up(shadow, what, path);
	}
}

__attribute__((format(printf, 2, 3))) static void
note(struct shadow *shadow, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(shadow->last, sizeof(shadow->last), fmt, args);
	va_end(args);
}

// Whole, or only what is behind the first @from bytes.
static void
write_file(const struct shadow *shadow, const char *path, int flags, const char *data,
	size_t len)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
	size_t done = 0;

	must(shadow, fd, "open", path);
	while (done < len) {
		ssize_t got = write(fd, data + done, len - done);

		must(shadow, (int)got, "write", path);
		done += (size_t)got;
	}
}

// ---- chance

struct gather {
	const struct shadow *shadow;
	enum shadow_type type;
	size_t seen;
	struct shadow_node *found;
};

static bool
gather_one(const struct shadow_node *node, void *payload)
{
	struct gather *gather = payload;

	if (node->type != gather->type) {
		return true;
	}
	gather->seen++;
	if (dice_below(gather->shadow->dice, (uint32_t)gather->seen) == 0) {
		gather->found = (struct shadow_node *)(uintptr_t)node;
	}
	return true;
}

// Any node of this type, each with the same chance; NULL when there is none.
static struct shadow_node *
some(struct shadow *shadow, enum shadow_type type)
{
	struct gather gather = { .shadow = shadow, .type = type };

	(void)shadow_each(shadow->top, false, gather_one, &gather);
	return gather.found;
}

static bool
is_root(const struct shadow_node *node)
{
	return node->parent == NULL || node->parent->parent == NULL;
}

// A folder that is none of the roots.
static struct shadow_node *
some_inner(struct shadow *shadow)
{
	for (unsigned int tries = 0; tries < 8; tries++) {
		struct shadow_node *node = some(shadow, SHADOW_FOLDER);

		if (node != NULL && !is_root(node)) {
			return node;
		}
	}
	return NULL;
}

static void
some_name(struct shadow *shadow, const char *prefix, char name[256])
{
	uint32_t lot = dice_below(shadow->dice, 1000);

	if (lot < 80) {
		(void)snprintf(name, 256, "%s",
			odd_names[dice_below(shadow->dice, countof(odd_names))]);
	} else if (lot < 90) {
		(void)snprintf(name, 256, ".git");
	} else if (lot < 100) {
		(void)snprintf(name, 256, "node_modules");
	} else {
		(void)snprintf(name, 256, "%s%u", prefix, dice_below(shadow->dice, 30));
	}
}

// Text mostly, or bytes; nothing that looks like a secret.
static char *
some_bytes(struct shadow *shadow, size_t *ret_len)
{
	size_t len = 0;
	char *data;

	switch (dice_below(shadow->dice, 8)) {
	case 0:
		break;
	case 1:
		len = dice_below(shadow->dice, SHADOW_BYTES_MAX);
		break;
	default:
		len = dice_below(shadow->dice, 600);
	}
	data = xmalloc(len + 64);
	if (dice_percent(shadow->dice, 20)) {
		for (size_t i = 0; i < len; i++) {
			data[i] = (char)(dice_throw(shadow->dice) & 0x1f);
		}
	} else {
		size_t at = 0;

		while (at < len) {
			at += (size_t)snprintf(data + at, 64, "line %u of many\n",
				dice_below(shadow->dice, 100000));
		}
	}
	*ret_len = len;
	return data;
}

// ---- operations

static bool
has_room(const struct shadow_node *folder)
{
	return node_depth(folder) < SHADOW_DEPTH_MAX;
}

static void
forget(struct shadow *shadow, struct shadow_node *node)
{
	if (shadow_is_watched(shadow, node)) {
		shadow->nlost += node_count_files(node);
	}
	node_detach(node);
	node_free(node);
}

static void
set_body(struct shadow_body *body, char *data, size_t len)
{
	free(body->data);
	body->data = data;
	body->len = len;
}

static void
do_write(struct shadow *shadow)
{
	struct shadow_node *folder = some(shadow, SHADOW_FOLDER);
	struct shadow_node *node;
	AUTO_FREE char *path = NULL;
	char name[256];
	size_t len = 0;
	char *data;

	some_name(shadow, "f", name);
	node = node_child(folder, name);
	if ((node != NULL && node->type != SHADOW_FILE) || !has_room(folder)) {
		return;
	}
	data = some_bytes(shadow, &len);
	path = disk_child(shadow, folder, name);
	note(shadow, "write %s", path);
	write_file(shadow, path, O_CREAT | O_TRUNC, data, len);
	if (node == NULL) {
		node = node_new(SHADOW_FILE, name, 0644);
		node_attach(folder, node);
	}
	set_body(node->body, data, len);
}

static void
do_append(struct shadow *shadow)
{
	struct shadow_node *node = some(shadow, SHADOW_FILE);
	AUTO_FREE char *path = NULL;
	char line[64];
	size_t more;

	if (node == NULL || node->body->len > SHADOW_BYTES_MAX * 2) {
		return;
	}
	path = disk_path(shadow, node);
	more = (size_t)snprintf(
		line, sizeof(line), "and %u more\n", dice_below(shadow->dice, 100000));
	note(shadow, "append %s", path);
	write_file(shadow, path, O_APPEND, line, more);
	node->body->data = xrealloc(node->body->data, node->body->len + more);
	memcpy(node->body->data + node->body->len, line, more);
	node->body->len += more;
}

// As editors save: a new file under another name, then a rename over the old one.
static void
do_save(struct shadow *shadow)
{
	struct shadow_node *node = some(shadow, SHADOW_FILE);
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *temporary = NULL;
	size_t len = 0;
	char *data;

	if (node == NULL || strlen(node->name) > 200 ||
		node_child(node->parent, ".saving") != NULL) {
		return;
	}
	path = disk_path(shadow, node);
	temporary = disk_child(shadow, node->parent, ".saving");
	data = some_bytes(shadow, &len);
	note(shadow, "save %s", path);
	write_file(shadow, temporary, O_CREAT | O_TRUNC, data, len);
	must(shadow, rename(temporary, path), "rename", path);
	// The old file lives on under its other names.
	if (node->body->users > 1) {
		node->body->users--;
		node->body = xcalloc(1, sizeof(*node->body));
		node->body->users = 1;
	}
	node->body->mode = 0644;
	set_body(node->body, data, len);
}

static void
do_folders(struct shadow *shadow)
{
	struct shadow_node *folder = some(shadow, SHADOW_FOLDER);
	unsigned int levels = 1 + dice_below(shadow->dice, 3);

	for (; levels > 0 && has_room(folder); levels--) {
		AUTO_FREE char *path = NULL;
		struct shadow_node *node;
		char name[256];

		some_name(shadow, "d", name);
		node = node_child(folder, name);
		if (node == NULL) {
			path = disk_child(shadow, folder, name);
			note(shadow, "mkdir %s", path);
			must(shadow, mkdir(path, 0755), "mkdir", path);
			node = node_new(SHADOW_FOLDER, name, 0755);
			node_attach(folder, node);
		} else if (node->type != SHADOW_FOLDER) {
			return;
		}
		folder = node;
	}
	// Mostly somebody writes there at once.
	if (has_room(folder) && node_child(folder, "f0") == NULL &&
		dice_percent(shadow->dice, 70)) {
		AUTO_FREE char *path = disk_child(shadow, folder, "f0");
		struct shadow_node *node = node_new(SHADOW_FILE, "f0", 0644);
		size_t len = 0;
		char *data = some_bytes(shadow, &len);

		write_file(shadow, path, O_CREAT | O_TRUNC, data, len);
		set_body(node->body, data, len);
		node_attach(folder, node);
	}
}

static void
do_link(struct shadow *shadow)
{
	static const char *const targets[] = { "x", "..", ".", "/etc/passwd", "f1",
		"../d1/f2", "nowhere\nat all" };
	struct shadow_node *folder = some(shadow, SHADOW_FOLDER);
	const char *target = targets[dice_below(shadow->dice, countof(targets))];
	struct shadow_node *node;
	AUTO_FREE char *path = NULL;
	char name[256];

	some_name(shadow, "l", name);
	if (node_child(folder, name) != NULL || !has_room(folder)) {
		return;
	}
	path = disk_child(shadow, folder, name);
	note(shadow, "symlink %s", path);
	must(shadow, symlink(target, path), "symlink", path);
	node = node_new(SHADOW_LINK, name, 0777);
	set_body(node->body, xstrdup(target), strlen(target));
	node_attach(folder, node);
}

static void
do_hard_link(struct shadow *shadow)
{
	struct shadow_node *node = some(shadow, SHADOW_FILE);
	struct shadow_node *folder = some(shadow, SHADOW_FOLDER);
	struct shadow_node *other;
	AUTO_FREE char *from = NULL;
	AUTO_FREE char *to = NULL;
	char name[256];

	some_name(shadow, "h", name);
	if (node == NULL || node_child(folder, name) != NULL || !has_room(folder)) {
		return;
	}
	from = disk_path(shadow, node);
	to = disk_child(shadow, folder, name);
	note(shadow, "link %s -> %s", from, to);
	must(shadow, link(from, to), "link", to);
	other = node_new(SHADOW_FILE, name, 0);
	free(other->body);
	other->body = node->body;
	node->body->users++;
	node_attach(folder, other);
}

static void
remove_on_disk(struct shadow *shadow, const struct shadow_node *node)
{
	AUTO_FREE char *path = disk_path(shadow, node);

	for (size_t i = 0; i < node->nchildren; i++) {
		remove_on_disk(shadow, node->children[i]);
	}
	must(shadow, node->type == SHADOW_FOLDER ? rmdir(path) : unlink(path), "remove",
		path);
}

static void
do_unlink(struct shadow *shadow)
{
	static const enum shadow_type types[] = { SHADOW_FILE, SHADOW_FILE, SHADOW_LINK,
		SHADOW_FIFO };
	struct shadow_node *node =
		some(shadow, types[dice_below(shadow->dice, countof(types))]);

	if (node != NULL) {
		AUTO_FREE char *path = disk_path(shadow, node);

		note(shadow, "unlink %s", path);
		remove_on_disk(shadow, node);
		forget(shadow, node);
	}
}

static void
do_remove_tree(struct shadow *shadow)
{
	struct shadow_node *node = some_inner(shadow);

	if (node != NULL &&
		(shadow->nfiles > SHADOW_FILES_WANTED || node_count_files(node) < 12)) {
		AUTO_FREE char *path = disk_path(shadow, node);

		note(shadow, "rm -r %s", path);
		remove_on_disk(shadow, node);
		forget(shadow, node);
	}
}

// Folders and files, within a root, to another one, out and back in.
static void
do_move(struct shadow *shadow)
{
	struct shadow_node *node = dice_percent(shadow->dice, 70)
		? some_inner(shadow)
		: some(shadow, SHADOW_FILE);
	struct shadow_node *folder = dice_percent(shadow->dice, 15)
		? shadow->outside
		: some(shadow, SHADOW_FOLDER);
	AUTO_FREE char *from = NULL;
	AUTO_FREE char *to = NULL;
	char name[256];

	some_name(shadow, "m", name);
	for (const struct shadow_node *at = folder; at != NULL; at = at->parent) {
		if (at == node) {
			return;
		}
	}
	if (node == NULL || node_child(folder, name) != NULL ||
		node_depth(folder) + node_height(node) >= SHADOW_DEPTH_MAX) {
		return;
	}
	from = disk_path(shadow, node);
	to = disk_child(shadow, folder, name);
	note(shadow, "rename %s -> %s", from, to);
	must(shadow, rename(from, to), "rename", from);
	if (shadow_is_watched(shadow, node)) {
		shadow->nlost += node_count_files(node);
	}
	node_detach(node);
	free(node->name);
	node->name = xstrdup(name);
	node_attach(folder, node);
}

// A file becomes a folder, a link, a fifo; a folder becomes a link beside itself.
static void
do_flip(struct shadow *shadow)
{
	struct shadow_node *node =
		some(shadow, dice_percent(shadow->dice, 60) ? SHADOW_FILE : SHADOW_LINK);
	struct shadow_node *folder;
	struct shadow_node *other;
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *name = NULL;

	if (node == NULL) {
		return;
	}
	folder = node->parent;
	path = disk_path(shadow, node);
	name = xstrdup(node->name);
	note(shadow, "flip %s", path);
	must(shadow, unlink(path), "unlink", path);
	forget(shadow, node);
	switch (dice_below(shadow->dice, 4)) {
	case 0:
		must(shadow, mkfifo(path, 0644), "mkfifo", path);
		other = node_new(SHADOW_FIFO, name, 0644);
		break;
	case 1:
		must(shadow, symlink("f1", path), "symlink", path);
		other = node_new(SHADOW_LINK, name, 0777);
		set_body(other->body, xstrdup("f1"), 2);
		break;
	case 2:
		write_file(shadow, path, O_CREAT | O_EXCL, "flipped\n", 8);
		other = node_new(SHADOW_FILE, name, 0644);
		set_body(other->body, xstrdup("flipped\n"), 8);
		break;
	default:
		must(shadow, mkdir(path, 0755), "mkdir", path);
		other = node_new(SHADOW_FOLDER, name, 0755);
	}
	node_attach(folder, other);
}

// `mv d e && ln -s e d`: what was a folder is a way to it now.
static void
do_disguise(struct shadow *shadow)
{
	struct shadow_node *node = some_inner(shadow);
	struct shadow_node *link;
	AUTO_FREE char *from = NULL;
	AUTO_FREE char *to = NULL;
	AUTO_FREE char *old = NULL;
	char name[256];

	(void)snprintf(name, sizeof(name), "e%u", dice_below(shadow->dice, 30));
	if (node == NULL || node_child(node->parent, name) != NULL) {
		return;
	}
	from = disk_path(shadow, node);
	to = disk_child(shadow, node->parent, name);
	note(shadow, "disguise %s as %s", to, from);
	must(shadow, rename(from, to), "rename", from);
	must(shadow, symlink(name, from), "symlink", from);
	if (shadow_is_watched(shadow, node)) {
		shadow->nlost += node_count_files(node);
	}
	old = node->name;
	node->name = xstrdup(name);
	link = node_new(SHADOW_LINK, old, 0777);
	set_body(link->body, xstrdup(name), strlen(name));
	node_attach(node->parent, link);
}

static void
do_chmod(struct shadow *shadow)
{
	static const mode_t files[] = { 0644, 0755, 0600, 0444, 0700, 04755 };
	static const mode_t folders[] = { 0755, 0700, 0711, 01777 };
	struct shadow_node *node = dice_percent(shadow->dice, 70)
		? some(shadow, SHADOW_FILE)
		: some_inner(shadow);
	AUTO_FREE char *path = NULL;
	mode_t mode;

	if (node == NULL) {
		return;
	}
	mode = node->type == SHADOW_FILE
		? files[dice_below(shadow->dice, countof(files))]
		: folders[dice_below(shadow->dice, countof(folders))];
	// Who may not write cannot append later, unless he is root.
	if (geteuid() != 0 && (mode & 0200) == 0) {
		mode |= 0200;
	}
	path = disk_path(shadow, node);
	note(shadow, "chmod %04o %s", (unsigned int)mode, path);
	must(shadow, chmod(path, mode), "chmod", path);
	node->body->mode = mode;
}

void
shadow_burst(struct shadow *shadow, unsigned int count)
{
	struct shadow_node *folder = some(shadow, SHADOW_FOLDER);
	struct shadow_node *node;
	AUTO_FREE char *path = NULL;
	char name[256];

	(void)snprintf(name, sizeof(name), "burst%u", dice_below(shadow->dice, 1000));
	if (node_child(folder, name) != NULL || !has_room(folder)) {
		return;
	}
	path = disk_child(shadow, folder, name);
	note(shadow, "%u files in %s", count, path);
	must(shadow, mkdir(path, 0755), "mkdir", path);
	node = node_new(SHADOW_FOLDER, name, 0755);
	node_attach(folder, node);
	for (unsigned int i = 0; i < count; i++) {
		AUTO_FREE char *file = NULL;
		struct shadow_node *below;
		char text[64];
		size_t len = (size_t)snprintf(text, sizeof(text), "burst %u\n",
			dice_below(shadow->dice, 1000000));

		(void)snprintf(name, sizeof(name), "b%u", i);
		file = path_join(path, name);
		write_file(shadow, file, O_CREAT | O_EXCL, text, len);
		below = node_new(SHADOW_FILE, name, 0644);
		set_body(below->body, xmemdup0(text, len), len);
		node_attach(node, below);
	}
}

bool
shadow_shrink(struct shadow *shadow, unsigned int percent, unsigned int least)
{
	struct shadow_node *root = shadow->top->children[0];
	size_t wanted = node_count_rows(root) * percent / 100 + 1;
	size_t gone = 0;

	wanted = MAX_OF(wanted, (size_t)least);
	if (node_count_rows(root) < wanted) {
		return false;
	}
	note(shadow, "lose %zu files", wanted);
	while (gone < wanted && root->nchildren > 0) {
		struct shadow_node *node = root->children[root->nchildren - 1];

		gone += node_count_rows(node);
		remove_on_disk(shadow, node);
		forget(shadow, node);
	}
	return true;
}

typedef void operation(struct shadow *shadow);

static const struct {
	uint32_t weight;
	operation *run;
} operations[] = {
	{ 30, do_write },
	{ 10, do_append },
	{ 10, do_save },
	{ 10, do_folders },
	{ 5, do_link },
	{ 4, do_hard_link },
	{ 10, do_unlink },
	{ 5, do_remove_tree },
	{ 12, do_move },
	{ 4, do_flip },
	{ 2, do_disguise },
	{ 5, do_chmod },
};

void
shadow_act(struct shadow *shadow)
{
	uint32_t total = 0;
	uint32_t lot;

	for (size_t i = 0; i < countof(operations); i++) {
		total += operations[i].weight;
	}
	shadow->nfiles = shadow_count_rows(shadow);
	if (shadow->nfiles > SHADOW_FILES_WANTED && dice_percent(shadow->dice, 30)) {
		do_remove_tree(shadow);
		return;
	}
	lot = dice_below(shadow->dice, total);
	for (size_t i = 0; i < countof(operations); i++) {
		if (lot < operations[i].weight) {
			operations[i].run(shadow);
			return;
		}
		lot -= operations[i].weight;
	}
}

// ---- looking

size_t
shadow_count_rows(const struct shadow *shadow)
{
	return node_count_rows(shadow->top) - node_count_rows(shadow->outside);
}

// ---- begin and end

struct shadow *
shadow_new(const char *path, const char *const *names, size_t count, struct dice *dice)
{
	struct shadow *shadow = xcalloc(1, sizeof(*shadow));

	shadow->path = path;
	shadow->dice = dice;
	shadow->top = node_new(SHADOW_FOLDER, "", 0755);
	for (size_t i = 0; i <= count; i++) {
		struct shadow_node *node =
			node_new(SHADOW_FOLDER, i < count ? names[i] : "outside", 0755);
		AUTO_FREE char *root = path_join(path, node->name);

		must(shadow, mkdir(root, 0755), "mkdir", root);
		node_attach(shadow->top, node);
		shadow->outside = node;
	}
	return shadow;
}

void
shadow_free(struct shadow *shadow)
{
	if (shadow != NULL) {
		node_free(shadow->top);
		free(shadow);
	}
}
