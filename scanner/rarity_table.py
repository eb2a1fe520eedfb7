#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes scanner/rarity_table.c: how surprising is a letter after the two before it?

    scanner/rarity_table.py /usr/share/doc /usr/include /usr/lib/python3 >scanner/rarity_table.c

Reads plain text below the folders (what Debian installs as documentation, headers and
Python sources), counts each distinct word by the logarithm of its frequency, and writes
-log2 p(third | first, second) in eighths of a bit.  28 symbols: 0 the edge of a word or a
separator, 1-26 letters without case, 27 any digit.  A hump in camelCase is an edge.
Words with digits scattered in them (hashes, ids) teach nothing and are left out.
"""
import collections
import gzip
import math
import os
import re
import sys

WORD = re.compile(rb"[A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+)*")
HUMP = re.compile(rb"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
SIZE = 28


def texts(folders):
    for folder in folders:
        for root, dirs, files in os.walk(folder):
            dirs.sort()
            for name in sorted(files):
                path = os.path.join(root, name)
                if not os.path.isfile(path) or os.path.islink(path):
                    continue
                try:
                    opener = gzip.open if name.endswith(".gz") else open
                    with opener(path, "rb") as file:
                        data = file.read(2_000_000)
                except (OSError, EOFError, gzip.zlib.error):
                    continue
                if b"\0" not in data[:4096]:
                    yield data


def scattered(word):
    return len(word) > 8 and len(re.findall(rb"(?<=[A-Za-z])[0-9]+", word)) >= 3


def symbols(word):
    out = [0]
    for part in re.split(rb"[_.-]", HUMP.sub(b"_", word)):
        for byte in part.lower():
            out.append(27 if 48 <= byte <= 57 else byte - 96)
        out.append(0)
    return out


def main():
    words = collections.Counter()
    for data in texts(sys.argv[1:]):
        words.update(set(WORD.findall(data)))
    counts = [[[0.05] * SIZE for _ in range(SIZE)] for _ in range(SIZE)]
    for word, seen in words.items():
        if seen < 2 or len(word) > 40 or scattered(word):
            continue
        weight = math.log2(1 + seen)
        chain = symbols(word)
        for i in range(len(chain) - 2):
            counts[chain[i]][chain[i + 1]][chain[i + 2]] += weight
    print("// SPDX-License-Identifier: GPL-2.0-or-later")
    print("// Made by scanner/rarity_table.py; see there.  Do not edit.")
    print('\n#include "scanner/rarity.h"\n')
    print("// clang-format off")
    print("const uint8_t rarity_table[RARITY_SYMBOLS][RARITY_SYMBOLS][RARITY_SYMBOLS] = {")
    for first in counts:
        print("{")
        for row in first:
            total = sum(row)
            bits = [min(255, round(-8 * math.log2(count / total))) for count in row]
            print("{" + ",".join(map(str, bits)) + "},")
        print("},")
    print("};\n// clang-format on")


if __name__ == "__main__":
    main()
