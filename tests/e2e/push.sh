#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A push that fails does not undo a cycle that was good: the commit stays, the failure is
# told, and the next run pushes.
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes
printf 'hello\n' >notes/a.md
git init -q --bare remote.git
expect 0 "$MIRROR" init notes --remote "$W/remote.git"
head=$(git -C "$BRAIN" rev-parse HEAD)
branch=$(git -C "$BRAIN" symbolic-ref HEAD)
is "$(git -C remote.git rev-parse "$branch")" "$head" "what the remote has"

expect 0 "$MIRROR" remote test
says out "is at $(printf %.12s "$head")"

mv remote.git gone
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
says out "committed 1 change as "
says err "could not be pushed"
says err "  next: "
expect 69 "$MIRROR" remote test

mv gone remote.git
expect 0 "$MIRROR" --once --no-push
is "$(git -C remote.git rev-parse "$branch")" "$head" "the remote after --no-push"
expect 0 "$MIRROR" --once
is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote at the end"

# A branch that was deleted there is told, and made anew when a person says so.
git -C remote.git update-ref -d "$branch"
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
says err "the branch was deleted at the remote"
says err "next: mirror accept push"
expect 2 "$MIRROR" health
expect 0 "$MIRROR" accept push
"$MIRROR" health >out 2>err && fail "healthy before it was pushed"
says out "the next push makes the branch anew"
expect 0 "$MIRROR" --once
is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the branch made anew"
git -C remote.git update-ref -d "$branch"
expect 0 "$MIRROR" --once
says err "the branch was deleted at the remote"
expect 0 "$MIRROR" accept push
expect 0 "$MIRROR" --once

# Another remote is no deleted branch, and gets everything at once.
git init -q --bare other.git
expect 0 "$MIRROR" remote set "$W/other.git"
expect 0 "$MIRROR" --once
is "$(git -C other.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the other remote"
expect 0 "$MIRROR" remote set "$W/remote.git"
expect 0 "$MIRROR" --once

# Beside an agent the push is waited for as well, and told when it fails.
"$MIRROR" run >agent.out 2>agent.err &
agent=$!
tries=200
until "$MIRROR" status --json | grep -q '"running": true' || [ "$tries" -eq 0 ]; do
	sleep 0.05
	tries=$((tries - 1))
done
printf 'agent\n' >>notes/a.md
expect 0 "$MIRROR" --once
is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote beside an agent"
mv remote.git gone
printf 'agent\n' >>notes/a.md
expect 0 "$MIRROR" --once --json
says err "could not be pushed"
says out '"error": "the last push failed (no-repository)'
# It is not tried again at once, and a restart does not make it so.
expect 0 "$MIRROR" status
grep -q '^push .*waiting, not tried again for' out || fail "status does not tell of the wait: $(grep ^push out)"
attempt() {
	"$MIRROR" status --json | sed -n '/"push": {/,/}/s/.*"attempt": \([0-9]*\).*/\1/p'
}
tries=600
until [ "$(attempt)" -ge 3 ] || [ "$tries" -eq 0 ]; do
	sleep 0.05
	tries=$((tries - 1))
done
tried=$(attempt)
[ "$tried" -ge 3 ] || fail "attempts are not counted: $tried"
kill -KILL $agent
wait $agent 2>/dev/null || true
"$MIRROR" run >agent.out 2>agent.err &
agent=$!
tries=200
until "$MIRROR" status --json | grep -q '"running": true' || [ "$tries" -eq 0 ]; do
	sleep 0.05
	tries=$((tries - 1))
done
[ "$(attempt)" -ge "$tried" ] || fail "a restart forgot the $tried attempts: $(attempt)"
mv gone remote.git
kill -TERM $agent
wait $agent || fail "the agent's end"
expect 0 "$MIRROR" --once

# A password in a URL is shown nowhere.
password=hunter"2secret"
expect 0 "$MIRROR" remote set "https://me:$password@git.invalid/x.git"
silent_about out "$password"
silent_about err "$password"
expect 0 "$MIRROR" config show
silent_about out "$password"
expect 0 "$MIRROR" config show --json
silent_about out "$password"
expect 0 "$MIRROR" remote set none
expect 0 "$MIRROR" remote test
says out "there is no remote: nothing leaves this machine"

# The machines that share a remote are seen from each other.
expect 0 "$MIRROR" remote set "$W/remote.git"
git -C remote.git branch -q host/elsewhere "$(git -C remote.git rev-parse "$branch")"
expect 0 "$MIRROR" machines
is "$(wc -l <out)" 1 "machines before anybody was asked"
says out "this machine"
expect 0 "$MIRROR" machines --fetch --json
says out '"name": "elsewhere"'
is "$(git -C "$BRAIN" symbolic-ref HEAD)" "$branch" "the branch after asking"
git -C "$BRAIN" fsck --strict >/dev/null 2>&1 || fail "fsck"
expect 0 "$MIRROR" remote set "https://me:$password@git.invalid/x.git"
expect 69 "$MIRROR" machines --fetch
silent_about err "$password"
