#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each header stands by itself: a file that includes nothing else compiles.
set -euo pipefail

cd "$(dirname "$0")/.."
failed=0
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find mirror scanner jobqueue tests/support -name '*.h' 2>/dev/null | sort >"$work/headers" || true
while read -r header; do
	# Tests' own words come on top of cmocka, which may not be installed.
	[ "$header" != tests/support/test.h ] || continue
	count=$((count + 1))
	# The include is the whole file: what it needs, it must bring along.
	if ! printf '#include "%s"\n' "${header#mirror/}" |
		"${CC:-cc}" -std=gnu17 -Wall -Wextra -Werror -fsyntax-only -D_GNU_SOURCE \
			-D_FILE_OFFSET_BITS=64 -I. -Imirror -xc - 2>"$work/said"; then
		echo "headers: $header does not stand by itself"
		head -5 "$work/said"
		failed=1
	fi
done <"$work/headers"
[ "$failed" = 0 ] && echo "headers: $count stand by themselves"
exit "$failed"
