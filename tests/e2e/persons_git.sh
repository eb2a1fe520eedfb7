#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The brain repository is an ordinary one, and a person works in it with git: other names
# for our branch, logs, hooks, resets, branches, clones of half of it.  The backup goes on,
# and what cannot be done says which command helps: it is run here, and helps.
. "$(dirname "$0")/lib.sh"
needs git

# libgit2 itself leaks what PCRE2 makes when it opens a repository that has extensions.
printf 'leak:libpcre2-8.so\n' >leaks
export LSAN_OPTIONS=suppressions=$W/leaks:print_suppressions=0

word=sesame-4711-door
printf '%s\n' "$word" >value
G=$BRAIN/.git
mine() { git -C "$BRAIN" -c user.name=t -c user.email=t@t.invalid "$@"; }
step() { # TEXT: one version more, pushed
	printf '%s\n' "$1" >notes/a
	expect 0 "$MIRROR" --once
	silent_about err "could not be pushed"
	is "$(git -C "$BRAIN" show host/box:notes/a)" "$1" "the branch"
	is "$(git -C remote.git show host/box:notes/a)" "$1" "the remote"
}
# What was advised, done.
advised() {
	next=$(sed -n 's/^ *next: //p' err)
	[ -n "$next" ] || fail "no command is advised: $(cat err)"
	bash -c "$next" >said 2>&1 || fail "$next: $(cat said)"
}
# A new world: five versions, a secret in the second and third, which is a milestone.
begin() {
	rm -rf notes remote.git "$BRAIN" "$STATE"
	mkdir -p notes
	notes_and_remote
	step 1
	printf 'the door: %s\n' "$word" >notes/door
	step 2
	expect 0 "$MIRROR" milestone held
	printf 'elsewhere\n' >notes/door
	step 3
}
purge() {
	expect 0 "$MIRROR" secrets purge --value value
	token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
	expect 0 "$MIRROR" secrets purge --value value --confirm "$token"
	silent_about err "still here"
	if git -C "$BRAIN" cat-file --batch-all-objects --batch | grep -qaF "$word"; then
		fail "$1: the secret is still there"
	fi
	git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "$1: fsck: $(cat fsck)"
	is "$(git -C remote.git rev-parse host/box)" "$(git -C "$BRAIN" rev-parse HEAD)" "$1: the remote"
}

# --- another name for our branch, logs of both and of HEAD, hooks that say no
begin
mine branch -m host/box main
git -C "$BRAIN" symbolic-ref refs/heads/host/box refs/heads/main
for ref in HEAD refs/heads/main refs/heads/host/box; do
	mkdir -p "$G/logs/$(dirname $ref)"
	: >"$G/logs/$ref"
done
for hook in reference-transaction pre-push post-commit pre-auto-gc; do
	printf '#!/bin/sh\necho %s >>"%s"\nexit 1\n' $hook "$W/hooks.log" >"$G/hooks/$hook"
	chmod +x "$G/hooks/$hook"
done
before=$(git -C "$BRAIN" rev-parse main)
step 4
is "$(git -C "$BRAIN" symbolic-ref refs/heads/host/box)" refs/heads/main "the branch is another name"
is "$(git -C "$BRAIN" rev-parse main~1)" "$before" "what it is a name for"
for ref in HEAD main host/box; do
	is "$(git -C "$BRAIN" rev-parse "$ref@{0}" "$ref@{1}" | tr '\n' ' ')" \
		"$(git -C "$BRAIN" rev-parse main main~1 | tr '\n' ' ')" "the log of $ref"
