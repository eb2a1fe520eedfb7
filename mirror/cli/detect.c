// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/detect.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/output.h"
#include "ledger/walk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * Three looks, in this order, so that what is known by its place keeps its own reason:
 *
 *     the table of places      ~/.claude, ~/.codex, ~/dotfiles, ...
 *     ~/.config/<each>         small ones are settings, the rest is told
 *     the rest of home         vaults and notes, by what is in them
 *
 * A folder inside one that is taken already is not proposed again.
 */

#define GLOBS(...) ((const char *const[]){ __VA_ARGS__, NULL })

// clang-format off
static const struct place {
	const char *path;
	const char *why;
	const char *const *exclude;
	const char *const *rolling;
} places[] = {
	{ ".claude", "what Claude Code remembers; transcripts of the last 30 days",
		GLOBS("/.credentials.json", "/cache", "/debug", "/downloads", "/file-history", "/ide", "/local", "/paste-cache", "/plugins/cache", "/session-env", "/shell-snapshots", "/statsig", "/telemetry"),
		GLOBS("/projects/**/*.jsonl", "/todos/**") },
	{ ".codex", "what Codex remembers; sessions of the last 30 days",
		GLOBS("/auth.json", "/cache", "/log", "/tmp", "/.tmp", "/models_cache.json", "/vendor_imports"),
		GLOBS("/sessions/**", "/archived_sessions/**") },
	{ ".gemini", "what Gemini CLI remembers; chats of the last 30 days",
		GLOBS("/oauth_creds.json", "/google_accounts.json", "/antigravity-browser-profile", "/antigravity/browser_recordings"),
		GLOBS("/tmp/**") },
	{ ".qwen", "what Qwen Code remembers; chats of the last 30 days",
		GLOBS("/oauth_creds.json"), GLOBS("/tmp/**") },
	{ ".cursor", "Cursor's rules and tools; transcripts of the last 30 days",
		GLOBS("/extensions", "/worktrees"), GLOBS("/projects/**") },
	{ ".copilot", "what Copilot CLI remembers; sessions of the last 30 days",
		GLOBS("/logs", "/pkg"), GLOBS("/session-state/**", "/history-session-state/**") },
	{ ".continue", "Continue's assistants; sessions of the last 30 days",
		GLOBS("/index", "/logs", "/.utils"), GLOBS("/sessions/**") },
	{ ".codeium/windsurf/memories", "what Windsurf remembers", NULL, NULL },
	{ ".config/opencode", "opencode's agents and commands", NULL, NULL },
	{ ".local/share/opencode", "opencode's sessions of the last 30 days",
		GLOBS("/auth.json", "/bin", "/log", "/snapshot", "/tool-output"), GLOBS("/storage/**") },
	{ ".config/goose", "goose's settings and hints", NULL, NULL },
	{ ".local/share/goose", "goose's sessions of the last 30 days",
		NULL, GLOBS("/sessions/**") },
	{ ".dotfiles", "dotfiles", NULL, NULL },
	{ "dotfiles", "dotfiles", NULL, NULL },
	{ ".vim", "Vim's settings", GLOBS("/plugged", "/bundle", "/pack", "/undo", "/swap"), NULL },
	{ ".emacs.d", "Emacs' settings", GLOBS("/elpa", "/eln-cache", "/straight", "/auto-save-list"), NULL },
	{ ".doom.d", "Doom Emacs' settings", NULL, NULL },
};

// Looked at and left, with the reason; only when it is there.
static const struct place not_taken[] = {
	{ ".mozilla", "a browser's profile", NULL, NULL },
	{ ".thunderbird", "mail: larger than git likes, and kept by its server", NULL, NULL },
	{ ".cache", "caches, made again", NULL, NULL },
	{ ".ssh", "keys belong in a safe; `mirror add ~/.ssh` takes the rest, keys cut out", NULL, NULL },
	{ ".gnupg", "keys belong in a safe", NULL, NULL },
	{ ".password-store", "it is a repository with its own remote", NULL, NULL },
};

