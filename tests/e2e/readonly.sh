#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The state can only be read: a folder whose mode forbids it, a file system that was mounted
# read-only.  Who reads is answered all the same; who writes is told what it is, with the
# one command for it; and when it can be written again everything goes on.
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes
echo 1 >notes/a
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$BRAIN"
remote = "none"
EOC
expect 0 "$MIRROR" --once
"$MIRROR" drill >/dev/null 2>&1 || true
"$MIRROR" accept --no-input >/dev/null 2>&1 || true
expect 0 "$MIRROR" health

# answered WHAT ADVICE: so it is said, and that is next.
answered() {
	expect 0 "$MIRROR" ledger
	says out "notes/a"
	expect 0 "$MIRROR" why notes/a
	says out "notes/a: mirrored"
	expect 0 "$MIRROR" status
	says out "1 file accounted for: 1 protected"
	expect 0 "$MIRROR" log
	expect 2 "$MIRROR" health
	says out "nothing can be kept: $STATE $1"
	says out "next: $2"
	silent_about out "is gone"
	for verb in "--once" "pause 1h" "accept --no-input"; do
		got=0
		# shellcheck disable=SC2086
		"$MIRROR" $verb >out 2>err </dev/null || got=$?
		[ "$got" -ne 0 ] || fail "$verb says that all is well"
		says err "$STATE $1"
		says err "next: $2"
	done
}
# With the files that SQLite reads through, as who only looks leaves them; and without.
for left in with without; do
	[ "$left" = with ] || rm -f "$STATE"/*.sqlite-wal "$STATE"/*.sqlite-shm
	chmod -R a-w "$STATE"
	answered "may not be written to" "make it yours, then: chmod u+rwx $STATE"
	chmod -R u+w "$STATE"
	expect 0 "$MIRROR" --once
done
echo 2 >notes/b
expect 0 "$MIRROR" --once
says out "committed 1 change"
expect 0 "$MIRROR" health
rm notes/b
expect 0 "$MIRROR" --once

# A file system of our own, in a namespace of our own.
if [ -z "${IN_NAMESPACE:-}" ] && unshare -rm true 2>/dev/null; then
	export W STATE BRAIN CONFIG MIRROR failures story
	export -f answered expect says silent_about fail
	unshare -rm bash -eu -c '
		mount --bind "$STATE" "$STATE"
		mount -o remount,bind,ro "$STATE"
		answered "is on a file system that is read-only" "mount -o remount,rw $STATE"
		[ "$failures" -eq 0 ]
	' || fail "a read-only file system"
fi
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" health
