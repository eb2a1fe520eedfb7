// SPDX-License-Identifier: GPL-2.0-or-later

#include "health/record.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "health/evidence.h"
#include "health/exclusions.h"
#include "health/sentence.h"
#include "health/tick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	COUNT_MAX = 64,
};

/** ": what", or nothing. */
static char *
behind_colon(const char *what)
{
	return what != NULL && what[0] != '\0' ? xasprintf(": %s", what) : xstrdup("");
}

static int
put_mark(struct evidence *evidence, const char *name, int64_t value, const char *detail,
	struct err *err)
{
	const struct evidence_fact fact = {
		.name = name,
		.state = HEALTH_HEALTHY,
		.value = value,
		.detail = detail,
	};

	return evidence_put(evidence, &fact, err);
}

int
record_start(struct evidence *evidence, struct err *err)
{
	char boot[TICK_BOOT_MAX];

	tick_boot_id(boot);
	return put_mark(evidence, RECORD_START, 0, boot, err);
}

int
record_stop(struct evidence *evidence, struct err *err)
{
	return put_mark(evidence, RECORD_STOP, 0, NULL, err);
}

int
record_cycle(struct evidence *evidence, const struct record_cycle *cycle, struct err *err)
{
	char hex[OID_HEX_MAX] = "";

	if (!oid_is_zero(&cycle->commit)) {
		oid_hex(&cycle->commit, hex);
	}
	return put_mark(evidence, RECORD_CYCLE, cycle->bytes, hex, err);
}

int
record_rehash(struct evidence *evidence, int64_t asked_ms, struct err *err)
{
	return put_mark(evidence, RECORD_REHASH, asked_ms, NULL, err);
}

int
record_dirty(struct evidence *evidence, int64_t since_ms, struct err *err)
{
	return put_mark(evidence, RECORD_DIRTY, since_ms, NULL, err);
}

int
record_clock(struct evidence *evidence, int64_t jump_ms, struct err *err)
{
	return put_mark(evidence, RECORD_CLOCK, jump_ms, NULL, err);
}

int
record_sweep(struct evidence *evidence, struct ledger *ledger,
	const struct record_sweep *sweep, struct err *err)
{
	AUTO_FREE char *paths = behind_colon(sweep->paths);
	AUTO_FREE char *text = NULL;
	char seen[COUNT_MAX];
	struct evidence_fact fact = {
		.name = fact_word(FACT_COMPLETENESS),
		.state = HEALTH_HEALTHY,
		.value = sweep->unaccounted,
	};

	sentence_count(sweep->seen, "path", "paths", seen);
	if (sweep->unaccounted != 0) {
		fact.state = HEALTH_FAILED;
		fact.action = "mirror health --deep";
		text = xasprintf("%lld of %s unaccounted for, please report%s",
			(long long)sweep->unaccounted, seen, paths);
	} else if (!sweep->tree_compared) {
		fact.state = HEALTH_DEGRADED;
		text = xasprintf(
			"%s on disk match the ledger; the git tree was not compared",
			seen);
	} else {
		text = xasprintf("%s on disk match ledger and git tree", seen);
	}
	fact.text = text;
	if (evidence_put(evidence, &fact, err) < 0) {
		return err->code;
	}
	return ledger != NULL ? exclusions_record(evidence, ledger, err) : 0;
}

// What one cycle re-read says nothing of older damage; and when it re-read nothing, what
// is known already says more, and ages.
static int
is_known_better(struct evidence *evidence, const struct record_integrity *integrity,
	struct err *err)
{
	struct evidence_row known;
	int found = evidence_get(evidence, fact_word(FACT_INTEGRITY), &known, err);

	if (found <= 0 || integrity->everything || integrity->bad != 0) {
		return MIN_OF(found, 0);
	}
	if (known.state == HEALTH_FAILED) {
		return integrity->whole && strcmp(known.detail, "cycle") == 0 ? 0 : 1;
	}
	return integrity->objects == 0 ? 1 : 0;
}

// The date from which the whole repository counts as read: the first cycle wrote it.
static int
put_verified(struct evidence *evidence, bool everything, struct err *err)
{
	struct evidence_row known;
	int found = evidence_get(evidence, RECORD_VERIFIED, &known, err);

	if (found < 0 || (found > 0 && !everything)) {
		return MIN_OF(found, 0);
	}
	return put_mark(evidence, RECORD_VERIFIED, 0, NULL, err);
}

