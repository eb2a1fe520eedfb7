#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# status, health, ledger, why: they see, change nothing, need no agent, and a broken
# configuration does not blind them.
. "$(dirname "$0")/lib.sh"
needs git

# Before anything was done.
expect 3 "$MIRROR" status
says err "there is no configuration"
says out "not running"
expect 2 "$MIRROR" ledger
says err "there is no ledger yet"
says err "  next: mirror --once"
got=0
"$MIRROR" health >out 2>err || got=$?
case $got in 1 | 2 | 3) ;; *) fail "health before anything: exit status $got" ;; esac
[ -e "$STATE" ] && fail "looking made $STATE"

mkdir -p notes/sub notes/node_modules
printf 'hello\n' >notes/a.md
printf 'key = %s\n' "$AWS_KEY" >notes/s.md
printf 'z\n' >notes/skip.iso
printf 'y\n' >notes/node_modules/y
printf '*\n' >notes/sub/.gitignore
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
exclude = ["*.iso"]     # too big
[brain]
remote = "none"
EOC
expect 0 "$MIRROR" --once

# A path may be typed in any way.
for path in notes/a.md "$W/notes/a.md" ./notes/../notes/a.md notes//a.md; do
	expect 0 "$MIRROR" why "$path"
	says out "notes/a.md: mirrored"
done
expect 0 sh -c 'cd notes && "$MIRROR" why a.md'
says out "notes/a.md: mirrored"
head=$(git -C "$BRAIN" rev-parse HEAD)
says out "commit $(printf %.12s "$head")"

expect 0 "$MIRROR" why notes/s.md
says out "notes/s.md: redacted"
says out "1 taken out, the rest is there"
expect 0 "$MIRROR" why notes/skip.iso
says out "rule:$CONFIG:3"
says out 'exclude = ["*.iso"]     # too big'
expect 0 "$MIRROR" why notes/node_modules/y
says out "inside        a folder that is one row as a whole"
says out "regenerable:node_modules"
expect 0 "$MIRROR" why notes/sub/.gitignore
says out "kept          in the sidecar"
expect 65 "$MIRROR" why notes/sub
says err "is a folder"
expect 2 "$MIRROR" why notes/nothing
expect 2 "$MIRROR" why /etc
says err "/etc is in no watched folder"
says err "  next: mirror add /etc"
printf 'new\n' >notes/new
expect 1 "$MIRROR" why notes/new
says out "not seen yet"
expect 1 "$MIRROR" why notes/new --json
says out '"state": null'
# A changed file's safe version is the one in the commit it came with.
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" why notes/a.md --json
says out "\"safe_commit\": \"$head\""

# The ledger: filters, CSV, JSON.
expect 0 "$MIRROR" ledger --state excluded
is "$(wc -l <out)" 2 "excluded rows"
expect 0 "$MIRROR" ledger --reason regenerable
is "$(cat out)" "excluded    notes/node_modules  (regenerable:node_modules)" "by reason"
expect 0 "$MIRROR" ledger notes/sub
is "$(cat out)" "mirrored    notes/sub/.gitignore" "beneath a folder"
expect 0 "$MIRROR" ledger --new
says out notes/skip.iso
is "$(wc -l <out)" 1 "exclusions nobody accepted"
expect 0 "$MIRROR" ledger --csv
is "$(head -1 out)" path,state,reason,size,oid,spans,since "the head of the CSV"
expect 0 "$MIRROR" ledger --json
is "$(grep -c '"schema"' out || true)" 0 "schema fields in ledger lines"
says out '{"path":"notes/a.md","state":"mirrored","reason":"","size":6,"oid":"ce013625030ba8dba906f756967f9e9ca394464a","spans":0,"since":"'
expect 64 "$MIRROR" ledger --json --csv
expect 64 "$MIRROR" ledger --state mirorred
says err "did you mean mirrored?"

expect 0 "$MIRROR" status
says out "not running"
says out "all 6 files accounted for"
expect 0 "$MIRROR" status --json
says out '"schema": "mirror.status/1"'
says out '"running": false'
if command -v jq >/dev/null; then
	is "$(jq -c '.jobs.sync | [.want, .taken, .done, .runs]' out)" '[2,2,2,2]' "the queue"
	is "$(jq -r .head out)" "$(git -C "$BRAIN" rev-parse HEAD)" "the head"
fi

# The probe speaks four tongues, and leaves nothing behind.
expect 1 "$MIRROR" health
cp out plain
expect 1 "$MIRROR" --healthcheck
says out "degraded: "
expect 1 "$MIRROR" health --json
says out '"schema": "mirror.health/1"'
says out '"state": "degraded"'
expect 1 "$MIRROR" --healthcheck --format nagios
says out "WARNING - "
expect 1 "$MIRROR" --format=prometheus --healthcheck
expect 0 "$MIRROR" health --binary
mkfifo "$W/pipe"
expect 73 "$MIRROR" health --output "$W/pipe"
says err "no regular file"
[ -p "$W/pipe" ] || fail "--output took the place of a pipe"
expect 1 "$MIRROR" health --output "$W/report"
is "$(wc -c <out)" 0 "bytes on standard output beside --output"
says report "degraded: "

