#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What runs before anything is merged: the same here as anywhere, under half an hour on
# two cores.
#
#     tests/check.sh [STAGE...]     all stages, or those named
#
# Stages: floors headers format gcc asan tsan tidy.  Environment:
#
#     MIRROR_BUILD           where the build folders ci-* go (build/)
#     MIRROR_JOBS            processes at once (what the machine has)
#     MIRROR_TIDY_SECONDS    how long clang-tidy may take (420); what it found clean is
#                            remembered, so that the next run goes on where this one stopped
#
# Ends with one line, "N passed, N failed": each test of each build, and each stage that
# is no build.
set -uo pipefail

export LC_ALL=C.UTF-8
src=$(cd "$(dirname "$0")/.." && pwd -P)
base=${MIRROR_BUILD:-$src/build}
jobs=${MIRROR_JOBS:-$(nproc)}
# The rooms with threads or with processes that race, by the names of their tests.
threaded='^(base/(log|hash|spawn|db)|jobqueue/|scanner/(scanner|engine)|brain/(pack|push|repo)|watch/|agent/|serve/)'
passed=0
failed=0
broken=()

mkdir -p "$base" || exit 2
base=$(cd "$base" && pwd -P)
cd "$src" || exit 2

say() {
	printf '%s\n' "$*"
}

verdict() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		broken+=("$2")
	fi
}

# Configure and build everything in ci-NAME: build NAME CMAKE-ARGUMENT...
build() {
	local name=$1 dir=$base/ci-$1 log=$base/ci-$1.log
	shift
	if ! { cmake -S . -B "$dir" -G Ninja "$@" >"$log" 2>&1 ||
		cmake --fresh -S . -B "$dir" -G Ninja "$@" >"$log" 2>&1; } ||
		! cmake --build "$dir" -j "$jobs" --target all unit_tests >>"$log" 2>&1; then
		grep -E -A4 'error:|undefined reference|CMake Error' "$log" | head -60
		say "the build $name failed; all of it: $log"
		return 1
	fi
}

# Run the tests of ci-NAME and count them: run_tests NAME CTEST-ARGUMENT...
run_tests() {
	local name=$1 dir=$base/ci-$1 report=$base/ci-$1.xml total bad skipped
	shift
	rm -f "$report"
	# What fails once is told, and asked once more: stories with real clocks, children and
	# servers stumble on a machine that does other things as well.
	ctest --test-dir "$dir" --output-on-failure -j "$jobs" --repeat until-pass:2 --output-junit "$report" "$@" \
		>"$base/ci-$name-tests.log" 2>&1
	total=$(sed -n 's/^[[:space:]]*tests="\([0-9]*\)".*/\1/p' "$report" | head -1)
	bad=$(sed -n 's/^[[:space:]]*failures="\([0-9]*\)".*/\1/p' "$report" | head -1)
	skipped=$(grep -c '<skipped' "$report")
	if [ -z "$total" ] || [ "$total" = 0 ]; then
		say "no test ran; see $base/ci-$name-tests.log"
		return 1
	fi
	passed=$((passed + total - bad - skipped))
	failed=$((failed + bad))
	if [ "$bad" != 0 ]; then
		broken+=("$name")
		# The names at the end, and before them what the failing ones said.
		grep -vE '^ +Start |   Passed |\[ +(RUN|OK) ' "$base/ci-$name-tests.log" | tail -120
	fi
	say "  $((total - bad - skipped)) passed, $bad failed, $skipped skipped"
}

# A build and its tests; one that does not build is one failure.
build_and_test() {
	local name=$1 pattern=$2
	shift 2
	# The model is of no build: once is enough.
	if ! build "$name" "$@" ||
		! run_tests "$name" -LE 'slow|long' -R "$pattern" \
			-E "$([ "$name" = gcc ] && echo '^$' || echo '^model$')"; then
		verdict 1 "$name"
	fi
}

