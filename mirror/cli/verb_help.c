// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "cli/handlers.h"
#include "cli/help.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

static char *
joined(const struct args *args)
{
	return args->nwords == 2 ? xasprintf("%s %s", args->words[0], args->words[1])
				 : xstrdup(args->words[0]);
}

int
verb_help(struct call *call, struct err *err)
{
	AUTO_FREE char *name = NULL;
	const struct verb *verb;

	if (call->out.json) {
		help_json(&call->out);
		return 0;
	}
	if (call->args.nwords == 0) {
		help_overview(&call->out);
		return 0;
	}
	name = joined(&call->args);
	verb = verbs_find(name);
	if (verb != NULL) {
		help_verb(&call->out, verb);
		return 0;
	}
	if (verbs_is_group(name)) {
		help_group(&call->out, name);
		return 0;
	}

	char word[SUGGEST_WORD_MAX];
	const char *near = verbs_near(name, word, sizeof(word));
	err_raise(err, ERR_USAGE, "there is no command \"%.80s\"%s%s%s", name,
		near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "");
	return err_advise(err, "mirror help");
}

int
verb_version(struct call *call, struct err *err)
{
	(void)err;
	if (call->out.json) {
		AUTO(json_freep) struct json *object = json_new_object();

		json_set_text(object, "schema", "mirror.version/1");
		json_set_text(object, "version", MIRROR_VERSION);
		json_set_text(object, "licence", "GPL-2.0");
		output_json(&call->out, object);
		return 0;
	}
	output_line(&call->out, "mirror " MIRROR_VERSION);
	output_line(&call->out, "Licence GPL-2.0: free software, without any warranty.");
	return 0;
}
