// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * A password in the URL takes this way: out of the URL, into the environment of the
 * child, and from there through a credential helper of one line, to git alone.
 */

#include "brain/push_room.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/fleet.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	// A server that sends less than a byte a second for so long is gone.
	STALL_S = 60,
	SAID_LINES = 6,
	CONFIG_ASK_MS = 5000,
};

// ---- reasons

// One row each: the word, the code, the sentence, what to do next.
// clang-format off
static const struct {
	const char *word;
	enum err_code code;
	const char *sentence;
	// "{host}" is the remote's, "{ssh}" what logs in there by hand.
	const char *next;
	// With a remote over ssh; NULL: as above.
	const char *ssh_next;
} reasons[PUSH_NREASONS_] = {
	[PUSH_OK] = { "ok", ERR_NONE_, "the remote has it", "", NULL },
	[PUSH_NO_HOST] = { "no-host", ERR_REMOTE, "the remote's host name is not known here",
		"check the network and the name: getent hosts {host}", NULL },
	[PUSH_REFUSED] = { "refused", ERR_REMOTE, "no connection to the remote",
		"check that the server runs and can be reached: mirror remote test", NULL },
	[PUSH_TIMEOUT] = { "timeout", ERR_TIMEOUT, "the remote did not answer in time",
		"check the network: mirror remote test", NULL },
	[PUSH_HOST_KEY] = { "host-key", ERR_REMOTE, "the remote's host key is unknown or changed",
		"compare the fingerprint with the server's own, by hand: {ssh}", NULL },
	[PUSH_AUTH] = { "auth", ERR_REMOTE, "the remote does not accept our credentials",
		"make a password or token that may write there, then: mirror remote set URL",
		"add this machine's public key at the remote, then: {ssh}" },
	[PUSH_NO_REPOSITORY] = { "no-repository", ERR_REMOTE, "there is no such repository at the remote",
		"create it, or correct the address: mirror remote set URL", NULL },
	[PUSH_SECRET] = { "secret", ERR_REMOTE, "the remote's push protection found a secret",
		"change that secret, take it out of the file, then out of the history: "
		"mirror secrets purge --value FILE", NULL },
	[PUSH_TOO_BIG] = { "too-big", ERR_REMOTE, "the remote's quota or size limit is reached",
		"make room at the remote, or exclude what is large: mirror config edit", NULL },
	[PUSH_HOOK] = { "hook", ERR_REMOTE, "a hook at the remote declined the push",
		"let the hook at the remote take host/*, then: mirror --once", NULL },
	[PUSH_DIVERGED] = { "diverged", ERR_REMOTE, "the remote's branch has commits that we do not",
		"another machine may use this name, see: mirror machines --fetch", NULL },
	[PUSH_TAKEN] = { "taken", ERR_REMOTE, "another machine writes under this name",
		"set [brain] branch to another host/NAME", NULL },
	[PUSH_COPY] = { "copy", ERR_REMOTE, "a copy of this disk writes under this name",
		"set [brain] branch to another host/NAME on one of the two", NULL },
	[PUSH_GONE] = { "gone", ERR_REMOTE, "the branch was deleted at the remote",
		"mirror accept push", NULL },
	[PUSH_PROTECTED] = { "protected", ERR_REMOTE, "the remote protects this branch against us",
		"allow this machine to push to host/* at the remote, then: mirror --once", NULL },
	[PUSH_UNVERIFIED] = { "unverified", ERR_REMOTE, "the remote took the push but does not show it",
		"mirror remote test", NULL },
	[PUSH_CERTIFICATE] = { "certificate", ERR_REMOTE, "the remote's certificate is not trusted",
		"install the server's authority, see git help config, http.sslCAInfo", NULL },
	[PUSH_NO_GIT] = { "no-git", ERR_NOT_FOUND, "there is no git to push with", "install git", NULL },
	[PUSH_CANCELLED] = { "cancelled", ERR_CANCELLED, "the push was cancelled", "", NULL },
	[PUSH_BUSY] = { "busy", ERR_REMOTE, "the remote asks to come later",
		"nothing: it is tried again by itself; to look: mirror remote test", NULL },
	[PUSH_ARCHIVED] = { "archived", ERR_REMOTE, "the remote's repository is archived",
		"open it again at the remote, or name another: mirror remote set URL", NULL },
	[PUSH_EXPIRED] = { "expired", ERR_REMOTE, "the key or token for the remote has expired",
		"make a new token that may write there, then: mirror remote set URL",
		"make a new key, add its public half at the remote, then: {ssh}" },
	[PUSH_SSO] = { "sso", ERR_REMOTE, "the remote wants single sign-on for our key or token",
		"authorize the key or token for the organization in its owner's settings at the remote, "
		"then: mirror remote test", NULL },
	[PUSH_ADDRESS] = { "address", ERR_REMOTE, "the remote does not let this machine's address in",
		"let an administrator there allow this network, or come from one that is allowed: "
		"mirror remote test", NULL },
	[PUSH_OWNER] = { "owner", ERR_REMOTE, "the remote's folder belongs to another user, and git does not go in",
		"there, as who serves it: git config --global --add safe.directory FOLDER (or chown it), "
		"then: mirror remote test", NULL },
	[PUSH_OTHER] = { "other", ERR_REMOTE, "the push failed", "mirror remote test", NULL },
};

