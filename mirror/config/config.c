// SPDX-License-Identifier: GPL-2.0-or-later

#include "config/config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/toml.h"
#include "config/check.h"
#include "config/options.h"
#include "config/places.h"
#include "config/take.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * One walk over the TOML tables, guided by the table of options: each key is looked up by
 * (section, key), its value is turned into the field the row points at.  What the file
 * does not say is then filled from the row's fallback, which is parsed the same way.
 */

// The nearest key of this section, or NULL.
static const char *
nearest_key(const struct reading *reading, const char *key)
{
	const char *best = NULL;

	for (size_t i = 0; i < reading->ntable; i++) {
		if (strcmp(reading->table[i].section, reading->section) == 0 &&
			suggest_is_nearer(key, reading->table[i].key, best)) {
			best = reading->table[i].key;
		}
	}
	return best;
}

// "sqlite" and "keep" name the section "sqlite.keep" of a table inside a table.
static bool
is_inner_section(
	const struct reading *reading, const char *key, char *ret_name, size_t size)
{
	(void)snprintf(ret_name, size, "%s.%s", reading->section, key);
	for (size_t i = 0; i < reading->ntable; i++) {
		if (strcmp(reading->table[i].section, ret_name) == 0) {
			return true;
		}
	}
	return false;
}

static int
read_key(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	const struct reading *reading = payload;
	char inner[64];
	AUTO_FREE char *shown = path_printable_text(key);
	const char *best;

	(void)len;
	for (size_t i = 0; i < reading->ntable; i++) {
		const struct option *option = &reading->table[i];

		if (strcmp(option->section, reading->section) != 0 ||
			strcmp(option->key, key) != 0) {
			continue;
		}
		if (reading->lines != NULL) {
			reading->lines[i] = line;
		}
		return take(reading, option, value);
	}
	if (is_inner_section(reading, key, inner, sizeof(inner))) {
		struct reading below = *reading;

		if (toml_kind(value) != TOML_TABLE) {
			return take_wrong(reading, toml_line(value), toml_column(value),
				"%s: expected a table, { KEY = VALUE, ... }", key);
		}
		below.section = inner;
		return toml_each(value, read_key, &below);
	}
	best = nearest_key(reading, key);
	if (best != NULL) {
		return take_wrong(reading, line, column,
			"unknown key \"%.80s\" in [%s]; did you mean \"%s\"?", shown,
			reading->section, best);
	}
	return take_wrong(reading, line, column, "unknown key \"%.80s\" in [%s]", shown,
		reading->section);
}

// Fill what the file left out, through the same door.
static int
fill_fallbacks(const struct reading *reading)
{
	for (size_t i = 0; i < reading->ntable; i++) {
		const struct option *option = &reading->table[i];
		AUTO(toml_freep) struct toml_doc *doc = NULL;
		AUTO_FREE char *text = NULL;

		if (option->fallback == NULL || reading->lines[i] != 0) {
			continue;
		}
		text = xasprintf("v = %s\n", option->fallback);
		if (toml_parse(text, strlen(text), "default", &doc, reading->err) < 0 ||
			take(reading, option, toml_get(toml_root(doc), "v")) < 0) {
			return reading->err->code;
		}
	}
	return 0;
}

// The default list's items did not come from a line of the file.
static void
forget_lines(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		list->items[i].line = 0;
	}
}

static int
read_tables(const struct reading *outer, const struct toml_value *array,
	const char *section, const struct option *table, size_t ntable,
	void *(*add)(struct config *, unsigned int))
{
	struct config *config = outer->into;

	if (toml_kind(array) != TOML_ARRAY) {
		return take_wrong(outer, toml_line(array), toml_column(array),
			"write [[%s]], with two brackets: there can be several", section);
	}
	if (toml_count(array) > CONFIG_WATCHES_MAX) {
		return take_wrong(outer, toml_line(array), toml_column(array),
			"more than %d [[%s]]", CONFIG_WATCHES_MAX, section);
	}
	for (size_t i = 0; i < toml_count(array); i++) {
		const struct toml_value *item = toml_at(array, i);
		unsigned int lines[CONFIG_OPTIONS_MAX] = { 0 };
		struct reading reading = {
			.file = outer->file,
			.table = table,
			.ntable = ntable,
			.section = section,
			.into = add(config, toml_line(item)),
			.lines = lines,
			.err = outer->err,
		};

		if (toml_kind(item) != TOML_TABLE) {
			return take_wrong(outer, toml_line(item), toml_column(item),
				"[[%s]] must be a table", section);
		}
		if (toml_each(item, read_key, &reading) < 0 ||
			fill_fallbacks(&reading) < 0) {
			return outer->err->code;
		}
		if (lines[0] == 0) {
			return take_wrong(outer, toml_line(item), toml_column(item),
				"[[%s]] needs a path", section);
		}
	}
	return 0;
}

static void *
add_watch(struct config *config, unsigned int line)
{
	struct config_watch *watch;

	config->watches = xrealloc(
		config->watches, (config->nwatches + 1) * sizeof(config->watches[0]));
	watch = &config->watches[config->nwatches++];
	memset(watch, 0, sizeof(*watch));
	watch->line = line;
	return watch;
}

static void *
add_database(struct config *config, unsigned int line)
{
	struct config_database *database;

	config->databases = xrealloc(config->databases,
		(config->ndatabases + 1) * sizeof(config->databases[0]));
	database = &config->databases[config->ndatabases++];
	memset(database, 0, sizeof(*database));
	database->line = line;
	return database;
}

static int
read_section(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct reading *reading = payload;
	const char *best = NULL;
	AUTO_FREE char *shown = path_printable_text(key);

	(void)len;
	if (strcmp(key, "watch") == 0) {
		return read_tables(
			reading, value, key, watch_options, nwatch_options, add_watch);
	}
	if (strcmp(key, "database") == 0) {
		return read_tables(reading, value, key, database_options,
			ndatabase_options, add_database);
	}
	for (size_t i = 0; i < reading->ntable; i++) {
		if (strcmp(reading->table[i].section, key) == 0) {
			if (toml_kind(value) != TOML_TABLE) {
				return take_wrong(reading, line, column,
					"\"%s\" is a section: write [%s]", key, key);
			}
			reading->section = key;
			return toml_each(value, read_key, reading);
		}
		if (suggest_is_nearer(key, reading->table[i].section, best)) {
			best = reading->table[i].section;
		}
	}
	if (suggest_is_nearer(key, "watch", best)) {
		best = "[watch]";
	}
	if (suggest_is_nearer(key, "database", best)) {
		best = "[database]";
	}
	return take_wrong(reading, line, column, "unknown section [%.80s]%s%s%s", shown,
		best != NULL ? "; did you mean [" : "", best != NULL ? best : "",
		best != NULL ? "]?" : "");
}

static int
name_watch(const struct reading *reading, struct config_watch *watch)
{
	const char *bad = NULL;

	if (watch->name == NULL) {
		watch->name = xstrdup(path_base(watch->path));
	}
	if (watch->name[0] == '\0') {
		return take_wrong(reading, watch->line, 1,
			"[[watch]] %s: it needs a name = \"...\": its folder in the "
			"brain repository",
			watch->path);
	}
	if (strchr(watch->name, '/') != NULL) {
		bad = "must not contain a slash";
	} else if (strcmp(watch->name, ".") == 0 || strcmp(watch->name, "..") == 0) {
		bad = "must be a name";
	} else if (strcasecmp(watch->name, ".git") == 0 ||
		strcmp(watch->name, ".mirror") == 0) {
		bad = "is kept for the brain repository itself; set name = "
		      "\"...\"";
	}
	for (const char *c = watch->name; *c != '\0' && bad == NULL; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			bad = "must not contain control characters";
		}
	}
	if (bad != NULL) {
		return take_wrong(reading, watch->line, 1,
			"[[watch]] %s: the name \"%s\" %s", watch->path, watch->name,
			bad);
	}
	return 0;
}

