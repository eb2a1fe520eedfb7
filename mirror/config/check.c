// SPDX-License-Identifier: GPL-2.0-or-later

#include "config/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static const char *
remote(const char *text)
{
	return text[0] == '\0'   ? "is no address; write \"none\" for nowhere"
		: text[0] == '-' ? "is no address: it begins with a dash"
				 : NULL;
}

// Git keeps such names for its locks, in every part of a branch.
static bool
has_lock_part(const char *name)
{
	for (const char *at = name; (at = strstr(at, ".lock")) != NULL; at++) {
		if (at[5] == '\0' || at[5] == '/') {
			return true;
		}
	}
	return false;
}

bool
check_is_branch(const char *name)
{
	size_t len = strlen(name);

	if (!begins(name, "host/") || name[5] == '\0' || strstr(name, "..") != NULL ||
		strstr(name, "//") != NULL || strstr(name, "@{") != NULL ||
		strstr(name, "/.") != NULL || name[len - 1] == '/' ||
		name[len - 1] == '.' || has_lock_part(name) ||
		strpbrk(name, " ~^:?*[\\\x7f") != NULL) {
		return false;
	}
	for (; *name != '\0'; name++) {
		if ((unsigned char)*name <= 0x20) {
			return false;
		}
	}
	return true;
}

// As it is written; "{host}" stands for a name.
static const char *
branch(const char *text)
{
	const char *mark = strstr(text, "{host}");
	char plain[512];

	if (strlen(text) >= sizeof(plain)) {
		return "is too long";
	}
	memcpy(plain, text, strlen(text) + 1);
	if (mark != NULL) {
		size_t at = (size_t)(mark - text);

		memmove(plain + at + 1, plain + at + 6, strlen(plain + at + 6) + 1);
		plain[at] = 'x';
	}
	// Two machines with one misspelt mark would write one branch.
	if (strpbrk(plain, "{}") != NULL) {
		return "has no other mark than {host}";
	}
	return check_is_branch(plain) ? NULL
				      : "is not a branch name of the form host/NAME";
}

static const char *
offsite(const char *text)
{
	// A path is what rclone takes for a folder of this machine.
	return strcmp(text, "none") == 0 || text[0] == '/' ||
			(begins(text, "rclone:") && text[strlen("rclone:")] != '\0')
		? NULL
		: "is neither \"none\" nor \"rclone:REMOTE:PATH\"";
}

static const char *
recipient(const char *text)
{
	return begins(text, "age1") || begins(text, "ssh-")
		? NULL
		: "is no age recipient (age1...); `mirror key show` prints yours";
}

// Nobody but this machine: 127.x, [::1] or localhost, and a port.
static const char *
loopback(const char *text)
{
	static const char why[] =
		"is no loopback address with a port, such as \"127.0.0.1:7117\"";
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	char host[64];
	struct in_addr four;
	char *end = NULL;
	long port;

	if (strcmp(text, "none") == 0) {
		return NULL;
	}
	if (colon == NULL || len >= sizeof(host) || !isdigit((unsigned char)colon[1])) {
		return why;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	port = strtol(colon + 1, &end, 10);
	if (*end != '\0' || port > UINT16_MAX) {
		return why;
	}
	return strcmp(host, "[::1]") == 0 || strcmp(host, "localhost") == 0 ||
			(inet_pton(AF_INET, host, &four) == 1 &&
				ntohl(four.s_addr) >> 24 == 127)
		? NULL
		: why;
}

static const char *
owner(const char *text)
{
	return begins(text, "unix:/") ? NULL : "is no socket: \"unix:/path.sock\"";
}

static const char *
ping(const char *text)
{
	return begins(text, "https://") || begins(text, "http://") ? NULL
								   : "is no http URL";
}

static const struct {
	const char *section;
	const char *key;
	const char *(*wrong)(const char *text);
	const char *example;
	/** "" is the same as not to write it. */
	bool may_be_empty;
} checks[] = {
	{ "brain", "remote", remote, "none", false },
	{ "brain", "branch", branch, "host/{host}", false },
	{ "sqlite", "offsite", offsite, "none", false },
	{ "sqlite", "recipient", recipient, "age1...", true },
	{ "api", "http", loopback, "127.0.0.1:7117", false },
	{ "database", "owner", owner, "unix:/path.sock", false },
	{ "notify", "ping", ping, "https://example.org/ping", true },
};

const char *
check_example(const char *section, const char *key)
{
	for (size_t i = 0; i < countof(checks); i++) {
		if (strcmp(checks[i].section, section) == 0 &&
			strcmp(checks[i].key, key) == 0) {
			return checks[i].example;
		}
	}
	return "";
}

bool
check_may_be_shown(const char *text)
{
	enum {
		/** Longer than an address or a name that somebody mistyped. */
		SHOWN_MAX = 60,
	};

	return strlen(text) <= SHOWN_MAX && strchr(text, '@') == NULL &&
		strcasestr(text, "secret") == NULL && strcasestr(text, "key") == NULL &&
		strcasestr(text, "token") == NULL;
}

bool
check_is_unset(const char *section, const char *key, const char *text)
{
	for (size_t i = 0; i < countof(checks); i++) {
		if (strcmp(checks[i].section, section) == 0 &&
			strcmp(checks[i].key, key) == 0) {
			return checks[i].may_be_empty && text[0] == '\0';
		}
	}
	return false;
}

const char *
check_text(const char *section, const char *key, const char *text)
{
	for (size_t i = 0; i < countof(checks); i++) {
		if (strcmp(checks[i].section, section) == 0 &&
			strcmp(checks[i].key, key) == 0) {
			return checks[i].wrong(text);
		}
	}
	return NULL;
}
