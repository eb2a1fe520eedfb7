#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A small, clean database stands in git at its own place: the snapshot's bytes, the same for
# the same content, at most every `every`.  One with a secret in its rows, or a large one,
# stands there at no time, and its state says so; it goes off-site encrypted only.
. "$(dirname "$0")/lib.sh"
needs git
needs sqlite3
needs zstd

fact() { "$MIRROR" health --json | tr -d '\n' | sed 's/{ *"name"/\n&/g' | grep "^{ *\"name\": \"$1\""; }
in_git() { git -C "$BRAIN" show "HEAD:$1" 2>/dev/null; }

mkdir notes
sqlite3 notes/app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)' >/dev/null
# Large: of no use to git.
sqlite3 notes/large.db 'CREATE TABLE t(x); INSERT INTO t VALUES (randomblob(300000))'
# Put together here: no file of this repository holds one whole.
secret=ghp_$(printf 'x7Kq2LmN8pRt4VwYz1AbC3dEfG5hJ6kM9oPq')
sqlite3 notes/secret.db "CREATE TABLE t(a); INSERT INTO t VALUES ('clean')"
expect 0 "$MIRROR" init notes
is "$(in_git notes/large.db | wc -c)" 307200 "the large one in git"
# It is too large from now on: no cycle fails for it, it only goes from git.
sed -i '/^\[sqlite\]/a every = "1s"\ngit_max = "100KiB"' "$CONFIG"
sleep 1
expect 0 "$MIRROR" --once --full --json
says out '"snapshotted": 3'

# The very bytes of the snapshot that is kept; nothing of the live one, no -wal.
kept=$(find "$XDG_DATA_HOME"/mirror/snapshots/notes-app* -name '*.zst' | sort | tail -1)
is "$(in_git notes/app.db | sha256sum)" "$(zstd -dqc "$kept" | sha256sum)" "the snapshot in git"
in_git notes/app.db >copy.db
is "$(sqlite3 copy.db 'PRAGMA integrity_check; SELECT sum(a) FROM t')" "ok
6" "the database in git"
is "$(git -C "$BRAIN" ls-tree -r --name-only HEAD notes | tr '\n' ' ')" "notes/app.db notes/secret.db " "the databases in git"

# The same content is the same blob, however often it is written.
head=$(git -C "$BRAIN" rev-parse HEAD)
sleep 1
sqlite3 notes/app.db 'INSERT INTO t VALUES (9); DELETE FROM t WHERE a = 9; PRAGMA journal_mode=DELETE' >/dev/null
expect 0 "$MIRROR" --once
is "$(git -C "$BRAIN" rev-parse HEAD:notes)" "$(git -C "$BRAIN" rev-parse "$head:notes")" "notes/ after writes that changed nothing"

# Not more often than `every`.
sed -i 's/^every = .*/every = "1h"/' "$CONFIG"
for n in 4 5 6; do
	sqlite3 notes/app.db "INSERT INTO t VALUES ($n)"
	"$MIRROR" --once >/dev/null 2>&1 || true
done
is "$(git -C "$BRAIN" rev-parse HEAD:notes/app.db)" "$(git -C "$BRAIN" rev-parse "$head:notes/app.db")" "the database in git within the hour"
sed -i 's/^every = .*/every = "1s"/' "$CONFIG"
sleep 1
sqlite3 notes/app.db 'INSERT INTO t VALUES (7)'
expect 0 "$MIRROR" --once
in_git notes/app.db >copy.db
is "$(sqlite3 copy.db 'SELECT sum(a) FROM t')" 28 "the database in git an hour later"

# A secret in its rows: out of git from then on, and told; kept here all the same.
sleep 1
sqlite3 notes/secret.db "INSERT INTO t VALUES ('token: $secret')"
expect 0 "$MIRROR" --once
in_git notes/secret.db >now.db && grep -qaF "$secret" now.db && fail "the secret is in git"
fact db:notes/secret.db | grep -q 'secrets in its rows keep it out of git' || fail "not told: $(fact db:notes/secret.db)"
git -C "$BRAIN" cat-file --batch-all-objects --batch --unordered >objects
grep -qaF "$secret" objects && fail "the secret is among the objects"
expect 1 grep -rlaF "$secret" "$XDG_STATE_HOME"
expect 0 "$MIRROR" db restore notes/secret.db --to secret-back.db
is "$(sqlite3 secret-back.db 'SELECT count(*) FROM t')" 2 "what is kept of it"
# Deleted is not clean by itself: free pages hold it, the snapshot has none.
sleep 1
sqlite3 notes/secret.db 'PRAGMA secure_delete=OFF; DELETE FROM t WHERE a LIKE "token%"' >/dev/null
expect 0 "$MIRROR" --once
in_git notes/secret.db >copy.db
is "$(sqlite3 copy.db 'PRAGMA integrity_check; SELECT group_concat(a) FROM t')" "ok
clean" "the database in git, clean again"
grep -qaF "$secret" copy.db && fail "what was deleted is in git"
fact db:notes/secret.db | grep -q 'keep it out' && fail "still told: $(fact db:notes/secret.db)"
exit 0
