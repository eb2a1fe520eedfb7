#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stairs only go down: the judge of who may know whom.
#
#     tests/floors.sh [ROOT]        every broken rule on a line of its own; 1 when there is one
#     tests/floors.sh -r [ROOT]     the modules bottom up: the order to read the house in
#
# A module is a file without its ending: base/err is mirror/base/err.h and err.c.  A header
# without code of that name is the inside of its room: whom it includes is known by those
# who include it.
set -euo pipefail
export LC_ALL=C

reading=no
if [ "${1:-}" = -r ]; then
	reading=yes
	shift
fi
root=${1:-$(dirname "$0")/..}
cd "$root"

# Room, floor.  A room knows its own floor and those below.
floors='
base      0
scanner   1
jobqueue  1
config    1
brain     2
ledger    2
vault     2
watch     2
health    3
restore   3
view      3
agent     4
serve     4
cli       5
main      5
'

# One foreign tongue, one file: header (a regular expression), the one file that may
# speak it; a room instead of a file means: one file of that room, whichever.  A header
# NAME_room.h that speaks one is the inside of NAME.c and NAME_*.c: nobody else includes it.
tongues='
git2(\.h|/.*)                     brain/repo_room.h
sqlite3(ext)?\.h                  base/db_room.h
pcre2(posix)?\.h                  scanner/pattern.c
inotifytools/.*                   watch/watch_inotify.c
sys/inotify\.h                    watch/watch_inotify.c
microhttpd\.h                     serve/http.c
jansson\.h                        base/json.c
toml\+\+/.*                       base/toml.cpp
gcrypt\.h                         base/hash_room.h
zstd\.h                           vault
(isa-l|isa-l/.*|igzip_lib|crc)\.h brain/deflate.c
hs/.*|hs\.h                       scanner
systemd/.*                        agent
'

rooms=()
for room in mirror scanner jobqueue; do
	[ -d "$room" ] && rooms+=("$room")
