// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/exposure.h"
#include "agent/kit.h"
#include "agent/purge.h"
#include "agent/purge_git.h"
#include "agent/runner.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/allowed.h"
#include "brain/home.h"
#include "brain/milestone.h"
#include "brain/repo.h"
#include "cli/handlers.h"
#include "cli/once.h"
#include "cli/past.h"
#include "cli/settings.h"
#include "config/config.h"
#include "config/places.h"
#include "health/evidence.h"
#include "health/record.h"
#include "jobqueue/jobqueue.h"
#include "jobqueue/lock.h"
#include "scanner/scanner.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * `mirror secrets history`: was it ever committed, since when, does the remote have it?
 * `mirror secrets purge`: the branch again without it.  A value comes from a file or
 * standard input, never from the command line, where everybody on the machine could read
 * it.
 */

struct secrets {
	struct call *call;
	struct exposure_query query;
	uint8_t (*prints)[FINDING_PRINT_LEN];
	struct buf value;
	struct scanner *scanner;
	uint8_t key[HASH_KEY_LEN];
	struct oid remote;
	struct exposure exposure;
	/** Objects that a purge could not take away. */
	uint64_t left;
};

static void
secrets_done(struct secrets *secrets)
{
	if (secrets->value.data != NULL) {
		explicit_bzero(secrets->value.data, secrets->value.size);
	}
	buf_done(&secrets->value);
	scanner_free(secrets->scanner);
	exposure_done(&secrets->exposure);
	free(secrets->prints);
}

// ---- what is asked about

static int
read_prints(struct secrets *secrets, struct err *err)
{
	const struct args *args = &secrets->call->args;

	secrets->prints = xcalloc(args->nwords + 1, sizeof(secrets->prints[0]));
	for (size_t i = 0; i < args->nwords; i++) {
		if (!hash_unhex(args->words[i], secrets->prints[i], FINDING_PRINT_LEN)) {
			err_raise(err, ERR_USAGE, "a fingerprint has %d hex digits",
				2 * FINDING_PRINT_LEN);
			return err_advise(err,
				"mirror scan FILE shows them; for a value itself: "
				"--value -");
		}
	}
	secrets->query.prints = (const uint8_t(*)[FINDING_PRINT_LEN])secrets->prints;
	secrets->query.nprints = args->nwords;
	return 0;
}

// The bytes of a file without the newline that editors put behind them.
static int
read_value(struct secrets *secrets, struct err *err)
{
	const char *name = args_value(&secrets->call->args, "value");
	struct buf *value = &secrets->value;
	AUTO_CLOSE int own = -1;
	int fd = STDIN_FILENO;

	if (name == NULL) {
		return 0;
	}
	if (strcmp(name, "-") != 0) {
		fd = own = open(name, O_RDONLY | O_CLOEXEC);
		if (own < 0) {
			return err_errno(err, "%s", name);
		}
	}
	if (fd_read_all(fd, value, err) < 0) {
		return err_wrap(err, "read the value");
	}
	if (value->len > 0 && value->data[value->len - 1] == '\n') {
		value->len--;
	}
	if (value->len < EXPOSURE_VALUE_MIN) {
		return err_raise(err, ERR_INVALID,
			"a value of less than %d bytes stands everywhere",
			EXPOSURE_VALUE_MIN);
	}
	secrets->query.value = value->data;
	secrets->query.value_len = value->len;
	return 0;
}

static int
on_progress(const char *what, uint64_t done, uint64_t total, void *payload)
{
	struct call *call = payload;

	output_progress(&call->out, what, done, total);
	return 0;
}

