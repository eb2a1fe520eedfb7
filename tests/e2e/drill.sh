#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# verify reads everything again, drill restores from the remote: both find what is wrong,
# and neither takes "could not look" for "good".
. "$(dirname "$0")/lib.sh"
needs python3
needs git

git init -q --bare "$W/remote.git"
cat >"$CONFIG" <<END
[[watch]]
path = "$HOME/notes"

[brain]
remote = "$W/remote.git"
branch = "host/testbox"
END
mkdir -p "$HOME/notes/sub/deeper" "$HOME/notes/empty"
for i in $(seq 1 40); do
	echo "note $i" >"$HOME/notes/sub/$i.md"
done
echo '*' >"$HOME/notes/sub/.gitignore"
ln -s sub/1.md "$HOME/notes/link"
chmod 400 "$HOME/notes/sub/7.md"
mkdir "$HOME/notes/shut"
echo in >"$HOME/notes/shut/in"
chmod 500 "$HOME/notes/shut"
printf 'key = "%s"\n' "$AWS_KEY" >"$HOME/notes/key.toml"

value() {
	python3 -c 'import json,sys
got = json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."):
    got = got[key]
print(got)' "$W/out" "$1"
}

expect 2 "$MIRROR" drill
expect 0 "$MIRROR" --once

# ---- all is well
expect 0 "$MIRROR" drill --json
is "$(value outcome)" passed "the drill"
is "$(value from)" remote "where it restored from"
is "$(value files)" 44 "the number of files"
is "$(value with_disk)" 43 "those also compared with the disk"
is "$(ls "$STATE" | grep -c '^drill-' || true)" 0 "the scratch that was left"
expect 0 "$MIRROR" verify --full --json
for part in objects fsck sidecar ledger disk; do
	is "$(value parts.$part.done)" True "$part carried out"
	is "$(value parts.$part.bad)" 0 "what is bad in $part"
done
is "$(value parts.disk.checked)" 42 "files hashed on disk"
"$MIRROR" health --json >"$W/out" 2>/dev/null || true
is "$(python3 -c 'import json,sys
print(sorted(f["state"] for f in json.load(open(sys.argv[1]))["facts"]
    if f["name"] in ("drill", "integrity")))' "$W/out")" "['healthy', 'healthy']" "the evidence"

# ---- a file that is edited is no difference
echo edited >>"$HOME/notes/sub/3.md"
expect 0 "$MIRROR" drill
expect 0 "$MIRROR" verify --full
expect 0 "$MIRROR" --once

# ---- a remote that is away
mv "$W/remote.git" "$W/away.git"
expect 3 "$MIRROR" drill --json
is "$(value outcome)" inconclusive "a drill without its remote"
mv "$W/away.git" "$W/remote.git"

# ---- a remote that lost the branch
cp -a "$W/remote.git" "$W/whole.git"
git -C "$W/remote.git" update-ref -d refs/heads/host/testbox
expect 2 "$MIRROR" drill --json
is "$(value outcome)" failed "a drill of a branch that is gone"
# ---- one with somebody else's commit
git -C "$W/remote.git" update-ref refs/heads/host/testbox \
	"$(git -C "$W/remote.git" commit-tree -m other "$(git -C "$W/remote.git" hash-object -t tree -w /dev/null)")"
expect 2 "$MIRROR" drill --json
is "$(value outcome)" failed "a drill of a branch that is not ours"
rm -rf "$W/remote.git"
mv "$W/whole.git" "$W/remote.git"

# ---- bytes that changed behind the clock's back
touch -r "$HOME/notes/sub/5.md" "$W/stamp"
printf 'NOTE 5\n' >"$HOME/notes/sub/5.md"
touch -r "$W/stamp" "$HOME/notes/sub/5.md"
expect 2 "$MIRROR" drill --json
silent_about out "sub/6.md"
expect 0 "$MIRROR" --once --full
expect 0 "$MIRROR" drill

# ---- a damaged object here
pack=$(ls "$BRAIN"/.git/objects/pack/*.pack | head -1)
chmod u+w "$pack"
python3 - "$pack" <<'END'
import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(40)
    byte = f.read(1)
    f.seek(40)
    f.write(bytes([byte[0] ^ 0x55]))
END
expect 2 "$MIRROR" verify --json
[ "$(value bad)" -gt 0 ] || fail "verify did not see a damaged pack"
