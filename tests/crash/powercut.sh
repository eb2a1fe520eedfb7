#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The power goes while the agent commits: what is left of the disk is mounted in its place;
# the journal is replayed, git finds nothing wrong, the commit that stood before the cut is
# there, and one `mirror --once` brings HEAD to what the disk holds.  Two kinds of disk:
#
#     reflink     an instantaneous copy (a reflink of an image on btrfs): the file system is
#                 cut off, the disk forgets nothing
#     volatile    the disk has a cache and forgets what was not flushed, piece by piece, in
#                 no order (volatile.c)
#
# Needs root, loop devices, mkfs.ext4 or mkfs.xfs, and mkfs.btrfs or libfuse3-dev.
#
#     MIRROR_CUTS       for each file system (5; with MIRROR_LONG 50)
#     MIRROR_CUTS_ON    which file systems (ext4 xfs)
#     MIRROR_DISKS      which disks (reflink volatile)
#     MIRROR_SEED       for what a volatile disk forgets (1)
set -u

: "${MIRROR:?the program under test}"
export LC_ALL=C GIT_CONFIG_NOSYSTEM=1
cuts=${MIRROR_CUTS:-$([ -n "${MIRROR_LONG:-}" ] && echo 50 || echo 5)}
systems=${MIRROR_CUTS_ON:-ext4 xfs}
disks=${MIRROR_DISKS:-reflink volatile}
here=$(dirname "$0")
for program in losetup unshare git; do
	command -v "$program" >/dev/null || { echo "powercut: skipped, no $program"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "powercut: skipped, not root"; exit 77; }
W=$(mktemp -d /var/tmp/mirror-powercut.XXXXXX)
agent=
writer=

leave() {
	status=$?
	[ -z "$writer" ] || kill "$writer" 2>/dev/null
	[ -z "$agent" ] || kill "$agent" 2>/dev/null
	[ -z "$writer$agent" ] || wait $writer $agent 2>/dev/null
	# The volatile disk ends with its mount.
	umount -l "$W/disk" "$W/host" 2>/dev/null
	wait 2>/dev/null
	rm -rf --one-file-system "$W"
	exit "$status"
}
trap leave EXIT
trap 'exit 143' TERM INT
mkdir "$W/host" "$W/disk"

# Each gives $W/host a disk.img, and a cut.img of it when asked.
make_reflink() {
	truncate -s 8G "$W/host.img"
	{ mkfs.btrfs -q -f "$W/host.img" && mount -o loop "$W/host.img" "$W/host"; } >/dev/null 2>&1
}
cut_reflink() { cp --reflink=always "$W/host/disk.img" "$W/host/cut.img"; }
make_volatile() {
	# shellcheck disable=SC2046
	cc -O2 -o "$W/volatile" "$here/volatile.c" $(pkg-config --cflags --libs fuse3) >/dev/null 2>&1 ||
		return 1
	"$W/volatile" "$W/host" 600 &
	for _ in $(seq 50); do
		[ ! -e "$W/host/arm" ] || return 0
		sleep 0.1
	done
	return 1
}
cut_volatile() {
	cat "$W/host/arm"
	pieces=
	until [ -n "$pieces" ]; do
		sleep 0.05
		pieces=$(cat "$W/host/stake")
	done
	at_stake=$((at_stake + pieces))
}

export HOME=$W/disk/home XDG_CONFIG_HOME=$W/disk/home XDG_STATE_HOME=$W/disk/state
export XDG_DATA_HOME=$W/disk/data XDG_RUNTIME_DIR=$W/run MIRROR_CONFIG=$W/mirror.toml
mkdir -m 700 "$W/run"
cat >"$MIRROR_CONFIG" <<EOC
[[watch]]
path = "$W/disk/notes"
[brain]
repo = "$W/disk/brain"
remote = "none"
branch = "host/cut"
settle = "10ms"
max_wait = "1s"
EOC

