// SPDX-License-Identifier: GPL-2.0-or-later

// Everything the ledger says to SQLite.
//
//     folders (id, parent, name)          the tree; parent 0 for roots
//     entries (folder, name)              one row per path that is no folder
//     reasons (id, text)                  texts, once each; 0 is none
//     tally   (root, state, kind)         sums over entries, moved with them
//     roots   (id)                        what a root was like at its last sweep
//     meta    (key)                       where we stand
//
// entries is WITHOUT ROWID, so it *is* the index by (folder, name): the rows of a folder
// lie side by side, sorted.  `entries_waiting` holds only what waits or failed, which is
// little; its states are numbers from LEDGER_STATE_TABLE.

#include "ledger/handle.h"

#include <assert.h>

// The first schema; the ones after it are changes to it.
static const char schema_1[] =
	"PRAGMA application_id = 1296844626;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE reasons(id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE);"
	"CREATE TABLE roots(id INTEGER PRIMARY KEY, path BLOB, dev INTEGER NOT NULL,"
	" number INTEGER NOT NULL, fs_type INTEGER NOT NULL, files INTEGER NOT NULL,"
	" swept_ms INTEGER NOT NULL, held INTEGER NOT NULL,"
	" held_since_ms INTEGER NOT NULL);"
	"CREATE TABLE folders(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL,"
	" root INTEGER NOT NULL, name BLOB NOT NULL, size INTEGER NOT NULL,"
	" mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, number INTEGER NOT NULL,"
	" dev INTEGER NOT NULL, mode INTEGER NOT NULL, nlink INTEGER NOT NULL,"
	" uid INTEGER NOT NULL, gid INTEGER NOT NULL, tree BLOB, sidecar BLOB,"
	" stamp BLOB NOT NULL, flags INTEGER NOT NULL);"
	"CREATE UNIQUE INDEX folders_by_name ON folders(parent, name);"
	"CREATE TABLE entries(folder INTEGER NOT NULL, name BLOB NOT NULL,"
	" type INTEGER NOT NULL, state INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" reason INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
	" ctime_ns INTEGER NOT NULL, number INTEGER NOT NULL, dev INTEGER NOT NULL,"
	" mode INTEGER NOT NULL, nlink INTEGER NOT NULL, uid INTEGER NOT NULL,"
	" gid INTEGER NOT NULL, oid BLOB, spans INTEGER NOT NULL, rules INTEGER NOT NULL,"
	" flags INTEGER NOT NULL, since_ms INTEGER NOT NULL,"
	" PRIMARY KEY(folder, name)) WITHOUT ROWID;"
	"CREATE INDEX entries_waiting ON entries(state, since_ms)"
	" WHERE state IN (5, 6);"
	"CREATE TABLE tally(root INTEGER NOT NULL, state INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" PRIMARY KEY(root, state, kind)) WITHOUT ROWID;";

static_assert(HANDLE_APPLICATION_ID == 1296844626, "the pragma above");
static_assert(LEDGER_PENDING == 5 && LEDGER_FAILED == 6, "the index above");
static_assert(LEDGER_TYPE_FILE == 0, "the sums below");

// Where originals are sealed.
static const char schema_2[] = "ALTER TABLE entries ADD COLUMN sealed BLOB;"
			       "ALTER TABLE folders ADD COLUMN sealed BLOB;";

// Extended attributes.
static const char schema_3[] = "ALTER TABLE entries ADD COLUMN attributes BLOB;"
			       "ALTER TABLE folders ADD COLUMN attributes BLOB;";

const char *const handle_migrations[] = { schema_1, schema_2, schema_3 };
const size_t handle_nmigrations = countof(handle_migrations);

// Who only reads may meet the ledger of an agent that was started before an upgrade, and
// may not change it.  A view of the same name, on this connection alone, comes before the
// table and has what it lacks.
static const char as_1[] =
	"CREATE TEMP VIEW entries AS SELECT *, NULL AS sealed, NULL AS attributes"
	" FROM main.entries;"
	"CREATE TEMP VIEW folders AS SELECT *, NULL AS sealed, NULL AS attributes"
	" FROM main.folders;";
static const char as_2[] =
	"CREATE TEMP VIEW entries AS SELECT *, NULL AS attributes FROM main.entries;"
	"CREATE TEMP VIEW folders AS SELECT *, NULL AS attributes FROM main.folders;";

const char *const handle_older[] = { as_1, as_2 };
static_assert(countof(handle_older) + 1 == countof(handle_migrations),
	"a schema that is no longer the newest is read through views");

// As in enum handle_column.
#define ROW_                                                                             \
	"SELECT name, type, state, reason, size, mtime_ns, ctime_ns, number, dev, mode," \
	" nlink, uid, gid, oid, spans, rules, flags, since_ms, kind,"                    \
	" sealed, attributes FROM entries "

#define ROW_VALUES_                                                                      \
	"INTO entries(folder, name, type, state, kind, reason, size, mtime_ns,"          \
	" ctime_ns, number, dev, mode, nlink, uid, gid, oid, spans, rules, flags,"       \
	" since_ms, sealed, attributes)"                                                 \
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

#define FOLDER_                                                                          \
	"SELECT id, parent, root, name, size, mtime_ns, ctime_ns, number, dev, mode,"    \
	" nlink, uid, gid, tree, sidecar, stamp, flags, sealed, attributes FROM "        \
	"folders "

// ?1 and all folders below it.
#define BELOW_                                                                           \
	"WITH RECURSIVE below(id) AS (VALUES(?1) UNION ALL SELECT folders.id"            \
	" FROM below CROSS JOIN folders ON folders.parent = below.id) "

