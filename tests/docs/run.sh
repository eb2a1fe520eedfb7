#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/docs/run.sh FILE.md - is what a page says true?
#
# Every fenced block of shell is told to the real program, in order, in a home of its own:
#
#     ```sh               run with bash -eu; must end with status 0
#     ```sh status=1      ... with status 1
#     ```sh agent         one command, in the background until the page ends
#     ```sh skip          not run (needs systemd, a network, another program); its syntax
#                         is checked, and that every `mirror` command in it exists
#     ```toml             appended to the configuration must leave it right, unless `skip`
#     ```text             behind a block that ran: each line was printed by it, in order;
#                         an ellipsis stands for anything
#
# <!-- machine: NAME --> in the page: what follows happens on another machine.
# <!-- needs: PROGRAM... -->: without it the page is skipped.
#
# The world: ~/notes with a file that holds a secret, a remote that answers as
# git@git.example.org:me/brain.git, machines called desk, laptop and so on.
set -eu

: "${MIRROR:?the program under test}"
page=$(realpath "$1")
name=$(basename "$page" .md)

# Hosts have names, and pages speak of them: a name space of our own for them.
if [ "${IN_WORLD:-}" = "" ]; then
	export IN_WORLD=1
	if [ "$(id -u)" -eq 0 ]; then
		unshare --uts true 2>/dev/null || {
			echo "$name: skipped, no name space for a host's name"
			exit 77
		}
		exec unshare --uts bash "$0" "$page"
	fi
	unshare -r --uts true 2>/dev/null || {
		echo "$name: skipped, no name space for a host's name"
		exit 77
	}
	exec unshare -r --uts bash "$0" "$page"
fi
for needed in git $(sed -n 's/^<!-- needs: \(.*\) -->$/\1/p' "$page"); do
	command -v "$needed" >/dev/null || {
		echo "$name: skipped, no $needed"
		exit 77
	}
done

export LC_ALL=C.UTF-8 TZ=UTC0 TERM=dumb GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
unset MIRROR_CONFIG STATE_DIRECTORY RUNTIME_DIRECTORY NO_COLOR VISUAL EDITOR GIT_DIR \
	GIT_WORK_TREE GIT_INDEX_FILE NOTIFY_SOCKET JOURNAL_STREAM XDG_CONFIG_HOME \
	XDG_STATE_HOME XDG_DATA_HOME 2>/dev/null || true
W=$(mktemp -d "${TMPDIR:-/tmp}/mirror-docs-$name.XXXXXX")
mkdir "$W/bin" "$W/blocks"
ln -s "$MIRROR" "$W/bin/mirror"
export PATH="$W/bin:$PATH"
agents=()
failures=0

finish() {
	local status=$? pid
	for pid in "${agents[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	if [ "$status" != 0 ] || [ "$failures" != 0 ]; then
		echo "$name: failed ($failures); its folder: $W" >&2
		exit 1
	fi
	cd /
	rm -rf "$W"
}
trap finish EXIT

fail() {
	echo "$page: $*" >&2
	failures=$((failures + 1))
}

# on_machine NAME: a home of its own, as found when somebody first hears of mirror.
on_machine() {
	hostname "$1"
	export HOME=$W/$1 XDG_RUNTIME_DIR=$W/$1.run
	if [ ! -d "$HOME" ]; then
		mkdir -p "$HOME/notes/drafts" "$XDG_RUNTIME_DIR"
		chmod 700 "$XDG_RUNTIME_DIR"
		git config --global user.name kim
		git config --global user.email kim@example.org
		git config --global "url.$W/remote/brain.git.insteadOf" git@git.example.org:me/brain.git
		printf '# Ideas\n\nAsk Kim about the boat.\n' >"$HOME/notes/ideas.md"
		printf '*\n' >"$HOME/notes/drafts/.gitignore"
		printf 'It was a dark night.\n' >"$HOME/notes/drafts/novel.md"
		printf 'the wifi password: see the wiki\n' >"$HOME/notes/wifi.txt"
		# Cut in two, so that no scanner trips over this file.
		printf '[default]\naws_access_key_id = %s\n' "AKIA""Z7QK3VJX5NPMWR2T" \
			>"$HOME/notes/credentials"
	fi
	cd "$HOME"
}

