#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Extended attributes come back as they were, and never with a secret in them; python's own
# calls are the witness.
. "$(dirname "$0")/lib.sh"
needs python3
needs git

configure() {
	cat >"$CONFIG" <<END
[[watch]]
path = "$HOME/notes"
[brain]
remote = "none"
branch = "host/testbox"
[files]
xattrs = $1
[secrets]
action = "$2"
${3-}
END
}

# attr PATH NAME VALUE; the value may have Python's escapes in it.
attr() {
	python3 -c 'import os,sys
os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode().decode("unicode_escape").encode("latin-1"))' "$@"
}
# Every path below a folder with its user attributes.
attrs() {
	python3 - "$1" <<'END'
import os, sys
top = os.fsencode(sys.argv[1])
for at, folders, files in os.walk(top):
    for path in [at] + [os.path.join(at, f) for f in files]:
        for name in sorted(os.listxattr(path, follow_symlinks=False)):
            if name.startswith("user."):
                print(os.path.relpath(path, top), name, os.getxattr(path, name))
END
}

mkdir -p "$HOME/notes/sub/deep"
touch "$HOME/notes/probe"
attr "$HOME/notes/probe" user.probe yes 2>/dev/null || {
	echo "xattrs: skipped, this file system has none"
	exit 77
}
rm "$HOME/notes/probe"
echo one >"$HOME/notes/one"
echo two >"$HOME/notes/sub/two"
ln "$HOME/notes/sub/two" "$HOME/notes/sub/also"
: >"$HOME/notes/sub/none"
attr "$HOME/notes/one" user.comment 'what I thought'
attr "$HOME/notes/one" user.empty ''
attr "$HOME/notes/one" 'user.odd = name' '\x00\x01\xff'
attr "$HOME/notes/sub/two" user.xdg.tags 'a,b'
attr "$HOME/notes/sub" user.of.folder 'yes'
attr "$HOME/notes" user.of.root 'yes'
python3 -c 'import os,sys; os.setxattr(sys.argv[1], "user.big", b"v"*3000)' "$HOME/notes/sub/two"

# ---- not asked for: nothing is kept
configure false redact
expect 0 "$MIRROR" --once
silent_about <(git -C "$BRAIN" grep -h xattr HEAD -- .mirror/folders) xattr.
# ---- asked for: every file is looked at again, and the next cycle has nothing to do
configure true redact
expect 0 "$MIRROR" --once
git -C "$BRAIN" grep -h xattr HEAD -- .mirror/folders >"$W/texts"
says texts "xattr.user.odd\\x20\\x3d\\x20name=AAH/"
expect 0 "$MIRROR" --once --json
says out '"commit": null'
attrs "$HOME/notes" >"$W/wanted"
expect 0 "$MIRROR" restore --to "$W/back"
attrs "$W/back/notes" >"$W/got"
cmp "$W/wanted" "$W/got" || { diff "$W/wanted" "$W/got" >&2; fail "attributes came back differently"; }
is "$(wc -l <"$W/wanted")" 9 "how many there are"
# A plain clone, without a state, has them too.
git clone -q --no-checkout "$BRAIN" "$W/clone" 2>/dev/null
expect 0 env -u XDG_STATE_HOME -u XDG_CONFIG_HOME HOME="$W/nobody" "$MIRROR" restore \
	--from "$W/clone" --host testbox --to "$W/back2"
attrs "$W/back2/notes" >"$W/got"
cmp "$W/wanted" "$W/got" || fail "attributes came back differently from a clone"
expect 0 git -C "$BRAIN" fsck --strict

# ---- a change of one alone is recorded, and one that is gone is gone
attr "$HOME/notes/one" user.comment 'another thought'
attr "$HOME/notes/sub" user.of.folder 'no'
python3 -c 'import os,sys; os.removexattr(sys.argv[1], "user.empty")' "$HOME/notes/one"
expect 0 "$MIRROR" --once
attrs "$HOME/notes" >"$W/wanted"
expect 0 "$MIRROR" restore --to "$W/back3"
attrs "$W/back3/notes" >"$W/got"
cmp "$W/wanted" "$W/got" || fail "a change of attributes alone was not recorded"
expect 0 "$MIRROR" verify --full
expect 0 "$MIRROR" drill

