#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The map of the house in mirror/main.c, made from the cards of the headers, so that it
# cannot disagree with them.
#
#     tests/map.sh            prints the map as it should be
#     tests/map.sh --write    puts it into mirror/main.c
set -euo pipefail
cd "$(dirname "$0")/.."

# Floor, room, folder, what it is.
rooms='5 cli mirror/cli what a person types: one file per verb, one table of verbs
4 agent mirror/agent the engine: listen on one thread, work on the other
4 serve mirror/serve the API, the status page and metrics
3 health mirror/health facts in, one verdict out
3 restore mirror/restore from the tree to the disk, and the drill
3 view mirror/view what everybody is shown: the same objects for command line, API and page
2 brain mirror/brain git objects, trees, commits, push
2 ledger mirror/ledger every file, its state and its reason
2 vault mirror/vault live databases: snapshots, archives, retention, off-site
2 watch mirror/watch the bell, and how long it must be quiet
1 config mirror/config what the person wants, read strictly
1 scanner scanner bytes in, secrets named but not shown
1 jobqueue jobqueue tickets, one trailing run, the lock of the kernel
0 base mirror/base words, bytes, files, children: what every room uses'

# "scanner/finding - one secret, ..." of a card, up to its first blank line.
card() {
	awk -v name="$2" '
		/^ \* / && index($0, " * " name " - ") == 1 { text = substr($0, length(name) + 7); on = 1; next }
		on && /^ \*$/ { exit }
		on { sub(/^ \* */, ""); text = text " " $0 }
		END { print text }' "$1"
}

map() {
	echo '/**'
	echo ' * mirror - keeps the folders you care about in a git repository, and proves it.'
	echo ' *'
	echo ' * This is the map of the house, top floor first, made by tests/map.sh from the cards'
	echo ' * of the headers.  Stairs only go down: a room knows the rooms below it, never one'
	echo ' * above; tests/floors.sh is the judge, and with -r prints the order to read in.'
	while read -r floor room folder what; do
		echo ' *'
		echo " * $floor  $room/  $what"
		bare=''
		for stem in $(ls "$folder" | sed -n 's/\.\(c\|h\|cpp\)$//p' | sort -u); do
			text=''
			[ ! -f "$folder/$stem.h" ] || text=$(card "$folder/$stem.h" "$room/$stem")
			if [ -z "$text" ]; then
				bare="$bare $room/$stem"
			else
				echo "$text" | fold -s -w 52 | sed 's/ *$//' |
					awk -v name="$room/$stem" '
						{ printf " *     %-28s %s\n", NR == 1 ? name : "", $0 }'
			fi
		done
		[ -z "$bare" ] || echo "${bare# }" | fold -s -w 80 | sed 's/ *$//; s/^/ *     /'
	done <<<"$rooms"
	echo ' */'
}

if [ "${1-}" = --write ]; then
	new=$(mktemp)
	trap 'rm -f "$new"' EXIT
	{
		sed -n '1,2p' mirror/main.c
		map
		awk 'past; /^ \*\// && !past { past = 1 }' mirror/main.c
	} >"$new"
	cat "$new" >mirror/main.c
else
	map
fi
