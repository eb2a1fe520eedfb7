#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command line as a client of the agent: the same answers from the agent, from another
# one by socket or by port, and from the state when nobody answers; the status page opens
# with or without an agent.
. "$(dirname "$0")/lib.sh"
needs git
needs jq
needs curl
needs sqlite3

mkdir notes
printf 'one\n' >notes/a.md
sqlite3 notes/app.db 'CREATE TABLE t(x); INSERT INTO t VALUES(1)'
cat >"$CONFIG" <<TOML
[[watch]]
path = "$W/notes"
[brain]
remote = "none"
settle = "100ms"
sweep = "1h"
[sqlite]
every = "1h"
[api]
http = "127.0.0.1:0"
TOML
socket=$XDG_RUNTIME_DIR/mirror/api.sock
agent=
stop_agent() {
	[ -z "$agent" ] || { kill -CONT "$agent"; kill "$agent"; wait "$agent"; } 2>/dev/null || true
	agent=
}
at_end='stop_agent'
start_agent() {
	"$MIRROR" run >agent.out 2>agent.err &
	agent=$!
	for _ in $(seq 300); do
		[ "$(curl -s --unix-socket "$socket" http://localhost/livez)" = ok ] && break
		sleep 0.1
	done
}
# Wait until a command says yes.
until_true() {
	for _ in $(seq 300); do
		if "$@" >/dev/null 2>&1; then
			return 0
		fi
		sleep 0.1
	done
	fail "never true: $*"
}
commits() {
	git -C "$BRAIN" rev-list --count HEAD
}

# Nobody answers: the state itself.
expect 0 "$MIRROR" status --json
is "$(jq -r .source out)" state "the source without an agent"
is "$(jq -r .agent.running out)" false "an agent"

start_agent
until_true git -C "$BRAIN" rev-parse HEAD
until_true sh -c "'$MIRROR' db list --json | jq -e '.databases[0].snapshots[0]'"
"$MIRROR" --once >once 2>&1
expect 0 "$MIRROR" status --json
is "$(jq -r .source out)" agent "the source with an agent"
jq -S 'del(.agent.beat_age_ms, .agent.task, .source, .next, .jobs)' out >by-cli
curl -s --unix-socket "$socket" http://localhost/v1/status |
	jq -S 'del(.agent.beat_age_ms, .agent.task, .source, .next, .jobs)' >by-api
cmp -s by-cli by-api || fail "status differs: $(diff by-cli by-api)"
expect 0 "$MIRROR" status
says out "running, pid $agent"
for what in "db list|/v1/databases" "machines|/v1/machines" "secrets list|/v1/secrets"; do
	# shellcheck disable=SC2086 # words of a verb
	"$MIRROR" ${what%|*} --json | jq -S . >by-cli
	curl -s --unix-socket "$socket" "http://localhost${what#*|}" | jq -S 'del(.next)' >by-api
	cmp -s by-cli by-api || fail "${what%|*} differs: $(diff by-cli by-api)"
done
"$MIRROR" ledger --json >by-cli
curl -s --unix-socket "$socket" http://localhost/v1/ledger >by-api
cmp -s by-cli by-api || fail "the ledger differs"

# An agent that keeps another state is not believed.
expect 0 env XDG_STATE_HOME="$W/other" "$MIRROR" status --json
is "$(jq -r .source out)" state "the source of another state"
is "$(jq -r .agent.running out)" false "an agent of another state"

# One that is stopped does not make anybody wait, and is told.
kill -STOP "$agent"
before=$(date +%s%N)
expect 0 "$MIRROR" status --json
[ $((($(date +%s%N) - before) / 1000000)) -lt 5000 ] || fail "status waited for a stopped agent"
is "$(jq -r '.source + " " + .agent.silent' out)" "state stopped" "a stopped agent"
# What is asked for stands in the state, where the agent finds it when it goes on: a socket
# that does not answer is in nobody's way.
for what in "pause 1h" resume cancel "db list" "secrets list"; do
	before=$(date +%s%N)
	# shellcheck disable=SC2086 # words of a verb
	expect 0 "$MIRROR" $what
	[ $((($(date +%s%N) - before) / 1000000)) -lt 5000 ] || fail "$what waited for a stopped agent"
done
kill -CONT "$agent"

