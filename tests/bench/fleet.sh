#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What one server has to do for many machines: git http-backend behind lighttpd, some real
# machines, and as many branches and heartbeats of others as are asked for.  Told are the
# requests, the bytes both ways and the processor time of the server, for each thing that a
# machine does.
#
#     MIRROR=build/mirror tests/bench/fleet.sh
#     BENCH_MACHINES (12) push at once; BENCH_FLEETS ("12 100 1000 9999") are the others
set -euo pipefail
export LC_ALL=C TZ=UTC0 GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@b.invalid
export GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@b.invalid
unset MIRROR_CONFIG STATE_DIRECTORY TMPDIR 2>/dev/null || true

: "${MIRROR:?the program to measure}"
machines=${BENCH_MACHINES:-12}
fleets=${BENCH_FLEETS:-12 100 1000 9999}
PATH=$PATH:/usr/sbin
W=$(mktemp -d "${BENCH_DIR:-/var/tmp}/mirror-fleet.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$W"' EXIT
cd "$W"

# ---- the server
port=$((20000 + RANDOM % 30000))
mkdir srv
cat >server.conf <<END
server.document-root = "$W/srv"
server.bind = "127.0.0.1"
server.port = $port
server.modules = ( "mod_alias", "mod_setenv", "mod_cgi", "mod_accesslog" )
accesslog.filename = "$W/access"
accesslog.format = "%I %O %r"
alias.url = ( "/git" => "$(git --exec-path)/git-http-backend" )
cgi.assign = ( "" => "" )
setenv.set-environment = ( "GIT_PROJECT_ROOT" => "$W/srv", "GIT_HTTP_EXPORT_ALL" => "1", "GIT_CONFIG_COUNT" => "1", "GIT_CONFIG_KEY_0" => "safe.directory", "GIT_CONFIG_VALUE_0" => "*" )
END
: >access
lighttpd -D -f server.conf >server.log 2>&1 &
server=$!
for _ in $(seq 100); do
	(: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
	sleep 0.05
done

# Clock ticks of the programs that it ran.
cpu() { awk '{ print $16 + $17 }' "/proc/$server/stat"; }

# The log is written when a buffer is full or the server told to.
log() {
	kill -HUP "$server"
	sleep 0.3
	cat access
}

on() {
	at=$W/m/$1
	shift
	HOME=$at XDG_CONFIG_HOME=$at/.config XDG_STATE_HOME=$at/.local/state \
		XDG_DATA_HOME=$at/.local/share XDG_RUNTIME_DIR=$at/run "$@"
}

machine() {
	mkdir -p "m/$1/notes" "m/$1/run" "m/$1/.config/mirror"
	head -c 20000 /dev/urandom | base64 >"m/$1/notes/a.md"
	printf '[[watch]]\npath = "%s"\n[brain]\nremote = "http://127.0.0.1:%s/git/%s"\nbranch = "host/%s"\n' \
		"$W/m/$1/notes" "$port" "$2" "$1" >"m/$1/.config/mirror/mirror.toml"
}

# step WHAT OTHERS COMMAND...: a row of the table.
step() {
	what=$1 others=$2
	shift 2
	before=$(log | wc -l)
	ticks=$(cpu)
	began=$(date +%s.%N)
	"$@" >out 2>&1 || { cat out >&2; exit 1; }
	took=$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf("%.2f", b - a) }')
	ticks=$(($(cpu) - ticks))
	log | awk -v from="$before" -v what="$what" -v others="$others" -v took="$took" \
		-v ms="$((ticks * 10))" '
		NR > from { n++; up += $1; down += $2 }
		END { printf("| %s | %s | %d | %.1f | %.1f | %d | %s |\n", what, others, n, up / 1024, down / 1024, ms, took) }'
}

new_server() {
	git init -q --bare "srv/$1"
	git -C "srv/$1" config http.receivepack true
	git -C "srv/$1" config receive.autogc false
}

# Branches and heartbeats of machines that are not here.
add_others() {
	repo=srv/$1
	commit=$(git -C "$repo" commit-tree -m x "$(git -C "$repo" mktree </dev/null)")
	now=$(date +%s%3N)
	seq "$2" | awk -v now="$now" -v c="$commit" '{
		t = sprintf("{\"schema\": \"mirror.machine/1\", \"host\": \"other%d\", \"machine\": \"%032d\", \"count\": 1, \"at_ms\": %s, \"state\": \"healthy\", \"sentence\": \"all 1234 files accounted for: 1230 protected, 4 excluded, nothing pending\", \"commit\": \"%s\"}", $1, $1, now, c)
		printf("blob\nmark :%d\ndata %d\n%s\n", $1, length(t) + 1, t)
	}' >blobs
	git -C "$repo" fast-import --quiet --export-marks="$W/marks" <blobs
	awk -v c="$commit" '{ n = substr($1, 2)
		printf("create refs/heads/host/other%d %s\ncreate refs/mirror/state/other%d %s\n", n, c, n, $2) }' marks |
		git -C "$repo" update-ref --stdin
	git -C "$repo" pack-refs --all
	git -C "$repo" repack -adq
}

all_at_once() {
	for n in $(seq "$machines"); do
		on "box$n" "$MIRROR" --once >"m/box$n/out" 2>&1 &
		pids[n]=$!
	done
	for n in $(seq "$machines"); do
		wait "${pids[n]}"
	done
}

change() {
	for n in $(seq "$machines"); do
		sed -i "${RANDOM: -2}s/.*/changed $RANDOM $RANDOM/" "m/box$n/notes/a.md"
	done
}

echo "| what | other machines | requests | KiB to the server | KiB from it | CPU ms of it | seconds |"
echo '|---|---|---|---|---|---|---|'
declare -A pids
new_server brain.git
for n in $(seq "$machines"); do
	machine "box$n" brain.git
done
step "$machines machines, the first push, at once" 0 all_at_once
change
step "$machines machines, one change each, at once" 0 all_at_once
for n in $(seq "$machines"); do
	[ "$(git -C srv/brain.git rev-parse "host/box$n")" = \
		"$(git -C "m/box$n/.local/share/mirror/brain" rev-parse HEAD)" ] || {
		echo "box$n is not at the server" >&2
		exit 1
	}
done
git -C srv/brain.git fsck --strict --no-dangling --no-progress
for others in $fleets; do
	new_server "fleet$others.git"
	add_others "fleet$others.git" "$others"
	rm -rf m/lone
	machine lone "fleet$others.git"
	step "first push, first look at the others" "$others" on lone "$MIRROR" --once
	echo more >>m/lone/notes/a.md
	step "one change and a heartbeat" "$others" on lone "$MIRROR" --once
	step "nothing changed, a heartbeat" "$others" on lone "$MIRROR" --once
	step "a look at the others, nothing new" "$others" on lone "$MIRROR" machines --fetch
done
