#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kill -9 at random times, agent and `--once` alike, among edits, stale locks, leftovers of
# git and a git gc; now and then everything is compared.
#
#     MIRROR_KILLS         rounds (60; with MIRROR_LONG 1000)
#     MIRROR_KILLS_SEED    which (from the clock; it is printed)
. "$(dirname "$0")/../e2e/lib.sh"
needs git

rounds=${MIRROR_KILLS:-$([ -n "${MIRROR_LONG:-}" ] && echo 1000 || echo 60)}
seed=${MIRROR_KILLS_SEED:-$(date +%s)}
RANDOM=$((seed % 32768))
echo "kills: $rounds rounds, seed $seed"

mkdir -p notes/d
for i in $(seq 150); do echo "$i" >"notes/d/$i"; done
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
repo = "$BRAIN"
remote = "none"
settle = "10ms"
EOC
expect 0 "$MIRROR" --once
old=$(git -C "$BRAIN" rev-parse HEAD)
slowest=0
ended=0

edit() {
	from=$((RANDOM % 120 + 1))
	for i in $(seq "$from" $((from + RANDOM % 30))); do
		echo "$1.$i" >"notes/d/$i"
	done
	case $((RANDOM % 6)) in
	0) rm -f "notes/d/n$((RANDOM % 20))" ;;
	1) echo "$1" >"notes/d/n$((RANDOM % 20))" ;;
	2)
		folder=notes/e$((RANDOM % 5))
		mkdir -p "$folder"
		echo "$1" >"$folder/f"
		;;
	3) rm -rf "notes/e$((RANDOM % 5))" ;;
	*) ;;
	esac
}

# What killed programs of ours and of git leave behind.
litter() {
	case $((RANDOM % 8)) in
	0)
		# A gc takes an empty folder of refs away.
		mkdir -p "$BRAIN/.git/refs/heads/host"
		: >"$BRAIN/.git/refs/heads/host/testbox.lock"
		;;
	1) printf junk >"$BRAIN/.git/objects/tmp_object_git2_$1" ;;
	2) printf junk >"$BRAIN/.git/objects/pack/tmp_pack_$1" ;;
	3) git -C "$BRAIN" gc --quiet --prune=now >/dev/null 2>&1 & ;;
	*) return ;;
	esac
	# Locks of the last minute may be somebody's who is alive.
	find "$BRAIN/.git" -name '*.lock' -exec touch -d '1 hour ago' {} + 2>/dev/null || true
}

compare() {
	wait
	began=$(date +%s%N)
	expect 0 "$MIRROR" --once --json
	took=$((($(date +%s%N) - began) / 1000000))
	[ "$took" -le "$slowest" ] || slowest=$took
	[ "$took" -lt 10000 ] || fail "round $1: healed after $took ms"
	says out '"unaccounted": 0'
	says out "\"on_disk\": $(find notes ! -type d | wc -l)"
	rm -rf seen
	mkdir seen
	git -C "$BRAIN" archive HEAD notes | tar -x -C seen
	find notes -type d -empty | while read -r empty; do mkdir -p "seen/$empty"; done
	diff -r notes seen/notes >diff 2>&1 || {
		fail "round $1: HEAD is not the disk"
		head -5 diff >&2
	}
	[ -z "$(git -C "$BRAIN" status --porcelain 2>&1)" ] || {
		fail "round $1: git status"
		git -C "$BRAIN" status --porcelain | head -5 >&2
	}
	said=$(git -C "$BRAIN" fsck --strict --no-dangling --no-progress 2>&1) ||
		fail "round $1: fsck: $said"
	git -C "$BRAIN" merge-base --is-ancestor "$old" HEAD || fail "round $1: $old is gone"
	old=$(git -C "$BRAIN" rev-parse HEAD)
}

for round in $(seq "$rounds"); do
	edit "$round"
	litter "$round"
	if [ $((RANDOM % 3)) = 0 ]; then
		set -- run
	else
		set -- --once
	fi
	"$MIRROR" "$@" >said.out 2>said.err &
	killed=$!
	sleep "0.0$((RANDOM % 90 + 10))"
	kill -9 "$killed" 2>/dev/null || ended=$((ended + 1))
	wait "$killed" 2>/dev/null || true
	if [ $((round % 10)) = 0 ]; then
		compare "$round"
	fi
	[ "$failures" -lt 3 ] || break
done
compare end
expect 0 "$MIRROR" --once
says out "nothing changed, no commit"
echo "$rounds rounds ($ended ended before the kill); the slowest healed in $slowest ms;" \
	"$failures failures"
