#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each way in which a remote says no has its own word, its own sentence and its own next
# command, in the run and in health; and after each the backup goes on where it was.
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes
printf 'hello\n' >notes/a.md
git init -q --bare remote.git
rm -f remote.git/hooks/*
expect 0 "$MIRROR" init notes --remote "file://$W/remote.git"
branch=$(git -C "$BRAIN" symbolic-ref HEAD)
: >nexts

# A hook at the server, from standard input.
hook() {
	{
		echo '#!/bin/sh'
		cat
	} >"remote.git/hooks/$1"
	chmod +x "remote.git/hooks/$1"
}

change() {
	printf 'more\n' >>notes/a.md
}

# told WORD SENTENCE NEXT: what the run says, what health says, and that neither is a tick.
told() {
	change
	expect 0 "$MIRROR" --once
	says err "the commit is safe here, but it could not be pushed"
	says err "$2"
	says err "  next: "
	says err "$3"
	grep '^  next: ' err >>nexts
	"$MIRROR" health --json >out 2>err && fail "healthy after: $1"
	says out "the last push failed ($1)"
	says out "$3"
	is "$(git -C "$BRAIN" status --porcelain | wc -l)" 0 "changes beside the commit"
}

# better: it is let in again, and everything arrives.
better() {
	rm -f remote.git/hooks/*
	change
	expect 0 "$MIRROR" --once
	silent_about err "could not be pushed"
	is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote after: $1"
	"$MIRROR" health --json >out 2>err || true
	silent_about out "the last push failed"
}

hook pre-receive <<<'echo "read the wiki" >&2; exit 1'
told hook "a hook at the remote declined the push" "let the hook at the remote take host/*"
says out "read the wiki"
better hook

# An exit status of 0 is no answer: what counts is what the remote has.
hook post-receive <<<'while read -r old new ref; do git update-ref "$ref" "$old"; done'
told unverified "the remote took the push but does not show it" "mirror remote test"
better unverified

hook pre-receive <<<'echo "remote: disk quota exceeded" >&2; exit 1'
told too-big "the remote's quota or size limit is reached" "make room at the remote"
better quota

hook pre-receive <<'HOOK'
while read -r old new ref; do
	case $ref in refs/heads/*) commit=$new ;; esac
done
echo "error: GH013: Repository rule violations found for $ref."
echo "- Push cannot contain secrets"
echo "   —— A Cloud Access Key ————————————"
echo "    locations:"
echo "      - commit: $commit"
echo "        path: notes/a.md:3"
echo "(?) To push, remove secret from commit(s) or follow this URL to allow the secret."
exit 1
HOOK
told secret "the remote's push protection found a secret" "mirror secrets purge --value FILE"
says out "notes/a.md (blob $(git -C "$BRAIN" rev-parse HEAD:notes/a.md | cut -c1-12))"
better secret

# A server that reads what comes: taken out of the file it is still in the history, and a
# purge of what was not pushed lets everything in.
word=sesame-4712-door
printf '%s\n' "$word" >value
hook pre-receive <<HOOK
while read -r old new ref; do
	git rev-list --objects "\$new" --not --all | cut -d' ' -f1 | git cat-file --batch >seen
	! grep -qF "$word" seen || {
		echo "PUSH BLOCKED: Secrets detected in code changes"
		echo "-- notes/door.txt:1 | a word of passage"
		exit 1
	}
done
HOOK
before=$(git -C "$BRAIN" rev-parse HEAD)
printf 'say %s\n' "$word" >notes/door.txt
told secret "the remote's push protection found a secret" "mirror secrets purge --value FILE"
says out "notes/door.txt"
printf 'say please\n' >notes/door.txt
told secret "the remote's push protection found a secret" "mirror secrets purge --value FILE"
expect 0 "$MIRROR" secrets purge --value value
token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
expect 0 "$MIRROR" secrets purge --value value --confirm "$token"
silent_about err "could not be pushed"
is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote after the purge"
git -C remote.git merge-base --is-ancestor "$before" "$branch" || fail "the purge rewrote what was clean"
better "a purge"

hook update <<<'case $1 in refs/heads/*) echo "GH006: Protected branch update failed"; exit 1 ;; esac'
told protected "the remote protects this branch against us" "allow this machine to push to host/*"
better protected

mv remote.git away
told no-repository "there is no such repository at the remote" "mirror remote set URL"
mv away remote.git
better no-repository

# Somebody else's commit on our branch is never overwritten.
was=$(git -C remote.git rev-parse "$branch")
theirs=$(git -C remote.git commit-tree -p "$was" -m theirs "$was^{tree}")
git -C remote.git update-ref "$branch" "$theirs"
told diverged "the remote's branch has commits that we do not" "mirror machines --fetch"
is "$(git -C remote.git rev-parse "$branch")" "$theirs" "the branch of the other one"
git -C remote.git update-ref "$branch" "$was"
better diverged

git -C remote.git update-ref -d "$branch"
told gone "the branch was deleted at the remote" "mirror accept push"
expect 0 "$MIRROR" accept push
better gone

# Nobody listens, no such host, and one that never answers.
expect 0 "$MIRROR" remote set "http://127.0.0.1:1/x.git"
told refused "no connection to the remote" "mirror remote test"
expect 0 "$MIRROR" remote set "http://no-such-host.invalid/x.git"
told no-host "the remote's host name is not known here" "getent hosts no-such-host.invalid"
sed -i '/^remote/a push_timeout = "1s"' "$CONFIG"
expect 0 "$MIRROR" config check
cat >mute.sh <<'MUTE'
#!/bin/sh
exec sleep 300
MUTE
chmod +x mute.sh
expect 0 "$MIRROR" remote set "ssh://me@host.invalid/x.git"
export GIT_SSH=$W/mute.sh
told timeout "the remote did not answer in time" "mirror remote test"
unset GIT_SSH

# The advice differs wherever what to do differs.
is "$(sort -u nexts | wc -l)" 11 "different next commands: $(sort -u nexts)"

expect 0 "$MIRROR" remote set "file://$W/remote.git"
better "all of it"
git -C remote.git fsck --strict >/dev/null 2>&1 || fail "fsck of the remote"
