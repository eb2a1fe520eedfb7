#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The package: two builds in two folders by two generators are one file byte for byte,
# lintian finds no error, everything is in it, units name the program by its whole path.
set -eu

src=$(cd "$(dirname "$0")/../.." && pwd -P)
for needed in cpack dpkg-shlibdeps dpkg-deb; do
	command -v "$needed" >/dev/null || {
		echo "package: skipped, no $needed"
		exit 77
	}
done
W=$(mktemp -d "${TMPDIR:-/tmp}/mirror-package.XXXXXX")
trap 'rm -rf "$W"' EXIT
export SOURCE_DATE_EPOCH=1795219200
failures=0

fail() {
	echo "package: $*" >&2
	failures=$((failures + 1))
}

# make NAME SOURCES GENERATOR: leaves $W/NAME.deb
make_package() {
	cmake -S "$2" -B "$W/$1" -G "$3" -DCMAKE_BUILD_TYPE=Release -DMIRROR_TESTS=OFF &&
		cmake --build "$W/$1" -j 2 && (cd "$W/$1" && cpack) &&
		cp "$W/$1"/mirrorkeep_*.deb "$W/$1.deb"
}

mkdir "$W/elsewhere"
(cd "$src" && tar -c --exclude=./build --exclude=./.git .) | tar -x -C "$W/elsewhere"
for build in "one $src Ninja" "another $W/elsewhere Unix Makefiles"; do
	read -r name sources generator <<<"$build"
	if ! make_package "$name" "$sources" "$generator" >"$W/log" 2>&1; then
		tail -30 "$W/log" >&2
		exit 1
	fi
done
cmp "$W/one.deb" "$W/another.deb" || fail "two builds differ"

if command -v lintian >/dev/null; then
	lintian --no-tag-display-limit "$W/one.deb" >"$W/lintian" 2>/dev/null || true
	if grep '^E:' "$W/lintian"; then
		fail "lintian found errors"
	fi
else
	echo "package: no lintian here"
fi

# It is loaded, not linked, so nobody else would ask for it.
dpkg-deb -f "$W/one.deb" Depends | grep -q 'git, libmicrohttpd' ||
	fail "the package does not depend on libmicrohttpd"
dpkg-deb -x "$W/one.deb" "$W/root"
for file in bin/mirror share/man/man1/mirror.1.gz share/man/man5/mirror.toml.5.gz \
	share/bash-completion/completions/mirror share/zsh/vendor-completions/_mirror \
	share/fish/vendor_completions.d/mirror.fish lib/systemd/user/mirror.service \
	lib/systemd/system/mirror.service share/doc/mirrorkeep/copyright \
	share/doc/mirrorkeep/changelog.Debian.gz share/doc/mirrorkeep/README.md \
	share/doc/mirrorkeep/docs/recovery.md; do
	[ -s "$W/root/usr/$file" ] || fail "not in the package: /usr/$file"
done
bash -n "$W/root/usr/share/bash-completion/completions/mirror" || fail "the bash completion"
for page in man1/mirror.1 man5/mirror.toml.5; do
	zcat "$W/root/usr/share/man/$page.gz" >"$W/page"
	grep -q '^\.SH NAME' "$W/page" || fail "$page has no NAME"
	if command -v groff >/dev/null && groff -man -Tutf8 -ww "$W/page" 2>&1 >/dev/null | grep .; then
		fail "groff warns of $page"
	fi
done
for manager in user system; do
	unit=$W/root/usr/lib/systemd/$manager/mirror.service
	grep -q '^ExecStart=/usr/bin/mirror run' "$unit" || fail "ExecStart of the $manager unit"
	grep -q '^Type=notify$' "$unit" && grep -q '^WatchdogSec=' "$unit" &&
		grep -q '^Restart=always$' "$unit" || fail "the $manager unit is not supervised"
done

# Installed elsewhere, the units follow.
DESTDIR=$W/dest cmake --install "$W/one" --prefix /opt/mirror >"$W/log" 2>&1 || fail "install"
grep -q '^ExecStart=/opt/mirror/bin/mirror run' \
	"$W/dest/opt/mirror/lib/systemd/user/mirror.service" || fail "ExecStart follows no prefix"

# systemd's own reading of them, with the program where they say it is.
if command -v systemd-analyze >/dev/null; then
	for manager in user system; do
		unit=$W/$manager/mirror.service
		mkdir -p "$W/$manager"
		sed "s|=/usr/bin/mirror |=$W/root/usr/bin/mirror |" \
			"$W/root/usr/lib/systemd/$manager/mirror.service" >"$unit"
		systemd-analyze "--$manager" --man=no verify "$unit" >"$W/log" 2>&1 || true
		if grep -F mirror.service "$W/log"; then
			fail "systemd does not like the $manager unit"
		fi
	done
fi
[ "$failures" = 0 ]