#define BYTES_ "sum(CASE entries.type WHEN 0 THEN entries.size ELSE 0 END)"

const char *const handle_sql[HANDLE_NSQL] = {
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = ?",
	[SQL_META_SET] = "REPLACE INTO meta VALUES(?, ?)",
	[SQL_META_DROP] = "DELETE FROM meta WHERE key = ?",
	[SQL_REASON_FIND] = "SELECT id FROM reasons WHERE text = ?",
	[SQL_REASON_ADD] = "INSERT INTO reasons(text) VALUES(?)",
	[SQL_REASON_TEXT] = "SELECT text FROM reasons WHERE id = ?",
	[SQL_ROOT_GET] =
		"SELECT path, dev, number, fs_type, files, swept_ms, held, held_since_ms"
		" FROM roots WHERE id = ?",
	[SQL_ROOT_SET] = "REPLACE INTO roots VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_FOLDER_CHILD] = "SELECT id FROM folders WHERE parent = ? AND name = ?",
	[SQL_FOLDER_LOAD] = FOLDER_ "WHERE id = ?",
	[SQL_FOLDER_UP] = "SELECT parent, root FROM folders WHERE id = ?",
	[SQL_FOLDER_ADD] =
		"INSERT INTO folders(parent, root, name, size, mtime_ns, ctime_ns,"
		" number, dev, mode, nlink, uid, gid, tree, sidecar, stamp, flags,"
		" sealed, attributes)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_FOLDER_CHANGE] =
		"UPDATE folders SET parent = ?, root = ?, name = ?, size = ?,"
		" mtime_ns = ?, ctime_ns = ?, number = ?, dev = ?, mode = ?, nlink = ?,"
		" uid = ?, gid = ?, tree = ?, sidecar = ?, stamp = ?, flags = ?,"
		" sealed = ?, attributes = ? WHERE id = ?",
	[SQL_COUNT_FOLDERS] = "SELECT count(*) FROM folders",
	[SQL_SUBFOLDERS] = FOLDER_ "WHERE parent = ? ORDER BY name",
	[SQL_ROWS] = ROW_ "WHERE folder = ? ORDER BY name",
	[SQL_ROWS_SHOWN] = "SELECT name, type, mode, flags, oid FROM entries"
			   " WHERE folder = ? ORDER BY name",
	[SQL_ROWS_BY_STATE] = ROW_ "WHERE folder = ? AND +state = ? ORDER BY name",
	[SQL_ROW_FIND] = ROW_ "WHERE folder = ? AND name = ?",
	[SQL_ROW_PEEK] = "SELECT type, state, kind, size, since_ms FROM entries"
			 " WHERE folder = ? AND name = ?",
	[SQL_ROW_PUT] = "REPLACE " ROW_VALUES_,
	[SQL_ROW_ADD] = "INSERT OR IGNORE " ROW_VALUES_,
	[SQL_ROW_DROP] = "DELETE FROM entries WHERE folder = ? AND name = ?",
	[SQL_TREE_TALLY] = BELOW_ "SELECT state, kind, count(*), " BYTES_
				  " FROM below CROSS JOIN entries"
				  " ON entries.folder = below.id GROUP BY state, kind",
	[SQL_TREE_DROP_ROWS] =
		"DELETE FROM entries WHERE folder IN (" BELOW_ "SELECT id FROM below)",
	[SQL_TREE_DROP_ROOT] = "DELETE FROM roots WHERE id = ?",
	[SQL_TREE_DROP_FOLDERS] =
		"DELETE FROM folders WHERE id IN (" BELOW_ "SELECT id FROM below)",
	[SQL_TALLY_ALL] = "SELECT state, kind, files, bytes FROM tally",
	[SQL_TALLY_ROOT] = "SELECT state, kind, files, bytes FROM tally WHERE root = ?",
	[SQL_TALLY_ADD] = "INSERT INTO tally VALUES(?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
			  " SET files = files + excluded.files,"
			  " bytes = bytes + excluded.bytes",
	[SQL_TALLY_TIDY] = "DELETE FROM tally WHERE files = 0 AND bytes = 0",
	[SQL_OLDEST] = "SELECT since_ms FROM entries"
		       " WHERE state = ? AND state IN (5, 6) ORDER BY since_ms LIMIT 1",
	[SQL_COUNT_ALL] = "SELECT state, kind, count(*), " BYTES_
			  " FROM entries GROUP BY state, kind",
	[SQL_QUICK_CHECK] = "PRAGMA quick_check(1)",
	[SQL_BYTES] = "SELECT page_count * page_size FROM pragma_page_count,"
		      " pragma_page_size",
	[SQL_LAST_FOLDER] = "SELECT max(id) FROM folders",
	[SQL_SOME_ROWS] =
		"SELECT entries.name, oid, attributes, (SELECT name FROM folders"
		" WHERE id = entries.folder) FROM entries WHERE folder >= ? LIMIT 8",
	// A row or folder in no folder, and a path that stands twice.
	[SQL_STRAYS] =
		"SELECT (SELECT count(*) FROM entries LEFT JOIN folders"
		"  ON folders.id = entries.folder"
		"  WHERE entries.folder <> 0 AND folders.id IS NULL)"
		" + (SELECT count(*) FROM folders AS f LEFT JOIN folders AS p"
		"  ON p.id = f.parent WHERE f.parent <> 0 AND p.id IS NULL)"
		" + (SELECT count(*) FROM folders CROSS JOIN entries"
		"  ON entries.folder = folders.parent AND entries.name = folders.name"
		// What waits for a held folder's place has no object yet.
		"  WHERE folders.parent <> 0 AND (entries.state <> 5 OR"
		"  entries.oid IS NOT NULL))",
};
