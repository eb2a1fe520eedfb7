// SPDX-License-Identifier: GPL-2.0-or-later

// The other way round: from the table and the fields to text (config/config.h).

#include "config/config.h"

#include "base/clock.h"
#include "base/mem.h"
#include "config/check.h"
#include "config/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		AUTO_FREE char *example =
			config_quote(check_example(option->section, option->key));
		text = xasprintf("%s%s# %s%s%s = %s%*s# %s\n", before, head,
			dot != NULL ? dot + 1 : "", dot != NULL ? "." : "", option->key,
			option->fallback != NULL ? option->fallback : example, 2, "",
			option->text);
		if (fresh) {
			section = dot != NULL ? "sqlite" : option->section;
		}
	}
	return text;
}

// @text with one line more: key = [ "...", ... ].  Frees @text.
static char *
add_globs(char *text, const char *key, const char *const *globs)
{
	AUTO_FREE char *before = text;
	AUTO_FREE char *list = xstrdup("");

	if (globs == NULL || globs[0] == NULL) {
		return STEAL(before);
	}
	for (size_t i = 0; globs[i] != NULL; i++) {
		AUTO_FREE char *quoted = config_quote(globs[i]);
		AUTO_FREE char *shorter = list;

		list = xasprintf("%s%s%s", shorter, i > 0 ? ", " : "", quoted);
	}
	return xasprintf("%s%s = [%s]\n", before, key, list);
}

// @text with one [[watch]] more.  Frees @text.
static char *
add_seed(char *text, const struct config_seed *seed, bool first)
{
	AUTO_FREE char *before = text;
	AUTO_FREE char *path = config_quote(seed->path);
	AUTO_FREE char *name = seed->name != NULL ? config_quote(seed->name) : NULL;
	char *after = xasprintf("%s\n%s%s%s[[watch]]\npath = %s\n%s%s%s", before,
		seed->why != NULL ? "# " : "", seed->why != NULL ? seed->why : "",
		seed->why != NULL ? "\n" : "", path, name != NULL ? "name = " : "",
		name != NULL ? name : "", name != NULL ? "\n" : "");

	after = add_globs(after, "exclude", seed->exclude);
	after = add_globs(after, "rolling", seed->rolling);
	if (!first || seed->name != NULL || seed->exclude != NULL) {
		return after;
	}
	AUTO_FREE char *bare = after;
	return xasprintf(
		"%s"
		"# name = \"notes\"          # folder in the brain repository\n"
		"# exclude = []            # globs; every match is listed by "
		"`mirror ledger`\n"
		"# optional = false        # a missing folder is an error unless "
		"true\n",
		bare);
}

char *
config_default_text(const struct config_seed *seeds, size_t nseeds, const char *remote)
{
	char *text = xstrdup(
		"# What mirror keeps, and where.  Every option: mirror.toml(5).\n");
	AUTO_FREE char *quoted_remote = config_quote(remote);
	AUTO_FREE char *rest = commented_options();

	for (size_t i = 0; i < nseeds; i++) {
		text = add_seed(text, &seeds[i], i == 0);
	}
	AUTO_FREE char *before = text;
	return xasprintf("%s\n[brain]\nremote = %s\n%s", before, quoted_remote, rest);
}
