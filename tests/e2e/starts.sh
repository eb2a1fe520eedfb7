#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# However it is started, the backup is the same: standard streams closed, the variables of
# a git hook, a user's git configuration, an umask of 0, few descriptors, files that may
# not grow.
. "$(dirname "$0")/lib.sh"

mkdir notes
for i in $(seq 200); do
	echo "note $i" >"notes/$i.md"
done
git init -q --bare remote.git
git init -q hooked
cat >"$CONFIG" <<EOF
[[watch]]
path = "$W/notes"
[brain]
remote = "$W/remote.git"
EOF

# whole WHAT: the commit is the disk, and git finds nothing to say.
whole() {
	git -C "$BRAIN" archive HEAD notes | tar -x -C "$W/seen" 2>/dev/null ||
		{ mkdir -p "$W/seen" && git -C "$BRAIN" archive HEAD notes | tar -x -C "$W/seen"; }
	diff -r "$W/notes" "$W/seen/notes" >"$W/differs" || fail "$1: HEAD is not the disk: $(head -3 "$W/differs")"
	rm -rf "$W/seen"
	# A commit that a run without descriptors wrote and could not point at hurts nobody.
	is "$(git -C "$BRAIN" fsck --strict --no-dangling 2>&1)" "" "git fsck after $1"
	is "$(git -C "$BRAIN" status --porcelain)" "" "git status after $1"
}

# The very first descriptors it opens would be 0, 1 and 2.
(
	umask 0
	"$MIRROR" --once <&- >&- 2>&-
) || fail "--once with all streams closed ended with $?"
whole "closed streams"
is "$(find "$BRAIN" "$STATE" -perm /022 ! -type l | head -3)" "" "what others may write, with umask 0"

# With an umask that leaves the owner nothing.
printf 'umask\n' >notes/umask.txt
mkdir dark
(
	umask 0777
	XDG_STATE_HOME=$W/dark/state "$MIRROR" --once >/dev/null 2>&1
) || fail "an umask of 0777"
is "$(stat -c %a dark/state/mirror)" 700 "the state's mode with umask 0777"
whole "umask 0777"

# As a hook of git, beside a configuration that changes bytes, signs and runs hooks.
cat >"$HOME/.gitconfig" <<EOF
[core]
	autocrlf = true
	hooksPath = /nonexistent
[commit]
	gpgSign = true
[push]
	gpgSign = if-asked
[user]
	useConfigOnly = true
EOF
printf 'a\r\nb\n' >notes/ends.txt
expect 0 env GIT_DIR="$W/hooked/.git" GIT_WORK_TREE="$W/hooked" GIT_INDEX_FILE="$W/index" \
	GIT_OBJECT_DIRECTORY="$W/hooked/.git/objects" "$MIRROR" --once
rm "$HOME/.gitconfig"
whole "a git hook"
is "$(git -C remote.git rev-parse "$(git -C "$BRAIN" symbolic-ref HEAD)")" \
	"$(git -C "$BRAIN" rev-parse HEAD)" "the branch at the remote"
is "$(find hooked/.git/objects -type f | wc -l)" 0 "objects in the hook's own repository"

# Few descriptors: done, or told without a word that would throw the history away.
echo more >>notes/1.md
for limit in 40 24 22 20 18 16 15 14 13 12; do
	got=0
	(
		ulimit -n "$limit"
		exec "$MIRROR" --once
	) >out 2>err || got=$?
	case $got in
	0) ;;
	[12]) silent_about err "rm -r" ;;
	*) fail "with $limit descriptors it ended with $got: $(cat err)" ;;
	esac
	echo more >>notes/2.md
done
expect 0 "$MIRROR" --once
whole "few descriptors"

# A file that may not grow is told; nothing of what was committed is lost.
head -c 200000 /dev/urandom >notes/noise
got=0
(
	ulimit -f 16
	exec "$MIRROR" --once
) >out 2>err || got=$?
case $got in
1 | 2 | 73) [ -s err ] || fail "a file limit is not told" ;;
*) fail "with a file limit it ended with $got" ;;
esac
expect 0 "$MIRROR" --once
whole "a file limit"

# Nothing in the environment but the configuration's place.
echo last >notes/last.md
expect 0 env -i "$MIRROR" -c "$CONFIG" config check
