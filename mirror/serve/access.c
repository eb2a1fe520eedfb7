// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/access.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SECRET_LEN = ACCESS_TOKEN_LEN / 2,
	TOKEN_FILE_MAX = 4096,
};

// clang-format off
static const struct {
	enum access_scope scope;
	/** What its holder may do. */
	unsigned int may;
	const char *word;
} scopes[] = {
	{ ACCESS_READ,    ACCESS_READ,                  "read" },
	{ ACCESS_OPERATE, ACCESS_READ | ACCESS_OPERATE, "operate" },
	{ ACCESS_RESTORE, ACCESS_ALL,                   "restore" },
};

/** Tokens at once, and milliseconds for a new one. */
static const struct {
	int64_t burst;
	int64_t each_ms;
} rates[ACCESS_NRATES_] = {
	[ACCESS_UNIX] =     { 2000, 1 },
	[ACCESS_TCP] =      { 400, 10 },
	[ACCESS_STRANGER] = { 10, 2000 },
};
// clang-format on

enum {
	NSCOPES = countof(scopes),
};

struct ticket {
	char text[ACCESS_TOKEN_LEN + 1];
	int64_t end_ms;
};

struct bucket {
	int64_t left;
	int64_t at_ms;
};

struct access {
	/** No tokens: nobody comes by TCP. */
	bool has_tokens;
	char tokens[NSCOPES][ACCESS_TOKEN_LEN + 1];
	/** Keys what forms carry. */
	uint8_t key[HASH_KEY_LEN];
	struct ticket keys[ACCESS_KEYS_MAX];
	struct ticket sessions[ACCESS_SESSIONS_MAX];
	struct bucket buckets[ACCESS_NRATES_];
};

const char *
access_scope_word(enum access_scope scope)
{
	for (size_t i = 0; i < countof(scopes); i++) {
		if (scopes[i].scope == scope) {
			return scopes[i].word;
		}
	}
	return "none";
}

static int
make_secret(char text[ACCESS_TOKEN_LEN + 1], struct err *err)
{
	uint8_t bytes[SECRET_LEN];

	if (hash_random(bytes, sizeof(bytes), err) < 0) {
		return err->code;
	}
	hash_hex(bytes, sizeof(bytes), text);
	return 0;
}

// ---- tokens

static int
make_tokens(struct access *access, int dirfd, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = TOKEN_FILE_MAX };

	for (size_t i = 0; i < countof(scopes); i++) {
		if (make_secret(access->tokens[i], err) < 0 ||
			buf_add_fmt(&text, err, "%s %s\n", scopes[i].word,
				access->tokens[i]) < 0) {
			return err->code;
		}
	}
	return file_replace(dirfd, ACCESS_TOKEN_FILE, text.data, text.len, 0600, err);
}

// "<word> <64 hex>", each scope once.
static int
read_tokens(struct access *access, const char *text, struct err *err)
{
	uint8_t bytes[SECRET_LEN];

	for (size_t i = 0; i < countof(scopes); i++) {
		size_t len = strlen(scopes[i].word);

		if (strncmp(text, scopes[i].word, len) != 0 || text[len] != ' ' ||
			strnlen(text + len + 1, ACCESS_TOKEN_LEN + 1) <=
				ACCESS_TOKEN_LEN ||
			text[len + 1 + ACCESS_TOKEN_LEN] != '\n') {
			return err_raise(err, ERR_INVALID, "%s: no token for %s",
				ACCESS_TOKEN_FILE, scopes[i].word);
		}
		memcpy(access->tokens[i], text + len + 1, ACCESS_TOKEN_LEN);
		if (!hash_unhex(access->tokens[i], bytes, sizeof(bytes))) {
			return err_raise(err, ERR_INVALID, "%s: the token for %s is none",
				ACCESS_TOKEN_FILE, scopes[i].word);
		}
		text += len + 1 + ACCESS_TOKEN_LEN + 1;
	}
	return 0;
}

static int
get_tokens(struct access *access, const char *state_dir, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = TOKEN_FILE_MAX };
	AUTO_CLOSE int dirfd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat info;
	int got;

	if (dirfd < 0) {
		return err_errno(err, "open %s", state_dir);
	}
	access->has_tokens = true;
	got = file_read(dirfd, ACCESS_TOKEN_FILE, &text, err);
	if (got == ERR_NOT_FOUND) {
		return make_tokens(access, dirfd, err);
	}
	if (got < 0) {
		return err_wrap(err, "read the tokens");
	}
	if (fstatat(dirfd, ACCESS_TOKEN_FILE, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
		(info.st_mode & 077) != 0) {
		err_raise(err, ERR_DENIED, "%s/%s can be read by others", state_dir,
			ACCESS_TOKEN_FILE);
		return err_advise(
			err, "remove it: new tokens are made at the next start");
	}
	return read_tokens(access, buf_text(&text), err);
}

