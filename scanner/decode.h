// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/decode - out of base64, hex and percent escapes.
 *
 * Knows: chars.
 * Owns:  nothing.
 * Never: writes past the room it is given; never writes more bytes than it reads.
 */

#ifndef SCANNER_DECODE_H
#define SCANNER_DECODE_H

#include "base/base.h"

/** Each returns the bytes written, 0 when @text is not so encoded throughout. */
typedef size_t decode_fn(const char *text, size_t len, char *out, size_t size);

/** Standard or URL-safe, with or without padding, newlines and their escapes between. */
decode_fn decode_base64;
decode_fn decode_hex;
/** %XX, \\u00XX and \\xXX; other characters stay as they are. */
decode_fn decode_escapes;

/** What was decoded, when it is UTF-16 (PowerShell encodes so), becomes bytes in place.
 * Returns the new length, or @len when it is something else. */
size_t decode_wide(char *text, size_t len) NONNULL;

#endif
