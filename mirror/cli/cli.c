// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/cli.h"

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/suggest.h"
#include "cli/handlers.h"
#include "cli/help.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "config/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/**
 * Which flags there are depends on the verb, so the line is read twice: first for the
 * verb, knowing only the common flags, then as a whole with the verb's tables.
 *
 *     mirror -c FILE config --json check       the verb is "config check"
 *     mirror --healthcheck --format nagios     the verb is "health"
 */
struct line {
	int argc;
	char **argv;
	/** Where the words of the verb's name stand; 0 for none. */
	int name_at[2];
	/** What was typed for a verb, for messages; owned. */
	char *typed;
};

// How many arguments does the common flag at @text take up?  0 when it is none.
static int
common_len(const char *text)
{
	const struct flag *const tables[] = { common_flags, change_flags, remote_flags };
	const struct flag *flag = NULL;

	if (text[1] == '-') {
		size_t len = (size_t)(strchrnul(text + 2, '=') - (text + 2));

		flag = args_flag(tables, countof(tables), text + 2, len);
		return flag == NULL                                    ? 0
			: flag->value != NULL && text[2 + len] == '\0' ? 2
								       : 1;
	}
	for (size_t i = 0; i < countof(tables); i++) {
		for (const struct flag *row = tables[i]; row->name != NULL; row++) {
			if (row->letter == text[1]) {
				flag = row;
			}
		}
	}
	return flag == NULL ? 0 : flag->value != NULL && text[2] == '\0' ? 2 : 1;
}

// The index of the next word from @at on, or -1; @ret_alias is set when a flag that is
// a verb by itself comes first.
static int
next_word(const struct line *line, int at, const struct verb **ret_alias)
{
	while (at < line->argc) {
		const char *text = line->argv[at];
		int len;

		if (text[0] != '-' || text[1] == '\0') {
			return at;
		}
		if (strncmp(text, "--", 2) == 0 && ret_alias != NULL) {
			*ret_alias = verbs_alias(text + 2);
			if (*ret_alias != NULL) {
				return -1;
			}
		}
		len = common_len(text);
		if (len == 0) {
			return -1;
		}
		at += len;
	}
	return -1;
}

static const struct verb *
find_alias(const struct line *line)
{
	for (int i = 1; i < line->argc && strcmp(line->argv[i], "--") != 0; i++) {
		if (strncmp(line->argv[i], "--", 2) == 0) {
			const struct verb *verb = verbs_alias(line->argv[i] + 2);

			if (verb != NULL) {
				return verb;
			}
		}
	}
	return NULL;
}

static const struct verb *
find_verb(struct line *line)
{
	const struct verb *verb = NULL;
	int at = next_word(line, 1, &verb);
	int second;

	if (verb != NULL) {
		return verb;
	}
	if (at < 0) {
		return find_alias(line);
	}
	line->name_at[0] = at;
	line->typed = xstrdup(line->argv[at]);
	if (!verbs_is_group(line->typed)) {
		return verbs_find(line->typed);
	}
	second = next_word(line, at + 1, NULL);
	if (second > 0) {
		AUTO_FREE char *first = line->typed;

		line->name_at[1] = second;
		line->typed = xasprintf("%s %s", first, line->argv[second]);
	}
	verb = verbs_find(line->typed);
	if (verb == NULL && second > 0 && verbs_find(line->argv[at]) != NULL) {
		line->name_at[1] = 0;
		verb = verbs_find(line->argv[at]);
	}
	return verb;
}

// "config needs one more word: check, show, edit".
static int
no_second_word(const char *group, struct err *err)
{
	AUTO_FREE char *words = xstrdup("");
	size_t len = strlen(group);

	for (size_t i = 0; i < nverbs; i++) {
		if (strncmp(verbs[i].name, group, len) == 0 &&
			verbs[i].name[len] == ' ') {
			AUTO_FREE char *before = words;

			words = xasprintf("%s%s%s", before, before[0] != '\0' ? ", " : "",
				verbs[i].name + len + 1);
		}
	}
	err_raise(err, ERR_USAGE, "%s needs one more word: %s", group, words);
	return err_advise(err, "mirror help %s", group);
}

static int
no_verb(const struct line *line, struct err *err)
{
	char word[SUGGEST_WORD_MAX];
	const char *near;

	if (line->typed == NULL) {
		for (int i = 1; i < line->argc; i++) {
			if (line->argv[i][0] == '-' && common_len(line->argv[i]) == 0) {
				err_raise(err, ERR_USAGE, "unknown option %.80s",
					line->argv[i]);
				return err_advise(err, "mirror help");
			}
		}
		err_raise(err, ERR_USAGE, "no command given");
		return err_advise(err, "mirror help");
	}
	if (verbs_is_group(line->typed)) {
		return no_second_word(line->typed, err);
	}
	if (verbs_alias(line->typed) != NULL) {
		err_raise(err, ERR_USAGE,
			"unknown command \"%s\"; did you mean \"--%s\"?", line->typed,
			line->typed);
		return err_advise(err, "mirror --%s", line->typed);
	}
	near = verbs_near(line->typed, word, sizeof(word));
	err_raise(err, ERR_USAGE, "unknown command \"%.80s\"%s%s%s", line->typed,
		near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "");
	return near != NULL ? err_advise(err, "mirror help %s", near)
			    : err_advise(err, "mirror help");
}

static int
read_args(const struct line *line, const struct verb *verb, struct args *ret_args,
	struct err *err)
{
	const struct flag *tables[VERBS_TABLES_MAX];
	size_t ntables = verbs_tables(verb, tables);
	AUTO_FREE char **rest = xcalloc((size_t)line->argc + 1, sizeof(*rest));
	int nrest = 0;