# ---- in place: what differs is replaced, with a way back; what the backup has not stays
attr "$HOME/notes/one" user.comment 'spoilt'
attr "$HOME/notes/one" user.newer 'stays'
attrs "$HOME/notes" >"$W/spoilt"
expect 0 "$MIRROR" restore notes/one --in-place --no-input
attrs "$HOME/notes" >"$W/got"
says got "b'another thought'"
says got "b'stays'"
expect 0 "$MIRROR" restore --undo
attrs "$HOME/notes" >"$W/got"
cmp "$W/spoilt" "$W/got" || fail "undo did not bring the attributes back"
# So it is with a folder: what it had comes back, what it had not goes.
attr "$HOME/notes/sub" user.of.folder 'spoilt'
attr "$HOME/notes/sub" user.newer 'stays'
python3 -c 'import os,sys; os.removexattr(sys.argv[1], "user.of.root")' "$HOME/notes"
attrs "$HOME/notes" >"$W/spoilt"
expect 0 "$MIRROR" restore notes --in-place --no-input
attrs "$HOME/notes" >"$W/got"
says got "b'sub' user.of.folder b'no'"
says got "b'sub' user.newer b'stays'"
says got "b'.' user.of.root b'yes'"
expect 0 "$MIRROR" restore --undo
attrs "$HOME/notes" >"$W/got"
cmp "$W/spoilt" "$W/got" || { diff "$W/spoilt" "$W/got" >&2; fail "undo did not bring a folder's attributes back"; }
attr "$HOME/notes/sub" user.of.folder 'no'
attr "$HOME/notes" user.of.root 'yes'
python3 -c 'import os,sys; os.removexattr(sys.argv[1], "user.newer")' "$HOME/notes/sub"
# Beside, they are told and left alone.
attr "$W/back3/notes/one" user.comment 'spoilt'
expect 1 "$MIRROR" restore notes/one --to "$W/back3"
says out "other extended attributes"

# ---- nothing that raises a program, when it is not wanted
cp /bin/true "$HOME/notes/raised"
chmod 4755 "$HOME/notes/raised"
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" restore notes/raised --to "$W/back6" --privileges none
is "$(stat -c %a "$W/back6/notes/raised")" 755 "its mode without privileges"
expect 0 "$MIRROR" restore notes/raised --to "$W/back7"
is "$(stat -c %a "$W/back7/notes/raised")" 4755 "its mode"
expect 64 "$MIRROR" restore notes/raised --to "$W/back7" --privileges some
rm "$HOME/notes/raised"

# ---- a secret in a value, and in a name
attr "$HOME/notes/one" user.origin "key=$AWS_KEY and more"
attr "$HOME/notes/sub/none" "user.$AWS_KEY_2" "x"
expect 0 "$MIRROR" --once
git -C "$BRAIN" rev-list --objects --all | cut -d' ' -f1 |
	git -C "$BRAIN" cat-file --batch >"$W/everything"
coded=$(printf 'key=%s and more' "$AWS_KEY" | base64 -w0)
for trace in "$AWS_KEY" "$AWS_KEY_2" "$coded"; do
	silent_about everything "$trace"
	silent_about <(find "$STATE" -type f -exec cat {} +) "$trace"
done
"$MIRROR" ledger --json >"$W/ledger" 2>"$W/err"
is "$(grep -c '"state": *"redacted"' "$W/ledger")" 2 "files that are told as redacted"
expect 0 "$MIRROR" restore --to "$W/back4" --json
says out notes/one
says out notes/sub/none
attrs "$W/back4/notes" >"$W/got"
says got "and more'"
says got REDACTED.aws

# ---- a secret that no rule knew stands there as base64: the history finds it, and a purge takes it out
word=the-door-"is-4711-green"
attr "$HOME/notes/one" user.door "open with $word now"
attr "$HOME/notes/sub" user.door "$word"
echo "with it: $word" >"$HOME/notes/sub/beside"
expect 0 "$MIRROR" --once
printf '%s' "$word" >"$W/word"
expect 1 "$MIRROR" secrets history --value "$W/word" --json
for path in notes/one notes/sub; do
	python3 -c 'import json, sys
sys.exit(not any(hit["path"] == sys.argv[2] and hit["in"] == "attribute" and hit["current"]
                 for hit in json.load(open(sys.argv[1]))["found"]))' "$W/out" "$path" ||
		fail "the attribute of $path is not found"
