#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A thousand clients that drip, and one that polls: neither delays a cycle, and memory is
# flat.  With a real agent; for the long tests.
#
#     MIRROR=build/mirror tests/serve/load.sh
#     LOAD_SECONDS=3600 ...      poll for an hour instead of 30 s
. "$(dirname "$0")/../e2e/lib.sh"
for tool in git jq curl python3; do
	needs "$tool"
done

mkdir notes
for i in $(seq 2000); do
	printf 'note %s\n' "$i" >"notes/$i.md"
done
cat >"$CONFIG" <<TOML
[[watch]]
path = "$W/notes"
[brain]
remote = "none"
settle = "50ms"
[api]
http = "127.0.0.1:0"
TOML
socket=$XDG_RUNTIME_DIR/mirror/api.sock
agent=
slow=
cleanup() {
	for pid in $slow $agent; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
	done
}
at_end=cleanup
"$MIRROR" run >agent.out 2>agent.err &
agent=$!
for _ in $(seq 600); do
	[ "$(curl -s --unix-socket "$socket" http://localhost/v1/status | jq -r '.jobs.sync.done > 0')" = true ] && break
	sleep 0.1
done
link=$("$MIRROR" web --no-open 2>/dev/null)
port=${link#http://127.0.0.1:}
port=${port%%/*}

# From saving a file to its commit: the median of seven, in milliseconds.
cycle() {
	for n in 1 2 3 4 5 6 7; do
		before=$(git -C "$BRAIN" rev-parse HEAD)
		began=$(date +%s%N)
		printf '%s %s\n' "$1" "$n" >notes/1.md
		while [ "$(git -C "$BRAIN" rev-parse HEAD)" = "$before" ]; do
			sleep 0.01
		done
		echo $((($(date +%s%N) - began) / 1000000))
	done | sort -n | sed -n 4p
}
rss() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$agent/status"
}

alone=$(cycle alone)
python3 - "$socket" "$port" >slow.out 2>&1 <<'PY' &
import socket, sys, time
path, port = sys.argv[1], int(sys.argv[2])
def connect(i):
    s = socket.socket(socket.AF_UNIX if i % 2 else socket.AF_INET)
    s.settimeout(2)
    try:
        s.connect(path if i % 2 else ("127.0.0.1", port))
        s.setblocking(False)
    except OSError:
        pass
    return s
slow = [connect(i) for i in range(1000)]
print("ready", flush=True)
word = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 10000
at = 0
while True:
    for i, s in enumerate(slow):
        try:
            s.send(word[at:at + 1])
        except OSError:
            s.close()
            slow[i] = connect(i)
    at = (at + 1) % len(word)
    time.sleep(0.25)
PY
slow=$!
for _ in $(seq 300); do
	grep -q ready slow.out && break
	sleep 0.1
done
beside=$(cycle beside)
echo "from saving to the commit: $alone ms alone, $beside ms beside 1000 clients that drip"
[ "$beside" -lt $((alone * 3 + 500)) ] || fail "a cycle was delayed: $alone ms alone, $beside ms"
[ "$("$MIRROR" health --json | jq -r '.facts[] | select(.name == "alive") | .state')" = healthy ] ||
	fail "the agent is not alive beside them"
kill "$slow"
wait "$slow" 2>/dev/null || true
slow=

# Polling: after a while to warm up, memory stays where it is.
poll() {
	end=$(($(date +%s) + $1))
	polls=0
	while [ "$(date +%s)" -lt "$end" ]; do
		curl -s --unix-socket "$socket" -o /dev/null http://localhost/v1/status http://localhost/v1/health \
			-o /dev/null http://localhost/metrics -o /dev/null http://localhost/ -o /dev/null
		polls=$((polls + 4))
	done
}
poll 10
before=$(rss)
poll "${LOAD_SECONDS:-30}"
after=$(rss)
echo "$polls polls in ${LOAD_SECONDS:-30} s: $before kB, then $after kB"
[ -n "${ASAN_OPTIONS-}" ] || [ $((after - before)) -lt 4096 ] || fail "polling grows: $before kB, then $after kB"
