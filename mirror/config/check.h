// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * config/check - texts that are texts, and wrong all the same.
 *
 *     reason = check_text("api", "http", "0.0.0.0:80");     // "is no loopback ..."
 *
 * Knows: nothing.
 * Owns:  nothing; pure functions, and literals.
 * Never: asks whether something exists: a right configuration stays right when a network
 *        or a disk is away.
 */

#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "base/base.h"

/** What is wrong with @text as [@section] @key, to stand behind it in quotes: a literal;
 * NULL when nothing is. */
const char *check_text(const char *section, const char *key, const char *text) NONNULL;

/** Is @text the same as not writing the option at all: "" for some? */
bool check_is_unset(const char *section, const char *key, const char *text) NONNULL;

/** Can a wrong value be quoted in a message?  Not one that may hold a password or a key
 * (I3): messages go to logs and reports. */
bool check_may_be_shown(const char *text) NONNULL;

/** How it looks when it is right, for an option that has no value by itself; a literal,
 * "" when anything goes. */
const char *check_example(const char *section, const char *key) NONNULL;

/** Is it a branch that git takes, host/NAME? */
bool check_is_branch(const char *name) NONNULL;

#endif
