// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/stand.h"

#include "base/err.h"
#include "base/mem.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum {
	LIMIT_MS = 60000,
};

void
stand_init(struct stand *stand)
{
	void *scratch = NULL;

	*stand = (struct stand){ 0 };
	assert_int_equal(scratch_setup(&scratch), 0);
	stand->scratch = scratch;
	scratch_mkdir(stand->scratch, "home");
	stand->db = xstrdup(scratch_path(stand->scratch, "home/app.db"));
	stand->dir = xstrdup(scratch_path(stand->scratch, "kept"));
	stand->remote = xstrdup(scratch_path(stand->scratch, "away"));
	stand->locks = xstrdup(scratch_path(stand->scratch, "locks"));
	stand->key = xstrdup(scratch_path(stand->scratch, "key"));
	stand->snap = (struct snapshot_plan){ .self = VAULT_CHILD,
		.path = stand->db,
		.dir = stand->dir,
		.name = "app",
		.timeout_ms = LIMIT_MS };
	// The person's own configuration of rclone plays no part here.
	setenv("RCLONE_CONFIG", "/dev/null", 1);
}

int
stand_done(struct stand *stand)
{
	void *scratch = stand->scratch;

	free(stand->db);
	free(stand->dir);
	free(stand->remote);
	free(stand->locks);
	free(stand->key);
	free(stand->public);
	return scratch_teardown_all(&scratch);
}

int
stand_setup(void **state)
{
	struct stand *stand = xcalloc(1, sizeof(*stand));

	stand_init(stand);
	*state = stand;
	return 0;
}

int
stand_teardown(void **state)
{
	int result = stand_done(*state);

	free(*state);
	return result;
}

void
stand_key(struct stand *stand)
{
	assert_int_equal(
		scratch_sh(stand->scratch,
			"age-keygen -o key 2>/dev/null && age-keygen -y key > pub"),
		0);
	stand->public = scratch_read(stand->scratch, "pub", NULL);
	stand->public[strcspn(stand->public, "\n")] = '\0';
}

int
stand_take(struct stand *stand, struct snapshot *ret, struct err *err)
{
	snapshot_done(ret);
	err_clear(err);
	return snapshot_take(&stand->snap, ret, err);
}

void
stand_beside(struct stand *stand, const char *names)
{
	assert_int_equal(
		scratch_sh(stand->scratch,
			"cd home && test \"$(echo $(ls -A))\" = '%s' || { ls -lA "
			">&2; false; }",
			names),
		0);
}

int
stand_rounds(int usual)
{
	const char *text = getenv("MIRROR_TEST_ROUNDS");

	return text != NULL ? atoi(text) : usual;
}
