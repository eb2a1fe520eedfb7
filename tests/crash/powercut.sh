#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The power goes while the agent commits: an instantaneous copy of the disk (a reflink of an
# image on btrfs) is mounted in its place; the journal is replayed, git finds nothing wrong,
# the commit that stood before the cut is there, and one `mirror --once` brings HEAD to what
# the disk holds.  Needs root, loop devices, mkfs.btrfs, and mkfs.ext4 or mkfs.xfs.
#
#     MIRROR_CUTS       for each file system (5; with MIRROR_LONG 50)
#     MIRROR_CUTS_ON    which file systems (ext4 xfs)
set -u

: "${MIRROR:?the program under test}"
export LC_ALL=C GIT_CONFIG_NOSYSTEM=1
cuts=${MIRROR_CUTS:-$([ -n "${MIRROR_LONG:-}" ] && echo 50 || echo 5)}
systems=${MIRROR_CUTS_ON:-ext4 xfs}
for program in mkfs.btrfs losetup unshare git; do
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
	wait 2>/dev/null
	umount -l "$W/disk" "$W/host" 2>/dev/null
	rm -rf "$W"
	exit "$status"
}
trap leave EXIT
mkdir "$W/host" "$W/disk"
truncate -s 8G "$W/host.img"
{ mkfs.btrfs -q -f "$W/host.img" && mount -o loop "$W/host.img" "$W/host"; } >/dev/null 2>&1 || {
	echo "powercut: skipped, no btrfs on a loop device here"
	exit 77
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
			{ echo "fsck: $fsck"; exit 1; }
		[ -z "$before" ] || git -C "$W/disk/brain" merge-base --is-ancestor "$before" HEAD ||
			{ echo "$before is lost"; exit 1; }
		said=$("$MIRROR" --once 2>&1) || { echo "once: $said"; exit 1; }
		mkdir "$W/disk/seen"
		git -C "$W/disk/brain" archive HEAD notes | tar -x -C "$W/disk/seen"
		diff -r "$W/disk/notes" "$W/disk/seen/notes" || exit 1
		git -C "$W/disk/brain" fsck --strict --no-dangling --no-progress
		[ -z "$(git -C "$W/disk/brain" status --porcelain)" ] ||
			{ git -C "$W/disk/brain" status --porcelain | head -3; exit 1; }
	' bash "$W" "$MIRROR" "$1" "$2"
}

bad=0
for system in $systems; do
	command -v "mkfs.$system" >/dev/null || { echo "$system: no mkfs.$system"; continue; }
	options=
	[ "$system" != xfs ] || options=,nouuid
	rm -f "$W/host/disk.img"
	truncate -s 600M "$W/host/disk.img"
	mkfs."$system" -q "$W/host/disk.img" && mount -o loop "$W/host/disk.img" "$W/disk" || {
		echo "$system: cannot be mounted here"
		continue
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
		cp --reflink=always "$W/host/disk.img" "$W/host/cut.img"
		after "$before" "$options" || { echo "$system: cut $cut"; bad=$((bad + 1)); }
		rm -f "$W/host/cut.img"
	done
	kill "$writer" "$agent"
	wait "$writer" "$agent" 2>/dev/null
	writer=
	agent=
	echo "$system: $cuts cuts, $(git -C "$W/disk/brain" rev-list --count HEAD) commits"
	umount "$W/disk" || umount -l "$W/disk"
done
echo "powercut: $bad bad"
[ "$bad" = 0 ]
