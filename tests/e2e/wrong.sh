#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is wrong is told exactly: each row is one wrong configuration or command line, and
# the whole of what must be said of it, with the exit status.
#
#     CONFIGURATION <tab> what is said of it, from line and column on
#     STATUS ~ COMMAND LINE ~ what is said ~ what is next
#
# @C is the configuration, @W the story's folder, "+ " a right configuration in front; a
# message that ends in an ellipsis goes on.
. "$(dirname "$0")/lib.sh"

mkdir notes other
printf 'x\n' >notes/a.md
good='[[watch]]
path = "/x/notes"
[brain]
remote = "none"
'

# said FILE: one message and its next step, in the terms of a row.
said() {
	sed -e "s#$CONFIG#@C#g" -e "s#$W#@W#g" "$1"
}

# matches GOT WANTED
matches() {
	case $2 in
	*…) case $1 in "${2%…}"*) return 0 ;; esac ;;
	esac
	[ "$1" = "$2" ]
}

# tell WHAT MESSAGE NEXT
tell() {
	is "$(wc -c <out)" 0 "bytes on standard output for: $1"
	is "$(wc -l <err)" 2 "lines on standard error for: $1"
	matches "$(said err | sed -n 1p)" "mirror: $2" || fail "$1
    says  $(said err | sed -n 1p)
    not   mirror: $2"
	matches "$(said err | sed -n 2p)" "  next: $3" || fail "$1
    next is  $(said err | sed -n 2p)
    not        next: $3"
}

rows=0
while IFS=$'\t' read -r text message; do
	case $text in
	'+ '*) printf '%s%b\n' "$good" "${text#+ }" >"$CONFIG" ;;
	*) printf '%b\n' "$text" >"$CONFIG" ;;
	esac
	expect 78 "$MIRROR" config check
	tell "$text" "@C:$message" "correct the line, then: mirror config check"
	rows=$((rows + 1))