// What git, ssh, curl and the servers say, in the order in which it counts: a hook may
// print anything, so what it declines is known before its words are read.
static const struct {
	const char *needle;
	enum push_reason reason;
} symptoms[] = {
	{ "push cannot contain secrets", PUSH_SECRET },
	{ "push protection", PUSH_SECRET },
	{ "secrets detected", PUSH_SECRET },
	{ "contains one or more secrets", PUSH_SECRET },
	{ "GH001", PUSH_TOO_BIG },
	{ "exceeds maximum", PUSH_TOO_BIG },
	{ "file size limit", PUSH_TOO_BIG },
	{ "exceeds the limit", PUSH_TOO_BIG },
	{ "size is greater than", PUSH_TOO_BIG },
	{ "size limit", PUSH_TOO_BIG },
	{ "quota", PUSH_TOO_BIG },
	{ "no space left on device", PUSH_TOO_BIG },
	{ "returned error: 413", PUSH_TOO_BIG },
	// Before what says "read-only" as well.
	{ "archived project", PUSH_ARCHIVED },
	{ "is archived", PUSH_ARCHIVED },
	{ "was archived", PUSH_ARCHIVED },
	{ "been archived", PUSH_ARCHIVED },
	{ "project state does not permit write", PUSH_ARCHIVED },
	{ "temporarily read-only", PUSH_BUSY },
	{ "temporarily unavailable", PUSH_BUSY },
	{ "read-only gitlab instance", PUSH_BUSY },
	// Rules of every kind, of which secrets are one.
	{ "GH013", PUSH_PROTECTED },
	{ "repository rule violations", PUSH_PROTECTED },
	{ "GH006", PUSH_PROTECTED },
	{ "protected branch", PUSH_PROTECTED },
	{ "must use a pull request", PUSH_PROTECTED },
	{ "only be modified through pull requests", PUSH_PROTECTED },
	{ "permission denied to update", PUSH_PROTECTED },
	{ "permission denied to create", PUSH_PROTECTED },
	{ "does not have write access", PUSH_PROTECTED },
	{ "permission denied for writing", PUSH_PROTECTED },
	{ "not allowed to push", PUSH_PROTECTED },
	{ "permission to perform this action", PUSH_PROTECTED },
	{ "prohibited by gerrit", PUSH_PROTECTED },
	{ "denied by fallthru", PUSH_PROTECTED },
	{ "denied by refs/", PUSH_PROTECTED },
	{ "marked as read only", PUSH_PROTECTED },
	{ "is read-only", PUSH_PROTECTED },
	{ "hook declined", PUSH_HOOK },
	// Another push of the same branch came first: one that a killed agent left behind.
	{ "cannot lock ref", PUSH_BUSY },
	{ "detected dubious ownership", PUSH_OWNER },
	{ "saml sso", PUSH_SSO },
	{ "single sign-on", PUSH_SSO },
	{ "ip allow list", PUSH_ADDRESS },
	{ "ip address is not", PUSH_ADDRESS },
	{ "whitelist your ip", PUSH_ADDRESS },
	{ "has expired", PUSH_EXPIRED },
	{ "non-fast-forward", PUSH_DIVERGED },
	{ "fetch first", PUSH_DIVERGED },
	{ "stale info", PUSH_DIVERGED },
	{ "host key verification failed", PUSH_HOST_KEY },
	{ "host identification has changed", PUSH_HOST_KEY },
	{ "no matching host key", PUSH_HOST_KEY },
	{ "certificate", PUSH_CERTIFICATE },
	{ "returned error: 429", PUSH_BUSY },
	{ "returned error: 502", PUSH_BUSY },
	{ "returned error: 503", PUSH_BUSY },
	{ "rate exceeded", PUSH_BUSY },
	{ "rate limit", PUSH_BUSY },
	{ "too many requests", PUSH_BUSY },
	{ "under maintenance", PUSH_BUSY },
	{ "maintenance mode", PUSH_BUSY },
	{ "could not resolve host", PUSH_NO_HOST },
	{ "name or service not known", PUSH_NO_HOST },
	{ "name resolution", PUSH_NO_HOST },
	{ "no address associated", PUSH_NO_HOST },
	{ "permission denied (", PUSH_AUTH },
	{ "authentication failed", PUSH_AUTH },
	{ "could not read username", PUSH_AUTH },
	{ "could not read password", PUSH_AUTH },
	{ "unable to read askpass", PUSH_AUTH },
	{ "access denied", PUSH_AUTH },
	{ "password authentication was removed", PUSH_AUTH },
	{ "not allowed to upload code", PUSH_AUTH },
	{ "account is suspended", PUSH_AUTH },
	{ ".git denied to ", PUSH_AUTH },
	{ "returned error: 401", PUSH_AUTH },
	{ "returned error: 403", PUSH_AUTH },
	{ "timed out", PUSH_TIMEOUT },
	{ "too slow", PUSH_TIMEOUT },
	{ "timeout", PUSH_TIMEOUT },
	{ "connection refused", PUSH_REFUSED },
	{ "no route to host", PUSH_REFUSED },
	{ "network is unreachable", PUSH_REFUSED },
	{ "connection reset", PUSH_REFUSED },
	{ "connection closed", PUSH_REFUSED },
	{ "failed to connect", PUSH_REFUSED },
	{ "couldn't connect", PUSH_REFUSED },
	{ "not found", PUSH_NO_REPOSITORY },
	{ "not appear to be a git repository", PUSH_NO_REPOSITORY },
	{ "could not be found", PUSH_NO_REPOSITORY },
	{ "no such file or directory", PUSH_NO_REPOSITORY },
	{ "dubious ownership", PUSH_NO_REPOSITORY },
	{ "returned error: 404", PUSH_NO_REPOSITORY },
	{ "[rejected]", PUSH_DIVERGED },
	{ "[remote rejected]", PUSH_HOOK },
};
// clang-format on

