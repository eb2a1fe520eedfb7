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

verb_fn verb_accept;
verb_fn verb_add;
verb_fn verb_cancel;
verb_fn verb_completion;
verb_fn verb_config_check;
verb_fn verb_config_edit;
verb_fn verb_config_show;
verb_fn verb_db_list;
verb_fn verb_db_restore;
verb_fn verb_db_snapshot;
verb_fn verb_db_verify;
verb_fn verb_diff;
verb_fn verb_doctor;
verb_fn verb_drill;
verb_fn verb_health;
verb_fn verb_help;
verb_fn verb_init;
verb_fn verb_key_new;
verb_fn verb_key_show;
verb_fn verb_key_test;
verb_fn verb_ledger;
verb_fn verb_log;
verb_fn verb_machines;
verb_fn verb_man;
verb_fn verb_milestone;
verb_fn verb_pause;
verb_fn verb_remote_set;
verb_fn verb_remote_test;
verb_fn verb_remove;
verb_fn verb_restore;
verb_fn verb_resume;
verb_fn verb_run;
verb_fn verb_scan;
verb_fn verb_secrets_allow;
verb_fn verb_secrets_deny;
verb_fn verb_secrets_history;
verb_fn verb_secrets_list;
verb_fn verb_secrets_purge;
verb_fn verb_service_install;
verb_fn verb_service_remove;
verb_fn verb_status;
verb_fn verb_today;
verb_fn verb_uninstall;
verb_fn verb_verify;
verb_fn verb_version;
verb_fn verb_web;
verb_fn verb_why;

#endif