// Allowed or not makes no difference to what was committed, unless @allowed counts: what
// is purged is put right by the rules as they are, and by what is not asked about.
static int
open_scanner(struct secrets *secrets, const struct config *config,
	const struct allowed *allowed, struct err *err)
{
	const struct config_list *files = &config->secrets.rules;
	AUTO_FREE const char **names = xcalloc(files->count + 1, sizeof(*names));
	AUTO_FREE uint8_t(*kept)[FINDING_PRINT_LEN] =
		xcalloc((allowed != NULL ? allowed->count : 0) + 1, sizeof(*kept));
	struct scanner_options options = {
		.key = secrets->key,
		.rule_files = names,
		.nrule_files = files->count,
	};

	for (size_t i = 0; i < files->count; i++) {
		names[i] = files->items[i].text;
	}
	for (size_t i = 0; allowed != NULL && i < allowed->count; i++) {
		if (!exposure_means(&secrets->query, allowed->prints[i])) {
			memcpy(kept[options.nallowed++], allowed->prints[i],
				FINDING_PRINT_LEN);
		}
	}
	options.allowed = (const uint8_t(*)[FINDING_PRINT_LEN])kept;
	return scanner_new(&options, &secrets->scanner, err);
}

// What the remote was last seen at; zero when nobody looked.
static void
find_remote(struct secrets *secrets)
{
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	AUTO_FREE char *state = places_state_dir();
	struct evidence_row row;
	struct err ignored;

	if (evidence_open(state, EVIDENCE_RO, &evidence, &ignored) < 0 ||
		evidence_get(evidence, RECORD_REMOTE, &row, &ignored) <= 0 ||
		!oid_parse(row.detail, &secrets->remote)) {
		memset(&secrets->remote, 0, sizeof(secrets->remote));
	}
}

// Did a push end well since then?
static bool
was_pushed(int64_t since_ms)
{
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	AUTO_FREE char *state = places_state_dir();
	struct evidence_row row;
	struct err ignored;

	return evidence_open(state, EVIDENCE_RO, &evidence, &ignored) == 0 &&
		evidence_get(evidence, fact_word(FACT_PUSH), &row, &ignored) > 0 &&
		row.state == HEALTH_HEALTHY && row.at_ms >= since_ms;
}

static int
begin(struct secrets *secrets, struct err *err)
{
	secrets->value.max = EXPOSURE_VALUE_MAX;
	secrets->query.key = secrets->key;
	secrets->query.progress = on_progress;
	secrets->query.payload = secrets->call;
	return read_prints(secrets, err) < 0 ? err->code : read_value(secrets, err);
}

static int
find(struct secrets *secrets, struct repo *repo, const struct oid *head, struct err *err)
{
	int result;

	secrets->query.scanner = secrets->scanner;
	result = exposure_find(
		repo, head, &secrets->remote, &secrets->query, &secrets->exposure, err);
	output_progress_done(&secrets->call->out);
	return result;
}

// ---- history

static void
print_hit(struct secrets *secrets, const struct exposure_hit *hit, struct json *list)
{
	char print[HASH_HEX_MAX];
	char when[CLOCK_TEXT_MAX];
	char id[OID_HEX_MAX];

	hash_hex(hit->print, FINDING_PRINT_LEN, print);
	clock_format(hit->at_ms, when);
	(void)oid_hex(&hit->commit, id);
	if (list == NULL) {
		AUTO_FREE char *path = path_printable(hit->place == EXPOSURE_IN_NAME
				? "(a name)"
				: hit->place == EXPOSURE_IN_MESSAGE ? "(a message)"
								    : hit->path);

		AUTO_FREE char *like = path_printable(hit->like != NULL ? hit->like : "");

		output_line(&secrets->call->out,
			"%s  %-20s since %s  %.12s  %s  %s  %s%s%s", print, hit->rule,
			when, id,
			hit->in_head             ? "still there"
				: hit->elsewhere ? "on another branch"
				: hit->shared    ? "in the history, on another branch too"
						 : "in the history",
			hit->pushed ? "pushed" : "not seen at a remote", path,
			hit->like != NULL ? ", a secret as in " : "", like);
		return;
	}

	struct json *item = json_new_object();

	json_set_text(item, "fingerprint", print);
	json_set_text(item, "rule", hit->rule);
	if (hit->place == EXPOSURE_IN_FILE || hit->place == EXPOSURE_IN_ATTRIBUTE) {
		json_set_bytes(item, "path", hit->path, strlen(hit->path));
	}
	if (hit->like != NULL) {
		json_set_bytes(item, "like", hit->like, strlen(hit->like));
	}
	json_set_text(item, "in", exposure_place_word(hit->place));
	json_set_text(item, "commit", id);
	json_set_text(item, "since", when);
	json_set_bool(item, "current", hit->in_head);
	json_set_bool(item, "elsewhere", hit->elsewhere);
	json_set_bool(item, "shared", hit->shared);
	json_set_bool(item, "pushed", hit->pushed);
	json_append(list, item);
}

static void
print_history(struct secrets *secrets)
{
	struct output *out = &secrets->call->out;
	const struct exposure *exposure = &secrets->exposure;
	AUTO(json_freep) struct json *object = out->json ? json_new_object() : NULL;
	struct json *list = out->json ? json_new_array() : NULL;

	for (size_t i = 0; i < exposure->count; i++) {
		print_hit(secrets, &exposure->hits[i], list);
	}
	if (exposure->cut) {
		char id[OID_HEX_MAX];

		output_note(out,
			"a shallow clone: what was before %.12s is not here; next: "
			"git fetch --unshallow, then again",
			oid_hex(&exposure->cut_at, id));
	}
	if (!out->json) {
		output_line(out,
			"%zu found in %" PRIu64 " versions of files, %" PRIu64 " commits",
			exposure->count, exposure->blobs, exposure->commits);
		return;
	}
	json_set_text(object, "schema", "mirror.secrets-history/1");
	json_set(object, "found", list);
	json_set_int(object, "commits", (int64_t)exposure->commits);
	json_set_int(object, "versions", (int64_t)exposure->blobs);
	json_set_bool(object, "complete", !exposure->cut);
	output_json(out, object);
}

// All of the history was read with all rules: what was there before us is scanned now.
static void
remember_scan(const struct secrets *secrets)
{
	AUTO(evidence_closep) struct evidence *evidence = NULL;
	AUTO_FREE char *state = places_state_dir();
	struct err err;

	if (secrets->query.nprints > 0 || secrets->query.value != NULL ||
		secrets->exposure.cut) {
		return;
	}
	if (evidence_open(state, EVIDENCE_RW, &evidence, &err) < 0 ||
		record_history(evidence, (int64_t)secrets->exposure.count, &err) < 0) {
		output_error(&secrets->call->out, &err);
	}
}

int
verb_secrets_history(struct call *call, struct err *err)
{
	AUTO(secrets_done) struct secrets secrets = { .call = call };
	AUTO(past_done) struct past past = { 0 };

	if (begin(&secrets, err) < 0 || past_open(call, &past, err) < 0 ||
		repo_key(past.repo, secrets.key, err) < 0 ||
		open_scanner(&secrets, past.config, NULL, err) < 0) {
		return err->code;
	}
	find_remote(&secrets);
	if (!oid_is_zero(&past.head) && find(&secrets, past.repo, &past.head, err) < 0) {
		return err->code;
	}
	print_history(&secrets);
	remember_scan(&secrets);
	return secrets.exposure.count > 0 ? 1 : 0;
}

// ---- purge

static void
print_plan(struct secrets *secrets, const char *token)
{
	struct output *out = &secrets->call->out;
	struct json *list = out->json ? json_new_array() : NULL;

	for (size_t i = 0; i < secrets->exposure.count; i++) {
		print_hit(secrets, &secrets->exposure.hits[i], list);
	}
	if (list != NULL) {
		json_set(output_answer(out), "found", list);
	}
	json_set_text(output_answer(out), "confirm", token);
	output_line(out,
		"nothing was changed; every commit since then would be written anew, "
		"and the remote's branch replaced");
	output_line(out, "to do it: the same command with --confirm %s", token);
}