const char *
push_reason_word(enum push_reason reason)
{
	assert((unsigned int)reason < PUSH_NREASONS_);
	return reasons[reason].word;
}

enum push_reason
push_git_diagnose(const char *words)
{
	for (size_t i = 0; i < countof(symptoms); i++) {
		if (strcasestr(words, symptoms[i].needle) != NULL) {
			return symptoms[i].reason;
		}
	}
	return PUSH_OTHER;
}

// ---- the URL

// Where the user's part begins and ends, and its colon; false when there is none.
static bool
find_user(const char *url, const char **ret_from, const char **ret_to,
	const char **ret_colon)
{
	const char *from = strstr(url, "://");
	const char *slash;
	const char *at = NULL;

	if (from == NULL) {
		return false;
	}
	from += 3;
	slash = strchrnul(from, '/');
	// The last '@': a password may contain one.
	for (const char *c = from; c < slash; c++) {
		at = *c == '@' ? c : at;
	}
	if (at == NULL) {
		return false;
	}
	*ret_from = from;
	*ret_to = at;
	*ret_colon = memchr(from, ':', (size_t)(at - from));
	return true;
}

static bool
is_http(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 ||
		strncasecmp(url, "https://", 8) == 0;
}

char *
push_mask(const char *url)
{
	const char *from;
	const char *to;
	const char *colon;

	if (!find_user(url, &from, &to, &colon)) {
		return xstrdup(url);
	}
	// With http a user alone may be a token.
	if (is_http(url)) {
		return xasprintf("%.*s***%s", (int)(from - url), url, to);
	}
	return colon == NULL ? xstrdup(url)
			     : xasprintf("%.*s:***%s", (int)(colon - url), url, to);
}

