// SPDX-License-Identifier: GPL-2.0-or-later

/*
 *     raw      user.origin=https://kim:s3cr3t@host/      read under the guard of the file
 *     clean    user.origin=https://kim:REDACTED.url-...  what row and sidecar get
 *     cut      user.origin, all of it                    sealed, when there is a key
 *
 * A name that holds a secret cannot be shown, and nothing could be found under a mark:
 * that attribute stays out as a whole, and is told as redacted.
 */

#include "agent/traits.h"

#include "agent/kit.h"
#include "agent/round.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "ledger/ledger.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
traits_done(struct traits *traits)
{
	buf_wipe(&traits->raw);
	buf_done(&traits->clean);
	free(traits->rules);
	free(traits->cut);
}

int
traits_read(int fd, struct traits *traits, struct err *err)
{
	traits->sys = 0;
	if (attributes_read(fd, geteuid() == 0, &traits->raw, err) == 0) {
		return 0;
	}
	if (err->code == ERR_UNSTABLE || err->code == ERR_NO_MEMORY) {
		return err->code;
	}
	traits->sys = err->code == ERR_TOO_BIG ? E2BIG : err->sys;
	err_clear(err);
	buf_clear(&traits->raw);
	return 0;
}

static void
note_rules(struct traits *traits, const struct redaction *clean)
{
	traits->spans += (uint32_t)clean->nspans;
	for (size_t i = 0; i < clean->nspans; i++) {
		traits->rules = xgrow(traits->rules, traits->nrules,
			&traits->rules_capacity, sizeof(traits->rules[0]));
		traits->rules[traits->nrules++] = clean->spans[i].rule;
	}
}

// In the place of a value that cannot be cut: the mark alone.
static int
add_mark(struct traits *traits, const char *name, const struct redact_span *span,
	struct err *err)
{
	char mark[REDACT_MARK_MAX];

	redact_mark(span->rule, span->fingerprint, mark);
	return attributes_add(
		&traits->clean, &(struct attribute){ name, mark, strlen(mark) }, err);
}

// @head bytes of the text are the name and its sign.
static int
add_cut(struct traits *traits, const struct attribute *attribute,
	const struct redaction *clean, size_t head, struct err *err)
{
	note_rules(traits, clean);
	traits->cut = xgrow(
		traits->cut, traits->ncut, &traits->cut_capacity, sizeof(traits->cut[0]));
	traits->cut[traits->ncut++] = (struct original_attribute){
		.name = attribute->name,
		.value = attribute->value,
		.len = attribute->len,
	};
	// It begins in the name.
	if (clean->spans[0].start < head - 1) {
		return 0;
	}
	if (clean->outcome == REDACT_CANNOT || clean->out.len < head) {
		return add_mark(traits, attribute->name, &clean->spans[0], err);
	}
	return attributes_add(&traits->clean,
		&(struct attribute){ attribute->name, buf_text(&clean->out) + head,
			clean->out.len - head },
		err);
}

// "user." and its like say nothing.
static const char *
word_of(const struct attribute *attribute)
{
	const char *dot = strchr(attribute->name, '.');

	return dot != NULL ? dot + 1 : attribute->name;
}

int
traits_text(const struct attribute *attribute, struct buf *text, struct err *err)
{
	return buf_add_text(text, word_of(attribute), err) < 0 ||
			buf_add(text, "=", 1, err) < 0 ||
			buf_add(text, attribute->value, attribute->len, err) < 0
		? err->code
		: 0;
}

static int
clean_one(const struct scanner *scanner, const char *path, struct traits *traits,
	const struct attribute *attribute, struct err *err)
{
	size_t head = strlen(word_of(attribute)) + 1;
	struct buf text = { .max = 2 * TRAITS_CLEAN_MAX };
	AUTO(redaction_done)
	struct redaction clean = { .out = { .max = 8 * ATTRIBUTES_MAX } };
	struct scan_input input = { .path = path };
	int result;

	if (traits_text(attribute, &text, err) < 0) {
		buf_wipe(&text);
		return err->code;
	}
	input.data = buf_text(&text);
	input.len = text.len;
	result = redact_bytes(scanner, &input, &clean, err);
	buf_wipe(&text);
	if (result < 0) {
		return err_wrap(err, "scan an attribute");
	}
	return clean.nspans == 0 ? attributes_add(&traits->clean, attribute, err)
				 : add_cut(traits, attribute, &clean, head, err);
}

int
traits_clean(const struct scanner *scanner, const char *path, struct traits *traits,
	struct err *err)
{
	struct attributes_iter iter = ATTRIBUTES_ITER(traits->raw.data, traits->raw.len);
	struct attribute attribute;

	if (traits->raw.len == 0) {
		return 0;
	}
	while (attributes_next(&iter, &attribute)) {
		if (clean_one(scanner, path, traits, &attribute, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static bool
same_attributes(const struct ledger_folder *folder, const struct buf *packed)
{
	return folder->attributes_len == packed->len &&
		(packed->len == 0 ||
			memcmp(folder->attributes, packed->data, packed->len) == 0);
}

int
traits_of_folder(struct round *round, int fd, const char *path, const struct inode *inode,
	struct ledger_folder *folder, struct traits *traits, struct err *err)
{
	bool wanted = round->kit->config->files.xattrs;
	bool known = (folder->flags & LEDGER_FOLDER_ATTRIBUTES) != 0;

	if (wanted == known && (!wanted || inode->ctime_ns == folder->inode.ctime_ns) &&
		!round->recheck) {
		return 0;
	}
	folder->flags &= ~(uint32_t)LEDGER_FOLDER_ATTRIBUTES;
	if (wanted && traits_read(fd, traits, err) < 0) {
		// Written while we look: the next look decides.
		if (err->code == ERR_UNSTABLE) {
			round_recheck(round, folder->id);
			return 0;
		}
		return err->code;
	}
	if (wanted && traits_clean(round->kit->scanner, path, traits, err) < 0) {
		return err_wrap(err, "scan what belongs to %s", path);
	}
	if (traits->sys != 0 || traits->spans > 0) {
		log_warn("%s: its extended attributes are %s", path,
			traits->sys != 0 ? "not kept: too many, or unreadable"
					 : "kept without the secret in them");
	}
	folder->flags |= wanted ? LEDGER_FOLDER_ATTRIBUTES : 0;
	if (same_attributes(folder, &traits->clean)) {
		return wanted != known;
	}
	folder->attributes = traits->clean.data;
	folder->attributes_len = traits->clean.len;
	return 1;
}
