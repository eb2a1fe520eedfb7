#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every link from one page to another, and to a heading of it, leads somewhere.
set -eu

src=$(cd "$(dirname "$0")/../.." && pwd -P)
failures=0

# Headings as anchors: lower case, punctuation gone, spaces to dashes.
anchors() {
	sed -n '/^```/,/^```/d; s/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' |
		sed 's/[^[:alnum:] _-]//g; s/ /-/g'
}

while read -r page; do
	while read -r link; do
		case $link in
		http://* | https://* | mailto:*) continue ;;
		esac
		file=${link%%#*}
		target=$page
		[ -z "$file" ] || target=$(dirname "$page")/$file
		if [ ! -e "$target" ]; then
			echo "${page#"$src"/}: leads nowhere: $link"
			failures=$((failures + 1))
		elif [ "$link" != "$file" ] && ! anchors "$target" | grep -qxF -- "${link#*#}"; then
			echo "${page#"$src"/}: no such heading: $link"
			failures=$((failures + 1))
		fi
	done < <(sed -n '/^```/,/^```/d; p' "$page" | grep -oE '\]\([^) ]+\)' |
		sed 's/^](//; s/)$//')
done < <(find "$src/README.md" "$src/docs" -name '*.md')
[ "$failures" = 0 ]
