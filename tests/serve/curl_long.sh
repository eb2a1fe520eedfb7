# SPDX-License-Identifier: GPL-2.0-or-later
#
# The long part of curl.sh, read by it: much data and many clients.

# A snapshot's folder as the vault writes it, around one gigabyte that cannot be compressed.
sqlite3 "$work/big.db" "PRAGMA page_size=65536; CREATE TABLE notes(id INTEGER PRIMARY KEY, data);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 1000)
	INSERT INTO notes SELECT i, randomblob(1048576) FROM n"
cat >>"$work/mirror.toml" <<TOML
[[database]]
path = "$work/big.db"
name = "big"
TOML
exec 9>&-
wait "$keeper" || fail "it did not end well"
: >"$work/port"
"$program" "$work/mirror.toml" "$work/vault" <"$work/stdin" >"$work/port" 2>"$work/errors" &
keeper=$!
exec 9>"$work/stdin"
for _ in $(seq 1200); do
	[ -s "$work/port" ] && break
	sleep 0.1
done
time get /v1/databases/big/snapshots -X POST >"$work/taken" || fail "no snapshot"
id=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["id"])' "$work/taken")
before=$(rss)
time get "/v1/databases/big/snapshots/$id" -o "$work/down" || fail "no download"
time get /v1/databases/big/restore -X PUT -T "$work/down" -H 'Content-Type: application/octet-stream' \
	>"$work/staged" || fail "no upload"
grep -q '"state":"staged"' "$work/staged" || fail "not staged: $(cat "$work/staged")"
after=$(rss)
echo "$(stat -c %s "$work/down") bytes down and up; memory $before kB, then $after kB"
[ $((after - before)) -lt 65536 ] || fail "streaming is not constant"

# A thousand clients that say one word and wait.
python3 - "$socket" "$(cat "$work/port")" <<'PY'
import socket, sys, time
path, port = sys.argv[1], int(sys.argv[2])
slow = []
for i in range(1000):
    s = socket.socket()
    s.settimeout(5)
    try:
        s.connect(("127.0.0.1", port))
        s.send(b"GET /v1/sta")
    except OSError:
        pass
    slow.append(s)
worst = 0
for i in range(20):
    begin = time.monotonic()
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(path)
    s.send(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert s.recv(15) == b"HTTP/1.1 200 OK"
    worst = max(worst, time.monotonic() - begin)
print(f"beside 1000 slow clients the slowest answer took {worst:.3f} s")
assert worst < 1
PY