static int
check_watches(const struct reading *reading, struct config *config)
{
	for (size_t i = 0; i < config->nwatches; i++) {
		struct config_watch *watch = &config->watches[i];

		if (name_watch(reading, watch) < 0) {
			return reading->err->code;
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(config->watches[j].name, watch->name) == 0) {
				return take_wrong(reading, watch->line, 1,
					"two watched folders are named \"%s\" (the other "
					"on line %u); set name = "
					"\"...\" on one",
					watch->name, config->watches[j].line);
			}
		}
		if (path_is_beneath(watch->path, config->brain.repo)) {
			return take_wrong(reading, watch->line, 1,
				"%s is inside the brain repository %s: it cannot keep "
				"itself",
				watch->path, config->brain.repo);
		}
	}
	return 0;
}

// Each gets a name: its path in the ledger, or the last part of its path.
static int
check_databases(const struct reading *reading, struct config *config)
{
	for (size_t i = 0; i < config->ndatabases; i++) {
		struct config_database *database = &config->databases[i];

		if (database->name == NULL) {
			database->name = config_ledger_path(config, database->path);
		}
		if (database->name == NULL) {
			database->name = xstrdup(path_base(database->path));
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(config->databases[j].name, database->name) == 0) {
				return take_wrong(reading, database->line, 1,
					"two databases are named \"%s\" (the other on "
					"line %u); set name = \"...\" on one",
					database->name, config->databases[j].line);
			}
		}
	}
	return 0;
}

// "{host}" in the branch; the result must be a branch git takes, under host/.
static int
check_branch(const struct reading *reading, struct config *config)
{
	char *mark = strstr(config->brain.branch, "{host}");
	unsigned int line = 0;

	for (size_t i = 0; i < noptions; i++) {
		if (options[i].offset == offsetof(struct config, brain.branch)) {
			line = config->lines[i];
		}
	}
	if (mark != NULL) {
		AUTO_FREE char *host = places_host();
		char *branch = xasprintf("%.*s%s%s", (int)(mark - config->brain.branch),
			config->brain.branch, host, mark + strlen("{host}"));

		free(config->brain.branch);
		config->brain.branch = branch;
	}
	// As written it is right, so it is this machine's name that is none.
	if (!check_is_branch(config->brain.branch)) {
		return take_wrong(reading, MAX_OF(line, 1U), 1,
			"branch: \"%s\" is not a branch name: set branch = \"host/NAME\" "
			"under [brain]",
			config->brain.branch);
	}
	return 0;
}

static int
finish(struct reading *reading, struct config *config)
{
	if (fill_fallbacks(reading) < 0) {
		return reading->err->code;
	}
	for (size_t i = 0; i < noptions; i++) {
		if (options[i].kind == OPTION_LIST && config->lines[i] == 0) {
			forget_lines(take_field(config, &options[i]));
		}
		// The default place follows XDG_DATA_HOME; the table shows its usual
		// value.
		if (options[i].offset == offsetof(struct config, brain.repo) &&
			config->lines[i] == 0) {
			AUTO_FREE char *data = places_data_dir();

			free(config->brain.repo);
			config->brain.repo = path_join(data, "brain");
		}
	}
	for (size_t i = 0; i < config->secrets.rules.count; i++) {
		struct config_text *rule = &config->secrets.rules.items[i];
		char *whole = places_expand(rule->text);

		free(rule->text);
		rule->text = whole;
		if (whole[0] != '/') {
			return take_wrong(reading, rule->line, 1,
				"rules: \"%s\" is not an absolute path (begin it with / "
				"or ~/)",
				whole);
		}
	}
	if (check_branch(reading, config) < 0) {
		return reading->err->code;
	}
	return check_watches(reading, config) < 0 ? reading->err->code
						  : check_databases(reading, config);
}

char *
config_ledger_path(const struct config *config, const char *disk)
{
	const struct config_watch *best = NULL;

	// The innermost of nested watched folders keeps it.
	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];

		if (path_is_beneath(disk, watch->path) &&
			strcmp(disk, watch->path) != 0 &&
			(best == NULL || strlen(watch->path) > strlen(best->path))) {
			best = watch;
		}
	}
	return best != NULL ? path_join(best->name, disk + strlen(best->path) + 1) : NULL;
}

