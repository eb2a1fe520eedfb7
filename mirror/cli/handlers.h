// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/handlers - the door of each verb's file.
 *
 * Knows: verb.
 * Owns:  nothing.
 * Never: is called by anyone but cli/cli, through the table in cli/verbs.
 */

#ifndef CLI_HANDLERS_H
#define CLI_HANDLERS_H

#include "cli/verb.h"

verb_fn verb_completion;
verb_fn verb_config_check;
verb_fn verb_config_edit;
verb_fn verb_config_show;
verb_fn verb_health;
verb_fn verb_help;
verb_fn verb_ledger;
verb_fn verb_man;
verb_fn verb_run;
verb_fn verb_scan;
verb_fn verb_status;
verb_fn verb_version;
verb_fn verb_why;

#endif
