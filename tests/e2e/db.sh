#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A live database is snapshotted, never copied raw; it comes back beside, or in place with
# a way back; what is no database, or another one, is refused before anything is made.
. "$(dirname "$0")/lib.sh"
needs git
needs sqlite3

mkdir notes
sqlite3 notes/app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a, b); INSERT INTO t VALUES (1, "one"), (2, "two");' >/dev/null
printf 'hello\n' >notes/a.md
expect 0 "$MIRROR" init notes

expect 0 "$MIRROR" db list
says out "notes/app.db  $W/notes/app.db"
expect 0 "$MIRROR" db snapshot notes/app.db --json
says out '"schema": "mirror.db-snapshot/1"'
says out '"inode": '"$(stat -c %i notes/app.db)"
snapshot=$(sed -n 's/^  "path": "\(.*\)",*$/\1/p' out)
[ -f "$snapshot" ] || fail "no file at the path that was told: $snapshot"
is "$(stat -c %a "$snapshot")" 600 "mode of the snapshot"
expect 0 "$MIRROR" db snapshot "$W/notes/app.db"
says out "nothing changed since it was taken"
expect 0 "$MIRROR" db list --json
says out '"schema": "mirror.db-list/1"'
says out "\"path\": \"$snapshot\""
expect 0 "$MIRROR" db verify
says out "good: opened and checked"
says out " good, 0 bad"

# Beside, by the snapshot's name or path.
expect 0 "$MIRROR" db restore notes/app.db "$(basename "$snapshot")" --to back.db
is "$(sqlite3 back.db 'PRAGMA integrity_check; SELECT count(*) FROM t')" "ok
2" "the restored database"
expect 73 "$MIRROR" db restore notes/app.db "$snapshot" --to back.db
expect 0 "$MIRROR" db restore notes/app.db "$snapshot"
says out "$W/notes/app.db.restored-"
# Twice within a second is twice.
expect 0 "$MIRROR" db restore notes/app.db "$snapshot"
is "$(find notes -name 'app.db.restored-*' | wc -l)" 2 "restored copies"
rm -f notes/app.db.restored-*

# In place, and back.
sqlite3 notes/app.db 'DELETE FROM t WHERE a = 2'
expect 0 "$MIRROR" db restore notes/app.db "$snapshot" --in-place -n
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 1 "rows after --dry-run"
expect 0 "$MIRROR" db restore notes/app.db "$snapshot" --in-place --json
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 2 "rows after the restore"
id=$(sed -n 's/^  "id": "\(.*\)"$/\1/p' out)
expect 0 "$MIRROR" db restore notes/app.db --undo "$id"
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 1 "rows after --undo"

# Nonsense: 65, and nothing is made.
: >empty
head -c 100 back.db >cut
head -c 8192 /dev/urandom >noise
sqlite3 other.db 'CREATE TABLE quite_different(x); INSERT INTO quite_different VALUES (1)'
for bad in empty cut noise other.db; do
	for how in "--to made.db" --in-place; do
		# shellcheck disable=SC2086
		expect 65 "$MIRROR" db restore notes/app.db $bad $how
		[ -e made.db ] && fail "$bad was restored"
	done
done
says err wrong_database
# What is kept for another database is another one, were it the very same bytes.
cp back.db notes/twin.db
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" db snapshot notes/twin.db --json
twin=$(sed -n 's/^  "path": "\(.*\)",*$/\1/p' out)
for how in "--to made.db" --in-place; do
	# shellcheck disable=SC2086
	expect 65 "$MIRROR" db restore notes/app.db "$twin" $how
	says err wrong_database
done
[ -e made.db ] && fail "another database's snapshot was restored"
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 1 "rows after nonsense"

# A flipped byte in a kept snapshot is found.
printf 'X' | dd of="$snapshot" bs=1 seek=200 conv=notrunc 2>/dev/null
expect 2 "$MIRROR" db verify notes/app.db
says out " 1 bad"

expect 2 "$MIRROR" db snapshot notes/none.db
expect 64 "$MIRROR" db restore notes/app.db
