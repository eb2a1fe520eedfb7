#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes scanner/fours_table.c: which four bytes of our words stand everywhere?

    cd scanner && ./fours_table.py /usr/share/doc /usr/include /usr/lib/python3 >fours_table.c

Takes every four bytes, folded as in scanner/sieve.h, of the words in rules_*.c and
ruleset.c, counts them in what Debian installs as documentation, headers and Python
sources, and writes those that stand there often.  A four that is missing costs time, never
a finding: to run it again after new rules is good, not needed.
"""
import array
import collections
import glob
import re
import sys

import rarity_table

# In a megabyte.
LEAST = 3
# FOURS_BITS.
BITS = 12
STRING = rb'"((?:[^"\\\n]|\\.)*)"'
ROW = re.compile(rb"(?:TOKEN|MAYBE)\(" + STRING + rb", " + STRING + rb", " + STRING)
FOLD = bytes(byte | 0x20 for byte in range(256))


def words():
    for path in glob.glob("rules_*.c"):
        with open(path, "rb") as file:
            for row in ROW.findall(file.read()):
                yield from row[2].split(b"|")
    with open("ruleset.c", "rb") as file:
        yield from re.findall(STRING, file.read())


def fours_of_words():
    fours = set()
    for word in words():
        plain = word.decode("unicode_escape").encode("latin-1", "replace").lstrip(b"~")
        plain = plain.translate(FOLD)
        fours.update(plain[i : i + 4] for i in range(len(plain) - 3))
    return fours


def count(folders, fours):
    wanted = {int.from_bytes(four, sys.byteorder): four for four in fours}
    counts = collections.Counter()
    total = 0
    for data in rarity_table.texts(folders):
        data = data.translate(FOLD)
        total += len(data)
        for start in range(min(4, len(data))):
            some = array.array("I")
            some.frombytes(data[start : start + (len(data) - start) // 4 * 4])
            for four, seen in collections.Counter(some).items():
                if four in wanted:
                    counts[wanted[four]] += seen
    return counts, total


def main():
    counts, total = count(sys.argv[1:], fours_of_words())
    slots = {}
    for four, seen in counts.most_common():
        often = round(seen * 1e6 / total)
        number = int.from_bytes(four, "little")
        slot = number * 0x9E3779B1 % 2**32 >> 32 - BITS
        while slot in slots:
            slot = (slot + 1) % 2**BITS
        if often >= LEAST:
            slots[slot] = (number, min(often, 65535))
    print("// SPDX-License-Identifier: GPL-2.0-or-later")
    print("// Made by scanner/fours_table.py; see there.  Do not edit.")
    print('\n#include "scanner/fours.h"\n')
    print("// clang-format off")
    print("const struct fours_row fours_table[1 << FOURS_BITS] = {")
    for slot in sorted(slots):
        print("[%d]={0x%x,%d}," % (slot, *slots[slot]))
    print("};\n// clang-format on")


if __name__ == "__main__":
    main()
