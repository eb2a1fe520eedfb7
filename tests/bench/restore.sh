#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Restoring a tree beside `git checkout` of the same commit and `rsync` of the same files,
# each round on a fresh file system.  Ours is on the disk and read back before a file gets
# its name; the others end with `sync` for a fair clock, and rsync also with --fsync.
#
#     MIRROR=build/mirror tests/bench/restore.sh       (see lib.sh for BENCH_...)
. "$(dirname "$0")/lib.sh"

make_tree
about
for round in $(seq "$ROUNDS"); do
	fresh "round$round"
	configure "$TREE"
	"$MIRROR" --once >/dev/null 2>&1
	mkdir "$ROOM/git"
	export GIT_INDEX_FILE=$ROOM/index
	measure git sh -c 'git --git-dir="$1/.git" --work-tree="$2" checkout -q -f HEAD -- tree &&
		sync -f "$2"' sh "$ROOM/brain" "$ROOM/git"
	measure rsync sh -c 'rsync -a "$1/" "$2/" && sync -f "$2"' sh "$TREE" "$ROOM/rsync"
	measure rsync-fsync rsync -a --fsync "$TREE/" "$ROOM/rsync2/"
	measure mirror "$MIRROR" restore tree --to "$ROOM/back"
	diff -r --no-dereference "$TREE" "$ROOM/back/tree" >/dev/null || {
		echo "what came back differs" >&2
		exit 1
	}
done
echo "restore of $FILES files, $(du -sm --apparent-size "$TREE" | cut -f1) MB, $ROUNDS rounds:"
table git git rsync rsync-fsync mirror
