// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/kit.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "cli/handlers.h"
#include "cli/once.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "jobqueue/jobqueue.h"
#include "vault/seal.h"

#include <string.h>
#include <unistd.h>

/**
 * `mirror key`: a pair.  The public half stays with the repository and shuts; the private
 * half goes into a file for a person to take away, and is the only thing that opens.
 */

enum {
	/** A cycle under way is waited for so long before a repository is made. */
	LOCK_WAIT_MS = 60000,
	PROBE_LEN = 32,
};

/** What the three verbs have in hand. */
struct keys {
	struct config *config;
	char *git_dir;
	/** "" when there is none. */
	char recipient[SEAL_RECIPIENT_MAX];
};

static void
keys_done(struct keys *keys)
{
	base_free_p(&keys->git_dir);
	config_free(keys->config);
}

// Before the first cycle there is no repository; it is made as that would make it.
static int
make_repo(struct keys *keys, struct err *err)
{
	AUTO(kit_freep) struct kit *kit = NULL;
	int got;

	// Nothing is sealed meanwhile, so nothing needs to be said of a missing key.
	keys->config->secrets.action = CONFIG_REDACT;
	if (kit_open(keys->config, &kit, err) < 0) {
		return err->code;
	}
	got = jobqueue_lock(kit->queue, LOCK_WAIT_MS, err);
	if (got <= 0) {
		return got < 0 ? got
			       : err_raise(err, ERR_BUSY, "another run is under way");
	}
	got = kit_start(kit, err);
	if (got == 0) {
		keys->git_dir = xstrdup(repo_git_dir(kit->repo));
	}
	kit_stop(kit);
	jobqueue_unlock(kit->queue);
	return got;
}

static int
keys_open(struct call *call, bool make, struct keys *keys, struct err *err)
{
	AUTO(repo_closep) struct repo *repo = NULL;
	struct repo_options options = { .read_only = true };
	struct err wrong;

	if (settings_load_or_last(call, &keys->config, &wrong, err) < 0) {
		return err->code;
	}
	options.path = keys->config->brain.repo;
	options.branch = keys->config->brain.branch;
	if (repo_open(&options, false, &repo, err) == 0) {
		keys->git_dir = xstrdup(repo_git_dir(repo));
	} else if (err->code != ERR_NOT_FOUND) {
		return err->code;
	} else if (make && !call->dry_run) {
		int64_t action = keys->config->secrets.action;
		int made = make_repo(keys, err);

		keys->config->secrets.action = action;
		if (made < 0) {
			return made;
		}
	}
	return keys->git_dir == NULL
		? 0
		: seal_recipient_load(keys->git_dir, keys->recipient, err);
}

// Shut with one half, opened with the other.
static int
probe(const char *recipient, const char *identity, struct err *err)
{
	AUTO(buf_done) struct buf sealed = { .max = 64 * PROBE_LEN };
	AUTO(buf_done) struct buf opened = { .max = 64 * PROBE_LEN };
	uint8_t data[PROBE_LEN];

	if (hash_random(data, sizeof(data), err) < 0 ||
		seal_bytes(recipient, data, sizeof(data), &sealed, err) < 0 ||
		seal_open(identity, sealed.data, sealed.len, &opened, err) < 0) {
		return err->code;
	}
	return opened.len == sizeof(data) && memcmp(opened.data, data, sizeof(data)) == 0
		? 0
		: err_raise(err, ERR_BUG, "what was sealed came back as something else");
}

/* ---- new */

static char *
choose_file(const struct call *call, const struct keys *keys)
{
	const char *out = args_value(&call->args, "out");
	AUTO_FREE char *home = places_home();

	return out != NULL
		? places_expand(out)
		: xasprintf("%s/mirror-recovery-%s.key", home, config_host(keys->config));
}

