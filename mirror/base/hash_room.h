// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * base/hash_room - libgcrypt, for hash.c and hash_cipher.c alone.
 *
 * Knows: libgcrypt.
 * Owns:  nothing.
 * Never: is included by anybody else.
 */

#ifndef BASE_HASH_ROOM_H
#define BASE_HASH_ROOM_H

#include <gcrypt.h>

#endif
