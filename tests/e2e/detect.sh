#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `init --detect`: what is worth keeping is found with its reason, nothing wholesale; and
# what rolls leaves the newest commit when it is old, but not the history.
. "$(dirname "$0")/lib.sh"
needs git

expect 2 "$MIRROR" init --detect
says err "nothing was found in $HOME that looks worth keeping"
says err "  next: mirror init PATH..."

# A home as people have them.
mkdir -p "$HOME/.claude/projects/boat/memory" "$HOME/.claude/cache" "$HOME/.config/nvim" \
	"$HOME/.config/google-chrome/Default" "$HOME/.config/app/Local Storage" "$HOME/.config/big" \
	"$HOME/.config/empty" "$HOME/.mozilla" "$HOME/.cache/x" "$HOME/.ssh" \
	"$HOME/Documents/vault/.obsidian" "$HOME/Documents/letters" "$HOME/work/boat/.claude" \
	"$HOME/work/notes" "$HOME/journal" "$HOME/pictures/notes" "$HOME/node_modules/x/notes"
printf 'remember the boat\n' >"$HOME/.claude/CLAUDE.md"
printf 'the mast is short\n' >"$HOME/.claude/projects/boat/memory/mast.md"
printf 'aws_access_key_id = %s\n' "$AWS_KEY" >"$HOME/.claude/settings.json"
printf '{}\n' >"$HOME/.claude/.credentials.json"
printf '{"new": 1}\n' >"$HOME/.claude/projects/boat/new.jsonl"
printf '{"old": 1}\n' >"$HOME/.claude/projects/boat/old.jsonl"
touch -d '40 days ago' "$HOME/.claude/projects/boat/old.jsonl" \
	"$HOME/.claude/projects/boat/memory/mast.md"
printf 'x\n' >"$HOME/.claude/cache/x"
printf 'set number\n' >"$HOME/.config/nvim/init.vim"
printf 'x\n' >"$HOME/.config/google-chrome/Default/Preferences"
printf 'x\n' >"$HOME/.config/app/Local Storage/x"
head -c 3000000 /dev/zero >"$HOME/.config/big/model"
printf 'note\n' >"$HOME/Documents/vault/note.md"
printf 'letter\n' >"$HOME/Documents/letters/a.odt"
printf 'x\n' >"$HOME/work/boat/.claude/plan.md"
printf 'work\n' >"$HOME/work/notes/work.md"
printf 'day\n' >"$HOME/journal/day.txt"
printf 'x\n' >"$HOME/pictures/notes/a.jpg"
printf 'x\n' >"$HOME/node_modules/x/notes/a.md"
printf 'x\n' >"$HOME/.bashrc"

expect 0 "$MIRROR" init --detect --dry-run
says out "~/.claude, as claude/ in the brain repository"
says out "because: what Claude Code remembers; transcripts of the last 30 days"
says out "secrets: 1 in 1 file: 1 aws-access-key-id"
says out "will not be mirrored: 1 window: projects/boat/old.jsonl"
says out "~/Documents/vault, as vault/ in the brain repository"
says out "because: an Obsidian vault"
says out "~/work/boat/.claude, as boat-claude/ in the brain repository"
says out "because: an agent's notes on boat"
says out "~/work/notes, as notes/ in the brain repository"
says out "~/journal, as journal/ in the brain repository"
says out "~/.config/nvim, as nvim/ in the brain repository"
says out "together: 6 folders, "
for left in .mozilla .cache .ssh .config/google-chrome .config/app .config/big .bashrc; do
	says out "  ~/$left: "
done
for never in letters pictures node_modules google-chrome/ empty; do
	silent_about out "$never, as"
done
silent_about out "$AWS_KEY"
[ -e "$CONFIG" ] && fail "--dry-run wrote the configuration"

expect 0 "$MIRROR" init --detect --yes
expect 0 "$MIRROR" config check
says "$CONFIG" 'rolling = ["/projects/**/*.jsonl"'
tree=$(git -C "$BRAIN" ls-tree -r --name-only HEAD)
is "$(printf '%s\n' "$tree" | grep -v '^\.mirror/' | LC_ALL=C sort | tr '\n' ' ')" \
	"boat-claude/plan.md claude/CLAUDE.md claude/projects/boat/memory/mast.md claude/projects/boat/new.jsonl claude/settings.json journal/day.txt notes/work.md nvim/init.vim vault/note.md " \
	"what is kept"
expect 0 "$MIRROR" ledger --json
grep -F '"claude/projects/boat/old.jsonl"' out >old
says old '"reason":"window:'"$CONFIG:"
expect 0 "$MIRROR" why "$HOME/.claude/projects/boat/old.jsonl"
says out "a longer [[watch]] window keeps it"

# It grows old without being touched, and is left to the history.
touch -d '31 days ago' "$HOME/.claude/projects/boat/new.jsonl"
before=$(git -C "$BRAIN" rev-parse HEAD)
expect 0 "$MIRROR" --once
git -C "$BRAIN" ls-tree -r --name-only HEAD | grep -F new.jsonl && fail "an old transcript is in HEAD"
is "$(git -C "$BRAIN" show "$before:claude/projects/boat/new.jsonl")" '{"new": 1}' "the history"
[ -e "$HOME/.claude/projects/boat/new.jsonl" ] || fail "a watched file was touched (I6)"
# Written to, it is back.
printf '{"more": 2}\n' >>"$HOME/.claude/projects/boat/new.jsonl"
expect 0 "$MIRROR" --once
git -C "$BRAIN" show HEAD:claude/projects/boat/new.jsonl | grep -qF more || fail "it did not come back"
expect 1 "$MIRROR" health --json
grep -F '"window' out && fail "health complains of what rolls"

# Without anybody touching it: only the clock goes on.
sed -i 's/^rolling = .*jsonl.*/&\nwindow = "2s"/' "$CONFIG"
expect 0 "$MIRROR" config check
sleep 2.1
expect 0 "$MIRROR" --once
git -C "$BRAIN" ls-tree -r --name-only HEAD | grep -F new.jsonl && fail "2 s are over"
git -C "$BRAIN" fsck --strict >/dev/null 2>&1 || fail "fsck"

# What a person names comes first, and nothing in it is proposed again; names are found
# for folders that are called the same.
rm -r "$CONFIG" "$BRAIN" "$STATE"
expect 0 "$MIRROR" init --detect --dry-run "$HOME/work"
says out "~/work, as work/"
silent_about out "boat-claude"
mkdir -p "$HOME/other/notes"
expect 0 "$MIRROR" init --yes "$HOME/work/notes" "$HOME/other/notes"
expect 0 "$MIRROR" config check
says "$CONFIG" 'name = "other-notes"'
