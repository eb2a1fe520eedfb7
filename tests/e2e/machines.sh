#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many machines, one remote: each alone writes its branch and its heartbeat, also when all
# come at once; a second machine with the same name, and a copied disk, are refused.
. "$(dirname "$0")/lib.sh"
needs git

git init -q --bare remote.git
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'

# on NAME COMMAND...: as the machine of that name.
on() {
	at=$W/m/$1
	shift
	HOME=$at XDG_CONFIG_HOME=$at/.config XDG_STATE_HOME=$at/.local/state \
		XDG_DATA_HOME=$at/.local/share XDG_RUNTIME_DIR=$at/run "$@"
}

# machine FOLDER NAME
machine() {
	mkdir -p "m/$1/notes" "m/$1/run" "m/$1/.config/mirror"
	printf 'written on %s\n' "$1" >"m/$1/notes/a.md"
	printf '[[watch]]\npath = "%s"\n[brain]\nremote = "%s"\nbranch = "host/%s"\n' \
		"$W/m/$1/notes" "$W/remote.git" "$2" >"m/$1/.config/mirror/mirror.toml"
}

# Twelve at once.
all=$(seq -w 1 12)
for n in $all; do
	machine "box$n" "box$n"
done
for n in $all; do
	on "box$n" "$MIRROR" --once >"m/box$n/out" 2>"m/box$n/err" &
done
wait
for n in $all; do
	here=$(git -C "m/box$n/.local/share/mirror/brain" rev-parse HEAD)
	is "$(git -C remote.git rev-parse "host/box$n")" "$here" "box$n at the remote"
	git -C remote.git cat-file blob "refs/mirror/state/box$n" >beat
	says beat "\"commit\": \"$here\""
	says beat '"schema": "mirror.machine/1"'
done
is "$(git -C remote.git for-each-ref refs/mirror/state | wc -l)" 12 "heartbeats"
git -C remote.git fsck --strict >/dev/null 2>&1 || fail "fsck of the remote"
git -C m/box01/.local/share/mirror/brain fsck --strict >/dev/null 2>&1 || fail "fsck of a brain"
is "$(git -C m/box01/.local/share/mirror/brain for-each-ref | wc -l)" 1 "refs in a brain"

# Each sees the others.
expect 0 on box01 "$MIRROR" machines --fetch
is "$(wc -l <out)" 12 "machines"
is "$(grep -c 'this machine' out)" 1 "this machine"
silent_about out SILENT
expect 0 on box01 "$MIRROR" machines --fetch --json
says out '"name": "box07"'
says out '"state": "'

# What each of them kept today, seen from one.
expect 0 on box01 "$MIRROR" today --host all
is "$(grep -c ': . commit' out)" 1 "machines whose history is here"
expect 2 on box01 "$MIRROR" today --host box07
says err "mirror today --host box07 --fetch"
expect 0 on box01 "$MIRROR" today --host all --fetch
is "$(grep -c ': 1 commit, 1 added, 0 changed, 0 removed' out)" 12 "machines with a day"
is "$(grep -c '^added     notes/a.md$' out)" 12 "files that were added"
expect 0 on box01 "$MIRROR" today --host box07 --json
says out '"name": "box07"'
says out "\"head\": \"$(git -C remote.git rev-parse host/box07)\""
says out '"path": "notes/a.md"'
for n in $(seq -w 2 12); do
	git -C m/box01/.local/share/mirror/brain update-ref -d "refs/remotes/shared/host/box$n"
done
expect 0 on box01 "$MIRROR" today --host all
is "$(grep -c ': 1 commit' out)" 1 "machines when the others are forgotten"

# A milestone is one name for all of them: whoever is first has it, also when both come
# before either was pushed.
expect 0 on box10 "$MIRROR" milestone v1
says out "at the remote too"
expect 73 on box11 "$MIRROR" milestone v1
says err "the remote has a milestone v1 already"
was=$(git -C remote.git rev-parse v1)
mv remote.git away
expect 0 on box11 "$MIRROR" milestone v1
says out "not yet at the remote"
mv away remote.git
printf 'more\n' >>m/box11/notes/a.md
expect 0 on box11 "$MIRROR" --once
says err "the remote has another milestone v1; ours stays here only"
is "$(git -C remote.git rev-parse v1)" "$was" "the milestone of the first"
is "$(git -C remote.git rev-parse host/box11)" "$(git -C m/box11/.local/share/mirror/brain rev-parse HEAD)" "box11 at the remote"
printf 'more\n' >>m/box11/notes/a.md
expect 0 on box11 "$MIRROR" --once
silent_about err "milestone"