static char *
percent_decode(const char *text, size_t len)
{
	char *out = xmalloc(len + 1);
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		char hex[3] = { 0 };

		if (text[i] == '%' && len - i >= 3 &&
			isxdigit((unsigned char)text[i + 1]) &&
			isxdigit((unsigned char)text[i + 2])) {
			memcpy(hex, text + i + 1, 2);
			out[count++] = (char)strtol(hex, NULL, 16);
			i += 2;
		} else {
			out[count++] = text[i];
		}
	}
	out[count] = '\0';
	return out;
}

// ---- the child

void
push_git_env(struct push *push, char *assignment)
{
	assert(push->nenv + 1 < PUSH_GIT_ENV_MAX);
	push->env[push->nenv++] = assignment;
}

static void
add_config(struct push *push, const char *key, const char *value)
{
	push_git_env(push, xasprintf("GIT_CONFIG_KEY_%u=%s", push->nconfig, key));
	push_git_env(push, xasprintf("GIT_CONFIG_VALUE_%u=%s", push->nconfig, value));
	push->nconfig++;
}

// With http, user and password leave the URL.
static void
split_url(struct push *push)
{
	const char *url = push->options->remote;
	const char *from;
	const char *to;
	const char *colon;

	push->masked = push_mask(url);
	if (!find_user(url, &from, &to, &colon) || (!is_http(url) && colon == NULL)) {
		push->url = xstrdup(url);
		return;
	}
	push->user = percent_decode(from, (size_t)((colon != NULL ? colon : to) - from));
	push->password = colon != NULL
		? percent_decode(colon + 1, (size_t)(to - colon - 1))
		: NULL;
	push->url = is_http(url) ? xasprintf("%.*s%s", (int)(from - url), url, to + 1)
				 // ssh takes no password from a URL.
				 : xasprintf("%.*s%s", (int)(colon - url), url, to);
}

static void
add_credentials(struct push *push)
{
	if (push->user == NULL || !is_http(push->options->remote)) {
		return;
	}
	if (push->password == NULL && strlen(push->user) < 20) {
		// A name: the user's own helper knows the password.
		add_config(push, "credential.username", push->user);
		return;
	}
	push_git_env(push, xasprintf("MIRROR_PUSH_USER=%s", push->user));
	push_git_env(push,
		xasprintf("MIRROR_PUSH_PASSWORD=%s",
			push->password != NULL ? push->password : ""));
	// The empty one forgets all other helpers: none shall store this.
	add_config(push, "credential.helper", "");
	add_config(push, "credential.helper",
		"!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' "
		"\"$MIRROR_PUSH_USER\" \"$MIRROR_PUSH_PASSWORD\"; }; f");
}

// GIT_SSH_COMMAND would overrule a user's core.sshCommand.
static bool
user_has_ssh_command(const struct push *push)
{
	AUTO_FREE char *git_dir = xasprintf("--git-dir=%s", push->options->git_dir);
	const char *const argv[] = { "git", git_dir, "config", "--get", "core.sshCommand",
		NULL };
	struct spawn plan = { .argv = argv, .deadline_ms = CONFIG_ASK_MS };
	struct spawn_result result = SPAWN_RESULT(PUSH_GIT_OUT_MAX);
	struct err ignored;
	bool has = getenv("GIT_SSH_COMMAND") != NULL || getenv("GIT_SSH") != NULL;

	if (!has && spawn_run(&plan, &result, &ignored) == 0) {
		has = result.status == 0;
	}
	spawn_result_done(&result);
	return has;
}

