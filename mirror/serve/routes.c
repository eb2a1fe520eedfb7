// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/routes.h"

#include "base/mem.h"
#include "serve/call.h"
#include "serve/handlers.h"

#include <stdlib.h>
#include <string.h>

#define JSON "application/json"
#define HTML "text/html; charset=utf-8"
#define BYTES "application/octet-stream"

#define READ ACCESS_READ
#define OPERATE ACCESS_OPERATE
#define RESTORE ACCESS_RESTORE

// More specific patterns first.  A new row needs its function in handlers.h, a line in
// docs/api.md and nothing else: the tests walk this table.
// clang-format off
const struct route routes[] = {
	{ HTTP_GET, "/livez", "livez", ACCESS_NOBODY, ROUTE_NONE, 10, api_livez, 200, "text/plain; charset=utf-8",
		NULL, NULL, "is anybody there? Says nothing of the backup", 0 },
	{ HTTP_GET, "/v1/health", "health", READ, ROUTE_NONE, 30, api_health, 200, JSON,
		NULL, NULL, "the verdict and its facts; 503 when failed or unknown", 503 },
	{ HTTP_GET, "/v1/status", "status", READ, ROUTE_NONE, 30, api_status, 200, JSON,
		NULL, NULL, "agent, jobs, watched folders, totals", 0 },
	{ HTTP_GET, "/v1/ledger", "ledger", READ, ROUTE_NONE, 3600, api_ledger, 200, "application/x-ndjson",
		"state=only this state;reason=the reason starts with this;path=only this path and what is below;"
		"since=in this state for at most this long (24h);text=the path holds this;"
		"new=1: only exclusions nobody accepted;after=go on behind this path;limit=at most so many rows",
		NULL, "every path, its state and one reason: a line each, in byte order", 0 },
	{ HTTP_GET, "/v1/files/{path...}/content", "content", READ, ROUTE_NONE, 3600, api_content, 200, BYTES,
		"commit=as of this commit", NULL, "the bytes in the backup (secrets taken out)", 0 },
	{ HTTP_GET, "/v1/files/{path...}/diff", "diff", READ, ROUTE_NONE, 60, api_diff, 200, "text/x-diff",
		"from=older commit;to=newer commit", NULL, "what the last change of it was, or between two commits", 0 },
	{ HTTP_GET, "/v1/files/{path...}", "file", READ, ROUTE_NONE, 60, api_file, 200, JSON,
		"versions=how many at most", NULL, "its state, why, what to do, and its versions", 0 },
	{ HTTP_GET, "/v1/changes", "changes", READ, ROUTE_NONE, 60, api_changes, 200, JSON,
		"since=at most this old (24h);before=older than this commit;limit=at most so many commits",
		NULL, "commits with the paths they changed, newest first", 0 },
	{ HTTP_GET, "/v1/events", "events", READ, ROUTE_NONE, 3600, api_events, 200, "text/event-stream",
		NULL, NULL, "the numbers of the status page, whenever they change", 0 },
	{ HTTP_POST, "/v1/cycles", "cycle", OPERATE, ROUTE_FIELDS, 30, api_cycle, 202, JSON,
		NULL, "", "a cycle that starts after this request", 0 },
	{ HTTP_GET, "/v1/jobs/{id}", "job", READ, ROUTE_NONE, 30, api_job, 200, JSON,
		NULL, NULL, "how far it is, or how it ended", 0 },
	{ HTTP_DELETE, "/v1/jobs/{id}", "job_cancel", OPERATE, ROUTE_NONE, 30, api_job_cancel, 202, JSON,
		NULL, NULL, "ask it to stop at its next safe point", 0 },
	{ HTTP_POST, "/v1/pause", "pause", OPERATE, ROUTE_FIELDS, 30, api_pause, 200, JSON,
		NULL, "for=how long (1h), at most 30d;reason=why", "take no jobs for a while, but those a person asks for", 0 },
	{ HTTP_POST, "/v1/resume", "resume", OPERATE, ROUTE_FIELDS, 30, api_resume, 200, JSON,
		NULL, "", "end a pause", 0 },
	{ HTTP_POST, "/v1/accept", "accept", OPERATE, ROUTE_FIELDS, 30, api_accept, 200, JSON,
		NULL, "fact=its name, all acceptable ones without;reason=why", "turn a known condition into a note", 0 },
	{ HTTP_GET, "/v1/databases", "databases", READ, ROUTE_NONE, 30, api_databases, 200, JSON,
		NULL, NULL, "each database and its snapshots", 0 },
	{ HTTP_POST, "/v1/databases/{id}/snapshots", "snapshot_take", OPERATE, ROUTE_FIELDS, 8 * 3600, api_snapshot_take, 201, JSON,
		NULL, "", "a snapshot now; 409 wrong_database when another file stands there", 0 },
	{ HTTP_GET, "/v1/databases/{id}/snapshots/{sid}", "snapshot", READ, ROUTE_NONE, 6 * 3600, api_snapshot, 200, BYTES,
		NULL, NULL, "one snapshot, as it is stored", 0 },
	{ HTTP_POST, "/v1/databases/{id}/verify", "verify", OPERATE, ROUTE_FIELDS, 8 * 3600, api_verify, 200, JSON,
		NULL, "snapshot=this one alone", "its kept snapshots read again: are they what they were?", 0 },
	{ HTTP_GET, "/v1/work", "work", READ, ROUTE_NONE, 30, api_work, 200, JSON,
		NULL, NULL, "snapshots, checks and restores that other requests wait for, and how far they are", 0 },
	{ HTTP_PUT, "/v1/databases/{id}/restore", "restore_put", RESTORE, ROUTE_UPLOAD, 6 * 3600, api_restore_put, 202, JSON,
		NULL, NULL, "upload a database, plain or as a snapshot: checked and staged, nothing is replaced yet", 0 },
	{ HTTP_GET, "/v1/databases/{id}/restore", "restore", READ, ROUTE_NONE, 30, api_restore, 200, JSON,
		NULL, NULL, "what is staged and what was applied", 0 },
	{ HTTP_DELETE, "/v1/databases/{id}/restore", "restore_cancel", RESTORE, ROUTE_NONE, 30, api_restore_cancel, 200, JSON,
		NULL, NULL, "forget what is staged", 0 },
	{ HTTP_GET, "/v1/secrets", "secrets", READ, ROUTE_NONE, 60, api_secrets, 200, JSON,
		"after=go on behind this path;limit=at most so many", NULL, "files that secrets were taken out of, and what is allowed to stay; never a secret", 0 },
	{ HTTP_POST, "/v1/secrets/allow", "secrets_allow", OPERATE, ROUTE_FIELDS, 30, api_secrets_allow, 200, JSON,
		NULL, "fingerprint=32 hex digits, as `mirror scan` shows them;reason=why", "what has this fingerprint is no secret, wherever it stands", 0 },
	{ HTTP_POST, "/v1/secrets/deny", "secrets_deny", OPERATE, ROUTE_FIELDS, 30, api_secrets_deny, 200, JSON,
		NULL, "fingerprint=of one that is allowed", "it is cut out again", 0 },
	{ HTTP_GET, "/v1/drills", "drills", READ, ROUTE_NONE, 30, api_drills, 200, JSON,
		NULL, NULL, "the last drill and the runs before it", 0 },
	{ HTTP_POST, "/v1/drills", "drill", OPERATE, ROUTE_FIELDS, 30, api_drill, 202, JSON,
		NULL, "", "restore for real and compare", 0 },
	{ HTTP_GET, "/v1/machines", "machines", READ, ROUTE_NONE, 30, api_machines, 200, JSON,
		NULL, NULL, "every machine whose branch is known here", 0 },
	{ HTTP_POST, "/v1/keys", "key", OPERATE, ROUTE_FIELDS, 30, api_key, 201, JSON,
		NULL, "", "a one-time link that opens the status page in a browser", 0 },
	{ HTTP_GET, "/v1/openapi.json", "openapi", READ, ROUTE_NONE, 30, api_openapi, 200, JSON,
		NULL, NULL, "this description", 0 },
	{ HTTP_GET, "/metrics", "metrics", READ, ROUTE_NONE, 30, api_metrics, 200, "text/plain; version=0.0.4; charset=utf-8",
		NULL, NULL, "every fact as a number", 0 },
	{ HTTP_GET, "/enter", "enter", ACCESS_NOBODY, ROUTE_NONE, 30, api_enter, 303, "text/plain",
		"key=of the one-time link", NULL, "the one-time link", 0 },
	{ HTTP_GET, "/files/{path...}", "page_file", READ, ROUTE_NONE, 60, page_file, 200, HTML,
		"from=older commit;to=newer commit", NULL, "one file, for people", 0 },
	{ HTTP_GET, "/", "page", READ, ROUTE_NONE, 60, page_home, 200, HTML,
		"state=files in this state;path=files below this path;text=files whose path holds this;"
		"after=files behind this path;done=what a button did", NULL, "the status page", 0 },
};
// clang-format on

