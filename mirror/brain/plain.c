// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Three file systems read names in three ways, and git refuses a name that any of them
 * would take for `.git`:
 *
 *     ext4  byte for byte
 *     NTFS  any case; "git~1"; spaces and dots at the end, and everything behind a colon,
 *           do not count; a backslash begins a new component
 *     HFS+  any case; invisible code points do not count
 *
 * The same readings apply to the files that steer git (.gitignore and kin): they do not
 * make a tree invalid, but at their own path they would act on their neighbours.
 */

#include "brain/plain.h"

#include <string.h>
#include <strings.h>

// Names that steer git, each with its NTFS short name's hash part.
static const struct {
	const char *name;
	const char *short_hash;
	// Dangerous only as a symbolic link.
	bool link_only;
} steering[] = {
	{ "gitignore", "gi250a", false },
	{ "gitattributes", "gi7d29", false },
	{ "gitmodules", "gi7eba", false },
	{ "mailmap", "maba30", true },
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Behind the part that counts: nothing but spaces and dots, then the end, a stream, or a
// new component.
static bool
ends_for_ntfs(const char *at)
{
	while (*at == '.' || *at == ' ') {
		at++;
	}
	return *at == '\0' || *at == ':' || *at == '\\';
}

static bool
is_ntfs_git(const char *name)
{
	if (strncasecmp(name, ".git", 4) == 0) {
		return ends_for_ntfs(name + 4);
	}
	return strncasecmp(name, "git~1", 5) == 0 && ends_for_ntfs(name + 5);
}

// "gi250a~1" and the forms with fewer letters and more digits.
static bool
is_short_hash(const char *name, const char *hash)
{
	bool tilde = false;

	for (size_t i = 0; i < 8; i++) {
		if (name[i] == '\0') {
			return false;
		}
		if (tilde) {
			if (name[i] < '0' || name[i] > '9') {
				return false;
			}
		} else if (name[i] == '~') {
			i++;
			if (name[i] < '1' || name[i] > '9') {
				return false;
			}
			tilde = true;
		} else if (i >= 6 || lower(name[i]) != hash[i]) {
			return false;
		}
	}
	return ends_for_ntfs(name + 8);
}

static bool
is_ntfs_dot(const char *name, const char *wanted, const char *short_hash)
{
	size_t len = strlen(wanted);

	if (name[0] == '.' && strncasecmp(name + 1, wanted, len) == 0) {
		return ends_for_ntfs(name + 1 + len);
	}
	if (strncasecmp(name, wanted, 6) == 0 && name[6] == '~' && name[7] >= '1' &&
		name[7] <= '4') {
		return ends_for_ntfs(name + 8);
	}
	return is_short_hash(name, short_hash);
}

// The bytes of an invisible code point at @at, or 0.
static size_t
invisible(const char *at)
{
	const unsigned char *c = (const unsigned char *)at;

	if (c[0] == 0xe2 && c[1] == 0x80 &&
		((c[2] >= 0x8c && c[2] <= 0x8f) || (c[2] >= 0xaa && c[2] <= 0xae))) {
		return 3;
	}
	if (c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xaa && c[2] <= 0xaf) {
		return 3;
	}
	return c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf ? 3 : 0;
}

static const char *
skip_invisible(const char *at)
{
	for (size_t len; (len = invisible(at)) > 0;) {
		at += len;
	}
	return at;
}

// Bytes that are not UTF-8 end a name as HFS+ reads it; a name that goes on in valid
// UTF-8 is another name.
static bool
ends_for_hfs(const char *at)
{
	unsigned char c = (unsigned char)*at;

	return c == '\0' || (c >= 0x80 && (c < 0xc2 || c > 0xf4)) ||
		(c >= 0xc2 && ((unsigned char)at[1] & 0xc0) != 0x80) ||
		(c >= 0xe0 && ((unsigned char)at[2] & 0xc0) != 0x80) ||
		(c >= 0xf0 && ((unsigned char)at[3] & 0xc0) != 0x80) ||
		(c == 0xe0 && (unsigned char)at[1] < 0xa0) ||
		(c == 0xed && (unsigned char)at[1] > 0x9f) ||
		(c == 0xf0 && (unsigned char)at[1] < 0x90) ||
		(c == 0xf4 && (unsigned char)at[1] > 0x8f) ||
		// The last two code points of a plane are no characters.
		(c == 0xef && (unsigned char)at[1] == 0xbf &&
			(unsigned char)at[2] >= 0xbe);
}

static bool
is_hfs_dot(const char *name, const char *wanted)
{
	const char *at = skip_invisible(name);

	if (*at != '.') {
		return false;
	}
	at++;
	for (; *wanted != '\0'; wanted++, at++) {
		at = skip_invisible(at);
		if (lower(*at) != *wanted) {
			return false;
		}
	}
	return ends_for_hfs(skip_invisible(at));
}

// All that steers git, in any of the three readings, begins like this; most names do not.
static bool
may_steer(const char *name)
{
	char first = lower(name[0]);

	return first == '.' || first == 'g' || first == 'm' ||
		(unsigned char)first >= 0x80;
}

static bool
is_refused(const char *name, enum plain_kind kind)
{
	if (!may_steer(name)) {
		return false;
	}
	if (plain_is_like_git(name)) {
		return true;
	}
	for (size_t i = 0; i < countof(steering); i++) {
		if (steering[i].link_only && kind != PLAIN_LINK) {
			continue;
		}
		if (is_hfs_dot(name, steering[i].name) ||
			is_ntfs_dot(name, steering[i].name, steering[i].short_hash)) {
			return true;
		}
	}
	return false;
}

// The length of a plain component that ends at '/' or NUL, or 0.
static size_t
plain_component(const char *name, enum plain_kind kind)
{
	char copy[PLAIN_NAME_MAX + 1];
	size_t len = (size_t)(strchrnul(name, '/') - name);

	if (len == 0 || len > PLAIN_NAME_MAX) {
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c < 0x20 || c == 0x7f) {
			return 0;
		}
		copy[i] = (char)c;
	}
	copy[len] = '\0';
	if (strcmp(copy, ".") == 0 || strcmp(copy, "..") == 0) {
		return 0;
	}
	// To NTFS each part behind a backslash is a name of its own.
	for (const char *part = copy; part != NULL;) {
		if (is_refused(part, kind)) {
			return 0;
		}
		part = strchr(part, '\\');
		part = part != NULL ? part + 1 : NULL;
	}
	return len;
}

bool
plain_name(const char *name, enum plain_kind kind)
{
	size_t len = plain_component(name, kind);

	return len > 0 && name[len] == '\0';
}

bool
plain_path(const char *path, enum plain_kind kind)
{
	if (strlen(path) > PLAIN_PATH_MAX) {
		return false;
	}
	for (const char *at = path;;) {
		bool last = strchr(at, '/') == NULL;
		size_t len = plain_component(at, last ? kind : PLAIN_FOLDER);

		if (len == 0) {
			return false;
		}
		if (last) {
			return true;
		}
		at += len + 1;
	}
}

bool
plain_is_git(const char *name)
{
	return strcmp(name, ".git") == 0;
}

bool
plain_is_like_git(const char *name)
{
	return may_steer(name) && (is_ntfs_git(name) || is_hfs_dot(name, "git"));
}
