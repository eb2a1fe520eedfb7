#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# pause, resume, cancel, accept, milestone, secrets: what a person decides counts, and what
# they type holds no secret afterwards (I3).
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes
printf 'hello\n' >notes/a.md
printf 'key = %s\n' "$AWS_KEY" >notes/s.md
mkfifo notes/fifo
expect 0 "$MIRROR" init notes

# A pause ends by itself, is seen, and does not keep a person from asking.
expect 64 "$MIRROR" pause forever
expect 64 "$MIRROR" pause 31d
expect 0 "$MIRROR" pause 1h -n
expect 0 "$MIRROR" resume
says out "it is not paused"
expect 0 "$MIRROR" pause 1h --reason "moving house with $AWS_KEY_2"
says out "paused until "
expect 0 "$MIRROR" status
says out "moving house with REDACTED."
grep -raqF "$AWS_KEY_2" "$STATE" && fail "a secret that was typed is in the state"
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
says out "committed 1 change"
expect 0 "$MIRROR" resume
says out "it goes on"
expect 0 "$MIRROR" cancel
says out "nothing is under way"

# accept turns a known condition into a note.
expect 1 "$MIRROR" health
says out "newly excluded: notes/fifo"
expect 65 "$MIRROR" accept completeness
says err "completeness is fine as it is"
expect 2 "$MIRROR" accept nonsense
expect 0 "$MIRROR" accept -n exclusions
says out "would accept exclusions"
expect 0 "$MIRROR" accept exclusions --reason "a pipe"
says out "accepted exclusions: 1 newly excluded"
expect 0 "$MIRROR" ledger --new
is "$(wc -c <out)" 0 "bytes of new exclusions"
expect 0 "$MIRROR" accept --no-input
expect 0 "$MIRROR" --once
"$MIRROR" health >out 2>err || true
silent_about out "newly excluded"

# A milestone is an annotated tag on a commit with everything in it.
printf 'for the milestone\n' >notes/m
expect 0 "$MIRROR" milestone v1.0 -m "the first, not $AWS_KEY_2"
is "$(git -C "$BRAIN" cat-file -t v1.0)" tag "what v1.0 is"
is "$(git -C "$BRAIN" show v1.0:notes/m)" "for the milestone" "what it holds"
git -C "$BRAIN" cat-file tag v1.0 >tag
says tag "the first, not REDACTED."
git -C "$BRAIN" fsck --strict >/dev/null 2>&1 || fail "fsck"
expect 73 "$MIRROR" milestone v1.0
expect 73 "$MIRROR" milestone v1.0/beta
says err "git has no place for v1.0/beta"
for bad in -x 'a b' a..b .a a/ /a a.lock 'a~1' HEAD; do
	expect 64 "$MIRROR" milestone -- "$bad"
done
# Nor is one that git would take for something else.
for bad in "$(git -C "$BRAIN" symbolic-ref --short HEAD)" host/other heads/x refs/tags/x \
	remotes/origin/x 0123456789012345678901234567890123456789 FETCH_HEAD; do
	expect 64 "$MIRROR" milestone -- "$bad"
done
is "$(git -C "$BRAIN" rev-parse HEAD 2>&1)" "$(git -C "$BRAIN" rev-parse refs/heads/"$(git -C "$BRAIN" symbolic-ref --short HEAD)")" "HEAD"
expect 0 "$MIRROR" --once

# secrets: by content.
expect 0 "$MIRROR" secrets list
says out "redacted  notes/s.md  (aws-access-key-id, 1)"
"$MIRROR" scan notes/s.md >scanned 2>/dev/null || true
print=$(sed -n 's/.*\[\(.*\)\]$/\1/p' scanned)
git -C "$BRAIN" show HEAD:notes/s.md >shown
says shown "REDACTED.aws-access-key-id.$(printf %.8s "$print")"
expect 64 "$MIRROR" secrets allow short
expect 0 "$MIRROR" secrets allow "$print" --reason "a sample"
expect 0 "$MIRROR" secrets list
says out "allowed   $print"
expect 0 "$MIRROR" --once
is "$(git -C "$BRAIN" show HEAD:notes/s.md)" "key = $AWS_KEY" "an allowed value"
expect 0 "$MIRROR" secrets deny "$print"
expect 2 "$MIRROR" secrets deny "$print"
expect 0 "$MIRROR" --once
git -C "$BRAIN" show HEAD:notes/s.md >shown
says shown "REDACTED.aws-access-key-id."
