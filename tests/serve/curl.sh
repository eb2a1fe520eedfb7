#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The API as other people's programs see it: curl, sqlite3, zstd, promtool where it is.
#
#     tests/serve/curl.sh SERVE_PROGRAM
#     MIRROR_LONG=1 ...        and 1 GB up and down, 1000 slow clients, 100,000 rows
set -euo pipefail
program=$1
for tool in curl sqlite3 python3; do
	if ! command -v "$tool" >/dev/null; then
		echo "curl.sh: no $tool here, skipped"
		exit 77
	fi
done

work=$(mktemp -d)
keeper=
cleanup() {
	if [ -n "$keeper" ]; then
		kill "$keeper" 2>/dev/null || true
		wait "$keeper" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT
fail() {
	echo "curl.sh: $*" >&2
	exit 1
}

export HOME=$work/home XDG_STATE_HOME=$work/state XDG_DATA_HOME=$work/data XDG_RUNTIME_DIR=$work/run
mkdir -p "$HOME" "$work/notes" "$work/vault"
rows=${MIRROR_LONG:+100000}
python3 - "$work/notes" "${rows:-10000}" <<'PY'
import os, sys
root, count = sys.argv[1], int(sys.argv[2])
for i in range(count):
    folder = f"{root}/{i // 500:04d}"
    if i % 500 == 0:
        os.mkdir(folder)
    with open(f"{folder}/{i:06d}.md", "w") as out:
        out.write(f"note {i}\n")
PY
cat >"$work/mirror.toml" <<TOML
[[watch]]
path = "$work/notes"
[brain]
remote = "none"
repo = "$work/brain"
[api]
http = "127.0.0.1:0"
TOML

mkfifo "$work/stdin"
"$program" "$work/mirror.toml" "$work/vault" <"$work/stdin" >"$work/port" 2>"$work/errors" &
keeper=$!
exec 9>"$work/stdin"
for _ in $(seq 600); do
	[ -s "$work/port" ] && break
	kill -0 "$keeper" 2>/dev/null || fail "it ended: $(cat "$work/errors")"
	sleep 0.1
done
port=$(cat "$work/port")
socket=$work/run/mirror/api.sock
token=$(awk '$1 == "read" { print $2 }' "$work/state/mirror/api.token")

get() {
	curl -sS --max-time 300 --unix-socket "$socket" "http://localhost$1" "${@:2}"
}
status() {
	curl -s -o /dev/null -w '%{http_code}' --max-time 60 "$@"
}

# Both doors, and who may come in.
[ "$(get /livez)" = ok ] || fail "no answer on the socket"
[ "$(status "http://127.0.0.1:$port/v1/status")" = 401 ] || fail "a stranger came in"
[ "$(status -H "Authorization: Bearer $token" "http://127.0.0.1:$port/v1/status")" = 200 ] ||
	fail "the token was refused"
[ "$(status -X POST -H "Authorization: Bearer $token" "http://127.0.0.1:$port/v1/cycles")" = 403 ] ||
	fail "a reader may not ask for cycles"

# The ledger has a line for each file, and a slow reader holds nothing.
[ "$(get /v1/ledger | wc -l)" = "${rows:-10000}" ] || fail "the ledger is not whole"
get "/v1/ledger" | python3 -c 'import json, sys
last = ""
for line in sys.stdin:
    row = json.loads(line)
    assert row["path"] > last, row
    last = row["path"]'
get /v1/openapi.json | python3 -c 'import json, sys; json.load(sys.stdin)'

# One page of files stays under 50 ms with 10,000 rows, wherever in the list.
best=$(for _ in 1 2 3 4 5; do
	curl -s -o /dev/null -w '%{time_total}\n' --unix-socket "$socket" \
		"http://localhost/v1/ledger?limit=200&after=notes/0009"
done | sort -n | head -1)
echo "200 rows from the middle of ${rows:-10000}: $best s"
python3 -c "import sys; sys.exit(not float('$best') < 0.05)" || fail "a page of rows took $best s"
best=$(for _ in 1 2 3 4 5; do
	curl -s -o /dev/null -w '%{time_total}\n' --unix-socket "$socket" "http://localhost/"
done | sort -n | head -1)
echo "the status page: $best s"

# Metrics, by Prometheus' own judge where it is installed.
get /metrics >"$work/metrics"
grep -q '^mirror_health_state [0-3]$' "$work/metrics" || fail "no verdict in the metrics"
get /v1/health | python3 -c 'import json, sys
for fact in json.load(sys.stdin)["facts"]:
    print(fact["name"])' >"$work/facts"
[ "$(wc -l <"$work/facts")" -ge 16 ] || fail "only $(wc -l <"$work/facts") facts"
while read -r fact; do
	grep -qF "mirror_fact_state{fact=\"$fact\"}" "$work/metrics" || fail "no metric for $fact"
	grep -qF "mirror_fact_evidence_timestamp_seconds{fact=\"$fact\"}" "$work/metrics" ||
		grep -qE "^mirror_fact_state\\{fact=\"$fact\"\\} 3" "$work/metrics" || fail "no date for $fact"
done <"$work/facts"
for fact in alive completeness exclusions unprotected_change shrink push integrity drill secrets space; do
	grep -q "^mirror_fact_state{fact=\"$fact\"} [0-3]$" "$work/metrics" || fail "no metric for $fact"
done
if command -v promtool >/dev/null; then
	promtool check metrics <"$work/metrics" || fail "promtool does not like the metrics"
	promtool check rules "$(dirname "$0")/../../docs/monitoring/alerts.yml" || fail "nor the rules"
	promtool test rules "$(dirname "$0")/alerts_test.yml" || fail "a rule does not fire when it must"
	# Every rule has its test.
	sed -n 's/.*- alert: //p' "$(dirname "$0")/../../docs/monitoring/alerts.yml" | while read -r rule; do
		[ "$(grep -c "alertname: $rule" "$(dirname "$0")/alerts_test.yml")" -ge 2 ] || exit 1
	done || fail "a rule has no test"
fi
python3 -c 'import json, sys; json.load(open(sys.argv[1]))' \
	"$(dirname "$0")/../../docs/monitoring/dashboard.json" || fail "the dashboard is no JSON"

# What rules and dashboard ask for is there.
for name in $(grep -ohE 'mirror_[a-z_]+' "$(dirname "$0")/../../docs/monitoring/alerts.yml" \
	"$(dirname "$0")/../../docs/monitoring/dashboard.json" "$(dirname "$0")/../../docs/monitoring/README.md" | sort -u); do
	grep -q "^$name[{ ]" "$work/metrics" || fail "there is no metric $name"
done

rss() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$keeper/status"
}
before=$(rss)
for _ in $(seq 300); do
	get /v1/status >/dev/null
done
after=$(rss)
echo "memory before and after 300 polls: $before kB, $after kB"
# The address sanitizer keeps what was freed, to catch who uses it still.
[ -n "${ASAN_OPTIONS-}" ] || [ $((after - before)) -lt 4096 ] || fail "polling grows"

if [ -n "${MIRROR_LONG:-}" ]; then
	. "$(dirname "$0")/curl_long.sh"
fi
exec 9>&-
wait "$keeper" || fail "it did not end well: $(cat "$work/errors")"
keeper=
[ ! -e "$socket" ] || fail "the socket was left behind"
