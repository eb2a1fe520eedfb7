// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "cli/gist.h"
#include "cli/handlers.h"
#include "cli/past.h"
#include "cli/target.h"
#include "cli/trail.h"
#include "config/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/**
 * `mirror log`, `diff` and `today`: what was kept when.  For the bytes themselves there
 * is git: the brain repository is an ordinary one.
 */

enum {
	LOG_USUAL = 20,
};

/* ---- log ---- */

struct logging {
	struct call *call;
	const struct past *past;
	uint64_t left;
	struct json *list;
	/** Of one path only; else NULL. */
	struct trail *trail;
	/** The commit before in this walk, the one made after it: what it changed is
	 * known when its parent is. */
	bool waits;
	struct repo_commit newer;
	char *message;
	struct trail_spot spot;
	struct err *err;
};

static int
read_limit(const struct call *call, uint64_t *ret_limit, struct err *err)
{
	const char *text = args_value(&call->args, "limit");
	char *end = NULL;

	*ret_limit = LOG_USUAL;
	if (text == NULL) {
		return 0;
	}
	errno = 0;
	*ret_limit = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-') {
		return err_raise(
			err, ERR_USAGE, "--limit needs a number, not \"%s\"", text);
	}
	return 0;
}

static void
log_commit(const struct logging *logging, const struct repo_commit *commit,
	const struct view_change_count *count)
{
	char id[OID_HEX_MAX];
	char when[CLOCK_TEXT_MAX];
	AUTO_FREE char *subject =
		xmemdup0(commit->message, strcspn(commit->message, "\n"));
	AUTO_FREE char *shown = path_printable(subject);

	(void)oid_hex(&commit->id, id);
	clock_format(commit->time * 1000, when);
	if (logging->list == NULL) {
		output_line(&logging->call->out,
			"%s  %.12s  +%" PRIu64 " ~%" PRIu64 " -%" PRIu64 "  %s", when, id,
			count->added, count->changed, count->removed, shown);
		return;
	}

	json_append(logging->list,
		view_commit(&commit->id, commit->time * 1000, subject, count));
}

static int
on_commit(const struct repo_commit *commit, void *payload)
{
	struct logging *logging = payload;
	struct view_change_count count;

	if (logging->left == 0) {
		return 1;
	}
	if (past_changes(logging->past, &commit->parent, &commit->id, NULL, NULL, &count,
		    logging->err) < 0) {
		return logging->err->code;
	}
	log_commit(logging, commit, &count);
	logging->left--;
	return 0;
}

static int
count_difference(const char *path, const struct tree_entry *old,
	const struct tree_entry *new, void *payload)
{
	static const struct oid none = { { 0 } };

	(void)path;
	view_change_add(payload, old != NULL ? &old->oid : &none,
		new != NULL ? &new->oid : &none);
	return 0;
}

// A file, a folder or nothing became a file, a folder or nothing.
static int
count_spots(struct repo *repo, const struct trail_spot *old, const struct trail_spot *new,
	struct view_change_count *ret_count, struct err *err)
{
	static const struct oid none = { { 0 } };
	bool was_folder = old->mode == TREE_FOLDER;
	bool is_folder = new->mode == TREE_FOLDER;
	const struct oid *from = was_folder ? &none : &old->oid;
	const struct oid *to = is_folder ? &none : &new->oid;

	*ret_count = (struct view_change_count){ 0 };
	if (!oid_is_zero(from) || !oid_is_zero(to)) {
		view_change_add(ret_count, from, to);
	}
	return was_folder || is_folder
		? tree_diff(repo, was_folder ? &old->oid : NULL,
			  is_folder ? &new->oid : NULL, count_difference, ret_count, err)
		: 0;
}

// The one that waits was made upon a commit with @before at the path.
static int
end_waiting(struct logging *logging, const struct trail_spot *before)
{
	struct view_change_count count;

	if (!logging->waits || trail_same(before, &logging->spot)) {
		return 0;
	}
	if (count_spots(logging->past->repo, before, &logging->spot, &count,
		    logging->err) < 0) {
		return logging->err->code;
	}
	log_commit(logging, &logging->newer, &count);
	logging->left--;
	return 0;
}

