// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/inspect.h"

#include "base/db.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
inspect_is_magic(const void *data, size_t len)
{
	return len >= INSPECT_MAGIC_LEN &&
		memcmp(data, "SQLite format 3", INSPECT_MAGIC_LEN) == 0;
}

void
inspect_done(struct inspect *inspect)
{
	for (size_t i = 0; i < inspect->ntables; i++) {
		free(inspect->tables[i].name);
	}
	free(inspect->tables);
	*inspect = (struct inspect){ 0 };
}

void
inspect_copy(const struct inspect *from, struct inspect *to)
{
	*to = *from;
	to->tables = xcalloc(from->ntables + 1, sizeof(*to->tables));
	for (size_t i = 0; i < from->ntables; i++) {
		to->tables[i].name = xstrdup(from->tables[i].name);
		to->tables[i].rows = from->tables[i].rows;
	}
}

// What SQLite calls corrupt is, of somebody else's file, only bad input.
int
inspect_blame(struct err *err)
{
	if (err->code == ERR_CORRUPT || err->code == ERR_BUG) {
		bool foreign = strstr(err->msg, "not a database") != NULL;
		char why[ERR_MSG_MAX];

		(void)stpncpy(why, err->msg, sizeof(why) - 1);
		why[sizeof(why) - 1] = '\0';
		return err_raise(err, ERR_INVALID, "%s: %s",
			foreign ? "not a database" : "damaged database", why);
	}
	if (err->code == ERR_CANCELLED) {
		err->code = ERR_TIMEOUT;
	}
	return err->code;
}

static int
look_at_header(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char magic[INSPECT_MAGIC_LEN];
	struct stat info;
	ssize_t len;

	if (fd < 0 || fstat(fd, &info) < 0) {
		return err_errno(err, "open %s", path);
	}
	if (!S_ISREG(info.st_mode)) {
		return err_raise(err, ERR_INVALID, "not a database: not a regular file");
	}
	if (info.st_size == 0) {
		return err_raise(err, ERR_INVALID, "not a database: the file is empty");
	}
	len = fd_read_full(fd, magic, sizeof(magic), err);
	if (len < 0) {
		return err->code;
	}
	if (!inspect_is_magic(magic, (size_t)len)) {
		return err_raise(
			err, ERR_INVALID, "not a database: it does not begin like one");
	}
	return 0;
}

static int
read_ids(struct db *db, struct inspect *inspect, struct err *err)
{
	if (db_query_int(db, "PRAGMA application_id", 0, &inspect->application_id, err) <
			0 ||
		db_query_int(db, "PRAGMA user_version", 0, &inspect->user_version, err) <
			0 ||
		db_query_int(db, "PRAGMA page_size", 0, &inspect->page_size, err) < 0 ||
		db_query_int(db, "PRAGMA page_count", 0, &inspect->pages, err) < 0) {
		return err->code;
	}
	return 0;
}

// The statistics tables come and go with ANALYZE; they say nothing about what it is.
static int
read_schema(struct db *db, struct inspect *inspect, struct err *err)
{
	AUTO(hash_freep) struct hash *hash = hash_sha256_new();
	AUTO(db_finishp) struct db_stmt *each = NULL;
	uint8_t digest[HASH_SHA256_LEN];
	int got;

	if (db_prepare(db,
		    "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema "
		    "WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\' "
		    "ORDER BY type, name",
		    &each, err) < 0) {
		return err->code;
	}
	while ((got = db_step(each, err)) > 0) {
		for (int i = 0; i < 4; i++) {
			size_t len = 0;
			const void *text = db_bytes(each, i, &len);

			hash_add(hash, text, len);
			hash_add(hash, "", 1);
		}
	}
	hash_end(hash, digest);
	hash_hex(digest, sizeof(digest), inspect->schema);
	return got;
}

