// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/commit.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/pack.h"
#include "brain/repo.h"

#include <stdlib.h>
#include <string.h>

enum {
	COMMIT_MAX = REPO_MESSAGE_MAX + 4096,
	NAME_MAX_LEN = 256,
};

// What may stand between "author " and " <", or between "<" and ">": no control
// characters, no angle brackets, no space or dot at its ends.
static char *
clean(const char *text, const char *otherwise)
{
	char *name = xmalloc(NAME_MAX_LEN + 1);
	size_t len = 0;

	for (; *text != '\0' && len < NAME_MAX_LEN; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '<' || c == '>' ||
			(len == 0 && (c == ' ' || c == '.'))) {
			continue;
		}
		name[len++] = (char)c;
	}
	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '.')) {
		len--;
	}
	name[len] = '\0';
	if (len == 0) {
		free(name);
		return xstrdup(otherwise);
	}
	return name;
}

static int
add_person(
	const struct commit *commit, const char *role, struct buf *text, struct err *err)
{
	AUTO_FREE char *name = clean(commit->name, "mirror");
	AUTO_FREE char *email = clean(commit->email, "mirror@localhost");
	int minutes = commit->offset_min;
	int64_t seconds = MAX_OF(commit->time, (int64_t)0);
	char sign;

	// git shows no time that is before 1970 where it was written.
	if (minutes < -14 * 60 || minutes > 14 * 60 || seconds + minutes * 60 < 0) {
		minutes = 0;
	}
	sign = minutes < 0 ? '-' : '+';
	minutes = abs(minutes);
	return buf_add_fmt(text, err, "%s %s <%s> %lld %c%02d%02d\n", role, name, email,
		(long long)seconds, sign, minutes / 60, minutes % 60);
}

int
commit_write(struct pack *pack, const struct commit *commit, struct oid *ret_commit,
	struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = COMMIT_MAX };
	char hex[OID_HEX_MAX];
	size_t len = strlen(commit->message);
	int result;

	if (oid_is_zero(&commit->tree)) {
		return err_raise(err, ERR_INVALID, "a commit without a tree");
	}
	result = buf_add_fmt(&text, err, "tree %s\n", oid_hex(&commit->tree, hex));
	if (result == 0 && !oid_is_zero(&commit->parent)) {
		result = buf_add_fmt(
			&text, err, "parent %s\n", oid_hex(&commit->parent, hex));
	}
	if (result < 0 || add_person(commit, "author", &text, err) < 0 ||
		add_person(commit, "committer", &text, err) < 0) {
		return err_wrap(err, "write the commit");
	}
	if (buf_add_fmt(&text, err, "\n%s%s", commit->message,
		    len > 0 && commit->message[len - 1] == '\n' ? "" : "\n") < 0) {
		return err_wrap(err, "write the commit");
	}
	result = pack_add(pack, OBJECT_COMMIT, text.data, text.len, ret_commit, err);
	return result < 0 ? err_wrap(err, "write the commit") : 0;
}