static int
on_path_commit(const struct repo_commit *commit, void *payload)
{
	struct logging *logging = payload;
	struct trail_spot spot;

	if (trail_at(logging->trail, &commit->tree, &spot, logging->err) < 0 ||
		end_waiting(logging, &spot) < 0) {
		return logging->err->code;
	}
	if (logging->left == 0) {
		return 1;
	}
	free(logging->message);
	logging->message = xstrdup(commit->message);
	logging->newer = (struct repo_commit){
		.id = commit->id, .time = commit->time, .message = logging->message
	};
	logging->spot = spot;
	logging->waits = true;
	return 0;
}

static void
logging_done(struct logging *logging)
{
	trail_free(logging->trail);
	free(logging->message);
}

static int
log_path(struct logging *logging, const char *given, struct err *err)
{
	static const struct trail_spot nothing = { .mode = 0 };
	const struct past *past = logging->past;
	AUTO(target_done) struct target target = { 0 };
	int result;

	if (target_find(past->config, given, &target, err) < 0) {
		return err->code;
	}
	if (oid_is_zero(&past->head) || logging->left == 0) {
		return 0;
	}
	logging->trail = trail_new(past->repo, target.path);
	result = repo_log(past->repo, &past->head, on_path_commit, logging, err);
	return result == 0 ? end_waiting(logging, &nothing) : MIN_OF(result, 0);
}

static int
log_all(struct logging *logging, struct err *err)
{
	const struct past *past = logging->past;

	return oid_is_zero(&past->head)
		? 0
		: MIN_OF(repo_log(past->repo, &past->head, on_commit, logging, err), 0);
}

int
verb_log(struct call *call, struct err *err)
{
	AUTO(past_done) struct past past = { 0 };
	AUTO(json_freep) struct json *object = NULL;
	AUTO(logging_done)
	struct logging logging = { .call = call, .past = &past, .err = err };

	if (read_limit(call, &logging.left, err) < 0 || past_open(call, &past, err) < 0) {
		return err->code;
	}
	if (call->out.json) {
		object = json_new_object();
		logging.list = json_new_array();
		json_set_text(object, "schema", "mirror.log/1");
		json_set(object, "commits", logging.list);
	}
	if ((call->args.nwords > 0 ? log_path(&logging, call->args.words[0], err)
				   : log_all(&logging, err)) < 0) {
		return err->code;
	}
	if (object != NULL) {
		output_json(&call->out, object);
	}
	return 0;
}

/* ---- diff ---- */

struct telling {
	struct output *out;
	/** One of them, or neither: each path at once. */
	struct json *list;
	struct gist *gist;
};

static int
tell_change(const char *path, const struct oid *old, const struct oid *new, void *payload)
{
	const struct telling *telling = payload;

	if (telling->list != NULL) {
		json_append(telling->list, view_change(path, old, new));
	} else if (telling->gist != NULL) {
		gist_add(telling->gist, path, old, new);
	} else {
		gist_line(telling->out, path, old, new);
	}
	return 0;
}

// The commit before @commit; zero for the first one.
static int
take_parent(const struct repo_commit *commit, void *payload)
{
	*(struct oid *)payload = commit->parent;
	return 1;
}

// From the commit before the newest to the newest, unless revisions were named.
static int
find_ends(const struct call *call, const struct past *past, struct oid *ret_from,
	struct oid *ret_to, struct err *err)
{
	const struct args *args = &call->args;

	*ret_to = past->head;
	*ret_from = (struct oid){ { 0 } };
	if (args->nwords > 1 &&
		repo_resolve(past->repo, args->words[1], ret_to, err) < 0) {
		return err->code;
	}
	if (args->nwords > 0) {
		return repo_resolve(past->repo, args->words[0], ret_from, err);
	}
	return oid_is_zero(ret_to)
		? 0
		: MIN_OF(repo_log(past->repo, ret_to, take_parent, ret_from, err), 0);
}

