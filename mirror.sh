#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From a bare Debian 12 to a first mirror, or to a full test run:
#
#     ./mirror.sh demo [FOLDER]    install what the build needs, build, mirror FOLDER
#                                  (/usr/share/doc) and some samples with planted secrets
#     ./mirror.sh test             install what the tests need, then run tests/check.sh
#
# Debian packages come through apt, by name; nothing else is fetched.  Environment:
#
#     MIRROR_BUILD   where to build (build/ here; under ~/.cache when that is read-only)
#     MIRROR_DEMO    where the demonstration keeps its config, state and brain repo
set -euo pipefail

export LC_ALL=C.UTF-8
src=$(cd "$(dirname "$0")" && pwd -P)

build_packages='gcc g++ libc6-dev cmake ninja-build pkg-config git
libgit2-dev libpcre2-dev libsqlite3-dev libinotifytools0-dev libmicrohttpd-dev
libjansson-dev libtomlplusplus-dev libzstd-dev libgcrypt20-dev libisal-dev'
# Used where the architecture has them.
build_optional='libsystemd-dev'
test_packages='libcmocka-dev clang libclang-rt-14-dev llvm clang-format clang-tidy
valgrind strace procps sqlite3 zstd age rclone jq curl openssh-client openssh-server lighttpd
python3 patch spin tmux chromium chromium-driver'

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "mirror.sh: $*"
	exit 2
}

usage() {
	sed -n '4,13s/^# \{0,1\}//p' "$0" >&2
	exit 64
}

# Run a command quietly; its whole output is shown only when it fails.
quietly() {
	local log status=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [ "$status" != 0 ]; then
		say "failed: $*"
		cat "$log" >&2
	fi
	rm -f "$log"
	return "$status"
}

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

is_known() {
	[ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]
}

apt_install() {
	${sudo:-} env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
}