static int
list_tables(struct db *db, struct inspect *inspect, struct err *err)
{
	AUTO(db_finishp) struct db_stmt *each = NULL;
	size_t capacity = 0;
	int got;

	if (db_prepare(db,
		    "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
		    "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
		    &each, err) < 0) {
		return err->code;
	}
	while ((got = db_step(each, err)) > 0) {
		size_t len = 0;
		const char *name = db_bytes(each, 0, &len);

		if (inspect->ntables == INSPECT_TABLES_MAX) {
			return err_raise(err, ERR_INVALID, "more than %d tables",
				INSPECT_TABLES_MAX);
		}
		inspect->tables = xgrow(inspect->tables, inspect->ntables, &capacity,
			sizeof(*inspect->tables));
		inspect->tables[inspect->ntables++] =
			(struct inspect_table){ .name = xmemdup0(name, len), .rows = -1 };
	}
	return got;
}

// "SELECT count(*) FROM" with the name quoted as SQL wants it.
static char *
count_sql(const char *name)
{
	static const char start[] = "SELECT count(*) FROM main.\"";
	char *sql = xmalloc(sizeof(start) + 2 * strlen(name) + 2);
	char *at = stpcpy(sql, start);

	for (; *name != '\0'; name++) {
		if (*name == '"') {
			*at++ = '"';
		}
		*at++ = *name;
	}
	(void)stpcpy(at, "\"");
	return sql;
}

static int
count_rows(struct db *db, struct inspect *inspect, struct err *err)
{
	for (size_t i = 0; i < inspect->ntables; i++) {
		AUTO_FREE char *sql = count_sql(inspect->tables[i].name);

		if (db_query_int(db, sql, -1, &inspect->tables[i].rows, err) < 0) {
			// A virtual table of a module that is not here cannot be counted.
			if (err->code != ERR_IO) {
				return err->code;
			}
			inspect->tables[i].rows = -1;
			err_clear(err);
		}
		inspect->rows += MAX_OF(inspect->tables[i].rows, (int64_t)0);
	}
	return 0;
}

static int
check(struct db *db, bool full, struct inspect *inspect, struct err *err)
{
	if ((full ? db_full_check(db, err) : db_quick_check(db, err)) == 0) {
		return 0;
	}
	// "no such collation sequence", "unknown function": only the owner's program has
	// them.  The structure can be checked all the same.
	if (err->code != ERR_IO) {
		return err->code;
	}
	err_clear(err);
	db_allow_unknown(db);
	inspect->structure_only = true;
	return db_quick_check(db, err);
}

static int
inspect_with(const char *path, bool full, int64_t deadline_ms,
	struct inspect *ret_inspect, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	AUTO(inspect_done) struct inspect found = { 0 };

	if (look_at_header(path, err) < 0) {
		return err->code;
	}
	if (db_open_foreign(path, true, &db, err) < 0) {
		return inspect_blame(err);
	}
	db_limit_ms(db, deadline_ms);
	if (read_ids(db, &found, err) < 0 || check(db, full, &found, err) < 0 ||
		read_schema(db, &found, err) < 0 || list_tables(db, &found, err) < 0 ||
		count_rows(db, &found, err) < 0) {
		return inspect_blame(err);
	}
	*ret_inspect = found;
	found = (struct inspect){ 0 };
	return 0;
}

int
inspect_file(const char *path, int64_t deadline_ms, struct inspect *ret_inspect,
	struct err *err)
{
	return inspect_with(path, false, deadline_ms, ret_inspect, err);
}

int
inspect_fully(const char *path, int64_t deadline_ms, struct inspect *ret_inspect,
	struct err *err)
{
	return inspect_with(path, true, deadline_ms, ret_inspect, err);
}

int
inspect_live(const char *path, bool count, int64_t deadline_ms,
	struct inspect *ret_inspect, struct err *err)
{
	AUTO(db_closep) struct db *db = NULL;
	AUTO(inspect_done) struct inspect found = { 0 };
	AUTO_FREE char *wal = xasprintf("%s-wal", path);

