// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/push.h"
#include "cli/handlers.h"
#include "cli/rewrite.h"
#include "cli/settings.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

int
verb_config_check(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *file = settings_file(call);
	AUTO_FREE char *shown = path_printable(file);

	if (settings_load(call, &config, err) < 0) {
		return err->code;
	}
	if (call->out.json) {
		AUTO(json_freep) struct json *object = json_new_object();

		json_set_text(object, "schema", "mirror.config-check/1");
		json_set_bytes(object, "file", file, strlen(file));
		json_set_bool(object, "right", true);
		json_set_int(object, "watches", (int64_t)config->nwatches);
		output_json(&call->out, object);
		return 0;
	}
	output_line(&call->out, "%s is right: %zu watched folder%s", shown,
		config->nwatches, config->nwatches == 1 ? "" : "s");
	if (config->nwatches == 0) {
		output_note(&call->out, "nothing is watched; mirror add PATH");
	}
	return 0;
}

// What `config show` is printing.
struct showing {
	struct output *out;
	const struct config *config;
	const char *file;
	bool origin;
	const char *section;
	struct json *options;
};

static void
print_origin(const struct showing *showing, unsigned int line)
{
	if (!showing->origin) {
		output_line(showing->out, "%s", "");
	} else if (line == 0) {
		output_line(showing->out, "    # default");
	} else {
		output_line(showing->out, "    # %s:%u", showing->file, line);
	}
}

// A password in the remote's URL is for git alone (I3).  Owned.
static char *
shown_value(const struct showing *showing, const char *section, const char *key,
	const char *value)
{
	AUTO_FREE char *masked = NULL;

	if (strcmp(section, "brain") != 0 || strcmp(key, "remote") != 0) {
		return xstrdup(value);
	}
	masked = push_mask(showing->config->brain.remote);
	return config_quote(masked);
}

static int
show_option(const char *section, const char *key, const char *value, unsigned int line,
	const char *text, void *payload)
{
	struct showing *showing = payload;

	(void)text;
	const char *dot = strchr(section, '.');
	size_t len = strcspn(section, ".");
	AUTO_FREE char *shown = shown_value(showing, section, key, value);

	// A table inside a table stands as "keep.daily" in the outer one.
	if (showing->section == NULL || strlen(showing->section) != len ||
		strncmp(showing->section, section, len) != 0) {
		output_line(showing->out, "\n[%s]", section);
		showing->section = section;
	}
	output_text(showing->out, "%s%s%s = %s", dot != NULL ? dot + 1 : "",
		dot != NULL ? "." : "", key, shown);
	print_origin(showing, line);
	return 0;
}

static void
show_list(const struct showing *showing, const char *key, const struct config_list *list,
	unsigned int line)
{
	output_text(showing->out, "%s = [", key);
	for (size_t i = 0; i < list->count; i++) {
		AUTO_FREE char *item = config_quote(list->items[i].text);

		output_text(showing->out, "%s%s", i > 0 ? ", " : "", item);
	}
	output_text(showing->out, "]");
	print_origin(showing, list->count > 0 ? list->items[0].line : line);
}

static void
show_text(const struct showing *showing, const char *key, const char *value,
	unsigned int line)
{
	AUTO_FREE char *quoted = config_quote(value);

	output_text(showing->out, "%s = %s", key, quoted);
	print_origin(showing, line);
}

static void
show_tables(const struct showing *showing, const struct config *config)
{
	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];

		output_line(showing->out, "%s[[watch]]", i > 0 ? "\n" : "");
		show_text(showing, "path", watch->path, watch->line);
		show_text(showing, "name", watch->name, watch->line);
		show_list(showing, "exclude", &watch->exclude, watch->line);
		output_text(showing->out, "optional = %s",
			watch->optional ? "true" : "false");
		print_origin(showing, watch->line);
	}
	for (size_t i = 0; i < config->ndatabases; i++) {
		const struct config_database *database = &config->databases[i];

		output_line(showing->out, "\n[[database]]");
		show_text(showing, "path", database->path, database->line);
		if (database->name != NULL) {
			show_text(showing, "name", database->name, database->line);
		}
		if (database->owner != NULL) {
			show_text(showing, "owner", database->owner, database->line);
			show_text(showing, "tool", database->tool, database->line);
		}
	}
}

static struct json *
watches_json(const struct config *config)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < config->nwatches; i++) {
		const struct config_watch *watch = &config->watches[i];
		struct json *row = json_new_object();
		struct json *exclude = json_new_array();

		for (size_t j = 0; j < watch->exclude.count; j++) {
			json_append_text(exclude, watch->exclude.items[j].text);
		}
		json_set_text(row, "path", watch->path);
		json_set_text(row, "name", watch->name);
		json_set(row, "exclude", exclude);
		json_set_bool(row, "optional", watch->optional);
		json_set_int(row, "line", watch->line);
		json_append(list, row);
	}
	return list;
}

static struct json *
databases_json(const struct config *config)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < config->ndatabases; i++) {
		const struct config_database *database = &config->databases[i];
		struct json *row = json_new_object();

		json_set_text(row, "path", database->path);
		json_set_text(row, "name", database->name);
		json_set_text(row, "owner", database->owner);
		json_set_text(row, "tool", database->tool);
		json_set_int(row, "line", database->line);
		json_append(list, row);
	}
	return list;
}

static int
collect_option(const char *section, const char *key, const char *value, unsigned int line,
	const char *text, void *payload)
{
	struct showing *showing = payload;
	AUTO_FREE char *name = xasprintf("%s.%s", section, key);
	AUTO_FREE char *shown = shown_value(showing, section, key, value);
	struct json *row = json_new_object();

	(void)text;
	json_set_text(row, "value", shown);
	if (line == 0) {
		json_set_null(row, "line");
	} else {
		json_set_int(row, "line", line);
	}
	json_set(showing->options, name, row);
	return 0;
}

static int
show_json(struct call *call, const struct config *config)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct showing showing = { .config = config, .options = json_new_object() };

	(void)config_show(config, collect_option, &showing);
	json_set_text(object, "schema", "mirror.config/1");
	json_set_bytes(object, "file", config->file, strlen(config->file));
	json_set(object, "watches", watches_json(config));
	json_set(object, "databases", databases_json(config));
	json_set(object, "options", showing.options);
	output_json(&call->out, object);
	return 0;
}

int
verb_config_show(struct call *call, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *file = NULL;

	if (settings_load(call, &config, err) < 0) {
		return err->code;
	}
	if (call->out.json) {
		return show_json(call, config);
	}
	file = path_printable(config->file);

	struct showing showing = {
		.out = &call->out,
		.config = config,
		.file = file,
		.origin = args_has(&call->args, "origin"),
	};
	show_tables(&showing, config);
	return config_show(config, show_option, &showing);
}