int
record_integrity(struct evidence *evidence, const struct record_integrity *integrity,
	struct err *err)
{
	AUTO_FREE char *what = behind_colon(integrity->what);
	AUTO_FREE char *text = NULL;
	char objects[COUNT_MAX];
	struct evidence_fact fact = {
		.name = fact_word(FACT_INTEGRITY),
		.state = integrity->bad == 0 ? HEALTH_HEALTHY : HEALTH_FAILED,
		.action = integrity->bad == 0 ? NULL : "mirror verify",
		.value = integrity->bad,
		.detail = integrity->everything ? "everything" : "cycle",
	};

	int better = is_known_better(evidence, integrity, err);

	if (better != 0 || put_verified(evidence, integrity->everything, err) < 0) {
		return better > 0 ? 0 : err->code;
	}
	sentence_count(integrity->objects, "object", "objects", objects);
	if (integrity->bad != 0) {
		text = xasprintf(
			"%lld of %s damaged%s", (long long)integrity->bad, objects, what);
	} else if (integrity->objects == 0) {
		text = xstrdup("nothing was written yet that could be re-read");
	} else {
		text = xasprintf("%s of %s re-read and intact", objects,
			integrity->everything ? "the whole repository"
					      : "the last cycle");
	}
	fact.text = text;
	return evidence_put(evidence, &fact, err);
}

// Somebody else moved or removed what is ours: more than a remote that does not answer.
static enum health_state
push_state(enum push_reason reason)
{
	switch (reason) {
	case PUSH_OK:
		return HEALTH_HEALTHY;
	case PUSH_DIVERGED:
	case PUSH_TAKEN:
	case PUSH_COPY:
	case PUSH_GONE:
		return HEALTH_FAILED;
	case PUSH_NO_HOST:
	case PUSH_REFUSED:
	case PUSH_TIMEOUT:
	case PUSH_HOST_KEY:
	case PUSH_AUTH:
	case PUSH_NO_REPOSITORY:
	case PUSH_SECRET:
	case PUSH_TOO_BIG:
	case PUSH_HOOK:
	case PUSH_PROTECTED:
	case PUSH_UNVERIFIED:
	case PUSH_CERTIFICATE:
	case PUSH_NO_GIT:
	case PUSH_CANCELLED:
	case PUSH_OTHER:
	case PUSH_BUSY:
	case PUSH_ARCHIVED:
	case PUSH_EXPIRED:
	case PUSH_SSO:
	case PUSH_ADDRESS:
	case PUSH_OWNER:
	case PUSH_NREASONS_:
		break;
	}
	return HEALTH_DEGRADED;
}

int
record_push(struct evidence *evidence, const struct record_push *push, struct err *err)
{
	AUTO_FREE char *said = behind_colon(push->said);
	AUTO_FREE char *text = NULL;
	char remote[OID_HEX_MAX];
	char head[OID_HEX_MAX];
	// What counts is the remote's own ref, not that a push went well.
	bool there = push->reason == PUSH_OK && oid_equal(&push->head, &push->remote);
	struct evidence_fact fact = {
		.name = fact_word(FACT_PUSH),
		.state = there                    ? HEALTH_HEALTHY
			: push->reason == PUSH_OK ? HEALTH_DEGRADED
						  : push_state(push->reason),
		.action = push->next,
		.value = push->reason,
		.detail = oid_hex(&push->head, head),
	};

	if (there) {
		text = xasprintf("the remote has %.12s", head);
	} else {
		text = xasprintf("the last push failed (%s)%s",
			push_reason_word(
				push->reason == PUSH_OK ? PUSH_UNVERIFIED : push->reason),
			said);
	}
	fact.text = text;
	if (!oid_is_zero(&push->remote) &&
		(put_mark(evidence, RECORD_REMOTE, 0, oid_hex(&push->remote, remote),
			 err) < 0 ||
			put_mark(evidence, RECORD_PLACE, 0, push->place, err) < 0)) {
		return err->code;
	}
	return evidence_put(evidence, &fact, err);
}

