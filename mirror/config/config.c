// SPDX-License-Identifier: GPL-2.0-or-later

#include "config/config.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/toml.h"
#include "config/options.h"
#include "config/places.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * One walk over the TOML tables, guided by the table of options: each key is looked up by
 * (section, key), its value is turned into the field the row points at.  What the file
 * does not say is then filled from the row's fallback, which is parsed the same way.
 */

// Where we are while reading one table.
struct reading {
	const char *file;
	const struct option *table;
	size_t ntable;
	const char *section;
	// The struct the offsets count from, and the lines of its options.
	void *into;
	unsigned int *lines;
	struct err *err;
};

static void *
field_of(void *into, const struct option *option)
{
	return (char *)into + option->offset;
}

static int wrong(const struct reading *reading, unsigned int line, unsigned int column,
	const char *fmt, ...) PRINTF_LIKE(4, 5);

static int
wrong(const struct reading *reading, unsigned int line, unsigned int column,
	const char *fmt, ...)
{
	char reason[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	err_raise(reading->err, ERR_CONFIG, "%s:%u:%u: %s", reading->file, line, column,
		reason);
	return err_advise(reading->err, "correct the line, then: mirror config check");
}

static int wrong_value(const struct reading *reading, const struct option *option,
	const struct toml_value *value, const char *fmt, ...) PRINTF_LIKE(4, 5);

static int
wrong_value(const struct reading *reading, const struct option *option,
	const struct toml_value *value, const char *fmt, ...)
{
	char reason[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	return wrong(reading, toml_line(value), toml_column(value), "%s: %s", option->key,
		reason);
}

static int
expect(const struct reading *reading, const struct option *option,
	const struct toml_value *value, enum toml_kind kind)
{
	char reason[128];

	if (toml_kind(value) == kind) {
		return 0;
	}
	(void)snprintf(reason, sizeof(reason), "expected a %s, found a %s",
		toml_kind_name(kind), toml_kind_name(toml_kind(value)));
	return wrong_value(reading, option, value, "%s", reason);
}

// A NUL inside a TOML string would silently cut it in C.
static int
take_text(const struct reading *reading, const struct option *option,
	const struct toml_value *value, char **ret_text)
{
	size_t len = 0;
	const char *text;

	if (expect(reading, option, value, TOML_TEXT) < 0) {
		return reading->err->code;
	}
	text = toml_text(value, &len);
	if (strlen(text) != len) {
		return wrong_value(
			reading, option, value, "%s", "a NUL character in the text");
	}
	free(*ret_text);
	*ret_text = xmemdup0(text, len);
	return 0;
}

static int
take_path(const struct reading *reading, const struct option *option,
	const struct toml_value *value, char **ret_path)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *full = NULL;

	if (take_text(reading, option, value, &text) < 0) {
		return reading->err->code;
	}
	full = places_expand(text);
	if (full[0] != '/') {
		return wrong_value(reading, option, value,
			"\"%s\" is not an absolute path (begin it with / or ~/)", text);
	}
	free(*ret_path);
	*ret_path = path_normal(full);
	return 0;
}

static int
in_bounds(const struct reading *reading, const struct option *option,
	const struct toml_value *value, int64_t number)
{
	char limit[160];

	if (number >= option->least && number <= option->most) {
		return 0;
	}
	(void)snprintf(limit, sizeof(limit), "must be from %" PRId64 " to %" PRId64 "%s",
		option->least, option->most,
		option->kind == OPTION_DURATION || option->kind == OPTION_LIMITS ? " ms"
										 : "");
	return wrong_value(reading, option, value, "%s", limit);
}

static int
take_duration(const struct reading *reading, const struct option *option,
	const struct toml_value *value, int64_t *ret_ms)
{
	AUTO_FREE char *text = NULL;
	int64_t ms;

	if (take_text(reading, option, value, &text) < 0) {
		return reading->err->code;
	}
	ms = clock_parse_duration(text);
	if (ms < 0) {
		return wrong_value(reading, option, value,
			"\"%s\" is not a duration (an integer and ms, s, m, h or d)",
			text);
	}
	if (in_bounds(reading, option, value, ms) < 0) {
		return reading->err->code;
	}
	*ret_ms = ms;
	return 0;
}

static int
take_limits(const struct reading *reading, const struct option *option,
	const struct toml_value *value, struct config_limits *ret_limits)
{
	if (expect(reading, option, value, TOML_ARRAY) < 0) {
		return reading->err->code;
	}
	if (toml_count(value) != 2) {
		return wrong_value(reading, option, value, "%s",
			"expected two durations: [degraded, failed]");
	}
	if (take_duration(reading, option, toml_at(value, 0), &ret_limits->degraded_ms) <
			0 ||
		take_duration(
			reading, option, toml_at(value, 1), &ret_limits->failed_ms) < 0) {
		return reading->err->code;
	}
	if (ret_limits->degraded_ms > ret_limits->failed_ms) {
		return wrong_value(reading, option, value, "%s",
			"the first (degraded) must not be longer than the second "
			"(failed)");
	}
	return 0;
}

// "50MiB", "50MB", "50k"; -1 when it is none.
static int64_t
parse_size(const char *text)
{
	// clang-format off
	static const struct {
		const char *name;
		int64_t bytes;
	} units[] = {
		{ "", 1 }, { "B", 1 },
		{ "KiB", 1024 }, { "MiB", 1024 * 1024 }, { "GiB", INT64_C(1024) * 1024 * 1024 },
		{ "KB", 1000 }, { "MB", 1000 * 1000 }, { "GB", 1000 * 1000 * 1000 },
	};
	// clang-format on
	int64_t value = 0;

	if (!isdigit((unsigned char)*text)) {
		return -1;
	}
	for (; isdigit((unsigned char)*text); text++) {
		value = value * 10 + (*text - '0');
		if (value > INT64_C(1) << 50) {
			return -1;
		}
	}
	while (*text == ' ') {
		text++;
	}
	for (size_t i = 0; i < countof(units); i++) {
		if (strcasecmp(text, units[i].name) == 0) {
			return value > INT64_MAX / units[i].bytes
				? -1
				: value * units[i].bytes;
		}
	}
	return -1;
}

static int
take_size(const struct reading *reading, const struct option *option,
	const struct toml_value *value, int64_t *ret_size)
{
	AUTO_FREE char *text = NULL;
	int64_t size;

	if (toml_kind(value) == TOML_INT) {
		size = toml_int(value);
	} else {
		if (take_text(reading, option, value, &text) < 0) {
			return reading->err->code;
		}
		size = parse_size(text);
		if (size < 0) {
			return wrong_value(reading, option, value,
				"\"%s\" is not a size (bytes, or a number and KiB, MiB, "
				"GiB)",
				text);
		}
	}
	if (in_bounds(reading, option, value, size) < 0) {
		return reading->err->code;
	}
	*ret_size = size;
	return 0;
}

static void
free_list(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].text);
	}
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