// Of ~/.config, never settings.
static const char *const not_settings[] = { "dconf", "pulse", "session", "google-chrome",
	"chromium", "BraveSoftware", "vivaldi", "microsoft-edge", "opera" };

// Names that say what is in them, when text is.
static const char *const note_names[] = { "notes", "journal", "diary", "zettelkasten",
	"org", "wiki", "memory", "memories", "memory-bank", "brain" };
static const char *const text_ends[] = { ".md", ".markdown", ".org", ".txt", ".adoc",
	".rst" };
static const char *const single_files[] = { ".bashrc", ".bash_profile", ".profile",
	".zshrc", ".gitconfig", ".vimrc", ".tmux.conf", ".inputrc" };
// clang-format on

static const char *const vault_skip[] = { "/.obsidian/workspace.json",
	"/.obsidian/workspace-mobile.json", "/.trash", NULL };

struct look {
	const char *home;
	struct output *out;
	struct detect *found;
	uint64_t folders;
	uint64_t dev;
};

// ---- the list

static bool
is_name_taken(const struct detect *found, const char *name)
{
	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->items[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

// "notes", else "work-notes", else "notes-2": from the path, without a dot in front.
static char *
choose_name(const struct detect *found, const char *path, bool hidden)
{
	const char *base = path_base(path);
	AUTO_FREE char *above =
		xmemdup0(path, base > path ? (size_t)(base - path - 1) : 0);
	const char *plain = hidden ? base : base + (base[0] == '.' && base[1] != '\0');
	const char *parent = path_base(above);
	char *name = xstrdup(plain);

	if (is_name_taken(found, name)) {
		free(name);
		name = xasprintf("%s-%s", parent + (parent[0] == '.'), plain);
	}
	for (unsigned int number = 2; is_name_taken(found, name); number++) {
		free(name);
		name = xasprintf("%s-%u", plain, number);
	}
	return name;
}

// Is it, or what it is in, taken already?  Or something that is in it?
static bool
is_covered(const struct detect *found, const char *path)
{
	for (size_t i = 0; i < found->count; i++) {
		if (path_is_beneath(path, found->items[i].path) ||
			path_is_beneath(found->items[i].path, path)) {
			return true;
		}
	}
	return false;
}

static struct detect_item *
add_item(struct detect *found, const char *path, const char *why)
{
	struct detect_item *item;

	found->items = xgrow(
		found->items, found->count, &found->capacity, sizeof(found->items[0]));
	item = &found->items[found->count];
	*item = (struct detect_item){ .path = xstrdup(path),
		.why = why != NULL ? xstrdup(why) : NULL };
	return item;
}

static void
take(struct detect *found, const char *path, const struct place *as)
{
	struct detect_item *item;

	if (is_covered(found, path) || found->count >= DETECT_ITEMS_MAX) {
		return;
	}
	item = add_item(found, path, as->why);
	item->name = choose_name(found, path, false);
	item->exclude = as->exclude;
	item->rolling = as->rolling;
	found->count++;
}

static void
leave(struct detect *found, const char *path, const char *why)
{
	if (is_covered(found, path)) {
		return;
	}
	found->left = xgrow(
		found->left, found->nleft, &found->left_capacity, sizeof(found->left[0]));
	found->left[found->nleft++] =
		(struct detect_item){ .path = xstrdup(path), .why = xstrdup(why) };
}

void
detect_add(struct detect *found, const char *path)
{
	struct detect_item *item = add_item(found, path, NULL);

	item->name = choose_name(found, path, true);
	found->count++;
}

static void
item_done(struct detect_item *item)
{
	free(item->path);
	free(item->why);
	free(item->name);
}

bool
detect_drop(struct detect *found, const char *name)
{
	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->items[i].name, name) == 0) {
			item_done(&found->items[i]);
			memmove(&found->items[i], &found->items[i + 1],
				(found->count - i - 1) * sizeof(found->items[0]));
			found->count--;
			return true;
		}
	}
	return false;
}

void
detect_done(struct detect *found)
{
	for (size_t i = 0; i < found->count; i++) {
		item_done(&found->items[i]);
	}
	for (size_t i = 0; i < found->nleft; i++) {
		item_done(&found->left[i]);
	}
	free(found->items);
	free(found->left);
	*found = (struct detect){ 0 };
}

