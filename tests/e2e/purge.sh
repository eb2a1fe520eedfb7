#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A secret that no rule knew was committed and pushed: the history tells since when, and a
# purge takes it out of every commit, here and at the remote, and of nothing else.
. "$(dirname "$0")/lib.sh"
needs git

mkdir -p notes/sub
printf 'hello\n' >notes/a.md
git init -q --bare remote.git
expect 0 "$MIRROR" init notes --remote "$W/remote.git"
sed -i 's/^\[brain\]$/&\nsettle = "10ms"/' "$CONFIG"
branch=$(git -C "$BRAIN" symbolic-ref --short HEAD)
first=$(git -C "$BRAIN" rev-parse HEAD)

word="sesame-4711-door"
printf 'the door: %s, twice %s\n' "$word" "$word" >notes/sub/door.txt
chmod 640 notes/sub/door.txt
expect 0 "$MIRROR" --once
held=$(git -C "$BRAIN" rev-parse HEAD)
printf 'other\n' >>notes/a.md
expect 0 "$MIRROR" milestone holding
says out ", at the remote too"
is "$(git -C remote.git cat-file -t holding)" tag "the milestone at the remote"
expect 0 "$MIRROR" --once
printf 'the door is elsewhere\n' >notes/sub/door.txt
expect 0 "$MIRROR" --once
head=$(git -C "$BRAIN" rev-parse HEAD)
tree=$(git -C "$BRAIN" rev-parse 'HEAD^{tree}')
git -C "$BRAIN" log --format='%at %ct %an %ae %B' >before.log

# The value comes by a file or by standard input; what is told holds only its fingerprint.
expect 0 "$MIRROR" secrets history
says out "0 found"
printf '%s\n' "$word" >value
expect 1 "$MIRROR" secrets history --value value
says out "1 found in"
says out "$(printf %.12s "$held")"
says out "in the history"
says out "  pushed  "
says out "notes/sub/door.txt"
silent_about out "$word"
got=0
"$MIRROR" secrets history --value - --json <value >out 2>err || got=$?
is "$got" 1 "status with --json"
says out '"schema": "mirror.secrets-history/1"'
says out '"pushed": true'
says out '"current": false'
says out "\"commit\": \"$held\""
silent_about out "$word"
printf 'never-seen-value\n' >never
expect 0 "$MIRROR" secrets history --value never
expect 64 "$MIRROR" secrets history nonsense
printf 'abc\n' >short
expect 65 "$MIRROR" secrets history --value short

