#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program's n-th call that changes the disk is its last, or fails, for n = 1, 2, 3 ...
# until a run gets through; after each, one `mirror --once` puts everything right.
#
#     MIRROR_CRASH_STEP    only every so-manieth n (chosen for CI, wider for what happens
#                          rarely; 1 with MIRROR_LONG)
#     MIRROR_CRASH_STORY   which stories (import packs tick delete snapshot push restore
#                          milestone rules rejoin purge)
#     MIRROR_CRASH_HOW     which ends (kill EIO ENOSPC EMFILE ENOMEM)
#     MIRROR_CRASH_MEMORY  of the many allocations every so-manieth (2999; 61 with MIRROR_LONG)
#
# NTHCALL is the preloaded library (tests/crash/nthcall.c, which tells what it sees);
# MIRROR_SMALL the program that completes a pack for every few objects (CMakeLists.txt here).
: "${NTHCALL:=$(dirname "${MIRROR:-.}")/tests/crash/nthcall.so}"
export NTHCALL
[ -r "$NTHCALL" ] || { echo "sweep: skipped, no $NTHCALL"; exit 77; }
. "$(dirname "$0")/../e2e/lib.sh"
needs git
needs sqlite3
needs python3
small=${MIRROR_SMALL:-$(dirname "$MIRROR")/tests/crash/small/mirror}
[ -x "$small" ] || { echo "sweep: skipped, no $small"; exit 77; }

step=${MIRROR_CRASH_STEP:-$([ -n "${MIRROR_LONG:-}" ] && echo 1 || echo 41)}
stories=${MIRROR_CRASH_STORY:-import packs tick delete snapshot push restore milestone rules rejoin purge}
ends=${MIRROR_CRASH_HOW:-kill EIO ENOSPC EMFILE ENOMEM}
memory=${MIRROR_CRASH_MEMORY:-$([ -n "${MIRROR_LONG:-}" ] && echo 61 || echo 2999)}
total=0
slowest=0

world() {
	mkdir -p "$1/notes/sub/deep" "$1/notes/empty"
	for i in 1 2 3 4 5 6 7 8 9; do
		printf 'file %s\n' "$i" >"$1/notes/sub/f$i"
	done
	printf 'x\n' >"$1/notes/.gitignore"
	ln -s sub "$1/notes/link"
	sqlite3 "$1/notes/app.db" 'CREATE TABLE t(x); INSERT INTO t VALUES(1)'
}

# Names that shells, git and file systems trip over; a path of more than 4096 bytes besides,
# which cp and diff cannot follow.
long=$(printf '%0255d' 0)
odd=($'new\nline' $'tab\there' $'\xff\xfe\x80' -rf --help 'git~1' .GIT .gitmodules 'dot.' 'space ' ' first'
	"$long" 'a"quote'"'"'s' '*?[x]' 'back\slash' '$(id)' 'a:b')
odd_world() { # DIR
	mkdir -p "$1/odd/"$'deep\n'"/.git~2 "
	for name in "${odd[@]}"; do
		printf 'odd\n' >"$1/odd/$name"
		printf 'odd\n' >"$1/odd/"$'deep\n'"/.git~2 /$name"
	done
	printf 'x\n' >"$1/odd/.git"
}
more_odd() { # DIR TEXT
	for name in "${odd[@]}"; do printf '%s\n' "$2" >>"$1/odd/$name"; done
}
cat >"$W/far.py" <<'EOC'
import os, sys

# make or check DIR: a file whose path below it has more than 4096 bytes
verb, top = sys.argv[1:]
fd = os.open(top, os.O_RDONLY)
folders = [fd]
for i in range(21):
    if verb == 'make' and 'x' * 200 not in os.listdir(fd):
        os.mkdir('x' * 200, dir_fd=fd)
    fd = os.open('x' * 200, os.O_RDONLY, dir_fd=fd)
    folders.append(fd)
flags = os.O_WRONLY | os.O_CREAT if verb == 'make' else os.O_RDONLY
file = os.open('far', flags, 0o640, dir_fd=fd)
if verb == 'make':
    os.write(file, b'far away\n')
    # Made again it is as it was.
    for one in [file] + folders[::-1]:
        os.utime(one, (1000000000, 1000000000))
sys.exit(0 if verb == 'make' or os.read(file, 100) == b'far away\n' else 1)
EOC
far() { python3 "$W/far.py" "$1" "$2"; }
# Only where it is told what becomes of them.
is_odd() {
	case $1 in
	milestone | rules | rejoin | purge) ;;
	*) return 1 ;;
	esac
}

