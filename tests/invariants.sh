#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every file and every test that docs/INVARIANTS.md names is there.
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
for name in $names; do
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
