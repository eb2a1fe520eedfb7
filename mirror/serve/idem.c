// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/idem.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct idem_entry {
	/** NULL: free. */
	char *key;
	uint8_t print[HASH_SHA256_LEN];
	/** 0 while it is under way. */
	unsigned int status;
	char *text;
	uint64_t age;
};

struct idem {
	struct idem_entry entries[IDEM_MAX];
	uint64_t clock;
};

struct idem *
idem_new(void)
{
	return xcalloc(1, sizeof(struct idem));
}

void
idem_drop(struct idem_entry *entry)
{
	free(entry->key);
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
	free(idem);
}

// A free place, else the oldest that is not under way (those are few: see serve/bench).
static struct idem_entry *
make_room(struct idem *idem)
{
	struct idem_entry *oldest = NULL;

	for (size_t i = 0; i < IDEM_MAX; i++) {
		struct idem_entry *entry = &idem->entries[i];

		if (entry->key == NULL) {
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

enum idem_found
idem_begin(struct idem *idem, const char *key, const uint8_t print[HASH_SHA256_LEN],
	struct idem_entry **ret_entry)
{
	struct idem_entry *entry;

	for (size_t i = 0; i < IDEM_MAX; i++) {
		entry = &idem->entries[i];
		if (entry->key == NULL || strcmp(entry->key, key) != 0) {
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
	entry->key = xstrdup(key);
	memcpy(entry->print, print, HASH_SHA256_LEN);
	entry->age = ++idem->clock;
	*ret_entry = entry;
	return IDEM_NEW;
}

void
idem_end(struct idem_entry *entry, unsigned int status, const char *text)
{
	if (strlen(text) > IDEM_TEXT_MAX) {
		idem_drop(entry);
		return;
	}
	entry->status = status;
	entry->text = xstrdup(text);
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
