#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A root's path leads elsewhere and back again while the agent runs.  No event tells of it,
# and the sweep is far away.
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes other
for i in $(seq 30); do echo "$i" >"notes/$i"; done
echo x >other/x
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$BRAIN"
remote = "none"
settle = "20ms"
EOC
expect 0 "$MIRROR" --once
# Ticks of half a second.
WATCHDOG_USEC=1000000 "$MIRROR" run >agent.out 2>agent.err &
agent=$!
at_end='kill "$agent" 2>/dev/null || true'
has() {
	git -C "$BRAIN" cat-file -e "HEAD:notes/$1"
}
lacks() {
	! has "$1"
}
echo first >notes/first
wait_for 60 has first
mv notes real
ln -s other notes
wait_for 60 has x
has 1 || fail "the files of the root that is away left the commit"
rm notes
mv real notes
wait_for 60 lacks x
echo later >notes/later
wait_for 60 has later
expect 0 "$MIRROR" --once
says out "all 32 files accounted for: 32 protected"
kill "$agent"
wait "$agent" || fail "the agent left with $?"
