#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every verb of the table takes --json, and standard output is then exactly one JSON
# object (`ledger`: one a line), whether it went well, failed, or was typed wrongly.
#
#     STATUS ~ COMMAND LINE ~ what jq must find true of the object
#
# $FP is a secret's fingerprint, $W the story's folder.
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/json.md
. "$(dirname "$0")/lib.sh"
for tool in git jq sqlite3 age; do
	needs "$tool"
done

mkdir notes bin more
printf 'key = %s\n' "$AWS_KEY" >notes/keys.txt
printf 'one\n' >notes/a.md
sqlite3 notes/app.db 'CREATE TABLE t(x); INSERT INTO t VALUES (1);'
git init -q --bare brain.git
# What asks systemd is answered here.
printf '#!/bin/sh\nexit 0\n' >bin/systemctl
cp bin/systemctl bin/loginctl
printf '#!/bin/sh\necho "# edited" >>"$1"\n' >bin/editor
chmod +x bin/*
PATH=$W/bin:$PATH

# one WHAT [FILTER]: out is one object with a schema, it says the exit status it had if
# any, and FILTER is true of it.
one() {
	cat out >>all
	jq -es --argjson got "$got" "length == 1 and (.[0] |
		(.schema | test(\"^mirror[.][a-z-]+/1\$\")) and
		(.exit == null or .exit == \$got) and (${2-true}))" out >/dev/null 2>&1 || {
		fail "not one object with its schema, its exit status and ${2-}: $1"
		sed 's/^/    out: /' out >&2
	}
}

# A failure: its code, sentence and what to do.
told='.schema == "mirror.error/1" and (.code | test("^[a-z_]+$")) and
	(.sentence | length > 0) and (.next | length > 0)'

"$MIRROR" help --json | jq -r '.commands[].name' >verbs
[ "$(wc -l <verbs)" -gt 40 ] || fail "only $(wc -l <verbs) verbs"

# What must be told of a line that is wrong, and of a world that is not there.
while read -r name; do
	# shellcheck disable=SC2086
	expect 64 "$MIRROR" $name --json --nope
	one "$name --nope" "$told and .code == \"usage\" and .command == \"$name\""
done <verbs

: >seen
# rows: each line of standard input as above.
rows() {
	while IFS='~' read -r status line found; do
		[ -n "$found" ] || continue
		eval "set -- $line"
		expect $((status)) "$MIRROR" "$@" --json
		case $1 in
		ledger) [ "$(jq -s "length > 2 and all($found)" out)" = true ] || fail "ledger --json" ;;
		*) one "$line" "$found" ;;
		esac
		for word in "$1 ${2-}" "$1"; do
			if grep -qx -- "$word" verbs; then
				echo "$word" >>seen
				break
			fi
		done
	done
}

rows <<'END'
78 ~ config check ~ .code == "not_found" or .code == "config"
78 ~ add $W/more ~ .next | length > 0
78 ~ log ~ .code == "not_found" or .code == "config"
END
rows <<'END'
0 ~ init $W/notes -n ~ .schema == "mirror.init/1" and .dry_run and .folders[0].secrets == 1 and .cycle == null
0 ~ init $W/notes --remote $W/brain.git --yes ~ .cycle.schema == "mirror.once/1" and .cycle.commit and .folders[0].name == "notes" and .configuration
73 ~ init $W/notes ~ .code == "exists"
END
FP=$("$MIRROR" scan --json notes/keys.txt 2>/dev/null | jq -r '.findings[0].fingerprint')
rows <<'END'
0 ~ run -n ~ .dry_run and .folders[0].files == 3
0 ~ run --once ~ .schema == "mirror.once/1"
0 ~ add $W/more -n ~ .dry_run and (.path | endswith("/more"))
0 ~ add $W/more ~ .schema == "mirror.add/1" and .dry_run == false and .sentence
73 ~ add $W/more ~ .code == "exists"
0 ~ remove more ~ .name == "more" and (.path | endswith("/more"))
2 ~ remove more ~ .code == "not_found"
0 ~ remote set none -n ~ .remote == "none"
0 ~ remote set $W/brain.git ~ .remote and .file
0 ~ remote test ~ .reachable and .commit
0 ~ service install -n ~ .text | contains("ExecStart")
0 ~ service install ~ .unit and .linger
0 ~ service remove ~ .removed
0 ~ service remove ~ .removed == false
0 ~ uninstall -n ~ .kept | length == 4
0 ~ pause 5m -n ~ .dry_run and .until
0 ~ pause 5m ~ .until and .sentence
64 ~ pause never ~ .code == "usage"
0 ~ resume ~ .was_paused
0 ~ resume ~ .was_paused == false
0 ~ cancel ~ .asked == []
0 ~ accept ~ .schema == "mirror.accept/1"
0 ~ milestone m1 -n ~ .dry_run
0 ~ milestone m1 ~ .commit and .pushed
73 ~ milestone m1 ~ .code == "exists"
0 ~ status ~ .schema == "mirror.status/1"
0 ~ why $W/notes/a.md ~ .state == "mirrored"
0 ~ ledger ~ .state
0 ~ machines ~ .schema == "mirror.machines/1"
0 ~ today ~ .schema == "mirror.today/1"
0 ~ log ~ .commits | length > 0
0 ~ diff ~ .schema == "mirror.diff/1"
0 ~ secrets list ~ .files[0].state == "redacted"
0 ~ secrets allow $FP -n ~ .dry_run and .changed == false
0 ~ secrets allow $FP --reason test ~ .changed
0 ~ run --once ~ .changed == 1
0 ~ secrets deny $FP ~ .changed and .fingerprint
2 ~ secrets deny $FP ~ .code == "not_found"
0 ~ run --once ~ .changed == 1
1 ~ secrets history ~ .found[0].fingerprint
0 ~ secrets purge $FP ~ .purged == false and .confirm and .found[0].rule
0 ~ secrets purge $FP --confirm "$(jq -r .confirm out)" ~ .purged and .commits > 0 and .cycle.schema == "mirror.once/1"
0 ~ secrets purge $FP ~ .purged == false
2 ~ key show ~ .code == "not_found"
0 ~ key new --out $W/k -n ~ .dry_run and .file
0 ~ key new --out $W/k ~ .recipient and .dry_run != true
0 ~ key show ~ .recipient
0 ~ key test --key $W/k ~ .opens
64 ~ key test ~ .code == "usage"
0 ~ restore $W/notes/a.md --to $W/back ~ .schema == "mirror.restore/1"
0 ~ restore $W/notes/a.md --in-place -n ~ .schema == "mirror.restore/1"
0 ~ restore --undo -n ~ .schema == "mirror.restore/1"
0 ~ drill ~ .outcome == "passed"
0 ~ verify ~ .bad == 0
0 ~ db list ~ .databases[0].name
0 ~ db snapshot notes/app.db -n ~ .dry_run
0 ~ db snapshot notes/app.db ~ .sha256
0 ~ db restore notes/app.db --to $W/app2.db -n ~ .dry_run
0 ~ db restore notes/app.db --to $W/app2.db ~ .path
0 ~ db restore notes/app.db --list ~ .restores == []
65 ~ db restore notes/app.db $W/notes/a.md ~ .code == "invalid"
0 ~ db restore notes/app.db --stage ~ .result == "staged" and .id and .next
0 ~ db restore notes/app.db --list ~ .restores[0].state == "staged"
0 ~ db restore notes/app.db --apply "${ID:=$(jq -r .restores[0].id out)}" -n ~ .dry_run
0 ~ db restore notes/app.db --apply $ID --yes ~ .result == "restored in place" and .id
0 ~ db restore notes/app.db --undo $ID -n ~ .dry_run
0 ~ db restore notes/app.db --undo $ID ~ .result == "taken back" and .id
0 ~ db restore notes/app.db --in-place --yes ~ .result == "restored in place" and .path
0 ~ db restore notes/app.db --stage ~ .result == "staged"
0 ~ db restore notes/app.db --cancel "$(jq -r .id out)" ~ .result == "cancelled"
0 ~ db verify ~ .bad == 0
1 ~ scan $W/notes/keys.txt ~ .findings | length == 1
2 ~ scan $W/nothere ~ .unread == 1
0 ~ config check ~ .right
0 ~ config show ~ .watches | length == 1
0 ~ doctor ~ .findings
0 ~ completion bash ~ .script | contains("complete -o default")
64 ~ completion tcsh ~ .code == "usage"
0 ~ help ~ .commands
0 ~ help pause ~ .commands
0 ~ version ~ .schema == "mirror.version/1"
0 ~ __man ~ .text | contains(".SH EXIT STATUS")
END
EDITOR=$W/bin/editor rows <<'END'
0 ~ config edit -n ~ .saved == false and .dry_run
0 ~ config edit ~ .saved and .file
END
got=0
"$MIRROR" health --json >out 2>err || got=$?
one health
echo health >>seen

# What goes on until it is ended: its object stands there meanwhile, or at the end.
until_ended() {
	what=$1
	wanted=$2
	shift 2
	"$MIRROR" "$@" --json >out 2>err &
	pid=$!
	for _ in $(seq 200); do
		eval "$wanted" && break
		sleep 0.05
	done
	kill "$pid"
	got=0
	wait "$pid" || got=$?
	one "$what" ".schema == \"mirror.$what/1\""
	echo "$what" >>seen
}
until_ended web '[ -s out ] && jq -e .url out >/dev/null 2>&1' web --no-open
until_ended run '"$MIRROR" status --json | jq -e .agent.running >/dev/null' run

sort -u seen | comm -13 - <(sort verbs) >missing
is "$(tr '\n' ' ' <missing)" "" "verbs without a row here"

# A configuration that is wrong: every verb still says one object, whatever it thinks of it.
echo 'wrong' >>"$CONFIG"
while read -r name; do
	case $name in
	run) name='run --once' ;;
	ledger | web) continue ;;
	esac
	words=
	case $name in
	add | remove | why | 'remote set') words=$W/notes ;;
	pause) words=5m ;;
	milestone) words=m2 ;;
	'secrets allow' | 'secrets deny' | 'secrets purge') words=$FP ;;
	restore) words="$W/notes --to $W/back2" ;;
	'key test') words="--key $W/k" ;;
	'db snapshot' | 'db restore') words=notes/app.db ;;
	completion) words=zsh ;;
	init) words=$W/more ;;
	scan) words=$W/notes/a.md ;;
	esac
	got=0
	# shellcheck disable=SC2086
	EDITOR=true "$MIRROR" $name $words --json >out 2>err </dev/null || got=$?
	good=true
	[ "$got" -lt 64 ] || good=$told
	one "$name, with a wrong configuration" "$good"
done <verbs
silent_about out "$AWS_KEY"

# What the page of documentation says: each schema has a line, and on it each key.
jq -rs 'group_by(.schema)[] | .[0].schema as $name | map(keys[]) | unique[] | select(. != "schema") | "\($name) \(.)"' all |
	while read -r schema key; do
		grep -F "| \`$schema\` |" "$page" | grep -qF "\`$key\`" || echo "$schema $key"
	done >undocumented
is "$(tr '\n' ';' <undocumented)" "" "keys that docs/json.md does not have"
