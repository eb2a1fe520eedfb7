#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A first cycle that is cut short: what it had copied is taken away by the next one, and not
# kept aside, where it would take its room twice.
. "$(dirname "$0")/lib.sh"
needs git

mkdir -p notes/d
for i in $(seq 6000); do
	echo "note $i" >"notes/d/$i"
done
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$BRAIN"
remote = "none"
branch = "host/x"
EOC
"$MIRROR" --once >/dev/null 2>&1 &
cycle=$!
for _ in $(seq 3000); do
	[ ! -d "$BRAIN/notes/d" ] || break
	sleep 0.01
done
kill -9 $cycle
wait $cycle 2>/dev/null || true
mkdir -p "$BRAIN/notes/d"
echo "a person's" >"$BRAIN/notes/d/own"
expect 0 "$MIRROR" --once
says out "all 6000 files accounted for"
[ ! -e "$BRAIN/notes/d/own" ] || fail "what the commit does not have stays in the copy"
is "$(ls "$BRAIN/.git/mirror/aside" | wc -l)" 1 "files kept aside"
grep -qx "a person's" "$BRAIN"/.git/mirror/aside/* || fail "a person's file is lost"
diff -r notes "$BRAIN/notes" || fail "the copy is not what it was copied from"
git -C "$BRAIN" fsck --strict --no-dangling 2>err || fail "fsck"
