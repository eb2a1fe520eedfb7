// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/rule_tables.h"

// Where two findings overlap and are equally sure, the earlier rule names them;
// the generic rules stand last.
const struct rule_table *const rule_tables[] = { &rules_code, &rules_cloud, &rules_trade,
	&rules_keyed, &rules_command, &rules_text, NULL };
