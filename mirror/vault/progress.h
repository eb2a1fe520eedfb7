// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/progress - how the long jobs of this room speak to whoever waits.
 *
 * Knows: nothing.
 * Owns:  nothing.
 * Never: grows a function; this is one word.
 */

#ifndef VAULT_PROGRESS_H
#define VAULT_PROGRESS_H

#include "base/base.h"

/**
 * Called a few times a second from the thread that does the work.
 *
 * @stage
 *         "copy", "check", "compress", "encrypt", "upload", "read back" ...; a literal.
 * @total
 *         Bytes, or 0 while nobody knows.
 * @return
 *         0 to go on; anything else cancels, and the job ends with CANCELLED.
 */
typedef int
vault_progress_fn(const char *stage, int64_t done, int64_t total, void *payload);

#endif
