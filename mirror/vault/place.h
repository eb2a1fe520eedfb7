// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/place - which folder are the snapshots of a database in?
 *
 * Knows: base.
 * Owns:  the way a path becomes the name of a folder; pure.
 * Never: lets two paths share one.
 */

#ifndef VAULT_PLACE_H
#define VAULT_PLACE_H

#include "base/base.h"

/** Of @path ("<root>/<rel>"), below @top; owned by the caller. */
char *vault_place(const char *top, const char *path) NONNULL MUST_CHECK;

#endif
