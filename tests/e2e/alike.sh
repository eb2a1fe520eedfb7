#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The API answers the same JSON objects as the command line, under the same names.
. "$(dirname "$0")/lib.sh"
for tool in git jq curl sqlite3; do
	needs "$tool"
done

mkdir notes
printf 'key = %s\n' "$AWS_KEY" >notes/keys.txt
printf 'one\n' >notes/a.md
printf 'two\n' >"notes/$(printf 'b\377')"
sqlite3 notes/app.db 'CREATE TABLE t(x); INSERT INTO t VALUES (1);'
git init -q --bare brain.git
cat >"$CONFIG" <<TOML
[[watch]]
path = "$W/notes"
exclude = ["*.tmp"]
[brain]
remote = "$W/brain.git"
settle = "50ms"
TOML
touch notes/x.tmp
expect 0 "$MIRROR" --once
printf 'more\n' >>notes/a.md
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" db snapshot notes/app.db
expect 0 "$MIRROR" drill --json
cp out drill.json

agent=
at_end='[ -z "$agent" ] || kill "$agent" 2>/dev/null; wait 2>/dev/null'
socket=$XDG_RUNTIME_DIR/mirror/api.sock
"$MIRROR" run >agent.out 2>agent.err &
agent=$!
for _ in $(seq 600); do
	[ "$(curl -s --unix-socket "$socket" http://localhost/v1/status | jq -r '.jobs.sync.done >= 3')" = true ] && break
	sleep 0.05
done

# alike COMMAND TARGET FILTER [FILTER]: what jq makes of both sides, by the second filter of
# the API's, is the same, and something.
alike() {
	read -ra words <<<"$1"
	"$MIRROR" "${words[@]}" --json 2>err | jq -S "$3" >cli.json || true
	curl -s --unix-socket "$socket" "http://localhost$2" | jq -S "${4-$3}" >api.json
	[ -s cli.json ] || fail "nothing from: ${words[*]}"
	cmp -s cli.json api.json || {
		fail "not alike: ${words[*]} and $2"
		diff cli.json api.json | head -20 >&2
	}
}

alike "ledger" /v1/ledger .
alike "ledger --state redacted" "/v1/ledger?state=redacted" .
alike "log" /v1/changes '.commits' '.commits | map(del(.paths, .more))'
alike "diff" "/v1/changes?limit=1" '.changes | sort_by(.path)' '.commits[0].paths | sort_by(.path)'
alike "why notes/a.md" /v1/files/notes/a.md 'del(.schema)' 'del(.schema, .row, .versions)'
alike "why notes/keys.txt" /v1/files/notes/keys.txt 'del(.schema)' 'del(.schema, .row, .versions)'
alike "why notes/x.tmp" /v1/files/notes/x.tmp 'del(.schema)' 'del(.schema, .row, .versions)'
alike "ledger notes/a.md" /v1/files/notes/a.md . .row
alike "secrets list" /v1/secrets 'del(.next)'
alike "db list" /v1/databases .
alike "machines" /v1/machines 'del(.dry_run)'
alike "health" /v1/health '{schema, state, exit, accounting: (.accounting | del(.at)), facts: [.facts[] | {name, state, action}]}'
alike "status" /v1/status 'del(.agent.beat_age_ms)'
jq -S 'del(.why, .differences, .exit)' drill.json >cli.json
curl -s --unix-socket "$socket" http://localhost/v1/drills | jq -S '.last | del(.state, .evidence, .at)' >api.json
cmp -s cli.json api.json || fail "drill: $(diff cli.json api.json)"

# What changes something answers alike too; what only one of the two sides knows is left out.
post() {
	curl -s --unix-socket "$socket" -X POST -H 'Content-Type: application/json' -d "$2" "http://localhost$1"
}
expect 0 "$MIRROR" pause 5m --reason tea --json
jq -S 'del(.dry_run, .exit, .sentence) | .until |= length' out >cli.json
post /v1/pause '{"for":"5m","reason":"tea"}' | jq -S '.until |= length' >api.json
cmp -s cli.json api.json || fail "pause: $(diff cli.json api.json)"
expect 0 "$MIRROR" resume --json
expect 0 "$MIRROR" db verify notes/app.db --json
jq -S . out >cli.json
post /v1/databases/notes%2Fapp.db/verify '{}' | jq -S . >api.json
cmp -s cli.json api.json || fail "db verify: $(diff cli.json api.json)"
sqlite3 notes/app.db '.backup copy.db'
expect 0 "$MIRROR" db restore notes/app.db copy.db --stage --json
jq -S 'del(.id, .next)' out >cli.json
curl -s --unix-socket "$socket" -T copy.db http://localhost/v1/databases/notes%2Fapp.db/restore |
	jq -S 'del(.id, .next, .state, .at, .target, .sha256, .bytes, .reason)' >api.json
cmp -s cli.json api.json || fail "db restore --stage: $(diff cli.json api.json)"
alike "db restore notes/app.db --list" /v1/databases/notes%2Fapp.db/restore .
expect 0 "$MIRROR" resume --json
jq -S '.paused' out >cli.json
post /v1/resume '{}' | jq -S '.paused' >api.json
cmp -s cli.json api.json || fail "resume: $(diff cli.json api.json)"
expect 0 "$MIRROR" accept --json
jq -S 'del(.dry_run) | keys' out >cli.json
post /v1/accept '{}' | jq -S keys >api.json
cmp -s cli.json api.json || fail "accept: $(diff cli.json api.json)"
