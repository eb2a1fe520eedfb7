#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `mirror scan` over real source files beside reading them, `rg` for one literal that is not
# there, and every other scanner that is found on PATH: one thread (pinned to one processor)
# and all of them, in one run, from the page cache.  A slow one gets a part of the tree; the
# table has rates.  Then session logs made from the same files (make_jsonl.py: lines of
# megabytes), and one file as large as all of it.
#
#     MIRROR=build/mirror tests/bench/scan.sh          (see lib.sh for BENCH_DIR, BENCH_ROUNDS)
#     BENCH_SOURCES   folders to take files from (those of the four in the script that exist)
#     BENCH_MB (220)  how much of them
#     BENCH_PART (12) megabytes for those that are slow
#     BENCH_COPIES (1) how often all of it stands in the one file
#     BENCH_LIMIT (120) seconds for one run
. "$(dirname "$0")/lib.sh"

megabytes=${BENCH_MB:-220}
part=${BENCH_PART:-12}
limit=${BENCH_LIMIT:-120}
read -r -a sources <<<"${BENCH_SOURCES:-/usr/share/doc /usr/include /usr/lib/python3 /usr/local/go/src}"
literal=zqxjkvbpwmhz

# take FOLDER MB: source files, up to so many megabytes of them, every n-th first.
take() {
	mkdir -p "$1"
	find "${sources[@]}" -type f -size -8M -print 2>/dev/null |
		grep -E '\.(c|h|py|go|js|ts|pm|pl|hpp|cc|md|txt|html|json|rst|sh|yaml|toml)$' | sort |
		awk 'NR % 7 == 3 { print } { rest[NR] = $0 } END { for (i = 1; i <= NR; i++) if (i % 7 != 3) print rest[i] }' |
		xargs -d '\n' stat -c '%s %n' |
		awk -v max="$(($2 * 1000000))" '{ sum += $1; if (sum <= max) { sub(/^[0-9]+ /, ""); print } }' |
		tar -c -P -T - | tar -x -C "$1" --strip-components=1
}

# rate NAME FOLDER: a row of the table.
rate() {
	[ -s "$W/$1" ] || return 0
	size=$(find "$2" -type f -printf '%s\n' | awk '{ s += $1 } END { print s / 1e6 }')
	awk -v n="$1" -v mb="$size" -v w="$(median "$W/$1" 1)" -v c="$(median "$W/$1" 2)" \
		-v m="$(median "$W/$1" 3)" 'BEGIN {
		w = w > 0.005 ? w : 0.005; c = c > 0.005 ? c : 0.005
		printf("| %s | %.0f | %.2f | %.2f | %.1f | %.1f | %.0f |\n", n, mb, w, c, mb / w, mb / c, m) }'
}

# run NAME FOLDER COMMAND...: a hit is no failure, and neither is running out of time.
run() {
	name=$1
	shift 2
	measure "$name" sh -c 'timeout "$0" "$@" >/dev/null 2>&1; [ $? != 124 ] || echo "timed out" >&2' "$limit" "$@"
	grep -q 'timed out' "$W/told" && { echo "$name took more than $limit s" >&2; rm -f "$W/$name"; } || true
}

has() { command -v "$1" >/dev/null 2>&1; }

take "$W/all" "$megabytes"
take "$W/part" "$part"
"$(dirname "$0")/make_jsonl.py" 7 "$megabytes" "$W/all" "$W/logs"
mkdir "$W/one"
for _ in $(seq "${BENCH_COPIES:-1}"); do
	find "$W/all" -type f -exec cat {} + >>"$W/one/text"
done
git -C "$W/part" init -q
HOME=$W
export HOME XDG_CONFIG_HOME=$W/config XDG_STATE_HOME=$W/state XDG_DATA_HOME=$W/data
ROOM=
about
find "$W/all" "$W/part" "$W/logs" "$W/one" -type f -exec cat {} + >/dev/null
for _ in $(seq "$ROUNDS"); do
	run read-floor "$W/all" taskset -c 0 find "$W/all" -type f -exec cat {} +
	run mirror-1 "$W/all" taskset -c 0 "$MIRROR" scan --json "$W/all"
	run mirror-all "$W/all" "$MIRROR" scan --json "$W/all"
	run mirror-logs-1 "$W/logs" taskset -c 0 "$MIRROR" scan --json "$W/logs"
	run mirror-one-1 "$W/one" taskset -c 0 "$MIRROR" scan --json "$W/one"
	if has rg; then
		run rg-1 "$W/all" taskset -c 0 rg -uuu -j1 -c "$literal" "$W/all"
		run rg-all "$W/all" rg -uuu -c "$literal" "$W/all"
		run rg-logs-1 "$W/logs" taskset -c 0 rg -uuu -j1 -c "$literal" "$W/logs"
	fi
	if has ripsecrets; then
		run ripsecrets-all "$W/part" ripsecrets "$W/part"
	fi
done
if has gitleaks; then
	run gitleaks-all "$W/part" gitleaks dir --no-banner -l error --exit-code 0 "$W/part"
fi
if has betterleaks; then
	run betterleaks-all "$W/part" betterleaks dir --no-banner -l error --exit-code 0 "$W/part"
fi
if has trufflehog; then
	run trufflehog-all "$W/part" trufflehog filesystem --no-verification --no-update "$W/part"
fi
if has kingfisher; then
	run kingfisher-all "$W/part" kingfisher scan --no-validate --no-update-check --format json "$W/part"
fi
if has detect-secrets; then
	run detect-secrets-all "$W/part" detect-secrets -C "$W/part" scan --all-files
fi
if has git-secrets; then
	git -C "$W/part" secrets --register-aws >/dev/null 2>&1 || true
	run git-secrets-1 "$W/part" git -C "$W/part" secrets --scan -r .
fi

printf '| what | MB | wall s | CPU s | MB/s wall | MB/s CPU | RSS MB |\n|---|---|---|---|---|---|---|\n'
for name in read-floor mirror-1 mirror-all rg-1 rg-all; do
	rate "$name" "$W/all"
done
rate mirror-logs-1 "$W/logs"
rate rg-logs-1 "$W/logs"
rate mirror-one-1 "$W/one"
for name in ripsecrets-all gitleaks-all betterleaks-all trufflehog-all kingfisher-all detect-secrets-all git-secrets-1; do
	rate "$name" "$W/part"
done

# How long is the way to the first byte?
head -c 1000 "$(find "$W/part" -name '*.h' -size +2k | head -1)" >"$W/small.txt"
for _ in $(seq 21); do
	start=$(date +%s%N)
	"$MIRROR" scan --json "$W/small.txt" >/dev/null || true
	echo $((($(date +%s%N) - start) / 1000)) >>"$W/start"
done
echo "a file of 1 kB: $(percentile "$W/start" 50) microseconds, with the start of the program"
