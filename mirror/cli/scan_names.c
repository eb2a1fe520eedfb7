// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/scan_names.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/scan_pool.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <stdlib.h>
#include <string.h>

enum {
	NAME_CLEAN_MAX = 64 * 1024,
};

void
scan_names_done(struct scan_names *names)
{
	for (size_t i = 0; i < names->ntold; i++) {
		free(names->told[i]);
	}
	free(names->told);
	names->told = NULL;
	names->ntold = 0;
}

// Names with secrets are rare, so a short list is searched from end to end.
static bool
was_told(struct scan_names *names, const char *path)
{
	for (size_t i = 0; i < names->ntold; i++) {
		if (strcmp(names->told[i], path) == 0) {
			return true;
		}
	}
	names->told =
		xgrow(names->told, names->ntold, &names->size, sizeof(names->told[0]));
	names->told[names->ntold++] = xstrdup(path);
	return false;
}

static void
tell(struct scan_names *names, const char *path, const struct redaction *clean)
{
	struct scan_place place = { .path = path, .in = "name" };

	if (was_told(names, path)) {
		return;
	}
	for (size_t i = 0; i < clean->nspans; i++) {
		const struct redact_span *span = &clean->spans[i];
		struct finding finding = {
			.rule = span->rule,
			.confidence = span->confidence,
			.start = span->start,
			.end = span->end,
			.line = 1,
			.column = span->start + 1,
			.end_line = 1,
		};

		memcpy(finding.fingerprint, span->fingerprint,
			sizeof(finding.fingerprint));
		scan_pool_finding(names->pool, &place, &finding);
	}
}

static char *
show(struct scan_names *names, const char *dir, const char *name, bool telling)
{
	AUTO(redaction_done)
	struct redaction clean = { .out = { .max = NAME_CLEAN_MAX } };
	struct scan_input input = {
		.data = name,
		.len = strlen(name),
		.is_name = true,
	};
	struct err err = { 0 };
	char mark[REDACT_MARK_MAX];
	char *shown = NULL;

	if (redact_bytes(names->scanner, &input, &clean, &err) < 0) {
		scan_pool_unread(names->pool, dir, &err);
		return xstrdup("REDACTED.unscanned");
	}
	switch (clean.outcome) {
	case REDACT_CLEAN:
		return xstrdup(name);
	case REDACT_CUT:
		shown = xmemdup0(clean.out.data, clean.out.len);
		break;
	case REDACT_CANNOT:
		redact_mark(clean.spans[0].rule, clean.spans[0].fingerprint, mark);
		shown = xstrdup(mark);
		break;
	}
	if (telling) {
		AUTO_FREE char *path = path_join(dir, shown);

		tell(names, path, &clean);
	}
	return shown;
}

char *
scan_names_show(struct scan_names *names, const char *dir, const char *name)
{
	return show(names, dir, name, true);
}

char *
scan_names_path(struct scan_names *names, const char *path, bool last_only)
{
	char *shown = xstrdup("");

	while (*path != '\0') {
		size_t slashes = strspn(path, "/");
		size_t len = strcspn(path + slashes, "/");
		const char *rest = path + slashes + len;
		bool last = rest[strspn(rest, "/")] == '\0';
		AUTO_FREE char *before = shown;
		AUTO_FREE char *name = xmemdup0(path + slashes, len);
		AUTO_FREE char *clean = len > 0
			? show(names, before, name, last || !last_only)
			: xstrdup("");

		shown = xasprintf("%s%s%s", before, slashes > 0 ? "/" : "", clean);
		path = rest;
	}
	return shown;
}