const size_t nroutes = countof(routes);

// The next segment of a pattern: its length, 0 at the end.
static size_t
next_word(const char **pattern, const char **ret_word)
{
	*pattern += **pattern == '/';
	*ret_word = *pattern;
	*pattern = strchrnul(*pattern, '/');
	return (size_t)(*pattern - *ret_word);
}

static size_t
count_words(const char *pattern)
{
	const char *word;
	size_t count = 0;

	while (next_word(&pattern, &word) > 0) {
		count++;
	}
	return count;
}

static char *
join(char *const *segments, size_t count)
{
	AUTO_FREE char *path = xstrdup(segments[0]);

	for (size_t i = 1; i < count; i++) {
		char *longer = xasprintf("%s/%s", path, segments[i]);

		free(path);
		path = longer;
	}
	return STEAL(path);
}

// A slash that came escaped is part of a name, never of a path.
static bool
is_plain(char *const *segments, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strchr(segments[i], '/') != NULL) {
			return false;
		}
	}
	return true;
}

static bool
match_word(struct call *call, const char *word, size_t len, const char *segment)
{
	if (word[0] == '{') {
		call->params[call->nparams++] = segment;
		return true;
	}
	return strlen(segment) == len && strncmp(segment, word, len) == 0;
}

static bool
match(struct call *call, const char *pattern)
{
	const struct parse_target *target = &call->target;
	size_t nwords = count_words(pattern);
	const char *word;
	size_t len;
	size_t at = 0;

	call->nparams = 0;
	free(call->path);
	call->path = NULL;
	while ((len = next_word(&pattern, &word)) > 0) {
		if (at >= target->nsegments) {
			return false;
		}
		if (strncmp(word, "{path...}", len) == 0 && word[0] == '{') {
			// What the words behind it leave over.
			size_t span = target->nsegments - nwords + 1;

			if (target->nsegments < nwords ||
				!is_plain(target->segments + at, span)) {
				return false;
			}
			call->path = join(target->segments + at, span);
			at += span;
		} else if (!match_word(call, word, len, target->segments[at++])) {
			return false;
		}
	}
	return at == target->nsegments;
}