// ---- by their place

// The folder itself, a link to one resolved; NULL when there is none.
static char *
real_folder(const char *home, const char *rel)
{
	AUTO_FREE char *path = path_join(home, rel);
	AUTO_FREE char *real = realpath(path, NULL);
	struct stat info;

	return real != NULL && stat(real, &info) == 0 && S_ISDIR(info.st_mode)
		? STEAL(real)
		: NULL;
}

static void
look_at_places(struct look *look)
{
	for (size_t i = 0; i < countof(places); i++) {
		AUTO_FREE char *path = real_folder(look->home, places[i].path);

		if (path != NULL) {
			take(look->found, path, &places[i]);
		}
	}
	for (size_t i = 0; i < countof(not_taken); i++) {
		AUTO_FREE char *path = real_folder(look->home, not_taken[i].path);

		if (path != NULL) {
			leave(look->found, path, not_taken[i].why);
		}
	}
}

static void
look_at_single_files(struct look *look)
{
	AUTO_FREE char *list = xstrdup("");

	for (size_t i = 0; i < countof(single_files); i++) {
		AUTO_FREE char *path = path_join(look->home, single_files[i]);
		AUTO_FREE char *before = list;
		struct stat info;
		bool there = lstat(path, &info) == 0 && S_ISREG(info.st_mode);

		list = xasprintf("%s%s%s", before, there && before[0] != '\0' ? ", " : "",
			there ? single_files[i] : "");
	}
	if (list[0] != '\0') {
		AUTO_FREE char *path = path_join(look->home, list);

		leave(look->found, path,
			"single files, and folders are what is watched: move them to "
			"~/dotfiles and link them");
	}
}

// ---- ~/.config

struct measure {
	uint64_t files;
	uint64_t bytes;
	bool profile;
};

