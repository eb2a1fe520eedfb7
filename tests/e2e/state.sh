#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The agent's own state: a copy by its socket, in the words of MCP; and back, staged now and
# put in place at the next start, whatever was staged.
. "$(dirname "$0")/lib.sh"
needs git
needs sqlite3
needs python3

cat >ask.py <<'PY'
import json, socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect(sys.argv[1])
lines = door.makefile("rw")
def ask(method, params, number=[0]):
    number[0] += 1
    lines.write(json.dumps({"jsonrpc": "2.0", "id": number[0], "method": method, "params": params}) + "\n")
    lines.flush()
    answer = json.loads(lines.readline())
    assert answer["jsonrpc"] == "2.0" and answer["id"] == number[0], answer
    return answer
assert ask("initialize", {"protocolVersion": "2024-11-05", "capabilities": {}})["result"]["serverInfo"]["name"] == "mirror"
lines.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
if sys.argv[2] == "talk":
    assert ask("ping", {})["result"] == {}
    tools = ask("tools/list", {})["result"]["tools"]
    assert [t["name"] for t in tools] == ["backup_vacuum_into"], tools
    assert tools[0]["annotations"]["idempotentHint"] is False
    assert tools[0]["inputSchema"]["required"] == ["target_path"]
    assert ask("no/such", {})["error"]["code"] == -32601
    assert ask("tools/call", {"name": "rm", "arguments": {}})["error"]["code"] == -32602
    assert ask("tools/call", {"name": "backup_vacuum_into", "arguments": {}})["error"]["code"] == -32602
    lines.write("this is no json\n"); lines.flush()
    assert json.loads(lines.readline())["error"]["code"] == -32700
    lines.write('{"jsonrpc":"2.0","id":"a word","method":"ping"}\n'); lines.flush()
    assert json.loads(lines.readline())["id"] == "a word"
else:
    arguments = {"target_path": sys.argv[2]}
    if len(sys.argv) > 3:
        arguments["database"] = sys.argv[3]
    result = ask("tools/call", {"name": "backup_vacuum_into", "arguments": arguments})["result"]
    print(result["content"][0]["text"])
    sys.exit(1 if result["isError"] else 0)
PY

mkdir notes
printf 'hello\n' >notes/a.md
expect 0 "$MIRROR" init notes
agent_up() {
	"$MIRROR" run >agent.log 2>&1 &
	agent=$!
	for _ in $(seq 200); do
		[ -S "$XDG_RUNTIME_DIR/mirror/state.sock" ] && "$MIRROR" status --json | grep -q '"running": true' && return 0
		sleep 0.1
	done
	fail "the agent did not come up: $(cat agent.log)"
}
agent_down() {
	kill "$1" "$agent" 2>/dev/null || true
	wait "$agent" 2>/dev/null || true
}
agent_up
sock=$XDG_RUNTIME_DIR/mirror/state.sock
is "$(stat -c %a "$sock")" 600 "mode of the socket"
expect 0 python3 ask.py "$sock" talk

# A copy is whole, is that database, and is for our eyes only.
mkdir backups
expect 0 python3 ask.py "$sock" "$W/backups/ledger.sqlite"
says out '"inode":'"$(stat -c %i "$STATE/ledger.sqlite")"
is "$(sqlite3 backups/ledger.sqlite 'PRAGMA integrity_check; SELECT count(*) > 0 FROM entries')" "ok
1" "the copy of the ledger"
is "$(stat -c %a backups/ledger.sqlite)" 600 "mode of the copy"
for which in queue evidence; do
	expect 0 python3 ask.py "$sock" "$W/backups/$which.sqlite" "$which"
	is "$(sqlite3 "backups/$which.sqlite" 'PRAGMA integrity_check')" ok "the copy of the $which"
done
is "$(find backups -type f | wc -l)" 3 "files beside the copies"

# Twice is refused; so is the live database and what belongs to it, by whatever name.
before=$(sha256sum <backups/ledger.sqlite)
expect 1 python3 ask.py "$sock" "$W/backups/ledger.sqlite"
says out "exists already"
ln -s "$STATE" elsewhere
ln "$STATE/evidence.sqlite" hard.sqlite
ln -s "$STATE/queue.sqlite" soft.sqlite
ln -s nowhere dangling.sqlite
: >taken.sqlite-wal
for target in "$STATE/ledger.sqlite" "$STATE/ledger.sqlite-wal" "$STATE/queue.sqlite-journal" \
	"$W/elsewhere/queue.sqlite-shm" "$STATE/../$(basename "$STATE")/evidence.sqlite" \
	"$W/hard.sqlite" "$W/soft.sqlite" "$W/dangling.sqlite" "$W/taken.sqlite" \
	relative.sqlite "$W/none/x.sqlite" "$W/backups/." "$W/backups/"; do
	expect 1 python3 ask.py "$sock" "$target"
