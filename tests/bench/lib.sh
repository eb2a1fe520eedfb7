# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/bench/lib.sh - a place to measure in: sourced, never run.
#
#     . "$(dirname "$0")/lib.sh"
#     fresh round1                     # $ROOM is an empty folder, on a file system of its own
#     measure rsync rsync -a "$TREE/" "$ROOM/copy/"
#     table git "import of $FILES files"
#
# Files that were removed slow down the making of others on ext4 for minutes, so nothing is
# removed before the end, and where it can be (root, loop devices) each round gets a new
# file system in a sparse file.
#
#     MIRROR          the program
#     BENCH_DIR       where (a new folder in /var/tmp; it needs about 3 GB a round)
#     BENCH_FILES     how many files (100000)
#     BENCH_ROUNDS    how often (3; an odd number, or the median is the mean of two)
#     BENCH_SMALLER   divide the files' sizes (1)
set -eu

export LC_ALL=C TZ=UTC0 GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@b.invalid
export GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@b.invalid
unset MIRROR_CONFIG STATE_DIRECTORY RUNTIME_DIRECTORY TMPDIR 2>/dev/null || true
: "${MIRROR:?the program to measure}"
FILES=${BENCH_FILES:-100000}
ROUNDS=${BENCH_ROUNDS:-3}
W=$(mktemp -d "${BENCH_DIR:-/var/tmp}/mirror-bench.XXXXXX")
TREE=$W/tree
# What git does in the background after a commit would be the next candidate's to pay for.
export GIT_CONFIG_GLOBAL=$W/gitconfig
printf '[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n' >"$GIT_CONFIG_GLOBAL"
ROOM=
mounted=

leave() {
	status=$?
	for room in $mounted; do
		umount "$room" 2>/dev/null || { sleep 1; umount -l "$room"; } || true
	done
	rm -rf "$W"
	exit "$status"
}
trap leave EXIT

make_tree() {
	"$(dirname "$0")/make_tree.sh" "$TREE" "$FILES" 1 "${BENCH_SMALLER:-1}"
}

# In the page cache, as a tree that is worked with is: some kernels put pages away that
# nobody has asked for in the last minutes.
warm() {
	[ ! -d "$TREE" ] || tar -c -C "$TREE" . | cat >/dev/null
}

fresh() {
	ROOM=$W/$1
	mkdir "$ROOM"
	# For a tree, a copy to be watched and the browsable one.
	inodes=$((FILES > 600000 ? FILES * 3 : 2000000))
	if [ "$(id -u)" = 0 ] && truncate -s 12G "$ROOM.img" && mkfs.ext4 -q -F -N "$inodes" "$ROOM.img" &&
		mount -o loop "$ROOM.img" "$ROOM" 2>/dev/null; then
		mounted="$ROOM $mounted"
	else
		rm -f "$ROOM.img"
	fi
	export HOME=$ROOM/home XDG_CONFIG_HOME=$ROOM/home/config
	export XDG_STATE_HOME=$ROOM/home/state XDG_DATA_HOME=$ROOM/home/data
	export XDG_RUNTIME_DIR=$ROOM/home/run MIRROR_CONFIG=$ROOM/mirror.toml
	mkdir -p "$XDG_RUNTIME_DIR"
	chmod 700 "$XDG_RUNTIME_DIR"
}

# The newest room is given up.
leave_room() {
	case "$mounted" in "$ROOM "*)
		umount "$ROOM"
		rm -f "$ROOM.img"
		mounted=${mounted#"$ROOM "}
		;;
	esac
}

# configure TREE: what mirror keeps, and where.
configure() {
	cat >"$MIRROR_CONFIG" <<EOC
[[watch]]
path = "$1"
name = "tree"
[brain]
repo = "$ROOM/brain"
remote = "none"
branch = "host/bench"
settle = "${SETTLE:-2s}"
EOC
}

# measure NAME COMMAND...: one line "wall user+sys rss" more in $W/NAME.
measure() {
	name=$1
	shift
	warm
	sync -f "$W"
	[ -z "$ROOM" ] || sync -f "$ROOM"
	/usr/bin/time -o "$W/time" -f '%e %U %S %M' "$@" >/dev/null 2>"$W/told" || {
		tail -5 "$W/told" >&2
		echo "$name failed" >&2
		return 1
	}
	awk '{ print $1, $2 + $3, $4 / 1024 }' "$W/time" >>"$W/$name"
	printf '  %s: %s\n' "$name" "$(tail -1 "$W/$name")" >&2
}

# median FILE COLUMN
median() {
	sort -n -k "$2,$2" "$1" | awk -v c="$2" '{ v[NR] = $c } END {
		print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# range FILE: the lowest and the highest wall time, when there is more than one.
range() {
	sort -n -k 1,1 "$1" | awk '{ v[NR] = $1 } END {
		if (NR > 1) printf(" (%.2f to %.2f)", v[1], v[NR]) }'
}

# table BASE NAME...: medians, their range, and the ratios of the medians to BASE.
table() {
	base=$1
	shift
	printf '| what | wall s | CPU s | RSS MB | wall to %s | CPU to %s |\n' "$base" "$base"
	printf '|---|---|---|---|---|---|\n'
	for name in "$@"; do
		awk -v n="$name" -v w="$(median "$W/$name" 1)" -v c="$(median "$W/$name" 2)" \
			-v m="$(median "$W/$name" 3)" -v bw="$(median "$W/$base" 1)" \
			-v bc="$(median "$W/$base" 2)" -v r="$(range "$W/$name")" 'BEGIN {
			printf("| %s | %.2f%s | %.2f | %.0f | %.2f | %.2f |\n", n, w, r, c, m,
				bw > 0 ? w / bw : 0, bc > 0 ? c / bc : 0) }'
	done
}

# percentile FILE P: of its one column.
percentile() {
	sort -n "$1" | awk -v p="$2" '{ v[NR] = $1 } END {
		i = int(NR * p / 100 + 0.999)
		if (i < 1) i = 1
		if (i > NR) i = NR
		print v[i] }'
}

about() {
	printf '%s; %s processors; load %s; git %s; %s\n' "$(uname -r)" "$(nproc)" \
		"$(cut -d' ' -f1 /proc/loadavg)" "$(git version | cut -d' ' -f3)" \
		"$("$MIRROR" --version | head -1)"
}