static void
print_new(struct call *call, const struct keys *keys, const char *file, bool replaced)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO_FREE char *shown = path_printable(file);

	if (call->out.json) {
		json_set_text(object, "schema", "mirror.key-new/1");
		json_set_bytes(object, "file", file, strlen(file));
		json_set_text(object, "recipient", keys->recipient);
		json_set_bool(object, "replaced", replaced);
		output_json(&call->out, object);
	} else {
		output_line(&call->out, "recipient  %s", keys->recipient);
		output_line(&call->out, "key file   %s", shown);
	}
	output_note(&call->out,
		"the key file is the only thing that opens what is sealed: take it off "
		"this machine (a safe, a stick, a password manager), then delete it "
		"here");
	if (replaced) {
		output_note(&call->out,
			"what earlier commits have sealed opens with the earlier key "
			"alone: keep that too");
	}
	if (keys->config->secrets.action != CONFIG_SEAL) {
		output_note(&call->out,
			"nothing is sealed yet: set action = \"seal\" under [secrets]");
	}
	if (keys->config->sqlite.recipient == NULL) {
		output_note(&call->out,
			"for encrypted snapshots too: recipient = \"%s\" under [sqlite]",
			keys->recipient);
	}
}

static int
make_key(struct keys *keys, const char *file, struct err *err)
{
	char recipient[SEAL_RECIPIENT_MAX];

	if (seal_new_key(file, recipient, err) < 0) {
		return err->code;
	}
	if (probe(recipient, file, err) < 0 ||
		seal_recipient_store(keys->git_dir, recipient, err) < 0) {
		(void)unlink(file);
		return err->code;
	}
	memcpy(keys->recipient, recipient, sizeof(recipient));
	return 0;
}

int
verb_key_new(struct call *call, struct err *err)
{
	AUTO(keys_done) struct keys keys = { 0 };
	AUTO_FREE char *file = NULL;
	bool had;
	int found = keys_open(call, true, &keys, err);

	had = found > 0;
	// A file that is damaged is one to be replaced.
	if (found < 0 && err->code != ERR_INVALID) {
		return err->code;
	}
	if (found != 0 && !args_has(&call->args, "replace")) {
		if (had) {
			err_raise(err, ERR_EXISTS, "there is a key already: %s",
				keys.recipient);
		}
		return err_advise(err, "mirror key new --replace");
	}
	file = choose_file(call, &keys);
	if (call->dry_run) {
		json_set_bytes(output_answer(&call->out), "file", file, strlen(file));
		output_line(
			&call->out, "a key would be made, its private half in %s", file);
		return 0;
	}
	if (make_key(&keys, file, err) < 0) {
		return err->code;
	}
	print_new(call, &keys, file, found != 0);
	return once_ask(err);
}

/* ---- show, test */

static int
open_with_key(struct call *call, struct keys *keys, struct err *err)
{
	int found = keys_open(call, false, keys, err);

	if (found == 0) {
		err_raise(err, ERR_NOT_FOUND, "there is no key");
		return err_advise(err, "mirror key new");
	}
	return MIN_OF(found, 0);
}

int
verb_key_show(struct call *call, struct err *err)
{
	AUTO(keys_done) struct keys keys = { 0 };
	AUTO(json_freep) struct json *object = NULL;

	if (open_with_key(call, &keys, err) < 0) {
		return err->code;
	}
	if (!call->out.json) {
		output_line(&call->out, "%s", keys.recipient);
		return 0;
	}
	object = json_new_object();
	json_set_text(object, "schema", "mirror.key-show/1");
	json_set_text(object, "recipient", keys.recipient);
	json_set_bool(object, "sealing", keys.config->secrets.action == CONFIG_SEAL);
	output_json(&call->out, object);
	return 0;
}

int
verb_key_test(struct call *call, struct err *err)
{
	AUTO(keys_done) struct keys keys = { 0 };
	AUTO(json_freep) struct json *object = NULL;
	const char *given = args_value(&call->args, "key");
	AUTO_FREE char *file = given != NULL ? places_expand(given) : NULL;

	if (file == NULL) {
		err_raise(err, ERR_USAGE, "key test needs --key FILE");
		return err_advise(err, "mirror help key test");
	}
	if (open_with_key(call, &keys, err) < 0 || seal_check_identity(file, err) < 0) {
		return err->code;
	}
	if (probe(keys.recipient, file, err) < 0) {
		return err_wrap(err, "%s does not open what is sealed here", file);
	}
	if (!call->out.json) {
		output_line(&call->out, "%s opens what is sealed for %s", file,
			keys.recipient);
		return 0;
	}
	object = json_new_object();
	json_set_text(object, "schema", "mirror.key-test/1");
	json_set_text(object, "recipient", keys.recipient);
	json_set_bool(object, "opens", true);
	output_json(&call->out, object);
	return 0;
}
