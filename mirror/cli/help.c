// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/help.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/examples.h"
#include "cli/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	COLUMN = 26
};

void
help_overview(struct output *out)
{
	output_line(out, "mirror - keeps the folders you care about, and proves it");
	output_line(out, "%s", "");
	output_line(out, "usage: mirror COMMAND [OPTION...] [ARGUMENT...]");
	output_line(out, "%s", "");
	output_word(out, OUTPUT_STRONG, "Begin here");
	output_line(out, "%s", "");
	output_line(out,
		"  mirror init --detect    what is worth keeping, then step by step");
	output_line(out, "  mirror --once           one full run by hand");
	output_line(out, "  mirror health           is everything as it should be?");
	for (int group = 0; group < VERB_GROUPS_; group++) {
		bool headed = false;

		for (size_t i = 0; i < nverbs; i++) {
			const struct verb *verb = &verbs[i];

			if ((int)verb->group != group || (verb->traits & VERB_HIDDEN)) {
				continue;
			}
			if (!headed) {
				output_line(out, "%s", "");
				output_word(out, OUTPUT_STRONG,
					verbs_group_name(verb->group));
				output_line(out, "%s", "");
				headed = true;
			}
			output_line(out, "  %-16s %s", verb->name, verb->text);
		}
	}
	output_line(out, "%s", "");
	output_line(out, "mirror help COMMAND tells more about one.");
}

static void
print_flag(struct output *out, const struct flag *flag)
{
	AUTO_FREE char *value =
		flag->value != NULL ? xasprintf(" %s", flag->value) : xstrdup("");
	AUTO_FREE char *left = flag->letter != 0
		? xasprintf("-%c, --%s%s", flag->letter, flag->name, value)
		: xasprintf("    --%s%s", flag->name, value);

	if (strlen(left) > COLUMN - 4) {
		output_line(out, "  %s", left);
		left[0] = '\0';
	}
	output_line(out, "  %-*s %s", COLUMN - 3, left, flag->text);
}

// The remarks stand below each other where there is room.
static void
print_examples(struct output *out, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		AUTO_FREE char *line = xmemdup0(text, len);
		char *remark = strstr(line, "  # ");

		if (remark != NULL) {
			*remark = '\0';
			output_line(out, "  %-40s %s", line, remark + 2);
		} else {
			output_line(out, "  %s", line);
		}
		text += len + (text[len] == '\n');
	}
}

void
help_verb(struct output *out, const struct verb *verb)
{
	const struct flag *tables[VERBS_TABLES_MAX];
	size_t ntables = verbs_tables(verb, tables);

	output_line(out, "mirror %s - %s", verb->name, verb->text);
	output_line(out, "%s", "");
	output_line(out, "usage: mirror %s [OPTION...]%s%s", verb->name,
		verb->usage[0] != '\0' ? " " : "", verb->usage);
	if (verb->alias != NULL) {
		output_line(out, "       mirror --%s [OPTION...]", verb->alias);
	}
	if (verb->more != NULL) {
		output_line(out, "\n%s", verb->more);
	}
	if (examples_of(verb->name) != NULL) {
		output_line(out, "\nexamples:");
		print_examples(out, examples_of(verb->name));
	}
	output_line(out, "\noptions:");
	for (size_t i = 0; i < ntables; i++) {
		for (const struct flag *flag = tables[i]; flag->name != NULL; flag++) {
			if (flag->text != NULL) {
				print_flag(out, flag);
			}
		}
	}
}

void
help_group(struct output *out, const char *word)
{
	size_t len = strlen(word);

	output_line(out, "usage:");
	for (size_t i = 0; i < nverbs; i++) {
		const struct verb *verb = &verbs[i];

		if (strncmp(verb->name, word, len) == 0 &&
			(verb->name[len] == ' ' || verb->name[len] == '\0')) {
			AUTO_FREE char *left =
				xasprintf("%s %s", verb->name, verb->usage);

			output_line(out, "  mirror %-32s %s", left, verb->text);
		}
	}
}

static struct json *
flags_json(const struct verb *verb)
{
	const struct flag *tables[VERBS_TABLES_MAX];
	size_t ntables = verbs_tables(verb, tables);
	struct json *list = json_new_array();

	for (size_t i = 0; i < ntables; i++) {
		for (const struct flag *flag = tables[i]; flag->name != NULL; flag++) {
			struct json *row;
			char letter[2] = { flag->letter, '\0' };

			if (flag->text == NULL) {
				continue;
			}
			row = json_new_object();
			json_set_text(row, "name", flag->name);
			json_set_text(row, "letter", letter[0] != '\0' ? letter : NULL);
			json_set_text(row, "value", flag->value);
			json_set_text(row, "text", flag->text);
			json_append(list, row);
		}
	}
	return list;
}

void
help_json(struct output *out)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct json *list = json_new_array();

	json_set_text(object, "schema", "mirror.help/1");
	for (size_t i = 0; i < nverbs; i++) {
		struct json *row;

		if (verbs[i].traits & VERB_HIDDEN) {
			continue;
		}
		row = json_new_object();
		json_set_text(row, "name", verbs[i].name);
		json_set_text(row, "usage", verbs[i].usage);
		json_set_text(row, "text", verbs[i].text);
		json_set(row, "options", flags_json(&verbs[i]));
		json_append(list, row);
	}
	json_set(object, "commands", list);
	output_json(out, object);
}