# Another machine with a name that is taken: refused before anything is sent, told what to
# do, and red.
before=$(git -C remote.git rev-parse host/box02 refs/mirror/state/box02)
machine impostor box02
expect 0 on impostor "$MIRROR" --once
says err "another machine writes under this name"
says err 'host/box022'
is "$(git -C remote.git rev-parse host/box02 refs/mirror/state/box02)" "$before" "box02 at the remote"
expect 2 on impostor "$MIRROR" health
says out "the last push failed (taken)"
# The one whose name it is goes on.
printf 'more\n' >>m/box02/notes/a.md
expect 0 on box02 "$MIRROR" --once
silent_about err "could not be pushed"
# With a name of its own the other one goes on as well.
sed -i 's,host/box02,host/box022,' m/impostor/.config/mirror/mirror.toml
expect 0 on impostor "$MIRROR" --once
silent_about err "could not be pushed"
git -C remote.git rev-parse -q --verify host/box022 >/dev/null || fail "the new name at the remote"

# A copied disk has our id; whoever comes second after the copy is refused.
cp -a m/box03 m/copy
sed -i "s,$W/m/box03/notes,$W/m/copy/notes," m/copy/.config/mirror/mirror.toml
sed -i "s,$W/m/box03/,$W/m/copy/," m/copy/.local/share/mirror/brain/.git/config
printf 'the first one\n' >>m/box03/notes/a.md
expect 0 on box03 "$MIRROR" --once
silent_about err "could not be pushed"
printf 'the copy\n' >>m/copy/notes/a.md
expect 0 on copy "$MIRROR" --once
says err "a copy of this disk writes under this name"
expect 2 on copy "$MIRROR" health
says out "(copy)"
printf 'again\n' >>m/box03/notes/a.md
expect 0 on box03 "$MIRROR" --once
silent_about err "could not be pushed"

# Our own heartbeat from before, as a remote that was set back has it, stops nobody.
old=$(git -C remote.git rev-parse refs/mirror/state/box04)
on box04 "$MIRROR" --once >/dev/null 2>&1
git -C remote.git update-ref refs/mirror/state/box04 "$old"
printf 'more\n' >>m/box04/notes/a.md
expect 0 on box04 "$MIRROR" --once
silent_about err "could not be pushed"
[ "$(git -C remote.git rev-parse refs/mirror/state/box04)" != "$old" ] || fail "box04 is not heard of"

# A machine not heard of for long is told, and health of the others says so.
git -C remote.git cat-file blob refs/mirror/state/box05 |
	sed 's/"at_ms": [0-9]*/"at_ms": 1700000000000/' >beat
git -C remote.git update-ref refs/mirror/state/box05 "$(git -C remote.git hash-object -w "$W/beat")"
expect 0 on box01 "$MIRROR" machines --fetch --json
is "$(grep -c '"silent": true' out)" 1 "silent ones"
rm -rf m/box06/.local/state/mirror
expect 0 on box06 "$MIRROR" --once
on box06 "$MIRROR" health --json >out 2>err || true
says out '"name": "machines"'
says out "1 of 12 other machines silent, box05 since 2023-11-14"
expect 0 on box06 "$MIRROR" accept machines
on box06 "$MIRROR" health --json >out 2>err || true
silent_about out "mirror machines --fetch"

# A remote that takes branches and nothing else gets the branch.
cat >remote.git/hooks/update <<'HOOK'
#!/bin/sh
case $1 in refs/heads/*) exit 0 ;; esac
echo "only branches here" >&2
exit 1
HOOK
chmod +x remote.git/hooks/update
printf 'more\n' >>m/box08/notes/a.md
expect 0 on box08 "$MIRROR" --once
silent_about err "could not be pushed"
is "$(git -C remote.git rev-parse host/box08)" \
	"$(git -C m/box08/.local/share/mirror/brain rev-parse HEAD)" "box08 at the remote"
rm remote.git/hooks/update

# A person who says that the other one is no more may write in its place.
machine heir box09
rm -rf m/box09
expect 0 on heir "$MIRROR" --once
says err "another machine writes under this name"
git -C remote.git update-ref -d refs/heads/host/box09
expect 0 on heir "$MIRROR" machines --take-over
expect 0 on heir "$MIRROR" --once
silent_about err "could not be pushed"
git -C remote.git cat-file blob refs/mirror/state/box09 >beat
grep -q '"took_over": "[0-9a-f]' beat || fail "the heartbeat does not say whom it took over"
