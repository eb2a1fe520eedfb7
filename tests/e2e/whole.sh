#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the last commit leads to is taken out of the repository: it is told, and written
# again from the disk.
. "$(dirname "$0")/lib.sh"
needs git sqlite3 jq

mkdir notes
echo one >notes/a
seq 100 >notes/seq
sqlite3 notes/db 'create table t(a); insert into t values(1)'
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$BRAIN"
remote = "none"
EOC
expect 0 "$MIRROR" --once

# Every object on its own, then without these.
take_away() {
	(
		cd "$BRAIN/.git"
		rm -f objects/pack/*.keep; git repack -qad
		cat objects/pack/*.pack >"$W/pack"
		rm -f objects/pack/*
		git unpack-objects -q <"$W/pack"
		for name in "$@"; do
			git rev-parse "$name"
		done | while read -r id; do
			rm -f "objects/${id:0:2}/${id:2}"
		done
	)
}

integrity() {
	"$MIRROR" health --json 2>/dev/null | jq -r '.facts[] | select(.name == "integrity") | .state'
}

whole() {
	git -C "$BRAIN" fsck --strict --no-dangling --no-progress >"$W/fsck" 2>&1 || {
		fail "$1: $(head -3 "$W/fsck")"
	}
	is "$(integrity)" healthy "integrity, $1"
}

# A file and a database, whose bytes are not on the disk but in its snapshot.
take_away HEAD:notes/a HEAD:notes/db
expect 0 "$MIRROR" --once
says err "missing from the repository"
whole "a blob and a snapshot"
git -C "$BRAIN" show HEAD:notes/db >copy
is "$(sqlite3 copy 'select a from t')" 1 "the row in the snapshot"

# The deep look needs no cycle to see it.
take_away HEAD:notes/seq
got=0
"$MIRROR" health --deep --json >out 2>err || got=$?
[ "$got" -ge 1 ] || fail "a deep look at a repository without HEAD:notes/seq says all is well"
expect 0 "$MIRROR" --once
whole "after the deep look"

# Without the commit itself nothing can be made of it: told, and nothing is made anew.
cp -r "$BRAIN" whole
head=$(git -C "$BRAIN" rev-parse HEAD)
take_away HEAD
expect 2 "$MIRROR" --once
says err "$head"
says err "next:"
[ "$("$MIRROR" health --json 2>/dev/null | jq -r .state)" = failed ] ||
	fail "health is not failed without the commit"
is "$(git -C "$BRAIN" rev-parse HEAD)" "$head" "the branch"
rm -rf "$BRAIN"
mv whole "$BRAIN"
expect 0 "$MIRROR" --once
whole "when it came back"
