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

real_git=$(command -v git)
mkdir -p notes bin
printf 'one\n' >notes/a.md
sqlite3 notes/app.db 'CREATE TABLE t(x); INSERT INTO t VALUES (1)'
notes_and_remote 'settle = "10ms"' '[sqlite]' 'every = "1s"'
expect 0 "$MIRROR" --once

# A git that waits before it repacks, checks or fetches when it is told to, a hook that
# waits before it takes a push.
cat >bin/git <<EOC
#!/bin/sh
hold() {
	touch "$W/\$1.begun"
	while [ ! -e "$W/\$1.go" ]; do sleep 0.05; done
}
case " \$* " in
*" repack "*) hold repack ;;
*" fsck "*) [ ! -e "$W/fsck.hold" ] || hold fsck ;;
*" fetch "*) [ ! -e "$W/fetch.hold" ] || hold fetch ;;
esac
exec "$real_git" "\$@"
EOC
cat >remote.git/hooks/pre-receive <<EOC
#!/bin/sh
[ ! -e "$W/push.hold" ] && exit 0
touch "$W/push.begun"
while [ ! -e "$W/push.go" ]; do sleep 0.05; done
EOC
chmod +x bin/git remote.git/hooks/pre-receive

start_agent() {
	PATH=$W/bin:$PATH "$MIRROR" run 2>>agent.log &
	agent=$!
}
start_agent
at_end='kill $agent 2>/dev/null; wait $agent 2>/dev/null'
committed() { "$real_git" -C "$BRAIN" cat-file -e "HEAD:notes/$1"; }
pushed() { "$real_git" -C remote.git cat-file -e "host/box:notes/$1"; }
until_ "the agent" grep -q watching agent.log

# --- a push
touch push.hold
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
rm push.hold
touch push.go
until_ "the trailing push" pushed during3.md

# Killed while a commit lies within a push: both are taken up again (I5).
rm -f push.begun push.go
touch push.hold
printf 'x\n' >notes/second.md
until_ "another push" test -e push.begun
printf 'x\n' >notes/killed.md
until_ "a commit during it" committed killed.md
kill -9 $agent
wait $agent 2>/dev/null || true
printf 'x\n' >notes/unseen.md
rm push.hold
touch push.go
# What it had begun ends by itself, and would meet the next push.
wait_for 60 sh -c '! pgrep -f "receive-pack.*$1/remote.git"' sh "$W"
start_agent
until_ "what nobody heard" committed unseen.md
until_ "what was on its way" pushed unseen.md

# --- a repack
for i in $(seq 60); do
	printf '%s\n' "$i" >notes/many.md
	until_ "commit $i" sh -c '[ "$("$1" -C "$2" show HEAD:notes/many.md)" = "$3" ]' sh "$real_git" "$BRAIN" "$i"
done
until_ "a repack" test -e repack.begun
for i in 1 2 3; do
	printf 'x\n' >"notes/repack$i.md"
	until_ "a commit during a repack" committed "repack$i.md"
done
touch repack.go
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
let_be_due() { # KIND
	kill $agent
	wait $agent || true
	sqlite3 "$XDG_STATE_HOME/mirror/queue.sqlite" "UPDATE job SET at_ms = 1 WHERE kind = $1"
	start_agent
}
over() { # KIND RUNS
	[ "$("$MIRROR" status --json | jq -r ".jobs.$1 | .in_progress, .done == .want" | tr '\n' ' ')" = "false true " ]
}
touch fsck.hold
let_be_due 3
until_ "a verify" test -e fsck.begun
for i in 1 2 3; do
	printf 'x\n' >"notes/verify$i.md"
	until_ "a commit during a verify" committed "verify$i.md"
done
is "$("$MIRROR" status --json | jq -r .jobs.verify.in_progress)" true "the verify goes on"
touch fsck.go
until_ "the verify's end" over verify
is "$("$MIRROR" health --json | jq -r '.facts[] | select(.name == "integrity") | .state')" healthy "integrity"
rm fsck.begun fsck.go
PATH=$W/bin:$PATH "$MIRROR" verify >verify.out 2>verify.err &
verify=$!
until_ "a verify by hand" test -e fsck.begun
for i in 1 2 3; do
	printf 'y\n' >"notes/verify$i.md"
	until_ "a commit during it" pushed "verify$i.md"
done
touch fsck.go
wait $verify || fail "a verify beside the agent: $(cat verify.out verify.err)"
rm fsck.hold

touch fetch.hold
let_be_due 4
until_ "a drill" test -e fetch.begun
for i in 1 2 3; do
	printf 'x\n' >"notes/drill$i.md"
	until_ "a commit during a drill" committed "drill$i.md"
done
is "$("$MIRROR" status --json | jq -r .jobs.drill.in_progress)" true "the drill goes on"
touch fetch.go
until_ "the drill's end" over drill
until_ "the push after it" pushed drill3.md
is "$("$MIRROR" health --json | jq -r '.facts[] | select(.name == "drill") | .state')" healthy "drill"
rm fetch.begun fetch.go
# By hand beside the agent, which pushes meanwhile.
PATH=$W/bin:$PATH "$MIRROR" drill >drill.out 2>drill.err &
drill=$!
until_ "a drill by hand" test -e fetch.begun
mv fetch.hold fetch.held
printf 'x\n' >notes/drill4.md
until_ "a push during it" pushed drill4.md
touch fetch.go
wait $drill || fail "a drill beside the agent: $(cat drill.out drill.err)"

silent_about agent.log "failed"

# A commit that cannot be made within a push is told as waiting, and made later.
rm -f push.begun push.go
touch push.hold
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
rm push.hold
touch push.go
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
