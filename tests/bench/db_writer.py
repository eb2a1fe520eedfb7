# SPDX-License-Identifier: GPL-2.0-or-later
"""A busy program: one row a transaction, as fast as asked, until a file is gone.

    db_writer.py DATABASE wal|delete RATE FLAG LATENCIES COMMITTED

Each commit's time in ms is a line of LATENCIES.  The number of the last row that is
committed stands in COMMITTED, eight bytes, before the next one begins.  RATE 0 does not
pause.  In rollback mode commits are not synced: a thousand a second want that of any disk.
"""

import mmap
import os
import sqlite3
import sys
import time

path, mode, rate, flag, latencies, committed = sys.argv[1:7]
pause = 1 / float(rate) if float(rate) > 0 else 0
db = sqlite3.connect(path, timeout=60, isolation_level=None)
db.execute(f"PRAGMA journal_mode={mode}").fetchone()
db.execute("PRAGMA synchronous=" + ("NORMAL" if mode == "wal" else "OFF"))
db.execute("CREATE TABLE IF NOT EXISTS log(id INTEGER PRIMARY KEY, text TEXT)")
row = db.execute("SELECT coalesce(max(id), 0) FROM log").fetchone()[0]
with open(committed, "wb") as out:
    out.write(row.to_bytes(8, "little"))
told = open(committed, "r+b")
seen = mmap.mmap(told.fileno(), 8)
times = []
due = time.perf_counter()
while True:
    row += 1
    start = time.perf_counter()
    db.execute("INSERT INTO log VALUES (?, ?)", (row, "a row like many others, and its number is %d" % row))
    times.append(time.perf_counter() - start)
    seen[:8] = row.to_bytes(8, "little")
    if row % 64 == 0 and not os.path.exists(flag):
        break
    due += pause
    if pause and due > time.perf_counter():
        time.sleep(max(0, due - time.perf_counter()))
    elif due < time.perf_counter() - 1:
        due = time.perf_counter()
with open(latencies, "w") as out:
    out.writelines("%.4f\n" % (t * 1000) for t in times)
