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
#include "config/fields.h"

struct err;

/** CONFIG: the sentence begins with file:line:column.  NOT_FOUND: no such file. */
int config_load(const char *file, struct config **ret_config, struct err *err)
	NONNULL MUST_CHECK;
/** The same from text; @file is the name in messages. */
int config_parse(const char *text, size_t len, const char *file,
	struct config **ret_config, struct err *err) NONNULL MUST_CHECK;
/** The same from what a whole file holds: with nothing in it, it is wrong. */
int config_read(const char *text, size_t len, const char *file,
	struct config **ret_config, struct err *err) NONNULL MUST_CHECK;
/** Accepts NULL. */
void config_free(struct config *config);
void config_freep(struct config **config);

/** "none" means: deliberately nowhere. */
bool config_has_remote(const struct config *config) NONNULL;
bool config_has_offsite(const struct config *config) NONNULL;
/** Where this machine's databases go off-site, a folder of its own below what the option
 * names; owned by the caller. */
char *config_offsite(const struct config *config) NONNULL MUST_CHECK;
/** "<root>/<rel>" of a place on disk, as the ledger and the brain repository call it;
 * owned by the caller.  NULL: it is in no watched folder. */
char *
config_ledger_path(const struct config *config, const char *disk) NONNULL MUST_CHECK;
/** The machine's name: the branch without "host/". */
const char *config_host(const struct config *config) NONNULL;

/** One option as it stands now, for `config show`.  @value is TOML. */
typedef int config_show_fn(const char *section, const char *key, const char *value,
	unsigned int line, const char *text, void *payload);
/** Every option that is not in [[watch]] or [[database]], in the table's order. */
int config_show(const struct config *config, config_show_fn *fn, void *payload)
	NONNULL_ARGS(1, 2);

/** One [[watch]] of a new configuration; everything is borrowed. */
struct config_seed {
	const char *path;
	/** NULL: the last part of the path. */
	const char *name;
	/** A comment above it, one line; NULL: none. */
	const char *why;
	/** Globs, each ended by NULL; NULL: none. */
	const char *const *exclude;
	const char *const *rolling;
};

/** The commented default file around the given [[watch]] and remote; owned by the caller.
 */
char *config_default_text(const struct config_seed *seeds, size_t nseeds,
	const char *remote) NONNULL_ARGS(3) MUST_CHECK;

/** A TOML basic string, quoted and escaped; owned by the caller. */
char *config_quote(const char *text) NONNULL MUST_CHECK;

#endif
