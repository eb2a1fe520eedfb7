// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/rule_tables - the tables, one for each file.
 *
 * Knows: rule.
 * Owns:  nothing.
 * Never: holds anything but data.
 */

#ifndef SCANNER_RULE_TABLES_H
#define SCANNER_RULE_TABLES_H

#include "scanner/rule.h"

extern const struct rule_table rules_code;
extern const struct rule_table rules_cloud;
extern const struct rule_table rules_trade;
extern const struct rule_table rules_text;
extern const struct rule_table rules_command;
extern const struct rule_table rules_keyed;

#endif
