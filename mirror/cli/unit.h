// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/unit - the unit of a user's own systemd, the one that packages install.
 *
 *     text = unit_user_text(program, config);      // for `mirror service install`
 *
 * docs/packaging/systemd/user.service.in is the one truth; the build puts its text into
 * the program, and here it is told which program and which configuration.
 *
 * Knows: base.
 * Owns:  nothing.
 * Never: differs from the packaged unit in anything but the command line, a line that
 *        says who made it, and where state and data are when the environment says so.
 */

#ifndef CLI_UNIT_H
#define CLI_UNIT_H

#include "base/base.h"

/** The template, with @PROGRAM@ in it; made by the build. */
extern const char unit_user_template[];

/** The whole unit, owned by the caller; both paths absolute. */
char *unit_user_text(const char *program, const char *config) NONNULL MUST_CHECK;

#endif