static void
build_env(struct push *push)
{
	static const char *const fixed[] = { "GIT_TERMINAL_PROMPT=0",
		"GIT_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=never",
		"GCM_INTERACTIVE=never", "LC_ALL=C", "LANGUAGE=C",
		// Whoever calls us from inside a git hook means another repository.
		"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
		// Traces show passwords.
		"GIT_TRACE", "GIT_TRACE_CURL", "GIT_CURL_VERBOSE", "GIT_TRACE_PACKET" };
	const char *count = getenv("GIT_CONFIG_COUNT");
	int64_t stall_s = MIN_OF((int64_t)STALL_S, push->options->deadline_ms / 1000);
	char text[24];

	for (size_t i = 0; i < countof(fixed); i++) {
		push_git_env(push, xstrdup(fixed[i]));
	}
	push->nconfig =
		count != NULL ? (unsigned int)MAX_OF(strtol(count, NULL, 10), 0L) : 0;
	if (!user_has_ssh_command(push)) {
		push_git_env(push,
			xstrdup("GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=10 "
				"-oServerAliveInterval=15 -oServerAliveCountMax=3"));
	}
	(void)snprintf(
		text, sizeof(text), "%lld", (long long)MAX_OF(stall_s, (int64_t)1));
	add_config(push, "http.lowSpeedLimit", "1");
	add_config(push, "http.lowSpeedTime", text);
	add_config(push, "push.gpgSign", "false");
	// A hook here, or for all of a person's repositories, is for people's pushes.
	add_config(push, "core.hooksPath", "/dev/null");
	add_config(push, "core.askPass", "/bin/false");
	add_credentials(push);
	push_git_env(push, xasprintf("GIT_CONFIG_COUNT=%u", push->nconfig));
}

void
push_git_done(struct push *push)
{
	for (size_t i = 0; i < push->nenv; i++) {
		explicit_bzero(push->env[i], strlen(push->env[i]));
		free(push->env[i]);
	}
	if (push->password != NULL) {
		explicit_bzero(push->password, strlen(push->password));
	}
	free(push->password);
	free(push->user);
	free(push->url);
	free(push->masked);
	free(push->beat_ref);
}

// @text with every occurrence of @secret made unreadable, in place.
static void
blot_out(char *text, const char *secret)
{
	size_t len = secret != NULL ? strlen(secret) : 0;

	for (char *at = text; len > 0 && (at = strstr(at, secret)) != NULL; at += len) {
		memset(at, '*', len);
	}
}

static void
mask_text(const struct push *push, char *text)
{
	const char *from;
	const char *to;
	const char *colon;

	blot_out(text, push->password);
	if (is_http(push->options->remote) && push->password == NULL) {
		blot_out(text,
			push->user != NULL && strlen(push->user) >= 20 ? push->user
								       : NULL);
	}
	// As it stood in the URL, with its escapes.
	if (find_user(push->options->remote, &from, &to, &colon) && colon != NULL) {
		AUTO_FREE char *raw = xmemdup0(colon + 1, (size_t)(to - colon - 1));

		blot_out(text, raw);
	}
}

static int
pass_line(const char *line, size_t len, bool is_stderr, void *payload)
{
	struct push *push = payload;

	if (push->options->on_line == NULL) {
		return 0;
	}
	if (line == NULL) {
		return push->options->on_line(NULL, 0, false, push->options->payload);
	}
	AUTO_FREE char *copy = xmemdup0(line, len);
	mask_text(push, copy);
	return push->options->on_line(copy, len, is_stderr, push->options->payload);
}

