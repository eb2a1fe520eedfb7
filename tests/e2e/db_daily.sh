#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Once a day every database: what was missed is told and made up for; off-site goes only
# what is encrypted, is looked at, and mended.  What was replaced or emptied is told until a
# person accepts it.  A name that holds a secret costs no backup, and is told nowhere.
. "$(dirname "$0")/lib.sh"
needs git
needs sqlite3

daily() { sqlite3 "$STATE/evidence.sqlite" "$1"; }
fact() { "$MIRROR" health --json | tr -d '\n' | sed 's/{ *"name"/\n&/g' | grep "^{ *\"name\": \"$1\""; }

# Put together here: no file of this repository holds one whole.
secret=ghp_$(printf 'x7Kq2LmN8pRt4VwYz1AbC3dEfG5hJ6kM9oPq')
mkdir notes
sqlite3 notes/app.db 'CREATE TABLE t(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 100) INSERT INTO t SELECT i FROM n'
sqlite3 "notes/$secret.db" 'CREATE TABLE t(a); INSERT INTO t VALUES (7)'
expect 0 "$MIRROR" init notes
expect 0 "$MIRROR" --once --json
says out '"snapshotted": 2'

# The name is told nowhere, and the content is kept.
expect 1 grep -rlaF "$secret" "$XDG_STATE_HOME" "$XDG_DATA_HOME"
expect 0 "$MIRROR" db list
says out "REDACTED."
shown=$(sed -n 's/^\(notes.REDACTED[^ ]*\) .*/\1/p' out)
expect 0 "$MIRROR" db restore "$shown" --to seven.db
is "$(sqlite3 seven.db 'SELECT a FROM t')" 7 "what came back of the one with the secret name"
expect 1 grep -rlaF "$secret" "$XDG_STATE_HOME" "$XDG_DATA_HOME"

# By hand as well, to wherever it is wanted; in its place nothing is put.
expect 0 "$MIRROR" db snapshot "$shown"
says out "checked"
silent_about out "$secret"
fact "db:$shown" | grep -q 'checked, by hand' || fail "by hand: $(fact "db:$shown")"
expect 0 "$MIRROR" db snapshot "$shown" -o eight.db
is "$(sqlite3 eight.db 'SELECT a FROM t')" 7 "a plain copy of the one with the secret name"
for how in --in-place --stage; do
	expect 65 "$MIRROR" db restore "$shown" $how --yes
	says err "--to FILE"
	silent_about err "$secret"
done
is "$(find notes -name '*.db' | wc -l)" 2 "databases, after a restore was refused"
expect 1 grep -rlaF "$secret" "$XDG_STATE_HOME" "$XDG_DATA_HOME"

# A run that was missed is seen, and made up for.
fact daily | grep -q '"state": "healthy"' || fail "daily: $(fact daily)"
daily "UPDATE fact SET value = value - 3 * 86400000 WHERE name = 'daily'"
fact daily | grep -q 'did not take place' || fail "a missed run is not told: $(fact daily)"
expect 0 "$MIRROR" --once
fact daily | grep -q 'made up for' || fail "it was not made up for: $(fact daily)"
fact daily | grep -q '0 taken, 2 unchanged, 0 failed, 0 not sent' || fail "daily: $(fact daily)"
[ "$(daily "SELECT value > strftime('%s','now') * 1000 FROM fact WHERE name = 'daily'")" = 1 ] ||
	fail "the next daily run has no date"

# Nobody writes to a database for days: its snapshot holds all the same.
daily "UPDATE fact SET at_ms = at_ms - 5 * 86400000 WHERE name LIKE 'db:%'"
fact db:notes/app.db | grep -q '"state": "unknown"' || fail "old evidence is believed"
expect 0 "$MIRROR" --once
fact db:notes/app.db | grep -q '"state": "healthy"' || fail "a quiet database: $(fact db:notes/app.db)"

# Emptied: told at each snapshot, until a person says that it is fine; the next loss is
# told again.
sed -i '/^\[sqlite\]/a every = "1s"' "$CONFIG"
sleep 1
sqlite3 notes/app.db 'DELETE FROM t WHERE a > 3'
expect 0 "$MIRROR" --once
fact db:notes/app.db | grep -q 'lost most of its rows' || fail "an emptied table: $(fact db:notes/app.db)"
sleep 1
sqlite3 notes/app.db 'INSERT INTO t VALUES (200)'
expect 0 "$MIRROR" --once
fact db:notes/app.db | grep -q 'lost most of its rows' || fail "forgotten: $(fact db:notes/app.db)"
expect 0 "$MIRROR" accept db:notes/app.db
fact db:notes/app.db | grep -q '"state": "healthy"' || fail "accepted: $(fact db:notes/app.db)"
sleep 1
sqlite3 notes/app.db 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 100) INSERT INTO t SELECT i FROM n'
expect 0 "$MIRROR" --once
fact db:notes/app.db | grep -q '"state": "healthy"' || fail "it grew: $(fact db:notes/app.db)"
sleep 1
sqlite3 notes/app.db 'DELETE FROM t'
expect 0 "$MIRROR" --once
fact db:notes/app.db | grep -q 'lost most of its rows' || fail "the next loss: $(fact db:notes/app.db)"
expect 0 "$MIRROR" accept db:notes/app.db

