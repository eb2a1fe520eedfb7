#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The disk is full for a while, within a push, a repack and a verify: the state is not written
# either.  It is told, git finds a whole repository, and with room again everything goes on
# by itself.  So it does when the agent is killed just then.
#
# NTHCALL is the preloaded library (tests/crash/nthcall.c).
: "${NTHCALL:=$(dirname "${MIRROR:-.}")/tests/crash/nthcall.so}"
export NTHCALL
[ -r "$NTHCALL" ] || { echo "full: skipped, no $NTHCALL"; exit 77; }
. "$(dirname "$0")/../e2e/lib.sh"
needs git
needs jq
needs sqlite3

mkdir -p notes
printf 'one\n' >notes/a.md
notes_and_remote 'settle = "10ms"'
expect 0 "$MIRROR" --once

slow_git
slow_remote

start_agent() {
	PATH=$W/bin:$PATH LD_PRELOAD=$NTHCALL NTHCALL_FULL=$W/full "$MIRROR" run 2>>agent.log &
	agent=$!
	until_ "the agent" running
}
at_end='kill $agent 2>/dev/null; for at in push repack fsck; do let_go $at; done; wait $agent 2>/dev/null'
running() { [ "$("$MIRROR" status --json | jq -r .agent.pid)" = $agent ]; }
committed() { "$real_git" -C "$BRAIN" cat-file -e "HEAD:notes/$1"; }
pushed() { "$real_git" -C remote.git cat-file -e "host/box:notes/$1"; }
told_since() { tail -n +$((lines + 1)) agent.log | grep -q 'full\|No space left'; }
waits() { "$MIRROR" status | grep -q 'a change of .* pending'; }
blocked() {
	[ "$("$MIRROR" health --json | jq -r '.facts[] | select(.name == "alive") | .state + " " + .action' | cut -d' ' -f1-4)" = "failed free space: df" ]
}
green() { "$MIRROR" status | grep -q 'nothing pending'; }
sound() {
	"$real_git" -C "$BRAIN" fsck --strict --no-dangling >fsck 2>&1 || fail "$1: $(cat fsck)"
}

# full_within JOB HOW: the job is under way.
full_within() {
	head=$("$real_git" -C "$BRAIN" rev-parse HEAD)
	lines=$(wc -l <agent.log)
	touch full
	printf 'x\n' >"notes/$1-$2"
	# A disk that really is full is told by `space` as well, which asks the file system.
	until_ "$1: a full disk is told" told_since
	# The file system of this test has room: nobody but the agent can know.
	until_ "$1: the verdict on a full disk" waits
	until_ "$1: health on a full disk" blocked
	is "$("$real_git" -C "$BRAIN" rev-parse HEAD)" "$head" "$1: the branch on a full disk"
	sound "$1, full"
	case $2 in
	kill)
		kill -9 $agent
		wait $agent 2>/dev/null || true
		rm -f full
		let_go "$1"
		start_agent
		;;
	ends)
		# What it found cannot be written down.
		let_go "$1"
		until_ "$1: told that it ended" sh -c 'tail -n +"$1" agent.log | grep -q "verify"' sh $((lines + 1))
		rm full
		;;
	*)
		rm full
		until_ "$1: the commit when there is room" committed "$1-$2"
		let_go "$1"
		;;
	esac
	until_ "$1, $2: the commit" committed "$1-$2"
	until_ "$1, $2: its push" pushed "$1-$2"
	until_ "$1, $2: the verdict" green
	sound "$1, $2"
}

proved() {
	[ "$("$MIRROR" status --json | jq -r '.jobs.verify | .in_progress, .done == .want' | tr '\n' ' ')" = "false true " ] &&
		[ "$("$MIRROR" health --json | jq -r '.facts[] | select(.name == "integrity") | .state')" = healthy ]
}

start_agent
for how in room kill; do
	hold push
	printf 'x\n' >notes/first-$how
	until_ "a push" test -e push.begun
	full_within push $how

	[ "$how" = room ] || continue
	hold repack
	for i in $(seq 60); do
		printf '%s\n' "$how $i" >notes/many
		until_ "commit $i" sh -c '[ "$("$1" -C "$2" show HEAD:notes/many)" = "$3" ]' sh "$real_git" "$BRAIN" "$how $i"
		[ ! -e repack.begun ] || break
	done
	until_ "a repack" test -e repack.begun
	full_within repack $how
done

# Ticks go on beside a verify; it is over some time, and says what it saw.
for how in room ends kill; do
	hold fsck
	let_be_due 3
	until_ "a verify" test -e fsck.begun
	full_within fsck $how
	until_ "the proof, $how" proved
done

kill $agent
wait $agent || true
at_end=:
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" verify
sound "in the end"
