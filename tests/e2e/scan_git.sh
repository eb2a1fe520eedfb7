#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A secret that was removed again is still in the history; one that is staged is not in it
# yet.  `mirror scan` finds both, each object once.
. "$(dirname "$0")/lib.sh"
needs git

git init -q r
cd r
printf 'key = %s\n' "$AWS_KEY" >a
mkdir -p sub
cp a sub/copy
git add . && git commit -qm first
printf 'nothing\n' >a
printf 'nothing\n' >sub/copy
git commit -qam "the password=$AWS_KEY_2 was wrong"
cd ..

expect 0 "$MIRROR" scan r/a r/sub
expect 1 "$MIRROR" scan --git r --json
is "$(grep -c '"rule"' out)" 2 "findings in the history"
says out '"path":"a"'
says out '"in":"commit"'
says out "\"object\":\"$(git -C r rev-parse HEAD)\""
says out "\"object\":\"$(git -C r rev-parse HEAD~:a)\""
silent_about out "$AWS_KEY"
silent_about out "$AWS_KEY_2"
# As gitleaks tells it: the commit that brought it, whose, when, and why, without the secret.
if command -v jq >/dev/null; then
	first=$(git -C r rev-list --max-parents=0 HEAD)
	expect 1 "$MIRROR" scan --git r --format=gitleaks
	is "$(jq -r '.[] | select(.File == "a") | .Commit' out)" "$first" "the commit that brought the blob"
	is "$(jq -r '.[] | select(.File == "a") | .Fingerprint' out)" "$first:a:aws-access-key-id:1" "its fingerprint"
	is "$(jq -r '.[] | select(.File == "a") | [.Author, .Email, .Date, .Message] | @tsv' out)" \
		"$(TZ=UTC0 git -C r log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format='%an%x09%ae%x09%ad%x09%s' "$first")" \
		"author, date and message"
	is "$(jq -r '.[] | select(.File != "a") | .Commit' out)" "$(git -C r rev-parse HEAD)" "the commit whose message it is"
	is "$(jq -r '.[] | select(.File != "a") | .Message' out | sed 's/REDACTED.*[0-9a-f]\{8\}/MARK/')" \
		"the password=MARK was wrong" "the message without its secret"
	silent_about out "$AWS_KEY"
	silent_about out "$AWS_KEY_2"
fi
git -C r fsck --strict >/dev/null 2>&1 || fail "the repository was harmed"

expect 2 "$MIRROR" scan --git "$W/nowhere"
says err "nowhere"
expect 64 "$MIRROR" scan --git r --staged

# A large blob is streamed.
{
	head -c 6000000 /dev/zero | tr '\0' 'x' | fold -w 1000
	printf '\nkey = %s\n' "$AWS_KEY"
} >r/big
git -C r add big && git -C r commit -qm big && git -C r rm -q big && git -C r commit -qm gone
expect 1 "$MIRROR" scan --git r
says out "big:"
is "$(wc -l <out)" 3 "findings with a large blob"

# Staged: what the index holds, not what stands on the disk.
cd r
expect 0 "$MIRROR" scan --staged
printf 'key = %s\n' "$AWS_KEY" >new
git add new
printf 'clean\n' >new
odd=$(printf 'odd\n\377name')
printf 'key = %s\n' "$AWS_KEY_2" >"$odd"
git add "$odd"
expect 1 "$MIRROR" scan --staged
says out "new:1:7: aws-access-key-id"
says out 'odd\x0a\xffname:1:7:'
is "$(wc -l <../out)" 2 "findings that are staged"
git rm -qf --cached new "$odd"
expect 0 "$MIRROR" scan --staged

# As a hook it stops the commit, also the very first one.
cd ..
git init -q hooked
printf '#!/bin/sh\nexec "%s" scan --staged\n' "$MIRROR" >hooked/.git/hooks/pre-commit
chmod +x hooked/.git/hooks/pre-commit
printf 'key = %s\n' "$AWS_KEY" >hooked/a
git -C hooked add a
expect 1 git -C hooked commit -qm no
printf 'nothing\n' >hooked/a
git -C hooked add a
expect 0 git -C hooked commit -qm yes
