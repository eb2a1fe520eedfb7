#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Break what is kept, and the probe says so: a byte in a pack, an object that is gone, an
# off-site copy, a database that is another one or lost its rows.  Nothing runs by itself
# here.
. "$(dirname "$0")/lib_broken.sh"
needs sqlite3

mkdir -p notes
sqlite3 notes/app.db 'CREATE TABLE t(a, b); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 500) INSERT INTO t SELECT x, hex(randomblob(20)) FROM c;'
offsite='[sqlite]
every = "1s"'
if command -v rclone >/dev/null && command -v age-keygen >/dev/null; then
	mkdir away
	age-keygen -o key 2>/dev/null
	offsite="[sqlite]
every = \"1s\"
offsite = \"rclone:$W/away\"
recipient = \"$(age-keygen -y key)\""
fi
configure none "$offsite
[health]
unprotected_change = [\"1s\", \"1h\"]"
world
expect 0 "$MIRROR" db snapshot notes/app.db
well 30

# flip FILE OFFSET: another byte, whatever stands there.
flip() {
	chmod u+w "$1"
	byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 85)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# ---- a byte of a pack, and of a loose object
git -C "$BRAIN" gc -q 2>/dev/null
well 30
well 30 --deep
pack=$(find "$BRAIN/.git/objects/pack" -name '*.pack' | head -1)
cp -p "$pack" whole.pack
flip "$pack" $(($(stat -c %s "$pack") / 2))
told 20 integrity failed --deep
expect 2 "$MIRROR" verify
told 5 integrity failed
# It stays told until everything was found whole.
printf 'more\n' >>notes/a
"$MIRROR" --once >"$W/out" 2>&1 || true
told 5 integrity failed
cp -p --remove-destination whole.pack "$pack"
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" verify --full
well 30
well 30 --deep
blob=$(git -C "$BRAIN" rev-parse HEAD:notes/a)
loose=$BRAIN/.git/objects/$(printf %.2s "$blob")/${blob#??}
if [ -e "$loose" ]; then
	mv "$loose" gone
	told 20 'integrity' 'failed' --deep
	mv gone "$loose"
	well 30 --deep
fi

# ---- the newest commit itself
tree=$(git -C "$BRAIN" rev-parse 'HEAD^{tree}')
tree=$BRAIN/.git/objects/$(printf %.2s "$tree")/${tree#??}
[ -e "$tree" ] && {
	mv "$tree" gone
	probe
	[ "$probed" -ge 2 ] || fail "the newest tree is gone and the quick probe exits with $probed"
	is_honest || fail "the report about a lost tree contradicts itself"
	mv gone "$tree"
	well 30
}

# ---- bytes on the disk that no run took up: only --deep looks for itself
touch -r notes/sub/1.md stamp
printf 'NOTE 1\n' 1<>notes/sub/1.md
touch -r stamp notes/sub/1.md
printf 'never seen\n' >notes/unseen
told 20 unprotected_change degraded --deep
expect 0 "$MIRROR" --once --full
well 30 --deep

# ---- the off-site copy: gone, and cut
if [ -d away ]; then
	part=$(find away -type f -size +0 | sort | head -1)
	rm "$part"
	told 30 offsite failed --deep
	# The next run sends again what is missing there.
	send() {
		sqlite3 notes/app.db "INSERT INTO t VALUES ($(now_ms), 'more')"
		sleep 1
		expect 0 "$MIRROR" --once
		well 30 --deep
	}
	send
	part=$(find away -type f ! -name '*.json' -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2)
	truncate -s -1 "$part"
	told 30 offsite failed --deep
	send
else
	echo "off-site: skipped, no rclone or no age"
fi

# ---- a table that was emptied
cp notes/app.db before.db
sqlite3 notes/app.db 'DELETE FROM t;'
sleep 1
"$MIRROR" --once >"$W/out" 2>&1 || true
told 10 db:notes/app.db 'degraded|failed'
sqlite3 notes/app.db "ATTACH 'before.db' AS before; INSERT INTO t SELECT * FROM before.t;"
sleep 1
expect 0 "$MIRROR" --once
well 30

# ---- another file at the database's place: at once, and after the next run too
mv notes/app.db other.db
sqlite3 notes/app.db 'CREATE TABLE quite_different(x); INSERT INTO quite_different VALUES (1);'
told 5 db:notes/app.db 'degraded|failed'
# So that a snapshot is due ([sqlite] every), and the other one is what is known next.
sleep 1
"$MIRROR" --once >"$W/out" 2>&1 || true
told 5 db:notes/app.db 'degraded|failed'
mv other.db notes/app.db
sleep 1
expect 0 "$MIRROR" --once
# The old one is back, which is another one again: a person says that it is right.
expect 0 "$MIRROR" accept db:notes/app.db
well 30

# ---- a flipped byte in a kept snapshot
snapshot=$("$MIRROR" db list --json | jq -r '.. | objects | .path? // empty' | grep -v '/notes/app.db$' | head -1)
[ -f "$snapshot" ] || fail "no snapshot to break: $snapshot"
cp -p "$snapshot" kept
flip "$snapshot" 200
expect 2 "$MIRROR" db verify notes/app.db
cp -p --remove-destination kept "$snapshot"
expect 0 "$MIRROR" db verify notes/app.db
well 30
