#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A tree as hard as a file system allows, back from a plain clone of the remote: once as
# RECOVERY.md says, with git and python3 alone and a git that is told to change everything
# it checks out, once with `mirror restore`.  The judge is a program of its own, which lists
# both trees: bytes, modes, times to the nanosecond, links, hard links, empty folders.
. "$(dirname "$0")/lib.sh"
needs git
needs python3

cat >make.py <<'EOF'
import os, socket

os.umask(0o022)

def put(*names, data=b'x\n', mode=None, time=None):
    path = os.path.join(b'w', *names)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)
    if mode is not None:
        os.chmod(path, mode)
    if time is not None:
        os.utime(path, ns=(time, time))

names = [b'new\nline', b'tab\there', b'bad\xff\xfeutf8', b'ctl\x01\x1f\x7f', b'back\\slash',
    b'quote"\'`$(x)', b'-dash', b' lead', b'trail ', b'trail.', b'CON', b'aux.txt', b'a:b',
    b'*?[x]', b'\xe2\x80\xae rtl', b'e\xcc\x81', b'\xc3\xa9', b'#hash', b'!bang', b'~', b'...',
    b'x' * 255, b'\\x41', b'\xe2\x80\x8c.git', b'.gi\xe2\x80\x8ct', b'.mailmap', b'.mirror']
for name in names:
    put(b'names', name, data=name)
    put(b'folders', name, b'f', data=name)
for name in [b'Case', b'case', b'CASE']:
    put(b'cases', name, data=name)
    put(b'cases2', name, b'f', data=name)

# What git obeys or refuses.
put(b'git0', b'.git', b'HEAD')
put(b'git1', b'.GIT', b'config')
put(b'git2', b'git~1', b'f')
put(b'git3', b'.git.', b'f')
put(b'git4', b'.Git')
put(b'git5', b'GIT~1')
put(b'git6', b'.gitmodules', data=b'[submodule "x"]\n\tpath = x\n\turl = ../x\n')
put(b'git7', b'.gitignore', data=b'*\n')
put(b'git7', b'hidden')
put(b'git8', b'.gitattributes', data=b'* text eol=crlf\n*.u working-tree-encoding=UTF-16\n'
    b'*.i ident\n*.f filter=nosuch\n*.e export-ignore\n*.s export-subst\n')
for name, data in [(b'a.txt', b'one\ntwo\n'), (b'b.u', b'utf16?\n'), (b'c.i', b'$Id$\n'),
        (b'd.f', b'filter\n'), (b'e.e', b'ignored\n'), (b'f.s', b'$Format:%H$\n'),
        (b'g.txt', b'crlf\r\nmixed\n'), (b'h.txt', b'\r\n\r\n')]:
    put(b'git8', name, data=data)

# Bytes, modes, times.
put(b'c', b'empty', data=b'')
put(b'c', b'all', data=bytes(range(256)) * 40)
put(b'c', b'no newline', data=b'no newline')
put(b'c', b'utf16', data='h\xe9\n'.encode('utf-16'))
put(b'c', b'long', data=b'y' * 3000000)
with open(b'w/c/sparse', 'wb') as file:
    file.seek(10 << 20)
    file.write(b'end')
for mode in [0o600, 0o755, 0o444, 0o400, 0o777, 0o4755, 0o2755, 0o1644, 0o711]:
    put(b'modes', b'%o' % mode, mode=mode)
for mode in [0o700, 0o555, 0o1777, 0o2775, 0o500, 0o711]:
    put(b'dmodes', b'%o' % mode, b'f')
    os.chmod(b'w/dmodes/%o' % mode, mode)
second = 10**9
for time in [0, 1, -1, -2208988800 * second + 123456789, 1234567890123456789, -5 * second - 1,
        2147483648 * second, 4294967296 * second, 4354819200 * second + 987654321]:
    put(b'times', b'%d' % time, time=time)

# Links of both kinds, and what is no file.
os.makedirs(b'w/l')
for name, target in [(b'dangling', b'nowhere'), (b'self', b'self'), (b'loop1', b'loop2'),
        (b'loop2', b'loop1'), (b'abs', b'/etc/passwd'), (b'up', b'../../..'), (b'nl', b'a\nb'),
        (b'bad', b'\xff\xfe'), (b'long', b'x' * 3000), (b'.gitignore', b'x')]:
    os.symlink(target, b'w/l/' + name)