	if (db_open_foreign(path, access(wal, F_OK) < 0, &db, err) < 0) {
		return inspect_blame(err);
	}
	db_limit_ms(db, deadline_ms);
	if (read_ids(db, &found, err) < 0 || read_schema(db, &found, err) < 0 ||
		list_tables(db, &found, err) < 0 ||
		(count && count_rows(db, &found, err) < 0)) {
		return inspect_blame(err);
	}
	*ret_inspect = found;
	found = (struct inspect){ 0 };
	return 0;
}

struct json *
inspect_to_json(const struct inspect *inspect)
{
	struct json *json = json_new_object();
	struct json *tables = json_new_array();

	json_set_int(json, "application_id", inspect->application_id);
	json_set_int(json, "user_version", inspect->user_version);
	json_set_int(json, "page_size", inspect->page_size);
	json_set_int(json, "pages", inspect->pages);
	json_set_text(json, "schema", inspect->schema);
	json_set_int(json, "rows", inspect->rows);
	json_set_bool(json, "structure_only", inspect->structure_only);
	for (size_t i = 0; i < inspect->ntables; i++) {
		struct json *table = json_new_object();

		json_set_bytes(table, "name", inspect->tables[i].name,
			strlen(inspect->tables[i].name));
		json_set_int(table, "rows", inspect->tables[i].rows);
		json_append(tables, table);
	}
	json_set(json, "tables", tables);
	return json;
}

int
inspect_from_json(const struct json *json, struct inspect *ret_inspect, struct err *err)
{
	AUTO(inspect_done) struct inspect found = { 0 };
	const struct json *tables = json_get(json, "tables");
	const char *schema = json_get_text(json, "schema");
	size_t ntables = json_count(tables);

	if (schema == NULL || strlen(schema) >= sizeof(found.schema) ||
		ntables > INSPECT_TABLES_MAX) {
		return err_raise(err, ERR_INVALID, "no description of a database");
	}
	found.application_id = json_get_int(json, "application_id", 0);
	found.user_version = json_get_int(json, "user_version", 0);
	found.page_size = json_get_int(json, "page_size", 0);
	found.pages = json_get_int(json, "pages", 0);
	found.rows = json_get_int(json, "rows", 0);
	found.structure_only = json_get_bool(json, "structure_only", false);
	(void)stpcpy(found.schema, schema);
	found.tables = xcalloc(ntables + 1, sizeof(*found.tables));
	for (size_t i = 0; i < ntables; i++) {
		const struct json *table = json_at(tables, i);
		char *name = json_get_bytes(table, "name");

		if (name == NULL) {
			return err_raise(err, ERR_INVALID, "a table without a name");
		}
		found.tables[found.ntables++] = (struct inspect_table){ .name = name,
			.rows = json_get_int(table, "rows", -1) };
	}
	*ret_inspect = found;
	found = (struct inspect){ 0 };
	return 0;
}

static size_t
count_shared(const struct inspect *known, const struct inspect *candidate)
{
	size_t shared = 0;
	size_t at = 0;

	// Both lists are in the order of their names.
	for (size_t i = 0; i < candidate->ntables; i++) {
		while (at < known->ntables &&
			strcmp(known->tables[at].name, candidate->tables[i].name) < 0) {
			at++;
		}
		shared += at < known->ntables &&
			strcmp(known->tables[at].name, candidate->tables[i].name) == 0;
	}
	return shared;
}

enum inspect_kin
inspect_compare(const struct inspect *known, const struct inspect *candidate)
{
	size_t shared = count_shared(known, candidate);

	if (known->application_id != candidate->application_id) {
		return INSPECT_STRANGER;
	}
	if (strcmp(known->schema, candidate->schema) != 0 &&
		(shared == 0 || shared * 2 < candidate->ntables)) {
		return INSPECT_STRANGER;
	}
	return candidate->user_version > known->user_version ? INSPECT_NEWER
							     : INSPECT_SAME;
}
