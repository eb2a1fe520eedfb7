#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A folder on FUSE: what happens behind it is not heard, is said so, and is backed up
# within a minute all the same.  MIRROR_LONG=1, and bindfs and fusermount3 on PATH.
[ -n "${MIRROR_LONG:-}" ] || exit 77
as_root=1
. "$(dirname "$0")/lib_broken.sh"
needs bindfs
needs fusermount3
release() {
	stop_agent
	fusermount3 -u -z "$W/notes" 2>/dev/null || true
}
at_end=release

mkdir behind notes
for i in $(seq 30); do
	echo "$i" >"behind/$i.md"
done
bindfs behind notes || { echo "fuse: skipped, no FUSE here"; exit 77; }
cat >"$CONFIG" <<END
[[watch]]
path = "$W/notes"
[brain]
settle = "200ms"
sweep = "1h"
remote = "none"
END
start_agent
wait_for 20 holds notes/30.md 30
told 30 watches degraded
says health.json "FUSE"

echo changed >behind/3.md
mkdir -p behind/new/sub
echo deep >behind/new/sub/file
rm behind/4.md
wait_for 60 holds notes/new/sub/file deep
holds notes/3.md changed || fail "a change behind a FUSE mount is not in the backup"
holds notes/4.md 4 && fail "what was deleted behind it is still there"

# The mount goes away: nothing leaves the backup (I14), and comes back by itself.
fusermount3 -u -z "$W/notes"
told 60 shrink 'degraded|failed'
holds notes/new/sub/file deep || fail "an unmounted FUSE folder emptied the backup"
bindfs behind notes
wait_for 90 sh -c '"$MIRROR" health --json | jq -e ".facts[] | select(.name == \"shrink\") | .state == \"healthy\"" >/dev/null'
