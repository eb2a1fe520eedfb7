#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A tree that git alone cannot keep comes back as it was: bytes, modes, times, links,
# names and empty folders; find, diff, cmp and rsync are the witnesses.
. "$(dirname "$0")/lib.sh"
needs python3

cat >"$CONFIG" <<END
[[watch]]
path = "$HOME/notes"

[[watch]]
path = "$HOME/empty root"
name = "empty"

[brain]
remote = "none"
branch = "host/testbox"
END

python3 - "$HOME" <<'END'
import os, sys
home = os.fsencode(sys.argv[1])
root = home + b'/notes'
os.makedirs(root)
os.makedirs(home + b'/empty root')
os.chdir(root)

def write(path, data=b'x\n', mode=0o644):
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)
    os.chmod(path, mode)

write(b'todo.md', b'one\r\ntwo\n')
write(b'sub/.gitignore', b'*\n')
write(b'sub/hidden by it', b'here\n')
write(b'sub/.gitattributes', b'* text eol=crlf\n')
write(b'.gitmodules', b'[submodule "x"]\n')
write(b'nested/.git/config', b'[core]\n')
write(b'nested/file.c', b'int x;\n')
write(b'.GIT/config', b'not git\n')
write(b'git~1', b'a file\n')
write(b'.mirror/folders/own', b'a folder of mine\n')
write(b'new\nline/a\tb\x1b[31m', b'names\n')
write(b'latin-\xe9\xff', b'not utf-8\n')
write(b' lead and trail ', b'spaces\n')
write(b'back\\slash', b'\\\n')
write(b'-dash', b'-\n')
write(b'a/' + b'n' * 255, b'long name\n')
write(b'binary', bytes(range(256)) * 300)
write(b'nothing', b'')
with open(b'sparse', 'wb') as f:
    f.seek(5000000)
    f.write(b'x')
    f.truncate(20000000)
write(b'modes/setuid', b's\n', 0o4755)
write(b'modes/secret', b'0\n', 0o400)
write(b'modes/open', b'0\n', 0o666)
write(b'modes/run', b'#!/bin/sh\n', 0o700)
write(b'modes/oddly', b'0\n', 0o654)
os.makedirs(b'empty/deeper/still')
os.makedirs(b'sticky')
os.chmod(b'sticky', 0o1777)
write(b'shut/in', b'in\n')
os.symlink(b'todo.md', b'link')
os.symlink(b'.', b'loop')
os.symlink(b'self', b'self')
os.symlink(b'/nowhere/at all', b'dangling')
os.symlink(b'x' * 3000, b'long link')
os.symlink(b'a', b'.gitignore')
write(b'hard/one', b'shared\n')
os.link(b'hard/one', b'hard/two')
os.link(b'hard/one', b'sub/three')
os.utime(b'todo.md', ns=(-86400 * 10**9 + 5, -86400 * 10**9 + 5))
os.utime(b'link', ns=(10**18 + 7, 10**18 + 7), follow_symlinks=False)
os.utime(b'empty', ns=(10**18 + 9, 10**18 + 9))
# Deeper than any path may be long.
here = os.open(b'.', os.O_RDONLY)
for i in range(24):
    name = b'%02d-' % i + b'd' * 200
    os.mkdir(name, dir_fd=here)
    there = os.open(name, os.O_RDONLY, dir_fd=here)
    os.close(here)
    here = there
fd = os.open(b'bottom', os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=here)
os.write(fd, b'5000 bytes down\n')
os.close(fd)
os.chmod(b'shut', 0o500)
END
printf 'key = "%s"\n' "$AWS_KEY" >"$HOME/notes/key.toml"

# Everything about a tree but who reads it: a line for each path, in any depth.
cat >"$W/look.py" <<'END'
import hashlib, os, stat, sys
def look(fd, path, out, seen):
    for name in sorted(os.listdir(fd), key=os.fsencode):
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        whole = path + b'/' + os.fsencode(name)
        if whole.endswith(b'/.git'):
            continue
        kind, more = stat.S_IFMT(info.st_mode), b''
        if kind == stat.S_IFLNK:
            more = os.fsencode(os.readlink(name, dir_fd=fd))
        elif kind == stat.S_IFREG:
            got = os.open(name, os.O_RDONLY, dir_fd=fd)
            with open(got, 'rb') as f:
                more = hashlib.sha256(f.read()).hexdigest().encode()
            if info.st_nlink > 1:
                more += b' same as ' + seen.setdefault(info.st_ino, whole)
        # What holds a nested repository had one entry more.
        size = info.st_size if kind != stat.S_IFDIR else 0
        out.write(b'%r %o %d %d %s\n' % (whole, info.st_mode, info.st_mtime_ns, size, more))
        if kind == stat.S_IFDIR:
            sub = os.open(name, os.O_RDONLY, dir_fd=fd)
            look(sub, whole, out, seen)
            os.close(sub)
