// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/cli - from argv to an exit status.
 *
 *     return cli_main(argc, argv);
 *
 * Knows: args, verbs, help, output.
 * Owns:  the call, for as long as the verb runs.
 * Never: does a verb's work, or ends with a failure it has not told (I11).
 *
 * Exit statuses: 0 done or healthy, 1 done but degraded, 2 failed, 3 unknown, 64 usage,
 * 65 data refused, 69 remote unavailable or refused, 73 cannot write, 75 busy and
 * --no-wait, 77 permission, 78 configuration, 124 time limit.
 */

#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/base.h"

int cli_main(int argc, char **argv) NONNULL;

#endif