static int
print_changes(struct call *call, const struct past *past, const struct oid *from,
	const struct oid *to, const char *schema, struct gist *gist,
	struct view_change_count *ret_count, struct err *err)
{
	AUTO(json_freep) struct json *object = NULL;
	struct telling telling = { .out = &call->out, .gist = gist };
	char id[OID_HEX_MAX];

	if (call->out.json) {
		object = json_new_object();
		telling.list = json_new_array();
		json_set_text(object, "schema", schema);
		json_set_text(
			object, "from", oid_is_zero(from) ? NULL : oid_hex(from, id));
		json_set_text(object, "to", oid_is_zero(to) ? NULL : oid_hex(to, id));
		json_set(object, "changes", telling.list);
	}
	if (past_changes(past, from, to, tell_change, &telling, ret_count, err) < 0) {
		return err->code;
	}
	if (object != NULL) {
		output_json(&call->out, object);
	}
	return 0;
}

int
verb_diff(struct call *call, struct err *err)
{
	AUTO(past_done) struct past past = { 0 };
	struct view_change_count count;
	struct oid from;
	struct oid to;
	char id[OID_HEX_MAX];

	if (past_open(call, &past, err) < 0 ||
		find_ends(call, &past, &from, &to, err) < 0 ||
		print_changes(call, &past, &from, &to, "mirror.diff/1", NULL, &count,
			err) < 0) {
		return err->code;
	}
	if (!oid_is_zero(&from) && !call->out.json) {
		char other[OID_HEX_MAX];

		output_note(&call->out, "for the bytes: git -C %s diff %.12s %.12s",
			past.config->brain.repo, oid_hex(&from, id), oid_hex(&to, other));
	}
	return 0;
}

/* ---- today ---- */

struct day {
	int64_t begins;
	uint64_t ncommits;
	/** The last commit before the day; zero when there is none. */
	struct oid before;
};

static int
look_for_yesterday(const struct repo_commit *commit, void *payload)
{
	struct day *day = payload;

	if (commit->time < day->begins) {
		day->before = commit->id;
		return 1;
	}
	day->ncommits++;
	return 0;
}

static int64_t
midnight(void)
{
	time_t now = (time_t)(clock_now_ms() / 1000);
	struct tm parts;

	(void)localtime_r(&now, &parts);
	parts.tm_hour = 0;
	parts.tm_min = 0;
	parts.tm_sec = 0;
	parts.tm_isdst = -1;
	return mktime(&parts);
}

// The day of one machine, whose newest commit is @head: from where to where.
static int
measure_day(const struct past *past, const struct oid *head, struct day *ret_day,
	struct err *err)
{
	*ret_day = (struct day){ .begins = midnight() };
	return oid_is_zero(head)
		? 0
		: MIN_OF(repo_log(past->repo, head, look_for_yesterday, ret_day, err), 0);
}

static void
print_sum(struct output *out, const char *whose, const struct day *day,
	const struct view_change_count *count)
{
	output_line(out,
		"%s: %" PRIu64 " commit%s, %" PRIu64 " added, %" PRIu64
		" changed, %" PRIu64 " removed",
		whose, day->ncommits, day->ncommits == 1 ? "" : "s", count->added,
		count->changed, count->removed);
}

struct fleet_day {
	struct call *call;
	const struct past *past;
	/** Of all when NULL. */
	const char *wanted;
	/** Whose day was told: a machine may be known in two places, and ours comes
	 * first. */
	char **told;
	size_t ntold;
	size_t told_size;
	struct json *list;
	struct err *err;
};

static bool
was_told(const struct fleet_day *fleet, const char *host)
{
	for (size_t i = 0; i < fleet->ntold; i++) {
		if (strcmp(fleet->told[i], host) == 0) {
			return true;
		}
	}
	return false;
}

static void
fleet_day_done(struct fleet_day *fleet)
{
	while (fleet->ntold > 0) {
		free(fleet->told[--fleet->ntold]);
	}
	free(fleet->told);
}

