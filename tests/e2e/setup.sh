#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# init, add, remove, service: the plan first, comments kept, nothing overwritten.
. "$(dirname "$0")/lib.sh"
needs git

mkdir -p notes/node_modules notes/.git work
printf 'hello\n' >notes/a.md
printf 'x\n' >notes/node_modules/x
printf 'x\n' >notes/.git/config
head -c 60000000 /dev/zero >notes/big

expect 64 "$MIRROR" init
expect 2 "$MIRROR" init nowhere
expect 65 "$MIRROR" init notes/a.md

expect 0 "$MIRROR" init -n notes
says out "will be mirrored: 1 file, 6 B"
says out "will not be mirrored: 1 regenerable: node_modules"
says out "will not be mirrored: 1 too-large: big"
says out "will not be mirrored: 1 git-internals: .git"
[ -e "$CONFIG" ] && fail "--dry-run wrote the configuration"
[ -e "$BRAIN" ] && fail "--dry-run made the repository"

expect 0 "$MIRROR" init notes
says out "configuration: $CONFIG"
says out "all 4 files accounted for: 1 protected, 3 excluded, nothing pending"
git -C "$BRAIN" fsck --strict >/dev/null 2>&1 || fail "fsck"
expect 0 "$MIRROR" config check
is "$(stat -c %a "$CONFIG")" 600 "mode of the configuration"
cp "$CONFIG" first.toml

expect 73 "$MIRROR" init work
says err "there is a configuration already"
says err "  next: mirror add $W/work"
cmp -s "$CONFIG" first.toml || fail "init overwrote the configuration"

expect 0 "$MIRROR" add -n work
cmp -s "$CONFIG" first.toml || fail "add --dry-run saved"
expect 0 "$MIRROR" add work
expect 0 "$MIRROR" config check
says out "2 watched folders"
head -c "$(wc -c <first.toml)" "$CONFIG" | cmp -s - first.toml || fail "add touched other lines"
expect 73 "$MIRROR" add work
expect 2 "$MIRROR" add nowhere
mkdir -p other/work
expect 78 "$MIRROR" add other/work
says err 'two watched folders are named "work"'
expect 0 "$MIRROR" add other/work --name work2
printf 'in it\n' >other/work/file
expect 0 "$MIRROR" --once
is "$(git -C "$BRAIN" show HEAD:work2/file)" "in it" "a file of the added folder"

expect 0 "$MIRROR" remove work2
expect 0 "$MIRROR" remove "$W/work"
cmp -s "$CONFIG" first.toml || {
	diff first.toml "$CONFIG" >&2 || true
	fail "add and remove are not back where they began"
}
expect 2 "$MIRROR" remove work

expect 0 "$MIRROR" service install -n
says out "ExecStart=\"$MIRROR\" run -c \"$CONFIG\""
says out "WatchdogSec="
[ -e "$XDG_CONFIG_HOME/systemd" ] && fail "--dry-run wrote the unit"
expect 0 "$MIRROR" service remove
says out "there is no service"

# What a helper needs, in a file of its own and without what is nobody's business.
expect 0 "$MIRROR" remote set "https://kim:correct-horse-9@git.example.org/brain.git"
"$MIRROR" doctor --bundle bundle.txt >out 2>err || [ $? = 1 ] || fail "doctor: $(cat err)"
is "$(stat -c %a bundle.txt)" 600 "mode of the bundle"
says bundle.txt "== health"
says bundle.txt "remote = https://***@git.example.org/brain.git"
silent_about bundle.txt "correct-horse"
silent_about bundle.txt "$HOME"
cp bundle.txt first-bundle.txt
expect 73 "$MIRROR" doctor --bundle bundle.txt
says err "  next: mirror doctor --bundle another file"
cmp -s bundle.txt first-bundle.txt || fail "a file was overwritten"
expect 0 "$MIRROR" remote set none

# Without an agent there is nothing to stop; everything stays, and it says where.
expect 0 "$MIRROR" uninstall
says out "there is no service"
says out "  brain repository  ~/.local/share/mirror/brain"
says out "  configuration     ~/.config/mirror/mirror.toml"
[ -d "$BRAIN" ] && [ -f "$CONFIG" ] && [ -d "$STATE" ] || fail "uninstall took something away"

# What a run would take in, without one.
head=$(git -C "$BRAIN" rev-parse HEAD)
printf 'new\n' >notes/new
expect 0 "$MIRROR" --once -n
says out "will be mirrored: 2 files"
is "$(git -C "$BRAIN" rev-parse HEAD)" "$head" "the head after --dry-run"
