// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/err.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	enum err_verdict verdict;
	int exit;
	const char *phrase;
	const char *name;
} codes[] = { [0] = { ERR_PARK, 0, "no error", "NONE" },
#define ERR_ROW_(name, verdict, exit, phrase)                                            \
	[ERR_POSITION_##name] = { verdict, exit, phrase, #name },
	ERR_TABLE(ERR_ROW_)
#undef ERR_ROW_
};

// clang-format off
static const struct {
	int sys;
	enum err_code code;
} errnos[] = {
	{ ENOENT,       ERR_NOT_FOUND },
	{ ENOTDIR,      ERR_NOT_FOUND },
	{ EEXIST,       ERR_EXISTS },
	{ ENOTEMPTY,    ERR_EXISTS },
	{ EACCES,       ERR_DENIED },
	{ EPERM,        ERR_DENIED },
	{ EROFS,        ERR_READ_ONLY },
	{ ENOSPC,       ERR_NO_SPACE },
	{ EDQUOT,       ERR_NO_SPACE },
	{ ENOMEM,       ERR_NO_MEMORY },
	{ EMFILE,       ERR_BUSY },
	{ ENFILE,       ERR_BUSY },
	{ EAGAIN,       ERR_BUSY },
	{ EBUSY,        ERR_BUSY },
	{ ETXTBSY,      ERR_BUSY },
	{ EFBIG,        ERR_TOO_BIG },
	{ ENAMETOOLONG, ERR_TOO_BIG },
	{ E2BIG,        ERR_TOO_BIG },
	{ EINVAL,       ERR_INVALID },
	{ ELOOP,        ERR_INVALID },
	{ ETIMEDOUT,    ERR_TIMEOUT },
	{ ECANCELED,    ERR_CANCELLED },
	{ EUCLEAN,      ERR_CORRUPT },
};
// clang-format on

void
base_free_p(void *pointer_to_pointer)
{
	int keep = errno;
	void **pointer = pointer_to_pointer;

	free(*pointer);
	*pointer = NULL;
	errno = keep;
}

void
base_close_p(int *fd)
{
	int keep = errno;

	if (*fd >= 0) {
		(void)close(*fd);
	}
	*fd = -1;
	errno = keep;
}

static size_t
position(enum err_code code)
{
	size_t at = (size_t)(code < 0 ? -code : code);

	return at < countof(codes) ? at : (size_t)ERR_POSITION_BUG;
}

void
err_clear(struct err *err)
{
	memset(err, 0, sizeof(*err));
}

// Put @head before @msg.  When both do not fit, the middle of the head gives way:
// a long path never hides the cause.
static void
prefix(char *msg, const char *head)
{
	char story[ERR_MSG_MAX];
	size_t tail_len = strlen(msg);
	size_t head_len = strlen(head);
	size_t room = ERR_MSG_MAX - 1 - MIN_OF(tail_len, (size_t)ERR_MSG_MAX - 1);

	if (tail_len == 0) {
		(void)snprintf(story, sizeof(story), "%s", head);
	} else if (head_len + 2 <= room) {
		(void)snprintf(story, sizeof(story), "%s: %s", head, msg);
	} else if (room > 8) {
		(void)snprintf(
			story, sizeof(story), "%.*s...: %s", (int)(room - 5), head, msg);
	} else {
		return;
	}
	memcpy(msg, story, sizeof(story));
}

int
err_raise_at(struct err *err, enum err_code code, const char *where, const char *fmt, ...)
{
	va_list args;

	assert(code < 0);
	err->code = code;
	err->sys = 0;
	err->where = where;
	err->next[0] = '\0';
	va_start(args, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	return code;
}

int
err_errno_at(struct err *err, const char *where, const char *fmt, ...)
{
	int sys = errno;
	char head[ERR_MSG_MAX];
	char reason[128];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(head, sizeof(head), fmt, args);
	va_end(args);
	err->code = err_code_of(sys);
	err->sys = sys;
	err->where = where;
	err->next[0] = '\0';
	(void)snprintf(err->msg, sizeof(err->msg), "%s",
		strerror_r(sys, reason, sizeof(reason)));
	prefix(err->msg, head);
	return err->code;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char head[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(head, sizeof(head), fmt, args);
	va_end(args);
	prefix(err->msg, head);
	return err->code;
}

int
err_advise(struct err *err, const char *fmt, ...)
{
	va_list args;

	if (err->next[0] == '\0') {
		va_start(args, fmt);
		(void)vsnprintf(err->next, sizeof(err->next), fmt, args);
		va_end(args);
	}
	return err->code;
}

enum err_code
err_code_of(int sys)
{
	for (size_t i = 0; i < countof(errnos); i++) {
		if (errnos[i].sys == sys) {
			return errnos[i].code;
		}
	}
	return ERR_IO;
}

enum err_verdict
err_verdict(enum err_code code)
{
	return codes[position(code)].verdict;
}

int
err_exit(enum err_code code)
{
	return codes[position(code)].exit;
}

const char *
err_phrase(enum err_code code)
{
	return codes[position(code)].phrase;
}

void
err_word(enum err_code code, char text[ERR_WORD_MAX])
{
	const char *name = codes[position(code)].name;
	size_t at = 0;

	for (; name[at] != '\0' && at + 1 < ERR_WORD_MAX; at++) {
		text[at] = (char)tolower((unsigned char)name[at]);
	}
	text[at] = '\0';
}
