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

# By whatever a person types, as long as it is one.
mkdir -p notes/deep
sqlite3 notes/deep/app.db 'CREATE TABLE t(a)'
sqlite3 notes/deep/one.db 'CREATE TABLE t(a)'
expect 0 "$MIRROR" --once
for typed in one.db deep/one.db ./notes/deep/one.db notes/../notes/deep/one.db "$W/notes/deep/one.db"; do
	expect 0 "$MIRROR" db snapshot "$typed" --json
	says out '"name": "notes/deep/one.db"'
done
expect 64 "$MIRROR" db snapshot app.db
says err "2 databases are called this: notes/app.db, notes/deep/app.db"
(cd notes/deep && "$MIRROR" db snapshot app.db --json) >out || fail "the one right here"
says out '"name": "notes/deep/app.db"'
expect 2 "$MIRROR" db snapshot pp.db
rm notes/deep/app.db

# What is told to be typed can be pasted, whatever the name.
odd=$'notes/deep/it\'s a\nnew one.db'
sqlite3 "$odd" 'CREATE TABLE t(a)'
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" db restore "$odd" --in-place --yes
back=$(sed -n 's/.*to take it back: //p' err)
expect 0 bash -c "${back/#mirror/\"\$MIRROR\"}"
says out "taken back"
expect 0 "$MIRROR" db restore "$odd" --stage
drop=$(sed -n 's/.*to drop it: //p' err)
expect 0 bash -c "${drop/#mirror/\"\$MIRROR\"}"
says out "cancelled"
rm "$odd"

# A plain copy where it is wanted: never over anything, whole or not there.
expect 0 "$MIRROR" db snapshot notes/app.db -o plain.db --json
says out "\"path\": \"$W/plain.db\""
is "$(sqlite3 plain.db 'PRAGMA integrity_check; SELECT count(*) FROM t')" "ok
2" "the plain copy"
is "$(stat -c %a plain.db)" 600 "mode of the plain copy"
before=$(sha256sum <plain.db)
expect 73 "$MIRROR" db snapshot notes/app.db -o plain.db
for own in notes/app.db notes/app.db-wal notes/app.db-journal; do
	expect 65 "$MIRROR" db snapshot notes/app.db -o $own
done
is "$(sha256sum <plain.db)" "$before" "the plain copy afterwards"
mkdir some
expect 0 "$MIRROR" db snapshot notes/app.db -o some
is "$(find some -name 'app.db-2*Z.sqlite' | wc -l)" 1 "a copy named by its time"
is "$(find . -name '*.part' | wc -l)" 0 "parts left"

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
# Nobody to ask: nothing is replaced, nothing stays staged.
expect 64 "$MIRROR" db restore notes/app.db "$snapshot" --in-place
says err "with --yes"
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 1 "rows after nobody was asked"
expect 0 "$MIRROR" db restore notes/app.db --list
says out "no restore of notes/app.db is staged"
expect 0 "$MIRROR" db restore notes/app.db "$snapshot" --in-place --yes --json
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 2 "rows after the restore"
id=$(sed -n 's/^  "id": "\(.*\)"$/\1/p' out)
expect 0 "$MIRROR" db restore notes/app.db --undo "$id"
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 1 "rows after --undo"

# The newest snapshot when none is named; staged, seen, dropped; staged, put in place.
expect 0 "$MIRROR" db restore notes/app.db --to newest.db
is "$(sqlite3 newest.db 'SELECT count(*) FROM t')" 2 "rows of the newest snapshot"
expect 0 "$MIRROR" db restore notes/app.db --stage --json
says out '"result": "staged"'
id=$(sed -n 's/^  "id": "\(.*\)",$/\1/p' out)
expect 0 "$MIRROR" db restore notes/app.db --list
says out "$id"
says out "staged"
expect 0 "$MIRROR" db restore notes/app.db --cancel "$id"
expect 2 "$MIRROR" db restore notes/app.db --apply "$id" --yes
expect 0 "$MIRROR" db restore notes/app.db "$snapshot" --stage --json
id=$(sed -n 's/^  "id": "\(.*\)",$/\1/p' out)
# A program has it open: left alone, its process named; what is staged stays.
mkfifo hold
sqlite3 notes/app.db <hold >/dev/null 2>&1 &
holder=$!
exec 9>hold
echo 'SELECT count(*) FROM t;' >&9
for _ in $(seq 100); do
	[ -e "/proc/$holder/fd/3" ] && readlink "/proc/$holder/fd/"* | grep -q app.db && break
	sleep 0.05
done
expect 75 "$MIRROR" db restore notes/app.db --apply "$id" --yes
says err "$holder (sqlite3)"
exec 9>&-
wait "$holder" || true
expect 0 "$MIRROR" db restore notes/app.db --apply "$id" --yes
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 2 "rows after --apply"
expect 64 "$MIRROR" db restore notes/app.db --apply "$id" --list
sqlite3 notes/app.db 'DELETE FROM t WHERE a = 2'

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

# What could not be looked at is neither good nor bad.
sqlite3 notes/wide.db 'CREATE TABLE t(x); INSERT INTO t VALUES (randomblob(900000))'
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" db snapshot notes/wide.db
got=0
(
	ulimit -f 200
	exec "$MIRROR" db verify notes/wide.db
) >out 2>err || got=$?
is "$got" 3 "db verify where nothing can be written"
says out ", 0 bad, 1 could not be checked"
# A flipped byte in a kept snapshot is found.
flip "$snapshot" 40
expect 2 "$MIRROR" db verify notes/app.db
says out " 1 bad"

# One that somebody removed is not called checked.
rm "$snapshot"
expect 0 "$MIRROR" db list
says out "its file is gone"
expect 0 "$MIRROR" db list --json
is "$(tr -d '\n' <out | sed 's/{ *"id"/\n&/g' | grep -F "$(basename "$snapshot")" | grep -c '"verified": false')" 1 \
	"verified of one that is gone"

expect 2 "$MIRROR" db snapshot notes/none.db
expect 64 "$MIRROR" db restore
