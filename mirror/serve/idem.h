// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/idem - a request that comes twice with one key is done once.
 *
 *     switch (idem_begin(idem, key, print, &entry)) ...
 *     idem_end(idem, entry, 202, text, true);   // or idem_drop(entry): try again
 *
 * Knows: base.
 * Owns:  the last IDEM_MAX answers, and <state>/api.answers (0600), a line for each, from
 *        which the next process takes them up.
 * Never: gives one request's answer to another that differs in anything but its key, or
 *        writes a key down: its hash stands for it.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header.
 */

#ifndef SERVE_IDEM_H
#define SERVE_IDEM_H

#include "base/base.h"
#include "base/hash.h"

struct idem;
struct idem_entry;

enum {
	IDEM_MAX = 256,
	IDEM_KEY_MAX = 255,
	IDEM_TEXT_MAX = 64 * 1024,
};

enum idem_found {
	/** Ours to do; idem_end() or idem_drop() it. */
	IDEM_NEW,
	/** Done already: the answer is in the entry. */
	IDEM_DONE,
	/** Under way. */
	IDEM_BUSY,
	/** The key was used for something else. */
	IDEM_OTHER,
};

#define IDEM_FILE "api.answers"

/** @state_dir NULL: in memory alone.  A file that cannot be read is begun anew. */
struct idem *idem_new(const char *state_dir) MUST_CHECK;
/** Accepts NULL. */
void idem_free(struct idem *idem);

/** @print says what the request is; who asks is part of it. */
enum idem_found
idem_begin(struct idem *idem, const char *key, const uint8_t print[HASH_SHA256_LEN],
	struct idem_entry **ret_entry) NONNULL MUST_CHECK;
/** Copied; a text past the limit is dropped instead.  @keep: also for the next process;
 * an answer that opens a door is not. */
void idem_end(struct idem *idem, struct idem_entry *entry, unsigned int status,
	const char *text, bool keep) NONNULL;
void idem_drop(struct idem_entry *entry) NONNULL;

unsigned int idem_status(const struct idem_entry *entry) NONNULL;
/** Borrowed until the next idem_begin(). */
const char *idem_text(const struct idem_entry *entry) NONNULL;

#endif