done
git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "fsck of the logs: $(cat fsck)"
purge "by another name"
is "$(git -C "$BRAIN" symbolic-ref refs/heads/host/box)" refs/heads/main "the branch after the purge"
[ ! -e hooks.log ] || fail "hooks were run: $(sort hooks.log | uniq -c)"
rm "$G"/hooks/*
git -C "$BRAIN" symbolic-ref refs/heads/host/box refs/tags/held
printf 'x\n' >notes/a
expect 2 "$MIRROR" --once
says err "is a symbolic ref that leads to no branch"
advised
step 5

# --- HEAD as old versions of git make it: nothing is written through it into the branch
begin
before=$(git -C "$BRAIN" rev-parse HEAD)
ln -sf refs/heads/host/box "$G/HEAD"
is "$(git -C "$BRAIN" rev-parse HEAD)" "$before" "HEAD that is a link"
step 4
is "$(git -C "$BRAIN" rev-parse host/box~1)" "$before" "the branch below a HEAD that was a link"

# --- what a person set in the repository stays, but for what bytes depend on
for key in core.logAllRefUpdates gc.auto maintenance.auto core.quotePath core.fsync; do
	git -C "$BRAIN" config --get $key >/dev/null || fail "$key is not set when the repository is new"
done
set -- core.logAllRefUpdates true gc.auto 500 maintenance.auto true core.quotePath true core.fsync committed
while [ $# -gt 0 ]; do
	git -C "$BRAIN" config "$1" "$2"
	shift 2
done
git -C "$BRAIN" config core.autocrlf input
git -C "$BRAIN" config -l --local | grep -v autocrlf | sort >config.before
step 5
git -C "$BRAIN" config -l --local | grep -v autocrlf | sort >config.after
cmp -s config.before config.after || fail "the configuration: $(diff config.before config.after)"
is "$(git -C "$BRAIN" config core.autocrlf)" false "what bytes depend on"

# --- a part of the browsable copy: it is whole again with the next commit
mkdir -p notes/x notes/y
printf 'x\n' >notes/x/x
printf 'y\n' >notes/y/y
step 6
for how in notes/x "--no-cone /* !/notes/y/" "--sparse-index notes/x"; do
	git -C "$BRAIN" sparse-checkout set $how 2>said || fail "git sparse-checkout: $(cat said)"
	[ ! -e "$BRAIN/notes/y/y" ] || fail "git took nothing away ($how)"
	step "part $how"
	is "$(cat "$BRAIN/notes/y/y")" y "what a sparse checkout had taken away ($how)"
	is "$(git -C "$BRAIN" status --porcelain)" "" "git status ($how)"
done

# --- the branch moved back to before what was pushed
begin
pushed=$(git -C remote.git rev-parse host/box)
mine reset -q --hard HEAD~1
step 4
git -C "$BRAIN" merge-base --is-ancestor "$pushed" HEAD || fail "$pushed is not in the history"
is "$(git -C "$BRAIN" rev-list --count HEAD)" 4 "commits"

# --- branches, work trees and stashes that lead to what is purged
mine branch side HEAD~1
expect 65 "$MIRROR" secrets purge --value value
says err "another branch or tag of the repository holds it"
bash -c "$(sed -n 's/^ *next: \([^;]*\);.*/\1/p' err)" >said
says said refs/heads/side
mine branch -qD side
mine checkout -q -b work HEAD~1
mine commit -q --allow-empty -m work
mine checkout -q host/box
expect 65 "$MIRROR" secrets purge --value value
mine branch -qD work
# A remote's copy of our branch is no news, and its commits are ours.
git -C "$BRAIN" remote add origin "$W/remote.git"
git -C "$BRAIN" fetch -q origin
# What is only hidden is not thrown away.
first=$(git -C "$BRAIN" rev-list --max-parents=0 HEAD)
printf 'more\n' >notes/b
step 5
git -C "$BRAIN" rev-parse HEAD~4 >hidden
is "$(cat hidden)" "$first" "the first commit"
mine commit-tree -m x 'HEAD^{tree}' >/dev/null
purge "beside a remote"
git -C "$BRAIN" cat-file -e "$first" || fail "$first is gone"

# --- objects of another repository, or of the remote alone
begin
git clone -q --bare "$BRAIN" other.git
echo "$W/other.git/objects" >"$G/objects/info/alternates"
git -C "$BRAIN" repack -adlq
expect 65 "$MIRROR" secrets purge --value value
says err "uses the objects of another one"
advised
rm -rf other.git
purge "with objects of its own again"

begin
git -C remote.git config uploadpack.allowFilter true
git clone -q --filter=blob:none --no-checkout -b host/box "file://$W/remote.git" part
cp -r "$G/mirror" part/.git/
rm -rf "$G"
mv part/.git "$G"
step 4
# Here the integrity is that of a part; what is advised brings the whole.
expect 2 "$MIRROR" verify
says err "a partial clone"
"$MIRROR" health >out 2>err || true
says out "note: a partial clone: some of the objects are at the remote"
next=$(grep -A3 ' integrity ' out | sed -n 's/^ *next: //p')
case $next in *' git fetch --refetch '*) ;; *) fail "integrity advises: $next" ;; esac
expect 65 "$MIRROR" secrets history --value value
says err "a partial clone"
advised
expect 1 "$MIRROR" secrets history --value value
says out "1 found"
expect 0 "$MIRROR" verify

"$MIRROR" health >out 2>err || true
silent_about out "a partial clone"

# --- a file over the remote's limit, in a commit: what is advised leaves that commit
begin
cat >remote.git/hooks/pre-receive <<'EOC'
#!/bin/sh
while read -r old new ref; do
	git rev-list --objects "$new" --not --all | while read -r id path; do
		[ "$(git cat-file -s "$id")" -lt 100000 ] ||
			{ echo "error: GH001: File $path exceeds GitHub's file size limit of 100.00 MB" >&2; exit 1; }
	done || exit 1
done
EOC
chmod +x remote.git/hooks/pre-receive
head -c 200000 /dev/urandom >notes/big
printf '4\n' >notes/a
expect 0 "$MIRROR" --once
says err "File notes/big exceeds"
next=$(sed -n 's/.*then leave the commits with it: //p' err)
case $next in "git -C $G update-ref refs/heads/host/box "*) ;; *) fail "advised: $(cat err)" ;; esac
sed -i 's|^path = .*|&\nexclude = ["big"]|' "$CONFIG"
expect 0 "$MIRROR" --once
says err "File notes/big exceeds"
bash -c "$next"
step 5
git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "fsck: $(cat fsck)"

# --- a format that we do not read
git -C "$BRAIN" config core.repositoryformatversion 1
git -C "$BRAIN" config extensions.preciousObjects true
expect 2 "$MIRROR" --once
advised
step 5
