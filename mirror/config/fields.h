// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * config/fields - the configuration as values.
 *
 * Knows: nothing.
 * Owns:  nothing: config/config makes and frees them.
 * Never: parses.
 */

#ifndef CONFIG_FIELDS_H
#define CONFIG_FIELDS_H

#include "base/base.h"

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
	/** Files that are kept only for so long after their last change. */
	struct config_list rolling;
	int64_t window_ms;
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

#endif
