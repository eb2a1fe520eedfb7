#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Session logs as an agent writes them: a JSON object a line, files and outputs of
commands escaped inside them, and now and then the whole session so far in one line of
several megabytes, escaped once more.  The same seed and files give the same bytes.

    make_jsonl.py SEED MEGABYTES FROM_FOLDER TO_FOLDER
"""

import json
import os
import random
import sys
import uuid

LOG = 8_000_000  # bytes of one file
WHOLE = 2_500_000  # bytes of a session after which it is written down in one line
PLANTED = 64  # one message of so many holds a key

WORDS = ("let me look at the file first then run it again because the test still fails "
	"with the same message and I want to see what the function returns").split()


def texts(folder):
	for where, folders, names in os.walk(folder):
		folders.sort()
		for name in sorted(names):
			path = os.path.join(where, name)
			with open(path, encoding="utf-8", errors="replace") as file:
				yield path, file.read(400_000)


def message(rng, path, text, number):
	identity = str(uuid.UUID(int=rng.getrandbits(128)))
	if rng.randrange(PLANTED) == 0:
		text += '\nAWS_ACCESS_KEY_ID="AKIA%s"\n' % "".join(
			rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
	kind = number % 3
	if kind == 0:
		content = " ".join(rng.choices(WORDS, k=rng.randrange(8, 120)))
	elif kind == 1:
		content = [{"type": "tool_use", "id": "toolu_" + identity[:8], "name": "Read",
			"input": {"file_path": path, "old_string": text[:2000]}}]
	else:
		numbered = "\n".join("%6d\t%s" % (i + 1, line)
			for i, line in enumerate(text.split("\n")))
		content = [{"type": "tool_result", "tool_use_id": "toolu_" + identity[:8],
			"content": numbered}]
	return {"parentUuid": identity, "type": ("user", "assistant", "user")[kind],
		"timestamp": "2025-01-%02dT10:%02d:07.%03dZ" % (number // 60 % 28 + 1, number % 60,
			rng.randrange(1000)),
		"message": {"role": ("user", "assistant", "user")[kind], "content": content,
			"usage": {"input_tokens": rng.randrange(9000), "output_tokens": rng.randrange(900)}}}


def main():
	seed, megabytes, source, target = sys.argv[1:]
	rng = random.Random(int(seed))
	total, logs, number = 0, 0, 0
	session, session_len = [], 0
	out = None
	os.makedirs(target, exist_ok=True)
	for path, text in texts(source):
		if total >= int(megabytes) * 1_000_000:
			break
		if out is None or out.tell() > LOG:
			out = open(os.path.join(target, "session-%03d.jsonl" % logs), "w", newline="\n")
			logs += 1
		for _ in range(3):
			line = json.dumps(message(rng, path, text, number), ensure_ascii=False)
			number += 1
			session.append(line)
			session_len += len(line)
			total += out.write(line + "\n")
		if session_len > WHOLE:
			total += out.write(json.dumps({"type": "summary", "session": "\n".join(session)},
				ensure_ascii=False) + "\n")
			session, session_len = [], 0


main()
