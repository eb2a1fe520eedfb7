#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every file and every test that docs/INVARIANTS.md, docs/databases.md and docs/reliability.md
# name is there.
set -euo pipefail

cd "$(dirname "$0")/.."
page=docs/INVARIANTS.md
failed=0
for promise in I1 I2 I3 I4 I5 I6 I7 I8 I9 I10 I11 I12 I13 I14; do
	if ! grep -q "^| $promise |" "$page"; then
		echo "$page has no row for $promise"
		failed=1
	fi
done
names=$(grep '^| I[0-9]' "$page" | grep -oE '`[^`]+`' | tr -d '`' | sort -u)
page="$page or docs/databases.md"
bugs=$(sed -n '/^## Bugs/,/^## Measured/s/^|.*|\(.*\)|$/\1/p' docs/databases.md | grep -oE '`(tests/[a-z_0-9/.]+|[a-z_0-9]+_[a-z_0-9]+)`' |
	tr -d '`' | sort -u)
[ "$(printf '%s\n' "$bugs" | wc -l)" -gt 40 ] || { echo "docs/databases.md names too few tests"; failed=1; }
# Each case of docs/reliability.md has its test.
cases=$(sed -n '/^| case | test |/,/^$/p' docs/reliability.md | grep -oE '`([a-z]+_[a-z_0-9]+_[a-z_0-9]+|(e2e|crash)/[a-z_]+)`' | tr -d '`' |
	sed 's,^\(e2e\|crash\)/.*,tests/&.sh,' | sort -u)
[ "$(printf '%s\n' "$cases" | wc -l)" -gt 40 ] || { echo "docs/reliability.md names too few tests"; failed=1; }
page="$page or docs/reliability.md"
for name in $names $bugs $cases; do
	case $name in
	*/*)
		if [ ! -e "$name" ]; then
			echo "$page names the file $name, which is not there"
			failed=1
		fi
		;;
	# A test is a sentence: at least two words.  err_advise and its like are functions.
	*_*)
		if ! grep -rqE "\\b$name\\b" tests mirror scanner jobqueue --include='*.[ch]' \
			--include='*.sh' && [ ! -e "tests/e2e/$name.sh" ]; then
			echo "$page names the test $name, which is not there"
			failed=1
		fi
		;;
	esac
done
[ "$failed" = 0 ] && echo "invariants: every name on the page is there"
exit "$failed"
