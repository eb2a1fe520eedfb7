// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/idem.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/** The file is read up to here, and written anew when it is longer. */
	FILE_MAX = 16 * 1024 * 1024,
	LINES_MAX = 4 * IDEM_MAX,
};

struct idem_entry {
	bool used;
	/** Of the key: what a client calls its request may be anything. */
	uint8_t key[HASH_SHA256_LEN];
	uint8_t print[HASH_SHA256_LEN];
	bool keep;
	/** 0 while it is under way. */
	unsigned int status;
	char *text;
	uint64_t age;
};

struct idem {
	struct idem_entry entries[IDEM_MAX];
	uint64_t clock;
	/** NULL: none. */
	char *file;
	/** In it, more or less. */
	size_t nlines;
};

void
idem_drop(struct idem_entry *entry)
{
	free(entry->text);
	*entry = (struct idem_entry){ 0 };
}

void
idem_free(struct idem *idem)
{
	if (idem == NULL) {
		return;
	}
	for (size_t i = 0; i < IDEM_MAX; i++) {
		idem_drop(&idem->entries[i]);
	}
	free(idem->file);
	free(idem);
}

// A free place, else the oldest that is not under way (those are few: see serve/bench).
static struct idem_entry *
make_room(struct idem *idem)
{
	struct idem_entry *oldest = NULL;

	for (size_t i = 0; i < IDEM_MAX; i++) {
		struct idem_entry *entry = &idem->entries[i];

		if (!entry->used) {
			return entry;
		}
		if (entry->status != 0 && (oldest == NULL || entry->age < oldest->age)) {
			oldest = entry;
		}
	}
	if (oldest != NULL) {
		idem_drop(oldest);
	}
	return oldest;
}

// ---- the file

static char *
write_line(const struct idem_entry *entry)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO_FREE char *line = NULL;
	char hex[2 * HASH_SHA256_LEN + 1];

	hash_hex(entry->key, HASH_SHA256_LEN, hex);
	json_set_text(object, "key", hex);
	hash_hex(entry->print, HASH_SHA256_LEN, hex);
	json_set_text(object, "print", hex);
	json_set_int(object, "status", entry->status);
	json_set_bytes(object, "text", entry->text, strlen(entry->text));
	line = json_write(object, 0);
	return xasprintf("%s\n", line);
}

// A line that was cut short by a kill, or that somebody changed, is none.
static void
read_line(struct idem *idem, const char *line, size_t len)
{
	AUTO(json_freep) struct json *object = NULL;
	struct idem_entry found = { .used = true, .keep = true };
	struct idem_entry *entry;
	const char *key;
	const char *print;
	struct err ignored;

	if (json_parse(line, len, &object, &ignored) < 0) {
		return;
	}
	key = json_get_text(object, "key");
	print = json_get_text(object, "print");
	found.status = (unsigned int)json_get_int(object, "status", 0);
	if (key == NULL || print == NULL || found.status < 200 || found.status > 399 ||
		!hash_unhex(key, found.key, HASH_SHA256_LEN) ||
		!hash_unhex(print, found.print, HASH_SHA256_LEN)) {
		return;
	}
	found.text = json_get_bytes(object, "text");
	entry = found.text != NULL ? make_room(idem) : NULL;
	if (entry == NULL) {
		free(found.text);
		return;
	}
	found.age = ++idem->clock;
	*entry = found;
	idem->nlines++;
}

static void
write_all(struct idem *idem)
{
	AUTO(buf_done) struct buf text = { .max = FILE_MAX };
	struct err ignored;

	idem->nlines = 0;
	for (size_t i = 0; i < IDEM_MAX; i++) {
		const struct idem_entry *entry = &idem->entries[i];
		AUTO_FREE char *line =
			entry->keep && entry->status != 0 ? write_line(entry) : NULL;

		if (line != NULL && buf_add_text(&text, line, &ignored) == 0) {
			idem->nlines++;
		}
	}
	// What is not written is forgotten by the next process, no more.
	if (file_replace_at(idem->file, text.data, text.len, 0600, &ignored) < 0) {
		(void)unlink(idem->file);
	}
}

static void
read_lines(struct idem *idem)
{
	AUTO(buf_done) struct buf text = { .max = FILE_MAX };
	struct err ignored;
	const char *at;
	const char *end;

	if (file_read(AT_FDCWD, idem->file, &text, &ignored) < 0) {
		return;
	}
	at = buf_text(&text);
	while ((end = strchr(at, '\n')) != NULL) {
		read_line(idem, at, (size_t)(end - at));
		at = end + 1;
	}
	// Behind a line that was cut short the next one would be lost, too.
	if (*at != '\0') {
		write_all(idem);
	}
}

static void
add_line(struct idem *idem, const struct idem_entry *entry)
{
	AUTO_FREE char *line = write_line(entry);
	struct err ignored;

	if (idem->nlines >= LINES_MAX) {
		write_all(idem);
		return;
	}
	AUTO_CLOSE int fd = open(
		idem->file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && fd_write_all(fd, line, strlen(line), &ignored) == 0) {
		idem->nlines++;
	}
}

struct idem *
idem_new(const char *state_dir)
{
	struct idem *idem = xcalloc(1, sizeof(*idem));

	if (state_dir != NULL) {
		idem->file = path_join(state_dir, IDEM_FILE);
		read_lines(idem);
	}
	return idem;
}

// ---- a request

enum idem_found
idem_begin(struct idem *idem, const char *key, const uint8_t print[HASH_SHA256_LEN],
	struct idem_entry **ret_entry)
{
	struct idem_entry *entry;
	uint8_t hashed[HASH_SHA256_LEN];

	hash_sha256(key, strlen(key), hashed);
	for (size_t i = 0; i < IDEM_MAX; i++) {
		entry = &idem->entries[i];
		if (!entry->used || memcmp(entry->key, hashed, sizeof(hashed)) != 0) {
			continue;
		}
		*ret_entry = entry;
		if (memcmp(entry->print, print, HASH_SHA256_LEN) != 0) {
			return IDEM_OTHER;
		}
		return entry->status == 0 ? IDEM_BUSY : IDEM_DONE;
	}
	entry = make_room(idem);
	if (entry == NULL) {
		return IDEM_BUSY;
	}
	entry->used = true;
	memcpy(entry->key, hashed, sizeof(hashed));
	memcpy(entry->print, print, HASH_SHA256_LEN);
	entry->age = ++idem->clock;
	*ret_entry = entry;
	return IDEM_NEW;
}

void
idem_end(struct idem *idem, struct idem_entry *entry, unsigned int status,
	const char *text, bool keep)
{
	if (strlen(text) > IDEM_TEXT_MAX) {
		idem_drop(entry);
		return;
	}
	entry->status = status;
	entry->text = xstrdup(text);
	entry->keep = keep;
	if (keep && idem->file != NULL) {
		add_line(idem, entry);
	}
}

unsigned int
idem_status(const struct idem_entry *entry)
{
	return entry->status;
}

const char *
idem_text(const struct idem_entry *entry)
{
	return entry->text;
}
