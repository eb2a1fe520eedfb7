// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/fleet.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/spawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	GIT_DEADLINE_MS = 30000,
	SELF_MAX = 16 * 1024,
	OUT_MAX = 64 << 20,
};

// ---- who we are

static char *
self_path(const char *git_dir)
{
	return path_join(git_dir, "mirror/machine");
}

static void
take_text(const struct json *object, const char *key, char *text, size_t size)
{
	const char *value = json_get_text(object, key);

	(void)snprintf(text, size, "%s", value != NULL ? value : "");
}

static bool
is_id(const char *text)
{
	uint8_t bytes[(FLEET_ID_MAX - 1) / 2];

	return hash_unhex(text, bytes, sizeof(bytes));
}

static int
new_id(char ret_id[FLEET_ID_MAX], struct err *err)
{
	uint8_t bytes[(FLEET_ID_MAX - 1) / 2];

	if (hash_random(bytes, sizeof(bytes), err) < 0) {
		return err->code;
	}
	hash_hex(bytes, sizeof(bytes), ret_id);
	return 0;
}

static int
parse_self(const struct json *object, struct fleet_self *self, const char *path,
	struct err *err)
{
	const struct json *pending = json_get(object, "pending");
	const char *last = json_get_text(object, "last");

	take_text(object, "machine", self->machine, sizeof(self->machine));
	take_text(object, "host", self->host, sizeof(self->host));
	take_text(object, "state", self->state, sizeof(self->state));
	take_text(object, "took", self->took, sizeof(self->took));
	self->count = json_get_int(object, "count", 0);
	self->at_ms = json_get_int(object, "at_ms", 0);
	for (size_t i = 0; i < json_count(pending) && i < FLEET_PENDING_MAX; i++) {
		const char *hex = json_text(json_at(pending, i));

		if (hex != NULL && oid_parse(hex, &self->pending[self->npending])) {
			self->npending++;
		}
	}
	if (!is_id(self->machine) ||
		(last != NULL && last[0] != '\0' && !oid_parse(last, &self->last))) {
		err_raise(err, ERR_CORRUPT, "%s is damaged", path);
		return err_advise(err,
			"rm %s, then mirror machines --take-over if it says that another "
			"machine has the name",
			path);
	}
	return 0;
}

// What we left under another name is another machine's business to look at.
static void
rename_self(struct fleet_self *self, const char *host)
{
	(void)snprintf(self->host, sizeof(self->host), "%s", host);
	memset(&self->last, 0, sizeof(self->last));
	self->npending = 0;
	self->at_ms = 0;
}

int
fleet_self_load(const char *git_dir, const char *host, struct fleet_self *ret_self,
	struct err *err)
{
	AUTO_FREE char *path = self_path(git_dir);
	AUTO(json_freep) struct json *object = NULL;
	AUTO(buf_done) struct buf text = { .max = SELF_MAX };
	struct fleet_self self = { .count = 0 };

	if (file_read(AT_FDCWD, path, &text, err) < 0) {
		if (err->code != ERR_NOT_FOUND) {
			return err_wrap(err, "read who this machine is");
		}
		err_clear(err);
		rename_self(&self, host);
		*ret_self = self;
		return new_id(ret_self->machine, err) < 0
			? err->code
			: fleet_self_save(git_dir, ret_self, err);
	}
	if (json_parse(buf_text(&text), text.len, &object, err) < 0) {
		err_wrap(err, "read %s", path);
		return err_advise(err, "rm %s", path);
	}
	if (parse_self(object, &self, path, err) < 0) {
		return err->code;
	}
	if (strcmp(self.host, host) != 0) {
		rename_self(&self, host);
	}
	*ret_self = self;
	return 0;
}

int
fleet_self_save(const char *git_dir, const struct fleet_self *self, struct err *err)
{
	AUTO_FREE char *path = self_path(git_dir);
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO_FREE char *text = NULL;
	struct json *pending = json_new_array();
	char hex[OID_HEX_MAX];

	for (size_t i = 0; i < self->npending; i++) {
		json_append_text(pending, oid_hex(&self->pending[i], hex));
	}
	json_set_text(object, "machine", self->machine);
	json_set_text(object, "host", self->host);
	json_set_int(object, "count", self->count);
	json_set_text(object, "last",
		oid_is_zero(&self->last) ? "" : oid_hex(&self->last, hex));
	json_set(object, "pending", pending);
	json_set_int(object, "at_ms", self->at_ms);
	json_set_text(object, "state", self->state);
	json_set_text(object, "took", self->took);
	text = json_write(object, 1);
	if (file_replace_at(path, text, strlen(text), 0600, err) < 0) {
		return err_wrap(err, "write who this machine is");
	}
	return 0;
}

