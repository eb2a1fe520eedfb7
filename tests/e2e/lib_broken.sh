# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/e2e/lib_broken.sh - break it, and the probe must say so: sourced, never run.
#
#     . "$(dirname "$0")/lib_broken.sh"
#     world
#     chmod 000 notes/a
#     told 10 unprotected_change degraded
#     chmod 600 notes/a
#     well 10
#
# What is broken is told within its bound: by the right fact, in the right state, with the
# exit status that belongs to it, with evidence and with a command that exists.  Mended, it
# is healthy again.

. "$(dirname "$0")/lib.sh"
needs git
needs jq

agent=
now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# probe: the report is in $W/health.json, the exit status in $probed.
probe() {
	probed=0
	"$MIRROR" health --json "$@" >"$W/health.json" 2>"$W/health.err" </dev/null || probed=$?
}

of_fact() {
	jq -r --arg name "$1" --arg key "$2" \
		'[.facts[] | select(.name == $name)][0][$key] // ""' "$W/health.json"
}

# Is the exit status the state's own number, and is the whole no better than its facts?
is_honest() {
	jq -e --argjson exit "$probed" '
		{"healthy": 0, "degraded": 1, "failed": 2, "unknown": 3} as $number
		| .exit == $exit and $number[.state] == $exit
		and ([.facts[] | {"healthy": 0, "degraded": 1, "failed": 3, "unknown": 2}[.state]] | max)
			== {"healthy": 0, "degraded": 1, "failed": 3, "unknown": 2}[.state]
		and (.sentence | length > 0)
		and all(.facts[]; .state == "healthy" or
			((.evidence | length > 0) and (.action | length > 0)))' \
		"$W/health.json" >/dev/null
}

# An action is the next command, perhaps after a word and a colon: a verb of ours, or a
# program that is here, or one of systemd or sudo, which need not be here.
is_command() {
	command=${1##*: }
	program=${command%% *}
	verb=${command#mirror }
	case $program in
	mirror) [ "$verb" = "--once" ] || "$MIRROR" help "${verb%% *}" >/dev/null 2>&1 ;;
	systemctl | timedatectl | loginctl | sudo) true ;;
	*) command -v "$program" >/dev/null 2>&1 ;;
	esac
}

# told SECONDS FACT STATE[|STATE] [OPTIONS-OF-HEALTH]: so it is told within that time.
told() {
	bound=$1 name=$2 wanted=$3
	shift 3
	began=$(now_ms)
	while :; do
		probe "$@"
		case "|$wanted|" in *"|$(of_fact "$name" state)|"*) break ;; esac
		if [ $(($(now_ms) - began)) -gt $((bound * 1000)) ]; then
			fail "$name is not $wanted after $bound s: $(of_fact "$name" state)," \
				"$(of_fact "$name" evidence)"
			return
		fi
		sleep 0.05
	done
	took=$(($(now_ms) - began))
	is_honest || fail "the report about $name contradicts itself (exit $probed): $(cat "$W/health.json")"
	[ "$probed" -ne 0 ] || fail "$name is $wanted and the probe exits with 0"
	is_command "$(of_fact "$name" action)" ||
		fail "what to do about $name is no command: $(of_fact "$name" action)"
	printf '%6d ms  %-10s %-18s %s; next: %s\n' "$took" "$(of_fact "$name" state)" "$name" \
		"$(of_fact "$name" evidence)" "$(of_fact "$name" action)"
}

# well SECONDS [OPTIONS]: healthy within that time.
well() {
	bound=$1
	shift
	began=$(now_ms)
	while :; do
		probe "$@"
		[ "$probed" -eq 0 ] && break
		if [ $(($(now_ms) - began)) -gt $((bound * 1000)) ]; then
			fail "not healthy after $bound s: $(jq -c '.facts[] | select(.state != "healthy")
				| [.name, .state, .evidence]' "$W/health.json")"
			return
		fi
		sleep 0.05
	done
	is_honest || fail "a good report contradicts itself: $(cat "$W/health.json")"
	is "$(jq '.accounting.unaccounted' "$W/health.json")" 0 "files unaccounted for"
}

holds() {
	[ "$(git -C "$BRAIN" show "HEAD:$1" 2>/dev/null)" = "$2" ]
}

configure() {
	cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
remote = "${1:-none}"
branch = "host/testbox"
settle = "50ms"
max_wait = "1s"
${2:-}
EOC
}

start_agent() {
	"$MIRROR" run >>"$W/agent.out" 2>>"$W/agent.err" &
	agent=$!
	wait_for 60 "$MIRROR" status
	tries=1200
	until probe && [ "$(of_fact alive state)" = healthy ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || {
			fail "the agent does not come to life: $(tail -3 "$W/agent.err")"
			return
		}
		sleep 0.05
	done
}

stop_agent() {
	[ -n "$agent" ] || return 0
	kill -CONT "$agent" 2>/dev/null || true
	kill -TERM "$agent" 2>/dev/null || true
	wait "$agent" 2>/dev/null || true
	agent=
}
at_end=stop_agent

# A small world that is healthy, by hand or (world agent) kept by an agent.
world() {
	mkdir -p notes/sub
	for i in 1 2 3 4 5 6 7 8 9 10; do
		printf 'note %s\n' "$i" >"notes/sub/$i.md"
	done
	printf 'hello\n' >notes/a
	[ -e "$CONFIG" ] || configure
	expect 0 "$MIRROR" --once
	[ "${1:-}" != agent ] || start_agent
	expect 0 "$MIRROR" drill
	expect 0 "$MIRROR" accept --no-input
	well 30
}