# In a mount namespace of its own, over the living disk: what the power cut left.
after() {
	unshare -m bash -c '
		set -e
		W=$1 MIRROR=$2 before=$3 options=$4
		export XDG_RUNTIME_DIR=$W/run.after
		mkdir -p -m 700 "$XDG_RUNTIME_DIR"
		mount -o "loop$options" "$W/host/cut.img" "$W/disk"
		fsck=$(git -C "$W/disk/brain" fsck --strict --no-dangling --no-progress 2>&1) ||
			{ echo "fsck: ${fsck:0:300}"; exit 1; }
		[ -z "$before" ] || git -C "$W/disk/brain" merge-base --is-ancestor "$before" HEAD ||
			{ echo "$before is lost"; exit 1; }
		said=$("$MIRROR" --once 2>&1) || { echo "once: $said"; exit 1; }
		mkdir "$W/disk/seen"
		git -C "$W/disk/brain" archive HEAD notes | tar -x -C "$W/disk/seen"
		diff -r "$W/disk/notes" "$W/disk/seen/notes" || exit 1
		fsck=$(git -C "$W/disk/brain" fsck --strict --no-dangling --no-progress 2>&1) ||
			{ echo "fsck after once: ${fsck:0:300}"; exit 1; }
		[ -z "$(git -C "$W/disk/brain" status --porcelain)" ] ||
			{ git -C "$W/disk/brain" status --porcelain | head -3; exit 1; }
	' bash "$W" "$MIRROR" "$1" "$2"
}

# on DISK SYSTEM
on() {
	system=$2
	command -v "mkfs.$system" >/dev/null || { echo "$system: no mkfs.$system"; return; }
	options=
	[ "$system" != xfs ] || options=,nouuid
	if [ "$1" = reflink ]; then
		rm -f "$W/host/disk.img"
		truncate -s 600M "$W/host/disk.img"
	fi
	force=-F
	[ "$system" != xfs ] || force=-f
	mkfs."$system" -q $force "$W/host/disk.img" && mount -o loop "$W/host/disk.img" "$W/disk" || {
		echo "$system: cannot be mounted here"
		return
	}
	mkdir -p "$W/disk/notes/d" "$HOME"
	for i in $(seq 200); do echo "$i" >"$W/disk/notes/d/$i"; done
	"$MIRROR" --once >/dev/null
	"$MIRROR" run 2>"$W/agent.log" &
	agent=$!
	while :; do
		echo "$RANDOM $RANDOM" >"$W/disk/notes/d/$((RANDOM % 200 + 1))"
		echo "$RANDOM" >>"$W/disk/notes/log"
		sleep 0.02
	done &
	writer=$!
	for cut in $(seq "$cuts"); do
		sleep "0.$((RANDOM % 90 + 10))"
		before=$(git -C "$W/disk/brain" rev-parse HEAD)
		# Between the branch's new name and the sync of its folder lies a moment in
		# which HEAD is seen and may be lost: a settle window at most (10 ms here).
		sleep 0.1
		kill -0 "$agent" 2>/dev/null || { echo "$system: the agent is gone"; bad=$((bad + 1)); break; }
		"cut_$1"
		after "$before" "$options" || { echo "$system: cut $cut"; bad=$((bad + 1)); }
		[ "$1" != reflink ] || rm -f "$W/host/cut.img"
	done
	kill "$writer" "$agent"
	wait "$writer" "$agent" 2>/dev/null
	writer=
	agent=
	echo "$system on a $1 disk: $cuts cuts, $(git -C "$W/disk/brain" rev-list --count HEAD) commits"
	umount "$W/disk" || umount -l "$W/disk"
}

bad=0
ran=0
for disk in $disks; do
	at_stake=0
	"make_$disk" || {
		echo "powercut: no $disk disk here"
		continue
	}
	for system in $systems; do
		on "$disk" "$system"
	done
	ran=$((ran + 1))
	[ "$disk" != volatile ] || echo "pieces of 4 KB that were not flushed at the cuts: $at_stake"
	umount "$W/host" || umount -l "$W/host"
done
[ "$ran" != 0 ] || { echo "powercut: skipped, neither kind of disk"; exit 77; }
echo "powercut: $bad bad"
[ "$bad" = 0 ]