root = os.open(sys.argv[1], os.O_RDONLY)
info = os.stat(root)
sys.stdout.buffer.write(b'. %o %d\n' % (info.st_mode, info.st_mtime_ns))
look(root, b'', sys.stdout.buffer, {})
END
look() {
	python3 "$W/look.py" "$1"
}

expect 0 "$MIRROR" --once --json
look "$HOME/notes" >"$W/before"
grep -v key.toml "$W/before" >"$W/wanted"

# ---- to a folder, byte for byte
expect 0 "$MIRROR" restore --to "$W/back" --json
is "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["redacted"])' "$W/out")" \
	"['notes/key.toml']" "the list of redacted files"
look "$W/back/notes" >"$W/after"
grep -v key.toml "$W/after" >"$W/got"
cmp "$W/wanted" "$W/got" || { diff "$W/wanted" "$W/got" | head -20 >&2; fail "the tree came back differently"; }
says "$W/back/notes/key.toml" REDACTED.
silent_about "$W/back/notes/key.toml" "$AWS_KEY"
[ -d "$W/back/empty" ] || fail "an empty watched folder did not come back"
[ ! -e "$W/back/.mirror" ] || fail "what we keep for ourselves was restored"

# What was a hole is one again.
[ "$(stat -c %b "$W/back/notes/sparse")" -le $(($(stat -c %b "$HOME/notes/sparse") + 256)) ] ||
	fail "a sparse file came back with $(stat -c %b "$W/back/notes/sparse") blocks"

# ---- once more changes nothing, not even a time of change
find "$W/back" -printf '%P %i %C@ %m\n' 2>/dev/null | sort >"$W/inodes"
expect 0 "$MIRROR" restore --to "$W/back"
says out "0 written"
find "$W/back" -printf '%P %i %C@ %m\n' 2>/dev/null | sort >"$W/inodes.again"
cmp "$W/inodes" "$W/inodes.again" || fail "a second restore changed something"

# ---- from a clone that somebody else's program made
git -c protocol.file.allow=always clone -q --no-checkout "$BRAIN" "$W/clone" 2>/dev/null
(
	failures=0
	unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME
	HOME=$W/nobody
	mkdir -p "$HOME"
	export HOME
	expect 0 "$MIRROR" restore --from "$W/clone" --to "$W/cloned" notes
	exit "$failures"
) || fail "a clone cannot be restored without a configuration"
look "$W/cloned/notes" | grep -v key.toml >"$W/got"
cmp "$W/wanted" "$W/got" || fail "the clone holds another tree"
expect 0 "$MIRROR" restore --from "$W/clone" --host testbox --to "$W/cloned2" notes/sub
[ -f "$W/cloned2/notes/sub/hidden by it" ] || fail "--host found nothing"
expect 2 "$MIRROR" restore --from "$W/clone" --host nobody --to "$W/cloned3" notes

# ---- through a server that checks each object, by git and the printed recipe alone
git init -q --bare "$W/strict.git"
git -C "$W/strict.git" config receive.fsckObjects true
git -C "$W/strict.git" config transfer.fsckObjects true
git -C "$BRAIN" push -q "$W/strict.git" host/testbox 2>"$W/err" || {
	cat "$W/err" >&2
	fail "a server that checks refuses it"
}
git -C "$W/strict.git" fsck --strict >"$W/out" 2>&1 || fail "fsck of the server: $(cat "$W/out")"
git clone -q -b host/testbox "$W/strict.git" "$W/plain" 2>/dev/null
is "$(git -C "$W/plain" status --porcelain)" "" "the status of a plain clone"
(
	cd "$W/plain"
	sed -n '/^```python$/,/^```$/p' .mirror/RECOVERY.md | sed '1d;$d' >"$W/recover.py"
	python3 "$W/recover.py" "$W/recovered" >"$W/out" 2>&1
) || fail "the recipe fails: $(tail -c 300 "$W/out")"
is "$(cat "$W/out")" "" "what the recipe says"
look "$W/recovered/notes" | grep -v key.toml >"$W/got"
cmp "$W/wanted" "$W/got" || fail "the recipe brings back another tree: $(diff "$W/wanted" "$W/got" | cut -c1-300 | head)"
[ -d "$W/recovered/empty" ] || fail "the recipe forgot an empty watched folder"