done
expect 65 "$MIRROR" secrets purge --value "$W/word"
says err "the newest commit still holds it"
attr "$HOME/notes/one" user.door 'shut'
attr "$HOME/notes/sub" user.door 'shut'
echo without >"$HOME/notes/sub/beside"
expect 0 "$MIRROR" --once
tip=$(git -C "$BRAIN" rev-parse 'HEAD^{tree}')
expect 0 "$MIRROR" secrets purge --value "$W/word" --json
token=$(sed -n 's/.*"confirm": *"\([0-9a-f]*\)".*/\1/p' "$W/out")
expect 0 "$MIRROR" secrets purge --value "$W/word" --confirm "$token"
is "$(git -C "$BRAIN" rev-parse 'HEAD^{tree}')" "$tip" "the newest tree"
expect 0 "$MIRROR" secrets history --value "$W/word"
git -C "$BRAIN" cat-file --batch --batch-all-objects >"$W/everything"
for trace in "$word" "$(printf 'open with %s now' "$word" | base64 -w0)" "$(printf %s "$word" | base64 -w0)"; do
	silent_about everything "$trace"
done
expect 0 git -C "$BRAIN" fsck --strict
# As it was then: with the mark in the value, and the file told as redacted.
expect 0 "$MIRROR" restore notes --at "$(git -C "$BRAIN" rev-parse HEAD~1)" --to "$W/back8" --json
for path in notes/one notes/sub/beside; do
	python3 -c 'import json, sys; sys.exit(sys.argv[2] not in json.load(open(sys.argv[1]))["redacted"])' \
		"$W/out" "$path" || fail "$path of then is not told as redacted"
done
attrs "$W/back8/notes" >"$W/got"
is "$(grep -c 'user.door.*REDACTED.named' "$W/got")" 2 "marks in attributes of then"
# What a rule knows since is found there by the rule, too.
attr "$HOME/notes/one" user.late "zebra-778899"
expect 0 "$MIRROR" --once
attr "$HOME/notes/one" user.late "gone"
expect 0 "$MIRROR" --once
printf '[[rules]]\nid = "zebra"\nregex = "zebra-[0-9]+"\n' >"$W/zebra.toml"
configure true redact "rules = [\"$W/zebra.toml\"]"
expect 0 "$MIRROR" --once
expect 1 "$MIRROR" secrets history --json
print=$(python3 -c 'import json, sys
print([hit["fingerprint"] for hit in json.load(open(sys.argv[1]))["found"] if hit["rule"] == "zebra"][0])' "$W/out")
expect 0 "$MIRROR" secrets purge "$print" --json
token=$(sed -n 's/.*"confirm": *"\([0-9a-f]*\)".*/\1/p' "$W/out")
expect 0 "$MIRROR" secrets purge "$print" --confirm "$token"
git -C "$BRAIN" cat-file --batch --batch-all-objects >"$W/everything"
silent_about everything "$(printf 'zebra-778899' | base64 -w0)"
expect 0 "$MIRROR" secrets history "$print"
configure true redact
expect 0 "$MIRROR" --once

# ---- a file that nobody can know all of is told, and its bytes are kept
python3 - "$HOME/notes/sub/none" 2>/dev/null <<'END' && {
import os, sys
for i in range(300):
    os.setxattr(sys.argv[1], "user.%03d" % i, b"")
END
	echo "with too many" >"$HOME/notes/sub/none"
	expect 1 "$MIRROR" --once
	is "$(git -C "$BRAIN" show HEAD:notes/sub/none)" "with too many" "the bytes"
	"$MIRROR" ledger --json --state failed >"$W/ledger" || true
	says ledger E2BIG
} || echo "xattrs: this file system keeps fewer than are too many" >&2
rm -f "$HOME/notes/sub/none"

# ---- with a key, the secret comes back with them
if command -v age >/dev/null; then
	expect 0 "$MIRROR" key new --out "$W/key" --no-input
	configure true seal
	expect 0 "$MIRROR" --once
	attrs "$HOME/notes" >"$W/wanted"
	expect 0 "$MIRROR" restore --to "$W/back5" --key "$W/key"
	attrs "$W/back5/notes" >"$W/got"
	cmp "$W/wanted" "$W/got" || { diff "$W/wanted" "$W/got" >&2; fail "what was sealed of an attribute did not come back"; }
fi
# ---- not asked for any more: they leave the commit
configure false redact
expect 0 "$MIRROR" --once
silent_about <(git -C "$BRAIN" grep -h xattr HEAD -- .mirror/folders) xattr.
expect 0 git -C "$BRAIN" fsck --strict