int
record_machines(struct evidence *evidence, const struct record_machines *machines,
	struct err *err)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *name = NULL;
	char others[COUNT_MAX];
	char when[CLOCK_TEXT_MAX];
	struct evidence_fact fact = {
		.name = fact_word(FACT_MACHINES),
		.state = machines->silent > 0 ? HEALTH_DEGRADED : HEALTH_HEALTHY,
		.value = machines->silent,
		.detail = machines->longest,
	};

	if (put_mark(evidence, RECORD_MACHINES_LOOK, machines->others, NULL, err) < 0) {
		return err->code;
	}
	if (machines->others == 0) {
		return evidence_forget(evidence, fact.name, err);
	}
	sentence_count(machines->others, "other machine", "other machines", others);
	if (machines->longest != NULL) {
		name = path_printable(machines->longest);
		clock_format(machines->longest_ms, when);
		text = xasprintf("%lld of %s silent, %s since %s",
			(long long)machines->silent, others, name, when);
	} else {
		text = xasprintf("%s heard of in the last two days", others);
	}
	fact.text = text;
	return evidence_put(evidence, &fact, err);
}

int
record_secrets(
	struct evidence *evidence, const struct record_secrets *secrets, struct err *err)
{
	AUTO_FREE char *rule = behind_colon(secrets->rule);
	AUTO_FREE char *text = NULL;
	char canaries[COUNT_MAX];
	bool good = secrets->missed == 0 && secrets->canaries > 0;
	struct evidence_fact fact = {
		.name = fact_word(FACT_SECRETS),
		.state = good ? HEALTH_HEALTHY : HEALTH_FAILED,
		.action = good ? NULL : "mirror doctor",
		.value = secrets->missed,
	};

	sentence_count(secrets->canaries, "canary", "canaries", canaries);
	text = good ? xasprintf("the scanner found %lld of %s",
			      (long long)secrets->canaries, canaries)
		    : xasprintf("the scanner missed %lld of %s%s",
			      (long long)secrets->missed, canaries, rule);
	fact.text = text;
	return evidence_put(evidence, &fact, err);
}

int
record_adopted(struct evidence *evidence, int64_t commits, struct err *err)
{
	AUTO_FREE char *text = NULL;
	char count[COUNT_MAX];
	struct evidence_fact fact = {
		.name = RECORD_HISTORY,
		.state = HEALTH_DEGRADED,
		.action = "mirror secrets history",
		.value = commits,
		.detail = "unscanned",
	};

	if (commits == 0) {
		return evidence_forget(evidence, RECORD_HISTORY, err);
	}
	sentence_count(commits, "commit", "commits", count);
	text = xasprintf("never scanned: %s that others made before ours", count);
	fact.text = text;
	return evidence_put(evidence, &fact, err);
}

int
record_history(struct evidence *evidence, int64_t found, struct err *err)
{
	AUTO_FREE char *text = NULL;
	char count[COUNT_MAX];
	struct evidence_row row;
	struct evidence_fact fact = {
		.name = RECORD_HISTORY,
		.state = found > 0 ? HEALTH_DEGRADED : HEALTH_HEALTHY,
		.action = "mirror secrets history",
		.value = found,
		.detail = "found",
	};
	int known = evidence_get(evidence, RECORD_HISTORY, &row, err);

	if (known <= 0) {
		return known;
	}
	sentence_count(found, "secret", "secrets", count);
	text = xasprintf("%s found in a history that others began", count);
	fact.text = text;
	return evidence_put(evidence, &fact, err);
}

int
record_watches(
	struct evidence *evidence, const struct record_watches *watches, struct err *err)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *action = NULL;
	char folders[COUNT_MAX];
	struct evidence_fact fact = {
		.name = fact_word(FACT_WATCHES),
		.state = HEALTH_HEALTHY,
		.value = watches->needed,
	};

	if (watches->trouble != NULL) {
		fact.state = HEALTH_DEGRADED;
		text = xasprintf(
			"folders are not heard (%s); they are looked through every "
			"half minute or so instead",
			watches->trouble);
		action = xstrdup("mirror status");
	} else if (watches->placed < watches->needed) {
		fact.state = HEALTH_DEGRADED;
		text = xasprintf(
			"%lld of %lld folders are watched, the kernel allows %lld; "
			"everything is looked through every half minute or so instead",
			(long long)watches->placed, (long long)watches->needed,
			(long long)watches->limit);
		action = xasprintf("sudo sysctl fs.inotify.max_user_watches=%lld",
			(long long)MAX_OF(2 * watches->needed, INT64_C(524288)));
	} else {
		sentence_count(watches->needed, "folder is", "folders are", folders);
		text = xasprintf("%s watched, as many as there are", folders);
	}
	fact.text = text;
	fact.action = action;
	return evidence_put(evidence, &fact, err);
}

