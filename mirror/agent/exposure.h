// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/exposure - was a secret ever committed, where, and since when?
 *
 *     struct exposure_query query = { .scanner = scanner, .key = key, ... };
 *     AUTO(exposure_done) struct exposure exposure = { 0 };
 *
 *     if (exposure_find(repo, &head, &query, &exposure, err) < 0) ...
 *
 * Every object of the history is read once, whatever the rules were when it was
 * committed: of each commit that the branch leads to by any parent, and of what else in
 * the repository has a name (other branches, tags).
 *
 * What a name makes a secret (db_password) stood in plain sight while the file was called
 * otherwise: where a mark tells that a value was cut out of one file, the same bytes are
 * looked for in all others as if they had that file's name.
 *
 * Values of extended attributes stand as base64 in the texts of folders: they are looked
 * at as what they are.
 *
 * Knows: brain (to read), scanner, restore/oids, traits.
 * Owns:  the list of hits, until exposure_done().
 * Never: holds or hands out a value: a hit is a fingerprint, a rule and a place (I3).
 */

#ifndef AGENT_EXPOSURE_H
#define AGENT_EXPOSURE_H

#include "base/base.h"
#include "base/hash.h"
#include "brain/oid.h"
#include "scanner/finding.h"

struct buf;
struct err;
struct repo;
struct scanner;

enum {
	EXPOSURE_HITS_MAX = 100000,
	EXPOSURE_BLOB_MAX = 1 << 30,
	EXPOSURE_VALUE_MAX = 64 * 1024,
	/** Shorter values stand everywhere. */
	EXPOSURE_VALUE_MIN = 6,
};

/** The rule of a value that a person named and no rule knows. */
#define EXPOSURE_NAMED "named"

typedef int
exposure_progress_fn(const char *what, uint64_t done, uint64_t total, void *payload);

struct exposure_query {
	const struct scanner *scanner;
	const uint8_t *key;
	/** Only these; none of them and no @value: everything the scanner finds. */
	const uint8_t (*prints)[FINDING_PRINT_LEN];
	size_t nprints;
	/** Or exactly these bytes, wherever they stand; NULL for none. */
	const char *value;
	size_t value_len;
	/** Anything but 0 cancels; may be NULL. */
	exposure_progress_fn *progress;
	void *payload;
};

enum exposure_place {
	EXPOSURE_IN_FILE,
	EXPOSURE_IN_NAME,
	/** Of a commit or a tag. */
	EXPOSURE_IN_MESSAGE,
	/** In the value of an extended attribute; the path is that of the file or folder
	 * which has it. */
	EXPOSURE_IN_ATTRIBUTE,
};
/** "file", "name", "message", "attribute". */
const char *exposure_place_word(enum exposure_place place);

/** One secret in one object. */
struct exposure_hit {
	uint8_t print[FINDING_PRINT_LEN];
	/** Borrowed from the scanner, or EXPOSURE_NAMED. */
	const char *rule;
	struct oid blob;
	/** Where it stood first, and in which commit; owned.  A message's is its ref or
	 * "".
	 */
	char *path;
	/** With a name like this it is a secret, with its own it is none; NULL: with its
	 * own.  Owned. */
	char *like;
	struct oid commit;
	int64_t at_ms;
	enum exposure_place place;
	/** Our branch does not lead there: another branch or a tag does. */
	bool elsewhere;
	/** Our branch leads there, and so does something that a purge does not move. */
	bool shared;
	/** The newest commit still holds it. */
	bool in_head;
	/** The remote has a commit that holds it; false as well when nobody knows. */
	bool pushed;
};

/** The path as which its bytes are a secret. */
const char *exposure_like(const struct exposure_hit *hit) NONNULL;

struct exposure {
	struct exposure_hit *hits;
	size_t count;
	size_t capacity;
	uint64_t commits;
	uint64_t blobs;
	/** A shallow clone: what was before this commit is not here. */
	bool cut;
	struct oid cut_at;
	/** On our branch. */
	bool merges;
};

void exposure_done(struct exposure *exposure) NONNULL;

/** The fingerprint of a value: the one that the scanner gives to it. */
void exposure_print(const uint8_t key[HASH_KEY_LEN], const char *value, size_t len,
	uint8_t ret_print[FINDING_PRINT_LEN]) NONNULL;

/**
 * @head
 *         Not zero.
 * @remote
 *         The commit that the remote was last seen at; zero: unknown.
 * @return
 *         0, or negative: BLOCKED (an object could not be scanned; the story says which),
 *         TOO_BIG, CANCELLED, CORRUPT.
 */
int exposure_find(struct repo *repo, const struct oid *head, const struct oid *remote,
	const struct exposure_query *query, struct exposure *ret_exposure,
	struct err *err) NONNULL MUST_CHECK;

/** Append @data, the query's value replaced by a mark wherever it stands; all of it when
 * the query has none. */
int exposure_cut(const struct exposure_query *query, const char *data, size_t len,
	struct buf *out, uint32_t *spans, struct err *err) NONNULL_ARGS(1, 4, 5, 6)
	MUST_CHECK;

/** Does the query mean this fingerprint? */
bool exposure_means(const struct exposure_query *query,
	const uint8_t print[FINDING_PRINT_LEN]) NONNULL;

#endif