static int
take_list(const struct reading *reading, const struct option *option,
	const struct toml_value *value, struct config_list *ret_list)
{
	size_t count;

	if (expect(reading, option, value, TOML_ARRAY) < 0) {
		return reading->err->code;
	}
	count = toml_count(value);
	if (count > CONFIG_LIST_MAX) {
		return wrong_value(reading, option, value, "%s", "the list is too long");
	}
	free_list(ret_list);
	ret_list->items = xcalloc(count, sizeof(ret_list->items[0]));
	ret_list->count = count;
	for (size_t i = 0; i < count; i++) {
		ret_list->items[i].line = toml_line(toml_at(value, i));
		if (take_text(reading, option, toml_at(value, i),
			    &ret_list->items[i].text) < 0) {
			return reading->err->code;
		}
	}
	return 0;
}

static int
take_word(const struct reading *reading, const struct option *option,
	const struct toml_value *value, int64_t *ret_word)
{
	AUTO_FREE char *text = NULL;
	const char *best = NULL;
	char reason[160];

	if (take_text(reading, option, value, &text) < 0) {
		return reading->err->code;
	}
	for (int64_t i = 0; option->words[i] != NULL; i++) {
		if (strcmp(option->words[i], text) == 0) {
			*ret_word = i;
			return 0;
		}
		if (suggest_is_nearer(text, option->words[i], best)) {
			best = option->words[i];
		}
	}
	(void)snprintf(reason, sizeof(reason), "\"%.60s\" is not one of its words%s%s%s",
		text, best != NULL ? "; did you mean \"" : "", best != NULL ? best : "",
		best != NULL ? "\"?" : "");
	return wrong_value(reading, option, value, "%s", reason);
}

