#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A repository with a history of its own becomes the brain repository: what others committed
# was never scanned, and that is told until somebody has it scanned.
. "$(dirname "$0")/lib.sh"
needs git

mkdir -p notes
printf 'hello\n' >notes/a.md
git init -q -b "host/box" old
printf 'key = %s\n' "$AWS_KEY" >old/config.ini
git -C old add -A
git -C old commit -qm "before"
git -C old rm -q config.ini
git -C old commit -qm "removed, as if that helped"
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$W/old"
branch = "host/box"
remote = "none"
EOC

expect 0 "$MIRROR" --once
says err "never scanned: 2 commits that others made before ours; next: mirror secrets history"
is "$(git -C old rev-list --count HEAD)" 3 "commits"
"$MIRROR" health >out 2>err || true
says out "never scanned: 2 commits that others made before ours"
says out "mirror secrets history"

# It is told once by the log, and by health until it was done.
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
silent_about err "never scanned"
"$MIRROR" health >out 2>err || true
says out "never scanned"
expect 1 "$MIRROR" secrets history
says out "aws-access-key-id"
"$MIRROR" health >out 2>err || true
silent_about out "never scanned"
says out "1 secret found in a history that others began"

# A history of ours alone is nobody's news.
rm -rf "$STATE" "$W/old"
expect 0 "$MIRROR" --once
rm -rf "$STATE"
expect 0 "$MIRROR" --once
silent_about err "never scanned"
"$MIRROR" health >out 2>err || true
silent_about out "made before ours"
