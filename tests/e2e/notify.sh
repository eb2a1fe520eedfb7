#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Telling people: a program hears of each change of the verdict and of nothing else, a
# watching service of every state, and neither can fail or delay a cycle.
. "$(dirname "$0")/lib.sh"
needs python3

mkdir notes
printf 'hello\n' >notes/a.md

cat >hear.sh <<'HEAR'
#!/bin/sh
cat >"$1/heard.$$"
mv "$1/heard.$$" "$1/heard-$(ls "$1" | grep -c '^heard-[0-9]*$')"
HEAR
chmod +x hear.sh
mkdir told

# Says who came, and answers 200.
cat >server.py <<'SERVER'
import http.server, sys
class Hear(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        with open('pings', 'a') as log:
            log.write(self.path + ' ' + body + '\n')
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(('127.0.0.1', 0), Hear)
with open('port', 'w') as out:
    out.write(str(server.server_port))
server.serve_forever()
SERVER
python3 server.py &
server=$!
at_end='kill $server 2>/dev/null'
for _ in $(seq 100); do
	[ -s port ] && break
	sleep 0.05
done
: >pings

cat >"$CONFIG" <<END
[[watch]]
path = "$W/notes"
[notify]
ping = "http://127.0.0.1:$(cat port)/key-of-mine"
exec = ["$W/hear.sh", "$W/told"]
END

heard() {
	ls told | grep -c '^heard-' || true
}

# By hand, with everything but what a drill says: the first verdict is not a good one.
expect 0 "$MIRROR" --once
is "$(heard)" 1 "tellings after the first cycle"
says told/heard-0 '"schema": "mirror.health/1"'
says told/heard-0 '"state": "degraded"'
says pings "/key-of-mine/fail "
is "$(wc -l <pings)" 1 "pings"

# The same again is no news, and the service hears it at most every five minutes.
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
is "$(heard)" 1 "tellings without a change"
is "$(wc -l <pings)" 1 "pings without a change"

# It becomes well: told once, and the service gets its success.
expect 0 "$MIRROR" accept --no-input
expect 0 "$MIRROR" drill
expect 0 "$MIRROR" accept --no-input
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" health
is "$(heard)" 2 "tellings after it became well"
says told/heard-1 '"state": "healthy"'
is "$(tail -1 pings | cut -d' ' -f1)" /key-of-mine "the last ping"

# The probe in between does not swallow the news for others.
chmod 000 notes/a.md
"$MIRROR" --once >out 2>err || true
"$MIRROR" health >out 2>err || true
is "$(heard)" 3 "tellings after a file that cannot be read"
chmod 600 notes/a.md

# A service that is gone and a program that fails are logged, and fail nothing.
kill $server
wait $server 2>/dev/null || true
sed -i "s,hear.sh,no-such-program," "$CONFIG"
expect 0 "$MIRROR" --once
says err "[notify] ping failed: "
says err "[notify] exec failed: "
silent_about err key-of-mine

# The agent tells as well.
sed -i "s,no-such-program,hear.sh," "$CONFIG"
before=$(heard)
"$MIRROR" run >run.out 2>run.err &
agent=$!
at_end='kill $server $agent 2>/dev/null'
chmod 000 notes/a.md
for _ in $(seq 100); do
	[ "$(heard)" -gt "$before" ] && break
	sleep 0.1
done
[ "$(heard)" -gt "$before" ] || fail "the agent told nothing"
chmod 600 notes/a.md
kill $agent
wait $agent || fail "the agent ended with $?"
at_end=:
