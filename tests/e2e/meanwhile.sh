#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A push to a slow remote, a repack, a snapshot, a verify and a drill take as long as they
# take: what is saved meanwhile is committed at once.  Nothing here is a matter of time: the slow one waits
# until it is told to go on, which is after the commit was seen.
. "$(dirname "$0")/lib.sh"
needs git
needs sqlite3
needs jq

mkdir -p notes
printf 'one\n' >notes/a.md
sqlite3 notes/app.db 'CREATE TABLE t(x); INSERT INTO t VALUES (1)'
notes_and_remote 'settle = "10ms"' '[sqlite]' 'every = "1s"'
expect 0 "$MIRROR" --once

slow_git
slow_remote

start_agent() {
	PATH=$W/bin:$PATH "$MIRROR" run 2>>agent.log &
	agent=$!
}
start_agent
at_end='kill $agent 2>/dev/null; for at in push repack fsck fetch; do let_go $at; done; wait $agent 2>/dev/null'
committed() { "$real_git" -C "$BRAIN" cat-file -e "HEAD:notes/$1"; }
pushed() { "$real_git" -C remote.git cat-file -e "host/box:notes/$1"; }
until_ "the agent" grep -q watching agent.log

# --- a push
hold push
printf 'x\n' >notes/first.md
until_ "a push" test -e push.begun
for i in 1 2 3; do
	printf 'x\n' >"notes/during$i.md"
	until_ "a commit during a push" committed "during$i.md"
done
if pushed first.md 2>/dev/null; then fail "the push was not held"; fi
"$MIRROR" status --json >out || true
is "$(jq -r .jobs.push.in_progress out)" true "the push goes on"
expect 0 "$MIRROR" config check
# Who waits for a cycle does not wait for the push.
expect 0 timeout 60 "$MIRROR" --once --no-push
let_go push
until_ "the trailing push" pushed during3.md

# Killed while a commit lies within a push: both are taken up again (I5).
hold push
printf 'x\n' >notes/second.md
until_ "another push" test -e push.begun
printf 'x\n' >notes/killed.md
until_ "a commit during it" committed killed.md
kill -9 $agent
wait $agent 2>/dev/null || true
printf 'x\n' >notes/unseen.md
let_go push
# What it had begun ends by itself, and would meet the next push.
wait_for 60 sh -c '! pgrep -f "receive-pack.*$1/remote.git"' sh "$W"
start_agent
until_ "what nobody heard" committed unseen.md
until_ "what was on its way" pushed unseen.md

# --- a repack
hold repack
for i in $(seq 60); do
	printf '%s\n' "$i" >notes/many.md
	until_ "commit $i" sh -c '[ "$("$1" -C "$2" show HEAD:notes/many.md)" = "$3" ]' sh "$real_git" "$BRAIN" "$i"
done
until_ "a repack" test -e repack.begun
for i in 1 2 3; do
	printf 'x\n' >"notes/repack$i.md"
	until_ "a commit during a repack" committed "repack$i.md"
done
let_go repack
until_ "fewer packs" sh -c '[ "$(ls "$1"/.git/objects/pack/*.pack | wc -l)" -lt 50 ]' sh "$BRAIN"
printf 'x\n' >notes/after.md
until_ "a commit after it" committed after.md
until_ "and its push" pushed after.md

# --- a snapshot of a database that somebody has locked
mkfifo say
sqlite3 notes/app.db <say >/dev/null 2>&1 &
writer=$!
exec 7>say
printf 'INSERT INTO t VALUES (2);\nBEGIN EXCLUSIVE;\nINSERT INTO t VALUES (3);\n' >&7
snapshots() { [ "$("$MIRROR" status --json | jq -r .jobs.snapshot.in_progress)" = true ]; }
until_ "a snapshot" snapshots
for i in 1 2 3; do
	printf 'x\n' >"notes/snapshot$i.md"
	until_ "a commit during a snapshot" committed "snapshot$i.md"
done
snapshots || fail "the snapshot did not wait for the lock"
printf 'COMMIT;\n.quit\n' >&7
exec 7>&-
wait $writer || true

# --- a verify and a drill, on the day they are due (jobs 3 and 4), and one by hand
over() { # KIND RUNS
	[ "$("$MIRROR" status --json | jq -r ".jobs.$1 | .in_progress, .done == .want" | tr '\n' ' ')" = "false true " ]
}
hold fsck
let_be_due 3
until_ "a verify" test -e fsck.begun
for i in 1 2 3; do
	printf 'x\n' >"notes/verify$i.md"
	until_ "a commit during a verify" committed "verify$i.md"
done
is "$("$MIRROR" status --json | jq -r .jobs.verify.in_progress)" true "the verify goes on"
let_go fsck
until_ "the verify's end" over verify
is "$("$MIRROR" health --json | jq -r '.facts[] | select(.name == "integrity") | .state')" healthy "integrity"
hold fsck
PATH=$W/bin:$PATH "$MIRROR" verify >verify.out 2>verify.err &
verify=$!
until_ "a verify by hand" test -e fsck.begun
for i in 1 2 3; do
	printf 'y\n' >"notes/verify$i.md"
	until_ "a commit during it" pushed "verify$i.md"
done
let_go fsck
wait $verify || fail "a verify beside the agent: $(cat verify.out verify.err)"

hold fetch
let_be_due 4
until_ "a drill" test -e fetch.begun
for i in 1 2 3; do
	printf 'x\n' >"notes/drill$i.md"
	until_ "a commit during a drill" committed "drill$i.md"
done
is "$("$MIRROR" status --json | jq -r .jobs.drill.in_progress)" true "the drill goes on"
let_go fetch
until_ "the drill's end" over drill
until_ "the push after it" pushed drill3.md
is "$("$MIRROR" health --json | jq -r '.facts[] | select(.name == "drill") | .state')" healthy "drill"
hold fetch
# By hand beside the agent, which pushes meanwhile.
PATH=$W/bin:$PATH "$MIRROR" drill >drill.out 2>drill.err &
drill=$!
until_ "a drill by hand" test -e fetch.begun
rm fetch.hold
printf 'x\n' >notes/drill4.md
until_ "a push during it" pushed drill4.md
let_go fetch
wait $drill || fail "a drill beside the agent: $(cat drill.out drill.err)"

silent_about agent.log "failed"

# A commit that cannot be made within a push is told as waiting, and made later.
hold push
printf 'x\n' >notes/third.md
until_ "one more push" test -e push.begun
new=$BRAIN/.git/mirror/new
mv "$new" "$W/new.away"
: >"$new"
printf 'x\n' >notes/cannot.md
until_ "a commit that fails" grep -q 'sync failed' agent.log
"$MIRROR" status >out || true
says out 'a change of'
silent_about out 'nothing pending'
rm "$new"
mv "$W/new.away" "$new"
let_go push
until_ "what could not be committed" committed cannot.md
until_ "and its push" pushed cannot.md
until_ "the verdict" sh -c '"$1" status | grep -q "nothing pending"' sh "$MIRROR"

kill $agent
wait $agent || true
at_end=:
silent_about agent.log "missing"
"$real_git" -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "git fsck: $(cat fsck)"
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" verify
