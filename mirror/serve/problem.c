// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/problem.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	unsigned int status;
	const char *code;
	const char *title;
} problems[] = { [PROBLEM_NONE] = { 0, "", "" },
#define PROBLEM_ROW_(name, status, code, title)                                          \
	[PROBLEM_##name] = { status, code, title },
	PROBLEM_TABLE(PROBLEM_ROW_)
#undef PROBLEM_ROW_
};

unsigned int
problem_status(enum problem problem)
{
	return problems[problem].status;
}

const char *
problem_code(enum problem problem)
{
	return problems[problem].code;
}

const char *
problem_title(enum problem problem)
{
	return problems[problem].title;
}

// What is not here is ours to mend.
// clang-format off
static const struct {
	enum err_code code;
	enum problem problem;
} causes[] = {
	{ ERR_INVALID,   PROBLEM_INVALID },
	{ ERR_USAGE,     PROBLEM_INVALID },
	{ ERR_BLOCKED,   PROBLEM_INVALID },
	{ ERR_NOT_FOUND, PROBLEM_NOT_FOUND },
	{ ERR_EXISTS,    PROBLEM_CONFLICT },
	{ ERR_DENIED,    PROBLEM_DENIED },
	{ ERR_READ_ONLY, PROBLEM_DENIED },
	{ ERR_TOO_BIG,   PROBLEM_TOO_LARGE },
	{ ERR_BUSY,      PROBLEM_BUSY },
	{ ERR_UNSTABLE,  PROBLEM_BUSY },
	{ ERR_NO_SPACE,  PROBLEM_NO_SPACE },
	{ ERR_TIMEOUT,   PROBLEM_TIMEOUT },
	{ ERR_CANCELLED, PROBLEM_UNAVAILABLE },
	{ ERR_REMOTE,    PROBLEM_UNAVAILABLE },
};
// clang-format on

enum problem
problem_of(const struct err *err)
{
	// The vault's word for it.
	if (err->code == ERR_INVALID && strstr(err->msg, "wrong_database") != NULL) {
		return PROBLEM_WRONG_DATABASE;
	}
	for (size_t i = 0; i < countof(causes); i++) {
		if (causes[i].code == err->code) {
			return causes[i].problem;
		}
	}
	return PROBLEM_INTERNAL;
}

struct json *
problem_json(enum problem problem, const struct err *err)
{
	struct json *object = json_new_object();
	AUTO_FREE char *type = xasprintf("urn:mirror:problem:%s", problem_code(problem));
	AUTO_FREE char *detail = path_printable_text(err->msg);

	json_set_text(object, "type", type);
	json_set_text(object, "title", problem_title(problem));
	json_set_int(object, "status", problem_status(problem));
	json_set_text(object, "code", problem_code(problem));
	if (detail[0] != '\0') {
		json_set_text(object, "detail", detail);
	}
	if (err->next[0] != '\0') {
		json_set_text(object, "next", err->next);
	}
	return object;
}