done <<'END'
hello	1:6: Error while parsing key-value pair: expected '=', saw '\n'
a = 	1:5: Error while parsing key-value pair: expected value, saw '\n'
a = "	1:7: Error while parsing string: encountered end-of-file
[[watch]	1:9: Error while parsing table header: expected ']', saw '\n'
[watch]	1:1: write [[watch]], with two brackets: there can be several
watch = 1	1:9: write [[watch]], with two brackets: there can be several
watch = [1]	1:10: [[watch]] must be a table
[[watch]]	1:1: [[watch]] needs a path
[[wach]]\npath = "/x"	1:3: unknown section [wach]; did you mean [[watch]]?
[[watch]]\npath = ""	2:8: path: "" is not an absolute path (begin it with / or ~/)
[[watch]]\npath = "notes"	2:8: path: "notes" is not an absolute path (begin it with / or ~/)
[[watch]]\npath = 7	2:8: path: expected a string, found an integer
[[watch]]\npaht = "/x"	2:1: unknown key "paht" in [watch]; did you mean "path"?
[[watch]]\npath = "/"	1:1: [[watch]] /: it needs a name = "...": its folder in the brain repository
[[watch]]\npath = "/x/.git"	1:1: [[watch]] /x/.git: the name ".git" is kept for the brain repository itself; set name = "..."
[[watch]]\npath = "/x"\nname = "a/b"	1:1: [[watch]] /x: the name "a/b" must not contain a slash
[[watch]]\npath = "/x"\nname = ".."	1:1: [[watch]] /x: the name ".." must be a name
[[watch]]\npath = "/x"\nexclude = "*.log"	3:11: exclude: expected an array, found a string
[[watch]]\npath = "/x"\nexclude = [1]	3:12: exclude: expected a string, found an integer
[[watch]]\npath = "/x"\noptional = "yes"	3:12: optional: expected a boolean, found a string
[[watch]]\npath = "/x"\nwindow = "30"	3:10: window: "30" is not a duration (an integer and ms, s, m, h or d)
[[watch]]\npath = "/x"\nrolling = "*.jsonl"	3:11: rolling: expected an array, found a string
[[watch]]\npath = "/x"\npath = "/y"	3:8: Error while parsing key-value pair: cannot redefine existing string 'path'
+ [[watch]]\npath = "/y/notes"	5:1: two watched folders are named "notes" (the other on line 1); set name = "..." on one
+ settle = "2 parsecs"	5:10: settle: "2 parsecs" is not a duration (an integer and ms, s, m, h or d)
+ settle = 2	5:10: settle: expected a string, found an integer
+ settle = "1ms"	5:10: settle: must be from 10ms to 36525d
+ sweep = "0s"	5:9: sweep: must be from 1s to 36525d
+ setle = "2s"	5:1: unknown key "setle" in [brain]; did you mean "settle"?
+ branch = "main"	5:10: branch: "main" is not a branch name of the form host/NAME
+ branch = "host/a b"	5:10: branch: "host/a b" is not a branch name of the form host/NAME
+ branch = "host/.."	5:10: branch: "host/.." is not a branch name of the form host/NAME
+ repo = "brain"	5:8: repo: "brain" is not an absolute path (begin it with / or ~/)
+ repo = "/x"	1:1: /x/notes is inside the brain repository /x: it cannot keep itself
+ worktree = 1	5:12: worktree: expected a boolean, found an integer
[brain]\nremote = ""	2:10: remote: "" is no address; write "none" for nowhere
[brain]\nremote = "-x"	2:10: remote: "-x" is no address: it begins with a dash
[brian]\nremote = "none"	1:2: unknown section [brian]; did you mean [brain]?
[brain]\nremote = ["a"]	2:10: remote: expected a string, found an array
+ [secrets]\naction = "drop"	6:10: action: "drop" is not "redact", "seal" or "hold"
+ [secrets]\naction = "redct"	6:10: action: "redct" is not "redact", "seal" or "hold"; did you mean "redact"?
+ [secrets]\nrules = ["rules.toml"]	6:1: rules: "rules.toml" is not an absolute path (begin it with / or ~/)
+ [secret]\naction = "redact"	5:2: unknown section [secret]; did you mean [secrets]?
+ [files]\nmax_size = "50 bananas"	6:12: max_size: "50 bananas" is not a size (bytes, or a number and KiB, MiB, GiB)
+ [files]\nmax_size = -1	6:12: max_size: must be from 1 to 2147483647 bytes
+ [files]\nmax_size = "3GiB"	6:12: max_size: must be from 1 to 2147483647 bytes
+ [files]\nregenerable = "node_modules"	6:15: regenerable: expected an array, found a string
+ [sqlite]\nat = "25:00"	6:6: at: "25:00" is not a time of day ("HH:MM")
+ [sqlite]\nkeep = 3	6:8: keep: expected a table, { KEY = VALUE, ... }
+ [sqlite]\nkeep = { hourly = 0 }	6:19: hourly: must be from 1 to 100000
+ [sqlite]\nkeep = { hourli = 3 }	6:10: unknown key "hourli" in [sqlite.keep]; did you mean "hourly"?
+ [sqlite]\noffsite = "s3:x"	6:11: offsite: "s3:x" is neither "none" nor "rclone:REMOTE:PATH"
+ [sqlite]\nrecipient = "me"	6:13: recipient: "me" is no age recipient (age1...); `mirror key show` prints yours
+ [health]\npush_lag = ["15m"]	6:12: push_lag: expected two durations: [degraded, failed]
+ [health]\npush_lag = ["24h", "15m"]	6:12: push_lag: the first (degraded) must not be longer than the second (failed)
+ [api]\nhttp = "0.0.0.0:80"	6:8: http: "0.0.0.0:80" is no loopback address with a port, such as "127.0.0.1:7117"
+ [api]\nhttp = "127.0.0.1"	6:8: http: "127.0.0.1" is no loopback address with a port, such as "127.0.0.1:7117"
+ [[database]]\nname = "x"	5:1: [[database]] needs a path
+ [[database]]\npath = "x.db"	6:8: path: "x.db" is not an absolute path (begin it with / or ~/)
+ [[database]]\npath = "/x.db"\nowner = "tcp:1"	7:9: owner: "tcp:1" is no socket: "unix:/path.sock"
+ [notify]\nexce = []	6:1: unknown key "exce" in [notify]; did you mean "exec"?
+ [notify]\nping = "me"	6:8: ping: "me" is no http URL
"a\\nb" = 1	1:1: unknown section [a\x0ab]
a\\b = 1	1:2: Error while parsing key-value pair: expected '=', saw '\'
END

while IFS='~' read -r status line message next; do
	# init meets no configuration, unless that is what it must meet.
	rm -f "$CONFIG"
	case $line in
	'init notes' | [!i]*) printf '[[watch]]\npath = "%s/notes"\n[brain]\nremote = "none"\n' "$W" >"$CONFIG" ;;
	esac
	eval "set -- $line"
	expect "$status" "$MIRROR" "$@"
	tell "mirror $line" "$message" "$next"
	rows=$((rows + 1))
