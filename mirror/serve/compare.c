// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/compare.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "serve/desk.h"
#include "serve/diff.h"
#include "serve/history.h"

#include <stdlib.h>

struct search {
	struct oid than;
	bool passed;
	struct oid found;
};

// The first version behind the one that is @than.
static int
find_older(const struct history_version *version, void *payload)
{
	struct search *search = payload;

	if (search->passed) {
		search->found = version->blob;
		return 1;
	}
	search->passed = oid_equal(&version->blob, &search->than);
	return 0;
}

static int
read_side(struct desk *desk, const struct oid *blob, struct buf *bytes, struct err *err)
{
	return oid_is_zero(blob) ? buf_add_text(bytes, "", err)
				 : repo_read(desk->repo, blob, OBJECT_BLOB, bytes, err);
}

static int
find_sides(struct desk *desk, const char *path, const char *from, const char *to,
	struct oid *old, struct oid *new, struct err *err)
{
	struct oid commit;
	struct search search = { 0 };

	if (history_commit(desk, to, &commit, err) < 0 ||
		history_blob(desk, &commit, path, new, err) < 0) {
		return err->code;
	}
	if (from != NULL) {
		return history_commit(desk, from, &commit, err) < 0 ||
				history_blob(desk, &commit, path, old, err) < 0
			? err->code
			: 0;
	}
	search.than = *new;
	if (history_versions(desk, path, find_older, &search, err) < 0) {
		return err->code;
	}
	*old = search.found;
	return 0;
}

int
compare_file(struct desk *desk, const char *path, const char *from, const char *to,
	struct buf *text, struct err *err)
{
	AUTO(buf_done) struct buf before = { .max = DIFF_BYTES_MAX };
	AUTO(buf_done) struct buf after = { .max = DIFF_BYTES_MAX };
	struct oid old = { { 0 } };
	struct oid new = { { 0 } };

	if (find_sides(desk, path, from, to, &old, &new, err) < 0) {
		return err->code;
	}
	if (oid_is_zero(&old) && oid_is_zero(&new)) {
		return err_raise(err, ERR_NOT_FOUND, "neither version has such a file");
	}
	if (read_side(desk, &old, &before, err) < 0 ||
		read_side(desk, &new, &after, err) < 0) {
		return err->code;
	}
	AUTO_FREE char *shown = path_printable(path);
	AUTO_FREE char *old_name = xasprintf("a/%s", shown);
	AUTO_FREE char *new_name = xasprintf("b/%s", shown);
	struct diff_text left = { buf_text(&before), before.len,
		oid_is_zero(&old) ? "/dev/null" : old_name };
	struct diff_text right = { buf_text(&after), after.len,
		oid_is_zero(&new) ? "/dev/null" : new_name };

	return diff_texts(&left, &right, text, err);
}
