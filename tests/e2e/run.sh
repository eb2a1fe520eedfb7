#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `mirror run` keeps what changes by itself; `--once` beside it is handed over and waits
# for a cycle that began after it was asked (I5); a stop is a clean one.
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes
printf 'one\n' >notes/a
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
remote = "none"
settle = "50ms"
EOC

holds() {
	[ "$(git -C "$BRAIN" show "HEAD:$1" 2>/dev/null)" = "$2" ]
}

"$MIRROR" run >agent.out 2>agent.err &
agent=$!
stop_agent() {
	kill -TERM $agent 2>/dev/null || true
}
at_end='stop_agent'

wait_for 10 holds notes/a one
printf 'two\n' >notes/a
wait_for 10 holds notes/a two
mkdir -p notes/new/deep
printf 'three\n' >notes/new/deep/b
wait_for 10 holds notes/new/deep/b three

expect 0 "$MIRROR" status --json
says out '"running": true'
says out "\"pid\": $agent"

# Handed over, by many at once: each sees its own change committed when it returns.
for i in 1 2 3 4 5 6 7 8; do
	(
		printf '%s\n' "$i" >"notes/n$i"
		"$MIRROR" --once >"once.$i" 2>&1 || echo "exit $?" >>"once.$i"
		holds "notes/n$i" "$i" || echo "not there" >>"once.$i"
	) &
	pids="${pids:-} $!"
done
# shellcheck disable=SC2086
wait $pids
for i in 1 2 3 4 5 6 7 8; do
	grep -q "accounted for" "once.$i" || fail "once $i: $(cat "once.$i")"
	grep -q -e "not there" -e "^exit" "once.$i" && fail "once $i: $(cat "once.$i")"
done
expect 75 "$MIRROR" --once --no-wait
says err "another run is under way"

# Every file read again also when it is the agent who reads: bytes that changed behind
# an unchanged size and time.
printf 'aaa\n' >notes/quiet
wait_for 10 holds notes/quiet aaa
touch -r notes/quiet "$W/stamp"
printf 'bbb\n' 1<>notes/quiet
touch -r "$W/stamp" notes/quiet
expect 0 "$MIRROR" --once --full
holds notes/quiet bbb || fail "--full beside an agent read nothing"

# A state removed behind its back is made anew, without a commit and without a restart.
head=$(git -C "$BRAIN" rev-parse HEAD)
rm -f "$STATE"/ledger.sqlite* "$STATE"/evidence.sqlite*
wait_for 20 test -s "$STATE/ledger.sqlite"
wait_for 20 "$MIRROR" --once
is "$(git -C "$BRAIN" rev-parse HEAD)" "$head" "the commit after the state was made anew"
"$MIRROR" ledger >out
is "$(wc -l <out)" "$(find notes -type f | wc -l)" "rows made anew"
expect 0 "$MIRROR" status --json
says out "\"pid\": $agent"

# A stopped (not dead) agent does not make the lookers wait.
kill -STOP $agent
before=$(date +%s%N)
expect 0 "$MIRROR" status
took=$((($(date +%s%N) - before) / 1000000))
[ "$took" -lt 1000 ] || fail "status took $took ms beside a stopped agent"
says out "stopped, pid $agent"
says out "kill -CONT $agent"
kill -CONT $agent

kill -TERM $agent
got=0
wait $agent || got=$?
is "$got" 0 "exit status of the agent after SIGTERM"
expect 0 "$MIRROR" status
says out "not running"
git -C "$BRAIN" fsck --strict >/dev/null 2>&1 || fail "fsck"
expect 0 "$MIRROR" --once
says out "nothing changed, no commit"
