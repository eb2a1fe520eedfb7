#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The repository's objects are gone: every command says so, with a next step, and none
# says that all is well.
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes
printf 'hello\n' >notes/a
expect 0 "$MIRROR" init notes
find "$BRAIN/.git/objects" -type f -exec rm -f {} +

expect 2 "$MIRROR" --once
says err "  next: "
expect 0 "$MIRROR" status
says out "damaged: it cannot be read"
expect 0 "$MIRROR" status --json
says out '"head_is_whole": false'
expect 3 "$MIRROR" why notes/a
says out "notes/a: mirrored"
says out "safe version  unknown"
got=0
"$MIRROR" health --deep >out 2>err || got=$?
case $got in 2 | 3) ;; *) fail "health --deep of nothing: exit status $got" ;; esac
for verb in log diff today; do
	got=0
	"$MIRROR" $verb >out 2>err || got=$?
	[ "$got" -ne 0 ] || fail "$verb of nothing is a success"
done

# The whole repository is gone: nothing is protected, whatever the ledger remembers; and
# it is not made anew behind anybody's back.
rm -rf "$BRAIN"
expect 2 "$MIRROR" --once
[ -e "$BRAIN" ] && fail "the repository was made anew"
expect 2 "$MIRROR" health
silent_about out "1 protected"
says out "how many files are protected is not known"
expect 0 "$MIRROR" status
silent_about out "1 protected"
