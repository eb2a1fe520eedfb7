#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tools that look back, over histories that are not a plain line: merges, an octopus,
# two beginnings, empty commits, renamed roots, names that are not UTF-8, tags, a shallow
# clone.  Git says what is right.
. "$(dirname "$0")/lib.sh"
needs git
needs jq

old=$W/old
commit() { git -C "$old" commit -q --allow-empty -m "$1"; }
put() {
	mkdir -p "$(dirname "$old/$1")"
	printf '%b' "$2" >"$old/$1"
	git -C "$old" add -A
	commit "put"
}
git init -q -b host/box "$old"
put notes/a.md 'one\n'
commit "empty"
# Only a second parent ever held it, and no tree of the branch itself does.
git -C "$old" checkout -q -b side
put side/config.ini "key = $AWS_KEY\n"
git -C "$old" rm -qr side && commit "removed, as if that helped"
git -C "$old" checkout -q host/box
put notes/b.md 'two\n'
git -C "$old" merge -q --no-ff -m "merge" side
# Three parents at once, one of them with a beginning of its own.
git -C "$old" checkout -q -b east && put east.md 'e\n'
git -C "$old" checkout -q -b west host/box && put west.md 'w\n'
git -C "$old" checkout -q host/box && put notes/c.md 'three\n'
git -C "$old" merge -q --no-ff -m "octopus" east west 2>/dev/null >&2
is "$(git -C "$old" rev-list --parents -n 1 HEAD | wc -w)" 4 "an octopus and its parents"
git -C "$old" checkout -q --orphan other && git -C "$old" rm -qrf . && put other.md 'o\n'
git -C "$old" checkout -q host/box
git -C "$old" merge -q --allow-unrelated-histories -m "two beginnings" other
put "$(printf 'notes/caf\351\\n.md')" 'latin\n'
put 'notes/tab\there' 'tab\n'
git -C "$old" tag -a -m "a plain message" v1
# A tag leads where no branch does.
git -C "$old" checkout -q --detach && put tagged.env "token = $AWS_KEY_2\n"
git -C "$old" tag kept && git -C "$old" checkout -q host/box
many=$(git -C "$old" rev-list --all --count)

mkdir -p notes
cp -r "$old/notes/." notes/
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$old"
branch = "host/box"
remote = "none"
EOC
expect 0 "$MIRROR" --once

# --- secrets history: everything that has a name leads to
expect 1 "$MIRROR" secrets history --json
is "$(jq .commits out)" "$((many + 1))" "commits read"
is "$(jq -r '[.found[] | select(.path == "side/config.ini")] | length' out)" 1 "the second parent's"
is "$(jq -r '.found[] | select(.path == "side/config.ini") | .commit' out)" \
	"$(git -C "$old" log --all --format=%H --diff-filter=A -- side/config.ini)" "since which commit"
is "$(jq -r '.found[] | select(.path == "side/config.ini") | .elsewhere' out)" false "on our branch"
is "$(jq -r '.found[] | select(.path == "tagged.env") | .elsewhere' out)" true "on a tag alone"
is "$(jq .complete out)" true "all was read"
# Each alone: by its own bytes.
for value in "$AWS_KEY" "$AWS_KEY_2"; do
	printf '%s\n' "$value" >value
	expect 1 "$MIRROR" secrets history --value "$W/value"
	says out "1 found"
	print=$("$MIRROR" secrets history --value "$W/value" --json | jq -r '.found[0].fingerprint')
	got=0
	"$MIRROR" secrets purge --dry-run "$print" >out 2>err </dev/null || got=$?
	[ "$got" -ne 0 ] || fail "a history that is not ours alone is promised to be rewritten"
done
says err "another branch or tag"
says err "for-each-ref --contains"

# --- a message is part of the history
git -C "$old" branch talk "$(printf 'use %s\n' "$AWS_KEY" | git -C "$old" commit-tree 'HEAD^{tree}' -p HEAD)"
expect 1 "$MIRROR" secrets history --json
is "$(jq -r '[.found[] | select(.in == "message")] | length' out)" 1 "in a message"
git -C "$old" tag -a -m "key $AWS_KEY_2" told
expect 1 "$MIRROR" secrets history --json
is "$(jq -r '[.found[] | select(.in == "message")] | length' out)" 2 "in a tag's message"
git -C "$old" branch -qD talk && git -C "$old" tag -d told >/dev/null

