#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Break the machine, and the probe says so: a full disk in a commit, a snapshot and a push,
# too few watches, a clock that is set back.  In namespaces of its own, where a file system
# is ours to fill and a limit ours to turn.
if [ -z "${MIRROR_INSIDE:-}" ] && unshare -Urm true 2>/dev/null; then
	export MIRROR_INSIDE=1
	exec unshare -Urm bash "$0" "$@"
fi
. "$(dirname "$0")/lib_broken.sh"
needs sqlite3

# small NAME SIZE: a file system of its own there.
small() {
	mkdir -p "$1"
	mount -t tmpfs -o "size=$2" small "$W/$1"
}
# The namespaces end with the story, and the file systems with them.
release() {
	stop_agent
	cd /
	umount -l "$W/small" "$W/far" "$XDG_DATA_HOME/mirror/snapshots" 2>/dev/null || true
}
at_end=release
fill() {
	dd if=/dev/zero of="$1/filler" bs=64k 2>/dev/null || true
	dd if=/dev/zero of="$1/filler2" bs=512 2>/dev/null || true
}
empty() {
	rm -f "$1/filler" "$1/filler2"
}

# ---- a clock that is set back an hour while the agent runs, and comes right again
if [ -e "${CLOCKSHIFT_SO:-}" ]; then
	echo 0 >off
	export CLOCKSHIFT=$W/off LD_PRELOAD=$CLOCKSHIFT_SO
	world agent
	echo -3600 >off
	told 5 clock degraded
	printf 'an hour ago\n' >notes/early
	wait_for 60 holds notes/early "an hour ago"
	echo 0 >off
	well 60
	# Ahead by a day: what was measured is old, and the agent measures anew.
	echo 86400 >off
	wait_for 60 "$MIRROR" --once
	well 60
	echo 0 >off
	told 10 clock degraded
	stop_agent
	unset LD_PRELOAD CLOCKSHIFT
	rm -rf "$STATE" "$BRAIN" notes
else
	echo "clock: skipped, not beside sanitizers"
fi

if [ -z "${MIRROR_INSIDE:-}" ] || ! small small 24m 2>/dev/null; then
	echo "disk full, watches: skipped, no namespaces for us here"
	exit 0
fi

# ---- the disk is full: commit
configure none "repo = \"$W/small/brain\"
[sqlite]
every = \"1s\""
BRAIN=$W/small/brain
world agent
fill small
head -c 400000 /dev/urandom | base64 >notes/big
told 30 space failed
"$MIRROR" --once >"$W/out" 2>&1 && fail "a full disk and --once exits with 0"
probe
[ "$probed" -ge 2 ] || fail "a full disk, and the probe exits with $probed"
git -C "$BRAIN" fsck --strict >/dev/null 2>"$W/fsck" || fail "fsck on a full disk: $(cat "$W/fsck")"
empty small
expect 0 "$MIRROR" --once
well 60
[ "$(git -C "$BRAIN" rev-parse HEAD:notes/big)" = "$(git hash-object --no-filters notes/big)" ] ||
	fail "the big file after there was room again"

# ---- the disk is full: snapshot
mkdir -p "$XDG_DATA_HOME"
sqlite3 notes/app.db 'CREATE TABLE t(b); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 2000) INSERT INTO t SELECT randomblob(500) FROM c;'
wait_for 60 "$MIRROR" --once
well 60
stop_agent
snapshots=$(find "$XDG_DATA_HOME" -name manifest.json -printf '%h\n' | head -1)
mkdir full
cp -a "$(dirname "$snapshots")"/. full/
mount -t tmpfs -o size=48m small "$(dirname "$snapshots")"
cp -a full/. "$(dirname "$snapshots")"/
start_agent
well 60
fill "$(dirname "$snapshots")"
told 10 space failed
sleep 2
sqlite3 notes/app.db 'INSERT INTO t SELECT randomblob(500) FROM t;'
told 60 db:notes/app.db 'degraded|failed'
empty "$(dirname "$snapshots")"
wait_for 60 "$MIRROR" --once
well 60
stop_agent

# ---- the disk is full: the remote's
small far 16m
git init -q --bare far/remote.git
configure "$W/far/remote.git" "repo = \"$W/small/brain\""
start_agent
wait_for 60 "$MIRROR" --once
expect 0 "$MIRROR" drill
well 60
fill far
head -c 300000 /dev/urandom | base64 >notes/big2
expect 0 "$MIRROR" --once
told 30 push 'degraded|failed'
empty far
expect 0 "$MIRROR" --once
well 60
git -C far/remote.git fsck --strict >/dev/null 2>&1 || fail "fsck of the remote"
stop_agent

# ---- ten watches for fourteen folders
if { echo 10 >/proc/sys/user/max_inotify_watches; } 2>/dev/null; then
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		mkdir -p notes/many/$i
		printf '%s\n' "$i" >notes/many/$i/file
	done
	configure none "repo = \"$W/small/brain\"
sweep = \"2s\""
	start_agent
	told 30 watches degraded
	# What no watch sees, the sweep sees.
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		printf 'seen %s\n' "$i" >notes/many/$i/file
	done
	for i in 1 6 12; do
		wait_for 30 holds notes/many/$i/file "seen $i"
	done
	echo 100000 >/proc/sys/user/max_inotify_watches
	well 60
else
	echo "watches: skipped, the limit is not ours to turn"
fi
