// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/shown.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "ledger/ledger.h"
#include "ledger/walk.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Every mark begins so (scanner/redact.h).
#define MARK_START "REDACTED."

int
shown_name(struct scanner *scanner, const char *name, char **ret_shown, struct err *err)
{
	AUTO(redaction_done)
	struct redaction clean = { .out = { .max = LEDGER_NAME_MAX } };
	struct scan_input input = { .data = name, .len = strlen(name), .is_name = true };

	if (redact_bytes(scanner, &input, &clean, err) < 0) {
		return err_wrap(err, "scan a name");
	}
	if (clean.outcome == REDACT_CUT) {
		*ret_shown = xmemdup0(buf_text(&clean.out), clean.out.len);
		return 1;
	}
	// A name that cannot be cut is shown as one mark.
	if (clean.outcome == REDACT_CANNOT && clean.nspans > 0) {
		char mark[REDACT_MARK_MAX];

		redact_mark(clean.spans[0].rule, clean.spans[0].fingerprint, mark);
		*ret_shown = xstrdup(mark);
		return 1;
	}
	*ret_shown = xstrdup(name);
	return 0;
}

// Is @part what @shown says, or that with a number (several are shown alike)?  The number
// it has, 1 without one; 0: no.
static unsigned long
alike(const char *shown, const char *part)
{
	size_t len = strlen(shown);
	char *end = NULL;
	unsigned long number;

	if (strncmp(shown, part, len) != 0) {
		return 0;
	}
	if (part[len] == '\0') {
		return 1;
	}
	number = part[len] == '.' ? strtoul(part + len + 1, &end, 10) : 0;
	return end != NULL && *end == '\0' ? number : 0;
}

// The real name of what is shown as @part in the folder, by the order the walk gives them
// their numbers in.
static char *
real_name(struct scanner *scanner, const char *folder, const char *part, struct err *err)
{
	AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	AUTO(walk_list_done) struct walk_list list = { 0 };
	unsigned long seen = 0;

	if (fd < 0 || walk_list(fd, &list, err) < 0) {
		(void)err_raise(err, ERR_NOT_FOUND, "its folder cannot be read");
		return NULL;
	}
	for (size_t i = 0; i < list.count; i++) {
		AUTO_FREE char *shown = NULL;
		int cut = shown_name(scanner, list.entries[i].name, &shown, err);

		if (cut < 0) {
			return NULL;
		}
		if (cut > 0 && alike(shown, part) != 0 && ++seen == alike(shown, part)) {
			return xstrdup(list.entries[i].name);
		}
	}
	(void)err_raise(err, ERR_NOT_FOUND, "nothing there is shown by this name");
	return NULL;
}

bool
shown_has_mark(const char *shown)
{
	return strstr(shown, MARK_START) != NULL;
}

char *
shown_find(struct scanner *scanner, const char *root, const char *rel, bool *ret_hidden,
	struct err *err)
{
	AUTO_FREE char *at = xstrdup(root);

	*ret_hidden = false;
	while (*rel != '\0') {
		size_t len = strcspn(rel, "/");
		AUTO_FREE char *part = xmemdup0(rel, len);
		AUTO_FREE char *next = path_join(at, part);
		struct stat info;

		if (lstat(next, &info) < 0 && shown_has_mark(part)) {
			AUTO_FREE char *name = real_name(scanner, at, part, err);

			if (name == NULL) {
				return NULL;
			}
			free(next);
			next = path_join(at, name);
			*ret_hidden = true;
		}
		free(at);
		at = STEAL(next);
		rel += len;
		rel += *rel == '/';
	}
	return STEAL(at);
}
