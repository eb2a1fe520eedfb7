#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a file system leaves after an unclean stop, one piece at a time: files that are empty,
# full of zeros, cut short, or somebody else's bytes.  Health says so, the next run mends it
# and says so, `git fsck` is clean, HEAD is the disk, and no commit is lost that is there.
. "$(dirname "$0")/lib.sh"
needs git

mkdir notes
git init -q --bare remote.git
configure() {
	cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$BRAIN"
remote = "$1"
worktree = $2
EOC
}
once() {
	expect 0 "$MIRROR" --once
}
# A world with four commits, a milestone and refs in the table; then copies of it are broken.
world() {
	rm -rf "$BRAIN" "$STATE" remote.git notes
	mkdir notes
	git init -q --bare remote.git
	configure "$1" "$2"
	G=$BRAIN
	[ "$2" = false ] || G=$BRAIN/.git
	for i in 1 2 3; do
		echo "$i" >notes/a
		echo "$i" >"notes/f$i"
		once
	done
	expect 0 "$MIRROR" milestone m1
	once
	git -C "$BRAIN" pack-refs --all
	echo 4 >notes/a
	once
	expect 0 "$MIRROR" milestone m2
	once
	"$MIRROR" drill >/dev/null 2>&1 || true
	"$MIRROR" accept --no-input >/dev/null 2>&1 || true
	expect 0 "$MIRROR" health
	REF=$(git -C "$BRAIN" symbolic-ref HEAD)
	rm -rf good
	mkdir good
	cp -a "$BRAIN" good/brain
	cp -a "$STATE" good/state
	cp -a remote.git good/remote.git
	cp -a notes good/notes
	tip=$(git -C "$BRAIN" rev-parse HEAD)
}
again() {
	rm -rf "$BRAIN" "$STATE" remote.git notes
	cp -a good/brain "$BRAIN"
	cp -a good/state "$STATE"
	cp -a good/remote.git remote.git
	cp -a good/notes notes
}
newest() {
	find "$G/objects/pack" -name "*.$1" -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2
}
fill() { # FILE HOW
	chmod u+w "$1" 2>/dev/null || true
	size=$(stat -c %s "$1" 2>/dev/null || echo 100)
	case $2 in
	empty) : >"$1" ;;
	zeros) head -c "$size" /dev/zero >"$1" ;;
	cut) truncate -s $((size - 25)) "$1" ;;
	garbage) head -c "$size" /dev/urandom >"$1" ;;
	gone) rm -rf "$1" ;;
	esac
}
# Every object for itself, and those of the newest commit empty.
empty_objects() {
	mkdir packs
	mv "$G"/objects/pack/* packs
	for pack in packs/*.pack; do git -C "$BRAIN" unpack-objects -q <"$pack"; done
	rm -rf packs
	for id in HEAD:notes/a 'HEAD^{tree}' HEAD; do
		id=$(git -C "$BRAIN" rev-parse "$id")
		objects="$objects $G/objects/$(echo "$id" | sed 's,..,&/,')"
	done
	for object in $objects; do fill "$object" empty; done
	objects=
}
objects=
loosen() {
	git -C "$BRAIN" for-each-ref --format='%(objectname) %(refname)' >refs
	rm -f "$G/packed-refs"
	while read -r id ref; do
		mkdir -p "$(dirname "$G/$ref")"
		echo "$id" >"$G/$ref"
	done <refs
}

# mended WHAT HISTORY TAGS: the break is there; history is "all" (the tip is an ancestor), or
# "but-last"; health is "failed", "behind" where only the ledger knows that something is gone, or
# "-" where it is nobody's news.
mended() {
	name=$1
	"$MIRROR" health >health 2>&1 || true
	fact=integrity
	[ "$4" != behind ] || fact=completeness
	[ "$4" = "-" ] || grep -q "^  failed *$fact" health || {
		fail "$name: health does not say so"
		sed 's/^/    /' health >&2
	}
	if [ "$4" = failed ]; then
		grep -A1 "^  failed *integrity" health | grep -q "next: mirror --once" ||
			fail "$name: health does not name what mends it"
	fi
	echo new >notes/new
	begun=$(date +%s)
	once
	[ $(($(date +%s) - begun)) -lt 30 ] || fail "$name: healed only after $(($(date +%s) - begun)) s"
	cp "$W/err" said
	[ "$4" = "-" ] || [ -s said ] || fail "$name: mended in silence"
	case $name in
	table* | loose* | "packed-refs zeros" | "packed-refs empty")
		grep -q "refs/tags/m1 was lost: it is found again" said ||
			fail "$name: the milestone came back in silence"
		;;
	esac
	git -C "$BRAIN" fsck --strict >fsck 2>&1 || fail "$name: fsck: $(head -2 fsck)"
	if grep -qE '^(error|missing|broken)' fsck; then fail "$name: fsck: $(head -2 fsck)"; fi
	is "$(git -C "$BRAIN" symbolic-ref HEAD)" "$REF" "$name: HEAD"
	rm -rf tree
	mkdir tree
	git -C "$BRAIN" archive HEAD notes | tar -x -C tree
	diff -r notes tree/notes >/dev/null || fail "$name: HEAD is not the disk"
	case $2 in
	all)
		git -C "$BRAIN" merge-base --is-ancestor "$tip" HEAD 2>/dev/null ||
			fail "$name: the history was lost"
		is "$(git -C "$BRAIN" rev-list --count HEAD)" 5 "$name: commits"
		;;
	but-last) is "$(git -C "$BRAIN" rev-list --count HEAD)" 4 "$name: commits" ;;
	esac
	is "$(git -C "$BRAIN" tag | tr '\n' ' ')" "$3" "$name: milestones"
	once
	says out "nothing changed"
	# With the state went what a person had accepted.
	[ "$what" = state ] || expect 0 "$MIRROR" health
}
# WHAT HISTORY MILESTONES HEALTH HOW...
breaks() {
	what=$1 history=$2 tags=$3 told=$4
	shift 4
	for how in "$@"; do
		again
		case $what in
		pair)
			fill "$(newest idx)" "$how"
			fill "$(newest pack)" "$how"
			;;
		pack | idx) fill "$(newest "$what")" "$how" ;;
		objects) empty_objects ;;
		state)
			fill "$G/$REF" "$how"
			rm -rf "$STATE"
			;;
		keyless) sed -i '1i bare = false' "$G/config" ;;
		hello) sed -i '1i hello' "$G/config" ;;
		digits) printf '%040d\n' 0 >>"$G/config" ;;
		table) # With the branch in it, as after `git gc`.
			git -C "$BRAIN" pack-refs --all
			fill "$G/packed-refs" "$how"
			;;
		loose) # No table: tags and the branch are files, and gone.
			loosen
			rm -rf "$G/$REF" "$G/refs/tags/m1" "$G/refs/tags/m2"
			;;
		gathered)
			git -C "$BRAIN" gc -q
			rm -f "$G"/objects/pack/*.idx
			;;
		sha1) printf '[extensions]\n\tobjectFormat = sha1\n' >>"$G/config" ;;
		sha1v1)
			git -C "$BRAIN" config core.repositoryformatversion 1
			printf '[extensions]\n\tobjectFormat = sha1\n' >>"$G/config"
			;;
		*) fill "$G/$what" "$how" ;;
		esac
		mended "$what $how" "$history" "$tags" "$told"
	done
}
# What, the history after it, the milestones, what health says; how it is broken.
table() {
	both="m1 m2 "
	breaks "$REF" all "$both" failed empty zeros garbage
	breaks state all "$both" - empty
	breaks HEAD all "$both" failed empty zeros garbage gone
	breaks refs all "$both" failed gone
	breaks packed-refs all "$both" failed empty zeros cut garbage
	breaks table all "$both" failed empty zeros
	breaks table all "$both" behind gone
	breaks loose all "$both" behind -
	breaks refs/tags/m2 all "$both" failed empty garbage
	breaks config all "$both" failed empty zeros garbage
	for line in keyless hello digits; do breaks "$line" all "$both" failed -; done
	breaks sha1 all "$both" failed -
	breaks sha1v1 all "$both" failed -
	breaks index all "$both" - empty garbage
	breaks mirror/key all "$both" failed empty
	breaks info/attributes all "$both" - garbage
	breaks idx all "$both" failed empty zeros cut gone
	breaks gathered all "$both" failed -
	# What is gone for good is the last commit; the files of it are on the disk.
	breaks pack but-last "m1 " failed empty cut zeros
	breaks pair but-last "m1 " failed empty
	breaks objects but-last "m1 " failed -
}
world none true
table
again
cp -a "$STATE" late
echo 5 >notes/a
once
tip=$(git -C "$BRAIN" rev-parse HEAD)
rm -rf "$STATE"
mv late "$STATE"
: >"$G/$REF"
echo new >notes/new
once
git -C "$BRAIN" merge-base --is-ancestor "$tip" HEAD || fail "a commit that the ledger never heard of was lost"

# With a remote nothing at all is lost: what is gone here is fetched, and the push goes on.
world "$W/remote.git" true
breaks pair all "m1 m2 " failed empty
is "$(git -C remote.git rev-parse "$REF")" "$(git -C "$BRAIN" rev-parse HEAD)" "the remote's branch"

# Without a browsable copy.
world none false
breaks "$REF" all "m1 m2 " failed garbage
breaks HEAD all "m1 m2 " failed empty
breaks config all "m1 m2 " failed empty

# Under a running agent: its next cycle mends what that needs, the next look at everything the rest.
again
"$MIRROR" run >agent.out 2>agent.err &
agent=$!
at_end='kill "$agent" 2>/dev/null || true'
has() {
	git -C "$BRAIN" cat-file -e "$REF:notes/$1"
}
wait_for 60 "$MIRROR" --once
fill "$G/$REF" zeros
echo 6 >notes/g
wait_for 60 has g
says agent.err "taken up again"
fill "$G/HEAD" garbage
once
git -C "$BRAIN" merge-base --is-ancestor "$tip" HEAD || fail "the history was lost under the agent"
kill "$agent"
wait "$agent" || fail "the agent left with $?"

# Nothing is left to go on from: nothing is begun anew in silence, and what is advised does it.
again
fill "$G/$REF" garbage
find "$G/objects" -type f -delete
expect 2 "$MIRROR" --once
[ -s "$G/$REF" ] || fail "the branch was given up"
advice=$(sed -n 's/^  next: .*give up its history: \(rm .*\)$/\1/p' err | head -1)
is "$advice" "rm $G/$REF" "the advice"
rm "$G/packed-refs"
$advice
once
says err "a new history begins"
is "$(git -C "$BRAIN" rev-list --count HEAD)" 1 "commits of the new history"