done <<'END'
64~~no command given~mirror help
64~confg check~unknown command "confg"; did you mean "config"?~mirror help config
64~config~config needs one more word: check…~mirror help config
64~config chekc~unknown command "config chekc"; did you mean "config check"?~mirror help config check
64~remote~remote needs one more word: set…~mirror help remote
64~remote set~remote set needs URL|none~mirror help remote set
64~remote st x~unknown command "remote st"; did you mean "remote set"?~mirror help remote set
64~init~init needs a PATH, --detect, or --from URL --host NAME~mirror init --detect --dry-run
2~init nowhere~nowhere: No such file or directory~mirror init --detect --dry-run shows what there is
65~init notes/a.md~notes/a.md is no folder~mirror init the folder it is in
64~init --form x~unknown option --form; did you mean --from?~mirror help init
64~init --from x~which machine? --host NAME~git ls-remote --heads URL shows host/NAME of each
64~init notes --to x~--to and --key go with --from~mirror help init
64~init notes --host 'a b'~--host: "a b" is no name for a branch~mirror help init
73~init notes~there is a configuration already: @C~mirror add @W/notes
64~add~add needs PATH~mirror help add
2~add nowhere~@W/nowhere: No such file or directory~mirror init --detect --dry-run shows what there is
65~add notes/a.md~@W/notes/a.md is no folder~mirror add the folder it is in
64~add notes other~add: "other" is one word too many~mirror help add
2~remove nothing~@W/nothing is not a watched folder~mirror config show
64~scan --formt=json~unknown option --formt; did you mean --format?~mirror help scan
64~scan --format=jsn~--format: "jsn" is not one of text|json|sarif|gitleaks; did you mean json?~mirror help scan
64~scan --format~option --format needs a value: FORMAT~mirror help scan
64~config check --json=yes~option --json takes no value~mirror help config check
64~config check one~config check: "one" is one word too many~mirror help config check
64~config check -n~unknown option -n~mirror help config check
64~--nope~unknown option --nope~mirror help
64~-x~unknown option -x~mirror help
64~once~unknown command "once"; did you mean "--once"?~mirror --once
64~--once --no-psh~unknown option --no-psh; did you mean --no-push?~mirror help run
64~run --full~--full goes with --once~mirror help run
64~run --no-push~--no-push goes with --once~mirror help run
64~pause~pause needs DURATION~mirror help pause
64~pause soon~"soon" is not a duration such as 30m or 2h, 30d at most~mirror help pause
64~pause 0s~"0s" is not a duration such as 30m or 2h, 30d at most~mirror help pause
64~accept --for soon~--for needs a duration such as 7d, not "soon"~mirror help accept
2~accept nothing~nothing was ever measured here~mirror --once
64~milestone~milestone needs NAME~mirror help milestone
64~milestone 'a b'~"a b" is not a name git takes: letters, digits and . _ - /~mirror help milestone
64~why~why needs PATH~mirror help why
2~why /nowhere~/nowhere is in no watched folder~mirror add /nowhere
64~ledger --state lost~--state: "lost" is not one of mirrored|redacted|sealed|snapshotted|excluded|pending|failed~mirror help ledger
64~ledger --stat x~unknown option --stat; did you mean --state?~mirror help ledger
64~log --limit x~--limit needs a number, not "x"~mirror help log
64~diff a b c~diff: "c" is one word too many~mirror help diff
64~secrets~secrets needs one more word: list…~mirror help secrets
64~secrets alow x~unknown command "secrets alow"; did you mean "secrets allow"?~mirror help secrets allow
64~secrets allow~secrets allow needs FINGERPRINT~mirror help secrets allow
64~secrets allow xyz~a fingerprint has 32 hex digits~mirror scan FILE shows them
64~secrets purge~which one? a FINGERPRINT, or --value FILE~mirror secrets history
64~key~key needs one more word: new…~mirror help key
64~key test~key test needs --key FILE~mirror help key test
64~restore~restore needs a PATH; everything goes with --to~mirror help restore
64~restore --to x --in-place notes~either --to or --in-place~mirror help restore
64~db~db needs one more word: list…~mirror help db
2~db snapshot x~there is no database x~mirror db list
64~completion tcsh~completion knows bash, zsh and fish~mirror completion bash
64~completion~completion needs bash|zsh|fish~mirror help completion
64~help nothing~there is no command "nothing"~mirror help
64~health --format=xml~--format: "xml" is not one of text|json|nagios|prometheus~mirror help health
64~health --format~option --format needs a value: FORMAT~mirror help health
64~machines x~machines: "x" is one word too many~mirror help machines
64~service~service needs one more word: install…~mirror help service
78~service install -c nowhere.toml~there is no configuration at nowhere.toml~mirror init PATH...
64~doctor x~doctor: "x" is one word too many~mirror help doctor
64~status --jsn~unknown option --jsn; did you mean --json?~mirror help status
64~version x~version: "x" is one word too many~mirror help version
78~-c nowhere.toml config check~there is no configuration at nowhere.toml~mirror init PATH...
78~-c notes config check~read the configuration: read notes: read: Is a directory~-c FILE names another one
64~uninstall now~uninstall: "now" is one word too many~mirror help uninstall
END
[ "$rows" -ge 120 ] || fail "only $rows rows were tried"
