// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/handlers.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

/**
 * Each script is the table of verbs in the shell's own words: first the words that may
 * come first, then for each verb its second words and its flags.  Files are offered where
 * nothing else is known.
 */

static bool
is_shown(const struct verb *verb)
{
	return !(verb->traits & VERB_HIDDEN);
}

// The first word of a verb's name, when no row before this one had it.
static char *
new_first_word(size_t index)
{
	size_t len = (size_t)(strchrnul(verbs[index].name, ' ') - verbs[index].name);

	for (size_t i = 0; i < index; i++) {
		if (is_shown(&verbs[i]) &&
			strncmp(verbs[i].name, verbs[index].name, len) == 0 &&
			(verbs[i].name[len] == ' ' || verbs[i].name[len] == '\0')) {
			return NULL;
		}
	}
	return xmemdup0(verbs[index].name, len);
}

static void
print_first_words(struct output *out)
{
	const char *space = "";

	for (size_t i = 0; i < nverbs; i++) {
		AUTO_FREE char *word = is_shown(&verbs[i]) ? new_first_word(i) : NULL;

		if (word != NULL) {
			output_text(out, "%s%s", space, word);
			space = " ";
		}
	}
}

static void
print_second_words(struct output *out, const char *first)
{
	size_t len = strlen(first);

	for (size_t i = 0; i < nverbs; i++) {
		if (is_shown(&verbs[i]) && strncmp(verbs[i].name, first, len) == 0 &&
			verbs[i].name[len] == ' ') {
			output_text(out, "%s ", verbs[i].name + len + 1);
		}
	}
}

// Every flag of every verb that begins with @first; one twice does no harm.
static void
print_flags(struct output *out, const char *first)
{
	size_t len = strlen(first);

	for (size_t i = 0; i < nverbs; i++) {
		const struct flag *tables[VERBS_TABLES_MAX];
		size_t ntables = verbs_tables(&verbs[i], tables);

		if (!is_shown(&verbs[i]) || strncmp(verbs[i].name, first, len) != 0 ||
			(verbs[i].name[len] != ' ' && verbs[i].name[len] != '\0')) {
			continue;
		}
		for (size_t j = 0; j < ntables; j++) {
			for (const struct flag *flag = tables[j]; flag->name != NULL;
				flag++) {
				if (flag->text != NULL) {
					output_text(out, "--%s ", flag->name);
				}
			}
		}
	}
}

static void
print_bash(struct output *out)
{
	output_line(out, "# bash completion for mirror");
	output_line(out, "_mirror() {");
	output_line(out, "\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]-}");
	output_line(out, "\tlocal words= flags=");
	output_line(out, "\tif [ \"$COMP_CWORD\" -eq 1 ]; then");
	output_text(out, "\t\twords='");
	print_first_words(out);
	output_line(out, "'");
	output_line(out, "\tfi");
	output_line(out, "\tcase $verb in");
	for (size_t i = 0; i < nverbs; i++) {
		AUTO_FREE char *word = is_shown(&verbs[i]) ? new_first_word(i) : NULL;

		if (word == NULL) {
			continue;
		}
		output_line(out, "\t%s)", word);
		output_text(out, "\t\t[ \"$COMP_CWORD\" -eq 2 ] && words='");
		print_second_words(out, word);
		output_text(out, "'\n\t\tflags='");
		print_flags(out, word);
		output_line(out, "' ;;");
	}
	output_line(out, "\tesac");
	output_line(out, "\tcase $cur in");
	output_line(out,
		"\t-*) mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$cur\") ;;");
	output_line(out,
		"\t*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;");
	output_line(out, "\tesac");
	output_line(out, "}");
	output_line(out, "complete -o default -F _mirror mirror");
}

// A text for a shell's single quotes.
static char *
quoted(const char *text)
{
	char *copy = xmalloc(strlen(text) * 4 + 1);
	size_t at = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			memcpy(copy + at, "'\\''", 4);
			at += 4;
		} else {
			copy[at++] = *text;
		}
	}
	copy[at] = '\0';
	return copy;
}

static void
print_zsh(struct output *out)
{
	output_line(out, "#compdef mirror");
	output_line(out, "local -a offers flags");
	output_line(out, "if (( CURRENT == 2 )); then");
	output_text(out, "\toffers=(");
	print_first_words(out);
	output_line(out, ")");
	output_line(out, "fi");
	output_line(out, "case $words[2] in");
	for (size_t i = 0; i < nverbs; i++) {
		AUTO_FREE char *word = is_shown(&verbs[i]) ? new_first_word(i) : NULL;

		if (word == NULL) {
			continue;
		}
		output_text(out, "%s) (( CURRENT == 3 )) && offers=(", word);
		print_second_words(out, word);
		output_text(out, "); flags=(");
		print_flags(out, word);
		output_line(out, ") ;;");
	}
	output_line(out, "esac");
	output_line(out, "if [[ $PREFIX == -* ]]; then");
	output_line(out, "\tcompadd -- $flags");
	output_line(out, "elif (( $#offers )); then");
	output_line(out, "\tcompadd -- $offers");
	output_line(out, "else");
	output_line(out, "\t_files");
	output_line(out, "fi");
}

static void
print_fish(struct output *out)
{
	output_line(out, "# fish completion for mirror");
	for (size_t i = 0; i < nverbs; i++) {
		const struct verb *verb = &verbs[i];
		const char *space = strchr(verb->name, ' ');
		AUTO_FREE char *text = quoted(verb->text);
		AUTO_FREE char *first = xmemdup0(
			verb->name, (size_t)(strchrnul(verb->name, ' ') - verb->name));

		if (!is_shown(verb)) {
			continue;
		}
		if (space == NULL) {
			output_line(out,
				"complete -c mirror -n __fish_use_subcommand -a '%s' -d "
				"'%s'",
				first, text);
		} else {
			output_line(out,
				"complete -c mirror -n __fish_use_subcommand -a '%s'",
				first);
			output_line(out,
				"complete -c mirror -n '__fish_seen_subcommand_from %s' "
				"-a '%s' -d '%s'",
				first, space + 1, text);
		}
		for (const struct flag *flag = verb->flags;
			flag != NULL && flag->name != NULL; flag++) {
			AUTO_FREE char *flag_text =
				flag->text != NULL ? quoted(flag->text) : NULL;

			if (flag_text != NULL) {
				output_line(out,
					"complete -c mirror -n "
					"'__fish_seen_subcommand_from "
					"%s' -l %s%s -d '%s'",
					first, flag->name,
					flag->value != NULL ? " -r" : "", flag_text);
			}
		}
	}
}

int
verb_completion(struct call *call, struct err *err)
{
	const char *shell = call->args.words[0];

	if (strcmp(shell, "bash") == 0) {
		print_bash(&call->out);
	} else if (strcmp(shell, "zsh") == 0) {
		print_zsh(&call->out);
	} else if (strcmp(shell, "fish") == 0) {
		print_fish(&call->out);
	} else {
		err_raise(err, ERR_USAGE, "completion knows bash, zsh and fish");
		return err_advise(err, "mirror completion bash");
	}
	if (call->out.json) {
		AUTO_FREE char *script = output_take_said(&call->out);

		json_set_text(output_answer(&call->out), "shell", shell);
		json_set_text(output_answer(&call->out), "script", script);
	}
	return 0;
}
