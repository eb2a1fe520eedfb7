// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/state.h"

#include "base/path.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	bool safe;
} states[] = {
#define STATE_(name, word, safe) { word, safe },
	LEDGER_STATE_TABLE(STATE_)
#undef STATE_
};

static const char *const kinds[] = {
#define KIND_(name, word) word,
	LEDGER_KIND_TABLE(KIND_)
#undef KIND_
};

const char *
ledger_state_word(enum ledger_state state)
{
	return states[(size_t)state < countof(states) ? state : LEDGER_UNACCOUNTED].word;
}

bool
ledger_state_parse(const char *word, enum ledger_state *ret_state)
{
	for (size_t i = 0; i < countof(states); i++) {
		if (strcmp(word, states[i].word) == 0) {
			*ret_state = (enum ledger_state)i;
			return true;
		}
	}
	return false;
}

bool
ledger_is_protected(enum ledger_state state)
{
	return (size_t)state < countof(states) && states[state].safe;
}

const char *
ledger_kind_word(enum ledger_kind kind)
{
	return kinds[(size_t)kind < countof(kinds) ? kind : LEDGER_KIND_OTHER];
}

// "word" alone, or "word:" and more.
static bool
starts_with_word(const char *reason, const char *word)
{
	size_t len = strlen(word);

	return strncmp(reason, word, len) == 0 &&
		(reason[len] == '\0' || reason[len] == ':');
}

enum ledger_kind
ledger_kind_of(enum ledger_state state, const char *reason)
{
	// The reasons of these two are rule ids, and a rule may be called anything.
	if (reason[0] == '\0' || state == LEDGER_REDACTED || state == LEDGER_SEALED) {
		return LEDGER_KIND_NONE;
	}
	for (size_t i = LEDGER_KIND_NONE + 1; i < countof(kinds); i++) {
		if (i != LEDGER_KIND_OTHER && starts_with_word(reason, kinds[i])) {
			return (enum ledger_kind)i;
		}
	}
	return LEDGER_KIND_OTHER;
}

void
ledger_reason(char text[LEDGER_REASON_MAX], enum ledger_kind kind, const char *detail)
{
	const char *word = ledger_kind_word(kind);
	size_t room = LEDGER_REASON_MAX - strlen(word) - 2;
	size_t len;

	if (detail == NULL || detail[0] == '\0') {
		(void)snprintf(text, LEDGER_REASON_MAX, "%s", word);
		return;
	}
	AUTO_FREE char *shown = path_printable(detail);
	len = strlen(shown);
	// The end of "file:line" tells more than its start.
	(void)snprintf(text, LEDGER_REASON_MAX, "%s:%s", word,
		len > room ? shown + (len - room) : shown);
}

void
ledger_reason_errno(char text[LEDGER_REASON_MAX], int sys)
{
	const char *name = strerrorname_np(sys);

	if (name != NULL) {
		(void)snprintf(text, LEDGER_REASON_MAX, "%s", name);
	} else {
		(void)snprintf(text, LEDGER_REASON_MAX, "E%d", sys);
	}
}
