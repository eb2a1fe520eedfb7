# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/e2e/lib.sh - a fixed world for a story: sourced, never run.
#
#     . "$(dirname "$0")/lib.sh"
#     expect 0 "$MIRROR" --once
#     is "$(git -C "$BRAIN" rev-parse --abbrev-ref HEAD)" host/testbox "the branch"
#
# Every story has its own home, and is told to the program in $MIRROR.  When it fails its
# folder stays; else it is removed.

set -eu

export LC_ALL=C TZ=UTC0 TERM=dumb
export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t.invalid
export GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t.invalid
unset MIRROR_CONFIG STATE_DIRECTORY RUNTIME_DIRECTORY NO_COLOR VISUAL EDITOR GIT_DIR \
	GIT_WORK_TREE GIT_INDEX_FILE GITLEAKS_CONFIG NOTIFY_SOCKET JOURNAL_STREAM 2>/dev/null || true

: "${MIRROR:?the program under test}"

# Nothing is unreadable to root: the story is told to somebody else.  Who cannot come to
# the checkout (below /root) gets a copy of what stories need.  A story that needs root
# sets as_root first.
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
as_nobody() {
	$nobody sh -c '"$1" --version && test -r "$2"' sh "$1" "$2" >/dev/null 2>&1
}
if [ "$(id -u)" -eq 0 ] && [ -z "${as_root:-}" ]; then
	unset TMPDIR
	if as_nobody "$MIRROR" "$0"; then
		exec $nobody bash "$0" "$@"
	fi
	copy=$(mktemp -d /tmp/mirror-e2e-copy.XXXXXX)
	chmod 755 "$copy"
	top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
	cp -r "$top/tests" "$top/docs" "$top/fixtures" "$MIRROR" "$copy"
	for name in CLOCKSHIFT_SO NTHCALL; do
		[ -z "${!name:-}" ] || { cp "${!name}" "$copy" && export "$name=$copy/${!name##*/}"; }
	done
	chmod -R go+rX "$copy"
	story=$(cd "$(dirname "$0")" && pwd -P)/$(basename "$0")
	story=$copy/${story#"$top/"}
	if as_nobody "$copy/mirror" "$story"; then
		status=0
		MIRROR=$copy/mirror $nobody bash "$story" "$@" || status=$?
		rm -rf "$copy"
		exit "$status"
	fi
	rm -rf "$copy"
fi
story=$(basename "$0" .sh)
W=$(mktemp -d "${TMPDIR:-/tmp}/mirror-e2e-$story.XXXXXX")
export HOME=$W/home
export XDG_CONFIG_HOME=$HOME/.config XDG_STATE_HOME=$HOME/.local/state
export XDG_DATA_HOME=$HOME/.local/share XDG_RUNTIME_DIR=$W/run
CONFIG=$XDG_CONFIG_HOME/mirror/mirror.toml
BRAIN=$XDG_DATA_HOME/mirror/brain
STATE=$XDG_STATE_HOME/mirror
mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$(dirname "$CONFIG")"
chmod 700 "$XDG_RUNTIME_DIR"
cd "$W"
failures=0

# finish [STATUS]
# What a story started and must stop, whatever became of it: its exit status stays.
at_end=:
finish() {
	status=$?
	eval "$at_end" || true
	if { [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; } || [ "$failures" -ne 0 ]; then
		echo "$story: failed ($failures); its folder: $W" >&2
		exit 1
	fi
	cd /
	chmod -R u+rwX "$W" 2>/dev/null || true
	rm -rf "$W"
	exit "$status"
}
trap finish EXIT

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	tries=$(($1 * 20))
	shift
	while [ "$tries" -gt 0 ]; do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
		tries=$((tries - 1))
	done
	fail "never: $*"
}

# notes_and_remote [LINE...]: ./notes is watched and pushed to a bare repository beside it;
# further lines go below [brain].
notes_and_remote() {
	mkdir -p notes
	git init -q --bare remote.git
	cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
remote = "$W/remote.git"
branch = "host/box"
EOC
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$CONFIG"
}

# until_ WHAT COMMAND...: a minute, and as long as $agent lives.
until_() {
	what=$1
	shift
	for _ in $(seq 600); do
		"$@" >/dev/null 2>&1 && return 0
		kill -0 "$agent" 2>/dev/null || break
		sleep 0.1
	done
	fail "$what: waited in vain"
	tail -20 agent.log >&2
}

# slow_git, slow_remote: ./bin/git waits before it repacks, checks or fetches, and the remote
# before it takes a push, when that is held.
#
#     hold fsck; until_ "a verify" test -e fsck.begun; ...; let_go fsck
real_git=$(command -v git || true)
slow_git() {
	mkdir -p bin
	cat >bin/git <<EOC
#!/bin/sh
wait_at() {
	[ -e "$W/\$1.hold" ] || return 0
	touch "$W/\$1.begun"
	while [ ! -e "$W/\$1.go" ]; do sleep 0.05; done
}
case " \$* " in
*" repack "*) wait_at repack ;;
*" fsck "*) wait_at fsck ;;
*" fetch "*) wait_at fetch ;;
esac
exec "$real_git" "\$@"
EOC
	chmod +x bin/git
}
slow_remote() {
	cat >remote.git/hooks/pre-receive <<EOC
#!/bin/sh
[ -e "$W/push.hold" ] || exit 0
touch "$W/push.begun"
while [ ! -e "$W/push.go" ]; do sleep 0.05; done
EOC
	chmod +x remote.git/hooks/pre-receive
}
hold() {
	rm -f "$1.go" "$1.begun"
	touch "$1.hold"
}
# Who waits goes on, and whoever comes now does not wait.
let_go() {
	rm -f "$1.hold"
	touch "$1.go"
}

