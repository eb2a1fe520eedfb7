#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Snapshots of live databases, beside what others would type.
#
#     MIRROR=build/mirror tests/bench/db.sh throughput|offsite|latency|hundred|wal
#         throughput   one snapshot beside sqlite3 .backup, VACUUM INTO and cp
#         offsite      snapshot + zstd + age + upload to WebDAV on loopback, beside a pipeline
#         latency      a writer's commits with and without snapshots, side by side
#         hundred      BENCH_SNAPSHOTS (100) in each journal mode under a writer: is each whole,
#                      with every row that was committed before it was asked for?
#         wal          everything but a page lies in a WAL of BENCH_MB that its program never folds in
#
#     BENCH_MB         size of the database (100)
#     BENCH_ROUNDS     how often (3)
#     BENCH_RATE       transactions a second (1200)
#     BENCH_SECONDS    of latency, each (15)
#     BENCH_MODES      of "latency" and "hundred" ("wal delete")
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
what=${1:?throughput, offsite, latency or hundred}
mb=${BENCH_MB:-100}
rate=${BENCH_RATE:-1200}
seconds=${BENCH_SECONDS:-15}
snapshots=${BENCH_SNAPSHOTS:-100}

# Half of each row is text that packs, half is not; two indexes.
make_database() {
	sqlite3 "$1" "PRAGMA page_size=4096; PRAGMA journal_mode=${2:-wal};
		CREATE TABLE notes(id INTEGER PRIMARY KEY, day INTEGER, title TEXT, body TEXT);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $mb * 430)
		INSERT INTO notes SELECT i, i % 3650, 'a title, number ' || (i * 7919 % 100003),
			replace(hex(zeroblob(50)), '00', 'word ') || hex(randomblob(850)) || i FROM n;
		CREATE INDEX notes_day ON notes(day); CREATE INDEX notes_title ON notes(title);
		PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
}

begin() {
	fresh room
	mkdir "$ROOM/tree"
	configure "$ROOM/tree"
	printf '[sqlite]\nevery = "30d"\n' >>"$MIRROR_CONFIG"
	DB=$ROOM/tree/app.db
	make_database "$DB" "${1:-wal}"
	"$MIRROR" --once >/dev/null
	cat "$DB" >/dev/null
}

start_writer() {
	: >"$W/go"
	rm -f "$W/committed"
	python3 "$here/db_writer.py" "$DB" "$1" "$2" "$W/go" "$W/latencies" "$W/committed" &
	writer=$!
	trap 'rm -f "$W/go"; wait $writer; leave' EXIT
	until [ -s "$W/committed" ]; do sleep 0.05; done
}

stop_writer() {
	rm -f "$W/go"
	wait "$writer"
	trap leave EXIT
}

# The next mode in a room of its own.
again() {
	umount "$ROOM" 2>/dev/null || true
	mounted=
	rm -rf "$ROOM" "$ROOM.img"
}

committed() { od -An -t u8 "$W/committed" | tr -d ' '; }
touch_database() { sqlite3 "$DB" "UPDATE notes SET title = title || '.' WHERE id = 1"; }

