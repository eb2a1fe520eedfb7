#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program's n-th call that changes the disk is its last, or fails, for n = 1, 2, 3 ...
# until a run gets through; after each, one `mirror --once` puts everything right.
#
#     MIRROR_CRASH_STEP    only every so-manieth n (chosen for CI; 1 with MIRROR_LONG)
#     MIRROR_CRASH_STORY   which stories (import tick delete snapshot push restore)
#     MIRROR_CRASH_HOW     which ends (kill EIO ENOSPC EMFILE ENOMEM)
#     MIRROR_CRASH_MEMORY  of the many allocations every so-manieth (2999; 61 with MIRROR_LONG)
#
# NTHCALL is the preloaded library (tests/crash/nthcall.c, which tells what it sees).
: "${NTHCALL:=$(dirname "${MIRROR:-.}")/tests/crash/nthcall.so}"
export NTHCALL
[ -r "$NTHCALL" ] || { echo "sweep: skipped, no $NTHCALL"; exit 77; }
. "$(dirname "$0")/../e2e/lib.sh"
needs git
needs sqlite3

step=${MIRROR_CRASH_STEP:-$([ -n "${MIRROR_LONG:-}" ] && echo 1 || echo 41)}
stories=${MIRROR_CRASH_STORY:-import tick delete snapshot push restore}
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
EOC
}

prepare() {
	chmod -R u+rwX "$now" "$W/base" 2>/dev/null || true
	rm -rf "$now" "$W/base"
	mkdir -p "$now/home" "$now/run"
	chmod 700 "$now/run"
	world "$now"
	configure none
	case $1 in
	import) ;;
	push)
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
	esac
	cp -a "$now" "$W/base"
}

words() {
	case $1 in
	restore) echo "$MIRROR restore --to $now/back notes" ;;
	*) echo "$MIRROR --once" ;;
	esac
}

# HEAD's files against the disk, by git archive; databases have their own test.
committed_is_disk() {
	rm -rf "$W/seen"
	mkdir "$W/seen"
	git -C "$BRAIN" archive HEAD notes | tar -x -C "$W/seen" &&
		diff -r --no-dereference -x app.db -x .gitignore -x empty -x deep \
			"$now/notes" "$W/seen/notes" >"$W/diff" 2>&1
}

sound() {
	expect 0 "$MIRROR" --once --json
	took=$((($(date +%s%N) - began) / 1000000))
	[ "$took" -le "$slowest" ] || slowest=$took
	[ "$took" -lt 10000 ] || fail "$1: healed after $took ms"
	says out '"unaccounted": 0'
	says out "\"on_disk\": $(find "$now/notes" ! -type d | wc -l)"
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

# once_more STORY HOW N: 1 when the n-th call was reached.
once_more() {
	what="$1, $2 at call $3"
	rm -rf "$now" "$W/hit"
	cp -a "$W/base" "$now"
	old=$(git -C "$BRAIN" rev-parse -q --verify HEAD 2>/dev/null || true)
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
	began=$(date +%s%N)
	sound "$what"
	if [ "$1" = restore ]; then
		expect 0 "$MIRROR" restore --to "$now/back" notes
		diff -r --no-dereference -x app.db "$now/notes" "$now/back/notes" >"$W/diff" 2>&1 || {
			fail "$what: not restored"
			head -5 "$W/diff" >&2
		}
	fi
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