int
access_new(const char *state_dir, bool with_tokens, struct access **ret_access,
	struct err *err)
{
	struct access *access = xcalloc(1, sizeof(*access));

	for (size_t i = 0; i < countof(rates); i++) {
		access->buckets[i].left = rates[i].burst;
	}
	if (hash_random(access->key, sizeof(access->key), err) < 0 ||
		(with_tokens && get_tokens(access, state_dir, err) < 0)) {
		access_free(access);
		return err->code;
	}
	*ret_access = access;
	return 0;
}

void
access_free(struct access *access)
{
	if (access != NULL) {
		explicit_bzero(access, sizeof(*access));
		free(access);
	}
}

// Compare with keyed hashes of both, so that not even the length shows in the time.
static bool
is_same(const struct access *access, const char *left, const char *right)
{
	uint8_t left_hash[HASH_SHA256_LEN];
	uint8_t right_hash[HASH_SHA256_LEN];

	hash_keyed(access->key, left, strlen(left), left_hash);
	hash_keyed(access->key, right, strlen(right), right_hash);
	return hash_equal(left_hash, right_hash, sizeof(left_hash));
}

unsigned int
access_of_token(const struct access *access, const char *token)
{
	unsigned int may = 0;

	for (size_t i = 0; access->has_tokens && i < countof(scopes); i++) {
		may |= is_same(access, access->tokens[i], token) ? scopes[i].may : 0;
	}
	return may;
}

// ---- sessions

// Over the one that ends first.
static struct ticket *
oldest_ticket(struct ticket *tickets, size_t count)
{
	struct ticket *oldest = &tickets[0];

	for (size_t i = 1; i < count; i++) {
		if (tickets[i].end_ms < oldest->end_ms) {
			oldest = &tickets[i];
		}
	}
	return oldest;
}

static const struct ticket *
find_ticket(const struct access *access, const struct ticket *tickets, size_t count,
	const char *text, int64_t mono_ms)
{
	const struct ticket *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (is_same(access, tickets[i].text, text) &&
			tickets[i].text[0] != '\0' && tickets[i].end_ms > mono_ms) {
			found = &tickets[i];
		}
	}
	return found;
}

int
access_key_new(struct access *access, int64_t mono_ms, char ret_key[ACCESS_TOKEN_LEN + 1],
	struct err *err)
{
	struct ticket *ticket = oldest_ticket(access->keys, countof(access->keys));

	if (make_secret(ticket->text, err) < 0) {
		return err->code;
	}
	ticket->end_ms = mono_ms + ACCESS_KEY_MS;
	memcpy(ret_key, ticket->text, sizeof(ticket->text));
	return 0;
}

int
access_enter(struct access *access, const char *key, int64_t mono_ms,
	char ret_session[ACCESS_TOKEN_LEN + 1], struct err *err)
{
	const struct ticket *found =
		find_ticket(access, access->keys, countof(access->keys), key, mono_ms);
	struct ticket *session;

	if (found == NULL) {
		return 0;
	}
	access->keys[found - access->keys] = (struct ticket){ 0 };
	session = oldest_ticket(access->sessions, countof(access->sessions));
	if (make_secret(session->text, err) < 0) {
		return err->code;
	}
	session->end_ms = mono_ms + ACCESS_SESSION_MS;
	memcpy(ret_session, session->text, sizeof(session->text));
	return 1;
}

unsigned int
access_of_session(const struct access *access, const char *session, int64_t mono_ms)
{
	return find_ticket(access, access->sessions, countof(access->sessions), session,
		       mono_ms) != NULL
		? ACCESS_READ | ACCESS_OPERATE
		: ACCESS_NOBODY;
}

void
access_csrf(const struct access *access, const char *session,
	char ret_token[ACCESS_TOKEN_LEN + 1])
{
	uint8_t hash[HASH_SHA256_LEN];
	AUTO_FREE char *text = xasprintf("csrf:%s", session != NULL ? session : "unix");

	hash_keyed(access->key, text, strlen(text), hash);
	hash_hex(hash, sizeof(hash), ret_token);
}

bool
access_csrf_is(const struct access *access, const char *session, const char *token)
{
	char wanted[ACCESS_TOKEN_LEN + 1];

	access_csrf(access, session, wanted);
	return is_same(access, wanted, token);
}

// ---- rates

bool
access_allows(struct access *access, enum access_rate rate, int64_t mono_ms)
{
	struct bucket *bucket = &access->buckets[rate];
	int64_t fresh = (mono_ms - bucket->at_ms) / rates[rate].each_ms;

	if (fresh > 0) {
		bucket->left = MIN_OF(bucket->left + fresh, rates[rate].burst);
		bucket->at_ms = mono_ms;
	}
	if (bucket->left == 0) {
		return false;
	}
	bucket->left--;
	return true;
}