int
record_db(struct evidence *evidence, const struct record_db *db, struct err *err)
{
	AUTO_FREE char *name = xasprintf("%s:%s", fact_word(FACT_DB), db->name);
	const struct evidence_fact fact = {
		.name = name,
		.state = db->state,
		.text = db->text,
		.action = db->action,
		.value = db->bytes,
		.detail = db->identity,
	};

	return evidence_put(evidence, &fact, err);
}

int
record_offsite(
	struct evidence *evidence, const struct record_offsite *offsite, struct err *err)
{
	AUTO_FREE char *text = NULL;
	char objects[COUNT_MAX];
	struct evidence_fact fact = {
		.name = fact_word(FACT_OFFSITE),
		.action = offsite->next,
		.value = offsite->bad,
	};

	sentence_count(offsite->objects, "object", "objects", objects);
	if (offsite->bad > 0) {
		fact.state = HEALTH_FAILED;
		text = xasprintf("%lld of %s off-site gone or damaged",
			(long long)offsite->bad, objects);
	} else if (offsite->trouble != NULL) {
		fact.state = HEALTH_DEGRADED;
		text = xasprintf("off-site could not be read back: %s", offsite->trouble);
	} else {
		fact.state = HEALTH_HEALTHY;
		text = xasprintf("%s off-site read back", objects);
	}
	fact.text = text;
	return evidence_put(evidence, &fact, err);
}

// Was one carried out before?  Then what it found out is worth more than that this one
// found out nothing.
static int
was_drilled(struct evidence *evidence, struct err *err)
{
	struct evidence_row known;
	int found = evidence_get(evidence, fact_word(FACT_DRILL), &known, err);

	return found <= 0 ? found : known.state != HEALTH_DEGRADED;
}

int
record_drill(struct evidence *evidence, const struct record_drill *drill, struct err *err)
{
	static const enum health_state states[] = {
		[RECORD_PASSED] = HEALTH_HEALTHY,
		[RECORD_FAILED] = HEALTH_FAILED,
		[RECORD_INCONCLUSIVE] = HEALTH_DEGRADED,
	};
	AUTO_FREE char *what = behind_colon(drill->what);
	AUTO_FREE char *text = NULL;
	char files[COUNT_MAX];
	const char *action = drill->outcome == RECORD_PASSED ? NULL : "mirror drill";
	struct evidence_fact fact = {
		.name = fact_word(FACT_DRILL),
		.state = states[drill->outcome],
		.action = action,
		.value = drill->differ,
		.detail = drill->numbers,
	};

	sentence_count(drill->files, "file", "files", files);
	switch (drill->outcome) {
	case RECORD_PASSED:
		text = drill->sealed > 0
			? xasprintf("%s restored and compared: all equal; %lld encrypted "
				    "database snapshots hashed and not opened (mirror "
				    "drill --key FILE)",
				  files, (long long)drill->sealed)
			: xasprintf("%s restored and compared: all equal", files);
		break;
	case RECORD_FAILED:
		text = xasprintf("%lld of %s did not come back as they are%s",
			(long long)drill->differ, files, what);
		break;
	case RECORD_INCONCLUSIVE:
		text = xasprintf("the drill could not be carried out%s", what);
		break;
	}
	fact.text = text;
	if (drill->outcome == RECORD_INCONCLUSIVE) {
		int drilled = was_drilled(evidence, err);

		if (drilled < 0) {
			return drilled;
		}
		fact.name = drilled > 0 ? RECORD_DRILL_TRIED : fact.name;
	}
	return evidence_put(evidence, &fact, err);
}
