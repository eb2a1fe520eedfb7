#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# No false alarm: people and programs write as they do, an agent keeps it, and the probe,
# asked every two seconds, is never worse than healthy.
#
#     MIRROR_CALM_SECONDS    how long (20; with MIRROR_LONG an hour)
#     MIRROR_SEED            what is written (told at the end)
. "$(dirname "$0")/lib_broken.sh"
needs sqlite3

seconds=${MIRROR_CALM_SECONDS:-20}
[ -z "${MIRROR_LONG:-}" ] || seconds=${MIRROR_CALM_SECONDS:-3600}
RANDOM=${MIRROR_SEED:=$((RANDOM * 7 + $$))}
seed=$MIRROR_SEED

git init -q --bare remote.git
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/notes"
[brain]
remote = "$W/remote.git"
branch = "host/testbox"
settle = "500ms"
max_wait = "5s"
[sqlite]
every = "5s"
EOC
mkdir -p notes/project
for i in $(seq 200); do
	printf 'page %s\n' "$i" >"notes/project/$i.md"
done
sqlite3 notes/app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1);' >/dev/null
git init -q notes/code
world agent

# One thing that somebody does.
act() {
	n=$((RANDOM % 200 + 1))
	case $((RANDOM % 18)) in
	0 | 1 | 2) echo "$RANDOM" >>"notes/project/$n.md" ;;
	3) # An editor: beside, then over it.
		echo "$RANDOM" >"notes/project/.$n.md.swp"
		mv "notes/project/.$n.md.swp" "notes/project/$n.md"
		;;
	4) mkdir -p "notes/new/$n" && echo "$RANDOM" >"notes/new/$n/file" ;;
	5) rm -rf "notes/new/$n" ;;
	6) [ ! -d "notes/new/$n" ] || mv "notes/new/$n" "notes/new/moved-$RANDOM" ;;
	7) chmod $((RANDOM % 2 ? 600 : 644)) "notes/project/$n.md" ;;
	8) sqlite3 notes/app.db "INSERT INTO t VALUES ($RANDOM);" 2>/dev/null || true ;;
	9) # A program unpacks something.
		mkdir -p "notes/unpacked/$n"
		for i in 1 2 3 4 5 6 7 8 9 10; do
			echo "$RANDOM" >"notes/unpacked/$n/$i"
		done
		;;
	10) printf 'key = %s\n' "$AWS_KEY" >"notes/project/$n.conf" ;;
	11) ln -sfn "$n.md" notes/project/link ;;
	12) # Somebody works in a repository of their own.
		echo "$RANDOM" >"notes/code/$((n % 20)).c"
		git -C notes/code add -A && git -C notes/code commit -qm "$RANDOM" || true
		;;
	13) # A recording grows, and is begun again when it is large.
		head -c 300000 /dev/urandom >>notes/recording
		[ "$(stat -c %s notes/recording)" -lt 20000000 ] || : >notes/recording
		;;
	14) ln -f "notes/project/$n.md" "notes/project/also-$((n % 9)).md" ;;
	15) touch -d "@$((RANDOM * 30000))" "notes/project/$n.md" ;;
	16) # A folder is copied whole, and the older copy goes.
		rm -rf notes/copy && cp -a notes/code notes/copy
		;;
	17) mkdir -p notes/web/node_modules/x && echo "$RANDOM" >notes/web/node_modules/x/$n ;;
	esac
}

end=$((SECONDS + seconds))
(
	while [ $SECONDS -lt $end ]; do
		for _ in 1 2 3 4 5 6; do
			act
		done
		sleep 0.$((RANDOM % 9))
	done
) &
writer=$!
# And a program writes its log all the time.
(
	while [ $SECONDS -lt $end ]; do
		date +%s.%N >>notes/program.log
		sleep 0.2
	done
) &
asked=0
while kill -0 $writer 2>/dev/null; do
	probe
	asked=$((asked + 1))
	if [ "$probed" -ne 0 ]; then
		fail "an alarm after $((SECONDS - end + seconds)) s, seed $seed: $(jq -c \
			'.facts[] | select(.state != "healthy") | [.name, .state, .evidence]' "$W/health.json")"
		[ "$failures" -lt 5 ] || break
	fi
	is_honest || fail "the report contradicts itself: $(cat "$W/health.json")"
	sleep 2
done
kill $writer 2>/dev/null || true
wait $writer 2>/dev/null || true
wait_for 60 "$MIRROR" --once
well 60
well 60 --deep
git -C "$BRAIN" fsck --strict >/dev/null 2>&1 || fail "fsck"
echo "asked $asked times in $seconds s, $(git -C "$BRAIN" rev-list --count HEAD) commits, seed $seed"
