#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/package/first_minutes.sh BUILD - the first five minutes, typed into a terminal.
#
# On a machine that never heard of it: install, `mirror init`, its questions, the agent,
# a change, a file deleted and brought back, a proven restore.  Nobody edits a file.  What
# was on the screen is kept as BUILD/first-minutes.txt.
set -eu

build=$(realpath "$1")
for needed in tmux git cmake; do
	command -v "$needed" >/dev/null || {
		echo "first minutes: skipped, no $needed"
		exit 77
	}
done
[ -e "$build/made/mirror.1.gz" ] || {
	echo "first minutes: skipped, only a part of $build was built"
	exit 77
}
W=$(mktemp -d "${TMPDIR:-/tmp}/mirror-first.XXXXXX")
screen() { tmux -S "$W/tmux" "$@"; }

finish() {
	local status=$?
	screen kill-server 2>/dev/null || true
	if [ "$status" != 0 ]; then
		echo "first minutes: failed; its folder: $W" >&2
		exit 1
	fi
	rm -rf "$W"
}
trap finish EXIT

# All that was ever on the screen, lines that were folded made whole again.
shown() {
	screen capture-pane -p -J -S - -t first
}

# wait_for TEXT: it appears below what was waited for before.
from=1
wait_for() {
	local tries=0 at
	until at=$(shown | tail -n "+$from" | grep -nF -m 1 -- "$1" | cut -d: -f1) && [ -n "$at" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ]; then
			echo "first minutes: was not on the screen: $1" >&2
			shown >&2
			exit 1
		fi
		sleep 0.1
	done
	from=$((from + at - 1))
}

# say TEXT: type it, and Enter.
say() {
	screen send-keys -t first -l -- "$1"
	screen send-keys -t first Enter
}

# answer QUESTION TEXT
answer() {
	wait_for "$1"
	say "$2"
	from=$((from + 1))
}

# run COMMAND: at the prompt, until the next one.
prompts=1
run() {
	say "$1"
	prompts=$((prompts + 1))
}
finished() {
	local tries=0
	until [ "$(shown | grep -c '^kim@desk:')" -ge "$prompts" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ]; then
			echo "first minutes: no prompt after: $1" >&2
			shown >&2
			exit 1
		fi
		sleep 0.1
	done
}

# ---- a machine as people have it, and a place to push to

home=$W/home
mkdir -p "$home/notes/drafts" "$home/.claude/projects/boat" "$home/.cache/thumbnails" "$W/run"
chmod 700 "$W/run"
printf '# Ideas\n\nAsk Kim about the boat.\n' >"$home/notes/ideas.md"
printf '*\n' >"$home/notes/drafts/.gitignore"
printf 'It was a dark night.\n' >"$home/notes/drafts/novel.md"
# Cut in two, so that no scanner trips over this file.
printf '[default]\naws_access_key_id = %s\n' "AKIA""Z7QK3VJX5NPMWR2T" >"$home/notes/credentials"
printf 'Kim likes short sentences.\n' >"$home/.claude/CLAUDE.md"
printf '{"role": "user"}\n' >"$home/.claude/projects/boat/today.jsonl"
git init -q --bare "$W/brain.git"
cat >"$W/bashrc" <<END
PS1='kim@desk:\w\$ '
cd
END

# The shell knows nothing but what a login gives it, and where it was installed.
screen -f /dev/null new-session -d -s first -x 100 -y 50 \
	env -i HOME="$home" XDG_RUNTIME_DIR="$W/run" TERM=screen-256color LC_ALL=C.UTF-8 TZ=UTC0 \
	PATH="$W/usr/bin:/usr/local/bin:/usr/bin:/bin" bash --rcfile "$W/bashrc"
screen set-option -t first history-limit 20000 >/dev/null
wait_for 'kim@desk:~$'

# ---- install

run "cmake --install $build --prefix $W/usr >/dev/null && mirror version"
wait_for 'mirror 0.'
finished install

# ---- init: the plan, then its questions

run 'mirror init --detect'
answer 'Where to push to?' "$W/brain.git"
wait_for '~/.claude, as claude/ in the brain repository'
wait_for 'because: what Claude Code remembers'
wait_for '~/notes, as notes/ in the brain repository'
wait_for 'secrets: 1 in 1 file: 1 aws-access-key-id'
wait_for 'seen and not taken:'
wait_for '~/.cache: caches'
wait_for 'it answers and can be written to; the branch host/'
[ -e "$home/.config/mirror" ] && {
	echo "first minutes: something was written before it was agreed to" >&2
	exit 1
}
answer 'Leave something out?' ''
answer 'Go on?' y
if command -v age >/dev/null; then
	answer 'Secrets are cut out.  Keep them as well' y
	wait_for 'key file   '
fi
wait_for 'committed '
wait_for 'files accounted for: '
wait_for 'fsck     good'
if [ -d /run/systemd/system ] && [ -e "$W/run/systemd/private" ]; then
	answer 'Start the agent now' n
fi
answer 'Prove it now: restore from the remote and compare?' y
wait_for 'passed: '
wait_for ' 0 differences'
wait_for 'next:'
wait_for 'mirror restore PATH'
finished init

# ---- always on

run 'mirror run 2>agent.log &'
tries=0
until env -i HOME="$home" XDG_RUNTIME_DIR="$W/run" PATH=/usr/bin:/bin "$W/usr/bin/mirror" \
	status --json 2>/dev/null | grep -q '"running": true'; do
	tries=$((tries + 1))
	[ "$tries" -lt 600 ]
	sleep 0.1
done
finished agent
run "echo 'Buy rope.' >>notes/ideas.md"
tries=0
until git -C "$W/brain.git" grep -q rope $(git -C "$W/brain.git" for-each-ref --format='%(refname)' refs/heads/host) 2>/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -lt 600 ]
	sleep 0.1
done
run 'mirror log --limit 1'
wait_for 'mirror: 1 changed'
finished log

# ---- lost and back

run 'rm notes/ideas.md && mirror restore ~/notes/ideas.md'
answer '[y/N]' y
wait_for 'restored from'
wait_for 'into ~/notes.restored-'
finished restore
run 'cat notes.restored-*/ideas.md notes.restored-*/*/ideas.md 2>/dev/null'
wait_for 'Buy rope.'
finished cat
run 'mirror why ~/notes/credentials'
wait_for 'notes/credentials: '
finished why

# ---- and is it as it should be?

run 'mirror drill && mirror health; kill %1'
wait_for 'passed: '
wait_for 'files accounted for: '
finished health

shown | sed -e "s#$W/usr#/usr#g; s#$W/home#/home/kim#g; s#$W#/srv#g" -e 's/[ \t]*$//' |
	cat -s >"$build/first-minutes.txt"
if grep -nF "AKIA""Z7QK3VJX5NPMWR2T" "$build/first-minutes.txt"; then
	echo "first minutes: a secret was on the screen" >&2
	exit 1
fi