# First a look, which changes nothing; a wrong word does nothing either.
expect 64 "$MIRROR" secrets purge
expect 0 "$MIRROR" secrets purge --value value
says out "nothing was changed"
token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
[ ${#token} -eq 12 ] || fail "no word to confirm with: $token"
expect 65 "$MIRROR" secrets purge --value value --confirm 000000000000
expect 0 "$MIRROR" secrets purge --value value --confirm "$token" --dry-run
is "$(git -C "$BRAIN" rev-parse HEAD)" "$head" "the head after looking"

# Beside the agent at work: to look is to read; to do it the agent stands still, whatever it
# is at, and goes on by itself on the new branch.
start_agent() {
	"$MIRROR" run 2>>agent.log &
	agent=$!
	until_ "the agent" agent_runs
}
agent_runs() { [ "$("$MIRROR" status --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -1)" = $agent ]; }
end_agent() {
	kill $agent
	wait $agent || fail "the agent ended with $?"
	at_end=:
}
at_end='kill $agent 2>/dev/null; wait $agent 2>/dev/null'
start_agent
for look in --dry-run --no-input; do
	expect 0 "$MIRROR" secrets purge --value value "$look"
	says out "to do it: the same command with --confirm"
done
token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)

expect 0 "$MIRROR" secrets purge --value value --confirm "$token"
says out "1 versions of files redacted"
says out "1 milestones moved"
says out "change it now"
says out "nothing changed, no commit"
silent_about err "could not be pushed"
new=$(git -C "$BRAIN" rev-parse HEAD)
[ "$new" != "$head" ] || fail "the head is as it was"
is "$(git -C "$BRAIN" rev-parse 'HEAD^{tree}')" "$tree" "the newest tree"
is "$(git -C "$BRAIN" rev-list HEAD | tail -1)" "$first" "the commit from before it"
git -C "$BRAIN" log --format='%at %ct %an %ae %B' >after.log
cmp -s before.log after.log || fail "times or messages changed"

# Gone, says git, here and in what the remote shows.
gone() {
	! git -C "$1" cat-file --batch --batch-all-objects | grep -aqF "$word" || fail "$1 still has it"
}
gone "$BRAIN"
is "$(git -C remote.git rev-parse "$branch")" "$new" "the remote"
is "$(git -C remote.git rev-parse holding)" "$(git -C "$BRAIN" rev-parse holding)" "the milestone at the remote"
git clone -q --no-local remote.git clone 2>/dev/null
is "$(git -C clone tag)" holding "the tags of a clone"
gone clone
git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "fsck: $(cat fsck)"
[ -s fsck ] && fail "fsck says: $(cat fsck)"
git -C "$BRAIN" show holding:notes/sub/door.txt >then
is "$(grep -o 'REDACTED\.named\.[0-9a-f]*' then | sort -u | wc -l)" 1 "marks"
is "$(git -C "$BRAIN" cat-file -t holding)" tag "the milestone"
is "$(git -C "$BRAIN" merge-base --is-ancestor holding HEAD && echo yes)" yes "the milestone is in the branch"

says agent.log "standing still until it is over"
until_ "the agent, when it goes on" agent_runs
printf 'seen\n' >notes/seen.md
until_ "a commit of the agent after the purge" git -C "$BRAIN" cat-file -e HEAD:notes/seen.md
until_ "and its push" git -C remote.git cat-file -e "$branch:notes/seen.md"
end_agent
silent_about agent.log failed

# A restore of then says what is missing; the next cycles and pushes go on.
expect 0 "$MIRROR" restore --at holding --to back notes --json
says out "notes/sub/door.txt"
grep -q REDACTED.named. back/notes/sub/door.txt || fail "no mark in what was restored"
is "$(stat -c %a back/notes/sub/door.txt)" 640 "the mode of then"
expect 0 "$MIRROR" secrets history --value value
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
silent_about err "could not be pushed"
is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote later"
expect 0 "$MIRROR" verify

# What the scanner knows is found by its fingerprint; allowed once, it was committed.
printf 'key = %s\n' "$AWS_KEY" >notes/keys.txt
"$MIRROR" scan --json notes/keys.txt >out 2>err || true
print=$(sed -n 's/.*"fingerprint": *"\([0-9a-f]*\)".*/\1/p' out | head -1)
expect 0 "$MIRROR" secrets allow "$print"
expect 0 "$MIRROR" --once
git -C "$BRAIN" show HEAD:notes/keys.txt | grep -qF "$AWS_KEY" || fail "allowed and cut out"
expect 65 "$MIRROR" secrets purge "$print"
says err "the newest commit still holds it"
expect 0 "$MIRROR" secrets deny "$print"
expect 0 "$MIRROR" --once
expect 1 "$MIRROR" secrets history "$print"
says out "$print"
# Without the remote the purge is done here, and the push that comes later replaces it.
mv remote.git away
expect 0 "$MIRROR" secrets purge "$print"
token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
expect 1 "$MIRROR" secrets purge "$print" --confirm "$token"
says err "could not be pushed"
says err "the remote still has the old history"
word=$AWS_KEY
gone "$BRAIN"
mv away remote.git
expect 0 "$MIRROR" --once
silent_about err "could not be pushed"
is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote at the end"

# What its name makes a secret was no secret while it was called otherwise: it is told once
# it was cut out under the new name, with the name that tells, and can be purged.
word="Hq7vR2""mXw9Lp"
printf '%s\n' "$word" >notes/sub/jotting.txt
printf 'elm\n' >notes/sub/other.txt
expect 0 "$MIRROR" --once
git -C "$BRAIN" cat-file -p HEAD:notes/sub/jotting.txt | grep -qF "$word" || fail "a jotting was cut"
expect 0 "$MIRROR" secrets history
mv notes/sub/jotting.txt notes/sub/db_password
expect 0 "$MIRROR" --once
git -C "$BRAIN" cat-file -p HEAD:notes/sub/db_password | grep -q '^REDACTED\.' || fail "db_password was not cut"
expect 1 "$MIRROR" secrets history
says out "1 found in"
says out "notes/sub/jotting.txt, a secret as in notes/sub/db_password"
silent_about out "$word"
print=$(sed -n 's/^\([0-9a-f]*\)  .*jotting.*/\1/p' out)
"$MIRROR" secrets history --json "$print" >out 2>err || true
says out '"like": "notes/sub/db_password"'
expect 0 "$MIRROR" secrets purge "$print"
token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
expect 0 "$MIRROR" secrets purge "$print" --confirm "$token"
gone "$BRAIN"
expect 0 "$MIRROR" secrets history

# Cut short anywhere, it is finished: by the next purge, whatever it asks about, and by the
# next run.  A git of ours ends the program that called it, before or after its own work.
mkdir bin
cat >bin/git <<'END'
#!/bin/sh
case "$STOP_WHEN $*" in
"before "*"$STOP_AT"*) kill -9 $PPID; exit 1 ;;
"after "*"$STOP_AT"*) PATH=$REAL_PATH git "$@"; kill -9 $PPID; exit 1 ;;
esac
PATH=$REAL_PATH exec git "$@"
END
chmod +x bin/git
export REAL_PATH=$PATH
number=0
for stop in 'before update-ref refs/tags' 'before update-ref --no-deref' 'after update-ref --no-deref' \
	'before reflog expire' 'after reflog expire' 'before gc' 'after gc'; do
	number=$((number + 1))
	by=once
	[ $((number % 3)) -ne 1 ] || by=purge
	[ $((number % 3)) -ne 0 ] || by=agent
	for by in $by $([ "$stop" != 'before update-ref --no-deref' ] || echo agent); do
		word="sesame-$number-$by-door"
		printf '%s\n' "$word" >value
		printf 'the door: %s\n' "$word" >notes/sub/door.txt
		expect 0 "$MIRROR" --once
		expect 0 "$MIRROR" milestone "cut$number-$by"
		printf 'elsewhere\n' >notes/sub/door.txt
		expect 0 "$MIRROR" --once
		expect 0 "$MIRROR" secrets purge --value value
		token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
		[ "$by" != agent ] || start_agent
		got=0
		STOP_WHEN=${stop%% *} STOP_AT=${stop#* } PATH=$W/bin:$PATH \
			"$MIRROR" secrets purge --value value --confirm "$token" >out 2>err || got=$?
		is "$got" 137 "a purge that ended $stop"
		case $by in
		once) expect 0 "$MIRROR" --once ;;
		purge) expect 0 "$MIRROR" secrets purge --value never ;;
		agent)
			until_ "the agent, when the purge was killed ($stop)" agent_runs
			printf '%s\n' "$number" >notes/goes-on.md
			until_ "its commit" git -C "$BRAIN" diff --quiet --no-index notes/goes-on.md "$BRAIN/notes/goes-on.md"
			until_ "the end of what was purged" test ! -e "$BRAIN/.git/mirror/unpruned"
			end_agent
			;;
		esac
		# Before the branch moved it is asked for again.
		if git -C "$BRAIN" log -p --all | grep -qF "$word"; then
			is "$stop" 'before update-ref refs/tags' "the branch with the value in it, ended"
			expect 0 "$MIRROR" secrets purge --value value
			token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
			expect 0 "$MIRROR" secrets purge --value value --confirm "$token"
		fi
		gone "$BRAIN"
		[ ! -e "$BRAIN/.git/mirror/unpruned" ] || fail "it still says that something is owed ($stop)"
		git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "fsck after a purge that ended $stop: $(cat fsck)"
	done