# Everything lives in $W/now, so that paths stay the same; $W/base is how it begins.
now=$W/now
export HOME=$now/home XDG_CONFIG_HOME=$now/config XDG_STATE_HOME=$now/state
export XDG_DATA_HOME=$now/data XDG_RUNTIME_DIR=$now/run MIRROR_CONFIG=$now/mirror.toml
BRAIN=$now/brain
configure() {
	cat >"$now/mirror.toml" <<EOC
[[watch]]
path = "$now/notes"
[brain]
repo = "$BRAIN"
branch = "host/testbox"
remote = "$1"
[sqlite]
every = "1s"
${2:-}
EOC
}

# A secret that no rule knew, committed, pushed, under a milestone, and taken out since.
word=sesame-4711-door
hold_a_secret() {
	printf 'the door: %s\n' "$word" >"$now/notes/sub/door"
	more_odd "$now/notes" "the door: $word"
	expect 0 "$MIRROR" --once
	expect 0 "$MIRROR" milestone held
	printf 'elsewhere\n' >"$now/notes/sub/door"
	odd_world "$now/notes"
	expect 0 "$MIRROR" --once
	printf '%s\n' "$word" >"$now/value"
	"$MIRROR" secrets purge --value "$now/value" >"$W/out"
	confirm=$(sed -n 's/.*--confirm \([0-9a-f]*\).*/\1/p' "$W/out")
	[ -n "$confirm" ] || fail "purge: nothing to say yes to"
}

