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
"$MIRROR" drill >/dev/null 2>&1 || true
"$MIRROR" accept --no-input >/dev/null 2>&1 || true
expect 0 "$MIRROR" health

# A run that cannot even begin is told by the probe, also where no agent runs.
cp "$BRAIN/.git/config" config.good
printf '[core]\n\tbare = maybe\n' >>"$BRAIN/.git/config"
expect 2 "$MIRROR" --once
got=0
"$MIRROR" health >out 2>err || got=$?
case $got in 1 | 2) ;; *) fail "health after a run that could not begin: $got" ;; esac
says out "the last 1 cycle failed"
expect 2 "$MIRROR" --once
cp config.good "$BRAIN/.git/config"
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" health

# What is refused in the configuration may hold a password: it is not quoted.
sed "s|^remote = .*|remote = \"-https://u:pXw0rd7Kq2@h/x\"|" "$CONFIG" >wrong.toml
expect 78 "$MIRROR" -c wrong.toml --once
silent_about err "pXw0rd7Kq2"
says err "begins with a dash"

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
