#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later

# The queue's protocol, explored to the last state by spin: the protocol as it is must be
# without error, and each naive variant must be caught, or the model proves nothing.
# MIRROR_MODEL=long explores the larger ones as well (minutes, up to 4 GB).

set -eu

model=$(cd "$(dirname "$0")" && pwd)/queue.pml
for tool in spin gcc; do
	if ! command -v "$tool" >/dev/null; then
		echo "skipped: $tool is not installed"
		exit 77
	fi
done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
failed=0

# explore WANTED DEFINES...: WANTED is "holds", or the assertion that must break.
explore() {
	wanted=$1
	shift
	defines=("${@/#/-D}")
	spin -a "${defines[@]}" "$model" >spin.out 2>&1 || { cat spin.out; exit 1; }
	gcc -O1 -w -DSAFETY -DNOREDUCE -DMEMLIM=4000 -o pan pan.c
	./pan -m500000 >pan.out 2>&1 || true
	found=$(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' pan.out | head -1)
	states=$(awk '/states, stored/ { print $1; exit }' pan.out)
	seconds=$(awk '/elapsed time/ { print $4; exit }' pan.out)
	verdict=ok
	if ! grep -q 'errors: ' pan.out || grep -qE 'out of memory|max search depth' pan.out; then
		verdict='FAILED: not explored to the end'
	elif [ "$wanted" = holds ] && [ -n "$found" ]; then
		verdict="FAILED: $found"
	elif [ "$wanted" != holds ] && [[ "$found" != *"$wanted"* ]]; then
		verdict="FAILED: not caught (${found:-no error})"
	fi
	[ "$verdict" = ok ] || failed=1
	printf '%-52s %12s states %6s s  %-32s %s\n' "$*" "${states:-?}" "${seconds:-?}" \
		"${found:-holds}" "$verdict"
}

explore holds WISHES=1
explore holds WISHES=1 CRASHES=1
explore holds CALLERS=1 WISHES=2 CRASHES=2
explore holds WISHES=1 FAILURES=1
explore holds CALLERS=1 WISHES=1 FAILURES=1 CRASHES=1
explore holds WISHES=1 CRASHES=1 AGENT_HOLDS
explore holds BURST WISHES=2
explore holds BURST CALLERS=3 WISHES=2
explore holds WISHES=1 TRY_LOCK LOOK_AGAIN
explore holds WITHIN CALLERS=1 WISHES=1 PUSHES=2
explore holds WITHIN CALLERS=1 WISHES=1 CRASHES=1
explore holds WITHIN CALLERS=1 WISHES=1 FAILURES=1

explore 'covered==gen' SPLIT_FLAG
explore 'covered==gen' BELL_FIRST
explore 'covered==gen' BELL_LATE CRASHES=1
explore 'covered==gen' TRY_LOCK
explore 'covered==gen' TRY_LOCK LOOK_AGAIN WISHES=1 CALLERS=1 CRASHES=1
explore 'in_progress' NO_RECLAIM WISHES=1 CALLERS=1 CRASHES=1
explore 'running<=1' HEARTBEAT
explore 'p_in_progress' WITHIN ONE_MARK CALLERS=1 WISHES=1
explore 'p_in_progress' WITHIN ONE_DEAD CALLERS=1 WISHES=1 CRASHES=1
explore 'runs==2' BURST WISHES=2 EACH_WISH

if [ "${MIRROR_MODEL:-}" = long ]; then
	explore holds
	explore holds WISHES=1 CRASHES=2
	explore holds WISHES=1 FAILURES=1 CRASHES=1
	explore holds BURST CALLERS=3 WISHES=4
	explore holds WITHIN WISHES=1 PUSHES=2
	explore holds WITHIN CALLERS=1 WISHES=1 PUSHES=2 CRASHES=1 FAILURES=1
fi

exit "$failed"
