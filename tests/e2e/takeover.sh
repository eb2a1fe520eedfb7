#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine is lost: another disk goes on in its place, with its files, its branch and its
# name; and should the old one come back, it is refused.
. "$(dirname "$0")/lib.sh"
needs git

mkdir -p "$HOME/notes/deep/er" "$HOME/papers/empty"
printf 'hello\n' >"$HOME/notes/a.md"
printf '#!/bin/sh\n' >"$HOME/notes/deep/er/run"
chmod 750 "$HOME/notes/deep/er/run"
touch -d 2020-02-02T02:02:02Z "$HOME/notes/deep/er/run"
printf 'ignored?\n' >"$HOME/papers/.gitignore"
ln -s a.md "$HOME/notes/link"
git init -q --bare remote.git
expect 0 "$MIRROR" init "$HOME/notes" "$HOME/papers" --remote "$W/remote.git"
branch=$(git -C "$BRAIN" symbolic-ref --short HEAD)
host=${branch#host/}
printf 'more\n' >>"$HOME/notes/a.md"
expect 0 "$MIRROR" milestone before-the-loss
head=$(git -C "$BRAIN" rev-parse HEAD)
id=$(git -C remote.git cat-file blob "refs/mirror/state/$host" | sed -n 's/.*"machine": "\([0-9a-f]*\)".*/\1/p')
old=$HOME

# Another disk.
new() {
	export HOME=$W/$1
	export XDG_CONFIG_HOME=$HOME/.config XDG_STATE_HOME=$HOME/.local/state
	export XDG_DATA_HOME=$HOME/.local/share XDG_RUNTIME_DIR=$W/run-$1
	CONFIG=$XDG_CONFIG_HOME/mirror/mirror.toml
	BRAIN=$XDG_DATA_HOME/mirror/brain
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
	chmod 700 "$XDG_RUNTIME_DIR"
}
new second
expect 64 "$MIRROR" init
expect 64 "$MIRROR" init --from "$W/remote.git"
says err "--host NAME"
expect 64 "$MIRROR" init notes --to x
expect 64 "$MIRROR" init --from "$W/remote.git" --host "$host" nots=/tmp/x --dry-run
expect 69 "$MIRROR" init --from "$W/remote.git" --host nobody --dry-run
expect 0 "$MIRROR" init --from "$W/remote.git" --host "$host" --dry-run
says out "notes comes back as $HOME/notes"
says out "papers comes back as $HOME/papers"
says out "4 files to restore"
[ ! -e "$HOME/notes" ] && [ ! -e "$BRAIN" ] && [ ! -e "$CONFIG" ] || fail "a dry run left something"

# What stands there and differs is never replaced.
mkdir -p "$HOME/notes"
printf 'mine\n' >"$HOME/notes/a.md"
expect 73 "$MIRROR" init --from "$W/remote.git" --host "$host" --yes
says err "other files stand in the way"
is "$(cat "$HOME/notes/a.md")" mine "the file that was there"
[ ! -e "$CONFIG" ] || fail "a configuration in spite of it"

expect 0 "$MIRROR" init --from "$W/remote.git" --host "$host" --to "$HOME/back" papers="$HOME/work/paper" --yes
says out "4 files restored"
diff -r "$old/notes" "$HOME/back/notes" || fail "notes differ"
diff -r "$old/papers" "$HOME/work/paper" || fail "papers differ"
is "$(stat -c '%a %Y' "$HOME/back/notes/deep/er/run")" "750 1580608922" "mode and time"
[ -d "$HOME/work/paper/empty" ] || fail "the empty folder"
is "$(readlink "$HOME/back/notes/link")" a.md "the link"
says "$CONFIG" "branch"
expect 0 "$MIRROR" config check
is "$(git -C "$BRAIN" symbolic-ref --short HEAD)" "$branch" "the branch"
git -C "$BRAIN" merge-base --is-ancestor "$head" HEAD || fail "the history of the lost machine"
is "$(git -C "$BRAIN" rev-parse HEAD:notes)" "$(git -C "$BRAIN" rev-parse "$head:notes")" "notes in the tree"
is "$(git -C "$BRAIN" status --porcelain | wc -l)" 0 "changes in the browsable copy"
is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote"
git -C "$BRAIN" fsck --strict >/dev/null 2>&1 || fail "fsck"

is "$(git -C "$BRAIN" rev-parse 'before-the-loss^{}')" "$head" "the milestone of the lost machine"
expect 73 "$MIRROR" milestone before-the-loss

# The name was taken over, and says so.
git -C remote.git cat-file blob "refs/mirror/state/$host" >beat
says beat "\"took_over\": \"$id\""
printf 'on the new disk\n' >>"$HOME/back/notes/a.md"
expect 0 "$MIRROR" --once
silent_about err "could not be pushed"
expect 73 "$MIRROR" init --from "$W/remote.git" --host "$host" --yes
says err "there is a configuration already"

# The old one turns up again: refused, whatever it has.
HOME=$old
export XDG_CONFIG_HOME=$HOME/.config XDG_STATE_HOME=$HOME/.local/state
export XDG_DATA_HOME=$HOME/.local/share
printf 'I was only asleep\n' >>"$HOME/notes/a.md"
expect 0 "$MIRROR" --once
says err "another machine writes under this name"