# Another file in its place: the same.
sleep 1
sqlite3 other.db 'CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)'
ln notes/app.db kept.db
mv other.db notes/app.db
expect 0 "$MIRROR" --once
fact db:notes/app.db | grep -q 'another database stands' || fail "replaced: $(fact db:notes/app.db)"
sleep 1
sqlite3 notes/app.db 'INSERT INTO t VALUES (3)'
expect 0 "$MIRROR" --once
fact db:notes/app.db | grep -q 'another database stands' || fail "forgotten: $(fact db:notes/app.db)"
expect 0 "$MIRROR" accept db:notes/app.db
sleep 1
sqlite3 notes/app.db 'INSERT INTO t VALUES (4)'
expect 0 "$MIRROR" --once
fact db:notes/app.db | grep -q '"state": "healthy"' || fail "accepted: $(fact db:notes/app.db)"

# Off-site: without a recipient nothing leaves, and that is told.
command -v rclone >/dev/null && command -v age-keygen >/dev/null || exit 0
sed -i "/^\[sqlite\]/a offsite = \"rclone:$W/away\"" "$CONFIG"
sleep 1
sqlite3 notes/app.db 'INSERT INTO t VALUES (5)'
"$MIRROR" --once >/dev/null 2>&1
[ -e away ] && fail "something left the machine in plain"
fact offsite | grep -q 'encrypted' || fail "offsite without a key: $(fact offsite)"
fact offsite | grep -q '"state": "degraded"' || fail "offsite without a key: $(fact offsite)"
age-keygen -o key 2>/dev/null
sed -i "/^\[sqlite\]/a recipient = \"$(age-keygen -y key)\"" "$CONFIG"
sleep 1
sqlite3 notes/app.db 'INSERT INTO t VALUES (6)'
sqlite3 "notes/$secret.db" 'INSERT INTO t VALUES (8)'
expect 0 "$MIRROR" --once
object=$(find away -name '*.age' | grep notes-app | head -1)
[ -n "$object" ] || fail "nothing was sent: $(fact offsite)"
expect 1 grep -rlaF "$secret" "$XDG_STATE_HOME" "$XDG_DATA_HOME" away
fact offsite | grep -q '"state": "healthy"' || fail "offsite: $(fact offsite)"
# The copy there is lost: the daily run finds that, and sends it again; one rclone does it
# for all databases.
rm "$object"
mkdir bin
printf '#!/bin/sh\necho "$1" >>%s/starts\nexec %s "$@"\n' "$W" "$(command -v rclone)" >bin/rclone
chmod +x bin/rclone
everyday=$PATH
PATH=$W/bin:$PATH
daily "UPDATE fact SET value = value - 3 * 86400000 WHERE name = 'daily'"
expect 0 "$MIRROR" --once
[ -e "$object" ] || fail "the lost copy was not sent again"
PATH=$everyday
is "$(cat starts)" rcd "starts of rclone for two databases"
# Damaged there: what the deep probe finds is said by every one, until it is mended.
flip "$object" 300
expect 2 "$MIRROR" health --deep --json
deep=$(grep -o 'the off-site copy of [^"(]*' out | head -1 | sed 's/ *$//')
case $deep in *"is gone or damaged"*) ;; *) fail "a damaged copy: $(cat out)" ;; esac
for _ in 1 2; do
	fact offsite | grep -qF "$deep" || fail "not in the same words: $(fact offsite), but $deep"
	fact offsite | grep -q '"state": "failed"' || fail "a damaged copy: $(fact offsite)"
done
expect 0 "$MIRROR" db snapshot notes/app.db
fact offsite | grep -q '"state": "healthy"' || fail "mended: $(fact offsite)"
# Gone here and there only: it is brought back from there.
name=$(basename "$object")
folder=$(dirname "$(find "$XDG_DATA_HOME"/mirror/snapshots/notes-app* -name "$name")")
rm "$folder/$name"
sed -i "/$name/,/\"local\"/s/\"local\": *true/\"local\": false/" "$folder/manifest.json"
expect 0 "$MIRROR" db restore notes/app.db "$name" --key key --to away.db
is "$(sqlite3 away.db 'SELECT max(a) FROM t')" 6 "what came back from off-site"
is "$(find "$folder" -name '.mirror-new*' | wc -l)" 0 "temporaries left"