# let_be_due KIND: that job (see jobqueue/job.h) is due when the agent looks; start_agent is
# the story's.
let_be_due() {
	kill $agent
	wait $agent || true
	sqlite3 "$STATE/queue.sqlite" "UPDATE job SET at_ms = 1 WHERE kind = $1"
	start_agent
}

# flip FILE OFFSET: the byte there becomes another one, whatever it was.
flip() {
	dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | tr '\000-\377' '\001-\377\000' |
		dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

fail() {
	echo "$story: $*" >&2
	failures=$((failures + 1))
}

# expect STATUS COMMAND...: its output is in $W/out and $W/err.
expect() {
	wanted=$1
	shift
	got=0
	"$@" >"$W/out" 2>"$W/err" </dev/null || got=$?
	if [ "$got" -ne "$wanted" ]; then
		fail "exit status $got, not $wanted: $*"
		sed 's/^/    out: /' "$W/out" >&2
		sed 's/^/    err: /' "$W/err" >&2
	fi
}

# is GOT WANTED WHAT
is() {
	[ "$1" = "$2" ] || fail "${3:-it} is '$1', not '$2'"
}

# says FILE TEXT: the file (in $W unless absolute) has a line with that text.
says() {
	case $1 in
	/*) said=$1 ;;
	*) said=$W/$1 ;;
	esac
	grep -qF -- "$2" "$said" || {
		fail "$1 does not say: $2"
		sed 's/^/    /' "$said" >&2
	}
}

silent_about() {
	case $1 in
	/*) said=$1 ;;
	*) said=$W/$1 ;;
	esac
	if grep -qF -- "$2" "$said"; then
		fail "$1 says: $2"
	fi
}

# A story that needs a program which is not here is skipped, and says so.
needs() {
	command -v "$1" >/dev/null 2>&1 || {
		echo "$story: skipped, no $1"
		exit 77
	}
}

# Samples stand here cut in two, so that no scanner trips over this file.
AWS_KEY="AKIA""Z7QK3VJX5NPMWR2T"
AWS_KEY_2="AKIA""XQ3LB6TDW5JNRK4V"