done
is "$(sha256sum <backups/ledger.sqlite)" "$before" "the copy after being refused"
is "$(find . -name '.mirror-new*' -not -path './home/*' | wc -l)" 0 "temporaries left"
expect 0 "$MIRROR" --once

# Back it up, change it, stage it, start again: it is as it was, and everything is looked at.
expect 0 python3 ask.py "$sock" "$W/backups/before.sqlite" evidence
agent_down -TERM
sqlite3 "$STATE/evidence.sqlite" "INSERT INTO accepted VALUES ('reboot', 'x', 'planted', 0, 1, 0)"
expect 64 "$MIRROR" db restore state:evidence backups/before.sqlite --in-place
expect 65 "$MIRROR" db restore state:evidence backups/ledger.sqlite --stage
says err wrong_database
: >empty
expect 65 "$MIRROR" db restore state:queue empty --stage
expect 0 "$MIRROR" db restore state:evidence backups/before.sqlite --in-place --yes
says out "restored in place"
is "$(sqlite3 "$STATE/evidence.sqlite" "SELECT count(*) FROM accepted WHERE reason = 'planted'")" 0 "nobody worked with it: at once"
sqlite3 "$STATE/evidence.sqlite" "INSERT INTO accepted VALUES ('reboot', 'x', 'planted', 0, 1, 0)"
expect 0 "$MIRROR" db restore state:evidence backups/before.sqlite --stage
expect 0 "$MIRROR" db restore state:ledger backups/ledger.sqlite --stage
expect 0 "$MIRROR" db restore state:ledger --list
says out "staged"
printf 'newer than the copy of the ledger\n' >notes/b.md
agent_up
grep -q 'state:evidence was restored' agent.log || fail "not restored: $(cat agent.log)"
grep -q 'state:ledger was restored' agent.log || fail "not restored: $(cat agent.log)"
is "$(sqlite3 "$STATE/evidence.sqlite" "SELECT count(*) FROM accepted WHERE reason = 'planted'")" 0 "what came after the copy"
expect 0 "$MIRROR" --once --json
says out '"mirrored": 2'
git -C "$BRAIN" cat-file -e HEAD:notes/b.md || fail "what is newer than the ledger was not mirrored"
expect 0 "$MIRROR" db restore state:evidence --list
says out "applied"

# While the agent runs it waits for the next start; it can be dropped.
expect 0 "$MIRROR" db restore state:queue backups/queue.sqlite --in-place --yes --json
says out '"result": "staged"'
id=$(sed -n 's/^  "id": "\(.*\)",$/\1/p' out)
expect 0 "$MIRROR" db restore state:queue --cancel "$id"
# One that went bad on the way is set aside, and stops nothing.
expect 0 "$MIRROR" db restore state:queue backups/queue.sqlite --stage
staged=$(find "$XDG_DATA_HOME" -path '*state-queue*' -name '*.sqlite')
printf 'XXXXXXXX' | dd of="$staged" bs=1 seek=5000 conv=notrunc 2>/dev/null
agent_down -TERM
agent_up
grep -q 'set aside' agent.log || fail "a bad file is not told: $(cat agent.log)"
expect 0 "$MIRROR" db restore state:queue --list
says out "bad"
expect 0 "$MIRROR" --once
# Killed at any moment of a start: the state is the old one or the new one, whole.
for wait in 0.01 0.05 0.1 0.2; do
	agent_down -KILL
	expect 0 "$MIRROR" db restore state:evidence backups/before.sqlite --stage
	"$MIRROR" run >agent.log 2>&1 &
	agent=$!
	sleep "$wait"
done
agent_down -KILL
agent_up
for file in ledger queue evidence; do
	is "$(sqlite3 "$STATE/$file.sqlite" 'PRAGMA integrity_check')" ok "$file after the kills"
done
expect 0 "$MIRROR" --once
is "$(find "$STATE" -name '.mirror-new*' | wc -l)" 0 "temporaries in the state"
agent_down -TERM
[ -e "$sock" ] && fail "the socket stays behind"
exit 0