stage_floors() {
	tests/floors.sh && tests/floors_test.sh
	verdict $? floors
}

stage_headers() {
	tests/headers_alone.sh
	verdict $? headers
}

our_files() {
	find mirror scanner jobqueue tests -name '*.[ch]' -o -name '*.cpp' | sort
}

stage_format() {
	local wrong
	wrong=$(our_files | xargs clang-format --dry-run -Werror 2>&1 |
		sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: error:.*/\1/p' | uniq -c | sort -rn)
	[ -z "$wrong" ] || printf 'places for clang-format -i:\n%s\n' "$wrong"
	[ -z "$wrong" ]
	verdict $? format
}

stage_gcc() {
	build_and_test gcc . -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ \
		-DCMAKE_BUILD_TYPE=Release
}

stage_asan() {
	ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1 \
		UBSAN_OPTIONS=print_stacktrace=1 \
		build_and_test asan . -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
		-DCMAKE_BUILD_TYPE=RelWithDebInfo -DMIRROR_SANITIZE=address,undefined
}

stage_tsan() {
	build_and_test tsan "$threaded" -DCMAKE_C_COMPILER=clang \
		-DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DMIRROR_SANITIZE=thread
}

# One file per run: several in one run once gave a false report.
tidy_one() {
	local said
	if said=$(timeout 120 clang-tidy --quiet -p "$1" "$3" 2>/dev/null); then
		: >"$2"
	else
		printf '%s\n' "$said" | grep -E 'warning|error' | head -20
		return 1
	fi
}
export -f tidy_one

stage_tidy() {
	local dir=$base/ci-asan clean=$base/ci-tidy headers stamp file list=$base/ci-tidy.list
	local until status=0 total=0 known=0 end
	if [ ! -e "$dir/compile_commands.json" ] && ! build asan \
		-DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
		-DCMAKE_BUILD_TYPE=RelWithDebInfo -DMIRROR_SANITIZE=address,undefined; then
		verdict 1 tidy
		return
	fi
	mkdir -p "$clean"
	headers=$(find mirror scanner jobqueue -name '*.h' -o -name .clang-tidy |
		sort | xargs cat .clang-tidy | sha256sum)
	: >"$list"
	# What was touched last comes first.
	for file in $(find mirror scanner jobqueue -name '*.c' -printf '%T@ %p\n' |
		sort -rn | cut -d' ' -f2); do
		grep -qF "/$file\"" "$dir/compile_commands.json" || continue
		total=$((total + 1))
		stamp=$clean/$({ cat "$file"; printf %s "$file $headers"; } | sha256sum | cut -c1-32)
		if [ -e "$stamp" ]; then
			known=$((known + 1))
		else
			printf '%s %s %s\n' "$dir" "$stamp" "$file" >>"$list"
		fi
	done
	until=${MIRROR_TIDY_SECONDS:-420}
	end=$((SECONDS + until))
	# Batches, so that the clock is looked at between them.
	while [ -s "$list" ] && [ "$SECONDS" -lt "$end" ]; do
		head -n "$((jobs * 2))" "$list" |
			xargs -r -L 1 -P "$jobs" bash -c 'tidy_one "$@"' tidy || status=1
		known=$((known + $(head -n "$((jobs * 2))" "$list" | wc -l)))
		sed -i "1,$((jobs * 2))d" "$list"
	done
	say "  $known of $total files looked at"
	verdict "$status" tidy
}

stages=("$@")
[ ${#stages[@]} != 0 ] || stages=(floors headers format gcc asan tsan tidy)
for stage in "${stages[@]}"; do
	if ! declare -F "stage_$stage" >/dev/null; then
		say "no stage $stage"
		exit 64
	fi
done
for stage in "${stages[@]}"; do
	say "== $stage"
	start=$SECONDS
	"stage_$stage"
	say "   $stage: $((SECONDS - start)) s"
done
[ ${#broken[@]} = 0 ] || say "broken: ${broken[*]}"
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