// The last lines that are not progress, on one line, printable.
static void
keep_words(struct push *push, const char *words)
{
	AUTO_FREE char *copy = xstrdup(words);
	const char *lines[SAID_LINES] = { NULL };
	size_t count = 0;
	size_t out = 0;
	char *rest = copy;

	mask_text(push, copy);
	for (char *line; (line = strsep(&rest, "\n\r")) != NULL;) {
		bool progress = strchr(line, '%') != NULL || line[0] == '\0' ||
			strncmp(line, "To ", 3) == 0 || strcmp(line, "Done") == 0;

		if (!progress) {
			lines[count++ % SAID_LINES] = line;
		}
	}
	push->result->said[0] = '\0';
	for (size_t i = count > SAID_LINES ? count - SAID_LINES : 0; i < count; i++) {
		AUTO_FREE char *line = path_printable(lines[i % SAID_LINES]);

		out += (size_t)snprintf(push->result->said + out,
			sizeof(push->result->said) - out, "%s%s", out > 0 ? " / " : "",
			line);
		if (out >= sizeof(push->result->said)) {
			return;
		}
	}
}

// ---- what to do next

// The remote's host and, over ssh, "-p 22 me@host"; empty for a path.
struct address {
	char host[256];
	char login[512];
};

static void
read_address(const char *url, struct address *ret_address)
{
	const char *at = strstr(url, "://");
	bool ssh = at == NULL || strncmp(url, "ssh", 3) == 0;
	const char *from = at != NULL ? at + 3 : url;
	// "me@host:path" has no slash before its colon.
	size_t len = strcspn(from, at != NULL ? "/" : ":/");
	const char *user = memrchr(from, '@', len);
	const char *host = user != NULL ? user + 1 : from;
	size_t host_len = len - (size_t)(host - from);
	const char *port = at != NULL ? memrchr(host, ':', host_len) : NULL;
	size_t port_len = 0;

	*ret_address = (struct address){ .host = "" };
	if ((at == NULL && from[len] != ':') || strncmp(url, "file:", 5) == 0) {
		return;
	}
	if (port != NULL && memchr(port, ']', host_len - (size_t)(port - host)) == NULL) {
		port_len = host_len - (size_t)(port - host);
		host_len -= port_len;
	}
	(void)snprintf(ret_address->host, sizeof(ret_address->host), "%.*s",
		(int)host_len, host);
	if (ssh) {
		(void)snprintf(ret_address->login, sizeof(ret_address->login),
			"ssh%s%.*s -T %.*s%s%s", port_len > 1 ? " -p " : "",
			(int)(port_len > 1 ? port_len - 1 : 0),
			port_len > 1 ? port + 1 : "",
			(int)(user != NULL ? strcspn(from, ":@") : 0), from,
			user != NULL ? "@" : "", ret_address->host);
	}
}

// @text with its "{host}" or "{ssh}" filled in.
static char *
fill_in_next(const char *text, const struct address *address)
{
	const char *open = strchr(text, '{');
	const char *close = open != NULL ? strchr(open, '}') : NULL;
	const char *word;

	if (close == NULL) {
		return xstrdup(text);
	}
	word = open[1] == 's' && address->login[0] != '\0' ? address->login
		: address->host[0] != '\0'                 ? address->host
							   : "the remote's host";
	return xasprintf("%.*s%s%s", (int)(open - text), text, word, close + 1);
}

// A file over the remote's limit stands in a commit: without it in the next one, that
// commit would be refused all the same.
static int
advise_back(const struct push *push, struct err *err)
{
	const struct push_options *options = push->options;
	char hex[OID_HEX_MAX];

	return err_advise(err,
		"make room at the remote, or exclude what is large: mirror config edit; "
		"then leave the commits with it: git -C %s update-ref refs/heads/%s %s",
		options->git_dir, options->branch, oid_hex(&options->last_seen, hex));
}

