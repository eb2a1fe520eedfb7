// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * scanner/filter - is this value a secret, or does it only stand where one could?
 *
 * Knows: chars, rarity, words.
 * Owns:  nothing.
 * Never: lets a word decide that covers only a part of a long random value.
 */

#ifndef SCANNER_FILTER_H
#define SCANNER_FILTER_H

#include "base/base.h"

/** What the name of a value promises. */
enum filter_key {
	FILTER_KEY_NONE,
	/** "key", "auth", "hash": random enough, and it may be one. */
	FILTER_KEY_WEAK,
	/** token, secret, api key: machines make them. */
	FILTER_KEY_TOKEN,
	/** People make them: short and pronounceable is possible. */
	FILTER_KEY_PASSWORD,
};

/** What the path says about the text; a set. */
enum filter_path {
	FILTER_PATH_TEST = 1,
	FILTER_PATH_DOC = 2,
	/** Lock files, minified and generated code: full of hashes. */
	FILTER_PATH_GENERATED = 4,
	/** Program sources: a bare word is a variable. */
	FILTER_PATH_CODE = 8,
	/** It is called as a secret is: "db_password", "master.key". */
	FILTER_PATH_NAMED = 16,
};

enum {
	/** A shorter value is plain. */
	FILTER_LEN_MIN = 4,
	/** A longer name is not remembered. */
	FILTER_NAME_MAX = 38,
	FILTER_NAMES = 256,
};

/** What names promise, as far as it was asked before: most come again and again.  All
 * zero at first. */
struct filter_names {
	struct filter_known {
		uint8_t len;
		uint8_t key;
		char name[FILTER_NAME_MAX];
	} known[FILTER_NAMES];
};

struct filter_value {
	const char *text;
	size_t len;
	/** The name beside it. */
	const char *name;
	size_t name_len;
	/** Borrowed; may be NULL. */
	struct filter_names *names;
	/** What the name promises; filled in. */
	enum filter_key key;
	/** A set of enum filter_path. */
	unsigned int path;
	/** In quotes, or all there is on its line. */
	bool quoted;
	bool whole_line;
	/** Only space between name and value, and no quotes. */
	bool bare_space;
	/** Words between them say that this is the value. */
	bool said;
	/** Nothing but space stands between it and the end of its line. */
	bool ends_line;
	/** A space and a letter follow: a sentence may go on. */
	bool goes_on;
	/** The name is a flag of a command. */
	bool flag;
	/** name=value, with nothing between them. */
	bool tight;
	/** name("value"): a call, or something that looks so. */
	bool called;
	/** A user's name and its value stand before the name. */
	bool with_user;
	/** It is one of several, and the name may say so in the plural. */
	bool listed;
};

unsigned int filter_path(const char *path);

enum filter_key filter_key(const char *name, size_t name_len) NONNULL;
/** The same, remembered in @names, which may be NULL. */
enum filter_key filter_key_again(
	struct filter_names *names, const char *name, size_t name_len) NONNULL_ARGS(2);

/** Does the name promise words: passphrase, mnemonic, seed? */
bool filter_names_phrase(const char *name, size_t name_len) NONNULL;

/** Does the name say "secret" in so many words: api_key, client_secret, access_token?
 * A "token" alone may be a session's or a page's number. */
bool filter_names_secret(const char *name, size_t name_len) NONNULL;

/** DB_PASSWORD, PGPASSWORD: the name of a setting in the environment. */
bool filter_names_setting(const char *name, size_t name_len) NONNULL;

/** ${VAR}, {{x}}, <token>, YOUR_KEY, xxxx, changeme, ****, example: nothing is there. */
bool filter_is_placeholder(const char *text, size_t len) NONNULL;

/** process.env.X, os.environ["X"], vault:..., a call, a path, a URL: it is elsewhere. */
bool filter_is_reference(const char *text, size_t len) NONNULL;

/** snake_case, camelCase: words, so the name of something. */
bool filter_is_name(const char *text, size_t len) NONNULL;

/** A UUID, an SRI or plain hash, a git id, a date, a version, a colour. */
bool filter_is_id(const char *text, size_t len) NONNULL;

/** Few different characters, or 0123456789abcdef, abcdef...: made up. */
bool filter_is_dull(const char *text, size_t len) NONNULL;

/** One of our own marks, and nothing else. */
bool filter_is_mark(const char *text, size_t len) NONNULL;

/** A word, a sentence, a variable: no look at the name is needed, and most values of a
 * program's sources go here. */
bool filter_is_plain(const struct filter_value *value) NONNULL;

/** All together, for a value beside a name: what kind it is, or FILTER_KEY_NONE, and then
 * @ret_why says why, as a constant. */
enum filter_key
filter_secret(const struct filter_value *value, const char **ret_why) NONNULL;

/** For the password in a URL or a command: placeholders and everyday words go. */
bool filter_is_password(const char *text, size_t len) NONNULL;

#endif