# Another agent, by its socket: as if it were here, whatever is here.
far() {
	env -u XDG_RUNTIME_DIR HOME="$W/nowhere" XDG_CONFIG_HOME="$W/nowhere" XDG_STATE_HOME="$W/nowhere" \
		XDG_DATA_HOME="$W/nowhere" "$@"
}
expect 0 far "$MIRROR" status --socket "$socket" --json
is "$(jq -r .source out)" agent "the source by socket"
printf 'two\n' >notes/b.md
expect 0 far "$MIRROR" --once --socket "$socket" --json
is "$(jq -r .schema out)" mirror.once/1 "a cycle over there"
is "$(jq -r .files.mirrored out)" 2 "mirrored over there"
git -C "$BRAIN" cat-file -e HEAD:notes/b.md || fail "the cycle over there did not take it in"
expect 0 far "$MIRROR" pause 1h --reason tea --socket "$socket" --json
is "$(jq -r '[.schema, .paused, .reason] | join(" ")' out)" "mirror.pause/1 true tea" "a pause over there"
expect 0 "$MIRROR" status --json
is "$(jq -r .agent.paused out)" true "it is paused"
expect 0 far "$MIRROR" resume --socket "$socket"
is "$(cat out)" "it goes on" "the end of a pause over there"
expect 0 far "$MIRROR" resume --socket "$socket"
is "$(cat out)" "it is not paused" "no pause over there"
expect 0 far "$MIRROR" drill --socket "$socket" --json
is "$(jq -r '[.schema, .outcome, .exit] | join(" ")' out)" "mirror.drill/1 passed 0" "a drill over there"
expect 64 far "$MIRROR" drill --files 3 --socket "$socket"
got=0
"$MIRROR" health --json >out || got=$?
jq -S '[.schema, .state, [.facts[].name]]' out >by-cli
expect "$got" far "$MIRROR" health --socket "$socket" --json
jq -S '[.schema, .state, [.facts[].name]]' out >by-api
cmp -s by-cli by-api || fail "health over there differs: $(diff by-cli by-api)"
expect "$got" far "$MIRROR" health --socket "$socket"
says out "all 3 files accounted for"
expect 64 far "$MIRROR" health --deep --socket "$socket"
expect 0 far "$MIRROR" cancel --socket "$socket"
says out "nothing is under way"
expect 0 far "$MIRROR" db list --socket "$socket"
says out "notes/app.db"
sqlite3 notes/app.db 'INSERT INTO t VALUES(2)'
expect 0 far "$MIRROR" db snapshot notes/app.db --socket "$socket" --json
is "$(jq -r .schema out)" mirror.db-snapshot/1 "a snapshot over there"
sqlite3 notes/app.db '.backup copy.db'
expect 0 far "$MIRROR" db restore notes/app.db copy.db --socket "$socket" --json
is "$(jq -r .state out)" staged "the restore over there"
id=$(jq -r .id out)
expect 0 far "$MIRROR" db restore notes/app.db --list --socket "$socket"
says out "$id"
expect 2 far "$MIRROR" db restore notes/app.db --cancel nope --socket "$socket"
expect 0 far "$MIRROR" db restore notes/app.db --cancel "$id" --socket "$socket"
expect 0 far "$MIRROR" db restore notes/app.db --list --socket "$socket" --json
is "$(jq -c '[.schema, .restores]' out)" '["mirror.db-restores/1",[]]' "what is staged over there"
expect 0 far "$MIRROR" db verify notes/app.db --socket "$socket" --json
is "$(jq -c '[.bad, .good == (.snapshots | length), .good > 0]' out)" '[0,true,true]' "snapshots read again over there"
expect 0 far "$MIRROR" db verify --socket "$socket"
says out "good, 0 bad"
expect 65 far "$MIRROR" db restore notes/app.db notes/a.md --socket "$socket"
says err not_a_database
is "$(sqlite3 notes/app.db 'SELECT count(*) FROM t')" 2 "rows of the live database"
expect 2 far "$MIRROR" status --socket "$W/none.sock"
says err "no agent answers"

# By port, with a token and what it may do.
link=$("$MIRROR" web --no-open 2>/dev/null)
base=${link%/enter*}
expect 77 far "$MIRROR" status --url "$base"
grep '^read ' "$STATE/api.token" >token
expect 0 far "$MIRROR" status --url "$base" --token-file token
says out "running, pid"
expect 77 far "$MIRROR" --once --url "$base" --token-file token
says err forbidden
expect 0 far env MIRROR_TOKEN="$(awk '$1 == "operate" { print $2 }' "$STATE/api.token")" \
	"$MIRROR" --once --url "$base"
expect 64 far "$MIRROR" status --url https://127.0.0.1:1
expect 64 far "$MIRROR" status --url "$base" --socket "$socket"

# The link is good once.
is "$(curl -s -o /dev/null -w '%{http_code}' -c jar "$link")" 303 "the link"
is "$(curl -s -o /dev/null -w '%{http_code}' -c jar "$link")" 403 "the link again"
expect 0 far "$MIRROR" web --no-open --socket "$socket" --json
is "$(jq -r .source out)" agent "who serves the page"

