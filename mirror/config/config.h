// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * config/config - what the person wants, read strictly.
 *
 *     AUTO(config_freep) struct config *config = NULL;
 *
 *     if (config_load(path, &config, err) < 0) ...   // "mirror.toml:4:3: unknown key
 * ..."
 *
 * Knows: base, places.
 * Owns:  every text in it, until config_free().
 * Never: guesses: an unknown key, a wrong kind or a value out of bounds is an error with
 *        file:line:column and, when one is near, the word that was probably meant.
 *
 * options.c holds the one table of options; parsing, `config show`, the commented default
 * and the manual page are all made from it.
 */

#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/base.h"

struct err;

enum {
	/** Limits of the file itself. */
	CONFIG_FILE_MAX = 1024 * 1024,
	CONFIG_WATCHES_MAX = 256,
	CONFIG_LIST_MAX = 1024,
	/** More than the table of options has rows. */
	CONFIG_OPTIONS_MAX = 64,
};

/** What to do with a secret.  There is no "drop". */
enum config_action {
	CONFIG_REDACT,
	CONFIG_SEAL,
	CONFIG_HOLD,
};

/** A text and where it stands in the file (line 0: the default). */
struct config_text {
	char *text;
	unsigned int line;
};

struct config_list {
	struct config_text *items;
	size_t count;
};

struct config_watch {
	/** Absolute and normal. */
	char *path;
	/** Its folder in the brain repository. */
	char *name;
	struct config_list exclude;
	bool optional;
	unsigned int line;
};

struct config_database {
	char *path;
	char *name;
	/** "unix:/path.sock", or NULL. */
	char *owner;
	char *tool;
	unsigned int line;
};

/** Degraded, failed. */
struct config_limits {
	int64_t degraded_ms;
	int64_t failed_ms;
};

struct config {
	/** The file it came from, as given. */
	char *file;
	/** The line each option of the table was set on; 0: the default. */
	unsigned int lines[CONFIG_OPTIONS_MAX];
	struct config_watch *watches;
	size_t nwatches;
	struct config_database *databases;
	size_t ndatabases;

	struct {
		char *remote;
		char *repo;
		char *branch;
		bool worktree;
		int64_t settle_ms;
		int64_t max_wait_ms;
		int64_t sweep_ms;
		int64_t push_timeout_ms;
	} brain;
	struct {
		int64_t action;
		struct config_list rules;
	} secrets;
	struct {
		int64_t max_size;
		struct config_list regenerable;
		bool owner;
		bool xattrs;
	} files;
	struct {
		int64_t every_ms;
		int64_t hourly;
		int64_t daily;
		int64_t monthly;
		char *offsite;
		char *recipient;
		char *at;
		int64_t timeout_ms;
		int64_t bandwidth;
		int64_t git_max;
	} sqlite;
	struct {
		struct config_limits unprotected_change;
		struct config_limits push_lag;
		struct config_limits drill_age;
	} health;
	struct {
		char *http;
	} api;
	struct {
		char *ping;
		struct config_list exec;
	} notify;
};

/** CONFIG: the sentence begins with file:line:column.  NOT_FOUND: no such file. */
int config_load(const char *file, struct config **ret_config, struct err *err)
	NONNULL MUST_CHECK;
/** The same from text; @file is the name in messages. */
int config_parse(const char *text, size_t len, const char *file,
	struct config **ret_config, struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void config_free(struct config *config);
void config_freep(struct config **config);

/** "none" means: deliberately nowhere. */
bool config_has_remote(const struct config *config) NONNULL;
bool config_has_offsite(const struct config *config) NONNULL;
/** The machine's name: the branch without "host/". */
const char *config_host(const struct config *config) NONNULL;

/** One option as it stands now, for `config show`.  @value is TOML. */
typedef int config_show_fn(const char *section, const char *key, const char *value,
	unsigned int line, const char *text, void *payload);
/** Every option that is not in [[watch]] or [[database]], in the table's order. */
int config_show(const struct config *config, config_show_fn *fn, void *payload)
	NONNULL_ARGS(1, 2);

/** The commented default file around the given [[watch]] and remote; owned by the caller.
 */
char *config_default_text(const char *const *paths, size_t npaths, const char *remote)
	NONNULL_ARGS(3) MUST_CHECK;

/** A TOML basic string, quoted and escaped; owned by the caller. */
char *config_quote(const char *text) NONNULL MUST_CHECK;

#endif
