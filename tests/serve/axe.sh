#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# browser.sh with axe-core, where that is found: in a folder given, in node_modules here or
# above, or installed for all (npm install axe-core).  Not part of the checks.
#
#     MIRROR=build/mirror tests/serve/axe.sh [FOLDER]
set -eu
: "${MIRROR:?the program under test}"
for folder in "${1:-$PWD}/node_modules" "$(npm root 2>/dev/null)" "$(npm root -g 2>/dev/null)"; do
	if [ -f "$folder/axe-core/axe.min.js" ]; then
		AXE=$(realpath "$folder/axe-core/axe.min.js") MIRROR=$(realpath "$MIRROR") \
			exec "$(dirname "$0")/browser.sh"
	fi
done
echo "axe.sh: axe-core was not found; npm install axe-core" >&2
exit 77