# --- log: the line of first parents, as git tells it
"$MIRROR" log --limit 1000 --json >out
is "$(jq -r '.commits[].commit' out)" "$(git -C "$old" log --first-parent --format=%H)" "log"
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
mv notes/a.md notes/renamed.md
expect 0 "$MIRROR" --once
is "$("$MIRROR" log --json notes/renamed.md | jq -r '.commits[].commit')" \
	"$(git -C "$old" log --first-parent --format=%H -- notes/renamed.md)" "log of one file"

# --- diff: every pair of neighbours, and over everything
theirs() { git -C "$old" diff --name-only --no-renames "$1" "$2" -- . ':!.mirror'; }
compare() {
	"$MIRROR" diff --json "$1" "$2" >ours.json || fail "diff $1 $2"
	is "$(jq '.changes | length' ours.json)" "$(theirs "$1" "$2" | wc -l)" "changes from $1 to $2"
}
before=
for id in $(git -C "$old" rev-list --first-parent --reverse HEAD); do
	[ -z "$before" ] || compare "$before" "$id"
	first=${first:-$id}
	before=$id
done
compare "$first" HEAD
compare v1 HEAD
expect 0 "$MIRROR" diff "$first" HEAD
says out 'caf\xe9'

# --- today, and a root that gets another name
"$MIRROR" today >out || fail "today"
says out "$(git -C "$old" rev-list --first-parent --count HEAD) commits"
is "$("$MIRROR" today --json | jq '.changes | length')" \
	"$(git -C "$old" ls-tree -r --name-only HEAD | grep -vc '^.mirror/')" "today, from nothing"
sed -i "s|^path = .*|&\nname = \"words\"|" "$CONFIG"
expect 0 "$MIRROR" --once
compare HEAD~1 HEAD
"$MIRROR" log --json words/renamed.md >out || fail "log of a renamed root"
is "$(jq '.commits | length' out)" 1 "since the root has its name"

# --- milestones stand beside what others tagged
expect 0 "$MIRROR" milestone m1
is "$(git -C "$old" cat-file -t m1)" tag "an annotated tag"
is "$(git -C "$old" rev-parse 'm1^{}')" "$(git -C "$old" rev-parse HEAD)" "the milestone"
got=0
"$MIRROR" milestone v1 >out 2>err </dev/null || got=$?
[ "$got" -ne 0 ] || fail "a name that others gave was given again"
is "$(git -C "$old" for-each-ref --format='%(contents:subject)' refs/tags/v1)" "a plain message" "theirs"

# --- a shallow clone says where it ends
git clone -q --depth 3 --no-local -b host/box "file://$old" shallow 2>/dev/null
sed -i "s|^repo = .*|repo = \"$W/shallow\"|" "$CONFIG"
rm -rf "$STATE"
expect 0 "$MIRROR" --once
"$MIRROR" log --limit 1000 --json >out || fail "log of a shallow clone"
is "$(jq -r '.commits[].commit' out)" "$(git -C shallow log --first-parent --format=%H)" "log of a shallow clone"
"$MIRROR" secrets history --json >out 2>err || true
is "$(jq .complete out)" false "a shallow history"
"$MIRROR" secrets history >out 2>err || true
says err "git fetch --unshallow"
git -C shallow fsck --strict >fsck 2>&1 || fail "git fsck: $(cat fsck)"
"$MIRROR" today >out 2>err || fail "today in a shallow clone"
git -C shallow fetch -q --unshallow
"$MIRROR" secrets history --json >out 2>err || true
is "$(jq .complete out)" true "the whole history again"

# --- the same bytes under two names: a secret by one of them only
alike=$W/alike
git init -q -b host/box "$alike"
mkdir "$alike/notes"
word="kT7vQ2m"
word="${word}wR9dLx"
for name in a_copy db_password; do printf '%s\n' "$word" >"$alike/notes/$name"; done
git -C "$alike" add -A && git -C "$alike" commit -q -m "both"
git -C "$alike" rm -q notes/a_copy notes/db_password && git -C "$alike" commit -q -m "removed"
rm -rf "$STATE" notes && mkdir notes && echo one >notes/a.md
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$alike"
branch = "host/box"
remote = "none"
EOC
expect 0 "$MIRROR" --once
expect 1 "$MIRROR" secrets history --json
is "$(jq -r '.found[].path' out)" notes/db_password "by its name"
print=$(jq -r '.found[0].fingerprint' out)
expect 0 "$MIRROR" secrets purge "$print"
expect 0 "$MIRROR" secrets purge "$print" --confirm "$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)"
is "$(git -C "$alike" log --format=%s | grep -c .)" 3 "commits after the purge"
! git -C "$alike" cat-file --batch --batch-all-objects | grep -aqF "$word" || fail "still there"
git -C "$alike" fsck --strict >fsck 2>&1 || fail "git fsck: $(cat fsck)"