int
routes_match(struct call *call, enum http_method method, char **ret_allow)
{
	enum http_method wanted = method == HTTP_HEAD ? HTTP_GET : method;
	AUTO_FREE char *allow = NULL;

	for (size_t i = 0; i < countof(routes); i++) {
		char *longer;

		if (!match(call, routes[i].pattern)) {
			continue;
		}
		if (routes[i].method == wanted) {
			call->route = &routes[i];
			return 1;
		}
		longer = xasprintf("%s%s%s", allow != NULL ? allow : "",
			allow != NULL ? ", " : "", http_method_word(routes[i].method));
		free(allow);
		allow = longer;
	}
	if (allow == NULL) {
		return 0;
	}
	*ret_allow = STEAL(allow);
	return -1;
}

void
routes_each_word(const char *list, routes_word_fn *fn, void *payload)
{
	while (list != NULL && *list != '\0') {
		const char *end = strchrnul(list, ';');
		AUTO_FREE char *name = xmemdup0(list, (size_t)(end - list));
		char *text = strchrnul(name, '=');

		if (*text != '\0') {
			*text++ = '\0';
		}
		fn(name, text, payload);
		list = *end != '\0' ? end + 1 : end;
	}
}

struct looking {
	const char *name;
	bool found;
};

static void
look(const char *name, const char *text, void *payload)
{
	struct looking *looking = payload;

	(void)text;
	looking->found = looking->found || strcmp(name, looking->name) == 0;
}

bool
routes_has_field(const struct route *route, const char *name)
{
	struct looking looking = { .name = name };

	routes_each_word(route->fields, look, &looking);
	return looking.found;
}