static int
take_time(const struct reading *reading, const struct option *option,
	const struct toml_value *value, char **ret_text)
{
	const char *t;

	if (take_text(reading, option, value, ret_text) < 0) {
		return reading->err->code;
	}
	t = *ret_text;
	if (strspn(t, "0123456789:") != 5 || strlen(t) != 5 || t[2] != ':' ||
		t[0] > '2' || t[0] == ':' || t[1] == ':' || t[3] > '5' || t[3] == ':' ||
		t[4] == ':' || (t[0] == '2' && t[1] > '3')) {
		return wrong_value(reading, option, value,
			"\"%s\" is not a time of day (\"HH:MM\")", t);
	}
	return 0;
}

static int
take(const struct reading *reading, const struct option *option,
	const struct toml_value *value)
{
	void *field = field_of(reading->into, option);

	switch (option->kind) {
	case OPTION_TEXT:
		return take_text(reading, option, value, field);
	case OPTION_PATH:
		return take_path(reading, option, value, field);
	case OPTION_BOOL:
		if (expect(reading, option, value, TOML_BOOL) < 0) {
			return reading->err->code;
		}
		*(bool *)field = toml_bool(value);
		return 0;
	case OPTION_INT:
		if (expect(reading, option, value, TOML_INT) < 0 ||
			in_bounds(reading, option, value, toml_int(value)) < 0) {
			return reading->err->code;
		}
		*(int64_t *)field = toml_int(value);
		return 0;
	case OPTION_SIZE:
		return take_size(reading, option, value, field);
	case OPTION_DURATION:
		return take_duration(reading, option, value, field);
	case OPTION_LIMITS:
		return take_limits(reading, option, value, field);
	case OPTION_LIST:
		return take_list(reading, option, value, field);
	case OPTION_WORD:
		return take_word(reading, option, value, field);
	case OPTION_TIME:
		return take_time(reading, option, value, field);
	}
	return 0;
}

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
	AUTO_FREE char *shown = path_printable(key);
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
	if (toml_kind(value) == TOML_TABLE &&
		is_inner_section(reading, key, inner, sizeof(inner))) {
		struct reading below = *reading;

		below.section = inner;
		return toml_each(value, read_key, &below);
	}
	best = nearest_key(reading, key);
	if (best != NULL) {
		return wrong(reading, line, column,
			"unknown key \"%.80s\" in [%s]; did you mean \"%s\"?", shown,
			reading->section, best);
	}
	return wrong(reading, line, column, "unknown key \"%.80s\" in [%s]", shown,
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
		return wrong(outer, toml_line(array), toml_column(array),
			"write [[%s]], with two brackets: there can be several", section);
	}
	if (toml_count(array) > CONFIG_WATCHES_MAX) {
		return wrong(outer, toml_line(array), toml_column(array),
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
			return wrong(outer, toml_line(item), toml_column(item),
				"[[%s]] must be a table", section);
		}
		if (toml_each(item, read_key, &reading) < 0 ||
			fill_fallbacks(&reading) < 0) {
			return outer->err->code;
		}
		if (lines[0] == 0) {
			return wrong(outer, toml_line(item), toml_column(item),
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
	AUTO_FREE char *shown = path_printable(key);

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
				return wrong(reading, line, column,
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
		best = "watch";
	}
	return wrong(reading, line, column, "unknown section [%.80s]%s%s%s", shown,
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
		bad = "needs a name (the path has no last part)";
	} else if (strchr(watch->name, '/') != NULL) {
		bad = "must not contain a slash";
	} else if (strcmp(watch->name, ".") == 0 || strcmp(watch->name, "..") == 0) {
		bad = "must be a name";
	} else if (strcasecmp(watch->name, ".git") == 0 ||
		strcmp(watch->name, ".mirror") == 0) {
		bad = "is kept for the brain repository itself; set name = \"...\"";
	}
	for (const char *c = watch->name; *c != '\0' && bad == NULL; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			bad = "must not contain control characters";
		}
	}
	if (bad != NULL) {
		return wrong(reading, watch->line, 1, "[[watch]] %s: the name \"%s\" %s",
			watch->path, watch->name, bad);
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
				return wrong(reading, watch->line, 1,
					"two watched folders are named \"%s\" (the other "
					"on line %u); set name = "
					"\"...\" on one",
					watch->name, config->watches[j].line);
			}
		}
		if (path_is_beneath(watch->path, config->brain.repo)) {
			return wrong(reading, watch->line, 1,
				"%s is inside the brain repository %s: it cannot keep "
				"itself",
				watch->path, config->brain.repo);
		}
	}
	return 0;
}