static void
print_done(struct secrets *secrets, const struct purge_result *result)
{
	struct output *out = &secrets->call->out;
	bool pushed = false;

	for (size_t i = 0; i < secrets->exposure.count; i++) {
		pushed = pushed || secrets->exposure.hits[i].pushed;
	}
	json_set_int(output_answer(out), "versions", (int64_t)result->blobs);
	json_set_int(output_answer(out), "commits", (int64_t)result->commits);
	json_set_int(output_answer(out), "milestones", (int64_t)result->tags);
	json_set_int(output_answer(out), "left", (int64_t)result->left);
	json_set_bool(output_answer(out), "pushed", pushed);
	output_line(out,
		"%" PRIu64 " versions of files redacted, %" PRIu64
		" commits written anew, %" PRIu64 " milestones moved",
		result->blobs, result->commits, result->tags);
	if (result->left > 0) {
		output_warn(out,
			"%" PRIu64
			" of the old objects are still here: something else in the "
			"repository leads to them; next: git for-each-ref; git worktree "
			"list",
			result->left);
	}
	output_line(out, "change it now, wherever it is used: %s",
		pushed ? "it was pushed, and whoever fetched it has it"
		       : "it stood in plain sight on this disk");
	if (pushed) {
		output_line(out,
			"at the server the old objects stay until it collects "
			"garbage; in clones they stay");
	}
}

// A purge that was cut short was said yes to; what it left must not stay for this one's
// answer.
static int
finish_earlier(struct call *call, struct kit *kit, struct err *err)
{
	if (!home_is_unpruned(repo_git_dir(kit->repo))) {
		return 0;
	}
	output_line(
		&call->out, "an earlier purge was cut short: throwing away what it left");
	return purge_prune(kit, NULL, NULL, err);
}

// 1 there is something to do, and @ret_token is the word for it; 0 there is not.
static int
search(struct secrets *secrets, struct repo *repo, const struct config *config,
	char ret_token[PURGE_TOKEN_MAX], struct err *err)
{
	AUTO(allowed_done) struct allowed allowed = { 0 };
	struct oid head;
	int found;

	find_remote(secrets);
	if (repo_key(repo, secrets->key, err) < 0 ||
		allowed_load(repo_git_dir(repo), &allowed, err) < 0 ||
		open_scanner(secrets, config, &allowed, err) < 0) {
		return err->code;
	}
	found = repo_head(repo, &head, err);
	if (found < 0 || (found > 0 && find(secrets, repo, &head, err) < 0)) {
		return err->code;
	}
	if (secrets->exposure.count == 0) {
		output_line(&secrets->call->out, "it is in no commit: nothing to do");
		return 0;
	}
	if (purge_check(repo, &secrets->exposure, err) < 0) {
		return err->code;
	}
	purge_token(&head, &secrets->exposure, ret_token);
	return 1;
}

// Reads, and so may stand beside an agent at work.
static int
look(struct secrets *secrets, struct err *err)
{
	AUTO(past_done) struct past past = { 0 };
	char token[PURGE_TOKEN_MAX];
	int found;

	if (past_open(secrets->call, &past, err) < 0) {
		return err->code;
	}
	if (home_is_unpruned(repo_git_dir(past.repo))) {
		output_line(&secrets->call->out,
			"an earlier purge was cut short: what it left is still here, and "
			"would be thrown away");
	}
	found = search(secrets, past.repo, past.config, token, err);
	if (found > 0) {
		print_plan(secrets, token);
	}
	return MIN_OF(found, 0);
}

