#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Is docs/reference.md what the program prints?  With --update it is made so.
set -eu

: "${MIRROR:?the program under test}"
page=$(dirname "$0")/../../docs/reference.md
made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$MIRROR" __man --markdown >"$made"
if [ "${1:-}" = --update ]; then
	cat "$made" >"$page"
elif ! diff -u "$page" "$made"; then
	echo "docs/reference.md is not current: MIRROR=$MIRROR tests/docs/reference.sh --update" >&2
	exit 1
fi
