#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# With action = "seal" nothing on the machine can read what was cut out, and the owner of
# the recovery key gets every file back as it was: by us, or by git and age alone.
. "$(dirname "$0")/lib.sh"
needs git
needs age
needs age-keygen

mkdir notes
printf 'first\naws = %s\nlast\n' "$AWS_KEY" >notes/env
printf '\000\001%s\000\377' "$AWS_KEY" >notes/binary
printf 'x\n' >"notes/key-$AWS_KEY.txt"
printf 'plain\n' >notes/plain.md
ln -s "https://x/$AWS_KEY" notes/link
mkdir "notes/dir-$AWS_KEY"
printf 'y\n' >"notes/dir-$AWS_KEY/inner"
cat >"$CONFIG" <<END
[[watch]]
path = "$W/notes"
[brain]
remote = "none"
[secrets]
action = "seal"
END

# No key yet, and not even a repository: the key comes first.
expect 2 "$MIRROR" key show
says err "mirror key new"
expect 1 "$MIRROR" doctor
says out "recovery key"
expect 0 "$MIRROR" key new --out "$W/key.txt" -n
[ -e key.txt ] && fail "--dry-run made a key"
expect 0 "$MIRROR" key new --out "$W/key.txt" --json
says out '"schema": "mirror.key-new/1"'
says out "\"file\": \"$W/key.txt\""
recipient=$(sed -n 's/.*"recipient": "\(age1[a-z0-9]*\)".*/\1/p' out)
is "$(age-keygen -y key.txt)" "$recipient" "the recipient that was told"
is "$(stat -c %a key.txt)" 600 "mode of the key"
grep -q AGE-SECRET out err && fail "the private half was shown"
expect 73 "$MIRROR" key new --out "$W/other.txt"
[ -e other.txt ] && fail "a refused key was made"
expect 73 "$MIRROR" key new --out "$W/key.txt" --replace
is "$(age-keygen -y key.txt)" "$recipient" "the key that was there"
expect 0 "$MIRROR" key show
is "$(cat out)" "$recipient" "key show"
expect 0 "$MIRROR" key test --key key.txt
age-keygen -o other.txt 2>/dev/null
expect 77 "$MIRROR" key test --key other.txt
expect 65 "$MIRROR" key test --key notes/plain.md
expect 64 "$MIRROR" key test

# Sealed, and in no place that could be read without the key.
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" ledger --state sealed
is "$(wc -l <out)" 4 "sealed paths"
expect 0 "$MIRROR" ledger --json
grep -q '"path":"notes/env".*"state":"sealed".*"spans":1' out ||
	grep -q '"path": "notes/env".*"state": "sealed"' out || fail "notes/env is not sealed"
grep -raq "$AWS_KEY" "$XDG_DATA_HOME" "$XDG_STATE_HOME" && fail "a secret stands in our files"
git -C "$BRAIN" cat-file --batch-all-objects --batch | grep -aq "$AWS_KEY" &&
	fail "a secret stands in an object"
find "$XDG_DATA_HOME" "$XDG_STATE_HOME" | grep -q "$AWS_KEY" && fail "a secret is a name of ours"
head=$(git -C "$BRAIN" rev-parse HEAD)
expect 0 "$MIRROR" --once
is "$(git -C "$BRAIN" rev-parse HEAD)" "$head" "the commit after nothing changed"
git -C "$BRAIN" fsck --strict 2>fsck || fail "git fsck: $(cat fsck)"
expect 0 "$MIRROR" verify

# Back: whole with the key, with marks without it, from any clone.
git clone -q --no-checkout "$BRAIN" clone
expect 0 "$MIRROR" restore --from clone --to back --key key.txt --json
is "$(tr -d '\n ' <out | sed 's/.*"redacted":\(\[[^]]*\]\).*/\1/')" "[]" "redacted with the key"
diff -r --no-dereference notes back/notes || fail "not as it was"
expect 0 "$MIRROR" restore --from clone --to marks --json
grep -q '"notes/env"' out || fail "notes/env is not told as redacted"
grep -raq "$AWS_KEY" marks && fail "a secret came back without the key"
grep -q '^aws = REDACTED\.' marks/notes/env || fail "no mark in the place of the secret"
# Another key opens nothing: the text comes with its marks, and each of them is named.
expect 1 "$MIRROR" restore --from clone --to wrong --key other.txt
says out "notes/env  (1 secret redacted): the key given does not open it"
expect 1 "$MIRROR" restore --from clone --to wrong2 --key other.txt --json
is "$(python3 -c 'import json; a = json.load(open("out")); print(a["exit"], len(a["unopened"]), len(a["redacted"]), a["counts"]["written"])')" \
	"1 5 6 6" "what was not opened"
diff -r --no-dereference marks wrong || fail "not as without a key"
diff -r --no-dereference marks wrong2 || fail "not as without a key, again"
expect 2 "$MIRROR" restore --from clone --to wrong --key none.txt

# In place: what was lost comes back with its secret, and can be taken back.
rm notes/env
expect 1 "$MIRROR" restore --in-place --no-input --key key.txt notes
says out "its name holds a secret: restore it elsewhere"
cmp notes/env back/notes/env || fail "not the file that was lost"
grep -raq "$AWS_KEY" "$XDG_STATE_HOME" && fail "a secret stands in the journal"
expect 0 "$MIRROR" restore --undo
[ -e notes/env ] && fail "it was not taken back"
cp -p back/notes/env notes/env

# By git and age alone.
if command -v python3 >/dev/null; then
	git clone -q -b "$(git -C "$BRAIN" symbolic-ref --short HEAD)" "$BRAIN" plain
	sed -n '/^```python$/,/^```$/p' plain/.mirror/RECOVERY.md | grep -v '^```' >recover.py
	(cd plain && python3 ../recover.py ../alone ../key.txt) || fail "recover.py"
	diff -r --no-dereference notes alone/notes || fail "not as it was, by recover.py"
fi

# A new key: what is sealed from now on opens with it alone.
expect 0 "$MIRROR" key new --replace
says out "$HOME/mirror-recovery-"
expect 0 "$MIRROR" --once
expect 77 "$MIRROR" key test --key key.txt
expect 0 "$MIRROR" restore --to again --key "$HOME"/mirror-recovery-*.key
diff -r --no-dereference notes again/notes || fail "not as it was, with the new key"

# Asked for no longer.
sed -i 's/"seal"/"redact"/' "$CONFIG"
expect 1 "$MIRROR" --once
is "$(git -C "$BRAIN" ls-tree -r --name-only HEAD .mirror/sealed | wc -l)" 1 \
	"what stays sealed: the last version of what is held"
