// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/original - what was taken out of one path, as the text that is sealed.
 *
 *     struct original original = { .has_content = true, .size = len, .spans = spans, ...
 * };
 *
 *     if (original_write(&original, &text, err) < 0) ...      // what `age` encrypts
 *     if (original_read(text, len, &back, err) < 0) ...       // what `age` gives back
 *     if (original_fill_in(&back, redacted, len, &out, err) < 0) ...
 *
 * Knows: base.  Bytes in, bytes out; no key, no disk.
 * Owns:  what original_read() made, until original_done().
 * Never: writes one original in two ways; gives back bytes whose hash is not the one that
 *        was sealed with them; a name that leads out of its folder.
 *
 * The format is docs/format.md, section 9; this file is its implementation.
 */

#ifndef VAULT_ORIGINAL_H
#define VAULT_ORIGINAL_H

#include "base/base.h"
#include "base/hash.h"

struct buf;
struct err;

enum {
	/** Bytes of the text; more cannot be sealed (TOO_BIG). */
	ORIGINAL_TEXT_MAX = 512 << 20,
	/** Places in one file; more is sealed whole by whoever writes. */
	ORIGINAL_SPANS_MAX = 1000000,
	ORIGINAL_NAME_MAX = 4096,
	ORIGINAL_ATTRIBUTES_MAX = 256,
};

/** One place in the redacted bytes, and what stood there. */
struct original_span {
	uint64_t at;
	uint64_t len;
	const void *data;
	size_t data_len;
};

/** An extended attribute in which a secret was found, as it was. */
struct original_attribute {
	const char *name;
	const void *value;
	size_t len;
};

struct original {
	/** The true name, one component; NULL when what is shown is the name. */
	const char *name;
	/** Was something taken out of its content?  Else the rest is not there. */
	bool has_content;
	uint64_t size;
	uint8_t sha256[HASH_SHA256_LEN];
	/** All of it, when marks cannot be turned back one by one; or NULL. */
	const void *whole;
	/** In order, not overlapping; none with @whole. */
	const struct original_span *spans;
	size_t nspans;
	/** In order of their names. */
	const struct original_attribute *attributes;
	size_t nattributes;
	/** What original_read() allocated. */
	void *memory_;
};

/** Append the text.  TOO_BIG. */
int original_write(const struct original *original, struct buf *text, struct err *err)
	NONNULL MUST_CHECK;

/** INVALID: this is no such text. */
int original_read(const char *text, size_t len, struct original *ret_original,
	struct err *err) NONNULL MUST_CHECK;
/** Frees what original_read() made, nothing else; wipes it first. */
void original_done(struct original *original) NONNULL;

/**
 * The original bytes from the redacted ones.
 *
 * @return
 *         0, or negative: INVALID (it belongs to other bytes than these), TOO_BIG.
 */
int original_fill_in(const struct original *original, const void *redacted, size_t len,
	struct buf *out, struct err *err) NONNULL MUST_CHECK;

#endif
