// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/pem - a private key between its BEGIN and END lines.
 *
 * Knows: base, chars, rarity.
 * Owns:  nothing; the bare key is the caller's, pem_done() wipes and frees it.
 * Never: takes a certificate, a public key or "your key here" for one.
 */

#ifndef SCANNER_PEM_H
#define SCANNER_PEM_H

#include "base/base.h"

enum {
	/** A longer block is read up to here; keys of 16384 bits take 13 KiB. */
	PEM_MAX = 64 * 1024,
	/** Fewer characters of base64 are no key. */
	PEM_KEY_MIN = 40,
};

struct pem_block {
	/** First to last character of base64. */
	size_t start;
	size_t end;
	/** It has its END. */
	bool whole;
	/** Under a passphrase. */
	bool encrypted;
	/** The base64 without line breaks, escapes and quotes. */
	char *bare;
	size_t nbare;
};

/** @at is where "PRIVATE KEY" stands. */
bool
pem_read(const char *text, size_t len, size_t at, struct pem_block *ret_block) NONNULL;
void pem_done(struct pem_block *block) NONNULL;

#endif
