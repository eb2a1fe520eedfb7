// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/rule_rows - how a row of a rule table is written.
 *
 * Knows: rule.
 * Owns:  nothing.
 * Never: is included by anything but the tables.
 *
 * A row begins with id, name, literals, pattern, source; further fields follow by name.
 * TOKEN is certain, MAYBE likely; KEYED is likely and needs a name beside it, KEYED_SURE
 * is certain with it.
 */

#ifndef SCANNER_RULE_ROWS_H
#define SCANNER_RULE_ROWS_H

#include "scanner/rule.h"

#define TOKEN(...)                                                                       \
	{                                                                                \
		__VA_ARGS__, .kind = RULE_TOKEN, .confidence = FINDING_CERTAIN           \
	}
#define MAYBE(...)                                                                       \
	{                                                                                \
		__VA_ARGS__, .kind = RULE_TOKEN, .confidence = FINDING_LIKELY            \
	}
#define KEYED(...)                                                                       \
	{                                                                                \
		__VA_ARGS__, .kind = RULE_KEYED, .confidence = FINDING_LIKELY            \
	}
#define KEYED_SURE(...)                                                                  \
	{                                                                                \
		__VA_ARGS__, .kind = RULE_KEYED, .confidence = FINDING_CERTAIN           \
	}

#endif
