// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * cli/flags - the flags of each verb, for the table of verbs.
 *
 * Those that several verbs share are in cli/verbs.
 *
 * Knows: args.
 * Owns:  nothing; every table ends with a row without a name.
 * Never: is read by anyone but cli/verbs.
 */

#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include "cli/args.h"

extern const struct flag status_flags[];
extern const struct flag web_flags[];
extern const struct flag config_show_flags[];
extern const struct flag version_flags[];
extern const struct flag man_flags[];
extern const struct flag scan_flags[];
extern const struct flag run_flags[];
extern const struct flag health_flags[];
extern const struct flag ledger_flags[];
extern const struct flag init_flags[];
extern const struct flag service_flags[];
extern const struct flag doctor_flags[];
extern const struct flag add_flags[];
extern const struct flag reason_flags[];
extern const struct flag accept_flags[];
extern const struct flag milestone_flags[];
extern const struct flag log_flags[];
extern const struct flag machines_flags[];
extern const struct flag today_flags[];
extern const struct flag history_flags[];
extern const struct flag purge_flags[];
extern const struct flag restore_flags[];
extern const struct flag key_new_flags[];
extern const struct flag key_test_flags[];
extern const struct flag verify_flags[];
extern const struct flag drill_flags[];
extern const struct flag db_snapshot_flags[];
extern const struct flag db_restore_flags[];

#endif