# Blocks become files: 003.sh, 003.info (line number, kind, what stands behind it).
split_page() {
	awk -v dir="$W/blocks" '
	function put(kind) { printf "%d %s\n", NR, kind >(file ".info"); close(file ".info") }
	/^<!-- machine: [a-z]+ -->$/ && !inside {
		file = sprintf("%s/%03d", dir, ++count); put("machine " $3); next
	}
	/^```/ && !inside {
		inside = 1
		file = sprintf("%s/%03d", dir, ++count)
		put(substr($0, 4))
		printf "" >(file ".text")
		next
	}
	/^```/ && inside { inside = 0; close(file ".text"); next }
	inside { print >(file ".text") }
	' "$page"
}

# Every `mirror VERB` named in a text must be one that help tells of.
check_verbs() {
	local text=$1 line=$2 words
	grep -oE '(^|[^./[:alnum:]_-])mirror +[a-z]+( +[a-z]+)?' "$text" |
		sed 's/^[^m]*mirror *//' | sort -u | while read -r words; do
		"$MIRROR" help $words >/dev/null 2>&1 ||
			"$MIRROR" help "${words%% *}" >/dev/null 2>&1 ||
			echo "$page:$line: there is no command mirror $words"
	done >"$W/unknown"
	if [ -s "$W/unknown" ]; then
		cat "$W/unknown" >&2
		failures=$((failures + 1))
	fi
}

start_agent() {
	local text=$1 line=$2 tries=0
	bash -c "exec $(cat "$text")" >"$W/agent.log" 2>&1 &
	agents+=($!)
	until "$MIRROR" status --json 2>/dev/null | grep -q '"running": true'; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ]; then
			fail "$line: the agent does not run: $(cat "$W/agent.log")"
			return
		fi
		sleep 0.1
	done
}

run_block() {
	local text=$1 line=$2 wanted=$3 got=0
	bash -eu "$text" >"$W/out" 2>&1 </dev/null || got=$?
	if [ "$got" != "$wanted" ]; then
		fail "$line: status $got, not $wanted"
		sed 's/^/    /' "$text" "$W/out" >&2
	fi
}

# Each line of the page is a line of the output, in that order.
compare() {
	local text=$1 line=$2
	awk -v page="$page:$line" '
	function pattern(s) {
		gsub(/[][\\.^$*+?(){}|]/, "\\\\&", s)
		gsub(/…/, ".*", s)
		sub(/[ \t]+$/, "", s)
		return "^" s "[ \t]*$"
	}
	NR == FNR { out[++n] = $0; next }
	/^[ \t]*(…)?[ \t]*$/ { next }
	{
		want = pattern($0)
		for (i = at + 1; i <= n; i++) if (out[i] ~ want) break
		if (i > n) { print page ": was not printed: " $0; bad = 1; exit }
		at = i
	}
	END { exit bad }
	' "$W/out" "$text" >&2 || {
		failures=$((failures + 1))
		sed 's/^/    /' "$W/out" >&2
	}
}

git init -q --bare "$W/remote/brain.git"
on_machine desk
split_page
check_verbs <(sed -n '/^```/,/^```/d; p' "$page" | grep -oE '`mirror [^`]*`' | tr -d '`') 0
ran=0
for info in "$W"/blocks/*.info; do
	[ -e "$info" ] || continue
	read -r line kind how <"$info"
	text=${info%.info}.text
	case "$kind ${how:-}" in
	"machine "*) on_machine "$how" ;;
	"sh skip"*)
		bash -n "$text" || fail "$line: no shell"
		check_verbs "$text" "$line"
		ran=0
		;;
	"sh agent") start_agent "$text" "$line" ;;
	"sh status="*) run_block "$text" "$line" "${how#status=}" && ran=1 ;;
	"sh ") run_block "$text" "$line" 0 && ran=1 ;;
	"text ") [ "$ran" = 0 ] || compare "$text" "$line" ;;
	"toml ")
		{
			printf '[[watch]]\npath = "%s/notes"\n' "$HOME"
			grep -q '^\[brain\]' "$text" || printf '[brain]\nremote = "none"\n'
			cat "$text"
		} >"$W/try.toml"
		"$MIRROR" config check -c "$W/try.toml" >"$W/out" 2>&1 ||
			fail "$line: $(cat "$W/out")"
		;;
	"toml skip" | "ini "* | "yaml "* | "python "* | "json "*) ;;
	*) fail "$line: what is a block of $kind ${how:-}?" ;;
	esac
done
