#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One changed file among many: from the write to the commit, inside the running agent, with
# the settle time taken off; beside git's two ways in a copy of the tree.  Then the agent at
# rest: memory, processor time and wake-ups in a minute.
#
#     MIRROR=build/mirror tests/bench/tick.sh          (see lib.sh for BENCH_...)
#     BENCH_TICKS (200), BENCH_REST seconds (60, 0 for none), BENCH_GIT (1, 0 for none)
#
# With BENCH_FILES=1000000 BENCH_SMALLER=64 BENCH_GIT=0 the same among a million.
. "$(dirname "$0")/lib.sh"

ticks=${BENCH_TICKS:-200}
rest=${BENCH_REST:-60}
make_tree
about
fresh room
[ "${BENCH_GIT:-1}" = 0 ] || cp -a "$TREE" "$ROOM/own"
cp -a "$TREE" "$ROOM/watched"
SETTLE=10ms
configure "$ROOM/watched"
"$MIRROR" --once >/dev/null
"$MIRROR" run 2>"$W/agent.log" &
agent=$!
trap 'kill $agent 2>/dev/null; wait $agent; leave' EXIT
for _ in $(seq 600); do
	grep -q watching "$W/agent.log" && break
	sleep 0.1
done
sleep 3
ref=$ROOM/brain/.git/refs/heads/host/bench
mapfile -t names < <(cd "$TREE" && find . -name '*.md' -size -8k | sort | awk 'NR % 37 == 0')

# The moment the reference was renamed into place, from the file system's own clock.
for i in $(seq "$ticks"); do
	name=${names[i % ${#names[@]}]}
	before=$(stat -c %y "$ref")
	echo "tick $i" >>"$ROOM/watched/$name"
	written=$(stat -c %.9Y "$ROOM/watched/$name")
	for _ in $(seq 500); do
		[ "$(stat -c %y "$ref")" = "$before" ] || break
		sleep 0.01
	done
	awk -v a="$written" -v b="$(stat -c %.9Z "$ref")" \
		'BEGIN { printf("%.3f\n", (b - a) * 1000 - 10) }' >>"$W/tick"
	sleep 0.05
done
for i in $(seq $((${BENCH_GIT:-1} * 10))); do
	name=${names[i % ${#names[@]}]}
	[ -e "$ROOM/own/.git" ] || (cd "$ROOM/own" && git init -q && git add -A &&
		git commit -qm import)
	echo "tick $i" >>"$ROOM/own/$name"
	measure add-A sh -c 'cd "$1" && git add -A && git commit -qm tick' sh "$ROOM/own"
	echo "tock $i" >>"$ROOM/own/$name"
	measure add-FILE sh -c 'cd "$1" && git add "$2" && git commit -qm tick' sh "$ROOM/own" \
		"$name"
done

echo "one file of $FILES, write to commit without settle, $ticks times:"
awk -v m="$(percentile "$W/tick" 50)" -v p="$(percentile "$W/tick" 99)" \
	-v a="$([ -e "$W/add-A" ] && median "$W/add-A" 1)" \
	-v f="$([ -e "$W/add-FILE" ] && median "$W/add-FILE" 1)" 'BEGIN {
	printf("| what | median ms | p99 ms | to the tick |\n|---|---|---|---|\n")
	printf("| agent | %.1f | %.1f | 1 |\n", m, p)
	if (f == "") exit
	printf("| git add FILE and commit | %.0f | | %.0f |\n", f * 1000, f * 1000 / m)
	printf("| git add -A and commit | %.0f | | %.0f |\n", a * 1000, a * 1000 / m) }'
sed -n 's/.* in \([0-9]*\) ms.*/\1/p' "$W/agent.log" | sort -n |
	awk '{ v[NR] = $1 } END { print "cycles by the agent'"'"'s own clock: median " v[int((NR + 1) / 2)] " ms of " NR }'

[ "$rest" != 0 ] || exit 0
sleep 15
cpu() { awk '{ print $14 + $15 }' "/proc/$agent/stat"; }
switches() { cat /proc/$agent/task/*/status | awk '/^voluntary/ { n += $2 } END { print n }'; }
cpu_before=$(cpu)
switches_before=$(switches)
sleep "$rest"
echo "at rest for $rest s: $(($(cpu) - cpu_before)) clock ticks of processor time," \
	"$(($(switches) - switches_before)) wake-ups," \
	"$(awk '/^VmRSS/ { print int($2 / 1024) }' /proc/$agent/status) MB resident" \
	"($(awk '/^RssAnon/ { print int($2 / 1024) }' /proc/$agent/status) MB of its own)"