int
config_parse(const char *text, size_t len, const char *file, struct config **ret_config,
	struct err *err)
{
	AUTO(config_freep) struct config *config = xcalloc(1, sizeof(*config));
	AUTO(toml_freep) struct toml_doc *doc = NULL;
	struct reading reading = {
		.file = file,
		.table = options,
		.ntable = noptions,
		.section = "",
		.into = config,
		.lines = config->lines,
		.err = err,
	};

	config->file = xstrdup(file);
	if (toml_parse(text, len, file, &doc, err) < 0) {
		err->code = ERR_CONFIG;
		return err_advise(err, "correct the line, then: mirror config check");
	}
	if (toml_each(toml_root(doc), read_section, &reading) < 0 ||
		finish(&reading, config) < 0) {
		return err->code;
	}
	*ret_config = STEAL(config);
	return 0;
}

int
config_read(const char *text, size_t len, const char *file, struct config **ret_config,
	struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	bool said;

	if (config_parse(text, len, file, &config, err) < 0) {
		return err->code;
	}
	said = config->nwatches > 0 || config->ndatabases > 0;
	for (size_t i = 0; i < noptions; i++) {
		said = said || config->lines[i] != 0;
	}
	// A disk that was full, or an editor that died, leaves a file with nothing in it.
	// Taken at its word it would drop every folder from the backup.
	if (!said) {
		(void)err_raise(err, ERR_CONFIG, "%s:1:1: nothing stands in it", file);
		return err_advise(err, "bring it back, or: mirror init PATH...");
	}
	*ret_config = STEAL(config);
	return 0;
}

int
config_load(const char *file, struct config **ret_config, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = CONFIG_FILE_MAX };

	if (file_read(AT_FDCWD, file, &text, err) < 0) {
		if (err->code == ERR_NOT_FOUND) {
			return err_advise(err, "make one with: mirror init PATH");
		}
		err->code = ERR_CONFIG;
		return err_wrap(err, "read the configuration");
	}
	return config_read(buf_text(&text), text.len, file, ret_config, err);
}

void
config_free(struct config *config)
{
	if (config == NULL) {
		return;
	}
	for (size_t i = 0; i < noptions; i++) {
		void *field = take_field(config, &options[i]);

		switch (options[i].kind) {
		case OPTION_TEXT:
		case OPTION_PATH:
		case OPTION_TIME:
			free(*(char **)field);
			break;
		case OPTION_LIST:
			take_list_done(field);
			break;
		case OPTION_BOOL:
		case OPTION_INT:
		case OPTION_SIZE:
		case OPTION_DURATION:
		case OPTION_LIMITS:
		case OPTION_WORD:
			break;
		}
	}
	for (size_t i = 0; i < config->nwatches; i++) {
		free(config->watches[i].path);
		free(config->watches[i].name);
		take_list_done(&config->watches[i].exclude);
		take_list_done(&config->watches[i].rolling);
	}
	for (size_t i = 0; i < config->ndatabases; i++) {
		free(config->databases[i].path);
		free(config->databases[i].name);
		free(config->databases[i].owner);
		free(config->databases[i].tool);
	}
	free(config->watches);
	free(config->databases);
	free(config->file);
	free(config);
}

void
config_freep(struct config **config)
{
	config_free(*config);
	*config = NULL;
}

bool
config_has_remote(const struct config *config)
{
	return strcmp(config->brain.remote, "none") != 0;
}

bool
config_has_offsite(const struct config *config)
{
	return strcmp(config->sqlite.offsite, "none") != 0;
}

char *
config_offsite(const struct config *config)
{
	size_t len = strlen(config->sqlite.offsite);
	// "remote:" alone is the top of that remote.
	bool bare = len > 0 && strchr("/:", config->sqlite.offsite[len - 1]) != NULL;

	return xasprintf(
		"%s%s%s", config->sqlite.offsite, bare ? "" : "/", config_host(config));
}

const char *
config_host(const struct config *config)
{
	return config->brain.branch + strlen("host/");
}