# The newest commit is gone here while the remote has it, and one more was made since.
lose_the_newest() {
	echo lost >"$now/notes/sub/f1"
	more_odd "$now/notes" lost
	expect 0 "$MIRROR" --once
	lost=$(git -C "$BRAIN" rev-parse HEAD)
	mv "$now/remote.git" "$now/away.git"
	mkdir "$now/packs"
	mv "$BRAIN"/.git/objects/pack/* "$now/packs"
	for pack in "$now"/packs/*.pack; do git -C "$BRAIN" unpack-objects -q <"$pack"; done
	rm -rf "$now/packs" "$BRAIN/.git/objects/${lost:0:2}/${lost:2}"
	echo later >"$now/notes/sub/f2"
	"$MIRROR" --once >"$W/out" 2>&1 || true
	mv "$now/away.git" "$now/remote.git"
}

prepare() {
	chmod -R u+rwX "$now" "$W/base" 2>/dev/null || true
	rm -rf "$now" "$W/base"
	mkdir -p "$now/home" "$now/run"
	chmod 700 "$now/run"
	world "$now"
	if is_odd "$1"; then
		odd_world "$now/notes"
		far make "$now/notes"
	fi
	configure none
	case $1 in
	import) ;;
	packs)
		for i in $(seq 40); do printf 'one more %s\n' "$i" >"$now/notes/sub/deep/$i"; done
		mkdir "$W/whole"
		cp -a "$now" "$W/whole/now"
		expect 0 "$small" --once
		[ "$(find "$BRAIN/.git/objects/pack" -name '*.pack' | wc -l)" -gt 2 ] ||
			fail "an import in small packs left $(ls "$BRAIN/.git/objects/pack")"
		rm -rf "$now"
		mv "$W/whole/now" "$now"
		rmdir "$W/whole"
		;;
	push | rejoin | purge)
		git init -q --bare "$now/remote.git"
		configure "$now/remote.git"
		expect 0 "$MIRROR" --once --no-push
		;;
	*) expect 0 "$MIRROR" --once ;;
	esac
	case $1 in
	tick) printf 'more\n' >>"$now/notes/sub/f3" ;;
	delete) rm -r "$now/notes/sub/f4" "$now/notes/link" "$now/notes/empty" ;;
	snapshot)
		sleep 1.1
		sqlite3 "$now/notes/app.db" 'INSERT INTO t VALUES(2)'
		;;
	milestone)
		expect 0 "$MIRROR" milestone first
		expect 0 "$MIRROR" milestone second
		git -C "$BRAIN" tag -d second >/dev/null
		more_odd "$now/notes" more
		;;
	rules)
		printf '[[rules]]\nid = "door"\nregex = "sesame-[0-9]+-door"\n' >"$now/rules.toml"
		printf '%s\n' "$word" >"$now/notes/sub/door"
		more_odd "$now/notes" "$word"
		expect 0 "$MIRROR" --once
		configure none "[secrets]
rules = [\"$now/rules.toml\"]"
		;;
	rejoin) lose_the_newest ;;
	purge) hold_a_secret ;;
	esac
	# It is made again in each copy.
	rm -rf "$now/notes/$(printf 'x%.0s' $(seq 200))"
	rm -rf "$BRAIN/notes/$(printf 'x%.0s' $(seq 200))"
	cp -a "$now" "$W/base"
}

words() {
	case $1 in
	restore) echo "$MIRROR restore --to $now/back notes" ;;
	packs) echo "$small --once" ;;
	milestone) echo "$MIRROR milestone third" ;;
	purge) echo "$MIRROR secrets purge --value $now/value --confirm $confirm" ;;
	*) echo "$MIRROR --once" ;;
	esac
}

# HEAD's files against the disk, by git archive; databases have their own test.
committed_is_disk() {
	rm -rf "$W/seen"
	mkdir "$W/seen"
	git -C "$BRAIN" archive HEAD notes | tar -x -C "$W/seen" &&
		diff -r --no-dereference -x app.db -x .gitignore -x empty -x deep -x door -x odd -x 'xxxxx*' \
			"$now/notes" "$W/seen/notes" >"$W/diff" 2>&1
}

sound() {
	expect 0 "$MIRROR" --once --json
	took=$((($(date +%s%N) - began) / 1000000))
	[ "$took" -le "$slowest" ] || slowest=$took
	[ "$took" -lt 10000 ] || fail "$1: healed after $took ms"
	says out '"unaccounted": 0'
	says out "\"on_disk\": $(find "$now/notes" ! -type d -printf x | wc -c)"
	committed_is_disk || { fail "$1: HEAD is not the disk"; cat "$W/diff" >&2; }
	[ -z "$(git -C "$BRAIN" status --porcelain 2>&1)" ] || {
		fail "$1: git status"
		git -C "$BRAIN" status --porcelain | head -5 >&2
	}
	fsck=$(git -C "$BRAIN" fsck --strict --no-dangling --no-progress 2>&1) || fail "$1: $fsck"
	[ -z "$old" ] || git -C "$BRAIN" merge-base --is-ancestor "$old" HEAD ||
		fail "$1: $old is gone"
	git -C "$BRAIN" cat-file blob HEAD:notes/app.db >"$W/app.db"
	is "$(sqlite3 "$W/app.db" 'PRAGMA integrity_check')" ok "$1: the snapshot"
}

# At this very moment, before anything was put right: every commit and what it leads to.
whole_now() {
	[ -n "$old" ] || return 0
	fsck=$(git -C "$BRAIN" fsck --strict --no-dangling --no-progress 2>&1) || fail "$1: at once: $fsck"
	is "$(git -C "$BRAIN" rev-list --count HEAD)" "$ncommits" "$1: commits at once"
}

# Nothing that git or we could still read holds it: no object, whoever leads to it, no file.
no_secret() {
	if git -C "$BRAIN" cat-file --batch-all-objects --batch | grep -qaF "$word"; then
		fail "$1: the secret is still there"
	fi
	is "$(git -C "$BRAIN" rev-list --count HEAD)" "$ncommits" "$1: commits"
	is "$(git -C "$BRAIN" cat-file -t held)" tag "$1: the milestone"
	git -C "$BRAIN" merge-base --is-ancestor held HEAD || fail "$1: the milestone is elsewhere"
}
at_the_remote() {
	is "$(git -C "$now/remote.git" rev-parse host/testbox held)" \
		"$(git -C "$BRAIN" rev-parse host/testbox held)" "$1: the remote"
}

# Every odd name comes back, and what stands below it.
odd_comes_back() { # WHAT
	rm -rf "$now/odd"
	expect 0 "$MIRROR" restore --to "$now/odd" notes
	diff -r --no-dereference -x .git "$now/notes/odd" "$now/odd/notes/odd" >"$W/diff" 2>&1 || {
		fail "$1: odd names"
		head -5 "$W/diff" >&2
	}
	far check "$now/odd/notes" || fail "$1: the path that is far away"
	rm -rf "$now/odd"
}

# told STORY WHAT: what the story itself promises.
told() {
	[ "$1" = rules ] || ! is_odd "$1" || odd_comes_back "$2"
	case $1 in
	restore)
		expect 0 "$MIRROR" restore --to "$now/back" notes
		diff -r --no-dereference -x app.db "$now/notes" "$now/back/notes" >"$W/diff" 2>&1 || {
			fail "$2: not restored"
			head -5 "$W/diff" >&2
		}
		;;
	milestone)
		git -C "$BRAIN" rev-parse -q --verify refs/tags/third >/dev/null ||
			expect 0 "$MIRROR" milestone third
		is "$(git -C "$BRAIN" cat-file -t third)" tag "$2: the milestone"
		is "$(git -C "$BRAIN" tag -l | tr '\n' ' ')" "first third " "$2: milestones"
		;;
	rules)
		if git -C "$BRAIN" grep -qF "$word" HEAD; then fail "$2: the new rule was not applied"; fi
		git -C "$BRAIN" show HEAD:notes/sub/door | grep -q '^REDACTED\.door\.' ||
			fail "$2: no mark where the new rule found something"
		git -C "$BRAIN" show 'HEAD:notes/odd/*?[x]' | grep -q '^REDACTED\.door\.' ||
			fail "$2: no mark below an odd name"
		if git -C "$BRAIN" ls-tree -r HEAD | cut -d' ' -f3 | cut -f1 |
			git -C "$BRAIN" cat-file --batch | grep -qaF "$word"; then
			fail "$2: the new rule was not applied below every name"
		fi
		;;
	rejoin)
		git -C "$BRAIN" merge-base --is-ancestor "$lost" HEAD || fail "$2: $lost is not in the history"
		is "$(git -C "$BRAIN" rev-list --merges --count HEAD)" 0 "$2: merges"
		is "$(git -C "$now/remote.git" rev-parse host/testbox)" \
			"$(git -C "$BRAIN" rev-parse HEAD)" "$2: the remote"
		is "$(git -C "$BRAIN" show HEAD~1:notes/sub/f1)" lost "$2: the version that was lost"
		;;
	purge)
		# What was cut short was said yes to: the run above has thrown it away, or not begun.
		[ ! -e "$BRAIN/.git/mirror/unpruned" ] || fail "$2: it still says that something is owed"
		expect 0 "$MIRROR" secrets purge --value "$now/value"
		confirm_again=$(sed -n 's/.*--confirm \([0-9a-f]*\).*/\1/p' "$W/out")
		[ -z "$confirm_again" ] ||
			expect 0 "$MIRROR" secrets purge --value "$now/value" --confirm "$confirm_again"
		no_secret "$2, in the end"
		at_the_remote "$2, in the end"
		;;
	esac
}

