// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/page_style - how the pages look, and the few lines that keep their numbers fresh.
 *
 * Knows: nothing.
 * Owns:  two texts.
 * Never: names another address: no font, picture or script comes from elsewhere.
 */

#ifndef SERVE_PAGE_STYLE_H
#define SERVE_PAGE_STYLE_H

#include "base/base.h"

/** Without them every page is complete, and can be read in a text browser.  In pieces;
 * the last is NULL. */
extern const char *const page_style[];
extern const char page_script[];

#endif
