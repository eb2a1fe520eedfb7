// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/seal - shut with the public half of a key, opened with the other, by `age`.
 *
 *     AUTO(buf_done) struct buf sealed = { .max = SEAL_BYTES_MAX };
 *
 *     if (seal_recipient_load(git_dir, recipient, err) < 0) ...
 *     if (seal_bytes(recipient, data, len, &sealed, err) < 0) ...
 *     if (seal_open("/media/usb/key.txt", sealed.data, sealed.len, &plain, err) < 0) ...
 *
 * Knows: base (file, spawn), age.  Runs `age` to open, and to seal for a plugin;
 *        `age-keygen`.
 * Owns:  <git dir>/mirror/recipient, one line.
 * Never: keeps a private key, or puts one on a command line: it is named by its file,
 *        which the programs read themselves; writes what it seals or opens to a disk:
 *        both go through pipes (I3).
 *
 * Threads: any number at a time.
 */

#ifndef VAULT_SEAL_H
#define VAULT_SEAL_H

#include "base/base.h"

struct buf;
struct err;

enum {
	SEAL_RECIPIENT_MAX = 200,
	/** What can be sealed, and what comes of it (16 bytes for each 64 KiB, and a
	 * head).
	 */
	SEAL_PLAIN_MAX = 512 << 20,
	SEAL_BYTES_MAX = SEAL_PLAIN_MAX + (1 << 20),
	SEAL_DEADLINE_MS = 60000,
};

/** "age1...", the public half of a key; nothing else is taken for one. */
bool seal_is_recipient(const char *text) NONNULL;

/** 1 there is one, 0 there is none, or negative: INVALID. */
int seal_recipient_load(const char *git_dir, char ret_recipient[SEAL_RECIPIENT_MAX],
	struct err *err) NONNULL MUST_CHECK;
/** Put it there, whole and durable, in the place of another. */
int seal_recipient_store(const char *git_dir, const char *recipient, struct err *err)
	NONNULL MUST_CHECK;

/**
 * A new key.
 *
 * @file
 *         Where the private half goes, mode 0600, on disk when this returns.
 * @return
 *         0, or negative: EXISTS (never overwritten), NOT_FOUND (no `age-keygen`, or no
 *         such folder), DENIED.
 */
int seal_new_key(const char *file, char ret_recipient[SEAL_RECIPIENT_MAX],
	struct err *err) NONNULL MUST_CHECK;

/**
 * Append @data, sealed.  Sealing twice never gives the same bytes.
 *
 * @return
 *         0, or negative: INVALID (the recipient), TOO_BIG; with a plugin's recipient
 *         also NOT_FOUND (no `age`), TIMEOUT.
 */
int seal_bytes(const char *recipient, const void *data, size_t len, struct buf *out,
	struct err *err) NONNULL_ARGS(1, 4, 5) MUST_CHECK;

/**
 * Append what was sealed.
 *
 * @identity
 *         Path of the file with the private half.
 * @return
 *         0, or negative: DENIED (another key shut it), CONFIG (the file cannot be read,
 *         or holds no key), INVALID (damaged), NOT_FOUND (no `age`), TIMEOUT, TOO_BIG.
 */
int seal_open(const char *identity, const void *sealed, size_t len, struct buf *out,
	struct err *err) NONNULL MUST_CHECK;

/** Can this file be a private half?  INVALID with the reason; DENIED, NOT_FOUND. */
int seal_check_identity(const char *identity, struct err *err) NONNULL MUST_CHECK;

#endif
