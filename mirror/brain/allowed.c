// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/allowed.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEX_LEN = 2 * FINDING_PRINT_LEN
};

static char *
file_of(const char *git_dir)
{
	return path_join(git_dir, "mirror/allowed");
}

void
allowed_done(struct allowed *allowed)
{
	for (size_t i = 0; i < allowed->count; i++) {
		free(allowed->notes[i]);
	}
	free(allowed->notes);
	free(allowed->prints);
	memset(allowed, 0, sizeof(*allowed));
}

static void
append(struct allowed *allowed, const uint8_t print[FINDING_PRINT_LEN], const char *note)
{
	allowed->prints = xgrow(allowed->prints, allowed->count, &allowed->capacity,
		sizeof(allowed->prints[0]));
	allowed->notes = xgrow(allowed->notes, allowed->count, &allowed->notes_capacity,
		sizeof(allowed->notes[0]));
	memcpy(allowed->prints[allowed->count], print, FINDING_PRINT_LEN);
	allowed->notes[allowed->count++] = xstrdup(note);
}

static int
read_line(struct allowed *allowed, char *line, size_t number, struct err *err)
{
	uint8_t print[FINDING_PRINT_LEN];
	char *note = strchr(line, ' ');

	if (line[0] == '\0' || line[0] == '#') {
		return 0;
	}
	if (note != NULL) {
		*note++ = '\0';
	}
	if (strlen(line) != HEX_LEN || !hash_unhex(line, print, sizeof(print))) {
		return err_raise(
			err, ERR_INVALID, "allowed:%zu: not a fingerprint", number);
	}
	if (allowed->count >= ALLOWED_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %d allowed fingerprints",
			ALLOWED_MAX);
	}
	append(allowed, print, note != NULL ? note : "");
	return 0;
}

int
allowed_load(const char *git_dir, struct allowed *ret_allowed, struct err *err)
{
	AUTO_FREE char *path = file_of(git_dir);
	AUTO(buf_done) struct buf text = { .max = ALLOWED_FILE_MAX };
	size_t number = 0;
	char *rest;

	if (file_read(AT_FDCWD, path, &text, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err->code;
	}
	rest = text.data;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		if (read_line(ret_allowed, line, ++number, err) < 0) {
			return err_wrap(err, "%s", path);
		}
	}
	return 0;
}

static int
save(const char *git_dir, const struct allowed *allowed, struct err *err)
{
	AUTO_FREE char *path = file_of(git_dir);
	AUTO(buf_done) struct buf text = { .max = ALLOWED_FILE_MAX };

	for (size_t i = 0; i < allowed->count; i++) {
		char hex[HEX_LEN + 1];

		hash_hex(allowed->prints[i], FINDING_PRINT_LEN, hex);
		if (buf_add_fmt(&text, err, "%s %s\n", hex, allowed->notes[i]) < 0) {
			return err->code;
		}
	}
	return file_replace_at(path, buf_text(&text), text.len, 0600, err);
}

static size_t
find(const struct allowed *allowed, const uint8_t print[FINDING_PRINT_LEN])
{
	size_t at = 0;

	while (at < allowed->count &&
		memcmp(allowed->prints[at], print, FINDING_PRINT_LEN) != 0) {
		at++;
	}
	return at;
}

int
allowed_add(const char *git_dir, const uint8_t print[FINDING_PRINT_LEN], const char *note,
	struct err *err)
{
	AUTO(allowed_done) struct allowed allowed = { 0 };
	AUTO_FREE char *clean = path_printable(note);
	AUTO_FREE char *line = NULL;
	char now[CLOCK_TEXT_MAX];

	if (allowed_load(git_dir, &allowed, err) < 0) {
		return err->code;
	}
	if (find(&allowed, print) < allowed.count) {
		return 0;
	}
	clock_format(clock_now_ms(), now);
	line = xasprintf("%s %.*s", now, ALLOWED_NOTE_MAX, clean);
	append(&allowed, print, line);
	return save(git_dir, &allowed, err) < 0 ? err->code : 1;
}

int
allowed_remove(
	const char *git_dir, const uint8_t print[FINDING_PRINT_LEN], struct err *err)
{
	AUTO(allowed_done) struct allowed allowed = { 0 };
	size_t at;

	if (allowed_load(git_dir, &allowed, err) < 0) {
		return err->code;
	}
	at = find(&allowed, print);
	if (at == allowed.count) {
		return 0;
	}
	free(allowed.notes[at]);
	allowed.count--;
	memcpy(allowed.prints[at], allowed.prints[allowed.count], FINDING_PRINT_LEN);
	allowed.notes[at] = allowed.notes[allowed.count];
	return save(git_dir, &allowed, err) < 0 ? err->code : 1;
}
