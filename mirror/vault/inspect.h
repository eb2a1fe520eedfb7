// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * vault/inspect - is this file a whole database, and which one?
 *
 *     AUTO(inspect_done) struct inspect found = { 0 };
 *
 *     if (inspect_file(path, 60000, &found, err) < 0) ...     // INVALID: say why
 *
 * Knows: base (db, hash, json).
 * Owns:  the list of tables inside struct inspect.
 * Never: checks a live database: inspect_file() wants a file that is ours alone (a
 *        snapshot, an upload), and opens it as one that nobody writes to.
 */

#ifndef VAULT_INSPECT_H
#define VAULT_INSPECT_H

#include "base/base.h"
#include "base/hash.h"

struct err;
struct json;

enum {
	/** Tables counted one by one; a database with more is refused as INVALID. */
	INSPECT_TABLES_MAX = 10000,
	/** "SQLite format 3" and its NUL. */
	INSPECT_MAGIC_LEN = 16,
};

struct inspect_table {
	char *name;
	/** -1 when it cannot be counted (a virtual table whose module is not here). */
	int64_t rows;
};

/** What a database is, apart from where it lies. */
struct inspect {
	int64_t application_id;
	int64_t user_version;
	int64_t page_size;
	int64_t pages;
	/** SHA-256 of the SQL of its schema, in a fixed order. */
	char schema[HASH_HEX_MAX];
	struct inspect_table *tables;
	size_t ntables;
	/** Sum over the tables that could be counted. */
	int64_t rows;
	/** Did every check run, or only that of the structure (a collation is not here)?
	 */
	bool structure_only;
};

/** Why a file is refused, in the words a caller acts on: "why" in an answer of the child.
 */
#define INSPECT_FOREIGN "not-a-database"
#define INSPECT_DAMAGED "damaged"
#define INSPECT_REPLACED "wrong-database"

/** Do these first bytes of a file say SQLite? */
bool inspect_is_magic(const void *data, size_t len) NONNULL;

/**
 * Check and describe.
 *
 * @return
 *         0; INVALID: not a database, empty, cut, damaged, too many tables; TIMEOUT.
 */
int inspect_file(const char *path, int64_t deadline_ms, struct inspect *ret_inspect,
	struct err *err) NONNULL MUST_CHECK;

/** The same with `integrity_check`: indexes are compared with their tables as well. */
int inspect_fully(const char *path, int64_t deadline_ms, struct inspect *ret_inspect,
	struct err *err) NONNULL MUST_CHECK;

/** Schema and names, and rows if wanted, also of a live database: nothing is checked, and
 * nothing is made beside it unless a program has it open already. */
int inspect_live(const char *path, bool count, int64_t deadline_ms,
	struct inspect *ret_inspect, struct err *err) NONNULL MUST_CHECK;

/** CORRUPT, which would stop us if it were our own, becomes INVALID with a message that
 * begins "not a database" or "damaged database".  Returns the code. */
int inspect_blame(struct err *err) NONNULL;

/** Deep; @to is overwritten, not freed. */
void inspect_copy(const struct inspect *from, struct inspect *to) NONNULL;
void inspect_done(struct inspect *inspect) NONNULL;

/** The object that manifests and the child speak; and back (INVALID). */
struct json *inspect_to_json(const struct inspect *inspect) NONNULL MUST_CHECK;
int inspect_from_json(const struct json *json, struct inspect *ret_inspect,
	struct err *err) NONNULL_ARGS(2, 3) MUST_CHECK;

/** How @candidate relates to @known. */
enum inspect_kin {
	/** Another program's database, or one that shares too little. */
	INSPECT_STRANGER,
	/** The same database, of now or of an earlier schema. */
	INSPECT_SAME,
	/** The same, but of a schema newer than the one known. */
	INSPECT_NEWER,
};

/**
 * Pure: application ids must be equal; the same schema is the same database; otherwise at
 * least half of the candidate's tables must exist in the one known, by name.
 */
enum inspect_kin
inspect_compare(const struct inspect *known, const struct inspect *candidate) NONNULL;

#endif