os.utime(b'w/l/dangling', ns=(5, -7 * second + 5), follow_symlinks=False)
put(b'h', b'one')
os.makedirs(b'w/h/sub')
os.link(b'w/h/one', b'w/h/two')
os.link(b'w/h/one', b'w/h/sub/three')
os.mkfifo(b'w/fifo')
socket.socket(socket.AF_UNIX).bind('w/socket')

# Empty folders, and a path that no system call takes as a whole.
for i in range(1000):
    os.makedirs(b'w/e/%02d/empty%d' % (i % 100, i))
os.utime(b'w/e/05', ns=(3, -3 * second - 3))
at = os.open(b'w', os.O_RDONLY)
for i in range(40):
    name = b'deep%03d' % i + b'z' * 140
    os.mkdir(name, dir_fd=at)
    at = os.open(name, os.O_RDONLY, dir_fd=at)
os.write(os.open(b'bottom', os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=at), b'bottom\n')
os.symlink(b'bottom', b'link', dir_fd=at)
os.mkdir(b'empty', 0o750, dir_fd=at)
EOF

cat >list.py <<'EOF'
import hashlib, os, stat, sys

links = {}

def walk(folder, path):
    for name in sorted(map(os.fsencode, os.listdir(folder))):
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        here, what = path + b'/' + name, ''
        if here == b'/git0/.git' or stat.S_ISFIFO(info.st_mode) or stat.S_ISSOCK(info.st_mode):
            continue
        if stat.S_ISLNK(info.st_mode):
            what = repr(os.readlink(name, dir_fd=folder))
        elif stat.S_ISREG(info.st_mode):
            with open(os.open(name, os.O_RDONLY, dir_fd=folder), 'rb') as file:
                what = hashlib.sha256(file.read()).hexdigest()
            links.setdefault((info.st_dev, info.st_ino), []).append(here)
        print(repr(here), oct(info.st_mode), info.st_mtime_ns, what)
        if stat.S_ISDIR(info.st_mode):
            below = os.open(name, os.O_RDONLY, dir_fd=folder)
            walk(below, here)
            os.close(below)

walk(os.open(sys.argv[1], os.O_RDONLY), b'')
for group in sorted(links.values()):
    if len(group) > 1:
        print('one file:', group)
EOF

python3 make.py
git init -q --bare remote.git
cat >"$CONFIG" <<EOC
[[watch]]
path = "$W/w"
[brain]
remote = "$W/remote.git"
branch = "host/box"
EOC
expect 0 "$MIRROR" --once
python3 list.py w >want
[ "$(wc -l <want)" -gt 1200 ] || fail "the tree was not made"
is "$("$MIRROR" ledger --state excluded | sort | tr -s ' \n' ' ')" \
	"excluded w/fifo (special) excluded w/git0/.git (git-internals) excluded w/socket (special) " \
	"what is left out"

# --- git alone, and one that is told to change what it checks out
git config --global core.autocrlf true
git config --global core.attributesFile "$W/attributes"
printf '* text=auto eol=crlf\n*.i ident\n*.u working-tree-encoding=UTF-16\n' >attributes
for how in '' --no-checkout; do
	rm -rf clone back
	# shellcheck disable=SC2086 # none, or one word
	git clone -q $how -b host/box remote.git clone
	git -C clone show HEAD:.mirror/RECOVERY.md | sed -n '/^```python$/,/^```$/p' | sed '1d;$d' >recover.py
	(cd clone && python3 ../recover.py ../back) || fail "recover.py $how"
	python3 list.py back/w >have
	diff want have >different || fail "RECOVERY.md $how: $(head -5 different)"
	chmod -R u+rwx back
done
# What RECOVERY.md says to whoever only wants to look.
rm -rf clone
git clone -q -c core.autocrlf=false -c core.attributesFile=/dev/null -b host/box remote.git clone
for file in git8/a.txt git8/b.u git8/c.i git8/g.txt c/all; do
	cmp -s "w/$file" "clone/w/$file" || fail "$file in a clone"
done

# --- with our own
expect 0 "$MIRROR" restore --from clone --to back2 w
python3 list.py back2/w >have
diff want have >different || fail "mirror restore: $(head -5 different)"
chmod -R u+rwx back2 w
