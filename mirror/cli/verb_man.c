// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/examples.h"
#include "cli/handlers.h"
#include "cli/verbs.h"
#include "config/options.h"

#include <stdlib.h>
#include <string.h>

/**
 * `mirror __man`: the pages a package installs, and docs/reference.md, made from the
 * same tables the program itself goes by.
 *
 *     mirror __man               mirror.1
 *     mirror __man --toml        mirror.toml.5
 *     mirror __man --markdown    the reference
 */

// roff takes a dot or a quote at a line's start for a request, "-" for a hyphen.
static void
print_roff(struct output *out, const char *text)
{
	bool at_start = true;

	for (; *text != '\0'; text++) {
		if (at_start && (*text == '.' || *text == '\'')) {
			output_text(out, "\\&");
		}
		if (*text == '-') {
			output_text(out, "\\-");
		} else if (*text == '\\') {
			output_text(out, "\\e");
		} else {
			output_text(out, "%c", *text);
		}
		at_start = *text == '\n';
	}
}

static void
print_roff_flag(struct output *out, const struct flag *flag)
{
	output_line(out, ".TP");
	output_text(out, "\\fB");
	if (flag->letter != 0) {
		output_text(out, "\\-%c\\fR, \\fB", flag->letter);
	}
	output_text(out, "\\-\\-");
	print_roff(out, flag->name);
	output_text(out, "\\fR");
	if (flag->value != NULL) {
		output_text(out, " \\fI%s\\fR", flag->value);
	}
	output_line(out, "%s", "");
	print_roff(out, flag->text);
	output_line(out, "%s", "");
}

static void
print_roff_flags(struct output *out, const struct flag *flags)
{
	for (; flags != NULL && flags->name != NULL; flags++) {
		if (flags->text != NULL) {
			print_roff_flag(out, flags);
		}
	}
}

// Text for people: an empty line is a new paragraph, indented lines stay as they are.
static void
print_roff_paragraphs(struct output *out, const char *text)
{
	while (*text != '\0') {
		size_t len = (size_t)(strchrnul(text, '\n') - text);
		AUTO_FREE char *line = xmemdup0(text, len);

		if (len == 0) {
			output_line(out, ".PP");
		} else {
			if (line[0] == ' ') {
				output_line(out, ".br");
			}
			print_roff(out, line);
			output_line(out, "%s", "");
		}
		text += len + (text[len] == '\n');
	}
}

static void
print_roff_verb(struct output *out, const struct verb *verb)
{
	output_text(out, ".SS \"mirror ");
	print_roff(out, verb->name);
	output_text(out, "%s", verb->usage[0] != '\0' ? " " : "");
	print_roff(out, verb->usage);
	output_line(out, "\"");
	print_roff(out, verb->text);
	output_line(out, ".");
	if (verb->more != NULL) {
		output_line(out, ".PP");
		print_roff_paragraphs(out, verb->more);
	}
	if (examples_of(verb->name) != NULL) {
		output_line(out, ".PP\n.nf\n.RS");
		print_roff_paragraphs(out, examples_of(verb->name));
		output_line(out, ".RE\n.fi");
	}
	print_roff_flags(out, verb->flags);
	if (verb->traits & VERB_REMOTE) {
		print_roff_flags(out, remote_flags);
	}
}

static void
print_statuses(struct output *out)
{
	static const char *const rows[][2] = {
		{ "0", "done, healthy" },
		{ "1", "done but degraded; `scan` found something" },
		{ "2", "failed" },
		{ "3", "unknown" },
		{ "64", "wrong usage" },
		{ "65", "data refused" },
		{ "69", "remote unavailable or refused" },
		{ "73", "cannot write" },
		{ "75", "busy, and --no-wait" },
		{ "77", "permission" },
		{ "78", "configuration" },
		{ "124", "time limit" },
	};

	output_line(out, ".SH EXIT STATUS");
	for (size_t i = 0; i < countof(rows); i++) {
		output_line(out, ".TP\n.B %s", rows[i][0]);
		print_roff(out, rows[i][1]);
		output_line(out, "%s", "");
	}
}

static void
print_page(struct output *out)
{
	output_line(out, ".TH MIRROR 1 \"\" \"mirror " MIRROR_VERSION "\"");
	output_line(out,
		".SH NAME\nmirror \\- keeps folders in a git repository, and "
		"proves it");
	output_line(out,
		".SH SYNOPSIS\n.B mirror\n.I COMMAND\n[\\fIOPTION\\fR...] "
		"[\\fIARGUMENT\\fR...]");
	output_line(out, ".SH OPTIONS");
	print_roff_flags(out, common_flags);
	print_roff_flags(out, change_flags);
	output_line(out, ".SH COMMANDS");
	for (size_t i = 0; i < nverbs; i++) {
		if (!(verbs[i].traits & VERB_HIDDEN)) {
			print_roff_verb(out, &verbs[i]);
		}
	}
	print_statuses(out);
	output_line(out, ".SH SEE ALSO\n.BR mirror.toml (5),\n.BR git (1)");
}