int
push_git_fail(struct push *push, enum push_reason reason, struct err *err)
{
	struct address address;

	read_address(push->masked, &address);
	const char *next = address.login[0] != '\0' && reasons[reason].ssh_next != NULL
		? reasons[reason].ssh_next
		: reasons[reason].next;
	AUTO_FREE char *filled = fill_in_next(next, &address);
	AUTO_FREE char *advice = path_printable(filled);

	push->result->reason = reason;
	(void)err_raise(err, reasons[reason].code, "%s (%s)%s%.200s",
		reasons[reason].sentence, push->masked,
		push->result->said[0] != '\0' ? ": " : "", push->result->said);
	return reason == PUSH_TOO_BIG && !oid_is_zero(&push->options->last_seen)
		? advise_back(push, err)
		: err_advise(err, "%s", advice);
}

// Run git; @out gets its standard output.  0, or the reason is set and told.
int
push_git_run(struct push *push, const char *const *argv, struct buf *out, struct err *err)
{
	struct spawn_result result = SPAWN_RESULT(PUSH_GIT_OUT_MAX);
	struct spawn plan = {
		.argv = argv,
		.env = (const char *const *)push->env,
		.deadline_ms = MAX_OF(push->end_ms - clock_mono_ms(), (int64_t)1),
		.gentle = push->options->gentle,
		.on_line = pass_line,
		.payload = push,
		.wake_fd = push->options->wake_fd,
	};
	AUTO(buf_done) struct buf words = { .max = 2 * PUSH_GIT_OUT_MAX };
	struct err cause;
	int code = spawn_run(&plan, &result, &cause);

	// In the order in which they matter: the porcelain lines are on standard output.
	(void)!buf_add_text(&words, buf_text(&result.errors), err);
	(void)!buf_add_text(&words, "\n", err);
	(void)!buf_add_text(&words, buf_text(&result.out), err);
	if (code < 0 || result.status != 0 ||
		strstr(buf_text(&result.out), "\n!\t") != NULL) {
		keep_words(push, buf_text(&words));
		enum push_reason reason = code == 0 ? push_git_diagnose(buf_text(&words))
			: code == ERR_TIMEOUT       ? PUSH_TIMEOUT
			: code == ERR_CANCELLED     ? PUSH_CANCELLED
			: code == ERR_NOT_FOUND     ? PUSH_NO_GIT
						    : PUSH_OTHER;

		if (reason == PUSH_SECRET) {
			push_blame(push, buf_text(&words));
		}
		code = push_git_fail(push, reason, err);
	} else if (out != NULL) {
		*out = result.out;
		result.out = (struct buf){ .max = PUSH_GIT_OUT_MAX };
	}
	spawn_result_done(&result);
	return code;
}

// One line: id, TAB, ref.
bool
push_git_find_ref(const char *text, const char *ref, struct oid *ret_oid)
{
	for (const char *line = text; *line != '\0';) {
		const char *end = strchrnul(line, '\n');
		char hex[OID_HEX_MAX];

		if (end - line > OID_HEX_MAX && line[OID_HEX_MAX - 1] == '\t' &&
			strlen(ref) == (size_t)(end - line) - OID_HEX_MAX &&
			strncmp(line + OID_HEX_MAX, ref, strlen(ref)) == 0) {
			memcpy(hex, line, OID_HEX_MAX - 1);
			hex[OID_HEX_MAX - 1] = '\0';
			return oid_parse(hex, ret_oid);
		}
		line = *end == '\n' ? end + 1 : end;
	}
	return false;
}

int
push_git_prepare(struct push *push, const struct push_options *options,
	struct push_result *result, struct err *err)
{
	*result = (struct push_result){ .reason = PUSH_OTHER };
	push->options = options;
	push->result = result;
	assert(options->deadline_ms > 0);
	push->end_ms = clock_mono_ms() + options->deadline_ms;
	split_url(push);
	if (options->remote[0] == '-' || options->remote[0] == '\0') {
		return err_raise(err, ERR_INVALID, "the remote \"%s\" is no address",
			push->masked);
	}
	build_env(push);
	if (options->self != NULL) {
		push->beat_ref = xasprintf(FLEET_REFS "%s", options->self->host);
	}
	return 0;
}
