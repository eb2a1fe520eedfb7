#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does the judge see?  Each rule of floors.sh is broken once, in a small house built for
# that, and must be told by name.
set -euo pipefail
export LC_ALL=C

judge=$(cd "$(dirname "$0")" && pwd)/floors.sh
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
failed=0

# header FILE INCLUDE...: a header with its card.
header() {
	local file=$house/$1
	shift
	mkdir -p "$(dirname "$file")"
	{
		printf '/**\n * Knows: what it includes.\n * Owns:  nothing.\n * Never: mind.\n */\n'
		printf '#include "%s"\n' "$@"
	} >"$file"
}

build() {
	rm -rf "${house:?}"/*
	header mirror/base/err.h base/err.h
	header mirror/base/db.h base/err.h
	header scanner/scanner.h base/err.h
	header jobqueue/jobqueue.h base/db.h
	header mirror/brain/repo.h base/err.h
	header mirror/brain/pack.h brain/repo.h
	header mirror/vault/archive.h base/err.h
	header mirror/watch/watch.h base/err.h
	header mirror/health/facts.h brain/repo.h
	header mirror/serve/http.h health/facts.h
	header mirror/cli/verbs.h serve/http.h
	header mirror/base/db_room.h base/err.h
	echo '#include <sqlite3.h>' >>"$house/mirror/base/db_room.h"
	echo '#include "base/db_room.h"' >"$house/mirror/base/db.c"
	header mirror/brain/repo_room.h brain/repo.h
	echo '#include <git2.h>' >>"$house/mirror/brain/repo_room.h"
	echo '#include "brain/repo_room.h"' >"$house/mirror/brain/repo.c"
	echo '#include "brain/repo_room.h"' >"$house/mirror/brain/repo_refs.c"
	echo '#include <zstd.h>' >"$house/mirror/vault/archive.c"
	cat >"$house/mirror/main.c" <<-'MAP'
		// SPDX-License-Identifier: GPL-2.0-or-later

		/**
		 * mirror - the map of the house.
		 *
		 * cli/       verbs what a person types
		 * serve/     http
		 * health/    facts (dated)
		 * brain/     repo, repo_room, repo_refs, pack
		 * vault/archive, watch/watch
		 * scanner/   scanner
		 * jobqueue/  jobqueue
		 * mirror/base/ err, db, db_room.
		 */
		#include "cli/verbs.h"
	MAP
}

# caught WORDS: what was planted since build is told with these words.
caught() {
	local said
	if said=$("$judge" "$house" 2>&1); then
		echo "not caught: $1"
		failed=1
	elif [[ $said != *"$1"* ]]; then
		printf 'expected: %s\ngot:      %s\n' "$1" "$said"
		failed=1
	fi
	build
}

build
if ! said=$("$judge" "$house" 2>&1); then
	printf 'a sound house is refused: %s\n' "$said"
	failed=1
fi
order=$("$judge" -r "$house")
if [ "$(head -1 <<<"$order")" != base/err ] || [ "$(tail -1 <<<"$order")" != main ]; then
	printf 'the reading order does not lead from base/err to main:\n%s\n' "$order"
	failed=1
fi

# The inside of a room may know its front door.
header mirror/brain/handle.h brain/repo.h
echo '#include "brain/handle.h"' >>"$house/mirror/brain/repo.c"
sed -i 's/repo, /repo, handle, /' "$house/mirror/main.c"
if ! said=$("$judge" "$house" 2>&1); then
	printf 'a room with an inside is refused: %s\n' "$said"
	failed=1
fi
build

header scanner/scanner.h ledger/ledger.h
caught 'scanner/ may include only base/ and scanner/'
header jobqueue/jobqueue.h scanner/scanner.h
caught 'jobqueue/ may include only base/ and jobqueue/'
header mirror/base/err.h scanner/scanner.h
caught 'base/ may include only itself'

for pair in git2.h:brain/pack git2/sys/repository.h:brain/pack sqlite3.h:vault/archive \
	pcre2.h:scanner/scanner inotifytools/inotifytools.h:watch/watch \
	microhttpd.h:cli/verbs jansson.h:base/err gcrypt.h:brain/repo zstd.h:brain/pack \
	isa-l.h:brain/repo igzip_lib.h:vault/archive hs/hs.h:base/err 'toml++/toml.h:base/err'; do
	file=mirror/${pair#*:}.c
	echo "#include <${pair%%:*}>" >>"$house/${file/mirror\/scanner/scanner}"
	caught "speaks <${pair%%:*}>; only "
done
echo '#include <zstd.h>' >"$house/mirror/vault/other.c"
caught 'both speak <zstd.h>; one file of vault may'
for file in mirror/brain/pack.c mirror/brain/repository.c mirror/health/facts.h; do
	echo '#include "brain/repo_room.h"' >>"$house/$file"
	caught "$file includes \"brain/repo_room.h\", the inside of brain/repo"
done
echo '#	include "sqlite3.h"' >"$house/mirror/brain/pack.c"
caught 'speaks <sqlite3.h>; only base/db_room.h may'

header mirror/brain/pack.h health/facts.h
caught 'mirror/brain/pack.h (floor 2) includes "health/facts.h" (floor 3); stairs only go down'
header mirror/brain/pack.h attic/x.h
caught 'a room without a floor'
header mirror/attic/x.h base/err.h
caught 'mirror/attic/x.h stands in a room without a floor'
header mirror/brain/pack.h pack.h
caught 'an include is an address'
header mirror/brain/pack.h mirror/base/err.h
caught 'an include is an address'

# Two modules of one room that know each other, one of them from its .c file.
header mirror/brain/pack.h base/err.h
echo '#include "brain/repo.h"' >"$house/mirror/brain/pack.c"
echo '#include "brain/pack.h"' >>"$house/mirror/brain/repo.c"
caught 'circular stairs'
# The same through a header that has no code of its own.
header mirror/brain/inside.h brain/pack.h
echo '#include "brain/repo.h"' >"$house/mirror/brain/pack.c"
echo '#include "brain/inside.h"' >>"$house/mirror/brain/repo.c"
caught 'circular stairs'
# Two rooms of one floor, in a circle of three.
for step in brain/repo:vault/archive vault/archive:watch/watch watch/watch:brain/repo; do
	echo "#include \"${step#*:}.h\"" >>"$house/mirror/${step%:*}.c"
done
caught 'circular stairs'

sed -i 's/Never:/Ever:/' "$house/mirror/watch/watch.h"
caught 'mirror/watch/watch.h has no card'
header mirror/brain/tree.h base/err.h
sed -i 's/repo, /repo, trees, /' "$house/mirror/main.c"
caught 'brain/tree is not on the map'
# Another room's word is not this room's module.
header mirror/vault/repo.h base/err.h
caught 'vault/repo is not on the map'
sed -i '/^\/\*\*/,/\*\//d' "$house/mirror/main.c"
caught 'mirror/main.c begins with the map of the house'

[ "$failed" = 0 ] && echo "floors: every planted fault was caught"
exit "$failed"
