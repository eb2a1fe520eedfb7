// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/args.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Where we are in argv.
struct reading {
	const struct flag *const *tables;
	size_t ntables;
	int argc;
	char *const *argv;
	int at;
	struct args *args;
	struct err *err;
};

const struct flag *
args_flag(const struct flag *const tables[], size_t ntables, const char *name, size_t len)
{
	for (size_t i = 0; i < ntables; i++) {
		for (const struct flag *flag = tables[i]; flag->name != NULL; flag++) {
			if (strlen(flag->name) == len &&
				memcmp(flag->name, name, len) == 0) {
				return flag;
			}
		}
	}
	return NULL;
}

static const struct flag *
find_letter(const struct reading *reading, char letter)
{
	for (size_t i = 0; i < reading->ntables; i++) {
		for (const struct flag *flag = reading->tables[i]; flag->name != NULL;
			flag++) {
			if (flag->letter == letter) {
				return flag;
			}
		}
	}
	return NULL;
}

bool
args_is_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	while (*words != '\0') {
		size_t here = (size_t)(strchrnul(words, '|') - words);

		if (here == len && memcmp(words, word, len) == 0) {
			return true;
		}
		words += here + (words[here] == '|');
	}
	return false;
}

const char *
args_near_word(const char *words, const char *word, char *text, size_t size)
{
	text[0] = '\0';
	while (*words != '\0') {
		size_t here = (size_t)(strchrnul(words, '|') - words);
		char candidate[SUGGEST_WORD_MAX];

		(void)snprintf(candidate, sizeof(candidate), "%.*s", (int)here, words);
		if (suggest_is_nearer(word, candidate, text[0] != '\0' ? text : NULL)) {
			(void)snprintf(text, size, "%s", candidate);
		}
		words += here + (words[here] == '|');
	}
	return text;
}

static int
unknown(const struct reading *reading, const char *name, size_t len)
{
	AUTO_FREE char *raw = xmemdup0(name, len);
	const char *best = NULL;

	for (size_t i = 0; i < reading->ntables; i++) {
		for (const struct flag *flag = reading->tables[i]; flag->name != NULL;
			flag++) {
			if (flag->text != NULL &&
				suggest_is_nearer(raw, flag->name, best)) {
				best = flag->name;
			}
		}
	}
	return err_raise(reading->err, ERR_USAGE, "unknown option --%.80s%s%s%s", raw,
		best != NULL ? "; did you mean --" : "", best != NULL ? best : "",
		best != NULL ? "?" : "");
}

static void
remember(const struct reading *reading, const struct flag *flag, const char *value)
{
	struct args *args = reading->args;

	args->given = xrealloc(args->given, (args->ngiven + 1) * sizeof(args->given[0]));
	args->given[args->ngiven++] = (struct args_given){ flag, value };
}

static int
check_words(const struct reading *reading, const struct flag *flag, const char *value)
{
	char near[SUGGEST_WORD_MAX];

	if (flag->words == NULL || args_is_word(flag->words, value)) {
		return 0;
	}
	(void)args_near_word(flag->words, value, near, sizeof(near));
	return err_raise(reading->err, ERR_USAGE,
		"--%s: \"%.80s\" is not one of %s%s%s%s", flag->name, value, flag->words,
		near[0] != '\0' ? "; did you mean " : "", near,
		near[0] != '\0' ? "?" : "");
}

// Take the flag with the value behind its "=" or letter, or from the next argument.
static int
take(struct reading *reading, const struct flag *flag, const char *attached)
{
	const char *value = attached;

	if (flag->value == NULL) {
		if (attached != NULL) {
			return err_raise(reading->err, ERR_USAGE,
				"option --%s takes no value", flag->name);
		}
		remember(reading, flag, NULL);
		return 0;
	}
	if (value == NULL) {
		if (reading->at >= reading->argc) {
			return err_raise(reading->err, ERR_USAGE,
				"option --%s needs a value: %s", flag->name, flag->value);
		}
		value = reading->argv[reading->at++];
	}
	if (check_words(reading, flag, value) < 0) {
		return reading->err->code;
	}
	remember(reading, flag, value);
	return 0;
}

static int
take_long(struct reading *reading, const char *name)
{
	size_t len = (size_t)(strchrnul(name, '=') - name);
	const struct flag *flag = args_flag(reading->tables, reading->ntables, name, len);

	if (flag == NULL) {
		return unknown(reading, name, len);
	}
	return take(reading, flag, name[len] == '=' ? name + len + 1 : NULL);
}

static int
take_letters(struct reading *reading, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		const struct flag *flag = find_letter(reading, *letters);

		if (flag == NULL) {
			char one[2] = { *letters, '\0' };

			return err_raise(
				reading->err, ERR_USAGE, "unknown option -%s", one);
		}
		if (flag->value != NULL) {
			return take(
				reading, flag, letters[1] != '\0' ? letters + 1 : NULL);
		}
		remember(reading, flag, NULL);
	}
	return 0;
}

static void
add_word(struct args *args, const char *word)
{
	args->words = xrealloc(args->words, (args->nwords + 1) * sizeof(args->words[0]));
	args->words[args->nwords++] = word;
}

int
args_parse(const struct flag *const tables[], size_t ntables, int argc,
	char *const argv[], struct args *ret_args, struct err *err)
{
	AUTO(args_done) struct args args = { 0 };
	struct reading reading = {
		.tables = tables,
		.ntables = ntables,
		.argc = argc,
		.argv = argv,
		.args = &args,
		.err = err,
	};
	bool only_words = false;

	while (reading.at < argc) {
		const char *text = argv[reading.at++];
		int result = 0;

		if (only_words || text[0] != '-' || text[1] == '\0') {
			add_word(&args, text);
		} else if (strcmp(text, "--") == 0) {
			only_words = true;
		} else if (text[1] == '-') {
			result = take_long(&reading, text + 2);
		} else {
			result = take_letters(&reading, text + 1);
		}
		if (result < 0) {
			return result;
		}
	}
	*ret_args = args;
	args = (struct args){ 0 };
	return 0;
}

void
args_done(struct args *args)
{
	free(args->given);
	free(args->words);
	*args = (struct args){ 0 };
}

bool
args_has(const struct args *args, const char *name)
{
	for (size_t i = 0; i < args->ngiven; i++) {
		if (strcmp(args->given[i].flag->name, name) == 0) {
			return true;
		}
	}
	return false;
}

const char *
args_value(const struct args *args, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < args->ngiven; i++) {
		if (strcmp(args->given[i].flag->name, name) == 0) {
			value = args->given[i].value;
		}
	}
	return value;
}

const char *
args_nth(const struct args *args, const char *name, size_t index)
{
	for (size_t i = 0; i < args->ngiven; i++) {
		if (strcmp(args->given[i].flag->name, name) == 0 && index-- == 0) {
			return args->given[i].value;
		}
	}
	return NULL;
}
