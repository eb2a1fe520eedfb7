#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Break the agent, and the probe says so: killed, stopped, its state deleted, its
# configuration wrong, writing without a pause, a hundred callers, a pause.
. "$(dirname "$0")/lib_broken.sh"

world agent

# ---- killed
kill -9 $agent
wait $agent 2>/dev/null || true
told 5 alive failed
start_agent
well 30

# ---- stopped, not dead
kill -STOP $agent
told 5 alive failed
is "$(of_fact alive action)" "kill -CONT $agent" "what to do about a stopped agent"
kill -CONT $agent
well 30

# ---- the state is deleted behind the agent's back: it is made anew, and never a lie in
# between
rm -f "$STATE"/*.sqlite*
probe
[ "$probed" -ne 0 ] || fail "the state is gone and the probe exits with 0"
is_honest || fail "the report without a state contradicts itself"
wait_for 60 test -s "$STATE/ledger.sqlite"
wait_for 60 "$MIRROR" --once
# What a person had said and proved is gone with it, so it is said and proved again.
told 30 drill 'degraded|unknown'
expect 0 "$MIRROR" drill
"$MIRROR" accept --no-input >"$W/out" 2>&1 || fail "accept: $(cat "$W/out")"
well 60

# ---- a typo in the configuration: the last good one stays in force, and it is told
cp "$CONFIG" good.toml
printf 'remot = "x"\n' >>"$CONFIG"
told 10 config degraded
printf 'beside the typo\n' >notes/typo
wait_for 30 holds notes/typo "beside the typo"
cp good.toml "$CONFIG"
well 30

# ---- a writer that never pauses: committed every max_wait all the same
writing=${MIRROR_WRITING:-6}
[ -z "${MIRROR_LONG:-}" ] || writing=600
commits=$(git -C "$BRAIN" rev-list --count HEAD)
(
	end=$((SECONDS + writing))
	while [ $SECONDS -lt $end ]; do
		echo "$SECONDS $RANDOM" >>notes/busy
		sleep 0.02
	done
) &
writer=$!
worst=0
while kill -0 $writer 2>/dev/null; do
	probe
	[ "$probed" -le "$worst" ] || worst=$probed
	is_honest || fail "beside a writer the report contradicts itself: $(cat "$W/health.json")"
	sleep 0.5
done
wait $writer
is "$worst" 0 "the worst exit status beside a writer that never pauses"
made=$(($(git -C "$BRAIN" rev-list --count HEAD) - commits))
[ "$made" -ge $((writing / 4)) ] || fail "$made commits in $writing s of writing"
well 30

# ---- a hundred callers during a cycle: at most one trailing run for them all
runs=$("$MIRROR" status --json | jq .jobs.sync.runs)
printf 'for all\n' >notes/all
callers=
for i in $(seq 100); do
	"$MIRROR" --once >"$W/once.$i" 2>&1 </dev/null &
	callers="$callers $!"
done
bad=0
for pid in $callers; do
	wait "$pid" || bad=$((bad + 1))
done
is "$bad" 0 "callers of a hundred that failed"
holds notes/all "for all" || fail "a caller returned before its change was committed"
ran=$(($("$MIRROR" status --json | jq .jobs.sync.runs) - runs))
[ "$ran" -lt 100 ] || fail "a hundred callers made $ran runs"
well 30

# ---- a pause is seen, and ends by itself
expect 0 "$MIRROR" pause 2s
told 2 paused degraded
printf 'while paused\n' >notes/paused
well 60
wait_for 30 holds notes/paused "while paused"

# ---- stopped in good order: told, weaker
stop_agent
told 5 alive degraded
start_agent
well 30
