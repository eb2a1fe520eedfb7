#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Everything: tests/check.sh, and what takes hours or is only worth it now and then.
#
#     tests/check-long.sh
#
#     MIRROR_BUILD           as for tests/check.sh
#     MIRROR_FUZZ_SECONDS    for each fuzz target (60)
#
# Ends with one line, "N passed, N failed", like check.sh.
set -uo pipefail

export LC_ALL=C.UTF-8
src=$(cd "$(dirname "$0")/.." && pwd -P)
base=${MIRROR_BUILD:-$src/build}
jobs=${MIRROR_JOBS:-$(nproc)}
passed=0
failed=0
cd "$src" || exit 2

# step NAME COMMAND...: one line when it went well, all it said when not.
step() {
	local name=$1 log=$base/long-${1//[ \/]/-}.log start=$SECONDS
	shift
	if "$@" >"$log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		printf '   %s: %d s\n' "$name" $((SECONDS - start))
	else
		failed=$((failed + 1))
		tail -60 "$log"
		printf '!! %s failed after %d s; all of it: %s\n' "$name" $((SECONDS - start)) "$log"
	fi
}

echo "== check.sh, clang-tidy on every file"
said=$(MIRROR_TIDY_SECONDS=36000 tests/check.sh)
printf '%s\n' "$said"
read -r ok _ bad _ <<<"$(tail -1 <<<"$said" | tr -d ,)"
passed=$((passed + ok))
failed=$((failed + bad))

echo "== valgrind on the unit tests"
# Forking tests leave what their children held; children are other programs.
for program in "$base"/ci-gcc/tests/*/test_*; do
	[ -x "$program" ] && [ -f "$program" ] || continue
	# What races against a clock proves nothing at a twentieth of the speed.
	case $program in *_stress | *_wait | *_race) continue ;; esac
	step "valgrind ${program##*/}" valgrind --quiet --error-exitcode=99 --leak-check=full \
		--errors-for-leak-kinds=definite --child-silent-after-fork=yes "$program"
done

echo "== gcc -fanalyzer"
# It cannot know that an error's code is negative, and walks on behind a call that failed:
# these would be told everywhere.  Leaks, double frees and lost descriptors are looked for.
blind='-Wno-analyzer-too-complex -Wno-analyzer-null-dereference -Wno-analyzer-null-argument
-Wno-analyzer-use-of-uninitialized-value'
flags=$(sed -n 's/.*"command": "[^ ]* \(.*\) -o .*mirror\/base\/err\.c.*/\1/p' \
	"$base/ci-gcc/compile_commands.json" | head -1 | sed 's/-Werror//; s/\\"/"/g')
for file in $(find mirror scanner jobqueue -name '*.c' | sort); do
	# shellcheck disable=SC2086
	step "analyzer $file" sh -c 'said=$(gcc "$@" 2>&1); echo "$said"; ! echo "$said" | grep -q Wanalyzer' sh \
		$flags -fanalyzer $blind -c "$file" -o /dev/null
done

if command -v cppcheck >/dev/null; then
	echo "== cppcheck"
	step cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 \
		--enable=warning,portability -I. -Imirror mirror scanner jobqueue
fi

echo "== the slow tests of the release build"
if ctest --test-dir "$base/ci-gcc" -N -L 'slow|long|crash|fuzz' | grep -q 'Test *#'; then
	step "slow tests" env MIRROR_LONG=1 "MIRROR_FUZZ_SECONDS=${MIRROR_FUZZ_SECONDS:-60}" \
		ctest --test-dir "$base/ci-gcc" --output-on-failure -j "$jobs" \
		-L 'slow|long|crash|fuzz'
fi

# Each of these takes the program and runs for as long as it is told.
for script in tests/crash/*.sh tests/churn/*.sh tests/fuzz/*.sh tests/e2e/calm.sh \
	tests/e2e/broken_agent.sh tests/e2e/fuse.sh; do
	[ -x "$script" ] || continue
	step "$script" env MIRROR_LONG=1 "MIRROR_FUZZ_SECONDS=${MIRROR_FUZZ_SECONDS:-60}" \
		"MIRROR=$base/ci-gcc/mirror" "$script"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