# A live view that is no terminal: a line for each change, and a signal ends it well.
"$MIRROR" status --watch >watched 2>&1 &
watcher=$!
until_true grep -q "agent running" watched
"$MIRROR" pause 1h >/dev/null
until_true grep -q "agent running, paused" watched
"$MIRROR" resume >/dev/null
kill -TERM "$watcher"
wait "$watcher" || fail "the live view ended with status $?"
grep -q "$(printf '\033')" watched && fail "a line holds an escape"
"$MIRROR" status --watch --json >watched 2>&1 &
watcher=$!
until_true sh -c "[ -s watched ] && jq -e .schema watched"
kill -INT "$watcher"
wait "$watcher" || fail "the live view as JSON ended with status $?"
# On a terminal it is drawn, without colour when nobody wants any.
if command -v script >/dev/null; then
	TERM=xterm NO_COLOR=1 script -qec "timeout -s INT 3 '$MIRROR' status --watch" /dev/null >drawn 2>&1 || true
	grep -q "$(printf '\033\\[?1049h')" drawn || fail "the terminal was not drawn on"
	grep -q "$(printf '\033\\[3[0-9]m')" drawn && fail "colour, although NO_COLOR"
	says drawn "running, pid"
fi

# Long work draws a bar on a terminal, and asks how far it is over there.
if command -v script >/dev/null; then
	head -c 60000000 /dev/urandom >big
	sqlite3 notes/big.db "CREATE TABLE b(x); INSERT INTO b VALUES(readfile('big'))"
	rm big
	expect 0 "$MIRROR" db snapshot notes/big.db
	sqlite3 notes/big.db '.backup big.copy'
	on_terminal() {
		TERM=xterm script -qec "$*" /dev/null >drawn 2>&1 || fail "on a terminal: $*: $(tail -c 300 drawn)"
	}
	on_terminal "'$MIRROR' db restore notes/big.db --to '$W/back.db'"
	grep -q 'unpack \[#*\.*\] *[0-9]*% [0-9.]* [KM]*i*B/[0-9.]* MiB' drawn || fail "no bar of a restore"
	on_terminal "'$MIRROR' db restore notes/big.db big.copy --socket '$socket'"
	grep -q 'sent \[#*\.*\] *[0-9]*% [0-9.]* [KM]*i*B/[0-9.]* MiB' drawn || fail "no bar of an upload"
	on_terminal "'$MIRROR' db snapshot notes/big.db --socket '$socket'"
	"$MIRROR" db restore notes/big.db --to "$W/back2.db" >plain 2>&1
	grep -q "$(printf '\033\|\r')" plain && fail "a bar where nobody looks"
	rm -f back.db back2.db big.copy notes/big.db
fi

# A socket that systemd made and hands over: served beside our own, not waited at, and not
# given to a child.
hand_over() {
	python3 - "$MIRROR" "$1" >agent.out 2>agent.err <<'PY' &
import os, socket, sys
unix = sys.argv[2] != "everybody"
listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
listener.bind(sys.argv[2] if unix else ("0.0.0.0", 0))
listener.listen(16)
os.dup2(listener.fileno(), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[1], [sys.argv[1], "run"])
PY
	agent=$!
}
if command -v python3 >/dev/null; then
	stop_agent
	hand_over "$W/handed.sock"
	until_true sh -c "[ \"\$(curl -s --unix-socket '$W/handed.sock' http://localhost/livez)\" = ok ]"
	until_true sh -c "[ \"\$(curl -s --unix-socket '$socket' http://localhost/livez)\" = ok ]"
	expect 0 far "$MIRROR" status --socket "$W/handed.sock"
	says out "running, pid $agent"
	# O_CLOEXEC and O_NONBLOCK, as the kernel shows them.
	flags=$(sed -n 's/^flags:[[:space:]]*//p' "/proc/$agent/fdinfo/3")
	is $((0$flags & 02004000)) $((02004000)) "the flags of the socket handed over ($flags)"
	stop_agent
	[ -S "$W/handed.sock" ] || fail "the socket of systemd was removed"
	# One that other machines could reach is refused.
	hand_over everybody
	until_true grep -q "no listening socket of this machine alone" agent.err
fi

# Without an agent the page is served by the command itself, for as long as it runs.
stop_agent
"$MIRROR" web --no-open >link 2>web.err &
web=$!
until_true test -s link
is "$(curl -s -o /dev/null -w '%{http_code}' -c jar "$(cat link)")" 303 "the link of the command"
base=$(sed 's,/enter.*,,' link)
curl -s -b jar "$base/" >page
says page "mirrored"
is "$(curl -s -o /dev/null -w '%{http_code}' "$base/")" 401 "a stranger"
is "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(awk '$1 == "read" { print $2 }' \
	"$STATE/api.token")" "$base/")" 401 "a token there"
kill -INT "$web"
wait "$web" || fail "web ended with status $?"
