#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The last commit is gone from the repository while the remote cannot be asked: files are
# kept on upon the one before.  When the remote answers again it has what was lost: what
# came after stands upon it, and nobody is told of two histories.
. "$(dirname "$0")/lib.sh"
needs git

notes_and_remote
G=$BRAIN/.git
# The newest commit object, and nothing else, is gone.
lose_head() {
	local id
	id=$(git -C "$BRAIN" rev-parse HEAD)
	mkdir -p packs
	mv "$G"/objects/pack/* packs/
	for pack in packs/*.pack; do git -C "$BRAIN" unpack-objects -q <"$pack"; done
	rm -rf packs
	rm -f "$G/objects/${id:0:2}/${id:2}"
	! git -C "$BRAIN" cat-file -e "$id" 2>/dev/null || fail "the commit is still there"
}
step() { # TEXT: one version more
	echo "$1" >notes/a
	"$MIRROR" --once >out 2>err || true
}
step 1
step 2
lost=$(git -C remote.git rev-parse host/box)
mv remote.git away.git
lose_head
step 3
step 4
is "$(git -C "$BRAIN" rev-list --count HEAD)" 3 "commits here while the remote is away"
expect 0 "$MIRROR" milestone meanwhile

mv away.git remote.git
expect 0 "$MIRROR" --once
is "$(git -C remote.git rev-parse host/box)" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote"
says err "made upon it now"
git -C "$BRAIN" merge-base --is-ancestor "$lost" HEAD || fail "what was lost is not in the history"
is "$(git -C "$BRAIN" rev-list --count HEAD)" 4 "commits afterwards"
is "$(git -C "$BRAIN" rev-list --merges --count HEAD)" 0 "merges"
for back in 0 1 2 3; do
	is "$(git -C "$BRAIN" show HEAD~$back:notes/a)" $((4 - back)) "the version $back commits ago"
done
git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "fsck: $(head -2 fsck)"
expect 0 "$MIRROR" --once
says out "nothing changed"
expect 0 "$MIRROR" verify

# Somebody else's commits are another matter: nothing of ours is put upon them.
mv remote.git away.git
lose_head
step 5
mv away.git remote.git
git clone -q -b host/box remote.git other
(cd other && echo foreign >notes/b && git add -A && git commit -qm foreign && git push -q)
before=$(git -C "$BRAIN" rev-parse HEAD)
"$MIRROR" --once >out 2>err || true
is "$(git -C "$BRAIN" rev-parse HEAD)" "$before" "our branch"
says err "commits that we do not"
