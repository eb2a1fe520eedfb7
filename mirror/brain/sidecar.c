// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One text for each folder, fields parted by tabs, facts by spaces (TAB is written \t):
 *
 *     mirror-folder 1
 *     path \t notes/sub
 *     self \t 0755 1763716438.123456789 owner=1000:1000
 *     dir  \t drafts
 *     file \t 0644 1763716438.123456789 512 redacted=2 \t todo.md
 *     file \t 0600 1763716438.000000000 7 at=.mirror/files/ab/cdef... \t .gitignore
 *     link \t 0777 1763716438.000000000 5 \t latest
 *
 * Strictness is cheap to get right: what was read is written again, and must be the same
 * text.  So the reading itself may be plain.
 */

#include "brain/sidecar.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HASH_TEXT_LEN = 2 + 1 + 38,
	// What a line takes, about.
	LINE_LEN = 80,
	FACTS_MAX = 6 + SIDECAR_XATTRS_MAX,
};

static const char first_line[] = SIDECAR_FIRST_LINE;

// ---- escapes

char *
sidecar_escape(const char *bytes)
{
	AUTO_FREE char *text = path_printable(bytes);
	size_t len = strlen(text);
	bool first = len > 0 && text[0] == ' ';
	bool last = len > 1 && text[len - 1] == ' ';

	if (!first && !last) {
		return STEAL(text);
	}
	return xasprintf("%s%.*s%s", first ? "\\x20" : "", (int)(len - first - last),
		text + first, last ? "\\x20" : "");
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Undo any \xHH of @len bytes in place; false when a backslash begins something else.
static bool
unescape_in_place(char *text, size_t *len)
{
	size_t out = 0;

	for (size_t i = 0; i < *len; i++) {
		if (text[i] != '\\') {
			text[out++] = text[i];
			continue;
		}
		if (*len - i < 4 || text[i + 1] != 'x' || hex_digit(text[i + 2]) < 0 ||
			hex_digit(text[i + 3]) < 0) {
			return false;
		}
		text[out++] =
			(char)(hex_digit(text[i + 2]) << 4 | hex_digit(text[i + 3]));
		i += 3;
	}
	text[out] = '\0';
	*len = out;
	return memchr(text, '\0', out) == NULL;
}

char *
sidecar_unescape(const char *text)
{
	AUTO_FREE char *bytes = xstrdup(text);
	AUTO_FREE char *again = NULL;
	size_t len = strlen(bytes);

	if (!unescape_in_place(bytes, &len)) {
		return NULL;
	}
	again = sidecar_escape(bytes);
	return strcmp(again, text) == 0 ? STEAL(bytes) : NULL;
}

// Within a fact a space would end it, and in a key '=' would.
static char *
escape_word(const char *bytes, bool key)
{
	AUTO_FREE char *text = path_printable(bytes);
	char *word = xmalloc(strlen(text) * 4 + 1);
	size_t out = 0;

	for (const char *at = text; *at != '\0'; at++) {
		if (*at == ' ' || (key && *at == '=')) {
			out += (size_t)sprintf(word + out, "\\x%02x", *at);
		} else {
			word[out++] = *at;
		}
	}
	word[out] = '\0';
	return word;
}

// ---- places

static void
name_place(const char *top, const uint8_t name[HASH_SHA1_LEN], char ret[SIDECAR_PATH_MAX])
{
	char hex[HASH_HEX_MAX];

	hash_hex(name, HASH_SHA1_LEN, hex);
	(void)snprintf(ret, SIDECAR_PATH_MAX, "%s/%.2s/%.38s", top, hex, hex + 2);
}

static void
place(const char *top, const char *path, char ret[SIDECAR_PATH_MAX])
{
	AUTO_FREE char *text = sidecar_escape(path);
	uint8_t digest[HASH_SHA1_LEN];

	hash_sha1(text, strlen(text), digest);
	name_place(top, digest, ret);
}

void
sidecar_folder_path(const char *path, char ret[SIDECAR_PATH_MAX])
{
	place(SIDECAR_FOLDERS, path, ret);
}

void
sidecar_file_path(const char *path, char ret[SIDECAR_PATH_MAX])
{
	place(SIDECAR_FILES, path, ret);
}

void
sidecar_sealed_path(const uint8_t name[HASH_SHA1_LEN], char ret[SIDECAR_PATH_MAX])
{
	name_place(SIDECAR_SEALED, name, ret);
}

static bool
is_place(const char *path, const char *top)
{
	size_t len = strlen(top);
	const char *hex = path + len + 1;

	if (strncmp(path, top, len) != 0 || path[len] != '/' ||
		strlen(hex) != HASH_TEXT_LEN || hex[2] != '/') {
		return false;
	}
	for (size_t i = 0; i < HASH_TEXT_LEN; i++) {
		if (i != 2 && hex_digit(hex[i]) < 0) {
			return false;
		}
	}
	return true;
}

// ---- writing

static bool
is_component(const char *name, size_t len)
{
	return len > 0 && memchr(name, '/', len) == NULL &&
		!(len == 1 && name[0] == '.') &&
		!(len == 2 && name[0] == '.' && name[1] == '.');
}

static bool
is_path(const char *path)
{
	for (const char *at = path;;) {
		const char *end = strchrnul(at, '/');

		if (!is_component(at, (size_t)(end - at))) {
			return false;
		}
		if (*end == '\0') {
			return true;
		}
		at = end + 1;
	}
}

static int
write_xattrs(const struct sidecar_xattr *xattrs, size_t count, struct buf *buf,
	struct err *err)
{
	if (count > SIDECAR_XATTRS_MAX) {
		return err_raise(err, ERR_INVALID, "more than %d extended attributes",
			SIDECAR_XATTRS_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		AUTO_FREE char *key = escape_word(xattrs[i].name, true);
		AUTO_FREE char *value = json_base64(xattrs[i].value, xattrs[i].len);

		if (key[0] == '\0' ||
			(i > 0 && strcmp(xattrs[i - 1].name, xattrs[i].name) >= 0)) {
			return err_raise(err, ERR_INVALID,
				"extended attributes that are not in order of name");
		}
		if (buf_add_fmt(buf, err, " xattr.%s=%s", key, value) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
write_stamp(uint32_t mode, int64_t mtime_s, uint32_t mtime_ns, struct buf *buf,
	struct err *err)
{
	if (mode > 07777 || mtime_ns > 999999999) {
		return err_raise(err, ERR_INVALID, "a mode or a time that cannot be");
	}
	return buf_add_fmt(
		buf, err, "%04o %" PRId64 ".%09" PRIu32, mode, mtime_s, mtime_ns);
}

static int
write_places(const struct sidecar_entry *entry, struct buf *buf, struct err *err)
{
	if ((entry->at != NULL && !is_place(entry->at, SIDECAR_FILES)) ||
		(entry->sealed != NULL && !is_place(entry->sealed, SIDECAR_SEALED))) {
		return err_raise(err, ERR_INVALID, "a place outside of .mirror/");
	}
	if (entry->at != NULL && buf_add_fmt(buf, err, " at=%s", entry->at) < 0) {
		return err->code;
	}
	if (entry->redacted > 0 &&
		buf_add_fmt(buf, err, " redacted=%" PRIu32, entry->redacted) < 0) {
		return err->code;
	}
	if (entry->sealed != NULL &&
		buf_add_fmt(buf, err, " sealed=%s", entry->sealed) < 0) {
		return err->code;
	}
	if (entry->same != NULL) {
		AUTO_FREE char *word = escape_word(entry->same, false);

		if (word[0] == '\0') {
			return err_raise(err, ERR_INVALID, "an empty word for same=");
		}
		return buf_add_fmt(buf, err, " same=%s", word);
	}
	return 0;
}

static int
write_owner(bool has_owner, uint32_t uid, uint32_t gid, struct buf *buf, struct err *err)
{
	return has_owner ? buf_add_fmt(buf, err, " owner=%" PRIu32 ":%" PRIu32, uid, gid)
			 : 0;
}

static int
write_entry(const struct sidecar_entry *entry, struct buf *buf, struct err *err)
{
	AUTO_FREE char *name = sidecar_escape(entry->name);

	if (!is_component(entry->name, strlen(entry->name))) {
		return err_raise(err, ERR_INVALID, "a name that is no name");
	}
	if (entry->kind == SIDECAR_FOLDER) {
		return buf_add_fmt(buf, err, "dir\t%s\n", name);
	}
	if (buf_add_text(buf, entry->kind == SIDECAR_LINK ? "link\t" : "file\t", err) <
			0 ||
		write_stamp(entry->mode, entry->mtime_s, entry->mtime_ns, buf, err) < 0 ||
		buf_add_fmt(buf, err, " %" PRIu64, entry->size) < 0 ||
		write_places(entry, buf, err) < 0 ||
		write_owner(entry->has_owner, entry->uid, entry->gid, buf, err) < 0 ||
		write_xattrs(entry->xattrs, entry->nxattrs, buf, err) < 0) {
		return err->code;
	}
	return buf_add_fmt(buf, err, "\t%s\n", name);
}

static int
write_head(const struct sidecar_folder *folder, struct buf *buf, struct err *err)
{
	AUTO_FREE char *path = sidecar_escape(folder->path);

	if (!is_path(folder->path)) {
		return err_raise(err, ERR_INVALID, "a path that is no path");
	}
	if (folder->sealed != NULL && !is_place(folder->sealed, SIDECAR_SEALED)) {
		return err_raise(err, ERR_INVALID, "a place outside of .mirror/");
	}
	if (buf_add_fmt(buf, err, "%spath\t%s\nself\t", first_line, path) < 0 ||
		write_stamp(folder->mode, folder->mtime_s, folder->mtime_ns, buf, err) <
			0) {
		return err->code;
	}
	if (folder->sealed != NULL &&
		buf_add_fmt(buf, err, " sealed=%s", folder->sealed) < 0) {
		return err->code;
	}
	if (write_owner(folder->has_owner, folder->uid, folder->gid, buf, err) < 0 ||
		write_xattrs(folder->xattrs, folder->nxattrs, buf, err) < 0) {
		return err->code;
	}
	return buf_add(buf, "\n", 1, err);
}

static int
by_name(const void *left, const void *right)
{
	const struct sidecar_entry *const *a = left;
	const struct sidecar_entry *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

int
sidecar_write(const struct sidecar_folder *folder, struct buf *buf, struct err *err)
{
	AUTO_FREE const struct sidecar_entry **sorted =
		xcalloc(folder->nentries + 1, sizeof(struct sidecar_entry *));

	for (size_t i = 0; i < folder->nentries; i++) {
		sorted[i] = &folder->entries[i];
	}
	qsort(sorted, folder->nentries, sizeof(struct sidecar_entry *), by_name);
	// About as much as it will be: growing byte by byte costs more than the writing.
	if (buf_reserve(buf,
		    MIN_OF((folder->nentries + 2) * LINE_LEN, buf->max - buf->len),
		    err) < 0 ||
		write_head(folder, buf, err) < 0) {
		return err_wrap(err, "write the sidecar");
	}
	for (size_t i = 0; i < folder->nentries; i++) {
		if (i > 0 && strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
			return err_raise(err, ERR_INVALID, "a name twice in one folder");
		}
		if (write_entry(sorted[i], buf, err) < 0) {
			return err_wrap(err, "write the sidecar");
		}
	}
	return 0;
}

// ---- reading

struct memory {
	// A copy of the text, cut up and unescaped in place.
	char *text;
	struct sidecar_entry *entries;
	struct sidecar_xattr *xattrs;
	size_t nxattrs;
	size_t xattrs_max;
};

// A number with nothing around it.
static bool
read_number(const char *text, int base, uint64_t max, uint64_t *ret)
{
	char *end;

	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	errno = 0;
	*ret = strtoull(text, &end, base);
	return errno == 0 && *end == '\0' && *ret <= max;
}

static bool
read_mtime(char *text, int64_t *ret_s, uint32_t *ret_ns)
{
	char *dot = strchr(text, '.');
	uint64_t whole;
	uint64_t part;
	bool negative = text[0] == '-';

	if (dot == NULL) {
		return false;
	}
	*dot = '\0';
	if (!read_number(text + negative, 10, INT64_MAX, &whole) ||
		strlen(dot + 1) != 9 || !read_number(dot + 1, 10, 999999999, &part)) {
		return false;
	}
	*ret_s = negative ? -(int64_t)whole : (int64_t)whole;
	*ret_ns = (uint32_t)part;
	return true;
}

static bool
read_owner(char *text, struct sidecar_entry *entry)
{
	char *colon = strchr(text, ':');
	uint64_t uid;
	uint64_t gid;

	if (colon == NULL) {
		return false;
	}
	*colon = '\0';
	if (!read_number(text, 10, UINT32_MAX, &uid) ||
		!read_number(colon + 1, 10, UINT32_MAX, &gid)) {
		return false;
	}
	entry->has_owner = true;
	entry->uid = (uint32_t)uid;
	entry->gid = (uint32_t)gid;
	return true;
}

static bool
read_xattr(char *text, struct memory *memory, struct sidecar_entry *entry)
{
	char *equals = strchr(text, '=');
	AUTO_FREE uint8_t *bytes = NULL;
	struct sidecar_xattr *xattr = &memory->xattrs[memory->nxattrs];
	size_t key_len;
	size_t len = 0;

	if (equals == NULL || memory->nxattrs == memory->xattrs_max) {
		return false;
	}
	*equals = '\0';
	key_len = strlen(text);
	bytes = json_unbase64(equals + 1, strlen(equals + 1), &len);
	if (bytes == NULL || !unescape_in_place(text, &key_len)) {
		return false;
	}
	// Fewer bytes than base64 has characters, so there is room where it stood.
	memcpy(equals + 1, bytes, len);
	*xattr = (struct sidecar_xattr){ text, equals + 1, len };
	if (entry->xattrs == NULL) {
		entry->xattrs = xattr;
	}
	memory->nxattrs++;
	entry->nxattrs++;
	return true;
}

static bool
read_fact(char *fact, struct memory *memory, struct sidecar_entry *entry)
{
	uint64_t number;
	size_t len;

	if (strncmp(fact, "at=", 3) == 0) {
		entry->at = fact + 3;
		return true;
	}
	if (strncmp(fact, "redacted=", 9) == 0) {
		if (!read_number(fact + 9, 10, UINT32_MAX, &number)) {
			return false;
		}
		entry->redacted = (uint32_t)number;
		return true;
	}
	if (strncmp(fact, "sealed=", 7) == 0) {
		entry->sealed = fact + 7;
		return true;
	}
	if (strncmp(fact, "same=", 5) == 0) {
		entry->same = fact + 5;
		len = strlen(entry->same);
		return unescape_in_place(fact + 5, &len);
	}
	if (strncmp(fact, "owner=", 6) == 0) {
		return read_owner(fact + 6, entry);
	}
	return strncmp(fact, "xattr.", 6) == 0 && read_xattr(fact + 6, memory, entry);
}

// "0644 1763716438.123456789 512 redacted=2"; a folder's own has no size.
static bool
read_facts(char *facts, bool has_size, struct memory *memory, struct sidecar_entry *entry)
{
	char *rest = facts;
	char *mode = strsep(&rest, " ");
	char *mtime = strsep(&rest, " ");
	char *size = has_size ? strsep(&rest, " ") : NULL;
	uint64_t number;

	if (mtime == NULL || !read_number(mode, 8, 07777, &number) ||
		!read_mtime(mtime, &entry->mtime_s, &entry->mtime_ns)) {
		return false;
	}
	entry->mode = (uint32_t)number;
	if (has_size) {
		if (size == NULL || !read_number(size, 10, UINT64_MAX, &entry->size)) {
			return false;
		}
	}
	for (char *fact; (fact = strsep(&rest, " ")) != NULL;) {
		if (!read_fact(fact, memory, entry)) {
			return false;
		}
	}
	return true;
}

static bool
read_entry(char *line, struct memory *memory, struct sidecar_entry *entry)
{
	char *rest = line;
	const char *kind = strsep(&rest, "\t");
	char *facts = NULL;
	size_t len;

	if (strcmp(kind, "dir") == 0) {
		entry->kind = SIDECAR_FOLDER;
	} else if (strcmp(kind, "file") == 0 || strcmp(kind, "link") == 0) {
		entry->kind = kind[0] == 'f' ? SIDECAR_FILE : SIDECAR_LINK;
		facts = strsep(&rest, "\t");
	} else {
		return false;
	}
	if (rest == NULL) {
		return false;
	}
	entry->name = rest;
	len = strlen(rest);
	return unescape_in_place(rest, &len) &&
		(facts == NULL || read_facts(facts, true, memory, entry));
}

// The two lines behind the first.
static bool
read_head(char **rest, struct memory *memory, struct sidecar_folder *folder)
{
	struct sidecar_entry self = { 0 };
	char *path = strsep(rest, "\n");
	char *facts = *rest != NULL ? strsep(rest, "\n") : NULL;
	size_t len;

	if (facts == NULL || strncmp(path, "path\t", 5) != 0 ||
		strncmp(facts, "self\t", 5) != 0) {
		return false;
	}
	folder->path = path + 5;
	len = strlen(folder->path);
	if (!unescape_in_place(path + 5, &len) ||
		!read_facts(facts + 5, false, memory, &self)) {
		return false;
	}
	folder->mode = self.mode;
	folder->mtime_s = self.mtime_s;
	folder->mtime_ns = self.mtime_ns;
	folder->sealed = self.sealed;
	folder->has_owner = self.has_owner;
	folder->uid = self.uid;
	folder->gid = self.gid;
	folder->xattrs = self.xattrs;
	folder->nxattrs = self.nxattrs;
	return true;
}

static size_t
count_of(const char *text, size_t len, const char *needle)
{
	size_t count = 0;
	const char *end = text + len;

	for (const char *at = text;
		(at = memmem(at, (size_t)(end - at), needle, strlen(needle))) != NULL;
		at += strlen(needle)) {
		count++;
	}
	return count;
}

static int
read_all(struct sidecar_folder *folder, struct memory *memory, struct err *err)
{
	char *rest = memory->text + strlen(first_line);

	if (!read_head(&rest, memory, folder)) {
		return err_raise(err, ERR_INVALID, "line 2 or 3 is not a sidecar's");
	}
	while (rest != NULL && *rest != '\0') {
		char *line = strsep(&rest, "\n");

		if (!read_entry(line, memory, &memory->entries[folder->nentries])) {
			return err_raise(err, ERR_INVALID, "line %zu is not a sidecar's",
				folder->nentries + 4);
		}
		folder->nentries++;
	}
	return 0;
}

// Would we have written this?
static int
check_canonical(const struct sidecar_folder *folder, const char *text, size_t len,
	struct err *err)
{
	AUTO(buf_done) struct buf again = { .max = SIDECAR_TEXT_MAX };
	size_t line = 1;

	if (sidecar_write(folder, &again, err) < 0) {
		return err->code;
	}
	if (again.len == len && memcmp(again.data, text, len) == 0) {
		return 0;
	}
	for (size_t i = 0; i < len && i < again.len && text[i] == again.data[i]; i++) {
		line += text[i] == '\n';
	}
	return err_raise(err, ERR_INVALID, "line %zu is not as it is written", line);
}

int
sidecar_parse(
	const char *text, size_t len, struct sidecar_folder *ret_folder, struct err *err)
{
	AUTO(sidecar_done) struct sidecar_folder folder = { 0 };
	struct memory *memory;

	if (len > SIDECAR_TEXT_MAX) {
		return err_raise(err, ERR_TOO_BIG, "a sidecar of %zu bytes", len);
	}
	if (len < strlen(first_line) ||
		memcmp(text, first_line, strlen(first_line)) != 0) {
		return err_raise(err, ERR_INVALID,
			"line 1 is not \"mirror-folder 1\": another format, or a newer "
			"one");
	}
	if (memchr(text, '\0', len) != NULL || text[len - 1] != '\n') {
		return err_raise(err, ERR_INVALID, "the sidecar is not whole lines");
	}
	memory = xcalloc(1, sizeof(*memory));
	folder.memory_ = memory;
	memory->text = xmemdup0(text, len);
	memory->entries = xcalloc(count_of(text, len, "\n"), sizeof(*memory->entries));
	memory->xattrs_max = count_of(text, len, " xattr.");
	memory->xattrs = xcalloc(memory->xattrs_max + 1, sizeof(*memory->xattrs));
	folder.entries = memory->entries;
	if (read_all(&folder, memory, err) < 0 ||
		check_canonical(&folder, text, len, err) < 0) {
		return err_wrap(err, "read the sidecar");
	}
	*ret_folder = folder;
	folder.memory_ = NULL;
	return 0;
}

void
sidecar_done(struct sidecar_folder *folder)
{
	struct memory *memory = folder->memory_;

	if (memory != NULL) {
		free(memory->text);
		free(memory->entries);
		free(memory->xattrs);
		free(memory);
	}
	*folder = (struct sidecar_folder){ 0 };
}

static int
find_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct sidecar_entry *)entry)->name);
}

const struct sidecar_entry *
sidecar_find(const struct sidecar_folder *folder, const char *name)
{
	return folder->nentries == 0 ? NULL
				     : bsearch(name, folder->entries, folder->nentries,
					       sizeof(*folder->entries), find_name);
}
