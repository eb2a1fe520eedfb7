#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One changed file among many: from the write to the commit, inside the running agent, with
# the settle time taken off; beside git's two ways in a copy of the tree.  Then the agent at
# rest: memory, processor time and wake-ups in a minute.
#
#     MIRROR=build/mirror tests/bench/tick.sh          (see lib.sh for BENCH_...)
#     BENCH_TICKS (200), BENCH_REST seconds (60, 0 for none), BENCH_GIT (1, 0 for none)
#     BENCH_UNSAFE=1: the agent again with every sync left out, to see what they cost
#
# Git syncs no loose object unless core.fsync says so; the rows "all" have core.fsync=all,
# which promises what the agent promises.  With BENCH_FILES=1000000 BENCH_SMALLER=64
# BENCH_GIT=0 the same among a million.
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
ref=$ROOM/brain/.git/refs/heads/host/bench
mapfile -t names < <(cd "$TREE" && find . -name '*.md' -size -8k | sort | awk 'NR % 37 == 0')

cpu() { awk '{ print ($14 + $15) * 1000 / '"$(getconf CLK_TCK)"' }' "/proc/$agent/stat"; }
written() { awk '/^write_bytes/ { print $2 / 1024 }' "/proc/$agent/io"; }

# start [VARIABLE=VALUE]...: the agent, once it watches and has brought its index up to date.
start() {
	env "$@" "$MIRROR" run 2>"$W/agent.log" &
	agent=$!
	trap 'kill $agent 2>/dev/null; wait $agent; leave' EXIT
	for _ in $(seq 600); do
		grep -q watching "$W/agent.log" && break
		sleep 0.1
	done
	# What the copies and the import left to be written is not the ticks' to wait for.
	sync -f "$ROOM"
	sleep 5
}

# ticks NAME: the moment the reference was renamed into place, from the file system's own
# clock; and what the agent itself took.
ticks() {
	cpu_before=$(cpu)
	written_before=$(written)
	for i in $(seq "$ticks"); do
		name=${names[i % ${#names[@]}]}
		before=$(stat -c %y "$ref")
		echo "tick $i" >>"$ROOM/watched/$name"
		at=$(stat -c %.9Y "$ROOM/watched/$name")
		for _ in $(seq 500); do
			[ "$(stat -c %y "$ref")" = "$before" ] || break
			sleep 0.01
		done
		awk -v a="$at" -v b="$(stat -c %.9Z "$ref")" \
			'BEGIN { printf("%.3f\n", (b - a) * 1000 - 10) }' >>"$W/$1"
		sleep 0.05
	done
	awk -v c="$(cpu)" -v cb="$cpu_before" -v k="$(written)" -v kb="$written_before" \
		-v n="$ticks" 'BEGIN { printf("%.1f %.0f\n", (c - cb) / n, (k - kb) / n) }' >"$W/$1.took"
}

# git NAME COMMAND...: its time, its processor time, and what it and its children wrote.
git_row() {
	row=$1
	shift
	sync -f "$ROOM"
	/usr/bin/time -o "$W/time" -f '%e %U %S' sh -c '"$@" >/dev/null && grep ^write_bytes /proc/$$/io' \
		sh "$@" >"$W/io"
	awk -v k="$(awk '{ print $2 / 1024 }' "$W/io")" '{ print $1 * 1000, ($2 + $3) * 1000, k }' \
		"$W/time" >>"$W/$row"
}

# row NAME MEDIAN P99 CPU KIB
row() {
	awk -v n="$1" -v m="$2" -v p="$3" -v c="$4" -v k="$5" -v t="$base" -v tc="$base_cpu" 'BEGIN {
		printf("| %s | %.1f | %s | %.1f | %.0f | %.0f | %.0f |\n", n, m, p, c, k, m / t, c / tc) }'
}

start
ticks tick
for i in $(seq $((${BENCH_GIT:-1} * 10))); do
	name=${names[i % ${#names[@]}]}
	[ -e "$ROOM/own/.git" ] || (cd "$ROOM/own" && git init -q && git add -A &&
		git commit -qm import)
	for more in "" -all; do
		fsync=${more#-}
		set -- env "ROOM=$ROOM" "NAME=$name" GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.fsync \
			"GIT_CONFIG_VALUE_0=${fsync:-committed,-loose-object}" sh -c
		echo "tick $i $fsync" >>"$ROOM/own/$name"
		git_row "add-A$more" "$@" 'cd "$ROOM/own" && git add -A && git commit -qm tick'
		echo "tock $i $fsync" >>"$ROOM/own/$name"
		git_row "add-FILE$more" "$@" 'cd "$ROOM/own" && git add "$NAME" && git commit -qm tick'
	done
done

echo "one file of $FILES, write to commit without settle, $ticks times:"
printf '| what | median ms | p99 ms | CPU ms | KiB written | to the tick | CPU to the tick |\n|---|---|---|---|---|---|---|\n'
base=$(percentile "$W/tick" 50)
base_cpu=$(cut -d' ' -f1 "$W/tick.took")
row agent "$base" "$(percentile "$W/tick" 99)" "$base_cpu" "$(cut -d' ' -f2 "$W/tick.took")"
for what in add-FILE add-FILE-all add-A add-A-all; do
	[ -e "$W/$what" ] || continue
	row "git $what" "$(median "$W/$what" 1)" "" "$(median "$W/$what" 2)" "$(median "$W/$what" 3)"
done
sed -n 's/.* in \([0-9]*\) ms.*/\1/p' "$W/agent.log" | sort -n | awk '{ v[NR] = $1 } END {
	print "cycles by the agent'"'"'s own clock: median " v[int((NR + 1) / 2)] ", p99 " v[int(NR * 0.99 + 0.5)] " ms of " NR }'
if [ -n "${BENCH_UNSAFE:-}" ]; then
	printf 'int fsync(int fd) { (void)fd; return 0; }\nint fdatasync(int fd) { (void)fd; return 0; }\n' |
		${CC:-cc} -shared -fPIC -o "$W/unsafe.so" -x c -
	kill "$agent" && wait "$agent" || true
	start LD_PRELOAD="$W/unsafe.so"
	ticks unsafe
	row "agent without its syncs" "$(percentile "$W/unsafe" 50)" "$(percentile "$W/unsafe" 99)" \
		"$(cut -d' ' -f1 "$W/unsafe.took")" "$(cut -d' ' -f2 "$W/unsafe.took")"
	kill "$agent" && wait "$agent" || true
	start
fi

[ "$rest" != 0 ] || exit 0
sleep 15
switches() { cat /proc/$agent/task/*/status | awk '/^voluntary/ { n += $2 } END { print n }'; }
cpu_before=$(cpu)
switches_before=$(switches)
sleep "$rest"
echo "at rest for $rest s: $(awk -v a="$cpu_before" -v b="$(cpu)" 'BEGIN { print b - a }') ms of processor time," \
	"$(($(switches) - switches_before)) wake-ups," \
	"$(awk '/^VmRSS/ { print int($2 / 1024) }' /proc/$agent/status) MB resident" \
	"($(awk '/^RssAnon/ { print int($2 / 1024) }' /proc/$agent/status) MB of its own)"