# once_more STORY HOW N: 1 when the n-th call was reached.
once_more() {
	what="$1, $2 at call $3"
	rm -rf "$now" "$W/hit"
	cp -a "$W/base" "$now"
	! is_odd "$1" || far make "$now/notes"
	old=$(git -C "$BRAIN" rev-parse -q --verify HEAD 2>/dev/null || true)
	ncommits=$(git -C "$BRAIN" rev-list --count HEAD 2>/dev/null || true)
	got=0
	began=$(date +%s%N)
	# shellcheck disable=SC2046
	NTHCALL_N=$3 NTHCALL_HOW=$2 NTHCALL_LOG=$W/hit \
		timeout -s ABRT 60 env LD_PRELOAD="$NTHCALL" $(words "$1") >"$W/said" 2>"$W/told" </dev/null || got=$?
	[ -s "$W/hit" ] || return 1
	what="$what ($(head -1 "$W/hit"))"
	case $2:$got in
	kill:137) ;;
	kill:*) fail "$what: exit status $got" ;;
	# libgit2, reading a configuration, and libstdc++, throwing, do not survive it: as
	# good as a kill.
	ENOMEM:134 | ENOMEM:139) ;;
	*:0) [ "$1" = restore ] || committed_is_disk || fail "$what: 0, and HEAD is not the disk" ;;
	*:1) ;;
	*:2 | *:6[0-9] | *:7[0-9])
		[ -s "$W/told" ] || fail "$what: exit status $got, and not a word"
		;;
	*) fail "$what: exit status $got: $(tail -2 "$W/told")" ;;
	esac
	case $1 in
	purge)
		whole_now "$what"
		if [ "$got" = 0 ]; then
			no_secret "$what, at once"
			grep -q 'could not be pushed' "$W/told" || at_the_remote "$what, at once"
		fi
		# It is another history, and so is the one below what the remote gives back.
		old=
		;;
	rejoin) old= ;;
	esac
	began=$(date +%s%N)
	sound "$what"
	told "$1" "$what"
	return 0
}

"$MIRROR" help restore >/dev/null 2>&1 || stories=${stories% restore}
for story in $stories; do
	prepare "$story"
	for how in $ends; do
		n=1
		hits=0
		stride=$step
		[ "$how" != ENOMEM ] || stride=$memory
		case ${MIRROR_LONG:-}${MIRROR_CRASH_STEP:-}$story in
		packs | milestone | rules | rejoin | purge) stride=$((stride * 5)) ;;
		esac
		while [ "$failures" -lt 5 ] && once_more "$story" "$how" "$n"; do
			n=$((n + stride))
			hits=$((hits + 1))
		done
		total=$((total + hits))
		[ "$hits" -gt 0 ] || fail "$story, $how: no call was hit"
		echo "$story, $how: $hits calls hit, the last one not above $n"
	done
done
echo "$total runs ended at a call; the slowest healed in $slowest ms; $failures failures"