static void
print_roff_options(
	struct output *out, const struct option *rows, size_t count, bool is_list)
{
	const char *section = "";

	for (size_t i = 0; i < count; i++) {
		if (strcmp(section, rows[i].section) != 0) {
			section = rows[i].section;
			output_line(out, ".SH %s%s%s", is_list ? "[[" : "[", section,
				is_list ? "]]" : "]");
		}
		output_text(out, ".TP\n\\fB");
		print_roff(out, rows[i].key);
		output_text(out, "\\fR");
		if (rows[i].fallback != NULL) {
			output_text(out, " = ");
			print_roff(out, rows[i].fallback);
		}
		output_line(out, "%s", "");
		print_roff(out, rows[i].text);
		output_line(out, "%s", "");
	}
}

static void
print_toml_page(struct output *out)
{
	output_line(out, ".TH MIRROR.TOML 5 \"\" \"mirror " MIRROR_VERSION "\"");
	output_line(out, ".SH NAME\nmirror.toml \\- what mirror keeps, and how");
	output_line(out, ".SH DESCRIPTION");
	print_roff(out,
		"TOML 1.0, read strictly: an unknown key or a wrong value is an error "
		"with its line and column.");
	output_line(out, "%s", "");
	print_roff_options(out, watch_options, nwatch_options, true);
	print_roff_options(out, options, noptions, false);
	print_roff_options(out, database_options, ndatabase_options, true);
	output_line(out, ".SH SEE ALSO\n.BR mirror (1)");
}

static void
print_markdown_flags(struct output *out, const struct flag *flags)
{
	for (; flags != NULL && flags->name != NULL; flags++) {
		if (flags->text == NULL) {
			continue;
		}
		output_text(out, "* `");
		if (flags->letter != 0) {
			output_text(out, "-%c`, `", flags->letter);
		}
		output_line(out, "--%s%s%s`: %s", flags->name,
			flags->value != NULL ? " " : "",
			flags->value != NULL ? flags->value : "", flags->text);
	}
}

static void
print_markdown_options(
	struct output *out, const struct option *rows, size_t count, bool is_list)
{
	const char *section = "";

	for (size_t i = 0; i < count; i++) {
		if (strcmp(section, rows[i].section) != 0) {
			section = rows[i].section;
			output_line(out, "\n### `%s%s%s`\n", is_list ? "[[" : "[",
				section, is_list ? "]]" : "]");
		}
		output_text(out, "* `%s", rows[i].key);
		if (rows[i].fallback != NULL) {
			output_text(out, " = %s", rows[i].fallback);
		}
		output_line(out, "`: %s", rows[i].text);
	}
}

static void
print_markdown(struct output *out)
{
	output_line(out, "# Reference\n\nMade by `mirror __man --markdown`.\n");
	output_line(out, "## Options that every command takes\n");
	print_markdown_flags(out, common_flags);
	print_markdown_flags(out, change_flags);
	output_line(out, "\n## Commands");
	for (size_t i = 0; i < nverbs; i++) {
		if (verbs[i].traits & VERB_HIDDEN) {
			continue;
		}
		output_line(out, "\n### `mirror %s%s%s`\n\n%s.", verbs[i].name,
			verbs[i].usage[0] != '\0' ? " " : "", verbs[i].usage,
			verbs[i].text);
		if (verbs[i].more != NULL) {
			output_line(out, "\n%s", verbs[i].more);
		}
		if (examples_of(verbs[i].name) != NULL) {
			output_text(
				out, "\n```sh skip\n%s```\n", examples_of(verbs[i].name));
		}
		if (verbs[i].flags != NULL || (verbs[i].traits & VERB_REMOTE)) {
			output_line(out, "%s", "");
		}
		print_markdown_flags(out, verbs[i].flags);
		if (verbs[i].traits & VERB_REMOTE) {
			print_markdown_flags(out, remote_flags);
		}
	}
	output_line(out, "\n## mirror.toml");
	print_markdown_options(out, watch_options, nwatch_options, true);
	print_markdown_options(out, options, noptions, false);
	print_markdown_options(out, database_options, ndatabase_options, true);
}

int
verb_man(struct call *call, struct err *err)
{
	(void)err;
	if (args_has(&call->args, "toml")) {
		print_toml_page(&call->out);
	} else if (args_has(&call->args, "markdown")) {
		print_markdown(&call->out);
	} else {
		print_page(&call->out);
	}
	if (call->out.json) {
		AUTO_FREE char *text = output_take_said(&call->out);

		json_set_text(output_answer(&call->out), "text", text);
	}
	return 0;
}
