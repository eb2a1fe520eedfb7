#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A database whose program insists on being the only one: asked over its socket, by hand and
# by the agent, and never gone around; one that never answers runs into the time limit, 124,
# and is left alone until its next turn.
. "$(dirname "$0")/lib.sh"
needs git
needs sqlite3
needs python3

cat >owner.py <<'PY'
import json, os, socket, sqlite3, sys
path, where, manner, log = sys.argv[1:5]
db = sqlite3.connect(path, isolation_level=None)
db.execute("SELECT count(*) FROM t").fetchone()
door = socket.socket(socket.AF_UNIX)
door.bind(where)
door.listen(4)
while True:
    peer = door.accept()[0]
    lines = peer.makefile("rw")
    for line in lines:
        ask = json.loads(line)
        if ask.get("method") == "initialize":
            lines.write(json.dumps({"jsonrpc": "2.0", "id": ask["id"], "result": {}}) + "\n")
            lines.flush()
        if ask.get("method") == "tools/call":
            target = ask["params"]["arguments"]["target_path"]
            with open(log, "a") as out:
                out.write(ask["params"]["name"] + " " + target + "\n")
            if manner == "silent":
                continue
            db.execute("VACUUM INTO ?", (target,))
            lines.write(json.dumps({"jsonrpc": "2.0", "id": ask["id"], "result": {}}) + "\n")
            lines.flush()
PY
owner_up() {
	rm -f owner.sock
	python3 owner.py notes/app.db owner.sock "$1" calls &
	owner=$!
	for _ in $(seq 100); do
		[ -S owner.sock ] && return 0
		sleep 0.05
	done
	fail "no owner"
}
owner_down() {
	kill "$owner"
	wait "$owner" 2>/dev/null || true
}

mkdir notes
sqlite3 notes/app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)' >/dev/null
: >calls
owner_up good
expect 0 "$MIRROR" init notes
printf '\n[[database]]\npath = "%s/notes/app.db"\nname = "store"\nowner = "unix:%s/owner.sock"\n' "$W" "$W" >>"$CONFIG"
sed -i '/^\[sqlite\]/a timeout = "20s"' "$CONFIG"
sqlite3 notes/app.db 'UPDATE t SET a = 30 WHERE a = 3'
expect 0 "$MIRROR" db snapshot store --json
says out '"method": "owner"'
is "$(grep -c '^backup_vacuum_into ' calls)" 1 "calls of the tool"
expect 0 "$MIRROR" db snapshot store -o plain.db
is "$(sqlite3 plain.db 'SELECT count(*) FROM t')" 3 "rows of the plain copy"
is "$(grep -c . calls)" 2 "calls"
# What came from the owner comes back.
expect 0 "$MIRROR" db restore store --to owned.db
is "$(sqlite3 owned.db 'PRAGMA integrity_check; SELECT group_concat(a) FROM t')" "ok
1,2,30" "what came back of the owner's copy"
# By the name that its program gives the tool.
sed -i '/^owner = /a tool = "copy_it"' "$CONFIG"
expect 0 "$MIRROR" db snapshot store -o named.db
is "$(tail -1 calls | cut -d' ' -f1)" copy_it "the tool that was called"
sed -i '/^tool = /d' "$CONFIG"
sed -i '$d' calls
# Its fact goes by the name that was given, and by no other.
facts() { "$MIRROR" health --json | grep -o '"name": "db:[^"]*"' | tr '\n' ' '; }
old() { sqlite3 "$STATE/ledger.sqlite" "UPDATE meta SET value = 'snapshot 1000 -' WHERE key = 'db:notes/app.db'"; }
old
expect 0 "$MIRROR" --once
is "$(facts)" '"name": "db:store" ' "the facts of databases"
is "$(grep -c . calls)" 3 "calls"
owner_down

# Nobody there: a failure with its reason, and no other way is taken.
: >calls
expect 69 "$MIRROR" db snapshot store
says err "does not answer"
says err "start the program that owns"
expect 69 "$MIRROR" db snapshot store -o other.db
[ -e other.db ] && fail "it went around the owner"

# It never answers.
sed -i 's/^timeout = .*/timeout = "2s"/' "$CONFIG"
owner_up silent
expect 124 "$MIRROR" db snapshot store
expect 124 "$MIRROR" db snapshot store -o other.db
[ -e other.db ] && fail "there is a copy nobody made"
[ -e other.db.part ] && fail "a part is left"
: >calls
old
expect 1 "$MIRROR" --once
is "$(grep -c . calls)" 1 "calls of a run"
"$MIRROR" health --json | tr -d '\n' | grep -q '"name": "db:store", *"state": "failed"' ||
	fail "that it timed out is not told"
# Not again at once: it waits for its next turn.
expect 1 "$MIRROR" --once
is "$(grep -c . calls)" 1 "calls after another run"
owner_down
