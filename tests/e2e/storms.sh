#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Storms under a running agent: more events than the kernel keeps while nobody reads them,
# folders made and written into at once, names that change places, files that come and go
# while it starts, writers that no event tells of.  Each time HEAD becomes the disk.
#
#     MIRROR_STORM    files of the burst (8,000; with MIRROR_LONG 100,000)
. "$(dirname "$0")/lib.sh"
needs git

burst=${MIRROR_STORM:-8000}
[ -z "${MIRROR_LONG:-}" ] || burst=100000
mkdir notes outside
echo 1 >notes/a
# So many that what comes and goes below is no loss of a fifth of them (I14).
mkdir notes/still
seq 600 | split -l 1 -a 3 - notes/still/f
configure() {
	cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$BRAIN"
remote = "none"
settle = "50ms"
max_wait = "5s"
sweep = "$1"
EOC
}
same() {
	rm -rf tree
	mkdir tree
	git -C "$BRAIN" archive HEAD notes 2>/dev/null | tar -x -C tree 2>/dev/null || return 1
	diff -r --no-dereference -x '*.fifo' notes tree/notes >differs 2>&1
}
# Nobody asks for a cycle: the agent finds it by itself.
catches_up() {
	for _ in $(seq 600); do
		! same || return 0
		sleep 0.4
	done
	fail "$1: HEAD is not the disk: $(head -3 differs)"
	exit 1
}
start() {
	"$MIRROR" run >>agent.out 2>>agent.err &
	agent=$!
}
stop() {
	kill "$agent"
	wait "$agent" || fail "the agent left with $?"
}
trap 'kill -CONT "$agent" 2>/dev/null || true; kill "$agent" $busy 2>/dev/null || true; finish' EXIT
agent='' busy=''
configure 15m
expect 0 "$MIRROR" --once

# ---- it starts while files come and go
(
	i=0
	while [ -e notes ]; do
		i=$((i + 1))
		mkdir -p "notes/temp$((i % 7))"
		echo $i >"notes/temp$((i % 7))/t$((i % 50))"
		[ $((i % 3)) -ne 0 ] || rm -rf "notes/temp$(((i + 3) % 7))"
	done 2>/dev/null
) &
busy=$!
for _ in 1 2 3; do
	start
	sleep 1
	kill -0 "$agent" 2>/dev/null || fail "it does not start while files come and go"
	stop
done
start
kill "$busy"
wait "$busy" 2>/dev/null || true
busy=
# An empty folder is in the sidecar, and in no archive.
find notes -type d -empty -delete
catches_up "while files came and went"

# ---- stopped while more happens than the kernel keeps
kill -STOP "$agent"
mkdir notes/burst notes/d1 notes/foo
echo 2 >notes/foo/x
seq "$burst" | split -l 1 -a 5 - notes/burst/f
echo 3 >notes/d1/y
mv notes/foo notes/bar
ln -s bar notes/foo
mv notes/d1 notes/d2
mv notes/a notes/d2/a
mv notes/d2 notes/d1
rm -r notes/temp*
kill -CONT "$agent"
catches_up "after $burst files while it was stopped"

# ---- folders made and written into at once
for i in $(seq 300); do
	mkdir -p "notes/deep/$i/b/c" && echo "$i" >"notes/deep/$i/b/c/f"
done
catches_up "mkdir -p and a file at once"

# ---- out, back in, and something else in its place
mv notes/deep outside/deep
echo 4 >notes/beside
mv outside/deep notes/deep
mv notes/burst notes/renamed
echo 5 >notes/renamed/new
rm -r notes/bar
echo 6 >notes/bar
rm notes/foo
mkfifo notes/foo.fifo
mkdir notes/foo
echo 7 >notes/foo/z
catches_up "names that changed places"

# ---- what no event tells of is found by the sweep
stop
configure 2s
ln notes/beside outside/other-name
echo mapped-1 >notes/mapped
start
catches_up "before the sweep"
echo changed-outside >>outside/other-name
if command -v python3 >/dev/null 2>&1; then
	python3 - notes/mapped <<'EOP' &
import mmap, sys, time
with open(sys.argv[1], "r+b") as file:
    bytes = mmap.mmap(file.fileno(), 0)
    bytes[7:8] = b"2"
    bytes.flush()
    time.sleep(60)
EOP
	busy=$!
	for _ in $(seq 100); do
		! grep -q mapped-2 notes/mapped || break
		sleep 0.1
	done
fi
catches_up "a hard link's other name, and a mapped file that is never closed"
stop
git -C "$BRAIN" fsck --strict >/dev/null 2>&1 || fail "fsck"
