#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The disk is full for a while, within a push and within a repack: the state is not written
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

real_git=$(command -v git)
mkdir -p notes bin
printf 'one\n' >notes/a.md
notes_and_remote 'settle = "10ms"'
expect 0 "$MIRROR" --once

# A git that waits where it is told to, and a hook that waits before it takes a push.
cat >bin/git <<EOC
#!/bin/sh
case " \$* " in
*" repack "*)
	touch "$W/repack.begun"
	while [ -e "$W/repack.hold" ]; do sleep 0.05; done
	;;
esac
exec "$real_git" "\$@"
EOC
cat >remote.git/hooks/pre-receive <<EOC
#!/bin/sh
[ ! -e "$W/push.hold" ] && exit 0
touch "$W/push.begun"
while [ -e "$W/push.hold" ]; do sleep 0.05; done
EOC
chmod +x bin/git remote.git/hooks/pre-receive

start_agent() {
	PATH=$W/bin:$PATH LD_PRELOAD=$NTHCALL NTHCALL_FULL=$W/full "$MIRROR" run 2>>agent.log &
	agent=$!
	until_ "the agent" running
}
at_end='kill $agent 2>/dev/null; rm -f *.hold; wait $agent 2>/dev/null'
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
		rm -f full "$1.hold" "$1.begun"
		start_agent
		;;
	*)
		rm full
		until_ "$1: the commit when there is room" committed "$1-$2"
		rm -f "$1.hold" "$1.begun"
		;;
	esac
	until_ "$1, $2: the commit" committed "$1-$2"
	until_ "$1, $2: its push" pushed "$1-$2"
	until_ "$1, $2: the verdict" green
	sound "$1, $2"
}

start_agent
for how in room kill; do
	touch push.hold
	printf 'x\n' >notes/first-$how
	until_ "a push" test -e push.begun
	full_within push $how

	[ "$how" = room ] || continue
	touch repack.hold
	for i in $(seq 60); do
		printf '%s\n' "$how $i" >notes/many
		until_ "commit $i" sh -c '[ "$("$1" -C "$2" show HEAD:notes/many)" = "$3" ]' sh "$real_git" "$BRAIN" "$how $i"
		[ ! -e repack.begun ] || break
	done
	until_ "a repack" test -e repack.begun
	full_within repack $how
done

kill $agent
wait $agent || true
at_end=:
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" verify
sound "in the end"
