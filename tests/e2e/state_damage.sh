#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The queue is overwritten under a running agent: it begins anew, and goes on.
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes
echo 1 >notes/a
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$BRAIN"
remote = "none"
settle = "20ms"
EOC
expect 0 "$MIRROR" --once
"$MIRROR" run >agent.out 2>agent.err &
agent=$!
at_end='kill "$agent" 2>/dev/null || true'
has() {
	git -C "$BRAIN" cat-file -e "HEAD:notes/$1"
}
echo 2 >notes/b
wait_for 60 has b
head -c 60000 /dev/urandom >junk
cat junk >"$STATE/queue.sqlite"
echo 3 >notes/c
wait_for 60 has c
wait_for 60 ls "$STATE"/queue.sqlite.damaged-*
says agent.err "beginning anew"
expect 0 "$MIRROR" --once
says out "all 3 files accounted for"
kill "$agent"
wait "$agent" || fail "the agent left with $?"