int
fleet_self_take_over(const char *git_dir, const char *host, const struct oid *blob,
	const struct fleet_beat *theirs, struct err *err)
{
	struct fleet_self self = { .last = *blob, .count = theirs->count };

	(void)snprintf(self.host, sizeof(self.host), "%s", host);
	(void)snprintf(self.took, sizeof(self.took), "%s", theirs->machine);
	if (new_id(self.machine, err) < 0) {
		return err->code;
	}
	return fleet_self_save(git_dir, &self, err);
}

void
fleet_self_sending(struct fleet_self *self, const struct oid *blob)
{
	if (self->npending == FLEET_PENDING_MAX) {
		self->npending--;
		memmove(&self->pending[0], &self->pending[1],
			self->npending * sizeof(self->pending[0]));
	}
	self->pending[self->npending++] = *blob;
}

void
fleet_self_sent(struct fleet_self *self, const struct oid *blob)
{
	self->last = *blob;
	self->npending = 0;
	self->count++;
}

// ---- heartbeats

char *
fleet_beat_write(const struct fleet_beat *beat)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO_FREE char *text = NULL;

	json_set_text(object, "schema", "mirror.machine/1");
	json_set_text(object, "host", beat->host);
	json_set_text(object, "machine", beat->machine);
	json_set_int(object, "count", beat->count);
	json_set_int(object, "at_ms", beat->at_ms);
	json_set_text(object, "state", beat->state);
	json_set_text(object, "sentence", beat->sentence);
	json_set_text(object, "commit", beat->commit);
	json_set_text(object, "took_over", beat->took[0] != '\0' ? beat->took : NULL);
	text = json_write(object, 1);
	return xasprintf("%s\n", text);
}

int
fleet_beat_parse(
	const char *text, size_t len, struct fleet_beat *ret_beat, struct err *err)
{
	AUTO(json_freep) struct json *object = NULL;
	struct fleet_beat beat = { .count = 0 };

	if (json_parse(text, len, &object, err) < 0) {
		return err_wrap(err, "read a heartbeat");
	}
	take_text(object, "host", beat.host, sizeof(beat.host));
	take_text(object, "machine", beat.machine, sizeof(beat.machine));
	take_text(object, "state", beat.state, sizeof(beat.state));
	take_text(object, "sentence", beat.sentence, sizeof(beat.sentence));
	take_text(object, "commit", beat.commit, sizeof(beat.commit));
	take_text(object, "took_over", beat.took, sizeof(beat.took));
	beat.count = json_get_int(object, "count", 0);
	beat.at_ms = json_get_int(object, "at_ms", 0);
	if (!is_id(beat.machine)) {
		return err_raise(err, ERR_INVALID, "a heartbeat without a machine");
	}
	*ret_beat = beat;
	return 0;
}

bool
fleet_is_ours(const struct fleet_self *self, const struct oid *blob)
{
	bool ours = oid_equal(blob, &self->last);

	for (size_t i = 0; i < self->npending; i++) {
		ours = ours || oid_equal(blob, &self->pending[i]);
	}
	return ours;
}

enum fleet_verdict
fleet_judge(const struct fleet_self *self, const struct oid *blob,
	const struct fleet_beat *theirs)
{
	if (fleet_is_ours(self, blob)) {
		return FLEET_OURS;
	}
	if (strcmp(self->machine, theirs->machine) != 0) {
		return FLEET_TAKEN;
	}
	// One from before our last: another remote, or one that was set back.
	return theirs->count < self->count ? FLEET_OURS : FLEET_COPY;
}

// ---- the repository of heartbeats

static int
run_git(const char *const *argv, const char *input, struct buf *ret_out, struct err *err)
{
	static const char *const env[] = { "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "GIT_DIR",
		"GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", NULL };
	struct spawn plan = {
		.argv = argv,
		.env = env,
		.input = input,
		.input_len = input != NULL ? strlen(input) : 0,
		.deadline_ms = GIT_DEADLINE_MS,
	};
	struct spawn_result result = SPAWN_RESULT(OUT_MAX);
	int code = spawn_run(&plan, &result, err);

	if (code == 0 && result.status != 0) {
		code = err_raise(
			err, ERR_IO, "git %s: %.200s", argv[2], buf_text(&result.errors));
	}
	if (code == 0) {
		buf_done(ret_out);
		*ret_out = result.out;
		result.out = (struct buf){ .max = OUT_MAX };
	}
	spawn_result_done(&result);
	return code;
}