done
expect 0 "$MIRROR" --once
is "$(git -C remote.git rev-parse "$branch")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote after all of these"

# A remote that does not let go of a milestone still leads to the old history: that is told,
# and the exit status says it, until it takes it.  More of them than one push takes all move.
word=sesame-milestone-door
printf '%s\n' "$word" >value
printf 'the door: %s\n' "$word" >notes/sub/door.txt
expect 0 "$MIRROR" --once
for i in $(seq 40); do
	GIT_COMMITTER_NAME=mirror git -C "$BRAIN" tag -a -m "$i" "many$i"
done
printf 'elsewhere\n' >notes/sub/door.txt
expect 0 "$MIRROR" --once
is "$(git -C remote.git tag -l 'many*' | wc -l)" 40 "milestones at the remote"
printf '#!/bin/sh\ncase $1 in refs/tags/many7) echo "not this one"; exit 1 ;; esac\n' >remote.git/hooks/update
chmod +x remote.git/hooks/update
expect 0 "$MIRROR" secrets purge --value value
token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
expect 1 "$MIRROR" secrets purge --value value --confirm "$token"
says err "the remote still has the old history by 1 of its milestones"
says err "next: let the remote take new tags in their place"
rm remote.git/hooks/update
expect 0 "$MIRROR" --once
for i in $(seq 40); do git -C "$BRAIN" rev-parse "many$i"; done >ours
for i in $(seq 40); do git -C remote.git rev-parse "many$i"; done >theirs
cmp -s ours theirs || fail "milestones at the remote are not ours"
if git -C remote.git log -p --all | grep -qF "$word"; then fail "the remote still leads to the value"; fi