done
if [ ${#rooms[@]} = 0 ]; then
	echo "floors: no mirror/, scanner/ or jobqueue/ in $PWD" >&2
	exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find "${rooms[@]}" -name '*.[ch]' -o -name '*.cpp' | sort >"$work/files"
mapfile -t files <"$work/files"

# Every include as "file include", every header without its card, every module that the
# map on the front door does not show.
awk -v floors="$floors" -v tongues="$tongues" -v edges="$work/edges" '
function bad(line) {
	print "floors: " line
}
# mirror/base/err.c is the file base/err.c of the room base.
function address(name) {
	sub(/^mirror\//, "", name)
	return name
}
function room_of(name) {
	name = address(name)
	return name ~ /\// ? substr(name, 1, index(name, "/") - 1) : "main"
}
function module_of(name) {
	name = address(name)
	sub(/\.[a-z]+$/, "", name)
	return name
}
function judge_foreign(file, header,    i, here) {
	for (i = 1; i <= ntongues; i++) {
		if (header !~ ("^(" tongue[i] ")$")) {
			continue
		}
		here = speaker[i] ~ /\// ? address(file) : room_of(file)
		if (here != speaker[i]) {
			bad(file " speaks <" header ">; only " speaker[i] " may")
		} else if (speaker[i] !~ /\// && spoken[i] != "" && spoken[i] != file) {
			bad(file " and " spoken[i] " both speak <" header ">; one file of " speaker[i] " may")
		} else {
			spoken[i] = file
		}
	}
}
# Whoever includes a header that speaks a foreign tongue speaks it as well.
function judge_inside(file, header,    i, door) {
	for (i = 1; i <= ntongues; i++) {
		door = speaker[i]
		if (header != door || !sub(/_room\.h$/, "", door)) {
			continue
		}
		if (address(file) !~ ("^" door "(_[a-z]+)?\\.c$")) {
			bad(file " includes \"" header "\", the inside of " door)
		}
		return
	}
}
function judge_ours(file, header,    from, to) {
	from = room_of(file)
	to = room_of(header)
	if (header !~ /\// || header ~ /^(mirror|\.)/) {
		bad(file " includes \"" header "\"; an include is an address: \"room/file.h\"")
		return
	}
	know(module_of(file), module_of(header))
	judge_inside(file, header)
	if (from == to) {
		return
	}
	if (!(to in floor)) {
		bad(file " includes \"" header "\", a room without a floor")
	} else if (from == "base") {
		bad(file " includes \"" header "\"; base/ may include only itself")
	} else if ((from == "scanner" || from == "jobqueue") && to != "base") {
		bad(file " includes \"" header "\"; " from "/ may include only base/ and " from "/")
	} else if (floor[to] > floor[from]) {
		bad(file " (floor " floor[from] ") includes \"" header "\" (floor " floor[to] "); stairs only go down")
	}
}
function know(from, to) {
	if (!((from, to) in known)) {
		known[from, to] = 1
		knows_of[from] = knows_of[from] " " to
	}
}
# Write whom @from knows through @via; a header without code hands on its own.
function write_edges(from, via,    list, n, i) {
	n = split(knows_of[via], list, " ")
	for (i = 1; i <= n; i++) {
		if (list[i] == from || (from, list[i]) in written) {
			continue
		}
		written[from, list[i]] = 1
		if (has_code[from] || !has_code[list[i]]) {
			print from, list[i] >> edges
		}
		if (!has_code[list[i]]) {
			write_edges(from, list[i])
		}
	}
}
function end_of_file() {
	if (last ~ /\.h$/ && !(knows && owns && never)) {
		bad(last " has no card: Knows, Owns, Never")
	}
	knows = owns = never = 0
}
# The rooms name their modules on the map either in full, "base/err", or behind the line
# that begins with the room, "base/   err mem buf".
function read_map(line,    words, n, i, word) {
	sub(/^[ \t]*\/?\*+\/?/, "", line)
	n = split(line, words, /[ \t,;:()]+/)
	for (i = 1; i <= n; i++) {
		word = words[i]
		sub(/\.$/, "", word)
		sub(/^mirror\//, "", word)
		if (word ~ /^[a-z0-9_]+\/$/) {
			part = word
		} else if (word ~ /\//) {
			shown[word] = 1
		} else {
			shown[part word] = 1
		}
	}
}
BEGIN {
	n = split(floors, lines, "\n")
	for (i = 1; i <= n; i++) {
		if (split(lines[i], row, " ") == 2) {
			floor[row[1]] = row[2]
		}
	}
	n = split(tongues, lines, "\n")
	for (i = 1; i <= n; i++) {
		if (split(lines[i], row, " ") == 2) {
			tongue[++ntongues] = row[1]
			speaker[ntongues] = row[2]
		}
	}
}
FNR == 1 {
	end_of_file()
	last = FILENAME
	modules[module_of(FILENAME)] = FILENAME
	if (FILENAME !~ /\.h$/) {
		has_code[module_of(FILENAME)] = 1
	}
	print module_of(FILENAME), module_of(FILENAME) >> edges
	if (!(room_of(FILENAME) in floor)) {
		bad(FILENAME " stands in a room without a floor")
	}
}
/Knows:/ { knows = 1 }
/Owns:/  { owns = 1 }
/Never:/ { never = 1 }
FILENAME == "mirror/main.c" && !map_ended {
	if (/\/\*\*/) {
		in_map = 1
	}
	if (in_map) {
		read_map($0)
	} else if ($0 !~ /^(\/\/.*)?$/) {
		map_ended = 1
	}
	if (in_map && /\*\//) {
		map_ended = 1
		has_map = 1
	}
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	header = $0
	sub(/^[^<]*</, "", header)
	sub(/>.*/, "", header)
	judge_foreign(FILENAME, header)
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	header = $0
	sub(/^[^"]*"/, "", header)
	sub(/".*/, "", header)
	judge_foreign(FILENAME, header)
	judge_ours(FILENAME, header)
}
END {
	end_of_file()
	for (module in modules) {
		write_edges(module, module)
	}
	if ("main" in modules) {
		if (!has_map) {
			bad("mirror/main.c begins with the map of the house")
		}
		for (module in modules) {
			if (has_map && module != "main" && !(module in shown)) {
				bad(module " is not on the map in mirror/main.c")
			}
		}
	}
}
' "${files[@]}" >"$work/broken"

# One line for each circle: "tsort: a" lines between two "contains a loop".
if ! tsort <"$work/edges" >"$work/order" 2>"$work/loop"; then
	awk '/contains a loop/ { if (line) { print line }; line = "floors: circular stairs:"; next }
		{ line = line " " $2 }
		END { print line }' "$work/loop" >>"$work/broken"
fi

if [ "$reading" = yes ]; then
	# Ground floor first; on one floor, whoever is known comes before who knows it.
	tac "$work/order" | awk -v floors="$floors" '
		BEGIN {
			n = split(floors, lines, "\n")
			for (i = 1; i <= n; i++) {
				if (split(lines[i], row, " ") == 2) {
					floor[row[1]] = row[2]
				}
			}
		}
		{ room = $1; sub(/\/.*/, "", room); print floor[room], $1 }' |
		sort -s -n -k1,1 | cut -d' ' -f2
fi
if [ -s "$work/broken" ]; then
	sort -u "$work/broken" >&2
	exit 1
fi