// Its row, and where the changes go; NULL without --json.
static struct json *
begin_row(struct fleet_day *fleet, const char *host, const struct oid *head,
	struct telling *telling)
{
	struct json *row;
	char id[OID_HEX_MAX];

	*telling = (struct telling){ .out = &fleet->call->out };
	if (fleet->list == NULL) {
		return NULL;
	}
	row = json_new_object();
	telling->list = json_new_array();
	json_set_text(row, "name", host);
	json_set_text(row, "head", oid_hex(head, id));
	return row;
}

static int
tell_machine(const char *host, const struct oid *head, void *payload)
{
	struct fleet_day *fleet = payload;
	AUTO_FREE char *shown = path_printable(host);
	AUTO(gist_done) struct gist gist = { 0 };
	struct telling telling;
	struct view_change_count count;
	struct day day;
	struct json *row;

	if ((fleet->wanted != NULL && strcmp(fleet->wanted, host) != 0) ||
		was_told(fleet, host)) {
		return 0;
	}
	fleet->told = xgrow(
		fleet->told, fleet->ntold, &fleet->told_size, sizeof(fleet->told[0]));
	fleet->told[fleet->ntold++] = xstrdup(host);
	if (measure_day(fleet->past, head, &day, fleet->err) < 0) {
		return fleet->err->code;
	}
	row = begin_row(fleet, host, head, &telling);
	telling.gist = row == NULL && !args_has(&fleet->call->args, "all") ? &gist : NULL;
	if (past_changes(fleet->past, &day.before, head, tell_change, &telling, &count,
		    fleet->err) < 0) {
		return fleet->err->code;
	}
	if (row == NULL) {
		gist_print(&gist, &fleet->call->out);
		print_sum(&fleet->call->out, shown, &day, &count);
		return 0;
	}
	json_set_int(row, "commits", (int64_t)day.ncommits);
	json_set_int(row, "added", (int64_t)count.added);
	json_set_int(row, "changed", (int64_t)count.changed);
	json_set_int(row, "removed", (int64_t)count.removed);
	json_set(row, "changes", telling.list);
	json_append(fleet->list, row);
	return 0;
}

static int
todays_of_others(
	struct call *call, const struct past *past, const char *host, struct err *err)
{
	AUTO(json_freep) struct json *object = NULL;
	AUTO(fleet_day_done)
	struct fleet_day fleet = {
		.call = call,
		.past = past,
		.wanted = strcmp(host, "all") == 0 ? NULL : host,
		.err = err,
	};
	int result;

	if (args_has(&call->args, "fetch") && past_fetch(past, err) < 0) {
		return err->code;
	}
	if (call->out.json) {
		object = json_new_object();
		fleet.list = json_new_array();
		json_set_text(object, "schema", "mirror.today/1");
		json_set(object, "machines", fleet.list);
	}
	result = repo_each_host(past->repo, tell_machine, &fleet, err);
	if (result < 0) {
		return result;
	}
	if (fleet.wanted != NULL && fleet.ntold == 0) {
		(void)err_raise(err, ERR_NOT_FOUND, "no machine %s is known here", host);
		return err_advise(err, "mirror today --host %.100s --fetch", host);
	}
	if (object != NULL) {
		output_json(&call->out, object);
	}
	return 0;
}

int
verb_today(struct call *call, struct err *err)
{
	AUTO(past_done) struct past past = { 0 };
	AUTO(gist_done) struct gist gist = { 0 };
	const char *host = args_value(&call->args, "host");
	bool all = args_has(&call->args, "all");
	struct view_change_count count;
	struct day day;

	if (past_open(call, &past, err) < 0) {
		return err->code;
	}
	if (host != NULL) {
		return todays_of_others(call, &past, host, err);
	}
	if (measure_day(&past, &past.head, &day, err) < 0 ||
		print_changes(call, &past, &day.before, &past.head, "mirror.today/1",
			all ? NULL : &gist, &count, err) < 0) {
		return err->code;
	}
	if (!call->out.json) {
		gist_print(&gist, &call->out);
		print_sum(&call->out, "today", &day, &count);
	}
	return 0;
}