throughput() {
	begin wal
	printf '%s bytes, ' "$(stat -c %s "$DB")"
	about
	for round in $(seq "$ROUNDS"); do
		touch_database
		measure cp sh -c 'cp "$1" "$2" && sync "$2"' sh "$DB" "$ROOM/cp.$round"
		measure backup sh -c 'sqlite3 "$1" ".backup $2" && sync "$2"' sh "$DB" "$ROOM/backup.$round"
		measure vacuum sh -c 'sqlite3 "$1" "VACUUM INTO '"'"'$2'"'"'" && sync "$2"' sh "$DB" \
			"$ROOM/vacuum.$round"
		measure vacuum-check sh -c 'sqlite3 "$1" "VACUUM INTO '"'"'$2'"'"'" && sync "$2" &&
			sqlite3 "$2" "PRAGMA quick_check; SELECT count(*) FROM notes" && sha256sum "$2"' sh "$DB" \
			"$ROOM/checked.$round"
		measure mirror-plain "$MIRROR" db snapshot tree/app.db -o "$ROOM/plain.$round"
		measure mirror-kept "$MIRROR" db snapshot tree/app.db
		rm -f "$ROOM"/*."$round"
	done
	table vacuum cp backup vacuum vacuum-check mirror-plain mirror-kept
}

offsite() {
	begin wal
	age-keygen -o "$ROOM/key" 2>/dev/null
	to=$(age-keygen -y "$ROOM/key")
	mkdir "$ROOM/away"
	rclone serve webdav "$ROOM/away" --addr 127.0.0.1:0 >"$W/webdav.log" 2>&1 &
	server=$!
	trap 'kill $server; leave' EXIT
	until grep -q 'http://' "$W/webdav.log"; do sleep 0.1; done
	url=$(grep -o 'http://127[^/ ]*' "$W/webdav.log" | head -1)
	export RCLONE_CONFIG_BOX_TYPE=webdav RCLONE_CONFIG_BOX_URL=$url RCLONE_CONFIG_BOX_VENDOR=other
	printf 'offsite = "rclone:box:mirror"\nrecipient = "%s"\n' "$to" >>"$MIRROR_CONFIG"
	printf '%s bytes, ' "$(stat -c %s "$DB")"
	about
	for round in $(seq "$ROUNDS"); do
		touch_database
		measure pipeline bash -c 'set -e -o pipefail
			sqlite3 "$1" "VACUUM INTO '"'"'$2.db'"'"'"
			sqlite3 "$2.db" "PRAGMA quick_check; SELECT count(*) FROM notes"
			zstd -q -3 "$2.db" -o "$2.zst"
			zstd -qt "$2.zst"
			age -r "$3" -o "$2.age" "$2.zst"
			sync "$2.age" "$(dirname "$2")"
			rclone copyto "$2.age" "box:shell/$4.age"
			rclone check --download --one-way "$(dirname "$2")" box:shell --include "/$4.age"' \
			bash "$DB" "$ROOM/$round" "$to" "$round"
		measure mirror "$MIRROR" db snapshot tree/app.db
		rm -f "$ROOM/$round".*
	done
	kill "$server"
	trap leave EXIT
	table pipeline pipeline mirror
}

say_latency() {
	printf '| %s | %s | %s | %s | %s | %s |\n' "$1" "$(wc -l <"$W/latencies")" \
		"$(percentile "$W/latencies" 50)" "$(percentile "$W/latencies" 99)" \
		"$(percentile "$W/latencies" 99.9)" "$(percentile "$W/latencies" 100)"
}

latency() {
	about
	printf '| %s MB, %s/s | commits | p50 ms | p99 | p99.9 | longest |\n|---|---|---|---|---|---|\n' "$mb" "$rate"
	for mode in ${BENCH_MODES:-wal delete}; do
		begin "$mode"
		start_writer "$mode" "$rate"
		sleep "$seconds"
		stop_writer
		say_latency "$mode, alone"
		start_writer "$mode" "$rate"
		end=$((SECONDS + seconds))
		taken=0
		while [ "$SECONDS" -lt "$end" ]; do
			rm -f "$ROOM/copy.db"
			"$MIRROR" db snapshot tree/app.db -o "$ROOM/copy.db" >/dev/null && taken=$((taken + 1))
		done
		stop_writer
		say_latency "$mode, $taken snapshots meanwhile"
		again
	done
}

hundred() {
	about
	for mode in ${BENCH_MODES:-wal delete}; do
		begin "$mode"
		start_writer "$mode" "$rate"
		start=$(committed)
		began=$SECONDS
		bad=0
		for i in $(seq "$snapshots"); do
			before=$(committed)
			rm -f "$ROOM/copy.db"
			"$MIRROR" db snapshot tree/app.db -o "$ROOM/copy.db" >/dev/null || {
				bad=$((bad + 1))
				continue
			}
			good=$(sqlite3 "$ROOM/copy.db" "PRAGMA integrity_check;
				SELECT max(id) >= $before AND max(id) = count(*) FROM log;
				SELECT count(*) = $mb * 430 FROM notes" | tr '\n' ' ')
			[ "$good" = "ok 1 1 " ] || {
				bad=$((bad + 1))
				echo "snapshot $i: $good" >&2
			}
		done
		took=$((SECONDS - began))
		printf '%s: %d snapshots of %s MB, %d bad, %d s, %d commits/s meanwhile\n' "$mode" "$snapshots" \
			"$mb" "$bad" "$took" $((($(committed) - start) / (took > 0 ? took : 1)))
		stop_writer
		again
		[ "$bad" -eq 0 ]
	done
}

# Its program is still there, and never checkpoints.
wal() {
	fresh room
	mkdir "$ROOM/tree"
	configure "$ROOM/tree"
	DB=$ROOM/tree/app.db
	sqlite3 "$DB" 'PRAGMA journal_mode=WAL; CREATE TABLE t(x)' >/dev/null
	"$MIRROR" --once >/dev/null
	: >"$W/go"
	python3 - "$DB" "$mb" "$W/go" "$W/filled" <<-'PY' &
		import os, sqlite3, sys, time
		db = sqlite3.connect(sys.argv[1], isolation_level=None)
		db.execute("PRAGMA wal_autocheckpoint=0")
		for part in range(int(sys.argv[2])):
		    db.execute("BEGIN")
		    db.executemany("INSERT INTO t VALUES (randomblob(?))", [(1000,)] * 1000)
		    db.execute("COMMIT")
		open(sys.argv[4], "w").close()
		while os.path.exists(sys.argv[3]):
		    time.sleep(0.1)
	PY
	writer=$!
	trap 'rm -f "$W/go"; wait $writer; leave' EXIT
	until [ -e "$W/filled" ]; do sleep 0.1; done
	printf '%s bytes, and %s in its WAL, ' "$(stat -c %s "$DB")" "$(stat -c %s "$DB-wal")"
	about
	measure mirror-plain "$MIRROR" db snapshot tree/app.db -o "$ROOM/copy.db"
	[ "$(sqlite3 "$ROOM/copy.db" 'PRAGMA integrity_check; SELECT count(*) FROM t' | tr '\n' ' ')" = "ok ${mb}000 " ]
	[ "$(stat -c %s "$DB")" -lt 20000 ] || echo "it was checkpointed" >&2
	table mirror-plain mirror-plain
	rm -f "$W/go"
	wait "$writer"
	trap leave EXIT
}

needs() { command -v "$1" >/dev/null || { echo "$1 is not here" >&2; exit 77; }; }
needs sqlite3
needs python3
"$what"