# A broken configuration: the last good one, said aloud, never 78.
printf 'nonsense\n' >>"$CONFIG"
expect 0 "$MIRROR" status
says err "$CONFIG:6:"
says err "so this is by the last good configuration"
says out "all 6 files accounted for"
got=0
"$MIRROR" health >out 2>err || got=$?
case $got in 1 | 2) ;; *) fail "health on a broken configuration: exit status $got" ;; esac
says out "config"

# log, diff, today.
sed -i '$d' "$CONFIG"
printf 'other\n' >notes/a.md
rm notes/new
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" log
is "$(wc -l <out)" 3 "commits"
expect 0 "$MIRROR" log notes/new
is "$(wc -l <out)" 2 "commits that touched one file"
expect 0 "$MIRROR" log --limit 1 --json
says out "\"commit\": \"$(git -C "$BRAIN" rev-parse HEAD)\""
expect 0 "$MIRROR" diff
is "$(cat out)" "changed   notes/a.md
removed   notes/new" "the last commit's changes"
expect 0 "$MIRROR" diff HEAD~2 HEAD
is "$(cat out)" "changed   notes/a.md" "changes over two commits"
expect 2 "$MIRROR" diff nosuchrevision
expect 0 "$MIRROR" today
says out "today: 3 commits, "

# A path that was a file, a folder, nothing and a file again: git is the witness.
for turn in 1 2 3 4 5 6; do
	rm -rf notes/turn
	case $turn in
	1 | 5) echo $turn >notes/turn ;;
	2) mkdir notes/turn && echo x >notes/turn/x && echo y >notes/turn/y ;;
	3) mkdir -p notes/turn/deep && echo x >notes/turn/x && echo z >notes/turn/deep/z ;;
	6) echo 5 >notes/turn && chmod +x notes/turn ;;
	esac
	expect 0 "$MIRROR" --once
done
for path in turn turn/x turn/deep turn/deep/z a.md nothing; do
	expect 0 "$MIRROR" log --limit 100 notes/$path
	is "$(cut -d' ' -f3 out)" "$(git -C "$BRAIN" log --first-parent --format=%h --abbrev=12 -- notes/$path)" "the log of $path"
done
expect 0 "$MIRROR" log --limit 4 notes/turn
is "$(cut -d' ' -f5-7 out)" "+0 ~1 -0
+1 ~0 -0
+0 ~0 -2
+1 ~0 -1" "what each did to it"
rm notes/turn
expect 0 "$MIRROR" log --limit 0 notes/a.md
is "$(cat out)" "" "none of them"


# A name that holds a secret is shown redacted, and found when it is typed.
printf 'x\n' >"notes/$AWS_KEY"
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" why "notes/$AWS_KEY"
says out "notes/REDACTED.aws-access-key-id."
silent_about out "$AWS_KEY"

# doctor: what is missing has a next step.
got=0
"$MIRROR" doctor >out 2>err || got=$?
case $got in 0 | 1) ;; *) fail "doctor: exit status $got" ;; esac
says out "git version"
says out "$W/notes"
mv notes away
expect 1 "$MIRROR" doctor --json
says out '"next": "bring it back, or: mirror remove '
mv away notes

# --deep believes neither agent nor ledger, and finds nothing wrong here.
got=0
"$MIRROR" health --deep --json >out 2>err || got=$?
case $got in 0 | 1) ;; *) fail "health --deep: exit status $got" ;; esac
says out '"unaccounted": 0'

# What was changed or removed since is not said to be safe.
printf 'more\n' >>notes/a.md
expect 1 "$MIRROR" why notes/a.md
says out "notes/a.md: mirrored"
says out "changed       since then, and no cycle has met that yet"
says out "next          mirror --once"
rm notes/a.md
expect 1 "$MIRROR" why notes/a.md --json
says out '"changed": true'

# More than a page is told by folder, and that it is.
mkdir -p notes/many/sub notes/other
for i in $(seq 210); do echo $i >notes/many/$i; done
for i in $(seq 7); do echo $i >notes/other/$i && echo $i >notes/many/sub/$i; done
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" today
says out "    217 added       0 changed       0 removed  notes/many/"
says out "      7 added       0 changed       0 removed  notes/other/"
says err "paths, counted by folder; each of them: the same with --all"
[ "$(wc -l <out)" -lt 10 ] || fail "today is $(wc -l <out) lines"
expect 0 "$MIRROR" today --all
is "$(grep -c '^added     notes/many/' out)" 217 "each of them"
"$MIRROR" today --json >out
is "$(grep -c '"path": "notes/many/' out)" 217 "each of them, for a script"