static int
purge(struct secrets *secrets, struct kit *kit, struct err *err)
{
	const char *given = args_value(&secrets->call->args, "confirm");
	struct purge_result result;
	char token[PURGE_TOKEN_MAX];
	int found;

	if (finish_earlier(secrets->call, kit, err) < 0) {
		return err->code;
	}
	found = search(secrets, kit->repo, kit->config, token, err);
	if (found <= 0) {
		return found;
	}
	if (given == NULL) {
		print_plan(secrets, token);
		return 0;
	}
	if (strcmp(given, token) != 0) {
		err_raise(err, ERR_INVALID,
			"what would be purged is not what %s was said to", given);
		return err_advise(
			err, "the same command without --confirm, and look again");
	}
	if (purge_run(kit, &secrets->query, &secrets->exposure, &secrets->remote, &result,
		    err) < 0) {
		return err->code;
	}
	output_progress_done(&secrets->call->out);
	print_done(secrets, &result);
	secrets->left = result.left;
	return 1;
}

static int
on_wait(void *payload)
{
	struct call *call = payload;

	output_progress(&call->out, "waiting for the agent to stand still", 0, 0);
	return 0;
}

// With the runner's lock.
static int
purge_locked(struct secrets *secrets, struct kit *kit, struct err *err)
{
	int result = kit_start(kit, err) < 0 ? err->code : purge(secrets, kit, err);

	kit_stop(kit);
	jobqueue_unlock(kit->queue);
	return result;
}

static int
purge_alone(struct secrets *secrets, const struct config *config, struct err *err)
{
	AUTO(kit_freep) struct kit *kit = NULL;
	AUTO(lock_closep) struct lock *still = NULL;
	int result;

	if (kit_open(config, &kit, err) < 0) {
		return err->code;
	}
	// Only to look: an agent at work goes on.
	if (!args_has(&secrets->call->args, "confirm")) {
		result = jobqueue_lock(kit->queue, 0, err);
		return result < 0     ? result
			: result == 0 ? look(secrets, err)
				      : purge_locked(secrets, kit, err);
	}
	result = runner_alone(kit, on_wait, secrets->call, &still, err);
	output_progress_done(&secrets->call->out);
	return result < 0 ? result : purge_locked(secrets, kit, err);
}

// Does the remote still lead to what was purged: by its branch, or by a milestone?
static bool
tell_remote(struct call *call, int64_t begun_ms)
{
	AUTO(past_done) struct past past = { 0 };
	size_t stale = 0;
	struct err why;

	if (!was_pushed(begun_ms)) {
		output_warn(&call->out,
			"the remote still has the old history, until the next push "
			"replaces it; next: mirror remote test");
		return true;
	}
	if (past_open(call, &past, &why) < 0 ||
		milestone_stale(past.repo, &stale, &why) < 0) {
		output_error(&call->out, &why);
		return true;
	}
	if (stale > 0) {
		output_warn(&call->out,
			"the remote still has the old history by %zu of its milestones, "
			"until a push replaces them; next: let the remote take new tags "
			"in their place, then: mirror --once",
			stale);
	}
	return stale > 0;
}

int
verb_secrets_purge(struct call *call, struct err *err)
{
	AUTO(secrets_done) struct secrets secrets = { .call = call };
	AUTO(config_freep) struct config *config = NULL;
	int64_t begun_ms;
	bool stays;
	int result;

	if (begin(&secrets, err) < 0 || settings_load(call, &config, err) < 0) {
		return err->code;
	}
	if (secrets.query.nprints == 0 && secrets.query.value == NULL) {
		err_raise(err, ERR_USAGE, "which one? a FINGERPRINT, or --value FILE");
		return err_advise(err, "mirror secrets history");
	}
	result = call->dry_run ? look(&secrets, err) : purge_alone(&secrets, config, err);
	if (result >= 0) {
		json_set_bool(output_answer(&call->out), "purged", result > 0);
	}
	if (result <= 0) {
		return result;
	}
	// The cycle that follows finds everything as it is, and brings it to the remote.
	begun_ms = clock_now_ms();
	result = once_as_part(call, config, err);
	stays = config_has_remote(config) && tell_remote(call, begun_ms);
	json_set_bool(output_answer(&call->out), "replaced", !stays);
	return result == 0 && (secrets.left > 0 || stays) ? 1 : result;
}