int
fleet_store(const char *git_dir, char **ret_store, struct err *err)
{
	AUTO_FREE char *store = path_join(git_dir, "mirror/fleet.git");
	AUTO_FREE char *head = path_join(store, "HEAD");
	const char *const argv[] = { "git", "init", "-q", "--bare", "--template=", "--",
		store, NULL };
	AUTO(buf_done) struct buf out = { .max = OUT_MAX };

	if (access(head, F_OK) < 0 && run_git(argv, NULL, &out, err) < 0) {
		return err_wrap(err, "make the store of heartbeats");
	}
	*ret_store = STEAL(store);
	return 0;
}

int
fleet_beat_store(const char *git_dir, const struct fleet_beat *beat, struct oid *ret_blob,
	struct err *err)
{
	AUTO_FREE char *text = fleet_beat_write(beat);
	AUTO_FREE char *store = NULL;
	AUTO_FREE char *dir = NULL;
	AUTO(buf_done) struct buf out = { .max = OUT_MAX };

	if (fleet_store(git_dir, &store, err) < 0) {
		return err->code;
	}
	dir = xasprintf("--git-dir=%s", store);

	const char *const argv[] = { "git", dir, "hash-object", "-w", "--stdin",
		"--no-filters", NULL };

	if (run_git(argv, text, &out, err) < 0) {
		return err_wrap(err, "store a heartbeat");
	}
	out.data[MIN_OF(out.len, (size_t)OID_HEX_MAX - 1)] = '\0';
	return oid_parse(out.data, ret_blob)
		? 0
		: err_raise(err, ERR_IO, "git hash-object said \"%s\"", out.data);
}

int
fleet_beat_read(const char *git_dir, const struct oid *blob, struct fleet_beat *ret_beat,
	struct err *err)
{
	AUTO_FREE char *dir = xasprintf("--git-dir=%s/mirror/fleet.git", git_dir);
	char hex[OID_HEX_MAX];
	const char *const argv[] = { "git", dir, "cat-file", "blob", oid_hex(blob, hex),
		NULL };
	AUTO(buf_done) struct buf out = { .max = OUT_MAX };

	if (run_git(argv, NULL, &out, err) < 0) {
		return err_wrap(err, "read a heartbeat");
	}
	return fleet_beat_parse(buf_text(&out), out.len, ret_beat, err);
}

// One answer of `git cat-file --batch`: "<id> blob <size> <ref>\n<bytes>\n".  NULL: no
// more.
static const char *
next_blob(const char *at, const char *end, struct fleet_beat *ret_beat,
	const char **ret_text, size_t *ret_len)
{
	const char *line = memchr(at, '\n', (size_t)(end - at));
	size_t len = 0;
	char hex[OID_HEX_MAX];
	char kind[8];

	if (line == NULL ||
		sscanf(at, "%40s %7s %zu " FLEET_REFS "%255[^\n]", hex, kind, &len,
			ret_beat->host) != 4 ||
		!oid_parse(hex, &ret_beat->blob) || len > (size_t)(end - line - 1)) {
		return NULL;
	}
	*ret_text = line + 1;
	*ret_len = strcmp(kind, "blob") == 0 && len <= FLEET_BEAT_MAX ? len : 0;
	return line + 1 + len < end ? line + 2 + len : end;
}

int
fleet_each(const char *git_dir, fleet_fn *fn, void *payload, struct err *err)
{
	AUTO_FREE char *dir = xasprintf("--git-dir=%s/mirror/fleet.git", git_dir);
	AUTO_FREE char *head = path_join(git_dir, "mirror/fleet.git/HEAD");
	AUTO(buf_done) struct buf names = { .max = OUT_MAX };
	AUTO(buf_done) struct buf out = { .max = OUT_MAX };
	const char *const list[] = { "git", dir, "for-each-ref",
		"--format=%(objectname) %(refname)", FLEET_REFS, NULL };
	const char *const read[] = { "git", dir, "cat-file",
		"--batch=%(objectname) %(objecttype) %(objectsize) %(rest)", NULL };
	int result = 0;

	if (access(head, F_OK) < 0) {
		return 0;
	}
	if (run_git(list, NULL, &names, err) < 0 ||
		run_git(read, buf_text(&names), &out, err) < 0) {
		return err_wrap(err, "list the machines");
	}

	const char *end = buf_text(&out) + out.len;
	const char *text;
	size_t len;

	for (const char *at = buf_text(&out); result == 0 && at != NULL && at < end;) {
		struct fleet_beat beat;
		struct err unreadable;

		struct fleet_beat known;

		at = next_blob(at, end, &known, &text, &len);
		if (at != NULL && fleet_beat_parse(text, len, &beat, &unreadable) == 0) {
			// The ref counts, whatever the text says.
			memcpy(beat.host, known.host, sizeof(beat.host));
			beat.blob = known.blob;
			result = fn(&beat, payload);
		}
	}
	return result;
}
