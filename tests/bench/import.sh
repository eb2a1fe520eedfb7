#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The first cycle over a tree (read, scan, copy, pack, commit) beside git, rsync, and rsync
# with git; in turns, each round on a fresh file system.  Then, with that tree unchanged, a
# cold `mirror --once` beside `find -printf`.
#
#     MIRROR=build/mirror tests/bench/import.sh        (see lib.sh for BENCH_...)
#     BENCH_APART=1    rsync and each mirror on a file system of their own: nothing that
#                      another one left is written back meanwhile, or holds memory
. "$(dirname "$0")/lib.sh"

apart() {
	[ -n "${BENCH_APART:-}" ] || return 0
	[ "$ROOM" = "$own" ] || leave_room
	sync
	fresh "round$round-$1"
}

make_tree
about
for round in $(seq "$ROUNDS"); do
	fresh "round$round"
	cp -a "$TREE" "$ROOM/own"
	own=$ROOM
	apart rsync
	measure rsync rsync -a "$TREE/" "$ROOM/rsync/"
	apart bare
	configure "$TREE"
	# Without the browsable copy.
	sed -e "s|^repo = .*|repo = \"$ROOM/bare\"|" -e '/^settle/a worktree = false' \
		"$MIRROR_CONFIG" >"$ROOM/bare.toml"
	mkdir "$ROOM/bare-state"
	measure mirror-bare env XDG_STATE_HOME="$ROOM/bare-state" \
		MIRROR_CONFIG="$ROOM/bare.toml" "$MIRROR" --once
	apart mirror
	configure "$TREE"
	measure mirror "$MIRROR" --once
	measure git sh -c 'cd "$1" && git init -q && git add -A && git commit -qm import' \
		sh "$own/own"
	measure rsync+git sh -c 'rsync -a "$1/" "$2/" && cd "$2" && git init -q && git add -A &&
		git commit -qm import' sh "$TREE" "$own/both"
	for again in 1 2 3 4 5; do
		measure find find "$TREE" -printf '%p %s %T@ %C@ %i %m\n'
		measure once "$MIRROR" --once
	done
	git -C "$ROOM/brain" fsck --strict --no-dangling --no-progress
	echo "  sizes: brain $(du -sm "$ROOM/brain/.git" | cut -f1) MB, git's" \
		"$(du -sm "$own/own/.git" | cut -f1) MB"
done
echo "import of $FILES files, $(du -sm --apparent-size "$TREE" | cut -f1) MB, $ROUNDS rounds:"
table git git mirror mirror-bare rsync rsync+git
table rsync mirror mirror-bare
echo "nothing changed:"
table find find once