static bool
is_one_of(const char *name, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(name, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void
measure_below(int fd, unsigned int depth, struct measure *measure)
{
	static const char *const marks[] = { "Cookies", "IndexedDB", "Local Storage",
		"places.sqlite", "GPUCache", "Code Cache" };
	AUTO(walk_list_done) struct walk_list list = { 0 };
	struct err ignored;

	if (depth > DETECT_DEPTH_MAX * 2 || walk_list(fd, &list, &ignored) < 0) {
		measure->files = DETECT_SETTINGS_FILES + 1;
		return;
	}
	for (size_t i = 0; i < list.count && measure->files <= DETECT_SETTINGS_FILES;
		i++) {
		const struct walk_entry *entry = &list.entries[i];
		int below = -1;

		measure->profile |= is_one_of(entry->name, marks, countof(marks));
		if (!S_ISDIR(entry->inode.mode)) {
			measure->files++;
			measure->bytes += (uint64_t)entry->inode.size;
		} else if (walk_open(fd, entry->name, &entry->inode, &below, &ignored) ==
			0) {
			measure_below(below, depth + 1, measure);
			base_close_p(&below);
		}
	}
}

static void
judge_settings(struct look *look, int fd, const char *path)
{
	static const struct place settings = { "", "settings", NULL, NULL };
	struct measure measure = { 0 };

	if (is_one_of(path_base(path), not_settings, countof(not_settings))) {
		measure.profile = true;
	} else {
		measure_below(fd, 0, &measure);
	}
	if (measure.profile) {
		leave(look->found, path, "a program's own data, or a browser's profile");
	} else if (measure.files > DETECT_SETTINGS_FILES ||
		measure.bytes > DETECT_SETTINGS_BYTES) {
		leave(look->found, path, "more than settings: over 200 files or 2 MiB");
	} else if (measure.files > 0) {
		take(look->found, path, &settings);
	}
}

static void
look_at_config(struct look *look)
{
	AUTO_FREE char *folder = path_join(look->home, ".config");
	AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(walk_list_done) struct walk_list list = { 0 };
	struct err ignored;

	if (fd < 0 || walk_list(fd, &list, &ignored) < 0) {
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		const struct walk_entry *entry = &list.entries[i];
		AUTO_FREE char *path = path_join(folder, entry->name);
		AUTO_CLOSE int below = -1;

		if (!is_covered(look->found, path) &&
			walk_open(fd, entry->name, &entry->inode, &below, &ignored) ==
				0) {
			judge_settings(look, below, path);
		}
	}
}

// ---- the rest of home

static bool
has_text(const struct walk_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *dot = strrchr(list->entries[i].name, '.');

		if (dot != NULL && S_ISREG(list->entries[i].inode.mode) &&
			is_one_of(dot, text_ends, countof(text_ends))) {
			return true;
		}
	}
	return false;
}

static bool
holds(const struct walk_list *list, const char *name)
{
	const struct walk_entry *entry = walk_find(list, name, strlen(name));

	return entry != NULL && S_ISDIR(entry->inode.mode);
}

// Is this folder something?  Then it is taken as a whole, and not entered.
static bool
is_something(struct look *look, const struct walk_list *list, const char *path)
{
	static const struct place vault = { "", "an Obsidian vault", vault_skip, NULL };
	static const struct place logseq = { "", "a Logseq graph", NULL, NULL };
	static const struct place notes = { "", "notes", NULL, NULL };
	size_t before = look->found->count;

	if (holds(list, ".obsidian")) {
		take(look->found, path, &vault);
	} else if (holds(list, "logseq") && holds(list, "pages")) {
		take(look->found, path, &logseq);
	} else if (is_one_of(path_base(path), note_names, countof(note_names)) &&
		has_text(list)) {
		take(look->found, path, &notes);
	}
	return look->found->count > before;
}

// What an agent keeps inside a project.
static void
look_into_project(struct look *look, const struct walk_list *list, const char *path)
{
	static const char *const names[] = { ".claude", ".cursor", ".codex", ".gemini" };
	AUTO_FREE char *why = xasprintf("an agent's notes on %s", path_base(path));
	struct place as = { .why = why };

	for (size_t i = 0; i < countof(names); i++) {
		if (holds(list, names[i])) {
			AUTO_FREE char *folder = path_join(path, names[i]);

			take(look->found, folder, &as);
		}
	}
}

static bool
is_entered(const struct look *look, const struct walk_entry *entry)
{
	static const char *const never[] = { "node_modules", "__pycache__", "venv",
		"vendor", "target", "snap", "go", "Trash" };

	return S_ISDIR(entry->inode.mode) && entry->name[0] != '.' &&
		entry->inode.dev == look->dev &&
		!is_one_of(entry->name, never, countof(never));
}

static void
look_below(struct look *look, int fd, const char *path, unsigned int depth)
{
	AUTO(walk_list_done) struct walk_list list = { 0 };
	struct err ignored;

	if (look->folders++ >= DETECT_FOLDERS_MAX || walk_list(fd, &list, &ignored) < 0) {
		return;
	}
	output_progress(look->out, "folders looked at", look->folders, 0);
	if (depth > 0) {
		if (is_something(look, &list, path)) {
			return;
		}
		look_into_project(look, &list, path);
	}
	for (size_t i = 0; i < list.count && depth < DETECT_DEPTH_MAX; i++) {
		const struct walk_entry *entry = &list.entries[i];
		AUTO_FREE char *below = path_join(path, entry->name);
		AUTO_CLOSE int child = -1;

		if (is_entered(look, entry) && !is_covered(look->found, below) &&
			walk_open(fd, entry->name, &entry->inode, &child, &ignored) ==
				0) {
			look_below(look, child, below, depth + 1);
		}
	}
}

void
detect_run(const char *home, struct output *out, struct detect *found)
{
	AUTO_FREE char *real = realpath(home, NULL);
	AUTO_CLOSE int fd =
		real != NULL ? open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct look look = { .home = real, .out = out, .found = found };
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0) {
		return;
	}
	look.dev = info.st_dev;
	look_at_places(&look);
	look_below(&look, fd, real, 0);
	look_at_config(&look);
	look_at_single_files(&look);
	output_progress_done(out);
}