	for (int i = 1; i < line->argc; i++) {
		if (i != line->name_at[0] && i != line->name_at[1]) {
			rest[nrest++] = line->argv[i];
		}
	}
	if (args_parse(tables, ntables, nrest, rest, ret_args, err) < 0) {
		return err_advise(err, "mirror help %s", verb->name);
	}
	return 0;
}

static int
check_words(const struct verb *verb, const struct args *args, struct err *err)
{
	if (args->nwords < verb->least) {
		err_raise(err, ERR_USAGE, "%s needs %s", verb->name, verb->usage);
		return err_advise(err, "mirror help %s", verb->name);
	}
	if (args->nwords > verb->most) {
		err_raise(err, ERR_USAGE, "%s: \"%.80s\" is one word too many",
			verb->name, args->words[verb->most]);
		return err_advise(err, "mirror help %s", verb->name);
	}
	return 0;
}

// The flags of the table common_flags, and the two that only some verbs have.
static void
apply_common(struct call *call)
{
	const struct args *args = &call->args;

	call->out.json = args_has(args, "json");
	call->out.quiet = args_has(args, "quiet");
	call->out.verbose = args_has(args, "verbose");
	call->out.no_input = call->out.no_input || args_has(args, "no-input");
	call->dry_run = args_has(args, "dry-run");
	if (call->out.json && (call->verb->traits & VERB_CHANGES)) {
		json_set_bool(output_answer(&call->out), "dry_run", call->dry_run);
	}
	if (args_has(args, "no-color")) {
		call->out.color = false;
	}
	for (size_t i = 0; i < args->ngiven; i++) {
		// A verb may have a --config of its own; the short form is always ours.
		if (args->given[i].flag->letter == 'c') {
			call->config_file = args->given[i].value;
		}
	}
	log_init(call->out.verbose        ? LOG_DEBUG
			: call->out.quiet ? LOG_ERROR
					  : LOG_NOTICE,
		getenv("JOURNAL_STREAM") != NULL);
}

// Also a line that is wrong is answered in the form it asks for.
static bool
wants_json(const struct line *line)
{
	for (int i = 1; i < line->argc && strcmp(line->argv[i], "--") != 0; i++) {
		if (strcmp(line->argv[i], "--json") == 0) {
			return true;
		}
	}
	return false;
}

static int
run(struct line *line, struct call *call, struct err *err)
{
	const struct verb *verb = find_verb(line);

	if (verb == NULL) {
		return no_verb(line, err);
	}
	call->verb = verb;
	if (read_args(line, verb, &call->args, err) < 0) {
		return err->code;
	}
	apply_common(call);
	if (args_has(&call->args, "help") && verb->run != verb_help) {
		if (call->out.json) {
			help_json(&call->out);
		} else {
			help_verb(&call->out, verb);
		}
		return 0;
	}
	if (check_words(verb, &call->args, err) < 0) {
		return err->code;
	}
	return verb->run(call, err);
}

// Which of the disks we write to has the least left, and how much that is.
static void
advise_space(struct err *err)
{
	AUTO_FREE char *data = places_data_dir();
	AUTO_FREE char *state = places_state_dir();
	const char *const dirs[] = { data, state, "." };
	const char *fullest = NULL;
	uint64_t least = UINT64_MAX;
	char size[OUTPUT_SIZE_MAX];

	for (size_t i = 0; i < countof(dirs); i++) {
		struct statvfs info;
		uint64_t left;

		if (statvfs(dirs[i], &info) < 0) {
			continue;
		}
		left = info.f_files > 0 && info.f_favail == 0
			? 0
			: (uint64_t)info.f_bavail * info.f_frsize;
		if (left < least) {
			least = left;
			fullest = dirs[i];
		}
	}
	if (fullest != NULL) {
		AUTO_FREE char *word = path_shell(fullest);

		output_size(least, size);
		(void)err_advise(
			err, "free space: df -h %s (%s are left there)", word, size);
	}
}

// Whoever failed knows best what to do; where nobody said, this helps on.
static void
advise(const struct call *call, struct err *err)
{
	const char *verb = call->verb != NULL ? call->verb->name : "";

	switch (err->code) {
	case ERR_USAGE:
		(void)err_advise(err, "mirror help %s", verb);
		break;
	case ERR_CONFIG:
		(void)err_advise(err, "mirror config check");
		break;
	case ERR_REMOTE:
	case ERR_TIMEOUT:
		(void)err_advise(err, "mirror remote test");
		break;
	case ERR_CORRUPT:
		(void)err_advise(err, "mirror verify");
		break;
	case ERR_NO_SPACE:
		advise_space(err);
		break;
	default:
		(void)err_advise(err, "mirror doctor");
		break;
	}
}

int
cli_main(int argc, char **argv)
{
	struct line line = { .argc = argc, .argv = argv };
	struct call call = { 0 };
	struct err err = { 0 };
	int status;

	output_init(&call.out);
	call.out.json = wants_json(&line);
	status = run(&line, &call, &err);
	output_progress_done(&call.out);
	if (status >= 0) {
		// What was told on the way and got over is no failure of the whole.
		err_clear(&err);
	} else {
		status = err_exit(err.code);
		advise(&call, &err);
		output_error(&call.out, &err);
	}
	output_end(&call.out, call.verb != NULL ? call.verb->name : "", status, &err);
	args_done(&call.args);
	free(line.typed);
	err_clear(&err);
	if (output_finish(&call.out, &err) < 0) {
		output_error(&call.out, &err);
		return err_exit(ERR_NO_SPACE);
	}
	return status;
}