# Install what is missing of REQUIRED... -- OPTIONAL...
need() {
	local package required=() optional=() kind=required sudo=
	for package; do
		if [ "$package" = -- ]; then
			kind=optional
		elif ! is_installed "$package"; then
			if [ "$kind" = required ]; then
				required+=("$package")
			else
				optional+=("$package")
			fi
		fi
	done
	if [ ${#required[@]} = 0 ]; then
		return 0
	fi
	command -v apt-get >/dev/null || die "needs these packages: ${required[*]}"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			die "as root, first: apt-get install --no-install-recommends ${required[*]}"
		sudo=sudo
	fi
	say "Installing ${#required[@]} Debian packages..."
	if ! is_known "${required[0]}"; then
		quietly $sudo apt-get -q update || die "apt-get update failed"
	fi
	for package in "${optional[@]}"; do
		if is_known "$package"; then
			required+=("$package")
		fi
	done
	# A list of packages that is out of date names files that are gone.
	if ! apt_install "${required[@]}" >/dev/null 2>&1 </dev/null; then
		quietly $sudo apt-get -q update || die "apt-get update failed"
		quietly apt_install "${required[@]}" || die "apt-get install failed"
	fi
}

# The tests start their servers themselves, on ports of their own: what was installed just
# now for them serves nobody else.
no_service() {
	local sudo= server
	[ "$(id -u)" = 0 ] || sudo=sudo
	for server; do
		if [ -d /run/systemd/system ]; then
			$sudo systemctl disable --now "$server" >/dev/null 2>&1 || true
		fi
	done
}

# Where to build: what was asked for, else here, else where this user may write.
choose_build() {
	if [ -n "${MIRROR_BUILD:-}" ]; then
		build=$MIRROR_BUILD
	elif mkdir -p "$src/build" 2>/dev/null && [ -w "$src/build" ]; then
		build=$src/build
	else
		build=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mirror/build
	fi
	mkdir -p "$build" || die "cannot write to $build; set MIRROR_BUILD"
	build=$(cd "$build" && pwd -P)
}

configure() {
	cmake "$@" -S "$src" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release
}

build_program() {
	say "Building in $build..."
	# A build folder that was moved or made by another generator is begun anew.
	if ! configure >/dev/null 2>&1; then
		quietly configure --fresh || die "cmake found something missing"
	fi
	quietly cmake --build "$build" --target mirror || die "the build failed"
	program=$build/mirror
	[ -x "$program" ] || die "the build made no $program"
}

# A string for TOML.
quoted() {
	local text=$1
	text=${text//\\/\\\\}
	text=${text//\"/\\\"}
	printf '"%s"' "$text"
}

# random_text COUNT ALPHABET: new each time.
random_text() {
	head -c 8192 /dev/urandom | tr -dc "$2" | head -c "$1" || true
}

# GitHub's tokens end with the CRC-32 of their random part, in base 62.  gzip writes the
# CRC-32 of what it packs, lowest byte first, before the last four bytes.
github_token() {
	local body digits=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz
	local byte crc=0 sum= shift=0
	body=$(random_text 30 'A-Za-z0-9')
	for byte in $(printf %s "$body" | gzip -c | tail -c 8 | head -c 4 | od -An -tu1); do
		crc=$((crc | byte << shift))
		shift=$((shift + 8))
	done
	while [ ${#sum} -lt 6 ]; do
		sum=${digits:crc % 62:1}$sum
		crc=$((crc / 62))
	done
	printf 'gh%s%s%s' p_ "$body" "$sum"
}

# A folder such as people have, with five secrets in it.  They are made here and now, so
# that no scanner trips over this script.
make_samples() {
	local dir=$1 planted=$2 aws aws_key token password pem
	aws=AKIA$(random_text 16 'A-Z2-7')
	aws_key=$(random_text 40 'A-Za-z0-9')
	token=$(github_token)
	password=$(random_text 20 'A-Za-z0-9')
	pem=MIIEpAIBAAKCAQEA$(head -c 1180 /dev/urandom | base64 -w 0)
	pem=$(printf '%s\n' "$pem" | fold -w 64)
	mkdir -p "$dir/notes" "$dir/work/empty"
	printf '# Ideas\n\nWater the plants. Ask Kim about the boat.\n' >"$dir/notes/ideas.md"
	printf 'the wifi password: see the wiki\n' >"$dir/notes/wifi.txt"
	printf '*\n' >"$dir/notes/.gitignore"
	printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
		"$aws" "$aws_key" >"$dir/work/credentials"
	printf 'TOKEN=<your token here> OLD=%s # both on one line\n' "$token" \
		>"$dir/work/deploy.sh"
	printf '{"user": "kim", "db_password": "%s"}\n' "$password" >"$dir/work/db.json"
	printf '%s\n%s\n%s\n' "-----BEGIN RSA PRIVATE"" KEY-----" "$pem" \
		"-----END RSA PRIVATE"" KEY-----" >"$dir/work/id_rsa"
	printf '%s\n' "$aws" "$aws_key" "$token" "$password" >"$planted"
	head -n 1 <<<"$pem" >>"$planted"
}

write_config() {
	printf '[[watch]]\npath = %s\n\n' "$(quoted "$folder")"
	printf '[[watch]]\npath = %s\nname = "samples"\n\n' "$(quoted "$demo/samples")"
	printf '[brain]\nrepo = %s\nremote = "none"\nworktree = false\n' \
		"$(quoted "$demo/brain")"
}

# The id the brain repo's branch is at; nothing before the first run.
brain_head() {
	git -c safe.directory='*' -C "$demo/brain" rev-parse --verify --quiet HEAD 2>/dev/null ||
		true
}

# Does any object of the brain repo hold a secret that was planted?  git itself is the
# witness.
count_leaks() {
	local status
	set +e
	git -c safe.directory='*' -C "$demo/brain" cat-file --batch --batch-all-objects \
		--unordered | grep -a -c -F -f "$demo/planted"
	status=("${PIPESTATUS[@]}")
	set -e
	# grep's 1 is "none found"; anything else that failed has seen nothing.
	if [ "${status[0]}" != 0 ] || [ "${status[1]}" -gt 1 ]; then
		die "git cat-file could not read $demo/brain"
	fi
}

run_demo() {
	local before after status=0 leaks
	before=$(brain_head)
	"$program" -c "$demo/mirror.toml" --once || status=$?
	# 1: some file is pending or failed, and the line above says which.
	if [ "$status" != 0 ] && [ "$status" != 1 ]; then
		die "mirror --once ended with $status; its files are in $demo"
	fi
	after=$(brain_head)
	[ -n "$after" ] || die "mirror --once made no commit in $demo/brain"

	leaks=$(count_leaks)
	if [ "$leaks" != 0 ]; then
		die "$leaks lines in $demo/brain hold a planted secret: please report this"
	fi
	say
	if [ "$before" = "$after" ]; then
		say "Nothing changed since the last run: no new commit, still ${after:0:12}."
	else
		say "Committed ${after:0:12}.  Of the five planted secrets none is in the brain repo."
	fi
	say "The brain repo is $demo/brain, an ordinary git repository:"
	say "    git -C $demo/brain log --stat -1"
	say "    git -C $demo/brain grep REDACTED HEAD -- samples"
	say "Why is a file where it is?  MIRROR_CONFIG=$demo/mirror.toml $program why PATH"
	return "$status"
}

demo() {
	local mark=
	folder=${1:-/usr/share/doc}
	folder=$(cd "$folder" 2>/dev/null && pwd -P) || die "no folder $1"
	# shellcheck disable=SC2086
	need $build_packages -- $build_optional
	choose_build
	build_program

	# One demonstration per folder, so that a second run finds the first one's.
	[ -z "${1:-}" ] || mark=-$(printf '%s' "$folder" | cksum | cut -d' ' -f1)
	demo=${MIRROR_DEMO:-$build/demo$mark}
	mkdir -p "$demo"
	demo=$(cd "$demo" && pwd -P)
	chmod 700 "$demo"
	if [ ! -s "$demo/planted" ]; then
		make_samples "$demo/samples" "$demo/planted"
	fi
	write_config >"$demo/mirror.toml"
	mkdir -p -m 700 "$demo/state" "$demo/data" "$demo/run"
	export XDG_STATE_HOME=$demo/state XDG_DATA_HOME=$demo/data XDG_RUNTIME_DIR=$demo/run
	export HOME=${HOME:-$demo}
	unset STATE_DIRECTORY MIRROR_CONFIG
	run_demo
}

case ${1:-} in
demo)
	[ $# -le 2 ] || usage
	demo "${2:-}"
	;;
test)
	[ $# = 1 ] || usage
	servers=
	is_installed openssh-server || servers+=' ssh'
	is_installed lighttpd || servers+=' lighttpd'
	# shellcheck disable=SC2086
	need $build_packages $test_packages -- $build_optional
	# shellcheck disable=SC2086
	no_service $servers
	choose_build
	MIRROR_BUILD=$build exec "$src/tests/check.sh"
	;;
*)
	usage
	;;
esac