// "{host}" in the branch; the result must be a branch git takes, under host/.
static int
check_branch(const struct reading *reading, struct config *config)
{
	char *mark = strstr(config->brain.branch, "{host}");
	const char *name;

	if (mark != NULL) {
		AUTO_FREE char *host = places_host();
		char *branch = xasprintf("%.*s%s%s", (int)(mark - config->brain.branch),
			config->brain.branch, host, mark + strlen("{host}"));

		free(config->brain.branch);
		config->brain.branch = branch;
	}
	name = config->brain.branch;
	if (strncmp(name, "host/", 5) != 0 || name[5] == '\0' ||
		strstr(name, "..") != NULL || strstr(name, "//") != NULL ||
		strstr(name, "@{") != NULL || strstr(name, "/.") != NULL ||
		name[strlen(name) - 1] == '/' || name[strlen(name) - 1] == '.' ||
		strpbrk(name, " ~^:?*[\\\x7f") != NULL) {
		return wrong(reading, 1, 1,
			"branch: \"%s\" is not a branch name of the form host/NAME",
			name);
	}
	for (; *name != '\0'; name++) {
		if ((unsigned char)*name <= 0x20) {
			return wrong(
				reading, 1, 1, "branch: a control character in the name");
		}
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
			forget_lines(field_of(config, &options[i]));
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
	if (check_branch(reading, config) < 0) {
		return reading->err->code;
	}
	return check_watches(reading, config);
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
	return config_parse(buf_text(&text), text.len, file, ret_config, err);
}

void
config_free(struct config *config)
{
	if (config == NULL) {
		return;
	}
	for (size_t i = 0; i < noptions; i++) {
		void *field = field_of(config, &options[i]);

		switch (options[i].kind) {
		case OPTION_TEXT:
		case OPTION_PATH:
		case OPTION_TIME:
			free(*(char **)field);
			break;
		case OPTION_LIST:
			free_list(field);
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
		free_list(&config->watches[i].exclude);
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

char *
config_quote(const char *text)
{
	char *quoted = xmalloc(strlen(text) * 6 + 3);
	size_t out = 0;

	quoted[out++] = '"';
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			quoted[out++] = '\\';
			quoted[out++] = (char)c;
		} else if (c < 0x20 || c == 0x7f) {
			out += (size_t)sprintf(quoted + out, "\\u%04x", c);
		} else {
			quoted[out++] = (char)c;
		}
	}
	quoted[out++] = '"';
	quoted[out] = '\0';
	return quoted;
}

static char *
list_value(const struct config_list *list)
{
	char *text = xstrdup("[");

	for (size_t i = 0; i < list->count; i++) {
		AUTO_FREE char *item = config_quote(list->items[i].text);
		AUTO_FREE char *before = text;

		text = xasprintf("%s%s%s", before, i > 0 ? ", " : "", item);
	}
	AUTO_FREE char *before = text;
	return xasprintf("%s]", before);
}

static char *
value_of(const struct config *config, const struct option *option)
{
	const void *field = (const char *)config + option->offset;
	char first[CLOCK_TEXT_MAX];
	char second[CLOCK_TEXT_MAX];
	const struct config_limits *limits = field;

	switch (option->kind) {
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_TIME:
		return *(char *const *)field != NULL ? config_quote(*(char *const *)field)
						     : xstrdup("\"\"");
	case OPTION_BOOL:
		return xstrdup(*(const bool *)field ? "true" : "false");
	case OPTION_INT:
	case OPTION_SIZE:
		return xasprintf("%" PRId64, *(const int64_t *)field);
	case OPTION_DURATION:
		clock_format_duration(*(const int64_t *)field, first);
		return xasprintf("\"%s\"", first);
	case OPTION_LIMITS:
		clock_format_duration(limits->degraded_ms, first);
		clock_format_duration(limits->failed_ms, second);
		return xasprintf("[\"%s\", \"%s\"]", first, second);
	case OPTION_LIST:
		return list_value(field);
	case OPTION_WORD:
		return config_quote(option->words[*(const int64_t *)field]);
	}
	return NULL;
}

int
config_show(const struct config *config, config_show_fn *fn, void *payload)
{
	for (size_t i = 0; i < noptions; i++) {
		AUTO_FREE char *value = value_of(config, &options[i]);
		int stop = fn(options[i].section, options[i].key, value, config->lines[i],
			options[i].text, payload);

		if (stop != 0) {
			return stop;
		}
	}
	return 0;
}

// A table inside a table is written inline: keep = { hourly = 24, ... }.
static char *
commented_options(void)
{
	char *text = xstrdup("");
	const char *section = "";

	for (size_t i = 0; i < noptions; i++) {
		const struct option *option = &options[i];
		const char *dot = strchr(option->section, '.');
		size_t len = dot != NULL ? (size_t)(dot - option->section)
					 : strlen(option->section);
		bool fresh = strlen(section) != len ||
			strncmp(section, option->section, len) != 0;
		AUTO_FREE char *before = text;
		AUTO_FREE char *head = fresh
			? xasprintf("\n[%.*s]\n", (int)len, option->section)
			: xstrdup("");

		if (strcmp(option->section, "brain") == 0 &&
			strcmp(option->key, "remote") == 0) {
			text = xstrdup(before);
			section = "brain";
			continue;
		}
		text = xasprintf("%s%s# %s%s%s = %s%*s# %s\n", before, head,
			dot != NULL ? dot + 1 : "", dot != NULL ? "." : "", option->key,
			option->fallback != NULL ? option->fallback : "\"\"", 2, "",
			option->text);
		if (fresh) {
			section = dot != NULL ? "sqlite" : option->section;
		}
	}
	return text;
}

char *
config_default_text(const char *const *paths, size_t npaths, const char *remote)
{
	char *text = xstrdup(
		"# What mirror keeps, and where.  Every option: mirror.toml(5).\n");
	AUTO_FREE char *quoted_remote = config_quote(remote);
	AUTO_FREE char *rest = commented_options();

	for (size_t i = 0; i < npaths; i++) {
		AUTO_FREE char *quoted = config_quote(paths[i]);
		AUTO_FREE char *before = text;

		text = xasprintf("%s\n[[watch]]\npath = %s\n%s", before, quoted,
			i > 0 ? ""
			      : "# name = \"notes\"          # folder in the brain "
				"repository\n"
				"# exclude = []            # globs; every match is "
				"listed by `mirror ledger`\n"
				"# optional = false        # a missing folder is an "
				"error unless true\n");
	}
	AUTO_FREE char *before = text;
	return xasprintf("%s\n[brain]\nremote = %s\n%s", before, quoted_remote, rest);
}
