#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Break what is watched, and the probe says so; and what only looks dangerous changes
# nothing (I7).  An agent runs.
. "$(dirname "$0")/lib_broken.sh"

world agent

# calm WHAT: everything is in a commit, and healthy without anybody's help.
calm() {
	wait_for 60 "$MIRROR" --once
	probe
	is "$probed" 0 "the probe's exit status after $1"
	is_honest || fail "the report after $1 contradicts itself"
}
row() {
	"$MIRROR" ledger "$1" --json 2>/dev/null | jq -r '"\(.state) \(.reason) \(.spans)"'
}

# ---- a nested .gitignore with "*" hides nothing
mkdir notes/hidden
printf '*\n' >notes/hidden/.gitignore
printf 'still here\n' >notes/hidden/file
calm "a nested .gitignore"
holds notes/hidden/file "still here" || fail "a .gitignore hid a file"
is "$(row notes/hidden/.gitignore)" "mirrored  0" "the row of .gitignore"

# ---- .gitattributes with eol changes no byte
mkdir notes/eol
printf '* text eol=crlf\n*.md ident filter=lfs\n' >notes/eol/.gitattributes
printf 'one\r\ntwo\n$Id$\n' >notes/eol/mixed.md
calm "a .gitattributes"
is "$(git -C "$BRAIN" rev-parse HEAD:notes/eol/mixed.md)" \
	"$(git hash-object --no-filters notes/eol/mixed.md)" "the blob beside .gitattributes"

# ---- a nested repository is files like others
git init -q notes/nested
printf 'in a nested repository\n' >notes/nested/file
calm "a nested repository"
holds notes/nested/file "in a nested repository" || fail "a nested repository is hidden"
is "$(row notes/nested/.git)" "excluded git-internals 0" "the row of its .git"

# ---- a word is no secret, two secrets behind a placeholder are two
printf 'password: see wiki\n' >notes/wiki.md
printf 'password = ${PASSWORD} # %s and %s\n' "$AWS_KEY" "$AWS_KEY_2" >notes/two.md
calm "secrets"
is "$(row notes/wiki.md)" "mirrored  0" "the row of a file that speaks of a password"
git -C "$BRAIN" show HEAD:notes/two.md >two
is "$(row notes/two.md | awk '{ print $1, $NF }')" "redacted 2" "two secrets on one line"
silent_about two "$AWS_KEY"
silent_about two "$AWS_KEY_2"
says two 'password = ${PASSWORD} # REDACTED.'

# ---- a file nobody may read
printf 'shut\n' >notes/shut
calm "a new file"
chmod 000 notes/shut
told 30 unprotected_change degraded
is "$(row notes/shut | cut -d' ' -f1,2)" "failed EACCES" "the row of an unreadable file"
expect 0 "$MIRROR" why notes/shut
says out "EACCES"
chmod 600 notes/shut
well 30
# A folder, too.
chmod 000 notes/sub
told 30 unprotected_change degraded
holds notes/sub/1.md "note 1" || fail "what cannot be read was dropped"
# An agent that begins anew cannot watch it, and more watches would not help.
printf '# read again\n' >>"$CONFIG"
tells_unwatched() {
	probe
	case "$(of_fact watches evidence)" in *"cannot be watched"*) ;; *) false ;; esac
}
wait_for 60 tells_unwatched
told 5 watches degraded
is "$(of_fact watches action | grep -c sysctl)" 0 "asking for more watches"
chmod 700 notes/sub
printf '# and again\n' >>"$CONFIG"
well 30
chmod 000 notes
told 30 shrink 'degraded|failed'
holds notes/sub/1.md "note 1" || fail "a root that cannot be read was dropped"
chmod 755 notes
well 30

# ---- a file that is too large is told, until somebody says that it is all right
truncate -s 300M notes/large
told 30 exclusions degraded
is "$(row notes/large | cut -d' ' -f1,2)" "excluded too-large" "the row of 300 MB"
expect 0 "$MIRROR" accept exclusions --reason "a disk image"
well 30
truncate -s 300M notes/larger
told 30 exclusions degraded
says health.json "1 newly excluded"
rm notes/larger notes/large
well 30

# ---- half a root is removed: nothing leaves the backup until a person says so (I14)
mkdir many
for i in $(seq 60); do
	printf 'many %s\n' "$i" >"many/$i"
done
mv many notes/many
calm "sixty more files"
mv notes/many away
told 30 shrink 'degraded|failed'
holds notes/many/7 "many 7" || fail "half a root was dropped from the backup"
mv away notes/many
well 60
mv notes/many away
told 30 shrink 'degraded|failed'
expect 0 "$MIRROR" accept shrink
well 60
wait_for 30 "$MIRROR" --once
holds notes/many/7 "many 7" && fail "an accepted deletion is still there"
rm -rf away

# ---- the disk is not mounted: the folder is empty, or not there
mv notes mounted
mkdir notes
told 30 shrink 'degraded|failed'
holds notes/a hello || fail "an unmounted disk emptied the backup"
rmdir notes
told 30 shrink 'degraded|failed'
mv mounted notes
well 60
# The agent said so, too: once when it began, once when it was over (I11).
is "$(grep -c 'notes: .* files are gone at once' "$W/agent.err")" 4 "how often the agent said it began"
is "$(grep -cE 'notes: (its files are back|that its files are gone was accepted)' "$W/agent.err")" 4 \
	"how often the agent said it was over"
holds notes/a hello || fail "the backup after the disk came back"