# ---- one file, and one folder, as a disk path too
expect 0 "$MIRROR" restore --to "$W/one" "$HOME/notes/sub/.gitignore"
is "$(cat "$W/one/notes/sub/.gitignore")" "*" "the file that hid others"
is "$(find "$W/one" -type f | wc -l)" 1 "the number of files"
(failures=0; cd "$HOME/notes" && expect 0 "$MIRROR" restore --to "$W/two" ./modes && exit "$failures") ||
	fail "a path relative to here is not understood"
is "$(stat -c %a "$W/two/notes/modes/setuid")" 4755 "the mode"
expect 2 "$MIRROR" restore --to "$W/three" notes/never/was
[ ! -e "$W/three" ] || fail "a path that is not there made folders"

# ---- nothing that differs is ever replaced, and no link is followed
mkdir -p "$W/mine/notes/sub" "$W/elsewhere"
echo mine >"$W/mine/notes/todo.md"
ln -s "$W/elsewhere" "$W/mine/notes/modes"
ln -s "$W/elsewhere/target" "$W/mine/notes/binary"
echo extra >"$W/mine/notes/extra"
expect 1 "$MIRROR" restore --to "$W/mine" --json notes
is "$(cat "$W/mine/notes/todo.md")" mine "somebody's file"
is "$(cat "$W/mine/notes/extra")" extra "somebody's other file"
is "$(ls "$W/elsewhere")" "" "what a planted link leads to"
python3 - "$W/out" <<'END' || fail "the conflicts are not told"
import json, sys
got = json.load(open(sys.argv[1]))
assert sorted(c['path'] for c in got['conflict']) == [
    'notes/binary', 'notes/modes', 'notes/todo.md'], got['conflict']
assert got['exit'] == 1
END

# ---- without --to it shows, and writes nothing when nobody can be asked
expect 0 "$MIRROR" restore notes/sub
says err "nothing was written"
says out "to write    notes/sub/hidden by it"
silent_about out written
is "$(find "$HOME" -maxdepth 1 -name 'notes.restored-*')" "" "beside"
expect 0 "$MIRROR" restore --yes notes/sub
is "$(cat "$HOME"/notes.restored-*/sub/hidden\ by\ it)" here "the file beside"
rm -rf "$HOME"/notes.restored-*
look "$HOME/notes" >"$W/after"
cmp "$W/before" "$W/after" || fail "a restore elsewhere touched the watched folder"

# ---- in place, and back again
cd "$HOME/notes"
echo changed >todo.md
rm binary modes/run
rm -rf empty
ln -sfn elsewhere link
echo mine >"new here"
cd "$W"
look "$HOME/notes" >"$W/changed"
expect 0 "$MIRROR" restore --in-place --json notes
undo=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["undo"])' "$W/out")
look "$HOME/notes" >"$W/after"
diff <(grep -v -e "new here" -e '^\. ' "$W/after") <(grep -v '^\. ' "$W/before") >&2 ||
	fail "in place came back differently"
says "$HOME/notes/key.toml" "$AWS_KEY"
is "$(cat "$HOME/notes/new here")" mine "what the backup does not hold"
expect 0 "$MIRROR" restore --undo "$undo"
look "$HOME/notes" >"$W/after"
diff "$W/changed" "$W/after" >&2 || fail "it was not taken back"
expect 2 "$MIRROR" restore --undo "$undo"

# ---- as it was at an earlier time
first=$(git -C "$BRAIN" rev-parse host/testbox)
git -C "$BRAIN" tag -a -m then milestone-1 "$first"
expect 0 "$MIRROR" --once
for when in milestone-1 "$first"; do
	rm -rf "$W/then"
	expect 0 "$MIRROR" restore --at "$when" --to "$W/then" notes/todo.md
	is "$(head -c3 "$W/then/notes/todo.md")" one "the file at $when"
done
expect 2 "$MIRROR" restore --at 1999-12-31 --to "$W/then" notes/todo.md
says err "nothing is that old"
expect 65 "$MIRROR" restore --at 2026-02-30 --to "$W/then" notes/todo.md

# ---- a name that held a secret comes back with a mark, and is listed
mkdir -p "$HOME/notes/dir-$AWS_KEY_2"
printf 'x\n' >"$HOME/notes/name-$AWS_KEY"
printf 'y\n' >"$HOME/notes/dir-$AWS_KEY_2/plain"
expect 0 "$MIRROR" --once
expect 0 "$MIRROR" restore notes --to "$W/marked" --json
is "$(python3 -c 'import json,sys
print(sum("REDACTED." in str(path) for path in json.load(open(sys.argv[1]))["redacted"]))' "$W/out")" 2 \
	"paths with a mark in a name that are listed"
silent_about out "$AWS_KEY"
silent_about out "$AWS_KEY_2"