# The same when the index of an old pack went and the pack did not.
word=sesame-index-door
printf '%s\n' "$word" >value
printf 'the door: %s\n' "$word" >notes/sub/door.txt
expect 0 "$MIRROR" --once
cp -a "$BRAIN/.git/objects/pack" old
printf 'elsewhere\n' >notes/sub/door.txt
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" secrets purge --value value
token=$(sed -n 's/.*--confirm \([0-9a-f]*\)$/\1/p' out)
expect 0 "$MIRROR" secrets purge --value value --confirm "$token"
gone "$BRAIN"
: >"$BRAIN/.git/mirror/unpruned"
for pack in old/*.pack; do cp -n "$pack" "$BRAIN/.git/objects/pack"; done
expect 0 "$MIRROR" --once
gone "$BRAIN"
[ ! -e "$BRAIN/.git/mirror/unpruned" ] || fail "it still says that something is owed (an index)"
for pack in "$BRAIN"/.git/objects/pack/*.pack; do
	[ -e "${pack%.pack}.idx" ] || fail "a pack that nobody looks into is left: $pack"
done

# Merges are other people's: what is advised does it.
printf 'the door: %s\n' "$word" >notes/sub/door.txt
expect 0 "$MIRROR" --once
printf 'elsewhere\n' >notes/sub/door.txt
expect 0 "$MIRROR" --once
side=$(git -C "$BRAIN" -c user.name=t -c user.email=t@t.invalid commit-tree -m side 'HEAD^{tree}')
both=$(git -C "$BRAIN" -c user.name=t -c user.email=t@t.invalid commit-tree -m both -p HEAD -p "$side" 'HEAD^{tree}')
git -C "$BRAIN" update-ref "refs/heads/$branch" "$both"
expect 0 "$MIRROR" --once
expect 65 "$MIRROR" secrets purge --value value
says err "the history has merges"
says err "next: name another folder as [brain] repo and another [brain] branch"
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$W/brain-two"
branch = "host/two"
remote = "$W/remote.git"
EOC
expect 0 "$MIRROR" --once
BRAIN=$W/brain-two
gone "$BRAIN"
is "$(git -C remote.git rev-parse host/two)" "$(git -C "$BRAIN" rev-parse HEAD)" "the new branch at the remote"
expect 0 "$MIRROR" secrets history --value value
