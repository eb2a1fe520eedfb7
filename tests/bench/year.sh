#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a file that is written again and again costs on disk, with the agent's own cycles and
# its own maintenance, beside `git gc` of the same repository: a note edited every 30
# seconds, a log that grows and begins anew, a file that is only touched, and 1,500 edits of
# a large one.  Size, not time: nothing waits for a disk.
#
#     cmake --build build --target bench_year
#     BENCH_YEAR=build/tests/agent/bench_year tests/bench/year.sh
#     BENCH_COMMITS (10000; a year of every 30 seconds are 1051200), BENCH_DIR (/var/tmp)
set -euo pipefail
export LC_ALL=C GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null

: "${BENCH_YEAR:?the program bench_year}"
commits=${BENCH_COMMITS:-10000}
W=$(mktemp -d "${BENCH_DIR:-/var/tmp}/mirror-year.XXXXXX")
trap 'rm -rf "$W"' EXIT

kib() {
	du -sk --apparent-size "$1/objects" | cut -f1
}

# row WHAT COMMITS KIND SIZE
row() {
	mkdir "$W/$3$4"
	said=$("$BENCH_YEAR" "$W/$3$4" "$2" "$3" "$4")
	brain=$W/$3$4/brain/.git
	git --git-dir="$brain" fsck --strict --no-dangling --no-progress
	made=$(git --git-dir="$brain" rev-list --count HEAD)
	packs=$(git --git-dir="$brain" count-objects -v | sed -n 's/^packs: //p')
	ours=$(kib "$brain")
	cp -a "$brain" "$W/gc"
	git --git-dir="$W/gc" gc -q --prune=now
	gits=$(kib "$W/gc")
	rm -rf "$W/gc"
	printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$made" "$packs" "$ours" "$gits" \
		"$(awk -v a="$ours" -v b="$gits" 'BEGIN { printf("%.2f", a / b) }')" \
		"$(awk -v a="$ours" -v n="$made" 'BEGIN { printf("%.0f", a * 1024 / n) }')"
	echo "$1: $said" >&2
}

echo '| what | commits | packs | KiB | after `git gc` | ratio | bytes a commit |'
echo '|---|---|---|---|---|---|---|'
row "a note of 20 KB, a line edited" "$commits" edit 20000
row "a log, a line added, anew at 1 MB" "$commits" append 1000000
row "a file touched" "$commits" touch 20000
row "170 KB, a line edited" 1500 edit 170000
